"""How rows under conditions came about, over all the times that rows were drawn for one table."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bayesynth.predictive.conditional import MOVES, REJECTION, Drawn


@dataclass
class GivenFacts:
    """A tally of draws.

    Parameters
    ----------
    share : float
        Share of the rows that the model's conditions stand for, by which probabilities are multiplied.
    """

    share: float = 1.0
    _drawn: list[Drawn] = field(default_factory=list)
    _rows: int = 0
    _kept: float | None = None

    def add(self, drawn: Drawn, rows: int) -> None:
        """Count rows that meet the conditions on columns of the model."""
        self._drawn.append(drawn)
        self._rows += rows

    def keep(self, rows: int) -> None:
        """Count those of them that meet the conditions on columns that rules make."""
        self._kept = (self._kept or 0) + rows

    def to_dict(self, n: int) -> dict[str, object]:
        """Give what ``attrs["given"]`` says of n rows."""
        guided = np.array([d.guided_rows for d in self._drawn])
        probability = self.share * float(np.average([d.probability for d in self._drawn], weights=guided))
        squares = guided**2 @ np.square([d.probability_error for d in self._drawn])
        error = self.share * float(np.sqrt(squares)) / guided.sum()
        moved = any(d.method == MOVES for d in self._drawn)
        ess = float(sum(d.ess for d in self._drawn)) if moved else float(n)
        facts = {"guided_rows": int(guided.sum())}
        facts["accepted"] = float(np.average([d.accepted for d in self._drawn], weights=guided))
        if self._kept is not None:
            rate = self._kept / self._rows
            error = float(np.hypot(error * rate, probability * np.sqrt(rate * (1 - rate) / self._rows)))
            probability, ess = probability * rate, ess * rate if moved else ess
            facts["accepted_by_outer_conditions"] = rate
        return {
            "method": MOVES if moved else REJECTION,
            "probability": probability,
            "probability_error": error,
            "effective_sample_size": ess,
        } | facts

"""Evidence of families in bulk: batches of one child's term sets, each scored once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bayesynth.encoding.design import ChildBank, FeatureBank, Term
from bayesynth.encoding.table import EncodedTable
from bayesynth.families import FAMILIES, Prior

CELLS_AT_A_TIME = 6_000_000

TermSet = frozenset[Term]


class EvidenceCache:
    """Log marginal likelihood of every (child, terms) family met so far.

    Parameters
    ----------
    table : EncodedTable
        The data.
    prior : Prior
        The same prior as in the fit.
    """

    def __init__(self, table: EncodedTable, prior: Prior):
        self.table = table
        self.prior = prior
        self._bank = FeatureBank(table)
        self._children: dict[str, ChildBank] = {}
        self._known: dict[tuple[str, tuple[Term, ...]], float] = {}

    def child(self, name: str) -> ChildBank:
        """Designs of one child."""
        if name not in self._children:
            self._children[name] = ChildBank(self._bank, name)
        return self._children[name]

    def scores(self, name: str, term_sets: Sequence[Iterable[Term]]) -> np.ndarray:
        """Log evidences of one child's families, shape (len(term_sets),)."""
        child = self.child(name)
        keys = [(name, child.complete(terms)) for terms in term_sets]
        missing = list(dict.fromkeys(key for key in keys if key not in self._known))
        if missing:
            places = [child.places(terms) for _, terms in missing]
            for some in self._batches(places, len(child.y)):
                found = self._evaluate(child, [places[i] for i in some])
                self._known.update((missing[i], float(value)) for i, value in zip(some, found, strict=True))
        return np.array([self._known[key] for key in keys])

    def score(self, name: str, terms: Iterable[Term]) -> float:
        """Log evidence of one family."""
        return float(self.scores(name, [terms])[0])

    def __len__(self) -> int:
        return len(self._known)

    @staticmethod
    def _batches(places: list[np.ndarray], n_rows: int) -> Iterable[list[int]]:
        """Group families of similar width, so that little is padded and memory stays bounded."""
        by_width = sorted(range(len(places)), key=lambda i: len(places[i]))
        batch: list[int] = []
        for i in by_width:
            width = len(places[i]) + 1
            narrow = batch and width > 2 * (len(places[batch[0]]) + 1)
            if batch and (narrow or (len(batch) + 1) * width * n_rows > CELLS_AT_A_TIME):
                yield batch
                batch = []
            batch.append(i)
        if batch:
            yield batch

    def _evaluate(self, child: ChildBank, places: list[np.ndarray]) -> np.ndarray:
        padded = np.zeros((len(places), max(map(len, places))), int)
        for row, place in zip(padded, places, strict=True):
            row[: len(place)] = place
        family = FAMILIES[child.node.family]
        return family.evidence(child.y, child.stack(padded), len(child.node.levels), self.prior)

"""Evidence of families in bulk: batches of one child's term sets, each scored once, and a screen for what to score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bayesynth.encoding.design import ChildBank, FeatureBank, Term
from bayesynth.encoding.table import EncodedTable
from bayesynth.families import FAMILIES, Prior

CELLS_AT_A_TIME = 6_000_000


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

    def screen(self, name: str, terms: Iterable[Term], additions: Sequence[Term]) -> np.ndarray:
        """Approximate gains in log evidence from adding single terms, shape (len(additions),).

        One quadratic step from the mode of the present family serves all additions: with slope U and curvature V of
        the log likelihood in the new coefficients (the present ones profiled out) and prior precision L, the gain is
        U'(V + L)^-1 U / 2 - log det((V + L) / L) / 2. Exact for a known residual variance.
        """
        if not additions:
            return np.empty(0)
        child = self.child(name)
        family, n_levels = FAMILIES[child.node.family], len(child.node.levels)
        X = child.stack(child.places(child.complete(terms))[None])[0]
        mode = family.modes(child.y, X[None], n_levels, self.prior).theta[0]
        working = family.working(mode, child.y, X, n_levels)
        precision = family.null_information(child.y, n_levels) / self.prior.tau**2
        design = np.column_stack([np.ones(len(X)), X])
        places = [self._bank.places(term) for term in additions]
        gains = np.zeros(len(additions))
        for residual, weight in zip(working.residuals.T, working.weights.T, strict=True):
            gains += _quadratic_gains(child.panel.columns, design, places, residual, weight, precision)
        return gains

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
        if child.node.family == "gaussian" and child.is_main(padded):
            gram = child.panel.gram[padded[:, :, None], padded[:, None, :]]
            return family.evidence_from_moments(child.y, gram, child.moments[padded], self.prior)
        return family.evidence(child.y, child.stack(padded), len(child.node.levels), self.prior)


def _quadratic_gains(
    columns: np.ndarray,
    design: np.ndarray,
    places: Sequence[np.ndarray],
    residual: np.ndarray,
    weight: np.ndarray,
    precision: float,
) -> np.ndarray:
    """Gains for one linear predictor; additions of equal width are worked out together."""
    weighted = design * weight[:, None]
    inner = weighted.T @ design + np.diag(np.r_[1e-6, np.full(design.shape[1] - 1, precision)])
    slope, cross = columns @ residual, columns @ weighted
    whitened = np.linalg.solve(np.linalg.cholesky(inner), cross.T).T
    gains = np.empty(len(places))
    for width in {len(place) for place in places}:
        which = [i for i, place in enumerate(places) if len(place) == width]
        at = np.array([places[i] for i in which])
        F, W = columns[at], whitened[at]
        V = (F * weight) @ F.transpose(0, 2, 1) - W @ W.transpose(0, 2, 1)
        V += precision * np.eye(width)
        U = slope[at][:, :, None]
        fit = (U.transpose(0, 2, 1) @ np.linalg.solve(V, U))[:, 0, 0]
        gains[which] = 0.5 * fit - 0.5 * (np.linalg.slogdet(V)[1] - width * np.log(precision))
    return gains

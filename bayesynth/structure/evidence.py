"""Evidence of families in bulk: batches of one child's term sets, each scored once, and a screen for what to score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bayesynth.encoding.design import SHAPE, ChildBank, FeatureBank, Term
from bayesynth.encoding.table import EncodedTable
from bayesynth.families import FAMILIES, Prior, Task, shape_gain

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
        self._left_out: tuple[tuple[str, tuple[Term, ...]], np.ndarray] | None = None

    def child(self, name: str) -> ChildBank:
        """Designs of one child."""
        if name not in self._children:
            self._children[name] = ChildBank(self._bank, name)
        return self._children[name]

    def scores(self, name: str, term_sets: Sequence[Iterable[Term]]) -> np.ndarray:
        """Log evidences of one child's families, shape (len(term_sets),)."""
        child = self.child(name)
        keys = [(name, child.arrange(terms)) for terms in term_sets]
        missing = list(dict.fromkeys(key for key in keys if key not in self._known))
        if missing:
            special = [key for key in missing if not all(term.of_location for term in key[1])]
            self._known.update((key, self._special(name, key[1])) for key in special)
            missing = [key for key in missing if key not in self._known]
            places = [child.places(terms) for _, terms in missing]
            for some in self._batches(places, len(child.y)):
                found = self._evaluate(child, [places[i] for i in some])
                self._known.update((missing[i], float(value)) for i, value in zip(some, found, strict=True))
        return np.array([self._known[key] for key in keys])

    def task(self, name: str, terms: Iterable[Term]) -> Task:
        """Gather the data of one family."""
        child = self.child(name)
        complete = child.arrange(terms)
        X = child.stack(child.places(complete)[None])[0]
        return Task(child.y, X, len(child.node.levels), *child.n_residual(complete))

    def score(self, name: str, terms: Iterable[Term]) -> float:
        """Log evidence of one family."""
        return float(self.scores(name, [terms])[0])

    def outlook(
        self, name: str, terms: Iterable[Term], others: Sequence[Iterable[Term]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gains in log evidence of other term sets over the present one, mostly by one quadratic view of it.

        Where coefficients are only added, with slope U and curvature V of the log likelihood in them (the present ones
        profiled out) and prior precision L, the gain is about U'(V + L)^-1 U / 2 - log det((V + L) / L) / 2. Where they
        are only removed it is minus the same, with V + L the inverse of their posterior covariance and U = (V + L) b.
        Sets that do both are scored exactly, and so are all sets of a numeric child, whose evidence is closed.

        Returns
        -------
        gains : ndarray, shape (len(others),)
        exact : ndarray of bool, shape (len(others),)
        """
        child = self.child(name)
        if child.node.family == "gaussian":
            values = self.scores(name, [terms, *others])
            return values[1:] - values[0], np.ones(len(others), bool)
        present = child.places(child.arrange(terms))
        where = {place: i for i, place in enumerate(present.tolist())}
        later = [child.places(child.arrange(other)).tolist() for other in others]
        added = [[place for place in after if place not in where] for after in later]
        removed = [[i for place, i in where.items() if place not in set(after)] for after in later]
        both = np.array([bool(a and r) for a, r in zip(added, removed, strict=True)], bool)
        gains = np.zeros(len(others))
        if both.any():
            swaps = [others[i] for i in np.flatnonzero(both)]
            gains[both] = self.scores(name, swaps) - self.score(name, terms)
        if not both.all():
            view = _QuadraticView(child, present, self.prior)
            only_added = [i for i in range(len(others)) if added[i] and not both[i]]
            gains[only_added] = view.of_adding([added[i] for i in only_added])
            for i in np.flatnonzero(~both):
                if removed[i]:
                    gains[i] = view.of_removing(removed[i])
        return gains, both

    def outlook_on_scale(self, name: str, terms: Iterable[Term], extras: Sequence[Term]) -> np.ndarray:
        """Gains in log evidence of adding single terms of the scale to plain ones, by a quadratic view; (len(extras),).

        At a constant residual variance the slope of the log evidence in coefficients of its logarithm is that of the
        squared residuals, and its curvature half the columns' products (Breusch and Pagan 1979, doi:10.2307/1911963).
        """
        child, family = self.child(name), FAMILIES["gaussian"]
        excess = family.excess_of_squares(child.y, self.task(name, terms).X, self.prior)
        precision, gains = 0.5 / self.prior.tau**2, np.empty(len(extras))
        for i, extra in enumerate(extras):
            W = child.stack(child.places([extra])[None])[0]
            slope, total = 0.5 * W.T @ excess, 0.5 * W.T @ W + precision * np.eye(W.shape[1])
            gains[i] = _gain(total[None], slope[None], precision)[0]
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

    def _special(self, name: str, terms: tuple[Term, ...]) -> float:
        """Score a numeric child's family whose residual scale or shape depends on parents."""
        family, shape = FAMILIES["gaussian"], [term for term in terms if term.form == SHAPE]
        if not shape:
            return family.scaled_evidence(self.task(name, terms), self.prior)
        rest = tuple(term for term in terms if term.form != SHAPE)
        if self._left_out is None or self._left_out[0] != (name, rest):
            self._left_out = (name, rest), family.left_out(self.task(name, rest), self.prior)
        return self.score(name, rest) + shape_gain(self._left_out[1], self.task(name, shape).groups)

    def _evaluate(self, child: ChildBank, places: list[np.ndarray]) -> np.ndarray:
        padded = np.zeros((len(places), max(map(len, places))), int)
        for row, place in zip(padded, places, strict=True):
            row[: len(place)] = place
        family = FAMILIES[child.node.family]
        if child.node.family == "gaussian" and child.is_main(padded):
            gram = child.panel.gram[padded[:, :, None], padded[:, None, :]]
            return family.evidence_from_moments(child.y, gram, child.moments[padded], self.prior)
        return family.evidence(child.y, child.stack(padded), len(child.node.levels), self.prior)


class _QuadraticView:
    """The log posterior of one family around its mode."""

    def __init__(self, child: ChildBank, places: np.ndarray, prior: Prior):
        family, n_levels = FAMILIES[child.node.family], len(child.node.levels)
        X = child.stack(places[None])[0]
        mode = family.modes(child.y, X[None], n_levels, prior).theta[0]
        self._working = family.working(mode, child.y, X, n_levels)
        self._columns = child.panel.columns
        self._precision = family.null_information(child.y, n_levels) / prior.tau**2
        self._design = np.column_stack([np.ones(len(X)), X])
        self._slopes = family.slopes_of(mode, n_levels)

    def of_adding(self, places: Sequence[list[int]]) -> np.ndarray:
        """Gains from adding columns; additions of equal width are worked out together."""
        gains = np.zeros(len(places))
        widths: dict[int, list[int]] = {}
        for i, place in enumerate(places):
            widths.setdefault(len(place), []).append(i)
        for residual, weight in zip(self._working.residuals.T, self._working.weights.T, strict=True):
            weighted = self._design * weight[:, None]
            slope, cross = self._columns @ residual, self._columns @ weighted
            whitened = np.linalg.solve(np.linalg.cholesky(self._inner(weighted)), cross.T).T
            for width, which in widths.items():
                at = np.array([places[i] for i in which])
                F, W = self._columns[at], whitened[at]
                V = (F * weight) @ F.transpose(0, 2, 1) - W @ W.transpose(0, 2, 1)
                gains[which] += _gain(V + self._precision * np.eye(width), slope[at], self._precision)
        return gains

    def of_removing(self, positions: list[int]) -> float:
        """Gain, mostly negative, from removing present columns."""
        gain = 0.0
        for weight, slopes in zip(self._working.weights.T, self._slopes.T, strict=True):
            covariance = np.linalg.inv(self._inner(self._design * weight[:, None]))[1:, 1:]
            V = np.linalg.inv(covariance[np.ix_(positions, positions)])
            gain -= _gain(V[None], (V @ slopes[positions])[None], self._precision)[0]
        return float(gain)

    def _inner(self, weighted: np.ndarray) -> np.ndarray:
        ridge = np.full(self._design.shape[1], self._precision)
        ridge[0] = 1e-6
        return weighted.T @ self._design + np.diag(ridge)


def _gain(V: np.ndarray, U: np.ndarray, precision: float) -> np.ndarray:
    """Gains of coefficients with slopes U, shape (b, d), and curvatures V, prior precision included, (b, d, d)."""
    fit = np.einsum("bd,bd->b", U, np.linalg.solve(V, U[:, :, None])[:, :, 0])
    return 0.5 * fit - 0.5 * (np.linalg.slogdet(V)[1] - V.shape[1] * np.log(precision))

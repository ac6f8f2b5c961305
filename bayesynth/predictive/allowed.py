"""Values that a node is allowed to take, and how a draw from its family is kept among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bayesynth.encoding.table import Node
from bayesynth.predictive.draw import Plan

ON_GRID = 1e-9  # how far from its grid, in steps, a number may be written down
OUTERMOST = 1e-15


@dataclass(frozen=True)
class Allowed:
    """A union of closed ranges, one for all rows or one for each; a range whose ends are crossed is empty.

    Parameters
    ----------
    lower, upper : ndarray, shape (1, J) or (n, J)
        Ends: codes of levels, 0 and 1 of an indicator, or numbers; infinite where open.
    shown : ndarray, shape (1, J) or (n, J)
        The value that stands for a whole range, NaN where the drawn one is shown.
    """

    lower: np.ndarray
    upper: np.ndarray
    shown: np.ndarray

    @classmethod
    def ranges(cls, lower: np.ndarray, upper: np.ndarray) -> Allowed:
        """Take ranges that show what is drawn."""
        return cls(lower, upper, np.full(lower.shape, np.nan))

    @classmethod
    def codes(cls, codes: list[float]) -> Allowed:
        """Take levels by their codes, the same for all rows."""
        ends = np.array([codes], dtype=float)
        return cls.ranges(ends, ends)

    def take(self, rows: np.ndarray) -> Allowed:
        """Take the sets of some rows."""
        return self if len(self.lower) == 1 else Allowed(self.lower[rows], self.upper[rows], self.shown[rows])

    @property
    def fixes(self) -> bool:
        """Whether every row has a single value to show."""
        return self.lower.shape[1] == 1 and bool(((self.lower == self.upper) | ~np.isnan(self.shown)).all())

    def contains(self, values: np.ndarray) -> np.ndarray:
        """Whether each row's value is allowed, shape (n,)."""
        at = values[:, None]
        return ((self.lower <= at) & (at <= self.upper)).any(axis=1)

    def project(self, values: np.ndarray) -> np.ndarray:
        """Give the nearest allowed value of each row, so that rounding never breaks a condition."""
        found, at = nearest(values, self.lower, self.upper)
        shown = np.broadcast_to(self.shown, (len(values), self.shown.shape[1]))[np.arange(len(values)), at]
        return np.where(np.isnan(shown), found, shown)

    def ends(self, node: Node, plan: Plan, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the ends of the ranges as responses of the node, open below and closed above, each of shape (n, J)."""
        if node.marginal is None:
            shape = (len(which), self.lower.shape[1])
            return np.broadcast_to(self.lower - 1, shape), np.broadcast_to(self.upper, shape)
        lower, upper = self.lower, self.upper
        if node.step:  # a number is recorded on its grid, so a range is made of whole cells
            lower = np.ceil(lower / node.step - ON_GRID) * node.step - node.step / 2
            upper = np.floor(upper / node.step + ON_GRID) * node.step + node.step / 2
        draws, shift, stretch = plan.marginals[node.name]
        own = which % len(draws)
        if len(lower) == 1:
            every = np.arange(len(draws))
            return tuple(
                (_scores(node, end.repeat(len(draws), 0), draws, every, side) * stretch[:, None] + shift[:, None])[own]
                for side, end in enumerate((lower, upper))
            )
        return tuple(
            _scores(node, end, draws, own, side) * stretch[own, None] + shift[own, None]
            for side, end in enumerate((lower, upper))
        )


def _scores(node: Node, ends: np.ndarray, draws: np.ndarray, which: np.ndarray, side: int) -> np.ndarray:
    """Give normal scores of P(X < x), side 0, or P(X <= x), side 1, of numbers of shape (n, J)."""
    finite = np.isfinite(ends)
    places = np.repeat(which, ends.shape[1])
    found = node.marginal.cdf(np.where(finite, ends, 0.0).ravel(), draws, places)[side].reshape(ends.shape)
    return np.where(finite, ndtri(np.clip(found, 0.0, 1.0)), ends)


def nearest(values: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest point of each row's ranges, and the range that it is in, both of shape (n,)."""
    candidates = np.clip(values[:, None], lower, upper)
    at = np.abs(candidates - values[:, None]).argmin(axis=1)
    return candidates[np.arange(len(values)), at], at


def place(below: np.ndarray, inside: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spread v, uniform in (0, 1), over the union of intervals of probability that begin at `below`.

    Returns
    -------
    u : ndarray, shape (n,)
        Where to invert the distribution function.
    total : ndarray, shape (n,)
        Probability of the union.
    """
    above = np.cumsum(inside, axis=1)
    total = above[:, -1]
    target = (v * total)[:, None]
    at = np.minimum((target > above).sum(axis=1), inside.shape[1] - 1)
    rows = np.arange(len(v))
    u = below[rows, at] + target[:, 0] - (above - inside)[rows, at]
    return np.clip(u, OUTERMOST, 1 - OUTERMOST), total


def share_below(below: np.ndarray, inside: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Invert `place`: the share of the union that lies below u."""
    passed = np.clip(u[:, None] - below, 0.0, inside).sum(axis=1)
    return passed / np.maximum(inside.sum(axis=1), 1e-300)

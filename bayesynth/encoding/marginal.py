"""The empirical marginal of a numeric column: normal scores one way, Bayesian-bootstrap quantiles the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from scipy.special import ndtri

MAX_KNOTS = 2048


class Marginal(Protocol):
    """The distribution of one numeric column by itself, and what is not known of it.

    A distribution function that was drawn is a row of an array of shape (D, k); what the row means is the marginal's
    own business. ``which`` names the row that applies to each value.
    """

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Give the normal score of the middle of each recorded value: what a parent contributes."""

    def responses(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Give a normal score randomised within each recorded value: what a family explains."""

    def draw(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Draw distribution functions, shape (n_draws, k)."""

    @property
    def typical(self) -> np.ndarray:
        """The distribution function in the middle of all draws, shape (1, k)."""

    @property
    def sd(self) -> float:
        """Standard deviation of the recorded values."""

    def drift(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shift and stretch of the normal scores under drawn distribution functions, each of shape (D,)."""

    def quantile(self, u: np.ndarray, draws: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Invert drawn distribution functions at u, in (0, 1), shape (n,)."""

    def cdf(self, values: np.ndarray, draws: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give P(X < x) and P(X <= x) under drawn distribution functions, before values are rounded to a grid."""

    def describes(self, values: np.ndarray) -> bool:
        """Whether it was made from these values."""

    @property
    def distribution(self) -> str:
        """Name of the distribution."""

    @property
    def parameters(self) -> Mapping[str, np.ndarray]:
        """Draws of its parameters in the units of the column, each of shape (chain, draw); none where it has none."""


@dataclass(frozen=True)
class EmpiricalMarginal:
    r"""Distribution function of the observed values of one numeric column.

    A value :math:`v_k` seen :math:`c_k` times holds mass :math:`c_k / n`. One row's worth of it, :math:`1/n`, is spread
    linearly half-way towards either neighbour, so that a drawn value need not be anybody's value; the rest stays on
    :math:`v_k`, so that ties, zeros and heaped values survive. Nothing is drawn beyond the extremes.

    Parameters
    ----------
    support : ndarray, shape (K,)
        Distinct values, rising.
    counts : ndarray, shape (K,)
        Rows behind each value.
    atoms : ndarray, shape (K,)
        Share of each value's mass that stays on the value.
    """

    support: np.ndarray
    counts: np.ndarray
    atoms: np.ndarray

    distribution: ClassVar[str] = "empirical"
    parameters: ClassVar[Mapping[str, np.ndarray]] = {}

    @classmethod
    def of(cls, values: np.ndarray) -> EmpiricalMarginal:
        """Summarise observed values; beyond 2,048 distinct ones neighbours share a knot."""
        support, counts = np.unique(values, return_counts=True)
        atoms = 1.0 - 1.0 / counts
        if len(support) <= MAX_KNOTS:
            return cls(support, counts.astype(float), atoms)
        ranks = np.linspace(0, counts.sum() - 1, MAX_KNOTS).round()
        knots = np.unique(np.searchsorted(np.cumsum(counts), ranks, side="right"))
        owner = np.searchsorted((knots[1:] + knots[:-1]) / 2, np.arange(len(support)))
        shared = np.bincount(owner, weights=counts)
        return cls(support[knots], shared, (counts[knots] - 1) / shared)

    @property
    def middle(self) -> np.ndarray:
        """Mid-distribution function at the support, F(x-) + P(x)/2."""
        above = np.cumsum(self.counts)
        return (above - self.counts / 2) / above[-1]

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Give the normal score of the mid-distribution, interpolated between known values: a parent's contribution."""
        return np.interp(values, self.support, ndtri(self.middle))

    def responses(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Give `normal_scores` of all values together."""
        return normal_scores(values, rng)

    def describes(self, values: np.ndarray) -> bool:
        """Whether it was made from these values."""
        other = EmpiricalMarginal.of(values)
        return np.array_equal(self.support, other.support) and np.array_equal(self.counts, other.counts)

    @property
    def sd(self) -> float:
        """Standard deviation of the recorded values."""
        mean = np.average(self.support, weights=self.counts)
        return float(np.sqrt(np.average((self.support - mean) ** 2, weights=self.counts)))

    @property
    def typical(self) -> np.ndarray:
        """The empirical distribution function at the support, shape (1, K)."""
        above = np.cumsum(self.counts)
        return above[None] / self.counts.sum()

    def draw(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Draw distribution functions from the Bayesian bootstrap (Rubin 1981, doi:10.1214/aos/1176345338).

        Returns
        -------
        ndarray, shape (n_draws, K)
            Cumulative weights at the support, the last one 1.
        """
        weights = rng.standard_gamma(self.counts, size=(n_draws, len(self.counts)))
        cumulative = np.cumsum(weights, axis=1)
        cumulative /= cumulative[:, -1:]
        return cumulative

    def drift(self, cumulative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shift and stretch of the normal scores under drawn distribution functions, each of shape (n_draws,).

        A regression's intercept and variance already carry the uncertainty of a column's location and scale. Taking
        this drift out of the scores leaves to the bootstrap what the regression does not know: the shape.
        """
        scores, weights = ndtri(self.middle), np.diff(cumulative, axis=1, prepend=0.0)
        rates = self.counts / self.counts.sum()
        centre = rates @ scores
        spread = np.sqrt(rates @ (scores - centre) ** 2)
        means = weights @ scores
        spreads = np.sqrt(np.maximum(weights @ scores**2 - means**2, 0.0))
        return means - centre, np.clip(spreads / spread, 0.1, 10.0)

    def quantile(self, u: np.ndarray, cumulative: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Invert drawn distribution functions.

        Parameters
        ----------
        u : ndarray, shape (n,)
            Probabilities in (0, 1).
        cumulative : ndarray, shape (D, K)
            As drawn by `draw`.
        which : ndarray of int, shape (n,)
            The row of `cumulative` that applies to each probability.
        """
        n_draws, n_knots = cumulative.shape
        # One search for all draws: draw d occupies the interval (d, d + 1].
        flat = (cumulative + np.arange(n_draws)[:, None]).ravel()
        at = np.searchsorted(flat, which + np.clip(u, 1e-12, 1 - 1e-12), side="left")
        k = np.clip(at - which * n_knots, 0, n_knots - 1)
        upper = cumulative[which, k]
        lower = np.where(k > 0, cumulative[which, np.maximum(k - 1, 0)], 0.0)
        inside = np.clip((u - lower) / np.maximum(upper - lower, 1e-300), 0.0, 1.0)
        edge = (1.0 - self.atoms[k]) / 2
        here = self.support[k]
        left = (here - self.support[np.maximum(k - 1, 0)]) / 2
        right = (self.support[np.minimum(k + 1, n_knots - 1)] - here) / 2
        safe = np.maximum(edge, 1e-12)
        down = np.clip(1.0 - inside / safe, 0.0, 1.0) * left
        up = np.clip(1.0 - (1.0 - inside) / safe, 0.0, 1.0) * right
        return here - down + up

    def cdf(self, values: np.ndarray, cumulative: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give P(X < x) and P(X <= x) under drawn distribution functions; they differ by the atoms.

        Parameters
        ----------
        values : ndarray, shape (n,)
            Where to.
        cumulative : ndarray, shape (D, K)
            As drawn by `draw`.
        which : ndarray of int, shape (n,)
            The row of `cumulative` that applies to each value.
        """
        last = len(self.support) - 1
        k = np.searchsorted((self.support[1:] + self.support[:-1]) / 2, values)
        here, edge = self.support[k], (1.0 - self.atoms[k]) / 2
        left = here - self.support[np.maximum(k - 1, 0)]
        right = self.support[np.minimum(k + 1, last)] - here
        with np.errstate(divide="ignore", invalid="ignore"):
            rising = edge * np.clip(1.0 + 2 * (values - here) / left, 0.0, 1.0)
            falling = 1.0 - edge * np.clip(1.0 - 2 * (values - here) / right, 0.0, 1.0)
        below = np.where(values <= here, np.where(k > 0, rising, 0.0), falling)
        upto = np.where(values >= here, np.where(k < last, falling, 1.0), rising)
        below, upto = np.where(values > self.support[-1], 1.0, below), np.where(values < self.support[0], 0.0, upto)
        upper = cumulative[which, k]
        lower = np.where(k > 0, cumulative[which, np.maximum(k - 1, 0)], 0.0)
        return lower + below * (upper - lower), lower + upto * (upper - lower)


def normal_scores(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    r"""Turn observed values into normal scores by the randomised probability integral transform.

    :math:`z = \Phi^{-1}(U)` with :math:`U` between :math:`F(x^-)` and :math:`F(x)`. Within a tie the rows take the
    places :math:`(r - 1/2)/n` in random order, so that the scores of any column are exactly normal in shape.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Observed values.
    rng : Generator
        Orders the ties.

    Notes
    -----
    Dunn and Smyth (1996), doi:10.1080/10618600.1996.10474708, use the randomised transform for residuals.
    """
    order = np.lexsort((rng.random(len(values)), values))
    scores = np.empty(len(values))
    scores[order] = ndtri((np.arange(len(values)) + 0.5) / len(values))
    return scores

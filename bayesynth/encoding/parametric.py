"""A marginal with parameters: draws of them from their posterior, and what it knows of the column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bayesynth.encoding.counts import Kernel, NegativeBinomial, Poisson
from bayesynth.encoding.distributions import (
    Beta,
    Bounds,
    Distribution,
    Exponential,
    Gamma,
    LogNormal,
    Normal,
    Sample,
    StudentT,
    TruncatedNormal,
    Uniform,
)

DISTRIBUTIONS: Mapping[str, Distribution] = {
    distribution.name: distribution
    for distribution in (
        Normal(),
        LogNormal(),
        StudentT(),
        Gamma(),
        Beta(),
        TruncatedNormal(),
        Uniform(),
        Exponential(),
        NegativeBinomial(),
        Poisson(),
        Kernel(),
    )
}
EDGE = 1e-9  # scores reach six standard deviations
PLACES = (np.arange(63) + 0.5) / 63  # where scores under two distribution functions are compared


@dataclass(frozen=True)
class Checks:
    """How far the draws of a few parameters are to be trusted.

    Parameters
    ----------
    rhat, ess_bulk, ess_tail : float
        Worst over parameters; NaN for independent draws.
    divergences : int
        Divergent transitions after tuning.
    pareto_k : float
        Of the Laplace approximation; NaN where the draws come from NUTS.
    """

    rhat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    pareto_k: float


@dataclass(frozen=True)
class ParametricMarginal:
    r"""One of `DISTRIBUTIONS` with draws of its parameters.

    Scores are taken under the parameters' posterior mean. Rows are drawn from

    .. math:: x = F_\theta^{-1}\{F_\theta(a) + u (F_\theta(b) - F_\theta(a))\},

    the distribution under one draw of the parameters, kept between a and b.

    Parameters
    ----------
    distribution : str
        Its name.
    sample : Sample
        What the distribution needs to know of the column; its values only for a kernel density.
    draws : ndarray, shape (chain, draw, k)
        Parameters on the whole real line, of the standardised column.
    centre, scale : float
        Of the standardisation.
    low, high : float
        Ends a and b, between which values are drawn; infinite where there is none.
    step : float or None
        Grid on which the column is recorded.
    n_rows : int
        Values that it was fitted to.
    mean, sd : float
        Of those values.
    checks : Checks
        Of the draws.
    """

    distribution: str
    sample: Sample
    draws: np.ndarray
    centre: float
    scale: float
    low: float
    high: float
    step: float | None
    n_rows: int
    mean: float
    sd: float
    checks: Checks

    @property
    def law(self) -> Distribution:
        """The distribution."""
        return DISTRIBUTIONS[self.distribution]

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Draws of the parameters as people know them, in the units of the column, each of shape (chain, draw)."""
        return dict(self.law.named(self.draws, self.sample, self.centre, self.scale))

    @property
    def typical(self) -> np.ndarray:
        """Posterior mean of the parameters, shape (1, k)."""
        return self.draws.reshape(-1, self.draws.shape[-1]).mean(axis=0, keepdims=True)

    def draw(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Pick posterior draws of the parameters, shape (n_draws, k)."""
        flat = self.draws.reshape(-1, self.draws.shape[-1])
        return flat[rng.choice(len(flat), n_draws, replace=n_draws > len(flat))]

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Give the normal score of the middle of each recorded value."""
        below, upto = self._cells(values)
        return _score((below + upto) / 2)

    def responses(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Give a normal score at a random place within each recorded value."""
        below, upto = self._cells(values)
        return _score(below + rng.random(len(values)) * (upto - below))

    def drift(self, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shift and stretch of the normal scores under draws of the parameters, each of shape (D,).

        As for the empirical marginal: the regression already carries the uncertainty of location and scale.
        """
        n = len(PLACES)
        drawn = self.quantile(np.tile(PLACES, len(draws)), draws, np.repeat(np.arange(len(draws)), n))
        usual = self.scores(self.quantile(PLACES, self.typical, np.zeros(n, int)))
        scores = self.scores(drawn).reshape(len(draws), n)
        spread = np.maximum(usual.std(), 1e-12)
        return scores.mean(1) - usual.mean(), np.clip(scores.std(1) / spread, 0.1, 10.0)

    def quantile(self, u: np.ndarray, draws: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Invert the distribution functions of draws, kept between the ends."""
        start, end = (self._at(np.array([x]), draws).ravel()[which] for x in (self.low, self.high))
        v = np.clip(start + u * (end - start), 1e-12, 1 - 1e-12)
        standard = self.law.quantile(v, draws, which, self.sample)
        return np.clip(self.centre + self.scale * standard, self.low, self.high)

    def cdf(self, values: np.ndarray, draws: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give P(X < x) and P(X <= x) under draws of the parameters; they differ where x is a possible count."""
        start, end = (self._at(np.array([x]), draws).ravel()[which] for x in (self.low, self.high))
        before = np.ceil(values) - 1 if self.law.discrete else values
        sides = []
        for x in (before, values):
            inside = self.law.cdf((x - self.centre) / self.scale, draws[which], self.sample)
            sides.append(np.clip((inside - start) / np.maximum(end - start, 1e-300), 0.0, 1.0))
        return sides[0], sides[1]

    def describes(self, values: np.ndarray) -> bool:
        """Whether it was made from values with the same number, mean and spread."""
        return len(values) == self.n_rows and np.allclose([values.mean(), values.std()], [self.mean, self.sd])

    def _cells(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distribution function at both ends of the recorded values' cells."""
        half = (self.step or 0.0) / 2
        below, upto = (self._at(values + side * half, self.typical)[0] for side in (-1, 1))
        return below, upto

    def _at(self, values: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """Distribution function at values under each draw, shape (D, n)."""
        return self.law.cdf((values - self.centre) / self.scale, draws[:, None], self.sample)


def misfits(distribution: Distribution, values: np.ndarray, bounds: Bounds) -> tuple[str, str] | None:
    """Say what in a column a distribution cannot have, and why; None where there is nothing.

    Parameters
    ----------
    distribution : Distribution
        Which one.
    values : ndarray, shape (n,)
        Observed values.
    bounds : pair of float or None
        Smallest and largest possible value.
    """
    known = sum(end is not None for end in bounds)
    if known < distribution.needs:
        wanted = "both bounds" if distribution.needs == 2 else "a bound"
        return f"has {('no bounds', 'one bound', '')[known]}", f"a {distribution.title} distribution takes {wanted}"
    if distribution.discrete and (values != np.floor(values)).any():
        return "has values that are not whole", f"a {distribution.title} distribution is one of counts"
    inside, where = np.ones(len(values), bool), ""
    if distribution.least is not None:
        inside = values > distribution.least if distribution.strict else values >= distribution.least
        where = f"{'above' if distribution.strict else 'of at least'} {distribution.least:g}"
    elif distribution.strict:
        inside = (values > bounds[0]) & (values < bounds[1])
        where = f"strictly between the bounds {bounds}"
    if not inside.all():
        count = int((~inside).sum())
        return f"has {count} values that are not {where}", f"a {distribution.title} distribution has only such"
    return None


def _score(u: np.ndarray) -> np.ndarray:
    return ndtri(np.clip(u, EDGE, 1 - EDGE))

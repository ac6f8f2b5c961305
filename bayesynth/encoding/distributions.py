"""Distributions that a numeric column may follow: density, distribution function and quantiles in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import (
    betainc,
    betaincinv,
    betaln,
    expit,
    gammainc,
    gammaincinv,
    gammaln,
    log_ndtr,
    ndtr,
    ndtri,
    stdtr,
    stdtrit,
    xlogy,
)

MAX_VALUES = 2048
FAR = 40.0  # an end of the scale that is not there, in standard deviations
_LOG_ROOT = 0.5 * np.log(2 * np.pi)

Bounds = tuple[float | None, float | None]


@dataclass(frozen=True)
class Sample:
    """What a distribution is told of a column, on its standardised scale.

    Parameters
    ----------
    values : ndarray, shape (K,)
        Distinct values, rising.
    counts : ndarray, shape (K,)
        Rows behind each.
    lower, upper : float
        Ends of the scale; 40 to either side where there is none.
    mean : float
        Of all rows.
    cell : float
        Width of the grid on which values were recorded.
    """

    values: np.ndarray
    counts: np.ndarray
    lower: float
    upper: float
    mean: float
    cell: float

    @classmethod
    def of(
        cls, values: np.ndarray, bounds: Bounds, step: float | None, centre: float, scale: float, most: int = MAX_VALUES
    ) -> Sample:
        """Standardise observed values; beyond `most` distinct ones neighbours share their mean."""
        distinct, counts = np.unique((values - centre) / scale, return_counts=True)
        lower, upper = (
            sign * FAR if end is None else float(np.clip((end - centre) / scale, -FAR, FAR))
            for sign, end in zip((-1, 1), bounds, strict=True)
        )
        cell = step / scale if step else 1e-3
        distinct, counts = thinned(distinct, counts.astype(float), most)
        return cls(distinct, counts, lower, upper, float(np.mean((values - centre) / scale)), cell)


class Distribution:
    r"""A distribution with parameters :math:`\theta` on the whole real line, each with a normal prior of its own.

    Values are standardised, so that equal tables in other units have equal posteriors. Arrays of parameters carry the
    parameters along their last axis; the axes before it broadcast against the values.
    """

    name: str
    title: str
    prior: tuple[tuple[float, float], ...]
    """Mean and standard deviation of each parameter's prior."""
    discrete = False
    keeps_values = False
    most_values = MAX_VALUES
    least: float | None = None
    """Smallest value that has a density."""
    strict = False
    """Whether values lie strictly inside the ends."""
    needs = 0
    """How many of the two bounds must be known."""

    def standard(self, values: np.ndarray, bounds: Bounds) -> tuple[float, float]:
        """Centre and scale of the values, both of which move with their unit."""
        return 0.0, float(values.mean())

    def ends(self, bounds: Bounds) -> Bounds:
        """Give the ends of the scale, of which a distribution with a least value knows one itself."""
        lower, upper = bounds
        return lower if self.least is None else self.least, upper

    def log_prior(self, theta: np.ndarray) -> np.ndarray:
        """Log prior density, shape (...)."""
        mean, sd = np.array(self.prior).T
        return (-0.5 * ((theta - mean) / sd) ** 2 - np.log(sd) - _LOG_ROOT).sum(-1)

    def log_likelihood(self, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of all rows under each draw, shape (s,)."""
        return self.log_density(sample.values, theta[:, None], sample) @ sample.counts

    def quantile(self, u: np.ndarray, theta: np.ndarray, which: np.ndarray, sample: Sample) -> np.ndarray:
        """Invert the distribution function at u, shape (n,), under draw which[i]."""
        return self.inverse(u, theta[which], sample)

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        raise NotImplementedError

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        raise NotImplementedError

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        raise NotImplementedError

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        raise NotImplementedError


class Normal(Distribution):
    """Mean and standard deviation."""

    name, title = "normal", "normal"
    prior = ((0.0, 1.0), (0.0, 1.0))

    def standard(self, values: np.ndarray, bounds: Bounds) -> tuple[float, float]:
        """Centre and scale of the values."""
        return float(values.mean()), float(values.std())

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        return _log_normal_density(y, theta[..., 0], theta[..., 1])

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        return ndtr((y - theta[..., 0]) * np.exp(-theta[..., 1]))

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        return theta[..., 0] + np.exp(theta[..., 1]) * ndtri(u)

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        return {"mean": centre + scale * theta[..., 0], "sd": scale * np.exp(theta[..., 1])}


class LogNormal(Distribution):
    """Median and standard deviation of the logarithm."""

    name, title = "log_normal", "log-normal"
    prior = ((0.0, 1.0), (0.0, 1.0))
    least, strict = 0.0, True

    def standard(self, values: np.ndarray, bounds: Bounds) -> tuple[float, float]:
        """Centre and scale of the values."""
        return 0.0, float(np.exp(np.log(values).mean()))

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        return _log_normal_density(np.log(y), theta[..., 0], theta[..., 1]) - np.log(y)

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        return ndtr((np.log(np.maximum(y, 1e-300)) - theta[..., 0]) * np.exp(-theta[..., 1]))

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        return np.exp(theta[..., 0] + np.exp(theta[..., 1]) * ndtri(u))

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        return {"median": scale * np.exp(theta[..., 0]), "sd_of_log": np.exp(theta[..., 1])}


class StudentT(Distribution):
    """Location, scale and degrees of freedom."""

    name, title = "student_t", "Student t"
    prior = ((0.0, 1.0), (0.0, 1.0), (2.5, 1.0))

    def standard(self, values: np.ndarray, bounds: Bounds) -> tuple[float, float]:
        """Centre and scale of the values."""
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        return float(middle), float((high - low) / 1.349 or values.std())

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        df = np.exp(theta[..., 2])
        z = (y - theta[..., 0]) * np.exp(-theta[..., 1])
        constant = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(np.pi * df) - theta[..., 1]
        return constant - (df + 1) / 2 * np.log1p(z**2 / df)

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        return stdtr(np.exp(theta[..., 2]), (y - theta[..., 0]) * np.exp(-theta[..., 1]))

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        return theta[..., 0] + np.exp(theta[..., 1]) * stdtrit(np.exp(theta[..., 2]), u)

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        location = centre + scale * theta[..., 0]
        return {"location": location, "scale": scale * np.exp(theta[..., 1]), "df": np.exp(theta[..., 2])}


class Gamma(Distribution):
    """Shape and scale; sampled as the logarithms of mean and shape, which hardly depend on each other."""

    name, title = "gamma", "gamma"
    prior = ((0.0, 1.0), (0.0, 2.0))
    least, strict = 0.0, True

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        shape, rate = _shape_and_rate(theta)
        return shape * np.log(rate) - gammaln(shape) + xlogy(shape - 1, y) - rate * y

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        shape, rate = _shape_and_rate(theta)
        return gammainc(shape, rate * np.maximum(y, 0.0))

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        shape, rate = _shape_and_rate(theta)
        return gammaincinv(shape, u) / rate

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        shape, rate = _shape_and_rate(theta)
        return {"shape": shape, "scale": scale / rate}


class Exponential(Distribution):
    """Mean."""

    name, title = "exponential", "exponential"
    prior = ((0.0, 1.0),)
    least = 0.0

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        return -theta[..., 0] - y * np.exp(-theta[..., 0])

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        return -np.expm1(-np.maximum(y, 0.0) * np.exp(-theta[..., 0]))

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        return -np.log1p(-u) * np.exp(theta[..., 0])

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        return {"mean": scale * np.exp(theta[..., 0])}


class Beta(Distribution):
    """Both exponents, on the scale between the bounds; sampled as logit of the mean and logarithm of their sum."""

    name, title = "beta", "beta"
    prior = ((0.0, 1.5), (1.0, 2.0))
    strict, needs = True, 2

    def standard(self, values: np.ndarray, bounds: Bounds) -> tuple[float, float]:
        """Centre and scale of the values."""
        return bounds[0], bounds[1] - bounds[0]

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        a, b = _exponents(theta)
        return xlogy(a - 1, y) + (b - 1) * np.log1p(-y) - betaln(a, b)

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        return betainc(*_exponents(theta), np.clip(y, 0.0, 1.0))

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        return betaincinv(*_exponents(theta), u)

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        return dict(zip(("alpha", "beta"), _exponents(theta), strict=True))


class TruncatedNormal(Normal):
    """Mean and standard deviation of the normal distribution before it is cut off at the bounds."""

    name, title = "truncated_normal", "truncated normal"
    prior = ((0.0, 2.0), (0.0, 1.0))
    needs = 1

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        low, high = self._ends(theta, sample)
        flip = low > 0  # the difference is taken where it is not one of two numbers close to 1
        a, b = np.where(flip, -high, low), np.where(flip, -low, high)
        total = log_ndtr(b) + np.log1p(-np.exp(np.minimum(log_ndtr(a) - log_ndtr(b), -1e-16)))
        return super().log_density(y, theta, sample) - total

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        low, high = self._ends(theta, sample)
        z = np.clip((y - theta[..., 0]) * np.exp(-theta[..., 1]), low, high)
        flip = np.where(low > 0, -1.0, 1.0)
        return (ndtr(flip * z) - ndtr(flip * low)) / (ndtr(flip * high) - ndtr(flip * low))

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        low, high = self._ends(theta, sample)
        flip = np.where(low > 0, -1.0, 1.0)
        start = ndtr(flip * low)
        return theta[..., 0] + np.exp(theta[..., 1]) * flip * ndtri(start + u * (ndtr(flip * high) - start))

    @staticmethod
    def _ends(theta: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
        inverse = np.exp(-theta[..., 1])
        return (sample.lower - theta[..., 0]) * inverse, (sample.upper - theta[..., 0]) * inverse


class Uniform(Distribution):
    """Both ends; their distances from the extremes have exponential priors, in units of the range."""

    name, title = "uniform", "uniform"
    prior = ((0.0, 1.0), (0.0, 1.0))

    def standard(self, values: np.ndarray, bounds: Bounds) -> tuple[float, float]:
        """Centre and scale of the values."""
        return float(values.min()), float(np.ptp(values))

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        low, high = self._ends(theta)
        return np.where((y >= low) & (y <= high), -np.log(high - low), -np.inf)

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        low, high = self._ends(theta)
        return np.clip((y - low) / (high - low), 0.0, 1.0)

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Quantiles on the standardised scale."""
        low, high = self._ends(theta)
        return low + u * (high - low)

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        return {name: centre + scale * end for name, end in zip(("lower", "upper"), self._ends(theta), strict=True)}

    @staticmethod
    def _ends(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # A normal theta makes -log(Phi(-theta)) exponential.
        return log_ndtr(-theta[..., 0]), 1.0 - log_ndtr(-theta[..., 1])


def thinned(values: np.ndarray, counts: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Let neighbours share their mean where there are more distinct values than that; the outer half stays as it is."""
    edge = most // 4
    if len(values) <= most:
        return values, counts
    inner, weight = values[edge:-edge], counts[edge:-edge]
    groups = most - 2 * edge
    owner = ((np.cumsum(weight) - weight / 2) / weight.sum() * groups).astype(int)
    shared = np.bincount(owner, weights=weight, minlength=groups)
    held = shared > 0
    middle = np.bincount(owner, weights=weight * inner, minlength=groups)[held] / shared[held]
    return np.r_[values[:edge], middle, values[-edge:]], np.r_[counts[:edge], shared[held], counts[-edge:]]


def _log_normal_density(y: np.ndarray, mean: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
    return -0.5 * ((y - mean) * np.exp(-log_sd)) ** 2 - log_sd - _LOG_ROOT


def _shape_and_rate(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shape = np.exp(theta[..., 1])
    return shape, shape * np.exp(-theta[..., 0])


def _exponents(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    total = np.exp(theta[..., 1])
    return expit(theta[..., 0]) * total, expit(-theta[..., 0]) * total

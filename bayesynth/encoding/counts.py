"""Distributions of counts, and the kernel density, which keeps the values that it was made from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import betainc, gammaincc, gammaln, ndtr, xlogy

from bayesynth.encoding.distributions import FAR, Bounds, Distribution, Sample

KERNEL_KNOTS, KERNEL_GRID = 128, 193
FLOOR = 1e-10  # keeps the left-out density of an outlier above 0


class Counts(Distribution):
    """A distribution of whole numbers from 0, whose quantiles are found by bisection."""

    discrete, least = True, 0.0

    def standard(self, values: np.ndarray, bounds: Bounds) -> tuple[float, float]:
        """Centre and scale of the values."""
        return 0.0, 1.0

    def inverse(self, u: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Smallest whole number with a distribution function of at least u."""
        low, high = np.full(np.shape(u), -1.0), np.full(np.shape(u), 2.0 ** np.ceil(np.log2(sample.mean + 2)))
        while (short := self.cdf(high, theta, sample) < u).any():
            low, high = np.where(short, high, low), np.where(short, 2 * high, high)
        while (high - low > 1).any():
            middle = np.floor((low + high) / 2)
            enough = self.cdf(middle, theta, sample) >= u
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high


class Poisson(Counts):
    """Mean."""

    name, title = "poisson", "Poisson"
    prior = ((0.0, 1.0),)

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        mean = sample.mean * np.exp(theta[..., 0])
        return xlogy(y, mean) - mean - gammaln(y + 1)

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        return _poisson_cdf(np.floor(y), sample.mean * np.exp(theta[..., 0]))

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        return {"mean": sample.mean * np.exp(theta[..., 0])}


class NegativeBinomial(Counts):
    """Mean and size; the variance is mean + mean² / size."""

    name, title = "negative_binomial", "negative binomial"
    prior = ((0.0, 1.0), (0.0, 2.0))

    def log_density(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of standardised values."""
        mean, size = self._natural(theta, sample)
        ways = gammaln(y + size) - gammaln(size) - gammaln(y + 1)
        return ways - size * np.log1p(mean / size) - xlogy(y, 1 + size / mean)

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        mean, size = self._natural(theta, sample)
        k = np.floor(y)
        return np.where(k < 0, 0.0, betainc(size, np.maximum(k, 0.0) + 1, size / (size + mean)))

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        return dict(zip(("mean", "size"), self._natural(theta, sample), strict=True))

    @staticmethod
    def _natural(theta: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
        return sample.mean * np.exp(theta[..., 0]), np.exp(theta[..., 1])


class Kernel(Distribution):
    """Normal kernels around the values, reflected at the ends; the bandwidth is learned from left-out rows."""

    name, title = "kernel", "kernel density"
    prior = ((0.0, 1.0),)
    keeps_values = True
    most_values = KERNEL_KNOTS

    def standard(self, values: np.ndarray, bounds: Bounds) -> tuple[float, float]:
        """Centre and scale of the values."""
        return float(values.mean()), float(values.std())

    def log_likelihood(self, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Log density of each row under the kernels of all rows with other values, widened by the grid, shape (s,)."""
        weights = sample.counts * (1 - np.eye(len(sample.counts))) / (sample.counts.sum() - sample.counts)[:, None]
        found = np.empty(len(theta))
        for i, h in enumerate(np.sqrt(self.bandwidth(theta, sample) ** 2 + sample.cell**2 / 12)):
            away = [sample.values[:, None] - centres for centres in _reflected(sample)]
            heights = sum(np.exp(-0.5 * (a / h) ** 2) for a in away) / (h * np.sqrt(2 * np.pi))
            found[i] = np.log((weights * heights).sum(1) + FLOOR) @ sample.counts
        return found

    def cdf(self, y: np.ndarray, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Distribution function at standardised values."""
        h, shares = self.bandwidth(theta, sample)[..., None], sample.counts / sample.counts.sum()
        inside = np.clip(y, sample.lower, sample.upper)
        return sum(
            (ndtr((np.asarray(inside)[..., None] - c) / h) - ndtr((sample.lower - c) / h)) @ shares
            for c in _reflected(sample)
        )

    def quantile(self, u: np.ndarray, theta: np.ndarray, which: np.ndarray, sample: Sample) -> np.ndarray:
        """Invert by a table of the distribution function of each draw that is asked for."""
        used, place = np.unique(which, return_inverse=True)
        reach = 5 * self.bandwidth(theta[used], sample).max()
        low, high = max(sample.values[0] - reach, sample.lower), min(sample.values[-1] + reach, sample.upper)
        grid = np.linspace(low, high, KERNEL_GRID)
        found = np.empty(len(u))
        for i, draw in enumerate(used):
            mine = place == i
            found[mine] = np.interp(u[mine], self.cdf(grid, theta[draw], sample), grid)
        return found

    def named(self, theta: np.ndarray, sample: Sample, centre: float, scale: float) -> Mapping[str, np.ndarray]:
        """Parameters as people know them, in the units of the column."""
        return {"bandwidth": scale * self.bandwidth(theta, sample)}

    @staticmethod
    def rule(sample: Sample) -> float:
        """Bandwidth by Silverman's rule of thumb, in the middle of the prior."""
        return 0.9 * sample.counts.sum() ** -0.2

    def bandwidth(self, theta: np.ndarray, sample: Sample) -> np.ndarray:
        """Bandwidth on the standardised scale."""
        return self.rule(sample) * np.exp(theta[..., 0])


def _reflected(sample: Sample) -> list[np.ndarray]:
    """Give the centres, and their mirror images at those ends that are near enough to matter."""
    near = [end for end in (sample.lower, sample.upper) if abs(end) < FAR]
    return [sample.values, *(2 * end - sample.values for end in near)]


def _poisson_cdf(k: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Distribution function of a Poisson variable at whole numbers."""
    return np.where(k < 0, 0.0, gammaincc(np.maximum(k, 0.0) + 1, mean))

"""How one simulated column comes about: a small law per kind, drawn at random, that a predictor shifts.

A predictor is an array (rows, width), zero where a column has no parents; width is the number of levels for a
categorical column and 1 for every other. Values travel as float arrays: codes 0, 1, ... for levels, else the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LARGEST_LOG_MEAN = np.log(1e6)


class Law(Protocol):
    """What the simulator needs to know of a column."""

    kind: ClassVar[str]
    levels: ClassVar[tuple[str, ...]]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Draw a law of this kind."""
        ...

    def direction(self, rng: np.random.Generator) -> Floats:
        """Draw the direction (width,) of a parent's influence, scaled to a Fisher information of 1 per row."""
        ...

    def draw(self, predictor: Floats, rng: np.random.Generator) -> Floats:
        """Draw one value per row (rows,)."""
        ...

    def score(self, values: Floats) -> Floats:
        """Map values to the number (rows,) that acts on children, before it is standardised."""
        ...

    def to_series(self, values: Floats, blank: Mask | None) -> pd.Series:
        """Turn values into a column of the table; None says that the column never has blanks."""
        ...


class _Levels:
    """What the kinds with levels share."""

    levels: ClassVar[tuple[str, ...]]
    ordered: ClassVar[bool] = False

    def score(self, values: Floats) -> Floats:
        return values

    def to_series(self, values: Floats, blank: Mask | None) -> pd.Series:
        codes = values.astype(np.int64)
        if blank is not None:
            codes = np.where(blank, -1, codes)
        return pd.Series(pd.Categorical.from_codes(codes, categories=list(self.levels), ordered=self.ordered))


@dataclass(frozen=True)
class BinaryLaw(_Levels):
    """Logistic regression around a base probability of ``yes``."""

    kind: ClassVar[str] = "binary"
    levels: ClassVar[tuple[str, ...]] = ("no", "yes")
    probability: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Draw a base probability from 0.25 to 0.75."""
        return cls(rng.uniform(0.25, 0.75))

    def direction(self, rng: np.random.Generator) -> Floats:
        """Draw a sign; the information of log odds is p(1 - p)."""
        return _signed(rng, self.probability * (1 - self.probability))

    def draw(self, predictor: Floats, rng: np.random.Generator) -> Floats:
        """Say yes where a logistic latent exceeds zero."""
        latent = logit(self.probability) + predictor[:, 0] + rng.logistic(size=len(predictor))
        return (latent > 0).astype(float)


@dataclass(frozen=True)
class CategoricalLaw(_Levels):
    """Multinomial logit around base probabilities."""

    kind: ClassVar[str] = "categorical"
    levels: ClassVar[tuple[str, ...]] = ("a", "b", "c")
    probabilities: tuple[float, ...]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Draw base probabilities around one third each."""
        return cls(_probabilities(rng, len(cls.levels)))

    def direction(self, rng: np.random.Generator) -> Floats:
        """Draw a contrast w of the levels with information var(w) = 1 under the base probabilities."""
        p = np.array(self.probabilities)
        weights = rng.normal(size=len(p))
        weights -= weights.mean()
        return weights / np.sqrt(p @ weights**2 - (p @ weights) ** 2)

    def draw(self, predictor: Floats, rng: np.random.Generator) -> Floats:
        """Choose the level of the largest utility, by the Gumbel trick."""
        utility = np.log(self.probabilities) + predictor + rng.gumbel(size=(len(predictor), len(self.levels)))
        return utility.argmax(axis=1).astype(float)


@dataclass(frozen=True)
class OrdinalLaw(_Levels):
    """Cumulative logit: one predictor moves all cut points [McCullagh1980]_."""

    kind: ClassVar[str] = "ordinal"
    levels: ClassVar[tuple[str, ...]] = ("absent", "mild", "moderate", "severe")
    ordered: ClassVar[bool] = True
    probabilities: tuple[float, ...]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Draw base probabilities around one quarter each."""
        return cls(_probabilities(rng, len(cls.levels)))

    def direction(self, rng: np.random.Generator) -> Floats:
        """Draw a sign; the information of a shift is (1 - sum p^3) / 3."""
        return _signed(rng, (1 - sum(p**3 for p in self.probabilities)) / 3)

    def draw(self, predictor: Floats, rng: np.random.Generator) -> Floats:
        """Cut a logistic latent at the cumulative log odds."""
        cuts = logit(np.cumsum(self.probabilities)[:-1])
        latent = predictor[:, 0] + rng.logistic(size=len(predictor))
        return np.searchsorted(cuts, latent).astype(float)


@dataclass(frozen=True)
class NormalLaw:
    """Gaussian regression on the column's own scale and decimal grid; ``scale`` is the residual standard deviation."""

    kind: ClassVar[str] = "continuous"
    levels: ClassVar[tuple[str, ...]] = ()
    location: float
    scale: float
    decimals: int

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Draw a scale between 0.3 and 100, a location of 3 to 8 scales, and a decimal grid that fits."""
        scale = 10 ** rng.uniform(-0.5, 2.0)
        return cls(scale * rng.uniform(3, 8), scale, _decimals(scale, 1))

    def direction(self, rng: np.random.Generator) -> Floats:
        """Draw a sign; the information of a standardised mean is 1."""
        return _signed(rng, 1.0)

    def draw(self, predictor: Floats, rng: np.random.Generator) -> Floats:
        """Add Gaussian noise, move to the column's scale and round."""
        latent = predictor[:, 0] + rng.normal(size=len(predictor))
        return np.round(self.location + self.scale * latent, self.decimals)

    def score(self, values: Floats) -> Floats:
        """Give the distance from the location, in residual standard deviations."""
        return (values - self.location) / self.scale

    def to_series(self, values: Floats, blank: Mask | None) -> pd.Series:
        """Make a float64 column."""
        return pd.Series(values if blank is None else np.where(blank, np.nan, values))


@dataclass(frozen=True)
class LogNormalLaw(NormalLaw):
    """Gaussian regression of the logarithm; ``location`` and ``scale`` are those of the logarithm."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Draw a median between 1 and 150 and a spread of the logarithm between 0.3 and 0.7."""
        location = rng.uniform(0.0, 5.0)
        return cls(location, rng.uniform(0.3, 0.7), _decimals(np.exp(location), 2))

    def draw(self, predictor: Floats, rng: np.random.Generator) -> Floats:
        """Draw as a Gaussian, take the exponential and round; never below one step of the grid."""
        latent = predictor[:, 0] + rng.normal(size=len(predictor))
        values = np.round(np.exp(self.location + self.scale * latent), self.decimals)
        return np.maximum(values, 10.0**-self.decimals)

    def score(self, values: Floats) -> Floats:
        """Give the distance of the logarithm from its location, in residual standard deviations."""
        return (np.log(values) - self.location) / self.scale


@dataclass(frozen=True)
class CountLaw:
    """Poisson regression around a base mean; the mean is capped at a million."""

    kind: ClassVar[str] = "count"
    levels: ClassVar[tuple[str, ...]] = ()
    mean: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Self:
        """Draw a base mean from 2 to 12."""
        return cls(rng.uniform(2, 12))

    def direction(self, rng: np.random.Generator) -> Floats:
        """Draw a sign; the information of a log mean is the mean."""
        return _signed(rng, self.mean)

    def draw(self, predictor: Floats, rng: np.random.Generator) -> Floats:
        """Draw from a Poisson distribution."""
        log_mean = np.minimum(np.log(self.mean) + predictor[:, 0], _LARGEST_LOG_MEAN)
        return rng.poisson(np.exp(log_mean)).astype(float)

    def score(self, values: Floats) -> Floats:
        """Give log(1 + count)."""
        return np.log1p(values)

    def to_series(self, values: Floats, blank: Mask | None) -> pd.Series:
        """Make an int64 column, or a nullable Int64 one."""
        whole = values.astype(np.int64)
        return pd.Series(whole if blank is None else pd.arrays.IntegerArray(whole, blank))


LAWS: dict[str, tuple[type[Law], ...]] = {
    "binary": (BinaryLaw,),
    "categorical": (CategoricalLaw,),
    "ordinal": (OrdinalLaw,),
    "continuous": (NormalLaw, LogNormalLaw),
    "count": (CountLaw,),
}
"""The laws of each kind; the columns of a kind take them in turn."""


def logit(probability: Floats | float) -> Floats:
    """Log odds of a probability, elementwise."""
    return np.log(probability) - np.log1p(-np.asarray(probability))


def _probabilities(rng: np.random.Generator, n_levels: int) -> tuple[float, ...]:
    return tuple(float(p) for p in rng.dirichlet(np.full(n_levels, 8.0)))


def _signed(rng: np.random.Generator, information: float) -> Floats:
    return rng.choice([-1.0, 1.0], size=1) / np.sqrt(information)


def _decimals(magnitude: float, extra: int) -> int:
    return max(0, extra - int(np.floor(np.log10(magnitude))))

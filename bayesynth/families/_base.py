"""What every node family offers, and the prior that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bayesynth.errors import InputError, Problem
from bayesynth.families._newton import Modes

if TYPE_CHECKING:
    import pymc as pm

Parameters = Mapping[str, np.ndarray]
"""Named parameters; draws, where there are any, run along the first axis."""


@dataclass(frozen=True)
class Prior:
    r"""Prior of every family.

    A slope on a standardised feature is normal with variance :math:`\tau^2 / I_0`, :math:`I_0` being the Fisher
    information that one row carries about the linear predictor when no feature matters (1 for a Gaussian node, in units
    of its residual variance; :math:`p(1-p)` for a binary one). Equal evidence is then needed for an edge whichever of
    its ends is the child.

    Parameters
    ----------
    tau : float
        Prior standard deviation of a slope on that common scale.
    intercept_sd : float
        Prior standard deviation of intercepts and cut points.
    variance_shape, variance_scale : float
        Inverse-gamma prior of a residual variance (of a normal score, so about 1 without parents).
    """

    tau: float = 0.5
    intercept_sd: float = 5.0
    variance_shape: float = 1.0
    variance_scale: float = 0.5

    def __post_init__(self) -> None:
        for name in ("tau", "intercept_sd", "variance_shape", "variance_scale"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and np.isfinite(value) and value > 0):
                raise InputError(
                    Problem(
                        f"Prior({name}={value!r})",
                        "a scale of the prior is a positive finite number",
                        f"leave {name} out to keep its default",
                    )
                )


@dataclass(frozen=True)
class Task:
    """One family's data: a response, centred features without an intercept, and the number of levels.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Codes from 0, or normal scores.
    X : ndarray, shape (n, q)
        Centred features.
    n_levels : int
        Levels of the response; 0 for a normal score.
    n_scale : int
        Columns of X that act on the log of the residual variance, after those of the location.
    n_groups : int
        Last columns of X, the largest of which tells the group whose residual shape a row follows.
    """

    y: np.ndarray
    X: np.ndarray
    n_levels: int
    n_scale: int = 0
    n_groups: int = 0

    @property
    def ungrouped(self) -> np.ndarray:
        """Columns of location and scale, shape (n, q + n_scale)."""
        return self.X[:, : self.X.shape[1] - self.n_groups]

    @property
    def location(self) -> np.ndarray:
        """Columns of the location, shape (n, q)."""
        return self.ungrouped[:, : self.ungrouped.shape[1] - self.n_scale]

    @property
    def scale(self) -> np.ndarray:
        """Columns of the log of the residual variance, shape (n, n_scale)."""
        return self.ungrouped[:, self.ungrouped.shape[1] - self.n_scale :]

    @property
    def groups(self) -> np.ndarray:
        """Group of each row, shape (n,)."""
        return group_of(self.X[:, self.X.shape[1] - self.n_groups :])


def group_of(columns: np.ndarray) -> np.ndarray:
    """Tell the group of each row from one column per group, centred or not: a row's own is its largest."""
    return columns.argmax(axis=1)


@dataclass(frozen=True)
class Working:
    """A quadratic view of a log likelihood around a mode, for screening what could be added.

    Parameters
    ----------
    residuals : ndarray, shape (n, m)
        Slope in each of a row's m linear predictors.
    weights : ndarray, shape (n, m)
        Negative curvature.
    """

    residuals: np.ndarray
    weights: np.ndarray


class Family(Protocol):
    """A conditional distribution: density and draws in NumPy, evidence in bulk, and the same model in PyMC."""

    name: str

    def null_information(self, y: np.ndarray, n_levels: int) -> float:
        """Fisher information per row about the linear predictor when no feature matters."""

    def evidence(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> np.ndarray:
        """Log marginal likelihoods, shape (b,), of designs X of shape (b, n, q); columns of zeros change nothing."""

    def modes(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> Modes:
        """Posterior modes of designs X of shape (b, n, q), on the scale of `flatten`."""

    def working(self, theta: np.ndarray, y: np.ndarray, X: np.ndarray, n_levels: int) -> Working:
        """Quadratic view of the log likelihood at a mode on the scale of `modes`."""

    def slopes_of(self, theta: np.ndarray, n_levels: int) -> np.ndarray:
        """Slopes in a mode on the scale of `modes`, in the units of `working`, shape (q, m)."""

    def log_likelihood(self, parameters: Parameters, y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Log density of each row under each draw, shape (s, n)."""

    def log_prior(self, parameters: Parameters, slope_sd: float, prior: Prior) -> np.ndarray:
        """Log prior density of each draw, shape (s,)."""

    def log_jacobian(self, flat: np.ndarray, task: Task) -> np.ndarray:
        """Log volume of the named parameters per unit of PyMC's unconstrained ones, shape (s,)."""

    def approximate(
        self, task: Task, prior: Prior, n_draws: int, rng: np.random.Generator, df: float = np.inf
    ) -> Approximation:
        """Independent draws from the Laplace approximation, or from the exact posterior where it is closed.

        With finite degrees of freedom they are from a t in the place of the normal, and all have importance ratios.
        """

    def draw(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Invert the distribution function at u, in (0, 1), for each row of X, shape (n, q), under draw which[i]."""

    def log_density(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log density of each row's response, shape (n,), under draw which[i]."""

    def interval(
        self, parameters: Parameters, which: np.ndarray, X: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """P(y <= lower) and P(lower < y <= upper) of each row under draw which[i]; all of shape (n, J)."""

    def model(self, task: Task, prior: Prior) -> pm.Model:
        """Write the family as a PyMC model whose data can be replaced."""

    def data(self, task: Task, prior: Prior) -> dict[str, np.ndarray]:
        """Give the values of the model's data containers for another task of the same family."""

    def shapes(self, task: Task) -> list[tuple[int, ...]]:
        """Shapes of the model's unconstrained variables, in the order in which `constrain` takes them."""

    def constrain(self, flat: np.ndarray, task: Task) -> dict[str, np.ndarray]:
        """Turn draws on PyMC's unconstrained scale, shape (..., d), into named parameters."""

    def peak(self, task: Task, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mode, shape (d,), and precision there, shape (d, d), on PyMC's unconstrained scale."""


@dataclass(frozen=True)
class Approximation:
    """Draws from an approximate posterior with their importance ratios.

    Parameters
    ----------
    parameters : mapping of str to ndarray
        Named parameters, draws first.
    log_ratios : ndarray, shape (r,) or None
        Log of exact over approximate density of the first r draws, up to a constant; None where the draws are exact.
    """

    parameters: Parameters
    log_ratios: np.ndarray | None


def linear(parameters: Parameters, which: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Slopes applied to rows, each under its own draw: shape (n,), or (n, K - 1) for slopes of shape (s, q, K - 1)."""
    slopes = parameters["slopes"]
    if slopes.ndim == 3:
        return np.einsum("nq,nqk->nk", X, slopes[which])
    if len(slopes) == 1:
        return X @ slopes[0]
    return np.einsum("nq,nq->n", X, slopes[which])


def codes_between(cumulative: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(y <= lower) and P(lower < y <= upper), shape (n, J), from P(y <= k) for all codes but the last, (n, K - 1)."""
    n, m = cumulative.shape
    steps = np.concatenate([np.zeros((n, 1)), cumulative, np.ones((n, 1))], axis=1)
    below, above = (
        np.take_along_axis(steps, np.clip(np.floor(end) + 1, 0, m + 1).astype(int), axis=1) for end in (lower, upper)
    )
    return below, np.maximum(above - below, 0.0)


def normal_log_density(x: np.ndarray, sd: np.ndarray | float) -> np.ndarray:
    """Log density of a normal with mean 0."""
    return -0.5 * np.log(2 * np.pi) - np.log(sd) - 0.5 * (x / sd) ** 2

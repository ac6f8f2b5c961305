"""Logistic regression: two-level columns and missingness indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from bayesynth.families._base import (
    Approximation,
    Parameters,
    Prior,
    Task,
    Working,
    codes_between,
    linear,
    normal_log_density,
)
from bayesynth.families._laplace import approximate_by_modes
from bayesynth.families._newton import Modes, find_modes

if TYPE_CHECKING:
    import pymc as pm


class Binary:
    r"""Bernoulli with a logit link: :math:`\mathrm{logit}\,P(y = 1 \mid x) = \beta_0 + x'\beta`."""

    name = "binary"

    def null_information(self, y: np.ndarray, n_levels: int = 2) -> float:
        """Information per row, p(1 - p), with the rate kept off 0 and 1 by half a row."""
        p = (y.sum() + 0.5) / (len(y) + 1.0)
        return float(p * (1 - p))

    def evidence(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> np.ndarray:
        """Log marginal likelihoods by Laplace's method, shape (b,)."""
        return self.modes(y, X, n_levels, prior).log_evidence()

    def modes(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> Modes:
        """Posterior modes of (intercept, slopes)."""
        b, n, q = X.shape
        design = np.concatenate([np.ones((b, n, 1)), X], axis=2)
        sd = self._sd(y, q, prior)

        def derivatives(theta: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            D, t = design[which], theta[which]
            eta = (D @ t[:, :, None])[:, :, 0]
            p = expit(eta)
            value = (y * eta - np.logaddexp(0, eta)).sum(1) + normal_log_density(t, sd).sum(1)
            gradient = ((y - p)[:, None, :] @ D)[:, 0] - t / sd**2
            precision = D.transpose(0, 2, 1) @ (D * (p * (1 - p))[:, :, None])
            return value, gradient, precision + np.diag(sd**-2.0)

        start = np.zeros((b, q + 1))
        rate = (y.sum() + 0.5) / (n + 1.0)
        start[:, 0] = np.log(rate / (1 - rate))
        return find_modes(start, derivatives)

    def working(self, theta: np.ndarray, y: np.ndarray, X: np.ndarray, n_levels: int) -> Working:
        """Slope and curvature of the log likelihood in each row's linear predictor."""
        p = expit(theta[0] + X @ theta[1:])
        return Working((y - p)[:, None], (p * (1 - p))[:, None])

    def slopes_of(self, theta: np.ndarray, n_levels: int) -> np.ndarray:
        """Slopes in a mode, shape (q, m)."""
        return theta[1:, None]

    def log_likelihood(self, parameters: Parameters, y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Log probability of each row under each draw, shape (s, n)."""
        eta = parameters["intercept"][:, None] + parameters["slopes"] @ X.T
        return y * eta - np.logaddexp(0, eta)

    def log_prior(self, parameters: Parameters, slope_sd: float, prior: Prior) -> np.ndarray:
        """Log prior density of each draw, shape (s,)."""
        slopes = normal_log_density(parameters["slopes"], slope_sd).sum(1)
        return normal_log_density(parameters["intercept"], prior.intercept_sd) + slopes

    def approximate(
        self, task: Task, prior: Prior, n_draws: int, rng: np.random.Generator, df: float = np.inf
    ) -> Approximation:
        """Draw from the Laplace approximation, or a t in its place."""
        return approximate_by_modes(self, task, prior, n_draws, rng, df)

    def draw(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, u: np.ndarray) -> np.ndarray:
        """One 0 or 1 for each row of X, shape (n,)."""
        eta = parameters["intercept"][which] + linear(parameters, which, X)
        return (u > expit(-eta)).astype(float)

    def log_density(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log probability of each row's code, shape (n,)."""
        eta = parameters["intercept"][which] + linear(parameters, which, X)
        return y * eta - np.logaddexp(0, eta)

    def interval(
        self, parameters: Parameters, which: np.ndarray, X: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities below and inside intervals of codes, shape (n, J)."""
        eta = parameters["intercept"][which] + linear(parameters, which, X)
        return codes_between(expit(-eta)[:, None], lower, upper)

    def model(self, task: Task, prior: Prior) -> pm.Model:
        """Write the family as a PyMC model."""
        import pymc as pm

        with pm.Model() as model:
            data = {name: pm.Data(name, value) for name, value in self.data(task, prior).items()}
            beta = pm.Normal("beta", 0.0, data["beta_sd"])
            pm.Bernoulli("response", logit_p=data["design"] @ beta, observed=data["y"])
        return model

    def data(self, task: Task, prior: Prior) -> dict[str, np.ndarray]:
        """Give the values of the model's data containers."""
        return {
            "y": task.y.astype(float),
            "design": np.column_stack([np.ones(len(task.y)), task.X]),
            "beta_sd": self._sd(task.y, task.X.shape[1], prior),
        }

    def shapes(self, task: Task) -> list[tuple[int, ...]]:
        """Shapes of the model's unconstrained variables, in the order in which `constrain` takes them."""
        return [(1 + task.X.shape[1],)]

    def constrain(self, flat: np.ndarray, task: Task) -> dict[str, np.ndarray]:
        """Turn (intercept, slopes) into named parameters."""
        return {"intercept": flat[..., 0], "slopes": flat[..., 1:]}

    def peak(self, task: Task, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
        """Mode and precision of (intercept, slopes)."""
        modes = self.modes(task.y, task.X[None], task.n_levels, prior)
        return modes.theta[0], modes.precision[0]

    def log_jacobian(self, flat: np.ndarray, task: Task) -> np.ndarray:
        """Return zeros: the parameters are unconstrained."""
        return np.zeros(len(flat))

    def _sd(self, y: np.ndarray, q: int, prior: Prior) -> np.ndarray:
        return np.r_[prior.intercept_sd, np.full(q, prior.tau / np.sqrt(self.null_information(y)))]

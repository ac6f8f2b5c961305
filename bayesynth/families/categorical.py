"""Multinomial logit: columns with three or more unordered levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_softmax, softmax

from bayesynth.encoding.features import contrasts
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
    import pytensor.tensor as pt


class Categorical:
    r"""Softmax of :math:`C (\beta_0 + B'x)`, C an orthonormal basis of the vectors that sum to zero.

    No level is the reference, so relabelling the levels changes nothing.
    """

    name = "categorical"

    def null_information(self, y: np.ndarray, n_levels: int) -> float:
        """Mean over contrasts of the information per row: (1 - sum of squared rates) / (K - 1)."""
        rates = (np.bincount(y.astype(int), minlength=n_levels) + 0.5) / (len(y) + 0.5 * n_levels)
        return float((1 - np.sum(rates**2)) / (n_levels - 1))

    def evidence(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> np.ndarray:
        """Log marginal likelihoods by Laplace's method, shape (b,)."""
        return self.modes(y, X, n_levels, prior).log_evidence()

    def modes(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> Modes:
        """Posterior modes of the (1 + q, K - 1) matrix of intercepts and slopes, row by row."""
        b, n, q = X.shape
        basis, m = contrasts(n_levels), n_levels - 1
        design = np.concatenate([np.ones((b, n, 1)), X], axis=2)
        sd = np.repeat(self._sd(y, q, n_levels, prior), m)
        codes = y.astype(int)
        truth = basis[codes]

        def derivatives(theta: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            D, t = design[which], theta[which]
            eta = (D @ t.reshape(len(t), q + 1, m)) @ basis.T
            log_p = log_softmax(eta, axis=2)
            p = np.exp(log_p)
            value = log_p[:, np.arange(n), codes].sum(1) + normal_log_density(t, sd).sum(1)
            mean = p @ basis
            gradient = (D.transpose(0, 2, 1) @ (truth - mean)).reshape(len(t), -1) - t / sd**2
            precision = np.empty((len(t), q + 1, m, q + 1, m))
            for i in range(m):
                for j in range(i + 1):
                    weight = p @ (basis[:, i] * basis[:, j]) - mean[:, :, i] * mean[:, :, j]
                    block = D.transpose(0, 2, 1) @ (D * weight[:, :, None])
                    precision[:, :, i, :, j] = block
                    precision[:, :, j, :, i] = block
            return value, gradient, precision.reshape(len(t), len(sd), len(sd)) + np.diag(sd**-2.0)

        start = np.zeros((b, q + 1, m))
        rates = (np.bincount(codes, minlength=n_levels) + 0.5) / (n + 0.5 * n_levels)
        start[:, 0] = np.log(rates) @ basis
        return find_modes(start.reshape(b, -1), derivatives)

    def working(self, theta: np.ndarray, y: np.ndarray, X: np.ndarray, n_levels: int) -> Working:
        """Slope and curvature of the log likelihood in each row's linear predictors, contrasts taken as unrelated."""
        basis = contrasts(n_levels)
        matrix = theta.reshape(-1, n_levels - 1)
        p = softmax((matrix[0] + X @ matrix[1:]) @ basis.T, axis=1)
        mean = p @ basis
        return Working(basis[y.astype(int)] - mean, p @ basis**2 - mean**2)

    def slopes_of(self, theta: np.ndarray, n_levels: int) -> np.ndarray:
        """Slopes in a mode, shape (q, m)."""
        return theta.reshape(-1, n_levels - 1)[1:]

    def log_likelihood(self, parameters: Parameters, y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Log probability of each row under each draw, shape (s, n)."""
        log_p = log_softmax(self._logits(parameters["intercept"][:, None] + X @ parameters["slopes"]), axis=2)
        return log_p[:, np.arange(len(y)), y.astype(int)]

    def log_prior(self, parameters: Parameters, slope_sd: float, prior: Prior) -> np.ndarray:
        """Log prior density of each draw, shape (s,)."""
        intercept = normal_log_density(parameters["intercept"], prior.intercept_sd).sum(1)
        return intercept + normal_log_density(parameters["slopes"], slope_sd).sum((1, 2))

    def approximate(
        self, task: Task, prior: Prior, n_draws: int, rng: np.random.Generator, df: float = np.inf
    ) -> Approximation:
        """Draw from the Laplace approximation, or a t in its place."""
        return approximate_by_modes(self, task, prior, n_draws, rng, df)

    def draw(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, u: np.ndarray) -> np.ndarray:
        """One code for each row of X, shape (n,)."""
        return (u[:, None] > self._cumulative(parameters, which, X)).sum(1).astype(float)

    def log_density(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log probability of each row's code, shape (n,)."""
        logits = self._logits(parameters["intercept"][which] + linear(parameters, which, X))
        return log_softmax(logits, axis=1)[np.arange(len(y)), y.astype(int)]

    def interval(
        self, parameters: Parameters, which: np.ndarray, X: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities below and inside intervals of codes, shape (n, J)."""
        return codes_between(self._cumulative(parameters, which, X), lower, upper)

    def model(self, task: Task, prior: Prior) -> pm.Model:
        """Write the family as a PyMC model."""
        import pymc as pm

        with pm.Model() as model:
            data = {name: pm.Data(name, value) for name, value in self.data(task, prior).items()}
            beta = pm.Normal("beta", 0.0, data["beta_sd"])
            logits = (data["design"] @ beta) @ data["basis"].T
            # Sums over levels as products with ones, and the softmax written out, compile in a fraction of the time.
            chosen = (data["truth"] * logits) @ data["ones"]
            odds = pm.math.exp(logits - chosen[:, None]) @ data["ones"]
            pm.CustomDist("response", odds, logp=_softmax_logp, observed=data["y"])
        return model

    def data(self, task: Task, prior: Prior) -> dict[str, np.ndarray]:
        """Give the values of the model's data containers."""
        sd = self._sd(task.y, task.X.shape[1], task.n_levels, prior)
        return {
            "y": task.y.astype(float),
            "design": np.column_stack([np.ones(len(task.y)), task.X]),
            "beta_sd": np.repeat(sd[:, None], task.n_levels - 1, axis=1),
            "basis": contrasts(task.n_levels),
            "truth": np.eye(task.n_levels)[task.y.astype(int)],
            "ones": np.ones(task.n_levels),
        }

    def shapes(self, task: Task) -> list[tuple[int, ...]]:
        """Shapes of the model's unconstrained variables, in the order in which `constrain` takes them."""
        return [(1 + task.X.shape[1], task.n_levels - 1)]

    def constrain(self, flat: np.ndarray, task: Task) -> dict[str, np.ndarray]:
        """Turn the raveled matrix of intercepts and slopes into named parameters."""
        matrix = flat.reshape(*flat.shape[:-1], -1, task.n_levels - 1)
        return {"intercept": matrix[..., 0, :], "slopes": matrix[..., 1:, :]}

    def peak(self, task: Task, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
        """Mode and precision of the raveled matrix of intercepts and slopes."""
        modes = self.modes(task.y, task.X[None], task.n_levels, prior)
        return modes.theta[0], modes.precision[0]

    def log_jacobian(self, flat: np.ndarray, task: Task) -> np.ndarray:
        """Return zeros: the parameters are unconstrained."""
        return np.zeros(len(flat))

    def _cumulative(self, parameters: Parameters, which: np.ndarray, X: np.ndarray) -> np.ndarray:
        logits = self._logits(parameters["intercept"][which] + linear(parameters, which, X))
        return np.cumsum(softmax(logits, axis=1), axis=1)[:, :-1]

    def _logits(self, coordinates: np.ndarray) -> np.ndarray:
        return coordinates @ contrasts(coordinates.shape[-1] + 1).T

    def _sd(self, y: np.ndarray, q: int, n_levels: int, prior: Prior) -> np.ndarray:
        return np.r_[prior.intercept_sd, np.full(q, prior.tau / np.sqrt(self.null_information(y, n_levels)))]


def _softmax_logp(value: pt.TensorVariable, odds: pt.TensorVariable) -> pt.TensorVariable:
    """Log probability of the level that occurred, from the sum over levels of their odds against it."""
    import pytensor.tensor as pt

    return -pt.log(odds)

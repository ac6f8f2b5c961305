"""Gaussian regression of a normal score: continuous, count, datetime and duration columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, ndtri

from bayesynth.families._base import Approximation, Parameters, Prior, Task, Working, linear, normal_log_density
from bayesynth.families._newton import Modes

if TYPE_CHECKING:
    import pymc as pm


class Gaussian:
    r"""Normal linear regression with the conjugate normal-inverse-gamma prior.

    .. math::
        z \mid x \sim N(\beta_0 + x'\beta, \sigma^2), \quad \beta \mid \sigma^2 \sim N(0, \sigma^2 \tau^2 I), \quad
        \sigma^2 \sim \mathrm{IG}(a, b).
    """

    name = "gaussian"

    def null_information(self, y: np.ndarray, n_levels: int = 0) -> float:
        """Return 1: the prior of the slopes is in units of the residual variance."""
        return 1.0

    def evidence(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> np.ndarray:
        """Log marginal likelihoods in closed form, shape (b,)."""
        gram, moment = X.transpose(0, 2, 1) @ X, np.einsum("bnq,n->bq", X, y)
        return self.evidence_from_moments(y, gram, moment, prior)

    def evidence_from_moments(
        self, y: np.ndarray, gram: np.ndarray, moment: np.ndarray, prior: Prior
    ) -> np.ndarray:
        """Log marginal likelihoods from X'X, shape (b, q, q), and X'y, shape (b, q), of centred features."""
        n, (b, q) = len(y), moment.shape
        precision = np.zeros((b, q + 1, q + 1))
        precision[:, 0, 0] = n
        precision[:, 1:, 1:] = gram
        prior_precision = np.r_[prior.intercept_sd**-2.0, np.full(q, prior.tau**-2.0)]
        precision += np.diag(prior_precision)
        target = np.concatenate([np.full((b, 1), y.sum()), moment], axis=1)
        factor = np.linalg.cholesky(precision)
        half = np.linalg.solve(factor, target[:, :, None])[:, :, 0]
        residual = y @ y - np.einsum("bq,bq->b", half, half)
        shape, scale = prior.variance_shape, prior.variance_scale
        log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(1)
        return (
            -0.5 * n * np.log(2 * np.pi)
            + 0.5 * (np.log(prior_precision).sum() - log_det)
            + shape * np.log(scale)
            - (shape + n / 2) * np.log(scale + residual / 2)
            + gammaln(shape + n / 2)
            - gammaln(shape)
        )

    def modes(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> Modes:
        """Posterior modes of (log variance, intercept, slopes)."""
        found = [self._mode(Task(y, x, 0), prior) for x in X]
        return Modes(*(np.array(part) for part in zip(*found, strict=True)))

    def working(self, theta: np.ndarray, y: np.ndarray, X: np.ndarray, n_levels: int) -> Working:
        """Slope and curvature of the log likelihood in each row's mean, in units of the residual variance."""
        variance = np.exp(theta[0])
        residual = y - theta[1] - X @ theta[2:]
        return Working((residual / np.sqrt(variance))[:, None], np.ones((len(y), 1)))

    def slopes_of(self, theta: np.ndarray, n_levels: int) -> np.ndarray:
        """Slopes in a mode, shape (q, m)."""
        return theta[2:, None] / np.exp(theta[0] / 2)

    def log_likelihood(self, parameters: Parameters, y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Log density of each row under each draw, shape (s, n)."""
        mean = parameters["intercept"][:, None] + parameters["slopes"] @ X.T
        return normal_log_density(y - mean, np.sqrt(parameters["variance"])[:, None])

    def log_prior(self, parameters: Parameters, slope_sd: float, prior: Prior) -> np.ndarray:
        """Log prior density of each draw, shape (s,)."""
        variance = parameters["variance"]
        sd, shape, scale = np.sqrt(variance), prior.variance_shape, prior.variance_scale
        return (
            normal_log_density(parameters["intercept"], sd * prior.intercept_sd)
            + normal_log_density(parameters["slopes"], (sd * slope_sd)[:, None]).sum(1)
            + (shape * np.log(scale) - gammaln(shape) - (shape + 1) * np.log(variance) - scale / variance)
        )

    def approximate(self, task: Task, prior: Prior, n_draws: int, rng: np.random.Generator) -> Approximation:
        """Draw from the exact posterior, which is closed."""
        mean, factor, shape, scale = self._posterior(task, prior)
        variance = scale / rng.standard_gamma(shape, n_draws)
        noise = np.linalg.solve(factor.T, rng.standard_normal((len(mean), n_draws)))
        beta = mean[:, None] + noise * np.sqrt(variance)
        return Approximation({"variance": variance, "intercept": beta[0], "slopes": beta[1:].T}, None)

    def draw(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, u: np.ndarray) -> np.ndarray:
        """One normal score for each row of X, shape (n,)."""
        mean = parameters["intercept"][which] + linear(parameters, which, X)
        return mean + np.sqrt(parameters["variance"])[which] * ndtri(u)

    def model(self, task: Task, prior: Prior) -> pm.Model:
        """Write the family as a PyMC model."""
        import pymc as pm

        with pm.Model() as model:
            data = {name: pm.Data(name, value) for name, value in self.data(task, prior).items()}
            variance = pm.InverseGamma("variance", alpha=data["variance_shape"], beta=data["variance_scale"])
            sd = pm.math.sqrt(variance)
            beta = pm.Normal("beta", 0.0, sd * data["beta_sd"])
            pm.Normal("response", data["design"] @ beta, sd, observed=data["y"])
        return model

    def data(self, task: Task, prior: Prior) -> dict[str, np.ndarray]:
        """Give the values of the model's data containers."""
        return {
            "y": task.y.astype(float),
            "design": np.column_stack([np.ones(len(task.y)), task.X]),
            "beta_sd": np.r_[prior.intercept_sd, np.full(task.X.shape[1], prior.tau)],
            "variance_shape": np.array(prior.variance_shape, float),
            "variance_scale": np.array(prior.variance_scale, float),
        }

    def shapes(self, task: Task) -> list[tuple[int, ...]]:
        """Shapes of the model's unconstrained variables, in the order in which `constrain` takes them."""
        return [(), (1 + task.X.shape[1],)]

    def constrain(self, flat: np.ndarray, task: Task) -> dict[str, np.ndarray]:
        """Turn (log variance, intercept, slopes) into named parameters."""
        return {"variance": np.exp(flat[..., 0]), "intercept": flat[..., 1], "slopes": flat[..., 2:]}

    def log_jacobian(self, flat: np.ndarray, task: Task) -> np.ndarray:
        """Return the log variance: the variance is its exponential."""
        return flat[..., 0]

    def peak(self, task: Task, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
        """Mode and precision of (log variance, intercept, slopes)."""
        theta, _, precision = self._mode(task, prior)
        return theta, precision

    def _posterior(self, task: Task, prior: Prior) -> tuple[np.ndarray, np.ndarray, float, float]:
        data = self.data(task, prior)
        design, y = data["design"], data["y"]
        factor = np.linalg.cholesky(design.T @ design + np.diag(data["beta_sd"] ** -2.0))
        half = np.linalg.solve(factor, design.T @ y)
        mean = np.linalg.solve(factor.T, half)
        shape = prior.variance_shape + len(y) / 2
        return mean, factor, shape, prior.variance_scale + 0.5 * (y @ y - half @ half)

    def _mode(self, task: Task, prior: Prior) -> tuple[np.ndarray, float, np.ndarray]:
        mean, factor, shape, scale = self._posterior(task, prior)
        d = len(mean)
        # On the scale of the log variance the Jacobian adds one power of the variance.
        log_variance = np.log(scale / (shape + d / 2))
        theta = np.r_[log_variance, mean]
        precision = np.zeros((d + 1, d + 1))
        precision[0, 0] = shape + d / 2
        precision[1:, 1:] = factor @ factor.T / np.exp(log_variance)
        named = self.constrain(theta[None], task)
        likelihood = self.log_likelihood(named, task.y, task.X).sum()
        return theta, float(likelihood + self.log_prior(named, prior.tau, prior)[0] + log_variance), precision

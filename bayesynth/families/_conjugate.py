"""Normal-inverse-gamma algebra of weighted regressions, and the posterior of coefficients of the log variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammaln

from bayesynth.families._base import Prior, Task, normal_log_density

CELLS_AT_A_TIME = 4_000_000


@dataclass(frozen=True)
class Conjugate:
    """Closed posteriors of a batch of regressions.

    Parameters
    ----------
    mean : ndarray, shape (b, d)
        Of intercept and slopes.
    factor : ndarray, shape (b, d, d)
        Cholesky factor of their precision in units of the residual variance.
    shape : float
        Of the inverse gamma of the residual variance.
    scale : ndarray, shape (b,)
        Of the same.
    log_evidence : ndarray, shape (b,)
        Log marginal likelihoods; of weighted rows, without the weights' own half log determinant.
    """

    mean: np.ndarray
    factor: np.ndarray
    shape: float
    scale: np.ndarray
    log_evidence: np.ndarray

    def draw(self, which: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """One draw of the named parameters from each member `which[i]`."""
        n_draws, d = len(which), self.mean.shape[1]
        variance = self.scale[which] / rng.standard_gamma(self.shape, n_draws)
        noise = rng.standard_normal((n_draws, d, 1))
        upper = np.broadcast_to(self.factor.transpose(0, 2, 1)[which], (n_draws, d, d))
        beta = self.mean[which] + np.linalg.solve(upper, noise)[:, :, 0] * np.sqrt(variance)[:, None]
        return {"variance": variance, "intercept": beta[:, 0], "slopes": beta[:, 1:]}


def conjugate(inner: np.ndarray, target: np.ndarray, squares: np.ndarray, n_rows: int, prior: Prior) -> Conjugate:
    """Posteriors from D'D (b, d, d), D'y (b, d) and y'y (b,), the first column of D being the intercept's."""
    d = target.shape[1]
    prior_precision = np.r_[prior.intercept_sd**-2.0, np.full(d - 1, prior.tau**-2.0)]
    factor = np.linalg.cholesky(inner + np.diag(prior_precision))
    half = np.linalg.solve(factor, target[:, :, None])
    mean = np.linalg.solve(factor.transpose(0, 2, 1), half)[:, :, 0]
    shape = prior.variance_shape + n_rows / 2
    scale = prior.variance_scale + 0.5 * (squares - (half[:, :, 0] ** 2).sum(1))
    log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(1)
    log_evidence = (
        -0.5 * n_rows * np.log(2 * np.pi)
        + 0.5 * (np.log(prior_precision).sum() - log_det)
        + prior.variance_shape * np.log(prior.variance_scale)
        - shape * np.log(scale)
        + gammaln(shape)
        - gammaln(prior.variance_shape)
    )
    return Conjugate(mean, factor, shape, scale, log_evidence)


def weighted_moments(y: np.ndarray, X: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """D'WD, D'Wy and y'Wy for each row of weights, shape (b, n), D being X with an intercept."""
    rows = np.vstack([np.ones(len(y)), X.T])  # contiguous rows, so that BLAS takes the products
    inner = (weights[:, None, :] * rows) @ rows.T
    return inner, (weights * y) @ rows.T, weights @ y**2


class ScalePosterior:
    """Posterior of the coefficients of the log variance, everything else integrated out.

    Parameters
    ----------
    task : Task
        With trailing scale columns.
    prior : Prior
        The prior.
    """

    def __init__(self, task: Task, prior: Prior):
        self._y, self._X, self._W = task.y, task.location, task.scale
        self._prior, self._sd = prior, np.sqrt(2) * prior.tau

    def log_density(self, gamma: np.ndarray) -> tuple[np.ndarray, Conjugate]:
        """Log joint density of data and coefficients, shape (b,), and the closed rest."""
        exponents = -gamma @ self._W.T
        rest = conjugate(*weighted_moments(self._y, self._X, np.exp(exponents)), len(self._y), self._prior)
        return rest.log_evidence + 0.5 * exponents.sum(1) + normal_log_density(gamma, self._sd).sum(1), rest

    def given(self, gamma: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Log density of each coefficient vector, and one draw of the other parameters given it."""
        block = max(1, CELLS_AT_A_TIME // (len(self._y) * (1 + self._X.shape[1]) ** 2))
        values, parts = [], []
        for i in range(0, len(gamma), block):
            value, rest = self.log_density(gamma[i : i + block])
            values.append(value)
            parts.append(rest.draw(np.arange(len(value)), rng))
        return np.concatenate(values), {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}

    def mode(self) -> tuple[np.ndarray, float, np.ndarray]:
        """Mode, log density there and precision, by Newton steps that are halved until they rise."""
        gamma = np.zeros(self._W.shape[1])
        value, gradient, precision = self._climb(gamma)
        for _ in range(50):
            step = np.linalg.solve(precision, gradient)
            if step @ gradient < 1e-6:
                break
            step *= min(1.0, 2.0 / np.abs(step).max())
            for _ in range(20):
                found = self._climb(gamma + step)
                if found[0] >= value:
                    break
                step = step / 2
            else:
                break
            gamma = gamma + step
            value, gradient, precision = found
        return gamma, value, precision

    def _climb(self, gamma: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log density, gradient and negative Hessian; where that is not positive, the expected one."""
        values, rest = self.log_density(gamma[None])
        W, rows = self._W, np.vstack([np.ones(len(self._y)), self._X.T])
        weights = np.exp(-W @ gamma)
        residual = self._y - rest.mean[0] @ rows
        whitened = solve_triangular(rest.factor[0], rows * np.sqrt(weights), lower=True)
        leverage, ratio = (whitened**2).sum(0), rest.shape / rest.scale[0]
        gradient = 0.5 * W.T @ (leverage + weights * residual**2 * ratio - 1.0) - gamma / self._sd**2
        squares = W.T @ (weights * residual**2)
        moved = whitened @ (W * (np.sqrt(weights) * residual)[:, None])
        spread = [whitened * w @ whitened.T for w in W.T]
        traces = np.array([[np.sum(a * b) for b in spread] for a in spread])
        precision = (
            0.5 * (W * (leverage + weights * residual**2 * ratio)[:, None]).T @ W
            - 0.25 * ratio / rest.scale[0] * np.outer(squares, squares)
            - ratio * moved.T @ moved
            - 0.5 * traces
            + np.eye(len(gamma)) / self._sd**2
        )
        if np.linalg.eigvalsh(precision)[0] <= 1e-6:
            precision = 0.5 * W.T @ W + np.eye(len(gamma)) / self._sd**2
        return float(values[0]), gradient, precision

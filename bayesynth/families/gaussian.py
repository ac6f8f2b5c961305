"""Gaussian regression of a normal score: continuous, count, datetime and duration columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, ndtr, ndtri, stdtr

from bayesynth.families._base import (
    Approximation,
    Parameters,
    Prior,
    Task,
    Working,
    group_of,
    linear,
    normal_log_density,
)
from bayesynth.families._conjugate import Conjugate, ScalePosterior, conjugate, weighted_moments
from bayesynth.families._laplace import standard_draws
from bayesynth.families._newton import Modes
from bayesynth.families._shape import BINS, below, bin_of, draw_shapes, inverse

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pymc as pm

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


class Gaussian:
    r"""Normal linear regression with the conjugate normal-inverse-gamma prior; scale and shape may depend on parents.

    .. math::
        z \mid x \sim N(\beta_0 + x'\beta, \sigma^2 e^{w'\gamma}), \quad
        \beta \mid \sigma^2 \sim N(0, \sigma^2 \tau^2 I), \quad
        \sigma^2 \sim \mathrm{IG}(a, b), \quad \gamma \sim N(0, 2 \tau^2 I).

    One row carries information 1/2 about a coefficient of the log variance, hence the 2. Given :math:`\gamma` all is
    closed; over :math:`\gamma`, where there is one, Laplace's method is used.

    Where the shape of the residual depends on a parent, its normal probability :math:`\Phi(r)` has a Polya tree in
    every group of rows, whose level j splits by Beta(j², j²) shares, instead of being uniform. Location and scale are
    learned as if it were normal (a cut: no feedback from the shape), so that the trees are closed given them.

    Notes
    -----
    Hanson and Johnson (2002), doi:10.1198/016214502388618843, and Plummer (2015), doi:10.1007/s11222-014-9503-z.
    """

    name = "gaussian"

    def null_information(self, y: np.ndarray, n_levels: int = 0) -> float:
        """Return 1: the prior of the slopes is in units of the residual variance."""
        return 1.0

    def evidence(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> np.ndarray:
        """Log marginal likelihoods in closed form, shape (b,), of designs without a scale part."""
        gram, moment = X.transpose(0, 2, 1) @ X, np.einsum("bnq,n->bq", X, y)
        return self.evidence_from_moments(y, gram, moment, prior)

    def evidence_from_moments(self, y: np.ndarray, gram: np.ndarray, moment: np.ndarray, prior: Prior) -> np.ndarray:
        """Log marginal likelihoods from X'X, shape (b, q, q), and X'y, shape (b, q), of centred features."""
        b, q = moment.shape
        inner = np.zeros((b, q + 1, q + 1))
        inner[:, 0, 0], inner[:, 1:, 1:] = len(y), gram
        target = np.concatenate([np.full((b, 1), y.sum()), moment], axis=1)
        return conjugate(inner, target, np.full(b, y @ y), len(y), prior).log_evidence

    def scaled_evidence(self, task: Task, prior: Prior) -> float:
        """Log marginal likelihood of a design with a scale part, by Laplace's method over its coefficients."""
        found = ScalePosterior(task, prior)
        mode, value, precision = found.mode()
        return float(value + 0.5 * len(mode) * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(precision)[1])

    def excess_of_squares(self, y: np.ndarray, X: np.ndarray, prior: Prior) -> np.ndarray:
        """Return the squared residuals expected under constant variance, in its units and less 1; shape (n,)."""
        found, residual, leverage = _residuals(Task(y, X, 0), prior)
        return leverage + residual**2 * found.shape / found.scale[0] - 1.0

    def left_out(self, task: Task, prior: Prior) -> np.ndarray:
        """Probability of a smaller value than each row's own as if it had not been fitted, shape (n,).

        A t distribution with 2a - 1 degrees of freedom, at the mode of the scale's coefficients where there are some.
        """
        found, residual, leverage = _residuals(task, prior)
        free = 1.0 - leverage
        shape, scale = found.shape - 0.5, found.scale[0] - 0.5 * residual**2 / free
        return stdtr(2 * shape, residual / np.sqrt(free * scale / shape))

    def modes(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> Modes:
        """Posterior modes of (log variance, intercept, slopes) of designs without a scale part."""
        found = [self._mode(Task(y, x, 0), prior) for x in X]
        return Modes(*(np.array(part) for part in zip(*found, strict=True)))

    def working(self, theta: np.ndarray, y: np.ndarray, X: np.ndarray, n_levels: int) -> Working:
        """Slope and curvature of the log likelihood in each row's mean, in units of the residual variance."""
        residual = y - theta[1] - X @ theta[2:]
        return Working((residual / np.exp(theta[0] / 2))[:, None], np.ones((len(y), 1)))

    def slopes_of(self, theta: np.ndarray, n_levels: int) -> np.ndarray:
        """Slopes in a mode, shape (q, m)."""
        return theta[2:, None] / np.exp(theta[0] / 2)

    def log_likelihood(self, parameters: Parameters, y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Log density of each row under each draw, shape (s, n)."""
        mean, sd = self.mean_and_sd(parameters, X)
        found, groups = normal_log_density(y - mean, sd), _split(parameters, X)[2]
        if groups is None:
            return found
        draws = np.arange(len(mean))[:, None]
        return found + np.log(BINS * parameters["shape"][draws, groups, bin_of(ndtr((y - mean) / sd))])

    def quadrature(self, parameters: Parameters, X: np.ndarray) -> Iterator[tuple[float, np.ndarray | float]]:
        """Standardised residuals, each with its weight: one number, or for each row under each draw, shape (s, n)."""
        groups = _split(parameters, X)[2]
        if groups is None:
            yield from zip(NODES, WEIGHTS / WEIGHTS.sum(), strict=True)
        else:
            middles = ndtri((np.arange(BINS) + 0.5) / BINS)
            yield from zip(middles, np.moveaxis(parameters["shape"][:, groups], 2, 0), strict=True)

    def place(self, parameters: Parameters, y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Probability of a smaller value than each row's own under each draw, shape (s, n)."""
        mean, sd = self.mean_and_sd(parameters, X)
        found, groups = ndtr((y - mean) / sd), _split(parameters, X)[2]
        if groups is None:
            return found
        return np.array([below(p[groups], v[:, None])[:, 0] for p, v in zip(parameters["shape"], found, strict=True)])

    def mean_and_sd(self, parameters: Parameters, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean, shape (s, n), and standard deviation, shape (s, 1) or (s, n), of each row under each draw."""
        X, W, _ = _split(parameters, X)
        mean = parameters["intercept"][:, None] + parameters["slopes"] @ X.T
        sd = np.sqrt(parameters["variance"])[:, None]
        return mean, sd if W is None else sd * np.exp(parameters["log_scale"] @ W.T / 2)

    def log_prior(self, parameters: Parameters, slope_sd: float, prior: Prior) -> np.ndarray:
        """Log prior density of each draw, shape (s,)."""
        variance = parameters["variance"]
        sd, shape, scale = np.sqrt(variance), prior.variance_shape, prior.variance_scale
        total = (
            normal_log_density(parameters["intercept"], sd * prior.intercept_sd)
            + normal_log_density(parameters["slopes"], (sd * slope_sd)[:, None]).sum(1)
            + (shape * np.log(scale) - gammaln(shape) - (shape + 1) * np.log(variance) - scale / variance)
        )
        if "log_scale" in parameters:
            total = total + normal_log_density(parameters["log_scale"], np.sqrt(2) * slope_sd).sum(1)
        return total

    def approximate(
        self, task: Task, prior: Prior, n_draws: int, rng: np.random.Generator, df: float = np.inf
    ) -> Approximation:
        """Draw from the exact posterior, which is closed given the scale's coefficients; those by Laplace's method."""
        if not task.n_scale:
            inner, target, squares = weighted_moments(task.y, task.location, np.ones((1, len(task.y))))
            posterior = conjugate(inner, target, squares, len(task.y), prior)
            parameters = posterior.draw(np.zeros(n_draws, int), rng)
            return Approximation(self.with_shape(parameters, task, rng), None)
        found = ScalePosterior(task, prior)
        mode, _, precision = found.mode()
        noise, proposal = standard_draws(n_draws, len(mode), df, rng)
        gamma = mode + np.linalg.solve(np.linalg.cholesky(precision).T, noise.T).T
        with np.errstate(over="ignore", invalid="ignore"):  # far out in the tails of a t, where nothing is likely
            values, parameters = found.given(gamma, rng)
            parameters = self.with_shape(parameters | {"log_scale": gamma}, task, rng)
        return Approximation(parameters, values - proposal)

    def with_shape(self, parameters: Parameters, task: Task, rng: np.random.Generator) -> Parameters:
        """Add draws of the residual shape given the others, where the task has one: shape (s, n_groups, BINS)."""
        if not task.n_groups:
            return parameters
        mean, sd = self.mean_and_sd(parameters, task.ungrouped)
        drawn = draw_shapes(ndtr((task.y - mean) / sd), task.groups, task.n_groups, rng)
        return {**parameters, "shape": drawn}

    def draw(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, u: np.ndarray) -> np.ndarray:
        """One normal score for each row of X, shape (n,)."""
        mean, sd, shape = self._of_rows(parameters, which, X)
        return mean + sd * ndtri(u if shape is None else inverse(shape, u))

    def log_density(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log density of each row's score, shape (n,)."""
        mean, sd, shape = self._of_rows(parameters, which, X)
        found = normal_log_density(y - mean, sd)
        if shape is None:
            return found
        return found + np.log(BINS * shape[np.arange(len(y)), bin_of(ndtr((y - mean) / sd))])

    def interval(
        self, parameters: Parameters, which: np.ndarray, X: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities below and inside intervals of scores, shape (n, J), in the upper tail without cancellation."""
        mean, sd, shape = self._of_rows(parameters, which, X)
        low, high = ((end - mean[:, None]) / sd[:, None] for end in (lower, upper))
        left, right = (ndtr(low), ndtr(high)), (ndtr(-high), ndtr(-low))
        if shape is not None:
            left = tuple(below(shape, end) for end in left)
            right = tuple(below(shape[:, ::-1], end) for end in right)
        return left[0], np.maximum(np.where(low > 0, right[1] - right[0], left[1] - left[0]), 0.0)

    def model(self, task: Task, prior: Prior) -> pm.Model:
        """Write the family as a PyMC model."""
        import pymc as pm

        with pm.Model() as model:
            data = {name: pm.Data(name, value) for name, value in self.data(task, prior).items()}
            variance = pm.InverseGamma("variance", alpha=data["variance_shape"], beta=data["variance_scale"])
            sd = pm.math.sqrt(variance)
            beta = pm.Normal("beta", 0.0, sd * data["beta_sd"])
            log_scale = pm.Normal("log_scale", 0.0, data["log_scale_sd"])
            spread = sd * pm.math.exp(data["scale_design"] @ log_scale / 2)
            pm.Normal("response", data["design"] @ beta, spread, observed=data["y"])
        return model

    def data(self, task: Task, prior: Prior) -> dict[str, np.ndarray]:
        """Give the values of the model's data containers."""
        return {
            "y": task.y.astype(float),
            "design": np.column_stack([np.ones(len(task.y)), task.location]),
            "beta_sd": np.r_[prior.intercept_sd, np.full(task.location.shape[1], prior.tau)],
            "scale_design": task.scale,
            "log_scale_sd": np.full(task.n_scale, np.sqrt(2) * prior.tau),
            "variance_shape": np.array(prior.variance_shape, float),
            "variance_scale": np.array(prior.variance_scale, float),
        }

    def shapes(self, task: Task) -> list[tuple[int, ...]]:
        """Shapes of the model's unconstrained variables, in the order in which `constrain` takes them."""
        return [(), (1 + task.location.shape[1],), (task.n_scale,)]

    def constrain(self, flat: np.ndarray, task: Task) -> dict[str, np.ndarray]:
        """Turn (log variance, intercept, slopes, scale coefficients) into named parameters."""
        end = flat.shape[-1] - task.n_scale
        found = {"variance": np.exp(flat[..., 0]), "intercept": flat[..., 1], "slopes": flat[..., 2:end]}
        return found | ({"log_scale": flat[..., end:]} if task.n_scale else {})

    def log_jacobian(self, flat: np.ndarray, task: Task) -> np.ndarray:
        """Return the log variance: the variance is its exponential."""
        return flat[..., 0]

    def peak(self, task: Task, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
        """Mode and precision of (log variance, intercept, slopes, scale coefficients)."""
        theta, _, precision = self._mode(task, prior)
        return theta, precision

    @staticmethod
    def _of_rows(
        parameters: Parameters, which: np.ndarray, X: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Mean and standard deviation, shape (n,), and shape, (n, BINS), of each row under its own draw."""
        X, W, groups = _split(parameters, X)
        sd = np.sqrt(parameters["variance"])[which]
        if W is not None:
            sd = sd * np.exp(linear({"slopes": parameters["log_scale"]}, which, W) / 2)
        shape = None if groups is None else parameters["shape"][which, groups]
        return parameters["intercept"][which] + linear(parameters, which, X), sd, shape

    def _mode(self, task: Task, prior: Prior) -> tuple[np.ndarray, float, np.ndarray]:
        X, W = task.location, task.scale
        gamma = ScalePosterior(task, prior).mode()[0] if task.n_scale else np.empty(0)
        inner, target, squares = weighted_moments(task.y, X, np.exp(-W @ gamma)[None])
        posterior = conjugate(inner, target, squares, len(task.y), prior)
        mean, factor, scale = posterior.mean[0], posterior.factor[0], posterior.scale[0]
        d = len(mean)
        # On the scale of the log variance the Jacobian adds one power of the variance.
        log_variance = np.log(scale / (posterior.shape + d / 2))
        theta = np.r_[log_variance, mean, gamma]
        precision = np.zeros((len(theta), len(theta)))
        precision[0, 0] = posterior.shape + d / 2
        precision[1 : d + 1, 1 : d + 1] = factor @ factor.T / np.exp(log_variance)
        precision[d + 1 :, d + 1 :] = W.T @ W / 2 + np.eye(len(gamma)) / (2 * prior.tau**2)
        named = self.constrain(theta[None], task)
        value = self.log_likelihood(named, task.y, task.ungrouped).sum() + self.log_prior(named, prior.tau, prior)[0]
        return theta, float(value + log_variance), precision


def _split(parameters: Parameters, X: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Columns of the location and, where there are some, of the scale, and the group of each row."""
    scale = groups = None
    if "shape" in parameters:
        end = X.shape[1] - parameters["shape"].shape[-2]
        X, groups = X[:, :end], group_of(X[:, end:])
    if "log_scale" in parameters:
        end = X.shape[1] - parameters["log_scale"].shape[-1]
        X, scale = X[:, :end], X[:, end:]
    return X, scale, groups


def _residuals(task: Task, prior: Prior) -> tuple[Conjugate, np.ndarray, np.ndarray]:
    """Regression at the mode of the scale's coefficients; residuals in its units, and leverages, shape (n,)."""
    gamma = ScalePosterior(task, prior).mode()[0] if task.n_scale else np.empty(0)
    weights = np.exp(-task.scale @ gamma)
    found = conjugate(*weighted_moments(task.y, task.location, weights[None]), len(task.y), prior)
    rows = np.vstack([np.ones(len(task.y)), task.location.T])
    leverage = weights * (np.linalg.solve(found.factor[0], rows) ** 2).sum(0)
    return found, np.sqrt(weights) * (task.y - found.mean[0] @ rows), leverage

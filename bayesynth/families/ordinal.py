"""Cumulative logit with ordered cut points: ordinal columns (McCullagh 1980)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, gammaln, log_expit, logit

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

BEYOND = 1e3  # stands for an infinite cut point: exp(-1000) is 0 in double precision


class Ordinal:
    r"""Cumulative logit: :math:`P(y \le k \mid x) = \mathrm{logit}^{-1}(c_k - x'\beta)`, cut points rising.

    The cut points are normal and ordered a priori: :math:`p(c) = (K-1)! \prod_k N(c_k; 0, s^2)` where they rise.
    """

    name = "ordinal"

    def null_information(self, y: np.ndarray, n_levels: int) -> float:
        """Information per row of a cumulative logit without features: (1 - sum of cubed rates) / 3."""
        return float((1 - np.sum(self._rates(y, n_levels) ** 3)) / 3)

    def evidence(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> np.ndarray:
        """Log marginal likelihoods by Laplace's method, shape (b,)."""
        return self.modes(y, X, n_levels, prior).log_evidence()

    def modes(self, y: np.ndarray, X: np.ndarray, n_levels: int, prior: Prior) -> Modes:
        """Posterior modes of (cut points, slopes)."""
        b, n, q = X.shape
        m = n_levels - 1
        codes = y.astype(int)
        to_upper, to_lower = np.eye(n_levels)[codes][:, :m], np.eye(n_levels)[codes][:, 1:]
        at_top, at_bottom = codes == m, codes == 0
        above = np.concatenate([np.broadcast_to(to_upper, (b, n, m)), -X], axis=2)
        below = np.concatenate([np.broadcast_to(to_lower, (b, n, m)), -X], axis=2)
        sd = self._sd(y, q, n_levels, prior)

        def derivatives(theta: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            t, U, L = theta[which], above[which], below[which]
            u = np.where(at_top, BEYOND, (U @ t[:, :, None])[:, :, 0])
            low = np.where(at_bottom, -BEYOND, (L @ t[:, :, None])[:, :, 0])
            F, G = expit(u), expit(low)
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                log_p = _log_interval(u, low)
                p = np.exp(log_p)
                f, g = F * expit(-u), G * expit(-low)
                du, dl = f / p, g / p
                value = log_p.sum(1) + normal_log_density(t, sd).sum(1) + gammaln(n_levels)
            value = np.where(np.isfinite(value), value, -np.inf)
            gradient = (du[:, None, :] @ U - dl[:, None, :] @ L)[:, 0] - t / sd**2
            uu, ll, ul = du**2 - du * (1 - 2 * F), dl**2 + dl * (1 - 2 * G), -du * dl
            UT, LT = U.transpose(0, 2, 1), L.transpose(0, 2, 1)
            cross = UT @ (L * ul[:, :, None])
            precision = UT @ (U * uu[:, :, None]) + LT @ (L * ll[:, :, None]) + cross + cross.transpose(0, 2, 1)
            return value, gradient, precision + np.diag(sd**-2.0)

        start = np.zeros((b, m + q))
        at = np.cumsum(self._rates(y, n_levels))[:-1]
        start[:, :m] = np.log(at / (1 - at))
        return find_modes(start, derivatives)

    def working(self, theta: np.ndarray, y: np.ndarray, X: np.ndarray, n_levels: int) -> Working:
        """Slope and curvature of the log likelihood in each row's linear predictor."""
        cuts, codes = _padded(theta[None, : n_levels - 1])[0], y.astype(int)
        eta = X @ theta[n_levels - 1 :]
        F, G = expit(cuts[codes + 1] - eta), expit(cuts[codes] - eta)
        # For one logistic interval, slope and curvature have these short forms.
        return Working((F + G - 1)[:, None], (F * (1 - F) + G * (1 - G))[:, None])

    def slopes_of(self, theta: np.ndarray, n_levels: int) -> np.ndarray:
        """Slopes in a mode, shape (q, m)."""
        return theta[n_levels - 1 :, None]

    def log_likelihood(self, parameters: Parameters, y: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Log probability of each row under each draw, shape (s, n)."""
        eta = parameters["slopes"] @ X.T
        cuts = _padded(parameters["cutpoints"])
        codes = y.astype(int)
        return _log_interval(cuts[:, codes + 1] - eta, cuts[:, codes] - eta)

    def log_prior(self, parameters: Parameters, slope_sd: float, prior: Prior) -> np.ndarray:
        """Log prior density of each draw, shape (s,)."""
        cuts = parameters["cutpoints"]
        slopes = normal_log_density(parameters["slopes"], slope_sd).sum(1)
        return gammaln(cuts.shape[1] + 1) + normal_log_density(cuts, prior.intercept_sd).sum(1) + slopes

    def approximate(
        self, task: Task, prior: Prior, n_draws: int, rng: np.random.Generator, df: float = np.inf
    ) -> Approximation:
        """Draw from the Laplace approximation, or a t in its place."""
        return approximate_by_modes(self, task, prior, n_draws, rng, df)

    def draw(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, u: np.ndarray) -> np.ndarray:
        """One code for each row of X, shape (n,)."""
        latent = linear(parameters, which, X) + logit(u)
        return (latent[:, None] > parameters["cutpoints"][which]).sum(1).astype(float)

    def log_density(self, parameters: Parameters, which: np.ndarray, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log probability of each row's code, shape (n,)."""
        ends = _padded(parameters["cutpoints"])[which] - linear(parameters, which, X)[:, None]
        rows, codes = np.arange(len(y)), y.astype(int)
        return _log_interval(ends[rows, codes + 1], ends[rows, codes])

    def interval(
        self, parameters: Parameters, which: np.ndarray, X: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities below and inside intervals of codes, shape (n, J)."""
        ends = parameters["cutpoints"][which] - linear(parameters, which, X)[:, None]
        return codes_between(expit(ends), lower, upper)

    def model(self, task: Task, prior: Prior) -> pm.Model:
        """Write the family as a PyMC model."""
        import pymc as pm

        with pm.Model() as model:
            data = {name: pm.Data(name, value) for name, value in self.data(task, prior).items()}
            beta = pm.Normal("beta", 0.0, data["beta_sd"])
            # The ordered transform written out: PyTensor keeps products on disk, but compiles its ops in every process.
            steps = pm.Flat("steps", shape=data["cumulate"].shape[0])
            rises = pm.math.concatenate([steps[:1], pm.math.exp(steps[1:])])
            cuts = pm.Deterministic("cutpoints", data["cumulate"] @ rises)
            pm.Potential("cut_prior", _cut_prior(cuts, steps, data["cut_sd"]))
            eta = data["design"] @ beta
            upper = data["to_upper"] @ cuts + data["beyond_upper"] - eta
            lower = data["to_lower"] @ cuts + data["beyond_lower"] - eta
            # OrderedLogistic is the same density, but takes half a minute to compile.
            pm.CustomDist("response", upper, lower, logp=_interval_logp, observed=data["y"])
        return model

    def data(self, task: Task, prior: Prior) -> dict[str, np.ndarray]:
        """Give the values of the model's data containers."""
        sd, m = self._sd(task.y, task.X.shape[1], task.n_levels, prior), task.n_levels - 1
        one_hot = np.eye(task.n_levels)[task.y.astype(int)]
        return {
            "y": task.y.astype(float),
            "design": task.X,
            "cut_sd": sd[:m],
            "beta_sd": sd[m:],
            "cumulate": np.tril(np.ones((m, m))),
            "to_upper": one_hot[:, :m],
            "to_lower": one_hot[:, 1:],
            "beyond_upper": BEYOND * one_hot[:, m],
            "beyond_lower": -BEYOND * one_hot[:, 0],
        }

    def shapes(self, task: Task) -> list[tuple[int, ...]]:
        """Shapes of the model's unconstrained variables, in the order in which `constrain` takes them."""
        return [(task.X.shape[1],), (task.n_levels - 1,)]

    def constrain(self, flat: np.ndarray, task: Task) -> dict[str, np.ndarray]:
        """Turn (slopes, first cut point, log gaps) into named parameters."""
        q = task.X.shape[1]
        gaps = np.concatenate([flat[..., q : q + 1], np.exp(flat[..., q + 1 :])], axis=-1)
        return {"cutpoints": np.cumsum(gaps, axis=-1), "slopes": flat[..., :q]}

    def peak(self, task: Task, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
        """Mode and precision of (slopes, first cut point, log gaps), from those of (cut points, slopes)."""
        modes = self.modes(task.y, task.X[None], task.n_levels, prior)
        m, theta = task.n_levels - 1, modes.theta[0]
        gaps = np.diff(theta[:m])
        flat = np.r_[theta[m:], theta[0], np.log(gaps)]
        change = np.zeros((len(theta), len(theta)))
        change[m:, : len(theta) - m] = np.eye(len(theta) - m)
        change[:m, len(theta) - m :] = np.tril(np.ones((m, m))) * np.r_[1.0, gaps]
        return flat, change.T @ modes.precision[0] @ change

    def log_jacobian(self, flat: np.ndarray, task: Task) -> np.ndarray:
        """Sum of the log gaps."""
        return flat[..., task.X.shape[1] + 1 :].sum(-1)

    def _sd(self, y: np.ndarray, q: int, n_levels: int, prior: Prior) -> np.ndarray:
        slope = prior.tau / np.sqrt(self.null_information(y, n_levels))
        return np.r_[np.full(n_levels - 1, prior.intercept_sd), np.full(q, slope)]

    def _rates(self, y: np.ndarray, n_levels: int) -> np.ndarray:
        return (np.bincount(y.astype(int), minlength=n_levels) + 0.5) / (len(y) + 0.5 * n_levels)


def _padded(cutpoints: np.ndarray) -> np.ndarray:
    return np.pad(cutpoints, ((0, 0), (1, 1)), constant_values=((0, 0), (-BEYOND, BEYOND)))


def _log_interval(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Log of logit^-1(upper) - logit^-1(lower), without cancellation."""
    return log_expit(upper) + log_expit(-lower) + np.log(-np.expm1(lower - upper))


def _cut_prior(cuts: pt.TensorVariable, steps: pt.TensorVariable, sd: pt.TensorVariable) -> pt.TensorVariable:
    """Ordered normal density of the cut points, and the volume of a step on its log scale."""
    import pytensor.tensor as pt

    density = -0.5 * (cuts / sd) ** 2 - pt.log(sd) - 0.5 * np.log(2 * np.pi)
    return pt.sum(density) + pt.gammaln(cuts.shape[0] + 1.0) + pt.sum(steps[1:])


def _interval_logp(value: pt.TensorVariable, upper: pt.TensorVariable, lower: pt.TensorVariable) -> pt.TensorVariable:
    """Log probability of the interval that the response fell into; its ends say which one that was."""
    import pytensor.tensor as pt

    return pt.log(-pt.expm1(lower - upper)) - pt.softplus(-upper) - pt.softplus(lower)

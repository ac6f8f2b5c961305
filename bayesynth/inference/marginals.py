"""Marginal distributions as PyMC models, written once each and compiled for every column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesynth.encoding.counts import FLOOR
from bayesynth.encoding.distributions import Sample
from bayesynth.encoding.parametric import DISTRIBUTIONS
from bayesynth.inference._engine import load
from bayesynth.inference.kernels import LogDensity, compiled, quiet_engines

if TYPE_CHECKING:
    import pymc as pm

TEMPLATE = Sample(np.array([1.0, 2.0]) / 3, np.ones(2), 0.0, 1.0, 0.5, 0.1)


def data_of(distribution: str, sample: Sample) -> dict[str, np.ndarray]:
    """Values of the model's data containers for a column."""
    found = {
        "y": sample.values,
        "counts": sample.counts,
        "lower": np.array(sample.lower),
        "upper": np.array(sample.upper),
        "mean": np.array(sample.mean),
    }
    if distribution == "kernel":
        found |= {"cell": np.array(sample.cell), "rule": np.array(DISTRIBUTIONS["kernel"].rule(sample))}
    return found


def marginal_model(distribution: str, sample: Sample) -> pm.Model:
    """Write a marginal as a PyMC model whose data can be replaced.

    Parameters
    ----------
    distribution : str
        Its name.
    sample : Sample
        The column.
    """
    pm = load("pymc")
    mean, sd = np.array(DISTRIBUTIONS[distribution].prior).T
    with pm.Model() as model:
        data = {name: pm.Data(name, value) for name, value in data_of(distribution, sample).items()}
        theta = pm.Normal("theta", mean, sd, shape=len(mean))
        density = _LIKELIHOODS[distribution](pm, theta, data)
        pm.Potential("likelihood", (data["counts"] * density).sum())
    return model


@cache
def _kernel(distribution: str) -> tuple[Mapping[str, Any], Callable[..., tuple[np.ndarray, np.ndarray]]]:
    model = marginal_model(distribution, TEMPLATE)
    data = {name: model[name] for name in data_of(distribution, TEMPLATE)}
    function = compiled(model)
    with quiet_engines():
        function(np.zeros(len(DISTRIBUTIONS[distribution].prior)))
    return data, function


def log_density_of(distribution: str, sample: Sample) -> LogDensity:
    """Compiled log posterior density and gradient of a column's parameters; the next column takes this one's place."""
    data, function = _kernel(distribution)
    for name, value in data_of(distribution, sample).items():
        data[name].set_value(np.asarray(value, order="C"), borrow=True)

    def log_density(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = function(flat)
        return float(value), gradient

    return log_density


def _normal(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    return pm.logp(pm.Normal.dist(t[0], pm.math.exp(t[1])), d["y"])


def _log_normal(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    return pm.logp(pm.LogNormal.dist(t[0], pm.math.exp(t[1])), d["y"])


def _student_t(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    return pm.logp(pm.StudentT.dist(nu=pm.math.exp(t[2]), mu=t[0], sigma=pm.math.exp(t[1])), d["y"])


def _gamma(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    shape = pm.math.exp(t[1])
    return pm.logp(pm.Gamma.dist(alpha=shape, beta=shape * pm.math.exp(-t[0])), d["y"])


def _beta(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    total = pm.math.exp(t[1])
    return pm.logp(pm.Beta.dist(pm.math.sigmoid(t[0]) * total, pm.math.sigmoid(-t[0]) * total), d["y"])


def _truncated_normal(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    law = pm.TruncatedNormal.dist(t[0], pm.math.exp(t[1]), lower=d["lower"], upper=d["upper"])
    return pm.logp(law, d["y"])


def _uniform(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    below, above = (-pm.logcdf(pm.Normal.dist(0.0, 1.0), -t[i]) for i in (0, 1))
    return pm.logp(pm.Uniform.dist(-below, 1.0 + above), d["y"])


def _exponential(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    return pm.logp(pm.Exponential.dist(scale=pm.math.exp(t[0])), d["y"])


def _negative_binomial(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    law = pm.NegativeBinomial.dist(mu=d["mean"] * pm.math.exp(t[0]), alpha=pm.math.exp(t[1]))
    return pm.logp(law, d["y"])


def _poisson(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    return pm.logp(pm.Poisson.dist(d["mean"] * pm.math.exp(t[0])), d["y"])


def _kernel_density(pm: Any, t: Any, d: Mapping[str, Any]) -> Any:
    """Log density of each value under the kernels of rows with other values: a left-out likelihood."""
    pt = load("pytensor.tensor")
    h, y = pt.sqrt((d["rule"] * pm.math.exp(t[0])) ** 2 + d["cell"] ** 2 / 12), d["y"]
    heights = 0.0
    for centres in (y, 2 * d["lower"] - y, 2 * d["upper"] - y):
        heights = heights + pt.exp(-0.5 * ((y[:, None] - centres[None, :]) / h) ** 2)
    counts = d["counts"]
    others = (pt.dot(heights, counts) - counts * pt.diagonal(heights)) / (counts.sum() - counts)
    return pt.log(others / (h * np.sqrt(2 * np.pi)) + FLOOR)


_LIKELIHOODS: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], Any]] = {
    "normal": _normal,
    "log_normal": _log_normal,
    "student_t": _student_t,
    "gamma": _gamma,
    "beta": _beta,
    "truncated_normal": _truncated_normal,
    "uniform": _uniform,
    "exponential": _exponential,
    "negative_binomial": _negative_binomial,
    "poisson": _poisson,
    "kernel": _kernel_density,
}

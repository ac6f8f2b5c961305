"""The law of the coverage study: a small trial whose true means, coefficients and hazard ratios are known.

Age and arm; a marker that depends on both; a response by logistic regression on arm and marker; an exponential time to
an event with proportional hazards in arm and marker, censored by an independent exponential time. What is recorded of
the time, and whether the event came first, are then exactly exponential and logistic given arm and marker, so the law
is a Bayesian network over the six recorded columns, `GRAPH`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit

GRAPH = (
    ("age", "marker"),
    ("arm", "marker"),
    ("arm", "response"),
    ("marker", "response"),
    ("arm", "time"),
    ("marker", "time"),
    ("arm", "event"),
    ("marker", "event"),
)
COLUMNS = ("age", "arm", "marker", "response", "time", "event")
BLANK_COLUMNS, SHARE, SLOPE = ("marker", "response"), 0.3, 1.0
BURN_IN, THIN, STEPS = 300, 20, 4  # of the sampler of the true model's posterior
WEAK = 2.5  # prior standard deviation of coefficients of arm and marker; intercepts have four times as much


@dataclass(frozen=True)
class Law:
    """Parameters of the trial; coefficients are for (1, arm, marker), those of the marker for (1, age, arm)."""

    age: tuple[float, float] = (60.0, 10.0)
    arm: float = 0.5
    marker: tuple[float, ...] = (-2.4, 0.04, 0.5)
    spread: float = 1.0
    response: tuple[float, ...] = (-0.4, 0.6, 0.7)
    hazard: tuple[float, ...] = (-1.0, -0.5, 0.4)
    censoring: float = -1.5

    def draw(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """Draw a complete trial, rounded as records are."""
        age = rng.normal(*self.age, n)
        arm = (rng.random(n) < self.arm).astype(float)
        marker = np.column_stack([np.ones(n), age, arm]) @ self.marker + self.spread * rng.standard_normal(n)
        X = np.column_stack([np.ones(n), arm, marker])
        response = rng.random(n) < expit(X @ self.response)
        event, censored = (rng.exponential(np.exp(-r)) for r in (X @ self.hazard, np.full(n, self.censoring)))
        values = (
            np.round(age, 1),
            arm.astype(int),
            np.round(marker, 2),
            response.astype(int),
            np.round(np.minimum(event, censored), 4),
            (event <= censored).astype(int),
        )
        return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


LAW = Law()


def _truth() -> dict[str, float]:
    slope, effect = LAW.marker[1] * LAW.age[1], LAW.marker[2]
    variance = slope**2 + effect**2 * LAW.arm * (1 - LAW.arm) + LAW.spread**2
    x, weights = np.polynomial.hermite_e.hermegauss(60)
    rate = 0.0
    for arm, share in ((0, 1 - LAW.arm), (1, LAW.arm)):
        mean = LAW.marker[0] + LAW.marker[1] * LAW.age[0] + effect * arm
        marker = mean + np.sqrt(slope**2 + LAW.spread**2) * x
        linear = LAW.response[0] + LAW.response[1] * arm + LAW.response[2] * marker
        rate += share * float(expit(linear) @ weights / weights.sum())
    return {
        "mean of marker": LAW.marker[0] + LAW.marker[1] * LAW.age[0] + effect * LAW.arm,
        "share of response": rate,
        "correlation of age and marker": float(np.arctanh(slope / np.sqrt(variance))),
        "linear: age": LAW.marker[1],
        "linear: arm": effect,
        "logistic: arm": LAW.response[1],
        "logistic: marker": LAW.response[2],
        "Cox: arm": LAW.hazard[1],
        "Cox: marker": LAW.hazard[2],
    }


TRUTH: Mapping[str, float] = _truth()


def world(n: int, blanks: str, seed: int) -> pd.DataFrame:
    """Draw one real table.

    Parameters
    ----------
    n : int
        Rows.
    blanks : {"complete", "mcar", "mar"}
        "mcar": 30% of marker and of response are blank at random; "mar": more so for the old, whose age is recorded.
    seed : int
        Of this table.
    """
    rng = np.random.default_rng([seed, n])
    frame = LAW.draw(n, rng)
    slope = {"complete": None, "mcar": 0.0, "mar": SLOPE}[blanks]
    if slope is None:
        return frame
    at = np.linspace(-4, 4, 801)
    z = np.random.default_rng(1).standard_normal(20_000)
    level = np.interp(SHARE, expit(at[:, None] + slope * z).mean(axis=1), at)
    chance = expit(level + slope * (frame["age"] - LAW.age[0]) / LAW.age[1])
    for name in BLANK_COLUMNS:
        frame[name] = frame[name].astype(float).mask(rng.random(n) < chance)
    return frame


# --- analyses ----------------------------------------------------------------------------------------------------


def analyse(frame: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """All estimates with their variances, complete cases each; statsmodels and lifelines give the same (`check`)."""
    values = {name: frame[name].to_numpy(dtype=float, na_value=np.nan) for name in COLUMNS}
    marker, response = (values[name][~np.isnan(values[name])] for name in ("marker", "response"))
    rate, n = response.mean(), len(response)
    found = {
        "mean of marker": (marker.mean(), marker.var(ddof=1) / len(marker)),
        "share of response": (rate, rate * (1 - rate) / n),
    }
    x, y = _complete(values, "age", "marker")
    found["correlation of age and marker"] = (np.arctanh(np.corrcoef(x, y)[0, 1]), 1 / (len(x) - 3))
    for kind, (outcomes, regressors, fit) in REGRESSIONS.items():
        *ys, first, second = _complete(values, *outcomes, *regressors)
        estimates, covariance = fit(*ys, np.column_stack([first, second]))
        for name, estimate, variance in zip(regressors, estimates, np.diag(covariance), strict=True):
            found[f"{kind}: {name}"] = (estimate, variance)
    return {name: (float(found[name][0]), float(found[name][1])) for name in TRUTH}


def _complete(values: Mapping[str, np.ndarray], *names: str) -> list[np.ndarray]:
    seen = ~np.isnan([values[name] for name in names]).any(axis=0)
    return [values[name][seen] for name in names]


def least_squares(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of a linear regression and their covariances."""
    X = np.column_stack([np.ones(len(y)), X])
    inverse = np.linalg.inv(X.T @ X)
    beta = inverse @ X.T @ y
    return beta[1:], (inverse * (((y - X @ beta) ** 2).sum() / (len(y) - X.shape[1])))[1:, 1:]


def logistic(y: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of a logistic regression and their covariances."""
    X = np.column_stack([np.ones(len(y)), X])

    def derivatives(beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = expit(X @ beta)
        return X.T @ (y - p), (X.T * (p * (1 - p))) @ X

    beta, covariance = _newton(derivatives, X.shape[1])
    return beta[1:], covariance[1:, 1:]


def cox(time: np.ndarray, event: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log hazard ratios of a proportional-hazards model (Breslow's ties) and their covariances."""
    order = np.argsort(-time, kind="stable")
    time, event, X = time[order], event[order] == 1, X[order] - X.mean(axis=0)
    last = np.searchsorted(-time, -time, side="right") - 1  # everybody at risk at this time comes up to here
    outer = X[:, :, None] * X[:, None, :]

    def derivatives(beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        weight = np.exp(X @ beta)
        s0 = np.cumsum(weight)[last][event]
        s1 = np.cumsum(weight[:, None] * X, axis=0)[last][event] / s0[:, None]
        s2 = np.cumsum(weight[:, None, None] * outer, axis=0)[last][event] / s0[:, None, None]
        return (X[event] - s1).sum(axis=0), (s2 - s1[:, :, None] * s1[:, None, :]).sum(axis=0)

    return _newton(derivatives, X.shape[1])


def _newton(derivatives: Callable, p: int) -> tuple[np.ndarray, np.ndarray]:
    beta = np.zeros(p)
    for _ in range(50):
        gradient, information = derivatives(beta)
        step = np.linalg.solve(information, gradient)
        beta = beta + step / max(1.0, np.abs(step).max() / 2)
        if np.abs(step).max() < 1e-9:
            return beta, np.linalg.inv(derivatives(beta)[1])
    raise ArithmeticError("no maximum: the data are separated")


REGRESSIONS = {
    "linear": (("marker",), ("age", "arm"), least_squares),
    "logistic": (("response",), ("arm", "marker"), logistic),
    "Cox": (("time", "event"), ("arm", "marker"), cox),
}


# --- the posterior of the true model -----------------------------------------------------------------------------


def posterior(frame: pd.DataFrame, draws: int, rng: np.random.Generator) -> Iterator[Law]:
    """Draw laws from the posterior of the true model under weak priors; blank markers are drawn along.

    Age, arm, censoring and the marker's regression are conjugate. Coefficients of response and hazard take random-walk
    steps, blank markers steps proposed by their regression.
    """
    v = {name: frame[name].to_numpy(dtype=float, na_value=np.nan) for name in COLUMNS}
    n, blank, seen = len(frame), np.isnan(v["marker"]), ~np.isnan(v["response"])
    D = np.column_stack([np.ones(n), v["age"] - v["age"].mean(), v["arm"]])
    marker, law = v["marker"].copy(), LAW
    beta, spread = _regression(marker[~blank], D[~blank], rng)
    marker[blank] = D[blank] @ beta + spread * rng.standard_normal(blank.sum())
    theta = {"response": np.zeros(3), "hazard": np.zeros(3)}
    scale = {}
    for name, likelihood in _LIKELIHOODS.items():
        theta[name], scale[name] = _mode(partial(likelihood, v, seen), np.column_stack([np.ones(n), v["arm"], marker]))
    for i in range(BURN_IN + draws * THIN):
        X = np.column_stack([np.ones(n), v["arm"], marker])
        for name, likelihood in _LIKELIHOODS.items():
            theta[name] = _walk(theta[name], scale[name], partial(likelihood, v, seen), X, rng)
        beta, spread = _regression(marker, D, rng)
        if blank.any():
            marker = _redraw(marker, blank, D @ beta, spread, theta, v, seen, rng)
        if i >= BURN_IN and (i - BURN_IN) % THIN == THIN - 1:
            yield replace(
                law,
                age=_normal(v["age"], rng),
                arm=rng.beta(1 + v["arm"].sum(), 1 + n - v["arm"].sum()),
                marker=(beta[0] - beta[1] * v["age"].mean(), beta[1], beta[2]),
                spread=spread,
                response=tuple(theta["response"]),
                hazard=tuple(theta["hazard"]),
                censoring=np.log(rng.gamma(1 + n - v["event"].sum()) / v["time"].sum()),
            )


def _response(v: Mapping[str, np.ndarray], seen: np.ndarray, linear: np.ndarray) -> np.ndarray:
    sign = np.where(v["response"] == 1, 1.0, -1.0)
    return np.where(seen, log_expit(sign * linear), 0.0)


def _hazard(v: Mapping[str, np.ndarray], seen: np.ndarray, linear: np.ndarray) -> np.ndarray:
    return v["event"] * linear - v["time"] * np.exp(linear)


_LIKELIHOODS = {"response": _response, "hazard": _hazard}  # log, row by row, of a linear predictor


def _log_posterior(likelihood: Callable, X: np.ndarray, theta: np.ndarray) -> float:
    prior = theta / (WEAK * np.array([4.0, 1.0, 1.0]))
    return float(likelihood(X @ theta).sum() - (prior**2).sum() / 2)


def _mode(likelihood: Callable, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where coefficients start, and a root of the covariance of their steps."""
    from scipy.optimize import minimize

    found = minimize(lambda theta: -_log_posterior(likelihood, X, theta), np.zeros(3), method="BFGS")
    return found.x, np.linalg.cholesky(found.hess_inv) * 2.4 / np.sqrt(3)


def _walk(
    theta: np.ndarray, root: np.ndarray, likelihood: Callable, X: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    here = _log_posterior(likelihood, X, theta)
    for _ in range(STEPS):
        proposed = theta + root @ rng.standard_normal(3)
        there = _log_posterior(likelihood, X, proposed)
        if np.log(rng.random()) < there - here:
            theta, here = proposed, there
    return theta


def _redraw(
    marker: np.ndarray,
    blank: np.ndarray,
    mean: np.ndarray,
    spread: float,
    theta: Mapping[str, np.ndarray],
    v: Mapping[str, np.ndarray],
    seen: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    def worth(values: np.ndarray) -> np.ndarray:
        lines = ((name, t[0] + t[1] * v["arm"] + t[2] * values) for name, t in theta.items())
        return sum(_LIKELIHOODS[name](v, seen, line) for name, line in lines)

    proposed = np.where(blank, mean + spread * rng.standard_normal(len(marker)), marker)
    taken = np.log(rng.random(len(marker))) < worth(proposed) - worth(marker)
    return np.where(blank & taken, proposed, marker)


def _regression(y: np.ndarray, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    inverse = np.linalg.inv(X.T @ X)
    centre = inverse @ X.T @ y
    spread = np.sqrt(((y - X @ centre) ** 2).sum() / rng.chisquare(len(y) - X.shape[1]))
    return centre + spread * np.linalg.cholesky(inverse) @ rng.standard_normal(X.shape[1]), float(spread)


def _normal(x: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    spread = np.sqrt(((x - x.mean()) ** 2).sum() / rng.chisquare(len(x) - 1))
    return float(x.mean() + spread * rng.standard_normal() / np.sqrt(len(x))), float(spread)

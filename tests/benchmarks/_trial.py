"""A clinical trial whose law is known, and tables that fail it in one known way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import invwishart

COPIED, BLANK_ODDS = 0.1, 2.0
Maker = Callable[[pd.DataFrame, int, np.random.Generator], pd.DataFrame]  # of a synthetic table, from the real one


@dataclass(frozen=True)
class Scenario:
    """Where the real table comes from, and a synthetic one.

    Parameters
    ----------
    real : callable
        Draws n real rows.
    synthetic : callable
        Draws n synthetic rows, given the real ones.
    is_true : bool
        Whether the synthetic rows have the law of the real ones, so that "worse than floor" would be an error.
    """

    real: Callable[[int, np.random.Generator], pd.DataFrame]
    synthetic: Maker
    is_true: bool = False


def trial(
    n: int, rng: np.random.Generator, *, interaction: float = 1.0, odds: float = 1.0, slope: float = 1.0
) -> pd.DataFrame:
    """Nine columns: treatment works for one sex only, two laboratory values are missing together.

    Parameters
    ----------
    n : int
        Rows.
    rng : Generator
        Stream.
    interaction : float
        Difference between the sexes in the effect of a standard deviation of the marker on the log odds of response,
        halved; it has no main effect.
    odds : float
        Factor of the odds of every blank.
    slope : float
        Change of the log odds of a blank for each standard deviation of age or step of stage.
    """
    age = np.round(60 + 10 * rng.standard_normal(n))
    z = (age - 60) / 10
    woman = rng.random(n) < 0.5
    stage = 1 + (0.6 * z + rng.logistic(size=n) > np.array([[-1.2], [0.3], [1.6]])).sum(axis=0)
    log_marker = 0.4 * (stage - 2.3) + rng.standard_normal(n)
    arm = rng.choice(["drug", "placebo", "both"], n)
    weight = np.round(65 + 12 * ~woman + 9 * rng.standard_normal(n), 1)
    albumin = np.round(38 - 1.5 * log_marker - 1.2 * z + 3 * rng.standard_normal(n), 1)
    visits = rng.poisson(np.exp(0.8 + 0.2 * (stage - 2.3)))
    log_odds = -0.3 + 0.5 * (arm != "placebo") + interaction * np.where(woman, 1, -1) * log_marker
    response = rng.random(n) < expit(log_odds)
    marker = np.round(np.exp(log_marker), 2)
    no_albumin = rng.random(n) < expit(np.log(odds * 0.18) + slope * z)
    no_lab = rng.random(n) < expit(np.log(odds * 0.2) + 0.7 * slope * (stage - 2.3))
    return pd.DataFrame(
        {
            "age": age,
            "sex": np.where(woman, "f", "m"),
            "stage": pd.Categorical(stage, categories=[1, 2, 3, 4], ordered=True),
            "arm": arm,
            "marker": np.where(no_lab, np.nan, marker),
            "weight": np.where(no_lab, np.nan, weight),
            "albumin": np.where(no_albumin, np.nan, albumin),
            "visits": visits,
            "response": response,
        }
    )


def normal(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Five correlated normal columns."""
    cov = np.array([0.7 ** abs(i - j) for i in range(5) for j in range(5)]).reshape(5, 5)
    return pd.DataFrame(rng.multivariate_normal(np.zeros(5), cov, n), columns=list("abcde"))


def proper(real: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Normal rows, their parameters drawn from the posterior given the real rows."""
    centred = real.to_numpy() - real.to_numpy().mean(axis=0)
    cov = invwishart(len(real) - 1, centred.T @ centred).rvs(random_state=rng)
    mean = rng.multivariate_normal(real.mean(), cov / len(real))
    return pd.DataFrame(rng.multivariate_normal(mean, cov, n), columns=real.columns)


def plug_in(real: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Normal rows, their parameters held at the estimates."""
    return pd.DataFrame(rng.multivariate_normal(real.mean(), real.cov(), n), columns=real.columns)


def shuffled(real: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Fresh rows, every column put into a random order."""
    fresh = trial(n, rng)
    return pd.DataFrame({name: fresh[name].iloc[rng.permutation(n)].array for name in fresh})


def one_shuffled(real: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Fresh rows, the marker put into a random order where it is observed."""
    fresh = trial(n, rng)
    known = fresh["marker"].notna()
    fresh.loc[known, "marker"] = rng.permutation(fresh.loc[known, "marker"])
    return fresh


def copied(real: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Fresh rows, a tenth of them replaced by copies of real ones."""
    k = round(COPIED * n)
    copies = real.iloc[rng.choice(len(real), k, replace=False)]
    return pd.concat([copies, trial(n - k, rng)], ignore_index=True)


def fresh(**changes: float) -> Maker:
    """Fresh rows of a law that is changed."""
    return lambda real, n, rng: trial(n, rng, **changes)


SCENARIOS: Mapping[str, Scenario] = {
    "truth": Scenario(trial, fresh(), is_true=True),
    "right model, drawn parameters": Scenario(normal, proper, is_true=True),
    "right model, fixed parameters": Scenario(normal, plug_in, is_true=True),
    "shuffled columns": Scenario(trial, shuffled),
    "one shuffled column": Scenario(trial, one_shuffled),
    "dropped interaction": Scenario(trial, fresh(interaction=0.0)),
    "shifted blanks": Scenario(trial, fresh(odds=BLANK_ODDS)),
    "blanks at random": Scenario(trial, fresh(slope=0.0)),
    "10% copied rows": Scenario(trial, copied),
}


def response_model(frame: pd.DataFrame) -> tuple[pd.Series, np.ndarray]:
    """Estimates and variances of a linear model of the outcome, complete cases."""
    names = list(frame.columns)
    if "response" not in names:
        design, y = frame[names[1:]].to_numpy(float), frame[names[0]].to_numpy(float)
    else:
        rows = frame.dropna(subset=["marker"])
        sex, marker = np.where(rows["sex"] == "f", 1.0, -1.0), np.log(rows["marker"].to_numpy(float) + 0.01)
        design = np.column_stack([sex, marker, sex * marker, rows["arm"] == "placebo"]).astype(float)
        y, names = rows["response"].to_numpy(float), ["", "sex", "marker", "sex:marker", "placebo"]
    X = np.column_stack([np.ones(len(y)), design])
    inverse = np.linalg.inv(X.T @ X)
    beta = inverse @ X.T @ y
    residual = y - X @ beta
    variances = np.diag(inverse) * (residual @ residual) / (len(y) - X.shape[1])
    return pd.Series(beta, index=["intercept", *names[1:]]), variances

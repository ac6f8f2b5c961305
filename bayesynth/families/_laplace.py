"""Draws from a Laplace approximation on PyMC's unconstrained scale, with their importance ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesynth.families._base import Approximation, Parameters, Prior, Task

if TYPE_CHECKING:
    from bayesynth.families._base import Family

CELLS_AT_A_TIME = 1_000_000
DRAWS_CHECKED = 500  # enough for the tail of the importance ratios


def approximate_by_modes(
    family: Family, task: Task, prior: Prior, n_draws: int, rng: np.random.Generator, df: float
) -> Approximation:
    """Draw from the normal, or a t, at the posterior mode.

    Parameters
    ----------
    family : Family
        What to approximate; it says how its parameters stretch the unconstrained scale (`log_jacobian`).
    task, prior
        What the posterior is of.
    n_draws : int
        Draws.
    rng : Generator
        Randomness.
    df : float
        Degrees of freedom of the t; infinity for the normal.
    """
    mode, precision = family.peak(task, prior)
    factor = np.linalg.cholesky(precision)
    noise, proposal = standard_draws(n_draws, len(mode), df, rng)
    flat = mode + np.linalg.solve(factor.T, noise.T).T
    first = slice(DRAWS_CHECKED if np.isinf(df) else None)
    with np.errstate(over="ignore", invalid="ignore"):  # far out in the tails of a t, where nothing is likely
        named = family.constrain(flat, task)
        checked = {name: values[first] for name, values in named.items()}
        target = log_posterior(family, checked, task, prior) + family.log_jacobian(flat[first], task)
    return Approximation(named, target - proposal[first])


def standard_draws(n: int, d: int, df: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw from a standard multivariate t, or normal where df is infinite; and their log densities up to a constant.

    Returns
    -------
    draws : ndarray, shape (n, d)
    log_density : ndarray, shape (n,)
    """
    normal = rng.standard_normal((n, d))
    if np.isinf(df):
        return normal, -0.5 * (normal**2).sum(1)
    draws = normal * np.sqrt(df / rng.chisquare(df, n))[:, None]
    return draws, -0.5 * (df + d) * np.log1p((draws**2).sum(1) / df)


def log_posterior(family: Family, parameters: Parameters, task: Task, prior: Prior) -> np.ndarray:
    """Log likelihood plus log prior of each draw, shape (s,), some draws at a time so that memory stays bounded."""
    slope_sd = prior.tau / np.sqrt(family.null_information(task.y, task.n_levels))
    n_draws = len(next(iter(parameters.values())))
    block = max(1, CELLS_AT_A_TIME // (len(task.y) * max(1, task.n_levels)))
    likelihood = [
        family.log_likelihood({k: v[i : i + block] for k, v in parameters.items()}, task.y, task.X).sum(1)
        for i in range(0, n_draws, block)
    ]
    return np.concatenate(likelihood) + family.log_prior(parameters, slope_sd, prior)

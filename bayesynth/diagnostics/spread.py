"""From estimates and variances of every table to total variances, intervals and covariances, by a rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from bayesynth.diagnostics.estimates import Stack
from bayesynth.diagnostics.rules import (
    Rule,
    Sizes,
    barnard_rubin,
    combined,
    degrees_of_freedom,
    mixture_quantiles,
    positive_definite,
)
from bayesynth.errors import InputError, Problem

# With fewer degrees of freedom a difference of two variances is noise: its t interval covers everything, or nothing.
FEWEST_DF = 1.0


@dataclass(frozen=True)
class Spread:
    """How far pooled estimates may be off, all of shape (p,) but for the ends, (2, p), and the matrix, (p, p).

    Parameters
    ----------
    between, within, total : ndarray
        b, the mean of u, and T.
    df : ndarray
        Degrees of freedom.
    ends : ndarray
        Of the intervals.
    adjusted : ndarray of bool
        Where T was replaced.
    matrix : ndarray or None
        Covariances.
    matrix_adjusted : bool
        Whether they were replaced.
    """

    between: np.ndarray
    within: np.ndarray
    total: np.ndarray
    df: np.ndarray
    ends: np.ndarray
    adjusted: np.ndarray
    matrix: np.ndarray | None
    matrix_adjusted: bool


def _parts(x: np.ndarray, within: np.ndarray, nest_of: np.ndarray | None, square: Callable) -> dict[str, np.ndarray]:
    """Variances (or matrices of covariances) between tables, within them, and within nests."""
    if nest_of is None:
        return {"between": square(x) if len(x) > 1 else np.full_like(within[0], np.nan), "within": within.mean(axis=0)}
    groups = [x[nest_of == i] for i in range(nest_of.max() + 1)]
    means = np.array([group.mean(axis=0) for group in groups])
    nested = np.mean([square(group) for group in groups], axis=0)
    return {"between": square(means), "within": within.mean(axis=0), "nested": nested}


def _variance(x: np.ndarray) -> np.ndarray:
    return x.var(axis=0, ddof=1)


def _covariance(x: np.ndarray) -> np.ndarray:
    deviations = x - x.mean(axis=0)
    return deviations.T @ deviations / (len(x) - 1)


def spread_by(
    kind: str, rule: Rule, stacked: Stack, sizes: Sizes, nest_of: np.ndarray | None, df_complete: float, level: float
) -> Spread:
    """Apply a rule to the estimates of all tables.

    Parameters
    ----------
    kind, rule : str, Rule
        The rule and its name.
    stacked : Stack
        Estimates and variances.
    sizes : Sizes
        Of the tables.
    nest_of : ndarray of int or None
        The nest of each table.
    df_complete : float
        Degrees of freedom of the analysis of the real table.
    level : float
        Of the intervals.
    """
    weights = rule.weights(sizes)
    parts = _parts(stacked.values, stacked.variances, nest_of, _variance)
    freedom = {"between": sizes.m - 1, "within": df_complete, "nested": sizes.m * (sizes.per_nest - 1)}
    total = combined(weights, parts)
    if kind == "imputation" and np.isfinite(df_complete):
        df = barnard_rubin(total, parts["between"], sizes.m, df_complete)
    else:
        df = degrees_of_freedom(weights, parts, freedom)
    adjusted = (total <= 0) | ((df < FEWEST_DF) & (min(weights.values()) < 0))
    total = mended(total, adjusted, parts["within"], sizes.ratio)
    df = np.where(adjusted, sizes.m - 1, df)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if kind == "mixture":
        df, ends = np.full(len(df), np.nan), mixture_quantiles(stacked.values, stacked.variances, tails)
    else:
        ends = stacked.values.mean(axis=0) + stdtrit(df, tails[:, None]) * np.sqrt(total)
    matrix, replaced = matrix_by(weights, stacked, nest_of, sizes.ratio)
    return Spread(parts["between"], parts["within"], total, df, ends, adjusted, matrix, replaced)


def mended(total: np.ndarray, wrong: np.ndarray, within: np.ndarray, ratio: float) -> np.ndarray:
    """Replace variances that cannot be by (k/n) u [Reiter2002]_.

    Raises
    ------
    InputError
        If k/n is not known.
    """
    if wrong.any() and np.isnan(ratio):
        found, why = "the rule gives a variance that is not positive, or all noise", "k/n is needed to mend it"
        raise InputError(Problem(found, why, "pass n_real and n_synthetic, or pool more and larger tables"))
    return np.where(wrong, ratio * within, total)


def matrix_by(
    weights: Mapping[str, float], stacked: Stack, nest_of: np.ndarray | None, ratio: float
) -> tuple[np.ndarray | None, bool]:
    """Combine matrices; one that is not positive definite is replaced as a whole, if k/n is known."""
    if stacked.covariances is None:
        return None, False
    parts = _parts(stacked.values, stacked.covariances, nest_of, _covariance)
    total = combined(weights, parts)
    total = (total + total.T) / 2
    if positive_definite(total, np.diag(parts["within"])):
        return total, False
    within = (parts["within"] + parts["within"].T) / 2
    return (None if np.isnan(ratio) else ratio * within), True

"""Inequalities between columns: a <= b in every row, where unrelated or merely correlated columns would cross."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr, ndtri

from bayesynth.rules.discover_evidence import Findings, Found, weigh
from bayesynth.rules.discover_table import Field, Table

KIND = "inequality"


def find_inequalities(table: Table) -> Findings:
    """Search all ordered pairs of columns that are measured alike."""
    pairs = [
        (low, high) for low in table.measured for high in table.measured if low is not high and low.sort == high.sort
    ]
    return Findings.of(_never_crossing(table, pairs), len(pairs))


def _never_crossing(table: Table, pairs: list[tuple[Field, Field]]) -> Iterator[Found]:
    for low, high in pairs:
        if np.any(low.values > high.values):
            continue
        both = low.observed & high.observed
        a, b = low.values[both], high.values[both]
        if len(a) and not np.array_equal(a, b):
            yield Found(KIND, (low.name, high.name), weigh(crossing(a, b), table.aside[both]))


def crossing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    r"""Probability that each row had a > b under the smooth law that makes it least likely.

    Two laws keep both marginal distributions: independence, :math:`F_b(a_i-)`, and the Gaussian copula with the
    correlation :math:`\rho` of the normal scores,
    :math:`\Phi\{(\Phi^{-1}(F_b(a_i-)) - \rho z_i) / \sqrt{1 - \rho^2}\}`. The second knows that columns which go
    together without any rule hardly ever cross. Under two more b - a is normal, or log b - log a where both are
    positive: a gap that is wide beside its spread needs no rule.

    Parameters
    ----------
    a, b : array of float
        The columns, (rows,).
    """
    n = len(a)
    below = np.searchsorted(np.sort(b), a, side="left") / n
    z_a, z_b = _scores(a), _scores(b)
    spread = np.sqrt((z_a @ z_a) * (z_b @ z_b))
    rho = np.clip((z_a @ z_b) / spread if spread > 0 else 0.0, -1 + 1e-6, 1 - 1e-6)
    bound = ndtri(np.clip(below, 0.5 / n, 1 - 0.5 / n))
    together = np.where(below > 0, ndtr((bound - rho * z_a) / np.sqrt(1 - rho**2)), 0.0)
    laws = [below, together, _below_zero(b - a)]
    if min(a.min(), b.min()) > 0:
        laws.append(_below_zero(np.log(b) - np.log(a)))
    return min(laws, key=np.sum)


def _below_zero(gap: np.ndarray) -> np.ndarray:
    """Give the probability that a normal gap of this mean and spread is negative, the same for each row."""
    return np.full(len(gap), ndtr(-gap.mean() / max(gap.std(), np.finfo(float).tiny)))


def _scores(x: np.ndarray) -> np.ndarray:
    """Give normal scores of mid-ranks."""
    ordered = np.sort(x)
    middle = np.searchsorted(ordered, x, side="left") + np.searchsorted(ordered, x, side="right")
    return ndtri(middle / (2 * len(x)))

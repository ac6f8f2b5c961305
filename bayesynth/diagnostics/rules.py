"""The combining rules: each a weighted sum of variances, whose weights also give its degrees of freedom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

AUTO, FUNCTIONAL, REAL_DATA = "auto", "functional", "real_data"
REAL_ROWS = ("partial", "imputation", "nested")  # rules for tables that keep the real rows, k = n
HALVINGS = 45  # of an interval that holds a quantile: more digits than anybody reads


@dataclass(frozen=True)
class Sizes:
    """What the weights of a rule depend on.

    Parameters
    ----------
    m : int
        Tables, or nests of tables.
    ratio : float
        k/n, synthetic rows per real row; NaN if not known.
    per_nest : int
        Tables in each nest.
    """

    m: int
    ratio: float = np.nan
    per_nest: int = 1


@dataclass(frozen=True)
class Rule:
    """A combining rule.

    Parameters
    ----------
    formula : str
        Total variance T, for people; u is the mean variance within tables, b the variance between them.
    weights : callable
        Takes `Sizes`, gives the weight of b ("between"), u ("within") and, with nests, w ("nested").
    source : str
        Who published it.
    assumptions : tuple of str
        What must hold beside.
    fewest : int
        Tables that it needs.
    sized : bool
        Whether it needs n and k.
    """

    formula: str
    weights: Callable[[Sizes], Mapping[str, float]]
    source: str
    assumptions: tuple[str, ...]
    fewest: int = 2
    sized: bool = True


_COMPLETE = "the real analysis used all n rows: no blanks in the analysed columns"
_CONGENIAL = "the model of the synthesis contains the relationships that the analysis asks for"
_PROPER = "each table has its own posterior draw of all parameters"

RULES: Mapping[str, Rule] = {
    "fully": Rule(
        "(1 + 1/m)·b - u",
        lambda s: {"between": 1 + 1 / s.m, "within": -1.0},
        "Raghunathan, Reiter and Rubin (2003)",
        (_PROPER, _CONGENIAL),
        sized=False,
    ),
    "ppd": Rule(
        "u·(k/n + (1 + k/n)/m)",
        lambda s: {"within": s.ratio + (1 + s.ratio) / s.m},
        "Raab, Nowok and Dibben (2017)",
        (_PROPER, _COMPLETE, _CONGENIAL, "weak priors"),
        fewest=1,
    ),
    "ppd_hybrid": Rule(
        "b/m + u·k/n",
        lambda s: {"between": 1 / s.m, "within": s.ratio},
        "Raab, Nowok and Dibben (2017)",
        (_PROPER, _COMPLETE, _CONGENIAL),
    ),
    "plugin": Rule(
        "u·(k/n + 1/m)",
        lambda s: {"within": s.ratio + 1 / s.m},
        "Raab, Nowok and Dibben (2017)",
        (_COMPLETE, _CONGENIAL),
        fewest=1,
    ),
    "partial": Rule(
        "b/m + u",
        lambda s: {"between": 1 / s.m, "within": 1.0},
        "Reiter (2003)",
        (_PROPER, _CONGENIAL, "the tables have the real rows, k = n"),
        sized=False,
    ),
    "imputation": Rule(
        "(1 + 1/m)·b + u",
        lambda s: {"between": 1 + 1 / s.m, "within": 1.0},
        "Rubin (1987)",
        (_PROPER, _CONGENIAL, "the cells that were not blank are real; for synthetic rows this is far too wide"),
        sized=False,
    ),
    "nested": Rule(
        "(1 + 1/m)·b - w/r + u",
        lambda s: {"between": 1 + 1 / s.m, "nested": -1 / s.per_nest, "within": 1.0},
        "Reiter (2004)",
        (_PROPER, _CONGENIAL, "b is the variance between means of nests, w the mean variance within nests"),
        sized=False,
    ),
    "mixture": Rule(
        "(1 - 1/m)·b + u",
        lambda s: {"between": 1 - 1 / s.m, "within": 1.0},
        "Räisä, Jälkö and Honkela (2023)",
        (_PROPER, _CONGENIAL, "k is much larger than n: the standard error is too large by sqrt(1 + 2n/k)"),
        sized=False,
    ),
}
EXPECTED = Rule(
    "u·k/n",
    lambda s: {"within": s.ratio},
    "Raab, Nowok and Dibben (2017)",
    ("the real analysis uses as large a share of its rows as that of the synthetic tables does", _CONGENIAL),
    fewest=1,
)


def combined(weights: Mapping[str, float], parts: Mapping[str, np.ndarray]) -> np.ndarray:
    """Weigh variances, or matrices of covariances, into the total T."""
    return sum(weight * parts[name] for name, weight in weights.items())


def degrees_of_freedom(
    weights: Mapping[str, float], parts: Mapping[str, np.ndarray], df: Mapping[str, float]
) -> np.ndarray:
    r"""Degrees of freedom of a weighted sum of variances, by matching two moments.

    .. math:: \nu = T^2 \Big/ \sum_i (w_i s_i)^2 / \nu_i, \qquad T = \sum_i w_i s_i.

    With infinitely many for u this is each rule's published formula: (m-1)(1 - 1/r)^2 for `fully`, (m-1)(1 +
    m u (k/n) / b)^2 for `ppd_hybrid`, and so on.

    Parameters
    ----------
    weights, parts : mapping
        As in `combined`.
    df : mapping of str to float
        Degrees of freedom of each part.
    """
    terms = [(weights[name] * parts[name]) ** 2 / df[name] for name in weights]
    with np.errstate(divide="ignore"):
        return combined(weights, parts) ** 2 / sum(terms)


def barnard_rubin(total: np.ndarray, between: np.ndarray, m: int, df_complete: float) -> np.ndarray:
    """Degrees of freedom of Rubin's rule when the complete data would have `df_complete`.

    Notes
    -----
    Barnard and Rubin (1999), "Small-sample degrees of freedom with multiple imputation", doi:10.1093/biomet/86.4.948.
    """
    share = (1 + 1 / m) * between / total
    observed = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
    return 1 / (share**2 / (m - 1) + 1 / observed)


def mixture_quantiles(centres: np.ndarray, variances: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles of an equal mixture of normal distributions, shape (levels, p).

    Parameters
    ----------
    centres, variances : ndarray, shape (m, p)
        Of its parts.
    levels : ndarray
        Probabilities.
    """
    spreads, levels = np.sqrt(variances), np.asarray(levels)
    ends = centres + spreads * ndtri(levels)[:, None, None]  # a quantile of the mixture lies among those of its parts
    low, high = ends.min(axis=1), ends.max(axis=1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = ndtr((middle[:, None] - centres) / spreads).mean(axis=1) < levels[:, None]
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def positive_definite(matrix: np.ndarray, unit: np.ndarray) -> bool:
    """Whether a symmetric matrix is positive definite, judged on the scale of `unit`, so that units do not matter."""
    scaled = matrix / np.sqrt(unit[:, None] * unit[None, :])
    return bool(np.linalg.eigvalsh(scaled).min() > 1e-10)

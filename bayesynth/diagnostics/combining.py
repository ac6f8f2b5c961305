"""Pooling estimates over synthetic tables: the rule is chosen by how the tables came about, never guessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayesynth.diagnostics import wording
from bayesynth.diagnostics.choosing import advice, choose, contradictions
from bayesynth.diagnostics.estimates import Stack, read, stack
from bayesynth.diagnostics.pooled import COLUMNS, Pooled
from bayesynth.diagnostics.provenance import Provenance
from bayesynth.diagnostics.rules import AUTO, EXPECTED, FUNCTIONAL, REAL_DATA, REAL_ROWS, RULES, Rule, Sizes, combined
from bayesynth.diagnostics.spread import Spread, matrix_by, mended, spread_by
from bayesynth.errors import InferenceWarning, InputError, Problem, VarianceWarning, raise_all, warn


def combine(
    estimates: Any,
    variances: Any = None,
    *,
    provenance: Provenance | None = None,
    kind: str = AUTO,
    n_real: int | None = None,
    n_synthetic: int | None = None,
    columns: Sequence[str] | None = None,
    nests: Sequence | None = None,
    level: float = 0.95,
    df_complete: float | None = None,
    target: str = "population",
) -> Pooled:
    r"""Pool the estimates of an analysis that was run on every synthetic table.

    With q_l and u_l the estimate and its variance in table l of m, k rows each from n real ones, the pooled estimate is
    the mean of q_l, and its variance T a weighted sum of u, the mean of u_l, and b, the variance of q_l:

    ============== =========================== =========================================================
    kind           T                           for
    ============== =========================== =========================================================
    ``fully``      (1 + 1/m) b - u             all cells synthetic; holds with blanks in the real table
    ``ppd``        u (k/n + (1 + k/n)/m)       all cells synthetic, analysed columns complete
    ``ppd_hybrid`` b/m + u k/n                 the same, with the variance between tables as it is
    ``plugin``     u (k/n + 1/m)               parameters held fixed
    ``partial``    b/m + u                     some columns real
    ``imputation`` (1 + 1/m) b + u             real rows with filled blanks
    ``nested``     (1 + 1/m) b - w/r + u       r partial syntheses of each of m imputations
    ``mixture``    (1 - 1/m) b + u             Bayesian analyses, k much larger than n
    ============== =========================== =========================================================

    Parameters
    ----------
    estimates : array, DataFrame or sequence
        Estimates, shape (m,) or (m, p), a DataFrame with a row per table, or a sequence of Series. Without `variances`:
        a sequence of results, one per table, such as statsmodels results or pairs (estimates, variances).
    variances : array, DataFrame or sequence, optional
        Squared standard errors, shape (m,) or (m, p), or covariances, shape (m, p, p).
    provenance : Provenance, optional
        How the tables came about; ``tables.provenance`` of bayesynth's.
    kind : str
        A rule of the table; "auto" chooses by the provenance. Without one, auto is an error, not a guess.
    n_real, n_synthetic : int, optional
        Rows of the real table and of each synthetic one, where there is no provenance.
    columns : sequence of str, optional
        The columns that the analysis uses, for the choice of the rule; all columns when left out.
    nests : sequence, optional
        For `nested`: the imputation behind each table.
    level : float
        Of the intervals.
    df_complete : float, optional
        Degrees of freedom of the analysis on the real table; infinite when left out. Matters for small n with
        `plugin`, `imputation` and the target "real_data"; a posterior draw of the residual spread behind each table
        widens u by itself.
    target : {"population", "real_data"}
        Inference about the population, or what the analysis of the real table is expected to report: the same
        estimate with the standard error sqrt(u k/n), which is not the uncertainty of this estimate.

    Returns
    -------
    Pooled
        Estimates, intervals, the rule and why, what it assumes, a sentence for a paper.

    Raises
    ------
    InputError
        If the rule cannot be chosen or does not fit, or estimates or variances cannot be; lists all problems at once.

    Warns
    -----
    VarianceWarning
        If T is not positive, or so near 0 that it has less than one degree of freedom. It is then (k/n) u with m - 1
        degrees of freedom [Reiter2002]_.
    InferenceWarning
        If tables are too few or too small for the rule, or a coefficient is missing from some.

    Notes
    -----
    Raghunathan, Reiter and Rubin (2003) [Raghunathan2003]_; Raab, Nowok and Dibben (2017) [Raab2017]_; Reiter (2003)
    [Reiter2003]_; Rubin (1987) [Rubin1987]_; Reiter (2004) [Reiter2004]_; Räisä, Jälkö and Honkela (2023)
    [Raisa2023]_.

    Examples
    --------
    >>> pooled = combine([1.0, 1.2, 0.8], [0.04, 0.05, 0.03], kind="ppd_hybrid", n_real=100, n_synthetic=100)
    >>> pooled.to_frame().loc["estimate", ["estimate", "se", "lower", "upper"]].astype(float).round(3).tolist()
    [1.0, 0.231, 0.53, 1.47]
    """
    raise_all(contradictions(kind, target, level, df_complete, nests, provenance, n_real, n_synthetic))
    stacked = stack(_read(estimates, variances))
    if stacked.variances is None:
        found, why = "the analyses give estimates without variances", "every rule needs them"
        raise InputError(Problem(found, why, "return squared standard errors too; Fit.estimate can do without"))
    tables = len(stacked.values)
    if provenance is not None:
        n_real, n_synthetic = provenance.n_real, provenance.n_synthetic
    columns = None if columns is None else tuple(columns)
    kind, why = choose(kind, target, provenance, columns, tables, nests)
    rule = EXPECTED if kind == REAL_DATA else RULES[kind]
    nest_of = None if nests is None else _nest_of(nests, tables)
    ratio = np.nan if n_real is None or n_synthetic is None else n_synthetic / n_real
    per_nest = 1 if nest_of is None else tables // (nest_of.max() + 1)
    sizes = Sizes(tables // per_nest, 1.0 if kind in REAL_ROWS and np.isnan(ratio) else ratio, per_nest)
    raise_all(_too_little(kind, rule, sizes))
    for problem in advice(kind, provenance, columns, sizes):
        warn(problem, InferenceWarning)
    spread = spread_by(kind, rule, stacked, sizes, nest_of, np.inf if df_complete is None else df_complete, level)
    if spread.adjusted.any():
        warn(_replaced(stacked.names, spread.adjusted), VarianceWarning)
    facts = wording.Facts(kind, rule, provenance, tables, n_real, n_synthetic, level, int(spread.adjusted.sum()))
    return _result(stacked, spread, facts, why, target)


def functional(stacked: Stack, n_real: int, n_synthetic: int, level: float, provenance: Provenance) -> Pooled:
    r"""Quantiles over posterior draws of an estimate that was worked out on a large simulated table for each.

    The variance over draws is that of the posterior plus that of the simulation, which the analysis itself reports as
    u. Deviations from the mean are therefore shrunk by :math:`\sqrt{(b - \bar u)/b}` before quantiles are taken.

    Parameters
    ----------
    stacked : Stack
        Estimates, one per posterior draw.
    n_real, n_synthetic : int
        Rows of the real table and of each simulated one.
    level : float
        Of the intervals.
    provenance : Provenance
        Of the simulated tables.
    """
    values, m = stacked.values, len(stacked.values)
    between = values.var(axis=0, ddof=1)
    known = stacked.variances is not None
    within = stacked.variances.mean(axis=0) if known else np.zeros(values.shape[1])
    weights = {"between": 1.0, "within": -1.0}
    total = combined(weights, {"between": between, "within": within})
    adjusted = (total <= 0) & known
    total = mended(total, adjusted, within, n_synthetic / n_real)
    if adjusted.any():
        warn(_replaced(stacked.names, adjusted), VarianceWarning, stacklevel=4)
    shrink = np.sqrt(np.divide(total, between, out=np.ones_like(total), where=between > 0))
    tail = (1 - level) / 2
    centre = values.mean(axis=0)
    # (S + 1) p puts a fresh draw of the posterior between the ends with exactly the stated probability
    ends = np.quantile(centre + (values - centre) * shrink, [tail, 1 - tail], axis=0, method="weibull")
    within = within if known else np.full(len(within), np.nan)
    matrix, replaced = matrix_by(weights, stacked, None, n_synthetic / n_real)
    spread = Spread(between, within, total, np.full(len(total), np.nan), ends, adjusted, matrix, replaced)
    formula = "b - u" if known else "b"
    rule = Rule(formula, lambda s: weights, "", ())
    facts = wording.Facts(FUNCTIONAL, rule, provenance, m, n_real, n_synthetic, level, int(adjusted.sum()))
    return _result(stacked, spread, facts, "the fitted model is at hand, so its posterior is asked directly")


def _read(estimates: Any, variances: Any) -> list:
    if variances is None:
        if isinstance(estimates, (pd.DataFrame, pd.Series, np.ndarray, Mapping)) or not isinstance(estimates, Iterable):
            found, why = "there are no variances", "every rule needs them"
            raise InputError(Problem(found, why, "pass squared standard errors, or a list of results"))
        results = list(estimates)
    else:
        rows = [_rows(estimates), _rows(variances)]
        if len(rows[0]) != len(rows[1]):
            found = f"estimates of {len(rows[0])} tables and variances of {len(rows[1])}"
            raise InputError(Problem(found, "each table has both", "pass arrays whose first axis is the table"))
        results = list(zip(*rows, strict=True))
    return [read(result, f"table {i} of {len(results)}") for i, result in enumerate(results, 1)]


def _rows(values: Any) -> list:
    if isinstance(values, pd.DataFrame):
        return [values.iloc[i] for i in range(len(values))]
    return list(values) if isinstance(values, Iterable) else [values]


def _nest_of(nests: Sequence, tables: int) -> np.ndarray:
    codes, labels = pd.factorize(np.asarray(nests, dtype=object))
    counts = np.bincount(codes) if len(codes) and codes.min() >= 0 else np.zeros(1)
    if len(codes) != tables or len(labels) < 2 or counts.min() < 2 or counts.min() != counts.max():
        found = f"nests name {len(labels)} imputations for {tables} tables"
        why = "the rule needs at least two imputations with the same number of tables, at least two, of each"
        raise InputError(Problem(found, why, "pass one label per table, such as [1, 1, 2, 2, 3, 3]"))
    return codes


def _too_little(kind: str, rule: Rule, sizes: Sizes) -> list[Problem]:
    problems = []
    if sizes.m < rule.fewest:
        found = f"kind={kind!r} with {sizes.m} table"
        problems.append(Problem(found, "the variance between tables needs at least two", "pool more tables"))
    if rule.sized and np.isnan(sizes.ratio):
        found = f"kind={kind!r} without the numbers of rows"
        problems.append(Problem(found, "the rule needs k/n", "pass n_real and n_synthetic, or a provenance"))
    if kind in REAL_ROWS and sizes.ratio != 1:
        found = f"kind={kind!r} with n_synthetic different from n_real"
        problems.append(Problem(found, "such tables have the real rows", "choose the rule that fits the tables"))
    return problems


def _replaced(names: tuple[str, ...], adjusted: np.ndarray) -> Problem:
    lost = ", ".join(repr(name) for name, here in zip(names, adjusted, strict=True) if here)
    found = f"the combined variance of {lost} is not positive, or mere noise, and was replaced by (k/n) u"
    why = "the variance between so few tables of this size is too noisy"
    return Problem(found, why, "pool at least 20 tables of at least 5 n rows, or use Fit.estimate")


def _result(stacked: Stack, spread: Spread, facts: wording.Facts, why: str, target: str = "population") -> Pooled:
    columns = (
        stacked.values.mean(axis=0),
        np.sqrt(spread.total),
        *spread.ends,
        spread.df,
        spread.between,
        spread.within,
        spread.total,
        spread.adjusted,
    )
    index = pd.Index(stacked.names, name="coefficient")
    return Pooled(
        pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), index=index),
        facts.kind,
        why,
        facts.rule.formula,
        target,
        facts.level,
        facts.tables,
        facts.n_real,
        facts.n_synthetic,
        wording.assumptions(facts),
        wording.sentence(facts),
        stacked.dropped,
        spread.matrix,
        spread.matrix_adjusted,
    )

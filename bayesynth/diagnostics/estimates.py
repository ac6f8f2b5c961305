"""What an analysis says of each table: named estimates with variances, read from whatever it returns, stacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bayesynth.errors import InferenceWarning, InputError, Problem, raise_all, warn

FORMS = (
    "return a result with .params and .cov_params() (statsmodels), a pair (estimates, variances), or a mapping of "
    "names to pairs (estimate, variance)"
)
ALONE = "estimate"
# where statsmodels and lifelines keep estimates and their covariances
_HOLDERS = (("params", "cov_params"), ("params_", "variance_matrix_"))


@dataclass(frozen=True)
class Estimates:
    """Named estimates of one table.

    Parameters
    ----------
    names : tuple of str
        Coefficients.
    values : ndarray, shape (p,)
        Their estimates, in units of the analysis.
    variances : ndarray, shape (p,) or (p, p), or None
        Their squared standard errors or their covariances; None if the analysis gives none.
    named : bool
        False if the names are mere positions.
    """

    names: tuple[str, ...]
    values: np.ndarray
    variances: np.ndarray | None = None
    named: bool = True


@dataclass(frozen=True)
class Stack:
    """The same estimates of m tables.

    Parameters
    ----------
    names : tuple of str
        Coefficients that every table has.
    values : ndarray, shape (m, p)
        Estimates.
    variances : ndarray, shape (m, p), or None
        Squared standard errors.
    covariances : ndarray, shape (m, p, p), or None
        Where the analysis gives them.
    dropped : mapping of str to int
        Coefficients left out, with the number of tables that lack them.
    """

    names: tuple[str, ...]
    values: np.ndarray
    variances: np.ndarray | None = None
    covariances: np.ndarray | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)


def run(analysis: Callable[[pd.DataFrame], Any], tables: Iterable[pd.DataFrame], m: int) -> list[Estimates]:
    """Run an analysis on each of m tables.

    Parameters
    ----------
    analysis : callable
        Takes a frame and returns anything that `read` reads.
    tables : iterable of DataFrame
        Each is handed over as a copy of its own.
    m : int
        Their number, for messages.

    Raises
    ------
    InputError
        If it fails on a table, or returns what cannot be read; the table is named.
    """
    found = []
    for i, table in enumerate(tables, 1):
        try:
            result = analysis(table.copy())
        except Exception as error:
            what = f"the analysis failed on table {i} of {m}: {type(error).__name__}: {error}"
            why = "estimates are pooled over all tables or not at all"
            remedy = "try it on this table alone; fewer categories, larger tables or filled blanks often help"
            raise InputError(Problem(what, why, remedy)) from error
        found.append(read(result, f"table {i} of {m}"))
    return found


def read(result: Any, where: str) -> Estimates:
    """Read what an analysis returned.

    Parameters
    ----------
    result : object
        A statsmodels or lifelines result; a pair (estimates, variances), each a number, an array or a Series, the
        variances also a covariance matrix; a mapping of names to pairs (estimate, variance), or to numbers; or
        estimates alone, as a Series or a number.
    where : str
        The table, for messages.

    Raises
    ------
    InputError
        If it is none of them, names are missing or repeated, or shapes differ.

    Examples
    --------
    >>> read({"mean": (2.5, 0.04)}, "table 1").values
    array([2.5])
    >>> read((pd.Series({"a": 1.0, "b": 2.0}), [0.1, 0.2]), "table 1").names
    ('a', 'b')
    """
    if isinstance(result, Estimates):
        return result
    for params, covariances in _HOLDERS:
        if hasattr(result, params) and hasattr(result, covariances):
            variances = getattr(result, covariances)
            names = getattr(getattr(result, "model", None), "exog_names", None)
            return _pair(getattr(result, params), variances() if callable(variances) else variances, where, names)
    if isinstance(result, Mapping):
        return _mapping(result, where)
    if isinstance(result, tuple) and len(result) == 2:
        return _pair(*result, where)
    if isinstance(result, (pd.Series, float, int, np.number)) and not isinstance(result, bool):
        return _pair(result, None, where)
    raise InputError(Problem(f"a {type(result).__name__} from {where}", "it holds no estimates", FORMS))


def stack(found: Sequence[Estimates]) -> Stack:
    """Put the estimates of several tables side by side.

    A coefficient that some table lacks, because a level does not occur in it, is left out and counted: an average over
    the tables that happen to have it would be one over a selection.

    Raises
    ------
    InputError
        If no coefficient is in all tables, tables disagree about what they return, an estimate or a variance is not
        finite, or a variance is not positive; all of it at once, with the tables.

    Warns
    -----
    InferenceWarning
        If a coefficient was left out.
    """
    m = len(found)
    if not m:
        raise InputError(Problem("there are no estimates", "nothing can be pooled", "pass those of at least one table"))
    raise_all(_disagreements(found))
    counts = Counter(name for one in found for name in one.names)
    names = tuple(name for name, count in counts.items() if count == m)
    dropped = {name: m - count for name, count in counts.items() if count < m}
    if not names:
        why, remedy = "nothing can be pooled", "give all tables the same levels, or draw larger tables"
        raise InputError(Problem(f"no coefficient is in all {m} tables", why, remedy))
    places = [_places(one.names, names) for one in found]
    values = np.array([one.values[at] for one, at in zip(found, places, strict=True)])
    variances = covariances = None
    if found[0].variances is not None:
        if found[0].variances.ndim == 2:
            covariances = np.array([one.variances[np.ix_(at, at)] for one, at in zip(found, places, strict=True)])
            variances = np.einsum("mii->mi", covariances)
        else:
            variances = np.array([one.variances[at] for one, at in zip(found, places, strict=True)])
    raise_all(_impossible(names, values, variances, covariances))
    if dropped:
        lost = ", ".join(f"{name!r} (absent from {count} of {m})" for name, count in dropped.items())
        why = "a level does not occur in every table, and an average over a selection of tables would mislead"
        problem = Problem(f"coefficients left out: {lost}", why, "merge rare levels, or draw larger tables")
        warn(problem, InferenceWarning, stacklevel=4)
    return Stack(names, values, variances, covariances, dropped)


def _places(names: tuple[str, ...], wanted: tuple[str, ...]) -> list[int]:
    place = {name: i for i, name in enumerate(names)}
    return [place[name] for name in wanted]


# --- reading -----------------------------------------------------------------------------------------------------


def _mapping(result: Mapping, where: str) -> Estimates:
    pairs = list(result.values())
    alone = all(np.ndim(pair) == 0 for pair in pairs)
    if not pairs or not (alone or all(np.shape(pair) == (2,) for pair in pairs)):
        why = "each name needs a pair (estimate, variance)"
        raise InputError(Problem(f"a mapping of {len(pairs)} names from {where}", why, FORMS))
    values = np.array(pairs, dtype=float).reshape(len(pairs), -1)
    return Estimates(_names(list(result), where), values[:, 0], None if alone else values[:, 1])


def _pair(estimates: Any, variances: Any, where: str, names: Sequence[str] | None = None) -> Estimates:
    values = _array(estimates, "estimates", where)
    if values.ndim > 1:
        why = "there is one line of coefficients per table"
        raise InputError(Problem(f"estimates of shape {values.shape} from {where}", why, FORMS))
    scalar, values = values.ndim == 0, np.atleast_1d(values)
    indexed = isinstance(estimates, pd.Series)
    if indexed:
        names = list(estimates.index)
    elif names is None or len(names) != len(values):
        positions = [ALONE] if scalar else [str(i) for i in range(len(values))]
        return Estimates(tuple(positions), values, _variances(variances, None, len(values), where), named=False)
    return Estimates(_names(names, where), values, _variances(variances, names, len(values), where))


def _variances(variances: Any, names: Sequence | None, p: int, where: str) -> np.ndarray | None:
    if variances is None:
        return None
    if names is not None and isinstance(variances, (pd.Series, pd.DataFrame)):
        axes = [list(axis) for axis in variances.axes]
        if any(set(axis) != set(names) for axis in axes):
            why, remedy = "estimates and variances are matched by name", "give both the same index"
            raise InputError(Problem(f"variances from {where} have other names than its estimates", why, remedy))
        variances = variances.reindex(**dict(zip(("index", "columns"), [names] * len(axes), strict=False)))
    found = _array(variances, "variances", where)
    found = found.reshape(1) if found.ndim == 0 else found
    if found.shape not in ((p,), (p, p)):
        why = f"{p} estimates need {p} variances or a {p} x {p} covariance matrix"
        raise InputError(Problem(f"variances of shape {found.shape} from {where}", why, FORMS))
    return found


def _array(values: Any, what: str, where: str) -> np.ndarray:
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(Problem(f"{what} from {where} are not numbers ({error})", "they are pooled", FORMS)) from error


def _names(names: Sequence, where: str) -> tuple[str, ...]:
    texts = tuple(str(name) for name in names)
    problems = []
    if any(name is None or name != name or text == "" for name, text in zip(names, texts, strict=True)):
        why, remedy = "estimates of several tables are matched by name", "name every coefficient"
        problems.append(Problem(f"a coefficient from {where} has no name", why, remedy))
    if repeated := sorted({text for text in texts if texts.count(text) > 1}):
        why, remedy = "estimates of several tables are matched by name", "give each a name of its own"
        problems.append(Problem(f"{where} has {', '.join(map(repr, repeated))} more than once", why, remedy))
    raise_all(problems)
    return texts


# --- checks over tables ------------------------------------------------------------------------------------------


def _disagreements(found: Sequence[Estimates]) -> list[Problem]:
    m, problems = len(found), []
    forms = {None if one.variances is None else one.variances.ndim for one in found}
    if len(forms) > 1:
        remedy = "return the same form for every table"
        problems.append(Problem("some tables have other variances than others", "they cannot be averaged", remedy))
    if len({one.named for one in found}) > 1:
        unnamed = sum(not one.named for one in found)
        found_, why = f"coefficients without names in {unnamed} of {m} tables", "estimates are matched by name"
        problems.append(Problem(found_, why, "return a Series, or a mapping, for every table"))
    elif not found[0].named and len({one.names for one in found}) > 1:
        lengths = sorted({len(one.names) for one in found})
        text = f"{lengths[0]} to {lengths[-1]} coefficients without names"
        why, remedy = "which one a table lacks cannot be told", "return a Series, so that coefficients have names"
        problems.append(Problem(text, why, remedy))
    return problems


def _impossible(
    names: tuple[str, ...], values: np.ndarray, variances: np.ndarray | None, covariances: np.ndarray | None
) -> list[Problem]:
    """Everything that no analysis can mean, coefficient by coefficient with its tables."""
    kinds = [("the estimate", ~np.isfinite(values), "not a finite number", "find out why with this table alone")]
    if variances is not None:
        finite = np.isfinite(variances)
        kinds.append(("the variance", ~finite, "not a finite number", "find out why with this table alone"))
        remedy = "see whether the column varies in it; pass variances, that is squared standard errors"
        kinds.append(("the variance", finite & (variances <= 0), "not above 0", remedy))
    problems = []
    for what, wrong, how, remedy in kinds:
        for j in np.flatnonzero(wrong.any(axis=0)):
            where = np.flatnonzero(wrong[:, j]) + 1
            tables = ", ".join(map(str, where[:5])) + (" ..." if len(where) > 5 else "")
            found = f"{what} of {names[j]!r} is {how} in {len(where)} of {len(values)} tables ({tables})"
            problems.append(Problem(found, "a mean over the others would be silent about it", remedy))
    if covariances is not None and not problems:
        scale = np.sqrt(variances[:, :, None] * variances[:, None, :])
        skew = np.abs(covariances - covariances.transpose(0, 2, 1)) / scale
        if not np.all(skew < 1e-6):
            why = "covariances do not depend on the order"
            problems.append(Problem("a covariance matrix is not symmetric", why, "pass the covariance matrix itself"))
    return problems

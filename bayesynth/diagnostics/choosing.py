"""Which combining rule fits how the tables came about, and what to say where it fits badly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bayesynth.diagnostics.provenance import EACH_TABLE, FULLY, IMPUTED, PARTIALLY, Provenance
from bayesynth.diagnostics.rules import AUTO, REAL_DATA, REAL_ROWS, RULES, Sizes
from bayesynth.errors import InputError, Problem

TARGETS = ("population", REAL_DATA)
ENOUGH_TABLES, ENOUGH_ROWS, ENOUGH_FOR_MIXTURE, ENOUGH_PARTIAL = 20, 5, 10, 5
_BUILT_ON_N = ("ppd", "ppd_hybrid", "plugin")


def contradictions(
    kind: str,
    target: str,
    level: float,
    df_complete: float | None,
    nests: Sequence | None,
    provenance: Provenance | None,
    n_real: int | None,
    n_synthetic: int | None,
) -> Iterator[Problem]:
    """Collect everything that is wrong with the arguments themselves."""
    if kind != AUTO and kind not in RULES:
        yield Problem(f"kind={kind!r}", "there is no such rule", f"use one of {', '.join((AUTO, *RULES))}")
    if target not in TARGETS:
        yield Problem(f"target={target!r}", "there is no such target", f"use one of {', '.join(TARGETS)}")
    elif target == REAL_DATA and kind != AUTO:
        why = "what the real analysis would report needs no combining rule"
        yield Problem(f"kind={kind!r} with target={target!r}", why, "leave kind out")
    if not 0 < level < 1:
        yield Problem(f"level={level!r}", "it is a probability", "pass 0.95, for example")
    if df_complete is not None and not df_complete > 0:
        yield Problem(f"df_complete={df_complete!r}", "degrees of freedom are positive", "pass n - p, for example")
    if df_complete is not None and kind == "mixture":
        why = "its interval is made of quantiles"
        yield Problem("df_complete with kind='mixture'", why, "leave df_complete out")
    if (kind == "nested") != (nests is not None) and kind != AUTO:
        why = "the rule for nested tables, and no other, needs to know the imputation behind each table"
        yield Problem(f"kind={kind!r} {'without' if nests is None else 'with'} nests", why, "give both or neither")
    for name, given in (("n_real", n_real), ("n_synthetic", n_synthetic)):
        known = getattr(provenance, name, None)
        if given is not None and not given > 0:
            yield Problem(f"{name}={given!r}", "it counts rows", f"pass {name}=500, for example")
        elif None not in (given, known) and given != known:
            yield Problem(f"{name}={given!r}", f"the provenance says {known}", f"leave {name} out")


def choose(
    kind: str,
    target: str,
    provenance: Provenance | None,
    columns: tuple[str, ...] | None,
    tables: int,
    nests: Sequence | None,
) -> tuple[str, str]:
    """Choose a rule, and say why.

    Returns
    -------
    kind : str
        Name of the rule, or "real_data".
    why : str

    Raises
    ------
    InputError
        If there is nothing to choose by, or no rule fits.
    """
    if provenance is not None and tables > provenance.m:
        why = "the same table would count twice"
        remedy = "pass each table's estimates once, and the provenance of these tables"
        found = f"estimates of {tables} tables where the provenance knows {provenance.m}"
        raise InputError(Problem(found, why, remedy))
    if target == REAL_DATA:
        return _real_data(provenance)
    if kind != AUTO:
        return kind, "you asked for it"
    if nests is not None:
        return "nested", "nests are given"
    if provenance is None:
        found, why = "kind='auto' without a provenance", "no rule is right for every kind of synthetic table"
        remedy = "pass provenance=tables.provenance, write one down with bayesynth.Provenance, or state the kind"
        raise InputError(Problem(found, why, remedy))
    if provenance.synthesis == PARTIALLY:
        return "partial", "some columns are real"
    if provenance.synthesis == IMPUTED:
        return "imputation", "only blanks were filled"
    return _fully_synthetic(provenance, provenance.incomplete(columns), tables)


def _real_data(provenance: Provenance | None) -> tuple[str, str]:
    if provenance is not None and provenance.synthesis != FULLY:
        found, why = f"target='real_data' with {provenance.synthesis} synthetic tables", "they hold the real rows"
        raise InputError(Problem(found, why, "leave target out"))
    return REAL_DATA, "you asked what the analysis of the real table would report"


def _fully_synthetic(provenance: Provenance, blank: tuple[str, ...], tables: int) -> tuple[str, str]:
    shown = ", ".join(blank[:5]) + (" and others" if len(blank) > 5 else "")
    if provenance.draws != EACH_TABLE:
        if blank:
            why = "without a posterior draw behind each table, what the blanks cost cannot be told"
            remedy = "draw tables with draws='each_table', or name complete columns with columns="
            raise InputError(Problem(f"draws={provenance.draws!r} with blanks in {shown}", why, remedy))
        return "plugin", f"the tables share their parameters (draws={provenance.draws!r})"
    if not blank:
        if tables == 1:
            return "ppd", "one table, and the analysed columns were complete"
        return "ppd_hybrid", "the analysed columns were complete"
    if tables == 1:
        why = "what the blanks cost shows only between tables"
        remedy = "pool several tables, or name the columns of the analysis with columns= if those were complete"
        raise InputError(Problem(f"one table, and blanks in {shown}", why, remedy))
    return "fully", f"{shown} had blanks, so fewer than n rows informed the estimate"


def advice(
    kind: str, provenance: Provenance | None, columns: tuple[str, ...] | None, sizes: Sizes
) -> Iterator[Problem]:
    """Say what makes a rule wide, noisy or wrong for these tables."""
    few, short = sizes.m < ENOUGH_TABLES, sizes.ratio < ENOUGH_ROWS  # an unknown ratio is not short
    if kind == "fully" and (few or short):
        found = f"kind='fully' with {sizes.m} tables" + (f" of {sizes.ratio:g} n rows" if short else "")
        why = "its variance is then noisy and its intervals are several times too wide"
        remedy = f"draw at least {ENOUGH_TABLES} tables of {ENOUGH_ROWS} n rows, or use Fit.estimate"
        yield Problem(found, why, f"{remedy}; if the analysed columns were complete, name them with columns=")
    if kind == "mixture" and sizes.ratio < ENOUGH_FOR_MIXTURE:
        found, wide = f"kind='mixture' with tables of {sizes.ratio:g} n rows", np.sqrt(1 + 2 / sizes.ratio)
        why = f"intervals are {wide:.2f} times as wide as they should be"
        yield Problem(found, why, f"draw tables of {ENOUGH_FOR_MIXTURE} n rows or more")
    if kind == "partial" and sizes.m < ENOUGH_PARTIAL:
        yield Problem(f"kind='partial' with {sizes.m} tables", "its variance is then noisy", "pool at least 5 tables")
    if provenance is None:
        return
    blank = provenance.incomplete(columns)
    if kind in (*_BUILT_ON_N, REAL_DATA) and blank and not provenance.blanks:
        found = f"kind={kind!r} with blanks in {', '.join(blank[:5])}"
        why = "fewer than n rows informed the estimate, and the interval is too narrow"
        yield Problem(found, why, "let kind='auto' choose, or use Fit.estimate")
    if kind in REAL_ROWS and provenance.synthesis == FULLY:
        found, why = f"kind={kind!r} with fully synthetic tables", "its intervals are then far too wide"
        yield Problem(found, why, "let kind='auto' choose")
    if kind in ("fully", "ppd_hybrid", "mixture") and provenance.draws != EACH_TABLE:
        found = f"kind={kind!r} with draws={provenance.draws!r}"
        why = "the variance between such tables lacks the uncertainty of the parameters"
        yield Problem(found, why, "draw tables with draws='each_table', or use kind='plugin'")

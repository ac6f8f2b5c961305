"""What in the facts of a column contradicts itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from bayesynth.errors import Problem
from bayesynth.schema.arrays import RESOLUTIONS
from bayesynth.schema.fresh import AUTO
from bayesynth.schema.kinds import (
    COUNT_MARGINALS,
    FACTS,
    LEVEL_POLICIES,
    MARGINALS,
    MAX_LEVELS,
    NOMINAL,
    NUMERIC,
    OTHER,
    TEMPORAL,
    WITH_POLICY,
    Kind,
    Role,
)
from bayesynth.schema.storage import BLANKS, NUMBERS, TIMES, Holds, parse_dtype, sort_of
from bayesynth.schema.texts import FORMS

if TYPE_CHECKING:
    from bayesynth.schema.column import Column


def contradictions(column: Column) -> list[Problem]:
    """List everything about a column that contradicts itself."""
    return [
        *_check_names(column),
        *_check_levels(column),
        *_check_bounds(column),
        *_check_precision(column),
        *_check_storage(column),
        *_check_marginal(column),
        *_check_policy(column),
    ]


def column_problem(column: Column, found: str, why: str, remedy: str) -> Problem:
    """State a problem that names its column."""
    return Problem(f"column {column.name!r} has {found}", why, remedy, str(column.name))


def is_row_count(value: object) -> bool:
    """Whether a value is a number of rows."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _check_names(column: Column) -> Iterable[Problem]:
    if not isinstance(column.name, str) or not column.name:
        yield column_problem(column, "a name that is not a text", "columns are found by name", "rename it to a text")
    if not (column.unit is None or isinstance(column.unit, str)):
        yield column_problem(
            column, f"the unit {column.unit!r}", "a unit is a text such as 'mg/dl'", "pass a text or None"
        )
    if strange := sorted(map(str, column.inferred - FACTS)):
        yield column_problem(
            column, f"{strange} among its inferred facts", "no such facts exist", f"use {sorted(FACTS)}"
        )
    if column.withheld and column.kind is not Kind.IDENTIFIER:
        yield column_problem(
            column,
            f"the kind {column.kind} and the role {column.role}",
            "what is withheld is described by nothing but its name",
            'set kind="identifier", or another role',
        )
    if column.fresh != AUTO and not column.withheld:
        yield column_problem(
            column,
            f"the role {column.role} and fresh values ({column.fresh!r})",
            "only identifiers and personal columns come back fresh",
            'set role="identifier" or role="personal"',
        )
    if column.kind is Kind.IDENTIFIER and column.role is Role.MODELLED:
        yield column_problem(
            column,
            "the kind identifier and the role modelled",
            "an identifier carries nothing to learn",
            'set role="identifier", or another kind',
        )


def _check_marginal(column: Column) -> Iterable[Problem]:
    found = f"the marginal {column.marginal!r}"
    if column.marginal not in MARGINALS:
        yield column_problem(column, found, f"known are: {', '.join(MARGINALS)}", "choose one of these")
        return
    if column.marginal != "empirical" and column.kind not in NUMERIC | TEMPORAL:
        yield column_problem(
            column, f"the kind {column.kind} and {found}", "only numbers and times have a distribution", "drop it"
        )
    elif column.marginal in COUNT_MARGINALS and column.kind is not Kind.COUNT:
        yield column_problem(
            column, f"the kind {column.kind} and {found}", "that is a distribution of counts", "make it a count"
        )
    if column.tails and column.marginal == "empirical":
        yield column_problem(
            column,
            "tails and an empirical marginal",
            "nothing is known beyond the recorded values",
            'choose another marginal, such as "auto"',
        )


def _check_policy(column: Column) -> Iterable[Problem]:
    policy = f"the level policy {column.level_policy!r}"
    if column.level_policy not in LEVEL_POLICIES:
        yield column_problem(column, policy, f"known are: {', '.join(LEVEL_POLICIES)}", "choose one of these")
    elif column.level_policy != "keep" and column.kind not in WITH_POLICY:
        remedy = "drop it, or make the column categorical"
        yield column_problem(column, f"the kind {column.kind} and {policy}", "only levels can be rare", remedy)
    elif column.level_policy == "merge_rare" and column.kind is not Kind.ORDINAL and column.storage.holds != Holds.TEXT:
        remedy = 'write its levels as text, make it ordinal, or use "drop" or "keep"'
        yield column_problem(column, f"{policy} and levels that are no texts", f"{OTHER!r} would be one", remedy)
    if column.unseen_share is not None and column.kind not in NOMINAL:
        found = f"the kind {column.kind} and unseen_share={column.unseen_share}"
        yield column_problem(column, found, "only levels can be unseen", "drop it")
    elif column.unseen_share is not None and column.level_policy != "keep":
        found = f"{policy} and unseen_share={column.unseen_share}"
        yield column_problem(column, found, "a level that no row has is rare", "drop one of them")
    if not is_row_count(column.fewest):
        yield column_problem(column, f"fewest={column.fewest!r}", "it is a number of rows", "pass 5, for example")


def _check_levels(column: Column) -> Iterable[Problem]:
    n = len(column.levels)
    if column.kind is Kind.BINARY and n != 2:
        yield column_problem(
            column, f"the kind binary and {n} levels", "binary means two", "give two levels or another kind"
        )
    elif column.kind in NOMINAL and n < 2:
        yield column_problem(
            column,
            f"the kind {column.kind} and {n} levels",
            "it takes at least two levels, and a schema without the table cannot know them",
            f"give levels=[...], or infer again with Schema.infer(frame, {column.name}={column.kind.value!r})",
        )
    elif column.kind is Kind.CONSTANT and n > 1:
        yield column_problem(
            column, f"the kind constant and {n} levels", "a constant has one value", "give one level or none"
        )
    elif column.kind not in NOMINAL | {Kind.CONSTANT} and n:
        yield column_problem(
            column, f"the kind {column.kind} and levels", "only level kinds have levels", "drop the levels"
        )
    elif n > MAX_LEVELS and column.storage.categories is None:
        yield column_problem(
            column, f"{n} levels", f"more than {MAX_LEVELS} cannot be learned", "group them, or choose another kind"
        )
    if len(set(column.levels)) < n:
        yield column_problem(column, "a level that occurs twice", "levels tell values apart", "list every level once")
    if any(level is None or pd.isna(level) for level in column.levels):
        yield column_problem(
            column, "a blank among its levels", "a blank is not a value", "drop it and set nullable=True"
        )
    elif {sort_of(type(level)) for level in column.levels} - _fitting(column.storage.holds):
        yield column_problem(
            column,
            f"levels that are not of the type of its values ({column.storage.holds})",
            "they would never be met in the table",
            "write the levels as they stand in the table",
        )


def _check_form(column: Column) -> Iterable[Problem]:
    form = column.storage.form
    if form not in FORMS:
        yield column_problem(column, f"the form {form!r}", f"known are {', '.join(FORMS)}", "choose one of these")
    elif column.kind is not Kind.DATETIME:
        yield column_problem(column, f"the kind {column.kind} and a form of dates", "it has none", "drop it")
    elif column.precision in RESOLUTIONS[RESOLUTIONS.index(FORMS[form][0]) + 1 :]:
        found = f"the precision {column.precision!r} and texts like {form}"
        yield column_problem(column, found, "they cannot hold it", "use a coarser one, or convert with pd.to_datetime")


def _fitting(holds: Holds) -> set[Holds]:
    """Name the sorts of level that can equal a value of this sort."""
    return {Holds.INTEGER, Holds.FLOAT} if holds in (Holds.INTEGER, Holds.FLOAT) else {holds}


def _check_bounds(column: Column) -> Iterable[Problem]:
    if column.bounds is None:
        return
    lowest, highest = column.bounds
    if column.kind not in NUMERIC:
        yield column_problem(
            column,
            f"the kind {column.kind} and bounds",
            "only count and continuous columns have bounds",
            "drop the bounds",
        )
    if lowest is not None and highest is not None and lowest >= highest:
        yield column_problem(
            column, f"the bounds ({lowest}, {highest})", "nothing lies between", "give the lower one first"
        )
    if column.kind is Kind.COUNT and lowest is not None and lowest < 0:
        yield column_problem(
            column, f"the kind count and the bound {lowest}", "a count is never negative", "use continuous"
        )


def _check_precision(column: Column) -> Iterable[Problem]:
    precision = column.precision
    if column.kind in TEMPORAL and precision not in RESOLUTIONS:
        allowed = ", ".join(RESOLUTIONS)
        yield column_problem(
            column, f"the precision {precision!r}", f"times are kept in one of {allowed}", "pick one of these"
        )
    elif column.kind in NUMERIC:
        whole = isinstance(precision, int) and not isinstance(precision, bool) and -15 <= precision <= 15
        if not (whole or precision is None):
            yield column_problem(
                column,
                f"the precision {precision!r}",
                "precision is a number of decimals",
                "give a whole number or None",
            )
        elif column.kind is Kind.COUNT and precision > 0:
            yield column_problem(
                column, f"{precision} decimals", "a count is a whole number", "use precision=0 or continuous"
            )
    elif column.kind not in TEMPORAL and precision is not None:
        yield column_problem(
            column, f"the kind {column.kind} and a precision", "only numbers and times have one", "drop it"
        )


def _check_storage(column: Column) -> Iterable[Problem]:
    storage, kind = column.storage, column.kind
    try:
        parse_dtype(storage.dtype)
    except (TypeError, ValueError):
        yield column_problem(column, f"the dtype {storage.dtype!r}", "pandas knows no such dtype", "correct the name")
    if storage.form is not None:
        yield from _check_form(column)
    if storage.blank not in BLANKS:
        yield column_problem(
            column, f"the blank {storage.blank!r}", f"known are {', '.join(BLANKS)}", "choose one of these"
        )
    if storage.categories is not None and column.kind is Kind.IDENTIFIER:
        yield column_problem(
            column, "the kind identifier and categories", "they would reveal identities", "use storage.plain"
        )
    wanted = {
        **dict.fromkeys(NUMERIC, NUMBERS),
        Kind.DATETIME: TIMES,
        Kind.DURATION: {Holds.DURATION},
        **dict.fromkeys(NOMINAL, NUMBERS | {Holds.BOOL, Holds.TEXT}),
    }.get(kind)
    if wanted is None:
        return
    if storage.holds not in wanted or (storage.categories is not None and kind not in NOMINAL):
        yield column_problem(
            column,
            f"the kind {kind} and values stored as {storage.label}",
            f"{kind} columns hold {', '.join(sorted(wanted))}",
            "convert the column first, with pd.to_numeric, pd.to_datetime or astype, or choose another kind",
        )
    missing = [level for level in column.levels if storage.categories is not None and level not in storage.categories]
    if missing:
        yield column_problem(
            column,
            f"levels that its dtype does not declare: {missing}",
            "they cannot be written back",
            "drop these levels",
        )

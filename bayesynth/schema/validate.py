"""Where a table and a schema disagree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from bayesynth.errors import Problem
from bayesynth.schema.arrays import NO_TIME, default_origin, elapsed, lengths, numbers, unit_of
from bayesynth.schema.column import Column
from bayesynth.schema.infer import form_of
from bayesynth.schema.kinds import NOMINAL, NUMERIC, TEMPORAL, Kind
from bayesynth.schema.storage import NUMBERS, TIMES, Holds, blank_mask, plain, storage_of

_SHOWN = 5


def disagreements(frame: pd.DataFrame, schema: Mapping[str, Column], broken: Collection[str | None]) -> list[Problem]:
    """List every disagreement; columns that are broken in themselves are left to the list that says so."""
    problems = []
    for name in schema:
        if name not in frame.columns:
            problems.append(
                Problem(
                    f"column {name!r} is missing",
                    "the schema describes it",
                    "add it, or leave it out of the schema",
                    name,
                )
            )
    for name in frame.columns:
        if name not in schema:
            problems.append(
                Problem(
                    f"column {name!r} is not in the schema", "nothing is known of it", "drop it, or describe it", name
                )
            )
        elif name not in broken:
            problems.extend(_column_disagreements(frame[name], schema[name]))
    return problems


def _column_disagreements(series: pd.Series, column: Column) -> Iterable[Problem]:
    blanks = blank_mask(series)
    if blanks.any() and not column.nullable:
        yield Problem(
            f"column {column.name!r} has {int(blanks.sum())} blanks",
            "the schema says that none may occur",
            f"fill them, or schema.update({column.name}={{'nullable': True}})",
            column.name,
        )
    if column.kind is Kind.IDENTIFIER or blanks.all():
        return
    storage, form = storage_of(series), column.storage.form
    holds, present = storage.holds, series[~blanks]
    if form is not None and holds is Holds.TEXT:
        if form_of(present, storage) is None:
            yield Problem(
                f"column {column.name!r} holds texts that are no dates, or of several forms",
                f"the schema says that they write dates as {form}",
                "correct them, or infer the schema from this table",
                column.name,
            )
            return
    elif holds not in _alike(column.storage.holds):
        yield Problem(
            f"column {column.name!r} holds {holds} values",
            f"the schema says {column.storage.holds}",
            "convert the column, or infer the schema from this table",
            column.name,
        )
        return
    if column.kind in NOMINAL or column.kind is Kind.CONSTANT:
        yield from _unseen_levels(present, column)
    elif column.kind in NUMERIC:
        yield from _number_disagreements(numbers(present), column)
    elif column.kind in TEMPORAL:
        yield from _time_disagreements(present, column)


def _alike(holds: Holds) -> frozenset[Holds]:
    """Name the sorts of value that can stand for each other, as after a trip through CSV."""
    for group in (NUMBERS, TIMES):
        if holds in group:
            return frozenset(group)
    return frozenset({holds})


def _unseen_levels(present: pd.Series, column: Column) -> Iterable[Problem]:
    unseen = [value for value in map(plain, present.unique()) if value not in column.levels]
    if unseen:
        names = ", ".join(repr(value) for value in sorted(unseen)[:_SHOWN]) + (" ..." if len(unseen) > _SHOWN else "")
        known = ", ".join(repr(level) for level in column.levels[: 2 * _SHOWN])
        what = "an unseen level" if len(unseen) == 1 else f"{len(unseen)} unseen levels"
        yield Problem(
            f"column {column.name!r} has {what}: {names}",
            f"the schema knows {known or 'only blanks'}",
            "recode them, or add them to the levels",
            column.name,
        )


def _number_disagreements(values: np.ndarray, column: Column) -> Iterable[Problem]:
    lowest, highest = column.bounds or (None, None)
    below = lowest is not None and values.min() < lowest
    above = highest is not None and values.max() > highest
    if below or above:
        yield Problem(
            f"column {column.name!r} reaches from {values.min():g} to {values.max():g}",
            f"the schema bounds it by ({lowest}, {highest})",
            f"correct the values, or schema.update({column.name}={{'bounds': ...}})",
            column.name,
        )
    if column.precision is not None:
        off = ~np.isclose(values, np.round(values, column.precision), rtol=1e-6, atol=0)
        if off.any():
            yield Problem(
                f"column {column.name!r} has {int(off.sum())} values off its grid",
                f"the schema says {column.precision} decimals",
                f"round them, or schema.update({column.name}={{'precision': ...}})",
                column.name,
            )
    if column.kind is Kind.COUNT and values.min() < 0:
        yield Problem(
            f"column {column.name!r} has negative values",
            "a count has none",
            "correct them, or make it continuous",
            column.name,
        )


def _time_disagreements(present: pd.Series, column: Column) -> Iterable[Problem]:
    if column.kind is Kind.DURATION:
        past = lengths(present)
    else:
        past = elapsed(present, default_origin(present), column.precision)
    off = past % unit_of(column.precision) != NO_TIME
    if off.any():
        yield Problem(
            f"column {column.name!r} has {int(off.sum())} values finer than {column.precision}",
            "the schema's resolution would cut them",
            f"round them, or schema.update({column.name}={{'precision': ...}})",
            column.name,
        )

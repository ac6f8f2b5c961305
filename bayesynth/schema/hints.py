"""Guesses about columns that a person should look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from bayesynth.errors import Problem
from bayesynth.schema.arrays import numbers, tallies
from bayesynth.schema.column import Column
from bayesynth.schema.kinds import NOMINAL, NUMERIC, Kind, Role
from bayesynth.schema.personal import is_place
from bayesynth.schema.storage import NUMBERS, Holds, blank_mask
from bayesynth.schema.texts import BLANK_WORDS, conversion, distinct_texts, reads_as

SENTINELS = (-9, -99, -999, -9999, -99999, 9, 99, 999, 9999, 99999)


def hints(frame: pd.DataFrame, schema: Mapping[str, Column]) -> Iterator[Problem]:
    """Go through the columns and name what deserves a look, one hint for each column and meaning."""
    for name, column in schema.items():
        present = frame[name][~blank_mask(frame[name])]
        if len(present) == 0:
            continue
        read = None
        if column.storage.holds is Holds.TEXT and column.storage.categories is None:
            read = reads_as(distinct_texts(present)) if present.nunique() > 2 else None
            yield from _blank_hint(column)
        if read is not None and "kind" in column.inferred and not column.withheld:
            yield _text_hint(column, *read)
        elif column.kind is Kind.IDENTIFIER:
            yield from _identifier_hint(column)
        if column.storage.holds in NUMBERS and column.storage.categories is None and column.kind in NOMINAL | NUMERIC:
            yield from _sentinel_hint(numbers(present), column)
        if column.modelled:
            yield from _uniform_hint(present, column)
            yield from _place_hint(column)


def _identifier_hint(column: Column) -> Iterable[Problem]:
    if "kind" not in column.inferred:
        return
    note = column.notes[0]
    if column.role is Role.PERSONAL:
        found = f"column {column.name!r} looks like {note}"
        why = "it is personal: it is not modelled and comes back blank"
        name = column.name
        remedy = f'state {name}={{"fresh": ...}} for values of nobody, or {name}={{"role": "modelled"}} to model it'
    else:
        found = f"column {column.name!r} looks like an identifier ({note})"
        why = "identifiers are not modelled and come back with fresh values"
        if "repeat" in note:
            why += "; the rows of one person are treated as independent"
        remedy = f'if it is a quantity or a group, state its kind: {column.name}="count", say'
    yield Problem(found, why, remedy, column.name)


def _place_hint(column: Column) -> Iterable[Problem]:
    if column.kind is not Kind.CONSTANT and is_place(column.name):
        yield Problem(
            f"column {column.name!r} says where somebody lives",
            "it names nobody, but together with age and sex it may single somebody out",
            f'group it, or keep it out of the model: {column.name}={{"role": "personal"}}',
            column.name,
        )


def _text_hint(column: Column, what: str, share: float) -> Problem:
    return Problem(
        f"column {column.name!r} is text, and {share:.0%} of its distinct values read as {what}",
        f"as text it is treated as {column.kind}",
        conversion(what, column.name),
        column.name,
    )


def _blank_hint(column: Column) -> Iterable[Problem]:
    words = [level for level in column.levels if isinstance(level, str) and level.strip() in BLANK_WORDS]
    if words:
        yield Problem(
            f"column {column.name!r} has {', '.join(map(repr, words))} among its levels",
            "it looks like a blank that is spelled out, and is treated as a level",
            f"if it is a blank, blank it: frame[{column.name!r}].mask(frame[{column.name!r}] == {words[0]!r})",
            column.name,
        )


def _sentinel_hint(values: np.ndarray, column: Column) -> Iterable[Problem]:
    found = [s for s in SENTINELS if _is_sentinel(values, s)]
    if found:
        codes = ", ".join(map(str, found))
        yield Problem(
            f"column {column.name!r} holds {codes}, far from all its other values",
            "it looks like a code for a blank, and is treated as a value",
            f"if it is a blank, blank it: frame[{column.name!r}].mask(frame[{column.name!r}] == {found[0]})",
            column.name,
        )


def _is_sentinel(values: np.ndarray, code: int) -> bool:
    """Tell a code for blanks from a value: it stands at an end, and far from the rest.

    Below: the only negative number of the column apart from other codes. Above: as far from the rest as the rest is
    wide, and seen at least twice, or three times as far.
    """
    hits = int(np.sum(values == code))
    rest = values[~np.isin(values, SENTINELS)]
    if hits == 0 or len(np.unique(rest)) < 2:
        return False
    if code < 0:
        return bool(rest.min() >= 0)
    width = np.ptp(rest)
    gap = code - rest.max()
    return bool(gap >= width and (hits >= 2 or gap >= 3 * width))


def _uniform_hint(present: pd.Series, column: Column) -> Iterable[Problem]:
    share = tallies(present).max() / len(present)
    if len(present) >= 50 and share >= 0.99:
        yield Problem(
            f"column {column.name!r} has one value in {share:.1%} of its rows",
            "next to nothing can be learned about what varies with it",
            "think of leaving it out",
            column.name,
        )

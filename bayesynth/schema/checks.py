"""Whether a table can be used at all, and what in it limits what can be learned."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal

import numpy as np
import pandas as pd

from bayesynth.errors import InputError, Problem
from bayesynth.schema.arrays import numbers
from bayesynth.schema.infer import guess_kind
from bayesynth.schema.kinds import MAX_LEVELS, Kind
from bayesynth.schema.storage import NUMBERS, Holds, Storage, blank_mask, storage_of
from bayesynth.schema.texts import conversion, distinct_texts, reads_as

_LARGEST = 2**53


def frame_problems(frame: object, withheld: Collection[str] = ()) -> list[Problem]:
    """List every reason why a table cannot be used.

    Parameters
    ----------
    frame : object
        What was passed as a table; it is not changed.
    withheld : collection of str
        Columns that are known to be identifiers or personal, whose values are never learned.
    """
    if not isinstance(frame, pd.DataFrame):
        return [
            Problem(f"a {type(frame).__name__} was passed", "a table is a pandas DataFrame", "pass pd.DataFrame(...)")
        ]
    problems = [*_shape_problems(frame), *_name_problems(frame)]
    if problems:
        return problems
    for name in frame.columns:
        problems.extend(_column_problems(frame[name], name in withheld))
    return problems


def _shape_problems(frame: pd.DataFrame) -> Iterable[Problem]:
    if frame.shape[1] == 0:
        yield Problem("the table has no columns", "there is nothing to learn", "pass a table with columns")
    elif len(frame) < 2:
        found = "the table has no rows" if len(frame) == 0 else "the table has one row"
        yield Problem(found, "a distribution takes several rows", "pass more rows; 50 is a sensible least")


def _name_problems(frame: pd.DataFrame) -> Iterable[Problem]:
    names = list(frame.columns)
    if isinstance(frame.columns, pd.MultiIndex):
        yield Problem(
            "the columns are a MultiIndex",
            "every column needs one name",
            'flatten them: frame.columns = ["_".join(map(str, c)) for c in frame.columns]',
        )
        return
    if strange := [repr(name) for name in names if not isinstance(name, str)]:
        yield Problem(
            f"column names that are not text: {', '.join(strange[:5])}{' ...' if len(strange) > 5 else ''}",
            "columns are addressed by text",
            "use frame.rename(columns=str)",
        )
    if any(isinstance(name, str) and not name for name in names):
        yield Problem("a column has an empty name", "it cannot be addressed", "rename it")
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Problem(
                f"the column name {name!r} occurs {names.count(name)} times",
                "a name must tell one column",
                "rename or drop the others",
            )


def _column_problems(series: pd.Series, withheld: bool) -> Iterable[Problem]:
    try:
        storage = storage_of(series)
    except InputError as error:
        yield from error.problems
        return
    present = series[~blank_mask(series)]
    if len(present) == 0 or withheld:
        return
    if storage.holds in NUMBERS:
        yield from _number_problems(present, storage)
    else:
        yield from _level_problems(present, storage)


def _number_problems(present: pd.Series, storage: Storage) -> Iterable[Problem]:
    name = present.name
    values = numbers(present)
    if n := int(np.isinf(values).sum()):
        yield Problem(
            f"column {name!r} holds {n} infinite values",
            "no distribution of finite values has them",
            "replace them by the largest sensible value, or by blanks",
            name,
        )
    elif _exceeds(values, present, storage) and guess_kind(present, storage)[0] is not Kind.IDENTIFIER:
        yield Problem(
            f"column {name!r} holds numbers with more digits than arithmetic keeps (beyond 2^53)",
            "they would be rounded silently",
            f'declare it an identifier ({name}="identifier"), or scale it',
            name,
        )
    elif storage.categories is not None:
        yield from _level_problems(present, storage)


def _exceeds(values: np.ndarray, present: pd.Series, storage: Storage) -> bool:
    if storage.holds is Holds.DECIMAL:
        return any(isinstance(v, Decimal) and len(v.normalize().as_tuple().digits) > 15 for v in present)
    return storage.holds is Holds.INTEGER and bool(np.any(np.abs(values) >= _LARGEST))


def _level_problems(present: pd.Series, storage: Storage) -> Iterable[Problem]:
    if storage.holds not in NUMBERS | {Holds.TEXT} or (storage.ordered and len(storage.categories) <= MAX_LEVELS):
        return
    n = int(present.nunique())
    if n > MAX_LEVELS and guess_kind(present, storage)[0] not in (Kind.IDENTIFIER, Kind.DATETIME):
        name = str(present.name)
        read = reads_as(distinct_texts(present)) if storage.holds is Holds.TEXT else None
        remedy = conversion(read[0], name) if read else "group its levels"
        yield Problem(
            f"column {name!r} has {n} different levels" + (f", most of which read as {read[0]}" if read else ""),
            f"more than {MAX_LEVELS} levels cannot be learned",
            f'{remedy}, or declare it an identifier ({name}="identifier")',
            name,
        )

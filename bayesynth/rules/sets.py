"""Rules on which values occur together: fixed combinations, one of several, and no row twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.errors import InputError, Problem
from bayesynth.rules.rule import Judged, Rule, unpacked
from bayesynth.rules.values import any_blank, read
from bayesynth.schema import Holds, Schema
from bayesynth.schema.storage import NUMBERS, Scalar, plain

SHOWN = 3
Combination = tuple[Scalar | None, ...]


@dataclass(frozen=True)
class _Together(Rule):
    """A rule on several columns at once."""

    names: tuple[str, ...]

    def __init__(self, *columns: str) -> None:
        object.__setattr__(self, "names", several(columns, type(self).__name__))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns."""
        return self.names

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.names))})"

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> Rule:
        return cls(*facts["names"])


@dataclass(frozen=True)
class FixedCombinations(Rule):
    """Only some combinations of values occur.

    Parameters
    ----------
    *columns : str
        Two columns or more.
    combinations : sequence of tuple, optional
        Those that may occur, None for a blank; those that the table has when left out. A row with a blank among the
        columns is not judged.

    Raises
    ------
    InputError
        If there are fewer than two columns, or a combination has another length.

    Examples
    --------
    >>> rule = FixedCombinations("city", "country", combinations=[("Lyon", "F"), ("Bonn", "D")])
    >>> rule.violations(pd.DataFrame({"city": ["Lyon", "Bonn"], "country": ["F", "F"]})).tolist()
    [False, True]
    """

    names: tuple[str, ...]
    combinations: tuple[Combination, ...] | None = None

    def __init__(self, *columns: str, combinations: Iterable[Iterable[object]] | None = None) -> None:
        names = several(columns, "FixedCombinations")
        object.__setattr__(self, "names", names)
        found = None if combinations is None else tuple({tuple(map(_scalar, c)): None for c in combinations})
        object.__setattr__(self, "combinations", None if found is None else tuple(sorted(found, key=_sortable)))
        if found is not None and (not found or any(len(c) != len(names) for c in found)):
            why = f"each has a value for each of the {len(names)} columns"
            raise InputError(Problem(f"the combinations of {', '.join(names)}", why, "pass a list of tuples"))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns."""
        return self.names

    def settled(self, frame: pd.DataFrame) -> FixedCombinations:
        """Take the combinations from a table where none were given, and its patterns of blanks in any case."""
        seen = seen_combinations(frame, self.names)
        given = self.combinations or ()
        added = [c for c in seen if self.combinations is None or None in c]
        combined = [c for c in (*given, *added) if any(value is not None for value in c)]
        return FixedCombinations(*self.names, combinations=combined)

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Find rows whose combination is not among those that may occur."""
        decided = ~any_blank(frame, self.names)
        if self.combinations is None:
            return Judged(np.zeros(len(frame), bool), decided)
        return Judged(decided & (places(frame, self.names, self.combinations) < 0), decided)

    def describe(self) -> str:
        """Say how many combinations there are."""
        if self.combinations is None:
            return f"{' and '.join(self.names)} occur only in the combinations of the table."
        complete = sum(None not in c for c in self.combinations)
        return f"{' and '.join(self.names)} occur only in {complete} combinations."

    def __str__(self) -> str:
        return f"FixedCombinations({', '.join(map(repr, self.names))})"

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> FixedCombinations:
        return cls(*facts["names"], combinations=unpacked(facts["combinations"]))


@dataclass(frozen=True, init=False)
class OneHot(_Together):
    """Exactly one of several columns is true, or 1.

    Parameters
    ----------
    *columns : str
        Two columns or more, of truths or of 0 and 1. A row with a blank among them is not judged.
    patterns : sequence of tuple
        Patterns with blanks that a table has; a plan finds them.

    Examples
    --------
    >>> OneHot("a", "b").violations(pd.DataFrame({"a": [1, 1, 0], "b": [0, 1, 0]})).tolist()
    [False, True, True]
    """

    patterns: tuple[Combination, ...] = ()

    def __init__(self, *columns: str, patterns: Iterable[Combination] = ()) -> None:
        super().__init__(*columns)
        object.__setattr__(self, "patterns", tuple(map(tuple, patterns)))

    def settled(self, frame: pd.DataFrame) -> OneHot:
        """Take patterns with blanks from a table."""
        seen = [c for c in seen_combinations(frame, self.names) if None in c]
        return OneHot(*self.names, patterns=[c for c in seen if any(v is not None for v in c)])

    def combinations(self, schema: Schema) -> tuple[Combination, ...]:
        """List what may occur, in the levels of a schema."""
        one, zero = ({n: next((x for x in schema[n].levels if x == v), v) for n in self.names} for v in (1, 0))
        return (*(tuple((one if n == m else zero)[n] for n in self.names) for m in self.names), *self.patterns)

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Count what is true in each row."""
        values = [read(frame[name]) for name in self.names]
        decided = ~np.logical_or.reduce([v.blank for v in values])
        ones, zeros = (np.sum([v.data == x for v in values], axis=0) for x in (1, 0))
        return Judged(decided & ((ones != 1) | (zeros != len(values) - 1)), decided)

    def _problems(self, schema: Schema) -> list[Problem]:
        wrong = [name for name in self.names if schema[name].storage.holds not in NUMBERS | {Holds.BOOL}]
        why = "one of several columns is told by truths, or by 0 and 1"
        return [Problem(f"the rule {self} names {n!r}", why, "recode it to 0 and 1", n) for n in wrong]

    def describe(self) -> str:
        """Say which columns."""
        return f"Exactly one of {', '.join(self.names)} is true."

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> OneHot:
        return cls(*facts["names"], patterns=unpacked(facts["patterns"]))


@dataclass(frozen=True, init=False)
class Unique(_Together):
    """No two rows are equal in some columns; kept by drawing repeated rows again, unless one is an identifier.

    Parameters
    ----------
    *columns : str
        One column or more. A row with a blank among them is not judged.

    Examples
    --------
    >>> Unique("ward", "bed").violations(pd.DataFrame({"ward": [1, 1, 1], "bed": [1, 2, 1]})).tolist()
    [False, False, True]
    """

    def __init__(self, *columns: str) -> None:
        object.__setattr__(self, "names", several(columns, "Unique", 1))

    def problems(self, schema: Schema) -> list[Problem]:
        """List columns that the table does not have; identifiers may be named, since they come back unique."""
        return [p for p in super().problems(schema) if p.column not in schema]

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Find rows that repeat an earlier one."""
        decided = ~any_blank(frame, self.names)
        broken = np.zeros(len(frame), bool)
        broken[decided] = frame.loc[decided, list(self.names)].duplicated().to_numpy()
        return Judged(broken, decided)

    def describe(self) -> str:
        """Say which columns tell rows apart."""
        return f"No two rows are equal in {', '.join(self.names)}."


def several(columns: tuple[str, ...], what: str, least: int = 2) -> tuple[str, ...]:
    """Refuse too few columns, or one twice.

    Raises
    ------
    InputError
        If they are too few, or repeated.
    """
    if len(columns) < least or len(set(columns)) != len(columns) or not all(isinstance(c, str) for c in columns):
        found = f"{what}{columns!r}"
        raise InputError(Problem(found, f"it takes {least} different columns or more", "name them: ('a', 'b')"))
    return columns


def seen_combinations(frame: pd.DataFrame, names: tuple[str, ...]) -> list[Combination]:
    """List the combinations that a table has, None for a blank, in an order that does not depend on its rows."""
    distinct = frame[list(names)].drop_duplicates()
    rows = distinct.astype(object).where(distinct.notna(), None).itertuples(index=False, name=None)
    return sorted({tuple(None if v is None else plain(v) for v in row) for row in rows}, key=_sortable)


def places(frame: pd.DataFrame, names: tuple[str, ...], combinations: tuple[Combination, ...]) -> np.ndarray:
    """Find each row's place among combinations; -1 where it is none of them."""
    codes = np.zeros(len(frame), np.int64)
    wanted = np.zeros(len(combinations), np.int64)
    for at, name in enumerate(names):
        code, uniques = pd.factorize(frame[name], use_na_sentinel=True)
        index = {plain(value): i + 1 for i, value in enumerate(uniques)} | {None: 0}
        known = np.array([index.get(c[at], -1) for c in combinations], np.int64)
        wanted = np.where((wanted < 0) | (known < 0), -1, wanted * (len(uniques) + 1) + known)
        codes = codes * (len(uniques) + 1) + code + 1
    found = {code: i for i, code in enumerate(wanted.tolist()) if code >= 0}
    distinct, inverse = np.unique(codes, return_inverse=True)
    return np.array([found.get(code, -1) for code in distinct.tolist()], np.int64)[inverse]


def _scalar(value: object) -> Scalar | None:
    return None if value is None or value is pd.NA or value != value else plain(value)


def _sortable(combination: Combination) -> list[tuple[bool, str, object]]:
    return [(v is None, "" if v is None else _sort_name(v), 0 if v is None else v) for v in combination]


def _sort_name(value: Scalar) -> str:
    return "number" if isinstance(value, (bool, int, float)) else type(value).__name__

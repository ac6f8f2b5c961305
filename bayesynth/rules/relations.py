"""Rules on the size of values: inequalities and ranges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.errors import InputError, Problem
from bayesynth.rules.rule import Judged, Rule, unpacked
from bayesynth.rules.values import Value, days, read_rank
from bayesynth.schema import Holds, Kind, Schema
from bayesynth.schema.arrays import zone_of
from bayesynth.schema.kinds import NUMERIC, TEMPORAL
from bayesynth.schema.storage import NUMBERS, TIMES, plain

Constant = float | dt.date | dt.timedelta


@dataclass(frozen=True)
class Inequality(Rule):
    """One side is at most the other: two columns, or a column and a constant.

    Parameters
    ----------
    low, high : str, number or date
        The sides; a text is the name of a column. A row with a blank on either side is not judged.
    strict : bool
        Whether they may not be equal.

    Raises
    ------
    InputError
        If neither side is a column, or both are the same one.

    Examples
    --------
    >>> frame = pd.DataFrame({"entry": [1, 5, 3], "exit": [2, 4, 3]})
    >>> Inequality("entry", "exit").violations(frame).tolist()
    [False, True, False]
    >>> Inequality("entry", "exit", strict=True).violations(frame).tolist()
    [False, True, True]
    """

    low: str | Constant
    high: str | Constant
    strict: bool = False

    def __post_init__(self) -> None:
        for side in ("low", "high"):
            object.__setattr__(self, side, constant(getattr(self, side)))
        if not self.columns or self.low == self.high:
            found = f"an inequality between {self.low!r} and {self.high!r}"
            raise InputError(Problem(found, "it compares two different columns, or one with a constant", "name them"))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns on either side."""
        return tuple(side for side in (self.low, self.high) if isinstance(side, str))

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Compare both sides."""
        low, high = self._side(frame, self.low), self._side(frame, self.high)
        decided = ~(low.blank | high.blank)
        wrong = low.data >= high.data if self.strict else low.data > high.data
        return Judged(decided & wrong, decided)

    @staticmethod
    def _side(frame: pd.DataFrame, side: str | Constant) -> Value:
        if isinstance(side, str):
            return read_rank(frame[side])
        return Value(np.full(len(frame), measure(side)), np.zeros(len(frame), bool))

    def _problems(self, schema: Schema) -> list[Problem]:
        sides = [_sort(schema, side) for side in (self.low, self.high)]
        if None in sides or sides[0] != sides[1]:
            why = "only numbers, dates, durations or the same ordered levels can be compared with one another"
            return [Problem(f"the rule {self}", why, "compare columns of one kind")]
        return []

    def describe(self) -> str:
        """Say which side is at most the other."""
        return f"{said(self.low)} is {'below' if self.strict else 'at most'} {said(self.high)}."

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> Inequality:
        return cls(unpacked(facts["low"]), unpacked(facts["high"]), facts["strict"])


@dataclass(frozen=True)
class Range(Rule):
    """A column lies between two constants, both included.

    Parameters
    ----------
    column : str
        The column.
    low, high : number or date, optional
        Smallest and largest value; an end that is left out is open.

    Raises
    ------
    InputError
        If both ends are open, or the lower is above the upper one.

    Examples
    --------
    >>> Range("age", 18, 90).violations(pd.DataFrame({"age": [17, 18, 90, 91]})).tolist()
    [True, False, False, True]
    """

    column: str
    low: Constant | None = None
    high: Constant | None = None

    def __post_init__(self) -> None:
        for side in ("low", "high"):
            value = getattr(self, side)
            object.__setattr__(self, side, None if value is None else constant(value))
        ends = [end for end in (self.low, self.high) if end is not None]
        wrong = not ends or any(isinstance(end, str) for end in ends)
        if wrong or (len(ends) == 2 and measure(ends[0]) > measure(ends[1])):
            found = f"the range of {self.column!r} from {self.low!r} to {self.high!r}"
            why = "its ends are numbers or dates, the lower one first"
            raise InputError(Problem(found, why, "pass low=, high= or both", self.column))

    @property
    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Find values beyond either end."""
        value = read_rank(frame[self.column])
        wrong = np.zeros(len(frame), bool)
        if self.low is not None:
            wrong |= value.data < measure(self.low)
        if self.high is not None:
            wrong |= value.data > measure(self.high)
        return Judged(~value.blank & wrong, ~value.blank)

    def _problems(self, schema: Schema) -> list[Problem]:
        ends = {_sort(schema, end) for end in (self.low, self.high) if end is not None}
        if ends != {_sort(schema, self.column)}:
            why = f"the column is {schema[self.column].kind}"
            return [Problem(f"the rule {self}", why, "pass ends of the column's own kind", self.column)]
        return []

    def describe(self) -> str:
        """Say where the values lie."""
        if self.low is None:
            return f"{self.column} is at most {said(self.high)}."
        if self.high is None:
            return f"{self.column} is at least {said(self.low)}."
        return f"{self.column} lies between {said(self.low)} and {said(self.high)}."

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> Range:
        return cls(facts["column"], unpacked(facts["low"]), unpacked(facts["high"]))


def constant(value: object) -> str | Constant:
    """Bring a side to a name, a number, a date or a duration.

    Raises
    ------
    InputError
        If it is none.
    """
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    elif isinstance(value, np.timedelta64):
        value = pd.Timedelta(value)
    value = plain(value)
    good = isinstance(value, (str, int, float, dt.date, dt.timedelta)) and not isinstance(value, bool)
    if not good or value != value or value in (float("inf"), float("-inf")):
        why = "a side is the name of a column, a finite number, a date or a duration"
        raise InputError(Problem(f"the side {value!r} of a rule", why, "pass one of these"))
    return value


def measure(value: Constant) -> float:
    """Give a constant on the scale on which columns are read."""
    if isinstance(value, dt.timedelta):
        return value / dt.timedelta(days=1)
    return days(value) if isinstance(value, dt.date) else float(value)


def said(side: str | Constant) -> str:
    """Write a side for people."""
    if isinstance(side, dt.datetime):
        return pd.Timestamp(side).isoformat(sep=" ").removesuffix(" 00:00:00")
    return f"{side:g}" if isinstance(side, float) else str(side)


def _sort(schema: Schema, side: str | Constant) -> object:
    """Name what a side can be compared with; None for nothing."""
    if not isinstance(side, str):
        if isinstance(side, dt.timedelta):
            return Holds.DURATION
        return Holds.DATETIME if isinstance(side, dt.date) else "numbers"
    column = schema[side]
    storage = column.storage
    if storage.ordered and storage.holds is Holds.TEXT:
        return storage.categories
    if storage.holds in NUMBERS and (
        column.kind in NUMERIC or column.kind in (Kind.ORDINAL, Kind.BINARY, Kind.CONSTANT)
    ):
        return "numbers" if not storage.ordered else storage.categories
    if column.kind in TEMPORAL and storage.holds in TIMES:
        return Holds.DATETIME if zone_of(storage) is None else (Holds.DATETIME, str(zone_of(storage)))
    return storage.holds if storage.holds is Holds.DURATION else None

"""Fresh values for identifiers and personal columns: planned beside the real values, made without them.

A plan is part of a fit and of its file, so it holds no real value and no code of one. That no value it gives equals a
real one follows from how it was made: running numbers walk where no real number lies, fake people were drawn beside the
real ones, and UUIDs are random.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import pandas as pd

from bayesynth._random import stream_of
from bayesynth.encoding.fakes import draw_people, pool_size
from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.schema import Column, Fake, Holds, Role, Schema, restore
from bayesynth.schema.fresh import AUTO, BLANK, INTEGER, UUID, Fresh
from bayesynth.schema.patterns import LONGEST, Pattern, looks_like_uuids, normalised, shape_of
from bayesynth.schema.storage import NUMBERS, Scalar, blank_mask

RUNNING = "id-######"
ROOM_PER_ROW = 10
COARSE = 10  # numbers of a block: its border tells no more of a real number than that
_WHOLE = Pattern("#")
_LIMITS = {Holds.FLOAT: 2**53}  # beyond it, floats skip whole numbers


class Source(Protocol):
    """Where the values of a column come from."""

    def values(self, column: str, n: int, rng: np.random.Generator) -> list[Scalar] | None:
        """Make n values; None for blanks."""


@dataclass(frozen=True)
class Blanks:
    """Nothing."""

    def values(self, column: str, n: int, rng: np.random.Generator) -> None:
        """Make no value."""


@dataclass(frozen=True)
class Uuids:
    """Random UUIDs of version 4."""

    def values(self, column: str, n: int, rng: np.random.Generator) -> list[str]:
        """Draw 122 random bits for each row."""
        return [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(n)]


@dataclass(frozen=True)
class Walk:
    """Running numbers from where no real one lies.

    Parameters
    ----------
    pattern : str or None
        Writes the numbers as texts; None leaves them numbers.
    first : int
        The first number.
    room : int or None
        How many may be used; None for any number.
    """

    pattern: str | None
    first: int
    room: int | None

    def __post_init__(self) -> None:
        numbers = isinstance(self.first, int) and (self.room is None or isinstance(self.room, int))
        if not numbers or (self.pattern is not None and not Pattern(self.pattern).capacity):
            raise ValueError("no walk begins or ends so")

    def values(self, column: str, n: int, rng: np.random.Generator) -> list[Scalar]:
        """Count on from the first.

        Raises
        ------
        InputError
            If there is not room for as many.
        """
        if self.room is not None and n > self.room:
            raise InputError(_too_small(column, self.pattern or "its dtype", n, self.room))
        numbers = range(self.first, self.first + n)
        return list(numbers) if self.pattern is None else list(map(Pattern(self.pattern).make, numbers))


@dataclass(frozen=True)
class People:
    """Values of fake people.

    Parameters
    ----------
    pool : tuple of str
        One value for each person.
    person : str
        Columns with one of these take their rows from the same person.
    number : int or None
        Added to values once all people are used, and counted on from there; None lets values repeat.
    """

    pool: tuple[str, ...]
    person: str
    number: int | None

    def __post_init__(self) -> None:
        if not self.pool or not all(isinstance(text, str) for text in (*self.pool, self.person)):
            raise ValueError("a pool is of texts, and not empty")

    def values(self, column: str, n: int, rng: np.random.Generator) -> list[str]:
        """Take people in random order."""
        order = rng.permutation(len(self.pool))
        made = []
        for row in range(n):
            again, place = divmod(row, len(self.pool))
            text = self.pool[order[place]]
            made.append(text if again == 0 or self.number is None else _numbered(text, self.number + again - 1))
        return made


def plan_fresh(frame: pd.DataFrame, schema: Schema, rng: np.random.Generator) -> dict[str, Source]:
    """Decide where the values of withheld columns come from, so that none of them is in the table.

    Parameters
    ----------
    frame : DataFrame
        The whole table, rows that are put aside included.
    schema : Schema
        What its columns are.
    rng : Generator
        Its seed draws fake people; it does not advance.

    Raises
    ------
    InputError
        If a pattern has too few values, or Faker is wanted and cannot give what is asked; lists all problems at once.
    """
    plans: dict[str, Source] = {}
    groups: dict[str, dict[str, Fake]] = {}
    avoid, problems = {}, []
    for name, column in schema.items():
        if not column.withheld:
            continue
        texts = _texts(frame[name])
        fresh = recorded_shape(texts, column) if column.fresh == AUTO else column.fresh
        if isinstance(fresh, Fake):
            groups.setdefault(f"{fresh.person} {fresh.locale}", {})[name] = fresh
            avoid[name] = {normalised(text) for text in texts}
            continue
        plans[name] = _plan(texts, column, fresh, len(frame))
        if (room := getattr(plans[name], "room", None)) is not None and room < len(frame):
            problems.append(_too_small(name, fresh, len(frame), room))
    for person, fakes in groups.items():
        try:
            people = draw_people(fakes, avoid, pool_size(fakes.values(), len(frame)), stream_of(rng, person))
        except InputError as error:
            problems.extend(error.problems)
            continue
        for name, pool in people.items():
            number = _first_number([*avoid[name], *map(normalised, pool)]) if fakes[name].unique else None
            plans[name] = People(pool, person, number)
    raise_all(problems)
    return plans


def fresh_columns(
    schema: Schema, plans: Mapping[str, Source], n: int, rng: np.random.Generator
) -> dict[str, pd.Series]:
    """Make the withheld columns of a table; the generator's seed is used and does not advance.

    Parameters
    ----------
    schema : Schema
        What the columns are.
    plans : mapping of str to Source
        What `plan_fresh` returned.
    n : int
        Number of rows.
    rng : Generator
        Its seed and the name of a column, or of a person, settle the values.
    """
    made, problems = {}, []
    for name, plan in plans.items():
        try:
            values = plan.values(name, n, stream_of(rng, getattr(plan, "person", name)))
            made[name] = restore.fresh(values, n, schema[name].storage).rename(name)
        except InputError as error:
            problems.extend(error.problems)
    raise_all(problems)
    return made


def recorded_shape(texts: Collection[str], column: Column) -> Fresh:
    """Name the fresh values that look like the recorded ones and tell nothing of them.

    Whole numbers for numbers, UUIDs for UUIDs, a pattern for texts of one shape, else running numbers; nothing for
    personal columns, dates and what has no shape.
    """
    if column.role is Role.PERSONAL or column.storage.holds not in NUMBERS | {Holds.TEXT}:
        return BLANK
    if column.storage.holds in NUMBERS:
        return INTEGER
    return UUID if looks_like_uuids(texts) else shape_of(texts) or RUNNING


def _texts(series: pd.Series) -> list[str]:
    """Write every distinct value as text, whole numbers without decimals and dates without an empty time."""
    return list(dict.fromkeys(map(_as_text, series[~blank_mask(series)].drop_duplicates())))


def _as_text(value: Scalar) -> str:
    if isinstance(value, dt.date):
        return value.isoformat().removesuffix("T00:00:00")
    whole = isinstance(value, (float, decimal.Decimal)) and math.isfinite(value) and value == int(value)
    return str(int(value) if whole else value)


def _plan(texts: Sequence[str], column: Column, fresh: str, n_rows: int) -> Source:
    if fresh == BLANK:
        return Blanks()
    if fresh == UUID:
        return Uuids()
    if fresh == INTEGER:
        return _plan_whole(texts, column, n_rows)
    pattern = Pattern(fresh)
    taken = _taken(pattern, texts)
    first, room = _free(taken, pattern.sizes, ROOM_PER_ROW * n_rows)
    if column.fresh != AUTO:
        return Walk(fresh, first, room)
    if pattern.runs_on:  # with more digits than any recorded one it goes on for ever
        beyond = max(pattern.capacity, 10 ** len(str(max(taken, default=0))))
        return Walk(fresh, first if first + room == beyond and room >= ROOM_PER_ROW * n_rows else beyond, None)
    return Walk(fresh, first, room) if room >= ROOM_PER_ROW * n_rows else _plan(texts, column, RUNNING, n_rows)


def _plan_whole(texts: Sequence[str], column: Column, n_rows: int) -> Walk:
    """Begin beyond the next power of ten; where the dtype ends before, in the largest free stretch below."""
    taken = _taken(_WHOLE, texts)
    limit = _LIMITS.get(column.storage.holds, 2**63)
    first = 10 ** len(str(max(taken, default=0))) + 1
    if limit - first < ROOM_PER_ROW * n_rows:
        digits = len(str(limit)) - 1
        first, room = _free([number for number in taken if number < 10**digits], (10,) * digits, ROOM_PER_ROW * n_rows)
    else:
        room = limit - first
    return Walk(None if column.storage.holds in NUMBERS else "#", first, room)


def _taken(pattern: Pattern, texts: Sequence[str]) -> list[int]:
    return sorted({number for number in map(pattern.number, texts) if number is not None})


def _free(taken: Sequence[int], sizes: Sequence[int], wanted: int) -> tuple[int, int]:
    """Find a stretch of numbers without a real one: where it begins and how long it is.

    It is made of whole blocks, of the coarsest size that gives enough, so that its ends say little of real numbers.
    """
    capacity = int(np.prod(np.array(sizes, dtype=object)))
    if not taken:
        return 1, capacity - 1
    best, block = (0, 0), capacity
    for size in sizes:
        block //= size
        if block < COARSE:
            break
        occupied = sorted({number // block for number in taken if number < capacity})
        ends = [-1, *occupied, capacity // block]
        longest = max(((b - a - 1, -a) for a, b in pairwise(ends)), default=(0, 0))
        best = max(best, ((1 - longest[1]) * block, longest[0] * block), key=lambda stretch: stretch[1])
        if best[1] >= wanted:
            break
    return best


def _first_number(texts: Collection[str]) -> int:
    """Find a number beyond all that stand where `_numbered` puts one, so that it makes no text that there is."""
    ends = (re.search(rf"(\d{{1,{LONGEST}}})(?=@|$)", text) for text in texts)
    largest = max((int(end[1]) for end in ends if end), default=1)
    return 2 if largest < 2 else 10 ** len(str(largest)) + 1


def _numbered(text: str, number: int) -> str:
    local, at, domain = text.partition("@")
    return f"{local}.{number}@{domain}" if at else f"{text} {number}"


def _too_small(column: str, what: object, n: int, room: int) -> Problem:
    return Problem(
        f"{n} rows need as many fresh values of column {column!r}, and {what} has {room} in a row that are not taken",
        "no fresh value is used twice or equals a real one",
        'state a longer pattern, "integer" or "uuid": schema.update(' + column + '={"fresh": "uuid"})',
        column,
    )


SOURCES = (Blanks, Uuids, Walk, People)
__all__ = ["SOURCES", "Source", "fresh_columns", "plan_fresh", "recorded_shape"]

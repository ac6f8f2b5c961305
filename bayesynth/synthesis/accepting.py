"""Rows by rejection on finished frames, where nothing better is known: with a budget and a reported rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesynth.diagnostics.reading import TableReader
from bayesynth.schema import Column, Kind, Schema
from bayesynth.schema.conditions import Between, Condition, Missing, Observed
from bayesynth.schema.kinds import NOMINAL
from bayesynth.schema.storage import plain
from bayesynth.synthesis.asking import condition_of, number_of

Draw = Callable[[int, np.random.Generator], pd.DataFrame]
Accept = Callable[[pd.DataFrame], np.ndarray]
ORIGIN, NOWHERE = "1970-01-01", -2.0
MOST_PER_ROW, FEWEST_TRIED = 200, 20_000


class TooFewAcceptedError(Exception):
    """Hardly any row is accepted.

    Parameters
    ----------
    kept, tried : int
        Rows that were accepted, and drawn.
    """

    def __init__(self, kept: int, tried: int):
        super().__init__(f"{kept} of {tried} rows")
        self.kept, self.tried = kept, tried


def draw_accepted(
    draw: Draw, n: int, accept: Accept, rng: np.random.Generator, most: int | None = None
) -> tuple[pd.DataFrame, float]:
    """Draw rows until n of them are accepted.

    Parameters
    ----------
    draw : callable
        Takes a number of rows and a generator and gives a frame.
    n : int
        Rows wanted.
    accept : callable
        Takes a frame and tells which of its rows to keep, shape (rows,).
    rng : Generator
        Randomness.
    most : int, optional
        Rows that may be drawn; when left out 200 for each wanted one, at least 20,000.

    Returns
    -------
    frame : DataFrame
        n accepted rows.
    rate : float
        Share of the drawn rows that was accepted.

    Raises
    ------
    TooFewAcceptedError
        If so many rows do not hold n accepted ones.
    """
    most = max(FEWEST_TRIED, MOST_PER_ROW * n) if most is None else most
    parts, kept, tried = [], 0, 0
    while kept < n:
        if tried >= most:
            raise TooFewAcceptedError(kept, tried)
        rate = (kept + 1) / (tried + 1)
        frame = draw(min(int(1.1 * (n - kept) / rate) + 10, most - tried), rng)
        keep = np.asarray(accept(frame), bool)
        parts.append(frame[keep])
        kept, tried = kept + int(keep.sum()), tried + len(frame)
    whole = pd.concat(parts, ignore_index=True).iloc[:n]
    whole.attrs = dict(parts[0].attrs)
    return whole, kept / tried


def meeting(schema: Schema, given: Mapping[str, Any]) -> Accept:
    """Judge finished rows by conditions on columns that a rule makes from others.

    Parameters
    ----------
    schema : Schema
        What the columns are.
    given : mapping of str to value or condition
        Conditions by column.

    Raises
    ------
    InputError
        If a condition cannot be read.
    """
    checks = [_check(schema[name], condition_of(name, wanted)) for name, wanted in given.items()]
    return lambda frame: np.all([check(frame) for check in checks], axis=0)


def _check(column: Column, condition: Condition) -> Accept:
    origins = {column.name: ORIGIN}

    def read(frame: pd.DataFrame) -> np.ndarray:
        return TableReader((), {}, origins).numbers(column, frame)

    def number(value: Any) -> float:
        if column.kind in NOMINAL or column.kind is Kind.CONSTANT:
            return float(column.levels.index(plain(value))) if plain(value) in column.levels else NOWHERE
        return number_of(column, value, condition, origins)

    if isinstance(condition, Missing):
        return lambda frame: np.isnan(read(frame))
    if isinstance(condition, Observed):
        return lambda frame: ~np.isnan(read(frame))
    if isinstance(condition, Between):
        low = -np.inf if condition.low is None else number(condition.low)
        high = np.inf if condition.high is None else number(condition.high)
        return lambda frame: (low <= read(frame)) & (read(frame) <= high)
    values = np.array([number(value) for value in condition.values])
    return lambda frame: np.isclose(read(frame)[:, None], values, rtol=1e-9, atol=0).any(axis=1)

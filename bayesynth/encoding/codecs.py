"""Codecs: a pandas column to a float64 array and back, one codec for each family of kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from bayesynth.errors import InputError, Problem
from bayesynth.schema import Column, Kind, Schema, restore
from bayesynth.schema.arrays import default_origin, elapsed, lengths, numbers, unit_of
from bayesynth.schema.storage import Scalar, plain


@dataclass(frozen=True)
class CodedColumn:
    """A column as numbers.

    Parameters
    ----------
    values : array of float64, shape (n,)
        Index into `levels` for binary, categorical, ordinal and constant columns; the number itself for counts and
        continuous ones; units of the column's resolution since `origin` for dates, and units for durations. NaN where
        blank.
    levels : tuple
        The levels that occur, in the order of the schema; empty for the other kinds.
    origin : str or None
        The date that a datetime column is counted from, in ISO format.
    """

    values: np.ndarray
    levels: tuple[Scalar, ...] = ()
    origin: str | None = None


class Codec(Protocol):
    """Both ways between a column and its numbers."""

    def encode(self, column: Column, series: pd.Series) -> CodedColumn:
        """Turn a pandas column into numbers."""

    def decode(self, column: Column, values: np.ndarray, levels: tuple[Scalar, ...], origin: str | None) -> pd.Series:
        """Turn numbers into a pandas column."""


class LevelCodec:
    """Levels as their index among those that occur."""

    def encode(self, column: Column, series: pd.Series) -> CodedColumn:
        """Index the values by level.

        Raises
        ------
        InputError
            If a value is not among the levels of the schema.
        """
        codes, uniques = pd.factorize(series)
        found = [plain(value) for value in uniques]
        unseen = [value for value in found if value not in column.levels]
        if unseen:
            raise InputError(
                Problem(
                    f"column {column.name!r} has unseen levels: {', '.join(map(repr, unseen[:5]))}",
                    "the schema does not list them",
                    "check the table with schema.validate(frame), or add them to the levels",
                    column.name,
                )
            )
        present = set(found)
        levels = tuple(level for level in column.levels if level in present)
        index = {level: i for i, level in enumerate(levels)}
        lookup = np.array([*(index[value] for value in found), np.nan])  # the code -1 of a blank picks the NaN
        return CodedColumn(lookup[codes], levels)

    def decode(self, column: Column, values: np.ndarray, levels: tuple[Scalar, ...], origin: None) -> pd.Series:
        """Pick the level of each index."""
        codes = np.where(np.isnan(values), -1, values).astype(np.intp)
        return restore.levels(codes, levels, column.storage)


class NumberCodec:
    """Numbers as they are; back on the grid and within the bounds."""

    def encode(self, column: Column, series: pd.Series) -> CodedColumn:
        """Read the numbers."""
        return CodedColumn(numbers(series))

    def decode(self, column: Column, values: np.ndarray, levels: tuple[()], origin: None) -> pd.Series:
        """Round to the grid, keep within bounds and restore the dtype."""
        if column.precision is not None:
            values = np.round(values, column.precision)
        if column.bounds is not None:
            values = np.clip(values, *column.bounds)
        return restore.numbers(values, column.storage, column.precision)


class DateCodec:
    """Dates as units of the resolution since an origin."""

    def encode(self, column: Column, series: pd.Series) -> CodedColumn:
        """Count from the start of the first year."""
        origin = default_origin(series)
        return CodedColumn(_units(elapsed(series, origin, column.precision), column.precision), origin=origin)

    def decode(self, column: Column, values: np.ndarray, levels: tuple[()], origin: str) -> pd.Series:
        """Count forward from the origin and restore zone and dtype."""
        return restore.dates(_steps(values, column.precision), origin, column.precision, column.storage)


class DurationCodec:
    """Durations as units of the resolution."""

    def encode(self, column: Column, series: pd.Series) -> CodedColumn:
        """Count units."""
        return CodedColumn(_units(lengths(series), column.precision))

    def decode(self, column: Column, values: np.ndarray, levels: tuple[()], origin: None) -> pd.Series:
        """Multiply out and restore the dtype."""
        return restore.durations(_steps(values, column.precision), column.storage)


def _units(past: np.ndarray, resolution: str) -> np.ndarray:
    return past / unit_of(resolution)


def _steps(values: np.ndarray, resolution: str) -> np.ndarray:
    blank = np.isnan(values)
    steps = np.rint(np.where(blank, 0, values)).astype(np.int64) * unit_of(resolution)
    steps[blank] = unit_of(resolution, "NaT")
    return steps


CODECS: Mapping[Kind, Codec] = {
    Kind.BINARY: LevelCodec(),
    Kind.CATEGORICAL: LevelCodec(),
    Kind.ORDINAL: LevelCodec(),
    Kind.CONSTANT: LevelCodec(),
    Kind.COUNT: NumberCodec(),
    Kind.CONTINUOUS: NumberCodec(),
    Kind.DATETIME: DateCodec(),
    Kind.DURATION: DurationCodec(),
}


def encode_column(column: Column, series: pd.Series) -> CodedColumn:
    """Turn a pandas column into numbers, by the codec of its kind.

    Raises
    ------
    InputError
        If the column is an identifier, or has a level that the schema does not list.

    Examples
    --------
    >>> encode_column(Column("sex", "binary", levels=("f", "m")), pd.Series(["m", "f", "m"])).values
    array([1., 0., 1.])
    """
    if column.kind is Kind.IDENTIFIER:
        raise InputError(
            Problem(
                f"column {column.name!r} is an identifier",
                "its values must not enter the model",
                "leave it out, or state another kind in the schema",
                column.name,
            )
        )
    return CODECS[column.kind].encode(column, series)


def decode_column(
    column: Column, values: np.ndarray, *, levels: tuple[Scalar, ...] = (), origin: str | None = None
) -> pd.Series:
    """Turn numbers back into a pandas column with the dtype, categories, grid and time zone of the original.

    Examples
    --------
    >>> decode_column(Column("sex", "binary", levels=("f", "m")), np.array([1.0, 0.0]), levels=("f", "m")).tolist()
    ['m', 'f']
    """
    series = CODECS[column.kind].decode(column, np.asarray(values, dtype=np.float64), levels, origin)
    return series.rename(column.name)


def decode_frame(
    schema: Schema,
    columns: Mapping[str, np.ndarray],
    levels: Mapping[str, tuple[Scalar, ...]],
    origins: Mapping[str, str | None],
    n: int,
) -> pd.DataFrame:
    """Put a table together, in the column order of the schema and without the columns that are withheld.

    Constant columns without values of their own are filled, other columns that were not drawn are blank.

    Parameters
    ----------
    schema : Schema
        What the columns are.
    columns : mapping of str to array of float64
        Coded values of every column that was drawn.
    levels, origins : mapping
        What `encode_column` returned beside the values.
    n : int
        Number of rows.
    """
    table = {}
    for name, column in schema.items():
        if column.withheld:
            continue
        if column.kind is Kind.CONSTANT:
            filled = np.full(n, 0.0 if column.levels else np.nan)
            table[name] = decode_column(column, columns.get(name, filled), levels=column.levels)
        else:
            values = columns.get(name, np.full(n, np.nan))
            table[name] = decode_column(column, values, levels=levels.get(name, ()), origin=origins.get(name))
    return pd.DataFrame(table, index=pd.RangeIndex(n))


__all__ = ["CODECS", "Codec", "CodedColumn", "decode_column", "decode_frame", "encode_column"]

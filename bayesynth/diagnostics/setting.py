"""What all figures of an assessment share: each table read once, and the ways to split the real rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesynth.diagnostics.reading import TableReader, schema_of, table_problems, tables_of
from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.schema import Column, Kind, Schema

FEWEST_ROWS, FEWEST_HELD = 8, 16
MOST_ROWS = 5000  # on a side of a split


@dataclass(frozen=True)
class Sample:
    """A table as it came and as numbers.

    Parameters
    ----------
    frame : DataFrame
        The table, with a row number as its index.
    values : ndarray, shape (n, columns)
        Numbers of the compared columns, see `TableReader.values`.
    """

    frame: pd.DataFrame
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Design:
    """How real rows are split, again and again, into reference rows and others; made by `Setting.design`.

    Parameters
    ----------
    reference, other : Sample
        Where the rows of the two sides come from; the same one if real rows are halved.
    a, b : int
        How many there are on each side. In a comparison, b synthetic rows take the place of the others.
    """

    reference: Sample
    other: Sample
    a: int
    b: int

    @property
    def held(self) -> bool:
        """Whether the sides come from different samples, one of them held out."""
        return self.reference is not self.other

    def split(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw the rows of both sides, shapes (a,) and (b,)."""
        other = rng.permutation(len(self.other))
        reference = rng.permutation(len(self.reference)) if self.held else other[self.b :]
        return reference[: self.a], other[: self.b]

    def draw(self, table: Sample, rng: np.random.Generator) -> np.ndarray:
        """Draw as many rows of a synthetic table as there are others, shape (b,)."""
        return rng.permutation(len(table))[: self.b]


@dataclass(frozen=True)
class Setting:
    """Tables to be compared; made by `Setting.of`.

    Parameters
    ----------
    reader : TableReader
        Reads all tables as the real one is read.
    real : Sample
        The real rows that the synthetic tables were made from.
    tables : tuple of Sample
        The synthetic tables.
    holdout : Sample or None
        Real rows that they were not made from.
    target : str or None
        Column to predict.
    analysis : callable, mapping of str to callable, or None
        The user's own analyses.
    """

    reader: TableReader
    real: Sample
    tables: tuple[Sample, ...]
    holdout: Sample | None = None
    target: str | None = None
    analysis: Any = None

    @classmethod
    def of(
        cls,
        real: pd.DataFrame,
        synthetic: pd.DataFrame | Iterable[pd.DataFrame],
        schema: Schema | None = None,
        holdout: pd.DataFrame | None = None,
        target: str | None = None,
        analysis: Any = None,
    ) -> Setting:
        """Read the tables.

        Raises
        ------
        InputError
            If they cannot be compared.
        """
        _check_rows(real, "the real table", FEWEST_ROWS)
        reader = TableReader.of(real, schema_of(real, schema))
        if not reader.columns:
            found, why = "the real table has no column to compare", "identifiers and constant columns are left out"
            raise InputError(Problem(found, why, "pass a table with columns that vary, or a schema"))
        if holdout is not None:
            _check_rows(holdout, "the holdout", FEWEST_HELD, reader.names)
        if target is not None and target not in reader.names:
            found, why = f"target is {target!r}", "it is no column that is compared"
            raise InputError(Problem(found, why, f"name one of {', '.join(reader.names)}"))
        frames = tables_of(synthetic, reader.names)
        held = None if holdout is None else _read(reader, holdout)
        tables = tuple(_read(reader, frame) for frame in frames)
        return cls(reader, _read(reader, real), tables, held, target, analysis)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All tables, the real one first."""
        return (self.real, *(() if self.holdout is None else (self.holdout,)), *self.tables)

    def design(self, *, is_loss: bool = False) -> Design:
        """Say how real rows are split.

        They are halved, but for a loss (``is_loss``) where there is a holdout: then half of it tests what half of the
        real rows, or as many synthetic ones, have trained. Distances make no use of the holdout: one small fixed sample
        would be a floor known several times less well, and beside the rows that the tables were made from a correct
        model comes out neither above nor below the floor. No side has more than 5,000 rows, or more than a table.
        """
        reference = self.holdout if is_loss and self.holdout is not None else self.real
        b = min(MOST_ROWS, len(self.real) // 2, *(len(table) for table in self.tables))
        a = min(MOST_ROWS, len(self.real) - b if reference is self.real else len(reference) // 2)
        return Design(reference, self.real, a, b)


def is_ordered(column: Column) -> bool:
    """Whether the values of a column have an order; of two levels, either order does."""
    return column.kind is not Kind.CATEGORICAL


def ordered_columns(reader: TableReader) -> np.ndarray:
    """Which of the compared columns are ordered, shape (columns,)."""
    return np.array([is_ordered(column) for column in reader.columns], dtype=bool)


def ranks_in(real: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Places of numbers among those of the real column, from 0 to 1, ties in their middle; NaN where blank.

    Parameters
    ----------
    real, values : ndarray, shape (n,) and (rows,)
        Numbers, NaN where blank.

    Examples
    --------
    >>> ranks_in(np.array([1.0, 2.0, 2.0, 4.0]), np.array([0.0, 1.0, 2.0, 3.0, np.nan])).tolist()
    [0.0, 0.125, 0.5, 0.75, nan]
    """
    known = np.sort(real[~np.isnan(real)])
    places = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / 2
    return np.where(np.isnan(values), np.nan, places / max(len(known), 1))


def features(setting: Setting, sample: Sample) -> np.ndarray:
    """Columns as a classifier takes them, shape (n, features): ranks in the real column, or levels one by one.

    A blank is below all ranks, or a level of its own, so that a tree can ask for it.
    """
    found = []
    for i, column in enumerate(setting.reader.columns):
        values = sample.values[:, i]
        if is_ordered(column):
            found.append(np.nan_to_num(ranks_in(setting.real.values[:, i], values), nan=-1.0))
        else:
            found += [values == level for level in range(len(column.levels))] + [np.isnan(values)]
    return np.column_stack(found).astype(np.float32)


def features_of(reader: TableReader) -> np.ndarray:
    """Position of the column behind each feature, shape (features,)."""
    widths = [1 if is_ordered(column) else len(column.levels) + 1 for column in reader.columns]
    return np.repeat(np.arange(len(widths)), widths)


def _read(reader: TableReader, frame: pd.DataFrame) -> Sample:
    values = reader.values(frame)
    infinite = [name for name, column in zip(reader.names, values.T, strict=True) if np.isinf(column).any()]
    if infinite:
        found, why = f"{', '.join(infinite)} holds infinite numbers", "they have no place in a distribution"
        raise InputError(Problem(found, why, "make them blank, or leave the rows out"))
    return Sample(frame.reset_index(drop=True), values)


def _check_rows(table: pd.DataFrame, what: str, fewest: int, names: Iterable[str] = ()) -> None:
    raise_all(table_problems(table, what, names))
    if len(table) < fewest:
        found, why = f"{what} has {len(table)} rows", "halves of it say nothing about its law"
        raise InputError(Problem(found, why, f"pass at least {fewest}; 50 is a sensible least"))

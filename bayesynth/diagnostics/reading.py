"""Real and synthetic tables read alike: the same numbers, the same bins, the same place for a blank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.schema import Column, Kind, Schema
from bayesynth.schema.arrays import default_origin, elapsed, lengths, numbers, unit_of
from bayesynth.schema.infer import infer_column
from bayesynth.schema.kinds import NOMINAL
from bayesynth.schema.storage import blank_mask, plain

BINS = 5


def table_problems(table: object, what: str, names: Iterable[str] = ()) -> Iterator[Problem]:
    """Say why something is no table, or not one with the named columns."""
    if not isinstance(table, pd.DataFrame):
        yield Problem(f"{what} is a {type(table).__name__}", "a table is a pandas DataFrame", "pass DataFrames")
    elif missing := [name for name in names if name not in table.columns]:
        remedy = "pass tables with the same columns, or a schema without these"
        yield Problem(f"{what} lacks {', '.join(missing)}", "columns are compared by name", remedy)


def schema_of(frame: pd.DataFrame, schema: Schema | None) -> Schema:
    """Take the schema that is given, or infer one without remarks: judging is no time to discuss columns.

    Raises
    ------
    InputError
        If the real table is no table.
    """
    raise_all(table_problems(frame, "the real table"))
    return schema if schema is not None else Schema([infer_column(frame[name]) for name in frame.columns])


def tables_of(synthetic: pd.DataFrame | Iterable[pd.DataFrame], names: Iterable[str]) -> tuple[pd.DataFrame, ...]:
    """Take one synthetic table or several, all of which have the named columns.

    Parameters
    ----------
    synthetic : DataFrame or iterable of DataFrame
        One table, several, or a `SyntheticTables`.
    names : iterable of str
        Columns that each must have.

    Raises
    ------
    InputError
        If there is no table, a table has no rows, or columns are missing; lists all of it at once.
    """
    several = isinstance(synthetic, Iterable) and not isinstance(synthetic, pd.DataFrame)
    tables = tuple(synthetic) if several else (synthetic,)
    names, problems = list(names), []
    if not tables:
        problems.append(Problem("there is no synthetic table", "nothing can be compared", "pass at least one"))
    for i, table in enumerate(tables, 1):
        if wrong := list(table_problems(table, f"synthetic table {i}", names)):
            problems += wrong
        elif len(table) == 0:
            problems.append(Problem(f"synthetic table {i} has no rows", "it has no distribution", "draw some rows"))
    raise_all(problems)
    return tables


@dataclass(frozen=True)
class TableReader:
    """Reads tables as the real one is read; made by `TableReader.of`.

    Parameters
    ----------
    columns : tuple of Column
        The columns that are compared.
    edges : mapping of str to ndarray
        Upper edges of all bins but the last of each column that is not nominal.
    origins : mapping of str to str
        Date from which each datetime column is counted.
    """

    columns: tuple[Column, ...]
    edges: Mapping[str, np.ndarray]
    origins: Mapping[str, str]

    @classmethod
    def of(cls, real: pd.DataFrame, schema: Schema) -> TableReader:
        """Take bins and origins from the real table; its modelled columns are those that are compared."""
        columns = tuple(schema[name] for name in schema.modelled)
        raise_all(table_problems(real, "the real table", schema.modelled))
        dates = [c.name for c in columns if c.kind is Kind.DATETIME]
        reader = cls(columns, {}, {name: default_origin(real[name]) for name in dates})
        free = [c for c in columns if c.kind not in NOMINAL]
        return cls(columns, {c.name: _edges(reader.numbers(c, real)) for c in free}, reader.origins)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that are compared."""
        return tuple(column.name for column in self.columns)

    @property
    def sizes(self) -> np.ndarray:
        """Number of codes of each column, shape (columns,): its bins or levels, one for anything else, one blank."""
        bins = [len(c.levels) if c.kind in NOMINAL else len(self.edges[c.name]) + 1 for c in self.columns]
        return np.array(bins, dtype=np.int64) + 2

    def numbers(self, column: Column, frame: pd.DataFrame) -> np.ndarray:
        """One column as numbers, shape (n,): index of the level, or the number, or units of time; NaN where blank.

        A value that is not among the levels of the schema is -1.
        """
        series = frame[column.name]
        try:
            if column.kind in NOMINAL:
                return _level_numbers(column, series)
            if column.kind is Kind.DATETIME:
                return elapsed(series, self.origins[column.name], column.precision) / unit_of(column.precision)
            if column.kind is Kind.DURATION:
                return lengths(series) / unit_of(column.precision)
            return numbers(series)
        except (TypeError, ValueError):
            pass  # the message of pandas holds a value, which may be that of a person
        raise InputError(
            Problem(
                f"column {column.name!r} holds {series.dtype} in one of the tables",
                f"it cannot be read as {column.kind}",
                "give all tables the dtypes of the real one",
                column.name,
            )
        )

    def values(self, frame: pd.DataFrame) -> np.ndarray:
        """All columns as numbers, shape (n, columns)."""
        return np.column_stack([self.numbers(column, frame) for column in self.columns])

    def codes(self, frame: pd.DataFrame) -> np.ndarray:
        """All columns as bins, shape (n, columns), from 0 to ``sizes`` - 1; the last code is a blank."""
        return self.bins(self.values(frame))

    def bins(self, values: np.ndarray) -> np.ndarray:
        """Put numbers into bins, both of shape (n, columns); see `codes`."""
        found = np.empty(values.shape, dtype=np.int64)
        for i, (column, size) in enumerate(zip(self.columns, self.sizes, strict=True)):
            blank = np.isnan(values[:, i])
            if column.kind in NOMINAL:
                code = np.where(values[:, i] < 0, size - 2, np.where(blank, 0, values[:, i])).astype(np.int64)
            else:
                code = np.searchsorted(self.edges[column.name], values[:, i], side="left")
            found[:, i] = np.where(blank, size - 1, code)
        return found


def _level_numbers(column: Column, series: pd.Series) -> np.ndarray:
    index = {level: float(i) for i, level in enumerate(column.levels)}
    codes, uniques = pd.factorize(series.mask(blank_mask(series)))
    lookup = np.array([*(index.get(plain(value), -1.0) for value in uniques), np.nan])
    return lookup[codes]


def _edges(values: np.ndarray) -> np.ndarray:
    """Quantiles of the real column that cut it into bins, ties taken together and a heap at the top kept apart."""
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return np.empty(0)
    edges = np.quantile(values, np.arange(1, BINS) / BINS, method="inverted_cdf")
    below = values[values < values.max()]
    top = below.max() if len(below) else -np.inf
    return np.unique(np.minimum(edges, top))

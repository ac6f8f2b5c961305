"""The table that is searched for rules: columns as codes and numbers, and the rows that are kept aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesynth.rules.values import read
from bayesynth.schema.arrays import decimals
from bayesynth.schema.column import Column
from bayesynth.schema.kinds import NOMINAL, Kind
from bayesynth.schema.storage import TIMES, Holds, blank_mask, plain, storage_of


@dataclass(frozen=True)
class Field:
    """A column as the searches see it.

    Parameters
    ----------
    name : str
        Its name.
    observed : array of bool
        Where it is not blank, (rows,).
    codes : array of int
        Its distinct values numbered, -1 where blank, (rows,).
    levels : tuple
        The value of each code.
    sort : str
        "number", "date" or "duration"; "level" where it has no magnitude.
    values : array of float
        Its numbers, NaN where blank, (rows,); days for dates and durations.
    step : float
        The grid of its values; 0 where there is none.
    nominal : bool
        Whether the schema gives it levels.
    ordered : bool
        Whether its levels have an order.
    """

    name: str
    observed: np.ndarray
    codes: np.ndarray
    levels: tuple[object, ...]
    sort: str
    values: np.ndarray
    step: float
    nominal: bool
    ordered: bool

    @property
    def n_levels(self) -> int:
        """How many distinct values occur."""
        return len(self.levels)


@dataclass(frozen=True)
class Table:
    """The columns of a table and its rows kept aside.

    Parameters
    ----------
    fields : mapping of str to Field
        By name, in the order of the table; without identifiers and personal columns.
    aside : array of bool
        Rows that are not searched, (rows,).
    """

    fields: Mapping[str, Field]
    aside: np.ndarray

    @classmethod
    def of(cls, frame: pd.DataFrame, schema: Mapping[str, Column], aside: np.ndarray) -> Table:
        """Read a frame; it is not changed."""
        kept = [column for column in schema.values() if not column.withheld]
        return cls({column.name: _field(frame[column.name], column) for column in kept}, aside)

    def __len__(self) -> int:
        return len(self.aside)

    @cached_property
    def varying(self) -> tuple[Field, ...]:
        """Columns with at least two values."""
        return tuple(field for field in self.fields.values() if field.n_levels > 1)

    @cached_property
    def measured(self) -> tuple[Field, ...]:
        """Columns with at least two values that are numbers or times."""
        return tuple(field for field in self.varying if field.sort != "level")

    @cached_property
    def leveled(self) -> tuple[Field, ...]:
        """Columns with at least two levels."""
        return tuple(field for field in self.varying if field.nominal)


def _field(series: pd.Series, column: Column) -> Field:
    observed = ~blank_mask(series)
    codes, distinct = pd.factorize(series[observed], sort=True)
    filled = np.full(len(series), -1)
    filled[observed] = codes
    sort, values = _magnitudes(series)
    places = decimals(values[observed], lowest=0) if sort == "number" and observed.any() else None
    return Field(
        column.name,
        observed,
        filled,
        tuple(plain(level) for level in distinct),
        sort,
        values,
        0.0 if places is None or places > 8 else 10.0**-places,
        column.kind in NOMINAL,
        column.kind is Kind.ORDINAL or sort != "level",
    )


def _magnitudes(series: pd.Series) -> tuple[str, np.ndarray]:
    value = read(series)
    if value.is_text:
        return "level", np.where(value.blank, np.nan, 0.0)
    holds = storage_of(series).holds
    sort = "date" if holds in TIMES else "duration" if holds is Holds.DURATION else "number"
    return sort, np.where(value.blank, np.nan, value.data)

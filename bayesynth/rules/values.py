"""What rules compute with: a column as numbers or texts, with its blanks beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.schema.arrays import lengths, numbers, stamps
from bayesynth.schema.infer import form_of
from bayesynth.schema.storage import NUMBERS, TIMES, Holds, Storage, blank_mask, storage_of

DAY = np.timedelta64(1, "D")
EPOCH = pd.Timestamp("1970-01-01")


@dataclass(frozen=True)
class Value:
    """Values with their blanks.

    Parameters
    ----------
    data : array
        Numbers, truths, or texts (as objects). What stands where a value is blank means nothing.
    blank : array of bool
        Where a value is blank.
    """

    data: np.ndarray
    blank: np.ndarray

    @property
    def is_text(self) -> bool:
        """Whether these are texts."""
        return self.data.dtype == object

    @property
    def truth(self) -> np.ndarray:
        """Where the value is known and true, or a number other than 0."""
        return ~self.blank & (self.data != 0)


def read(series: pd.Series) -> Value:
    """Read a column: dates as days since 1970-01-01 on the wall clock, durations as days, truths as 0 and 1."""
    storage, blank = storage_of(series), blank_mask(series)
    if storage.holds is Holds.TEXT:
        return Value(_texts(series, storage, blank), blank)
    return Value(np.where(blank, 0.0, _figures(series, storage.holds, blank)), blank)


def read_rank(series: pd.Series) -> Value:
    """Read a column so that it can be ordered: ordered categories by the place of levels, texts of dates as dates."""
    if isinstance(series.dtype, pd.CategoricalDtype) and series.dtype.ordered:
        codes = series.cat.codes.to_numpy()
        return Value(codes.astype(float), codes < 0)
    storage, blank = storage_of(series), blank_mask(series)
    if form_of(series[~blank], storage) is not None:
        return Value(np.where(blank, 0.0, _figures(series, Holds.DATETIME, blank)), blank)
    return read(series)


def read_all(frame: pd.DataFrame, columns: Sequence[str]) -> Mapping[str, Value]:
    """Read several columns."""
    return {name: read(frame[name]) for name in columns}


def any_blank(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Tell which rows have a blank among some columns."""
    found = np.zeros(len(frame), bool)
    for name in columns:
        found |= blank_mask(frame[name])
    return found


def days(moment: object) -> float:
    """Count a date in days since 1970-01-01 on its own clock."""
    stamp = pd.Timestamp(moment)
    return (stamp.tz_localize(None) - EPOCH) / pd.Timedelta(days=1)


def _texts(series: pd.Series, storage: Storage, blank: np.ndarray) -> np.ndarray:
    found = series.to_numpy(dtype=object, na_value="").copy() if storage.categories is None else None
    if found is None:
        lookup = np.array([*storage.categories, ""], dtype=object)
        return lookup[series.cat.codes.to_numpy()]
    found[blank] = ""
    return found


def _figures(series: pd.Series, holds: Holds, blank: np.ndarray) -> np.ndarray:
    if holds in NUMBERS:
        return numbers(series)
    if holds in TIMES:
        index = stamps(series)
        index = index.tz_localize(None) if index.tz is not None else index
        return _in_days(index.to_numpy() - EPOCH.to_datetime64())
    if holds is Holds.DURATION:
        return _in_days(lengths(series))
    if holds is Holds.BOOL:
        return np.array([False if b else bool(v) for v, b in zip(series, blank, strict=True)], dtype=float)
    return np.zeros(len(series))


def _in_days(past: np.ndarray) -> np.ndarray:
    """Divide by a day; from microseconds where they are whole, since doubles hold those exactly."""
    rough = past.astype("m8[us]")
    return (rough if np.array_equal(rough[~np.isnat(past)], past[~np.isnat(past)]) else past) / DAY

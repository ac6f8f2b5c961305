"""Columns as float64 arrays: numbers, and times counted from an origin."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_string_dtype

from bayesynth.schema.storage import Holds, Storage, blank_mask, parse_dtype

RESOLUTIONS = ("D", "h", "min", "s", "ms", "us", "ns")
NO_TIME = np.timedelta64(0, "s")
_NUMPY_UNIT = {"min": "m"}


def unit_of(resolution: str, count: int | str = 1) -> np.timedelta64:
    """Make one unit of a resolution, or "NaT" in it."""
    return np.timedelta64(count, _NUMPY_UNIT.get(resolution, resolution))


def numbers(series: pd.Series) -> np.ndarray:
    """Read a numeric column as a new float64 array, NaN where blank."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        of_level = numbers(pd.Series(series.dtype.categories))
        return np.append(of_level, np.nan)[series.cat.codes.to_numpy()]
    if series.dtype == object:
        return np.array(
            [np.nan if b else float(v) for v, b in zip(series, blank_mask(series), strict=True)], dtype=float
        )
    return series.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)


def tallies(series: pd.Series) -> np.ndarray:
    """Count how often each distinct non-blank value occurs."""
    codes = pd.factorize(series)[0]
    return np.bincount(codes[codes >= 0])


def decimals(values: np.ndarray, single: bool = False, lowest: int = -6) -> int | None:
    """Find the coarsest decimal grid that all values lie on.

    Parameters
    ----------
    values : array of float
        Finite values.
    single : bool
        Whether they were stored in single precision.
    lowest : int
        The coarsest grid to consider: -2 stands for hundreds.

    Returns
    -------
    int or None
        Number of decimals; None if 15 significant digits do not hold the values.
    """
    values = np.unique(values)
    largest = np.abs(values).max(initial=0.0)
    # A coarse grid is believed only where chance would hardly have made it.
    first = lowest if len(values) >= 12 else 0
    for places in range(first, 16):
        if largest * 10.0**places >= (1e7 if single else 1e15):
            return None
        rounded = np.round(values, places)
        if (
            np.array_equal(rounded.astype(np.float32), values.astype(np.float32))
            if single
            else np.array_equal(rounded, values)
        ):
            return places
    return None


def zone_of(storage: Storage) -> object:
    """Find the time zone of a column, or None."""
    if storage.holds is not Holds.DATETIME or storage.dtype == "object":
        return None
    dtype = parse_dtype(storage.dtype)
    if isinstance(dtype, pd.ArrowDtype):
        return getattr(dtype.pyarrow_dtype, "tz", None)
    return getattr(dtype, "tz", None)


def stamps(series: pd.Series) -> pd.DatetimeIndex:
    """Read a column of dates or times as a DatetimeIndex."""
    if is_string_dtype(series.dtype):  # objects included
        pairs = zip(series, blank_mask(series), strict=True)
        return pd.DatetimeIndex(
            np.array([np.datetime64("NaT", "us") if b else np.datetime64(v) for v, b in pairs], "M8[us]")
        )
    return pd.DatetimeIndex(series)


def default_origin(series: pd.Series) -> str:
    """Start of the first year in the column: close enough to count from, too coarse to be anybody's date."""
    first = stamps(series).min()
    return "1970-01-01" if first is pd.NaT else f"{max(first.year, 1678):04d}-01-01"


def elapsed(series: pd.Series, origin: str, resolution: str) -> np.ndarray:
    """Time since the origin as timedelta64.

    Days are counted on the wall clock, since days with a change of clock are not 24 hours long; anything shorter is
    counted between instants, since wall-clock times can occur twice.
    """
    index = stamps(series)
    start = start_of(origin, index.tz, resolution)
    if index.tz is not None:
        index = index.tz_localize(None) if resolution == "D" else index.tz_convert(None)
    return index.to_numpy() - start


def start_of(origin: str, zone: object, resolution: str) -> np.datetime64:
    """Find the origin on the clock that its column is counted on."""
    start = pd.Timestamp(origin).as_unit("s")
    if zone is not None and resolution != "D":
        start = start.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").tz_convert(None)
    return start.to_datetime64()


def lengths(series: pd.Series) -> np.ndarray:
    """Read a column of durations as timedelta64."""
    if series.dtype == object:
        pairs = zip(series, blank_mask(series), strict=True)
        return np.array([np.timedelta64("NaT", "us") if b else np.timedelta64(v) for v, b in pairs], dtype="m8[us]")
    return pd.TimedeltaIndex(series).to_numpy()


def resolution_of(series: pd.Series, storage: Storage) -> str:
    """Find the coarsest unit that every value of a time or duration column is a whole number of."""
    origin = default_origin(series) if storage.holds is not Holds.DURATION else ""
    for resolution in RESOLUTIONS[:-1]:
        past = lengths(series) if storage.holds is Holds.DURATION else elapsed(series, origin, resolution)
        past = past[~np.isnat(past)]
        if np.all(past % unit_of(resolution) == NO_TIME):
            return resolution
    return RESOLUTIONS[-1]

"""Arrays back into pandas columns of a recorded storage."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd

from bayesynth.schema.arrays import start_of, zone_of
from bayesynth.schema.storage import BLANKS, TIMES, Holds, Scalar, Storage, parse_dtype
from bayesynth.schema.texts import write_dates

EPOCH = "1970-01-01"


def levels(codes: np.ndarray, values: tuple[Scalar, ...], storage: Storage) -> pd.Series:
    """Pick values by code, a blank for -1."""
    dtype = parse_dtype(storage.dtype)
    if storage.categories is not None:
        categories = pd.CategoricalDtype(pd.Index(storage.categories, dtype=dtype), storage.ordered)
        place = {level: i for i, level in enumerate(storage.categories)}
        lookup = np.array([*(place[value] for value in values), -1])
        return pd.Series(pd.Categorical.from_codes(lookup[codes], dtype=categories))
    if dtype == np.dtype(object):
        return pd.Series(_objects(values, storage).take(codes), dtype=object)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        if np.any(codes < 0):  # numpy's own way: integers with blanks are floats, booleans with blanks objects
            dtype = (
                np.dtype(object)
                if dtype.kind == "b"
                else np.result_type(dtype, np.float64 if dtype.kind in "iu" else dtype)
            )
            return pd.Series(np.array([*values, np.nan], dtype=dtype).take(codes))
        return pd.Series(np.array(values, dtype=dtype).take(codes))
    return pd.Series(pd.array(list(values), dtype=dtype).take(codes, allow_fill=True))


def numbers(values: np.ndarray, storage: Storage, precision: int | None) -> pd.Series:
    """Restore numbers, NaN as the blank of the dtype."""
    dtype = parse_dtype(storage.dtype)
    if storage.holds is Holds.DECIMAL:
        distinct, place = np.unique(values, return_inverse=True)  # NaN is one value, the last
        known = tuple(_decimal(value, precision) for value in distinct if not np.isnan(value))
        return levels(np.where(np.isnan(values), -1, place), known, storage)
    if storage.holds is Holds.INTEGER:
        values = np.rint(values)
    blank = np.isnan(values)
    if dtype == np.dtype(object):
        whole = storage.holds is Holds.INTEGER
        made = np.where(blank, 0, values).astype(np.int64 if whole else np.float64).astype(object)
        made[blank] = BLANKS[storage.blank]
        return pd.Series(made, dtype=object)
    if isinstance(dtype, np.dtype):
        if dtype.kind in "iu":
            if blank.any():
                return pd.Series(values)
            dtype = _wide_enough(dtype, values)
        return pd.Series(values.astype(dtype))
    return pd.Series(pd.array(values, dtype=dtype))


def fresh(values: list[Scalar] | None, n: int, storage: Storage) -> pd.Series:
    """Keep the recorded dtype where it can hold the values: whole numbers, or texts; None is n blanks."""
    if values is None:
        return levels(np.full(n, -1), (), storage)
    if isinstance(values[0], int):
        return _whole(values, storage)
    if storage.holds in TIMES:
        try:
            steps = np.array(values, "M8[D]") - np.datetime64(EPOCH, "D")
            return dates(steps.astype("m8[us]"), EPOCH, "D", storage)
        except ValueError:
            pass  # no dates, so texts
    kept = storage if storage.holds is Holds.TEXT else Storage("str", Holds.TEXT)
    return levels(np.arange(n), tuple(values), kept)


def _whole(values: list[int], storage: Storage) -> pd.Series:
    """Restore whole numbers, in the widest dtype of the same sort where the recorded one is too narrow."""
    dtype = parse_dtype(storage.dtype)
    if dtype == np.dtype(object):
        return pd.Series([Decimal(v) for v in values] if storage.holds is Holds.DECIMAL else values, dtype=object)
    wide = {Holds.INTEGER: "int64", Holds.FLOAT: "float64"}.get(storage.holds, "decimal128(38, 0)")
    if storage.dtype.startswith("arrow:"):
        wide = "arrow:" + wide.replace("float64", "double")
    elif not isinstance(dtype, np.dtype):
        wide = wide.capitalize()
    for name in (storage.dtype, wide):
        try:
            made = pd.Series(pd.array(values, dtype=parse_dtype(name)))
        except (OverflowError, ValueError, TypeError):
            continue
        if [int(value) for value in made] == values:
            return made
    return pd.Series(values)


def dates(steps: np.ndarray, origin: str, resolution: str, storage: Storage) -> pd.Series:
    """Restore dates from the time since an origin."""
    zone = zone_of(storage)
    index = pd.DatetimeIndex(start_of(origin, zone, resolution) + steps)
    if zone is not None:
        if resolution == "D":
            index = index.tz_localize(zone, ambiguous=np.ones(len(index), dtype=bool), nonexistent="shift_forward")
        else:
            index = index.tz_localize("UTC").tz_convert(zone)
    if storage.form is not None:
        distinct, place = np.unique(index.to_numpy(), return_inverse=True)  # NaT is one value, the last
        texts = write_dates(distinct[~np.isnat(distinct)], storage.form)
        return levels(np.where(index.isna(), -1, place), tuple(map(str, texts)), storage)
    if storage.dtype == "object":
        made = index.to_numpy("M8[D]" if storage.holds is Holds.DATE else "M8[us]").astype(object)
        made[index.isna()] = BLANKS[storage.blank]
        return pd.Series(made, dtype=object)
    return pd.Series(index).astype(parse_dtype(storage.dtype))


def durations(steps: np.ndarray, storage: Storage) -> pd.Series:
    """Restore durations."""
    index = pd.TimedeltaIndex(steps)
    if storage.dtype == "object":
        made = index.to_numpy("m8[us]").astype(object)
        made[index.isna()] = BLANKS[storage.blank]
        return pd.Series(made, dtype=object)
    return pd.Series(index).astype(parse_dtype(storage.dtype))


def _objects(values: tuple[Scalar, ...], storage: Storage) -> np.ndarray:
    """Hold values as objects, with the blank at the end, where the code -1 finds it."""
    made = np.empty(len(values) + 1, dtype=object)
    made[:-1] = values
    made[-1] = BLANKS[storage.blank]
    return made


def _decimal(value: float, precision: int | None) -> Decimal:
    return Decimal(repr(float(value))) if precision is None else Decimal(f"{value:.{max(precision, 0)}f}")


def _wide_enough(dtype: np.dtype, values: np.ndarray) -> np.dtype:
    """Keep an integer dtype unless a generated value does not fit in it."""
    limits = np.iinfo(dtype)
    fits = len(values) == 0 or (values.min() >= limits.min and values.max() <= limits.max)
    return dtype if fits else np.dtype(np.int64)

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bayesynth.encoding.codecs import decode_column, encode_column
from bayesynth.schema.infer import infer_column

pa = pytest.importorskip("pyarrow")

DAYS = ["2020-03-01", "2021-07-15", "2019-01-31", "2020-02-29"]
STAMPS = ["2020-03-29 01:30", "2021-10-31 02:30:05", "2019-01-31 23:59", "2020-06-01"]
CATS = pd.CategoricalDtype(["low", "never used", "high", "mid"])
BASE = {
    "bool": ([True, False, True, True], "bool"),
    "boolean": ([True, None, False, True], "boolean"),
    "object bool": ([True, None, False, True], object),
    "arrow bool": ([True, None, False, True], pd.ArrowDtype(pa.bool_())),
    "object text": (["a", None, "b", "a"], object),
    "object text nan": (["a", np.nan, "b", "a"], object),
    "object text NA": (["a", pd.NA, "b", "a"], object),
    "default text": (["a", None, "b", "a"], None),
    "string": (["a", None, "b", "a"], "string[python]"),
    "string pyarrow": (["a", None, "b", "a"], "string[pyarrow]"),
    "arrow text": (["a", None, "b", "a"], pd.ArrowDtype(pa.string())),
    "category": (["low", "high", None, "mid"], CATS),
    "ordered": (["low", "high", None, "mid"], pd.CategoricalDtype(CATS.categories, ordered=True)),
    "category of ints": ([3, 1, None, 3], pd.CategoricalDtype([3, 1, 2])),
    "category of bools": ([True, False, None, True], pd.CategoricalDtype([True, False])),
    "int8": ([1, 120, 7, 60], "int8"),
    "uint16": ([1, 40000, 7, 60], "uint16"),
    "int64": ([1, 2**52, 7, 60], "int64"),
    "negative": ([-1, 12, 7, 60], "int64"),
    "binary int": ([1, 0, 1, 1], "int64"),
    "Int64": ([1, None, 7, 60], "Int64"),
    "arrow int": ([1, None, 7, 60], pd.ArrowDtype(pa.int32())),
    "object int": ([1, None, 7, 60], object),
    "float": ([1.25, np.nan, 7.1, 60.0], "float64"),
    "float32": ([1.25, np.nan, 7.1, 60.0], "float32"),
    "float of whole": ([1.0, np.nan, 7.0, 60.0], "float64"),
    "float off grid": ([np.pi, np.nan, np.e, 1e-9], "float64"),
    "binary float": ([1.0, np.nan, 0.0, 1.0], "float64"),
    "Float64": ([1.25, None, 7.1, 60.0], "Float64"),
    "arrow float": ([1.25, None, 7.1, 60.0], pd.ArrowDtype(pa.float64())),
    "object float": ([1.25, None, 7.1, 60.0], object),
    "Decimal": ([Decimal("1.25"), None, Decimal("7.10"), Decimal("-60.00")], object),
    "arrow decimal": ([Decimal("1.25"), None, Decimal("7.10"), Decimal("60")], pd.ArrowDtype(pa.decimal128(9, 2))),
    "binary Decimal": ([Decimal("1.25"), None, Decimal("7.10"), Decimal("1.25")], object),
    "object date": ([dt.date(2020, 3, 1), None, dt.date(1640, 7, 5), dt.date(2019, 1, 31)], object),
    "arrow date": ([dt.date(2020, 3, 1), None, dt.date(2021, 7, 5), dt.date(2019, 1, 31)], pd.ArrowDtype(pa.date32())),
    "object datetime": (
        [dt.datetime(2020, 3, 1, 4, 5), None, dt.datetime(1599, 1, 31), dt.datetime(2020, 1, 1)],
        object,
    ),
    "object duration": ([dt.timedelta(hours=3), None, dt.timedelta(days=2), dt.timedelta(hours=1)], object),
}


def series(values: list, dtype: object) -> pd.Series:
    return pd.Series(values, dtype=dtype, name="x") if dtype is not None else pd.Series(values, name="x")


def round_trip(original: pd.Series) -> pd.Series:
    column = infer_column(original)
    coded = encode_column(column, original)
    assert coded.values.dtype == np.float64
    np.testing.assert_array_equal(np.isnan(coded.values), original.isna())
    return decode_column(column, coded.values, levels=coded.levels, origin=coded.origin)


@pytest.mark.parametrize("case", BASE)
def test_every_dtype_comes_back(case: str) -> None:
    original = series(*BASE[case])
    pd.testing.assert_series_equal(round_trip(original), original, check_exact=True)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC+02:00"])
@pytest.mark.parametrize("values", [DAYS, STAMPS])
def test_dates_come_back_in_their_zone(unit: str, zone: str | None, values: list[str]) -> None:
    index = pd.DatetimeIndex([pd.Timestamp(v) for v in values] + [pd.NaT]).as_unit(unit)
    original = pd.Series(index.tz_localize(zone, ambiguous=np.ones(5, bool), nonexistent="shift_forward"), name="x")
    assert infer_column(original).precision == ("D" if values is DAYS else "s")
    pd.testing.assert_series_equal(round_trip(original), original)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_arrow_timestamps_come_back(zone: str | None) -> None:
    plain = pd.Series(pd.DatetimeIndex(STAMPS[2:]).tz_localize(zone), name="x")
    original = plain.astype(pd.ArrowDtype(pa.timestamp("us", zone)))
    pd.testing.assert_series_equal(round_trip(original), original)


def test_both_hours_of_a_clock_change_come_back() -> None:
    instants = pd.DatetimeIndex(["2021-10-31 00:30", "2021-10-31 01:30", "2021-01-01"], tz="UTC")
    original = pd.Series(instants.tz_convert("Europe/Berlin"), name="x")
    pd.testing.assert_series_equal(round_trip(original), original)


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_durations_come_back(unit: str) -> None:
    original = pd.Series(pd.to_timedelta(["1 days", None, "3 days 02:00:00", "-1 days"]), name="x")
    original = original.astype(f"timedelta64[{unit}]")
    assert infer_column(original).precision == "h"
    pd.testing.assert_series_equal(round_trip(original), original)

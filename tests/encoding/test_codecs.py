from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bayesynth.encoding.codecs import decode_column, decode_frame, encode_column
from bayesynth.errors import InputError
from bayesynth.schema import Column, Holds, Schema, Storage
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


# --- what the codes mean ---


def test_levels_are_those_that_occur_in_the_order_of_the_schema() -> None:
    original = pd.Series(pd.Categorical(["high", "low", None], CATS.categories), name="x")
    coded = encode_column(infer_column(original), original)
    assert coded.levels == ("low", "high")
    np.testing.assert_array_equal(coded.values, [1, 0, np.nan])
    assert coded.origin is None


def test_dates_count_from_the_start_of_a_year() -> None:
    original = pd.Series(pd.to_datetime(["2020-02-01", "2021-01-01"]), name="x")
    coded = encode_column(infer_column(original), original)
    assert coded.origin == "2020-01-01"
    np.testing.assert_array_equal(coded.values, [31, 366])


def test_encoding_leaves_the_column_as_it_was() -> None:
    original = series(*BASE["category"])
    before = original.copy(deep=True)
    encode_column(infer_column(original), original).values[:] = 0
    pd.testing.assert_series_equal(original, before)
    numbers = pd.Series([1.5, 2.25, 8.125, 9.0], name="x")
    encode_column(infer_column(numbers), numbers).values[:] = 0
    assert numbers.tolist() == [1.5, 2.25, 8.125, 9.0]


def test_refuses_levels_that_the_schema_does_not_list() -> None:
    with pytest.raises(InputError, match="unseen levels: 'c'"):
        encode_column(Column("x", "binary", levels=("a", "b")), pd.Series(["a", "c"]))


def test_refuses_to_encode_identities() -> None:
    with pytest.raises(InputError, match="'x' is an identifier"):
        encode_column(Column("x", "identifier", role="personal"), pd.Series(["a", "c"]))


# --- drawn values that no row had ---


@pytest.mark.parametrize(
    ("facts", "drawn", "expected"),
    [
        ({"kind": "continuous", "precision": 1}, [1.26, -3.04], [1.3, -3.0]),
        ({"kind": "continuous", "precision": -2}, [1260.0, 49.0], [1300.0, 0.0]),
        ({"kind": "continuous", "precision": 1, "bounds": (0, 10)}, [-0.4, 11.2], [0.0, 10.0]),
        ({"kind": "continuous", "bounds": (None, 1)}, [-5.123456, 1.5], [-5.123456, 1.0]),
        ({"kind": "count", "bounds": (0, None)}, [3.6, -0.7], [4, 0]),
        ({"kind": "continuous", "storage": Storage("int8", Holds.INTEGER)}, [3.6, 400.0], [4, 400]),
        ({"kind": "continuous", "storage": Storage("object", Holds.DECIMAL)}, [3.5], [Decimal("3.5")]),
    ],
)
def test_drawn_numbers_fall_on_the_grid_and_within_bounds(facts: dict, drawn: list, expected: list) -> None:
    assert decode_column(Column("x", **facts), np.array(drawn)).tolist() == expected


@pytest.mark.parametrize(("dtype", "levels"), [("int64", (0, 1)), ("bool", (False, True))])
def test_blanks_in_a_dtype_without_blanks_widen_it_as_pandas_does(dtype: str, levels: tuple) -> None:
    holds = Holds.INTEGER if dtype == "int64" else Holds.BOOL
    column = Column("x", "binary", levels=levels, nullable=True, storage=Storage(dtype, holds))
    made = decode_column(column, np.array([1.0, np.nan]), levels=levels)
    assert made[0] == levels[1]
    assert pd.isna(made[1])
    count = Column("x", "count", nullable=True, storage=Storage("int64", Holds.INTEGER))
    assert decode_column(count, np.array([1.0, np.nan])).dtype == np.float64


def test_drawn_dates_at_hours_that_the_clock_skips() -> None:
    original = pd.Series(pd.DatetimeIndex(["2018-11-03", "2018-11-05"], tz="America/Sao_Paulo"), name="x")
    column = infer_column(original)
    coded = encode_column(column, original)
    made = decode_column(column, coded.values[:1] + 1, origin=coded.origin)
    assert made[0] == pd.Timestamp("2018-11-04 01:00", tz="America/Sao_Paulo")  # midnight did not exist


# --- whole tables ---


def whole(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    coded = {name: encode_column(c, frame[name]) for name, c in schema.items() if c.modelled}
    return decode_frame(
        schema,
        {name: c.values for name, c in coded.items()},
        {name: c.levels for name, c in coded.items()},
        {name: c.origin for name, c in coded.items()},
        len(frame),
    )


CONSTANTS = {
    "number": pd.Series([3, 3, 3]),
    "text": pd.Series(["a", "a", "a"]),
    "category": pd.Series(pd.Categorical(["a", "a", "a"], ["b", "a"])),
    "date": pd.Series(pd.to_datetime(["2020-01-01"] * 3)).dt.tz_localize("Europe/Berlin"),
    "duration": pd.Series(pd.to_timedelta(["2 days"] * 3)),
    "decimal": pd.Series([Decimal("1.5")] * 3),
    "arrow": pd.Series(["a"] * 3, dtype=pd.ArrowDtype(pa.string())),
    "blank float": pd.Series([np.nan] * 3),
    "blank object": pd.Series([None] * 3, dtype=object),
    "blank integer": pd.Series([None] * 3, dtype="Int64"),
    "blank text": pd.Series([None] * 3, dtype="string[python]"),
    "blank date": pd.Series(pd.to_datetime([None] * 3)),
    "blank category": pd.Series(pd.Categorical([None] * 3, ["b", "a"])),
    "blank arrow": pd.Series([None] * 3, dtype=pd.ArrowDtype(pa.null())),
    "blank boolean": pd.Series([None] * 3, dtype="boolean"),
}


@pytest.mark.parametrize("case", CONSTANTS)
def test_constants_come_back(case: str) -> None:
    frame = pd.DataFrame({"x": CONSTANTS[case]})
    schema = Schema.infer(frame)
    assert schema["x"].kind == "constant"
    pd.testing.assert_frame_equal(whole(frame, schema), frame)


def test_constants_with_blanks_take_the_blanks_that_were_drawn() -> None:
    frame = pd.DataFrame({"x": ["a", None, "a"]})
    made = decode_frame(Schema.infer(frame), {"x": np.array([np.nan, 0.0])}, {}, {}, 2)
    assert made["x"].isna().tolist() == [True, False]
    assert made["x"][1] == "a"


def test_withheld_columns_are_left_out() -> None:
    frame = pd.DataFrame({"id": [907, 23, 11], "name": ["Ann", "Bob", "Cy"], "age": [30, 40, 55]})
    schema = Schema.infer(frame, id="identifier", name={"role": "personal"})
    assert list(whole(frame, schema)) == ["age"]


def test_a_table_of_all_dtypes_comes_back_after_the_schema_went_through_json() -> None:
    frame = pd.DataFrame({name: series(*case) for name, case in BASE.items()})
    schema = Schema.from_json(Schema.infer(frame).to_json())
    pd.testing.assert_frame_equal(whole(frame, schema), frame)

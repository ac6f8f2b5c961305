from __future__ import annotations

import datetime as dt
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bayesynth.errors import InputError
from bayesynth.schema import Schema, disclosure_warnings, frame_problems, frame_warnings

rng = np.random.default_rng(3)
BIG = 2**53


def one(values: object) -> pd.DataFrame:
    return pd.DataFrame({"x": values})


def berlin(hour: int) -> dt.datetime:
    return dt.datetime(2020, 1, 1, hour, tzinfo=dt.timezone(dt.timedelta(hours=hour)))


REFUSED = {
    "no frame": ({"x": [1, 2]}, "a dict was passed"),
    "no rows": (one([]), "no rows"),
    "one row": (one([1]), "one row"),
    "no columns": (pd.DataFrame(index=range(3)), "no columns"),
    "names twice": (pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"]), "'x' occurs 2 times"),
    "names that are not text": (pd.DataFrame([[1, 2], [3, 4]]), "rename"),
    "an empty name": (pd.DataFrame({"": [1, 2]}), "empty name"),
    "a MultiIndex": (pd.DataFrame([[1], [2]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "MultiIndex"),
    "infinities": (one([1.5, np.inf, -np.inf]), "2 infinite values"),
    "infinite objects": (one(np.array([1.5, np.inf, 2.0], dtype=object)), "1 infinite"),
    "integers beyond 2^53": (one([BIG + 1, BIG + 3, BIG + 3]), "2\\^53"),
    "nullable integers beyond 2^53": (one(pd.array([BIG + 1, None, 3], dtype="Int64")), "2\\^53"),
    "python integers beyond 2^63": (one([2**70, 1, 2, 2]), "2\\^53"),
    "decimals with 20 digits": (one([Decimal("1.2345678901234567890"), Decimal(2), Decimal(2)]), "2\\^53"),
    "mixed types": (one(["1", 1, 1.0]), "several types \\(float, int, str\\)"),
    "bools among numbers": (one(np.array([True, 2, 3], dtype=object)), "several types \\(bool, int\\)"),
    "lists": (one([[1], [2, 3]]), "type list"),
    "complex": (one([1j, 2.0]), "type complex128"),
    "bytes": (one([b"a", b"b"]), "type bytes"),
    "periods": (one(pd.period_range("2020-01", periods=3, freq="M")), "type period"),
    "intervals": (one(pd.interval_range(0, 3)), "type interval"),
    "categories of intervals": (one(pd.cut([1, 2, 3], 2)), "type interval"),
    "categories of dates": (one(pd.Categorical(pd.to_datetime(["2020-01-01", "2020-01-02"]))), "category of dates"),
    "sparse": (one(pd.arrays.SparseArray([0, 0, 1])), "sparse"),
    "mixed time zones": (one([berlin(1), berlin(2)]), "time zones"),
    "101 levels": (one([f"l{i}" for i in range(101)] * 2), "101 different levels"),
    "101 categories": (one(pd.Categorical([f"l{i}" for i in range(101)] * 2)), "group its levels"),
    "101 texts that are numbers": (one([f"{i}.5" for i in range(101)] * 2), "read as numbers.*to_numeric"),
    "101 texts that are dates": (one([f"2020-01-{i}" for i in range(101)] * 2), "read as dates.*to_datetime"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    frame, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        Schema.infer(frame)
    assert len(caught.value.problems) == 1
    assert "l55" not in str(caught.value)


def test_refuses_arrow_types_without_a_place() -> None:
    pa = pytest.importorskip("pyarrow")
    nested = pd.Series([[1], [2]], dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    assert "type list" in frame_problems(one(nested))[0].found


def test_lists_all_problems_at_once() -> None:
    frame = pd.DataFrame({"a": [1.0, np.inf], "b": ["x", 1], "c": [1, 2], "d": [BIG + 1, BIG + 3]})
    assert [problem.column for problem in frame_problems(frame)] == ["a", "b", "d"]


def test_identifiers_may_be_what_others_may_not() -> None:
    frame = pd.DataFrame({"id": np.arange(5) * 1000 + BIG, "who": [f"n{i}" for i in range(5)]})
    assert frame_problems(frame) == []
    many = one([f"l{i}" for i in range(101)] * 2)
    assert frame_problems(many, withheld=["x"]) == []
    Schema.infer(many, x="identifier")


def warned(frame: pd.DataFrame) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = Schema.infer(frame)
    return [str(problem) for problem in (*frame_warnings(frame, schema), *disclosure_warnings(frame, schema))]


def table(n: int = 60, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"base": rng.normal(size=n), **columns})


NOISE = rng.normal(size=60)
LIMITS = {
    "few rows": (table(49), "the table has 49 rows"),
    "all blank": (table(x=[None] * 60), "column 'x' is all blank"),
    "constant": (table(x=3), "column 'x' is constant"),
    "mostly blank": (table(120, x=[1.5, 2.5] * 2 + [None] * 116), "column 'x' is blank in over 95%"),
    "a level seen once": (table(x=["a"] * 30 + ["b"] * 29 + ["c"]), "column 'x' with levels that only one row has"),
    "two of one": (table(x=NOISE, y=NOISE), "columns that say the same: x = y"),
    "two of one, recoded": (table(x=["a", "b"] * 30, y=["A", "B"] * 30), "columns that say the same: x = y"),
    "two dates of one": (
        table(x=pd.date_range("2020", periods=60), y=pd.date_range("2020", periods=60)),
        "columns that say the same: x = y",
    ),
    "a sum": (table(x=NOISE, y=NOISE**2, z=3 * NOISE - 2 * NOISE**2), "column 'z' is an exact linear combination"),
    "another unit": (table(x=NOISE, y=2.54 * NOISE), "column 'y' is an exact linear combination"),
}


@pytest.mark.parametrize("case", LIMITS)
def test_warns(case: str) -> None:
    frame, message = LIMITS[case]
    found = warned(frame)
    assert len(found) == 1
    assert message in found[0]


def test_warns_of_rows_that_repeat() -> None:
    frame = table(x=["a", "b"] * 30)
    (message,) = warned(pd.concat([frame, frame[:3]]))
    assert "3 rows repeat" in message


def test_warns_of_more_columns_than_rows() -> None:
    frame = pd.DataFrame(rng.normal(size=(10, 12))).rename(columns=lambda i: f"c{i}")
    assert any("more columns (12) than rows (10)" in message for message in warned(frame))


def test_one_warning_for_each_meaning_names_all_columns() -> None:
    frame = table(**{f"c{i:02d}": 1 for i in range(20)})
    (message,) = warned(frame)
    assert "'c07' and 12 more are constant" in message


def test_a_good_table_has_no_warnings() -> None:
    assert warned(table(x=rng.choice(["a", "b", "c"], 60), y=rng.poisson(9, 60))) == []
    assert warned(table(id=np.arange(60), id_again=np.arange(60))) == []

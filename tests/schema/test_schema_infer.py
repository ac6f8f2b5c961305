from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest

from bayesynth.errors import SchemaError, SchemaWarning
from bayesynth.schema import Column, Kind, Role, Schema
from bayesynth.schema.arrays import numbers
from bayesynth.schema.infer import infer_column

rng = np.random.default_rng(5)


def guess(values: object, name: str = "x", dtype: object = None) -> Column:
    return infer_column(pd.Series(values, name=name, dtype=dtype))


KINDS = {
    "all blank": ([None, None], "constant"),
    "one value": ([3, 3, 3], "constant"),
    "one value and blanks": ([3.5, np.nan, 3.5], "constant"),
    "bool": ([True, False, True], "binary"),
    "bool and blanks": ([True, None, False], "binary"),
    "zero and one": ([0, 1, 1], "binary"),
    "any two numbers": ([1.5, 7.0, 7.0], "binary"),
    "two texts": (["m", "f", "m"], "binary"),
    "texts": (["a", "b", "c", "a", "a", "b"], "categorical"),
    "few even integers": ([1, 2, 3, 4, 4, 3, 2, 1], "ordinal"),
    "few even floats": ([0, 0.5, 1.0, 0.5, 0, 1, np.nan], "ordinal"),
    "doses": ([0, 5, 10, 40] * 5, "ordinal"),
    "a rare far value": ([0, 1, 2, 3] * 10 + [8], "count"),
    "few values, few rows": ([1, 2, 3, 5], "count"),
    "eight values": (list(range(8)) * 3, "count"),
    "whole floats with blanks": ([1.0, 20.0, np.nan, 31.0, 54.0], "count"),
    "negative integers": ([-4, 3, 8, 12, 19], "continuous"),
    "floats": ([1.5, 2.25, 3.0, 7.75], "continuous"),
    "dates": (pd.to_datetime(["2020-01-01", "2021-05-06"]), "datetime"),
    "texts of dates": (["2020-01-01", "2021-05-06", None], "datetime"),
    "date objects": ([dt.date(2020, 1, 1), dt.date(2021, 5, 6)], "datetime"),
    "durations": (pd.to_timedelta(["1 days", "2 days"]), "duration"),
    "category": (pd.Categorical(["a", "b", "a"], categories=["b", "a", "c"]), "categorical"),
    "ordered category": (pd.Categorical(["a", "b", "a"], ["b", "a", "c"], ordered=True), "ordinal"),
    "category of two": (pd.Categorical(["a", "b", "a"]), "binary"),
    "category with one used": (pd.Categorical(["a", "a"], ["a", "b"]), "constant"),
    "unique texts": ([f"p{i}" for i in range(1000)], "identifier"),
    "unique category": (pd.Categorical([f"p{i}" for i in range(30)]), "identifier"),
    "running numbers": (range(1, 31), "identifier"),
    "calendar years": (range(1990, 2020), "count"),
    "long texts": (
        ["a long story about a patient who was in the ward number " + str(i) for i in range(20)] + ["x"] * 5,
        "identifier",
    ),
}


@pytest.mark.parametrize("case", KINDS)
def test_kind(case: str) -> None:
    values, kind = KINDS[case]
    assert guess(values).kind == kind


@pytest.mark.parametrize("name", ["id", "ID", "patient_id", "patientID", "USUBJID", "rownames", "mrn", "record_no"])
def test_unique_numbers_under_the_name_of_an_id(name: str) -> None:
    column = guess([7, 3, 99, 1004, 12], name)
    assert (column.kind, column.role) == (Kind.IDENTIFIER, Role.IDENTIFIER)


def test_an_id_that_repeats_is_still_one() -> None:
    column = guess(np.repeat(np.arange(40), 5), "id")
    assert column.kind is Kind.IDENTIFIER
    assert "repeat" in column.notes[0]
    assert guess([1, 2, 2, 1, 3, 3, 3] * 10, "site_id").kind is Kind.ORDINAL


@pytest.mark.parametrize("name", ["covid", "valid", "age"])
def test_names_that_only_end_like_an_id(name: str) -> None:
    assert guess([7, 3, 99, 1004, 12], name).kind is Kind.COUNT


def test_levels_are_sorted_or_as_declared() -> None:
    assert guess(["b", "c", "a", "b", "c", "a"]).levels == ("a", "b", "c")
    assert guess(pd.Categorical(["b", "a"], ["c", "b", "a"])).levels == ("c", "b", "a")
    assert guess([2, 1, 3] * 4).levels == (1, 2, 3)
    assert guess([True, False]).levels == (False, True)


def test_withheld_columns_carry_no_values() -> None:
    names = [f"Name{i}" for i in range(30)]
    for values in (names, pd.Categorical(names)):
        column = guess(values)
        assert column.storage.categories is None
        assert "Name" not in repr(column)


@pytest.mark.parametrize(
    ("values", "precision"),
    [
        ([0.1, 0.2, 0.35, 7.0], 2),
        ([1e-7, 3e-7, 5e-7, 9e-7], 7),
        ([np.pi, np.e, 1.0, 2.0], None),
        ([1.5e15, -2.5e15, 7.0, 8.0], None),
        ([-1.0, 5.0, 7.0, 12.0], 0),
        (np.arange(-10, 20) * 100.0, -2),
        ([-100.0, 200.0, 500.0, 300.0], 0),
        (np.array([0.1, 0.25, 3.5, 7.7], dtype=np.float32), 2),
    ],
)
def test_decimal_grid(values: list, precision: int | None) -> None:
    assert guess(values).precision == precision


@pytest.mark.parametrize(
    ("stamps", "resolution"),
    [
        (["2020-01-01", "2020-03-05"], "D"),
        (["2020-01-01 03:00", "2020-03-05"], "h"),
        (["2020-01-01 03:10", "2020-03-05"], "min"),
        (["2020-01-01 03:10:01", "2020-03-05"], "s"),
        (["2020-01-01 03:10:01.5", "2020-03-05"], "ms"),
        (["2020-01-01 03:10:01.000001", "2020-03-05"], "us"),
        (["2020-01-01 03:10:01.000000001", "2020-03-05"], "ns"),
    ],
)
def test_resolution_of_dates(stamps: list[str], resolution: str) -> None:
    assert guess([pd.Timestamp(stamp) for stamp in stamps]).precision == resolution


def test_guesses_are_marked() -> None:
    assert guess([1.5, 2.5, 3.25, 9.0]).inferred == {"kind", "bounds", "precision", "nullable"}
    assert guess([True, None, False]).inferred == set()
    assert guess(pd.Categorical(["a", "b", None, "c"])).inferred == set()
    assert guess(["a", "b", None]).inferred == {"kind", "levels"}
    assert guess([1.5, 2.5, 3.25, 9.0]).bounds == (0, None)
    assert guess([-1.5, 2.5, 3.25, 9.0]).bounds is None


SUSPECT = {
    "sentinel below": ([3, 5, 8, 11, 20, 41, -9], "holds -9, far"),
    "sentinel above": ([23, 45, 80, 61, 38, 41, 999, 999], "holds 999, far"),
    "sentinel among levels": ([0, 1, 2, 9] * 6, "holds 9, far"),
    "numbers as text": (["1.5", "<5", "7,25", "3", "3"], "100% of its distinct values read as numbers"),
    "dates as text": (["2020-01-05", "03.02.2021", "2020-07-07"], "read as dates"),
    "nan spelled": (["a", "nan", "b", "a"], "'nan' among its levels"),
    "NA spelled": (["yes", "NA", "no", "yes"], "'NA' among its levels"),
    "None spelled": (["yes", "None", "no", "yes"], "'None' among its levels"),
    "identifier": ([f"p{i}" for i in range(30)], "looks like an identifier"),
    "free text": ([f"a long story about one single patient, {i}" for i in range(30)], "looks like free text"),
    "hardly varies": ([0] * 199 + [1], "one value in 99.5% of its rows"),
}


@pytest.mark.parametrize("case", SUSPECT)
def test_warns_once_for_each_meaning(case: str) -> None:
    values, message = SUSPECT[case]
    with pytest.warns(SchemaWarning, match=message) as caught:
        Schema.infer(pd.DataFrame({"x": values}))
    assert len(caught) == 1
    assert caught[0].filename == __file__


INNOCENT = {
    "old people": [*range(60, 100, 3), 99],
    "a pain score": [0, 2, 4, 9, 7, 5, 3, 9],
    "around zero": [-9, -12, 4, 30, -31, 0, -9],
    "a heavy tail": [1, 3, 10, 40, 160, 640, 999, 1300],
    "no as a level": ["none", "mild", "none", "severe", "mild", "severe"],
    "coded text": ["A1", "B2", "B2", "A1", "C3", "C3"],
}


@pytest.mark.parametrize("case", INNOCENT)
def test_no_false_alarm(case: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Schema.infer(pd.DataFrame({"x": INNOCENT[case]}))


def test_warnings_name_no_person() -> None:
    frame = pd.DataFrame({"who": [f"Secret{i}" for i in range(30)]})
    with pytest.warns(SchemaWarning) as caught:
        schema = Schema.infer(frame)
    assert "Secret" not in str(caught[0].message) + schema.to_json() + repr(schema) + schema._repr_html_()


def test_what_is_stated_is_kept() -> None:
    frame = pd.DataFrame({"age": [30, 40, 50, 30], "id": [1, 2, 3, 4], "name": ["Ann", "Bob", "Cy", "Di"]})
    schema = Schema.infer(frame, age="ordinal", id={"role": "identifier"}, name={"role": "personal"})
    assert schema["age"].levels == (30, 40, 50)
    assert "kind" not in schema["age"].inferred
    assert "levels" in schema["age"].inferred
    assert schema["id"].kind is schema["name"].kind is Kind.IDENTIFIER
    assert schema["name"].role is Role.PERSONAL
    assert Schema.infer(frame[["age"]], age=Column("age", "count"))["age"] == Column("age", "count")


def test_refuses_what_cannot_be_stated() -> None:
    frame = pd.DataFrame({"age": ["a", "b", "a"], "sex": ["f", "m", "f"]})
    with pytest.raises(SchemaError, match="did you mean 'age'"):
        Schema.infer(frame, agee="count")
    with pytest.raises(SchemaError) as caught:
        Schema.infer(frame, age="count", sex={"kind": "sort"})
    assert [problem.column for problem in caught.value.problems] == ["age", "sex"]


def test_the_frame_stays_as_it_was_even_read_only() -> None:
    frame = pd.DataFrame({"x": rng.normal(size=60), "g": rng.choice(["a", "b", "c"], 60)})
    for name in frame:
        values = frame[name].to_numpy()
        if values.flags.owndata:
            values.flags.writeable = False
    before = frame.copy(deep=True)
    Schema.infer(frame).validate(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_categories_of_whole_numbers_with_blanks_are_read_as_numbers() -> None:
    stages = pd.Series(pd.Categorical([3, None, 1], categories=[1, 2, 3], ordered=True))
    assert numbers(stages).tolist() == pytest.approx([3.0, np.nan, 1.0], nan_ok=True)

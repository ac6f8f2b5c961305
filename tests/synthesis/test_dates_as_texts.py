"""Texts of ISO dates: read as dates, and given back as texts of the same form."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.encoding.codecs import decode_column, encode_column
from bayesynth.errors import InputError, SchemaError
from bayesynth.rules import Derived, Inequality, Range
from bayesynth.schema import Column, Kind, Storage
from bayesynth.schema.infer import infer_column
from bayesynth.schema.texts import FORMS, date_form

N = 150
WRITTEN = {
    "YYYY-MM-DD": ["2020-02-29", "1999-12-31", "2020-03-01"],
    "YYYY-MM-DD hh:mm": ["2020-02-29 00:00", "1999-12-31 23:59", "2020-03-01 07:30"],
    "YYYY-MM-DDThh:mm": ["2020-02-29T00:00", "1999-12-31T23:59", "2020-03-01T07:30"],
    "YYYY-MM-DD hh:mm:ss": ["2020-02-29 00:00:01", "1999-12-31 23:59:59", "2020-03-01 07:30:00"],
    "YYYY-MM-DDThh:mm:ss": ["2020-02-29T00:00:01", "1999-12-31T23:59:59", "2020-03-01T07:30:00"],
}
NO_DATES = {
    "day first": ["29-02-2020", "31-12-1999"],
    "slashes": ["2020/02/29", "1999/12/31"],
    "no zeros": ["2020-2-9", "1999-12-31"],
    "mixed forms": ["2020-02-29", "1999-12-31 10:00"],
    "a day that does not exist": ["2021-02-29", "1999-12-31"],
    "no date among them": ["2020-02-29", "unknown"],
    "a zone": ["2020-02-29T00:00:00Z", "1999-12-31T00:00:00Z"],
    "fractions": ["2020-02-29T00:00:00.5", "1999-12-31T00:00:00.5"],
    "spaces": ["2020-02-29 ", "1999-12-31"],
    "nothing": [],
}


def guess(values: object, dtype: str = "object", **facts: object) -> Column:
    return infer_column(pd.Series(values, dtype=dtype, name="seen"), **facts)


@pytest.mark.parametrize("dtype", ["object", "string", "str", "arrow"])
@pytest.mark.parametrize("form", FORMS)
def test_texts_make_the_trip(form: str, dtype: str) -> None:
    if dtype == "arrow":
        dtype = pd.ArrowDtype(pytest.importorskip("pyarrow").string())
    series = pd.Series([*WRITTEN[form], None, WRITTEN[form][0]], dtype=dtype, name="seen")
    before = series.copy()
    column = infer_column(series)
    assert (column.kind, column.storage.form) == (Kind.DATETIME, form)
    assert column.dtype == f"text ({form})"
    assert "kind" in column.inferred
    assert form in column.notes[0]
    coded = encode_column(column, series)
    as_dates = pd.to_datetime(series.astype(object))
    whole = encode_column(infer_column(as_dates), as_dates)
    np.testing.assert_array_equal(coded.values, whole.values)
    pd.testing.assert_series_equal(decode_column(column, coded.values, origin=coded.origin), series)
    pd.testing.assert_series_equal(series, before)
    assert bs.Schema.from_json(bs.Schema([column]).to_json())["seen"] == column


@pytest.mark.parametrize("case", NO_DATES)
def test_anything_else_stays_text(case: str) -> None:
    assert date_form(NO_DATES[case]) is None
    if case != "nothing":
        column = guess(NO_DATES[case] * 3)
        assert column.kind is Kind.BINARY
        assert column.storage.form is None


def test_what_is_stated_goes_before_the_guess() -> None:
    waves = ["2020-01-01", "2020-07-01", "2021-01-01"] * 4
    frame = pd.DataFrame({"wave": waves})
    stated = bs.Schema.infer(frame, wave="categorical")
    assert stated["wave"].levels == tuple(waves[:3])
    assert stated["wave"].storage == Storage("object" if frame["wave"].dtype == object else "str", "text")
    stated.validate(frame)
    guessed = bs.Schema.infer(frame)
    edited = guessed.update(wave={"kind": "ordinal", "levels": waves[:3]})
    assert edited["wave"].storage == stated["wave"].storage
    assert guessed.update(wave="identifier")["wave"].storage.form is None
    assert guess(["2020-01-01"] * 9).kind is Kind.CONSTANT
    categories = guess(pd.Categorical(waves), "category")
    assert (categories.kind, categories.storage.form) == (Kind.CATEGORICAL, None)
    birth = infer_column(pd.Series([f"19{k}-01-0{k % 9 + 1}" for k in range(40, 80)], name="birth_date"))
    assert (birth.kind, birth.role, birth.storage.form) == (Kind.IDENTIFIER, "personal", None)


def test_a_hundred_dates_are_no_levels() -> None:
    frame = pd.DataFrame({"seen": pd.date_range("2020-01-01", periods=140).strftime("%Y-%m-%d").tolist() * 2})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema = bs.Schema.infer(frame)
    assert schema["seen"].kind is Kind.DATETIME
    schema.validate(frame)
    schema.validate(frame.assign(seen=pd.to_datetime(frame["seen"])))
    few = frame[:90]
    with pytest.raises(SchemaError, match="holds texts that are no dates, or of several forms"):
        schema.validate(few.replace("2020-01-01", "soon"))
    with pytest.raises(SchemaError, match="values finer than D"):
        schema.validate(few + " 10:30")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"precision": "s"}, "texts like YYYY-MM-DD: they cannot hold it"),
        ({"storage": Storage("object", "date", form="DD.MM.YYYY")}, "the form 'DD.MM.YYYY': known are"),
        ({"kind": "categorical", "levels": ("a", "b")}, "and a form of dates"),
    ],
)
def test_forms_that_cannot_be_are_refused(facts: dict, said: str) -> None:
    known = {"kind": "datetime", "precision": "D", "storage": Storage("object", "date", form="YYYY-MM-DD")}
    with pytest.raises(SchemaError, match=said):
        Column("seen", **known | facts)


def test_sdv_learns_the_form() -> None:
    for form, written in (("YYYY-MM-DD", "%Y-%m-%d"), ("YYYY-MM-DDThh:mm", "%Y-%m-%dT%H:%M")):
        metadata = bs.Schema([guess(WRITTEN[form])]).to_sdv_metadata()
        facts = metadata["tables"]["table"]["columns"]["seen"]
        assert (facts["sdtype"], facts["datetime_format"]) == ("datetime", written)
        frame = pd.DataFrame({"seen": WRITTEN[form]})
        assert pd.to_datetime(frame["seen"], format=written).notna().all()
        assert bs.Schema.from_sdv_metadata(metadata, frame)["seen"].storage.form == form


# --- fits ---


def table(dates_as_texts: bool = True) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    admitted = pd.Series(pd.Timestamp("2015-03-01") + pd.to_timedelta(rng.integers(0, 900, N), unit="D"))
    left = admitted + pd.to_timedelta(rng.integers(0, 30, N), unit="D")
    left[rng.random(N) < 0.2] = pd.NaT
    frame = pd.DataFrame({"admitted": admitted, "left": left, "y": rng.normal(size=N).round(2)})
    if dates_as_texts:
        for name in ("admitted", "left"):
            frame[name] = frame[name].dt.strftime("%Y-%m-%d").astype(object)
    return frame


def as_dates(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in ("admitted", "left")})


@pytest.fixture(scope="module")
def fit(laplace) -> bs.Fit:
    return laplace(table(), rules=[Inequality("admitted", "left"), Range("left", high=dt.date(2017, 9, 1))])


def test_a_fit_of_texts_is_that_of_their_dates(fit: bs.Fit, laplace) -> None:
    of_dates = laplace(table(False), rules=fit.rules)
    for draw in (
        lambda f: f.sample(300, random_seed=1),
        lambda f: f.sample_tables(2, random_seed=1)[1],
        lambda f: f.sample(50, given={"admitted": bs.between("2016-01-01", "2016-06-30")}, random_seed=1),
    ):
        drawn, plain = draw(fit), draw(of_dates)
        assert drawn["left"].dropna().str.fullmatch(r"\d{4}-\d\d-\d\d").all()
        pd.testing.assert_frame_equal(as_dates(drawn), as_dates(plain), check_dtype=False)
    fit.schema.validate(drawn)


def test_rules_on_dates_hold_for_texts(fit: bs.Fit) -> None:
    drawn = fit.sample(500, random_seed=3)
    known = drawn["left"].notna()
    assert (drawn["admitted"][known] <= drawn["left"][known]).all()  # texts of one ISO form sort as their dates
    assert drawn["left"][known].max() <= "2017-09-01"
    assert not any(fit.rule_plan.check(drawn).values())
    broken = table()
    broken.loc[0, ["admitted", "left"]] = ["2017-02-02", "2017-02-01"]
    assert Inequality("admitted", "left").violations(broken).tolist() == [True] + [False] * (N - 1)


def test_a_date_that_is_a_copy(laplace) -> None:
    frame = table().assign(again=lambda t: t["admitted"])
    drawn = laplace(frame, rules=[Derived("again", "admitted")]).sample(60, random_seed=1)
    assert drawn["again"].equals(drawn["admitted"])


def test_arithmetic_with_texts_is_refused() -> None:
    rule = Derived("y", "left - admitted")
    with pytest.raises(InputError):
        bs.Synthesizer(inference="laplace", structure="greedy", rules=[rule]).fit(table(), progress=False)


def test_completed_saved_and_summed_up(fit: bs.Fit, tmp_path: Path) -> None:
    completed = fit.complete(table(), 2, random_seed=1)[0]
    assert completed["left"].notna().all()
    assert completed["left"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    again = bs.load(fit.save(tmp_path / "f.bayesynth"))
    pd.testing.assert_frame_equal(again.sample(30, random_seed=1), fit.sample(30, random_seed=1))
    tables = fit.sample_tables(2, random_seed=1)
    tables.save(tmp_path / "tables")
    pd.testing.assert_frame_equal(bs.load_tables(tmp_path / "tables")[0], tables[0])
    assert "2015" <= fit.conditional("admitted", draws=40, random_seed=1).loc["50%", "estimate"] < "2018"

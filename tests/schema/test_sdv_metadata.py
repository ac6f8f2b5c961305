"""SDV's metadata: the golden JSON that SDV 2.0.0 loads, validates against the table and writes back unchanged."""

import datetime as dt
import json
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import FileFormatError, SchemaError, SchemaWarning
from bayesynth.schema import Column, Kind, Role, Schema
from bayesynth.schema.patterns import Pattern

# Metadata.load_from_dict(GOLDEN).validate(), .validate_data({"visits": frame()}) and .to_dict() == GOLDEN: SDV 2.0.0.
GOLDEN = {
    "tables": {
        "visits": {
            "columns": {
                "patient_id": {"sdtype": "id", "range_is_nullable": False},
                "remark": {"sdtype": "unknown", "range_is_nullable": False, "pii": True},
                "age": {
                    "sdtype": "numerical",
                    "range_is_nullable": False,
                    "range_min": 18,
                    "range_max": 90,
                    "decimal_places": 0,
                },
                "weight": {"sdtype": "numerical", "range_is_nullable": True, "range_min": 0, "decimal_places": 1},
                "shift": {"sdtype": "numerical", "range_is_nullable": False},
                "sex": {"sdtype": "categorical", "range_is_nullable": False, "range_values": ["f", "m"]},
                "treated": {"sdtype": "categorical", "range_is_nullable": False, "range_values": [False, True]},
                "stage": {"sdtype": "ordinal", "range_is_nullable": False, "range_values": ["I", "II", "III"]},
                "site": {"sdtype": "categorical", "range_is_nullable": False, "range_values": ["A", "B", "C"]},
                "seen": {"sdtype": "datetime", "range_is_nullable": False},
                "country": {"sdtype": "categorical", "range_is_nullable": False, "range_values": ["NL"]},
                "empty": {"sdtype": "categorical", "range_is_nullable": True},
            }
        }
    },
    "relationships": [],
    "METADATA_SPEC_VERSION": "V2",
}


def frame() -> pd.DataFrame:
    rng, n = np.random.default_rng(1), 40
    return pd.DataFrame(
        {
            "patient_id": [f"p{i:03d}" for i in range(n)],
            "remark": [f"the {i}th of many long remarks on how the patient felt that day" for i in range(n)],
            "age": rng.integers(18, 91, n),
            "weight": np.where(np.arange(n) % 9 == 0, np.nan, rng.normal(70, 9, n).round(1)),
            "shift": rng.normal(size=n),
            "sex": ["f", "m"] * (n // 2),
            "treated": rng.random(n) < 0.5,
            "stage": pd.Categorical(["I", "II", "III", "II"] * 10, categories=["I", "II", "III"], ordered=True),
            "site": ["A", "B", "C", "A"] * 10,
            "seen": pd.date_range("2020-01-01", periods=n),
            "country": ["NL"] * n,
            "empty": [None] * n,
        }
    )


def schema(table: pd.DataFrame) -> Schema:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaWarning)
        return Schema.infer(table, age={"bounds": (18, 90)})


def read(metadata: object, frame: pd.DataFrame, **options: str) -> Schema:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaWarning)
        return Schema.from_sdv_metadata(metadata, frame, **options)


def facts(schema: Schema) -> list:
    return [(c.name, c.kind, c.role, c.levels, c.bounds, c.precision, c.nullable, c.storage) for c in schema.values()]


def test_a_schema_becomes_the_golden_metadata():
    written = schema(frame()).to_sdv_metadata("visits")
    assert written == GOLDEN
    assert list(written["tables"]["visits"]["columns"]) == list(frame())
    json.dumps(written, allow_nan=False)


def test_the_golden_metadata_becomes_the_schema_it_came_from(tmp_path):
    table, path = frame(), tmp_path / "metadata.json"
    before = table.copy()
    path.write_text(json.dumps(GOLDEN), encoding="utf-8")
    wanted = [f for f in facts(schema(table)) if f[0] != "shift"]  # SDV cannot say "no grid": inferred again
    for source in (GOLDEN, json.dumps(GOLDEN), path, str(path)):
        assert [f for f in facts(read(source, table)) if f[0] != "shift"] == wanted
    pd.testing.assert_frame_equal(table, before)


@pytest.mark.parametrize("name", ["pbc", "penguins", "pbcseq"])
def test_shipped_tables_make_the_trip(name):
    table = bs.load_dataset(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaWarning)
        inferred = Schema.infer(table)
    assert facts(read(inferred.to_sdv_metadata(), table)) == facts(inferred)


def test_what_the_metadata_states_holds_against_what_would_be_guessed():
    table = pd.DataFrame({"n": [1, 2, 3, 2, 1, 3] * 4, "code": range(24), "who": ["a", "b", "c", "d"] * 6})
    stated = {
        "n": {"sdtype": "numerical", "range_max": 9, "decimal_places": 0, "computer_representation": "Int64"},
        "code": {"sdtype": "numerical"},
        "who": {"sdtype": "first_name", "pii": True},
    }
    found = read({"columns": stated, "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "primary_key": "code"}, table)
    assert (found["n"].kind, found["n"].bounds) == (Kind.CONTINUOUS, (None, 9))
    assert found["code"].kind in (Kind.COUNT, Kind.CONTINUOUS)
    assert found["who"].role is Role.PERSONAL


def test_fresh_values_make_the_trip():
    table = pd.DataFrame({name: [f"{name}{i}" for i in range(20)] for name in ("id", "name", "ip", "key", "note")})
    stated = {
        "id": {"role": "identifier", "fresh": "PBC-##/@*%"},
        "name": {"fresh": bs.Fake("name")},
        "ip": {"fresh": bs.Fake("ipv4")},
        "key": {"fresh": "uuid"},
        "note": {"fresh": None},
    }
    before = Schema.infer(table, **stated)
    written = before.to_sdv_metadata()
    columns = written["tables"]["table"]["columns"]
    assert columns["id"] == {
        "sdtype": "id",
        "range_is_nullable": False,
        "regex_format": "PBC\\-[0-9][0-9]/[A-Z][A-Z0-9][a-z]",
    }
    assert columns["name"] == {"sdtype": "name", "range_is_nullable": False, "pii": True}
    assert columns["ip"]["sdtype"] == "ipv4_address"
    after = read(written, table)
    assert [after[name].fresh for name in after] == ["PBC-##/@*%", bs.Fake("name"), bs.Fake("ipv4"), "auto", "auto"]
    assert [after[name].role for name in after] == [before[name].role for name in before]


@pytest.mark.parametrize(
    ("regex", "pattern"),
    [
        (r"P-[0-9]{4}", "P-####"),
        (r"\d{2}[A-Z]", "##@"),
        (r"\#[a-z]{2}", r"\#%%"),
        ("[A-Za-z0-9]{9}", None),
        ("a|b", None),
        ("(ab)+[0-9]", None),
        ("abc", None),
        ("", None),
    ],
)
def test_simple_regular_expressions_are_patterns(regex, pattern):
    found = Pattern.of_regex(regex)
    assert pattern == (None if found is None else found.text)


def test_an_order_of_version_1_makes_an_ordinal_column():
    stated = {"columns": {"x": {"sdtype": "categorical", "order": ["lo", "mid", "hi"]}}, "METADATA_SPEC_VERSION": "V1"}
    found = read(stated, pd.DataFrame({"x": ["lo", "mid", "hi", "lo"] * 3}))
    assert (found["x"].kind, found["x"].levels) == (Kind.ORDINAL, ("lo", "mid", "hi"))


def test_decimals_dates_and_durations_find_a_type():
    columns = [
        Column("dose", "categorical", levels=(Decimal("0.5"), Decimal("1.5"), Decimal("2"))),
        Column("stay", "duration", precision="h"),
    ]
    written = Schema(columns).to_sdv_metadata()["tables"]["table"]["columns"]
    assert written["dose"]["range_values"] == [0.5, 1.5, 2.0]
    assert written["stay"]["sdtype"] == "numerical"
    days = pd.DataFrame({"day": [dt.date(2020, 1, 1 + i) for i in range(20)]})
    written = Schema.infer(days).to_sdv_metadata()["tables"]["table"]["columns"]
    assert written["day"] == {"sdtype": "datetime", "range_is_nullable": False, "datetime_format": "%Y-%m-%d"}


@pytest.mark.parametrize(
    ("metadata", "error", "says"),
    [
        ({"columns": {}, "METADATA_SPEC_VERSION": "V3"}, FileFormatError, "version 'V3'"),
        ({"tables": {"a": {}}}, FileFormatError, "lists no columns"),
        ("{not json", FileFormatError, "not JSON"),
        ({"tables": {"a": {}, "b": {}}}, SchemaError, "describes 'a', 'b'"),
        ({"columns": {"x": {"sdtype": "numerical"}}}, SchemaError, "'y' is not in the metadata"),
        (
            {"columns": {"x": {"sdtype": "numerical"}, "y": {}, "z": {"sdtype": "id"}}},
            SchemaError,
            "'y' has no sdtype.*\n.*'z' is missing",
        ),
        (
            {"columns": {"x": {"sdtype": "datetime"}, "y": {"sdtype": "numerical"}}},
            SchemaError,
            "'x' has the kind datetime and values stored as",
        ),
    ],
)
def test_metadata_that_does_not_fit_is_refused(metadata, error, says):
    table = pd.DataFrame({"x": np.arange(30) + 0.5, "y": np.arange(30) - 0.5})
    with pytest.raises(error, match=says):
        read(metadata, table)


def test_one_of_several_tables_is_read_when_named():
    columns = pd.DataFrame({"x": np.arange(30) + 0.5})
    several = {"tables": {"a": {"columns": {}}, "b": {"columns": {"x": {"sdtype": "numerical"}}}}}
    assert read(several, columns, table="b")["x"].kind is Kind.CONTINUOUS

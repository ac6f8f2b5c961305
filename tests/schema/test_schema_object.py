from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayesynth import _html
from bayesynth.errors import FileFormatError, InputError, SchemaError
from bayesynth.schema import Column, Kind, Role, Schema, Storage

N = 24


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "sex": rng.permutation(["f", "m", "f"] * 8),
            "stage": rng.permutation([1, 2, 3, 4] * 6),
            "grade": pd.Categorical(rng.permutation(["lo", "hi", "mid"] * 8), ["lo", "mid", "hi", "top"], ordered=True),
            "weight": np.round(rng.normal(70, 9, N), 1),
            "visits": rng.permutation(np.arange(N) % 12 + 3),
            "seen": pd.date_range("2020-01-01", periods=N).as_unit("s"),
            "stay": pd.to_timedelta(rng.permutation(np.arange(N)), unit="h").as_unit("s"),
            "centre": "north",
            "dose": [None, *(Decimal(i) / 4 for i in range(N - 1))],
            "alive": pd.array([None, *rng.permutation([True, False] * 12)[1:]], dtype="boolean"),
        }
    )


@pytest.fixture
def schema(frame: pd.DataFrame) -> Schema:
    return Schema.infer(frame)


def test_is_a_mapping(schema: Schema, frame: pd.DataFrame) -> None:
    assert list(schema) == list(frame)
    assert len(schema) == frame.shape[1]
    assert "sex" in schema
    assert "Sex" not in schema
    assert schema["sex"].kind is Kind.BINARY
    assert schema.modelled == tuple(name for name in frame if name != "centre")
    with pytest.raises(KeyError, match="no column 'Sex'"):
        schema["Sex"]


def test_equality_is_by_facts(schema: Schema, frame: pd.DataFrame) -> None:
    assert schema == Schema.infer(frame)
    assert hash(schema) == hash(Schema.infer(frame))
    assert schema != schema.update(weight={"unit": "kg"})


def test_refuses_columns_that_make_no_schema() -> None:
    with pytest.raises(SchemaError, match="no columns"):
        Schema([])
    with pytest.raises(SchemaError, match="'x' occurs twice"):
        Schema([Column("x", "count"), Column("x", "count")])
    with pytest.raises(SchemaError, match="holds str"):
        Schema(["x"])


# --- update ---


def test_stated_facts_are_no_guesses(schema: Schema) -> None:
    new = schema.update(weight={"bounds": (30, 200), "unit": "kg"}, stage="categorical")
    assert new["weight"].bounds == (30, 200)
    assert new["weight"].inferred == schema["weight"].inferred - {"bounds"}
    assert new["stage"].levels == (1, 2, 3, 4)
    assert "kind" not in new["stage"].inferred
    assert schema["weight"].unit is None


def test_kinds_change_with_what_belongs_to_them(schema: Schema) -> None:
    assert schema.update(stage="count")["stage"].precision == 0
    assert schema.update(stage="continuous")["stage"].levels == ()
    assert schema.update(visits="continuous")["visits"].bounds == (0, None)
    assert schema.update(weight="count")["weight"].precision == 0
    assert schema.update(stage={"levels": (4, 3, 2, 1)})["stage"].levels == (4, 3, 2, 1)
    kept = schema.update(grade="categorical")["grade"]
    assert kept.storage.ordered
    assert kept.levels == ("lo", "mid", "hi", "top")


def test_withheld_columns_lose_their_facts_and_may_come_back(schema: Schema) -> None:
    for edit in ("identifier", {"role": "personal"}):
        column = schema.update(grade=edit)["grade"]
        assert column.kind is Kind.IDENTIFIER
        assert column.levels == ()
        assert column.storage.categories is None
    hidden = schema.update(visits={"role": "identifier"})
    assert hidden.update(visits="count")["visits"].role is Role.MODELLED


def test_a_column_replaces_a_column(schema: Schema) -> None:
    column = Column("weight", "continuous", unit="kg")
    assert schema.update(weight=column)["weight"] is column
    with pytest.raises(SchemaError, match="called 'height'"):
        schema.update(weight=Column("height", "continuous"))


BAD_EDITS = {
    "an unknown column": ({"wieght": "count"}, "did you mean 'weight'"),
    "a name like no other": ({"zzz": "count"}, "the columns are"),
    "an unknown fact": ({"weight": {"bound": (1, 2)}}, r"unknown facts \['bound'\]"),
    "a fact that is not for editing": ({"weight": {"storage": None}}, "unknown facts"),
    "an unknown kind": ({"weight": "number"}, "kind 'number'"),
    "levels that are not known": ({"weight": "ordinal"}, "infer again with Schema.infer"),
    "a text as number": ({"sex": "continuous"}, "values stored as"),
    "no edit": ({"weight": 3}, "an edit is a kind"),
    "bounds the wrong way": ({"weight": {"bounds": (9, 1)}}, "lower one first"),
}


@pytest.mark.parametrize("case", BAD_EDITS)
def test_refuses_edits(case: str, schema: Schema) -> None:
    edits, message = BAD_EDITS[case]
    with pytest.raises(SchemaError, match=message):
        schema.update(**edits)


def test_refuses_all_edits_at_once(schema: Schema) -> None:
    with pytest.raises(SchemaError) as caught:
        schema.update(weight={"bounds": (9, 1)}, sex="count")
    assert [problem.column for problem in caught.value.problems] == ["weight", "sex"]


# --- JSON ---


def test_json_round_trip(schema: Schema, tmp_path: Path) -> None:
    assert Schema.from_json(schema.to_json()) == schema
    path = tmp_path / "schema.json"
    schema.to_json(path)
    assert Schema.from_json(path) == Schema.from_json(str(path)) == schema


LEVELS = [
    1,
    1.0,
    True,
    "ä",
    Decimal("1.50"),
    dt.date(2020, 1, 2),
    dt.datetime(1500, 1, 1),
    pd.Timestamp("2020-01-02 03:04:05.000000006"),
    pd.Timestamp("2020-07-02", tz="Europe/Berlin"),
    pd.Timedelta("3 days 00:00:00.000000001"),
]


@pytest.mark.parametrize("value", LEVELS, ids=str)
def test_json_keeps_the_type_of_levels(value: object) -> None:
    schema = Schema([Column("x", "constant", levels=[value])])
    (level,) = Schema.from_json(schema.to_json())["x"].levels
    assert level == value
    assert isinstance(level, type(value))
    assert str(getattr(level, "tzinfo", None)) == str(getattr(value, "tzinfo", None))


def spoil(change: Callable[[dict], object]) -> str:
    content = json.loads(Schema([Column("x", "ordinal", levels=(1, 2, 3))]).to_json())
    change(content)
    return json.dumps(content)


BAD_FILES = {
    "no JSON": ("{", FileFormatError, "not JSON"),
    "a list": ("[]", FileFormatError, "not a schema"),
    "another format": (spoil(lambda c: c.update(format="x")), FileFormatError, "not a schema"),
    "no columns": (spoil(lambda c: c.pop("columns")), FileFormatError, "lists no columns"),
    "a version to come": (spoil(lambda c: c.update(version=2)), FileFormatError, "version 2"),
    "an unknown key": (spoil(lambda c: c.update(rows=3)), SchemaError, "unknown keys"),
    "an unknown fact": (spoil(lambda c: c["columns"][0].update(colour="red")), SchemaError, r"\['colour'\]"),
    "a missing fact": (spoil(lambda c: c["columns"][0].pop("unit")), SchemaError, r"lacks \['unit'\]"),
    "a column that is no object": (spoil(lambda c: c["columns"].append(3)), SchemaError, "column 2 of the schema is 3"),
    "an unknown storage key": (spoil(lambda c: c["columns"][0]["storage"].update(z=1)), SchemaError, "storage of"),
    "an unknown sort": (spoil(lambda c: c["columns"][0]["storage"].update(holds="x")), SchemaError, "malformed"),
    "an unknown type of level": (spoil(lambda c: c["columns"][0].update(levels=[{"z": 1}])), SchemaError, "type 'z'"),
    "a contradiction": (spoil(lambda c: c["columns"][0].update(levels=[1, 1])), SchemaError, "occurs twice"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_refuses_files(case: str) -> None:
    text, error, message = BAD_FILES[case]
    with pytest.raises(error, match=message):
        Schema.from_json(text)


# --- validate ---


def test_a_table_agrees_with_its_own_schema(schema: Schema, frame: pd.DataFrame) -> None:
    schema.validate(frame)


def test_a_table_agrees_after_a_trip_through_csv(tmp_path: Path) -> None:
    before = pd.DataFrame({"n": pd.array([1, 2, 20] * 3, dtype="Int64"), "g": pd.Categorical(["a", "b", "c"] * 3)})
    before.to_csv(tmp_path / "t.csv", index=False)
    Schema.infer(before).validate(pd.read_csv(tmp_path / "t.csv"))


DISAGREEMENTS = {
    "missing": (lambda f: f.drop(columns="sex"), "'sex' is missing"),
    "extra": (lambda f: f.assign(new=1), "'new' is not in the schema"),
    "blanks": (lambda f: f.assign(weight=f["weight"].where(f["weight"] > 70)), "'weight' has .* blanks"),
    "another type": (lambda f: f.assign(weight="heavy"), "holds text values"),
    "an unseen level": (lambda f: f.assign(sex=["x"] * N), "an unseen level: 'x'"),
    "unseen levels": (lambda f: f.assign(stage=np.arange(N)), "20 unseen levels: 0, 5, 6, 7, 8 ..."),
    "another constant": (lambda f: f.assign(centre="south"), "unseen level: 'south'"),
    "out of bounds": (lambda f: f.assign(weight=-1.5), "reaches from -1.5"),
    "off the grid": (lambda f: f.assign(weight=f["weight"] + 0.01), "24 values off its grid"),
    "finer dates": (lambda f: f.assign(seen=f["seen"] + pd.Timedelta("1h")), "24 values finer than D"),
    "finer durations": (lambda f: f.assign(stay=f["stay"] + pd.Timedelta("1min")), "24 values finer than h"),
    "no rows": (lambda f: f[:0], "no rows"),
    "infinities": (lambda f: f.assign(weight=np.inf), "24 infinite"),
}


@pytest.mark.parametrize("case", DISAGREEMENTS)
def test_refuses_a_table_that_disagrees(case: str, schema: Schema, frame: pd.DataFrame) -> None:
    change, message = DISAGREEMENTS[case]
    with pytest.raises(SchemaError, match=message) as caught:
        schema.validate(change(frame))
    assert len(caught.value.problems) == 1


def test_a_count_is_never_negative(schema: Schema, frame: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="negative values"):
        schema.update(visits={"bounds": None}).validate(frame.assign(visits=-1))


def test_lists_all_disagreements_at_once(schema: Schema, frame: pd.DataFrame) -> None:
    spoiled = frame.drop(columns="sex").assign(weight=np.inf, stage=9, new=1)
    with pytest.raises(SchemaError) as caught:
        schema.validate(spoiled)
    assert sorted(problem.column for problem in caught.value.problems) == ["new", "sex", "stage", "weight"]
    assert isinstance(caught.value, InputError)


# --- showing ---


def test_text_table_marks_guesses(schema: Schema) -> None:
    text = repr(schema)
    assert text.startswith("Schema of 10 columns, 9 modelled, 9 with guesses")
    assert "ordinal?" in text
    assert "lo < mid < hi < top" in text
    assert "? guessed from the table" in text
    assert "guessed from" not in repr(Schema([Column("x", "count")]))


def test_text_table_shows_bounds_and_grid() -> None:
    text = repr(
        Schema(
            [
                Column("a", "continuous", bounds=(None, 5), precision=2),
                Column("b", "categorical", levels=tuple("abcdefgh")),
                Column("c", "identifier", role="identifier"),
                Column("d", "datetime", precision="D"),
            ]
        )
    )
    assert ".. 5, 2 decimals" in text
    assert "a, b, c, d, e, f and 2 more" in text
    assert "to the D" in text


def test_card_escapes_and_marks_guesses(schema: Schema) -> None:
    card = schema._repr_html_()
    assert "<i>ordinal?</i>" in card
    assert "<td>lo &lt; mid &lt; hi &lt; top</td>" in card
    evil = Schema([Column("<script>", "binary", levels=("<b>", "&"))])._repr_html_()
    assert "<script>" not in evil
    assert "&lt;script&gt;" in evil
    assert "<i>" not in evil


def test_html_helpers() -> None:
    assert _html.escape("<&>") == "&lt;&amp;&gt;"
    assert _html.escape(_html.Markup("<b>")) == "<b>"
    assert _html.table(["a"], [[1], ["<"]]).count("<td>") == 2
    assert "subtitle" not in _html.card("t").split("</style>")[1]
    for colour in ("#", "white", "black", "rgb"):
        assert colour not in _html.card("t", "s", "b")


def test_to_frame(schema: Schema) -> None:
    table = schema.to_frame()
    assert list(table.index) == list(schema)
    assert table.loc["sex", "levels"] == ["f", "m"]
    assert table.loc["weight", "guessed"] == "bounds, kind, nullable, precision"


def test_storage_in_words() -> None:
    assert Storage("str", "text", ("a",), True).label == "category (ordered)"
    assert Storage("str", "text", ("a",), True).plain == Storage("str", "text")

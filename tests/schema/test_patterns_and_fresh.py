"""Patterns number their texts, shapes keep nothing of a person, and what is stated survives JSON."""

from __future__ import annotations

import itertools
import json

import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import FileFormatError, InputError, SchemaError
from bayesynth.schema import Column, Kind, Role, Schema
from bayesynth.schema.patterns import Pattern, looks_like_uuids, normalised, shape_of


@pytest.mark.parametrize("text", ["#", "A#-@", "%#", "*", r"\##", "é-##", "# #"])
def test_numbers_and_texts_of_a_pattern_are_the_same_set(text: str) -> None:
    pattern = Pattern(text)
    made = [pattern.make(number) for number in range(pattern.capacity)]
    assert made == sorted(set(made))
    assert [pattern.number(one) for one in made] == list(range(pattern.capacity))
    assert [pattern.number(f" {one.swapcase()}  ") for one in made] == list(range(pattern.capacity))


def test_a_pattern_writes_what_it_says() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    wanted = [f"x{a}-{b}{c}" for a, b, c in itertools.product(letters, "0123456789", letters.lower())]
    assert [Pattern("x@-#%").make(i) for i in range(Pattern("x@-#%").capacity)] == wanted
    assert Pattern(r"\#-##").make(7) == "#-07"


@pytest.mark.parametrize("text", ["PBC-00071", "PBC-007x", "PBD-007", "", "PBC-"])
def test_other_texts_have_no_number(text: str) -> None:
    assert Pattern("PBC-@##").number(text) is None


def test_a_running_number_is_recognised_with_any_number_of_digits() -> None:
    assert Pattern("P-##").runs_on
    assert not Pattern("P##-").runs_on
    assert [Pattern("P-##").number(text) for text in ("p-7", "P-007", "P - 1234", "P-")] == [7, 7, 1234, None]


SHAPES = {
    "running": ([f"PBC-{i}" for i in range(1, 419)], "PBC-###"),
    "shared digits are digits": ([f"A1{i}" for i in range(10, 30)], "A###"),
    "two numbers": ([f"{i:02d}/{i % 7:03d}" for i in range(40)], "##/###"),
    "a letter that all share is not kept": ([f"{i:02d}X" for i in range(40)], "##@"),
    "letters and digits": ([f"Z{c}7{i}" for i in range(10) for c in "A1b".upper()], "Z*##"),
    "signs of a pattern": ([f"#@{i:03d}" for i in range(20)], r"\#\@###"),
    "too few to keep a beginning": ([f"ANNA{i}" for i in range(9)], None),
    "other lengths": ([f"{'x' * (i % 3)}-{i}-a" for i in range(20)], None),
    "mixed": ([f"{c}{i:02d}" for i in range(20) for c in "aB"], None),
    "nothing": ([], None),
}


@pytest.mark.parametrize("case", SHAPES)
def test_the_shape_of_texts(case: str) -> None:
    texts, shape = SHAPES[case]
    assert shape_of(texts) == shape
    if shape is not None:
        assert None not in [Pattern(shape).number(text) for text in texts]


def test_uuids_and_equal_texts() -> None:
    assert looks_like_uuids(["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174001"])
    assert not looks_like_uuids(["123e4567-e89b-12d3-a456-42661417400"])
    assert not looks_like_uuids([])
    assert normalised(" Anna  SMITH") == normalised("anna smith") == normalised("ANNASMITH")
    assert normalised("ﬁona") == "fiona"


# --- the fact ---

FRESH = [None, "blank", "integer", "uuid", "auto", "PBC-####", bs.Fake("name", locale="fr_CA", person="doctor")]


@pytest.mark.parametrize("fresh", FRESH, ids=str)
def test_fresh_survives_json(fresh: object) -> None:
    schema = Schema([Column("x", "identifier", role="personal", fresh=fresh), Column("y", "count")])
    assert Schema.from_json(schema.to_json()) == schema
    assert schema["x"].fresh == ("blank" if fresh is None else fresh)


@pytest.mark.parametrize(
    ("fresh", "role"),
    [("PBC-####", "identifier"), ("uuid", "identifier"), (bs.Fake("name"), "personal"), (None, "personal")],
)
def test_stating_fresh_values_withholds_a_column(fresh: object, role: str) -> None:
    frame = pd.DataFrame({"x": ["a", "b", "a", "b"] * 5, "y": range(20)})
    told = Schema.infer(frame, x={"fresh": fresh}, y="count")
    later = Schema.infer(frame, y="count").update(x={"fresh": fresh})
    for column in (told["x"], later["x"]):
        assert (column.kind, column.role, column.levels) == (Kind.IDENTIFIER, Role(role), ())
    back = later.update(x={"kind": "binary", "levels": ("a", "b")})["x"]
    assert (back.role, back.fresh) == (Role.MODELLED, "auto")


def test_a_role_that_is_stated_too_holds() -> None:
    frame = pd.DataFrame({"x": ["a", "b", "a", "b"] * 5, "y": range(20)})
    schema = Schema.infer(frame, x={"fresh": bs.Fake("name"), "role": "identifier"}, y="count")
    assert schema["x"].role is Role.IDENTIFIER


@pytest.mark.parametrize("fresh", ["PBC", "", "Integer", 7, b"##", ["##"]])
def test_what_is_no_fresh_value_is_refused(fresh: object) -> None:
    with pytest.raises(SchemaError, match=r"fresh .* is 'auto', 'blank'"):
        Column("x", "identifier", role="identifier", fresh=fresh)


def test_a_modelled_column_has_no_fresh_values() -> None:
    with pytest.raises(SchemaError, match="only identifiers and personal columns come back fresh"):
        Column("x", "count", fresh="uuid")


@pytest.mark.parametrize(
    "settings", [{"provider": "_name"}, {"provider": 3}, {"locale": ""}, {"unique": 1}, {"pool": 0}, {"pool": True}]
)
def test_a_fake_of_the_wrong_type_is_refused(settings: dict) -> None:
    with pytest.raises(InputError):
        bs.Fake(**{"provider": "name", **settings})


@pytest.mark.parametrize("stored", [{"provider": "__class__"}, {"provider": "name", "run": 1}, {}, 7, "PBC", [1]])
def test_malformed_fresh_values_in_json_are_refused(stored: object) -> None:
    content = json.loads(Schema([Column("x", "identifier", role="identifier")]).to_json())
    content["columns"][0]["fresh"] = stored
    with pytest.raises((SchemaError, FileFormatError)):
        Schema.from_json(json.dumps(content))


def test_a_fake_says_what_was_stated() -> None:
    assert repr(bs.Fake("email", locale="sv_SE", pool=50)) == "Fake('email', locale='sv_SE', pool=50)"

"""Text for a terminal: it fits, and effects are said as they are."""

import pandas as pd

from bayesynth.cli.text import effect_in_words, first_rows, relationships_text, schema_text, table, wrapped
from bayesynth.diagnostics import schema_of


def row(**facts):
    base = {"parent": "age", "child": "bili", "change": "+1 SD", "outcome": "mean"}
    base |= {"effect": 1.2345, "lower": 0.5, "upper": 2.0, "log_bayes_factor": 9.0, "direction": "identified"}
    return pd.DataFrame([base | facts])


def words(**facts):
    return effect_in_words(next(row(**facts).itertuples()))


def test_effects_in_words():
    assert words() == "+1 SD of age: bili +1.23 (+0.500 to +2.00)"
    assert words(change="+1 level", effect=-1234.5) == "+1 level of age: bili -1234 (+0.500 to +2.00)"
    said = words(change="yes vs no", outcome="P(dead)", effect=-0.105, lower=-0.2, upper=0.0)
    assert said == "age yes vs no: dead -10.5 points (-20.0 to +0.0)"
    assert words(effect=0.0).startswith("+1 SD of age: bili +0 (")


def test_each_relationship_is_said_once_and_the_strongest_first():
    rows = [
        row(child="weak", log_bayes_factor=4.0, direction="either way"),
        row(child="status", outcome="P(dead)", effect=0.3),
        row(child="status", outcome="P(alive)", effect=-0.1),
        row(child="gate", log_bayes_factor=float("nan")),
    ]
    text = relationships_text(pd.concat(rows, ignore_index=True))
    assert text.index("age -> status") < text.index("age -- weak")
    assert "dead +30.0 points" in text
    assert "alive" not in text
    assert "gate" not in text
    many = pd.concat([row(child=f"c{i}") for i in range(20)], ignore_index=True)
    assert "12 more" in relationships_text(many)
    assert "none" in relationships_text(row().iloc[:0])


def test_everything_fits_the_terminal():
    wide = table(("a", "b"), [("x" * 200, "y" * 90), ("short", "12")], right=(1,))
    assert max(map(len, wide.splitlines())) <= 100
    assert "…" in wide
    assert max(map(len, wrapped("word " * 100, "  ").splitlines())) <= 100
    frame = pd.DataFrame({"x" * 120: [1.123456789, None], "when": pd.to_datetime(["2020-01-01", None])})
    rows = first_rows(frame)
    assert max(map(len, rows.splitlines())) <= 100
    assert "1.12346" in rows


def test_a_schema_of_every_kind():
    frame = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(30)],
            "when": pd.date_range("2020-01-01", periods=30),
            "level": pd.Categorical(["a", "b", "c"] * 10, ordered=True),
            "value": [i / 4 for i in range(30)],
        }
    )
    text = schema_text(schema_of(frame, None))
    assert "a < b < c" in text
    assert "to the D" in text
    assert "2 decimals" in text
    assert "identifier" in text.splitlines()[1]

"""Stated rules: which rows break them, what blanks do, and both ways to plain values."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import InputError
from bayesynth.rules import Rule, rule_from_dict

TABLE = pd.DataFrame(
    {
        "a": [1.0, 2.0, np.nan, 4.0],
        "b": [2.0, 1.0, 5.0, 4.0],
        "total": [3.0, 3.0, 9.0, 9.0],
        "start": pd.to_datetime(["2020-01-01", "2020-01-05", "2020-01-02", None]),
        "end": pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-02", "2020-03-01"]),
        "sex": ["f", "m", "m", None],
        "preg": [1.0, np.nan, 2.0, 1.0],
        "shade": ["red", "blue", "red", None],
        "land": ["F", "D", "D", "D"],
        "x": [True, False, True, False],
        "y": [False, False, True, True],
    }
)
RULES = [
    (bs.Derived("total", "a + b"), [0, 0, 0, 1], [1, 1, 0, 1]),
    (bs.Derived("total", lambda t: t["a"] + t["b"], columns=("a", "b")), [0, 0, 0, 1], [1, 1, 0, 1]),
    (bs.Derived("total", "a + b", tolerance=1), [0, 0, 0, 0], [1, 1, 0, 1]),
    (bs.Inequality("a", "b"), [0, 1, 0, 0], [1, 1, 0, 1]),
    (bs.Inequality("a", "b", strict=True), [0, 1, 0, 1], [1, 1, 0, 1]),
    (bs.Inequality("start", "end"), [0, 1, 0, 0], [1, 1, 1, 0]),
    (bs.Inequality("start", "end", strict=True), [0, 1, 1, 0], [1, 1, 1, 0]),
    (bs.Inequality(dt.date(2020, 1, 2), "end"), [0, 1, 0, 0], [1, 1, 1, 1]),
    (bs.Inequality("a", 2, strict=True), [0, 1, 0, 1], [1, 1, 0, 1]),
    (bs.Range("b", 2, 4), [0, 1, 1, 0], [1, 1, 1, 1]),
    (bs.Range("start", pd.Timestamp("2020-01-02"), None), [1, 0, 0, 0], [1, 1, 1, 0]),
    (bs.BlankWhen("preg", "sex == 'm'"), [0, 0, 1, 0], [1, 1, 1, 0]),
    (bs.BlankWhen("a", "sex == 'm'"), [0, 1, 0, 0], [1, 1, 1, 0]),
    (bs.BlankWhen("a", "b > 4"), [0, 0, 0, 0], [1, 1, 1, 1]),
    (bs.BlankWhen("a", "b > 40", iff=False), [0, 0, 0, 0], [0, 0, 0, 0]),
    (bs.FixedCombinations("shade", "land", combinations=[("red", "F"), ("blue", "D")]), [0, 0, 1, 0], [1, 1, 1, 0]),
    (bs.OneHot("x", "y"), [0, 1, 1, 0], [1, 1, 1, 1]),
    (bs.Unique("land"), [0, 0, 1, 1], [1, 1, 1, 1]),
    (bs.Unique("shade", "land"), [0, 0, 0, 0], [1, 1, 1, 0]),
    (bs.Predicate("a < b or total > 8"), [0, 1, 0, 0], [1, 1, 1, 1]),
    (bs.Predicate(lambda t: t["a"] < t["b"], columns=["a", "b"], name="order"), [0, 1, 0, 1], [1, 1, 0, 1]),
]
IDS = [f"{i}-{type(rule).__name__}" for i, (rule, *_) in enumerate(RULES)]


@pytest.mark.parametrize(("rule", "broken", "decided"), RULES, ids=IDS)
def test_rows_that_break_a_rule(rule: Rule, broken: list[int], decided: list[int]) -> None:
    before = TABLE.copy(deep=True)
    judged = rule.judge(TABLE)
    assert judged.broken.astype(int).tolist() == broken
    assert judged.decided.astype(int).tolist() == decided
    assert not (judged.broken & ~judged.decided).any()
    pd.testing.assert_frame_equal(TABLE, before)


@pytest.mark.parametrize("rule", [r for r, *_ in RULES], ids=IDS)
def test_an_unusual_index_and_nullable_dtypes_change_nothing(rule: Rule) -> None:
    other = TABLE.convert_dtypes().set_axis([7, 7, 3, "x"])
    np.testing.assert_array_equal(rule.violations(other), rule.violations(TABLE))
    assert not rule.violations(TABLE.assign(sex=None, a=np.nan)).all()


@pytest.mark.parametrize("rule", [r for r, *_ in RULES if r.states_text])
def test_plain_values_and_back(rule: Rule) -> None:
    again = rule_from_dict(rule.to_dict())
    assert again == rule
    assert hash(again) == hash(rule)
    assert rule.describe().endswith(".")


def test_a_function_is_not_written() -> None:
    with pytest.raises(InputError, match="a file holds no code"):
        RULES[1][0].to_dict()


@pytest.mark.parametrize("facts", [{}, {"rule": "Rule"}, {"rule": "Range", "column": "a", "top": 3}, {"rule": "os"}, 3])
def test_a_malformed_rule_is_refused(facts: object) -> None:
    with pytest.raises(InputError):
        rule_from_dict(facts)


@pytest.mark.parametrize(
    "make",
    [
        lambda: bs.Derived("a", "a + 1"),
        lambda: bs.Derived("a", lambda t: t["b"]),
        lambda: bs.Derived("a", 3),
        lambda: bs.Inequality("a", "a"),
        lambda: bs.Inequality(1, 2),
        lambda: bs.Inequality("a", float("nan")),
        lambda: bs.Range("a"),
        lambda: bs.Range("a", 3, 1),
        lambda: bs.Range("a", "b", 1),
        lambda: bs.BlankWhen("a", "a > 3"),
        lambda: bs.FixedCombinations("a"),
        lambda: bs.FixedCombinations("a", "b", combinations=[(1,)]),
        lambda: bs.OneHot("a", "a"),
        lambda: bs.Unique(),
        lambda: bs.Predicate("os.system('true')"),
    ],
)
def test_rules_that_cannot_be_are_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (bs.Inequality("a", "nothing"), "no such column"),
        (bs.Inequality("a", "start"), "only numbers"),
        (bs.Inequality("a", "sex"), "only numbers"),
        (bs.Range("start", 3), "datetime"),
        (bs.Predicate("sex > 3"), "number is compared with a text"),
        (bs.BlankWhen("b", "sex == 'm'"), "no blanks"),
        (bs.BlankWhen("preg", "sex == 'male'"), "compares sex with 'male'"),
        (bs.Predicate("a > 3 or sex in ('f', 'n')"), "'n'"),
        (bs.OneHot("sex", "x"), "truths"),
        (bs.Inequality("a", "id"), "identifier"),
    ],
)
def test_problems_with_a_schema_are_named(rule: Rule, said: str) -> None:
    schema = bs.Schema.infer(TABLE.assign(id=range(4)), id="identifier", preg="continuous")
    (problem,) = rule.problems(schema)
    assert said in str(problem)


def test_half_a_step_is_the_default_tolerance() -> None:
    table = pd.DataFrame({"w": [70.0, 71.3, 60.1], "h": [1.7, 1.81, 1.62], "bmi": [24.2, 21.8, 22.9]})
    assert not bs.Derived("bmi", "w / h ** 2").violations(table).any()
    assert bs.Derived("bmi", "w / h ** 2").violations(table.assign(bmi=[24.3, 21.7, 22.9])).tolist() == [1, 1, 0]


def test_a_text_constant_of_an_ordered_category_is_ranked() -> None:
    levels = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    frame = pd.DataFrame({"u": ["low", "high"], "v": ["high", "mid"]}, dtype=levels)
    assert bs.Inequality("u", "v").violations(frame).tolist() == [False, True]

"""Formulas: what they compute, how blanks go through, and that nothing but formulas is read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesynth.errors import InputError
from bayesynth.rules import Expression
from bayesynth.rules.values import Value, read_all

FRAME = pd.DataFrame(
    {
        "a": [1.0, 4.0, np.nan, 0.0],
        "b": [2.0, np.nan, 3.0, -1.0],
        "sex": ["f", "m", None, "f"],
        "day": pd.to_datetime(["2020-01-01", "2020-01-03", None, "2021-01-01"]),
        "two words": [1, 2, 3, 4],
    }
)


def value(text: str) -> Value:
    formula = Expression(text)
    return formula(read_all(FRAME, formula.columns), len(FRAME))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a + 2 * b", [5, None, None, -2]),
        ("a / b", [0.5, None, None, 0]),
        ("b / a", [2, None, None, None]),
        ("log(a)", [0, np.log(4), None, None]),
        ("sqrt(abs(b)) ** 2", [2, None, 3, 1]),
        ("max(a, b, 1) - min(a, b)", [1, None, None, 2]),
        ("round(a / 3, 1)", [0.3, 1.3, None, 0]),
        ("`two words` // 2 + `two words` % 2", [1, 1, 2, 2]),
        ("where(blank(a), b, a)", [1, 4, 3, 0]),
        ("cut(a, (1, 4))", [1, 2, None, 0]),
        ("day - date('2020-01-01')", [0, 2, None, 366]),
        ("-a + +a", [0, 0, None, 0]),
    ],
)
def test_numbers(text: str, wanted: list[float | None]) -> None:
    found = value(text)
    np.testing.assert_array_equal(found.blank, [w is None for w in wanted])
    np.testing.assert_allclose(found.data[~found.blank], [w for w in wanted if w is not None], rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a > 3 or b > 1", [True, True, True, False]),  # a blank does not matter where the rest decides
        ("a > 3 and b > 1", [False, None, None, False]),
        ("a < 0 and b > 1", [False, False, None, False]),
        ("not a > 3", [True, False, None, True]),
        ("sex == 'f'", [True, False, None, True]),
        ("sex in ('f', 'x')", [True, False, None, True]),
        ("sex not in ('f', 'x')", [False, True, None, False]),
        ("0 < a <= 1", [True, False, None, False]),
        ("blank(sex)", [False, False, True, False]),
        ("cut(a, (1,), ('low', 'high')) == 'low'", [False, False, None, True]),
    ],
)
def test_conditions_know_true_false_and_unknown(text: str, wanted: list[bool | None]) -> None:
    found = value(text)
    assert [None if b else bool(v) for v, b in zip(found.data, found.blank, strict=True)] == wanted


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.__class__",
        "a[0]",
        "(lambda: 1)()",
        "[x for x in a]",
        "open('x')",
        "f'{a}'",
        "a := 3",
        "abs(x=1)",
        "a if b else 1",
        "b'x'",
        "",
        "a +",
        "a" * 3000,
        "(1, 2)",
        "cut(a, (3, 1))",
        "cut(a, (1,), ('x',))",
        "sex + 1",
        "sex == 1",
        "date('tomorrow')",
        "where(a > 1, 'x', 2)",
        "a in 3",
    ],
)
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="the formula"):
        value(text)


def test_columns_are_found_by_name() -> None:
    assert Expression("log(`two words`) + a - max(a, b)").columns == ("a", "b", "two words")


def test_texts_that_columns_are_compared_with_are_listed() -> None:
    found = Expression("a > 3 and 'm' != sex or `two words` in ('x', 'y', 1) and a < b == 'z'").compared
    assert sorted(found) == [("b", "z"), ("sex", "m"), ("two words", "x"), ("two words", "y")]
    assert Expression("cut(a, (1,), ('p', 'q')) == 'p' and blank(sex)").compared == ()

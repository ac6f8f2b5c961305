"""Plans: what the model sees comes back as it was, and rows that were never seen keep every rule."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import BayesynthWarning, InputError
from bayesynth.rules import Rule, RulePlan


def table(n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Columns that twelve rules hold for, with blanks in most of them."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], n)
    frame = pd.DataFrame({"sex": sex, "height": np.round(rng.normal(170, 9, n)).clip(140, 205)})
    frame["weight"] = np.round(rng.normal(75, 12, n).clip(40, 150), 1)
    frame["bmi"] = np.round(frame["weight"] / (frame["height"] / 100) ** 2, 1)
    frame["entry"] = pd.Timestamp("2010-01-01") + pd.to_timedelta(rng.integers(0, 3000, n), unit="D")
    frame["exit"] = frame["entry"] + pd.to_timedelta(rng.integers(0, 500, n), unit="D")
    frame["stay"] = (frame["exit"] - frame["entry"]).dt.days
    frame["low"] = np.round(rng.normal(80, 10, n), 2)
    frame["mid"] = np.floor(frame["low"]) + rng.integers(1, 30, n)
    frame["high"] = np.round(frame["mid"] + rng.gamma(2, 4, n), 1)
    frame["births"] = np.where(sex == "f", rng.poisson(2, n), np.nan)
    place = rng.integers(0, 4, n)
    frame["town"], frame["land"] = np.array(list("abcd"))[place], np.array(list("xxyz"))[place]
    arm = rng.integers(0, 3, n)
    for i in range(3):
        frame[f"arm{i}"] = arm == i
    for name in ("weight", "bmi", "low", "mid", "high", "land"):
        frame.loc[rng.random(n) < 0.15, name] = None
    return frame


RULES = (
    bs.Derived("bmi", "weight / (height / 100) ** 2"),
    bs.Derived("stay", "exit - entry"),
    bs.Inequality("entry", "exit"),
    bs.Inequality("low", "mid", strict=True),
    bs.Inequality("mid", "high"),
    bs.Inequality("low", "high"),
    bs.Range("height", 120, 210),
    bs.Inequality("high", 400),
    bs.BlankWhen("births", "sex == 'm'"),
    bs.FixedCombinations("town", "land"),
    bs.OneHot("arm0", "arm1", "arm2"),
    bs.Predicate("not (weight > 149 and height < 141)"),
)


def infer(frame: pd.DataFrame, **edits: object) -> bs.Schema:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        return bs.Schema.infer(frame, **edits)


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return table()


@pytest.fixture(scope="module")
def plan(real: pd.DataFrame) -> RulePlan:
    return RulePlan.of(infer(real), RULES, real)


def shuffled(plan: RulePlan, real: pd.DataFrame, n: int = 5000) -> pd.DataFrame:
    """Rows as the most ignorant model draws them: every inner column by itself."""
    inner, rng = plan.to_model(real), np.random.default_rng(1)
    return pd.DataFrame({c: inner[c].iloc[rng.integers(0, len(inner), n)].reset_index(drop=True) for c in inner})


def test_a_table_comes_back_as_it_was(plan: RulePlan, real: pd.DataFrame) -> None:
    before = real.copy(deep=True)
    pd.testing.assert_frame_equal(plan.from_model(plan.to_model(real)), real)
    pd.testing.assert_frame_equal(real, before)


def test_rows_that_were_never_seen_keep_every_rule(plan: RulePlan, real: pd.DataFrame) -> None:
    drawn = plan.from_model(shuffled(plan, real))
    kept = [rule for rule in plan.rules if rule not in plan.by_rejection]
    assert len(kept) == 10  # all but BlankWhen, whose blanks elsewhere are drawn again, and the predicate
    counts = plan.check(drawn)
    assert {str(rule): counts[rule] for rule in kept} == {str(rule): 0 for rule in kept}
    assert all(rule.judge(drawn).decided.sum() > 1000 for rule in kept)
    assert list(drawn) == list(real)
    assert drawn.dtypes.equals(real.dtypes)


def test_a_check_sees_rows_that_break_a_rule(plan: RulePlan, real: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    mixed = pd.DataFrame({c: real[c].iloc[rng.permutation(len(real))].to_numpy() for c in real})
    counts = plan.check(mixed)
    assert sum(count > 0 for count in counts.values()) >= 9


def test_values_stay_on_their_grid_and_dates_are_days(plan: RulePlan, real: pd.DataFrame) -> None:
    drawn = plan.from_model(shuffled(plan, real))
    for name, places in (("low", 2), ("mid", 0), ("high", 1), ("bmi", 1)):
        found = drawn[name].dropna()
        np.testing.assert_array_equal(found, np.round(found, places))
    assert (drawn["exit"] == drawn["exit"].dt.normalize()).all()


def test_the_order_of_rules_means_nothing(real: pd.DataFrame, plan: RulePlan) -> None:
    schema = infer(real)
    rng = np.random.default_rng(0)
    for _ in range(3):
        other = RulePlan.of(schema, [RULES[i] for i in rng.permutation(len(RULES))] + [RULES[0]], real)
        assert other == plan
        pd.testing.assert_frame_equal(
            other.from_model(shuffled(plan, real, 50)), plan.from_model(shuffled(plan, real, 50))
        )


@pytest.mark.parametrize("blank", ["a", "b"])
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("places", list(itertools.product((0, 1, 2, None), repeat=2)), ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64"])
def test_no_rounding_breaks_an_inequality(
    places: tuple[int | None, int | None], strict: bool, dtype: str, blank: str
) -> None:
    rng = np.random.default_rng(2)
    a, gap = rng.normal(0, 3, 400), rng.exponential(0.3, 400)
    rounded = [v if p is None else np.round(v, p) for v, p in zip((a, a + gap), places, strict=True)]
    real = pd.DataFrame({"a": rounded[0], "b": rounded[1]}).astype(dtype)
    rule = bs.Inequality("a", "b", strict=strict)
    real = real[~rule.violations(real)].reset_index(drop=True)
    real.loc[::7, blank] = None  # the gap is counted from the other one
    plan = RulePlan.of(infer(real, a="continuous", b="continuous"), [rule], real)
    drawn = plan.from_model(shuffled(plan, real, 2000))
    assert not plan.by_rejection
    assert ({"a", "b"} - {blank}) < set(plan.model_schema)
    assert not rule.violations(drawn).any()
    assert rule.judge(drawn).decided.sum() > 1000
    assert drawn.dtypes.equals(real.dtypes)


@pytest.mark.parametrize(
    ("a", "b", "inner"),
    [
        ([1, None, 3, 4], [5, 70, None, 80], ["a", "b - a", "b (on its own)"]),
        ([1, None, 3, None], [5, 70, None, 80], ["b - a", "a (on its own)", "b"]),
        ([1, None, 3, None], [5, None, 7, None], ["a", "b - a"]),
        ([1, 2, 3, None], [5, 6, 7, 8], ["b - a", "b"]),
    ],
)
def test_a_blank_anchor_leaves_the_other_value_alone(a: list, b: list, inner: list[str]) -> None:
    real = pd.DataFrame({"a": a * 20, "b": b * 20}, dtype="Int64")
    plan = RulePlan.of(infer(real, a="count", b="count"), [bs.Inequality("a", "b")], real)
    assert list(plan.model_schema) == inner
    pd.testing.assert_frame_equal(plan.from_model(plan.to_model(real)), real)


@pytest.mark.parametrize("down", [False, True])
def test_bounds_reach_what_stands_on_the_other_side(down: bool) -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame({"a": rng.integers(3, 8, 100), "b": rng.integers(8, 11, 100)}).astype("Int64")
    real.loc[:9, "a" if down else "b"] = None
    rules = [bs.Inequality("a", "b", strict=True), bs.Range("b", 0, 10), bs.Range("a", 3)]
    plan = RulePlan.of(infer(real, a="count", b="count"), rules, real)
    inner = plan.to_model(real)
    inner["b" if down else "a"], inner["b - a"] = 0 if down else 1000, 1000  # what no model should draw
    drawn = plan.from_model(inner)
    assert drawn["a"].notna().all()
    assert drawn["b"].notna().all()
    assert not sum(plan.check(drawn).values())
    assert not plan.by_rejection


def test_derived_values_without_their_inputs_are_kept() -> None:
    real = pd.DataFrame({"w": [60.0, None, 80.0, 90.0] * 10, "h": [1.5, 1.6, None, 1.8] * 10})
    real["bmi"] = np.round(real["w"] / real["h"] ** 2, 1)
    real.loc[1, "bmi"], real.loc[3, "bmi"] = 20.0, None
    plan = RulePlan.of(infer(real, w="continuous", h="continuous"), [bs.Derived("bmi", "w / h ** 2")], real)
    assert {"bmi", "bmi (on its own)"} <= set(plan.model_schema)
    pd.testing.assert_frame_equal(plan.from_model(plan.to_model(real)), real)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([bs.Inequality("a", "b"), bs.Inequality("b", "a", strict=True)], "circle"),
        ([bs.Inequality("a", "b"), bs.Inequality("b", "c"), bs.Inequality("c", "a")], "circle"),
        ([bs.Derived("a", "b"), bs.Derived("a", "c")], "derives 'a'"),
        ([bs.Derived("a", "b"), bs.Derived("b", "a")], "circle"),
        ([bs.Derived("a", "b"), bs.Derived("b", "c"), bs.Derived("c", "a")], "circle"),
        ([bs.Inequality("a", "b"), bs.Range("a", 10), bs.Range("b", None, 5)], "no value is left for 'a'"),
        ([bs.Range("a", 10), bs.Inequality("a", 10, strict=True)], "no value is left for 'a'"),
        ([bs.BlankWhen("d", "a > 3"), bs.BlankWhen("d", "b > 3")], "when 'd' is blank"),
    ],
)
def test_contradictions_are_named(rules: list[Rule], said: str) -> None:
    frame = pd.DataFrame(np.arange(60).reshape(20, 3) + 20, columns=list("abc")).assign(d=[None, 1, 2, 3] * 5)
    schema = infer(frame, d="count", a="count", b="count", c="count")
    for order in (rules, rules[::-1]):
        with pytest.raises(InputError, match=said):
            RulePlan.of(schema, order, frame)


def test_what_no_construction_keeps_is_left_to_rejection(real: pd.DataFrame) -> None:
    rules = [bs.Derived("bmi", "weight / (height / 100) ** 2"), bs.Range("bmi", 5, 90), bs.Unique("low", "mid")]
    rules += [bs.FixedCombinations("town", "land"), bs.FixedCombinations("land", "sex")]
    plan = RulePlan.of(infer(real), rules, real)
    again = {type(rule).__name__: rule for rule in plan.by_rejection}
    assert set(again) == {"Range", "Unique", "FixedCombinations"}
    assert {plan.kept_by(rule).split(":")[0] for rule in rules[:1]} == {"by construction"}
    assert sum(plan.kept_by(rule) == "by rejection" for rule in plan.rules) == 3


def test_rows_that_break_a_rule_count_as_the_nearest_that_keep_it() -> None:
    real = pd.DataFrame({"a": [1, 5, 3, 4], "b": [2, 3, 9, 40], "s": list("ffmm"), "p": [1.0, 2.0, 3.0, None]})
    rules = [bs.Inequality("a", "b"), bs.Range("b", 0, 30), bs.BlankWhen("p", "s == 'm'")]
    plan = RulePlan.of(infer(real, a="count", b="count", p="count"), rules, real)
    found = plan.from_model(plan.to_model(real))
    wanted = pd.DataFrame({"a": [1, 5, 3, 4], "b": [2, 5, 9, 30], "s": list("ffmm"), "p": [1.0, 2.0, None, None]})
    pd.testing.assert_frame_equal(found, wanted)


@pytest.mark.parametrize("rows", [1, 2])
def test_small_and_odd_tables(rows: int) -> None:
    real = pd.DataFrame({"a": [1.0, 2.0][:rows], "b": [1.0, 2.0][:rows], "same": 3.0, "none": None})
    schema = infer(pd.concat([real] * 3, ignore_index=True), a="continuous", b="continuous")
    plan = RulePlan.of(schema, [bs.Inequality("a", "b")], real.set_axis(list("xy")[:rows]))
    pd.testing.assert_frame_equal(plan.from_model(plan.to_model(real)), real)


def test_forty_columns_in_a_chain() -> None:
    rng = np.random.default_rng(0)
    real = pd.DataFrame(np.cumsum(rng.integers(0, 5, (50, 40)), axis=1), columns=[f"v{i:02d}" for i in range(40)])
    rules = [bs.Inequality(f"v{i:02d}", f"v{i + 1:02d}") for i in range(39)]
    plan = RulePlan.of(infer(real, **dict.fromkeys(real, "count")), rules, real)
    assert not plan.by_rejection
    assert not sum(plan.check(plan.from_model(shuffled(plan, real, 500))).values())
    pd.testing.assert_frame_equal(plan.from_model(plan.to_model(real)), real)

"""Rules found in tables that have them, with the evidence that counting gives; none in tables that have none."""

from __future__ import annotations

import warnings
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

import bayesynth as bs
from bayesynth.errors import BayesynthWarning, InputError
from bayesynth.rules import BlankWhen, Derived, FixedCombinations, Inequality, rule_from_dict
from bayesynth.rules.plan import RulePlan

N = 500


def search(frame: pd.DataFrame, **options: object) -> bs.RuleProposals:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        return bs.discover_rules(frame, **{"random_seed": 1} | options)


def sentences(frame: pd.DataFrame, **options: object) -> list[str]:
    return [rule.describe() for rule in search(frame, **options)]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def people(rng: np.random.Generator, n: int = N) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": rng.integers(2, 90, n),
            "sex": rng.choice(["f", "m"], n),
            "height": rng.normal(170, 10, n).round(1),
            "weight": rng.gamma(20, 3.6, n).round(1),
            "crp": rng.lognormal(1, 1, n).round(2),
        }
    )


# --- each kind ---


def test_arithmetic_is_found_on_the_grid_of_the_column(rng) -> None:
    table = people(rng)
    table["bmi"] = (table.weight / (table.height / 100) ** 2).round(1)
    table["pounds"] = (table.weight / 0.45359237).round(1)
    table["sum"] = (table.age + table.crp).round(2)
    found = sentences(table)
    assert "bmi is 10000 * weight / height ** 2." in found
    assert "sum is age + crp." in found
    pounds = next(rule for rule in search(table) if rule.columns[0] == "pounds")
    assert isinstance(pounds, Derived)
    assert not pounds.violations(table).any()
    assert len(found) == 3


@pytest.mark.parametrize("per_year", [365, 365.25])
@pytest.mark.parametrize("seed", range(5))
def test_a_conversion_to_few_decimals_is_found_whichever_rows_are_kept_aside(rng, per_year, seed) -> None:
    table = pd.DataFrame({"days": rng.integers(40, 4800, 400)})
    table["years"] = (table.days / per_year).round(1)
    (rule,) = search(table, random_seed=seed)
    assert rule.column == "years"
    stated = eval(rule.expression, {"days": 1.0})
    assert stated == pytest.approx(1 / per_year, rel=1e-3)
    assert "+" not in rule.expression


def test_a_conversion_with_an_offset_rounded_coarsely_is_found(rng) -> None:
    for _ in range(10):
        table = pd.DataFrame({"celsius": rng.normal(37, 1, 300).round(2)})
        table["fahrenheit"] = (1.8 * table.celsius + 32).round(1)
        (rule,) = search(table, random_seed=1)
        assert not rule.violations(table).any()


def test_a_conversion_with_an_offset_is_found(rng) -> None:
    celsius = rng.normal(37, 1, N).round(1)
    table = pd.DataFrame({"c": celsius, "f": (1.8 * celsius + 32).round(2), "x": rng.normal(size=N)})
    assert sentences(table) == ["f is 1.8 * c + 32."]


def test_a_mean_of_two_columns_is_found(rng) -> None:
    table = pd.DataFrame({"left": rng.normal(10, 2, N).round(1), "right": rng.normal(10, 2, N).round(1)})
    table["mean"] = ((table.left + table.right) / 2).round(2)
    table["other"] = rng.normal(size=N)
    assert sentences(table) == ["mean is (left + right) / 2."]


def test_a_score_of_several_items_is_found(rng) -> None:
    table = pd.DataFrame({f"q{i}": rng.integers(0, 5, N).astype(float) for i in range(1, 7)})
    table["other"] = rng.normal(size=N).round(2)
    table.loc[rng.random(N) < 0.1, "q2"] = np.nan
    table["score"] = table.q1 + table.q2 - table.q3 + 2 * table.q4
    (rule,) = search(table)
    assert rule.describe() == "score is q1 + q2 - q3 + 2 * q4."
    assert not rule.violations(table).any()


def test_years_that_are_cut_off_are_found(rng) -> None:
    begin = pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 12_000, N), unit="D")
    visit = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3_000, N), unit="D")
    age = np.floor((visit - begin).days / 365.25).astype(int)
    (rule,) = search(pd.DataFrame({"begin": begin, "visit": visit, "age": age}))
    assert isinstance(rule, Derived)
    assert rule.column == "age"
    assert rule.expression.startswith("floor(")


def test_inequalities_of_numbers_and_dates_are_found_without_those_that_follow(rng) -> None:
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, N), unit="D")
    middle = start + pd.to_timedelta(rng.geometric(0.02, N), unit="D")
    end = middle + pd.to_timedelta(rng.geometric(0.005, N), unit="D")
    table = pd.DataFrame({"end": end, "start": start, "middle": middle, "low": rng.normal(size=N)})
    table["high"] = table.low + rng.exponential(1, N)
    rules = list(search(table))
    assert {(rule.low, rule.high) for rule in rules} == {("start", "middle"), ("middle", "end"), ("low", "high")}
    assert all(isinstance(rule, Inequality) for rule in rules)


def test_a_threshold_is_stated_at_its_roundest_place(rng) -> None:
    table = people(rng, 3000)
    table["adult"] = np.where(table.age >= 18, "yes", "no")
    table["risk"] = pd.Categorical(np.select([table.crp < 1, table.crp < 5], ["low", "middle"], "high"))
    assert sentences(table) == [
        "risk is cut(crp, (1, 5,), ('low', 'middle', 'high')).",
        "adult is cut(age, (18,), ('no', 'yes')).",
    ]


def test_dependencies_are_found_without_those_that_follow(rng) -> None:
    ward = rng.integers(0, 12, N)
    table = pd.DataFrame({"ward": [f"w{w:02d}" for w in ward], "clinic": [f"c{w // 3}" for w in ward]})
    table["city"] = [f"t{w // 6}" for w in ward]
    table["dose"] = rng.choice(["none", "some"], N)
    table["arm"] = table.city + table.dose
    rules = {rule.columns for rule in search(table)}
    assert rules == {("ward", "clinic"), ("clinic", "city"), ("arm", "city"), ("arm", "dose")} or (
        ("ward", "clinic") in rules and ("clinic", "city") in rules
    )
    assert ("ward", "city") not in rules


def test_two_columns_that_determine_a_third_are_found(rng) -> None:
    a, b, c = (rng.integers(0, 3, N) for _ in range(3))
    table = pd.DataFrame({"a": a, "b": b, "c": c}).astype(str)
    table["d"] = [f"level {x}" for x in (2 * a + b) % 4]
    (rule,) = search(table)
    assert isinstance(rule, FixedCombinations)
    assert rule.columns == ("a", "b", "d")


def test_combinations_that_never_occur_are_found(rng) -> None:
    drug = rng.integers(0, 6, 1500)
    table = pd.DataFrame({"drug": [f"d{k}" for k in drug], "other": rng.choice(["p", "q", "r"], 1500)})
    table["route"] = [f"r{(k + rng.choice([0, 1, 3])) % 6}" for k in drug]
    (rule,) = search(table)
    assert isinstance(rule, FixedCombinations)
    assert rule.columns == ("drug", "route")


def test_one_absent_combination_is_listed_but_not_proposed(rng) -> None:
    table = pd.DataFrame({"sex": rng.choice(["f", "m"], 1500), "organ": rng.choice(["a", "b", "c"], 1500)})
    table.loc[(table.sex == "m") & (table.organ == "c"), "organ"] = "a"
    proposals = search(table)
    assert len(proposals) == 0
    assert proposals.to_frame(unsupported=True).kind.tolist() == ["fixed combinations"]


def test_structural_blanks_and_skip_patterns_are_found(rng) -> None:
    table = people(rng, 1000)
    table["pregnancies"] = pd.array(rng.poisson(2, 1000), dtype="Int64")
    table.loc[table.sex == "m", "pregnancies"] = pd.NA
    table["smoker"] = rng.choice(["never", "former", "current"], 1000)
    table["packs"], table["since"] = rng.gamma(2, 1, 1000).round(1), rng.normal(20, 3, 1000).round(1)
    table.loc[(table.smoker == "never") | (rng.random(1000) < 0.2), ["packs", "since"]] = np.nan
    rules = list(search(table))
    assert all(isinstance(rule, BlankWhen) for rule in rules)
    assert {rule.describe() for rule in rules} == {
        "pregnancies is blank exactly where sex == 'm'.",
        "since is blank exactly where blank(packs).",
        "packs is blank where smoker == 'never'.",
    }


def test_blanks_beyond_an_age_are_found(rng) -> None:
    table = people(rng, 1500)
    table["school"] = rng.normal(size=1500).round(2)
    table.loc[(table.age >= 18) | (rng.random(1500) < 0.3), "school"] = np.nan
    assert sentences(table) == ["school is blank where age >= 18."]


def test_what_is_proposed_can_be_kept(rng) -> None:
    table = people(rng, 1000)
    table["bmi"] = (table.weight / (table.height / 100) ** 2).round(1)
    table["begin"] = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, 1000), unit="D")
    table["end"] = table.begin + pd.to_timedelta(rng.geometric(0.01, 1000), unit="D")
    table["days"] = (table.end - table.begin).dt.days
    table["risk"] = np.select([table.crp < 1, table.crp < 5], ["low", "middle"], "high")
    table["packs"], table["since"] = rng.gamma(2, 1, 1000).round(1), rng.normal(20, 3, 1000).round(1)
    table.loc[(table.sex == "m") | (rng.random(1000) < 0.2), ["packs", "since"]] = np.nan
    proposals = search(table)
    assert {rule.describe() for rule in proposals} == {
        "bmi is 10000 * weight / height ** 2.",
        "days is end - begin.",
        "risk is cut(crp, (1, 5,), ('low', 'middle', 'high')).",
        "packs is blank where sex == 'm'.",
        "since is blank exactly where blank(packs).",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        schema = bs.Schema.infer(table)
    plan = RulePlan.of(schema, proposals, table)
    back = plan.from_model(plan.to_model(table))
    pd.testing.assert_frame_equal(back, table)
    assert not any(plan.check(back).values())
    assert [rule_from_dict(rule.to_dict()) for rule in proposals] == list(proposals)


def test_only_there_is_said_where_enough_rows_could_contradict(rng) -> None:
    sex = np.where(np.arange(1000) < 900, "m", "f")
    table = pd.DataFrame({"sex": sex, "births": np.where(sex == "m", np.nan, rng.poisson(2, 1000))})
    table.loc[:599, "sex"] = None
    table.loc[:599, "births"] = rng.poisson(2, 600)
    (rule,) = search(table)
    assert rule.describe() == "births is blank where sex == 'm'."


# --- evidence ---


def test_the_evidence_is_what_counting_gives() -> None:
    blank = np.arange(400) % 4 == 0
    table = pd.DataFrame({"a": np.where(blank, np.nan, 1.0), "b": np.where(blank, None, "x")})
    table["c"] = np.random.default_rng(1).normal(size=400)
    proposals = search(table, holdout=0.25)
    (row,) = proposals.to_frame().to_dict("records")
    assert row["support"] == 400
    assert 60 < row["kept_aside"] <= 100
    assert row["expected"] == pytest.approx(2 * 400 * 0.25 * 0.75)
    assert row["posterior"] == pytest.approx(beta(1, 401).cdf(0.01))
    assert row["chance"] < 1e-80
    assert 1 / comb(400, 100) < row["chance"] < 10_000 / comb(400, 100)


def test_the_rows_that_a_rule_takes_are_the_fewest_that_suffice() -> None:
    table = pd.DataFrame({"a": np.arange(50) % 7, "b": np.random.default_rng(1).normal(size=50)})
    for rate in (0.01, 0.05, 0.2):
        needed = search(table, rate=rate).needed
        assert beta(1, 1 + needed).cdf(rate) >= 0.95 > beta(1, needed).cdf(rate)


def test_no_violation_in_twelve_rows_is_no_rule(rng) -> None:
    table = pd.DataFrame({"low": rng.normal(size=12)})
    table["high"] = table.low + rng.exponential(1, 12)
    proposals = search(table)
    assert len(proposals) == 0
    assert "the table has 12" in repr(proposals)


def test_equal_columns_are_found_where_there_are_enough_levels(rng) -> None:
    table = pd.DataFrame({"score": rng.normal(size=N), "grade": rng.integers(0, 12, N), "flag": rng.random(N) < 0.4})
    for name in list(table):
        table[f"{name} again"] = table[name]
    proposals = search(table)
    assert {rule.columns for rule in proposals} == {("score again", "score"), ("grade", "grade again")}
    assert "flag" in proposals.to_frame(unsupported=True).rule[0]


def test_one_violation_refutes(rng) -> None:
    table = people(rng)
    table["double"] = 2 * table.crp
    assert len(search(table)) == 1
    table.loc[77, "double"] += 0.05
    assert len(search(table)) == 0


def test_ranges_that_hardly_overlap_are_no_rule(rng) -> None:
    table = pd.DataFrame({"bili": rng.lognormal(0.5, 1, N).round(1), "platelet": rng.normal(260, 40, N).round()})
    assert len(search(table)) == 0


@pytest.mark.parametrize("correlation", [0.9, 0.99, 0.9999])
def test_columns_that_merely_go_together_are_no_rule(rng, correlation) -> None:
    common = rng.normal(size=N)
    noise = rng.normal(size=N) * np.sqrt(1 / correlation**2 - 1)
    table = pd.DataFrame({"diastolic": 80 + 10 * common})
    table["systolic"] = 80 + 10 * (common + noise) + 55 * np.std(noise)
    table["grade"] = pd.cut(table.diastolic + rng.normal(0, 4, N), [-np.inf, 70, 80, 90, np.inf], labels=False)
    assert len(search(table)) == 0


def test_clinical_table_proposes_the_block_that_was_never_asked(pbc) -> None:
    proposals = bs.discover_rules(pbc, random_seed=1)
    assert [rule.describe() for rule in proposals] == [
        "ascites, hepato, spiders, alk.phos, ast are blank exactly where blank(trt)."
    ]
    assert set(proposals.to_frame(unsupported=True).rule) == {
        "chol is blank where blank(trt).",
        "copper is blank where blank(trt).",
        "trig is blank where blank(chol).",
    }


# --- contract ---


def test_equal_seeds_give_equal_proposals_and_leave_the_table(rng) -> None:
    table = people(rng)
    table["double"] = 2 * table.crp
    before = table.copy(deep=True)
    assert repr(search(table, random_seed=4)) == repr(search(table, random_seed=4))
    assert search(table, random_seed=4).to_frame().equals(search(table, random_seed=4).to_frame())
    pd.testing.assert_frame_equal(table, before)


def test_proposals_are_a_sequence_of_rules(rng) -> None:
    table = people(rng)
    table["double"] = 2 * table.crp
    proposals = search(table)
    assert list(proposals) == [proposals[0]] == list(proposals.rules)
    assert proposals[:1] == (proposals[0],)
    assert "1 proposed rule" in proposals._repr_html_()
    assert "double is 2 * crp" in repr(proposals)


def test_all_bad_arguments_are_told_at_once(rng) -> None:
    with pytest.raises(InputError, match="3 problems"):
        bs.discover_rules(people(rng), rate=0, probability="high", holdout=1.0)


def test_hard_tables_are_searched(rng) -> None:
    table = people(rng, 60)
    table["constant"], table["empty"], table["id"] = 1, np.nan, [f"p{i:03d}" for i in range(60)]
    table["flag"] = rng.random(60) < 0.5
    table["text"] = pd.array(rng.choice(["x", "y"], 60), dtype="string")
    table["stage"] = pd.Categorical(rng.integers(1, 4, 60), categories=[1, 2, 3], ordered=True)
    table.loc[3, "stage"] = np.nan
    table.index = [f"row {i}" for i in range(60)]
    assert len(search(table, rate=0.05)) == 0
    assert len(search(table.convert_dtypes(), rate=0.05)) == 0


def test_odd_names_and_levels_are_stated_so_that_they_can_be_read(rng) -> None:
    table = pd.DataFrame(
        {"alk.phos": rng.normal(100, 20, N).round(1), "class": rng.choice(["it's", 'a "b"'], N, p=[0.7, 0.3])}
    )
    table["log (x)"] = (table["alk.phos"] * 2).round(1)
    table["lambda"] = rng.normal(size=N)
    table.loc[table["class"] == "it's", "lambda"] = np.nan
    rules = list(search(table))
    assert len(rules) == 2
    assert not any(rule.violations(table).any() for rule in rules)

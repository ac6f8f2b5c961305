"""Rules as part of a fit: judged, kept in all that is drawn, saved, shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import DataWarning, InputError
from bayesynth.synthesis.rule_knowledge import with_rules
from bayesynth.synthesis.ruled import rows_that_keep

RULES = [
    bs.Derived("stay", "exit - entry"),
    bs.Inequality("entry", "exit"),
    bs.Inequality("low", "high", strict=True),
    bs.BlankWhen("births", "sex == 'm'"),
    bs.FixedCombinations("shade", "group"),
    bs.Predicate("not (sex == 'm' and low > 92)"),
    bs.Unique("code", "entry", "high"),
]


def table(n: int = 250) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"id": np.arange(n) + 3000, "sex": rng.choice(["f", "m"], n)})
    frame["entry"] = pd.Timestamp("2010-01-01") + pd.to_timedelta(rng.permutation(n), unit="D")
    frame["exit"] = frame["entry"] + pd.to_timedelta(rng.integers(0, 40, n), unit="D")
    frame["stay"] = (frame["exit"] - frame["entry"]).dt.days
    male = frame["sex"] == "m"
    frame["low"] = np.round(rng.normal(80, 8, n) + 4 * male, 1).clip(55, 105)
    frame.loc[male, "low"] = frame["low"].clip(upper=92)
    frame["high"] = np.round(frame["low"] + 1 + rng.gamma(3, 5, n))
    frame.loc[rng.random(n) < 0.2, "low"] = np.nan
    frame["births"] = np.where(male, np.nan, rng.poisson(2, n))
    place = rng.integers(0, 4, n)
    frame["shade"], frame["group"] = np.array(list("abcd"))[place], np.array(list("xxyz"))[place]
    frame["code"] = rng.choice(list("pqr"), n)
    return frame


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return table()


@pytest.fixture(scope="module")
def fit(real: pd.DataFrame, laplace: Callable[..., bs.Fit]) -> bs.Fit:
    return laplace(real, rules=RULES)


def test_every_way_of_drawing_keeps_every_rule(fit: bs.Fit, real: pd.DataFrame) -> None:
    tables = [
        fit.sample(400, random_seed=1),
        fit.sample(400, balanced=False, draws="each_table", random_seed=1),
        fit.sample(400, blanks=False, random_seed=1),
        *fit.sample_tables(3, 200, random_seed=2),
    ]
    for drawn in tables:
        assert set(fit.rule_plan.check(drawn).values()) == {0}
        assert list(drawn) == list(real)
        assert drawn.dtypes.equals(real.dtypes)
        assert drawn["id"].is_unique
        report = drawn.attrs["rules"]
        assert report["drawn"] >= len(drawn)
        assert 0.5 < report["acceptance"] <= 1
        assert set(report["broken"]) == {str(rule) for rule in fit.rule_plan.by_rejection}
    found = fit.estimate(
        lambda t: t["stay"].sub((t["exit"] - t["entry"]).dt.days).abs().sum(), draws=40, progress=False
    )
    assert float(np.ravel(found.to_frame()["estimate"])[0]) == 0


def test_equal_seeds_give_equal_tables(fit: bs.Fit) -> None:
    pd.testing.assert_frame_equal(fit.sample(300, random_seed=5), fit.sample(300, random_seed=5))
    assert not fit.sample(300, random_seed=5).equals(fit.sample(300, random_seed=6))


def test_structural_blanks_leave_the_other_columns_as_they_are(fit: bs.Fit, real: pd.DataFrame) -> None:
    men = (real["sex"] == "m").mean()
    for blanks in (True, False):
        drawn = fit.sample(4000, blanks=blanks, random_seed=3)
        assert abs((drawn["sex"] == "m").mean() - men) < 0.05
        assert drawn["births"].isna().equals(drawn["sex"] == "m")
        assert abs(drawn["births"].mean() - real["births"].mean()) < 0.4
        assert drawn["low"].isna().any() == blanks


def test_blanks_that_a_rule_settles_depend_on_what_it_reads(fit: bs.Fit) -> None:
    forbidden = with_rules(bs.Knowledge(), fit.network.encoding, fit.rule_plan).forbidden
    possible = {a for a in fit.network.encoding.nodes if (a, "observed(births)") not in forbidden}
    assert possible == {"sex", "observed(births)"}
    assert (fit.missingness().set_index("block").loc["observed(births)", "depends_on"]).startswith("sex 1.00")


def test_the_model_sees_other_columns_than_the_table_has(fit: bs.Fit) -> None:
    assert {"stay", "exit", "shade", "group", "id"} <= set(fit.schema)
    assert not {"stay", "exit", "shade", "group", "id"} & set(fit.model_schema)
    assert {"exit - entry", "high - low", "high", "shade & group"} <= set(fit.model_schema)
    assert set(fit.graph(0.001).nodes) == set(fit.network.encoding.nodes)


def test_a_saved_fit_keeps_its_rules(fit: bs.Fit, tmp_path: Path) -> None:
    again = bs.load(fit.save(tmp_path / "fit.bayesynth"))
    assert again.rules == fit.rules
    pd.testing.assert_frame_equal(again.rules_table(), fit.rules_table())
    pd.testing.assert_frame_equal(again.sample(100, random_seed=1), fit.sample(100, random_seed=1))


def test_rules_are_shown(fit: bs.Fit) -> None:
    shown = fit.rules_table()
    assert len(shown) == len(RULES)
    assert (shown["rows"] == 250).all()
    assert (shown["broken"] == 0).all()
    assert (shown["decided"] > 0).all()
    assert sum(shown["kept"] == "by rejection") == 2
    assert "5 of 7 kept by construction, 2 by drawing rows again" in repr(fit)
    assert "7 rules hold in every synthetic row" in fit.methods().text


def test_what_takes_the_table_takes_the_outer_one(fit: bs.Fit, real: pd.DataFrame) -> None:
    assert len(fit.influence(real)) == len(real)
    assert "stay" in set(fit.checks(real, tables=2, random_seed=1, progress=False).details["column"])


def broken() -> pd.DataFrame:
    frame = table(120)[["low", "high"]].dropna().reset_index(drop=True)
    frame.loc[[3, 7], "high"] = frame.loc[[3, 7], "low"] - 5
    return frame


def test_violations_are_refused_by_row_and_without_values() -> None:
    frame = broken()
    with pytest.raises(InputError, match=r"2 of \d+ rows break the rule .* \(at positions 3, 7\)") as caught:
        bs.Synthesizer(rules=[bs.Inequality("low", "high")]).fit(frame, progress=False)
    assert str(frame.loc[3, "low"]) not in str(caught.value)


@pytest.mark.parametrize(("how", "left"), [("warn", 1), ("drop_rule", 0)])
def test_violations_may_be_taken_otherwise(how: str, left: int) -> None:
    frame = broken()
    made = bs.Synthesizer(
        inference="laplace", structure="greedy", rules=[bs.Inequality("low", "high")], on_violation=how
    )
    with pytest.warns(DataWarning, match="2 of"):
        fit = made.fit(frame, random_seed=1, progress=False)
    assert len(fit.rules) == left
    assert fit.rules_table()["broken"].tolist() == [2] * left
    if left:
        assert not bs.Inequality("low", "high").violations(fit.sample(2000, random_seed=1)).any()


def test_a_function_is_a_rule_but_not_saved(laplace: Callable[..., bs.Fit], tmp_path: Path) -> None:
    frame = table(120)[["low", "high"]].dropna().reset_index(drop=True)
    rule = bs.Predicate(lambda t: t["low"] + t["high"] > 0, columns=("low", "high"))
    fit = laplace(frame, rules=[rule])
    assert not rule.violations(fit.sample(100, random_seed=1)).any()
    with pytest.raises(InputError, match="state it as text"):
        fit.save(tmp_path / "fit.bayesynth")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rules": bs.Unique("a")}, "rules is a Unique"),
        ({"rules": ["a < b"]}, "rules holds a str"),
        ({"on_violation": "ignore"}, "no such way"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        bs.Synthesizer(**options)


def drawing(seed: int) -> Callable[[int, bool], pd.DataFrame]:
    rng = np.random.default_rng(seed)
    return lambda n, first: pd.DataFrame({"x": rng.integers(0, 1000, n), "y": rng.random(n)})


def test_rejection_follows_the_law_given_the_rule() -> None:
    drawn = rows_that_keep([bs.Predicate("x < 100")], drawing(1), 5000)
    counts = np.bincount(drawn["x"], minlength=100)
    assert counts.sum() == 5000
    assert ((counts - 50) ** 2 / 50).sum() < 149  # chi-squared with 99 degrees of freedom, 99.9%
    assert abs(drawn.attrs["rules"]["acceptance"] - 0.1) < 0.01


def test_a_rule_that_hardly_any_row_keeps_is_named_with_its_rate() -> None:
    rules = [bs.Predicate("y > 0.5"), bs.Predicate("x > 998 and y < 0.0001")]
    with pytest.raises(InputError, match=r"of \d+ rows that were drawn \d keep the rules.*x > 998"):
        rows_that_keep(rules, drawing(2), 100)


def test_more_unique_rows_than_there_are_values_are_refused() -> None:
    drawn = rows_that_keep([bs.Unique("x")], drawing(3), 1000)
    assert drawn["x"].is_unique
    with pytest.raises(InputError, match="1000 keep the rules, and 1001 are wanted"):
        rows_that_keep([bs.Unique("x")], drawing(3), 1001)


def test_a_report_counts_violations(fit: bs.Fit, real: pd.DataFrame, hasty: None) -> None:
    report = bs.assess(real, fit.sample(100, random_seed=1), fit=fit, progress=False, random_seed=1)
    assert re.search("7 rules were checked in 100 synthetic rows: 0 violations", report.to_html())
    assert len(json.loads(report.to_json())["facts"]["fit"]["rules"]) > 0

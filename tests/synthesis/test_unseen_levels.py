"""Levels that are declared and unseen: drawn at the stated rate, beside a row that stays as it is."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesynth as bs
from bayesynth.encoding.unseen import with_unseen
from bayesynth.errors import InputError, SchemaError, SchemaWarning

N, SHARE = 160, 0.1
SITES, GRADES = ["a", "b", "c", "new", "newer"], [1, 2, 3, 4]


def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    site = pd.Categorical(rng.choice(["a", "b", "c"], N), SITES)
    site[rng.random(N) < 0.15] = np.nan
    shift = pd.Series(site).map({"a": 0.0, "b": 2.0, "c": 4.0}).astype(float).fillna(2.0).to_numpy()
    columns = {
        "site": site,
        "grade": rng.choice([1, 2, 4], N),
        "flag": pd.Categorical(["no"] * N, ["no", "yes"]),
        "y": np.round(rng.normal(10, 1, N) + shift, 2),
    }
    return pd.DataFrame(columns, index=pd.Index([f"p{i}" for i in range(N)]))


def schema_of(frame: pd.DataFrame, **facts: object) -> bs.Schema:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaWarning)  # the flag has one value
        schema = bs.Schema.infer(frame, grade="ordinal", flag="binary")
    return schema.update(grade={"levels": GRADES}).update(**facts)


SHARES = {"site": {"unseen_share": SHARE}, "grade": {"unseen_share": 0.02}, "flag": {"unseen_share": 0.3}}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return table()


@pytest.fixture(scope="module")
def fit(frame: pd.DataFrame, laplace) -> bs.Fit:
    return laplace(frame, schema=schema_of(frame, **SHARES))


@pytest.fixture(scope="module")
def without(frame: pd.DataFrame, laplace) -> bs.Fit:
    return laplace(frame, schema=schema_of(frame))


def shares_agree(hits: np.ndarray, share: float) -> bool:
    """Whether a share of independent trials is one that chance gives."""
    return stats.binomtest(int(hits.sum()), len(hits), share).pvalue > 1e-3


def test_unseen_levels_come_at_the_stated_rate_of_recorded_values(fit: bs.Fit) -> None:
    drawn = fit.sample(8000, random_seed=1)
    site = drawn["site"].dropna()
    assert shares_agree(site.isin(["new", "newer"]).to_numpy(), SHARE)
    assert shares_agree((site == "newer").to_numpy(), SHARE / 2)
    assert shares_agree((drawn["grade"] == 3).to_numpy(), 0.02)
    assert shares_agree((drawn["flag"] == "yes").to_numpy(), 0.3)


def test_the_rest_of_the_row_stays_as_it_is(fit: bs.Fit, without: bs.Fit) -> None:
    for draw in (
        lambda f: f.sample(500, random_seed=2),
        lambda f: f.sample_tables(2, random_seed=2)[1],
        lambda f: f.sample(200, given={"y": bs.between(11, 13)}, random_seed=2),
    ):
        drawn, plain = draw(fit), draw(without)
        assert not set(plain["site"].dropna()) & {"new", "newer"}
        pd.testing.assert_series_equal(drawn["y"], plain["y"])
        for name, unseen in (("site", ["new", "newer"]), ("grade", [3]), ("flag", ["yes"])):
            kept = ~drawn[name].isin(unseen)
            assert 0 < kept.sum() < len(drawn)
            assert drawn[name][kept].astype(object).equals(plain[name][kept].astype(object))
            assert plain[name].dtype == drawn[name].dtype
    assert drawn["site"].isna().equals(plain["site"].isna())


def test_equal_seeds_give_equal_tables(fit: bs.Fit, tmp_path: Path) -> None:
    again = bs.load(fit.save(tmp_path / "f.bayesynth"))
    assert again.schema == fit.schema
    for other in (fit, again):
        pd.testing.assert_frame_equal(other.sample(300, random_seed=4), fit.sample(300, random_seed=4))


def test_a_condition_on_the_column_is_on_the_levels_that_occur(fit: bs.Fit, without: bs.Fit) -> None:
    given = fit.sample(300, given={"site": bs.isin(["a", "new"]), "flag": "no"}, random_seed=1)
    assert set(given["site"]) == {"a"}
    assert set(given["flag"]) == {"no"}
    assert (given["grade"] == 3).any()
    conditions = {"site": "a", "flag": "no"}
    found, plain = (f.probability(conditions, draws=40, random_seed=1) for f in (fit, without))
    assert float(found) == pytest.approx(float(plain) * (1 - SHARE) * 0.7)
    assert found.upper == pytest.approx(plain.upper * (1 - SHARE) * 0.7)
    drawn = fit.sample(8000, random_seed=5)
    both = ((drawn["site"] == "a") & (drawn["flag"] == "no")).to_numpy()
    assert both.mean() == pytest.approx(float(found), abs=3 * np.sqrt(both.mean() / 8000) + 0.01)
    with pytest.raises(InputError, match="nothing is known of rows that have"):
        fit.sample(10, given={"site": "new"})
    with pytest.raises(InputError, match="probability is 0"):
        without.sample(10, given={"site": "new"})


def test_what_is_set_stays_set(fit: bs.Fit) -> None:
    assert set(fit.intervene({"site": "b"}, 200, random_seed=1)["site"]) == {"b"}


def test_the_distribution_of_the_column_has_all_levels(fit: bs.Fit, without: bs.Fit) -> None:
    found, plain = (f.conditional("site", {"y": bs.between(9, 12)}, draws=40, random_seed=1) for f in (fit, without))
    assert list(found.index) == ["P(a)", "P(b)", "P(c)", "P(new)", "P(newer)", "P(blank)"]
    assert found["estimate"].iloc[:5].sum() == pytest.approx(1)
    np.testing.assert_allclose(found.loc["P(new)", ["estimate", "lower", "upper"]].astype(float), SHARE / 2)
    assert found.loc["P(a)", "estimate"] == pytest.approx(plain.loc["P(a)", "estimate"] * (1 - SHARE))
    assert found.loc["P(blank)", "estimate"] == plain.loc["P(blank)", "estimate"]
    stated = fit.conditional("site", {"site": bs.isin(["a", "b"])}, draws=40, random_seed=1)
    assert "P(new)" not in stated.index


def test_known_cells_are_kept_and_blanks_filled_at_the_stated_rate(fit: bs.Fit, frame: pd.DataFrame) -> None:
    completed = fit.complete(frame, 40, random_seed=1)
    blank = frame["site"].isna()
    filled = np.concatenate([t["site"][blank].to_numpy() for t in completed])
    assert shares_agree(np.isin(filled, ["new", "newer"]), SHARE)
    for made in completed[:3]:
        pd.testing.assert_frame_equal(made[~blank], frame[~blank])


def test_what_a_rule_makes_of_a_level_follows_it(frame: pd.DataFrame, laplace) -> None:
    rule = bs.BlankWhen(["y"], when="grade == 3")
    schema = schema_of(frame, grade={"unseen_share": 0.2}, y={"nullable": True})
    drawn = laplace(frame, schema=schema, rules=[rule]).sample(400, random_seed=1)
    assert (drawn["grade"] == 3).sum() > 40
    assert drawn["y"].isna().equals(drawn["grade"] == 3)


def test_a_fit_says_so(fit: bs.Fit, without: bs.Fit) -> None:
    said = "10% of site, 2% of grade and 30% of flag, where recorded"
    assert said in fit.methods().text
    assert "Levels that no row has" not in without.methods().text
    assert "levels of site 10%" in repr(fit)
    assert "levels of site 10%" in fit._repr_html_()
    assert "unseen" not in repr(without)
    assert bs.Schema.from_json(fit.schema.to_json())["site"].unseen_share == SHARE


def test_shares_without_a_meaning_are_refused_at_the_fit(frame: pd.DataFrame, laplace) -> None:
    schema = schema_of(frame.assign(site=frame["site"].cat.remove_unused_categories()), site={"unseen_share": 0.1})
    seen = frame.assign(site=frame["site"].cat.remove_unused_categories())
    with pytest.raises(InputError, match=r"'site' has unseen_share=0.1: every level that the schema lists occurs"):
        laplace(seen, schema=schema)
    rule = bs.FixedCombinations("grade", "site")
    with pytest.raises(InputError, match=r"'grade' has unseen_share=0.02: a rule makes it"):
        laplace(frame, schema=schema_of(frame, grade={"unseen_share": 0.02}), rules=[rule])


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        *(({"site": {"unseen_share": s}}, "a number between 0 and 1") for s in (0, 1, -0.1, 2, "much", True, np.nan)),
        ({"y": {"unseen_share": 0.1}}, "only levels can be unseen"),
        ({"site": {"unseen_share": 0.1, "level_policy": "drop"}}, "a level that no row has is rare"),
    ],
)
def test_shares_that_cannot_be_are_refused(frame: pd.DataFrame, facts: dict, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        schema_of(frame, **facts)


def test_another_kind_with_levels_keeps_the_share(frame: pd.DataFrame) -> None:
    schema = schema_of(frame, **SHARES)
    assert schema.update(grade="categorical")["grade"].unseen_share == 0.02
    assert schema.update(grade="count")["grade"].unseen_share is None


def test_each_unseen_level_takes_its_part_in_every_column_by_itself() -> None:
    schema = bs.Schema(
        [
            bs.Column("a", "ordinal", levels=(1, 2, 3, 4, 5), unseen_share=0.5),
            bs.Column("b", "categorical", levels=("x", "y", "z"), unseen_share=0.5),
        ]
    )
    n, seen = 9000, {"a": (2,), "b": ("x", "z")}
    drawn = {"a": np.zeros(n), "b": np.r_[np.full(3000, np.nan), np.ones(6000)]}
    known = np.arange(n) < 4000
    columns, levels = with_unseen(schema, drawn, seen, {"b": known}, np.random.default_rng(1))
    assert levels == {"a": (2, 1, 3, 4, 5), "b": ("x", "z", "y")}
    counts = np.bincount(columns["a"].astype(int), minlength=5)
    assert stats.chisquare(counts, n * np.array([0.5, *[0.125] * 4])).pvalue > 1e-3
    assert np.isnan(columns["b"][:3000]).all()
    assert (columns["b"][3000:4000] == 1).all()
    assert shares_agree(columns["b"][4000:] == 2, 0.5)
    together = pd.crosstab(columns["a"][4000:] > 0, columns["b"][4000:] == 2)
    assert stats.chi2_contingency(together).pvalue > 1e-3
    alone, _ = with_unseen(schema, {"b": drawn["b"]}, seen, {"b": known}, np.random.default_rng(1))
    np.testing.assert_array_equal(alone["b"], columns["b"])

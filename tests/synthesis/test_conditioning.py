"""Conditions in a user's words: rows meet them, agree with rejection, and what cannot be is refused with a remedy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesynth as bs
from bayesynth.errors import InputError
from bayesynth.synthesis.accepting import TooFewAcceptedError, draw_accepted

SMALL = bs.StructureOptions(graphs=4)


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    """Dates, durations, nullable types, a constant, an all-blank column, an index of its own."""
    rng = np.random.default_rng(5)
    n = 160
    days = rng.integers(0, 900, n)
    stay = 2 + rng.poisson(3 + days / 300)
    return pd.DataFrame(
        {
            "id": [f"p{i:03d}" for i in range(n)],
            "seen": pd.Timestamp("2021-03-01", tz="Europe/Paris") + pd.to_timedelta(days, unit="D"),
            "stay": pd.to_timedelta(stay, unit="D"),
            "visits": pd.array(np.where(rng.random(n) < 0.25, None, rng.poisson(30, n)), dtype="Int64"),
            "ward": pd.Categorical(rng.choice(list("ab"), n), categories=["b", "never", "a"]),
            "grade": pd.Categorical(rng.integers(1, 4, n), categories=[1, 2, 3], ordered=True),
            "dose": rng.normal(50, 9, n),
            "country": "FR",
            "nothing": pd.array([None] * n, dtype="Float64"),
        },
        index=[f"row{i}" for i in range(n)],
    )


@pytest.fixture(scope="module")
def visits_fit(visits: pd.DataFrame, laplace: Callable[..., bs.Fit]) -> bs.Fit:
    return laplace(visits)


def same_law(drawn: pd.DataFrame, reference: pd.DataFrame) -> None:
    """Every column of two independent samples, by chi-square or Kolmogorov-Smirnov; 1 in 10,000 a test."""
    for name in drawn:
        a, b = drawn[name], reference[name]
        assert abs(a.isna().mean() - b.isna().mean()) < 5 * np.sqrt(0.25 / len(a) + 0.25 / len(b)), name
        if isinstance(a.dtype, pd.CategoricalDtype):
            table = pd.DataFrame({"a": a.value_counts(), "b": b.value_counts()}).fillna(0).to_numpy()
            table = table[table.sum(axis=1) >= 10]
            if len(table) > 1:
                assert stats.chi2_contingency(table).pvalue > 1e-4, name
        elif a.notna().any():
            assert stats.ks_2samp(a.dropna().astype(float), b.dropna().astype(float)).pvalue > 1e-4, name


CONDITIONS = {
    "level": {"species": "Gentoo"},
    "number": {"bill_length_mm": bs.between(45, 48)},
    "open end": {"body_mass_g": bs.between(low=5000)},
    "mixed": {"sex": "female", "bill_depth_mm": bs.between(high=16)},
    "set": {"island": bs.isin(["Dream", "Torgersen"]), "species": "Adelie"},
    "blank": {"sex": bs.missing()},
    "observed": {"sex": bs.observed(), "body_mass_g": bs.between(4000, 4500)},
}


def meets(frame: pd.DataFrame, name: str) -> pd.Series:
    checks = {
        "level": lambda t: t.species == "Gentoo",
        "number": lambda t: t.bill_length_mm.between(45, 48),
        "open end": lambda t: t.body_mass_g >= 5000,
        "mixed": lambda t: (t.sex == "female") & (t.bill_depth_mm <= 16),
        "set": lambda t: t.island.isin(["Dream", "Torgersen"]) & (t.species == "Adelie"),
        "blank": lambda t: t.sex.isna(),
        "observed": lambda t: t.sex.notna() & t.body_mass_g.between(4000, 4500),
    }
    return checks[name](frame).fillna(False).astype(bool)


@pytest.fixture(scope="module")
def unconditional(penguins_fit: bs.Fit) -> pd.DataFrame:
    return penguins_fit.sample(60_000, balanced=False, random_seed=11)


@pytest.mark.parametrize("name", CONDITIONS)
def test_rows_agree_with_rejection_from_unconditional_rows(
    penguins_fit: bs.Fit, unconditional: pd.DataFrame, name: str
) -> None:
    found = penguins_fit.sample(1500, given=CONDITIONS[name], random_seed=2)
    assert len(found) == 1500
    assert meets(found, name).all()
    assert (found.dtypes == unconditional.dtypes).all()
    reference = meets(unconditional, name)
    facts = found.attrs["given"]
    error = np.hypot(np.sqrt(reference.mean() / len(reference)), facts["probability_error"])
    assert facts["probability"] == pytest.approx(reference.mean(), abs=5 * error)
    same_law(found, unconditional[reference])


def test_moves_agree_with_rejection_too(
    penguins_fit: bs.Fit, unconditional: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bayesynth.predictive import conditional

    monkeypatch.setattr(conditional, "PILOT", 100)
    monkeypatch.setattr(conditional, "MOST_ROWS", 0)
    monkeypatch.setattr(conditional, "MOST_PER_ROW", 0)
    monkeypatch.setattr(conditional, "POOL", 20_000)
    monkeypatch.setattr(conditional, "POOL_PER_ROW", 4)
    found = penguins_fit.sample(1500, given=CONDITIONS["mixed"], random_seed=2)
    assert found.attrs["given"]["method"] == "resampling and moves"
    assert meets(found, "mixed").all()
    same_law(found, unconditional[meets(unconditional, "mixed")])


def test_without_blanks(penguins_fit: bs.Fit) -> None:
    found = penguins_fit.sample(400, given={"sex": "female"}, blanks=False, random_seed=1)
    assert not found.isna().any(axis=None)
    assert (found.sex == "female").all()
    one = penguins_fit.sample(400, given={"sex": "female"}, draws="each_table", random_seed=1)
    assert (one.sex == "female").all()


def test_dates_durations_and_nullable_types(visits_fit: bs.Fit, visits: pd.DataFrame) -> None:
    given = {
        "seen": bs.between("2022-01-01", pd.Timestamp("2022-12-31", tz="Europe/Paris")),
        "stay": bs.between(high=pd.Timedelta(days=8)),
        "visits": bs.isin([28, 29, 30, 31]),
        "ward": "a",
        "grade": bs.between(2, 3),
        "country": "FR",
        "nothing": bs.missing(),
    }
    found = visits_fit.sample(50, given=given, random_seed=1)
    assert (found.seen.dt.year == 2022).all()
    assert (found.stay <= pd.Timedelta(days=8)).all()
    assert found.visits.isin([28, 29, 30, 31]).all()
    assert set(found.ward) == {"a"}
    assert found.grade.isin([2, 3]).all()
    assert (found.dtypes == visits.dtypes).all()


def test_an_exact_number_stands_for_its_cell(visits_fit: bs.Fit, visits: pd.DataFrame) -> None:
    found = visits_fit.sample(40, given={"dose": 50.0, "visits": 30}, random_seed=1)
    assert (found.dose == 50.0).all()
    assert (found.visits == 30).all()
    assert not visits.dose.eq(50.0).any()


def test_equal_seeds_give_equal_tables(visits_fit: bs.Fit) -> None:
    given = {"visits": bs.missing(), "grade": 2}
    first, second = (visits_fit.sample(30, given=given, random_seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert first.attrs == second.attrs
    third = visits_fit.sample(30, given=given, random_seed=5)
    assert not first.equals(third)


def test_one_row(visits_fit: bs.Fit) -> None:
    assert len(visits_fit.sample(1, given={"ward": "b"}, random_seed=1)) == 1


REFUSED = {
    "no such column": ({"wards": "a"}, "no such column; did you mean 'ward'"),
    "identifier": ({"id": "p001"}, "not modelled"),
    "unknown level": ({"ward": "z"}, "no level"),
    "unseen level": ({"ward": "never"}, "no fitted row"),
    "order of no order": ({"ward": bs.between("a", "b")}, "no order"),
    "crossed": ({"dose": bs.between(60, 40)}, "crossed"),
    "outside": ({"dose": bs.between(low=1000)}, "reach from about"),
    "off the grid": ({"visits": 30.5}, "steps of 1"),
    "no blanks": ({"dose": bs.missing()}, "no blanks"),
    "all blank": ({"nothing": bs.observed()}, "blank in every row"),
    "another constant": ({"country": "DE"}, "no level"),
    "a list": ({"grade": [1, 2]}, "bs.isin for several values, bs.between for a range"),
    "not a number": ({"dose": "high"}, "cannot be read"),
    "a date without a unit": ({"seen": 5}, "cannot be read"),
    "nan": ({"dose": float("nan")}, "bs.missing"),
    "not a mapping": (["dose"], "named by column"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_asked_is_refused_with_a_remedy(visits_fit: bs.Fit, case: str) -> None:
    given, said = REFUSED[case]
    with pytest.raises(InputError, match=said):
        visits_fit.sample(10, given=given, random_seed=1)


def test_all_problems_are_said_at_once_and_no_extreme_value(visits_fit: bs.Fit, visits: pd.DataFrame) -> None:
    with pytest.raises(InputError) as raised:
        visits_fit.sample(10, given={"dose": bs.between(low=1000), "ward": "z", "id": 1}, random_seed=1)
    assert len(raised.value.problems) == 3
    assert str(visits.dose.max()) not in str(raised.value)


def test_blanks_that_contradict_each_other_are_refused(visits_fit: bs.Fit, laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(1)
    both = np.where(rng.random(120) < 0.3, np.nan, 1.0)
    frame = pd.DataFrame({"a": (both * rng.normal(5, 1, 120)).round(1), "b": (both * rng.normal(5, 1, 120)).round(1)})
    with pytest.raises(InputError, match="never blank without the other"):
        laplace(frame).sample(10, given={"a": 5.0, "b": bs.missing()}, random_seed=1)
    with pytest.raises(InputError, match="blanks=False"):
        visits_fit.sample(10, given={"visits": bs.missing()}, blanks=False, random_seed=1)
    with pytest.raises(InputError, match="delta"):
        visits_fit.sample(10, given={"ward": "a"}, blanks=False, delta={"dose": 20.0}, random_seed=1)


@pytest.fixture(scope="module")
def ruled_fit(laplace: Callable[..., bs.Fit]) -> bs.Fit:
    """A sum, an inequality, a structural blank, and a rule that only drawing again can keep."""
    rng = np.random.default_rng(8)
    n = 250
    sex = rng.choice(["f", "m"], n)
    a, b = rng.poisson(20, n), rng.poisson(12, n)
    low = rng.normal(50, 8, n).round(1)
    frame = pd.DataFrame(
        {
            "sex": sex,
            "a": a,
            "b": b,
            "total": a + b,
            "low": low,
            "high": (low + rng.gamma(3, 4, n)).round(1),
            "births": np.where(sex == "m", np.nan, rng.poisson(2, n)),
        }
    )
    frame = frame[(frame.a + frame.low) % 10 < 9].reset_index(drop=True)
    rules = [
        bs.Derived("total", "a + b"),
        bs.Inequality("low", "high"),
        bs.BlankWhen("births", "sex == 'm'"),
        bs.Predicate("(a + low) % 10 < 9"),
        bs.Range("a", 0, 60),
    ]
    return laplace(frame, rules=rules)


@pytest.mark.parametrize(
    "given",
    [
        {"total": bs.between(low=35)},
        {"high": bs.between(60, 70), "sex": "f"},
        {"births": bs.missing(), "a": bs.between(low=20)},
        {"births": bs.isin([1, 2])},
    ],
    ids=str,
)
def test_conditions_hold_beside_rules(ruled_fit: bs.Fit, given: dict[str, object]) -> None:
    found = ruled_fit.sample(100, given=given, random_seed=1)
    assert len(found) == 100
    assert (found.total == found.a + found.b).all()
    assert (found.low <= found.high).all()
    assert found.births.isna().equals(found.sex == "m")
    assert ((found.a + found.low) % 10 < 9 + 1e-9).all()
    checks = {
        "total": lambda t: t.total >= 35,
        "high": lambda t: t.high.between(60, 70),
        "sex": lambda t: t.sex == "f",
        "a": lambda t: t.a >= 20,
    }
    births = found.births.isna() if given.get("births") == bs.missing() else found.births.isin([1, 2])
    for name in given:
        assert (checks[name](found) if name in checks else births).all(), name


def test_facts_are_of_all_conditions_and_all_draws(ruled_fit: bs.Fit) -> None:
    given = {"total": bs.between(low=40), "sex": "f"}
    drawn = ruled_fit.sample(20_000, balanced=False, random_seed=3)
    share = ((drawn.total >= 40) & (drawn.sex == "f")).mean()
    facts = ruled_fit.sample(150, given=given, random_seed=1).attrs["given"]
    assert facts["effective_sample_size"] == 150
    assert facts["probability"] == pytest.approx(share, abs=5 * facts["probability_error"] + 0.015)
    assert 0 < facts["accepted_by_outer_conditions"] < 1
    assert facts["probability_error"] > 0


def test_a_column_that_a_rule_only_bounds_is_conditioned_in_the_model(ruled_fit: bs.Fit) -> None:
    found = ruled_fit.sample(100, given={"a": bs.between(low=30)}, random_seed=1)
    assert found.a.ge(30).all()
    assert found.attrs["given"]["accepted_by_outer_conditions"] == 1.0


def test_rows_are_completed_beside_rules(ruled_fit: bs.Fit) -> None:
    rows = pd.DataFrame({"sex": ["f", "m"] * 20, "a": [20] * 40})
    found = ruled_fit.complete(rows, 1, random_seed=1)[0]
    assert (found.total == found.a + found.b).all()
    assert found.births.isna().equals(found.sex == "m")
    with pytest.raises(InputError, match="a rule makes it"):
        ruled_fit.probability({"total": 30})


def test_a_vanishing_condition_on_a_made_column_is_refused(ruled_fit: bs.Fit) -> None:
    with pytest.raises(InputError, match=r"rules make these columns, and 0 of 20,000 drawn rows"):
        ruled_fit.sample(5, given={"total": bs.between(low=500), "sex": "f"}, random_seed=1)


def test_a_vanishing_condition_is_refused_with_the_one_to_drop(laplace: Callable[..., bs.Fit]) -> None:
    x = np.linspace(0, 1, 300).round(3)
    frame = pd.DataFrame({"x": x, "y": (x * 100 + np.sin(40 * x)).round(1), "z": np.arange(300) % 2})
    fit = laplace(frame)
    with pytest.raises(InputError, match=r"drop or widen the condition on '[xy]': without it the probability is 0\.\d"):
        fit.sample(10, given={"x": bs.between(high=0.05), "y": bs.between(low=95), "z": 1}, random_seed=1)


def test_probability_is_that_of_unconditional_rows(penguins_fit: bs.Fit, unconditional: pd.DataFrame) -> None:
    found = penguins_fit.probability(CONDITIONS["mixed"], random_seed=3)
    share = meets(unconditional, "mixed").mean()
    assert float(found) == pytest.approx(share, abs=5 * np.hypot(found.monte_carlo_error, 0.0018))
    assert 0 < found.lower < found.estimate < found.upper < 1
    assert "Monte Carlo" in str(found)
    assert found == penguins_fit.probability(CONDITIONS["mixed"], random_seed=3)


def test_the_interval_of_a_share_is_that_of_a_proportion(laplace: Callable[..., bs.Fit]) -> None:
    """One column without parents: the posterior of its share is known, and simulation must not widen it."""
    fit = laplace(pd.DataFrame({"a": ["x"] * 60 + ["y"] * 140}))
    found = fit.probability({"a": "x"}, draws=400, random_seed=1)
    lower, upper = stats.beta(60.5, 140.5).ppf([0.025, 0.975])
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=0.015)


def test_conditional_summaries_are_those_of_rows(penguins_fit: bs.Fit, unconditional: pd.DataFrame) -> None:
    rows = unconditional[meets(unconditional, "mixed")]
    found = penguins_fit.conditional("body_mass_g", CONDITIONS["mixed"], random_seed=3)
    assert list(found.index) == ["mean", "5%", "25%", "50%", "75%", "95%", "P(blank)"]
    mass = rows.body_mass_g.astype(float)
    assert found.loc["mean", "estimate"] == pytest.approx(mass.mean(), abs=60)
    assert found.loc["50%", "estimate"] == pytest.approx(mass.median(), abs=100)
    assert (found.lower <= found.estimate).all()
    assert (found.estimate <= found.upper).all()
    levels = penguins_fit.conditional("species", CONDITIONS["mixed"], random_seed=3)
    assert levels.estimate.sum() == pytest.approx(1.0)
    assert levels.loc["P(Gentoo)", "estimate"] == pytest.approx((rows.species == "Gentoo").mean(), abs=0.05)


def test_summaries_of_dates_are_dates(visits_fit: bs.Fit) -> None:
    found = visits_fit.conditional("seen", {"grade": 1}, random_seed=1)
    assert pd.Timestamp("2021-03-01", tz="Europe/Paris") < found.loc["50%", "estimate"] < found.loc["95%", "estimate"]
    assert len(visits_fit.conditional("stay", random_seed=1)) == 6
    with pytest.raises(InputError, match="no column of the model"):
        visits_fit.conditional("country")


def test_an_intervention_moves_what_comes_after_and_not_what_came_before(laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(1)
    n = 600
    cause = rng.random(n) < 0.5
    dose = np.where(rng.random(n) < np.where(cause, 0.85, 0.15), "high", "low")
    effect = (dose == "high") * 2.0 + cause * 1.0 + rng.standard_normal(n)
    frame = pd.DataFrame({"cause": np.where(cause, "yes", "no"), "dose": dose, "effect": effect.round(2)})
    fit = laplace(frame, knowledge=bs.Knowledge(tiers=[["cause"], ["dose"], ["effect"]]))
    n = 8000
    done, seen = fit.intervene({"dose": "high"}, n, random_seed=1), fit.sample(n, given={"dose": "high"}, random_seed=1)
    assert set(done.dose) == {"high"}
    assert (done.cause == "yes").mean() == pytest.approx(0.5, abs=0.05)  # its cause is as it was
    assert (seen.cause == "yes").mean() > 0.75  # who is seen with it differs
    assert done.effect.mean() == pytest.approx(2.5, abs=0.2)  # the adjusted mean, 2 + 0.5
    assert seen.effect.mean() == pytest.approx(2.85, abs=0.2)
    facts = done.attrs["intervention"]
    assert facts["edges_cut"]["dose"] == {"cause": 1.0}
    assert "equivalence class" in facts["caveat"]
    with pytest.raises(InputError, match="one value"):
        fit.intervene({"effect": bs.between(1, 2)})
    with pytest.raises(InputError, match="by name"):
        fit.intervene({})


def test_an_intervention_on_a_column_with_blanks_is_known_everywhere(visits_fit: bs.Fit) -> None:
    found = visits_fit.intervene({"visits": 30, "dose": 51.5}, 200, random_seed=1)
    assert (found.visits == 30).all()
    assert (found.dose == 51.5).all()
    pd.testing.assert_frame_equal(found, visits_fit.intervene({"visits": 30, "dose": 51.5}, 200, random_seed=1))


def test_a_saved_fit_conditions_alike(visits_fit: bs.Fit, tmp_path: object) -> None:
    loaded = bs.load(visits_fit.save(tmp_path / "v.bayesynth"))
    given = {"grade": 2, "dose": bs.between(40, 50)}
    pd.testing.assert_frame_equal(
        visits_fit.sample(20, given=given, random_seed=1), loaded.sample(20, given=given, random_seed=1)
    )


def test_rows_are_accepted_within_a_budget() -> None:
    def draw(rows: int, rng: np.random.Generator) -> pd.DataFrame:
        return pd.DataFrame({"x": rng.random(rows)})

    rng = np.random.default_rng(1)
    found, rate = draw_accepted(draw, 500, lambda t: t["x"] < 0.2, rng)
    assert len(found) == 500
    assert (found["x"] < 0.2).all()
    assert rate == pytest.approx(0.2, abs=0.05)
    with pytest.raises(TooFewAcceptedError) as raised:
        draw_accepted(draw, 5, lambda t: t["x"] < -1, rng, most=1000)
    assert (raised.value.kept, raised.value.tried) == (0, 1000)

"""Analyses of several tables and of the posterior itself: the same question, the right rule, the same answer."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import bayesynth as bs
from bayesynth.diagnostics.estimates import run
from bayesynth.errors import InferenceWarning, InputError
from bayesynth.synthesis.drawing import rows_of_a_draw

N = 300


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    age = np.round(rng.normal(60, 10, N), 1)
    treated = rng.random(N) < 0.5
    marker = 0.04 * age + 0.6 * treated + rng.standard_normal(N)
    sick = rng.random(N) < 1 / (1 + np.exp(-(marker - 3)))
    frame = pd.DataFrame({"age": age, "treated": treated, "marker": np.round(marker, 2), "sick": sick.astype(int)})
    frame["late"] = np.where(rng.random(N) < 0.3, np.nan, np.round(marker + rng.standard_normal(N), 2))
    return frame


@pytest.fixture(scope="module")
def fit(real: pd.DataFrame, laplace: Callable[..., bs.Fit]) -> bs.Fit:
    return laplace(real)


@pytest.fixture(scope="module")
def tables(fit: bs.Fit) -> bs.SyntheticTables:
    return fit.sample_tables(20, random_seed=1)


def line(table: pd.DataFrame) -> object:
    return smf.ols("marker ~ age + treated", table).fit()


def mean_of(column: str) -> Callable[[pd.DataFrame], tuple[float, float]]:
    return lambda t: (t[column].mean(), t[column].var() / t[column].count())


# --- several tables ----------------------------------------------------------------------------------------------


def test_pooling_is_running_and_combining(tables: bs.SyntheticTables) -> None:
    columns = ["marker", "age", "treated"]
    pooled = tables.estimate(line, columns=columns)
    by_hand = bs.combine([line(t) for t in tables], provenance=tables.provenance, columns=columns)
    pd.testing.assert_frame_equal(pooled.to_frame(), by_hand.to_frame())
    assert pooled.kind == "ppd_hybrid"
    values = np.array([line(t).params for t in tables])
    np.testing.assert_allclose(pooled.estimate, values.mean(axis=0))
    np.testing.assert_allclose(pooled.to_frame()["between"], values.var(axis=0, ddof=1))
    np.testing.assert_allclose(np.diag(pooled.covariance()), pooled.se**2)


def test_pooled_estimates_agree_with_the_real_analysis(tables: bs.SyntheticTables, real: pd.DataFrame) -> None:
    pooled, alone = tables.estimate(line, columns=["marker", "age", "treated"]), line(real)
    names = ["age", "treated[T.True]"]
    assert (np.abs(pooled.estimate[names] - alone.params[names]) < 1.5 * alone.bse[names]).all()
    ratio = pooled.se[names] / alone.bse[names]
    assert ratio.between(0.95, 1.3).all()
    expected = tables.estimate(line, columns=["marker", "age", "treated"], target="real_data")
    assert (expected.se[names] / alone.bse[names]).between(0.85, 1.15).all()
    assert (expected.se[names] < pooled.se[names]).all()


# What the rule warns of may come to pass, by the draws of 20 small tables: a variance that is mere noise.
@pytest.mark.filterwarnings("ignore::bayesynth.errors.VarianceWarning")
def test_blanks_in_the_real_table_change_the_rule(tables: bs.SyntheticTables, fit: bs.Fit) -> None:
    assert tables.provenance.incomplete() == ("late",)
    with pytest.warns(InferenceWarning, match="several times too wide"):
        assert tables.estimate(mean_of("late")).kind == "fully"
    large = fit.sample_tables(20, 5 * N, random_seed=2)
    pooled = large.estimate(mean_of("late"), columns=["late"])
    assert pooled.kind == "fully"
    assert "late had blanks" in pooled.why
    complete = large.estimate(mean_of("age"), columns=["age"])
    assert complete.kind == "ppd_hybrid"


def test_the_provenance_says_how_the_tables_came_about(
    tables: bs.SyntheticTables, real: pd.DataFrame, laplace: Callable[..., bs.Fit]
) -> None:
    p = tables.provenance
    assert (p.n_real, p.n_synthetic, p.m, p.draws, p.synthesis) == (N, N, 20, "each_table", "fully")
    assert p.blank_shares == {name: real[name].isna().mean() for name in real}
    assert not p.graph_drawn
    given = bs.Knowledge(graph=nx.DiGraph([("age", "marker")]))
    names = ["age", "marker"]
    known = laplace(real[names], structure="posterior", knowledge=given).sample_tables(1, 5, random_seed=1).provenance
    assert not known.graph_drawn
    drawn = laplace(real[names], structure="bootstrap").sample_tables(1, 5, random_seed=1).provenance
    assert drawn.graph_drawn


def test_columns_that_are_never_learned_are_no_part_of_the_provenance(laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"id": [f"p{i:05d}" for i in range(60)], "x": rng.standard_normal(60), "gone": np.nan})
    p = laplace(frame).sample_tables(2, 10, random_seed=1).provenance
    assert set(p.blank_shares) == {"x", "gone"}
    assert p.incomplete() == ()


# --- the posterior itself ----------------------------------------------------------------------------------------


def test_the_posterior_answers_like_many_large_tables(fit: bs.Fit, real: pd.DataFrame) -> None:
    direct = fit.estimate(line, draws=120, n=4 * N, random_seed=1, progress=False)
    pooled = fit.sample_tables(40, 4 * N, random_seed=2).estimate(line, columns=["marker", "age", "treated"])
    assert (direct.kind, direct.m, direct.n_synthetic) == ("functional", 120, 4 * N)
    assert (np.abs(direct.estimate - pooled.estimate) < 0.5 * pooled.se).all()
    ratio = direct.se / pooled.se
    assert ratio.between(0.7, 1.25).all()  # the prior shrinks the effect, which only the posterior knows
    ends = direct.interval
    np.testing.assert_allclose((ends["upper"] - ends["lower"]) / direct.se, 3.92, rtol=0.15)
    mean = fit.estimate(mean_of("age"), draws=120, n=4 * N, random_seed=1, progress=False)
    assert mean.se.iloc[0] == pytest.approx(real["age"].std() / np.sqrt(N), rel=0.25)


def test_blanks_widen_what_the_posterior_says(fit: bs.Fit, real: pd.DataFrame) -> None:
    late = fit.estimate(mean_of("late"), draws=120, n=4 * N, random_seed=1, progress=False)
    seen = real["late"].dropna()
    assert late.se.iloc[0] == pytest.approx(seen.std() / np.sqrt(len(seen)), rel=0.25)
    assert late.se.iloc[0] > 1.05 * seen.std() / np.sqrt(N)
    filled = fit.estimate(mean_of("late"), draws=40, n=N, blanks=False, random_seed=1, progress=False)
    assert any("values that were blank follow" in a for a in filled.assumptions)
    shift = fit.estimate(
        mean_of("late"), draws=40, n=N, blanks=False, delta={"late": 10.0}, random_seed=1, progress=False
    )
    assert shift.estimate.iloc[0] - filled.estimate.iloc[0] == pytest.approx(10 * real["late"].isna().mean(), abs=0.3)


def test_equal_seeds_give_equal_estimates(fit: bs.Fit) -> None:
    first, again, other = (
        fit.estimate(mean_of("age"), draws=39, n=50, random_seed=seed, progress=False).to_frame() for seed in (3, 3, 4)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_estimates_without_variances_are_welcome_there(fit: bs.Fit) -> None:
    median = fit.estimate(lambda t: t[["age", "marker"]].median(), draws=39, n=200, random_seed=1, progress=False)
    assert list(median.se.index) == ["age", "marker"]
    assert median.formula == "b"
    assert median.to_frame()["within"].isna().all()
    assert (median.se > 0).all()


WRONG = [
    ({"draws": 38}, "at least 39"),
    ({"draws": 0}, "draws=0"),
    ({"draws": 40.5}, "draws=40.5"),
    ({"level": 0.99, "draws": 198}, "at least 199"),
    ({"level": 1.0}, "probability"),
    ({"n": 0}, "n=0"),
    ({"delta": {"age": 1.0}}, "blanks=True"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_options_are_refused(fit: bs.Fit, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit.estimate(mean_of("age"), progress=False, **options)


def test_a_failing_analysis_names_its_draw(fit: bs.Fit) -> None:
    with pytest.raises(InputError, match=r"table 1 of 39: KeyError"):
        fit.estimate(mean_of("nothing"), draws=39, n=10, random_seed=1, progress=False)


def test_large_tables_get_fewer_simulated_rows_for_each_real_one() -> None:
    assert [rows_of_a_draw(n) for n in (1, 400, 2000, 5000, 50_000)] == [10, 4000, 20_000, 20_000, 100_000]


def test_tables_are_copied_for_the_analysis(tables: bs.SyntheticTables) -> None:
    before = [t.copy() for t in tables]
    run(lambda t: (t.pop("age").mean(), 1.0), tables, len(tables))
    for one, other in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_card_tells_of_blanks_and_graphs(tables: bs.SyntheticTables) -> None:
    card = tables._repr_html_()
    assert "greedy search; the same for all tables" in card
    assert "reproduced" in card

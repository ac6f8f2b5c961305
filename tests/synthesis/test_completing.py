"""Completed tables: known cells stay, unknown ones follow the model given them, and pooling is Rubin's rule."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesynth as bs
from bayesynth._progress import Progress
from bayesynth.errors import DataWarning, InputError


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """A number that follows another and a level, with blanks that depend on the level; a date; an identifier."""
    rng = np.random.default_rng(2)
    n = 300
    x = rng.standard_normal(n)
    group = np.where(rng.random(n) < stats.norm.cdf(x), "b", "a")
    y = 10 + 2 * x + 3 * (group == "b") + rng.standard_normal(n)
    return pd.DataFrame(
        {
            "id": np.arange(1000, 1000 + n),
            "x": x.round(2),
            "group": pd.Categorical(np.where(rng.random(n) < 0.2, None, group)),
            "y": np.where(rng.random(n) < np.where(group == "b", 0.5, 0.2), np.nan, y.round(2)),
            "count": pd.array(np.where(rng.random(n) < 0.1, None, rng.poisson(np.exp(1 + 0.3 * x))), dtype="Int64"),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
            "nothing": np.nan,
        },
        index=pd.Index([f"r{i}" for i in range(n)], name="who"),
    )


@pytest.fixture(scope="module")
def fit(table: pd.DataFrame, laplace: Callable[..., bs.Fit]) -> bs.Fit:
    return laplace(table)


def test_known_cells_come_back_exactly(fit: bs.Fit, table: pd.DataFrame) -> None:
    before = table.copy()
    completed = fit.complete(table, 2, random_seed=1)
    pd.testing.assert_frame_equal(table, before)
    assert len(completed) == 2
    for one in completed:
        assert list(one.columns) == list(table.columns)
        assert (one.dtypes == table.dtypes).all()
        pd.testing.assert_index_equal(one.index, table.index)
        assert not one.drop(columns="nothing").isna().any(axis=None)
        assert one["nothing"].isna().all()
        for name in table:
            known = table[name].notna()
            pd.testing.assert_series_equal(one.loc[known, name], table.loc[known, name])
    first, second = completed
    blank = table["y"].isna()
    assert not first.loc[blank, "y"].equals(second.loc[blank, "y"])
    assert "completed tables of 300 rows" in repr(completed)


def test_progress_is_one_bar_that_fills_or_silence(
    fit: bs.Fit, table: pd.DataFrame, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit.complete(table, 1, random_seed=3, progress=False)
    fit.sample(given=table, random_seed=3)
    assert capfd.readouterr().err == ""
    fit.complete(table, 1, random_seed=3)
    assert "drawing blank cells" in capfd.readouterr().err
    some = table.head(50)
    with_blanks = int(some.drop(columns="nothing").isna().any(axis=1).sum())
    for frame, rows_swept in ((table, len(table) * (30 + 10 * 6)), (some, with_blanks * 30)):
        told: list[float] = []
        monkeypatch.setattr(Progress, "advance", lambda self, weight, told=told: told.append(weight))
        fit.complete(frame, 3, random_seed=3)
        assert sum(told) == 3 * rows_swept


def test_equal_seeds_give_equal_tables(fit: bs.Fit, table: pd.DataFrame) -> None:
    first, second = (fit.complete(table, 2, random_seed=3) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(a, b)
    pd.testing.assert_frame_equal(fit.sample(given=table, random_seed=3), fit.complete(table, 1, random_seed=3)[0])


def test_unknown_cells_follow_both_their_causes_and_what_they_cause(fit: bs.Fit, table: pd.DataFrame) -> None:
    """A blank group is told by x and by y: compared with the exact posterior of the simulation."""
    rows = pd.DataFrame({"x": np.repeat([0.0], 400), "y": np.repeat([8.5, 14.5], 200)})
    completed = fit.complete(rows, 4, random_seed=1)
    low, high = np.mean([one["group"].eq("b").to_numpy().reshape(2, 200).mean(axis=1) for one in completed], axis=0)
    exact = [stats.norm.pdf(y - 13) / (stats.norm.pdf(y - 13) + stats.norm.pdf(y - 10)) for y in (8.5, 14.5)]
    assert (low, high) == pytest.approx(exact, abs=0.12)
    wanted = pd.DataFrame({"x": np.zeros(800), "group": np.repeat(["a", "b"], 400)})
    completed = fit.complete(wanted, 4, random_seed=2)
    means = np.mean([one["y"].to_numpy().reshape(2, 400).mean(axis=1) for one in completed], axis=0)
    assert means == pytest.approx([10.0, 13.0], abs=0.5)


def test_a_parent_is_drawn_given_its_child(fit: bs.Fit) -> None:
    """E(x | y) of the simulation, against x filled in where y alone is known."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal(400_000)
    b = rng.random(len(x)) < stats.norm.cdf(x)
    y = 10 + 2 * x + 3 * b + rng.standard_normal(len(x))
    for at in (8.0, 14.0):
        near = np.abs(y - at) < 0.1
        filled = fit.complete(pd.DataFrame({"y": np.full(600, at)}), 3, random_seed=1)
        assert np.mean([one["x"].mean() for one in filled]) == pytest.approx(x[near].mean(), abs=0.2)
        assert np.mean([one["x"].std() for one in filled]) == pytest.approx(x[near].std(), abs=0.15)


def test_columns_that_the_frame_lacks_are_drawn(fit: bs.Fit) -> None:
    found = fit.complete(pd.DataFrame({"x": [0.5], "count": pd.array([None], dtype="Int64")}), 1, random_seed=1)[0]
    assert list(found.columns) == ["x", "group", "y", "count", "day", "nothing"]
    assert found.loc[0, "x"] == 0.5
    assert found[["group", "y", "count", "day"]].notna().all(axis=None)


def test_a_complete_frame_comes_back_as_it_is(fit: bs.Fit, table: pd.DataFrame) -> None:
    whole = table.dropna(subset=["group", "y", "count"])
    for one in fit.complete(whole, 2, random_seed=1):
        pd.testing.assert_frame_equal(one, whole)


def test_a_number_beyond_the_learned_range_is_kept(fit: bs.Fit) -> None:
    found = fit.complete(pd.DataFrame({"x": [1e6, -1e6, 0.123456]}), 1, random_seed=1)[0]
    assert found["x"].tolist() == [1e6, -1e6, 0.123456]
    assert found["y"].iloc[0] > found["y"].iloc[1]


def test_what_cannot_be_completed_is_refused(fit: bs.Fit, table: pd.DataFrame) -> None:
    for frame, said in (
        (pd.DataFrame({"group": ["z"]}), "group"),
        (pd.DataFrame({"other": [1], "x": [0.0]}), "does not know it"),
        (table.iloc[:0], "no rows"),
        ({"x": [1.0]}, "DataFrame"),
    ):
        with pytest.raises(InputError, match=said):
            fit.complete(frame, 2, random_seed=1)
    with pytest.raises(InputError, match="m=0"):
        fit.complete(table, 0)
    with pytest.raises(InputError, match="how many rows"):
        fit.sample(5, given=table)


def test_pooling_is_rubins_rule(fit: bs.Fit, table: pd.DataFrame) -> None:
    completed = fit.complete(table, 5, random_seed=1)

    def mean(frame: pd.DataFrame) -> tuple[float, float]:
        return frame["y"].mean(), frame["y"].var() / len(frame)

    pooled = completed.estimate(mean, df_complete=299)
    q, u = np.array([mean(one) for one in completed]).T
    total = u.mean() + 1.2 * q.var(ddof=1)
    assert pooled.kind == "imputation"
    assert pooled.estimate.iloc[0] == pytest.approx(q.mean())
    assert pooled.se.iloc[0] == pytest.approx(np.sqrt(total))
    share = 1.2 * q.var(ddof=1) / total
    observed = 300 / 302 * 299 * (1 - share)
    assert pooled.df.iloc[0] == pytest.approx(1 / (share**2 / 4 + 1 / observed))


def test_a_biased_set_of_blanks_is_mended(fit: bs.Fit, table: pd.DataFrame) -> None:
    """y is blank more often where group is b, which makes it larger: 12.0 in truth, less among the rows seen."""
    found = fit.complete(table, 10, random_seed=2).estimate(lambda t: (t["y"].mean(), t["y"].var() / len(t)))
    truth = 10 + 3 * 0.5
    assert table["y"].mean() < truth - 0.3
    assert abs(found.estimate.iloc[0] - truth) < 3 * found.se.iloc[0]
    assert found.estimate.iloc[0] > table["y"].mean() + 0.1


@pytest.fixture(scope="module")
def ruled(laplace: Callable[..., bs.Fit]) -> tuple[bs.Fit, pd.DataFrame]:
    """A sum, an order, a structural blank and a rule kept by drawing again; 20% of the cells of four columns blank."""
    rng = np.random.default_rng(3)
    n = 240
    group = np.where(rng.random(n) < 0.5, "m", "f")
    low = rng.normal(80, 6, n).round(1)
    low = np.where(group == "m", np.minimum(low, 80.0), low)
    frame = pd.DataFrame({"group": group, "low": low, "high": (low + rng.gamma(3, 4, n)).round(1)})
    frame["a"], frame["b"] = rng.poisson(20, n).astype(float), rng.poisson(9, n).astype(float)
    frame["total"] = frame["a"] + frame["b"]
    frame["births"] = np.where(group == "m", np.nan, rng.poisson(2, n))
    rules = [
        bs.Derived("total", "a + b"),
        bs.Inequality("low", "high"),
        bs.BlankWhen("births", "group == 'm'"),
        bs.Predicate("not (group == 'm' and low > 80)"),
    ]
    return laplace(frame, rules=rules), frame


def test_completed_rows_keep_the_rules(ruled: tuple[bs.Fit, pd.DataFrame]) -> None:
    fit, frame = ruled
    rng = np.random.default_rng(4)
    holes = frame.copy()
    for name in ("group", "low", "high"):
        holes.loc[rng.random(len(frame)) < 0.3, name] = None
    empty = rng.random(len(frame)) < 0.3
    holes.loc[empty, ["a", "total"]] = np.nan
    completed = fit.complete(holes, 3, random_seed=1)
    assert fit.rule_plan.by_rejection
    for one in completed:
        assert set(fit.rule_plan.check(one).values()) == {0}
        assert one.drop(columns="births").notna().all(axis=None)
        pd.testing.assert_series_equal(one["total"], one["a"] + one["b"], check_names=False)
    # a known upper end is no upper end of what is drawn unless rows are drawn again
    assert (holes["low"].isna() & holes["high"].notna()).any()
    assert completed.filled["total"] == empty.sum()
    assert completed.filled["births"] < holes["births"].isna().sum()
    again = fit.complete(holes, 3, random_seed=1)
    for one, other in zip(completed, again, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_rows_that_no_draw_can_mend_are_named(ruled: tuple[bs.Fit, pd.DataFrame]) -> None:
    """A known sum does not tell its blank parts; rows that break a rule as they come are the user's."""
    fit, frame = ruled
    holes = frame.copy()
    holes.loc[:9, ["a", "b"]] = np.nan
    holes.loc[:9, "total"] = 500.0
    with pytest.warns(DataWarning, match=r"20 rows of 2 completed tables break the rule .*total.*computed"):
        completed = fit.complete(holes, 2, random_seed=1)
    assert (completed[0].loc[:9, "total"] == 500.0).all()
    holes = frame.copy()
    holes.loc[0, "total"] += 1
    holes.loc[0, "births"] = np.nan
    completed = fit.complete(holes, 1, random_seed=1)
    assert completed[0].loc[0, "total"] == holes.loc[0, "total"]


def test_each_table_has_a_draw_of_its_own(fit: bs.Fit) -> None:
    """Means of large tables differ by more than their rows explain: parameters differ between tables."""
    rows = pd.DataFrame({"x": np.zeros(1000)})
    tables = fit.complete(rows, 8, random_seed=1)
    between = np.var([one["y"].mean() for one in tables], ddof=1)
    within = np.mean([one["y"].var() / len(one) for one in tables])
    assert between > 3 * within


def test_parameters_of_completed_tables_are_those_of_completed_rows(laplace: Callable[..., bs.Fit]) -> None:
    """Half of the parents is blank: in recorded rows they add to the residual variance of the child, and to a slope."""
    rng = np.random.default_rng(8)
    n = 1500
    x = rng.standard_normal(n)
    z = 0.6 * x + 0.8 * rng.standard_normal(n)
    frame = pd.DataFrame({"x": x, "z": z, "y": 1.5 * x + 0.5 * z + 0.5 * rng.standard_normal(n)}).round(3)
    frame["x"] = frame["x"].mask(rng.random(n) < 0.5)
    graph = nx.DiGraph([("x", "z"), ("x", "y"), ("z", "y")])
    knowledge = bs.Knowledge(graph=graph, forbidden=[("observed(x)", "y"), ("observed(x)", "z")])
    fit = laplace(frame, structure="greedy", knowledge=knowledge)

    def regression(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        design = np.column_stack([np.ones(len(table)), table["x"], table["z"]])
        beta, rest, *_ = np.linalg.lstsq(design, table["y"], rcond=None)
        variance = rest[0] / (len(table) - 3)
        values = np.array([*beta[1:], variance])
        return values, np.array([*(variance * np.diag(np.linalg.inv(design.T @ design))[1:]), 2 * variance**2 / n])

    pooled = fit.complete(frame, 10, random_seed=1).estimate(regression)
    off = (np.asarray(pooled.estimate) - [1.5, 0.5, 0.25]) / np.asarray(pooled.se)
    assert np.abs(off).max() < 3

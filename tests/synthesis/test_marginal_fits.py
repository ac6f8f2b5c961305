"""Fits whose columns have marginals with parameters: what is drawn, told, saved, and what stays as it was."""

from __future__ import annotations

from pathlib import Path

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesynth as bs
from bayesynth.encoding.marginal import EmpiricalMarginal, normal_scores
from bayesynth.encoding.table import CodedSource, encode_table
from bayesynth.errors import InputError
from bayesynth.plots import plot_learned_marginals
from bayesynth.synthesis.coding import encode_frame

N = 300


def table() -> pd.DataFrame:
    """Correlated columns of known laws, one with blanks, under an unusual index and nullable dtypes."""
    rng = np.random.default_rng(11)
    z = rng.multivariate_normal(np.zeros(3), [[1, 0.6, 0.3], [0.6, 1, 0.2], [0.3, 0.2, 1]], N)
    u = stats.norm.cdf(z)
    bili = pd.Series(np.round(stats.gamma(2.0, scale=1.5).ppf(u[:, 0]) + 0.1, 1), dtype="Float64")
    bili[rng.random(N) < 0.2] = pd.NA
    columns = {
        "bili": bili,
        "visits": pd.Series(stats.nbinom(2, 0.25).ppf(u[:, 1]).astype(int), dtype="Int64"),
        "share": np.round(stats.beta(2, 5).ppf(u[:, 2]), 3),
        "seen": pd.Timestamp("2001-05-03") + pd.to_timedelta(rng.normal(900, 200, N).round(), unit="D"),
        "sex": rng.choice(["f", "m"], N),
    }
    return pd.DataFrame(columns).set_index(pd.Index([f"p{i}" for i in range(N)]))


STATED = {
    "bili": {"marginal": "gamma"},
    "visits": {"marginal": "negative_binomial", "kind": "count"},
    "share": {"marginal": "beta", "bounds": (0.0, 1.0)},
    "seen": {"marginal": "normal"},
}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return table()


@pytest.fixture(scope="module")
def schema(frame: pd.DataFrame) -> bs.Schema:
    return bs.Schema.infer(frame).update(**STATED)


@pytest.fixture(scope="module")
def fit(frame: pd.DataFrame, schema: bs.Schema, laplace) -> bs.Fit:
    return laplace(frame, schema=schema)


def test_drawn_columns_have_the_quantiles_and_relations_of_the_table(frame: pd.DataFrame, fit: bs.Fit) -> None:
    drawn = fit.sample(4000, random_seed=1)
    for name in ("bili", "visits", "share"):
        real, made = frame[name].dropna().astype(float), drawn[name].dropna().astype(float)
        assert stats.ks_2samp(real, made).statistic < 0.055 + 0.03, name  # 300 values of a fitted law, rounded
        assert made.min() >= real.min()
        assert made.max() <= real.max()
    assert abs((drawn["seen"] - frame["seen"].mean()).mean()) < pd.Timedelta(40, unit="D")
    rank = {t is frame: t[["bili", "visits"]].astype(float).corr("spearman").iloc[0, 1] for t in (frame, drawn)}
    assert rank[True] == pytest.approx(rank[False], abs=0.12)
    assert drawn.dtypes.astype(str).tolist() == frame.dtypes.astype(str).tolist()


def test_learned_marginals_hold_the_truth(fit: bs.Fit) -> None:
    found = fit.learned_marginals()
    assert set(found["chosen"]) == {"stated"}
    named = found.set_index(["column", "parameter"])
    truth = {("share", "alpha"): 2, ("share", "beta"): 5, ("visits", "mean"): 6, ("visits", "size"): 2}
    for key, value in truth.items():
        row = named.loc[key]
        assert row["lower"] - 0.2 * abs(value) < value < row["upper"] + 0.2 * abs(value), key
        assert row["lower"] < row["value"] < row["upper"]
    assert named.loc[("seen", "mean"), "unit"].startswith("D since ")
    assert found["column"].drop_duplicates().tolist() == ["bili", "visits", "share", "seen"]


def test_convergence_and_posterior_list_marginals(fit: bs.Fit) -> None:
    listed = fit.convergence()
    assert listed.loc["marginal/bili", "kind"] == "gamma"
    assert listed.loc["marginal/bili", "parameters"] == 2
    assert bool(listed.loc["marginal/bili", "trusted"])
    shape = fit.posterior["marginal/bili"]["shape"]
    assert shape.dims == ("chain", "draw")
    assert fit.posterior["marginal/bili"].attrs["distribution"] == "gamma"
    expected = fit.learned_marginals().set_index(["column", "parameter"]).loc[("bili", "shape"), "value"]
    assert float(shape.mean()) == pytest.approx(expected)


def test_a_loaded_fit_draws_and_tells_the_same(fit: bs.Fit, frame: pd.DataFrame, tmp_path: Path) -> None:
    loaded = bs.load(fit.save(tmp_path / "x.bayesynth"))
    pd.testing.assert_frame_equal(loaded.sample(100, random_seed=3), fit.sample(100, random_seed=3))
    pd.testing.assert_frame_equal(loaded.learned_marginals(), fit.learned_marginals())
    assert len(loaded.influence(frame)) == N


def test_the_table_of_the_fit_is_known_again(fit: bs.Fit, frame: pd.DataFrame) -> None:
    assert np.isfinite(fit.influence(frame)["influence"]).all()
    with pytest.raises(InputError, match="not the one that was fitted"):
        fit.influence(frame.assign(share=(1 - frame["share"]).round(3)))


def test_methods_name_the_distributions(fit: bs.Fit, pbc_fit: bs.Fit) -> None:
    text = fit.methods().text
    assert "4 numeric columns had a marginal distribution with parameters" in text
    assert "1 gamma, 1 negative binomial, 1 beta and 1 normal" in text
    assert "Bayesian bootstrap" not in text
    assert "with parameters" not in pbc_fit.methods().text


def test_equal_seeds_give_equal_fits(fit: bs.Fit, frame: pd.DataFrame, schema: bs.Schema, laplace) -> None:
    before = frame.copy()
    again = laplace(frame, schema=schema)
    pd.testing.assert_frame_equal(again.sample(50, random_seed=2), fit.sample(50, random_seed=2))
    pd.testing.assert_frame_equal(frame, before)


def test_nuts_samples_marginals_too(frame: pd.DataFrame, laplace) -> None:
    one = frame[["share"]]
    found = laplace(one, schema=bs.Schema.infer(one).update(share=STATED["share"]), inference="nuts")
    row = found.convergence().loc["marginal/share"]
    assert row["rhat"] <= 1.01
    assert row["ess_bulk"] >= 400
    assert np.isnan(row["pareto_k"])
    assert found.posterior["marginal/share"]["alpha"].shape == (4, 250)


def test_what_a_column_cannot_be_is_refused_by_name(frame: pd.DataFrame) -> None:
    schema = bs.Schema.infer(frame).update(share={"marginal": "beta"}, visits={"marginal": "log_normal"})
    with pytest.raises(InputError) as caught:
        bs.Synthesizer(schema=schema, inference="laplace").fit(frame, random_seed=1, progress=False)
    assert [p.column for p in caught.value.problems] == ["visits", "share"]


def test_tails_are_drawn_only_when_asked_for(frame: pd.DataFrame, laplace) -> None:
    one = frame[["share"]]
    for tails in (False, True):
        facts = {"share": {"marginal": "beta", "bounds": (0.0, 1.0), "tails": tails}}
        drawn = laplace(one, schema=bs.Schema.infer(one).update(**facts)).sample(20_000, random_seed=1)["share"]
        assert bool((drawn > one["share"].max()).any()) == tails
        assert drawn.between(0, 1).all()


@pytest.mark.parametrize("values", [[1.0] * 30, [np.nan] * 30, [1.0, 2.0] * 15])
def test_poor_columns_do_no_harm(values: list[float], laplace) -> None:
    frame = pd.DataFrame({"x": values, "y": np.arange(30.0) % 7})
    facts = {"x": {"kind": "continuous", "marginal": "auto"}, "y": {"kind": "continuous", "marginal": "auto"}}
    drawn = laplace(frame, schema=bs.Schema.infer(frame, **facts)).sample(40, random_seed=1)
    assert drawn["x"].dropna().isin(values).all() or len(set(values)) == 2


def test_empirical_marginals_are_as_they_were(frame: pd.DataFrame) -> None:
    """Scores of a column without parameters are the randomised ranks, on the stream that the column always had."""
    sources = {name: CodedSource(frame[name].to_numpy(float, na_value=np.nan), (), False) for name in ("bili", "share")}
    encoded = encode_table(sources, np.random.default_rng(5))
    for name, stream in zip(sources, np.random.default_rng(5).spawn(2), strict=True):
        seen = ~np.isnan(sources[name].values)
        expected = normal_scores(sources[name].values[seen], stream)
        np.testing.assert_array_equal(encoded.responses[name][seen], expected)
        assert encoded.encoding.nodes[name].marginal.describes(sources[name].values[seen])


def test_a_stated_empirical_marginal_changes_nothing(frame: pd.DataFrame) -> None:
    plain = bs.Schema.infer(frame)

    def never(columns: object) -> dict:
        assert columns == {}
        return {}

    table, _ = encode_frame(frame, plain, np.random.default_rng(1), never)
    assert all(isinstance(n.marginal, EmpiricalMarginal) for n in table.encoding.nodes.values() if n.marginal)


def test_the_plot_shows_every_numeric_column(frame: pd.DataFrame, fit: bs.Fit) -> None:
    axes = plot_learned_marginals(fit)
    assert [ax.get_title(loc="left").split(" (")[0] for ax in axes] == ["bili", "visits", "share", "seen"]
    assert "gamma: shape" in axes[0].texts[0].get_text()
    assert len(plot_learned_marginals(fit, columns="share")) == 1
    with pytest.raises(InputError, match="sex"):
        plot_learned_marginals(fit, columns="sex")
    dates = [mdates.num2date(x).replace(tzinfo=None) for x in axes[3].get_xlim()]
    assert (
        frame["seen"].min() - pd.Timedelta(days=90) < dates[0] < dates[1] < frame["seen"].max() + pd.Timedelta(days=90)
    )
    assert axes[3].get_title(loc="left") == "seen"
    axes[3].figure.canvas.draw()
    assert any(label.get_text().startswith("200") for label in axes[3].get_xticklabels())
    plt.close("all")

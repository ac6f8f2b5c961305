"""SDMetrics-compatible scores: equal to the package's on real and simulated tables, and exact on tiny ones."""

import warnings

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.diagnostics import sdmetrics_scores
from bayesynth.errors import BayesynthWarning, InputError
from bayesynth.schema import Schema


def schema_of(frame: pd.DataFrame) -> Schema:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        return Schema.infer(frame)


def theirs(report: str, real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> object:
    found = getattr(pytest.importorskip("sdmetrics.reports"), report)()  # SDMetrics is not made for pandas 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's and pandas' remarks on what SDMetrics does
        found.generate({"t": real.copy()}, {"t": synthetic.copy()}, schema.to_sdv_metadata("t"), verbose=False)
    return found


def assert_equal(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema) -> None:
    ours = sdmetrics_scores(real, synthetic, schema)
    quality = theirs("QualityReport", real, synthetic, schema)
    diagnostic = theirs("DiagnosticReport", real, synthetic, schema)
    assert ours.quality == pytest.approx(quality.get_score(), abs=1e-9)
    assert ours.diagnostic == pytest.approx(diagnostic.get_score(), abs=1e-9)
    for report, name in ours.properties.index:
        wanted = (quality if report == "quality" else diagnostic).get_properties().set_index("Property")["Score"]
        assert ours.properties.loc[(report, name), "score"] == pytest.approx(wanted[name], abs=1e-9, nan_ok=True)
    shapes = quality.get_details("Column Shapes", "t").set_index("Column")["Score"]
    pd.testing.assert_series_equal(ours.columns.set_index("column")["score"], shapes, check_names=False, atol=1e-9)
    trends = quality.get_details("Column Pair Trends", "t").set_index(["Column 1", "Column 2"])
    mine = ours.pairs.set_index(["first", "second"])
    assert list(mine["metric"]) == list(trends["Metric"])
    np.testing.assert_allclose(mine["score"].astype(float), trends["Score"].astype(float), atol=1e-9)
    assert list(mine["counts"]) == list(trends["Meets Threshold?"].fillna(False))
    validity = diagnostic.get_details("Data Validity", "t").set_index("Column")["Score"]
    pd.testing.assert_series_equal(ours.validity.set_index("column")["score"], validity, check_names=False, atol=1e-9)


@pytest.mark.parametrize("name", ["pbc", "penguins"])
def test_scores_of_our_tables_are_those_of_sdmetrics(laplace, name):
    real = bs.load_dataset(name)
    assert_equal(real, laplace(real).sample(300, random_seed=1), schema_of(real))


def test_scores_of_a_simulated_table_of_all_kinds_are_those_of_sdmetrics():
    rng, n = np.random.default_rng(4), 400
    base = rng.normal(size=n)
    real = pd.DataFrame(
        {
            "who": np.arange(n) + 10_000,
            "x": base,
            "y": np.where(rng.random(n) < 0.2, np.nan, 2 * base + rng.normal(size=n) / 2),
            "n": rng.poisson(np.exp(base / 2)),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta((base * 50).round() + 400, unit="D"),
            "sex": pd.Categorical(np.where(base > 0, "f", "m")),
            "on": rng.random(n) < 0.3,
            "site": np.where(rng.random(n) < 0.1, None, np.array(["a", "b", "c"])[(base > 0.5) * 1 + (base > 1)]),
            "flat": 3.5,
            "empty": np.full(n, np.nan),
        }
    )
    synthetic = real.sample(250, replace=True, random_state=1, ignore_index=True)
    synthetic["x"] = rng.permutation(synthetic["x"].to_numpy()) * 1.1
    synthetic["on"] = rng.random(250) < 0.5
    synthetic.loc[:9, "site"] = "new"
    synthetic.loc[10:12, "site"] = "newer"
    synthetic["n"] = synthetic["n"].astype("int32")
    assert_equal(real, synthetic, schema_of(real))


def test_the_traps_are_there():
    rng = np.random.default_rng(2)
    x = rng.normal(size=500)
    real = pd.DataFrame({"x": x, "g": np.where(x > 0, "a", "b")})
    moved = real.assign(x=real["x"] * 50 + 1000)
    pairs = sdmetrics_scores(real, moved).pairs
    assert pairs["score"].item() == pytest.approx(1.0, abs=0.01)
    wild = real.assign(x=real["x"].where(real.index > 0, 600.0))
    assert sdmetrics_scores(real, wild).pairs["score"].item() < 0.05
    unrelated = pd.DataFrame({"x": x, "y": rng.normal(size=500)})
    related = unrelated.assign(y=x)
    found = sdmetrics_scores(unrelated, related)
    assert not found.pairs["counts"].any()
    assert found.quality == found.properties.loc[("quality", "Column Shapes"), "score"] > 0.9


def test_tiny_tables_by_hand():
    real = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "g": ["a", "a", "b", "b"]})
    drawn = pd.DataFrame({"x": [1.0, 2.0, 2.5, np.nan], "g": ["a", "b", "b", "b"]})
    found = sdmetrics_scores(real, drawn, schema_of(real))
    shapes = found.columns.set_index("column")["score"]
    assert shapes["x"] == pytest.approx(1 - 0.5)
    assert shapes["g"] == pytest.approx(1 - 0.25)
    assert found.properties.loc[("diagnostic", "Data Structure"), "score"] == 1.0
    assert found.validity.set_index("column").loc["x", "score"] == 0.75  # the blank is not allowed
    assert "SDMetrics-compatible" in repr(found)
    assert "SDMetrics-compatible" in found._repr_html_()


def test_odd_tables_are_scored_and_not_changed(small_table):
    wide = pd.concat([small_table.add_suffix(str(i)) for i in range(7)], axis=1)
    wide.index = pd.MultiIndex.from_product([range(len(wide)), ["v"]])
    before = wide.copy()
    found = sdmetrics_scores(wide, wide)
    pd.testing.assert_frame_equal(wide, before)
    assert found.quality == pytest.approx(1.0)
    assert found.diagnostic == 1.0
    one = pd.DataFrame({"x": [1.0], "g": ["a"]})
    assert np.isnan(sdmetrics_scores(one, one).properties.loc[("quality", "Column Pair Trends"), "score"])


@pytest.mark.parametrize(
    ("real", "synthetic", "says"),
    [
        ([1], pd.DataFrame({"x": [1.0]}), "the real table is a list"),
        (pd.DataFrame({"x": []}), pd.DataFrame({"x": [1.0]}), "no rows"),
        (pd.DataFrame({"x": [1.0, 2.5]}), [pd.DataFrame({"x": [1.0]})], "list"),
        (pd.DataFrame({"x": [1.0, 2.5]}), pd.DataFrame({"y": [1.0]}), "lacks x"),
        (pd.DataFrame({"x": [1.0, 2.5, 7.1]}), pd.DataFrame({"x": ["a"]}), "'x' holds"),
    ],
)
def test_what_cannot_be_scored_is_refused(real, synthetic, says):
    with pytest.raises(InputError, match=says):
        sdmetrics_scores(real, synthetic)


def test_it_is_a_public_name():
    assert bs.sdmetrics_scores is sdmetrics_scores

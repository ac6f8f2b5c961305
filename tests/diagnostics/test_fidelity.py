"""Fidelity: exact on tiny tables, near the floor for the law itself, above it for what is broken."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bayesynth.datasets import load_dataset, random_network
from bayesynth.diagnostics import MEASURES, TableReader, fidelity, schema_of
from bayesynth.diagnostics.distances import groups_of, label_patterns, rank_correlations
from bayesynth.errors import InputError
from bayesynth.schema import Column, Schema

COLUMNS = ["median", "lower", "upper", "floor", "floor_lower", "floor_upper", "comparison"]
COLUMNS += ["excess", "excess_lower", "excess_upper"]


@pytest.fixture(scope="module")
def law():
    network = random_network(8, effect=1.0, blanks=0.15, random_seed=3)
    real = network.sample(400, random_seed=1)
    return network, real, schema_of(real, None)


def shuffled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({name: frame[name].sample(frac=1, random_state=rng).to_numpy() for name in frame})


def test_tables_from_the_law_itself_are_within_the_floor(law):
    network, real, schema = law
    fresh = [network.sample(400, random_seed=100 + i) for i in range(20)]
    found = fidelity(real, fresh, schema, random_seed=1)
    assert list(found.index) == list(MEASURES)
    assert list(found) == COLUMNS
    assert ((found["excess_lower"] < 0) & (found["excess_upper"] > 0)).all()
    assert (found["excess"].abs() < found["floor"] / 3).all()
    for lower, middle, upper in (("lower", "median", "upper"), ("floor_lower", "floor", "floor_upper")):
        assert (found[lower] <= found[middle]).all()
        assert (found[middle] <= found[upper]).all()


def test_shuffled_columns_keep_their_margins_and_lose_the_rest(law):
    _, real, schema = law
    rng = np.random.default_rng(5)
    found = fidelity(real, [shuffled(real, rng) for _ in range(5)], schema, random_seed=1)
    assert found.loc["columns", "median"] == 0
    assert found.loc["columns", "excess_lower"] < 0
    assert (found.loc[["pairs", "triples", "association"], "excess_lower"] > 0).all()


def test_blanks_that_come_and_go_together_are_missed_when_they_do_not():
    real = load_dataset("pbc")
    rng = np.random.default_rng(1)
    found = fidelity(real, [shuffled(real, rng) for _ in range(3)], random_seed=1)
    assert found.loc["blank patterns", "excess_lower"] > 0.3


def test_a_copy_has_no_distance_and_less_than_the_floor():
    real = load_dataset("penguins")
    found = fidelity(real, real, random_seed=2)
    assert (found[["median", "lower", "upper"]] == 0).all(axis=None)
    assert (found.loc[["columns", "pairs", "triples"], "excess"] < 0).all()


def test_a_shift_of_one_column_is_seen(law):
    _, real, schema = law
    name = next(c.name for c in schema.columns if c.kind == "continuous")
    moved = real.assign(**{name: real[name] + 2 * real[name].std()})
    found = fidelity(real, moved, schema, random_seed=1)
    assert found.loc["columns", "excess_lower"] > 0
    assert found.loc["association", "median"] == pytest.approx(0, abs=1e-12)  # ranks do not move


def test_figures_of_a_tiny_table_by_hand():
    schema = Schema([Column("a", "binary", levels=("x", "y")), Column("b", "binary", levels=(0, 1))])
    real = pd.DataFrame({"a": list("xxxxyyyy"), "b": [0, 0, 1, 1, 0, 0, 1, 1]})
    synthetic = pd.DataFrame({"a": list("xxyyyyyy"), "b": [0, 0, 0, 0, 1, 1, 1, 1]})
    found = fidelity(real, synthetic, schema, random_seed=1)
    assert list(found.index) == ["columns", "pairs"]  # two columns, no blank, no order
    # a: |4/8 - 2/8| = 1/4, b: 0; cells x0 x1 y0 y1: real 2 2 2 2, synthetic 2 0 2 4, of 8
    assert found["median"].tolist() == [0.125, 0.25]


def test_levels_and_numbers_that_the_real_table_does_not_have_count_as_different():
    schema = Schema([Column("a", "binary", levels=("x", "y")), Column("b", "continuous")])
    real = pd.DataFrame({"a": list("xy") * 10, "b": np.arange(20.0)})
    other = pd.DataFrame({"a": ["z"] * 20, "b": np.full(20, 1e9)})
    found = fidelity(real, other, schema, random_seed=1)
    assert found.loc["columns", "median"] == pytest.approx((1 + 0.8) / 2)


def test_equal_seed_equal_figures_and_no_frame_is_changed():
    real, copy = load_dataset("pbc"), load_dataset("pbc")
    first = fidelity(real, real.head(100), random_seed=4)
    pd.testing.assert_frame_equal(first, fidelity(real, [real.head(100)], random_seed=4))
    assert not first.equals(fidelity(real, real.head(100), random_seed=5))
    pd.testing.assert_frame_equal(real, copy)


def test_every_kind_is_read_and_identifiers_are_not():
    frame = pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(40)],
            "when": pd.date_range("2020-01-01", periods=40).where(np.arange(40) % 7 > 0),
            "long": pd.to_timedelta(np.arange(40) % 11, unit="D"),
            "number": pd.array([None, 1, 2, 3] * 10, dtype="Int64"),
            "flag": pd.array([True, False, None, True] * 10, dtype="boolean"),
            "site": ["a", "b", None, "c"] * 10,
            "always": ["same"] * 40,
        }
    )
    schema = schema_of(frame, None)
    reader = TableReader.of(frame, schema)
    assert reader.names == ("when", "long", "number", "flag", "site")
    codes = reader.codes(frame)
    assert (codes < reader.sizes).all()
    blank = codes == reader.sizes - 1
    np.testing.assert_array_equal(blank, frame[list(reader.names)].isna())
    assert np.bincount(codes[:, 1]).min() >= 4
    assert fidelity(frame, frame, schema, random_seed=1)["median"].eq(0).all()


def test_a_heap_at_either_end_has_a_bin_of_its_own():
    for heap, rest in ((0.0, np.arange(1.0, 11)), (99.0, np.arange(1.0, 11))):
        frame = pd.DataFrame({"x": np.concatenate([np.full(90, heap), rest])})
        codes = TableReader.of(frame, Schema([Column("x", "continuous")])).codes(frame)[:, 0]
        assert len(set(codes[:90])) == 1
        assert not set(codes[:90]) & set(codes[90:])


def test_rank_correlations_agree_with_pandas():
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(60, 4)).round(1)
    scores[:, 1] += scores[:, 0]
    expected = pd.DataFrame(scores).corr(method="spearman").to_numpy()[np.triu_indices(4, 1)]
    np.testing.assert_allclose(rank_correlations(scores), expected, atol=1e-12)
    scores[3:, 2] = np.nan
    scores[:, 3] = 1.0
    found = rank_correlations(scores)
    assert np.isfinite(found[0])
    assert np.isnan(found[1:]).all()


def test_histograms_do_not_depend_on_how_they_are_cut_up(monkeypatch):
    rng = np.random.default_rng(3)
    sizes = np.array([3, 4, 2, 5])
    codes = rng.integers(0, sizes, size=(50, 4))
    groups = groups_of(sizes, 3, None, rng)
    assert groups.members.tolist() == [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    whole = groups.histogram(codes)
    monkeypatch.setattr("bayesynth.diagnostics.distances.CELLS_AT_ONCE", 60)
    np.testing.assert_array_equal(groups.histogram(codes), whole)
    assert whole[: 3 * 4 * 2].reshape(3, 4, 2)[1, 2, 0] == np.mean((codes[:, :3] == [1, 2, 0]).all(axis=1))
    assert len(groups_of(np.full(12, 2), 3, 50, rng).members) == 50


def test_patterns_are_numbered_across_tables():
    first, second = label_patterns([np.eye(3, dtype=bool), np.eye(3, dtype=bool)[[2, 2, 0, 1]]])
    assert len(set(first)) == 3
    assert second.tolist() == first[[2, 2, 0, 1]].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda real: (real, []), "no synthetic table"),
        (lambda real: (real, real.drop(columns="year")), "lacks year"),
        (lambda real: (real.drop(columns="year"), real), "real table lacks year"),
        (lambda real: (real, [real, real.iloc[:0]]), "table 2 has no rows"),
        (lambda real: (real, ["penguins.csv"]), "is a str"),
        (lambda real: (real.to_numpy(), real), "ndarray"),
        (lambda real: (real.head(5), real), "5 rows"),
        (lambda real: (real, real.assign(body_mass_g=["heavy"] * len(real))), "body_mass_g"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    penguins = load_dataset("penguins")
    real, synthetic = change(penguins)
    with pytest.raises(InputError, match=message):
        fidelity(real, synthetic, schema_of(penguins, None), random_seed=1)


@pytest.mark.parametrize("splits", [0, 1.5, True])
def test_splits_must_be_a_whole_number(splits):
    real = load_dataset("penguins")
    with pytest.raises(InputError, match="splits"):
        fidelity(real, real, splits=splits)


def test_no_engine_is_imported():
    code = (
        "import sys, bayesynth.diagnostics\n"
        "engines = {'pymc', 'pytensor', 'nutpie', 'arviz', 'matplotlib', 'networkx', 'bayesynth.families'}\n"
        "sys.exit(', '.join(engines & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

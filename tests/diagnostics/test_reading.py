"""Real and synthetic tables read alike, and what is counted in them: against pandas, SciPy and plain loops."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association

from bayesynth.diagnostics import TableReader, schema_of
from bayesynth.diagnostics.distances import (
    correlation_ratios,
    correlations,
    cramers_v,
    groups_of,
    label_patterns,
)
from bayesynth.diagnostics.setting import Setting, features, features_of, ranks_in
from bayesynth.schema import Column, Schema


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
    reader = TableReader.of(frame, schema_of(frame, None))
    assert reader.names == ("when", "long", "number", "flag", "site")
    codes = reader.codes(frame)
    assert (codes < reader.sizes).all()
    blank = codes == reader.sizes - 1
    np.testing.assert_array_equal(blank, frame[list(reader.names)].isna())
    np.testing.assert_array_equal(np.isnan(reader.values(frame)), blank)
    assert np.bincount(codes[:, 1]).min() >= 4


def test_a_heap_at_either_end_has_a_bin_of_its_own():
    for heap, rest in ((0.0, np.arange(1.0, 11)), (99.0, np.arange(1.0, 11))):
        frame = pd.DataFrame({"x": np.concatenate([np.full(90, heap), rest])})
        codes = TableReader.of(frame, Schema([Column("x", "continuous")])).codes(frame)[:, 0]
        assert len(set(codes[:90])) == 1
        assert not set(codes[:90]) & set(codes[90:])


def test_correlations_agree_with_pandas():
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(60, 4)).round(1) + 1e6
    scores[:, 1] += scores[:, 0]
    scores[rng.random((60, 4)) < 0.2] = np.nan
    np.testing.assert_allclose(correlations(scores), pd.DataFrame(scores).corr().to_numpy(), atol=1e-9)
    scores[3:, 2] = np.nan
    scores[:, 3] = 1.0
    found = correlations(scores)
    assert np.isfinite(found[0, 1])
    assert np.isnan(found[2, :]).all()
    assert (found[3, [0, 1]] == 0).all()


def test_correlation_ratios_are_those_of_an_analysis_of_variance():
    rng = np.random.default_rng(3)
    group, x = rng.integers(0, 3, 50), rng.normal(size=(50, 2))
    x[:, 0] += group
    x[::7, 0] = np.nan
    known = ~np.isnan(x[:, 0])
    values, of = x[known, 0], group[known]
    between = sum((of == g).sum() * (values[of == g].mean() - values.mean()) ** 2 for g in range(3))
    expected = np.sqrt(between / ((values - values.mean()) ** 2).sum())
    level = np.eye(3)[group]
    assert correlation_ratios(x, level)[0] == pytest.approx(expected)
    assert correlation_ratios(np.full((50, 1), 0.1), level) == 0
    assert np.isnan(correlation_ratios(x[:4], level[:4])).all()


def test_cramers_v_agrees_with_scipy():
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 3, 80), rng.integers(0, 4, 80)
    expected = association(pd.crosstab(a, b).to_numpy(), method="cramer")
    assert cramers_v(np.eye(3)[a], np.eye(4)[b]) == pytest.approx(expected)
    assert cramers_v(np.eye(3)[np.zeros(80, int)], np.eye(4)[b]) == 0
    assert np.isnan(cramers_v(np.eye(3)[a[:4]], np.eye(4)[b[:4]]))


def test_counts_do_not_depend_on_how_they_are_cut_up(monkeypatch):
    rng = np.random.default_rng(3)
    sizes = np.array([3, 4, 2, 5])
    codes = rng.integers(0, sizes, size=(50, 4))
    groups = groups_of(sizes, 3)
    assert groups.members.tolist() == [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]
    whole = groups.counts(codes)
    monkeypatch.setattr("bayesynth.diagnostics.distances.CELLS_AT_ONCE", 60)
    np.testing.assert_array_equal(groups.counts(codes), whole)
    assert whole[: 3 * 4 * 2].reshape(3, 4, 2)[1, 2, 0] == (codes[:, :3] == [1, 2, 0]).all(axis=1).sum()


def test_patterns_are_numbered_across_tables():
    first, second = label_patterns([np.eye(3, dtype=bool), np.eye(3, dtype=bool)[[2, 2, 0, 1]]])
    assert len(set(first)) == 3
    assert second.tolist() == first[[2, 2, 0, 1]].tolist()


def test_ranks_are_those_of_the_real_column():
    real = np.array([5.0, 1.0, np.nan, 3.0, 3.0])
    ranks = ranks_in(real, np.array([-9.0, 1.0, 3.0, 4.0, 5.0, 99.0, np.nan]))
    np.testing.assert_array_equal(ranks, [0, 0.125, 0.5, 0.75, 0.875, 1, np.nan])


def test_features_are_ranks_and_levels_and_keep_blanks_apart():
    frame = pd.DataFrame(
        {
            "x": [10.0, 20.0, 30.0, np.nan] * 5,
            "site": ["a", "b", None, "c"] * 5,
            "yes": [True, False] * 10,
        }
    )
    schema = Schema(
        [
            Column("x", "continuous", nullable=True),
            Column("site", "categorical", levels=("a", "b", "c"), nullable=True),
            Column("yes", "binary", levels=(False, True)),
        ]
    )
    setting = Setting.of(frame, frame, schema)
    found = features(setting, setting.real)
    assert features_of(setting.reader).tolist() == [0, 1, 1, 1, 1, 2]
    assert found[3, 0] == -1
    assert found[:3, 0].tolist() == pytest.approx([1 / 6, 1 / 2, 5 / 6])
    np.testing.assert_array_equal(found[:4, 1:5], np.eye(4)[[0, 1, 3, 2]])
    assert found[0, 5] > found[1, 5]

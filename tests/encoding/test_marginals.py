"""The empirical marginal: quantiles invert, atoms and grids survive, nothing lies beyond the extremes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bayesynth.encoding.marginal import EmpiricalMarginal, normal_scores

RNG = np.random.default_rng(1)
SHAPES = {
    "no ties": RNG.standard_normal(300),
    "skewed": np.exp(2 * RNG.standard_normal(300)),
    "counts": RNG.poisson(4, 300).astype(float),
    "many zeros": np.where(RNG.random(300) < 0.4, 0.0, RNG.exponential(5, 300)),
    "heaped": np.where(RNG.random(300) < 0.5, RNG.integers(40, 90, 300) // 10 * 10, RNG.integers(40, 90, 300)).astype(
        float
    ),
    "two values": np.repeat([1.0, 2.0], [100, 200]),
    "beyond 2,048 values": RNG.standard_normal(6000),
    "beyond 2,048 values, with an atom": np.where(RNG.random(8000) < 0.3, 0.0, RNG.exponential(5, 8000)),
}
by_shape = pytest.mark.parametrize("name", SHAPES)


def quantiles(marginal: EmpiricalMarginal, u: np.ndarray) -> np.ndarray:
    return marginal.quantile(u, marginal.typical, np.zeros(len(u), int))


@by_shape
def test_quantiles_rise_and_stay_between_the_extremes(name: str) -> None:
    values = SHAPES[name]
    marginal = EmpiricalMarginal.of(values)
    q = quantiles(marginal, np.linspace(1e-12, 1 - 1e-12, 5001))
    assert (np.diff(q) >= -1e-9).all()
    assert q.min() >= values.min()
    assert q.max() <= values.max()
    assert q[0] == pytest.approx(values.min())
    assert q[-1] == pytest.approx(values.max())


@by_shape
def test_quantiles_invert_the_distribution_function(name: str) -> None:
    values = SHAPES[name]
    marginal = EmpiricalMarginal.of(values)
    u = (np.arange(20_000) + 0.5) / 20_000
    # Drawn evenly, at most one row's worth of mass (or one knot's, of 2,048) ends on the other side of any value.
    slack = 1.01 * max(1 / len(values), 2 / 2048 if "beyond" in name else 0)
    drawn = np.sort(quantiles(marginal, u))
    at = np.unique(values)
    real = np.searchsorted(np.sort(values), at, side="right") / len(values)
    ours = np.searchsorted(drawn, at + 1e-9, side="right") / len(drawn)
    assert np.abs(ours - real).max() <= slack


@pytest.mark.parametrize("name", ["counts", "many zeros", "heaped", "two values", "beyond 2,048 values, with an atom"])
def test_atoms_keep_their_share(name: str) -> None:
    values = SHAPES[name]
    value, count = max(zip(*np.unique(values, return_counts=True), strict=True), key=lambda pair: pair[1])
    u = (np.arange(50_000) + 0.5) / 50_000
    share = (quantiles(EmpiricalMarginal.of(values), u) == value).mean()
    assert count > 10
    # One row's worth of the atom is spread towards its neighbours, and none of theirs falls on it.
    assert share == pytest.approx((count - 1) / len(values), abs=0.002)


@by_shape
def test_draws_follow_the_empirical_law(name: str) -> None:
    """Under one Bayesian bootstrap per row the predictive law is the empirical one."""
    values = SHAPES[name]
    marginal = EmpiricalMarginal.of(values)
    rng = np.random.default_rng(2)
    cumulative = marginal.draw(256, rng)
    drawn = marginal.quantile(rng.random(4000), cumulative, rng.integers(256, size=4000))
    # 4,000 draws have a KS distance of 0.031 in one case of 1,000; interpolation adds one row's worth.
    assert stats.ks_2samp(drawn, values).statistic < 0.032 + 1.63 / np.sqrt(len(values)) * 0.1 + 1 / len(values)


def test_bootstrap_is_a_distribution_function_with_the_right_mean_and_variance() -> None:
    marginal = EmpiricalMarginal.of(SHAPES["counts"])
    n = marginal.counts.sum()
    cumulative = marginal.draw(4000, np.random.default_rng(3))
    assert cumulative.shape == (4000, len(marginal.support))
    assert (np.diff(cumulative, axis=1) >= 0).all()
    assert (cumulative[:, -1] == 1).all()
    p = np.cumsum(marginal.counts) / n
    sd = np.sqrt(p * (1 - p) / (n + 1))  # of a Beta(np, n(1 - p))
    assert np.all(np.abs(cumulative.mean(0) - p) <= 4 * sd / np.sqrt(4000) + 1e-12)
    np.testing.assert_allclose(cumulative.std(0), sd, rtol=0.06, atol=1e-12)  # 4,000 draws know an sd to 1.1%


def test_rows_use_their_own_bootstrap_draw() -> None:
    marginal = EmpiricalMarginal.of(np.array([0.0, 1.0]))
    cumulative = np.array([[0.1, 1.0], [0.9, 1.0]])
    drawn = marginal.quantile(np.array([0.5, 0.5]), cumulative, np.array([0, 1]))
    assert drawn[0] > 0.5 > drawn[1]


def test_scores_are_the_middle_of_each_step() -> None:
    marginal = EmpiricalMarginal.of(np.array([1.0, 1.0, 2.0, 3.0]))
    np.testing.assert_allclose(stats.norm.cdf(marginal.scores(np.array([1.0, 2.0, 3.0]))), [0.25, 0.625, 0.875])
    low, high = marginal.scores(np.array([-9.0, 99.0]))
    assert low == marginal.scores(np.array([1.0]))[0]
    assert high == marginal.scores(np.array([3.0]))[0]


@pytest.mark.parametrize("n", [1, 2, 50])
def test_normal_scores_are_exactly_normal_in_shape(n: int) -> None:
    values = np.random.default_rng(1).poisson(1, n).astype(float)
    scores = normal_scores(values, np.random.default_rng(4))
    np.testing.assert_allclose(np.sort(stats.norm.cdf(scores)), (np.arange(n) + 0.5) / n)
    for low, high in zip(np.unique(values), np.unique(values)[1:], strict=False):
        assert scores[values == low].max() < scores[values == high].min()


def test_ties_are_ordered_at_random_and_by_the_seed() -> None:
    values = np.zeros(100)
    one, same, other = (normal_scores(values, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert abs(np.corrcoef(one, np.arange(100))[0, 1]) < 0.3  # 3 standard errors: no trace of the row order


@by_shape
def test_distribution_function_and_quantiles_undo_each_other(name: str) -> None:
    values = SHAPES[name]
    marginal = EmpiricalMarginal.of(values)
    draws = marginal.draw(3, np.random.default_rng(5))
    u, which = np.tile((np.arange(2000) + 0.5) / 2000, 3), np.repeat([0, 1, 2], 2000)
    below, upto = marginal.cdf(marginal.quantile(u, draws, which), draws, which)
    assert (below <= u + 1e-9).all()
    assert (u <= upto + 1e-9).all()
    atom = marginal.support[np.argmax(marginal.counts)]
    below, upto = (side[0] for side in marginal.cdf(np.array([atom]), draws[:1], np.array([0])))
    drawn = marginal.quantile((np.arange(100_000) + 0.5) / 100_000, draws, np.zeros(100_000, int))
    assert upto - below == pytest.approx((drawn == atom).mean(), abs=2e-5)


def test_distribution_function_beyond_the_extremes() -> None:
    marginal = EmpiricalMarginal.of(np.array([1.0, 1.0, 3.0, 4.0]))
    for values, share in ((np.array([0.5]), 0.0), (np.array([9.0]), 1.0)):
        assert marginal.cdf(values, marginal.typical, np.zeros(1, int)) == ([share], [share])
    below, upto = marginal.cdf(np.array([1.0, 4.0]), marginal.typical, np.zeros(2, int))
    np.testing.assert_allclose(below, [0.0, 0.875])  # half of the last row's worth lies below its value
    np.testing.assert_allclose(upto, [0.375, 1.0])


def test_a_marginal_knows_its_values() -> None:
    values = SHAPES["counts"]
    marginal = EmpiricalMarginal.of(values)
    assert marginal.sd == pytest.approx(values.std())
    assert marginal.describes(values[::-1])
    assert not marginal.describes(values + 1)

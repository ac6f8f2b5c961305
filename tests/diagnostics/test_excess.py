"""Intervals of the excess over the floor: the variance is what many real tables show, whatever they are used for."""

import numpy as np
import pytest

from bayesynth.diagnostics.excess import Sizes, excess_of, mean_of, skewness_of, variance_of

SPLITS = 50


def squared(x, y):
    return ((x - y) ** 2).sum(axis=-1)


def halves(rng, n, b):
    """Shares of n rows in the means of b random ones, shape (splits, n)."""
    return (rng.random((SPLITS, n)).argsort(axis=1) < b) / b


def one_study(rng, n, k, m, shift=0.0, columns=3):
    """Excess and its interval of the squared distance of means, for one real table and m synthetic ones."""
    real, tables = rng.normal(size=(n, columns)), rng.normal(shift, size=(m, k, columns))
    b = min(n // 2, k)
    a, others = n - b, halves(rng, n, b)
    ours = (1 / b - others) * b / a @ real
    split, table = np.divmod(np.arange(SPLITS * m), m)
    drawn = np.stack([halves(rng, k, b) @ tables[t] for t in range(m)], axis=1).reshape(-1, columns)
    floors, comparisons = squared(ours, others @ real), squared(ours[split], drawn)
    sizes = Sizes(a, b, n, n, k, m)
    found = excess_of(floors, comparisons, split, table, sizes)
    return (*(float(x) for x in found), float(np.var(floors, ddof=1)), sizes)


def studies(repeats, seed, **design):
    rng = np.random.default_rng(seed)
    return [one_study(rng, **design) for _ in range(repeats)]


@pytest.mark.parametrize(
    "design",
    [
        {"n": 60, "k": 60, "m": 1},
        {"n": 60, "k": 60, "m": 6},
        {"n": 60, "k": 240, "m": 2},
        {"n": 60, "k": 20, "m": 2},
    ],
)
def test_the_share_of_the_variance_is_that_of_a_quadratic_distance(design):
    found = studies(500, 1, **design)
    excess, _, _, v, (*_, sizes) = (np.array(x, dtype=object) for x in zip(*found, strict=True))
    excess = excess.astype(float)
    over_splits = v.astype(float).mean() / SPLITS * 2  # at most: of floors and of comparisons
    expected = sizes.distance_share * v.astype(float).mean()
    assert abs(excess.mean()) < 4 * excess.std() / np.sqrt(len(found))
    assert 0.75 * expected < excess.var() < 1.25 * (expected + over_splits)


@pytest.mark.parametrize("design", [{"n": 60, "k": 60, "m": 1}, {"n": 60, "k": 60, "m": 6}])
def test_the_lower_end_is_above_0_in_one_of_fifty_at_most(design):
    lower = np.array([found[1] for found in studies(400, 2, **design)])
    assert (lower > 0).mean() <= 0.02


def test_the_interval_covers_an_excess_that_is_there():
    # E of the excess is the squared distance of the laws: 3 columns shifted by 0.5
    found = studies(300, 3, n=60, k=60, m=2, shift=0.5)
    covered = np.mean([lower <= 3 * 0.5**2 <= upper for _, lower, upper, *_ in found])
    assert covered > 0.84
    assert np.mean([lower > 0 for _, lower, *_ in found]) > 0.9


@pytest.mark.parametrize("m", [1, 5])
def test_the_share_of_a_loss_is_that_of_a_product_of_deviations(m):
    rng = np.random.default_rng(4)
    n, b, repeats = 60, 30, 500
    split, table = np.divmod(np.arange(SPLITS * m), m)
    sizes = Sizes(b, b, n, n, n, m)
    found, shown = [], []
    for _ in range(repeats):
        real, tables = rng.normal(size=n), rng.normal(size=(m, n))
        train = halves(rng, n, b)
        tested, floors = (1 / b - train) @ real, train @ real
        drawn = np.stack([halves(rng, n, b) @ tables[t] for t in range(m)], axis=1).ravel()
        floors, comparisons = tested * floors, tested[split] * drawn
        found.append([float(x) for x in excess_of(floors, comparisons, split, table, sizes, is_loss=True)])
        shown.append(variance_of(comparisons - floors[split], table))
    excess, lower, _ = np.array(found).T
    finite = np.var(excess) - sizes.loss_share * np.mean(shown)
    assert abs(finite) < 0.3 * np.var(excess)
    assert np.mean(lower > 0) <= 0.02 + 2 * np.sqrt(0.02 * 0.98 / repeats)


def test_moments_leave_blanks_out_and_count_within_groups():
    values = np.array([[1.0, np.nan], [3.0, 5.0], [10.0, np.nan], [14.0, np.nan]])
    np.testing.assert_array_equal(mean_of(values), [7.0, 5.0])
    np.testing.assert_array_equal(variance_of(values, np.array([0, 0, 1, 1])), [(2 + 8) / 2, 0.0])
    assert np.isnan(mean_of(np.full((3, 1), np.nan)))
    assert skewness_of(np.array([0.0, 0.0, 3.0])) == pytest.approx(np.sqrt(0.5))
    assert skewness_of(np.ones(3)) == 0


def test_many_figures_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(5)
    floors, comparisons = rng.exponential(size=(8, 4)), rng.exponential(size=(16, 4))
    split, table = np.repeat(np.arange(8), 2), np.tile([0, 1], 8)
    sizes = Sizes(20, 20, 40, 40, 40, 2)
    together = excess_of(floors, comparisons, split, table, sizes)
    for i in range(4):
        alone = excess_of(floors[:, i], comparisons[:, i], split, table, sizes)
        np.testing.assert_allclose([x[i] for x in together], alone)


def test_no_spread_gives_an_exact_excess():
    found = excess_of(np.zeros(5), np.full(5, 0.3), np.arange(5), np.zeros(5, int), Sizes(10, 10, 20, 20, 20, 1))
    assert [float(x) for x in found] == pytest.approx([0.3, 0.3, 0.3])

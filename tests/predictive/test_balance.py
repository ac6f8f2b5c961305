"""Rows that are chosen to stand for many."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from bayesynth.predictive.balance import MOST_HALVINGS, TOGETHER, choose_rows, pool_size

SKEWED = {  # 32 rows for 2: a rare level, a blank, a number that leans
    "a": np.array([0.0] * 29 + [1.0, 1.0, 2.0]),
    "b": np.array([0.0, 1.0] * 13 + [1.0] * 4 + [np.nan] * 2),
    "x": np.linspace(0.0, 1.0, 32) ** 3,
}


def pool(n: int, seed: int) -> dict[str, np.ndarray]:
    """Eight related columns of four rows for each one wanted, two of them numbers and one with blanks."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((8, n * pool_size(n))) + rng.standard_normal(n * pool_size(n))
    columns = {f"c{i}": np.digitize(row, (-1.0, 0.5)).astype(float) for i, row in enumerate(z[:6])}
    return columns | {"x": z[6], "y": np.where(z[0] > 1, np.nan, z[7])}


def distance(columns: dict[str, np.ndarray], chosen: np.ndarray) -> float:
    """Total variation between the chosen rows and all of them, over the tables of all pairs of columns."""
    fifths = {k: np.searchsorted(np.nanquantile(v, (0.2, 0.4, 0.6, 0.8)), v) for k, v in columns.items()}
    found = []
    for a, b in combinations(fifths, 2):
        place = np.unique(6 * fifths[a] + fifths[b], return_inverse=True)[1]
        shares = [np.bincount(p, minlength=place.max() + 1) / len(p) for p in (place[chosen], place)]
        found.append(0.5 * np.abs(shares[0] - shares[1]).sum())
    return float(np.mean(found))


def test_every_row_of_the_pool_is_kept_equally_often() -> None:
    """A choice that favoured typical rows would not follow the model: 20,000 choices of 2 in 32, six deviations."""
    rng, times = np.random.default_rng(1), 20_000
    kept = np.bincount(np.concatenate([choose_rows(SKEWED, {"x"}, 2, rng) for _ in range(times)]), minlength=32)
    p = 2 / 32
    assert kept.sum() == 2 * times
    assert np.abs(kept - times * p).max() < 5 * np.sqrt(times * p * (1 - p))


def test_few_rows_hold_every_pair_of_levels_nearly_as_often() -> None:
    """Eight corners of a cube can hold every pair of levels twice; by chance one pair is off by two or more."""
    corners = np.array([[i >> b & 1 for b in range(3)] for i in range(8)], float)
    copies = np.repeat(corners, pool_size(8), axis=0)

    def off(rows: np.ndarray) -> int:
        pairs = [2 * rows[:, a] + rows[:, b] for a, b in combinations(range(3), 2)]
        return max(np.abs(np.bincount(pair.astype(int), minlength=4) - 2).max() for pair in pairs)

    columns = {str(b): copies[:, b] for b in range(3)}
    streams = [np.random.default_rng(seed) for seed in range(50)]
    by_chance = np.mean([off(rng.permutation(copies)[:8]) for rng in streams])
    assert np.mean([off(copies[choose_rows(columns, set(), 8, rng)]) for rng in streams]) < 0.5 * by_chance


@pytest.mark.parametrize("n", [100, 300, 1300])
def test_tables_of_pairs_come_nearer_than_by_chance(n: int) -> None:
    columns = pool(n, seed=n)
    rng = np.random.default_rng(2)
    by_chance = np.mean([distance(columns, rng.permutation(len(columns["x"]))[:n]) for _ in range(5)])
    assert distance(columns, choose_rows(columns, {"x", "y"}, n, rng)) < 0.5 * by_chance


@pytest.mark.parametrize("n", [1, 2, 3, 257, 1025])
def test_as_many_rows_as_asked_for_each_once(n: int) -> None:
    columns = {"a": np.zeros(n * pool_size(n)), "b": np.full(n * pool_size(n), np.nan)}
    chosen = choose_rows(columns, {"b"}, n, np.random.default_rng(3))
    assert len(chosen) == len(np.unique(chosen)) == n
    again = choose_rows(columns, {"b"}, n, np.random.default_rng(3))
    np.testing.assert_array_equal(chosen, again)


def test_pools_shrink_as_tables_grow() -> None:
    sizes = [pool_size(n) for n in (1, 256, 257, 512, 513, 8192)]
    assert sizes == [2**MOST_HALVINGS, 16, 8, 8, 4, 4]
    assert 256 * sizes[1] == TOGETHER

"""The sampler of graphs: each move and all together against exact posteriors; sums, constraints, seeds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from bayesynth.structure import StructureOptions
from bayesynth.structure.exact import enumerate_graphs, exact_edge_probabilities
from bayesynth.structure.partition import (
    MOVES,
    Arrays,
    disagreement,
    edge_probabilities_by_run,
    sample_graphs,
)
from bayesynth.structure.tables import ScoreTables


def random_tables(p: int, spread: float, seed: int, limit: int = 3, k: int | None = None) -> ScoreTables:
    """Scores without any structure, which no sampler can guess."""
    rng = np.random.default_rng(seed)
    candidates, scores = [], []
    for j in range(p):
        others = rng.permutation([i for i in range(p) if i != j])[:k]
        sizes = np.array([mask.bit_count() for mask in range(2 ** len(others))])
        values = spread * rng.normal(size=len(sizes)) - 0.7 * sizes
        candidates.append(others)
        scores.append(np.where(sizes <= limit, values, -np.inf))
    return ScoreTables(tuple(f"x{j}" for j in range(p)), tuple(candidates), tuple(scores))


def error(
    tables: ScoreTables, n: int, weights: tuple[float, ...] | None = None, seed: int = 1, **options: int
) -> float:
    """Largest error of an edge probability after n steps between adaptation and end, over four runs."""
    settings = StructureOptions(draws=n // 10, thin=10, rounds=1, **options)
    more = {} if weights is None else {"weights": weights}
    masks = sample_graphs(tables, settings, np.random.default_rng(seed), **more).masks
    return float(np.abs(edge_probabilities_by_run(tables, masks).mean(0) - exact_edge_probabilities(tables)).max())


@pytest.mark.parametrize(
    "weights", [(1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (1, 1, 0, 0)], ids=["split", "relocate", "reverse", "swap"]
)
def test_each_move_alone_reaches_the_exact_posterior(weights: tuple[float, ...]) -> None:
    """Swaps keep the sizes of layers, so they need splits beside them."""
    assert error(random_tables(6, 0.8, 1), 60_000, weights, temperatures=1) < 0.03


@pytest.mark.parametrize(("p", "spread"), [(5, 3.0), (6, 2.0), (7, 1.5), (8, 1.0)])
def test_all_moves_reach_the_exact_posterior(p: int, spread: float) -> None:
    assert error(random_tables(p, spread, p), 60_000) < 0.03


def test_one_sided_candidates_and_wide_gaps_are_no_obstacle() -> None:
    tables = random_tables(7, 2.0, 3, k=4)
    assert error(tables, 60_000) < 0.03
    far = ScoreTables(
        tables.nodes, tables.candidates, tuple(s - 700.0 * (np.arange(len(s)) % 5 == 0) for s in tables.scores)
    )
    assert error(far, 60_000) < 0.03


@pytest.mark.parametrize(("p", "n_graphs"), [(4, 543), (5, 29_281)])
def test_equal_scores_give_every_graph_alike(p: int, n_graphs: int) -> None:
    """Robinson's numbers of labelled acyclic graphs; without bias no edge is favoured, and no size of graph."""
    others = tuple(np.array([i for i in range(p) if i != j]) for j in range(p))
    flat = ScoreTables(tuple("abcde"[:p]), others, tuple(np.zeros(2 ** (p - 1)) for _ in range(p)))
    masks, _ = enumerate_graphs(flat)
    assert len(masks) == n_graphs
    drawn = sample_graphs(flat, StructureOptions(draws=6000, thin=10, rounds=1), np.random.default_rng(2)).masks
    edges = np.bincount(flat.adjacency(drawn.reshape(-1, p)).sum(axis=(1, 2)), minlength=p * p) / drawn[..., 0].size
    expected = np.bincount(flat.adjacency(masks).sum(axis=(1, 2)), minlength=p * p) / n_graphs
    np.testing.assert_allclose(edges, expected, atol=0.015)


# --- sums ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [1.0, 30.0, 700.0])
def test_sums_over_parent_sets_are_those_of_a_direct_count(gap: float) -> None:
    from bayesynth.structure._partition_kernels import log_sum

    rng = np.random.default_rng(3)
    tables = random_tables(7, gap, 4)
    arrays = Arrays.of(tables)
    for j in range(7):
        masks = np.arange(64)
        for _ in range(40):
            U = int(rng.integers(64))
            T = U & int(rng.integers(64))
            inside = ((masks & ~U) == 0) & ((masks & T) != 0) if T else masks == 0
            expected = logsumexp(tables.scores[j][inside]) if inside.any() else -np.inf
            assert log_sum(arrays, j, U, T) == pytest.approx(expected, abs=1e-5)


def test_draws_of_a_parent_set_follow_the_scores() -> None:
    from bayesynth.structure._partition_kernels import draw_set, log_sum

    tables = random_tables(5, 1.0, 5)
    arrays, rng = Arrays.of(tables), np.random.default_rng(6)
    U, T = 0b1011, 0b0010
    total = log_sum(arrays, 2, U, T)
    drawn = np.array([draw_set(arrays, 2, U, T, total, rng) for _ in range(20_000)])
    for mask in range(16):
        inside = mask & ~U == 0 and mask & T
        share = np.exp(tables.scores[2][mask] - total) if inside else 0.0
        assert (drawn == mask).mean() == pytest.approx(share, abs=0.015)


# --- constraints, seeds, continuation -------------------------------------------------------------------------------


def test_required_parents_are_in_every_graph() -> None:
    tables = random_tables(7, 1.0, 8)
    scores = [s.copy() for s in tables.scores]
    wanted = [(0, tables.candidates[0][0]), (3, tables.candidates[3][2])]
    if wanted[0][1] == 3 and wanted[1][1] == 0:
        pytest.fail("the two required edges must not form a circle")
    for child, parent in wanted:
        bit = tables.mask(child, [parent])
        scores[child][(np.arange(len(scores[child])) & bit) == 0] = -np.inf
    held = ScoreTables(tables.nodes, tables.candidates, tuple(scores))
    options = StructureOptions(draws=2000, rounds=1)
    found = held.adjacency(sample_graphs(held, options, np.random.default_rng(1)).masks)
    for child, parent in wanted:
        assert found[..., parent, child].all()
    assert error(held, 60_000) < 0.03


def test_equal_seeds_give_equal_graphs_and_others_do_not() -> None:
    tables, options = random_tables(8, 2.0, 9), StructureOptions(draws=200, rounds=2)
    one, two, other = (sample_graphs(tables, options, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.masks, two.masks)
    np.testing.assert_array_equal(one.log_scores, two.log_scores)
    assert (one.masks != other.masks).any()
    assert one.acceptance.shape == (4, len(MOVES))
    assert ((one.swap_rates > 0) & (one.swap_rates < 1)).all()
    scores = [tables.log_score(masks) for masks in one.masks[0]]
    np.testing.assert_allclose(one.log_scores[0], scores)


def test_runs_go_on_until_they_agree() -> None:
    tables = random_tables(10, 3.0, 10)
    short = sample_graphs(tables, StructureOptions(draws=50, thin=1, rounds=1), np.random.default_rng(1))
    assert disagreement(edge_probabilities_by_run(tables, short.masks))[0] > 0.05
    told: list[float] = []
    options = StructureOptions(draws=1000, thin=2, rounds=1000)
    long = sample_graphs(tables, options, np.random.default_rng(1), advance=told.append)
    largest, mean = disagreement(edge_probabilities_by_run(tables, long.masks))
    assert largest <= 0.05
    assert mean <= 0.01
    assert long.steps > 2000
    assert sum(told) == pytest.approx(1.0)
    assert np.abs(edge_probabilities_by_run(tables, long.masks).mean(0) - exact_edge_probabilities(tables)).max() < 0.06


def test_the_order_of_nodes_does_not_matter() -> None:
    tables = random_tables(7, 1.5, 11)
    order = np.random.default_rng(1).permutation(7)
    place = np.argsort(order)
    turned = ScoreTables(
        tuple(tables.nodes[i] for i in order),
        tuple(place[tables.candidates[i]] for i in order),
        tuple(tables.scores[i] for i in order),
    )
    np.testing.assert_allclose(
        exact_edge_probabilities(turned), exact_edge_probabilities(tables)[np.ix_(order, order)], atol=1e-10
    )
    assert error(turned, 60_000) < 0.03


def test_tables_name_their_parent_sets() -> None:
    tables = random_tables(5, 1.0, 12)
    for j, mask in product(range(5), range(16)):
        parents = tables.parents(j, mask)
        assert tables.mask(j, parents) == mask
        masks = np.zeros(5, int)
        masks[j] = mask
        assert set(np.flatnonzero(tables.adjacency(masks)[:, j])) == set(parents)
    with pytest.raises(KeyError):
        tables.mask(2, [2])

"""Hill climbing: against exact search, local optimality, rules, starts and seeds."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from bayesynth.errors import InputError
from bayesynth.structure.exact import best_graph, enumerate_graphs
from bayesynth.structure.hillclimb import climb, smallest_graph
from bayesynth.structure.tables import ScoreTables


def dense(scores: np.ndarray) -> ScoreTables:
    """Tables in which every other node is a candidate."""
    p = len(scores)
    return ScoreTables(
        tuple(f"x{j}" for j in range(p)), tuple(np.delete(np.arange(p), j) for j in range(p)), tuple(scores)
    )


def random_tables(p: int, seed: int, allowed: float = 1.0) -> ScoreTables:
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 3, (p, 2 ** (p - 1)))
    return dense(np.where(rng.random(scores.shape) < allowed, scores, -np.inf))


def linear_tables(p: int, seed: int, n_rows: int = 150) -> ScoreTables:
    """BIC of linear regressions, in data of a random network."""
    rng = np.random.default_rng(seed)
    slopes = np.triu((rng.random((p, p)) < 3 / p) * rng.normal(0, 0.6, (p, p)), 1)
    rows = rng.standard_normal((n_rows, p)) @ np.linalg.inv(np.eye(p) - slopes)
    corr = np.corrcoef(rows[:, rng.permutation(p)].T)
    scores = np.empty((p, 2 ** (p - 1)))
    for j in range(p):
        for mask in range(2 ** (p - 1)):
            s = np.delete(np.arange(p), j)[mask >> np.arange(p - 1) & 1 == 1]
            left = 1 - corr[j, s] @ np.linalg.solve(corr[np.ix_(s, s)], corr[s, j])
            scores[j, mask] = -0.5 * n_rows * np.log(left) - 0.5 * len(s) * np.log(n_rows)
    return dense(scores)


def is_acyclic(tables: ScoreTables, masks: np.ndarray) -> bool:
    return not np.linalg.matrix_power(tables.adjacency(masks).astype(int), tables.n_nodes).any()


def neighbours(tables: ScoreTables, masks: np.ndarray) -> list[np.ndarray]:
    """All graphs one added, deleted, reversed or exchanged parent away."""
    found = []
    for j, candidates in enumerate(tables.candidates):
        for k, i in enumerate(candidates):
            toggled = masks.copy()
            toggled[j] ^= 1 << k
            found.append(toggled)
            if masks[j] >> k & 1:
                turned = toggled.copy()
                turned[i] = tables.mask(i, {*tables.parents(i, turned[i]), j})
                found.append(turned)
                for m in range(len(candidates)):
                    if not masks[j] >> m & 1:
                        exchanged = toggled.copy()
                        exchanged[j] ^= 1 << m
                        found.append(exchanged)
    return [graph for graph in found if is_acyclic(tables, graph)]


@pytest.mark.parametrize("seed", range(6))
def test_on_four_nodes_the_best_graph_is_found_whatever_the_scores(seed: int) -> None:
    tables = random_tables(4, seed)
    masks, log_score = climb(tables, np.random.default_rng(seed))
    assert log_score == pytest.approx(best_graph(tables)[1], abs=1e-9)
    assert log_score == pytest.approx(tables.log_score(masks))
    assert is_acyclic(tables, masks)


@pytest.mark.parametrize("seed", range(3))
def test_on_scores_of_data_the_best_graph_is_found(seed: int) -> None:
    tables = linear_tables(8, seed)
    assert climb(tables, np.random.default_rng(1))[1] == pytest.approx(best_graph(tables)[1], abs=1e-9)


def test_a_climb_without_tabu_steps_ends_where_no_step_goes_up() -> None:
    tables = random_tables(9, seed=5)
    tops = [climb(tables, np.random.default_rng(seed), tabu=0, restarts=0) for seed in range(2)]
    tops.append(climb(tables, np.random.default_rng(3), tabu=10, restarts=5))
    for masks, log_score in tops:
        around = neighbours(tables, masks)
        assert len(around) > 20
        assert max(map(tables.log_score, around)) <= log_score + 1e-9
    assert tops[2][1] > tops[0][1]


def test_of_equal_graphs_seeds_and_not_the_order_of_nodes_choose() -> None:
    edge = np.array([0.0, 5.0])
    tables = dense(np.array([edge, edge]))
    heads = [int(climb(tables, np.random.default_rng(seed), restarts=0)[0].argmax()) for seed in range(40)]
    assert 8 < sum(heads) < 32


def test_renaming_the_nodes_renames_the_graph() -> None:
    tables = linear_tables(6, seed=4)
    best, log_score = climb(tables, np.random.default_rng(1))
    order = np.array([3, 5, 0, 1, 4, 2])  # the new node at place a is the old node order[a]
    place = np.argsort(order)
    renamed = ScoreTables(
        tuple(tables.nodes[i] for i in order),
        tuple(place[tables.candidates[i]] for i in order),
        tuple(tables.scores[i] for i in order),
    )
    masks, same = climb(renamed, np.random.default_rng(2))
    assert same == pytest.approx(log_score)
    skeletons = [a | a.T for a in (tables.adjacency(best)[np.ix_(order, order)], renamed.adjacency(masks))]
    np.testing.assert_array_equal(*skeletons)


def test_the_same_seed_gives_the_same_graph() -> None:
    tables = random_tables(10, seed=1)
    runs = [climb(tables, np.random.default_rng(seed), restarts=3)[0].tolist() for seed in (4, 4, 5, 6, 7)]
    assert runs[0] == runs[1]
    assert len({tuple(run) for run in runs}) > 1


@pytest.mark.parametrize("seed", range(8))
def test_where_few_parent_sets_are_allowed_a_graph_is_found_exactly_if_there_is_one(seed: int) -> None:
    tables = random_tables(5, seed, allowed=0.12)
    try:
        expected = enumerate_graphs(tables)[1].max()
    except InputError:
        with pytest.raises(InputError, match="no acyclic graph"):
            climb(tables, np.random.default_rng(1))
    else:
        masks, log_score = climb(tables, np.random.default_rng(1))
        assert is_acyclic(tables, masks)
        assert -np.inf < tables.log_score(smallest_graph(tables)) <= log_score <= expected + 1e-9


def test_the_rare_tables_above_are_of_both_kinds() -> None:
    assert {_has_a_graph(random_tables(5, seed, allowed=0.12)) for seed in range(8)} == {True, False}


def _has_a_graph(tables: ScoreTables) -> bool:
    try:
        return len(enumerate_graphs(tables)[0]) > 0
    except InputError:
        return False


def test_required_and_forbidden_edges() -> None:
    tables = linear_tables(7, seed=2)
    required, forbidden = {(4, 1), (1, 0), (6, 0)}, {(2, 3), (3, 2), (5, 6)}
    for edges, keep in ((required, 1), (forbidden, 0)):
        for i, j in edges:
            tables.scores[j][np.arange(64) >> list(tables.candidates[j]).index(i) & 1 != keep] = -np.inf
    start = smallest_graph(tables)
    assert {(int(i), int(j)) for i, j in np.argwhere(tables.adjacency(start))} == required
    masks, log_score = climb(tables, np.random.default_rng(1))
    found = tables.adjacency(masks)
    assert all(found[edge] for edge in required)
    assert not any(found[edge] for edge in forbidden)
    assert log_score == pytest.approx(best_graph(tables)[1], abs=1e-9)


def test_a_climb_never_ends_below_its_start() -> None:
    tables = random_tables(8, seed=3)
    best, log_score = best_graph(tables)
    masks, same = climb(tables, np.random.default_rng(1), tabu=5, restarts=2, start=best)
    assert (masks == best).all()
    assert same == pytest.approx(log_score)
    assert climb(tables, np.random.default_rng(1), tabu=5, restarts=2)[1] < log_score - 0.1


def test_a_start_that_cannot_be_is_an_input_error() -> None:
    tables = random_tables(3, seed=1)
    for circle in ([0b01, 0b10, 0b01], [0b01, 0b01, 0b00]):
        with pytest.raises(InputError, match="directed circle"):
            climb(tables, np.random.default_rng(1), start=circle)
    tables.scores[1][2] = -np.inf
    with pytest.raises(InputError, match="x1"):
        climb(tables, np.random.default_rng(1), start=[0, 2, 0])


def test_nodes_without_candidates_are_left_alone() -> None:
    tables = ScoreTables(("a", "b"), (np.zeros(0, int),) * 2, (np.array([1.0]), np.array([2.0])))
    masks, log_score = climb(tables, np.random.default_rng(1))
    assert masks.tolist() == [0, 0]
    assert log_score == 3.0


def test_every_acyclic_start_is_accepted() -> None:
    tables = random_tables(3, seed=1)
    chains = 0
    for a, b, c in permutations(range(3)):
        masks = np.zeros(3, int)
        masks[b], masks[c] = tables.mask(b, [a]), tables.mask(c, [a, b])
        chains += climb(tables, np.random.default_rng(1), start=masks)[1] >= tables.log_score(masks)
    assert chains == 6

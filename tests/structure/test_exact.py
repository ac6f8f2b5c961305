"""Exact methods: against the enumeration of all graphs, the known number of graphs, and one another."""

from __future__ import annotations

from math import comb, log

import numpy as np
import pytest

from bayesynth.errors import InputError
from bayesynth.structure.exact import best_graph, enumerate_graphs, exact_edge_probabilities, exact_log_normaliser
from bayesynth.structure.tables import ScoreTables


def random_tables(p: int, spread: float, seed: int, dropped: int = 0) -> ScoreTables:
    """Normal scores of a spread; each node lacks up to `dropped` of its candidates, the rest in random order."""
    rng = np.random.default_rng(seed)
    kept = [rng.permutation(np.delete(np.arange(p), j))[: p - 1 - rng.integers(dropped + 1)] for j in range(p)]
    scores = tuple(spread * rng.standard_normal(2 ** len(c)) for c in kept)
    return ScoreTables(tuple(f"x{j}" for j in range(p)), tuple(kept), scores)


def with_edges(tables: ScoreTables, required: set[tuple[int, int]], forbidden: set[tuple[int, int]]) -> ScoreTables:
    scores = [s.copy() for s in tables.scores]
    for edges, keep in ((required, 1), (forbidden, 0)):
        for i, j in edges:
            bit = np.arange(len(scores[j])) >> list(tables.candidates[j]).index(i) & 1
            scores[j][bit != keep] = -np.inf
    return ScoreTables(tables.nodes, tables.candidates, tuple(scores))


def number_of_dags(p: int) -> int:
    """Robinson's recurrence."""
    return sum((-1) ** (k + 1) * comb(p, k) * 2 ** (k * (p - k)) * number_of_dags(p - k) for k in range(1, p + 1)) or 1


def assert_answers_are_those_of_all_graphs(tables: ScoreTables) -> None:
    masks, log_scores = enumerate_graphs(tables)
    weights = np.exp(log_scores - log_scores.max())
    expected = np.einsum("g,gij->ij", weights / weights.sum(), tables.adjacency(masks))
    assert exact_log_normaliser(tables) == pytest.approx(log_scores.max() + log(weights.sum()), abs=1e-9)
    np.testing.assert_allclose(exact_edge_probabilities(tables), expected, rtol=1e-9, atol=1e-290)
    best, log_score = best_graph(tables)
    assert log_score == pytest.approx(log_scores.max())
    assert tables.log_score(best) == pytest.approx(log_score)
    assert (masks == best).all(1).any()


@pytest.mark.parametrize(("p", "count"), [(1, 1), (2, 3), (3, 25), (4, 543), (5, 29_281)])
def test_the_enumeration_has_every_graph_once(p: int, count: int) -> None:
    tables = random_tables(p, 0.0, seed=p)
    masks, log_scores = enumerate_graphs(tables)
    assert len(np.unique(masks, axis=0)) == len(masks) == count == number_of_dags(p)
    assert not log_scores.any()
    walks = np.linalg.matrix_power(tables.adjacency(masks).astype(int), p)  # of a DAG, no walk has p edges
    assert not walks.any()


@pytest.mark.parametrize(("p", "spread"), [(1, 1), (2, 1), (3, 3), (4, 0), (4, 3), (5, 0), (5, 1), (5, 30)])
def test_answers_are_those_of_all_graphs(p: int, spread: float) -> None:
    assert_answers_are_those_of_all_graphs(random_tables(p, spread, seed=p))


@pytest.mark.parametrize("seed", range(4))
def test_gaps_of_hundreds_of_nats_and_candidates_on_one_side_only(seed: int) -> None:
    tables = random_tables(5, 700.0, seed, dropped=2)
    tables = ScoreTables(tables.nodes, tables.candidates, tuple(s - 20_000 for s in tables.scores))
    assert_answers_are_those_of_all_graphs(tables)


def test_required_and_forbidden_edges() -> None:
    tables = with_edges(random_tables(5, 2.0, seed=1), {(0, 1), (3, 1), (1, 4)}, {(2, 0), (0, 2), (3, 4)})
    assert_answers_are_those_of_all_graphs(tables)
    found = exact_edge_probabilities(tables)
    np.testing.assert_allclose([found[0, 1], found[3, 1], found[1, 4]], 1.0, rtol=1e-12)
    assert not any(found[i, j] for i, j in [(2, 0), (0, 2), (3, 4), (1, 0), (4, 1), (4, 0)])


@pytest.mark.parametrize("p", [6, 9])
def test_equal_scores_count_the_graphs(p: int) -> None:
    tables = random_tables(p, 0.0, seed=p)
    assert exact_log_normaliser(tables) == pytest.approx(log(number_of_dags(p)), rel=1e-13)
    found = exact_edge_probabilities(tables)
    apart = found[~np.eye(p, dtype=bool)]
    np.testing.assert_allclose(apart, apart[0], rtol=1e-11)
    assert 1 / 4 < apart[0] < 1 / 2


@pytest.mark.parametrize("spread", [2.0, 400.0])
def test_an_edge_is_as_probable_as_the_graphs_that_have_it(spread: float) -> None:
    tables = random_tables(8, spread, seed=3, dropped=3)
    found, whole = exact_edge_probabilities(tables), exact_log_normaliser(tables)
    for j in (0, 3, 7):
        for i in tables.candidates[j]:
            share = np.exp(exact_log_normaliser(with_edges(tables, {(i, j)}, set())) - whole)
            assert found[i, j] == pytest.approx(share, rel=1e-9, abs=1e-290)


@pytest.mark.parametrize("p", [6, 9])
def test_the_best_graph_stays_best_when_one_node_changes_its_parents(p: int) -> None:
    tables = random_tables(p, 2.0, seed=p, dropped=2)
    masks, log_score = best_graph(tables)
    n_acyclic = 0
    for j, scores in enumerate(tables.scores):
        for mask in range(len(scores)):
            other = np.where(np.arange(p) == j, mask, masks)
            if not np.linalg.matrix_power(tables.adjacency(other).astype(int), p).any():
                n_acyclic += 1
                assert tables.log_score(other) <= log_score + 1e-9
    assert n_acyclic > p


def test_the_best_graph_is_the_mode_when_the_posterior_is_sharp() -> None:
    tables = random_tables(10, 500.0, seed=2)
    masks, log_score = best_graph(tables)
    assert exact_log_normaliser(tables) == pytest.approx(log_score, abs=1e-3)
    np.testing.assert_allclose(exact_edge_probabilities(tables), tables.adjacency(masks), atol=1e-3)


def test_too_many_nodes_are_an_input_error() -> None:
    for p, ask in [(6, enumerate_graphs), (16, exact_log_normaliser), (16, exact_edge_probabilities), (21, best_graph)]:
        one_by_one = ScoreTables(tuple(map(str, range(p))), (np.zeros(0, int),) * p, (np.zeros(1),) * p)
        with pytest.raises(InputError, match=f"{p} nodes"):
            ask(one_by_one)


@pytest.mark.parametrize("ask", [enumerate_graphs, exact_log_normaliser, exact_edge_probabilities, best_graph])
def test_a_required_circle_is_an_input_error(ask: object) -> None:
    with pytest.raises(InputError, match="no acyclic graph"):
        ask(with_edges(random_tables(3, 1.0, seed=1), {(0, 1), (1, 2), (2, 0)}, set()))

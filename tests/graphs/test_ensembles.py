"""What many graphs say together, against networkx one graph at a time."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from bayesynth.graphs import DAG
from bayesynth.graphs.ensembles import adjacency_of, ancestors, as_dag, averaged, separated
from bayesynth.graphs.export import to_dot, to_graphml


def random_graphs(n: int, p: int, seed: int) -> np.ndarray:
    """Adjacency matrices of acyclic graphs, each along an order of its own."""
    rng = np.random.default_rng(seed)
    found = np.zeros((n, p, p), bool)
    for graph in found:
        order = rng.permutation(p)
        graph[np.ix_(order, order)] = np.triu(rng.random((p, p)) < 0.35, 1)
    return found


def networkx_graph(adjacency: np.ndarray) -> nx.DiGraph:
    return nx.from_numpy_array(adjacency.astype(int), create_using=nx.DiGraph)


def test_ancestors_are_those_of_networkx() -> None:
    drawn = random_graphs(40, 7, 1)
    for graph, above in zip(drawn, ancestors(drawn), strict=True):
        for node in range(7):
            assert set(np.flatnonzero(above[:, node])) == nx.ancestors(networkx_graph(graph), node)


def test_separation_is_that_of_networkx() -> None:
    rng, drawn = np.random.default_rng(2), random_graphs(60, 7, 2)
    answers = set()
    for _ in range(40):
        a, b, *rest = rng.permutation(7)
        given = rest[: rng.integers(0, 5)]
        mine = separated(drawn, a, b, given)
        theirs = [nx.is_d_separator(networkx_graph(graph), {a}, {b}, set(given)) for graph in drawn]
        np.testing.assert_array_equal(mine, theirs)
        answers |= set(theirs)
    assert answers == {True, False}


def test_a_collider_opens_when_it_is_given() -> None:
    collider = adjacency_of(DAG(("a", "b", "c"), frozenset({("a", "c"), ("b", "c")})), "abc")[None]
    assert separated(collider, 0, 1, []).all()
    assert not separated(collider, 0, 1, [2]).any()


def test_matrices_and_graphs_are_the_same() -> None:
    (graph,) = random_graphs(1, 6, 3)
    dag = as_dag("abcdef", graph)
    np.testing.assert_array_equal(adjacency_of(dag, "abcdef"), graph)
    np.testing.assert_array_equal(adjacency_of(dag, "fa"), graph[np.ix_([5, 0], [5, 0])])


def test_an_averaged_graph_takes_likely_pairs_and_no_circle() -> None:
    p = np.zeros((4, 4))
    p[0, 1], p[1, 2], p[2, 0], p[0, 2], p[3, 2] = 0.9, 0.8, 0.6, 0.1, 0.4
    found, dropped = averaged(p, 0.5, np.zeros((4, 4), bool))
    assert {(int(a), int(b)) for a, b in np.argwhere(found)} == {(0, 1), (1, 2), (0, 2)}  # the last one turned
    assert dropped == []
    p[0, 2] = 0.0
    found, dropped = averaged(p, 0.5, np.zeros((4, 4), bool))
    assert {(int(a), int(b)) for a, b in np.argwhere(found)} == {(0, 1), (1, 2)}
    assert dropped == [(2, 0)]


def test_an_averaged_graph_keeps_what_always_holds() -> None:
    always = np.zeros((3, 3), bool)
    always[2, 0] = True
    p = np.array([[0, 0.9, 0], [0, 0, 0.8], [0, 0, 0]])
    found, dropped = averaged(p, 0.5, always)
    assert found[2, 0]
    assert found[0, 1]
    assert dropped == [(1, 2)]


@pytest.mark.parametrize("seed", range(5))
def test_averages_of_random_graphs_are_acyclic(seed: int) -> None:
    drawn = random_graphs(30, 8, seed)
    for threshold in (0.05, 0.3, 0.6):
        found, _ = averaged(drawn.mean(0), threshold, np.zeros((8, 8), bool))
        assert nx.is_directed_acyclic_graph(networkx_graph(found))


def test_graphs_go_out_as_text() -> None:
    graph = nx.DiGraph()
    graph.add_edge('the "age"', "b\\c", probability=0.25)
    assert (
        to_dot(graph) == 'digraph {\n  "the \\"age\\"";\n  "b\\\\c";\n  "the \\"age\\"" -> "b\\\\c" [label="0.25"];\n}'
    )
    again = nx.parse_graphml(to_graphml(graph))
    assert dict(again.edges) == {('the "age"', "b\\c"): {"probability": 0.25}}

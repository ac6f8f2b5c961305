"""Acyclic graphs and their equivalence classes, against known examples and against all graphs on four nodes."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, pairwise, product

import networkx as nx
import pytest

from bayesynth.errors import InputError
from bayesynth.graphs import DAG, cpdag, find_cycle, structural_hamming_distance


def dag(*edges: str, nodes: str = "abcd") -> DAG:
    return DAG(tuple(nodes), frozenset((e[0], e[-1]) for e in edges))


def test_a_dag_knows_its_parents_and_an_order() -> None:
    graph = dag("c->a", "d->a", "a->b")
    assert graph.parents("a") == ("c", "d")
    assert graph.parents("c") == ()
    assert graph.order == ("c", "d", "a", "b")
    assert graph == dag("a->b", "d->a", "c->a")


def test_networkx_both_ways() -> None:
    graph = dag("c->a", "a->b")
    assert DAG.from_networkx(graph.to_networkx()) == graph
    assert nx.is_directed_acyclic_graph(graph.to_networkx())
    assert list(graph.to_networkx()) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("edges", [("a->b", "b->c", "c->a"), ("a->a",), ("d->a", "a->b", "b->a")])
def test_a_circle_is_refused_and_named(edges: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        dag(*edges)
    (problem,) = caught.value.problems
    named = problem.found.split(": ")[1].split(" -> ")
    assert named[0] == named[-1]
    assert {(x, y) for x, y in pairwise(named)} <= {(e[0], e[-1]) for e in edges}
    assert "remove or turn" in problem.remedy


def test_unknown_ends_are_refused() -> None:
    with pytest.raises(InputError, match=r"edges name \['z'\]"):
        dag("a->z")


def test_find_cycle_is_empty_without_one() -> None:
    assert find_cycle("abc", [("a", "b"), ("a", "c")]) == []
    assert set(find_cycle("ab", [("a", "b"), ("b", "a")])) == {"a", "b"}


@pytest.mark.parametrize(
    ("edges", "directed"),
    [
        (("a->b", "b->c"), ""),  # a chain
        (("b->a", "b->c"), ""),  # a fork
        (("a->c", "b->c"), "a->c b->c"),  # a collider
        (("a->b", "b->c", "a->c"), ""),  # a triangle
        (("a->c", "b->c", "c->d"), "a->c b->c c->d"),  # Meek's first rule
        (("a->b", "c->b", "b->d", "a->d", "c->d"), "a->b c->b a->d c->d"),
        (("a->c", "b->c", "a->d", "d->c"), "b->c d->c a->c"),  # Meek's second rule follows the collider b -> c <- d
        (("a->b", "a->c", "a->d", "b->d", "c->d"), "b->d c->d a->d"),  # Meek's third rule
    ],
)
def test_known_classes(edges: tuple[str, ...], directed: str) -> None:
    found = cpdag(dag(*edges))
    expected = {(e[0], e[-1]) for e in directed.split()}
    assert found.directed == expected
    assert found.undirected == {frozenset((e[0], e[-1])) for e in edges} - {frozenset(e) for e in expected}


def test_marks() -> None:
    found = cpdag(dag("a->c", "b->c", "c->d"))
    assert [found.mark(x, y) for x, y in ("ac", "ca", "ab")] == ["->", "<-", ""]
    assert cpdag(dag("a->b")).mark("a", "b") == "--"


def all_dags(n: int) -> list[DAG]:
    nodes = tuple("abcd"[:n])
    found = []
    for marks in product((0, 1, 2), repeat=n * (n - 1) // 2):
        pairs = combinations(nodes, 2)
        edges = frozenset((a, b) if m == 1 else (b, a) for (a, b), m in zip(pairs, marks, strict=True) if m)
        if not find_cycle(nodes, edges):
            found.append(DAG(nodes, edges))
    return found


@pytest.fixture(scope="module")
def four_node_graphs() -> list[DAG]:
    return all_dags(4)


def skeleton_and_colliders(graph: DAG) -> tuple[frozenset, frozenset]:
    """Verma and Pearl (1990): two graphs are equivalent when these are equal."""
    skeleton = frozenset(frozenset(e) for e in graph.edges)
    colliders = frozenset(
        (frozenset((a, b)), c)
        for c in graph.nodes
        for a, b in combinations(graph.parents(c), 2)
        if frozenset((a, b)) not in skeleton
    )
    return skeleton, colliders


def test_all_graphs_on_four_nodes_fall_into_their_classes(four_node_graphs: list[DAG]) -> None:
    assert len(four_node_graphs) == 543
    classes: dict[tuple, list[DAG]] = defaultdict(list)
    for graph in four_node_graphs:
        classes[skeleton_and_colliders(graph)].append(graph)
    assert len(classes) == 185  # the known number of Markov equivalence classes on four nodes
    seen = set()
    for members in classes.values():
        found = {(cpdag(g).directed, cpdag(g).undirected) for g in members}
        assert len(found) == 1
        (directed, _) = found.pop()
        assert directed == frozenset.intersection(*(g.edges for g in members))
        seen.add((directed, frozenset(frozenset(e) for e in members[0].edges)))
    assert len(seen) == 185


def test_distance_counts_each_disagreeing_pair_once() -> None:
    chain, fork, collider = dag("a->b", "b->c"), dag("b->a", "b->c"), dag("a->b", "c->b")
    assert structural_hamming_distance(chain, fork) == 0
    assert structural_hamming_distance(chain, collider) == 2
    assert structural_hamming_distance(chain, dag("a->b")) == 1
    assert structural_hamming_distance(dag(), dag("a->b", "c->d")) == 2


def test_distance_is_symmetric_and_zero_within_a_class(four_node_graphs: list[DAG]) -> None:
    some = four_node_graphs[::29]
    for first, second in combinations(some, 2):
        distance = structural_hamming_distance(first, second)
        assert distance == structural_hamming_distance(second, first)
        assert (distance == 0) == (skeleton_and_colliders(first) == skeleton_and_colliders(second))

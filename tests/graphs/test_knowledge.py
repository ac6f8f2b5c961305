"""Background knowledge: contradictions are named before anything is searched."""

from __future__ import annotations

import networkx as nx
import pytest

from bayesynth.errors import KnowledgeError
from bayesynth.graphs import Knowledge

GRAPH = nx.DiGraph([("a", "b")])


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"required": ["ab"]}, "required holds 'ab'"),
        ({"required": [("a", "b", "c")]}, "required holds ('a', 'b', 'c')"),
        ({"forbidden": [("a", "a")]}, "forbidden holds ('a', 'a')"),
        ({"required": [3]}, "required holds 3"),
        ({"tiers": [["a"], ["b", "a"]]}, "'a' stands in two tiers"),
        ({"tiers": ["age", "stage"]}, "'age'"),
        ({"max_parents": -1}, "max_parents is -1"),
        ({"max_parents": 2.5}, "max_parents is 2.5"),
        ({"required": [("a", "b")], "forbidden": [("a", "b")]}, "a -> b is required and forbidden"),
        (
            {"required": [("b", "a")], "tiers": [["a"], ["b"]]},
            "b -> a is required, but 'b' is in a later tier than 'a'",
        ),
        ({"required": [("a", "b"), ("b", "c"), ("c", "a")]}, "circle"),
        ({"required": [("a", "c"), ("b", "c")], "max_parents": 1}, "'c' has 2 required parents and max_parents is 1"),
        ({"required": [("b", "a")], "graph": GRAPH}, "b -> a is required but not in the given graph"),
        ({"forbidden": [("a", "b")], "graph": GRAPH}, "a -> b is in the given graph, but forbidden"),
        ({"tiers": [["b"], ["a"]], "graph": GRAPH}, "a -> b is in the given graph, but forbidden or against the tiers"),
        ({"graph": nx.Graph([("a", "b")])}, "Graph"),
        ({"graph": [("a", "b")]}, "list"),
        ({"graph": nx.MultiDiGraph([("a", "b")])}, "MultiDiGraph"),
        ({"graph": nx.DiGraph([("a", "c"), ("b", "c")]), "max_parents": 1}, "max_parents is 1"),
    ],
)
def test_contradictions_are_refused_in_three_parts(options: dict, found: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        Knowledge(**options)
    texts = [problem.found for problem in caught.value.problems]
    assert any(found in text for text in texts), texts
    assert all(p.found and p.why and p.remedy for p in caught.value.problems)


def test_a_given_graph_with_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match=r"circle: a -> b -> a|circle: b -> a -> b"):
        Knowledge(graph=nx.DiGraph([("a", "b"), ("b", "a")]))


def test_all_contradictions_at_once() -> None:
    with pytest.raises(KnowledgeError) as caught:
        Knowledge(required=[("a", "b"), ("b", "a"), ("c", "d")], forbidden=[("c", "d")], tiers=[["a"], ["b"]])
    assert len(caught.value.problems) == 3


def test_unknown_names_are_refused_all_at_once() -> None:
    knowledge = Knowledge(required=[("a", "x")], forbidden=[("y", "a")], tiers=[["z"]], graph=nx.DiGraph([("a", "w")]))
    with pytest.raises(KnowledgeError) as caught:
        knowledge.check(["a", "b"])
    assert [p.found.split("'")[1] for p in caught.value.problems] == ["w", "x", "y", "z"]
    assert all("a, b" in p.remedy for p in caught.value.problems)
    Knowledge(required=[("a", "b")]).check(["a", "b"])


def test_what_is_allowed() -> None:
    knowledge = Knowledge(forbidden=[("a", "b")], tiers=[["a", "b"], ["c"]])
    assert not knowledge.allows("a", "b")
    assert knowledge.allows("b", "a")
    assert knowledge.allows("a", "c")
    assert not knowledge.allows("c", "a")
    assert knowledge.allows("free", "a")
    assert knowledge.allows("c", "free")


def test_anything_iterable_will_do() -> None:
    knowledge = Knowledge(required=iter([["a", "b"]]), tiers=(("a",), {"b"}))
    assert knowledge.required == {("a", "b")}
    assert knowledge.tiers == (("a",), ("b",))

"""Directed acyclic graphs as plain values; networkx on the way in and out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bayesynth.errors import InputError, Problem

if TYPE_CHECKING:
    import networkx as nx

Edge = tuple[str, str]


@dataclass(frozen=True)
class DAG:
    """A directed acyclic graph.

    Parameters
    ----------
    nodes : tuple of str
        Nodes in a fixed order.
    edges : frozenset of (str, str)
        (parent, child) pairs.

    Raises
    ------
    InputError
        If an edge names an unknown node, or the edges go round in a circle (which is named).

    Examples
    --------
    >>> DAG(("age", "stage"), frozenset({("age", "stage")})).parents("stage")
    ('age',)
    """

    nodes: tuple[str, ...]
    edges: frozenset[Edge]

    def __post_init__(self) -> None:
        unknown = sorted({end for edge in self.edges for end in edge} - set(self.nodes))
        if unknown:
            raise InputError(
                Problem(f"edges name {unknown}", "they are not nodes of the graph", f"use {list(self.nodes)}")
            )
        circle = find_cycle(self.nodes, self.edges)
        if circle:
            raise InputError(
                Problem(
                    f"the edges go round in a circle: {' -> '.join(circle)}",
                    "a Bayesian network needs an order in which parents come before children",
                    "remove or turn one of these edges",
                )
            )

    def parents(self, node: str) -> tuple[str, ...]:
        """Parents of a node, in node order."""
        return tuple(p for p in self.nodes if (p, node) in self.edges)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Nodes with every parent before its children; ties in node order."""
        import networkx as nx

        rank = {node: i for i, node in enumerate(self.nodes)}
        return tuple(nx.lexicographical_topological_sort(self.to_networkx(), key=rank.__getitem__))

    def to_networkx(self) -> nx.DiGraph:
        """Return the same graph as a networkx.DiGraph."""
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from(self.nodes)
        graph.add_edges_from(sorted(self.edges))
        return graph

    @classmethod
    def from_networkx(cls, graph: nx.DiGraph) -> DAG:
        """Take a networkx.DiGraph."""
        return cls(tuple(str(n) for n in graph.nodes), frozenset((str(a), str(b)) for a, b in graph.edges))


def find_cycle(nodes: Iterable[str], edges: Iterable[Edge]) -> list[str]:
    """Return a directed cycle as the nodes along it (first one repeated at the end), or an empty list."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(sorted(edges))
    try:
        found = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return []
    return [found[0][0]] + [edge[1] for edge in found]

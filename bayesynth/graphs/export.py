"""Graphs as text for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx


def to_graphml(graph: nx.DiGraph) -> str:
    """Write a graph with its attributes as GraphML, which Gephi, yEd, Cytoscape and igraph read."""
    import networkx as nx

    return "\n".join(nx.generate_graphml(graph))


def to_dot(graph: nx.DiGraph) -> str:
    """Write a graph in the DOT language of Graphviz; edges are labelled with their probability, where they have one."""
    lines = ["digraph {"]
    lines += [f"  {_quoted(node)};" for node in graph.nodes]
    for a, b, facts in graph.edges(data=True):
        label = f" [label={_quoted(format(facts['probability'], '.2f'))}]" if "probability" in facts else ""
        lines.append(f"  {_quoted(a)} -> {_quoted(b)}{label};")
    return "\n".join([*lines, "}"])


def _quoted(name: object) -> str:
    return '"' + str(name).replace("\\", "\\\\").replace('"', '\\"') + '"'

"""Markov equivalence: what observational data can tell of a graph's directions, and distances between graphs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from bayesynth.graphs.dag import DAG, Edge


@dataclass(frozen=True)
class CPDAG:
    """Completed partially directed graph of a Markov equivalence class.

    Parameters
    ----------
    nodes : tuple of str
        Nodes.
    directed : frozenset of (str, str)
        Edges with the same direction in every member of the class.
    undirected : frozenset of frozenset of str
        Edges whose direction data cannot tell.
    """

    nodes: tuple[str, ...]
    directed: frozenset[Edge]
    undirected: frozenset[frozenset[str]]

    def mark(self, a: str, b: str) -> str:
        """Return "->", "<-", "--" or "" for the pair."""
        if (a, b) in self.directed:
            return "->"
        if (b, a) in self.directed:
            return "<-"
        return "--" if frozenset((a, b)) in self.undirected else ""


def cpdag(dag: DAG) -> CPDAG:
    """Complete the graph's unshielded colliders by Meek's rules.

    Notes
    -----
    Meek (1995), "Causal inference and causal explanation with background knowledge", UAI.
    """
    adjacent = {n: set() for n in dag.nodes}
    for a, b in dag.edges:
        adjacent[a].add(b)
        adjacent[b].add(a)
    directed: set[Edge] = set()
    for node in dag.nodes:
        for a, b in combinations(dag.parents(node), 2):
            if b not in adjacent[a]:
                directed |= {(a, node), (b, node)}
    loose = {frozenset(edge) for edge in dag.edges} - {frozenset(edge) for edge in directed}
    while True:
        found = _meek_step(directed, loose, adjacent)
        if not found:
            return CPDAG(dag.nodes, frozenset(directed), frozenset(loose))
        directed |= found
        loose -= {frozenset(edge) for edge in found}


def _meek_step(directed: set[Edge], loose: set[frozenset[str]], adjacent: dict[str, set[str]]) -> set[Edge]:
    for pair in sorted(loose, key=sorted):
        for a, b in (tuple(sorted(pair)), tuple(sorted(pair, reverse=True))):
            if _forced(a, b, directed, loose, adjacent):
                return {(a, b)}
    return set()


def _forced(a: str, b: str, directed: set[Edge], loose: set[frozenset[str]], adjacent: dict[str, set[str]]) -> bool:
    into_a = {c for c in adjacent[a] if (c, a) in directed}
    if any(c not in adjacent[b] for c in into_a):
        return True
    if any((a, c) in directed and (c, b) in directed for c in adjacent[a] & adjacent[b]):
        return True
    middle = {c for c in adjacent[a] & adjacent[b] if frozenset((a, c)) in loose and (c, b) in directed}
    return any(d not in adjacent[c] for c, d in combinations(sorted(middle), 2))


def structural_hamming_distance(first: DAG, second: DAG) -> int:
    """Pairs of nodes on which the equivalence classes of two graphs disagree.

    A pair counts once whether the edge is missing, extra, or differently directed.
    """
    one, two = cpdag(first), cpdag(second)
    return sum(one.mark(a, b) != two.mark(a, b) for a, b in combinations(sorted(first.nodes), 2))

"""What the user knows about the network before seeing the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING

from bayesynth.errors import KnowledgeError, Problem, raise_all
from bayesynth.graphs.dag import DAG, Edge, find_cycle

if TYPE_CHECKING:
    import networkx as nx

BLANKS = ("free", "sinks")


@dataclass(frozen=True)
class Knowledge:
    """Constraints on the graph. Nodes are columns, or missingness blocks by the names that `fit.missingness()` shows.

    Parameters
    ----------
    required : iterable of (str, str)
        (parent, child) edges that every graph has.
    forbidden : iterable of (str, str)
        Edges that no graph has.
    tiers : sequence of sequences of str
        Groups in time order: nothing points from a later group into an earlier one. Nodes in no group are free.
    graph : networkx.DiGraph, optional
        The graph between columns, given. Edges to and from missingness blocks are still learned, unless the graph
        names blocks itself.
    max_parents : int
        Largest number of parents of any node.
    prior : mapping of (str, str) to float
        How likely you hold single edges before seeing the data, between 0 and 1. The log odds are added to the prior
        of every graph with that edge, so 0.5 changes nothing, 0.8 makes it four times and 0.2 a quarter as likely.
    blanks : {"free", "sinks"}
        What a missingness block may do: inform any column ("free"), or only depend on others ("sinks"), as in a
        missingness graph. In tiers, a block that you do not name stands with the earliest of its columns.

    Raises
    ------
    KnowledgeError
        If the constraints contradict each other; the contradiction is named.

    Examples
    --------
    >>> Knowledge(required=[("age", "stage")], tiers=[["age", "sex"], ["stage"]]).max_parents
    8
    """

    required: frozenset[Edge] = frozenset()
    forbidden: frozenset[Edge] = frozenset()
    tiers: tuple[tuple[str, ...], ...] = ()
    graph: nx.DiGraph | None = None
    max_parents: int = 8
    prior: Mapping[Edge, float] = field(default_factory=dict)
    blanks: str = "free"
    _tier_of: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems = list(self._wrong_types())
        for name in ("required", "forbidden"):
            object.__setattr__(self, name, _edges(name, getattr(self, name), problems))
        object.__setattr__(self, "prior", {tuple(map(str, edge)): p for edge, p in dict(self.prior).items()})
        object.__setattr__(self, "tiers", tuple((t,) if isinstance(t, str) else tuple(t) for t in self.tiers))
        tier_of: dict[str, int] = {}
        for i, tier in enumerate(self.tiers):
            for node in tier:
                if node in tier_of:
                    problems.append(
                        Problem(f"{node!r} stands in two tiers", "a node has one place in time", "keep it in one tier")
                    )
                tier_of[node] = i
        object.__setattr__(self, "_tier_of", tier_of)
        raise_all(problems, KnowledgeError)
        raise_all(self._contradictions(), KnowledgeError)

    def allows(self, parent: str, child: str) -> bool:
        """Whether the edge is legal as far as forbidden edges and tiers go."""
        if (parent, child) in self.forbidden:
            return False
        return self._tier_of.get(parent, -1) <= self._tier_of.get(child, len(self.tiers))

    def check(self, nodes: Sequence[str]) -> None:
        """Refuse names that are not nodes, all at once.

        Raises
        ------
        KnowledgeError
            If a required or forbidden edge, a tier or the graph names something else.
        """
        named = {end for edge in self.required | self.forbidden | set(self.prior) for end in edge} | set(self._tier_of)
        named |= set(map(str, self.graph.nodes)) if self.graph is not None else set()
        raise_all(
            (
                Problem(
                    f"the knowledge names {name!r}",
                    "it is no modelled column and no missingness block of this table",
                    f"use names among {', '.join(nodes)}",
                )
                for name in sorted(named - set(nodes))
            ),
            KnowledgeError,
        )

    def _wrong_types(self) -> Iterable[Problem]:
        if not isinstance(self.max_parents, Integral) or self.max_parents < 0:
            yield Problem(f"max_parents is {self.max_parents!r}", "parents are counted from 0", "use 0, 1, 2 ...")
        if self.blanks not in BLANKS:
            yield Problem(f"blanks is {self.blanks!r}", "there is no such rule", f"use one of {', '.join(BLANKS)}")
        for edge, p in dict(self.prior).items():
            if not isinstance(edge, tuple) or len(edge) != 2 or edge[0] == edge[1]:
                yield Problem(f"prior holds {edge!r}", "an edge joins two different nodes", 'write ("parent", "child")')
            elif not isinstance(p, Real) or not 0 < p < 1:
                why, remedy = "a prior probability lies between 0 and 1", "use `required` for 1 and `forbidden` for 0"
                yield Problem(f"the prior of {_arrow(edge)} is {p!r}", why, remedy)
        for tier in self.tiers:
            if isinstance(tier, str):
                yield Problem(f"the tier {tier!r} is a text", "a tier is a group of nodes", f"write [{tier!r}]")
        if self.graph is not None and not _is_simple_digraph(self.graph):
            kind = type(self.graph).__name__
            yield Problem(f"the graph is a {kind}", "edges need one direction each", "pass a networkx.DiGraph")

    def _contradictions(self) -> Iterable[Problem]:
        for edge in sorted(self.required):
            if edge in self.forbidden:
                yield Problem(f"{_arrow(edge)} is required and forbidden", "it cannot be both", "drop one of the two")
            elif not self.allows(*edge):
                yield Problem(
                    f"{_arrow(edge)} is required, but {edge[0]!r} is in a later tier than {edge[1]!r}",
                    "tiers forbid edges back in time",
                    "move one of the two, or drop the requirement",
                )
        for edge in sorted(self.prior):
            if edge in self.required or not self.allows(*edge):
                settled = "required" if edge in self.required else "forbidden or against the tiers"
                why, remedy = "a settled edge has no probability", "drop one of the two"
                yield Problem(f"{_arrow(edge)} has a prior probability and is {settled}", why, remedy)
        circle = find_cycle(sorted({end for edge in self.required for end in edge}), self.required)
        if circle:
            yield Problem(
                f"required edges go round in a circle: {' -> '.join(circle)}",
                "a Bayesian network has no cycle",
                "drop one of these edges",
            )
        given = DAG.from_networkx(self.graph).edges if self.graph is not None else frozenset()
        children = [child for _, child in self.required | given]
        for child in sorted(set(children)):
            if children.count(child) > self.max_parents:
                yield Problem(
                    f"{child!r} has {children.count(child)} required parents and max_parents is {self.max_parents}",
                    "the limit would break a requirement",
                    "raise max_parents",
                )
        if self.graph is not None:
            yield from self._graph_contradictions()

    def _graph_contradictions(self) -> Iterable[Problem]:
        fixed = DAG.from_networkx(self.graph)
        inside = set(fixed.nodes)
        for edge in sorted(self.required - fixed.edges):
            if set(edge) <= inside:
                yield Problem(f"{_arrow(edge)} is required but not in the given graph", "the graph is fixed", "add it")
        for edge in sorted(fixed.edges):
            if not self.allows(*edge):
                yield Problem(
                    f"{_arrow(edge)} is in the given graph, but forbidden or against the tiers",
                    "it cannot be both",
                    "drop one of the two",
                )


def _edges(name: str, edges: Iterable[Edge], problems: list[Problem]) -> frozenset[Edge]:
    found = set()
    for edge in edges:
        if not isinstance(edge, Sequence) or isinstance(edge, str) or len(edge) != 2 or edge[0] == edge[1]:
            problems.append(
                Problem(f"{name} holds {edge!r}", "an edge joins two different nodes", 'write ("parent", "child")')
            )
        else:
            found.add((str(edge[0]), str(edge[1])))
    return frozenset(found)


def _is_simple_digraph(graph: object) -> bool:
    import networkx as nx

    return isinstance(graph, nx.DiGraph) and not graph.is_multigraph()


def _arrow(edge: Edge) -> str:
    return f"{edge[0]} -> {edge[1]}"

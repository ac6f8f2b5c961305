"""The search space: which parents each child may have, in which forms, and what they cost a priori."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from bayesynth.encoding.design import SCALE, Term
from bayesynth.encoding.table import Encoding
from bayesynth.errors import KnowledgeError, Problem, raise_all
from bayesynth.graphs import DAG, Edge, Knowledge

LOG_ODDS_OF_A_CURVE = -np.log(3.0)


@dataclass(frozen=True)
class SearchSpace:
    """Legal parents of every node, under what the user knows and what blanks imply.

    Parameters
    ----------
    nodes : tuple of str
        Nodes.
    structural : tuple of (str, str)
        Edges that hold by construction and carry no coefficient.
    allowed : mapping of str to tuple of str
        Candidate parents of each node.
    required : mapping of str to frozenset of str
        Parents that a node must have.
    forms : mapping of str to tuple of str
        Forms in which each node may enter as a parent.
    max_parents : int
        Most parents of one node.
    """

    nodes: tuple[str, ...]
    structural: tuple[Edge, ...]
    allowed: Mapping[str, tuple[str, ...]]
    required: Mapping[str, frozenset[str]]
    forms: Mapping[str, tuple[str, ...]]
    max_parents: int

    @classmethod
    def of(cls, encoding: Encoding, knowledge: Knowledge) -> SearchSpace:
        """Combine the table's blanks with the user's knowledge.

        Raises
        ------
        KnowledgeError
            If the knowledge names unknown nodes or contradicts itself or the blanks.
        """
        nodes = tuple(encoding.nodes)
        knowledge.check(nodes)
        fixed = DAG.from_networkx(knowledge.graph) if knowledge.graph is not None else None
        edges = knowledge.required | (fixed.edges if fixed else frozenset())
        raise_all(_against_blanks(encoding, edges), KnowledgeError)

        def legal(parent: str, child: str) -> bool:
            if parent == child or not knowledge.allows(parent, child) or _self_masking(encoding, parent, child):
                return False
            inside = fixed is not None and parent in fixed.nodes and child in fixed.nodes
            return (parent, child) in fixed.edges if inside else True

        return cls(
            nodes,
            encoding.structural_edges,
            {child: tuple(p for p in nodes if legal(p, child)) for child in nodes},
            {child: frozenset(p for p, c in edges if c == child) for child in nodes},
            {name: node.features.forms for name, node in encoding.nodes.items()},
            knowledge.max_parents,
        )

    @cached_property
    def log_prior_of_size(self) -> np.ndarray:
        """Fair prior: every number of parents k shares its mass among the C(p - 1, k) sets of that size."""
        k = np.arange(len(self.nodes))
        return -(gammaln(len(self.nodes)) - gammaln(k + 1) - gammaln(len(self.nodes) - k))

    def log_prior(self, terms: Iterable[Term]) -> float:
        """Log prior of a family's parents and of the forms in which they enter."""
        terms = tuple(terms)
        parents = {p for term in terms for p in term.parents}
        scaled = sum(t.form == SCALE for t in terms)
        mains = [t for t in terms if len(t.parents) == 1 and t.form != SCALE]
        curved = sum(t.form != self.forms[t.parents[0]][0] for t in mains)
        products = len(terms) - len(mains) - scaled
        pairs = len(parents) * (len(parents) - 1) / 2
        price = products * -np.log1p(pairs)
        return float(self.log_prior_of_size[len(parents)] + (curved + scaled) * LOG_ODDS_OF_A_CURVE + price)


def _self_masking(encoding: Encoding, parent: str, child: str) -> bool:
    """Tell edges between a value and its own blank, or between indicators where one gates the other."""
    nodes = encoding.nodes
    if nodes[child].gate == parent:
        return True
    return nodes[child].is_indicator and nodes[parent].gate == child


def _against_blanks(encoding: Encoding, edges: Iterable[Edge]) -> Iterable[Problem]:
    for parent, child in sorted(edges):
        if _self_masking(encoding, parent, child):
            yield Problem(
                f"{parent} -> {child} is required",
                "a column and its own missingness block are tied by construction",
                "drop this edge",
            )
    try:
        DAG(tuple(encoding.nodes), frozenset(edges) | frozenset(encoding.structural_edges))
    except ValueError as error:
        yield Problem(
            f"required edges and missingness blocks contradict each other ({error})",
            "a column has a value only where its block is observed, so the block comes first",
            "drop one of the required edges along the circle",
        )

"""The search space: which parents each child may have, in which forms, and what they cost a priori."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from bayesynth.encoding.design import PRODUCT, SCALE, SHAPE, Term
from bayesynth.encoding.table import Encoding
from bayesynth.errors import InputError, KnowledgeError, Problem, raise_all
from bayesynth.graphs import DAG, Edge, Knowledge

LOG_ODDS_OF_A_CURVE = -np.log(3.0)
FAIR, UNIFORM = "fair", "uniform"


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
    prior : str or float
        Prior over graphs: "fair" gives every number of parents of a node the same mass, shared among the sets of that
        size; "uniform" gives all graphs the same; a number is added to the log prior for every edge.
    log_odds : mapping of (str, str) to float
        Added for each edge that the user holds likely or unlikely.
    """

    nodes: tuple[str, ...]
    structural: tuple[Edge, ...]
    allowed: Mapping[str, tuple[str, ...]]
    required: Mapping[str, frozenset[str]]
    forms: Mapping[str, tuple[str, ...]]
    max_parents: int
    prior: str | float = FAIR
    log_odds: Mapping[Edge, float] = field(default_factory=dict)

    @classmethod
    def of(cls, encoding: Encoding, knowledge: Knowledge, prior: str | float = FAIR) -> SearchSpace:
        """Combine the table's blanks with the user's knowledge.

        Raises
        ------
        KnowledgeError
            If the knowledge names unknown nodes or contradicts itself or the blanks.
        """
        nodes = tuple(encoding.nodes)
        knowledge.check(nodes)
        knowledge = _with_blocks_in_tiers(knowledge, encoding)
        fixed = DAG.from_networkx(knowledge.graph) if knowledge.graph is not None else None
        edges = knowledge.required | (fixed.edges if fixed else frozenset())
        raise_all(_against_blanks(encoding, edges), KnowledgeError)

        def legal(parent: str, child: str) -> bool:
            if parent == child or not knowledge.allows(parent, child) or _self_masking(encoding, parent, child):
                return False
            if knowledge.blanks == "sinks" and encoding.nodes[parent].is_indicator:
                return (parent, child) in edges
            inside = fixed is not None and parent in fixed.nodes and child in fixed.nodes
            return (parent, child) in fixed.edges if inside else True

        return cls(
            nodes,
            encoding.structural_edges,
            {child: tuple(p for p in nodes if legal(p, child)) for child in nodes},
            {child: frozenset(p for p, c in edges if c == child) for child in nodes},
            {name: node.features.forms for name, node in encoding.nodes.items()},
            knowledge.max_parents,
            prior,
            {edge: float(np.log(p / (1 - p))) for edge, p in knowledge.prior.items()},
        )

    def __post_init__(self) -> None:
        known = self.prior in (FAIR, UNIFORM) if isinstance(self.prior, str) else np.isfinite(self.prior)
        if not known:
            why, remedy = (
                "there is no such prior over graphs",
                'use "fair", "uniform" or a number, such as -2.0, per edge',
            )
            raise InputError(Problem(f"the structure prior is {self.prior!r}", why, remedy))

    @cached_property
    def log_prior_of_size(self) -> np.ndarray:
        """Log prior of a parent set of each size, shape (p,)."""
        k = np.arange(len(self.nodes))
        if self.prior == FAIR:
            return -(gammaln(len(self.nodes)) - gammaln(k + 1) - gammaln(len(self.nodes) - k))
        return np.zeros(len(k)) if self.prior == UNIFORM else k * float(self.prior)

    def log_prior(self, child: str, terms: Iterable[Term]) -> float:
        """Log prior of a family: of its parents, and of the forms in which they enter."""
        terms = tuple(terms)
        parents = {p for term in terms for p in term.parents}
        return self.log_prior_of_parents(child, parents) + self.log_prior_of_forms(terms)

    def log_prior_of_parents(self, child: str, parents: Collection[str]) -> float:
        """Log prior of a parent set, by its size and by what the user holds likely."""
        liked = sum(self.log_odds.get((parent, child), 0.0) for parent in parents) if self.log_odds else 0.0
        return float(self.log_prior_of_size[len(parents)]) + liked

    def log_prior_of_forms(self, terms: Iterable[Term]) -> float:
        """Log prior of the forms in which given parents enter, relative to the plain ones."""
        terms = tuple(terms)
        parents = {p for term in terms for p in term.parents}
        residual = sum(t.form in (SCALE, SHAPE) for t in terms)
        mains = [t for t in terms if len(t.parents) == 1 and t.of_location]
        curved = sum(t.form != self.forms[t.parents[0]][0] for t in mains)
        products = sum(t.form == PRODUCT for t in terms)
        pairs = len(parents) * (len(parents) - 1) / 2
        price = products * -np.log1p(pairs)
        return float((curved + residual) * LOG_ODDS_OF_A_CURVE + price)


def _with_blocks_in_tiers(knowledge: Knowledge, encoding: Encoding) -> Knowledge:
    """Put each missingness block that no tier names into the earliest tier of its columns, if all of them have one."""
    tiers = [list(tier) for tier in knowledge.tiers]
    tier_of = {name: i for i, tier in enumerate(tiers) for name in tier}
    for block in encoding.blocks:
        places = [tier_of.get(column) for column in block.columns]
        if block.name not in tier_of and places and None not in places:
            tiers[min(places)].append(block.name)
    return replace(knowledge, tiers=tiers) if tiers else knowledge


def _self_masking(encoding: Encoding, parent: str, child: str) -> bool:
    """Tell edges between a node and the blocks around it, which hold by construction or would go round in a circle."""
    nodes = encoding.nodes
    if nodes[child].gate == parent:
        return True
    around = nodes[parent].gate
    while around is not None and around != child:
        around = nodes[around].gate
    return around == child


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

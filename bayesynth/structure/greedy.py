"""Greedy search for one good graph: add, delete, reverse and bend, with a tabu list and restarts."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesynth._threads import one_blas_thread
from bayesynth.encoding.design import Term
from bayesynth.errors import InputError, Problem
from bayesynth.graphs import DAG
from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.refine import refine_family
from bayesynth.structure.space import SearchSpace
from bayesynth.structure.state import EPSILON, Move, SearchState


@dataclass(frozen=True)
class SearchOptions:
    """How long to look.

    Parameters
    ----------
    tabu : int
        Moves beyond a local optimum before giving up on it; graphs already visited are not entered again.
    restarts : int
        Further climbs, each from the best graph shaken by `shake` random moves.
    shake : int
        Random moves before a restart.
    refine : bool
        Whether, once the graph is found, products of two parents and a residual scale that depends on parents are
        considered.
    """

    tabu: int = 8
    restarts: int = 2
    shake: int = 6
    refine: bool = True

    def __post_init__(self) -> None:
        for name in ("tabu", "restarts", "shake"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 0:
                why, remedy = "it is a number of moves or climbs", f"leave {name} out to keep its default"
                raise InputError(Problem(f"SearchOptions({name}={value!r})", why, remedy))


@dataclass(frozen=True)
class Structure:
    """One graph with the terms of each family.

    Parameters
    ----------
    families : mapping of str to tuple of Term
        Terms of each node's parents.
    dag : DAG
        All edges, structural ones included.
    log_score : float
        Log evidence plus log prior.
    """

    families: Mapping[str, tuple[Term, ...]]
    dag: DAG
    log_score: float


@one_blas_thread()
def search(evidence: EvidenceCache, space: SearchSpace, options: SearchOptions, rng: np.random.Generator) -> Structure:
    """Find a graph of high posterior probability.

    Parameters
    ----------
    evidence : EvidenceCache
        Scores families.
    space : SearchSpace
        Legal parents and the prior.
    options : SearchOptions
        How long to look.
    rng : Generator
        For restarts; the climb itself is deterministic.
    """
    best = _climb(SearchState(evidence, space), options)
    for _ in range(options.restarts):
        state = best.copy()
        state.shake(options.shake, rng)
        found = _climb(state, options)
        if found.total > best.total + EPSILON:
            best = found
    families = {child: best.terms(child) for child in space.nodes}
    if options.refine:
        families = {child: refine_family(evidence, space, child, terms).terms for child, terms in families.items()}
    return as_structure(evidence, space, families)


def as_structure(evidence: EvidenceCache, space: SearchSpace, families: Mapping[str, tuple[Term, ...]]) -> Structure:
    """Put families together as a scored graph."""
    edges = {(p, child) for child, terms in families.items() for term in terms for p in term.parents}
    total = sum(evidence.score(child, terms) + space.log_prior(child, terms) for child, terms in families.items())
    return Structure(dict(families), DAG(space.nodes, frozenset(edges) | frozenset(space.structural)), total)


def _climb(state: SearchState, options: SearchOptions) -> SearchState:
    best, visited, patience = state.copy(), {state.key}, max(options.tabu, 1)
    while patience > 0:
        move = _best_move(state, visited)
        if move is None:
            break
        state.apply(move)
        visited.add(state.key)
        if state.total > best.total + EPSILON:
            best, patience = state.copy(), max(options.tabu, 1)
        else:
            patience -= 1
    return best


def _best_move(state: SearchState, visited: set[int]) -> Move | None:
    """Find the legal move of largest gain to a graph not yet visited; screened gains are scored on the way."""
    scored: list[tuple[float, int, Move]] = []
    for i, move in enumerate(state.moves()):
        if scored and -scored[0][0] >= move.gain:
            break
        if not state.legal(move) or state.key_after(move) in visited:
            continue
        checked = move if move.exact else state.check(move)
        heapq.heappush(scored, (-checked.gain, i, checked))
    return scored[0][2] if scored else None

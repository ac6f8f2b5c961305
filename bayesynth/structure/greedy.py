"""Greedy search for one good graph: add, delete, reverse and bend, with a tabu list and restarts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bayesynth.encoding.design import PRODUCT, Term
from bayesynth.graphs import DAG
from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.space import SearchSpace

EPSILON = 1e-6


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
    products : bool
        Whether products of two parents are considered once the graph is found.
    """

    tabu: int = 8
    restarts: int = 2
    shake: int = 6
    products: bool = True


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


@dataclass(frozen=True)
class _Move:
    gain: float
    changes: tuple[tuple[str, str, str | None], ...]  # (child, parent, new form or None)


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
    best = _climb(_State(evidence, space), options)
    for _ in range(options.restarts):
        state = best.copy()
        state.shake(options.shake, rng)
        found = _climb(state, options)
        if found.total > best.total + EPSILON:
            best = found
    families = {child: best.terms(child) for child in space.nodes}
    if options.products:
        families = {child: _add_products(evidence, space, child, terms) for child, terms in families.items()}
    return as_structure(evidence, space, families)


def as_structure(
    evidence: EvidenceCache, space: SearchSpace, families: Mapping[str, tuple[Term, ...]]
) -> Structure:
    """Put families together as a scored graph."""
    edges = {(p, child) for child, terms in families.items() for term in terms for p in term.parents}
    total = sum(evidence.score(child, terms) + space.log_prior(terms) for child, terms in families.items())
    return Structure(dict(families), DAG(space.nodes, frozenset(edges) | frozenset(space.structural)), total)


def _add_products(
    evidence: EvidenceCache, space: SearchSpace, child: str, terms: tuple[Term, ...]
) -> tuple[Term, ...]:
    """Add products of pairs of parents one by one while they raise the score."""
    parents = sorted({t.parents[0] for t in terms})
    pairs = [Term((a, b), PRODUCT) for i, a in enumerate(parents) for b in parents[i + 1 :]]
    current = evidence.score(child, terms) + space.log_prior(terms)
    while pairs:
        options = [(*terms, pair) for pair in pairs]
        totals = evidence.scores(child, options) + [space.log_prior(o) for o in options]
        best = int(np.argmax(totals))
        if totals[best] <= current + EPSILON:
            return terms
        terms, current = options[best], totals[best]
        pairs.pop(best)
    return terms


def _climb(state: _State, options: SearchOptions) -> _State:
    best, visited, patience = state.copy(), {state.key}, options.tabu
    while patience > 0:
        move = state.best_move(visited)
        if move is None:
            break
        state.apply(move)
        visited.add(state.key)
        if state.total > best.total + EPSILON:
            best, patience = state.copy(), options.tabu
        else:
            patience -= 1
    return best


class _State:
    """A graph during the climb, with the gain of every single change of each child's parents."""

    def __init__(self, evidence: EvidenceCache, space: SearchSpace):
        self._evidence, self._space = evidence, space
        self._parents: dict[str, dict[str, str]] = {
            child: {p: space.forms[p][0] for p in sorted(space.required[child])} for child in space.nodes
        }
        self._below = {n: set() for n in space.nodes}
        self._scores: dict[str, float] = {}
        self._gains: dict[str, dict[tuple[str, str | None], float]] = {}
        for child in space.nodes:
            self._refresh(child)
        self._trace_descendants()

    def copy(self) -> _State:
        other = object.__new__(_State)
        other._evidence, other._space = self._evidence, self._space
        other._parents = {child: dict(parents) for child, parents in self._parents.items()}
        other._below, other._children = self._below, self._children
        other._scores, other._gains = dict(self._scores), dict(self._gains)
        return other

    @property
    def total(self) -> float:
        return sum(self._scores.values())

    @property
    def key(self) -> int:
        return hash(frozenset((c, p, f) for c, parents in self._parents.items() for p, f in parents.items()))

    def terms(self, child: str) -> tuple[Term, ...]:
        return tuple(sorted(Term((p,), form) for p, form in self._parents[child].items()))

    def best_move(self, visited: set[int]) -> _Move | None:
        """The legal move of largest gain that leads to a graph not yet visited."""
        for move in sorted(self._moves(), key=lambda m: -m.gain):
            if self._legal(move) and self._key_after(move) not in visited:
                return move
        return None

    def apply(self, move: _Move) -> None:
        for child, parent, form in move.changes:
            if form is None:
                del self._parents[child][parent]
            else:
                self._parents[child][parent] = form
        for child in {child for child, _, _ in move.changes}:
            self._refresh(child)
        self._trace_descendants()

    def shake(self, n: int, rng: np.random.Generator) -> None:
        for _ in range(n):
            legal = [move for move in self._moves() if self._legal(move)]
            if legal:
                self.apply(legal[rng.integers(len(legal))])

    def _refresh(self, child: str) -> None:
        """Score all single changes of a child's parents in one batch."""
        space, now = self._space, self._parents[child]
        changes: list[tuple[str, str | None]] = [(p, None) for p in now if p not in space.required[child]]
        changes += [(p, form) for p, held in now.items() for form in space.forms[p] if form != held]
        if len(now) < space.max_parents:
            bank = self._evidence.child(child)
            new = (p for p in space.allowed[child] if p not in now and bank.varies(p))
            changes += [(p, form) for p in new for form in space.forms[p]]
        sets = [self.terms(child)] + [self._after(child, change) for change in changes]
        values = self._evidence.scores(child, sets) + [space.log_prior(s) for s in sets]
        self._scores[child] = float(values[0])
        self._gains[child] = dict(zip(changes, values[1:] - values[0], strict=True))

    def _after(self, child: str, change: tuple[str, str | None]) -> tuple[Term, ...]:
        parent, form = change
        kept = [Term((p,), f) for p, f in self._parents[child].items() if p != parent]
        return tuple(sorted(kept + ([Term((parent,), form)] if form else [])))

    def _moves(self) -> Iterable[_Move]:
        for child, gains in self._gains.items():
            for (parent, form), gain in gains.items():
                yield _Move(gain, ((child, parent, form),))
                if form is None:
                    back = [(g, f) for (p, f), g in self._gains[parent].items() if p == child and f is not None]
                    if back and child not in self._parents[parent]:
                        other, bend = max(back)
                        yield _Move(gain + other, ((child, parent, None), (parent, child, bend)))

    def _key_after(self, move: _Move) -> int:
        edges = {(c, p): f for c, parents in self._parents.items() for p, f in parents.items()}
        for child, parent, form in move.changes:
            if form is None:
                del edges[child, parent]
            else:
                edges[child, parent] = form
        return hash(frozenset((c, p, f) for (c, p), f in edges.items()))

    def _legal(self, move: _Move) -> bool:
        if len(move.changes) == 2:
            (child, parent, _), _ = move.changes
            return not self._other_path(parent, child)
        child, parent, form = move.changes[0]
        return form is None or parent in self._parents[child] or parent not in self._below[child]

    def _other_path(self, above: str, below: str) -> bool:
        """Whether a path from `above` to `below` remains when the edge between them is removed."""
        return any(c != below and below in self._below[c] for c in self._children[above])

    def _trace_descendants(self) -> None:
        children: dict[str, set[str]] = {n: set() for n in self._space.nodes}
        for child, parents in self._parents.items():
            for p in parents:
                children[p].add(child)
        for gate, inside in self._space.structural:
            children[gate].add(inside)
        self._children = children
        below: dict[str, set[str]] = {}

        def trace(node: str) -> set[str]:
            if node not in below:
                below[node] = set(children[node]).union(*(trace(c) for c in children[node]))
            return below[node]

        for node in self._space.nodes:
            trace(node)
        self._below = below

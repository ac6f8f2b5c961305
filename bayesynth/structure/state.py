"""A graph during the climb, with the gain of every single change of each child's parents."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesynth.encoding.design import Term
from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.space import SearchSpace

EPSILON = 1e-6
Change = tuple[str, str | None]
"""A parent, and the form that it takes; None when it goes."""


@dataclass(frozen=True, slots=True)
class Move:
    """A step of the climb.

    Parameters
    ----------
    gain : float
        Change of the score.
    changes : tuple of (str, str, str or None)
        (child, parent, new form) of each family that changes.
    exact : bool
        False while the gain is only screened.
    """

    gain: float
    changes: tuple[tuple[str, str, str | None], ...]
    exact: bool


class SearchState:
    """Parents of every node and what each single change would gain.

    Parameters
    ----------
    evidence : EvidenceCache
        Scores families.
    space : SearchSpace
        Legal parents and the prior.
    """

    def __init__(self, evidence: EvidenceCache, space: SearchSpace):
        self._evidence, self._space = evidence, space
        self._parents: dict[str, dict[str, str]] = {
            child: {p: space.forms[p][0] for p in sorted(space.required[child])} for child in space.nodes
        }
        self._scores: dict[str, float] = {}
        self._gains: dict[str, dict[Change, tuple[float, bool]]] = {}
        self._ranked: dict[str, list[tuple[float, bool, str, str | None]]] = {}
        for child in space.nodes:
            self._refresh(child)
        self._trace_descendants()
        self.key = 0
        for child, parents in self._parents.items():
            for change in parents.items():
                self.key ^= hash((child, change))

    def copy(self) -> SearchState:
        """Return an independent copy; gains are shared until they change."""
        other = object.__new__(SearchState)
        other._evidence, other._space, other.key = self._evidence, self._space, self.key
        other._parents = {child: dict(parents) for child, parents in self._parents.items()}
        other._below, other._children = self._below, self._children
        other._scores, other._gains, other._ranked = dict(self._scores), dict(self._gains), dict(self._ranked)
        return other

    @property
    def total(self) -> float:
        """Log evidence plus log prior of the graph."""
        return sum(self._scores.values())

    def terms(self, child: str) -> tuple[Term, ...]:
        """Terms of a child's parents."""
        return tuple(sorted(Term((p,), form) for p, form in self._parents[child].items()))

    def moves(self) -> Iterator[Move]:
        """Yield every single change and every reversal of an edge, largest gain first."""
        streams = [self._single_changes(child) for child in self._ranked]
        return heapq.merge(*streams, self._reversals(), key=lambda move: -move.gain)

    def _single_changes(self, child: str) -> Iterator[Move]:
        for gain, exact, parent, form in self._ranked[child]:
            yield Move(gain, ((child, parent, form),), exact)

    def _reversals(self) -> list[Move]:
        """For each edge child -> parent, what it gains to turn it into parent -> child in its best form."""
        found = []
        for parent, parents in self._parents.items():
            for child in parents:
                if (child, None) not in self._gains[parent]:
                    continue
                gains = self._gains[child]
                forms = [(*gains[parent, form], form) for form in self._space.forms[parent] if (parent, form) in gains]
                if forms:
                    gain, exact, form = max(forms)
                    loss, known = self._gains[parent][child, None]
                    changes = ((parent, child, None), (child, parent, form))
                    found.append(Move(gain + loss, changes, exact and known))
        return sorted(found, key=lambda move: -move.gain)

    def check(self, move: Move) -> Move:
        """Score a screened move exactly."""
        total = 0.0
        for child, parent, form in move.changes:
            gain, exact = self._gains[child][parent, form]
            if not exact:
                terms = self._after(child, (parent, form))
                gain = self._evidence.score(child, terms) + self._space.log_prior(child, terms) - self._scores[child]
                self._note(child, self._gains[child] | {(parent, form): (gain, True)})
            total += gain
        return Move(total, move.changes, True)

    def legal(self, move: Move) -> bool:
        """Whether the graph stays acyclic."""
        if len(move.changes) == 2:
            (child, parent, _), _ = move.changes
            return not any(c != child and child in self._below[c] for c in self._children[parent])
        child, parent, form = move.changes[0]
        return form is None or parent in self._parents[child] or parent not in self._below[child]

    def key_after(self, move: Move) -> int:
        """Key of the graph that a move leads to."""
        key = self.key
        for child, parent, form in move.changes:
            held = self._parents[child].get(parent)
            for part in (held, form):
                if part is not None:
                    key ^= hash((child, (parent, part)))
        return key

    def apply(self, move: Move) -> None:
        """Make a move."""
        self.key = self.key_after(move)
        for child, parent, form in move.changes:
            if form is None:
                del self._parents[child][parent]
            else:
                self._parents[child][parent] = form
        for child in dict.fromkeys(child for child, _, _ in move.changes):
            self._refresh(child)
        self._trace_descendants()

    def shake(self, n: int, rng: np.random.Generator) -> None:
        """Make random legal moves."""
        for _ in range(n):
            legal = [move for move in self.moves() if self.legal(move)]
            if legal:
                self.apply(legal[rng.integers(len(legal))])

    def _refresh(self, child: str) -> None:
        """Score a child's parents, and look out over all single changes of them."""
        space, now, evidence = self._space, self._parents[child], self._evidence
        changes: list[Change] = [(p, None) for p in now if p not in space.required[child]]
        changes += [(p, form) for p, held in now.items() for form in space.forms[p] if form != held]
        if len(now) < space.max_parents:
            varies = evidence.child(child).varies
            new = (p for p in space.allowed[child] if p not in now and varies(p))
            changes += [(p, form) for p in new for form in space.forms[p]]
        terms = self.terms(child)
        prior = space.log_prior(child, terms)
        self._scores[child] = evidence.score(child, terms) + prior
        sets = [self._after(child, change) for change in changes]
        gains, exact = evidence.outlook(child, terms, sets)
        gains += [space.log_prior(child, s) - prior for s in sets]
        self._note(child, dict(zip(changes, zip(gains.tolist(), exact.tolist(), strict=True), strict=True)))

    def _note(self, child: str, gains: dict[Change, tuple[float, bool]]) -> None:
        self._gains[child] = gains
        ranked = ((gain, exact, parent, form) for (parent, form), (gain, exact) in gains.items())
        self._ranked[child] = sorted(ranked, key=lambda item: -item[0])

    def _after(self, child: str, change: Change) -> tuple[Term, ...]:
        parent, form = change
        kept = [Term((p,), f) for p, f in self._parents[child].items() if p != parent]
        return tuple(sorted(kept + ([Term((parent,), form)] if form else [])))

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

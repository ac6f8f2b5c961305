"""Which parents a child may have in the score tables, and the tables over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from bayesynth.structure.local import LocalScore
from bayesynth.structure.space import SearchSpace
from bayesynth.structure.tables import MOST_CANDIDATES, ScoreTables

PROMISING = 7.0  # nats behind the best set of its size, within which a set is extended beyond the first limit
CROWDED = 0.05  # local share of sets at the limit, above which the limit is raised
WORTH_A_PLACE = 0.05  # probability in the company of drawn parents, above which an outsider becomes a candidate
ROOM = 14  # candidates beyond which none is added: tables grow as 2 ** K and the sampler slows down with them
WORTH_SETTLING = 0.01  # share of drawn graphs with a parent set, from which on its score is made exact
COMPANIES = 4  # drawn parent sets of each child in whose company outsiders are tried


class TableBuilder:
    """Chooses candidate parents and scores their sets; sets once scored are kept when candidates are added.

    Parameters
    ----------
    local : LocalScore
        Evidence of parent sets.
    space : SearchSpace
        Legal parents and the prior.
    known : mapping of str to collection of str
        Parents in a good graph, which become candidates, as do their children in the other direction.
    n_candidates : int
        Candidates of a child to begin with, unless more are required or known.
    limit : int
        Parents up to which all sets of candidates are scored; beyond, only extensions of promising sets, where sets at
        the limit hold much of the local posterior.
    """

    def __init__(
        self,
        local: LocalScore,
        space: SearchSpace,
        known: Mapping[str, Iterable[str]],
        n_candidates: int,
        limit: int,
    ):
        self._local, self._space = local, space
        self._limit = limit
        self._structural = {child: [p for p, c in space.structural if c == child] for child in space.nodes}
        self._scored: dict[str, dict[frozenset[str], float]] = {child: {} for child in space.nodes}
        self._allowed = {
            child: [
                p
                for p in space.allowed[child]
                if p not in self._structural[child] and (p in space.required[child] or local.varies(child, p))
            ]
            for child in space.nodes
        }
        self.candidates = {child: self._first(child, known, n_candidates) for child in space.nodes}

    def tables(self) -> ScoreTables:
        """Score all sets of the present candidates."""
        place = {name: i for i, name in enumerate(self._space.nodes)}
        candidates, scores = [], []
        for child in self._space.nodes:
            self._score(child)
            names = [*self._structural[child], *self.candidates[child]]
            bits = {name: 1 << k for k, name in enumerate(names)}
            always = sum(bits[name] for name in self._structural[child])
            table = np.full(1 << len(names), -np.inf)
            for parents, score in self._scored[child].items():
                if parents <= bits.keys():
                    table[always + sum(bits[name] for name in parents)] = score
            candidates.append(np.array([place[name] for name in names], int))
            scores.append(table)
        return ScoreTables(self._space.nodes, tuple(candidates), tuple(scores))

    def enlarge(self, tables: ScoreTables, masks: np.ndarray) -> int:
        """Add parents that are worth a place beside the parents that drawn graphs give a child; count them.

        Parameters
        ----------
        tables : ScoreTables
            The tables behind the draws.
        masks : ndarray of int, shape (draws, p)
            Drawn graphs.
        """
        added = 0
        for j, child in enumerate(self._space.nodes):
            outside = [p for p in self._allowed[child] if p not in self.candidates[child]]
            room = min(ROOM, self._most(child)) - len(self.candidates[child])
            if not outside or room <= 0:
                continue
            found, counts = np.unique(masks[:, j], return_counts=True)
            worth = np.zeros(len(outside))
            for i in np.argsort(-counts, kind="stable")[:COMPANIES]:
                odds = self._gains(child, self._chosen(tables, j, found[i]), outside)
                worth += counts[i] / counts.sum() / (1 + np.exp(-np.clip(odds, -500, 500)))
            best = [i for i in np.argsort(-worth, kind="stable")[:room] if worth[i] > WORTH_A_PLACE]
            self.candidates[child] += [outside[i] for i in best]
            added += len(best)
        return added

    def settle(self, tables: ScoreTables, masks: np.ndarray) -> float:
        """Make scores exact that were foreseen and matter; tell which share of drawn families had such a score.

        Parameters
        ----------
        tables, masks
            As in `enlarge`.
        """
        foreseen = 0
        for j, child in enumerate(self._space.nodes):
            found, counts = np.unique(masks[:, j], return_counts=True)
            worth = counts >= WORTH_SETTLING * len(masks)
            new = self._local.settle(child, [self._chosen(tables, j, mask) for mask in found[worth]])
            if new.any():
                foreseen += counts[worth][new].sum()
                known = self._scored[child]  # what was learnt also moves what is foreseen of all other sets
                known.update(zip(known, self._scores_of(child, list(known)), strict=True))
        return foreseen / masks.size

    def _chosen(self, tables: ScoreTables, j: int, mask: int) -> list[str]:
        """Parents of a node in a drawn graph, without those that it has in every graph."""
        parents = (tables.nodes[k] for k in tables.parents(j, int(mask)))
        return [name for name in parents if name not in self._structural[tables.nodes[j]]]

    def _most(self, child: str) -> int:
        return MOST_CANDIDATES - len(self._structural[child])

    def _first(self, child: str, known: Mapping[str, Iterable[str]], n_candidates: int) -> list[str]:
        """Choose required and known parents, known children, then those that say most, alone or beside the known."""
        allowed, required = self._allowed[child], sorted(self._space.required[child])
        parents = [p for p in known.get(child, ()) if p in allowed]
        children = [c for c in self._space.nodes if child in known.get(c, ()) and c in allowed]
        first = list(dict.fromkeys([*required, *parents, *children]))
        others = [p for p in allowed if p not in first]
        alone = self._gains(child, required, others)
        beside = self._gains(child, list(dict.fromkeys([*required, *parents])), others)
        order = np.argsort(-np.maximum(alone, beside), kind="stable")
        room = max(0, min(n_candidates, self._most(child)) - len(first))
        return (first + [others[i] for i in order[:room]])[: max(self._most(child), len(required))]

    def _gains(self, child: str, parents: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """Log posterior odds of each other parent in the company of some."""
        if not others:
            return np.empty(0)
        prior = self._space.log_prior_of_parents
        before = prior(child, parents)
        more = np.array([prior(child, [*parents, other]) - before for other in others])
        return self._local.gains(child, parents, others) + more

    def _score(self, child: str) -> None:
        """Score what is not yet scored of a child's sets."""
        required = frozenset(self._space.required[child])
        free = [name for name in self.candidates[child] if name not in required]
        limit = max(0, min(self._limit, self._space.max_parents) - len(required))
        sets = [required | set(s) for size in range(limit + 1) for s in combinations(free, size)]
        self._add(child, sets)
        inside = frozenset(self.candidates[child])
        size = len(required) + limit
        while size < self._space.max_parents and size < len(inside):
            mine = {s: v for s, v in self._scored[child].items() if s <= inside and len(s) <= size}
            scores = np.array(list(mine.values()))
            at_limit = np.array([len(s) == size for s in mine])
            top = scores.max()
            if np.exp(scores[at_limit] - top).sum() < CROWDED * np.exp(scores - top).sum():
                return
            near = [s for s, v in mine.items() if len(s) == size and v > top - PROMISING]
            size += 1
            self._add(child, {s | {name} for s in near for name in free if name not in s})

    def _add(self, child: str, sets: Iterable[frozenset[str]]) -> None:
        known = self._scored[child]
        new = [s for s in dict.fromkeys(map(frozenset, sets)) if s not in known]
        if new:
            known.update(zip(new, self._scores_of(child, new), strict=True))

    def _scores_of(self, child: str, sets: Sequence[frozenset[str]]) -> list[float]:
        ordered = [sorted(s) for s in sets]
        prior = np.array([self._space.log_prior_of_parents(child, s) for s in ordered])
        return (self._local.scores(child, ordered) + prior).tolist()

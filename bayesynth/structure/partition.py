"""Partition MCMC: graphs drawn from their posterior by several independent, tempered runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bayesynth.structure.options import StructureOptions
from bayesynth.structure.tables import ScoreTables

MOVES = ("split or merge", "swap", "relocate", "reverse")
WEIGHTS = (1.0, 1.0, 2.0, 4.0)  # how often each move is tried
LARGEST_SD, LARGEST_MEAN_SD = 0.05, 0.01
GROWTH = 0.25  # of the length, from one look at the agreement to the next


class Arrays(NamedTuple):
    """Score tables laid out for the compiled kernels; rows of ragged tables lie end to end.

    Parameters
    ----------
    widths : ndarray, shape (p,)
        Number of candidates.
    candidates : ndarray, shape (p, K)
        Their positions.
    places : ndarray, shape (p, p)
        [j, i] is the bit of node i among the candidates of j, or -1.
    starts : ndarray, shape (p,)
        Where each node's masks start in `scores` and `sums`.
    scores, sums : ndarray
        Log score of each mask, and log of the summed scores of its subsets.
    list_starts, list_masks, list_scores, list_weights : ndarray
        Allowed masks of each node, best first, with their scores, and those relative to the best, exponentiated.
    member_starts : ndarray, shape (p, K + 2)
        Where in `members` the sets of each node start: all of them, then those with each candidate.
    members : ndarray
        Their places in the lists, best first.
    turnable : ndarray, shape (p,)
        Mask of the candidates of which the node is a candidate too.
    """

    widths: np.ndarray
    candidates: np.ndarray
    places: np.ndarray
    starts: np.ndarray
    scores: np.ndarray
    sums: np.ndarray
    list_starts: np.ndarray
    list_masks: np.ndarray
    list_scores: np.ndarray
    list_weights: np.ndarray
    member_starts: np.ndarray
    members: np.ndarray
    turnable: np.ndarray

    @classmethod
    def of(cls, tables: ScoreTables) -> Arrays:
        """Lay out score tables."""
        from bayesynth.structure._partition_kernels import log_sums_of_subsets

        p = tables.n_nodes
        widths = np.array([len(c) for c in tables.candidates])
        candidates = np.full((p, max(1, widths.max(initial=1))), -1)
        places = np.full((p, p), -1)
        ordered, sums, weights = [], [], []
        for j, found in enumerate(tables.candidates):
            candidates[j, : len(found)] = found
            places[j, found] = np.arange(len(found))
            allowed = np.flatnonzero(tables.scores[j] > -np.inf)
            ordered.append(allowed[np.argsort(-tables.scores[j][allowed], kind="stable")])
            sums.append(tables.scores[j].astype(float))
            log_sums_of_subsets(sums[-1])
            weights.append(np.exp(tables.scores[j][ordered[-1]] - tables.scores[j][ordered[-1][0]]))
        list_starts = np.cumsum([0, *map(len, ordered)])
        members, member_starts = _members(ordered, list_starts, candidates.shape[1])
        both = (places >= 0) & (places.T >= 0)
        return cls(
            widths,
            candidates,
            places,
            np.concatenate([[0], np.cumsum([len(s) for s in sums])[:-1]]).astype(np.int64),
            np.concatenate(tables.scores).astype(float),
            np.concatenate(sums),
            list_starts,
            np.concatenate(ordered),
            np.concatenate([scores[masks] for scores, masks in zip(tables.scores, ordered, strict=True)]),
            np.concatenate(weights),
            member_starts,
            members,
            np.where(both, 1 << np.maximum(places, 0), 0).sum(axis=1),
        )


def _members(ordered: list[np.ndarray], list_starts: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """List the places of all sets of each node, and of those with each candidate."""
    parts: list[np.ndarray] = []
    starts, used = np.zeros((len(ordered), width + 2), np.int64), 0
    for j, masks in enumerate(ordered):
        everything = np.arange(len(masks)) + list_starts[j]
        groups = [everything, *(everything[masks >> k & 1 == 1] for k in range(width))]
        starts[j] = used + np.cumsum([0, *map(len, groups)])
        used = starts[j, -1]
        parts += groups
    return np.concatenate(parts), starts


@dataclass(frozen=True)
class GraphDraws:
    """Graphs drawn by several runs, and what tells whether the runs agree.

    Parameters
    ----------
    masks : ndarray of int, shape (runs, draws, p)
        Parent set of every node.
    log_scores : ndarray, shape (runs, draws)
        Log score of every graph.
    acceptance : ndarray, shape (runs, moves)
        Share of accepted moves of each kind.
    swap_rates : ndarray, shape (runs, temperatures - 1)
        Share of accepted swaps of neighbouring temperatures.
    steps : int
        Steps of each run, those that adapt the temperatures left out.
    """

    masks: np.ndarray
    log_scores: np.ndarray
    acceptance: np.ndarray
    swap_rates: np.ndarray
    steps: int


def edge_probabilities_by_run(tables: ScoreTables, masks: np.ndarray) -> np.ndarray:
    """Share of each run's graphs with each edge, shape (runs, p, p)."""
    return np.stack([tables.adjacency(run).mean(0) for run in masks])


def disagreement(by_run: np.ndarray) -> tuple[float, float]:
    """Largest and mean standard deviation between runs of the edge probabilities that are not 0 in all of them."""
    if len(by_run) < 2:
        return np.nan, np.nan
    spread = by_run.std(axis=0, ddof=1)[by_run.max(axis=0) > 0]
    return (float(spread.max()), float(spread.mean())) if spread.size else (0.0, 0.0)


def sample_graphs(
    tables: ScoreTables,
    options: StructureOptions,
    rng: np.random.Generator,
    start: np.ndarray | None = None,
    *,
    weights: Sequence[float] = WEIGHTS,
    advance: Callable[[float], None] = lambda share: None,
) -> GraphDraws:
    """Draw graphs from exp(score), unbiased over directed acyclic graphs.

    Parameters
    ----------
    tables : ScoreTables
        What every parent set scores.
    options : StructureOptions
        How many runs, how long.
    rng : Generator
        Randomness; every run has a stream of its own, so the number of cores changes nothing.
    start : ndarray of int, shape (p,), optional
        Masks of a good graph, where the first run starts; the others start from random ones.
    weights : sequence of float
        How often each of `MOVES` is tried.
    advance : callable
        Told after each round which share of the most rounds it was.

    Notes
    -----
    Kuipers and Moffa (2017), doi:10.1080/01621459.2015.1133426. The edge reversal is of Grzegorczyk and Husmeier
    (2008), doi:10.1007/s10994-008-5057-7. Tempering and the tables follow Viinikka et al. (2020).
    """
    arrays = Arrays.of(tables)
    streams = rng.spawn(options.runs)
    runs = [_Run(arrays, options, weights, r, start if i == 0 else None) for i, r in enumerate(streams)]
    done = 0
    with ThreadPoolExecutor(max_workers=options.runs) as pool:
        list(pool.map(lambda run: run.go(1, adapt=True), runs))
        while done < options.rounds:
            more = min(max(1, int(GROWTH * done)), options.rounds - done)
            list(pool.map(lambda run, more=more: run.go(more, adapt=False), runs))
            advance(np.log((done + more + 1) / (done + 1)) / np.log(options.rounds + 1))
            done += more
            masks, log_scores = (np.stack(parts) for parts in zip(*(run.kept() for run in runs), strict=True))
            largest, mean = disagreement(edge_probabilities_by_run(tables, masks))
            if not (largest > LARGEST_SD or mean > LARGEST_MEAN_SD):
                break
    advance(np.log((options.rounds + 1) / (done + 1)) / np.log(options.rounds + 1))
    return GraphDraws(
        masks,
        log_scores,
        np.stack([run.moved / np.maximum(run.tried, 1) for run in runs]),
        np.stack([run.swaps / np.maximum(run.offers, 1) for run in runs]),
        options.thin * options.draws * done,
    )


class _Run:
    """One tempered run that can be continued."""

    def __init__(
        self,
        arrays: Arrays,
        options: StructureOptions,
        weights: Sequence[float],
        rng: np.random.Generator,
        start: np.ndarray | None,
    ):
        from bayesynth.structure._chain_kernels import random_graph
        from bayesynth.structure._partition_kernels import layer_graph

        self._arrays, self._options, self._rng = arrays, options, rng
        self._weights = np.asarray(weights, float)
        p, levels = len(arrays.widths), options.temperatures
        self._layers = np.zeros((levels, p), np.int64)
        for level in range(levels):
            masks = start if start is not None else random_graph(arrays, rng)[0]
            layer_graph(arrays, np.asarray(masks), self._layers[level])
        self._gaps = np.full(levels - 1, 0.3)
        self._masks, self._log_scores = [], []
        self._reset()

    def _reset(self) -> None:
        self.moved, self.tried = np.zeros(len(MOVES), np.int64), np.zeros(len(MOVES), np.int64)
        self.swaps, self.offers = np.zeros(len(self._gaps), np.int64), np.zeros(len(self._gaps), np.int64)

    def go(self, rounds: int, *, adapt: bool) -> None:
        """Go on for some rounds; what is drawn while the temperatures adapt is not kept."""
        from bayesynth.structure._chain_kernels import run_chain

        masks, log_scores = run_chain(
            self._arrays,
            self._layers,
            self._gaps,
            self._weights,
            self._options.draws * rounds,
            self._options.thin,
            adapt,
            self._rng,
            self.moved,
            self.tried,
            self.swaps,
            self.offers,
        )
        if adapt:
            self._reset()
        else:
            self._masks.append(masks.astype(np.uint16))
            self._log_scores.append(log_scores)

    def kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Graphs spread evenly over the later two thirds, and their log scores."""
        masks, log_scores = np.concatenate(self._masks), np.concatenate(self._log_scores)
        n = len(masks)
        first = n // 3 if n > self._options.draws else 0
        chosen = np.linspace(first, n - 1, self._options.draws).round().astype(int)
        return masks[chosen].astype(np.int64), log_scores[chosen]

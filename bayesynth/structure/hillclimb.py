"""Hill climbing with a tabu list and random restarts over score tables: a good graph in a fraction of a second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bayesynth.errors import InputError, Problem
from bayesynth.structure.tables import ScoreTables

SHAKES_PER_NODE = 16


def climb(
    tables: ScoreTables,
    rng: np.random.Generator,
    *,
    tabu: int = 100,
    restarts: int = 20,
    start: Sequence[int] | None = None,
) -> tuple[np.ndarray, float]:
    """Find a DAG of high score: edges are added, deleted and reversed, and parents exchanged.

    Each step goes to the best graph not yet seen, even downhill; a climb ends after `tabu` steps without a new best
    graph, and each restart shakes the best graph so far. Every climb looks at the steps in a new random order, so among
    equal steps the order of the nodes decides nothing.

    Parameters
    ----------
    tables : ScoreTables
        Log scores of all parent sets.
    rng : Generator
        Orders the steps and shakes graphs; the same state gives the same graph.
    tabu : int
        Steps beyond the best graph before a climb is given up.
    restarts : int
        Further climbs after the first.
    start : sequence of int, shape (p,), optional
        Masks of the graph from which to climb first. By default every node has as few parents as it may.

    Returns
    -------
    masks : ndarray of int, shape (p,)
        Parent set of each node.
    log_score : float
        Its log score; finite.

    Raises
    ------
    InputError
        If no acyclic graph is allowed, or `start` has a circle or a parent set that is not allowed.

    References
    ----------
    Scutari and others (2019), doi:10.1016/j.ijar.2019.10.003, compare such searches with others.
    """
    from bayesynth.structure import _hillclimb_kernels as kernels

    masks = smallest_graph(tables) if start is None else _checked(tables, start)
    best, log_score = masks, -np.inf
    shape = (tables.n_nodes, max([1, *map(len, tables.candidates)]))
    candidates, places = np.full(shape, -1), np.full((tables.n_nodes, tables.n_nodes), -1)
    for j, some in enumerate(tables.candidates):
        candidates[j, : len(some)] = some
        places[j, some] = np.arange(len(some))
    starts, scores = np.cumsum([0, *map(len, tables.scores)]), np.concatenate(tables.scores)
    keys = rng.integers(2**64, size=shape, dtype=np.uint64)
    for climb_number in range(restarts + 1):
        node_order, place_order = rng.permutation(tables.n_nodes), rng.permuted(np.indices(shape)[1], axis=1)
        board = kernels.Board(scores, starts, candidates, places, node_order, place_order, keys)
        if climb_number:
            masks = kernels.shake(board, best, rng.random((SHAKES_PER_NODE * tables.n_nodes, 3)))
        found = kernels.climb_from(board, masks, tabu)
        if tables.log_score(found) > log_score:
            best, log_score = found, tables.log_score(found)
    return best, log_score


def smallest_graph(tables: ScoreTables) -> np.ndarray:
    """Give every node as few parents as it may have: none, or those required.

    Nodes are placed in rounds. A node enters when one of its allowed parent sets lies among the nodes placed before;
    the smallest one is taken, and the best among equally small ones. This finds a graph whenever one is allowed.

    Returns
    -------
    ndarray of int, shape (p,)

    Raises
    ------
    InputError
        If no acyclic graph is allowed.
    """
    masks = np.full(tables.n_nodes, -1)
    while (masks < 0).any():
        placed = masks >= 0
        for j in np.flatnonzero(~placed):
            among = _masks_among(placed[tables.candidates[j]])
            allowed = among[tables.scores[j][among] > -np.inf]
            if len(allowed):
                masks[j] = min(allowed, key=lambda mask: (int(mask).bit_count(), -tables.scores[j][mask]))
        if ((masks >= 0) == placed).all():
            names = ", ".join(tables.nodes[j] for j in np.flatnonzero(~placed))
            why = "none of them has allowed parents that do not lead back to it"
            remedy = "allow more parent sets, or require fewer edges"
            raise InputError(Problem(f"no acyclic graph is allowed on {names}", why, remedy))
    return masks


def _masks_among(placed: np.ndarray) -> np.ndarray:
    """Masks of all subsets of the candidates that are placed."""
    masks = np.zeros(1, np.int64)
    for k in np.flatnonzero(placed):
        masks = np.r_[masks, masks | 1 << k]
    return masks


def _checked(tables: ScoreTables, start: Sequence[int]) -> np.ndarray:
    masks = np.array(start, np.int64)
    remedy = "start from an allowed acyclic graph, or leave start out"
    if tables.log_score(masks) == -np.inf:
        wrong = [name for name, s, mask in zip(tables.nodes, tables.scores, masks, strict=True) if s[mask] == -np.inf]
        raise InputError(
            Problem(f"start gives {', '.join(wrong)} parents that are not allowed", "its score is zero", remedy)
        )
    left = tables.adjacency(masks)
    for _ in tables.nodes:
        left[~left.any(0)] = False  # edges out of nodes that have no parents left
    if left.any():
        raise InputError(Problem("start has a directed circle", "a Bayesian network has none", remedy))
    return masks

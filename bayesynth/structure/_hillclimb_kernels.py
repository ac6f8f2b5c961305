"""Compiled hill climbing over score tables: a step is one scan of gains that are kept up to date."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class Board(NamedTuple):
    """What stays the same during a climb.

    Parameters
    ----------
    scores : ndarray
        Scores of all nodes, one after the other.
    starts : ndarray of int, shape (p + 1,)
        Where each node's scores begin.
    candidates : ndarray of int, shape (p, K)
        Candidates of each node.
    places : ndarray of int, shape (p, p)
        Row j has the place of i among the candidates of j, or -1.
    node_order : ndarray of int, shape (p,)
        Order in which nodes are looked at.
    place_order : ndarray of int, shape (p, K)
        Order in which each node's candidates are looked at.
    keys : ndarray of uint64, shape (p, K)
        Random keys of edges; a graph's key is the exclusive or of them.
    """

    scores: np.ndarray
    starts: np.ndarray
    candidates: np.ndarray
    places: np.ndarray
    node_order: np.ndarray
    place_order: np.ndarray
    keys: np.ndarray


class State(NamedTuple):
    """A graph during a climb.

    Parameters
    ----------
    masks : ndarray of int, shape (p,)
        Parent sets.
    parents : ndarray of bool, shape (p, p)
        [i, j] for i -> j.
    reach : ndarray of bool, shape (p, p)
        [i, j] where a path leads from i to j, of no edge at least.
    gains : ndarray, shape (p, K)
        What each node gains from a candidate that comes or goes.
    key : ndarray of uint64, shape (1,)
        Key of the graph.
    """

    masks: np.ndarray
    parents: np.ndarray
    reach: np.ndarray
    gains: np.ndarray
    key: np.ndarray


@njit(cache=True)
def _new_state(board: Board, masks: np.ndarray) -> State:
    p = len(masks)
    parents, reach, key = np.zeros((p, p), np.bool_), np.zeros((p, p), np.bool_), np.zeros(1, np.uint64)
    state = State(masks.copy(), parents, reach, np.full(board.candidates.shape, -np.inf), key)
    for j in range(p):
        for k in range(board.candidates.shape[1]):
            if masks[j] >> k & 1:
                parents[board.candidates[j, k], j] = True
                key[0] ^= board.keys[j, k]
        _look_up(board, state, j)
    _trace(parents, reach)
    return state


@njit(cache=True)
def _look_up(board: Board, state: State, j: int) -> None:
    """Note what node j gains from each candidate that comes or goes."""
    start, mask = board.starts[j], state.masks[j]
    k = 0
    while 1 << k < board.starts[j + 1] - start:
        state.gains[j, k] = board.scores[start + (mask ^ 1 << k)] - board.scores[start + mask]
        k += 1


@njit(cache=True)
def _trace(parents: np.ndarray, reach: np.ndarray) -> None:
    """Find out what can be reached from where, taking every node after its children."""
    p = len(parents)
    waiting = parents.sum(1)
    order = np.empty(p, np.int64)
    n = 0
    for i in range(p):
        if waiting[i] == 0:
            order[n] = i
            n += 1
    for at in range(p):
        j = order[at]
        reach[j] = False
        reach[j, j] = True
        for c in range(p):
            if parents[j, c]:
                reach[j] |= reach[c]
        for i in range(p):
            if parents[i, j]:
                waiting[i] -= 1
                if waiting[i] == 0:
                    order[n] = i
                    n += 1


@njit(cache=True)
def _is_the_only_path(state: State, i: int, j: int) -> bool:
    """Whether i -> j is the only path from i to j."""
    n_children_before_j = 0  # j itself among them
    for c in range(len(state.masks)):
        n_children_before_j += state.parents[i, c] and state.reach[c, j]
    return n_children_before_j == 1


@njit(cache=True)
def _gain_of_turning(board: Board, state: State, j: int, k: int) -> float:
    """Gain of turning the edge from j's k-th candidate round; -inf where that is not allowed."""
    i = board.candidates[j, k]
    back = board.places[i, j]
    if back < 0 or not _is_the_only_path(state, i, j):
        return -np.inf
    return state.gains[j, k] + state.gains[i, back]


@njit(cache=True)
def _toggle(board: Board, state: State, j: int, k: int) -> None:
    """Let j's k-th candidate come or go."""
    state.masks[j] ^= 1 << k
    state.parents[board.candidates[j, k], j] ^= True
    state.key[0] ^= board.keys[j, k]
    _look_up(board, state, j)


@njit(cache=True)
def shake(board: Board, masks: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """Change edges at random, one attempt for each triple of uniform numbers; the score stays finite."""
    state = _new_state(board, masks)
    for a in range(len(luck)):
        j = int(luck[a, 0] * len(masks))
        k = int(luck[a, 1] * board.candidates.shape[1])
        i = board.candidates[j, k]
        if i < 0:
            continue
        present = state.masks[j] >> k & 1
        if present and luck[a, 2] < 0.5:
            if _gain_of_turning(board, state, j, k) > -np.inf:
                _toggle(board, state, j, k)
                _toggle(board, state, i, board.places[i, j])
        elif (present or not state.reach[j, i]) and state.gains[j, k] > -np.inf:
            _toggle(board, state, j, k)
        _trace(state.parents, state.reach)
    return state.masks


@njit(cache=True)
def _best_step(board: Board, state: State, seen: set) -> tuple[float, tuple[int, int, int, int]]:
    """Gain of the best step to a graph not seen, and the one or two candidates, each with its node, that come or go.

    Among equal steps the first one looked at is taken.
    """
    top, best = -np.inf, (-1, -1, -1, -1)
    for j in board.node_order:
        start, mask = board.starts[j], state.masks[j]
        now = board.scores[start + mask]
        for k in board.place_order[j]:
            i, present = board.candidates[j, k], mask >> k & 1
            if i < 0 or (not present and state.reach[j, i]):
                continue
            toggled = state.key[0] ^ board.keys[j, k]
            if state.gains[j, k] > top and toggled not in seen:
                top, best = state.gains[j, k], (j, k, -1, -1)
            if not present:
                continue
            back, gain = board.places[i, j], _gain_of_turning(board, state, j, k)
            if gain > top and toggled ^ board.keys[i, back] not in seen:
                top, best = gain, (j, k, i, back)
            for m in board.place_order[j]:
                other = board.candidates[j, m]
                if other >= 0 and not mask >> m & 1 and not state.reach[j, other]:
                    gain = board.scores[start + (mask ^ 1 << k ^ 1 << m)] - now
                    if gain > top and toggled ^ board.keys[j, m] not in seen:
                        top, best = gain, (j, k, j, m)
    return top, best


@njit(cache=True)
def climb_from(board: Board, masks: np.ndarray, tabu: int) -> np.ndarray:
    """Take best steps to graphs not seen before until none is better for `tabu` steps; return the best graph met."""
    state = _new_state(board, masks)
    best, seen = masks.copy(), {state.key[0]}
    below, idle = 0.0, 0  # how far the present graph is below the best one, and for how many steps
    while idle <= tabu:
        gain, (j, k, other, m) = _best_step(board, state, seen)
        if j < 0:
            break
        _toggle(board, state, j, k)
        if other >= 0:
            _toggle(board, state, other, m)
        _trace(state.parents, state.reach)
        seen.add(state.key[0])
        below, idle = below - gain, idle + 1
        if below < -1e-9:
            best[:] = state.masks
            below, idle = 0.0, 0
    return best

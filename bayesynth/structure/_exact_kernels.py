"""Compiled dynamic programmes over subsets of nodes; sets of nodes are bit masks, scores are dense over all subsets.

A state is a pair (U, T): the nodes U have their places, and the layer T comes after them. For a fixed U its states are
stored side by side, T being the k-th subset of the rest; every set of j's parents lies in U and hits the layer before.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def _log_add(a: float, b: float) -> float:
    if a < b:
        a, b = b, a
    return a if b == -np.inf else a + np.log1p(np.exp(b - a))


@njit(cache=True)
def _bits(mask: int, p: int) -> np.ndarray:
    found = np.empty(p, np.int64)
    n = 0
    for i in range(p):
        if mask >> i & 1:
            found[n] = i
            n += 1
    return found[:n]


@njit(cache=True)
def _packed(mask: int, inside: np.ndarray) -> int:
    """Position of a set among the subsets of another one."""
    found = 0
    for k in range(len(inside)):
        found |= (mask >> inside[k] & 1) << k
    return found


@njit(cache=True)
def _unpacked(place: int, inside: np.ndarray) -> int:
    """Subset of a set that has this position."""
    found = 0
    for k in range(len(inside)):
        found |= (place >> k & 1) << inside[k]
    return found


@njit(cache=True)
def starts_of_states(p: int) -> np.ndarray:
    """Where the states of each U begin; the last entry is the number of states, 3 ** p."""
    starts = np.zeros(2**p + 1, np.int64)
    for U in range(2**p):
        starts[U + 1] = starts[U] + 2 ** (p - len(_bits(U, p)))
    return starts


@njit(cache=True)
def sums_with_an_element(scores: np.ndarray) -> np.ndarray:
    """Log sums over the parent sets of j inside A that contain t, shape (p, p, 2 ** p) for j, t, A."""
    p, n = scores.shape
    sums = np.full((p, p, n), -np.inf)
    for j in range(p):
        for t in range(p):
            if t == j:
                continue
            some = sums[j, t]
            for A in range(n):
                if A >> t & 1:
                    some[A] = scores[j, A]
            for i in range(p):
                if i != t and i != j:
                    for A in range(n):
                        if A >> i & 1:
                            some[A] = _log_add(some[A], some[A ^ 1 << i])
    return sums


@njit(cache=True)
def _weights_by_last_layer(
    U: int, inside: np.ndarray, outside: np.ndarray, scores: np.ndarray, sums: np.ndarray
) -> np.ndarray:
    """Log sums over the parent sets of j inside U that hit T, shape (2 ** |U|, p - |U|) for T, j.

    Adding t to T adds the sets that contain t and nothing of T: all terms are positive, so nothing cancels.
    """
    weights = np.empty((2 ** len(inside), len(outside)))
    for c in range(len(outside)):
        weights[0, c] = scores[outside[c], 0] if U == 0 else -np.inf
    for b in range(len(inside)):
        t, half = inside[b], 1 << b
        for k in range(half):
            left = U ^ _unpacked(k, inside)
            for c in range(len(outside)):
                weights[half + k, c] = _log_add(weights[k, c], sums[outside[c], t, left])
    return weights


@njit(cache=True)
def _add_up(weights: np.ndarray, terms: np.ndarray) -> None:
    """Sum weights over every subset."""
    terms[0] = 0.0
    for b in range(len(weights)):
        half = 1 << b
        for k in range(half):
            terms[half + k] = terms[k] + weights[b]


@njit(cache=True)
def _state_before(U: int, T: int, starts: np.ndarray, p: int) -> int:
    """Position of the state whose layer is T and after which U have their places."""
    before = U & ~T
    return starts[before] + _packed(T, _bits((1 << p) - 1 - before, p))


@njit(cache=True)
def log_weights_to_come(scores: np.ndarray, sums: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """For every state, the log sum over all ways to place the rest; that of (no node, no layer) is the normaliser."""
    p = len(scores)
    everything = (1 << p) - 1
    to_come = np.full(starts[-1], -np.inf)
    terms = np.empty(2**p)
    for U in range(everything, -1, -1):
        inside, outside = _bits(U, p), _bits(everything ^ U, p)
        n = 2 ** len(outside)
        weights = _weights_by_last_layer(U, inside, outside, scores, sums)
        next_states = to_come[starts[U] : starts[U] + n]
        for k in range(len(weights)):
            state = _state_before(U, _unpacked(k, inside), starts, p)
            if not len(outside):
                to_come[state] = 0.0
                continue
            _add_up(weights[k], terms)
            top = -np.inf
            for m in range(1, n):
                terms[m] += next_states[m]
                top = max(top, terms[m])
            if top > -np.inf:
                total = 0.0
                for m in range(1, n):
                    total += np.exp(terms[m] - top)
                to_come[state] = top + np.log(total)
    return to_come


@njit(cache=True)
def _share_out(masses: np.ndarray, shares: np.ndarray) -> None:
    """Sum the masses of the subsets that contain each element, using the masses up."""
    for b in range(len(shares) - 1, -1, -1):
        half = 1 << b
        total = 0.0
        for k in range(half):
            total += masses[half + k]
            masses[k] += masses[half + k]
        shares[b] = total


@njit(cache=True)
def masses_with_an_element(scores: np.ndarray, sums: np.ndarray, starts: np.ndarray, to_come: np.ndarray) -> np.ndarray:
    """Posterior mass of each sum of `sums`.

    Probability flows forward from (no node, no layer) over the states, and within a state back along the additions
    that made its weights, always divided in proportion.
    """
    p = len(scores)
    everything = (1 << p) - 1
    masses = np.zeros_like(sums)
    arriving = np.zeros(len(to_come))
    arriving[0] = 1.0
    terms = np.empty(2**p)
    for U in range(everything):
        inside, outside = _bits(U, p), _bits(everything ^ U, p)
        n = 2 ** len(outside)
        weights = _weights_by_last_layer(U, inside, outside, scores, sums)
        shares = np.zeros_like(weights)
        first = starts[U]
        for k in range(len(weights)):
            state = _state_before(U, _unpacked(k, inside), starts, p)
            mass = arriving[state]
            if mass == 0.0:
                continue
            _add_up(weights[k], terms)
            terms[0] = 0.0
            for m in range(1, n):
                terms[m] = mass * np.exp(terms[m] + to_come[first + m] - to_come[state])
                arriving[first + m] += terms[m]
            _share_out(terms, shares[k])
        _hand_back(U, inside, outside, weights, shares, sums, masses)
    return masses


@njit(cache=True)
def _hand_back(
    U: int,
    inside: np.ndarray,
    outside: np.ndarray,
    weights: np.ndarray,
    shares: np.ndarray,
    sums: np.ndarray,
    masses: np.ndarray,
) -> None:
    """Divide the mass of every weight among the two sums that it was added up from."""
    for b in range(len(inside) - 1, -1, -1):
        t, half = inside[b], 1 << b
        for k in range(half):
            left = U ^ _unpacked(k, inside)
            for c in range(len(outside)):
                mass = shares[half + k, c]
                if mass > 0.0:
                    total = weights[half + k, c]
                    shares[k, c] += mass * np.exp(weights[k, c] - total)
                    masses[outside[c], t, left] += mass * np.exp(sums[outside[c], t, left] - total)


@njit(cache=True)
def edge_probabilities(scores: np.ndarray, sums: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """P(i -> j), shape (p, p), from the posterior masses of the sums."""
    p, n = scores.shape
    found = np.zeros((p, p))
    ratios = np.empty(n)
    for j in range(p):
        for t in range(p):
            for A in range(n):
                mass = masses[j, t, A]
                ratios[A] = np.log(mass) - sums[j, t, A] if mass > 0.0 else -np.inf
            for i in range(p):
                if i != t and i != j:
                    for A in range(n):
                        if not A >> i & 1:
                            ratios[A] = _log_add(ratios[A], ratios[A | 1 << i])
            for A in range(n):
                if A >> t & 1 and ratios[A] > -np.inf:
                    mass = np.exp(scores[j, A] + ratios[A])
                    for i in range(p):
                        if A >> i & 1:
                            found[i, j] += mass
    return found


@njit(cache=True)
def best_masks(scores: np.ndarray, starts: np.ndarray, candidates: np.ndarray) -> tuple[np.ndarray, float]:
    """Best parents of each node and the score of that graph, from each node's scores laid end to end.

    Parameters
    ----------
    scores : ndarray
        Scores of all nodes, one after the other.
    starts : ndarray of int, shape (p + 1,)
        Where each node's scores begin.
    candidates : ndarray of int, shape (p, p)
        Row j has the place of i among the candidates of j, or -1.
    """
    p = len(candidates)
    best, choice = scores.copy(), np.empty(len(scores), np.int64)
    for j in range(p):
        some, chosen = best[starts[j] : starts[j + 1]], choice[starts[j] : starts[j + 1]]
        for A in range(len(some)):
            chosen[A] = A
            k = 0
            while 1 << k <= A:
                smaller = A & ~(1 << k)
                if some[smaller] > some[A]:
                    some[A], chosen[A] = some[smaller], chosen[smaller]
                k += 1
    totals, sinks = np.full(2**p, -np.inf), np.zeros(2**p, np.int8)
    totals[0] = 0.0
    for W in range(1, 2**p):
        for j in range(p):
            if W >> j & 1 and totals[W ^ 1 << j] > -np.inf:
                total = totals[W ^ 1 << j] + best[starts[j] + _among(W, candidates[j])]
                if total > totals[W]:
                    totals[W], sinks[W] = total, j
    masks = np.zeros(p, np.int64)
    W = 2**p - 1
    while W and totals[2**p - 1] > -np.inf:
        j = sinks[W]
        masks[j] = choice[starts[j] + _among(W, candidates[j])]
        W ^= 1 << j
    return masks, totals[2**p - 1]


@njit(cache=True)
def _among(W: int, places: np.ndarray) -> int:
    """Mask, among a node's candidates, of a set of nodes."""
    found = 0
    for i in range(len(places)):
        if places[i] >= 0:
            found |= (W >> i & 1) << places[i]
    return found

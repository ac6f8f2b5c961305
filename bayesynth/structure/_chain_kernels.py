"""Compiled loop of one Metropolis-coupled chain over ordered partitions."""

from __future__ import annotations

import numpy as np
from numba import njit

from bayesynth.structure._partition_kernels import (
    RELOCATE,
    REVERSE,
    SPLIT_MERGE,
    SWAP,
    draw_graph,
    log_score,
    relocate,
    reverse_edges,
    split_or_merge,
    swap_two,
    weigh,
)

SWAP_EVERY = 5
REVERSALS = 10  # edges tried for each graph that is drawn for it
WANTED_SWAPS = 0.25
LEAST_GAP, WIDEST_GAP = 1e-3, 1.2  # of the logs of neighbouring inverse temperatures

_options = {"cache": True, "nogil": True}


@njit(**_options)
def random_graph(t, rng):
    """Draw a legal graph along a random order, each node's parents from those placed before it."""
    p = len(t.widths)
    masks, placed, allowed = np.zeros(p, np.int64), np.zeros(p, np.bool_), np.zeros(p, np.int64)
    for _ in range(p):
        n_ready = 0
        chosen = -1
        for j in range(p):
            if not placed[j]:
                U = 0
                for k in range(t.widths[j]):
                    U |= (1 << k) * placed[t.candidates[j, k]]
                allowed[j] = U
                if t.sums[t.starts[j] + U] > -np.inf:
                    n_ready += 1
                    if rng.random() * n_ready < 1.0:
                        chosen = j
        if chosen < 0:
            return masks, False
        total, left, last = t.sums[t.starts[chosen] + allowed[chosen]], rng.random(), 0
        for i in range(t.list_starts[chosen], t.list_starts[chosen + 1]):
            if t.list_masks[i] & ~allowed[chosen] == 0:
                last = t.list_masks[i]
                left -= np.exp(t.list_scores[i] - total)
                if left <= 0.0:
                    break
        masks[chosen] = last
        placed[chosen] = True
    return masks, True


@njit(**_options)
def run_chain(t, layers, gaps, weights, n_draws, thin, adapt, rng, moved, tried, swaps, offers):
    """Run a chain at several temperatures, drawing a graph from the coldest one every `thin` steps.

    Parameters
    ----------
    t : tables
        See `partition.Arrays`.
    layers : ndarray, shape (temperatures, p)
        Where each temperature is; changed in place.
    gaps : ndarray, shape (temperatures - 1,)
        Log ratios of neighbouring inverse temperatures; changed in place while adapting.
    weights : ndarray, shape (4,)
        How often each move is tried: split or merge, swap, relocate, reverse.
    n_draws, thin : int
        Graphs, and steps from one to the next.
    adapt : bool
        Whether temperatures are adapted to the swap rate.
    rng : Generator
        Randomness.
    moved, tried, swaps, offers : ndarray
        Counters, added to: accepted and tried moves of the coldest chain, accepted and tried swaps of each pair.

    Returns
    -------
    masks : ndarray, shape (n_draws, p)
    log_scores : ndarray, shape (n_draws,)
    """
    n_levels, p = layers.shape
    U, T = np.zeros((n_levels, p), np.int64), np.zeros((n_levels, p), np.int64)
    sums, logs = np.zeros((n_levels, p)), np.zeros(n_levels)
    new, new_U, new_T = np.zeros(p, np.int64), np.zeros(p, np.int64), np.zeros(p, np.int64)
    new_sums, masks = np.zeros(p), np.zeros(p, np.int64)
    U[:] = -1
    for level in range(n_levels):
        logs[level] = weigh(t, layers[level], U[level], T[level], sums[level], new_U, new_T, new_sums, -np.inf)
        U[level], T[level], sums[level] = new_U, new_T, new_sums
    cumulative = np.cumsum(weights / weights.sum())
    drawn, scores = np.zeros((n_draws, p), np.int64), np.zeros(n_draws)
    betas = np.ones(n_levels)
    for step in range(n_draws * thin):
        for level in range(1, n_levels):
            betas[level] = betas[level - 1] * np.exp(-gaps[level - 1])
        for level in range(n_levels):
            now = layers[level]
            u, kind = rng.random(), SPLIT_MERGE
            while kind < REVERSE and u >= cumulative[kind]:
                kind += 1
            if kind == REVERSE and level > 0:
                kind = RELOCATE
            if kind == REVERSE:
                draw_graph(t, U[0], T[0], sums[0], masks, rng)
                new[:] = now
                turned = reverse_edges(t, new, masks, REVERSALS, rng)
                moved[REVERSE] += turned
                tried[REVERSE] += REVERSALS
                if turned:
                    logs[0] = weigh(t, new, U[0], T[0], sums[0], new_U, new_T, new_sums, -np.inf)
                    now[:], U[0], T[0], sums[0] = new, new_U, new_T, new_sums
                continue
            if kind == SPLIT_MERGE:
                log_ratio = split_or_merge(now, new, now.max() + 1, rng)
            elif kind == SWAP:
                log_ratio = swap_two(now, new, now.max() + 1, rng)
            else:
                log_ratio = relocate(now, new, rng)
            if level == 0:
                tried[kind] += 1
            if log_ratio == -np.inf:
                continue
            least = logs[level] + (np.log(rng.random()) - log_ratio) / betas[level]
            weight = weigh(t, new, U[level], T[level], sums[level], new_U, new_T, new_sums, least)
            if weight == -np.inf:
                continue
            layers[level] = new
            U[level], T[level], sums[level], logs[level] = new_U, new_T, new_sums, weight
            if level == 0:
                moved[kind] += 1
        if n_levels > 1 and step % SWAP_EVERY == 0:
            a = int(rng.random() * (n_levels - 1))
            offers[a] += 1
            log_ratio = (betas[a] - betas[a + 1]) * (logs[a + 1] - logs[a])
            chance = np.exp(min(0.0, log_ratio))
            if rng.random() < chance:
                swaps[a] += 1
                for held in (layers, U, T):
                    for j in range(p):
                        held[a, j], held[a + 1, j] = held[a + 1, j], held[a, j]
                for j in range(p):
                    sums[a, j], sums[a + 1, j] = sums[a + 1, j], sums[a, j]
                logs[a], logs[a + 1] = logs[a + 1], logs[a]
            if adapt:
                gaps[a] *= np.exp((chance - WANTED_SWAPS) * 2.0 / (10.0 + offers[a]) ** 0.6)
                gaps[a] = min(max(gaps[a], LEAST_GAP), WIDEST_GAP)
        if step % thin == thin - 1:
            i = step // thin
            draw_graph(t, U[0], T[0], sums[0], drawn[i], rng)
            scores[i] = log_score(t, drawn[i])
    return drawn, scores

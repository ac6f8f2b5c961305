"""Compiled kernels of partition MCMC: sums over parent sets, the moves, and one tempered chain.

A state gives every node a layer, 0 for roots; a partition stands for all graphs in which each node's longest path from
a root has that length. Its weight is the product over nodes of the summed scores of parent sets that lie in earlier
layers (U) and touch the layer just before (T).
"""

from __future__ import annotations

import numpy as np
from numba import njit

NEARLY_ALL = -1e-7  # log share of sets that miss T, above which a difference of sums would cancel
NEGLIGIBLE = 45.0  # nats
CLOSE = -300.0  # nats behind a node's best set, up to which weights relative to that set can be added
SPLIT_MERGE, SWAP, RELOCATE, REVERSE = 0, 1, 2, 3

_options = {"cache": True, "nogil": True}


@njit(**_options)
def log_sums_of_subsets(scores):
    """Log of summed scores of all subsets of every mask, in place of the scores."""
    size = len(scores)
    bit = 1
    while bit < size:
        for mask in range(size):
            if mask & bit:
                a, b = scores[mask], scores[mask ^ bit]
                top = max(a, b)
                if top > -np.inf:
                    scores[mask] = top + np.log1p(np.exp(min(a, b) - top))
        bit <<= 1


@njit(**_options)
def log_sum(t, j, U, T):
    """Log of summed scores of the node's sets inside U that touch T; of the empty set where T is 0."""
    start = t.starts[j]
    if T == 0:
        return t.sums[start]
    total = t.sums[start + U]
    if total == -np.inf:
        return total
    missing = t.sums[start + (U & ~T)] - total
    if missing < NEARLY_ALL:
        return total + np.log1p(-np.exp(missing))
    first, found = -np.inf, 0.0
    start, end = _stretch(t, j, T)
    for place in range(start, end):
        i = t.members[place]
        mask = t.list_masks[i]
        if mask & ~U == 0 and mask & T:
            if first == -np.inf:
                first = t.list_scores[i]
            elif t.list_scores[i] < first - NEGLIGIBLE:
                break
            found += np.exp(t.list_scores[i] - first)
    return first + np.log(found) if first > -np.inf else first


@njit(**_options)
def _stretch(t, j, T):
    """Where in `members` to look for sets that touch T: the sets with one bit, or all sets of the node."""
    if T == 0 or T & (T - 1):
        return t.member_starts[j, 0], t.member_starts[j, 1]
    k = 0
    while T >> k & 1 == 0:
        k += 1
    return t.member_starts[j, k + 1], t.member_starts[j, k + 2]


@njit(**_options)
def draw_set(t, j, U, T, total, rng):
    """Draw one of those sets with probability proportional to its score, whose log sum is `total`."""
    if T == 0 and U == 0:
        return 0
    behind = total - t.list_scores[t.list_starts[j]]
    close = behind > CLOSE
    left, last = rng.random() * (np.exp(behind) if close else 1.0), -1
    start, end = _stretch(t, j, T)
    for place in range(start, end):
        i = t.members[place]
        mask = t.list_masks[i]
        if mask & ~U == 0 and (T == 0 or mask & T):
            last = mask
            left -= t.list_weights[i] if close else np.exp(t.list_scores[i] - total)
            if left <= 0.0:
                break
    return last


@njit(**_options)
def masks_of(t, layers, j):
    """U and T of a node, as masks over its candidates."""
    U, T, mine = 0, 0, layers[j]
    for k in range(t.widths[j]):
        other = layers[t.candidates[j, k]]
        U |= np.int64(other < mine) << k
        T |= np.int64(other == mine - 1) << k
    return U, T


@njit(**_options)
def weigh(t, layers, U, T, sums, new_U, new_T, new_sums, least):
    """Log weight of a partition, or minus infinity as soon as it is known to be below `least`.

    Sums of nodes whose masks stay the same are taken over; before a sum is worked out it is bounded by the sum over all
    sets of the node.
    """
    bound = 0.0
    for j in range(len(layers)):
        new_U[j], new_T[j] = masks_of(t, layers, j)
        if layers[j] > 0 and new_T[j] == 0:
            return -np.inf
        new_sums[j] = sums[j] if new_U[j] == U[j] and new_T[j] == T[j] else t.sums[t.starts[j] + new_U[j]]
        bound += new_sums[j]
    for j in range(len(layers)):
        if bound < least:
            return -np.inf
        if new_U[j] != U[j] or new_T[j] != T[j]:
            exact = log_sum(t, j, new_U[j], new_T[j])
            bound += exact - new_sums[j] if exact > -np.inf else -np.inf
            new_sums[j] = exact
    return bound if bound >= least else -np.inf


@njit(**_options)
def count_neighbours(layers, n_layers):
    """Partitions that one split or one merge leads to."""
    sizes = np.zeros(n_layers)
    for layer in layers:
        sizes[layer] += 1
    return n_layers - 1 + np.sum(2.0**sizes - 2.0)


@njit(**_options)
def split_or_merge(layers, new, n_layers, rng):
    """Propose a neighbour uniformly; returns the log proposal ratio."""
    p = len(layers)
    total = count_neighbours(layers, n_layers)
    if total == 0:
        return -np.inf
    u = rng.random() * total
    new[:] = layers
    if u < n_layers - 1:
        at = int(u)
        for j in range(p):
            if layers[j] > at:
                new[j] -= 1
        return np.log(total / count_neighbours(new, n_layers - 1))
    u -= n_layers - 1
    sizes = np.zeros(n_layers, np.int64)
    for layer in layers:
        sizes[layer] += 1
    at = n_layers - 1
    for i in range(n_layers):
        u -= 2.0 ** sizes[i] - 2.0
        if u < 0:
            at = i
            break
    if sizes[at] < 2:
        return -np.inf
    stay = 0
    while stay == 0 or stay == sizes[at]:
        stay = 0
        for j in range(p):
            if layers[j] == at:
                moves = rng.random() < 0.5
                new[j] = at + moves
                stay += not moves
    for j in range(p):
        if layers[j] > at:
            new[j] = layers[j] + 1
    return np.log(total / count_neighbours(new, n_layers + 1))


@njit(**_options)
def swap_two(layers, new, n_layers, rng):
    """Propose to exchange two nodes of different layers; symmetric."""
    if n_layers < 2:
        return -np.inf
    p = len(layers)
    a = b = 0
    while layers[a] == layers[b]:
        a, b = int(rng.random() * p), int(rng.random() * p)
    new[:] = layers
    new[a], new[b] = layers[b], layers[a]
    return 0.0


@njit(**_options)
def relocate(layers, new, rng):
    """Propose to put one node into any layer or any gap between layers of the others; symmetric."""
    p = len(layers)
    node = int(rng.random() * p)
    alone = True
    for j in range(p):
        alone &= j == node or layers[j] != layers[node]
    n_others = 0
    for j in range(p):
        if j != node:
            new[j] = layers[j] - (1 if alone and layers[j] > layers[node] else 0)
            n_others = max(n_others, new[j] + 1)
    place = int(rng.random() * (2 * n_others + 1))
    at = place // 2  # even places are gaps before layer `at`, odd ones are layers
    if place % 2 == 0:
        for j in range(p):
            if j != node and new[j] >= at:
                new[j] += 1
    new[node] = at
    return 0.0


@njit(**_options)
def draw_graph(t, U, T, sums, masks, rng):
    """Draw a graph of a partition; nodes choose independently."""
    for j in range(len(masks)):
        masks[j] = draw_set(t, j, U[j], T[j], sums[j], rng)


@njit(**_options)
def log_score(t, masks):
    """Log score of a graph."""
    total = 0.0
    for j in range(len(masks)):
        total += t.scores[t.starts[j] + masks[j]]
    return total


@njit(**_options)
def layer_graph(t, masks, layers):
    """Layers of a graph: longest paths from roots. The graph is acyclic."""
    p = len(masks)
    layers[:] = 0
    for _ in range(p):
        changed = False
        for j in range(p):
            for k in range(t.widths[j]):
                if masks[j] >> k & 1:
                    above = layers[t.candidates[j, k]] + 1
                    if above > layers[j]:
                        layers[j] = above
                        changed = True
        if not changed:
            return


@njit(**_options)
def sort_by_layer(layers, order):
    """List nodes by layer."""
    place = 0
    for layer in range(layers.max() + 1):
        for j in range(len(layers)):
            if layers[j] == layer:
                order[place] = j
                place += 1


@njit(**_options)
def _spread_parents(t, masks, j, words):
    """Write a node's parents as bits over all nodes, 64 to a word."""
    words[j] = 0
    for k in range(t.widths[j]):
        if masks[j] >> k & 1:
            i = t.candidates[j, k]
            words[j, i >> 6] |= np.uint64(1) << np.uint64(i & 63)


@njit(**_options)
def _below(words, order, root, skip, found, bits):
    """Descendants of a node where two nodes have lost their parents."""
    found[:] = False
    bits[:] = 0
    bits[root >> 6] |= np.uint64(1) << np.uint64(root & 63)
    for j in order:
        if j != root and j != skip:
            for w in range(len(bits)):
                if words[j, w] & bits[w]:
                    bits[j >> 6] |= np.uint64(1) << np.uint64(j & 63)
                    found[j] = True
                    break


@njit(**_options)
def _outside(t, j, first, second, other):
    """Candidates of a node that are in neither set and are not `other`."""
    mask = 0
    for k in range(t.widths[j]):
        c = t.candidates[j, k]
        mask |= np.int64(not first[c] and not second[c] and c != other) << k
    return mask


@njit(**_options)
def _size(mask):
    size = 0
    while mask:
        mask &= mask - 1
        size += 1
    return size


@njit(**_options)
def _reversible(t, masks):
    count = 0
    for j in range(len(masks)):
        count += _size(masks[j] & t.turnable[j])
    return count


@njit(**_options)
def _pick_edge(t, masks, n_edges, rng):
    left = int(rng.random() * n_edges)
    for j in range(len(masks)):
        some = masks[j] & t.turnable[j]
        size = _size(some)
        if left < size:
            for k in range(t.widths[j]):
                if some >> k & 1:
                    if left == 0:
                        return t.candidates[j, k], j
                    left -= 1
        left -= size
    return -1, -1


@njit(**_options)
def reverse_edges(t, layers, masks, n_times, rng):
    """Try to turn edges of a graph and draw both their ends' parents anew; changes `layers` and `masks`.

    Grzegorczyk and Husmeier (2008): the ends of x -> y are orphaned, x receives parents with y among them, then y any
    that close no circle. Returns how many were accepted.
    """
    p, accepted = len(masks), 0
    below_x, below_y, none = np.zeros(p, np.bool_), np.zeros(p, np.bool_), np.zeros(p, np.bool_)
    order, bits = np.zeros(p, np.int64), np.zeros((p + 63) // 64, np.uint64)
    words = np.zeros((p, len(bits)), np.uint64)
    for j in range(p):
        _spread_parents(t, masks, j, words)
    sort_by_layer(layers, order)
    for _ in range(n_times):
        n_edges = _reversible(t, masks)
        if n_edges == 0:
            return accepted
        x, y = _pick_edge(t, masks, n_edges, rng)
        _below(words, order, x, y, below_x, bits)
        _below(words, order, y, x, below_y, bits)
        U_x, T_x = _outside(t, x, below_x, none, -1), 1 << t.places[x, y]
        new_x = log_sum(t, x, U_x, T_x)
        U_y = _outside(t, y, below_x, below_y, x)
        new_y = t.sums[t.starts[y] + U_y]
        if new_x == -np.inf or new_y == -np.inf:
            continue
        old_y = log_sum(t, y, _outside(t, y, below_y, none, -1), 1 << t.places[y, x])
        old_x = t.sums[t.starts[x] + _outside(t, x, below_x, below_y, y)]
        gain = new_x + new_y - old_x - old_y
        log_u = np.log(rng.random())
        # No draw of parents leaves fewer edges than these; most reversals are rejected without one.
        fewest = n_edges - _size(masks[x] & t.turnable[x]) - _size(masks[y] & t.turnable[y]) + 1
        if log_u >= gain + np.log(n_edges / fewest):
            continue
        was_x, was_y = masks[x], masks[y]
        masks[x] = draw_set(t, x, U_x, T_x, new_x, rng)
        masks[y] = draw_set(t, y, U_y, 0, new_y, rng)
        if log_u < gain + np.log(n_edges / _reversible(t, masks)):
            accepted += 1
            _spread_parents(t, masks, x, words)
            _spread_parents(t, masks, y, words)
            layer_graph(t, masks, layers)
            sort_by_layer(layers, order)
        else:
            masks[x], masks[y] = was_x, was_y
    return accepted

"""Compiled loops of the choice of rows that stand for many."""

from __future__ import annotations

import numpy as np
from numba import njit

LEAST_GAIN = 1e-9

_options = {"cache": True, "nogil": True}


@njit(**_options)
def likeness(codes, width):
    """How alike any two rows are, m + m^2, with m the columns in which they agree; each has `width` codes."""
    n, d = codes.shape
    alike = np.empty((n, n), np.float32)
    for i in range(n):
        for j in range(i + 1):
            same = 0
            for c in range(d):
                same += codes[i, c] == codes[j, c]
            m = same / width
            alike[i, j] = alike[j, i] = m + m * m
    return alike


@njit(**_options)
def halve(alike, sides, shifts):
    """Exchange rows of the two sides, in place, as long as that brings the sides nearer to each other.

    Row t of one side is held against row t + shift of the other, for one shift after the other.
    """
    pull = np.zeros(len(alike))  # likeness to one side less likeness to the other
    half = len(sides) // 2
    for t in range(half):
        for j in sides:
            pull[j] += alike[sides[t], j] - alike[sides[half + t], j]
    for shift in shifts:
        exchanged = False
        for t in range(half):
            u = half + (t + shift) % half
            a, b = sides[t], sides[u]
            if pull[b] - pull[a] + alike[a, a] + alike[b, b] - 2 * alike[a, b] < -LEAST_GAIN:
                sides[t], sides[u] = b, a
                exchanged = True
                for j in sides:
                    pull[j] += 2 * (alike[b, j] - alike[a, j])
        if not exchanged:
            break

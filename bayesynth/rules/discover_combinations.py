"""Combinations of levels that never occur, where unrelated or merely correlated columns would have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np

from bayesynth.rules.discover_evidence import POSSIBLE, Evidence, Findings, Found, log_absent, weigh
from bayesynth.rules.discover_table import Field, Table

KIND = "fixed combinations"
MOST_LEVELS = 12
WORTHWHILE = 5.0  # a smaller logarithm of the chance could never be beyond it


def find_combinations(table: Table) -> Findings:
    """Search pairs of columns with combinations of levels that are absent though both levels are frequent."""
    pairs = list(combinations([field for field in table.leveled if field.n_levels <= MOST_LEVELS], 2))
    return Findings.of(_incomplete(table, pairs), len(pairs))


def _incomplete(table: Table, pairs: list[tuple[Field, Field]]) -> Iterator[Found]:
    for first, second in pairs:
        both = first.observed & second.observed
        counts = np.zeros((first.n_levels, second.n_levels))
        np.add.at(counts, (first.codes[both], second.codes[both]), 1)
        counts = counts[np.ix_(counts.any(axis=1), counts.any(axis=0))]
        determined = min((counts > 0).sum(axis=axis).max(initial=0) for axis in (0, 1)) <= 1
        if not counts.all() and not determined:
            evidence = _absence(table, counts, first, second)
            unseen = float((counts == 1).sum() / max(counts.sum(), 1))
            yield Found(KIND, (first.name, second.name), evidence, {"unseen": unseen})


def _absence(table: Table, counts: np.ndarray, first: Field, second: Field) -> Evidence:
    """Weigh the levels of one column that are absent at levels of the other one: from the side that says less."""
    one, other = (_absent_given(table, c, f) for c, f in ((counts, second), (counts.T, first)))
    least = max(one, other, key=lambda e: e.log_chance)
    if max(counts.shape) == 2 or least.log_chance > -WORTHWHILE:
        return least
    scores = [_ranks(counts.sum(axis=axis)) for axis in (1, 0)] if first.ordered and second.ordered else _axes(counts)
    smooth = -float(_trend(counts, *scores)[counts == 0].sum())
    return replace(least, log_chance=max(least.log_chance, smooth))


def _absent_given(table: Table, counts: np.ndarray, given: Field) -> Evidence:
    sizes = counts.sum(axis=0)
    share = counts.sum(axis=1) / counts.sum()
    absent = np.where(counts == 0, share[:, None], 0.0).sum(axis=0)
    chances = np.repeat(absent, sizes.astype(int))
    aside = int((chances >= POSSIBLE).sum() * table.aside[given.observed].mean())
    return replace(
        weigh(chances, np.zeros(len(chances), bool), float(log_absent(absent, sizes).sum())), kept_aside=aside
    )


def _trend(counts: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Expect counts where levels with scores u and v go together smoothly: linear-by-linear, with their margins."""
    goal = (np.outer(u, v) * counts).sum()
    low, high = -30.0, 30.0
    for _ in range(25):
        middle = (low + high) / 2
        fitted = _scaled(np.exp(middle * np.outer(u, v)), counts)
        low, high = (middle, high) if (np.outer(u, v) * fitted).sum() < goal else (low, middle)
    return fitted


def _ranks(counts: np.ndarray) -> np.ndarray:
    """Score ordered levels by their mid-ranks, standardised."""
    ranks = np.cumsum(counts) - counts / 2
    share = counts / counts.sum()
    centred = ranks - ranks @ share
    return centred / np.sqrt(centred**2 @ share)


def _axes(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score levels without an order by the first axis of their correspondence analysis."""
    shares = counts / counts.sum()
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    root = np.sqrt(np.outer(rows, columns))
    left, _, right = np.linalg.svd((shares - root**2) / root)
    return left[:, 0] / np.sqrt(rows), right[0] / np.sqrt(columns)


def _scaled(start: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Scale a table to given margins."""
    fitted = start / start.max()
    for _ in range(50):
        fitted = fitted * (counts.sum(axis=1) / fitted.sum(axis=1))[:, None]
        fitted = fitted * (counts.sum(axis=0) / fitted.sum(axis=0))
    return fitted

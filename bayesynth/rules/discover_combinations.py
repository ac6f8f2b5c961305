"""Combinations of levels that never occur, where unrelated or merely correlated columns would have them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from bayesynth.rules.discover_evidence import POSSIBLE, Evidence, Findings, Found
from bayesynth.rules.discover_table import Field, Table

KIND = "fixed combinations"
MOST_LEVELS = 12
WORTHWHILE = 5.0  # fewer expected rows could never be beyond chance


def find_combinations(table: Table) -> Findings:
    """Search pairs of columns with combinations of levels that are absent though both levels are frequent."""
    pairs = list(combinations([field for field in table.leveled if field.n_levels <= MOST_LEVELS], 2))
    return Findings.of(_incomplete(table, pairs), sum(first.n_levels * second.n_levels for first, second in pairs))


def _incomplete(table: Table, pairs: list[tuple[Field, Field]]) -> Iterator[Found]:
    for first, second in pairs:
        both = first.observed & second.observed
        counts = np.zeros((first.n_levels, second.n_levels))
        np.add.at(counts, (first.codes[both], second.codes[both]), 1)
        counts = counts[np.ix_(counts.any(axis=1), counts.any(axis=0))]
        determined = min((counts > 0).sum(axis=axis).max(initial=0) for axis in (0, 1)) <= 1
        if counts.all() or determined:
            continue
        support, expected, least = _absence(counts, first.ordered and second.ordered)
        aside = int(support * table.aside[both].mean())
        yield Found(KIND, (first.name, second.name), Evidence(support, expected, -least, aside))


def _absence(counts: np.ndarray, ordered: bool) -> tuple[int, float, float]:
    """Support, expected rows and the least of them among absent cells: the rule forbids all, the weakest counts."""
    absent = counts == 0
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    expected = np.outer(rows, columns) / counts.sum()
    if ordered and max(counts.shape) > 2 and expected[absent].min() > WORTHWHILE:
        expected = np.minimum(expected, _trend(counts))
    rarer = np.minimum.outer(rows, columns)
    support = np.where(expected >= POSSIBLE * rarer, rarer, 0)[absent].min()
    return int(support), float(expected[absent].sum()), float(expected[absent].min())


def _trend(counts: np.ndarray) -> np.ndarray:
    """Expect counts where ordered columns go together smoothly: linear-by-linear association with their margins."""
    u, v = (_scores(counts.sum(axis=axis)) for axis in (1, 0))
    goal = (np.outer(u, v) * counts).sum()
    low, high = -30.0, 30.0
    for _ in range(40):
        middle = (low + high) / 2
        fitted = _scaled(np.exp(middle * np.outer(u, v)), counts)
        low, high = (middle, high) if (np.outer(u, v) * fitted).sum() < goal else (low, middle)
    return fitted


def _scores(counts: np.ndarray) -> np.ndarray:
    """Mid-ranks of the levels, standardised."""
    ranks = np.cumsum(counts) - counts / 2
    share = counts / counts.sum()
    centred = ranks - ranks @ share
    return centred / np.sqrt(centred**2 @ share)


def _scaled(start: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Scale a table to given margins."""
    fitted = start / start.max()
    for _ in range(50):
        fitted = fitted * (counts.sum(axis=1) / fitted.sum(axis=1))[:, None]
        fitted = fitted * (counts.sum(axis=0) / fitted.sum(axis=0))
    return fitted

"""Columns that one or two others determine, and codings of a number by thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy.special import gammaln

from bayesynth.rules.discover_evidence import Evidence, Findings, Found, weigh
from bayesynth.rules.discover_table import Field, Table
from bayesynth.schema.kinds import MAX_LEVELS

DEPENDENCY, THRESHOLD = "functional dependency", "threshold coding"
MOST_LEVELS = 12  # of a column that is cut from a number


# --- functional dependencies ---


def find_dependencies(table: Table) -> Findings:
    """Search columns that are the same in all rows that share the value of one other column, or of two."""
    fields = _few_levels(table)
    targets = np.array([field.codes for field in fields], dtype=np.int64).reshape(len(fields), len(table)).T
    found = list(_determined(table, [(field,) for field in fields], targets))
    single = {(f.columns[0], f.columns[1]) for f in found}
    pairs = [pair for pair in combinations(fields, 2) if pair[0].n_levels * pair[1].n_levels <= MAX_LEVELS]
    found += [
        f
        for f in _determined(table, pairs, targets)
        if not {(name, f.columns[-1]) for name in f.columns[:-1]} & single and not set(_pairs(f)) & single
    ]
    return Findings.of(found, len(fields) * (len(fields) - 1) + len(pairs) * (len(fields) - 2))


def _few_levels(table: Table) -> list[Field]:
    return [field for field in table.varying if field.n_levels <= MAX_LEVELS]


def _pairs(found: Found) -> Iterator[tuple[str, str]]:
    """Name both ways in which one determinant could follow from the other."""
    first, second = found.columns[:2]
    yield from ((first, second), (second, first))


def _joint(fields: tuple[Field, ...]) -> np.ndarray:
    """Give each combination of values a number, -1 where one is blank."""
    codes = np.zeros(len(fields[0].codes), dtype=np.int64)
    for field in fields:
        codes = codes * field.n_levels + field.codes
    return np.where(np.all([field.observed for field in fields], axis=0), codes, -1)


def _determined(table: Table, determinants: list[tuple[Field, ...]], targets: np.ndarray) -> Iterator[Found]:
    fields = _few_levels(table)
    blank = np.where(targets < 0, np.iinfo(targets.dtype).max, targets)
    for chosen in determinants:
        codes = _joint(chosen)
        order = np.argsort(codes, kind="stable")[(codes < 0).sum() :]
        if not len(order):
            continue
        starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
        if len(starts) == len(order):
            continue
        lowest = np.minimum.reduceat(blank[order], starts, axis=0)
        highest = np.maximum.reduceat(targets[order], starts, axis=0)
        alike = np.all(lowest >= highest, axis=0)
        for j in np.flatnonzero(alike):
            if fields[j] not in chosen:
                evidence = _agreement(table, chosen, codes, fields[j])
                yield Found(DEPENDENCY, (*(field.name for field in chosen), fields[j].name), evidence)


def _agreement(table: Table, determinants: tuple[Field, ...], codes: np.ndarray, target: Field) -> Evidence:
    """Weigh repeats of the determinant's values, given nothing or either determinant alone: what says least."""
    known = np.flatnonzero((codes >= 0) & target.observed)
    alone = [np.zeros(len(codes), dtype=int)] if len(determinants) == 1 else [field.codes for field in determinants]
    return min(
        (_repeated(table, known, codes, outer, target.codes) for outer in alone), key=lambda e: (e.support, e.expected)
    )


def _repeated(table: Table, known: np.ndarray, codes: np.ndarray, outer: np.ndarray, target: np.ndarray) -> Evidence:
    groups, size = np.unique(codes[known], return_inverse=True, return_counts=True)[1:]
    first = np.zeros(len(size), dtype=int)
    first[groups[::-1]] = np.arange(len(known))[::-1]
    shares = _shares(outer[known], target[known])[first]  # of the target's levels, (groups, levels)
    agree = (shares**2).sum(axis=1)
    repeat = np.arange(len(known)) != first[groups]
    chances = (1 - agree)[groups][repeat]
    with np.errstate(divide="ignore"):
        log_all_alike = np.logaddexp.reduce(size[:, None] * np.log(shares), axis=1)
    return weigh(chances, table.aside[known][repeat], float(np.minimum(log_all_alike, 0.0).sum()))


def _shares(outer: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Shares of the target's levels among the rows that share a row's outer value, (rows, levels)."""
    rows, columns = (np.unique(codes, return_inverse=True)[1] for codes in (outer, target))
    counts = np.zeros((rows.max(initial=0) + 1, columns.max(initial=0) + 1))
    np.add.at(counts, (rows, columns), 1)
    return (counts / counts.sum(axis=1, keepdims=True))[rows]


# --- codings by thresholds ---


def find_thresholds(table: Table) -> Findings:
    """Search columns of few levels that each fill an interval of a number of their own."""
    pairs = [
        (x, y)
        for x in table.measured
        for y in table.varying
        if x is not y and y.n_levels <= MOST_LEVELS and x.n_levels >= 2 * y.n_levels
    ]
    return Findings.of(_cut(table, pairs), len(pairs))


def _cut(table: Table, pairs: list[tuple[Field, Field]]) -> Iterator[Found]:
    for x, y in pairs:
        both = np.flatnonzero(x.observed & y.observed)
        order = both[np.argsort(x.values[both], kind="stable")]
        values, codes = x.values[order], y.codes[order]
        changes = np.flatnonzero(np.diff(codes))
        levels = len(np.unique(codes))
        if levels < 2 or len(changes) != levels - 1 or np.any(values[changes] == values[changes + 1]):
            continue
        counts = np.bincount(codes)
        log_chance = gammaln(levels + 1) - gammaln(len(codes) + 1) + gammaln(counts + 1).sum()
        evidence = weigh(1 - counts[codes] / len(codes), table.aside[order], float(log_chance))
        facts = {
            "levels": [y.levels[code] for code in codes[np.append(changes, len(codes) - 1)]],
            "gaps": list(zip(values[changes].tolist(), values[changes + 1].tolist(), strict=True)),
        }
        yield Found(THRESHOLD, (x.name, y.name), evidence, facts)

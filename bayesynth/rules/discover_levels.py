"""Columns that one or two others determine, and codings of a number by thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy.special import expit, ndtri

from bayesynth.rules.discover_evidence import Evidence, Findings, Found, log_pure, weigh
from bayesynth.rules.discover_table import Field, Table
from bayesynth.schema.kinds import MAX_LEVELS

DEPENDENCY, THRESHOLD = "functional dependency", "threshold coding"
MOST_LEVELS = 12  # of a column that is cut from a number
STEEP = 10.0  # log odds per standard deviation: as closely as levels follow a number without a rule


# --- functional dependencies ---


def find_dependencies(table: Table) -> Findings:
    """Search columns that are the same in all rows that share the value of another column."""
    fields = _few_levels(table)
    return Findings.of(_determined(table, [(field,) for field in fields]), len(fields) * (len(fields) - 1))


def find_joint_dependencies(table: Table) -> Findings:
    """Search columns that are the same in all rows that share the values of two others, and of neither alone."""
    fields = _few_levels(table)
    single = {f.columns for f in _determined(table, [(field,) for field in fields])}
    pairs = [pair for pair in combinations(fields, 2) if pair[0].n_levels * pair[1].n_levels <= MAX_LEVELS]
    found = (f for f in _determined(table, pairs) if not single & _simpler(*f.columns))
    return Findings.of(found, len(pairs) * (len(fields) - 2))


def _simpler(first: str, second: str, target: str) -> set[tuple[str, ...]]:
    """Name the single dependencies of which one makes a determinant needless."""
    return {(first, target), (second, target), (first, second), (second, first)}


def _few_levels(table: Table) -> list[Field]:
    return [field for field in table.varying if field.n_levels <= MAX_LEVELS]


def _joint(fields: tuple[Field, ...]) -> np.ndarray:
    """Give each combination of values a number, -1 where one is blank."""
    codes = np.zeros(len(fields[0].codes), dtype=np.int64)
    for field in fields:
        codes = codes * field.n_levels + field.codes
    return np.where(np.all([field.observed for field in fields], axis=0), codes, -1)


def _determined(table: Table, determinants: list[tuple[Field, ...]]) -> Iterator[Found]:
    fields = _few_levels(table)
    targets = np.array([field.codes for field in fields], dtype=np.int64).reshape(len(fields), len(table)).T
    blank = np.where(targets < 0, np.iinfo(targets.dtype).max, targets)
    for chosen in determinants:
        codes = _joint(chosen)
        order = np.argsort(codes, kind="stable")[(codes < 0).sum() :]
        starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
        if len(starts) in (0, len(order)):
            continue
        lowest = np.minimum.reduceat(blank[order], starts, axis=0)
        highest = np.maximum.reduceat(targets[order], starts, axis=0)
        for j in np.flatnonzero(np.all(lowest >= highest, axis=0)):
            if fields[j] not in chosen and not (len(chosen) == 1 and _in_order(chosen[0], fields[j])):
                evidence = _agreement(table, chosen, codes, fields[j])
                names = tuple(field.name for field in (*chosen, fields[j]))
                yield Found(DEPENDENCY, names, evidence, {"unseen": _unseen(codes, fields[j])})


def _in_order(x: Field, y: Field) -> bool:
    """Whether levels follow a number in order: a coding by thresholds, which is judged as such."""
    both = x.observed & y.observed
    changes = np.count_nonzero(np.diff(y.codes[both][np.argsort(x.codes[both], kind="stable")]))
    return _codable(x, y) and changes < len(np.unique(y.codes[both]))


def _unseen(codes: np.ndarray, target: Field) -> float:
    """Estimate how often a combination comes that the table does not have: Good and Turing's share of single ones."""
    seen = np.unique(codes[(codes >= 0) & target.observed], return_counts=True)[1]
    return float((seen == 1).sum() / max(seen.sum(), 1))


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
    return weigh(chances, table.aside[known][repeat], float(log_pure(shares, size).sum()))


def _shares(outer: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Shares of the target's levels among the rows that share a row's outer value, (rows, levels)."""
    rows, columns = (np.unique(codes, return_inverse=True)[1] for codes in (outer, target))
    counts = np.zeros((rows.max(initial=0) + 1, columns.max(initial=0) + 1))
    np.add.at(counts, (rows, columns), 1)
    return (counts / counts.sum(axis=1, keepdims=True))[rows]


# --- codings by thresholds ---


def find_thresholds(table: Table) -> Findings:
    """Search columns of few levels that each fill an interval of a number of their own."""
    pairs = [(x, y) for x in table.measured for y in table.varying if x is not y and _codable(x, y)]
    return Findings.of(_cut(table, pairs), len(pairs))


def _codable(x: Field, y: Field) -> bool:
    return x.sort != "level" and y.n_levels <= MOST_LEVELS and x.n_levels >= 2 * y.n_levels


def _cut(table: Table, pairs: list[tuple[Field, Field]]) -> Iterator[Found]:
    for x, y in pairs:
        both = np.flatnonzero(x.observed & y.observed)
        order = both[np.argsort(x.values[both], kind="stable")]
        values, codes = x.values[order], y.codes[order]
        changes = np.flatnonzero(np.diff(codes))
        levels = len(np.unique(codes))
        if levels < 2 or len(changes) != levels - 1 or np.any(values[changes] == values[changes + 1]):
            continue
        gaps = np.column_stack((values[changes], values[changes + 1]))
        evidence = weigh(confusion(values, gaps.mean(axis=1)), table.aside[order])
        facts = {
            "levels": [y.levels[code] for code in codes[np.append(changes, len(codes) - 1)]],
            "gaps": gaps.tolist(),
        }
        yield Found(THRESHOLD, (x.name, y.name), evidence, facts)


def confusion(x: np.ndarray, edges: np.ndarray) -> np.ndarray:
    r"""Probability that each row had another level, did levels follow x closely but without a rule.

    Next to an edge e a logistic curve of slope :math:`\beta` per standard deviation leaves
    :math:`1/\{1 + \exp(\beta |x_i - e| / s)\}`. Of x, its logarithm and its normal scores the scale counts on which
    rows are furthest from the edges: levels on both sides of a wide gap need no rule.

    Parameters
    ----------
    x : array of float
        The numbers, (rows,).
    edges : array of float
        Where the levels meet, (edges,).
    """
    ordered = np.sort(x)
    places = [np.searchsorted(ordered, v, "left") + np.searchsorted(ordered, v, "right") for v in (x, edges)]
    scales = [(x, edges), tuple(ndtri(np.clip(place / (2 * len(x)), 0, 1)) for place in places)]
    if ordered[0] > 0:
        scales.append((np.log(x), np.log(edges)))
    found = []
    for values, bounds in scales:
        nearest = np.abs(values[:, None] - bounds).min(axis=1)
        found.append(expit(-STEEP * nearest / np.std(values)))
    return min(found, key=np.sum)

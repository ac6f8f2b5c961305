"""Distances between rows of mixed columns, in the manner of Gower: the share of what two rows do not have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesynth.diagnostics.reading import TableReader
from bayesynth.schema import Column, Kind
from bayesynth.schema.kinds import NOMINAL

CELLS_AT_ONCE = 8_000_000
SPAN = (0.05, 0.95)  # quantiles of a numeric column that are a distance of 1 apart
APART = 1e6  # farther than any value is from another; blanks lie there together


@dataclass(frozen=True)
class Gower:
    r"""Mean over columns of a distance between 0 and 1 in each.

    .. math:: d(x, y) = \frac1p \sum_j \min\left(1, \frac{|x_j - y_j|}{s_j}\right)

    with :math:`s_j` the distance between the 5% and 95% quantiles of the rows that the distances are measured to, one
    level for a binary or categorical column, and the first to the last level for an ordinal one. Two blanks have
    distance 0, a blank and a value 1.

    Parameters
    ----------
    levelled : ndarray of bool, shape (columns,)
        Columns with levels.
    centres, steps : ndarray, shape (columns,)
        Middle of each numeric column, which keeps digits where numbers are large, and :math:`s_j`.

    Notes
    -----
    Gower (1971), doi:10.2307/2528823.
    """

    levelled: np.ndarray
    centres: np.ndarray
    steps: np.ndarray

    @classmethod
    def of(cls, reader: TableReader, values: np.ndarray) -> Gower:
        """Take the scale of each column from rows as `TableReader.values` gives them, shape (n, columns)."""
        levelled = np.array([column.kind in NOMINAL for column in reader.columns])
        steps = [_step(column, values[:, i]) for i, column in enumerate(reader.columns)]
        known = [v[~np.isnan(v)] for v in values.T]
        centres = [0.0 if nominal or not len(v) else np.median(v) for v, nominal in zip(known, levelled, strict=True)]
        return cls(levelled, np.array(centres), np.array(steps))

    def place(self, values: np.ndarray) -> np.ndarray:
        """Write rows as points between which capped differences are distances, shape (n, columns)."""
        placed = np.array((values - self.centres) / self.steps, dtype=np.float32)
        placed[(values < 0) & self.levelled] = -APART  # a level that the fitted rows lack
        placed[np.isnan(values)] = APART
        return placed

    def blocks(self, first: np.ndarray, second: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Distances of placed rows to others, some rows at a time so that memory stays bounded.

        Parameters
        ----------
        first, second : ndarray, shapes (n, columns) and (k, columns)
            Rows as `place` writes them.

        Yields
        ------
        rows : slice
            Of the first.
        distances : ndarray, shape (rows, k)
        """
        step = max(1, CELLS_AT_ONCE // max(len(second), 1))
        across = np.ascontiguousarray(second.T)
        for start in range(0, len(first), step):
            rows = slice(start, min(start + step, len(first)))
            total = np.zeros((rows.stop - start, len(second)), dtype=np.float32)
            for j, theirs in enumerate(across):
                total += np.minimum(np.abs(first[rows, j, None] - theirs), 1.0)
            yield rows, total / max(len(across), 1)

    def nearest(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Distance of each placed row to the nearest of others, shape (n,)."""
        found = np.empty(len(first))
        for rows, distances in self.blocks(first, second):
            found[rows] = distances.min(axis=1)
        return found


def _step(column: Column, values: np.ndarray) -> float:
    if column.kind is Kind.ORDINAL:
        return float(len(column.levels) - 1)
    known = values[~np.isnan(values)]
    if column.kind in NOMINAL or not len(known):
        return 1.0
    low, high = np.quantile(known, SPAN)
    return float(high - low) or float(np.ptp(known)) or 1.0

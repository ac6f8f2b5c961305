"""What figures of fidelity are made of, in arrays: histograms of column groups, patterns of blanks, associations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

CELLS_AT_ONCE = 4_000_000
FEWEST_PAIRS = 5  # rows with both values, below which an association says nothing
NO_SPREAD = 1e-12


@dataclass(frozen=True)
class Groups:
    """Sets of columns whose joint histograms are taken.

    Parameters
    ----------
    members : ndarray of int, shape (groups, k)
        Columns of each group.
    sizes : ndarray of int, shape (columns,)
        Number of codes of each column.
    """

    members: np.ndarray
    sizes: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """Where each group's cells begin, shape (groups,)."""
        return np.concatenate([[0], np.cumsum(self._cells)[:-1]])

    @property
    def _cells(self) -> np.ndarray:
        return self.sizes[self.members].prod(axis=1)

    def counts(self, codes: np.ndarray) -> np.ndarray:
        """Rows in each cell of each group, one group after another, shape (cells,)."""
        starts, total = self.starts, int(self._cells.sum())
        counts = np.zeros(total)
        step = max(1, CELLS_AT_ONCE // max(len(codes), 1))
        for first in range(0, len(self.members), step):
            members = self.members[first : first + step]
            cell = codes[:, members[:, 0]]
            for k in range(1, members.shape[1]):
                cell = cell * self.sizes[members[:, k]] + codes[:, members[:, k]]
            counts += np.bincount((cell + starts[first : first + step]).ravel(), minlength=total)
        return counts


def groups_of(sizes: np.ndarray, k: int) -> Groups:
    """All groups of k columns, of which there must be one."""
    return Groups(np.array(list(combinations(range(len(sizes)), k)), dtype=np.int64), sizes)


def joint_codes(tables: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Give a number to each row that occurs in any of several tables, shapes (n, columns) to (n,)."""
    _, place = np.unique(np.concatenate(tables), axis=0, return_inverse=True)
    return np.split(place.reshape(-1), np.cumsum([len(table) for table in tables])[:-1])


def label_patterns(blanks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Give a number to each pattern of blanks that occurs in any of several tables.

    Parameters
    ----------
    blanks : sequence of ndarray of bool, shape (n, columns)
        Where each table is blank.

    Returns
    -------
    list of ndarray of int, shape (n,)
        The pattern of each row.
    """
    return joint_codes([np.packbits(table, axis=1) for table in blanks])


def correlations(scores: np.ndarray) -> np.ndarray:
    """Correlations between columns with blanks, each pair over the rows that have both.

    Parameters
    ----------
    scores : ndarray, shape (n, q)
        Values, NaN where blank.

    Returns
    -------
    ndarray, shape (q, q)
        NaN where fewer than 5 rows have both, 0 where a column does not vary.

    Examples
    --------
    >>> correlations(np.array([[1.0, 1.0], [2.0, 4.0], [3.0, 5.0], [4.0, 8.0], [5.0, np.nan], [6.0, 9.0]])).round(3)
    array([[1.   , 0.956],
           [0.956, 1.   ]])
    """
    seen = (~np.isnan(scores)).astype(float)
    centre = np.nan_to_num(scores).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    known = np.nan_to_num(scores - centre)
    n = seen.T @ seen
    safe = np.maximum(n, 1)
    sums, squares, products = known.T @ seen, (known**2).T @ seen, known.T @ known
    covariance = products / safe - sums * sums.T / safe**2
    variance = squares / safe - (sums / safe) ** 2
    varies = (variance > NO_SPREAD) & (variance.T > NO_SPREAD)
    spread = np.sqrt(np.where(varies, variance * variance.T, 1.0))
    return np.where(n >= FEWEST_PAIRS, np.where(varies, covariance / spread, 0.0), np.nan)


def correlation_ratios(scores: np.ndarray, level: np.ndarray) -> np.ndarray:
    r"""Share of each score's standard deviation that lies between levels.

    .. math:: \eta = \sqrt{\mathrm{Var}\,E(x \mid c) / \mathrm{Var}\,x}

    Parameters
    ----------
    scores : ndarray, shape (n, q)
        Numbers, NaN where blank.
    level : ndarray, shape (n, levels)
        1 for the level that a row has, 0 elsewhere; no 1 where blank.

    Returns
    -------
    ndarray, shape (q,)
        NaN where fewer than 5 rows have both, 0 where a score does not vary.

    Examples
    --------
    >>> correlation_ratios(np.array([[1.0], [1], [1], [2], [2]]), np.eye(2)[[0, 0, 0, 1, 1]]).round(12)
    array([1.])
    """
    known, values = (~np.isnan(scores)).astype(float), np.nan_to_num(scores)
    n, sums, squares = level.T @ known, level.T @ values, level.T @ values**2
    rows = np.maximum(n.sum(axis=0), 1.0)
    centre = sums.sum(axis=0) ** 2 / rows
    total = squares.sum(axis=0) - centre
    between = (sums**2 / np.maximum(n, 1.0)).sum(axis=0) - centre
    ratio = np.sqrt(np.clip(between / np.where(total > NO_SPREAD * rows, total, np.inf), 0.0, 1.0))
    return np.where(n.sum(axis=0) >= FEWEST_PAIRS, ratio, np.nan)


def cramers_v(first: np.ndarray, second: np.ndarray) -> float:
    r"""Cramér's V of two columns of levels, given as in `correlation_ratios`; NaN where fewer than 5 rows have both.

    .. math:: V = \sqrt{\chi^2 / (n \min(J - 1, K - 1))}

    Examples
    --------
    >>> levels = np.eye(3)[[0, 0, 1, 1, 2, 2]]
    >>> round(cramers_v(levels, levels), 12)
    1.0
    """
    table = first.T @ second
    return v_of_counts(table) if table.sum() >= FEWEST_PAIRS else np.nan


def v_of_counts(table: np.ndarray) -> float:
    """Cramér's V of a contingency table with any rows in it, see `cramers_v`."""
    n = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    chi2 = np.divide((table - expected) ** 2, expected, out=np.zeros(table.shape), where=expected > 0).sum()
    return float(np.sqrt(chi2 / (n * max(min(table.shape) - 1, 1))))

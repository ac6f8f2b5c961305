"""What is compared between two sets of rows, computed once for each set: histograms and rank correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from scipy.stats import rankdata

CELLS_AT_ONCE = 4_000_000
FEWEST_PAIRS = 5  # rows with both values, below which a correlation says nothing


@dataclass(frozen=True)
class Rows:
    """A table as codes.

    Parameters
    ----------
    codes : ndarray of int, shape (n, columns)
        Bins; the last code of a column is a blank.
    scores : ndarray, shape (n, ranked)
        Values of the columns that have an order, NaN where blank.
    patterns : ndarray of int, shape (n,)
        Which pattern of blanks each row has.
    """

    codes: np.ndarray
    scores: np.ndarray
    patterns: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: np.ndarray) -> Rows:
        """Pick some of the rows."""
        return Rows(self.codes[rows], self.scores[rows], self.patterns[rows])


@dataclass(frozen=True)
class Groups:
    """Sets of columns whose joint histograms are compared.

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

    def histogram(self, codes: np.ndarray) -> np.ndarray:
        """Share of rows in each cell of each group, one group after another, shape (cells,)."""
        starts, total = self.starts, int(self._cells.sum())
        counts = np.zeros(total)
        step = max(1, CELLS_AT_ONCE // max(len(codes), 1))
        for first in range(0, len(self.members), step):
            members = self.members[first : first + step]
            cell = codes[:, members[:, 0]]
            for k in range(1, members.shape[1]):
                cell = cell * self.sizes[members[:, k]] + codes[:, members[:, k]]
            counts += np.bincount((cell + starts[first : first + step]).ravel(), minlength=total)
        return counts / len(codes)

    def distance(self, first: np.ndarray, second: np.ndarray) -> float:
        """Mean over groups of the total variation distance between two histograms."""
        return float(np.add.reduceat(np.abs(first - second), self.starts).mean() / 2)


def groups_of(sizes: np.ndarray, k: int, at_most: int | None, rng: np.random.Generator) -> Groups:
    """All groups of k columns, or a random choice of them."""
    p = len(sizes)
    if at_most is None or comb(p, k) <= at_most:
        members = list(combinations(range(p), k))
    else:
        chosen: dict[tuple[int, ...], None] = {}
        while len(chosen) < at_most:
            chosen[tuple(sorted(rng.choice(p, k, replace=False).tolist()))] = None
        members = list(chosen)
    return Groups(np.array(members, dtype=np.int64).reshape(-1, k), sizes)


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
    packed = np.concatenate([np.packbits(table, axis=1) for table in blanks])
    _, place = np.unique(packed, axis=0, return_inverse=True)
    return np.split(place.reshape(-1), np.cumsum([len(table) for table in blanks])[:-1])


def rank_correlations(scores: np.ndarray) -> np.ndarray:
    r"""Spearman correlations between columns with blanks.

    Each column is ranked among its own values, and each pair is correlated over the rows that have both,

    .. math:: \rho_{jk} = \mathrm{cor}(r_j, r_k \mid \text{both observed}).

    Parameters
    ----------
    scores : ndarray, shape (n, q)
        Values, NaN where blank.

    Returns
    -------
    ndarray, shape (q (q - 1) / 2,)
        One correlation for each pair of columns, NaN where fewer than 5 rows have both or a column does not vary.

    Examples
    --------
    >>> rank_correlations(np.array([[1.0, 1.0], [2.0, 4.0], [3.0, 9.0], [4.0, 16.0], [5.0, 25.0]])).round(12)
    array([1.])
    """
    seen = ~np.isnan(scores)
    ranks = np.zeros(scores.shape)
    for j in range(scores.shape[1]):
        here = seen[:, j]
        if here.any():
            ranks[here, j] = rankdata(scores[here, j]) / here.sum() - 0.5
    weight = seen.astype(float)
    n = weight.T @ weight
    sums, squares, products = ranks.T @ weight, (ranks**2).T @ weight, ranks.T @ ranks
    safe = np.maximum(n, 1)
    covariance = products / safe - sums * sums.T / safe**2
    variance = squares / safe - (sums / safe) ** 2
    spread = np.sqrt(np.maximum(variance * variance.T, 0.0))
    known = (n >= FEWEST_PAIRS) & (variance > 1e-12) & (variance.T > 1e-12)
    rho = np.where(known, covariance / np.where(known, spread, 1.0), np.nan)
    return rho[np.triu_indices(scores.shape[1], 1)]

"""Two columns at a time: whether their values, and their blanks, come together alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesynth.diagnostics.distances import Groups, groups_of
from bayesynth.diagnostics.measures import Aspect, Measure
from bayesynth.diagnostics.setting import Sample, Setting


class Pairs(Measure):
    r"""Standardised propensity mean squared error of every two-way table [Snoke2018]_.

    Columns are cut into five bins at quantiles of the real column, the same for all tables; levels are bins, and so is
    a blank. With :math:`o_j` and :math:`s_j` rows of the two sides in cell j, N rows in all, a share c of them on the
    second side and J cells that are not empty,

    .. math:: \mathrm{pMSE} = \frac1N \sum_j (o_j + s_j) \left(\frac{s_j}{o_j + s_j} - c\right)^2, \quad
              S = \frac{\mathrm{pMSE}}{(J - 1)\,c\,(1-c)^2 / N}.

    S is about 1 where only the second side varies by chance, as with rows drawn from one fitted model; two independent
    samples, and proper synthesis, score about :math:`1 / (1 - c)`.
    """

    weight = 3.0

    def __init__(self, setting: Setting, rng: np.random.Generator):
        super().__init__(setting, rng)
        sizes = setting.reader.sizes
        self._groups: Groups | None = groups_of(sizes, 2) if len(sizes) > 1 else None

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """Mean over pairs."""
        meaning = (
            "How well two-way tables of columns, blanks included, tell synthetic rows from real ones, mean over pairs "
            "(S_pMSE): two samples of the same patients score about 2, and a synthetic table should score no more."
        )
        return (Aspect("pairs", meaning, 0.5, lacking="" if self._groups else "there is only one column"),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Pairs of names."""
        names = self.setting.reader.names
        return tuple(f"{names[i]} ~ {names[j]}" for i, j in self._groups.members)

    def prepare(self, sample: Sample) -> np.ndarray:
        """Shared bins, shape (n, columns)."""
        return self.setting.reader.bins(sample.values)

    def profile(self, prepared: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Rows in each cell of each pair, shape (cells,)."""
        return self._groups.counts(prepared[rows])

    def parts_between(self, reference: np.ndarray, other: np.ndarray) -> np.ndarray:
        """S_pMSE of each pair."""
        return standardised_pmse(reference, other, self._groups.starts)

    def details(self, aspect: Aspect) -> Mapping[str, np.ndarray]:
        """Name the two columns."""
        names = np.array([str(name) for name in self.setting.reader.names], dtype=object)
        first, second = self._groups.members.T
        return {"first": names[first], "second": names[second]}


def standardised_pmse(ours: np.ndarray, theirs: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """S_pMSE of contingency tables that stand one after another.

    Parameters
    ----------
    ours, theirs : ndarray, shape (cells,)
        Rows in each cell.
    starts : ndarray of int, shape (tables,)
        Where each table begins.

    Returns
    -------
    ndarray, shape (tables,)
        NaN for a table of one cell.

    Examples
    --------
    >>> standardised_pmse(np.array([3.0, 1.0]), np.array([1.0, 3.0]), np.array([0]))
    array([4.])
    """
    both = ours + theirs
    rows = np.add.reduceat(both, starts)
    share = np.add.reduceat(theirs, starts) / rows
    squares = np.divide(theirs**2, both, out=np.zeros(len(both)), where=both > 0)
    pmse = np.add.reduceat(squares, starts) / rows - share**2
    expected = (np.add.reduceat((both > 0).astype(float), starts) - 1) * share * (1 - share) ** 2 / rows
    return np.divide(pmse, expected, out=np.full(len(starts), np.nan), where=expected > 0)

"""One column at a time: whether its values are spread alike."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesynth.diagnostics.measures import Aspect, Measure
from bayesynth.diagnostics.setting import Sample, Setting
from bayesynth.schema.kinds import NOMINAL

STEPS = 200  # places of a numeric column at which its distribution function is compared
QUANTILES = (0.1, 0.5, 0.9)


class Columns(Measure):
    r"""Distance of each column's observed values.

    For numbers and dates the Kolmogorov distance :math:`\max_x |F(x) - G(x)|` at up to 200 quantiles x of the real
    column, for levels the total variation :math:`\frac12\sum_c|p_c - q_c|`, blanks left out. One less these are the
    "complements" of other tools. A column of which one side has values and the other none is at distance 1.
    """

    def __init__(self, setting: Setting, rng: np.random.Generator):
        super().__init__(setting, rng)
        self._is_nominal = np.array([column.kind in NOMINAL for column in setting.reader.columns])
        real = setting.real.values.T
        self._grids = [None if nominal else _grid(x) for nominal, x in zip(self._is_nominal, real, strict=True)]
        bins = setting.reader.sizes - 1
        self._sizes = np.array([b if g is None else 2 * len(g) + 1 for b, g in zip(bins, self._grids, strict=True)]) + 1
        self._starts = np.concatenate([[0], np.cumsum(self._sizes)[:-1]])

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """Mean over columns."""
        meaning = (
            "How differently the values of a column are spread, mean over columns: the largest difference between two "
            "cumulative shares, or for levels the share of rows that would have to change. 0 is the same."
        )
        return (Aspect("columns", meaning, 0.02),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(str(name) for name in self.setting.reader.names)

    def prepare(self, sample: Sample) -> np.ndarray:
        """Fine bins of each column, shape (n, columns); a blank is in the last one."""
        found = self.setting.reader.bins(sample.values)
        for i, grid in enumerate(self._grids):
            if grid is not None:
                x = sample.values[:, i]
                found[:, i] = np.searchsorted(grid, x, "left") + np.searchsorted(grid, x, "right")
        return np.where(np.isnan(sample.values), self._sizes - 1, found) + self._starts

    def profile(self, prepared: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Share of the observed values in each bin of each column, one column after another; 0 if all are blank."""
        counts = np.bincount(prepared[rows].ravel(), minlength=int(self._sizes.sum())).astype(float)
        counts[self._starts + self._sizes - 1] = 0.0
        totals = np.add.reduceat(counts, self._starts)
        return counts / np.repeat(np.maximum(totals, 1.0), self._sizes)

    def parts_between(self, reference: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Distance of each column."""
        masses = np.array([np.add.reduceat(side, self._starts) > 0 for side in (reference, other)])
        apart = reference - other
        variation = np.add.reduceat(np.abs(apart), self._starts) / 2
        steps = np.cumsum(np.where(masses.all(axis=0).repeat(self._sizes), apart, 0.0))
        found = np.where(self._is_nominal, variation, np.maximum.reduceat(np.abs(steps), self._starts))
        return np.where(masses.all(axis=0), found, np.where(masses.any(axis=0), 1.0, np.nan))

    def details(self, aspect: Aspect) -> Mapping[str, np.ndarray]:
        """Differences of means and quantiles of whole tables in real standard deviations, median over tables."""
        ours = _moments(self.setting.real, self._is_nominal)
        theirs = np.array([_moments(table, self._is_nominal) for table in self.setting.tables])
        apart = (theirs[:, :-1] - ours[:-1]) / np.where(ours[-1] > 0, ours[-1], np.nan)
        names = ["mean_difference", *(f"q{round(100 * q)}_difference" for q in QUANTILES)]
        return {name: pd.DataFrame(apart[:, i]).median().to_numpy() for i, name in enumerate(names)}


def _grid(values: np.ndarray) -> np.ndarray:
    """Distinct values of a column, or quantiles if there are too many."""
    known = values[~np.isnan(values)]
    grid = np.unique(known)
    if len(grid) > STEPS:
        grid = np.unique(np.quantile(known, np.linspace(0, 1, STEPS), method="inverted_cdf"))
    return grid


def _moments(sample: Sample, is_nominal: np.ndarray) -> np.ndarray:
    """Mean, quantiles and standard deviation of each column with numbers, NaN for others, shape (5, columns)."""
    found = np.full((len(QUANTILES) + 2, len(is_nominal)), np.nan)
    for i in np.flatnonzero(~is_nominal):
        x = sample.values[~np.isnan(sample.values[:, i]), i]
        if len(x):
            found[:, i] = x.mean(), *np.quantile(x, QUANTILES), x.std()
    return found

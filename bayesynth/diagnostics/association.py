"""How strongly columns go together, and what blanks depend on: one number per pair, real and synthetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesynth.diagnostics.blanks import NO_BLANKS, blank_columns
from bayesynth.diagnostics.distances import correlation_ratios, correlations, cramers_v
from bayesynth.diagnostics.measures import Aspect, Measure
from bayesynth.diagnostics.reading import TableReader
from bayesynth.diagnostics.setting import Sample, Setting, ordered_columns, ranks_in


@dataclass(frozen=True)
class Variables:
    """A table as associations take it.

    Parameters
    ----------
    scores : ndarray, shape (n, ordered)
        Numbers, NaN where blank.
    levels : tuple of ndarray, shape (n, levels)
        For each column without order, which level a row has; no level where blank.
    """

    scores: np.ndarray
    levels: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, reader: TableReader, real: np.ndarray, values: np.ndarray, blanks: np.ndarray) -> Variables:
        """Take ranks within the real table, indicators of blanks after them, and levels.

        Parameters
        ----------
        reader : TableReader
            The columns.
        real, values : ndarray, shapes (n, columns) and (rows, columns)
            Numbers as it reads them.
        blanks : ndarray of int
            Columns whose blanks count.
        """
        ordered = ordered_columns(reader)
        ranks = [ranks_in(real[:, i], values[:, i]) for i in np.flatnonzero(ordered)]
        scores = np.column_stack([*ranks, np.isnan(values[:, blanks])])
        levels = [values[:, [i]] == np.arange(len(reader.columns[i].levels)) for i in np.flatnonzero(~ordered)]
        return cls(scores, tuple(level.astype(float) for level in levels))

    def take(self, rows: np.ndarray) -> Variables:
        """Pick some of the rows."""
        return Variables(self.scores[rows], tuple(level[rows] for level in self.levels))

    def matrix(self) -> np.ndarray:
        """Association of all variables, ordered ones first; NaN where fewer than 5 rows have both.

        Correlation of two ordered ones, correlation ratio of an ordered one and levels, Cramér's V of levels. What does
        not vary goes with nothing.
        """
        q = self.scores.shape[1]
        found = np.full((q + len(self.levels),) * 2, np.nan)
        found[:q, :q] = correlations(self.scores)
        for i, level in enumerate(self.levels):
            found[q + i, :q] = found[:q, q + i] = correlation_ratios(self.scores, level)
            for j in range(i):
                found[q + i, q + j] = found[q + j, q + i] = cramers_v(level, self.levels[j])
        return found


class Associations(Measure):
    r"""Absolute difference of the association of each pair, :math:`|a_{jk} - a'_{jk}|`, over the rows that have both.

    Numbers, dates, ordered levels and two levels enter as ranks within the real column, the same for all tables. What
    blanks depend on is the association of each column's indicator of a blank with other columns and their indicators.
    """

    weight = 2.0

    def __init__(self, setting: Setting, rng: np.random.Generator):
        super().__init__(setting, rng)
        ordered = ordered_columns(setting.reader)
        self._blank = blank_columns(setting)
        p, q, b = len(ordered), int(ordered.sum()), len(self._blank)
        self._place = np.empty(p + b, np.int64)  # of columns, then indicators, among the variables
        self._place[:p][ordered] = np.arange(q)
        self._place[p:] = q + np.arange(b)
        self._place[:p][~ordered] = q + b + np.arange(p - q)
        first, second = np.triu_indices(p + b, 1)
        own = np.concatenate([np.full(p, -1), self._blank])
        kept = (own[second] != first) | (second < p)
        self._first, self._second = first[kept], second[kept]
        self._of_blanks = self._second >= p

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """Mean and largest difference between columns, and mean difference for blanks."""
        scale = "correlation, correlation ratio or Cramér's V, from 0 to 1; 0 is the same"
        pairs, blanks = np.flatnonzero(~self._of_blanks), np.flatnonzero(self._of_blanks)
        one = "" if len(pairs) else "there is only one column"
        lacking = "there is only one column" if len(self._blank) and not len(blanks) else NO_BLANKS
        return (
            Aspect(
                "association",
                f"Difference in how strongly two columns go together, mean over pairs ({scale}).",
                0.02,
                named=pairs,
                lacking=one,
            ),
            Aspect(
                "largest association",
                f"Difference in how strongly two columns go together, in the pair where it is largest ({scale}).",
                0.1,
                largest,
                pairs,
                one,
            ),
            Aspect(
                "missingness dependence",
                "Difference in how strongly it depends on other columns, and on their blanks, whether a value is "
                f"missing, mean over pairs ({scale}).",
                0.02,
                named=blanks,
                lacking="" if len(blanks) else lacking,
            ),
        )

    @property
    def parts(self) -> tuple[str, ...]:
        """Pairs of names."""
        return tuple(f"{first} ~ {second}" for first, second in zip(*self._names(slice(None)), strict=True))

    def prepare(self, sample: Sample) -> Variables:
        """Ranks, indicators and levels."""
        return Variables.of(self.setting.reader, self.setting.real.values, sample.values, self._blank)

    def profile(self, prepared: Variables, rows: np.ndarray) -> np.ndarray:
        """Association of each pair."""
        return prepared.take(rows).matrix()[self._place[self._first], self._place[self._second]]

    def parts_between(self, reference: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Difference of the associations."""
        return np.abs(reference - other)

    def details(self, aspect: Aspect) -> Mapping[str, np.ndarray]:
        """Give the two columns, and associations in whole tables, median over synthetic ones."""
        first, second = self._names(aspect.named)
        real, drawn = (found[aspect.named] for found in self._whole)
        return {"first": first, "second": second, "real_association": real, "synthetic_association": drawn}

    @cached_property
    def _whole(self) -> tuple[np.ndarray, np.ndarray]:
        """Associations in the whole real table, and their median over whole synthetic ones."""
        tables = self.setting.real, *self.setting.tables[: self.most_tables]
        real, *drawn = (self.profile(self.prepare(table), np.arange(len(table))) for table in tables)
        return real, pd.DataFrame(drawn).median().to_numpy()

    def _names(self, some: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Names of both columns of some pairs, that of a blank first."""
        names = [str(name) for name in self.setting.reader.names]
        names = np.array([*names, *(f"blank({names[i]})" for i in self._blank)], dtype=object)
        first, second = names[self._first[some]], names[self._second[some]]
        of_blanks = self._of_blanks[some]
        return np.where(of_blanks, second, first), np.where(of_blanks, first, second)


def largest(parts: np.ndarray) -> np.ndarray:
    """Largest part of each comparison, shape (comparisons,); NaN where there is none."""
    found = np.where(np.isnan(parts), -np.inf, parts).max(axis=-1)
    return np.where(np.isinf(found), np.nan, found)

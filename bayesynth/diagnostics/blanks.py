"""Blanks: how many there are in each column, and which come together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesynth.diagnostics.distances import label_patterns
from bayesynth.diagnostics.figures import wilson
from bayesynth.diagnostics.measures import Aspect, Measure
from bayesynth.diagnostics.setting import Sample, Setting

PATTERNS = 20
NO_BLANKS = "no table has a blank"


class BlankRates(Measure):
    r"""Difference of each column's share of blanks, :math:`|r - r'|`, over the columns that have any."""

    weight = 0.3

    def __init__(self, setting: Setting, rng: np.random.Generator):
        super().__init__(setting, rng)
        self._columns = blank_columns(setting)

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """Mean over columns."""
        meaning = "Difference between shares of missing values, mean over the columns that have any. 0 is the same."
        return (Aspect("missingness rates", meaning, 0.02, lacking="" if len(self._columns) else NO_BLANKS),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the columns that have blanks."""
        return tuple(str(self.setting.reader.names[i]) for i in self._columns)

    def prepare(self, sample: Sample) -> np.ndarray:
        """Where blanks are, shape (n, columns with blanks)."""
        return np.isnan(sample.values[:, self._columns])

    def profile(self, prepared: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Share of blanks in each column."""
        return prepared[rows].mean(axis=0)

    def parts_between(self, reference: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Difference of the shares."""
        return np.abs(reference - other)

    def details(self, aspect: Aspect) -> Mapping[str, np.ndarray]:
        """Shares of blanks with Wilson intervals for the real table, and their median over synthetic ones."""
        real = self.prepare(self.setting.real)
        low, high = wilson(real.sum(axis=0), len(real))
        drawn = np.median([self.prepare(table).mean(axis=0) for table in self.setting.tables], axis=0)
        return {"real_rate": real.mean(axis=0), "real_lower": low, "real_upper": high, "synthetic_rate": drawn}


class BlankPatterns(Measure):
    r"""Total variation between distributions of the whole row's pattern of blanks.

    :math:`\frac12\sum_p|f_p - g_p|` over the 20 commonest patterns of the real table and one for all others.
    """

    weight = 0.3

    def __init__(self, setting: Setting, rng: np.random.Generator):
        super().__init__(setting, rng)
        self._columns = blank_columns(setting)
        samples = setting.samples
        labels = label_patterns([np.isnan(sample.values[:, self._columns]) for sample in samples])
        common = np.bincount(labels[0]).argsort(kind="stable")[::-1][:PATTERNS]
        self._common = common[np.isin(common, labels[0])]
        self._place = np.full(max(label.max() for label in labels) + 1, len(self._common))
        self._place[self._common] = np.arange(len(self._common))
        self._labels = {id(sample): label for sample, label in zip(samples, labels, strict=True)}

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """Total variation, which is the sum over patterns."""
        meaning = (
            "Share of rows that would have to change their pattern of missing values, which columns are missing "
            "together, for the patterns to be equally frequent. 0 is the same."
        )
        return (Aspect("missingness patterns", meaning, 0.05, _total, lacking="" if len(self._columns) else NO_BLANKS),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Columns that are blank in a pattern."""
        labels, blanks = self._labels[id(self.setting.real)], np.isnan(self.setting.real.values[:, self._columns])
        names = np.array([str(self.setting.reader.names[i]) for i in self._columns])
        rows = [blanks[np.argmax(labels == pattern)] for pattern in self._common]
        return (*(" + ".join(names[row]) or "nothing blank" for row in rows), "other patterns")

    def prepare(self, sample: Sample) -> np.ndarray:
        """Pattern of each row, shape (n,)."""
        return self._place[self._labels[id(sample)]]

    def profile(self, prepared: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Share of rows with each pattern."""
        return np.bincount(prepared[rows], minlength=len(self._common) + 1) / len(rows)

    def parts_between(self, reference: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Difference of each share, halved so that they add up to the total variation."""
        return np.abs(reference - other) / 2


def blank_columns(setting: Setting) -> np.ndarray:
    """Positions of the columns that any table has blanks in."""
    return np.flatnonzero(np.any([np.isnan(sample.values).any(axis=0) for sample in setting.samples], axis=0))


def _total(parts: np.ndarray) -> np.ndarray:
    return parts.sum(axis=-1)

"""Numbers and times in steps of their own grid, so that rounding can never break a rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesynth.rules.values import DAY, read_rank
from bayesynth.schema import Column, Holds, restore
from bayesynth.schema.arrays import unit_of, zone_of
from bayesynth.schema.kinds import NUMERIC, TEMPORAL

ORIGIN = "1970-01-01"
SINGLE = ("float32", "Float32", "arrow:float")


@dataclass(frozen=True)
class Scale:
    """The grid of a numeric, datetime or duration column.

    A place is a whole number of steps, or the number itself where there is no grid. A size is what rules compare:
    numbers as they are, times in days.

    Parameters
    ----------
    column : Column
        The column.
    """

    column: Column

    @property
    def gridded(self) -> bool:
        """Whether the column has a grid."""
        return self.column.precision is not None

    @cached_property
    def timed(self) -> bool:
        """Whether the column holds dates or durations."""
        return self.column.kind in TEMPORAL

    def sizes(self, places: np.ndarray) -> np.ndarray:
        """Give the sizes of places, exactly as `read` will find them once they are written."""
        precision = self.column.precision
        if self.timed:
            finest = np.timedelta64(1, "ns" if precision == "ns" else "us")
            return np.rint(places) * (unit_of(precision) / finest) / (DAY / finest)
        if precision is not None:
            places = places / 10.0**precision if precision >= 0 else places * 10.0**-precision
        return places.astype(np.float32).astype(float) if self.column.storage.dtype in SINGLE else places

    def places(self, sizes: np.ndarray) -> np.ndarray:
        """Find the place nearest to each size."""
        if not self.gridded:
            return np.asarray(sizes, float)
        step = unit_of(self.column.precision) / DAY if self.timed else 10.0**-self.column.precision
        return np.rint(np.asarray(sizes, float) / step)

    def at_least(self, sizes: np.ndarray, strict: bool = False) -> np.ndarray:
        """Find the first place that is not below each size; with strict, the first one above."""
        return self._nearest(sizes, strict, 1)

    def at_most(self, sizes: np.ndarray, strict: bool = False) -> np.ndarray:
        """Find the last place that is not above each size; with strict, the last one below."""
        return self._nearest(sizes, strict, -1)

    def _nearest(self, sizes: np.ndarray, strict: bool, way: int) -> np.ndarray:
        sizes = np.asarray(sizes, float)
        single = self.column.storage.dtype in SINGLE
        place = self.places(sizes)
        for _ in range(3):  # the nearest place may be a step to the wrong side, and for strict one more
            found = self.sizes(place)
            bad = (found - sizes) * way <= 0 if strict else (found - sizes) * way < 0
            if self.gridded:
                further = place + way
            elif single:
                further = np.nextafter(found.astype(np.float32), np.float32(way * np.inf)).astype(float)
            else:
                further = np.nextafter(place, way * np.inf)
            place = np.where(bad, further, place)
        return place

    def write(self, places: np.ndarray) -> pd.Series:
        """Write places as a column with its own dtype, NaN as blank."""
        column = self.column
        if not self.timed:
            return restore.numbers(self.sizes(places), column.storage, column.precision).rename(column.name)
        blank = np.isnan(places)
        steps = np.rint(np.where(blank, 0, places)).astype(np.int64) * unit_of(column.precision)
        steps[blank] = unit_of(column.precision, "NaT")
        if column.storage.holds is Holds.DURATION:
            return restore.durations(steps, column.storage).rename(column.name)
        return restore.dates(steps, ORIGIN, column.precision, column.storage).rename(column.name)

    def read(self, series: pd.Series) -> np.ndarray:
        """Read a column as sizes, NaN where blank."""
        value = read_rank(series)
        return np.where(value.blank, np.nan, value.data)


def has_scale(column: Column) -> bool:
    """Tell whether a column has one: numbers, durations, and dates whose clock never changes."""
    if column.kind in NUMERIC:
        return True
    return column.kind in TEMPORAL and (zone_of(column.storage) is None or column.precision == "D")

"""Inequalities by construction: a column is what bounds it plus or minus a gap that is never negative."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import pandas as pd

from bayesynth.rules.scale import Scale
from bayesynth.rules.steps import Part, Step
from bayesynth.rules.values import read, read_rank
from bayesynth.schema import Column, Kind, Schema


@dataclass(frozen=True)
class Ordered(Step):
    """A column with bounds, and with others that it is not below, or not above.

    Where one of those has a value the model sees the gap, in steps of the column's own grid from the first place that
    is allowed; elsewhere it sees the column itself. So every value that is recorded is learned, and none is made up.

    Parameters
    ----------
    column : str
        The column.
    anchors : tuple of (str, bool)
        Columns that it is not beyond, and whether it may not equal them either (strict).
    low, high : float or None
        Bounds, as sizes.
    down : bool
        Whether the anchors stand above: the column is then the least of them minus a gap.
    """

    column: str
    anchors: tuple[tuple[str, bool], ...] = ()
    low: float | None = None
    high: float | None = None
    down: bool = False

    @property
    def writes(self) -> tuple[str, ...]:
        """The column."""
        return (self.column,)

    @property
    def reads(self) -> tuple[str, ...]:
        """The anchors."""
        return tuple(name for name, _ in self.anchors)

    @property
    def shown(self) -> tuple[str, ...]:
        """The gap and the values on their own, or the column itself."""
        return (self.gap, self.alone) if self.anchors else (self.column,)

    @property
    def means(self) -> str:
        """Say how the column is made."""
        way = "minus" if self.down else "plus"
        return f"{self.column} is {' or '.join(self.reads)} {way} a gap" if self.anchors else "bounds of the column"

    @property
    def gap(self) -> str:
        """Name of the gap."""
        nearest = f"{'min' if self.down else 'max'}({', '.join(self.reads)})"
        anchor = self.reads[0] if len(self.anchors) == 1 else nearest
        return f"{anchor} - {self.column}" if self.down else f"{self.column} - {anchor}"

    @property
    def alone(self) -> str:
        """Name of the values where there is nothing to exceed."""
        return f"{self.column} (on its own)"

    def parts(self, schema: Schema, frame: pd.DataFrame) -> list[Part]:
        """Give the gap, and the values that exceed nothing."""
        column = schema[self.column]
        scale = Scale(column)
        sizes = scale.read(frame[self.column])
        kept = self._bounded(scale, scale.places(sizes))
        own = Part(self._inner(column, self.alone), scale.write(kept).set_axis(frame.index))
        if not self.anchors:
            return [replace(own, column=self._inner(column, self.column))]
        base = self._base(schema, frame, len(frame))
        gap = np.maximum(self._sign * (kept - base), 0.0)
        free = np.isnan(base) & ~np.isnan(kept)
        inner = self._gap_column(column, scale)
        gaps = gap if scale.timed else Scale(replace(column, name=self.gap, bounds=None)).sizes(gap)
        needed = bool(free.any()), bool((~np.isnan(gap)).any())
        return [
            Part(inner, pd.Series(gaps, index=frame.index), needed[1] or not needed[0]),
            replace(own, values=own.values.where(free), needed=needed[0]),
        ]

    def make(
        self, schema: Schema, drawn: Mapping[str, pd.Series], made: Mapping[str, pd.Series], n_rows: int
    ) -> dict[str, pd.Series]:
        """Go by the gap from the anchors, and keep the column within its bounds."""
        scale = Scale(schema[self.column])
        if not self.anchors:
            return {self.column: scale.write(self._bounded(scale, scale.places(scale.read(drawn[self.column]))))}
        base = self._base(schema, made, n_rows)
        found = base + self._sign * self._drawn_gap(scale, drawn, n_rows)
        if self.alone in drawn:
            found = np.where(np.isnan(base), scale.places(scale.read(drawn[self.alone])), found)
        return {self.column: scale.write(self._bounded(scale, found))}

    def _drawn_gap(self, scale: Scale, drawn: Mapping[str, pd.Series], n_rows: int) -> np.ndarray:
        if self.gap not in drawn:
            return np.full(n_rows, np.nan)
        value = read(drawn[self.gap])
        gap = np.where(value.blank, np.nan, value.data)
        return np.maximum(np.rint(gap) if scale.timed else scale.places(gap), 0.0)

    def _base(self, schema: Schema, columns: Mapping[str, pd.Series], n_rows: int) -> np.ndarray:
        """Find the nearest place that is not beyond any anchor that has a value; NaN where none has."""
        scale = Scale(schema[self.column])
        bases = []
        for name, strict in self.anchors:
            value = read_rank(columns[name])
            nearest = scale.at_most if self.down else scale.at_least
            bases.append(np.where(value.blank, np.nan, nearest(value.data, strict)))
        return reduce(np.fmin if self.down else np.fmax, bases)

    @property
    def _sign(self) -> int:
        return -1 if self.down else 1

    def _bounded(self, scale: Scale, places: np.ndarray) -> np.ndarray:
        if self.low is not None:
            places = np.maximum(places, scale.at_least(self.low))
        return places if self.high is None else np.minimum(places, scale.at_most(self.high))

    def _inner(self, column: Column, name: str) -> Column:
        if Scale(column).timed:
            return replace(column, name=name)
        scale = Scale(column)
        low = None if self.low is None else _plain(column, scale.sizes(scale.at_least(self.low)))
        high = None if self.high is None else _plain(column, scale.sizes(scale.at_most(self.high)))
        bounds = (low, high) if low is None or high is None or low < high else None
        return replace(column, name=name, bounds=bounds, nullable=column.nullable or name != self.column)

    def _gap_column(self, column: Column, scale: Scale) -> Column:
        if scale.timed:
            return Column(self.gap, Kind.COUNT, bounds=(0, None), unit=str(column.precision), nullable=True)
        kind = Kind.COUNT if column.kind is Kind.COUNT else Kind.CONTINUOUS
        return Column(self.gap, kind, bounds=(0, None), precision=column.precision, unit=column.unit, nullable=True)


def _plain(column: Column, size: np.ndarray) -> float | int:
    return int(size) if column.kind is Kind.COUNT else float(size)

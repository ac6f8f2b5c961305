"""Columns as they are drawn: numbers or levels of the real and of each synthetic table, on one scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import LogLocator
from scipy.stats import skew

from bayesynth.diagnostics import TableReader, schema_of, tables_of
from bayesynth.plots.style import SMALL, chosen, plain
from bayesynth.schema import Column, Kind, Schema
from bayesynth.schema.arrays import unit_of
from bayesynth.schema.kinds import NOMINAL

MOST_LEVELS = 8
OTHER = "others"
SKEWED = 2.0
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class ShownColumn:
    """A column of all tables.

    Parameters
    ----------
    column : Column
        What it is.
    labels : tuple of str
        Names of the levels that are shown; empty for a column that is not nominal.
    tables : tuple of ndarray, shape (n,)
        Index of the label, number, days since 1970 or days of each row, NaN where blank: the real table first.
    log : bool
        Whether it is drawn on a logarithmic scale.
    """

    column: Column
    labels: tuple[str, ...]
    tables: tuple[np.ndarray, ...]
    log: bool

    @property
    def nominal(self) -> bool:
        """Whether it has levels."""
        return bool(self.labels)

    @property
    def title(self) -> str:
        """Name and unit."""
        unit = f" ({self.column.unit})" if self.column.unit else ""
        return plain(self.column.name + unit)

    @property
    def blank_shares(self) -> list[float]:
        """Share of blanks in each table."""
        return [float(np.isnan(values).mean()) for values in self.tables]

    def seen(self, table: int) -> np.ndarray:
        """Values of a table that are not blank."""
        values = self.tables[table]
        return values[~np.isnan(values)]

    @property
    def limits(self) -> tuple[float, float]:
        """Where an axis with this column begins and ends."""
        if self.nominal:
            return -0.6, len(self.labels) - 0.4
        seen = np.concatenate([self.seen(i) for i in range(len(self.tables))])
        seen = seen[seen > 0] if self.log else seen
        low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
        if self.log:
            return low / 1.1, high * 1.1
        room = 0.04 * (high - low) or 0.5
        return low - room, high + room

    @property
    def _decades(self) -> float:
        low, high = self.limits
        return float(np.log10(high / low))

    def dress(self, ax: Axes, axis: str) -> None:
        """Scale an axis and label its ticks as the column needs."""
        line = getattr(ax, f"{axis}axis")
        if self.nominal:
            labels = [plain(label, 16) for label in self.labels]
            getattr(ax, f"set_{axis}ticks")(np.arange(len(labels)), labels, fontsize=SMALL)
            if axis == "x" and sum(map(len, labels)) > 26:
                ax.tick_params(axis="x", labelrotation=25)
                for label in ax.get_xticklabels():
                    label.set(ha="right", rotation_mode="anchor")
        elif self.log:
            getattr(ax, f"set_{axis}scale")("log")
            line.set_major_locator(LogLocator(subs=(1, 2, 5) if self._decades < 2 else (1,)))
            line.set_major_formatter(lambda value, _: f"{value:g}")
            line.set_minor_formatter(lambda value, _: "")
        elif self.column.kind is Kind.DATETIME:
            write_dates(line)


def shown_columns(
    real: pd.DataFrame,
    synthetic: pd.DataFrame | Iterable[pd.DataFrame],
    schema: Schema | None,
    columns: Iterable[str] | None,
    at_most: int | None = None,
) -> list[ShownColumn]:
    """Read columns of all tables; the first few, where there is a limit and none are named."""
    schema = schema_of(real, schema)
    names = chosen(schema.modelled, columns)
    if columns is None and at_most is not None:
        names = names[:at_most]
    reader = TableReader.of(real, Schema([schema[name] for name in names]))
    tables = (real, *tables_of(synthetic, names))
    return [_shown(reader, column, tables) for column in reader.columns]


def _shown(reader: TableReader, column: Column, tables: tuple[pd.DataFrame, ...]) -> ShownColumn:
    values = tuple(reader.numbers(column, table) for table in tables)
    if column.kind in NOMINAL:
        return _nominal(column, values)
    if column.kind is Kind.DATETIME:
        values = tuple(days_since_1970(v, column, reader.origins[column.name]) for v in values)
    elif column.kind is Kind.DURATION:
        values = tuple(v * (unit_of(column.precision) / _DAY) for v in values)
    return ShownColumn(column, (), values, column.kind in (Kind.COUNT, Kind.CONTINUOUS) and _is_long_tailed(values[0]))


def days_since_1970(values: np.ndarray, column: Column, origin: str) -> np.ndarray:
    """Turn dates in units of their precision since an origin into what matplotlib counts."""
    start = np.datetime64(origin, "D") - np.datetime64("1970-01-01", "D")
    return start / _DAY + values * (unit_of(column.precision) / _DAY)


def write_dates(axis: Axis) -> None:
    """Write the ticks of an axis as dates."""
    locator = AutoDateLocator(minticks=2, maxticks=5)  # with these, some interval fits every range
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator))


def _nominal(column: Column, values: tuple[np.ndarray, ...]) -> ShownColumn:
    """Keep the most common levels, in their order; what is left is pooled."""
    counts = np.bincount(values[0][values[0] >= 0].astype(int), minlength=len(column.levels))
    stranger = any((v < 0).any() for v in values)
    many = len(counts) > MOST_LEVELS
    kept = np.sort(np.argsort(-counts, kind="stable")[: MOST_LEVELS - 1]) if many else np.arange(len(counts))
    labels = [str(column.levels[k]) for k in kept] + ([OTHER] if many or stranger else [])
    place = np.full(len(counts) + 1, float(len(kept)))  # the last place is for values that are no level
    place[kept] = np.arange(len(kept))
    shown = tuple(np.where(np.isnan(v), np.nan, place[np.where(np.isnan(v), 0, v).astype(int)]) for v in values)
    return ShownColumn(column, tuple(labels), shown, False)


def _is_long_tailed(values: np.ndarray) -> bool:
    values = values[~np.isnan(values)]
    if len(np.unique(values)) < 10 or values.min() <= 0:
        return False
    return bool(skew(values) > SKEWED and abs(skew(np.log(values))) < 0.6 * skew(values))

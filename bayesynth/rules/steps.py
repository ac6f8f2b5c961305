"""How a rule is kept by construction: a step takes columns out of the table and makes them from what is drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from bayesynth.rules.formulas import BlankWhen, Derived
from bayesynth.rules.rule import Rule
from bayesynth.rules.scale import Scale, has_scale
from bayesynth.rules.values import Value, read_rank
from bayesynth.schema import Column, Holds, Kind, Schema, restore
from bayesynth.schema.storage import BLANKS, Storage

RECORDED = "recorded"


@dataclass(frozen=True)
class Part:
    """A column that the model sees in place of others.

    Parameters
    ----------
    column : Column
        What it is.
    values : Series
        Its values in a table.
    needed : bool
        Whether that table needs it.
    """

    column: Column
    values: pd.Series
    needed: bool = True


@dataclass(frozen=True)
class Step(ABC):
    """A construction.

    Parameters
    ----------
    rules : tuple of Rule
        The rules that it keeps.
    parts_replace : bool
        Whether the model sees other columns in place of those that the step makes.
    """

    rules: tuple[Rule, ...]
    parts_replace: ClassVar[bool] = True

    @property
    @abstractmethod
    def writes(self) -> tuple[str, ...]:
        """Columns that the step makes."""

    @property
    @abstractmethod
    def reads(self) -> tuple[str, ...]:
        """Columns, as they come out in the end, that it needs for it."""

    @property
    @abstractmethod
    def shown(self) -> tuple[str, ...]:
        """Columns that the model may see in place of those that are written."""

    @property
    def alone(self) -> str | None:
        """Name of values that stand on their own where the construction has nothing to work with."""
        return None

    @property
    @abstractmethod
    def means(self) -> str:
        """Say in a few words how the rules are kept."""

    @abstractmethod
    def parts(self, schema: Schema, frame: pd.DataFrame) -> list[Part]:
        """Give the columns that the model sees in place of those that are written."""

    @abstractmethod
    def make(
        self, schema: Schema, drawn: Mapping[str, pd.Series], made: Mapping[str, pd.Series], n_rows: int
    ) -> dict[str, pd.Series]:
        """Make the columns from what was drawn, and from columns that are made already."""


@dataclass(frozen=True)
class Computed(Step):
    """A derived column: of it the model sees no more than which values are blank, where that follows from nothing."""

    rule: Derived

    @property
    def writes(self) -> tuple[str, ...]:
        """The derived column."""
        return (self.rule.column,)

    @property
    def reads(self) -> tuple[str, ...]:
        """What it is computed from."""
        return self.rule.inputs

    @property
    def shown(self) -> tuple[str, ...]:
        """Its blanks, and values that stand on their own."""
        return (self.rule.column, self.alone)

    @property
    def means(self) -> str:
        """Say that it is computed."""
        return "computed"

    @property
    def alone(self) -> str:
        """Name of the values that are recorded where the formula is blank."""
        return f"{self.rule.column} (on its own)"

    def parts(self, schema: Schema, frame: pd.DataFrame) -> list[Part]:
        """Give its blanks, and values that stand where the formula is blank."""
        name, column = self.rule.column, schema[self.rule.column]
        recorded = frame[name].notna().to_numpy(dtype=bool)
        computable = ~self.rule.compute(frame).blank
        storage = Storage("object", Holds.TEXT)
        flag = Column(name, Kind.CONSTANT, (RECORDED,), nullable=True, storage=storage)
        flags = pd.Series(np.where(recorded, RECORDED, None), index=frame.index, dtype=object)
        own = frame[name].mask(computable)
        return [
            Part(flag, flags, bool((recorded != computable).any())),
            Part(replace(column, name=self.alone, nullable=True), own, bool((recorded & ~computable).any())),
        ]

    def make(
        self, schema: Schema, drawn: Mapping[str, pd.Series], made: Mapping[str, pd.Series], n_rows: int
    ) -> dict[str, pd.Series]:
        """Compute the column."""
        column = schema[self.rule.column]
        inputs = pd.DataFrame({name: made[name] for name in self.rule.inputs}, index=pd.RangeIndex(n_rows))
        value = self.rule.compute(inputs)
        found = write_value(column, value, self.rule.decimals)
        if self.alone in drawn:
            found = found.where(~value.blank, drawn[self.alone].astype(found.dtype))
        if column.name in drawn:
            found = blanked(column, found, drawn[column.name].isna().to_numpy(dtype=bool))
        return {column.name: found}


@dataclass(frozen=True)
class Blanked(Step):
    """Structural blanks: the columns themselves are modelled where the condition does not hold."""

    rule: BlankWhen
    parts_replace: ClassVar[bool] = False

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns that are blank."""
        return self.rule.about

    @property
    def reads(self) -> tuple[str, ...]:
        """What the condition reads."""
        return self.rule.given

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns themselves."""
        return self.rule.about

    @property
    def means(self) -> str:
        """Say that blanks are set."""
        return "drawn in every row, and blanked by the condition" if self.rule.iff else "blanked by the condition"

    def parts(self, schema: Schema, frame: pd.DataFrame) -> list[Part]:
        """Give nothing: the columns stay in the model."""
        return []

    def make(
        self, schema: Schema, drawn: Mapping[str, pd.Series], made: Mapping[str, pd.Series], n_rows: int
    ) -> dict[str, pd.Series]:
        """Blank the columns where the condition holds."""
        inputs = pd.DataFrame({name: made[name] for name in self.rule.given}, index=pd.RangeIndex(n_rows))
        where = self.rule.holds(inputs).truth
        return {name: blanked(schema[name], made[name], where) for name in self.rule.about}


def blanked(column: Column, series: pd.Series, where: np.ndarray) -> pd.Series:
    """Blank some values, in the way that the column spells a blank."""
    if not where.any():
        return series
    if series.dtype == object and column.storage.holds is not Holds.BOOL:
        made = series.to_numpy(dtype=object, copy=True)
        made[where] = BLANKS[column.storage.blank]
        return pd.Series(made, index=series.index, dtype=object, name=series.name)
    return series.mask(where)


def write_value(column: Column, value: Value, decimals: int | None) -> pd.Series:
    """Write what a formula gave as a column: on its grid, or as one of its levels; blank where it is no level."""
    if has_scale(column) or column.kind not in (Kind.BINARY, Kind.CATEGORICAL, Kind.ORDINAL, Kind.CONSTANT):
        if value.is_text:  # dates that are texts
            value = read_rank(pd.Series(np.where(value.blank, None, value.data), dtype=object))
        found = np.where(value.blank, np.nan, value.data.astype(float))
        found = found if decimals is None else np.round(found, decimals)
        scale = Scale(column)
        return scale.write(scale.places(found))
    codes = np.full(len(value.blank), -1)
    for place, level in enumerate(column.levels):
        same = value.data == level if value.is_text else np.isclose(value.data, _number(level), rtol=1e-9)
        codes[same.astype(bool) & ~value.blank] = place
    return restore.levels(codes, column.levels, column.storage).rename(column.name)


def _number(level: object) -> float:
    return np.nan if isinstance(level, str) else float(level)

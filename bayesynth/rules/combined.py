"""Fixed combinations by construction: several columns become one, whose levels are the combinations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bayesynth.rules.scale import Scale, has_scale
from bayesynth.rules.sets import Combination, places
from bayesynth.rules.steps import Part, Step
from bayesynth.rules.values import read_rank
from bayesynth.schema import Column, Holds, Kind, Schema, restore
from bayesynth.schema.storage import Scalar, Storage

TEXT = Storage("object", Holds.TEXT)


@dataclass(frozen=True)
class Combined(Step):
    """Columns that occur only in some combinations; a blank is a level of its own, unless all of them are blank.

    Parameters
    ----------
    names : tuple of str
        The columns.
    combinations : tuple of tuple
        What may occur.
    """

    names: tuple[str, ...]
    combinations: tuple[Combination, ...]

    @property
    def writes(self) -> tuple[str, ...]:
        """The columns."""
        return self.names

    @property
    def reads(self) -> tuple[str, ...]:
        """Nothing else."""
        return ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The one column."""
        return (self.together,)

    @property
    def means(self) -> str:
        """Say that they are one node."""
        return "one node for all of the columns"

    @property
    def together(self) -> str:
        """Name of the one column."""
        return " & ".join(self.names)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """A text for each combination."""
        texts = [" & ".join("blank" if v is None else str(v) for v in c) for c in self.combinations]
        return tuple(t if texts.count(t) == 1 else f"{t} ({i})" for i, t in enumerate(texts))

    def parts(self, schema: Schema, frame: pd.DataFrame) -> list[Part]:
        """Give the combination of each row; one that may not occur counts as the most similar one that may."""
        found = places(frame, self.names, self.combinations)
        empty = frame[list(self.names)].isna().all(axis=1).to_numpy()
        for row in np.flatnonzero((found < 0) & ~empty):
            found[row] = self._most_similar(frame.iloc[row])
        kind = {1: Kind.CONSTANT, 2: Kind.BINARY}.get(len(self.labels), Kind.CATEGORICAL)
        column = Column(self.together, kind, self.labels, nullable=True, storage=TEXT)
        return [Part(column, restore.levels(found, self.labels, TEXT).set_axis(frame.index))]

    def make(
        self, schema: Schema, drawn: Mapping[str, pd.Series], made: Mapping[str, pd.Series], n_rows: int
    ) -> dict[str, pd.Series]:
        """Take the combinations apart."""
        codes = pd.Categorical(drawn[self.together], categories=list(self.labels)).codes.astype(np.intp)
        return {
            name: _pick(schema[name], [c[at] for c in self.combinations], codes) for at, name in enumerate(self.names)
        }

    def _most_similar(self, row: pd.Series) -> int:
        alike = [
            sum(not pd.isna(row[n]) and row[n] == v for n, v in zip(self.names, c, strict=True))
            for c in self.combinations
        ]
        return int(np.argmax(alike))


def _pick(column: Column, values: list[Scalar | None], codes: np.ndarray) -> pd.Series:
    """Pick values by code, a blank for -1, with the column's own dtype."""
    if has_scale(column):
        scale = Scale(column)
        known = pd.Series([v for v in values if v is not None])
        places = np.full(len(values) + 1, np.nan)
        at = [i for i, v in enumerate(values) if v is not None]
        places[at] = scale.places(read_rank(known).data)
        return scale.write(places[codes])
    distinct = tuple(dict.fromkeys(v for v in values if v is not None))
    index = {v: i for i, v in enumerate(distinct)} | {None: -1}
    lookup = np.array([*(index[v] for v in values), -1])
    return restore.levels(lookup[codes], distinct, column.storage).rename(column.name)

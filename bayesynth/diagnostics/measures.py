"""Measures of a difference between two sets of rows, and how figures with floors are made of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bayesynth._progress import Steps
from bayesynth.diagnostics.excess import Sizes, excess_of, mean_of
from bayesynth.diagnostics.figures import FIDELITY, Figure, Interval, judge
from bayesynth.diagnostics.setting import Sample, Setting

WORST = 5
NEARER = (
    "Synthetic rows are nearer to the real rows than other real rows are: the model holds too closely to its rows, or "
    "rows are copied. See the figures of risk."
)


def average(parts: np.ndarray) -> np.ndarray:
    """Mean over the parts of each comparison, NaN ones left out, shape (comparisons,)."""
    return mean_of(np.moveaxis(parts, -1, 0))


@dataclass(frozen=True)
class Aspect:
    """One figure that is made of a measure.

    Parameters
    ----------
    name, meaning, tolerance
        As in `Figure`.
    combine : callable
        Turns the parts of comparisons, shape (comparisons, parts), into one number each.
    named : ndarray of int, optional
        Which parts are meant; all when left out.
    lacking : str
        Why it cannot be worked out; empty if it can.
    is_whole : bool
        Whether the figure comes before the parts, which then only tell where a difference lies.
    group : str
        As in `Figure`.
    """

    name: str
    meaning: str
    tolerance: float
    combine: Callable[[np.ndarray], np.ndarray] = average
    named: np.ndarray | None = None
    lacking: str = ""
    is_whole: bool = False
    group: str = FIDELITY


@dataclass(frozen=True)
class Contrast:
    """What a measure found between real rows, and between real and synthetic ones.

    Parameters
    ----------
    floors : ndarray, shape (splits, parts)
        Between the two sides of each split.
    comparisons : ndarray, shape (comparisons, parts)
        Between reference rows and synthetic ones.
    split, table : ndarray of int, shape (comparisons,)
        Which split and which table.
    sizes : Sizes
        Numbers of rows.
    is_loss, is_random : bool
        As in `excess_of`.
    """

    floors: np.ndarray
    comparisons: np.ndarray
    split: np.ndarray
    table: np.ndarray
    sizes: Sizes
    is_loss: bool
    is_random: bool

    def excess(self, combine: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, ...]:
        """Excess and the ends of its interval, of whatever is made of the parts."""
        floors, comparisons = combine(self.floors), combine(self.comparisons)
        how = {"is_loss": self.is_loss, "is_random": self.is_random}
        return excess_of(floors, comparisons, self.split, self.table, self.sizes, **how)


class Measure(ABC):
    """A difference between two sets of rows, part by part; every kind is made from the same two parameters.

    Parameters
    ----------
    setting : Setting
        What is compared.
    rng : Generator
        Its own stream.
    """

    splits: ClassVar[int] = 100
    comparisons: ClassVar[int] = 300  # at least, if there are tables enough
    most_tables: ClassVar[int] = 100
    weight: ClassVar[float] = 1.0  # of its part of the bar
    is_loss: ClassVar[bool] = False  # a loss of a trained model, not a distance
    is_random: ClassVar[bool] = False  # has a chance of its own

    def __init__(self, setting: Setting, rng: np.random.Generator):
        self.setting, self.rng = setting, rng

    @property
    @abstractmethod
    def aspects(self) -> tuple[Aspect, ...]:
        """The figures that are made of it."""

    @property
    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """Names of the parts."""

    @abstractmethod
    def prepare(self, sample: Sample) -> Any:
        """Do what can be done once for a whole table."""

    @abstractmethod
    def profile(self, prepared: Any, rows: np.ndarray) -> Any:
        """Sum up some rows of a table."""

    @abstractmethod
    def parts_between(self, reference: Any, other: Any) -> np.ndarray:
        """Compare two profiles, shape (parts,); NaN where a part cannot be compared."""

    def details(self, aspect: Aspect) -> Mapping[str, np.ndarray]:
        """Further columns of the details, one entry for each named part."""
        return {}

    def note(self, aspect: Aspect) -> str:
        """Give a caveat."""
        return ""


def figures_of(measure: Measure, steps: Steps) -> tuple[Figure, ...]:
    """Work out a measure and make its figures."""
    if all(aspect.lacking for aspect in measure.aspects):
        contrast = None
    else:
        contrast = contrast_of(measure, steps)
    steps.reach(measure.aspects[0].name, 1.0)
    return tuple(_figure(measure, aspect, contrast) for aspect in measure.aspects)


def contrast_of(measure: Measure, steps: Steps) -> Contrast:
    """Compare real rows with real rows, and with synthetic ones, over many splits.

    The tables take turns where there are too many to take all in every split.
    """
    setting, rng = measure.setting, measure.rng
    tables = setting.tables[: measure.most_tables]
    m = len(tables)
    per_split = min(m, -(-max(measure.comparisons, 2 * m) // measure.splits))
    design = setting.design(is_loss=measure.is_loss)
    reference, other = (measure.prepare(sample) for sample in (design.reference, design.other))
    prepared = [measure.prepare(sample) for sample in tables]
    floors, comparisons, where = [], [], []
    for s in range(measure.splits):
        here, there = design.split(rng)
        ours = measure.profile(reference, here)
        floors.append(measure.parts_between(ours, measure.profile(other, there)))
        for t in (s * per_split + np.arange(per_split)) % m:
            theirs = measure.profile(prepared[t], design.draw(tables[t], rng))
            comparisons.append(measure.parts_between(ours, theirs))
            where.append((s, t))
        steps.reach(measure.aspects[0].name, (s + 1) / measure.splits)
    split_of, table_of = np.array(where).T
    found = np.array(floors), np.array(comparisons), split_of, table_of, Sizes.of(design, tables)
    return Contrast(*found, measure.is_loss, measure.is_random)


def _figure(measure: Measure, aspect: Aspect, contrast: Contrast | None) -> Figure:
    if aspect.lacking or contrast is None:
        return Figure.skipped(aspect.name, aspect.group, aspect.meaning, aspect.lacking)
    named = np.arange(len(measure.parts)) if aspect.named is None else aspect.named

    def combine(parts: np.ndarray) -> np.ndarray:
        return parts[:, 0] if aspect.is_whole else aspect.combine(parts[:, named])

    excess = Interval(*(float(x) for x in contrast.excess(combine)))
    if np.isnan(excess.middle):
        why = measure.note(aspect) or "too few rows have values to compare"
        return Figure.skipped(aspect.name, aspect.group, aspect.meaning, why)
    floors, comparisons = combine(contrast.floors), combine(contrast.comparisons)
    by_table = [float(mean_of(comparisons[contrast.table == t])) for t in range(contrast.sizes.m)]
    verdict, rows = judge(excess, aspect.tolerance, len(measure.setting.real))
    details = _details(measure, aspect, contrast, named)
    ranked = details.sort_values("excess", ascending=False, kind="stable").head(WORST)
    notes = [measure.note(aspect), NEARER if excess.upper < 0 else "", _tables_note(measure, contrast.sizes.m)]
    draws = {"split": np.arange(len(floors)), "table": pd.NA, "figure": floors}
    compared = {"split": contrast.split, "table": contrast.table + 1, "figure": comparisons}
    return Figure(
        aspect.name,
        aspect.group,
        aspect.meaning,
        Interval.of(by_table),
        Interval.of(floors),
        excess,
        aspect.tolerance,
        verdict,
        rows,
        tuple((str(row.part), float(row.value), float(row.floor)) for row in ranked.itertuples()),
        details,
        " ".join(note for note in notes if note),
        pd.concat([pd.DataFrame(draws), pd.DataFrame(compared)], ignore_index=True).astype({"table": "Int64"}),
    )


def _details(measure: Measure, aspect: Aspect, contrast: Contrast, named: np.ndarray) -> pd.DataFrame:
    offset = 1 if aspect.is_whole else 0
    floors, comparisons = contrast.floors[:, named + offset], contrast.comparisons[:, named + offset]
    excess, lower, upper = contrast.excess(lambda parts: parts[:, named + offset])
    names = measure.parts
    found = {
        "part": [names[i] for i in named],
        "value": mean_of(comparisons),
        "floor": mean_of(floors),
        "excess": excess,
        "excess_lower": lower,
        "excess_upper": upper,
    }
    return pd.DataFrame({**found, **measure.details(aspect)}).dropna(subset="excess", ignore_index=True)


def _tables_note(measure: Measure, used: int) -> str:
    given = len(measure.setting.tables)
    return f"The first {used} of {given} tables." if used < given else ""

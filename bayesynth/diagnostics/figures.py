"""A figure of quality or risk: never a bare number, always beside what a perfect generator would get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri

WITHIN, WORSE, UNKNOWN, SKIPPED = "within floor", "worse than floor", "cannot tell", "not done"
VERDICTS = (WITHIN, WORSE, UNKNOWN, SKIPPED)
FIDELITY, INFERENCE, RISK = "fidelity", "inference", "risk"
LEVEL = 0.9  # of every interval of a figure


@dataclass(frozen=True)
class Interval:
    """A figure with its interval.

    Parameters
    ----------
    middle, lower, upper : float
        Median or estimate, and the ends of the interval.
    """

    middle: float
    lower: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float] | np.ndarray, level: float = LEVEL) -> Interval:
        """Median and central interval of some values; NaN ones are left out."""
        values = np.asarray(values, float).ravel()
        values = values[~np.isnan(values)]
        if not len(values):
            return cls.alone()
        low, middle, high = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
        return cls(float(middle), float(low), float(high))

    @classmethod
    def alone(cls, middle: float = np.nan) -> Interval:
        """Take a figure that has no interval; none at all when it is left out."""
        return cls(middle, np.nan, np.nan)

    def __str__(self) -> str:
        return f"{self.middle:.3g} ({self.lower:.3g} to {self.upper:.3g})"


def reach_of(level: float = LEVEL) -> float:
    """Half-width of a normal interval, in standard errors."""
    return float(ndtri((1 + level) / 2))


def wilson(successes: np.ndarray, n: int, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval for shares.

    Parameters
    ----------
    successes : ndarray
        How many of n.
    n : int
        Of how many.
    level : float
        Of the interval.

    Examples
    --------
    >>> low, high = wilson(np.array([0]), 10, level=0.95)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0], [0.278])
    """
    z2 = reach_of(level) ** 2
    p = successes / n
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)


@dataclass(frozen=True)
class Figure:
    """One figure of an assessment.

    Parameters
    ----------
    name : str
        Short name, such as "pairs".
    group : {"fidelity", "inference", "risk"}
        What it speaks of.
    meaning : str
        One sentence for a clinician: what is measured, in which unit, and what 0 (or 0.5) means.
    value : Interval
        The figure over synthetic tables, at the sizes of the floor.
    floor : Interval
        What it is between real rows alone, over splits of them; for risk, the control.
    excess : Interval
        How much the synthetic tables are above the floor.
    tolerance : float
        Excess that would not matter; stated before looking.
    verdict : {"within floor", "worse than floor", "cannot tell", "not done"}
        What the interval of the excess says.
    rows_needed : int or None
        With "cannot tell": about how many real rows would tell.
    worst : tuple of (str, float, float)
        At most five columns or pairs by name, with their figure and its floor, worst first.
    details : DataFrame
        Everything behind the figure, tidy: one row per column, pair or record group. No real value is in it.
    note : str
        A caveat, or with "not done" the reason.
    draws : DataFrame
        The figure in each comparison, if there were several: ``split``, ``table`` (blank for the floor), ``figure``.
    """

    name: str
    group: str
    meaning: str
    value: Interval
    floor: Interval
    excess: Interval
    tolerance: float
    verdict: str
    rows_needed: int | None = None
    worst: tuple[tuple[str, float, float], ...] = ()
    details: pd.DataFrame = field(default_factory=pd.DataFrame)
    note: str = ""
    draws: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def skipped(cls, name: str, group: str, meaning: str, because: str) -> Figure:
        """Make a figure that was not worked out, and say why."""
        return cls.described(name, group, meaning, np.nan, note=because)

    @classmethod
    def described(
        cls, name: str, group: str, meaning: str, value: float, details: pd.DataFrame | None = None, note: str = ""
    ) -> Figure:
        """Make a figure that has nothing beside it, so that there is no verdict."""
        none, details = Interval.alone(), pd.DataFrame() if details is None else details
        return cls(name, group, meaning, Interval.alone(value), none, none, np.nan, SKIPPED, details=details, note=note)


def judge(excess: Interval, tolerance: float, n_real: int) -> tuple[str, int | None]:
    """Read an interval of an excess against a tolerance.

    "worse than floor" where its lower end is above 0, "within floor" where it covers 0 or lies below and its upper end
    is below the tolerance, else "cannot tell", with the number of real rows at which an interval that shrinks as one
    over the root of n would be narrow enough.

    Parameters
    ----------
    excess : Interval
        Excess over the floor.
    tolerance : float
        Excess that would not matter.
    n_real : int
        Real rows behind the interval.

    Returns
    -------
    verdict : str
    rows_needed : int or None

    Examples
    --------
    >>> judge(Interval(0.0, -0.01, 0.01), 0.02, 400)
    ('within floor', None)
    >>> judge(Interval(0.0, -0.04, 0.04), 0.02, 400)
    ('cannot tell', 1600)
    """
    if np.isnan(excess.middle):
        return SKIPPED, None
    if excess.lower > 0:
        return WORSE, None
    if excess.upper <= tolerance:
        return WITHIN, None
    return UNKNOWN, int(np.ceil(n_real * ((excess.upper - min(excess.middle, 0.0)) / tolerance) ** 2))


def to_frame(figures: Sequence[Figure]) -> pd.DataFrame:
    """One row per figure: value, floor and excess with their intervals, verdict, worst parts, note."""
    rows = []
    for figure in figures:
        row: dict[str, object] = {"group": figure.group}
        for title in ("value", "floor", "excess"):
            interval = getattr(figure, title)
            row |= {title: interval.middle, f"{title}_lower": interval.lower, f"{title}_upper": interval.upper}
        worst = ", ".join(name for name, _, _ in figure.worst)
        row |= {"tolerance": figure.tolerance, "verdict": figure.verdict, "rows_needed": figure.rows_needed}
        rows.append(row | {"worst": worst, "note": figure.note})
    return pd.DataFrame(rows, index=pd.Index([figure.name for figure in figures], name="figure"))

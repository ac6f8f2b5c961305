"""How an attack's success is measured: on people whose rows were fitted, beside people whose rows were not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bayesynth.diagnostics.figures import LEVEL, Interval, reach_of
from bayesynth.diagnostics.setting import ranks_in

POWER = 0.8  # a leak is detectable if it would show in four of five cases


@dataclass(frozen=True)
class Success:
    """How well one attack does.

    Parameters
    ----------
    name : str
        The attack, or what it is aimed at.
    value, control : Interval
        Its success on fitted rows, and on rows that were never fitted or by chance.
    excess : Interval
        The difference.
    detectable : float
        Smallest excess that would show in four of five cases.
    """

    name: str
    value: Interval
    control: Interval
    excess: Interval
    detectable: float

    def beside(self, name: str) -> dict[str, float]:
        """Success with rows put aside, called by the name of the success with fitted ones, and the difference."""
        excess = self.excess
        found = {"excess": excess.middle, "excess_lower": excess.lower, "excess_upper": excess.upper}
        return {f"{name}_put_aside": self.control.middle} | found


def simultaneous(attacks: int) -> float:
    """Level of the interval of each of several attacks at which all intervals hold together at `LEVEL` (Bonferroni)."""
    return 1 - (1 - LEVEL) / max(attacks, 1)


def auc_of(members: np.ndarray, controls: np.ndarray) -> float:
    r"""Area under the ROC curve of a score that shall tell fitted rows from others.

    .. math:: A = P(s_{fitted} > s_{other}) + \tfrac12 P(s_{fitted} = s_{other})

    Examples
    --------
    >>> auc_of(np.array([3.0, 4.0, 1.0]), np.array([1.0, 0.0]))
    0.9166666666666666
    """
    return float(_beaten(members, controls)[0].mean())


def auc_against(name: str, members: np.ndarray, controls: np.ndarray, level: float, chance: float) -> Success:
    """Area under the ROC curve with its interval.

    The standard error is DeLong's, but at least the one under chance: with a handful of controls, or with scores that
    depend on one another, DeLong's alone takes chance for a leak too often.

    Parameters
    ----------
    name : str
        The attack.
    members, controls : ndarray, shapes (n,) and (h,)
        Scores of fitted rows and of others; a higher one says "fitted".
    level : float
        Of the intervals.
    chance : float
        Standard error of the area where scores say nothing.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988), doi:10.2307/2531595.
    """
    above, below = _beaten(members, controls)
    auc, z = float(above.mean()), reach_of(level)
    error = max(np.sqrt(_variance(above) / len(above) + _variance(below) / len(below)), chance)
    low, high = max(auc - z * error, 0.0), min(auc + z * error, 1.0)
    return Success(
        name,
        Interval(auc, low, high),
        Interval(0.5, max(0.5 - z * chance, 0.0), min(0.5 + z * chance, 1.0)),
        Interval(auc - 0.5, low - 0.5, high - 0.5),
        _detectable(chance, level, 0.5),
    )


def detectable_auc(n: int, h: int, level: float = LEVEL) -> float:
    r"""Smallest AUC that n fitted and h other rows would tell from 0.5 in four of five cases.

    .. math:: 0.5 + (z_{(1 + level)/2} + z_{0.8}) \sqrt{(n + h + 1) / (12 n h)}

    Examples
    --------
    >>> round(detectable_auc(160, 40), 3)
    0.627
    """
    return 0.5 + _detectable(float(np.sqrt((n + h + 1) / (12 * n * h))), level, 0.5)


def share_against(name: str, members: np.ndarray, controls: np.ndarray, level: float) -> Success:
    r"""Share of fitted rows with which an attack succeeds, less its share among other rows.

    The intervals are those of Agresti and Caffo: one success and one failure are added to each group, so that groups
    without a single success have an interval too.

    Parameters
    ----------
    name : str
        What the attack is aimed at.
    members, controls : ndarray, shapes (n,) and (h,)
        Success with each row, from 0 to 1.
    level : float
        Of the intervals.

    Notes
    -----
    Agresti and Caffo (2000), doi:10.1080/00031305.2000.10474560.

    Examples
    --------
    >>> share_against("", np.r_[np.ones(10), np.zeros(90)], np.zeros(20), 0.9).excess.middle
    0.1
    """
    n, h, z = len(members), len(controls), reach_of(level)
    p, q = (members.sum() + 1) / (n + 2), (controls.sum() + 1) / (h + 2)
    errors = np.sqrt(p * (1 - p) / (n + 2)), np.sqrt(q * (1 - q) / (h + 2))
    raw = float(members.mean()), float(controls.mean())
    value, control = (_around(r, s, z * e, 0.0) for r, s, e in zip(raw, (p, q), errors, strict=True))
    excess = _around(raw[0] - raw[1], p - q, z * np.hypot(*errors), -1.0)
    common = float(np.sqrt(q * (1 - q) * (1 / (n + 2) + 1 / (h + 2))))
    return Success(name, value, control, excess, _detectable(common, level, 1.0))


def strongest(attacks: Sequence[Success]) -> Success:
    """Give the attack that does best, with an interval that allows for there being others.

    The intervals of all attacks hold together. So the largest excess is at least the largest of their lower ends, and
    at most the largest of their upper ends.
    """
    best = max(attacks, key=lambda attack: (max(attack.excess.lower, 0.0), attack.excess.middle))
    ends = [(attack.excess.lower, attack.excess.upper) for attack in attacks]
    lower, upper = (max(end) for end in zip(*ends, strict=True))
    excess = Interval(best.excess.middle, min(lower, best.excess.middle), upper)
    return Success(best.name, best.value, best.control, excess, best.detectable)


def _beaten(members: np.ndarray, controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of the controls that each member beats, and of the members that beat each control; ties count half."""
    return ranks_in(controls, members), 1 - ranks_in(members, controls)


def _detectable(error: float, level: float, most: float) -> float:
    return min(float(reach_of(level) + ndtri(POWER)) * error, most)


def _around(middle: float, centre: float, reach: float, least: float) -> Interval:
    low, high = max(centre - reach, least), min(centre + reach, 1.0)
    return Interval(middle, float(min(low, middle)), float(max(high, middle)))


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0

"""The roundest number that an interval leaves possible: 1.8 rather than 1.79983."""

from __future__ import annotations

import math
from collections.abc import Callable

MOST_DIGITS = 16


def roundest(
    low: float, high: float, leaves: Callable[[float], tuple[float, float]] | None = None, *, ratio: bool = False
) -> float | None:
    """Find the number with the fewest significant digits in a closed interval, and of those the shortest to write.

    Parameters
    ----------
    low, high : float
        The interval.
    leaves : callable, optional
        Gives the interval that remains for a second number; a number that leaves none is passed over.
    ratio : bool
        Whether a number is also round if its reciprocal is.

    Returns
    -------
    float or None
        None if there is none.
    """
    if not low <= high:
        return None
    middle = (low + high) / 2
    for digits in range(MOST_DIGITS + 1):
        tried = {0.0: "0"} if digits == 0 else {c: repr(c) for c in _near(middle, digits)}
        tried |= {1 / c: repr(c) for c in _near(1 / middle, digits)} if ratio and middle else {}
        for number in sorted(tried, key=lambda number: len(tried[number])):
            if low <= number <= high and (leaves is None or _open(leaves(number))):
                return float(number)
    return None


def _near(x: float, digits: int) -> list[float]:
    if x == 0 or digits == 0 or not math.isfinite(x):
        return []
    places = digits - 1 - math.floor(math.log10(abs(x)))
    return [c for c in (round(x, places), round(x, places + 1)) if c] if digits == 1 else [round(x, places)]


def _open(interval: tuple[float, float]) -> bool:
    return interval[0] <= interval[1]

"""Conditions that a column may be asked to meet: a range, a set, blank, observed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bayesynth.errors import InputError, Problem


@dataclass(frozen=True)
class Between:
    """A range of numbers, dates, durations or ordered levels, both ends included; made by `between`.

    Parameters
    ----------
    low, high : scalar or None
        Ends; None where it is open.
    """

    low: Any
    high: Any

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low}"
        return f"at most {self.high}" if self.low is None else f"between {self.low} and {self.high}"


@dataclass(frozen=True)
class IsIn:
    """A set of values; made by `isin`.

    Parameters
    ----------
    values : tuple
        The values.
    """

    values: tuple

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.values))


@dataclass(frozen=True)
class Missing:
    """The value is blank; made by `missing`."""

    def __str__(self) -> str:
        return "blank"


@dataclass(frozen=True)
class Observed:
    """The value is not blank, whatever it is; made by `observed`."""

    def __str__(self) -> str:
        return "observed"


Condition = Between | IsIn | Missing | Observed


def between(low: Any = None, high: Any = None) -> Between:
    """Ask for a value in a range, both ends included.

    Parameters
    ----------
    low, high : scalar, optional
        Ends in the column's own units: a number, a date, a duration, or a level of an ordinal column. None leaves an
        end open.

    Raises
    ------
    InputError
        If both ends are open.

    Examples
    --------
    >>> print(between(60, 80), "|", between(low=60))
    between 60 and 80 | at least 60
    """
    if low is None and high is None:
        found, why = "between() without an end", "every value is in such a range"
        raise InputError(Problem(found, why, "give low, high or both; bs.observed() asks for any value"))
    return Between(low, high)


def isin(values: Iterable) -> IsIn:
    """Ask for one of several values.

    Parameters
    ----------
    values : iterable
        Levels, numbers or dates; a number stands for its cell on the grid on which the column is recorded.

    Raises
    ------
    InputError
        If there is no value, or a text is given in place of a list.

    Examples
    --------
    >>> print(isin([3, 4]))
    one of 3, 4
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(Problem(f"isin({values!r})", "it takes several values", "pass a list of values"))
    values = tuple(values)
    if not values:
        raise InputError(Problem("isin() of no values", "no row can meet it", "list at least one value"))
    return IsIn(values)


def missing() -> Missing:
    """Ask for a blank.

    Examples
    --------
    >>> print(missing())
    blank
    """
    return Missing()


def observed() -> Observed:
    """Ask for any value, but no blank.

    Examples
    --------
    >>> print(observed())
    observed
    """
    return Observed()


def as_condition(wanted: Any) -> Condition:
    """Take a condition as it is, and a plain value as the set of that value."""
    return wanted if isinstance(wanted, Condition) else IsIn((wanted,))

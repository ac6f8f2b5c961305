"""Conditions in a user's words to sets of codes and numbers, node by node; everything impossible is said at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from bayesynth.diagnostics.reading import TableReader
from bayesynth.encoding.table import Encoding, Node
from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.predictive.allowed import Allowed
from bayesynth.rules import RulePlan
from bayesynth.schema import Column, Kind
from bayesynth.schema.arrays import zone_of
from bayesynth.schema.conditions import Between, Condition, Missing, Observed, as_condition
from bayesynth.schema.kinds import NOMINAL, TEMPORAL
from bayesynth.schema.storage import plain
from bayesynth.synthesis.coding import Codebook

CELL = 0.0025  # share of the rows on either side that an exact value without a grid stands for
SHOWN = 10


class Asked:
    """Conditions on columns, translated; made from a mapping of column names to values or conditions.

    Parameters
    ----------
    plan : RulePlan
        What the columns are, and what the model sees of them.
    encoding : Encoding
        The nodes.
    codebook : Codebook
        Levels and origins.
    given : mapping of str to object
        Conditions.
    blanks : bool
        Whether rows have blanks.

    Attributes
    ----------
    conditions : dict of str to Condition
        Conditions by column.
    allowed : dict of str to Allowed
        Sets by node.
    stated : dict of str to bool
        True for every column whose value is asked for.
    seen_share : float
        Probability that none of these shows an unseen level; conditions are on the others.

    Raises
    ------
    InputError
        If conditions cannot be read or cannot be met; lists all of it at once.
    """

    def __init__(self, plan: RulePlan, encoding: Encoding, codebook: Codebook, given: Mapping[str, Any], blanks: bool):
        self._plan, self._encoding, self._codebook, self._blanks = plan, encoding, codebook, blanks
        self.allowed: dict[str, Allowed] = {}
        self._blocks: dict[str, dict[bool, str]] = {}
        if not isinstance(given, Mapping):
            found, why = f"given is a {type(given).__name__}", "conditions are named by column"
            raise InputError(Problem(found, why, 'pass {"age": bs.between(60, 80)}, or a DataFrame to complete'))
        problems: list[Problem] = []
        self.conditions: dict[str, Condition] = {}
        for name, wanted in given.items():
            try:
                self.conditions[name] = self._one(name, wanted)
            except InputError as error:
                problems.extend(error.problems)
        raise_all([*problems, *self._contradictions()])
        self.stated = {name: True for name, c in self.conditions.items() if not isinstance(c, (Missing, Observed))}
        self.seen_share = math.prod(1.0 - (plan.model_schema[name].unseen_share or 0.0) for name in self.stated)
        for block, sides in self._blocks.items():
            self.allowed[block] = Allowed.codes([float(next(iter(sides)))])

    def without(self, name: str) -> Asked | None:
        """Give the same conditions but for one column; None if no condition is left."""
        rest = {column: condition for column, condition in self.conditions.items() if column != name}
        return Asked(self._plan, self._encoding, self._codebook, rest, self._blanks) if rest else None

    def words(self) -> dict[str, str]:
        """Say the conditions."""
        return {name: str(condition) for name, condition in self.conditions.items()}

    def _one(self, name: str, wanted: Any) -> Condition:
        column = self._modelled(name)
        condition = condition_of(name, wanted)
        if isinstance(condition, (Missing, Observed)) and not self._blanks:
            _refuse(name, f"{name!r} {condition} with blanks=False", "no value is blank then", "leave blanks out")
        known = name in self._encoding.nodes or name in self._encoding.fixed
        if isinstance(condition, Missing):
            block = self._encoding.block_of(name)
            if known and block is None:
                _refuse(
                    name, f"{name!r} {condition}", "the column has no blanks, so the probability is 0", "leave it out"
                )
            self._decide(name, False)
            return condition
        if not known:
            _refuse(name, f"{name!r} {condition}", "the column is blank in every row", "leave it out")
        self._decide(name, True)
        if not isinstance(condition, Observed):
            self._values(column, condition)
        return condition

    def _modelled(self, name: str) -> Column:
        """Find a column of the model; refuse any other."""
        schema, inner = self._plan.schema, self._plan.model_schema
        if name not in schema and name not in inner:
            near = get_close_matches(str(name), map(str, schema), 1)
            remedy = f"did you mean {near[0]!r}?" if near else f"the columns are {', '.join(map(str, schema))}"
            _refuse(name, f"a condition on {name!r}", "the table has no such column", remedy)
        column = inner[name] if name in inner else schema[name]
        if column.withheld or column.kind is Kind.IDENTIFIER:
            _refuse(name, f"a condition on {name!r}", f"a column of role {column.role} is not modelled", "leave it out")
        if name not in inner:
            why = "a rule makes it from other columns"
            _refuse(name, f"a condition on {name!r}", why, "name those, or draw rows with sample(given=...)")
        return column

    def _decide(self, name: str, seen: bool) -> None:
        """Ask for a block to be seen, with the blocks around it, or blank."""
        block = self._encoding.block_of(name)
        while block is not None and self._blanks:
            self._blocks.setdefault(block.name, {}).setdefault(seen, name)
            outer = block.outer if seen else None
            block = next((b for b in self._encoding.blocks if b.name == outer), None)

    def _contradictions(self) -> list[Problem]:
        return [
            Problem(
                f"{sides[False]!r} is to be blank and {sides[True]!r} is not",
                "one is never blank without the other, so the probability is 0",
                f"drop the condition on {sides[False]!r} or that on {sides[True]!r}",
            )
            for sides in self._blocks.values()
            if len(sides) == 2
        ]

    def _values(self, column: Column, condition: Condition) -> None:
        name = column.name
        node = self._encoding.nodes.get(name)
        if column.kind in NOMINAL or column.kind is Kind.CONSTANT or (node is not None and node.levels):
            codes = self._codes(column, condition)
            if node is not None:
                self.allowed[name] = Allowed.codes(codes)
            elif self._encoding.fixed[name] not in codes:
                _refuse(name, f"{name!r} {condition}", "every row has another value", "leave it out")
            return
        ends = self._numbers(column, condition)
        if node is None:
            fixed = self._encoding.fixed[name]
            if not any(low <= fixed <= high for low, high in ends):
                _refuse(name, f"{name!r} {condition}", "every row has another value", "leave it out")
            return
        self.allowed[name] = self._ranges(column, condition, node, ends)

    # --- levels --------------------------------------------------------------------------------------------------

    def _codes(self, column: Column, condition: Condition) -> list[float]:
        name, learned = column.name, self._codebook.levels[column.name]
        if not isinstance(condition, Between):
            values = [plain(value) for value in condition.values]
            if unknown := [value for value in values if value not in column.levels]:
                known = ", ".join(map(repr, column.levels[:SHOWN])) + (" ..." if len(column.levels) > SHOWN else "")
                _refuse(name, f"{name!r} {condition}", f"{unknown[0]!r} is no level of it", f"use one of {known}")
            codes = [float(learned.index(value)) for value in values if value in learned]
        else:
            if column.kind is not Kind.ORDINAL:
                _refuse(name, f"{name!r} {condition}", "its levels have no order", "name the levels with bs.isin")
            places = [0, len(column.levels) - 1]
            for i, end in enumerate((condition.low, condition.high)):
                if end is not None and plain(end) not in column.levels:
                    _refuse(name, f"{name!r} {condition}", f"{end!r} is no level of it", "use two of its levels")
                places[i] = places[i] if end is None else column.levels.index(plain(end))
            inside = column.levels[places[0] : places[1] + 1]
            codes = [float(learned.index(level)) for level in inside if level in learned]
        if not codes:
            why = "no fitted row has such a level, so "
            why += "the probability is 0" if column.unseen_share is None else "nothing is known of rows that have"
            _refuse(name, f"{name!r} {condition}", why, "ask for a level that occurs")
        return sorted(set(codes))

    # --- numbers -------------------------------------------------------------------------------------------------

    def _numbers(self, column: Column, condition: Condition) -> list[tuple[float, float]]:
        """Give closed ranges in the units of the encoding."""
        if isinstance(condition, Between):
            low = -np.inf if condition.low is None else self._number(column, condition.low, condition)
            high = np.inf if condition.high is None else self._number(column, condition.high, condition)
            if low > high:
                _refuse(column.name, f"{column.name!r} {condition}", "its ends are crossed", "swap them")
            return [(low, high)]
        values = sorted({self._number(column, value, condition) for value in condition.values})
        return [(value, value) for value in values]

    def _number(self, column: Column, value: Any, condition: Condition) -> float:
        return number_of(column, value, condition, self._codebook.origins)

    def _ranges(self, column: Column, condition: Condition, node: Node, ends: list[tuple[float, float]]) -> Allowed:
        extremes = node.marginal.quantile(np.array([1e-12, 1 - 1e-12]), node.marginal.typical, np.zeros(2, int))
        slack = (node.step or 0.0) / 2
        inside = [(a, b) for a, b in ends if b >= extremes[0] - slack and a <= extremes[1] + slack]
        if not inside:
            why = f"the learned values reach from about {self._about(column, extremes)}, so the probability is 0"
            _refuse(column.name, f"{column.name!r} {condition}", why, "ask for values inside")
        lower, upper = np.array(inside).T[:, None, :]
        if not node.step:
            return cells(node, lower, upper)
        on_grid = np.isclose(lower, np.round(lower / node.step) * node.step)
        if ((lower == upper) & ~on_grid).all():
            why = f"it is recorded in steps of {node.step:g}"
            _refuse(column.name, f"{column.name!r} {condition}", why, "ask for a value on that grid, or for a range")
        return Allowed.ranges(lower, upper)

    def _about(self, column: Column, extremes: np.ndarray) -> str:
        """Name the learned range roughly, as the outermost values may be somebody's."""
        if column.kind is Kind.DATETIME:
            unit = np.timedelta64(1, "m" if column.precision == "min" else column.precision)
            years = [pd.Timestamp(self._codebook.origins[column.name]) + int(end) * unit for end in extremes]
            return f"{years[0].year} to {years[1].year}"
        unit = "" if column.kind is not Kind.DURATION else f" {column.precision}"
        return f"{extremes[0]:.2g} to {extremes[1]:.2g}{unit}"


def number_of(column: Column, value: Any, condition: Condition, origins: Mapping[str, str | None]) -> float:
    """Read one value of a numeric column, dates counted from their origin.

    Raises
    ------
    InputError
        If it is no such value.
    """
    try:
        series = pd.Series([_instant(column, value)] if column.kind in TEMPORAL else [_real(value)])
        found = float(TableReader((), {}, origins).numbers(column, series.to_frame(column.name))[0])
        if not np.isnan(found):
            return found
        why = "it is no number"
    except (TypeError, ValueError) as error:
        why = f"it cannot be read as {column.kind} ({error})"
    _refuse(column.name, f"{column.name!r} {condition}", why, "give values as the column has them")
    return None


def cells(node: Node, lower: np.ndarray, upper: np.ndarray) -> Allowed:
    """Widen exact values of a column without a grid to the rows around them; the value itself is shown."""
    exact, marginal = lower == upper, node.marginal
    at, none = np.where(exact, lower, 0.0).ravel(), np.zeros(lower.size, int)
    below, upto = marginal.cdf(at, marginal.typical, none)
    cell = [
        marginal.quantile(np.clip(u, 1e-12, 1 - 1e-12), marginal.typical, none).reshape(lower.shape)
        for u in (below - CELL, upto + CELL)
    ]
    low, high = np.where(exact, np.minimum(cell[0], lower), lower), np.where(exact, np.maximum(cell[1], upper), upper)
    return Allowed(low, high, np.where(exact, lower, np.nan))


def condition_of(name: str, wanted: Any) -> Condition:
    """Take a value or a condition; refuse what is neither."""
    if isinstance(wanted, Condition):
        return wanted
    if isinstance(wanted, (list, tuple, set, frozenset, range, dict, np.ndarray, pd.Series, pd.Index)):
        remedy = "use bs.isin for several values, bs.between for a range"
        _refuse(name, f"{name!r} is a {type(wanted).__name__}", "a condition is one value", remedy)
    if pd.isna(wanted):
        _refuse(name, f"{name!r} is {wanted!r}", "a blank is not a value", "use bs.missing()")
    return as_condition(wanted)


def _instant(column: Column, value: Any) -> pd.Timestamp | pd.Timedelta:
    if isinstance(value, (bool, int, float)):
        raise TypeError("a bare number has no unit")
    if column.kind is Kind.DURATION:
        return pd.Timedelta(value)
    stamp, zone = pd.Timestamp(value), zone_of(column.storage)
    if (stamp.tz is None) == (zone is None):
        return stamp
    if zone is None:
        raise ValueError("the column has no time zone")
    return stamp.tz_localize(zone)


def _real(value: Any) -> float:
    if isinstance(value, (bool, np.bool_, str)):
        raise TypeError("it is no number")
    return float(value)


def _refuse(column: str, found: str, why: str, remedy: str) -> NoReturn:
    raise InputError(Problem(found, why, remedy, column))

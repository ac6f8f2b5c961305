"""Which construction keeps which rule, and which rules are left to drawing again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.rules.combined import Combined
from bayesynth.rules.formulas import BlankWhen, Derived
from bayesynth.rules.ordered import Ordered
from bayesynth.rules.relations import Inequality, Range, measure
from bayesynth.rules.rule import Rule
from bayesynth.rules.scale import Scale, has_scale
from bayesynth.rules.sets import FixedCombinations, OneHot
from bayesynth.rules.steps import Blanked, Computed, Step
from bayesynth.schema import Schema
from bayesynth.schema.kinds import MAX_LEVELS, NUMERIC


@dataclass
class Assignment:
    """Steps in the order in which columns are made, and the rules that rows must be drawn again for.

    Parameters
    ----------
    steps : list of Step
        Constructions.
    by_rejection : list of Rule
        The other rules.
    """

    steps: list[Step] = field(default_factory=list)
    by_rejection: list[Rule] = field(default_factory=list)


def assign(schema: Schema, rules: Sequence[Rule], blanks: Mapping[str, int]) -> Assignment:
    """Give every rule to a construction, or to rejection where another one has taken its column.

    Derived columns come first, then combinations, then inequalities and ranges, whatever the order of the rules.

    Parameters
    ----------
    schema : Schema
        The outer columns.
    rules : sequence of Rule
        The rules.
    blanks : mapping of str to int
        Blanks of columns in inequalities: gaps are counted from the side that has fewer.

    Raises
    ------
    InputError
        If rules contradict one another; lists all contradictions at once.
    """
    found = Assignment()
    taken: dict[str, Rule] = {}
    problems = list(_derived(rules, taken, found))
    _combined(schema, rules, taken, found)
    problems.extend(_ordered(schema, rules, blanks, taken, found))
    problems.extend(_blanked(rules, found))
    constructed = {id(rule) for step in found.steps for rule in step.rules}
    waiting = [rule for rule in rules if id(rule) not in constructed and rule not in found.by_rejection]
    fresh = {name for name, column in schema.items() if column.withheld}
    found.by_rejection.extend(rule for rule in waiting if not fresh & set(rule.columns))
    raise_all(problems)
    found.steps = _in_order(found.steps)
    found.by_rejection.extend(_bounds_of_the_computed(schema, found))
    return found


def _derived(rules: Sequence[Rule], taken: dict[str, Rule], found: Assignment) -> Iterable[Problem]:
    for rule in rules:
        if isinstance(rule, Derived):
            if rule.column in taken:
                why = f"{taken[rule.column]} derives it too"
                yield Problem(f"{rule} derives {rule.column!r}", why, "keep one of the two", rule.column)
                continue
            taken[rule.column] = rule
            found.steps.append(Computed((rule,), rule))


def _combined(schema: Schema, rules: Sequence[Rule], taken: dict[str, Rule], found: Assignment) -> None:
    for rule in rules:
        if isinstance(rule, (FixedCombinations, OneHot)):
            may = rule.combinations(schema) if isinstance(rule, OneHot) else rule.combinations
            if set(rule.columns) & set(taken) or len(may) > MAX_LEVELS:
                continue
            taken |= dict.fromkeys(rule.columns, rule)
            found.steps.append(Combined((rule,), rule.columns, may))


@dataclass
class _Ends:
    """Bounds of a column, as sizes, with the rules that set them."""

    low: float = -math.inf
    high: float = math.inf
    rules: list[Rule] = field(default_factory=list)


def _ordered(
    schema: Schema,
    rules: Sequence[Rule],
    blanks: Mapping[str, int],
    taken: Mapping[str, Rule],
    found: Assignment,
) -> Iterable[Problem]:
    ends: dict[str, _Ends] = {}
    beyond: dict[str, dict[str, bool]] = {}
    falling = _falling(schema, rules, blanks, taken)
    keeps: dict[str, list[Rule]] = {}
    for rule in rules:
        place = _placed(schema, rule, taken, falling)
        if place is None:
            continue
        keeps.setdefault(place, []).append(rule)
        if len(rule.columns) == 2:
            anchors, other = beyond.setdefault(place, {}), rule.high if place == rule.low else rule.low
            anchors[other] = anchors.get(other, False) or rule.strict
        else:
            _tighten(ends.setdefault(place, _Ends()), Scale(schema[place]), rule)
    problems = list(_circles(rules))
    if problems:
        return problems
    named = {*beyond, *(anchor for anchors in beyond.values() for anchor in anchors)}
    free = {name for name in named if _movable(schema, name, taken)}
    for name in free | set(ends):
        _with_schema(ends.setdefault(name, _Ends()), schema, name)
    _propagate(schema, ends, beyond, free, falling)
    for name in sorted({*ends, *beyond}):
        end = ends.get(name, _Ends())
        if end.low > end.high:
            said = "; ".join(rule.describe().rstrip(".") for rule in dict.fromkeys(end.rules)) or "the schema's bounds"
            problems.append(Problem(f"no value is left for {name!r}", said, "change one of these", name))
            continue
        low, high = (None if math.isinf(e) else e for e in (end.low, end.high))
        anchors = tuple(sorted(beyond.get(name, {}).items()))
        if not keeps.get(name) and not end.rules:
            continue
        down = name in falling
        found.steps.append(Ordered(tuple(keeps.get(name, [])), name, anchors, low, high, down))
        if (low if down else high) is not None and any(anchor not in free for anchor, _ in anchors):
            found.by_rejection.extend(r for r in end.rules if name in r.columns and len(r.columns) == 1)
    return problems


def _falling(
    schema: Schema, rules: Sequence[Rule], blanks: Mapping[str, int], taken: Mapping[str, Rule]
) -> frozenset[str]:
    """Name the columns that are made from what stands above: where that has fewer blanks in all that is joined."""
    pairs = [rule for rule in rules if isinstance(rule, Inequality) and len(rule.columns) == 2]
    groups: dict[str, set[str]] = {}
    for rule in pairs:
        joined = groups.get(rule.low, {rule.low}) | groups.get(rule.high, {rule.high})
        groups |= dict.fromkeys(joined, joined)
    found: set[str] = set()
    for group in groups.values():
        inside = [rule for rule in pairs if rule.low in group]
        fewer = sum(blanks.get(r.high, 0) - blanks.get(r.low, 0) for r in inside) < 0
        if fewer and all(_movable(schema, rule.low, taken) for rule in inside):
            found |= group
    return frozenset(found)


def _placed(schema: Schema, rule: Rule, taken: Mapping[str, Rule], falling: frozenset[str]) -> str | None:
    """Name the column that a construction makes, or keeps in bounds; None where there is no such way."""
    if not isinstance(rule, (Inequality, Range)):
        return None
    between = len(rule.columns) == 2
    name = (rule.low if rule.low in falling else rule.high) if between else rule.columns[0]
    return name if _movable(schema, name, taken) and all(_sized(schema, n) for n in rule.columns) else None


def _movable(schema: Schema, name: str, taken: Mapping[str, Rule]) -> bool:
    return name not in taken and schema[name].modelled and has_scale(schema[name])


def _sized(schema: Schema, name: str) -> bool:
    return not schema[name].storage.ordered


def _tighten(end: _Ends, scale: Scale, rule: Inequality | Range) -> None:
    strict = isinstance(rule, Inequality) and rule.strict
    low = rule.low if not isinstance(rule.low, str) else None
    high = rule.high if not isinstance(rule.high, str) else None
    if low is not None:
        end.low = max(end.low, float(scale.sizes(scale.at_least(measure(low), strict))))
    if high is not None:
        end.high = min(end.high, float(scale.sizes(scale.at_most(measure(high), strict))))
    end.rules.append(rule)


def _with_schema(end: _Ends, schema: Schema, name: str) -> None:
    low, high = (schema[name].bounds or (None, None)) if schema[name].kind in NUMERIC else (None, None)
    scale = Scale(schema[name])
    end.low = end.low if low is None else max(end.low, float(scale.sizes(scale.at_least(low))))
    end.high = end.high if high is None else min(end.high, float(scale.sizes(scale.at_most(high))))


def _propagate(
    schema: Schema,
    ends: dict[str, _Ends],
    beyond: Mapping[str, Mapping[str, bool]],
    free: set[str],
    falling: frozenset[str],
) -> None:
    """Carry the far bound of a column over to what it is made from, so that there is always room for a gap."""
    order = list(TopologicalSorter({name: set(anchors) for name, anchors in beyond.items()}).static_order())
    for name in reversed(order):
        side = "low" if name in falling else "high"
        for anchor, strict in beyond.get(name, {}).items():
            if anchor not in free or name not in ends or math.isinf(getattr(ends[name], side)):
                continue
            scale, end = Scale(schema[anchor]), ends[anchor]
            nearest = scale.at_least if side == "low" else scale.at_most
            bound = float(scale.sizes(nearest(getattr(ends[name], side), strict)))
            if bound > end.low if side == "low" else bound < end.high:
                setattr(end, side, bound)
                stated = (name, anchor) if side == "low" else (anchor, name)
                end.rules = [*end.rules, *ends[name].rules, Inequality(*stated, strict)]


def _circles(rules: Sequence[Rule]) -> Iterable[Problem]:
    """Name inequalities that run in a circle."""
    below: dict[str, set[str]] = {}
    for rule in rules:
        if isinstance(rule, Inequality) and len(rule.columns) == 2:
            below.setdefault(rule.high, set()).add(rule.low)
    try:
        tuple(TopologicalSorter(below).static_order())
    except CycleError as error:
        circle = error.args[1]
        strict = any(isinstance(r, Inequality) and r.strict and set(r.columns) <= set(circle) for r in rules)
        path = " <= ".join(circle)
        why = "a column cannot be below itself" if strict else "then all of them are equal"
        remedy = "leave one inequality out" if strict else f"say so: Derived({circle[1]!r}, {circle[0]!r})"
        yield Problem(f"inequalities run in a circle: {path}", why, remedy)


def _blanked(rules: Sequence[Rule], found: Assignment) -> Iterable[Problem]:
    exact: dict[str, BlankWhen] = {}
    for rule in rules:
        if not isinstance(rule, BlankWhen):
            continue
        for name in rule.about:
            other = exact.get(name)
            if other is not None and (rule.iff or other.iff):
                why = f"{other} says something else"
                yield Problem(f"{rule} says when {name!r} is blank", why, "join the two conditions with or", name)
            exact[name] = rule if other is None or rule.iff else other
        found.steps.append(Blanked((rule,), rule))
        if rule.iff:
            found.by_rejection.append(rule)


def _in_order(steps: Sequence[Step]) -> list[Step]:
    """Sort steps so that a column is made, then blanked, then read.

    Raises
    ------
    InputError
        If columns are made from one another in a circle.
    """
    for early in (True, False):  # what is blanked late may still leave a gap over a value that then disappears
        try:
            return [steps[i] for i in TopologicalSorter(_needs(steps, early)).static_order()]
        except CycleError as error:
            circle = [steps[i] for i in dict.fromkeys(error.args[1])]
    said = "; ".join(rule.describe().rstrip(".") for step in circle for rule in step.rules)
    found = f"columns are made from one another in a circle: {', '.join(dict.fromkeys(circle[0].writes))} ..."
    raise InputError(Problem(found, said, "leave one of these rules out"))


def _needs(steps: Sequence[Step], early: bool) -> dict[int, set[int]]:
    makers = {name: i for i, step in enumerate(steps) if not isinstance(step, Blanked) for name in step.writes}
    blankers: dict[str, set[int]] = {}
    for i, step in enumerate(steps):
        if isinstance(step, Blanked):
            for name in step.writes:
                blankers.setdefault(name, set()).add(i)
    needs: dict[int, set[int]] = {}
    for i, step in enumerate(steps):
        blanks = isinstance(step, Blanked)
        needs[i] = {makers[name] for name in (*step.reads, *(step.writes if blanks else ())) if name in makers}
        if early or not isinstance(step, Ordered):
            needs[i] |= {j for name in step.reads for j in blankers.get(name, ())}
        needs[i].discard(i)
    return needs


def _bounds_of_the_computed(schema: Schema, found: Assignment) -> list[Rule]:
    """State the schema's own bounds of computed columns, which nothing else keeps."""
    rules = []
    for step in found.steps:
        if isinstance(step, Computed):
            bounds = schema[step.rule.column].bounds
            if bounds is not None:
                rules.append(Range(step.rule.column, *bounds))
    return [rule for rule in rules if rule not in found.by_rejection]

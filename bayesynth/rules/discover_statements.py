"""What was found, stated as rules."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping

from bayesynth.rules import discover_arithmetic, discover_blanks, discover_combinations, discover_levels, discover_order
from bayesynth.rules.discover_arithmetic import Candidate
from bayesynth.rules.discover_evidence import Found
from bayesynth.rules.formulas import BlankWhen, Derived
from bayesynth.rules.relations import Inequality
from bayesynth.rules.roundest import roundest
from bayesynth.rules.rule import Rule
from bayesynth.rules.sets import FixedCombinations


def state(found: Found) -> Rule:
    """State a relation as the rule that `Synthesizer` takes."""
    return _STATEMENTS[found.kind](found)


def _in_formula(name: str) -> str:
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"`{name}`"


def _number(x: float) -> str:
    return repr(int(x)) if x == int(x) and abs(x) < 1e15 else repr(x)


def _arithmetic(found: Found) -> Rule:
    candidate: Candidate = found.facts["candidate"]
    names = (_in_formula(field.name) for field in candidate.inputs)
    text = _scaled(candidate.form.format(*names), candidate.factor)
    if candidate.shift:
        text += f" {'-' if candidate.shift < 0 else '+'} {_number(abs(candidate.shift))}"
    if candidate.floored:
        step = candidate.target.step
        text = (
            f"floor({text})"
            if step == 1
            else f"floor(({text}) * {_number(round(1 / step))}) / {_number(round(1 / step))}"
        )
    return Derived(candidate.target.name, text, tolerance=candidate.allowed)


def _scaled(formula: str, factor: float) -> str:
    """Write a multiple as the shorter of a product and a ratio."""
    if factor == 1:
        return formula[1:-1] if formula.startswith("(") else formula
    product, ratio = _number(factor), _number(1 / factor)
    if len(ratio) < len(product):
        return f"{formula} / {ratio}"
    return f"{product} * {formula}"


def _inequality(found: Found) -> Rule:
    return Inequality(*found.columns)


def _combinations(found: Found) -> Rule:
    return FixedCombinations(*found.columns)


def _threshold(found: Found) -> Rule:
    x, y = found.columns
    edges = [_edge(low, high) for low, high in found.facts["gaps"]]
    labels = [_level(level) for level in found.facts["levels"]]
    return Derived(y, f"cut({_in_formula(x)}, ({', '.join(map(_number, edges))},), ({', '.join(labels)}))")


def _edge(low: float, high: float) -> float:
    """Find the roundest value above one level and not above the next; values at the edge belong to the upper level."""
    edge = roundest(low, high)
    return high if edge == low else edge


def _level(level: object) -> str:
    return repr(level) if isinstance(level, (str, bool)) else _number(float(level))


def _together(found: Found) -> Rule:
    first, *others = found.columns
    return BlankWhen(tuple(others), f"blank({_in_formula(first)})", iff=True)


def _nested(found: Found) -> Rule:
    first, *others = found.columns
    return BlankWhen(tuple(others), f"blank({_in_formula(first)})", iff=False)


def _at_level(found: Found) -> Rule:
    name, *others = found.columns
    levels = [_level(level) for level in found.facts["levels"]]
    text = f"== {levels[0]}" if len(levels) == 1 else f"in ({', '.join(levels)})"
    return BlankWhen(tuple(others), f"{_in_formula(name)} {text}", iff="elsewhere" in found.facts)


def _beyond(found: Found) -> Rule:
    name, *others = found.columns
    edge = _edge(*found.facts["gap"])
    return BlankWhen(
        tuple(others), f"{_in_formula(name)} {'<' if found.facts['low'] else '>='} {_number(edge)}", iff=False
    )


_STATEMENTS: Mapping[str, Callable[[Found], Rule]] = {
    discover_arithmetic.KIND: _arithmetic,
    discover_order.KIND: _inequality,
    discover_levels.DEPENDENCY: _combinations,
    discover_combinations.KIND: _combinations,
    discover_levels.THRESHOLD: _threshold,
    discover_blanks.TOGETHER: _together,
    discover_blanks.NESTED: _nested,
    discover_blanks.AT_LEVEL: _at_level,
    discover_blanks.BEYOND: _beyond,
}
KINDS = tuple(_STATEMENTS)

"""Leave out what follows from other relations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bayesynth.rules import discover_arithmetic as arithmetic
from bayesynth.rules import discover_blanks as blanks
from bayesynth.rules import discover_combinations as combined
from bayesynth.rules import discover_levels as levels
from bayesynth.rules import discover_order as order
from bayesynth.rules.discover_evidence import Found

Dependency = tuple[frozenset[str], str]


def irredundant(found: Iterable[Found], columns: tuple[str, ...]) -> list[Found]:
    """Keep a set of relations from which the others follow.

    Parameters
    ----------
    found : iterable of Found
        Relations that hold.
    columns : tuple of str
        Columns in the order of the table: what comes later follows from what comes earlier, where both would do.
    """
    found = list(found)
    derived = _derivations(_of(found, arithmetic.KIND), columns)
    cut = _cuts(_of(found, levels.THRESHOLD), derived)
    dependencies = _dependencies(_of(found, levels.DEPENDENCY), [*_of(found, arithmetic.KIND), *cut], cut, columns)
    related = [*derived, *dependencies, *cut]
    return [
        *derived,
        *_inequalities(_of(found, order.KIND), _of(found, arithmetic.KIND), derived),
        *cut,
        *dependencies,
        *_combinations(_of(found, combined.KIND), related),
        *_blanks(found, derived, cut, dependencies),
    ]


def _of(found: Iterable[Found], kind: str) -> list[Found]:
    return [f for f in found if f.kind == kind]


def _derivations(found: list[Found], columns: tuple[str, ...]) -> list[Found]:
    """Derive each column once, the simplest way, and none from itself."""

    def simplicity(f: Found) -> tuple[object, ...]:
        c = f.facts["candidate"]
        forms = [*arithmetic.SINGLE, *(form.text for form in arithmetic.PAIRS), c.form]
        plainness = len(repr(c.factor)) + len(repr(c.shift))
        places = [columns.index(name) for name in f.columns]
        return (
            len(c.inputs),
            c.target.sort != "number",
            forms.index(c.form),
            c.floored,
            -places[-1],
            plainness,
            places,
        )

    parents: dict[str, set[str]] = {}
    kept = []
    for f in sorted(found, key=simplicity):
        *inputs, target = f.columns
        if target not in parents and not any(target in _origins(name, parents) for name in inputs):
            parents[target] = set(inputs)
            kept.append(f)
    return kept


def _origins(name: str, parents: dict[str, set[str]]) -> set[str]:
    reached, waiting = set(), [name]
    while waiting:
        now = waiting.pop()
        if now not in reached:
            reached.add(now)
            waiting.extend(parents.get(now, ()))
    return reached


def _cuts(found: list[Found], derived: list[Found]) -> list[Found]:
    """Cut a column from one number: from the one that others are converted from, where there are several."""
    targets = {f.columns[-1] for f in derived}
    kept: dict[str, Found] = {}
    for f in sorted(found, key=lambda f: (f.columns[0] in targets, -f.evidence.support)):
        if f.columns[1] not in targets:
            kept.setdefault(f.columns[1], f)
    return list(kept.values())


def _dependencies(found: list[Found], known: list[Found], cut: list[Found], columns: tuple[str, ...]) -> list[Found]:
    """Remove what the rest implies, then what says the same of the same columns."""
    source = {f.columns[1]: f.columns[0] for f in cut}
    exact = _of(known, arithmetic.KIND)
    open_ = [
        f for f in found if not (len(f.columns) == 2 and source.get(f.columns[0], 0) == source.get(f.columns[1], 1))
    ]
    given = [(frozenset(f.columns[:-1]), f.columns[-1]) for f in known]
    given += [(frozenset(f.columns[1:]), f.columns[0]) for f in exact if len(f.columns) == 2]
    open_.sort(key=lambda f: (-len(f.columns), [-columns.index(name) for name in f.columns]))
    kept = list(open_)
    for f in open_:
        rest = given + [(frozenset(g.columns[:-1]), g.columns[-1]) for g in kept if g is not f]
        if f.columns[-1] in _closure(f.columns[:-1], rest):
            kept.remove(f)
    return list({frozenset(f.columns): f for f in kept}.values())


def _closure(names: Iterable[str], dependencies: list[Dependency]) -> set[str]:
    known = set(names)
    while more := {target for inputs, target in dependencies if inputs <= known} - known:
        known |= more
    return known


def _inequalities(found: list[Found], exact: list[Found], derived: list[Found]) -> list[Found]:
    """Leave out what follows by transitivity, from an exact relation, or by a conversion of units."""
    pairs = {f.columns for f in found}
    converted = {f.columns[-1] for f in derived if len(f.columns) == 2}
    together = [set(f.columns) for f in exact]
    kept = []
    for f in found:
        low, high = f.columns
        through = any((low, name) in pairs and (name, high) in pairs for _, name in pairs)
        stated = any({low, high} <= columns for columns in together)
        if not (through or stated or {low, high} & converted):
            kept.append(f)
    return kept


def _combinations(found: list[Found], related: list[Found]) -> list[Found]:
    """Leave out pairs of a column that another one of a pair determines."""
    pairs = {frozenset(f.columns) for f in found}
    implied = set()
    for f in related:
        *inputs, target = f.columns
        implied |= {pair for pair in pairs if pair <= set(f.columns)}
        if len(inputs) == 1:
            others = {name for pair in pairs if target in pair for name in pair} - {target, inputs[0]}
            implied |= {frozenset((inputs[0], name)) for name in others}
    return [f for f in found if frozenset(f.columns) not in implied]


def _blanks(found: list[Found], derived: list[Found], cut: list[Found], dependencies: list[Found]) -> list[Found]:
    """Leave out blanks that follow from a derivation, from other blanks, or from a condition on a coarser column."""
    inputs = {f.columns[-1]: set(f.columns[:-1]) for f in [*derived, *cut]}
    found = [g for f in found if f.kind in _BLANKS and (g := _without(f, inputs)) is not None]
    caused = {(f.columns[0], name) for f in found if f.kind in _CONDITIONS for name in f.columns[1:]}
    nested = {(f.columns[0], name) for f in _of(found, blanks.NESTED) for name in f.columns[1:]}
    coded = {(f.columns[0], f.columns[-1]) for f in [*cut, *dependencies] if len(f.columns) == 2}
    kept = []
    for f in found:
        first, *others = f.columns
        by_coding = f.kind in _CONDITIONS and any(
            a == first and (b, name) in caused for a, b in coded for name in others[:1]
        )
        through = f.kind == blanks.NESTED and any(
            (first, name) in nested and (name, others[0]) in nested for _, name in nested
        )
        outer = f.kind in _CONDITIONS and any(
            (first, name) in caused and (name, others[0]) in nested for _, name in caused
        )
        shared = f.kind == blanks.NESTED and any((c, first) in caused and (c, others[0]) in caused for c, _ in caused)
        if not (by_coding or through or outer or shared):
            kept.append(f)
    return _said_once(kept)


def _said_once(found: list[Found]) -> list[Found]:
    """Say of a block when its first column is blank, and of a column no more than exactly when it is."""
    followers = {name for f in _of(found, blanks.TOGETHER) for name in f.columns[1:]}
    kept = _of(found, blanks.TOGETHER)
    exact: set[str] = set()
    for f in sorted((f for f in found if f.kind != blanks.TOGETHER), key=lambda f: "elsewhere" not in f.facts):
        others = [name for name in f.columns[1:] if name not in followers | exact]
        if others:
            kept.append(replace(f, columns=(f.columns[0], *others)))
            exact |= set(others) if "elsewhere" in f.facts else set()
    return kept


_CONDITIONS = (blanks.AT_LEVEL, blanks.BEYOND)
_BLANKS = (blanks.TOGETHER, blanks.NESTED, *_CONDITIONS)


def _without(f: Found, inputs: dict[str, set[str]]) -> Found | None:
    """Take derived columns out of a block that is blank with one of their inputs."""
    first, *others = f.columns
    decides = {first} if f.kind == blanks.NESTED else set(f.columns) if f.kind == blanks.TOGETHER else set(others)
    kept = [
        name for name in (f.columns if f.kind == blanks.TOGETHER else others) if not inputs.get(name, set()) & decides
    ]
    if f.kind == blanks.TOGETHER:
        return replace(f, columns=tuple(kept)) if len(kept) > 1 else None
    return replace(f, columns=(first, *kept)) if kept else None

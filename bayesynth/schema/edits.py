"""Changing facts of a column: what is stated is no longer a guess, and what no longer applies goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

import numpy as np

from bayesynth.errors import Problem, SchemaError
from bayesynth.schema.arrays import decimals
from bayesynth.schema.column import Column
from bayesynth.schema.contradictions import column_problem, is_row_count
from bayesynth.schema.fresh import AUTO, BLANK
from bayesynth.schema.kinds import COUNT_MARGINALS, LEVEL_POLICIES, NOMINAL, NUMERIC, TEMPORAL, WITH_POLICY, Kind, Role
from bayesynth.schema.storage import NUMBERS

Edit = str | Mapping[str, object] | Column
_FIXED = ("name", "storage", "inferred", "notes")
EDITABLE = tuple(field.name for field in fields(Column) if field.name not in _FIXED)


def edit_column(column: Column, edit: Edit) -> Column:
    """Apply one edit to a column.

    Raises
    ------
    SchemaError
        If a fact is unknown, or facts contradict each other.
    """
    if isinstance(edit, Column):
        if edit.name != column.name:
            raise SchemaError(
                column_problem(
                    column, f"a replacement called {edit.name!r}", "order and names stay", "use its own name"
                )
            )
        return edit
    facts = {"kind": edit} if isinstance(edit, str) else edit
    if not isinstance(facts, Mapping):
        raise SchemaError(
            column_problem(
                column, f"the edit {edit!r}", "an edit is a kind, a dict of facts or a Column", "pass one of these"
            )
        )
    if unknown := [key for key in facts if key not in EDITABLE]:
        raise SchemaError(
            column_problem(
                column, f"the unknown facts {unknown}", "they would be ignored", f"use {', '.join(EDITABLE)}"
            )
        )
    facts = _with_role(column, dict(facts))
    kind = _kind(facts.get("kind", column.kind))
    if kind is None or kind is column.kind:
        settled: dict[str, object] = {}
    else:
        settled = _carried(column, kind)
    inferred = (column.inferred - set(facts)) & _facts_of(kind or column.kind)
    notes = () if "kind" in facts else column.notes
    return replace(column, **{**settled, **facts}, inferred=inferred, notes=notes)


def policy_problems(facts: Mapping[str, object]) -> Iterator[Problem]:
    """Say what is wrong with a level policy for all columns, whether or not any can have one."""
    policy, fewest = facts.get("level_policy", "keep"), facts.get("fewest", 1)
    if policy not in LEVEL_POLICIES:
        why, remedy = f"known are: {', '.join(LEVEL_POLICIES)}", "choose one of these"
        yield Problem(f"level_policy={policy!r} for all columns", why, remedy)
    if not is_row_count(fewest):
        yield Problem(f"fewest={fewest!r} for all columns", "it is a number of rows", "pass 5, for example")


def with_policy(column: Column, facts: Mapping[str, object], edit: Edit) -> Column:
    """Apply a level policy for all columns to one that can have it, but for what its own edit states.

    Raises
    ------
    SchemaError
        If the policy contradicts other facts of the column.
    """
    if isinstance(edit, Column) or not column.modelled or column.kind not in WITH_POLICY:
        return column
    own = edit if isinstance(edit, Mapping) else {}
    return replace(column, **{fact: value for fact, value in facts.items() if fact not in own})


def stated(edit: Edit | None) -> tuple[Kind | None, Role | None]:
    """Read the kind and role that an edit states; what is neither is left for `edit_column` to refuse."""
    if isinstance(edit, Column):
        return edit.kind, edit.role
    facts = {"kind": edit} if isinstance(edit, str) else edit if isinstance(edit, Mapping) else {}
    if withholds(edit):
        return Kind.IDENTIFIER, _role(_role_stated(facts))
    return _kind(facts.get("kind")), _role(facts.get("role"))


def withholds(edit: Edit) -> bool:
    """Tell whether an edit makes its column one of which nothing is learned."""
    if isinstance(edit, Column):
        return edit.withheld
    facts = {"kind": edit} if isinstance(edit, str) else edit if isinstance(edit, Mapping) else {}
    return facts.get("kind") == Kind.IDENTIFIER or _role_stated(facts) in (Role.IDENTIFIER, Role.PERSONAL)


def _kind(value: object) -> Kind | None:
    return Kind(value) if value in tuple(Kind) else None


def _role(value: object) -> Role | None:
    return Role(value) if value in tuple(Role) else None


def _role_stated(facts: Mapping[str, object]) -> object:
    """Read the role; who states fresh values and neither role nor kind means a column that is withheld."""
    if "role" in facts or "kind" in facts or facts.get("fresh", AUTO) == AUTO:
        return facts.get("role")
    return Role.IDENTIFIER if isinstance(facts["fresh"], str) and facts["fresh"] != BLANK else Role.PERSONAL


def _with_role(column: Column, facts: dict[str, object]) -> dict[str, object]:
    """Let the kind identifier, the roles that go with it and fresh values bring each other along."""
    if not column.withheld and (role := _role_stated(facts)) is not None:
        facts.setdefault("role", role)
    if facts.get("role") in (Role.IDENTIFIER, Role.PERSONAL):
        facts.setdefault("kind", Kind.IDENTIFIER)
    elif facts.get("kind") == Kind.IDENTIFIER and column.role is Role.MODELLED:
        facts.setdefault("role", Role.IDENTIFIER)
    elif _kind(facts.get("kind")) is not None and facts["kind"] != Kind.IDENTIFIER and column.withheld:
        facts.setdefault("role", Role.MODELLED)
    return facts


def _carried(column: Column, kind: Kind) -> dict[str, object]:
    """Facts of a column that still hold, or follow, when its kind changes."""
    same_levels = (kind in NOMINAL or kind is Kind.CONSTANT) and (
        column.kind in NOMINAL or column.kind is Kind.CONSTANT
    )
    same_numbers = kind in NUMERIC and column.kind in NUMERIC
    facts: dict[str, object] = {
        "levels": column.levels if same_levels else (),
        "bounds": column.bounds if same_numbers else None,
        "precision": column.precision if same_numbers else None,
        "marginal": column.marginal if same_numbers and column.marginal not in COUNT_MARGINALS else "empirical",
        "level_policy": column.level_policy if {kind, column.kind} <= WITH_POLICY else "keep",
        "unseen_share": column.unseen_share if {kind, column.kind} <= NOMINAL else None,
        "tails": column.tails and same_numbers and column.marginal not in COUNT_MARGINALS,
    }
    if kind in NUMERIC and column.kind in NOMINAL and column.storage.holds in NUMBERS:
        facts["precision"] = decimals(np.array(column.levels, dtype=float))
    if kind is Kind.COUNT and isinstance(facts["precision"], int):
        facts["precision"] = min(facts["precision"], 0)
    if kind is not Kind.IDENTIFIER:
        facts["fresh"] = AUTO
    if kind is Kind.IDENTIFIER or (column.storage.form is not None and kind is not Kind.DATETIME):
        facts["storage"] = column.storage.plain
    return facts


def _facts_of(kind: Kind) -> set[str]:
    """Name the facts that a kind has, and that can be guesses."""
    facts = {"kind", "nullable"}
    if kind in NOMINAL or kind is Kind.CONSTANT:
        facts.add("levels")
    if kind in NUMERIC:
        facts |= {"bounds", "precision"}
    if kind in TEMPORAL:
        facts.add("precision")
    return facts

"""The plan by which a set of rules is kept: what the model sees of a table, and how rows come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from bayesynth.errors import raise_all
from bayesynth.rules.assign import Assignment, assign
from bayesynth.rules.formulas import BlankWhen
from bayesynth.rules.relations import Inequality
from bayesynth.rules.rule import Rule
from bayesynth.rules.sets import FixedCombinations, OneHot
from bayesynth.rules.steps import Part
from bayesynth.schema import Schema

BY_REJECTION = "by rejection"
TABLE = ("rule", "sentence", "kept", "rows", "decided", "broken")


@dataclass(frozen=True)
class RulePlan:
    """How a set of rules is kept in every row that is drawn.

    Parameters
    ----------
    schema : Schema
        The columns of the table, the outer ones.
    rules : tuple of Rule
        The rules, in an order of their own.
    model_schema : Schema
        The columns that the model sees, the inner ones.
    blanks : mapping of str to int
        Blanks of columns in inequalities, in the table that was planned for.
    """

    schema: Schema
    rules: tuple[Rule, ...]
    model_schema: Schema
    blanks: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, schema: Schema, rules: Iterable[Rule], frame: pd.DataFrame) -> RulePlan:
        """Plan how rules are kept in tables like one that is given.

        Parameters
        ----------
        schema : Schema
            Its columns.
        rules : iterable of Rule
            In any order; a rule that is stated twice counts once.
        frame : DataFrame
            The table; it is not changed. Combinations are taken from it, and which columns the model needs.

        Raises
        ------
        InputError
            If a rule does not fit the schema, or rules contradict one another; lists all problems at once.
        """
        rules = tuple(sorted(dict.fromkeys(rules), key=lambda rule: rule.order))
        raise_all(problem for rule in rules for problem in rule.problems(schema))
        settled = tuple(
            rule.settled(frame) if isinstance(rule, (FixedCombinations, OneHot)) else rule for rule in rules
        )
        compared = {name for rule in rules if isinstance(rule, Inequality) for name in rule.columns}
        blanks = {name: int(frame[name].isna().sum()) for name in sorted(compared)}
        plan = cls(schema, settled, schema, blanks)
        return cls(schema, settled, plan.inner(frame), blanks)

    @cached_property
    def assignment(self) -> Assignment:
        """Steps in order, and the rules that are left to rejection."""
        return assign(self.schema, self.rules, self.blanks)

    @property
    def by_rejection(self) -> tuple[Rule, ...]:
        """Rules for which rows are drawn again."""
        return tuple(self.assignment.by_rejection)

    def inner(self, frame: pd.DataFrame) -> Schema:
        """Give the columns that a model of this table needs to see."""
        return Schema([part.column for part in self._parts(frame) if part.needed])

    def to_model(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Give a table as the model sees it: with the columns of `model_schema`.

        A row that breaks a rule counts as the nearest one that does not.

        Parameters
        ----------
        frame : DataFrame
            With the outer columns; it is not changed.
        """
        found = {part.column.name: part.values for part in self._parts(frame)}
        return pd.DataFrame({name: found[name] for name in self.model_schema}, index=frame.index)

    def from_model(self, drawn: pd.DataFrame) -> pd.DataFrame:
        """Make the outer columns from rows that were drawn, with their own dtypes, order and precision.

        Columns that are withheld are not among them: they come from nothing that was drawn.

        Parameters
        ----------
        drawn : DataFrame
            With the columns of `model_schema`.
        """
        n_rows = len(drawn)
        columns = {name: drawn[name].reset_index(drop=True) for name in drawn}
        made: dict[str, pd.Series] = {n: s for n, s in columns.items() if n in self.schema and n not in self._made}
        for step in self.assignment.steps:
            made |= step.make(self.schema, columns, made, n_rows)
        return pd.DataFrame({name: made[name] for name in self.outer}, index=pd.RangeIndex(n_rows))

    def check(self, frame: pd.DataFrame) -> dict[Rule, int]:
        """Count the rows of a table that break each rule."""
        return {rule: int(rule.violations(frame).sum()) for rule in self.rules}

    def kept_by(self, rule: Rule) -> str:
        """Say in a few words how a rule is kept."""
        how = [step.means for step in self.assignment.steps if rule in step.rules]
        if how:
            return f"by construction: {how[0]}"
        return BY_REJECTION if rule in self.by_rejection else "by construction: identifiers come back unique"

    def table(self, *frames: pd.DataFrame) -> pd.DataFrame:
        """Show what the rules find in one table or several.

        Parameters
        ----------
        *frames : DataFrame
            With the outer columns; they are not changed.

        Returns
        -------
        DataFrame
            One row per rule: ``rule``; its ``sentence``; how it is ``kept``; ``rows`` checked; ``decided``, those that
            could have broken it; ``broken``, those that do.
        """
        rows = []
        for rule in self.rules:
            judged = [rule.judge(frame) for frame in frames]
            decided, broken = (sum(int(getattr(j, what).sum()) for j in judged) for what in ("decided", "broken"))
            rows.append((str(rule), rule.describe(), self.kept_by(rule), sum(map(len, frames)), decided, broken))
        return pd.DataFrame(rows, columns=list(TABLE))

    @cached_property
    def structural(self) -> Mapping[str, BlankWhen]:
        """Inner columns whose blanks a rule sets, each with its rule."""
        parts = {name: step.shown for step in self.assignment.steps if step.parts_replace for name in step.writes}
        blanked = {name: rule for rule in self.rules if isinstance(rule, BlankWhen) for name in rule.about}
        inner = ((part, rule) for name, rule in blanked.items() for part in parts.get(name, (name,)))
        return {part: rule for part, rule in inner if part in self.model_schema}

    @cached_property
    def last(self) -> Mapping[str, Rule | str]:
        """Inner columns on which no other shall depend, but those of the same group; each with its group.

        These are columns that a rule blanks, and values that stand on their own where a gap or formula has nothing to
        work with: whether and where they have values says nothing that other columns do not say.
        """
        alone = {step.alone: step.alone for step in self.assignment.steps if step.alone in self.model_schema}
        return alone | dict(self.structural)

    @cached_property
    def outer(self) -> tuple[str, ...]:
        """Outer columns of which something is learned."""
        return tuple(name for name, column in self.schema.items() if not column.withheld)

    @cached_property
    def _made(self) -> frozenset[str]:
        """Columns that a step makes anew."""
        return frozenset(name for step in self.assignment.steps if step.parts_replace for name in step.writes)

    def _parts(self, frame: pd.DataFrame) -> list[Part]:
        """Give the inner columns of a table, each where its outer one stands."""
        table = frame.copy(deep=False)
        for step in self.assignment.steps:  # what a rule blanks is blank for the model, whatever was recorded
            if not step.parts_replace:
                made = step.make(self.schema, {}, table.reset_index(drop=True), len(frame))
                for name, series in made.items():
                    table[name] = series.set_axis(frame.index)
        at: dict[str, list[Part]] = {}
        for step in self.assignment.steps:
            if step.parts_replace:
                first = min(step.writes, key=list(self.schema).index)
                at[first] = step.parts(self.schema, table)
        found: list[Part] = []
        for name in self.outer:
            found.extend(at.get(name, ()) if name in self._made else [Part(self.schema[name], table[name])])
        return found

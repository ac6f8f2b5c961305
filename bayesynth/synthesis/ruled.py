"""Rules as part of a fit: judged on its table, kept in every row that is drawn, shown as a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth.encoding.fresh import fresh_columns
from bayesynth.errors import DataWarning, InputError, Problem, raise_all, warn
from bayesynth.predictive import DrawOptions, FittedNetwork, draw_rows, draw_table
from bayesynth.predictive.draw import Plan
from bayesynth.rules import Rule, RulePlan, Unique, rule_from_dict
from bayesynth.schema import Schema
from bayesynth.synthesis.rule_knowledge import always_filled

if TYPE_CHECKING:
    from bayesynth.synthesis.coding import Codebook

ON_VIOLATION = ("error", "warn", "drop_rule")
SHOWN_ROWS = 10
MOST_AT_A_TIME = 65_536
LEAST_RATE = 1e-3
FEWEST_AT_A_TIME = 64
PATIENCE = 20_000  # rows that are drawn before a rate is believed to be too small


@dataclass(frozen=True)
class Ruled:
    """The rules of a fit.

    Parameters
    ----------
    plan : RulePlan
        How they are kept.
    n_rows : int
        Rows of the table that they were judged on.
    decided : tuple of int
        For each rule, rows that could have broken it.
    broken : tuple of int
        For each rule, rows that broke it.
    """

    plan: RulePlan
    n_rows: int
    decided: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()

    @classmethod
    def of(cls, schema: Schema, rules: Sequence[Rule], frame: pd.DataFrame, on_violation: str = "error") -> Ruled:
        """Judge rules on a table, and plan how they are kept.

        Raises
        ------
        InputError
            If rules contradict one another or, with ``on_violation="error"``, the table.

        Warns
        -----
        DataWarning
            Of rows that break a rule, with ``on_violation`` "warn" or "drop_rule".
        """
        plan = RulePlan.of(schema, rules, frame)
        judged = {rule: rule.judge(frame) for rule in plan.rules}
        problems = {rule: _violation(rule, j.broken, on_violation) for rule, j in judged.items() if j.broken.any()}
        if on_violation == "error":
            raise_all(problems.values())
        for problem in problems.values():
            warn(problem, DataWarning, stacklevel=6)
        if problems and on_violation == "drop_rule":
            judged = {rule: j for rule, j in judged.items() if rule not in problems}
            plan = RulePlan.of(schema, judged, frame)
        counts = [(int(judged[r].decided.sum()), int(judged[r].broken.sum())) for r in plan.rules]
        return cls(plan, len(frame), tuple(d for d, _ in counts), tuple(b for _, b in counts))

    def to_dict(self) -> dict[str, object]:
        """Write the rules as plain values.

        Raises
        ------
        InputError
            If a rule holds a function; names all of them.
        """
        remedy = "state it as text, such as 'a + b', and fit again"
        raise_all(
            Problem(f"the rule {rule} holds a function", "a file holds no code", remedy)
            for rule in self.plan.rules
            if not rule.states_text
        )
        return {
            "rules": [rule.to_dict() for rule in self.plan.rules],
            "model_schema": json.loads(self.plan.model_schema.to_json()),
            "blanks": dict(self.plan.blanks),
            "n_rows": self.n_rows,
            "decided": list(self.decided),
            "broken": list(self.broken),
        }

    @classmethod
    def from_dict(cls, schema: Schema, facts: Mapping[str, object]) -> Ruled:
        """Read what `to_dict` wrote."""
        rules = tuple(rule_from_dict(rule) for rule in facts["rules"])
        inner = Schema.from_json(json.dumps(facts["model_schema"]))
        counts = tuple(facts["decided"]), tuple(facts["broken"])
        return cls(RulePlan(schema, rules, inner, facts["blanks"]), facts["n_rows"], *counts)

    def table(self) -> pd.DataFrame:
        """Give one row per rule; see `Fit.rules_table`."""
        rules = self.plan.rules
        columns = {
            "rule": [str(rule) for rule in rules],
            "sentence": [rule.describe() for rule in rules],
            "kept": [self.plan.kept_by(rule) for rule in rules],
            "rows": [self.n_rows] * len(rules),
            "decided": list(self.decided),
            "broken": list(self.broken),
        }
        return pd.DataFrame(columns)


def _violation(rule: Rule, broken: np.ndarray, on_violation: str) -> Problem:
    rows = np.flatnonzero(broken)
    shown = ", ".join(map(str, rows[:SHOWN_ROWS])) + (" ..." if len(rows) > SHOWN_ROWS else "")
    found = f"{len(rows)} of {len(broken)} rows break the rule {rule} (at positions {shown})"
    if on_violation == "error":
        remedy = 'correct the rows or the rule, or pass on_violation="warn" or "drop_rule"'
        return Problem(found, rule.describe(), remedy)
    if on_violation == "drop_rule":
        return Problem(found, "the rule is left out", "correct the rows, or the rule")
    why = "what is drawn keeps the rule all the same; such rows were learned as the nearest ones that keep it"
    return Problem(found, why, "correct the rows, or the rule")


def rule_problems(rules: object, on_violation: object) -> Iterable[Problem]:
    """Say what is no list of rules, or no way of taking rows that break one."""
    if isinstance(rules, (str, Rule)) or not isinstance(rules, Iterable):
        remedy = "pass rules=[Inequality('a', 'b')]"
        yield Problem(f"rules is a {type(rules).__name__}", "it is a list of rules", remedy)
    else:
        for rule in rules:
            if not isinstance(rule, Rule):
                why = "a rule is an object such as Inequality('a', 'b')"
                yield Problem(f"rules holds a {type(rule).__name__}", why, "pass one of those")
    if on_violation not in ON_VIOLATION:
        why, remedy = "there is no such way of taking violations", f"use one of {', '.join(ON_VIOLATION)}"
        yield Problem(f"on_violation={on_violation!r}", why, remedy)


def draw_under_rules(
    plan: RulePlan, network: FittedNetwork, codebook: Codebook, n: int, options: DrawOptions, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw n rows that keep every rule; rows that break one kept by rejection are drawn again.

    All rows of a table belong to the same posterior draw where the options ask for that. ``attrs["rules"]`` of the
    frame says how many rows were drawn for those that are kept.

    Raises
    ------
    InputError
        If fewer than 1 row in 1,000 keeps the rules; names the one that is broken most.
    """
    names = rng.spawn(1)[0]  # so that withheld columns change nothing of the others
    inner = replace(codebook, fresh={})
    options = replace(options, filled=always_filled(network.encoding, plan))
    shared = None if options.each_row else Plan.make(network, n, options, rng)

    def draw(size: int, first: bool) -> pd.DataFrame:
        if not network.encoding.nodes and not network.encoding.fixed:
            rows = iter([{"": np.empty(size)}])
        elif first and shared is None:
            rows = draw_table(network, size, options, rng)
        else:
            rows = draw_rows(network, size, options, rng, shared)
        return plan.from_model(inner.decode(plan.model_schema, rows, size, names))

    withheld = fresh_columns(plan.schema, codebook.fresh, n, names)  # first: it may refuse
    table = rows_that_keep(plan.by_rejection, draw, n)
    return table.assign(**withheld)[list(plan.schema)]


def rows_that_keep(rules: Sequence[Rule], draw: Callable[[int, bool], pd.DataFrame], n: int) -> pd.DataFrame:
    """Draw until n rows keep some rules.

    Parameters
    ----------
    rules : sequence of Rule
        Judged in each row, but for `Unique`, which is judged among all that are kept.
    draw : callable
        Takes a number of rows, and whether they are the first ones.
    n : int
        Rows.
    """
    fresh = draw(n, True)
    if not rules:
        return fresh
    kept, broken = fresh.iloc[:0], dict.fromkeys(map(str, rules), 0)
    drawn, since_a_gain = n, 0
    while True:
        before = len(kept)
        kept = _kept(rules, kept, fresh, broken)
        gained, since_a_gain = len(kept) - before, since_a_gain + len(fresh)
        if len(kept) >= n:
            break
        if since_a_gain >= PATIENCE and gained < LEAST_RATE * len(fresh):
            raise InputError(_too_rare(broken, drawn, len(kept), n))
        since_a_gain = 0 if gained >= LEAST_RATE * len(fresh) else since_a_gain
        wanted = 1.1 * (n - len(kept)) * len(fresh) / gained if gained else 2 * len(fresh)
        size = int(min(MOST_AT_A_TIME, max(FEWEST_AT_A_TIME, wanted)))
        fresh = draw(size, False)
        drawn += size
    table = kept.iloc[:n]
    table.attrs["rules"] = {"drawn": drawn, "acceptance": len(kept) / drawn, "broken": broken}
    return table


def _kept(rules: Sequence[Rule], kept: pd.DataFrame, fresh: pd.DataFrame, broken: dict[str, int]) -> pd.DataFrame:
    """Add the fresh rows that keep every rule, and count those that break one."""
    good = np.ones(len(fresh), bool)
    for rule in (r for r in rules if not isinstance(r, Unique)):
        found = rule.violations(fresh)
        broken[str(rule)] += int(found.sum())
        good &= ~found
    fresh = fresh[good]
    kept = (pd.concat([kept, fresh]) if len(kept) else fresh).reset_index(drop=True)
    for rule in (r for r in rules if isinstance(r, Unique)):
        found = rule.violations(kept)
        broken[str(rule)] += int(found.sum())
        kept = kept[~found].reset_index(drop=True)
    return kept


def _too_rare(broken: dict[str, int], drawn: int, kept: int, n: int) -> Problem:
    worst = max(broken, key=broken.get)
    found = f"of {drawn} rows that were drawn {kept} keep the rules, and {n} are wanted"
    why = f"{broken[worst]} break {worst}, which can only be kept by drawing again"
    remedy = "ask for fewer rows, relax the rule, or state it as Derived, Inequality, Range or FixedCombinations"
    return Problem(found, why, remedy)


class WithRules:
    """What a fit says of its rules."""

    ruled: Ruled

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that every drawn row keeps."""
        return self.ruled.plan.rules

    @property
    def rule_plan(self) -> RulePlan:
        """How they are kept."""
        return self.ruled.plan

    @property
    def model_schema(self) -> Schema:
        """What the nodes of the network are: columns as the rules leave them, those that are withheld left out."""
        return self.ruled.plan.model_schema

    def rules_table(self) -> pd.DataFrame:
        """Every rule of the fit as a row.

        Columns: ``rule``; its ``sentence``; how it is ``kept``, by construction or by rejection; ``rows`` of the
        fitted table; ``decided``, those of them that could have broken it; ``broken``, those that did, which were
        learned as the nearest rows that keep it.
        """
        return self.ruled.table()

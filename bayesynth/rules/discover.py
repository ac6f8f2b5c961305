"""Discovery of rules: relations that no row breaks, though chance would have had many break them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from bayesynth._random import Seed, as_generator
from bayesynth.errors import Problem, raise_all
from bayesynth.rules.discover_arithmetic import find_arithmetic
from bayesynth.rules.discover_blanks import find_blanks
from bayesynth.rules.discover_combinations import find_combinations
from bayesynth.rules.discover_evidence import Findings, Found, rows_needed
from bayesynth.rules.discover_levels import find_dependencies, find_joint_dependencies, find_thresholds
from bayesynth.rules.discover_order import find_inequalities
from bayesynth.rules.discover_redundant import irredundant
from bayesynth.rules.discover_statements import state
from bayesynth.rules.discover_table import Table
from bayesynth.rules.proposals import Proposal, RuleProposals
from bayesynth.rules.rule import Rule
from bayesynth.schema import Schema

SEARCHES: tuple[Callable[[Table], Findings], ...] = (
    find_arithmetic,
    find_inequalities,
    find_thresholds,
    find_dependencies,
    find_joint_dependencies,
    find_combinations,
    find_blanks,
)


def discover_rules(
    frame: pd.DataFrame,
    schema: Schema | None = None,
    *,
    rate: float = 0.01,
    probability: float = 0.95,
    holdout: float = 0.25,
    random_seed: Seed = None,
) -> RuleProposals:
    r"""Propose rules that a table keeps: exact arithmetic, inequalities, codings, dependencies, structural blanks.

    A rule is proposed if no row breaks it, kept-aside rows included, and

    1. of the :math:`s` rows that could have broken it (its *support*), none did, so that violations, whose rate has
       a uniform prior and so the posterior :math:`\mathrm{Beta}(1, s + 1)`, are rarer than `rate` with at least the
       given probability (about 3 / `rate` rows, the rule of three);
    2. chance would have made none with a probability below :math:`(1 - \text{probability})/(7c)`, c being the number
       of candidates of its kind, so that, whichever of the seven searches, none is a coincidence;
    3. it does not follow from other rules that are proposed.

    Parameters
    ----------
    frame : DataFrame
        The table, (rows, columns); it is not changed.
    schema : Schema, optional
        What is known of its columns; inferred when left out. Identifiers and personal columns are not searched.
    rate : float
        The rate of violations that a rule must stay under, at most 0.5.
    probability : float
        How sure that must be, at least 0.5.
    holdout : float
        Share of the rows that is kept aside while factors are fitted and candidates are picked, from 0 to 0.9.
    random_seed : int, SeedSequence, Generator or None
        Chooses the rows kept aside.

    Returns
    -------
    RuleProposals
        A sequence of rules for ``Synthesizer(rules=...)``; `to_frame` shows the evidence.

    Raises
    ------
    InputError
        If the table or an argument cannot be used.

    Notes
    -----
    With `rate` 0.01 and `probability` 0.95 a rule takes a support of 298 rows, with `rate` 0.05 of 58.

    Hanley and Lippman-Hand (1983), doi:10.1001/jama.1983.03330370053031.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> length = rng.normal(170, 10, 300).round()
    >>> table = pd.DataFrame({"length": length, "inches": (length / 2.54).round(1)})
    >>> discover_rules(table, random_seed=1).rules[0].describe()
    'inches is length / 2.54.'
    """
    raise_all(_problems(rate=rate, probability=probability, holdout=holdout))
    schema = _checked(frame, schema)
    n = len(frame)
    aside = np.zeros(n, dtype=bool)
    aside[as_generator(random_seed).permutation(n)[: int(holdout * n)]] = True
    table = Table.of(frame, schema, aside)
    needed, limit = rows_needed(rate, probability), 1 - probability
    accepted: list[Found] = []
    weak: list[Found] = []
    chances: dict[int, float] = {}
    candidates = 0
    for search in SEARCHES:
        findings = search(table)
        candidates += findings.candidates
        for found in findings.found:
            chances[id(found.evidence)] = findings.chance(found.evidence.log_chance, len(SEARCHES))
            unrelated = findings.chance(-found.evidence.expected, len(SEARCHES))
            if unrelated < limit and found.facts.get("unseen", 0.0) <= rate:
                sure = found.evidence.support >= needed and chances[id(found.evidence)] < limit
                (accepted if sure else weak).append(found.supported(needed))
    kept = irredundant(accepted, tuple(frame.columns))
    doubted = {id(f.evidence) for f in weak}
    weaker = [f for f in irredundant([*accepted, *weak], tuple(frame.columns)) if id(f.evidence) in doubted]

    def propose(found: Iterable[Found]) -> tuple[Proposal, ...]:
        stated = ((f, state(f)) for f in found)
        return tuple(
            _proposal(f, rule, rate, chances[id(f.evidence)]) for f, rule in stated if not rule.violations(frame).any()
        )

    return RuleProposals(propose(kept), rate, probability, n, needed, candidates, propose(weaker))


def _proposal(found: Found, rule: Rule, rate: float, chance: float) -> Proposal:
    evidence = found.evidence
    return Proposal(
        rule, found.kind, evidence.support, evidence.kept_aside, evidence.expected, evidence.posterior(rate), chance
    )


def _checked(frame: pd.DataFrame, schema: Schema | None) -> Schema:
    if schema is None:
        return Schema.infer(frame)
    schema.validate(frame)
    return schema


def _problems(**arguments: object) -> list[Problem]:
    problems = []
    for name, value in arguments.items():
        low, high, example = _LIMITS[name]
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or not low <= value <= high:
            problems.append(
                Problem(f"{name} is {value!r}", f"it is a number from {low:g} to {high:g}", f"pass {name}={example}")
            )
    return problems


_LIMITS = {"rate": (1e-6, 0.5, 0.05), "probability": (0.5, 1 - 1e-9, 0.95), "holdout": (0.0, 0.9, 0.25)}

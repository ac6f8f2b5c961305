"""Rows under conditions: on columns of the model by its network, on columns that a rule makes by drawing again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bayesynth.encoding.fresh import fresh_columns
from bayesynth.errors import InputError, Problem
from bayesynth.predictive import DrawOptions, FittedNetwork
from bayesynth.predictive.conditional import TooRareError, draw_given, pilot, source_of
from bayesynth.predictive.particles import Source
from bayesynth.rules import RulePlan
from bayesynth.synthesis.accepting import Accept, Draw, TooFewAcceptedError, draw_accepted, meeting
from bayesynth.synthesis.asking import Asked, condition_of
from bayesynth.synthesis.coding import Codebook
from bayesynth.synthesis.given_facts import GivenFacts
from bayesynth.synthesis.rule_knowledge import always_filled
from bayesynth.synthesis.ruled import rows_that_keep


@dataclass(frozen=True)
class Model:
    """What rows are drawn from and decoded by.

    Parameters
    ----------
    network : FittedNetwork
        The posterior.
    codebook : Codebook
        Levels and origins.
    plan : RulePlan
        How rules are kept.
    """

    network: FittedNetwork
    codebook: Codebook
    plan: RulePlan

    def asked(self, given: Mapping[str, Any], blanks: bool) -> Asked:
        """Read conditions on columns of the model."""
        return Asked(self.plan, self.network.encoding, self.codebook, given, blanks)

    def source(self, asked: Asked | None, options: DrawOptions, rng: np.random.Generator) -> Source:
        """Prepare draws under conditions, if there are any."""
        options = replace(options, filled=always_filled(self.network.encoding, self.plan))
        return source_of(self.network, asked.allowed if asked else {}, options, rng)

    def frame(
        self,
        columns: Mapping[str, np.ndarray],
        n: int,
        rng: np.random.Generator,
        stated: Mapping[str, np.ndarray | bool] | None = None,
    ) -> pd.DataFrame:
        """Write drawn columns as a table like the original, but for those withheld; what is stated stays as it is."""
        inner, chunks = replace(self.codebook, fresh={}), [columns or {"": np.empty(n)}]
        return self.plan.from_model(inner.decode(self.plan.model_schema, chunks, n, rng, stated))

    def with_fresh(self, frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """Add the columns that are withheld, once all rows are there."""
        withheld = fresh_columns(self.plan.schema, self.codebook.fresh, len(frame), rng)
        return frame.assign(**withheld)[list(self.plan.schema)]

    def made_by_rules(self, name: str) -> bool:
        """Whether a rule makes a column, or blanks it, after the model has drawn."""
        return name in self.plan.schema and any(name in step.writes for step in self.plan.assignment.steps)

    def drawn_as_it_is(self, name: str) -> bool:
        """Whether the model draws a column itself, within bounds that rules set."""
        steps = [step for step in self.plan.assignment.steps if name in step.writes]
        return name in self.plan.model_schema and all(s.parts_replace and s.shown == s.writes for s in steps)

    def refused(self, asked: Asked, blanks: bool, error: TooRareError, rng: np.random.Generator) -> Problem:
        """Say how improbable conditions are, and which of them to drop."""
        left, options = {}, DrawOptions(blanks=blanks)
        for name in asked.conditions:
            rest = asked.without(name)
            left[name] = pilot(self.source(rest, options, rng), rng).mean if rest else 1.0
        nearest = max(left, key=left.get)
        found = "; ".join(f"{name} {words}" for name, words in asked.words().items())
        why = f"its probability is about {error.probability:.1g}, too little to draw from"
        if not error.probability:
            why = f"none of {error.guided_rows:,} rows that were led towards it met it"
        remedy = f"drop or widen the condition on {nearest!r}: without it the probability is {left[nearest]:.2g}"
        return Problem(found, why, remedy, nearest)


def draw_rows_given(
    model: Model, given: Mapping[str, Any], n: int, options: DrawOptions, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw n rows that meet conditions and keep the rules.

    Raises
    ------
    InputError
        If conditions cannot be read, cannot be met, or are met too rarely.
    """
    given = given if isinstance(given, Mapping) else model.asked(given, options.blanks).conditions
    outer = {name: wanted for name, wanted in given.items() if model.made_by_rules(name)}
    inner = {name: wanted for name, wanted in given.items() if name not in outer or model.drawn_as_it_is(name)}
    asked = model.asked(inner, options.blanks)
    accept = meeting(model.plan.schema, outer) if outer else None
    names = rng.spawn(1)[0]
    source, facts = model.source(asked, options, rng), GivenFacts(asked.seen_share)

    def guided(rows: int, stream: np.random.Generator) -> pd.DataFrame:
        found = draw_given(source, rows, stream)
        facts.add(found, rows)
        return model.frame(found.columns, rows, stream, asked.stated)

    def draw(rows: int, first: bool) -> pd.DataFrame:
        return _accepted(guided, rows, accept, rng, facts)

    try:
        frame = rows_that_keep(model.plan.by_rejection, draw, n)
    except TooRareError as error:
        raise InputError(model.refused(asked, options.blanks, error, rng)) from error
    except TooFewAcceptedError as error:
        raise InputError(_rare(outer, error)) from error
    frame = model.with_fresh(frame, names)
    frame.attrs["given"] = {
        "conditions": asked.words() | {k: str(condition_of(k, v)) for k, v in outer.items()}
    } | facts.to_dict(n)
    return frame


def _accepted(
    guided: Draw, rows: int, accept: Accept | None, rng: np.random.Generator, facts: GivenFacts
) -> pd.DataFrame:
    if accept is None:
        return guided(rows, rng)

    def judged(frame: pd.DataFrame) -> np.ndarray:
        keep = np.asarray(accept(frame), bool)
        facts.keep(int(keep.sum()))
        return keep

    return draw_accepted(guided, rows, judged, rng)[0]


def _rare(outer: Mapping[str, Any], error: TooFewAcceptedError) -> Problem:
    found = "; ".join(f"{name} {condition_of(name, wanted)}" for name, wanted in outer.items())
    why = f"rules make these columns, and {error.kept} of {error.tried:,} drawn rows are like that"
    return Problem(found, why, "condition on the columns that they are made from, or widen the conditions")

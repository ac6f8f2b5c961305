"""Rules that a formula states: derived columns, structural blanks, and any other condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.errors import InputError, Problem
from bayesynth.rules.rule import Condition, Judged, Rule, evaluate, formula_problems, reads
from bayesynth.rules.values import Value, read
from bayesynth.schema import Column, Kind, Schema
from bayesynth.schema.arrays import unit_of
from bayesynth.schema.infer import infer_column
from bayesynth.schema.kinds import NUMERIC, TEMPORAL

SLACK = 1e-9  # relative: what arithmetic on doubles may lose


@dataclass(frozen=True)
class Derived(Rule):
    """A column that follows from others: it leaves the network and comes back computed.

    Parameters
    ----------
    column : str
        The column.
    expression : str or callable
        Formula, such as ``"weight / (height / 100) ** 2"``, or a function of a frame.
    columns : sequence of str, optional
        What a function reads.
    decimals : int, optional
        To how many decimals it is rounded; as the schema says when left out.
    tolerance : float, optional
        How far a recorded value may be from the formula. When left out half a step of its grid, so that any way of
        rounding ties will do.

    Raises
    ------
    InputError
        If the formula cannot be read, or reads the column itself.

    Examples
    --------
    >>> rule = Derived("bmi", "weight / height ** 2", decimals=1)
    >>> rule.violations(pd.DataFrame({"bmi": [24.2, 30.0], "weight": [70.0, 70.0], "height": [1.70, 1.70]})).tolist()
    [False, True]
    """

    column: str
    expression: Condition
    inputs: tuple[str, ...] | None = None
    decimals: int | None = None
    tolerance: float | None = None

    def __init__(
        self,
        column: str,
        expression: Condition,
        columns: tuple[str, ...] | None = None,
        decimals: int | None = None,
        tolerance: float | None = None,
    ) -> None:
        inputs = reads(expression, columns, "columns")
        facts = {"column": column, "expression": expression, "inputs": inputs}
        for name, value in (facts | {"decimals": decimals, "tolerance": tolerance}).items():
            object.__setattr__(self, name, value)
        if column in inputs:
            found = f"the formula of {column!r} reads {column!r}"
            raise InputError(Problem(found, "a column cannot follow from itself", "name other columns", column))

    @property
    def columns(self) -> tuple[str, ...]:
        """The derived column, then what it follows from."""
        return (self.column, *self.inputs)

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Compare the recorded values with the formula."""
        formula, recorded = self.compute(frame), read(frame[self.column])
        decided = ~(formula.blank | recorded.blank)
        if formula.is_text or recorded.is_text:
            return Judged(decided & (formula.data != recorded.data).astype(bool), decided)
        wanted, found = formula.data.astype(float), recorded.data
        slack = SLACK * np.maximum(1.0, np.maximum(np.abs(wanted), np.abs(found)))
        return Judged(decided & (np.abs(wanted - found) > self._allowed(frame[self.column]) + slack), decided)

    def compute(self, frame: pd.DataFrame) -> Value:
        """Work out the formula, not rounded."""
        return evaluate(self.expression, self.inputs, frame)

    def _allowed(self, recorded: pd.Series) -> float:
        if self.tolerance is not None:
            return self.tolerance
        if self.decimals is not None:
            return 0.5 * 10.0**-self.decimals
        return half_step(recorded)

    def _problems(self, schema: Schema) -> list[Problem]:
        found = formula_problems(self, self.expression, self.inputs, schema)
        if schema[self.column].kind is Kind.CONSTANT:
            why = "it does not vary"
            found.append(Problem(f"the rule {self} derives a constant column", why, "leave the rule out", self.column))
        return found

    def describe(self) -> str:
        """Say what the column is computed from."""
        formula = self.expression if isinstance(self.expression, str) else f"a function of {', '.join(self.inputs)}"
        rounded = "" if self.decimals is None else f", rounded to {self.decimals} decimals"
        return f"{self.column} is {formula}{rounded}."

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> Derived:
        return cls(**{name: value for name, value in facts.items() if name != "inputs"})


def half_step(series: pd.Series) -> float:
    """Half a step of the grid that recorded values lie on."""
    present = series.dropna()
    if present.empty:
        return 0.0
    known: Column = infer_column(present.rename("values"))
    if known.kind in TEMPORAL:
        return 0.5 * float(unit_of(known.precision) / np.timedelta64(1, "D"))
    if known.kind in NUMERIC and isinstance(known.precision, int):
        return 0.5 * 10.0**-known.precision
    return 0.0


@dataclass(frozen=True)
class Predicate(Rule):
    """A condition that every row meets, kept by drawing rows again that do not.

    Parameters
    ----------
    condition : str or callable
        Formula, such as ``"age < 50 or parity != 0"``, or a function of a frame.
    columns : sequence of str, optional
        What a function reads. A row with a blank among them is not judged.
    name : str, optional
        What to call the rule.

    Raises
    ------
    InputError
        If the formula cannot be read.

    Examples
    --------
    >>> Predicate("a + b < 10").violations(pd.DataFrame({"a": [1.0, 9.0, 9.0], "b": [1.0, 9.0, None]})).tolist()
    [False, True, False]
    """

    condition: Condition
    inputs: tuple[str, ...] | None = None
    name: str | None = None

    def __init__(self, condition: Condition, columns: tuple[str, ...] | None = None, name: str | None = None) -> None:
        inputs = reads(condition, columns, "columns")
        for field, value in (("condition", condition), ("inputs", inputs), ("name", name)):
            object.__setattr__(self, field, value)

    @property
    def columns(self) -> tuple[str, ...]:
        """What the condition reads."""
        return self.inputs

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Find the rows that do not meet the condition."""
        found = evaluate(self.condition, self.inputs, frame)
        return Judged(~found.blank & ~found.truth, ~found.blank)

    def _problems(self, schema: Schema) -> list[Problem]:
        return formula_problems(self, self.condition, self.inputs, schema)

    def describe(self) -> str:
        """Say the condition."""
        if isinstance(self.condition, str):
            said = f"{self.condition} holds in every row."
        else:
            said = f"a function of {', '.join(self.inputs)} is true in every row."
        return f"{self.name}: {said}" if self.name else said

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> Predicate:
        return cls(facts["condition"], name=facts["name"])


@dataclass(frozen=True)
class BlankWhen(Rule):
    """Structural blanks: columns that are blank where a condition holds, and by default only there.

    Parameters
    ----------
    about : str or sequence of str
        The columns.
    when : str or callable
        Formula, such as ``"sex == 'm'"``, or a function of a frame. Rows where it is unknown are not judged.
    iff : bool
        Whether the columns are recorded wherever the condition does not hold. False leaves other blanks possible.
    given : sequence of str, optional
        What a function reads.

    Raises
    ------
    InputError
        If the formula cannot be read, or reads one of the columns.

    Examples
    --------
    >>> table = pd.DataFrame({"sex": ["m", "m", "f"], "pregnancies": [None, 1, 2]})
    >>> BlankWhen("pregnancies", "sex == 'm'").violations(table).tolist()
    [False, True, False]
    """

    about: tuple[str, ...]
    when: Condition
    iff: bool = True
    given: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        about = (self.about,) if isinstance(self.about, str) else tuple(self.about)
        object.__setattr__(self, "about", about)
        object.__setattr__(self, "given", reads(self.when, self.given, "given"))
        if circle := [name for name in about if name in self.given]:
            found = f"whether {circle[0]!r} is blank is made to depend on {circle[0]!r}"
            raise InputError(Problem(found, "a blank says nothing of its own value", "name other columns", circle[0]))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are blank, then what the condition reads."""
        return (*self.about, *self.given)

    def holds(self, frame: pd.DataFrame) -> Value:
        """Work out the condition."""
        return evaluate(self.when, self.given, frame)

    def judge(self, frame: pd.DataFrame) -> Judged:
        """Find values where there should be none and, if it says only there, blanks where there should be values."""
        condition = self.holds(frame)
        broken = np.zeros(len(frame), bool)
        for name in self.about:
            blank = frame[name].isna().to_numpy(dtype=bool)
            broken |= condition.truth & ~blank
            if self.iff:
                broken |= ~condition.blank & ~condition.truth & blank
        return Judged(broken, ~condition.blank if self.iff else condition.truth)

    def _problems(self, schema: Schema) -> list[Problem]:
        found = formula_problems(self, self.when, self.given, schema)
        for name in self.about:
            if not schema[name].nullable:
                why, remedy = "the schema says that it has no blanks", f"schema.update({name}={{'nullable': True}})"
                found.append(Problem(f"the rule {self} blanks {name!r}", why, remedy, name))
        return found

    def describe(self) -> str:
        """Say when the columns are blank."""
        condition = self.when if isinstance(self.when, str) else f"a function of {', '.join(self.given)} says so"
        verb = "is" if len(self.about) == 1 else "are"
        return f"{', '.join(self.about)} {verb} blank {'exactly where' if self.iff else 'where'} {condition}."

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> BlankWhen:
        return cls(tuple(facts["about"]), facts["when"], facts["iff"])

"""What every rule can do: name its columns, check a schema, find the rows that break it, say itself in a sentence."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from bayesynth.errors import InputError, Problem
from bayesynth.rules.expression import Expression
from bayesynth.rules.values import Value, any_blank, read, read_all
from bayesynth.schema import Schema
from bayesynth.schema.files import pack, unpack

Condition = str | Callable[[pd.DataFrame], Any]


@dataclass(frozen=True)
class Judged:
    """What a rule finds in a table.

    Parameters
    ----------
    broken : array of bool, shape (n_rows,)
        Rows that break the rule.
    decided : array of bool, shape (n_rows,)
        Rows that could have broken it.
    """

    broken: np.ndarray
    decided: np.ndarray


@dataclass(frozen=True)
class Rule(ABC):
    """Something that holds in every row of a table, or between its rows."""

    kinds: ClassVar[dict[str, type[Rule]]] = {}

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        Rule.kinds[cls.__name__] = cls

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Columns that the rule speaks of, those that it is about first."""

    @abstractmethod
    def judge(self, frame: pd.DataFrame) -> Judged:
        """Find the rows that break the rule, and those that could have broken it."""

    @abstractmethod
    def describe(self) -> str:
        """Say the rule in one sentence."""

    @property
    def states_text(self) -> bool:
        """Whether the rule can be written to a file: it holds no function."""
        return not any(callable(getattr(self, f.name)) for f in fields(self))

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        """Tell which rows break the rule; a row whose blanks leave it undecided does not."""
        return self.judge(frame).broken

    def problems(self, schema: Schema) -> list[Problem]:
        """List why the rule cannot be kept for tables of a schema."""
        found = []
        for name in dict.fromkeys(self.columns):
            if name not in schema:
                why, remedy = "the table has no such column", f"the columns are {', '.join(schema)}"
                found.append(Problem(f"the rule {self} names {name!r}", why, remedy, name))
            elif schema[name].withheld:
                why = "nothing is learned of an identifier or personal column, so no rule can hold for it"
                found.append(Problem(f"the rule {self} names {name!r}", why, "leave the rule out", name))
        return found or self._problems(schema)

    def _problems(self, schema: Schema) -> list[Problem]:
        return []

    def to_dict(self) -> dict[str, object]:
        """Write the rule as plain values.

        Raises
        ------
        InputError
            If it holds a function.
        """
        if not self.states_text:
            why = "a file holds no code"
            raise InputError(Problem(f"the rule {self} holds a function", why, "state it as text, such as 'a + b'"))
        return {"rule": type(self).__name__, **{f.name: _plain(getattr(self, f.name)) for f in fields(self)}}

    @classmethod
    def _from(cls, facts: Mapping[str, object]) -> Rule:
        return cls(**facts)

    @property
    def order(self) -> str:
        """A text by which rules are sorted, so that their order never matters."""
        facts = {f.name: getattr(self, f.name) for f in fields(self)}
        return json.dumps([type(self).__name__, facts], default=_name_of, sort_keys=True)

    def __str__(self) -> str:
        parts = [
            f"{f.name}={_shown(getattr(self, f.name))}" for f in fields(self) if getattr(self, f.name) != f.default
        ]
        return f"{type(self).__name__}({', '.join(parts)})"


def rule_from_dict(facts: Mapping[str, object]) -> Rule:
    """Read a rule that `Rule.to_dict` wrote.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        kind = Rule.kinds[facts["rule"]]
        return kind._from({name: value for name, value in facts.items() if name != "rule"})
    except (KeyError, TypeError, AttributeError) as error:
        remedy = f"write rules with to_dict; known are {', '.join(sorted(Rule.kinds))}"
        raise InputError(Problem(f"a malformed rule ({error})", "it cannot be read", remedy)) from error


def evaluate(condition: Condition, columns: Sequence[str], frame: pd.DataFrame) -> Value:
    """Work out a formula or call a function on the columns that it reads.

    A function is given the columns as a frame. Where one of them is blank, what it returns is taken as blank.

    Raises
    ------
    InputError
        If the function returns something else than one value per row.
    """
    if isinstance(condition, str):
        return Expression(condition)(read_all(frame, columns), len(frame))
    found = condition(frame[list(columns)].copy())
    series = found if isinstance(found, pd.Series) else pd.Series(np.asarray(found))
    if series.shape != (len(frame),):
        shape = f"a function of the columns {', '.join(columns)} returned {series.size} values for {len(frame)} rows"
        raise InputError(Problem(shape, "a rule needs one for each row", "return a Series as long as the frame"))
    value = read(series)
    return Value(value.data, value.blank | any_blank(frame, columns))


def reads(condition: Condition, stated: Iterable[str] | str | None, argument: str) -> tuple[str, ...]:
    """Find the columns that a formula or function reads.

    Raises
    ------
    InputError
        If a function comes without them, or it is neither.
    """
    if isinstance(condition, str):
        return Expression(condition).columns
    if not callable(condition):
        why = "a rule is stated as text or as a function"
        raise InputError(Problem(f"the condition {condition!r}", why, "pass text such as 'a > b'"))
    stated = (stated,) if isinstance(stated, str) else tuple(stated or ())
    if not stated:
        why = "nobody can see which columns it reads"
        raise InputError(Problem("a function was given as a rule", why, f"name them: {argument}=('a', 'b')"))
    return stated


def formula_problems(rule: Rule, condition: Condition, columns: Sequence[str], schema: Schema) -> list[Problem]:
    """Try a formula on no rows, to see whether numbers meet texts, and look for levels that no column has."""
    if not isinstance(condition, str):
        return []
    unknown = [
        Problem(
            f"the rule {rule} compares {name} with {text!r}",
            f"its levels are {', '.join(map(repr, schema[name].levels))}, so the answer is the same in every row",
            f"correct the text, or declare the level: schema.update({name}={{'levels': [...]}})",
            name,
        )
        for name, text in Expression(condition).compared
        if schema[name].levels and text not in schema[name].levels
    ]
    if unknown:
        return unknown
    try:
        Expression(condition)({name: empty(schema, name) for name in columns}, 0)
    except InputError as error:
        return [Problem(f"the rule {rule}: {p.found}", p.why, p.remedy) for p in error.problems]
    return []


def empty(schema: Schema, name: str) -> Value:
    """Make no values of a column's sort."""
    text = schema[name].storage.holds == "text"
    return Value(np.empty(0, dtype=object if text else float), np.empty(0, bool))


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else pack(value)


def unpacked(value: object) -> object:
    """Undo what `Rule.to_dict` did to a constant or to a list of them."""
    if isinstance(value, list):
        return tuple(unpacked(item) for item in value)
    return unpack(value)


def _name_of(value: object) -> str:
    return getattr(value, "__qualname__", None) or str(value)


def _shown(value: object) -> str:
    return f"<{_name_of(value)}>" if callable(value) else repr(value)

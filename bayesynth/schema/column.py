"""One column of a table: its kind and the facts that a model needs to know of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from bayesynth.errors import Problem, SchemaError, raise_all
from bayesynth.schema.contradictions import column_problem, contradictions
from bayesynth.schema.fresh import AUTO, WANTED, Fresh, as_fresh
from bayesynth.schema.kinds import Kind, Role
from bayesynth.schema.storage import Holds, Scalar, Storage, plain, sort_of


@dataclass(frozen=True)
class Column:
    """A column and its facts; the constructor refuses facts that contradict each other.

    Parameters
    ----------
    name : str
        Name of the column.
    kind : Kind or str
        What sort of quantity it is.
    levels : sequence
        Values of a binary, categorical or ordinal column in order; the value of a constant one (nothing if it is all
        blank); empty otherwise.
    bounds : pair of float or None, optional
        Smallest and largest possible value of a count or continuous column; either end may be None.
    precision : int or str, optional
        Number of decimals of a count or continuous column (-2 for hundreds, None for no grid); for a datetime or
        duration "D", "h", "min", "s", "ms", "us" or "ns".
    unit : str, optional
        Unit of measurement, for display.
    nullable : bool
        Whether blanks may occur.
    role : Role or str
        Identifiers and personal columns never enter the model.
    marginal : str
        Distribution of a number or time by itself: "empirical" (that of the recorded values), "normal", "log_normal",
        "student_t", "gamma", "beta", "truncated_normal", "uniform", "exponential", "negative_binomial", "poisson",
        "kernel" (a kernel density), or "auto": the one that the evidence speaks for, if any.
    level_policy : {"keep", "merge_rare", "drop"}
        What becomes of rare levels before anything is learned: nothing; unordered ones become one level "other", an
        ordered one joins its neighbour; or their cells are left blank.
    fewest : int
        Rows that a level needs not to be rare.
    unseen_share : float, optional
        Prior probability, in (0, 1), that a recorded value is one of the levels that no row of the table has: of all
        of them together, each with the same part of it. They are never drawn when it is left out.
    tails : bool
        Whether values may be drawn beyond the recorded extremes, which the empirical distribution never does.
    fresh : str, Fake or None
        What an identifier or personal column comes back as, never with a real value: "integer"; "uuid"; a pattern such
        as ``"PBC-####"``, ``#`` a digit, ``@`` a capital letter, ``%`` a small one, ``*`` a digit or capital letter;
        a `Fake`; "blank" or None; "auto", for identifiers in the shape of the recorded values, else blank.
    storage : Storage, optional
        How pandas stores it; follows from kind and levels when left out.
    inferred : set of str
        Names of the facts that were guessed.
    notes : sequence of str
        Why they were guessed so.

    Raises
    ------
    SchemaError
        If facts are missing or contradict each other; lists all of it at once.

    Examples
    --------
    >>> Column("stage", "ordinal", levels=(1, 2, 3, 4)).kind
    <Kind.ORDINAL: 'ordinal'>
    """

    name: str
    kind: Kind
    levels: tuple[Scalar, ...] = ()
    bounds: tuple[float | None, float | None] | None = None
    precision: int | str | None = None
    unit: str | None = None
    nullable: bool = False
    role: Role = Role.MODELLED
    marginal: str = "empirical"
    tails: bool = False
    level_policy: str = "keep"
    fewest: int = 5
    unseen_share: float | None = None
    fresh: Fresh = AUTO
    storage: Storage | None = None
    inferred: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        raise_all(_normalise(self), SchemaError)
        raise_all(contradictions(self), SchemaError)

    @property
    def modelled(self) -> bool:
        """Whether the column is a node of the network with a distribution of its own."""
        return self.role is Role.MODELLED and self.kind not in (Kind.IDENTIFIER, Kind.CONSTANT)

    @property
    def withheld(self) -> bool:
        """Whether nothing of the column may be learned: an identifier or personal."""
        return self.role in (Role.IDENTIFIER, Role.PERSONAL)

    @property
    def dtype(self) -> str:
        """The dtype in words."""
        return self.storage.label

    @property
    def modelling(self) -> str:
        """How it is modelled, where that is not as usual."""
        rows = f" (fewer than {self.fewest} rows)" if self.fewest > 1 else ""
        policy = {"merge_rare": f"rare levels merged{rows}", "drop": f"rare levels blank{rows}"}
        words = [
            "" if self.marginal == "empirical" else f"{self.marginal} marginal",
            "with tails" if self.tails else "",
            policy.get(self.level_policy, ""),
            "" if self.unseen_share is None else f"unseen levels {100 * self.unseen_share:g}%",
        ]
        return ", ".join(filter(None, words))


def _normalise(column: Column) -> list[Problem]:
    """Bring every field to its own type; report what cannot be."""
    problems = []

    def settle(field: str, convert: object, wanted: str) -> None:
        value = getattr(column, field)
        try:
            object.__setattr__(column, field, convert(value))
        except (TypeError, ValueError):
            problems.append(
                column_problem(column, f"{field} {value!r}", f"{field} is {wanted}", f"pass one of these as {field}")
            )

    settle("kind", Kind, "one of " + ", ".join(Kind))
    settle("role", Role, "one of " + ", ".join(Role))
    settle("levels", _scalars, "a sequence of values")
    settle("bounds", _bounds, "a pair (lowest, highest) of finite numbers, or of None for an open end, or None")
    settle("nullable", _truth, "True or False")
    settle("tails", _truth, "True or False")
    settle("unseen_share", _probability, "a number between 0 and 1, or None")
    settle("fresh", as_fresh, WANTED)
    settle("inferred", frozenset, "a set of names of facts")
    settle("notes", tuple, "a sequence of texts")
    if problems:
        return problems
    if column.kind is Kind.COUNT and column.precision is None:
        object.__setattr__(column, "precision", 0)
    if column.storage is None:
        object.__setattr__(column, "storage", _default_storage(column))
    elif not isinstance(column.storage, Storage):
        problems.append(
            column_problem(column, f"storage {column.storage!r}", "it must be a Storage", "leave it out, or infer it")
        )
    return problems


def _scalars(levels: Iterable[object]) -> tuple[Scalar, ...]:
    if isinstance(levels, str):
        raise TypeError("a text is not a sequence of levels")
    levels = tuple(plain(level) for level in levels)
    if any(level is not None and level is not pd.NA and sort_of(type(level)) is None for level in levels):
        raise TypeError("a level is a single plain value")
    return levels


def _bounds(bounds: object) -> tuple[float | None, float | None] | None:
    if bounds is None:
        return None
    lowest, highest = (None if end is None else plain(end) for end in bounds)
    for end in (lowest, highest):
        if end is not None and (isinstance(end, bool) or not math.isfinite(end)):
            raise ValueError("a bound is a finite number")
    return None if lowest is highest is None else (lowest, highest)


def _probability(value: object) -> float | None:
    value = plain(value)
    if value is None:
        return None
    if isinstance(value, (bool, str)) or not 0 < value < 1:
        raise ValueError("no probability that anything has")
    return float(value)


def _truth(value: object) -> bool:
    value = plain(value)
    if not isinstance(value, bool):
        raise TypeError("neither True nor False")
    return value


def _default_storage(column: Column) -> Storage:
    """Choose the storage that a person expects who wrote the column by hand."""
    if column.kind is Kind.COUNT:
        return Storage("Int64" if column.nullable else "int64", Holds.INTEGER)
    if column.kind is Kind.CONTINUOUS:
        return Storage("float64", Holds.FLOAT)
    if column.kind is Kind.DATETIME:
        return Storage("datetime64[ns]", Holds.DATETIME)
    if column.kind is Kind.DURATION:
        return Storage("timedelta64[ns]", Holds.DURATION)
    if column.kind is Kind.IDENTIFIER:
        return Storage("int64", Holds.INTEGER)
    sorts = {sort_of(type(level)) for level in column.levels}
    if sorts == {Holds.BOOL}:
        return Storage("boolean" if column.nullable else "bool", Holds.BOOL)
    if sorts == {Holds.INTEGER}:
        return Storage("Int64" if column.nullable else "int64", Holds.INTEGER)
    if sorts and sorts <= {Holds.INTEGER, Holds.FLOAT}:
        return Storage("float64", Holds.FLOAT)
    if sorts == {Holds.TEXT}:
        return Storage("str", Holds.TEXT)
    return Storage("object", next(iter(sorts)) or Holds.NOTHING if len(sorts) == 1 else Holds.NOTHING)

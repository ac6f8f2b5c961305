from __future__ import annotations

import dataclasses
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bayesynth.errors import SchemaError
from bayesynth.schema import Column, Holds, Kind, Role, Storage

REFUSED = {
    "an unknown kind": ({"kind": "number"}, "kind 'number'"),
    "an unknown role": ({"kind": "count", "role": "key"}, "role 'key'"),
    "an empty name": ({"name": "", "kind": "count"}, "not a text"),
    "a name that is not text": ({"name": 3, "kind": "count"}, "not a text"),
    "binary with three levels": ({"kind": "binary", "levels": (1, 2, 3)}, "binary and 3 levels"),
    "categorical without levels": ({"kind": "categorical"}, "categorical and 0 levels"),
    "ordinal with one level": ({"kind": "ordinal", "levels": (1,)}, "ordinal and 1 levels"),
    "constant with two levels": ({"kind": "constant", "levels": (1, 2)}, "constant and 2 levels"),
    "a number with levels": ({"kind": "count", "levels": (1, 2)}, "count and levels"),
    "levels twice": ({"kind": "categorical", "levels": ("a", "b", "a")}, "occurs twice"),
    "a blank level": ({"kind": "categorical", "levels": ("a", None)}, "a blank among"),
    "a NaN level": ({"kind": "categorical", "levels": (1.0, np.nan)}, "a blank among"),
    "a text for levels": ({"kind": "categorical", "levels": "ab"}, "levels 'ab'"),
    "a list as level": ({"kind": "categorical", "levels": ([1], [2])}, r"levels \(\[1\]"),
    "a hundred and one levels": ({"kind": "categorical", "levels": range(101)}, "101 levels"),
    "levels of another type": (
        {"kind": "categorical", "levels": ("1", "2"), "storage": Storage("int64", Holds.INTEGER)},
        "not of the type of its values",
    ),
    "bounds of a level kind": ({"kind": "binary", "levels": (0, 1), "bounds": (0, 1)}, "binary and bounds"),
    "bounds the wrong way": ({"kind": "continuous", "bounds": (2, 1)}, "the lower one first"),
    "one bound": ({"kind": "continuous", "bounds": (2,)}, "bounds"),
    "an infinite bound": ({"kind": "continuous", "bounds": (0, np.inf)}, "finite numbers"),
    "a text bound": ({"kind": "continuous", "bounds": ("0", "1")}, "finite numbers"),
    "a count below nothing": ({"kind": "count", "bounds": (-1, 5)}, "never negative"),
    "decimals of a count": ({"kind": "count", "precision": 2}, "2 decimals"),
    "half a decimal": ({"kind": "continuous", "precision": 0.5}, "precision 0.5"),
    "decimals of levels": ({"kind": "binary", "levels": (0, 1), "precision": 0}, "binary and a precision"),
    "a date without resolution": ({"kind": "datetime"}, "precision None"),
    "a date in months": ({"kind": "datetime", "precision": "M"}, "precision 'M'"),
    "a unit that is no text": ({"kind": "count", "unit": 3}, "unit 3"),
    "an unknown marginal": ({"kind": "count", "marginal": "weibull"}, "marginal 'weibull'"),
    "a marginal of levels": ({"kind": "binary", "levels": (0, 1), "marginal": "normal"}, "only numbers and times"),
    "counts of what is no count": ({"kind": "continuous", "marginal": "poisson"}, "distribution of counts"),
    "tails of recorded values": ({"kind": "continuous", "tails": True}, "beyond the recorded values"),
    "a nullable that is no truth": ({"kind": "count", "nullable": "no"}, "nullable 'no'"),
    "an unknown guess": ({"kind": "count", "inferred": {"colour"}}, "colour"),
    "an identifier that is modelled": ({"kind": "identifier"}, "identifier and the role modelled"),
    "a personal number": ({"kind": "count", "role": "personal"}, "count and the role personal"),
    "no storage": ({"kind": "count", "storage": "int64"}, "storage 'int64'"),
    "an unknown dtype": ({"kind": "count", "storage": Storage("int65", Holds.INTEGER)}, "dtype 'int65'"),
    "an unknown Arrow type": ({"kind": "count", "storage": Storage("arrow:int65", Holds.INTEGER)}, "arrow:int65"),
    "an unknown blank": ({"kind": "count", "storage": Storage("object", Holds.INTEGER, blank="void")}, "blank 'void'"),
    "numbers in text": (
        {"kind": "continuous", "storage": Storage("str", Holds.TEXT)},
        "continuous and values stored as",
    ),
    "numbers in a category": (
        {"kind": "count", "storage": Storage("int64", Holds.INTEGER, (1, 2))},
        "count and values stored as category",
    ),
    "an undeclared level": (
        {"kind": "binary", "levels": ("a", "b"), "storage": Storage("str", Holds.TEXT, ("a", "c"))},
        r"does not declare: \['b'\]",
    ),
    "categories of an identifier": (
        {"kind": "identifier", "role": "identifier", "storage": Storage("str", Holds.TEXT, ("Ann", "Bob"))},
        "identifier and categories",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    facts, message = REFUSED[case]
    with pytest.raises(SchemaError, match=message) as caught:
        Column(**{"name": "x", **facts})
    for problem in caught.value.problems:
        assert problem.found
        assert problem.why
        assert problem.remedy


def test_refuses_all_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        Column("x", "count", bounds=(-3, -5), precision=1, unit=2)
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("facts", "dtype"),
    [
        ({"kind": "binary", "levels": (False, True)}, "bool"),
        ({"kind": "binary", "levels": (False, True), "nullable": True}, "boolean"),
        ({"kind": "ordinal", "levels": (1, 2, 3)}, "int64"),
        ({"kind": "ordinal", "levels": (1, 2, 3), "nullable": True}, "Int64"),
        ({"kind": "ordinal", "levels": (0, 0.5, 1)}, "float64"),
        ({"kind": "categorical", "levels": ("a", "b", "c")}, "str"),
        ({"kind": "categorical", "levels": (Decimal(1), Decimal(2))}, "object (decimal)"),
        ({"kind": "constant"}, "object (nothing)"),
        ({"kind": "count"}, "int64"),
        ({"kind": "count", "nullable": True}, "Int64"),
        ({"kind": "continuous"}, "float64"),
        ({"kind": "datetime", "precision": "D"}, "datetime64[ns]"),
        ({"kind": "duration", "precision": "s"}, "timedelta64[ns]"),
        ({"kind": "identifier", "role": "identifier"}, "int64"),
    ],
)
def test_storage_follows_from_kind_and_levels(facts: dict, dtype: str) -> None:
    assert Column("x", **facts).dtype == dtype


def test_fields_are_brought_to_their_types() -> None:
    column = Column("x", "ordinal", levels=np.array([1, 2, 3]), nullable=np.True_, role="modelled", inferred=["levels"])
    assert column.kind is Kind.ORDINAL
    assert column.role is Role.MODELLED
    assert [type(level) for level in column.levels] == [int, int, int]
    assert column.nullable is True
    assert column.inferred == {"levels"}
    assert Column("x", "continuous", bounds=(None, None)).bounds is None
    assert Column("x", "count").precision == 0


def test_only_quantities_are_modelled() -> None:
    assert Column("x", "count").modelled
    assert not Column("x", "constant", levels=(1,)).modelled
    assert not Column("x", "identifier", role="personal").modelled


def test_is_frozen_and_hashable() -> None:
    column = Column("x", "binary", levels=("a", "b"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        column.kind = Kind.COUNT
    assert hash(column) == hash(Column("x", "binary", levels=["a", "b"]))
    assert column.storage.label in ("str", "object (text)")
    assert pd.Series(list(column.levels)).tolist() == ["a", "b"]

"""How a pandas column stores its values: read from a series, written down as text, restored exactly."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from pandas.api import types as ptypes

from bayesynth.errors import InputError, Problem

Scalar = bool | int | float | str | decimal.Decimal | dt.date | dt.timedelta


class Holds(StrEnum):
    """What sort of value a column holds, whatever the dtype that holds it."""

    BOOL = "bool"
    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    TEXT = "text"
    DATETIME = "datetime"
    DATE = "date"
    DURATION = "duration"
    NOTHING = "nothing"


NUMBERS = frozenset({Holds.INTEGER, Holds.FLOAT, Holds.DECIMAL})
TIMES = frozenset({Holds.DATETIME, Holds.DATE})
BLANKS = {"nan": np.nan, "none": None, "na": pd.NA, "nat": pd.NaT}


@dataclass(frozen=True)
class Storage:
    """What is needed to give a column its dtype back.

    Parameters
    ----------
    dtype : str
        Name of the dtype ("int64", "object", "category", "arrow:int64", "datetime64[ns, Europe/Berlin]", ...); for a
        category, of the dtype of its categories.
    holds : Holds
        The sort of value inside.
    categories : tuple, optional
        All declared categories of a categorical dtype, in order, used or not; None for any other dtype.
    ordered : bool
        Whether the categories are ordered.
    blank : str
        How an object column spells a blank: "nan", "none", "na" or "nat".
    form : str, optional
        How a column of texts writes the dates that it holds, "YYYY-MM-DD" for example; None for any other column.
    """

    dtype: str
    holds: Holds
    categories: tuple[Scalar, ...] | None = None
    ordered: bool = False
    blank: str = "nan"
    form: str | None = None

    @property
    def label(self) -> str:
        """The dtype in words."""
        if self.form is not None:
            return f"text ({self.form})"
        if self.categories is not None:
            return "category (ordered)" if self.ordered else "category"
        return f"object ({self.holds})" if self.dtype == "object" else self.dtype

    @property
    def plain(self) -> Storage:
        """The same storage without its categories, which for an identifier are real identities, or a form of dates."""
        return Storage(self.dtype, self.holds if self.form is None else Holds.TEXT, blank=self.blank)


def storage_of(series: pd.Series) -> Storage:
    """Read how a column is stored.

    Raises
    ------
    InputError
        If the column holds something that is not a plain value, or values of several types.
    """
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        inner = storage_of(pd.Series(dtype.categories, name=series.name))
        if inner.holds in TIMES | {Holds.DURATION}:
            _refuse(series, "a category of dates or times", "keep the dates themselves, or rename_categories(str)")
        levels = tuple(plain(level) for level in dtype.categories)
        return Storage(inner.dtype, inner.holds, levels, bool(dtype.ordered))
    if ptypes.is_object_dtype(dtype):
        return _object_storage(series)
    holds = _holds(series, dtype)
    return Storage(dtype_name(dtype), holds)


def plain(value: object) -> Scalar:
    """Turn one non-blank value into a plain Python value."""
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, str) else value


def blank_mask(series: pd.Series) -> np.ndarray:
    """Tell which values are blank."""
    return np.array(series.isna(), dtype=bool)


# --- reading ---

_SORTS: tuple[tuple[type | tuple[type, ...], Holds], ...] = (
    ((bool, np.bool_), Holds.BOOL),  # before int: a bool is an int to Python
    ((int, np.integer), Holds.INTEGER),
    ((float, np.floating), Holds.FLOAT),
    (str, Holds.TEXT),
    (decimal.Decimal, Holds.DECIMAL),
    (dt.datetime, Holds.DATETIME),  # before date, for the same reason
    (dt.date, Holds.DATE),
    (dt.timedelta, Holds.DURATION),
)


def _holds(series: pd.Series, dtype: object) -> Holds:
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_holds(series, dtype)
    if isinstance(dtype, pd.SparseDtype):
        _refuse(series, f"a sparse column ({dtype})", "make it dense with .sparse.to_dense()")
    tests = (
        (ptypes.is_bool_dtype, Holds.BOOL),
        (ptypes.is_integer_dtype, Holds.INTEGER),
        (ptypes.is_float_dtype, Holds.FLOAT),
        (ptypes.is_datetime64_any_dtype, Holds.DATETIME),
        (ptypes.is_timedelta64_dtype, Holds.DURATION),
    )
    if isinstance(dtype, pd.StringDtype):
        return Holds.TEXT
    for test, holds in tests:
        if test(dtype):
            return holds
    return _refuse(series, f"a column of type {dtype}", "convert it to numbers, text or dates, or drop it")


def _arrow_holds(series: pd.Series, dtype: pd.ArrowDtype) -> Holds:
    import pyarrow.types as arrow

    tests = (
        (arrow.is_boolean, Holds.BOOL),
        (arrow.is_integer, Holds.INTEGER),
        (arrow.is_floating, Holds.FLOAT),
        (arrow.is_string, Holds.TEXT),
        (arrow.is_large_string, Holds.TEXT),
        (arrow.is_decimal, Holds.DECIMAL),
        (arrow.is_timestamp, Holds.DATETIME),
        (arrow.is_date, Holds.DATE),
        (arrow.is_duration, Holds.DURATION),
        (arrow.is_null, Holds.NOTHING),
    )
    for test, holds in tests:
        if test(dtype.pyarrow_dtype):
            return holds
    return _refuse(series, f"a column of type {dtype}", "convert it to numbers, text, dates or a pandas category")


def _object_storage(series: pd.Series) -> Storage:
    values = series.to_numpy(dtype=object)
    blanks = blank_mask(series)
    types = {type(value) for value in values[~blanks]}
    sorts = {sort_of(kind) for kind in types}
    if sorts == {Holds.INTEGER, Holds.FLOAT}:
        sorts = {Holds.FLOAT}
    names = ", ".join(sorted({t.__name__ for t in types}))
    if None in sorts:
        _refuse(series, f"values of type {names}", "convert it to numbers, text or dates, or drop it")
    if len(sorts) > 1:
        _refuse(
            series, f"values of several types ({names})", "convert it to one type, with astype(str) or pd.to_numeric"
        )
    holds = sorts.pop() if sorts else Holds.NOTHING
    if holds is Holds.DATETIME and any(value.tzinfo is not None for value in values[~blanks]):
        _refuse(
            series,
            "dates with time zones kept as single Python objects, possibly in several zones",
            "bring them to one zone with pd.to_datetime(column, utc=True)",
        )
    first = values[np.argmax(blanks)] if blanks.any() else np.nan
    return Storage("object", holds, blank=_spelling(first))


def sort_of(kind: type) -> Holds | None:
    """Name the sort of value that a Python type is, or None."""
    return next((holds for base, holds in _SORTS if issubclass(kind, base)), None)


def _spelling(blank: object) -> str:
    if blank is None:
        return "none"
    if blank is pd.NA:
        return "na"
    return "nat" if blank is pd.NaT else "nan"


def _refuse(series: pd.Series, found: str, remedy: str) -> Holds:
    name = str(series.name)
    raise InputError(
        Problem(f"column {name!r} is {found}", "it has no place among single values of one type", remedy, name)
    )


# --- names of dtypes ---


def dtype_name(dtype: object) -> str:
    """Write a dtype down so that `parse_dtype` gives it back on any supported pandas."""
    if isinstance(dtype, pd.ArrowDtype):
        return f"arrow:{dtype.pyarrow_dtype}"
    if isinstance(dtype, pd.StringDtype):
        return "str" if dtype.na_value is not pd.NA else f"string[{dtype.storage}]"
    if isinstance(dtype, pd.DatetimeTZDtype):
        zone = getattr(dtype.tz, "zone", None) or str(dtype.tz)
        path = re.search(r"zoneinfo/(.+?)'", zone)  # dateutil names a zone by its file
        return f"datetime64[{dtype.unit}, {path.group(1) if path else zone}]"
    return str(dtype)


def parse_dtype(name: str) -> object:
    """Read a dtype that `dtype_name` wrote.

    Raises
    ------
    TypeError
        If the name is not that of a dtype.
    """
    if name.startswith("arrow:"):
        return pd.ArrowDtype(_arrow_type(name.removeprefix("arrow:")))
    if name == "str":
        try:
            return pd.StringDtype(na_value=np.nan)
        except TypeError:  # pandas before 2.3 keeps text as objects
            return np.dtype(object)
    return pd.api.types.pandas_dtype(name)


def _arrow_type(name: str) -> object:
    import pyarrow as pa

    if found := re.fullmatch(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)", name):
        return getattr(pa, f"decimal{found[1]}")(int(found[2]), int(found[3]))
    if found := re.fullmatch(r"timestamp\[(\w+), tz=(.+)\]", name):
        return pa.timestamp(found[1], found[2])
    try:
        return pa.type_for_alias(name)
    except ValueError as error:
        raise TypeError(f"no Arrow type is called {name!r}") from error

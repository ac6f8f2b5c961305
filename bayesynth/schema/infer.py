"""What a column most likely is, guessed from its values by stated rules."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesynth.schema.arrays import decimals, numbers, resolution_of
from bayesynth.schema.column import Column
from bayesynth.schema.kinds import NOMINAL, NUMERIC, TEMPORAL, Kind, Role
from bayesynth.schema.personal import recognise
from bayesynth.schema.storage import NUMBERS, TIMES, Holds, Scalar, Storage, blank_mask, plain, storage_of
from bayesynth.schema.texts import FORMS, date_form, distinct_texts

FEW = 7  # most levels of a numeric column that is read as ordinal
NEARLY_UNIQUE = 0.9
LONG_TEXT = 40  # characters on average
_ID_NAME = re.compile(
    r"(.*[_ .-])?(id|uuid|guid)|id[_ .-].*|(u?subj)_?id|idno|pid|ptid|idcase|row_?names?|row_?(number|nr|no)"
    r"|mrn|ssn|unnamed: 0|(patient|subject|person|record|case)(_?(id|number|nr|no|code))?",
    re.IGNORECASE,
)
_CAMEL_ID = re.compile(r"[a-z]+(ID|Id)")  # patientID, but not covid


def infer_column(series: pd.Series, kind: Kind | None = None, role: Role | None = None) -> Column:
    """Guess the facts of one column; a kind or role that is given is kept.

    Raises
    ------
    InputError
        If the column holds no plain values of one type.
    SchemaError
        If the given kind cannot hold these values.
    """
    storage = storage_of(series)
    blanks = blank_mask(series)
    present = series[~blanks]
    inferred, notes = set(), []
    if kind is None:
        kind, role_guess, note = guess_kind(present, storage, role)
        role = role or role_guess
        if note:
            inferred.add("kind")
            notes.append(note)
    if kind is Kind.IDENTIFIER:
        role = role or Role.IDENTIFIER
        storage = storage.plain
    if kind is Kind.DATETIME and (form := form_of(present, storage)) is not None:
        storage = replace(storage, holds=Holds.DATE if FORMS[form][0] == "D" else Holds.DATETIME, form=form)
    facts: dict[str, object] = {}
    if kind in NOMINAL or kind is Kind.CONSTANT:
        facts["levels"] = _levels(present, storage, kind)
        if storage.categories is None and storage.holds is not Holds.BOOL:
            inferred.add("levels")
    elif kind in NUMERIC and storage.holds in NUMBERS:
        facts |= _numeric_facts(present, storage, kind)
        inferred |= {fact for fact in ("bounds", "precision") if facts.get(fact) is not None}
    elif kind in TEMPORAL and storage.holds in TIMES | {Holds.DURATION}:
        facts["precision"] = resolution_of(series, storage)
        inferred.add("precision")
    if not blanks.any():
        inferred.add("nullable")
    return Column(
        str(series.name),
        kind,
        nullable=bool(blanks.any()),
        role=role or Role.MODELLED,
        storage=storage,
        inferred=frozenset(inferred),
        notes=tuple(notes),
        **facts,
    )


def guess_kind(present: pd.Series, storage: Storage, role: Role | None = None) -> tuple[Kind, Role | None, str]:
    """Guess the kind and role of a column from its non-blank values; the note is empty where the dtype decides.

    A column whose role is stated as modelled is never withheld.
    """
    n_distinct = int(present.nunique())
    if n_distinct == 0:
        return Kind.CONSTANT, None, "all values are blank"
    if role is not Role.MODELLED and (what := recognise(present, storage)) is not None:
        return Kind.IDENTIFIER, Role.PERSONAL, what
    if n_distinct == 1:
        return Kind.CONSTANT, None, "only one value occurs"
    if storage.holds in TIMES:
        return Kind.DATETIME, None, ""
    if storage.holds is Holds.DURATION:
        return Kind.DURATION, None, ""
    if storage.holds is Holds.BOOL:
        return Kind.BINARY, None, ""
    if (form := form_of(present, storage)) is not None:
        return Kind.DATETIME, None, f"texts that all write dates as {form}"
    withheld = None if role is Role.MODELLED else _guess_withheld(present, storage, n_distinct)
    if withheld is not None:
        return Kind.IDENTIFIER, *withheld
    if storage.categories is not None:
        if len(storage.categories) == 2:
            return Kind.BINARY, None, ""
        return (Kind.ORDINAL if storage.ordered else Kind.CATEGORICAL), None, ""
    if storage.holds is Holds.TEXT:
        kind = Kind.BINARY if n_distinct == 2 else Kind.CATEGORICAL
        return kind, None, f"text with {n_distinct} distinct values"
    return _guess_number(numbers(present))


def form_of(present: pd.Series, storage: Storage) -> str | None:
    """Name the form in which the texts of a column write dates; None if it holds anything else."""
    is_text = storage.holds is Holds.TEXT and storage.categories is None
    return date_form(distinct_texts(present)) if is_text else None


def _guess_withheld(present: pd.Series, storage: Storage, n_distinct: int) -> tuple[Role, str] | None:
    """Tell identifiers and free text from quantities; None if the column is neither."""
    n, name = len(present), str(present.name)
    share = n_distinct / n
    if storage.ordered or n < 5:
        return None
    called_id = any(pattern.fullmatch(name) for pattern in (_ID_NAME, _CAMEL_ID))
    if storage.holds is Holds.TEXT:
        lengths = present.astype(str).str.len()
        if share > 0.5 and n_distinct > 10 and lengths.mean() > LONG_TEXT:
            return Role.PERSONAL, "free text: long, most of it unique"
        if share >= NEARLY_UNIQUE:
            return Role.IDENTIFIER, "nearly every value is unique"
    values = None if storage.holds is Holds.TEXT else numbers(present)
    whole = values is None or bool(np.all(values == np.floor(values)))
    if whole and called_id and (share == 1 or (n_distinct >= 20 and share >= 0.1)):
        return Role.IDENTIFIER, "its name is that of an identifier" + ("" if share == 1 else "; values repeat")
    # From 0 or 1, or with many digits: calendar years and ages also run without gaps.
    if (
        values is not None
        and whole
        and n >= 20
        and share == 1
        and np.ptp(values) == n - 1
        and (values.min() in (0, 1) or values.min() >= 10_000)
    ):
        return Role.IDENTIFIER, "whole numbers that run without gap or repetition"
    return None


def _guess_number(values: np.ndarray) -> tuple[Kind, None, str]:
    """Apply the rules for numbers that `Schema.infer` states."""
    distinct, seen = np.unique(values, return_counts=True)
    if len(distinct) == 2:
        return Kind.BINARY, None, "two distinct values"
    steps = np.diff(distinct)
    even = bool(np.allclose(steps, steps[0], rtol=1e-9))
    if len(distinct) <= FEW and (len(values) >= 2 * len(distinct) if even else seen.min() >= 5):
        spacing = "evenly spaced" if even else "each seen five times or more"
        return Kind.ORDINAL, None, f"{len(distinct)} distinct numbers, {spacing}"
    if np.all(values == np.floor(values)) and distinct[0] >= 0:
        return Kind.COUNT, None, "whole numbers, none negative"
    return Kind.CONTINUOUS, None, "numbers"


def _levels(present: pd.Series, storage: Storage, kind: Kind) -> tuple[Scalar, ...]:
    if kind is not Kind.CONSTANT:
        if storage.categories is not None:
            return storage.categories
        if storage.holds is Holds.BOOL:
            return (False, True)
    # Sorted, never in order of appearance: that order belongs to real rows.
    return tuple(sorted({plain(value) for value in present.unique()}))


def _numeric_facts(present: pd.Series, storage: Storage, kind: Kind) -> dict[str, object]:
    values = numbers(present)
    if storage.holds is Holds.DECIMAL:
        precision: int | None = max((-value.as_tuple().exponent for value in present), default=0)
    else:
        precision = decimals(values, single=storage.dtype in ("float32", "Float32", "arrow:float"))
    if kind is Kind.COUNT:
        precision = min(precision or 0, 0) if np.all(values == np.floor(values)) else 0
    floor = (0, None) if len(values) and values.min() >= 0 else None
    return {"precision": precision, "bounds": floor}

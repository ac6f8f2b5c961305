"""Columns as strict JSON: every fact written out, every unknown key refused."""

from __future__ import annotations

import datetime as dt
import decimal
import json
from collections.abc import Iterable
from dataclasses import fields

import pandas as pd

from bayesynth.errors import FileFormatError, InputError, Problem, SchemaError, raise_all
from bayesynth.schema import fresh
from bayesynth.schema.column import Column
from bayesynth.schema.storage import Holds, Scalar, Storage

FORMAT = "bayesynth-schema"
VERSION = 1
_COLUMN_KEYS = tuple(field.name for field in fields(Column))
_STORAGE_KEYS = tuple(field.name for field in fields(Storage))


def write(columns: Iterable[Column]) -> str:
    """Write columns as JSON text."""
    content = {"format": FORMAT, "version": VERSION, "columns": [_from_column(column) for column in columns]}
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def read(text: str) -> list[Column]:
    """Read columns from JSON text.

    Raises
    ------
    FileFormatError
        If the text is not the JSON of a schema of this version.
    SchemaError
        If keys are unknown or missing, or a column contradicts itself.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileFormatError(f"This is not JSON: {error}. A schema is written by Schema.to_json.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("columns"), list):
        raise FileFormatError(
            f"This JSON is not a schema: its format is not {FORMAT!r}, or it lists no columns. "
            "A schema is written by Schema.to_json."
        )
    if content.get("version") != VERSION:
        raise FileFormatError(
            f"This schema has version {content.get('version')!r}. This release of bayesynth reads version {VERSION}. "
            "Update bayesynth, or infer the schema again."
        )
    columns, problems = [], _unknown("the schema", content, ("format", "version", "columns"))
    for i, facts in enumerate(content["columns"]):
        try:
            columns.append(_to_column(i, facts))
        except InputError as error:
            problems.extend(error.problems)
    raise_all(problems, SchemaError)
    return columns


def write_storage(storage: Storage) -> dict[str, object]:
    """Write how a column is stored as plain values."""
    return {
        **{key: getattr(storage, key) for key in _STORAGE_KEYS},
        "categories": None if storage.categories is None else [pack(level) for level in storage.categories],
    }


def read_storage(stored: object, where: str) -> Storage:
    """Read what `write_storage` wrote.

    Raises
    ------
    SchemaError
        If keys are unknown or missing.
    KeyError, TypeError, ValueError, ArithmeticError
        If a value is malformed.
    """
    _refuse_malformed(where, stored, _STORAGE_KEYS)
    categories = stored["categories"]
    unpacked = None if categories is None else tuple(unpack(level) for level in categories)
    return Storage(**{**stored, "holds": Holds(stored["holds"]), "categories": unpacked})


def _from_column(column: Column) -> dict[str, object]:
    return {
        **{key: getattr(column, key) for key in _COLUMN_KEYS},
        "levels": [pack(level) for level in column.levels],
        "fresh": fresh.pack(column.fresh),
        "inferred": sorted(column.inferred),
        "storage": write_storage(column.storage),
    }


def _to_column(position: int, facts: object) -> Column:
    where = f"column {position + 1} of the schema"
    _refuse_malformed(where, facts, _COLUMN_KEYS)
    try:
        storage = read_storage(facts["storage"], f"the storage of {where}")
        levels = tuple(unpack(level) for level in facts["levels"])
        made = fresh.unpack(facts["fresh"])
    except SchemaError:  # a ValueError, but one that says it better
        raise
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise SchemaError(
            Problem(
                f"{where} has malformed levels, fresh values or storage ({error})",
                "it cannot be read",
                "write it anew with to_json",
            )
        ) from error
    return Column(**{**facts, "levels": levels, "fresh": made, "storage": storage})


def _refuse_malformed(where: str, facts: object, keys: tuple[str, ...]) -> None:
    if not isinstance(facts, dict):
        raise SchemaError(Problem(f"{where} is {facts!r}", "it must be an object with keys", "write it with to_json"))
    problems = _unknown(where, facts, keys)
    if missing := [key for key in keys if key not in facts]:
        problems.append(Problem(f"{where} lacks {missing}", "every fact is written out", "add them"))
    raise_all(problems, SchemaError)


def _unknown(where: str, facts: dict[str, object], keys: tuple[str, ...]) -> list[Problem]:
    strange = [key for key in facts if key not in keys]
    if not strange:
        return []
    return [Problem(f"{where} has the unknown keys {strange}", "they would be ignored", f"known are {', '.join(keys)}")]


def pack(level: Scalar) -> object:
    """Write a level so that its type is not lost."""
    if isinstance(level, decimal.Decimal):
        return {"decimal": str(level)}
    if isinstance(level, dt.timedelta):
        return {"duration": int(pd.Timedelta(level).as_unit("ns").value)}
    if isinstance(level, dt.datetime):
        return {"datetime": pd.Timestamp(level).isoformat(), "zone": str(level.tzinfo) if level.tzinfo else None}
    if isinstance(level, dt.date):
        return {"date": level.isoformat()}
    return level


def unpack(level: object) -> Scalar:
    """Undo `pack`."""
    if not isinstance(level, dict):
        return level
    sort, text = next(iter(level.items()))
    if sort == "decimal":
        return decimal.Decimal(text)
    if sort == "duration":
        return pd.Timedelta(text, unit="ns")
    if sort == "date":
        return dt.date.fromisoformat(text)
    if sort == "datetime":
        stamp = pd.Timestamp(text)
        return stamp if level["zone"] is None else stamp.tz_convert(level["zone"])
    raise ValueError(f"a level of the unknown type {sort!r}")

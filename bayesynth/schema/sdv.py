"""SDV's metadata JSON from a schema, and a schema from it and a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import pandas as pd

from bayesynth.errors import FileFormatError, Problem, SchemaError, raise_all
from bayesynth.schema.checks import frame_problems
from bayesynth.schema.column import Column
from bayesynth.schema.fresh import WORDS, Fake
from bayesynth.schema.infer import infer_column
from bayesynth.schema.kinds import NOMINAL, NUMERIC, Kind, Role
from bayesynth.schema.patterns import Pattern
from bayesynth.schema.storage import TIMES, Holds, Scalar
from bayesynth.schema.texts import strftime_of

WRITTEN, READ = "V2", ("V2", "SINGLE_TABLE_V2", "V1", "SINGLE_TABLE_V1")
NUMERICAL, CATEGORICAL, ORDINAL, DATETIME, ID = "numerical", "categorical", "ordinal", "datetime", "id"
PROVIDERS = {"ipv4_address": "ipv4", "ipv6_address": "ipv6", "user_agent_string": "user_agent"}  # the rest as in Faker
LEVELLED = (CATEGORICAL, ORDINAL, "boolean")
DATE_FORMAT = "%Y-%m-%d"  # of dates that pandas keeps as objects


def sdtype_of(column: Column) -> str:
    """Name SDV's type of a column; durations, which SDV does not know, are numbers."""
    if isinstance(column.fresh, Fake):
        return next(
            (sdtype for sdtype, own in PROVIDERS.items() if own == column.fresh.provider), column.fresh.provider
        )
    if column.kind is Kind.IDENTIFIER:
        return "unknown" if column.role is Role.PERSONAL else ID
    if column.kind is Kind.ORDINAL:
        return ORDINAL
    if column.kind in NOMINAL:
        return CATEGORICAL
    if column.kind in NUMERIC or column.storage.holds is Holds.DURATION:
        return NUMERICAL
    return DATETIME if column.storage.holds in TIMES else CATEGORICAL


def write(columns: Mapping[str, Column], table: str) -> dict[str, object]:
    """Write columns as the metadata of one table."""
    described = {name: {"sdtype": sdtype_of(column)} | dict(_facts(column)) for name, column in columns.items()}
    return {"tables": {table: {"columns": described}}, "relationships": [], "METADATA_SPEC_VERSION": WRITTEN}


def _facts(column: Column) -> Iterator[tuple[str, object]]:
    sdtype = sdtype_of(column)
    yield "range_is_nullable", column.nullable
    if sdtype == "unknown" or isinstance(column.fresh, Fake):
        yield "pii", True
    elif sdtype == ID:
        yield from (("regex_format", Pattern(fresh).regex) for fresh in [column.fresh] if fresh not in WORDS)
    elif sdtype in LEVELLED and column.levels:
        yield "range_values", [_plain(level) for level in column.levels]
    elif sdtype == DATETIME and column.storage.form is not None:
        yield "datetime_format", strftime_of(column.storage.form)
    elif sdtype == DATETIME and column.storage.holds is Holds.DATE:
        yield "datetime_format", DATE_FORMAT
    elif column.kind in NUMERIC:
        lowest, highest = column.bounds or (None, None)
        yield from ((key, end) for key, end in (("range_min", lowest), ("range_max", highest)) if end is not None)
        if column.precision is not None:
            yield "decimal_places", max(column.precision, 0)


def _plain(level: Scalar) -> object:
    return float(level) if isinstance(level, Decimal) else level


def read(
    source: Mapping[str, object] | str | Path, frame: pd.DataFrame, table: str | None
) -> dict[str, dict[str, object]]:
    """Read what the metadata states of each column of a table, as edits of the schema that is inferred from it.

    Raises
    ------
    FileFormatError
        If it is not SDV's metadata of a version that is known here.
    SchemaError
        If it describes several tables and none is named, a column has no type, or the frame has other columns.
    """
    metadata = source if isinstance(source, Mapping) else _loaded(source)
    version = metadata.get("METADATA_SPEC_VERSION", WRITTEN)
    if version not in READ:
        raise FileFormatError(
            f"This metadata has version {version!r}. This release of bayesynth reads {', '.join(READ)}. "
            "Load it with SDV and save it again."
        )
    columns = _table_of(metadata, table).get("columns")
    if not isinstance(columns, Mapping):
        raise FileFormatError("This is not SDV metadata: it lists no columns. It is written by Metadata.save_to_json.")
    raise_all(frame_problems(frame, columns), SchemaError)
    raise_all(_disagreements(columns, frame), SchemaError)
    return {name: dict(_edits(columns[name], infer_column(frame[name]).kind)) for name in frame.columns}


def _disagreements(columns: Mapping[str, object], frame: pd.DataFrame) -> Iterator[Problem]:
    for name in frame.columns:
        if name not in columns:
            yield Problem(f"column {name!r} is not in the metadata", "nothing is stated of it", "describe it", name)
    for name, facts in columns.items():
        if name not in frame.columns:
            yield Problem(f"column {name!r} is missing", "the metadata describes it", "add it, or drop it there", name)
        elif not isinstance(facts, Mapping) or not isinstance(facts.get("sdtype"), str):
            yield Problem(f"the metadata of {name!r} has no sdtype", "it says nothing then", "state one", name)


def _loaded(source: str | Path) -> Mapping[str, object]:
    is_text = isinstance(source, str) and source.lstrip().startswith("{")
    try:
        metadata = json.loads(source if is_text else Path(source).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise FileFormatError(f"This is not JSON: {error}. SDV writes it by Metadata.save_to_json.") from error
    if not isinstance(metadata, dict):
        raise FileFormatError("This JSON is not SDV metadata, which is an object with tables or columns.")
    return metadata


def _table_of(metadata: Mapping[str, object], table: str | None) -> Mapping[str, object]:
    if "tables" not in metadata:
        return metadata
    tables = metadata["tables"]
    if table is None and len(tables) == 1:
        return next(iter(tables.values()))
    if table not in tables:
        found = f"the metadata describes {', '.join(map(repr, tables)) or 'no table'}"
        raise SchemaError(Problem(found, "a schema is of one table", "name it with table=..."))
    return tables[table]


def _edits(facts: Mapping[str, object], guess: Kind) -> Iterator[tuple[str, object]]:
    """Say in the words of a schema what a column's metadata states; formats of dates mean nothing here.

    SDV does not tell counts from other numbers, binary columns from others, or constant ones: the table does.
    """
    sdtype = facts["sdtype"]
    if "range_is_nullable" in facts:
        yield "nullable", facts["range_is_nullable"]
    if sdtype not in (NUMERICAL, DATETIME, *LEVELLED):
        yield "role", Role.IDENTIFIER if sdtype == ID else Role.PERSONAL
        if sdtype not in (ID, "unknown"):
            yield "fresh", Fake(PROVIDERS.get(sdtype, sdtype))
        elif (pattern := Pattern.of_regex(str(facts.get("regex_format", "")))) is not None:
            yield "fresh", pattern.text
    elif guess is Kind.CONSTANT:
        yield "kind", guess
    elif sdtype == NUMERICAL and guess is not Kind.DURATION:
        yield "kind", guess if guess in NUMERIC else Kind.CONTINUOUS
        bounds = facts.get("range_min"), facts.get("range_max")
        if bounds != (None, None):
            yield "bounds", bounds
        if "decimal_places" in facts:
            yield "precision", facts["decimal_places"]
    elif sdtype in LEVELLED:
        levels = facts.get("range_values", facts.get("order"))  # in version 1, a category with an order is ordinal
        two = guess is Kind.BINARY if levels is None else len(levels) == 2
        ordered = sdtype == ORDINAL or "order" in facts
        yield "kind", Kind.ORDINAL if ordered else Kind.BINARY if two else Kind.CATEGORICAL
        if levels is not None:
            yield "levels", tuple(levels)
    elif sdtype == DATETIME:
        yield "kind", Kind.DATETIME

"""The schema as a plain-text table and as a notebook card."""

from __future__ import annotations

from collections.abc import Iterable

from bayesynth import _html
from bayesynth.schema.column import Column
from bayesynth.schema.fresh import AUTO
from bayesynth.schema.kinds import NUMERIC, TEMPORAL, Kind, Role

HEADERS = ("column", "kind", "values", "unit", "blanks", "role", "modelling", "dtype")
SHOWN_LEVELS = 6


def text_table(columns: Iterable[Column]) -> str:
    """Write one line for each column; a question mark follows what was guessed."""
    columns = tuple(columns)
    headers, cells = _table(columns)
    rows = [headers, *([text + ("?" if guessed else "") for text, guessed in row] for row in cells)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    legend = ["? guessed from the table; change it with schema.update(...)"] if any(c.inferred for c in columns) else []
    return "\n".join([f"Schema of {_counted(columns)}", *(line.rstrip() for line in lines), *legend])


def html_card(columns: Iterable[Column]) -> str:
    """Write the card of a schema; guesses are in italics, their reasons in the tooltip."""
    columns = tuple(columns)
    rows = []
    headers, texts = _table(columns)
    for column, row in zip(columns, texts, strict=True):
        cells = [_html.italic(text + "?") if guessed else _html.escape(text) for text, guessed in row]
        if column.notes:
            cells[1] = _html.Markup(f'<span title="{_html.escape("; ".join(column.notes))}">{cells[1]}</span>')
        rows.append(cells)
    legend = _html.legend("Italics?: guessed from the table; change it with schema.update(...).")
    body = _html.Markup(_html.table(headers, rows) + (legend if any(c.inferred for c in columns) else ""))
    return _html.card("Schema", _counted(columns), body)


def _counted(columns: tuple[Column, ...]) -> str:
    modelled = sum(column.modelled for column in columns)
    guessed = sum(bool(column.inferred) for column in columns)
    return f"{len(columns)} columns, {modelled} modelled, {guessed} with guesses"


def _table(columns: tuple[Column, ...]) -> tuple[list[str], list[list[tuple[str, bool]]]]:
    """Headers and cells of what stands in any line; a header with nothing under it is left out."""
    rows = [_cells(column) for column in columns]
    used = [i for i in range(len(HEADERS)) if any(row[i][0] for row in rows)]
    return [HEADERS[i] for i in used], [[row[i] for i in used] for row in rows]


def _cells(column: Column) -> list[tuple[str, bool]]:
    """Each cell of a column's line, and whether it was guessed."""
    guesses = column.inferred
    return [
        (column.name, False),
        (str(column.kind), "kind" in guesses),
        (_values(column), bool(guesses & {"levels", "bounds", "precision"})),
        (column.unit or "", False),
        ("yes" if column.nullable else "no", "nullable" in guesses),
        ("" if column.role is Role.MODELLED else str(column.role), False),
        (column.modelling, False),
        (column.dtype, False),
    ]


def _values(column: Column) -> str:
    if column.kind is Kind.IDENTIFIER:
        return "" if column.fresh == AUTO else f"fresh: {column.fresh}"
    if column.kind in TEMPORAL:
        return f"to the {column.precision}"
    if column.kind in NUMERIC:
        lowest, highest = column.bounds or (None, None)
        parts = []
        if lowest is not None or highest is not None:
            parts.append(f"{'' if lowest is None else lowest} .. {'' if highest is None else highest}".strip())
        if column.precision is not None and not (column.kind is Kind.COUNT and column.precision == 0):
            parts.append(f"{column.precision} decimals")
        return ", ".join(parts)
    between = " < " if column.kind is Kind.ORDINAL else ", "
    shown = [str(level) for level in column.levels[:SHOWN_LEVELS]]
    more = len(column.levels) - len(shown)
    return between.join(shown) + (f" and {more} more" if more else "")

"""Text for a terminal of 100 columns: wrapped messages, tables that fit, effects in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth.schema import Schema

if TYPE_CHECKING:
    from bayesynth.diagnostics.figures import Figure

WIDTH = 100
STRONGEST = 8


def wrapped(text: str, indent: str = "") -> str:
    """Break lines at the width of the terminal; lines after the first are indented."""
    lines = []
    for line in text.splitlines():
        own = line[: len(line) - len(line.lstrip())]
        lines += textwrap.wrap(line, WIDTH, subsequent_indent=own + indent, break_on_hyphens=False) or [""]
    return "\n".join(lines)


def heading(text: str) -> str:
    """Underline a heading."""
    return f"\n{text}\n{'-' * len(text)}"


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[int] = ()) -> str:
    """Lay out a table that fits the terminal: the widest column gives way.

    Parameters
    ----------
    headers : sequence of str
        Of the columns.
    rows : sequence of sequences
        Cells.
    right : sequence of int
        Columns that are aligned at the right.
    """
    cells = [[str(cell).replace("\n", " ") for cell in row] for row in [headers, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    while sum(widths) + 2 * (len(widths) - 1) > WIDTH and max(widths) > 4:
        widths[int(np.argmax(widths))] -= 1
    lines = []
    for row in cells:
        cut = [c if len(c) <= w else c[: w - 1] + "…" for c, w in zip(row, widths, strict=True)]
        line = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cut, widths, strict=True))]
        lines.append("  ".join(line).rstrip())
    return "\n".join(lines)


def schema_text(schema: Schema) -> str:
    """Show a schema as a table; a question mark follows what was guessed."""
    rows = []
    for column in schema.columns:
        guessed = column.inferred
        blanks = "yes" if column.nullable else "no"
        role = "" if column.role == "modelled" else str(column.role)
        rows.append(
            (
                column.name,
                f"{column.kind}{'?' * ('kind' in guessed)}",
                f"{_values(schema, column.name)}{'?' * bool(guessed & {'levels', 'bounds', 'precision'})}",
                f"{blanks}{'?' * ('nullable' in guessed)}",
                role,
            )
        )
    headers = ["column", "kind", "values", "blanks", "role"]
    if not any(row[-1] for row in rows):
        headers, rows = headers[:-1], [row[:-1] for row in rows]
    legend = "\n? guessed from the table" if any(c.inferred for c in schema.columns) else ""
    return table(headers, rows) + legend


def _values(schema: Schema, name: str) -> str:
    column = schema[name]
    if column.levels:
        between = " < " if column.kind == "ordinal" else ", "
        return between.join(str(level) for level in column.levels)
    facts = [] if column.fresh == "auto" else [f"fresh: {column.fresh}"]
    low, high = column.bounds or (None, None)
    if low is not None or high is not None:
        facts.append(f"{'' if low is None else f'from {low:g}'}{'' if high is None else f' to {high:g}'}".strip())
    if isinstance(column.precision, str):
        facts.append(f"to the {column.precision}")
    elif column.kind == "continuous" and column.precision is not None:
        facts.append(f"{column.precision} decimals")
    return ", ".join(facts)


def relationships_text(relationships: pd.DataFrame) -> str:
    """Say the strongest relationships in words, one a line, each by the outcome that changes most."""
    known = relationships.dropna(subset=["log_bayes_factor"])
    if known.empty:
        return "  none: the columns look independent of one another"
    known = known.assign(size=known["effect"].abs())
    strongest = known.sort_values(["log_bayes_factor", "size"], ascending=False).drop_duplicates(["parent", "child"])
    rows = [
        (f"{row.parent} {'->' if row.direction == 'identified' else '--'} {row.child}", effect_in_words(row))
        for row in strongest.head(STRONGEST).itertuples()
    ]
    text = table(("", "on average, all else equal (94% interval)"), [(f"  {name}", words) for name, words in rows])
    hidden = len(strongest) - len(rows)
    more = f", and {hidden} more in relationships.csv" if hidden > 0 else ""
    legend = f"-> direction suggested by the data; -- either way{more}. Associations, not causal effects."
    return f"{text}\n{wrapped('  ' + legend)}"


def effect_in_words(row: object) -> str:
    """Say one row of the relationships.

    Parameters
    ----------
    row : named tuple
        A row of `Fit.relationships`.
    """
    if " vs " in row.change:
        change = f"{row.parent} {row.change}"
    else:
        change = f"{row.change.replace('SD', 'SD of')} {row.parent}".replace("level ", "level of ")
    if row.outcome == "mean":
        return f"{change}: {row.child} {_signed(row.effect)} ({_signed(row.lower)} to {_signed(row.upper)})"
    effect, lower, upper = (_signed(100 * value, 1) for value in (row.effect, row.lower, row.upper))
    return f"{change}: {row.outcome[2:-1]} {effect} points ({lower} to {upper})"


def _signed(value: float, decimals: int | None = None) -> str:
    if decimals is None:
        decimals = int(np.clip(2 - np.floor(np.log10(abs(value))), 0, 4)) if value else 0
    return f"{value:+.{decimals}f}"


def figures_text(figures: Sequence[Figure]) -> str:
    """Show the verdict of every figure of an assessment, with its excess over the floor."""
    from bayesynth.report.html import interval, number

    rows = [(f"  {f.name}", f.verdict, interval(f.excess), number(f.tolerance)) for f in figures]
    text = table(("  figure", "verdict", "excess over the floor", "tolerance"), rows)
    legend = "Intervals are 90%. The floor is what real rows score among themselves, or the control of an attack."
    return f"{text}\n{wrapped('  ' + legend, '  ')}"


def first_rows(frame: pd.DataFrame, n: int = 4) -> str:
    """Show the first rows side by side, a line for each column."""
    head = frame.head(n)
    rows = [(f"  {name}", *(_cell(value) for value in head[name].astype(object))) for name in frame]
    return table(("  column", *(f"row {i}" for i in range(1, len(head) + 1))), rows)


def _cell(value: object) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)

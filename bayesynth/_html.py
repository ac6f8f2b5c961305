"""Notebook cards: a few HTML helpers, one scoped style, readable on dark and on light pages."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

# currentColor and transparent backgrounds let the notebook's own theme decide what is dark and what is light.
_STYLE = """<style>
.bayesynth-card{border:1px solid currentColor;border-radius:6px;padding:.6em .9em;margin:.3em 0;display:inline-block;
max-width:100%;overflow-x:auto;background:transparent;color:inherit}
.bayesynth-card .title{font-weight:600}
.bayesynth-card .subtitle{opacity:.7;margin-bottom:.4em}
.bayesynth-card table{border-collapse:collapse;background:transparent;color:inherit;margin:.3em 0}
.bayesynth-card th,.bayesynth-card td{text-align:left;vertical-align:top;padding:.15em .7em .15em 0;
background:transparent;color:inherit;border:none}
.bayesynth-card th{border-bottom:1px solid currentColor;font-weight:600}
.bayesynth-card .legend{opacity:.7;font-size:90%}
</style>"""


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def escape(value: object) -> Markup:
    """Make any value safe to stand in HTML; leave markup as it is."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def italic(value: object) -> Markup:
    """Set a value in italics."""
    return Markup(f"<i>{escape(value)}</i>")


def legend(text: object) -> Markup:
    """Write a small line under a table."""
    return Markup(f'<div class="legend">{escape(text)}</div>')


def table(headers: Sequence[object], rows: Iterable[Sequence[object]]) -> Markup:
    """Write a table; cells are escaped unless they are markup."""
    head = "".join(f"<th>{escape(h)}</th>" for h in headers)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return Markup(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def card(title: object, subtitle: object = "", body: object = "") -> Markup:
    """Frame a title, a subtitle and a body as one card."""
    below = f'<div class="subtitle">{escape(subtitle)}</div>' if subtitle else ""
    return Markup(
        f'{_STYLE}<div class="bayesynth-card"><div class="title">{escape(title)}</div>{below}{escape(body)}</div>'
    )

"""Building blocks of the page: elements, tables and numbers; everything that is no markup is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from bayesynth._html import Markup, escape
from bayesynth.diagnostics.figures import Interval

MOST_ROWS = 40
UNKNOWN = "–"


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """Write an element; content and attributes are escaped unless they are markup.

    Parameters
    ----------
    name : str
        Of the element.
    *content
        What stands in it, in order.
    **attributes
        ``class_`` becomes ``class``, ``aria_label`` becomes ``aria-label``.

    Examples
    --------
    >>> tag("td", "<b>", class_="name")
    '<td class="name">&lt;b&gt;</td>'
    """
    given = "".join(f' {k.rstrip("_").replace("_", "-")}="{escape(v)}"' for k, v in attributes.items())
    return Markup(f"<{name}{given}>{joined(content)}</{name}>")


def joined(parts: Iterable[object]) -> Markup:
    """Put parts one after another, each escaped unless it is markup."""
    return Markup("".join(escape(part) for part in parts))


def bullets(items: Iterable[object], **attributes: object) -> Markup:
    """Write a list."""
    return tag("ul", *(tag("li", item) for item in items), **attributes)


def folded(summary: object, *content: object) -> Markup:
    """Hide content until it is asked for; it works without JavaScript."""
    return tag("details", tag("summary", summary), *content)


def data_table(
    headers: Sequence[object], rows: Iterable[Sequence[object]], *, numeric: Sequence[int] = (), class_: str = ""
) -> Markup:
    """Write a table that scrolls sideways where it is too wide, or is stacked where its class says so.

    Parameters
    ----------
    headers : sequence
        Of the columns.
    rows : iterable of sequences
        Cells.
    numeric : sequence of int
        Columns that are aligned at the right.
    class_ : str
        Of the table.
    """
    kinds = ["number" if i in numeric else "text" for i in range(len(headers))]
    head = tag("tr", *(tag("th", h, class_=kind, scope="col") for h, kind in zip(headers, kinds, strict=True)))
    body = [
        tag("tr", *(tag("td", cell, class_=k, data_label=h) for cell, k, h in zip(row, kinds, headers, strict=True)))
        for row in rows
    ]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_=class_)
    return tag("div", table, class_="scroll")


def frame_table(frame: pd.DataFrame, at_most: int = MOST_ROWS) -> Markup:
    """Write the first rows of a tidy frame, without columns that say nothing, and tell how many are left out."""
    frame = frame.dropna(axis=1, how="all")
    numeric = [i for i, kind in enumerate(frame.dtypes) if pd.api.types.is_numeric_dtype(kind)]
    rows = ([number(value) for value in row] for row in frame.head(at_most).itertuples(index=False))
    table = data_table([str(name).replace("_", " ") for name in frame.columns], rows, numeric=numeric, class_="data")
    hidden = len(frame) - at_most
    if hidden <= 0:
        return table
    return joined(
        [table, tag("p", f"The first {at_most} of {len(frame)} rows; to_json() has them all.", class_="note")]
    )


def number(value: object) -> str:
    """Write a value: numbers with up to three significant digits, blanks as a dash, anything else as it is.

    Examples
    --------
    >>> [number(v) for v in (0.012345, -3.5, 1234567, 12345.6, None, True, "a")]
    ['0.0123', '−3.5', '1,234,567', '12,346', '–', 'yes', 'a']
    """
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, (float, np.floating)):
        text = _fixed(float(value), _decimals([float(value)], 3))
        return text.rstrip("0").rstrip(".") if "." in text else text
    return UNKNOWN if value is None or value is pd.NA or value is pd.NaT else str(value)


def interval(found: Interval) -> str:
    """Write a figure with its interval, all with the same decimals; more where an end would look like 0.

    Examples
    --------
    >>> interval(Interval(-0.001234, -0.0104, 0.00812))
    '−0.001 (−0.010 to 0.008)'
    """
    decimals = _decimals([found.middle, found.lower, found.upper], 2)
    visible = (_decimals([end], 1) for end in (found.lower, found.upper))
    decimals = max(decimals, *(more for more in visible if more <= decimals + 2), 0)
    middle, lower, upper = (_fixed(v, decimals) for v in (found.middle, found.lower, found.upper))
    return middle if lower == upper == UNKNOWN else f"{middle} ({lower} to {upper})"


def percent(share: float) -> str:
    """Write a share as per cent."""
    return UNKNOWN if np.isnan(share) else f"{share:.1%}"


def _decimals(values: Sequence[float], digits: int) -> int:
    """Decimals with which the largest value has so many significant digits."""
    sizes = [abs(v) for v in values if np.isfinite(v) and v != 0]
    return int(np.clip(digits - 1 - np.floor(np.log10(max(sizes))), 0, 8)) if sizes else 0


def _fixed(value: float, decimals: int) -> str:
    if np.isnan(value):
        return UNKNOWN
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", "−")

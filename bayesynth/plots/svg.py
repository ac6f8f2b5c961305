"""Figures as SVG that stands inside a page: no network, no fixed size, text as text, equal figures as equal markup."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from bayesynth.plots._columns import shown_columns
from bayesynth.plots.marginals import PANEL, draw_marginal
from bayesynth.schema import Schema

_REFERENCE = re.compile(r'(?<=url\(#)[^)]*(?=\))|(?<=href="#)[^"]*(?=")')
_ID = re.compile(r' id="([^"]*)"')
_NOISE = re.compile(r"<metadata>.*?</metadata>|<style .*?</style>|font-family: [^;\"]*; ", re.DOTALL)
_SIZE = re.compile(r' (?:width|height)="[^"]*"')


def as_svg(axes: Axes | np.ndarray, prefix: str) -> str:
    """Write the figure behind axes as one ``<svg>`` element, and close it.

    Parameters
    ----------
    axes : Axes or ndarray of Axes
        What a plot function returned.
    prefix : str
        Begins every id, so that several pictures can stand in one page.

    Returns
    -------
    str
        With a view box and without a size, for the page to decide; text stays text.
    """
    first = axes if isinstance(axes, Axes) else np.ravel(axes)[0]
    figure, text = first.figure, io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        empty = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", bbox_inches="tight", transparent=True, metadata=empty)
    plt.close(figure)
    body = _NOISE.sub("", text.getvalue())
    head, rest = body[body.index("<svg") :].split(">", 1)
    used = set(_REFERENCE.findall(rest))
    rest = _ID.sub(lambda found: f' id="{prefix}-{found[1]}"' if found[1] in used else "", rest)
    return f"{_SIZE.sub('', head)}>{_REFERENCE.sub(lambda found: f'{prefix}-{found.group()}', rest)}"


def column_pictures(
    real: pd.DataFrame, synthetic: pd.DataFrame | Iterable[pd.DataFrame], schema: Schema | None = None
) -> Iterator[tuple[str, str]]:
    """Draw every column by itself, as `plot_marginals` does, and give its name and its SVG."""
    for i, column in enumerate(shown_columns(real, synthetic, schema, None)):
        _, ax = plt.subplots(figsize=PANEL, layout="constrained")
        draw_marginal(ax, column)
        yield column.column.name, as_svg(ax, f"column{i}")

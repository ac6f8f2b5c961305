"""Pairs of columns of mixed kinds, real and synthetic in one panel."""

from __future__ import annotations

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch

from bayesynth.plots._columns import ShownColumn, shown_columns
from bayesynth.plots.marginals import draw_marginal
from bayesynth.plots.style import FAINT, INK, NORMAL, REAL, REAL_FILL, SMALL, SYNTHETIC, SYNTHETIC_FILL, quiet
from bayesynth.schema import Schema

AT_MOST, PANEL = 5, 2.0
POINTS = 800
_GREYS = LinearSegmentedColormap.from_list("real", ["#FFFFFF", "#4D4D4D"])
_BLUES = LinearSegmentedColormap.from_list("synthetic", ["#FFFFFF", SYNTHETIC])


def plot_pairs(
    real: pd.DataFrame,
    synthetic: pd.DataFrame | Iterable[pd.DataFrame],
    columns: Iterable[str] | None = None,
    schema: Schema | None = None,
) -> np.ndarray:
    """Draw a handful of columns against each other, real and synthetic in the same panels.

    Two numbers as points, as many synthetic as real; a number and levels as boxes (quartiles, and the middle 90%) in
    pairs; two columns with levels as shares of the vertical one within each level of the horizontal one, real in the
    left half of a cell, synthetic in the right half. The columns themselves are on the diagonal. Of several synthetic
    tables the first is drawn as points, and all are pooled for the rest. Rows in which either value is blank are left
    out.

    Parameters
    ----------
    real : DataFrame
        The real table.
    synthetic : DataFrame or iterable of DataFrame
        One synthetic table or several.
    columns : iterable of str, optional
        Which ones; the first five modelled ones when left out.
    schema : Schema, optional
        What the columns are; inferred from the real table when left out.

    Returns
    -------
    ndarray of Axes or None, shape (columns, columns)
        The lower triangle; None above it.

    Raises
    ------
    InputError
        If a column is unknown or a table lacks it.

    Examples
    --------
    >>> axes = plot_pairs(patients, tables, ["bili", "stage", "status"])  # doctest: +SKIP
    """
    shown = shown_columns(real, synthetic, schema, columns, AT_MOST)
    k = len(shown)
    size = (PANEL * k + 0.8, PANEL * k + 0.6)
    figure, axes = plt.subplots(k, k, figsize=size, squeeze=False, layout="constrained")
    for row in range(k):
        for column in range(k):
            ax = axes[row, column]
            if column > row:
                ax.remove()
                axes[row, column] = None
                continue
            if column == row:
                draw_marginal(ax, shown[row])
                ax.set_xlim(*shown[row].limits)
            else:
                _draw_pair(ax, shown[column], shown[row])
            _label(ax, shown[column], shown[row], (row, column, k))
    handles = [
        Patch(facecolor=REAL_FILL, edgecolor=REAL, label="real"),
        Patch(facecolor=SYNTHETIC, alpha=0.5, label="synthetic"),
    ]
    figure.legend(handles=handles, loc="upper right", frameon=False, fontsize=NORMAL)
    return axes


def _label(ax: Axes, x: ShownColumn, y: ShownColumn, place: tuple[int, int, int]) -> None:
    row, column, k = place
    if row == column:
        ax.set_title(x.title, fontsize=NORMAL, color=INK, loc="left", pad=4)
    if row == k - 1:
        ax.set_xlabel(x.title, fontsize=NORMAL, color=INK)
    else:
        ax.tick_params(axis="x", labelbottom=False)
    if column == 0 and row > 0:
        ax.set_ylabel(y.title, fontsize=NORMAL, color=INK)
    elif column < row:
        ax.tick_params(axis="y", labelleft=False)


def _draw_pair(ax: Axes, x: ShownColumn, y: ShownColumn) -> None:
    real, drawn = _both(x, y, 0, 1), _both(x, y, 1, len(x.tables))
    if x.nominal and y.nominal:
        _draw_shares(ax, real, drawn, x, y)
    elif x.nominal or y.nominal:
        upright = x.nominal
        levels = x if upright else y
        _draw_boxes(ax, real if upright else real[::-1], drawn if upright else drawn[::-1], levels, upright)
    else:
        first = _both(x, y, 1, 2)
        n = min(POINTS, real.shape[1], first.shape[1])
        for points, colour, depth in ((real, REAL, 2), (first, SYNTHETIC, 3)):
            kept = points[:, np.linspace(0, points.shape[1] - 1, n).astype(int)] if n else points[:, :0]
            ax.scatter(*kept, s=7, color=colour, alpha=0.4, linewidth=0, zorder=depth)
    quiet(ax)
    x.dress(ax, "x")
    y.dress(ax, "y")
    ax.set_xlim(*x.limits)
    ax.set_ylim(*y.limits)


def _both(x: ShownColumn, y: ShownColumn, first: int, last: int) -> np.ndarray:
    """Rows of some tables that have both values, shape (2, rows)."""
    points = np.array([np.concatenate(column.tables[first:last]) for column in (x, y)])
    return points[:, ~np.isnan(points).any(axis=0)]


def _draw_boxes(ax: Axes, real: np.ndarray, drawn: np.ndarray, levels: ShownColumn, upright: bool) -> None:
    """Draw boxes of the second row of the points within each level of the first."""
    for points, shift, face, edge in ((real, -0.19, REAL_FILL, REAL), (drawn, 0.19, SYNTHETIC_FILL, SYNTHETIC)):
        for level in range(len(levels.labels)):
            values = points[1, points[0] == level]
            if len(values) < 3:
                continue
            low, q1, middle, q3, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
            at = level + (shift if upright else -shift)
            bar, line, tick = (ax.bar, ax.vlines, ax.hlines) if upright else (ax.barh, ax.hlines, ax.vlines)
            line(at, low, high, color=edge, linewidth=0.9, zorder=2)
            where = {"bottom": q1} if upright else {"left": q1}
            bar(at, q3 - q1, 0.32, color=face, edgecolor=edge, linewidth=0.9, zorder=3, **where)
            tick(middle, at - 0.16, at + 0.16, color=edge, linewidth=1.8, zorder=4)


def _draw_shares(ax: Axes, real: np.ndarray, drawn: np.ndarray, x: ShownColumn, y: ShownColumn) -> None:
    """Shade each cell by the share of y within x, real in its left half and synthetic in its right half."""
    shape = (len(x.labels), len(y.labels))
    text = SMALL - 1 if max(shape) <= 4 else 0
    for points, left, colours in ((real, -0.46, _GREYS), (drawn, 0.0, _BLUES)):
        cells = points.astype(int)
        counts = np.bincount(cells[0] * shape[1] + cells[1], minlength=shape[0] * shape[1]).reshape(shape)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for (i, j), share in np.ndenumerate(shares):
            ax.add_patch(
                plt.Rectangle(
                    (i + left, j - 0.46), 0.46, 0.92, facecolor=colours(0.85 * share), edgecolor=FAINT, linewidth=0.4
                )
            )
            if text:
                shade = "white" if share > 0.6 else INK
                ax.text(i + left + 0.23, j, f"{100 * share:.0f}", ha="center", va="center", fontsize=text, color=shade)

"""Each column by itself, real and synthetic."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesynth.plots._columns import ShownColumn, shown_columns
from bayesynth.plots.style import INK, NORMAL, QUIET, REAL, REAL_FILL, SMALL, SYNTHETIC, SYNTHETIC_FILL, grid, quiet
from bayesynth.schema import Kind, Schema

PER_ROW, PANEL = 5, (2.5, 1.95)
MOST_BINS, FEWEST_BINS = 30, 8
BAND = (0.05, 0.95)


def plot_marginals(
    real: pd.DataFrame,
    synthetic: pd.DataFrame | Iterable[pd.DataFrame],
    schema: Schema | None = None,
    columns: Iterable[str] | None = None,
) -> np.ndarray:
    """Draw the distribution of every column, real and synthetic.

    Numbers as histograms on shared bins (of a logarithmic scale, where a long tail asks for it), levels as paired bars.
    Several synthetic tables are drawn as their median and the range of the middle 90% of them. The share of blanks is
    written above each panel; the distribution is that of the values that are not blank.

    Parameters
    ----------
    real : DataFrame
        The real table.
    synthetic : DataFrame or iterable of DataFrame
        One synthetic table or several.
    schema : Schema, optional
        What the columns are; inferred from the real table when left out.
    columns : iterable of str, optional
        Which ones; all modelled ones when left out.

    Returns
    -------
    ndarray of Axes, shape (columns,)
        One panel for each column.

    Raises
    ------
    InputError
        If a column is unknown or a table lacks it.

    Examples
    --------
    >>> axes = plot_marginals(patients, tables)  # doctest: +SKIP
    """
    shown = shown_columns(real, synthetic, schema, columns)
    axes = grid(len(shown), PER_ROW, PANEL)
    for ax, column in zip(axes, shown, strict=True):
        draw_marginal(ax, column)
        _write_title(ax, column)
    several = len(shown[0].tables) > 2
    handles = [Patch(facecolor=REAL_FILL, edgecolor=REAL, label="real"), _synthetic_handle(several)]
    axes[0].figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False, fontsize=NORMAL)
    return axes


def draw_marginal(ax: Axes, shown: ShownColumn) -> None:
    """Draw one column on given axes, without a title."""
    if shown.nominal:
        _draw_bars(ax, shown)
    else:
        _draw_histogram(ax, shown)
    quiet(ax, left=False)
    ax.set_ylim(0, 1.04 * ax.dataLim.ymax)
    shown.dress(ax, "x")


def _synthetic_handle(several: bool) -> Line2D | Patch:
    text = "synthetic: median and middle 90% of the tables" if several else "synthetic"
    return Patch(facecolor=SYNTHETIC_FILL, edgecolor=SYNTHETIC, label=text)


def _write_title(ax: Axes, shown: ShownColumn) -> None:
    real, *synthetic = shown.blank_shares
    ax.set_title(shown.title, fontsize=NORMAL, color=INK, loc="left", pad=11)
    if real or max(synthetic):
        text = f"blank: real {real:.1%}, synthetic {np.median(synthetic):.1%}"
    else:
        text = "no blanks"
    ax.text(0, 1.03, text, transform=ax.transAxes, fontsize=SMALL - 1, color=QUIET, va="bottom")


def _draw_bars(ax: Axes, shown: ShownColumn) -> None:
    k = len(shown.labels)
    shares = np.array([_shares(shown.seen(i), k) for i in range(len(shown.tables))])
    at, width = np.arange(k), 0.38
    ax.bar(at - width / 2, shares[0], width, color=REAL_FILL, edgecolor=REAL, linewidth=0.8)
    middle = np.median(shares[1:], axis=0)
    ax.bar(at + width / 2, middle, width, color=SYNTHETIC_FILL, edgecolor=SYNTHETIC, linewidth=0.8)
    if len(shares) > 2:
        low, high = np.quantile(shares[1:], BAND, axis=0)
        ax.vlines(at + width / 2, low, high, color=SYNTHETIC, linewidth=1.4)
    ax.set_xlim(-0.6, k - 0.4)


def _shares(codes: np.ndarray, k: int) -> np.ndarray:
    return np.bincount(codes.astype(int), minlength=k) / max(len(codes), 1)


def _draw_histogram(ax: Axes, shown: ShownColumn) -> None:
    tables = [shown.seen(i) for i in range(len(shown.tables))]
    edges = shared_bins(shown)
    heights = np.array([_density(values, edges, shown.log) for values in tables])
    ax.stairs(heights[0], edges, fill=True, facecolor=REAL_FILL, edgecolor="none")
    ax.stairs(heights[0], edges, color=REAL, linewidth=0.9)
    if len(heights) > 2:
        low, high = np.quantile(heights[1:], BAND, axis=0)
        ax.stairs(high, edges, baseline=low, fill=True, color=SYNTHETIC, alpha=0.25, linewidth=0)
    ax.stairs(np.median(heights[1:], axis=0), edges, color=SYNTHETIC, linewidth=1.3)


def _density(values: np.ndarray, edges: np.ndarray, log: bool) -> np.ndarray:
    counts = np.histogram(values, edges)[0] / max(len(values), 1)
    return counts / np.diff(np.log(edges) if log else edges)


def shared_bins(shown: ShownColumn) -> np.ndarray:
    """Bins for all tables, about as many as the Freedman-Diaconis rule asks for, on the grid of the column."""
    real = shown.seen(0)
    everything = np.concatenate([shown.seen(i) for i in range(len(shown.tables))])
    if shown.log:
        everything = everything[everything > 0]
    if len(everything) == 0:
        return np.array([0.0, 1.0])
    view = np.log if shown.log else np.asarray
    low, high = float(view(everything.min())), float(view(everything.max()))
    if high <= low:
        return np.array([everything.min() - 0.5, everything.max() + 0.5])
    middle = np.subtract(*np.quantile(view(real), [0.75, 0.25])) if len(real) else 0.0
    wanted = (high - low) / (2 * middle / np.cbrt(len(real))) if middle > 0 else MOST_BINS
    bins = int(np.clip(wanted, FEWEST_BINS, MOST_BINS))
    if shown.log:
        return np.exp(np.linspace(low, high, bins + 1)) * np.r_[1 - 1e-9, np.ones(bins - 1), 1 + 1e-9]
    precision = shown.column.precision
    if shown.column.kind in (Kind.COUNT, Kind.CONTINUOUS) and isinstance(precision, int):
        step = 10.0**-precision
        possible = round((high - low) / step)
        each = max(1, -(-possible // bins))  # a bin holds as many possible values as the next
        return low - step / 2 + each * step * np.arange(possible // each + 2)
    return np.linspace(low, high, bins + 1)

"""Figures of an assessment beside their floors: all of them at once, and the draws behind one."""

from __future__ import annotations

from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesynth.diagnostics.figures import SKIPPED, UNKNOWN, WITHIN, WORSE, Figure
from bayesynth.errors import InputError, Problem
from bayesynth.plots.style import (
    BLUE,
    FAINT,
    INK,
    NORMAL,
    QUIET,
    REAL,
    REAL_FILL,
    SMALL,
    SYNTHETIC,
    VERMILION,
    plain,
    quiet,
)

COLOURS = {WITHIN: BLUE, WORSE: VERMILION, UNKNOWN: QUIET}
TICKS = (-30, -10, -3, -1, 0, 1, 3, 10, 30, 100, 300)
BAR, ROW = 0.34, 0.34  # height of a floor's bar; inches per figure
PLACES = 1.02, 1.13, 1.24  # of what stands beside the axes
DASHED = (0, (4, 3))


def plot_fidelity(figures: Iterable[Figure], ax: Axes | None = None) -> Axes:
    """Draw the excess of each figure over its floor, in units of its tolerance, one row per figure.

    0 is what other real rows score and 1 the excess that would not matter. Points are excesses with their intervals,
    in the colour of the verdict; the bars behind them are the spread of the floor over splits of the real rows. On the
    right are the figure between synthetic and real rows, and its floor. The scale is linear near 0 and logarithmic
    beyond.

    Parameters
    ----------
    figures : iterable of Figure
        What an assessment found; those that were not worked out are left out.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        With one row per figure, the first on top.

    Raises
    ------
    InputError
        If no figure was worked out.

    Examples
    --------
    >>> ax = plot_fidelity(figures)  # doctest: +SKIP
    """
    shown = [figure for figure in figures if figure.verdict != SKIPPED]
    if not shown:
        found, why = "no figure was worked out", "there is nothing to draw"
        raise InputError(Problem(found, why, "pass what assess_tables returned"))
    if ax is None:
        _, ax = plt.subplots(figsize=(8.2, ROW * len(shown) + 1.2), layout="constrained")
    ends = [0.0, 1.0]
    for i, figure in enumerate(shown):
        ends += _draw_row(ax, figure, i)
    ax.axvline(0, color=INK, linewidth=0.8, zorder=1)
    ax.axvline(1, color=QUIET, linewidth=0.8, linestyle=DASHED, zorder=1)
    ax.set_xscale("asinh", linear_width=1.0)
    low, high = min(ends), max(ends)
    ticks = [tick for tick in TICKS if low * 1.3 - 0.5 <= tick <= high * 1.3 + 0.5]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    ax.set_xticks([], minor=True)
    ax.set_xlim(low * 1.2 - 0.4, high * 1.2 + 0.4)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    quiet(ax, left=False)
    ax.set_yticks(range(len(shown)), [plain(figure.name) for figure in shown])
    ax.tick_params(axis="y", length=0, labelsize=NORMAL)
    ax.set_xlabel("excess over the floor, in tolerances", fontsize=SMALL, color=QUIET)
    for place, title in zip(PLACES, ("synthetic", "floor", "verdict"), strict=True):
        _beside(ax, place, -0.75, title, QUIET)
    _legend(ax)
    return ax


def _draw_row(ax: Axes, figure: Figure, i: int) -> list[float]:
    """Draw one figure; give what the axis must hold."""
    unit, middle, colour = figure.tolerance, figure.floor.middle, COLOURS[figure.verdict]
    low, high = (figure.floor.lower - middle) / unit, (figure.floor.upper - middle) / unit
    ax.barh(i, high - low, BAR, left=low, color=REAL_FILL, zorder=0, gid=f"floor of {figure.name}")
    lower, excess, upper = (x / unit for x in (figure.excess.lower, figure.excess.middle, figure.excess.upper))
    ax.plot([lower, upper], [i, i], color=colour, linewidth=2, solid_capstyle="round", zorder=2)
    face = "white" if figure.verdict == UNKNOWN else colour
    look = {"color": colour, "markerfacecolor": face, "markersize": 5.5, "zorder": 3}
    ax.plot(excess, i, "o", gid=f"excess of {figure.name}", **look)
    said = (f"{figure.value.middle:.3g}", INK), (f"{figure.floor.middle:.3g}", QUIET), (figure.verdict, colour)
    for place, (text, ink) in zip(PLACES, said, strict=True):
        _beside(ax, place, i, text, ink)
    return [low, high, lower, upper]


def _beside(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    ax.text(x, y, text, color=colour, transform=ax.get_yaxis_transform(), va="center", fontsize=SMALL)


def _legend(ax: Axes) -> None:
    handles = [
        Line2D([], [], color=SYNTHETIC, marker="o", markersize=5, label="excess of synthetic rows, 90% interval"),
        Patch(facecolor=REAL_FILL, label="floor, over splits of real rows"),
        Line2D([], [], color=QUIET, linewidth=0.8, linestyle=DASHED, label="tolerance"),
    ]
    look = {"frameon": False, "fontsize": SMALL, "labelcolor": INK, "handlelength": 1.6, "columnspacing": 1.4}
    above = {"loc": "lower left", "bbox_to_anchor": (0, -0.95), "bbox_transform": ax.get_yaxis_transform()}
    ax.legend(handles=handles, ncols=len(handles), borderpad=0, **above, **look)


def plot_floor(figure: Figure, ax: Axes | None = None) -> Axes:
    """Draw how one figure is distributed between real rows, and between synthetic and real rows.

    Parameters
    ----------
    figure : Figure
        One figure of an assessment, with its draws.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        The floor over splits as filled bars, the comparisons over splits and tables as a line; dashed, their medians.

    Raises
    ------
    InputError
        If the figure has no draws.

    Examples
    --------
    >>> ax = plot_floor(figures[0])  # doctest: +SKIP
    """
    if figure.draws.empty:
        found, why = f"the figure {figure.name!r} has no draws", figure.note or "it is not a mean over splits"
        raise InputError(Problem(found, why, "pass a figure of fidelity that was worked out"))
    if ax is None:
        _, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
    draws = figure.draws.dropna(subset="figure")
    is_floor = draws["table"].isna()
    floors, compared = (draws.loc[mask, "figure"].to_numpy() for mask in (is_floor, ~is_floor))
    edges = np.histogram_bin_edges(draws["figure"], bins=_bins(len(floors)))
    ax.hist(floors, edges, density=True, color=REAL_FILL, gid="floor")
    ax.hist(compared, edges, density=True, histtype="step", color=SYNTHETIC, linewidth=1.4, gid="comparison")
    for values, colour in ((floors, REAL), (compared, SYNTHETIC)):
        ax.axvline(np.median(values), color=colour, linewidth=1.2, linestyle=DASHED)
    quiet(ax, left=False)
    ax.set_xlabel(plain(figure.name), fontsize=NORMAL, color=INK)
    excess = figure.excess
    said = f"{figure.verdict}: excess {excess.middle:.3g} ({excess.lower:.3g} to {excess.upper:.3g})"
    ax.set_title(said, loc="left", fontsize=SMALL, color=COLOURS[figure.verdict], pad=18)
    handles = [
        Patch(facecolor=REAL_FILL, label="real and real"),
        Line2D([], [], color=SYNTHETIC, linewidth=1.4, label="real and synthetic"),
        Line2D([], [], color=FAINT, linewidth=1.2, linestyle=DASHED, label="median"),
    ]
    look = {"frameon": False, "fontsize": SMALL, "labelcolor": INK, "borderpad": 0, "handlelength": 1.6}
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, **look)
    return ax


def _bins(n: int) -> int:
    return int(np.clip(np.sqrt(n) * 1.5, 8, 30))

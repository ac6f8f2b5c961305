"""Every pair of columns at once: how far each is above its floor."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from bayesynth.diagnostics.figures import Figure
from bayesynth.errors import InputError, Problem
from bayesynth.plots._places import text_width
from bayesynth.plots.style import INK, QUIET, SEQUENTIAL, SMALL, VERMILION, plain

GRID = "#EDEDED"
LEAST_SCALE = 3.0  # tolerances at full colour, at least: what is noise should look like noise


def plot_pair_matrix(figure: Figure, ax: Axes | None = None) -> Axes:
    """Draw by how much each pair of columns is above its floor, the worst five marked and named.

    Parameters
    ----------
    figure : Figure
        A figure of an assessment whose parts are pairs: "pairs", "association" or "missingness dependence".
    ax : Axes, optional
        Where to draw; a figure of fitting size is made when left out.

    Returns
    -------
    Axes
        With a cell for each pair; white is at or below the floor.

    Raises
    ------
    InputError
        If the parts of the figure are no pairs.

    Examples
    --------
    >>> ax = plot_pair_matrix(figures[3])  # doctest: +SKIP
    """
    details = figure.details
    if details.empty or "first" not in details:
        found, why = f"the figure {figure.name!r} is not about pairs", figure.note or "it has no two columns per part"
        raise InputError(Problem(found, why, 'pass the figure "pairs" or "association"'))
    across, down = (list(dict.fromkeys(details[side])) for side in ("first", "second"))
    cells = np.full((len(down), len(across)), np.nan)
    places = [(down.index(row.second), across.index(row.first)) for row in details.itertuples()]
    for place, excess in zip(places, details["excess"], strict=True):
        cells[place] = max(excess, 0.0)
    labels = [plain(name) for name in across], [plain(name) for name in down]
    ax = ax if ax is not None else _axes(*labels)
    most = max(float(np.nanmax(cells)), LEAST_SCALE * figure.tolerance)
    x, y = np.arange(len(across) + 1), np.arange(len(down) + 1)
    look = {"cmap": SEQUENTIAL, "vmin": 0, "vmax": most, "edgecolor": GRID, "linewidth": 0.5}
    mesh = ax.pcolormesh(x, y, np.ma.masked_invalid(cells), gid="excess", **look)
    _mark(ax, figure, dict(zip(details["part"], places, strict=True)), most)
    ax.set_xticks(x[:-1] + 0.5, labels[0], rotation=90, fontsize=SMALL)
    ax.set_yticks(y[:-1] + 0.5, labels[1], fontsize=SMALL)
    ax.tick_params(length=0, labelcolor=INK)
    ax.set_xlim(0, len(across))
    ax.set_ylim(len(down), 0)
    ax.set_aspect("equal")
    for spine in ax.spines.values():
        spine.set_visible(False)
    bar = ax.figure.colorbar(mesh, cax=ax.inset_axes((1.03, 0.0, 0.025, min(1.0, 6 / len(down)))))
    bar.set_label(f"excess of {figure.name}\nover the floor", fontsize=SMALL, color=INK)
    bar.ax.axhline(figure.tolerance, color=QUIET, linewidth=1)
    bar.ax.tick_params(labelsize=SMALL, colors=QUIET, length=2.5, width=0.6, labelcolor=INK)
    bar.outline.set_visible(False)
    return ax


def _mark(ax: Axes, figure: Figure, places: dict[str, tuple[int, int]], most: float) -> None:
    """Frame the worst pairs, number them, and name them in the empty corner."""
    lines = []
    for rank, (name, value, floor) in enumerate(figure.worst, 1):
        row, column = places[name]
        ax.add_patch(
            Rectangle(
                (column, row), 1, 1, fill=False, edgecolor=VERMILION, linewidth=1.3, gid=f"worst {name}", zorder=3
            )
        )
        ink = "white" if value - floor > most / 2 else INK
        ax.text(column + 0.5, row + 0.52, rank, ha="center", va="center", fontsize=SMALL - 1, color=ink)
        lines.append(f"{rank}  {plain(name, 44)}: {value:.3g}, floor {floor:.3g}")
    ax.set_title("\n".join(lines), loc="left", fontsize=SMALL, color=INK, linespacing=1.5)


def _axes(across: list[str], down: list[str]) -> Axes:
    """Make a figure that holds the cells and the labels, with a place for the colour bar."""
    cell = 17.0 if max(len(across), len(down)) <= 30 else 12.0  # points
    wide, high = (max(len(labels) * cell, 8 * cell) for labels in (across, down))
    left, below = (max(text_width(label, SMALL) for label in labels) + 16 for labels in (down, across))
    right, above = 84.0, 84.0
    width, height = left + wide + right, below + high + above
    figure = plt.figure(figsize=(width / 72, height / 72))
    return figure.add_axes((left / width, below / height, wide / width, high / height))

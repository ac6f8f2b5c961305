"""One look for all plots: colours that everyone can tell apart, plain text, quiet axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from bayesynth.errors import InputError, Problem

# Okabe and Ito (2008): distinguishable with every common colour vision.
BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILION, PURPLE = (
    "#1A1A1A",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
REAL, SYNTHETIC = "#6B6B6B", BLUE
REAL_FILL, SYNTHETIC_FILL = "#D9D9D9", "#BFDBEC"
INK, QUIET, FAINT = "#222222", "#707070", "#B8B8B8"
KIND_COLOURS: Mapping[str, str] = {
    "continuous": "#CFE8F7",
    "count": "#A6D5EE",
    "datetime": "#DDF1EA",
    "duration": "#B5E0D2",
    "binary": "#FBE3B0",
    "categorical": "#F3C6DC",
    "ordinal": "#F8CDB2",
    "missingness": "#FFFFFF",
}
SIGNED = LinearSegmentedColormap.from_list("signed", ["#004C8C", "#5B9BD0", "#A8A8A8", "#E08A4A", "#A63A00"])
SEQUENTIAL = LinearSegmentedColormap.from_list("sequential", ["#FFFFFF", "#CFE3F0", "#5FA4D0", BLUE, "#00304F"])
SMALL, NORMAL, LARGE = 7.5, 9.0, 10.5
LONGEST_LABEL = 28


def plain(text: object, longest: int = LONGEST_LABEL) -> str:
    r"""Make any value safe to show: no mathematics between dollar signs, one line, not too long.

    Examples
    --------
    >>> plain("cost in $ and $")
    'cost in \\$ and \\$'
    """
    line = " ".join(str(text).split())
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return line.replace("$", r"\$")


def quiet(ax: Axes, *, left: bool = True) -> Axes:
    """Take away what is not data."""
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom" or (side == "left" and left))
        spine.set_color(FAINT)
        spine.set_linewidth(0.8)
    ax.tick_params(labelsize=SMALL, colors=QUIET, length=2.5, width=0.6, labelcolor=INK)
    if not left:
        ax.set_yticks([])
    return ax


def grid(n: int, columns: int, size: tuple[float, float]) -> np.ndarray:
    """Make a figure with n panels; return them as an array, unused places removed."""
    columns = max(1, min(columns, n))
    rows = -(-n // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, layout="constrained"
    )
    figure.get_layout_engine().set(h_pad=0.07, w_pad=0.06)
    for spare in axes.ravel()[n:]:
        spare.remove()
    return axes.ravel()[:n]


def chosen(names: Sequence[str], columns: Iterable[str] | None) -> list[str]:
    """Take the named columns, or all.

    Raises
    ------
    InputError
        If a column is unknown, or none is left.
    """
    if columns is None:
        columns = names
    columns = [columns] if isinstance(columns, str) else list(columns)
    unknown = [name for name in columns if name not in names]
    if unknown or not columns:
        found = f"columns {unknown}" if unknown else "no columns"
        raise InputError(Problem(f"{found} cannot be shown", f"there are {', '.join(names)}", "name some of these"))
    return columns


def save_figure(axes: Axes | np.ndarray, path: str | Path, *, dpi: int = 200) -> Path:
    """Write the figure behind axes to a file and close it.

    Parameters
    ----------
    axes : Axes or ndarray of Axes
        What a plot function returned.
    path : str or Path
        Where to; the ending says the format.
    dpi : int
        Dots per inch of a PNG.
    """
    first: Any = axes if isinstance(axes, Axes) else np.ravel(axes)[0]
    figure = first.figure
    figure.savefig(path, dpi=dpi, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    return Path(path)

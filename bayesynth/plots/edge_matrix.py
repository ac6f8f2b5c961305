"""The probability of every edge at once, as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from bayesynth.plots._places import text_width
from bayesynth.plots._structure import block_label, structure_of, verdict_style
from bayesynth.plots.style import FAINT, INK, QUIET, SEQUENTIAL, SMALL, plain

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit, StructurePosterior

MOST_WITH_NUMBERS = 30  # nodes
LEAST_NUMBER = 0.05
GRID, DIAGONAL, STRUCTURAL = "#EDEDED", "#E3E3E3", "#D0D0D0"


def plot_edge_matrix(structure_or_fit: StructurePosterior | Fit, ax: Axes | None = None) -> Axes:
    """Draw the probability of every edge, parents as rows and children as columns.

    Related columns stand together: the order is that of the leaves of an average linkage clustering, in which the
    distance of two columns is the probability that they are not adjacent, turned so that most parents come before their
    children. Missingness nodes come last, in the order of the columns that they gate. Edges that hold by construction
    are hatched. Where data cannot tell a direction, the probability is shared by the two cells that mirror each other.

    Parameters
    ----------
    structure_or_fit : StructurePosterior or Fit
        A posterior over graphs, or a fit that has one.
    ax : Axes, optional
        Where to draw; a figure of fitting size is made when left out.

    Returns
    -------
    Axes
        With a cell for each pair of nodes.

    Raises
    ------
    InputError
        If no column varies.

    Examples
    --------
    >>> ax = plot_edge_matrix(fit)  # doctest: +SKIP
    """
    structure = structure_of(structure_or_fit)
    names = node_order(structure)
    shown = structure.edge_matrix().loc[names, names].to_numpy()
    labels = [f"{block_label(name)} observed" if name in structure.blocks else plain(name) for name in names]
    ax = ax if ax is not None else _axes(labels)
    edges = np.arange(len(names) + 1)
    mesh = ax.pcolormesh(
        edges, edges, shown, cmap=SEQUENTIAL, vmin=0, vmax=1, edgecolor=GRID, linewidth=0.5, gid="probabilities"
    )
    for i in range(len(names)):
        ax.add_patch(Rectangle((i, i), 1, 1, facecolor=DIAGONAL, linewidth=0, gid="diagonal"))
    _hatch(ax, structure, names)
    if len(names) <= MOST_WITH_NUMBERS:
        _write_numbers(ax, structure, names, shown)
    values = len(names) - len(structure.blocks)
    if 0 < values < len(names):
        ax.axhline(values, color=QUIET, linewidth=0.8)
        ax.axvline(values, color=QUIET, linewidth=0.8)
    _label(ax, labels)
    ax.set_title(structure.verdict(), loc="left", fontsize=SMALL, pad=8, **verdict_style(structure))
    bar = ax.figure.colorbar(mesh, cax=ax.inset_axes((1.03, 0.0, 0.02, 1.0)))
    bar.set_label("P(parent → child)", fontsize=SMALL, color=INK)
    bar.ax.tick_params(labelsize=SMALL, colors=QUIET, length=2.5, width=0.6, labelcolor=INK)
    bar.outline.set_visible(False)
    return ax


def node_order(structure: StructurePosterior) -> list[str]:
    """Order the nodes so that adjacent ones stand together, missingness nodes last."""
    names = [name for name in structure.nodes if name not in structure.blocks]
    p = structure.edge_matrix().loc[names, names].to_numpy()
    if len(names) > 2:
        apart = np.clip(1 - (p + p.T), 0, 1)
        np.fill_diagonal(apart, 0)
        leaves = leaves_list(linkage(squareform(apart), "average", optimal_ordering=True))
        sorted_p = p[np.ix_(leaves, leaves)]
        backwards = np.tril(sorted_p).sum() > np.triu(sorted_p).sum()
        names = [names[i] for i in (leaves[::-1] if backwards else leaves)]
    place = {name: i for i, name in enumerate(names)}

    def first_gated(block: str) -> int:
        return min((place[b] for a, b in structure.structural if a == block and b in place), default=len(names))

    return names + sorted(structure.blocks, key=first_gated)


def _axes(labels: list[str]) -> Axes:
    """Make a figure that holds the cells and the labels, with a place for the colour bar."""
    cell = 22.0 if len(labels) <= MOST_WITH_NUMBERS else 15.0  # points
    side, longest = max(len(labels) * cell, 9 * cell), max(text_width(label, SMALL) for label in labels)
    left, right, below = longest + 24, max(64.0, 0.6 * longest), 24.0
    above = 0.85 * longest + 42
    width, height = left + side + right, below + side + above
    figure = plt.figure(figsize=(width / 72, height / 72))
    return figure.add_axes((left / width, below / height, side / width, side / height))


def _hatch(ax: Axes, structure: StructurePosterior, names: list[str]) -> None:
    look = {"facecolor": STRUCTURAL, "edgecolor": "white", "hatch": "/////", "linewidth": 0}
    for parent, child in sorted(structure.structural):
        corner = names.index(child), names.index(parent)
        ax.add_patch(Rectangle(corner, 1, 1, gid=f"structural {parent} -> {child}", **look))
    if structure.structural:
        ax.legend(
            handles=[Patch(label="by construction", **look)],
            loc="upper left",
            bbox_to_anchor=(0, -0.01),
            borderpad=0,
            frameon=False,
            fontsize=SMALL,
            labelcolor=INK,
        )


def _write_numbers(ax: Axes, structure: StructurePosterior, names: list[str], shown: np.ndarray) -> None:
    for i, j in np.argwhere(shown >= LEAST_NUMBER):
        if (names[i], names[j]) not in structure.structural:
            colour = "white" if shown[i, j] > 0.55 else INK
            text = f"{shown[i, j]:.2f}".removeprefix("0")
            ax.text(j + 0.5, i + 0.52, text, ha="center", va="center", fontsize=SMALL - 1.5, color=colour)


def _label(ax: Axes, labels: list[str]) -> None:
    middles = np.arange(len(labels)) + 0.5
    ax.set_xticks(middles, labels, rotation=55, ha="left", rotation_mode="anchor", fontsize=SMALL)
    ax.set_yticks(middles, labels, fontsize=SMALL)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_xlabel("child", fontsize=SMALL, color=QUIET)
    ax.set_ylabel("parent", fontsize=SMALL, color=QUIET)
    ax.tick_params(length=0, labelcolor=INK)
    ax.set_xlim(0, len(labels))
    ax.set_ylim(len(labels), 0)
    ax.set_aspect("equal")
    for spine in ax.spines.values():
        spine.set_color(FAINT)
        spine.set_linewidth(0.8)

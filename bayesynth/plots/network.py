"""The network: values in layers from parents to children, missingness nodes in a strip of their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path as Curve
from matplotlib.patheffects import Normal, Stroke

from bayesynth.plots._network_legend import draw_legend, legend_columns, legend_height
from bayesynth.plots._places import Box, Places, place
from bayesynth.plots._structure import block_label, structure_of, verdict_style
from bayesynth.plots.edges import EdgeFacts, edge_facts
from bayesynth.plots.style import FAINT, INK, KIND_COLOURS, NORMAL, QUIET, SMALL, plain

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit, StructurePosterior

MARGIN, NOTE_HEIGHT, STRIP_HEAD = 14.0, 30.0, 11.0
RIM = 0.8  # points of white on either side of a line
TILT = 6.0  # points by which a line may stray where it passes a layer
BAND = "#F6F6F6"


def plot_network(fit: Fit, ax: Axes | None = None, threshold: float = 0.5) -> Axes:
    """Draw the averaged network: pairs of columns that are adjacent with at least some probability.

    Columns stand in boxes, coloured by kind, parents to the left of their children. Missingness nodes stand in a strip
    of their own below, joined to the columns that they gate by faint dashed lines. The wider and stronger an arrow, the
    more probable that the two are adjacent, in whichever direction. Its colour is the sign and size of the effect: blue
    where more of the parent goes with less of the child, orange where it goes with more, purple where levels have no
    order and hence the effect no sign, dark grey where no fitted graph has this edge. An arrow whose direction the data
    cannot tell, since the reverse fits as well, has an open head. A note above says whether the sampler of graphs has
    converged.

    Parameters
    ----------
    fit : Fit
        A fitted model.
    ax : Axes, optional
        Where to draw; a figure of fitting size is made when left out.
    threshold : float
        Least probability of being adjacent.

    Returns
    -------
    Axes
        In points, at the size for which the figure was made.

    Raises
    ------
    InputError
        If the threshold is not between 0 and 1, or no column varies.

    Examples
    --------
    >>> ax = plot_network(fit)  # doctest: +SKIP
    """
    structure = structure_of(fit)
    facts, graph = edge_facts(fit, threshold), fit.graph(threshold)
    kinds = {name: graph.nodes[name]["kind"] for name in graph.nodes}
    places = place(kinds, facts)
    left, right = -MARGIN, places.right + MARGIN
    bottom = places.bottom - MARGIN - (STRIP_HEAD if places.strip else 0.0)
    top = places.top + MARGIN + NOTE_HEIGHT
    said = set(kinds.values()), facts, threshold
    ax, scale = _canvas(ax, (left, right, bottom - legend_height(legend_columns(*said)), top))
    _draw_note(ax, structure, threshold, scale, (0.0, top - MARGIN))
    if places.strip:
        _draw_strip(ax, places, scale, bottom)
    for fact in sorted(facts, key=lambda f: (not f.structural, f.adjacency)):
        _draw_edge(ax, fact, places, scale)
    for name, box in places.boxes.items():
        _draw_box(ax, name, kinds[name], box, scale)
    draw_legend(ax, legend_columns(*said, scale), scale, (0.0, bottom))
    return ax


def _canvas(ax: Axes | None, limits: tuple[float, float, float, float]) -> tuple[Axes, float]:
    """Set up axes in points, and find how much smaller than planned they are."""
    left, right, bottom, top = limits
    if ax is None:
        figure = plt.figure(figsize=((right - left) / 72, (top - bottom) / 72))
        ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_aspect("equal")
    ax.set_axis_off()
    extent = ax.get_window_extent()
    scale = 72 / ax.figure.dpi * min(extent.width / (right - left), extent.height / (top - bottom))
    return ax, float(scale)


def _draw_note(
    ax: Axes, structure: StructurePosterior, threshold: float, scale: float, place: tuple[float, float]
) -> None:
    x, y = place
    said = f"pairs that are adjacent with probability {threshold:g} or more"
    ax.text(x, y, said, va="top", fontsize=SMALL * scale, color=QUIET)
    look = verdict_style(structure)
    ax.text(x, y - 11, structure.verdict(), va="top", fontsize=SMALL * scale, gid="verdict", **look)


def _draw_strip(ax: Axes, places: Places, scale: float, bottom: float) -> None:
    """Lay a band behind the missingness nodes and say what they are."""
    top = max(y + h / 2 for _, y, _, h in places.strip.values()) + 6
    low, right = bottom + MARGIN - 6, places.right
    ax.add_patch(
        FancyBboxPatch(
            (0, low), right, top - low, boxstyle="round,pad=0,rounding_size=4", color=BAND, linewidth=0, zorder=0
        )
    )
    said = "missingness: were these observed?"
    ax.text(6, low + 4, said, va="bottom", fontsize=SMALL * scale, color=QUIET, zorder=1)


def _draw_box(ax: Axes, name: str, kind: str, box: Box, scale: float) -> None:
    x, y, w, h = box
    gate = kind == "missingness"
    patch = FancyBboxPatch(
        (x - w / 2 + 2, y - h / 2 + 2),
        w - 4,
        h - 4,
        boxstyle=f"round,pad=2,rounding_size={5 if gate else 4}",
        facecolor=KIND_COLOURS[kind],
        edgecolor=FAINT if gate else INK,
        linewidth=(0.7 if gate else 0.8) * scale,
        linestyle=(0, (3, 2)) if gate else "-",
        zorder=4,
        gid=f"node {name}",
    )
    ax.add_patch(patch)
    size, colour = (SMALL, QUIET) if gate else (NORMAL, INK)
    label = block_label(name) if gate else plain(name)
    ax.text(x, y, label, ha="center", va="center_baseline", fontsize=size * scale, color=colour, zorder=5)


def _draw_edge(ax: Axes, fact: EdgeFacts, places: Places, scale: float) -> None:
    """Draw a line with a white rim, so that one can see which line goes on at a crossing, and a head."""
    edge, half, length = (fact.parent, fact.child), *_head(fact)
    points, codes = _flowing(places.routes[edge]) if edge in places.routes else _upright(*edge, places)
    tip, ahead = points[-1].copy(), points[-1] - points[-2]
    ahead = ahead / np.hypot(*ahead)
    aside = np.array([-ahead[1], ahead[0]])
    points[-1] = tip - length * ahead
    style = {"edgecolor": fact.colour, "zorder": 1 if fact.structural else 2}
    line = PathPatch(
        Curve(points, codes),
        facecolor="none",
        linewidth=fact.width * scale,
        linestyle=(0, (4, 3)) if fact.structural else "-",
        capstyle="butt",
        path_effects=[Stroke(linewidth=(fact.width + 2 * RIM) * scale, foreground="white"), Normal()],
        gid=f"edge {fact.parent} -> {fact.child}",
        **style,
    )
    head = Polygon(
        [tip, points[-1] + half * aside, points[-1] - half * aside],
        facecolor="white" if fact.reversible else fact.colour,
        linewidth=0.9 * scale,
        joinstyle="miter",
        gid=f"head {fact.parent} -> {fact.child}",
        **style,
    )
    ax.add_patch(line)
    ax.add_patch(head)


def _head(fact: EdgeFacts) -> tuple[float, float]:
    """Half the width and the length of an arrow head."""
    return (1.5, 4.0) if fact.structural else (1.4 + 0.6 * fact.width, 4.0 + 1.3 * fact.width)


def _flowing(route: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Run along a route from left to right, level at both ends and, a little aslant, past the layers between."""
    points, slopes = route.copy(), np.zeros(len(route))
    for i in range(1, len(route) - 1, 2):
        before, after = route[i, 1] - route[i - 1, 1], route[i + 2, 1] - route[i, 1]
        if before * after > 0:
            tilt = np.sign(before) * min(TILT, abs(before) / 4, abs(after) / 4)
            points[[i, i + 1], 1] += (-tilt, tilt)
            slopes[[i, i + 1]] = 2 * tilt / (route[i + 1, 0] - route[i, 0])
    vertices = [points[0]]
    for (a, rise), (b, fall) in pairwise(zip(points, slopes, strict=True)):
        bend = 0.45 * (b[0] - a[0])
        vertices += [a + np.array([bend, bend * rise]), b - np.array([bend, bend * fall]), b]
    return np.array(vertices), _codes(vertices)


def _upright(parent: str, child: str, places: Places) -> tuple[np.ndarray, list[int]]:
    """Leave and reach boxes from above or below; within the strip, pass above all of it."""
    (x0, y0, _, h0), (x1, y1, _, h1) = places.boxes[parent], places.boxes[child]
    if parent in places.strip and child in places.strip:
        roof = max(y + h / 2 for _, y, _, h in places.strip.values()) + 12 + 0.12 * abs(x1 - x0)
        vertices = [(x0, y0 + h0 / 2), (x0, roof), (x1, roof), (x1, y1 + h1 / 2)]
    else:
        up = 1 if y1 > y0 else -1
        start, end = y0 + up * h0 / 2, y1 - up * h1 / 2
        bend = 0.4 * (end - start)
        vertices = [(x0, start), (x0, start + bend), (x1, end - bend), (x1, end)]
    return np.array(vertices), _codes(vertices)


def _codes(vertices: Sequence) -> list[int]:
    return [Curve.MOVETO, *[Curve.CURVE4] * (len(vertices) - 1)]

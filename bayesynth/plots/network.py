"""The network: values in layers from parents to children, missingness nodes in a strip of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path as Curve
from matplotlib.textpath import TextPath
from scipy.optimize import isotonic_regression

from bayesynth.graphs import DAG
from bayesynth.graphs.layout import Layout, layered_layout
from bayesynth.plots.edges import EdgeFacts, edge_facts
from bayesynth.plots.style import FAINT, INK, KIND_COLOURS, NORMAL, PURPLE, QUIET, SIGNED, SMALL, plain

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit

GAPS = (52.0, 18.0)  # points between layers, and between boxes
MARGIN, STRIP_GAP, STRIP_SPACE = 14.0, 40.0, 12.0
STRONG = 40.0  # log Bayes factor of the widest line
LARGE_EFFECT = 0.6  # standard deviations at full colour
LEGEND_HEIGHT = 54.0
LEAST_WIDTH = 560.0

_Box = tuple[float, float, float, float]  # centre x, centre y, width, height


def plot_network(fit: Fit, ax: Axes | None = None) -> Axes:
    """Draw the fitted network.

    Columns stand in boxes, coloured by kind, parents to the left of their children. Missingness nodes stand in a strip
    of their own below, smaller, joined to the columns that they gate by faint dashed lines. The width of an arrow says
    how much evidence there is for it (log Bayes factor), its colour the sign and size of the effect: blue where more of
    the parent goes with less of the child, orange where it goes with more, purple where levels have no order and hence
    the effect no sign. An arrow whose direction the data cannot tell, since the reverse fits as well, has an open head.

    Parameters
    ----------
    fit : Fit
        A fitted model.
    ax : Axes, optional
        Where to draw; a figure of fitting size is made when left out.

    Returns
    -------
    Axes
        In points, at the size for which the figure was made.

    Examples
    --------
    >>> ax = plot_network(fit)  # doctest: +SKIP
    """
    facts, graph = edge_facts(fit), fit.graph()
    kinds = {name: graph.nodes[name]["kind"] for name in graph.nodes}
    boxes, layout = _place(kinds, facts)
    width = max(x + w / 2 for x, _, w, _ in boxes.values()) + MARGIN
    top = max([y + h / 2 for _, y, _, h in boxes.values()] + [r[:, 1].max() for r in layout.routes.values()]) + MARGIN
    bottom = min(y - h / 2 for _, y, _, h in boxes.values()) - MARGIN
    width = max(width, LEAST_WIDTH)
    limits = (-MARGIN, width, bottom - LEGEND_HEIGHT, top)
    ax, scale = _canvas(ax, limits)
    for fact in sorted(facts, key=lambda f: (not f.by_construction, np.nan_to_num(f.evidence))):
        _draw_edge(ax, fact, boxes, kinds, layout, scale)
    for name, box in boxes.items():
        _draw_box(ax, name, kinds[name], box, scale)
    _draw_legend(ax, set(kinds.values()), facts, scale, (limits[0], width, bottom))
    return ax


def _place(kinds: Mapping[str, str], facts: Sequence[EdgeFacts]) -> tuple[dict[str, _Box], Layout]:
    """Place the values in layers, and the missingness nodes in rows below them."""
    values = tuple(name for name, kind in kinds.items() if kind != "missingness")
    sizes = {name: (_text_width(plain(name), NORMAL) + 14, 19.0) for name in values}
    edges = frozenset((f.parent, f.child) for f in facts if f.parent in sizes and f.child in sizes)
    degrees = {name: max(sum(a == name for a, _ in edges), sum(b == name for _, b in edges)) for name in values}
    sizes = {name: (w, max(h, 4.5 * degrees[name])) for name, (w, h) in sizes.items()}
    layout = layered_layout(DAG(values, edges), sizes, GAPS)
    boxes = {name: (*layout.centres[name], *sizes[name]) for name in values}
    return boxes | _strip([n for n in kinds if n not in sizes], facts, boxes, layout.width), layout


def _strip(
    names: Sequence[str], facts: Sequence[EdgeFacts], boxes: Mapping[str, _Box], width: float
) -> dict[str, _Box]:
    """Put the missingness nodes in as few rows as hold them, each as near to below what it gates as there is room."""
    around = {name: [boxes[f.child][0] for f in facts if f.parent == name and f.child in boxes] for name in names}
    wish = {name: float(np.mean(around[name])) if around[name] else width / 2 for name in names}
    sizes = {name: _text_width(_label(name), SMALL) + 10 for name in names}
    rows = max(1, int(np.ceil(sum(w + STRIP_SPACE for w in sizes.values()) / max(width, LEAST_WIDTH))))
    placed: dict[str, _Box] = {}
    by_wish = sorted(names, key=lambda name: wish[name])
    for row in range(rows):
        members = by_wish[row::rows]
        for name, x in zip(
            members, _along([wish[m] for m in members], [sizes[m] for m in members], width), strict=True
        ):
            placed[name] = (x, -STRIP_GAP - row * 22.0, sizes[name], 14.0)
    return placed


def _along(wish: Sequence[float], widths: Sequence[float], room: float) -> np.ndarray:
    """Place boxes in a row as near to where they wish to be as their widths allow, within the room if it holds them."""
    if not wish:
        return np.empty(0)
    half = np.array(widths) / 2
    need = np.concatenate([[0.0], np.cumsum(half[1:] + half[:-1] + STRIP_SPACE)])
    low, high = half[0], max(half[0], room - half[-1] - need[-1])
    return np.clip(isotonic_regression(np.array(wish) - need).x, low, high) + need


def _label(name: str) -> str:
    return plain(name.removeprefix("observed(").removesuffix(")") + " observed")


def _text_width(text: str, size: float) -> float:
    return float(TextPath((0, 0), text.replace(r"\$", "S"), size=size).get_extents().width)


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


def _draw_box(ax: Axes, name: str, kind: str, box: _Box, scale: float) -> None:
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
    label = _label(name) if gate else plain(name)
    ax.text(x, y, label, ha="center", va="center_baseline", fontsize=size * scale, color=colour, zorder=5)


def _draw_edge(
    ax: Axes, fact: EdgeFacts, boxes: Mapping[str, _Box], kinds: Mapping[str, str], layout: Layout, scale: float
) -> None:
    edge = (fact.parent, fact.child)
    across = "missingness" in (kinds[fact.parent], kinds[fact.child])
    curve = _upright(boxes[fact.parent], boxes[fact.child]) if across else _flowing(layout.routes[edge])
    width, colour = edge_width(fact.evidence), edge_colour(fact)
    head = "-|>" if fact.identified or fact.by_construction else "->"
    patch = FancyArrowPatch(
        path=curve,
        arrowstyle=f"{head},head_length={(2.0 + width) * 1.3 * scale},head_width={(1.0 + width * 0.55) * scale}",
        mutation_scale=1,
        linewidth=width * scale,
        linestyle=(0, (4, 3)) if fact.by_construction else "-",
        color=colour,
        alpha=0.7 if fact.by_construction else 0.85,
        capstyle="butt",
        joinstyle="miter",
        zorder=1 if fact.by_construction else 2,
        gid=f"edge {fact.parent} -> {fact.child}",
    )
    ax.add_patch(patch)


def edge_width(evidence: float) -> float:
    """Width of a line in points, by the log Bayes factor behind it."""
    return 0.6 if np.isnan(evidence) else 0.6 + 2.4 * float(np.sqrt(np.clip(evidence, 0.0, STRONG) / STRONG))


def edge_colour(fact: EdgeFacts) -> str | tuple[float, ...]:
    """Colour of a line, by the effect it stands for."""
    if fact.by_construction:
        return FAINT
    if np.isnan(fact.effect):
        return PURPLE
    return SIGNED(0.5 + 0.5 * float(np.clip(fact.effect / LARGE_EFFECT, -1.0, 1.0)))


def _flowing(points: np.ndarray) -> Curve:
    """Run through the points from left to right, level at each."""
    vertices, codes = [points[0]], [Curve.MOVETO]
    for a, b in pairwise(points):
        bend = 0.45 * (b[0] - a[0])
        vertices += [(a[0] + bend, a[1]), (b[0] - bend, b[1]), b]
        codes += [Curve.CURVE4] * 3
    return Curve(np.array(vertices), codes)


def _upright(start: _Box, end: _Box) -> Curve:
    """Leave and reach boxes from above or below."""
    (x0, y0, _, h0), (x1, y1, _, h1) = start, end
    if abs(y0 - y1) < h0 + h1:  # both in the strip
        a, b, lift = (x0, y0 + h0 / 2), (x1, y1 + h1 / 2), 0.12 * abs(x1 - x0) + 12
        return Curve([a, (a[0], a[1] + lift), (b[0], b[1] + lift), b], [Curve.MOVETO, *[Curve.CURVE4] * 3])
    up = 1 if y1 > y0 else -1
    a, b = (x0, y0 + up * h0 / 2), (x1, y1 - up * h1 / 2)
    bend = 0.4 * (b[1] - a[1])
    return Curve([a, (a[0], a[1] + bend), (b[0], b[1] - bend), b], [Curve.MOVETO, *[Curve.CURVE4] * 3])


def _draw_legend(
    ax: Axes, kinds: set[str], facts: Sequence[EdgeFacts], scale: float, place: tuple[float, float, float]
) -> None:
    left, right, top = place
    for i, handles in enumerate(_legend_entries(kinds, facts, scale)):
        entries = Legend(
            ax,
            handles,
            [handle.get_label() for handle in handles],
            loc="upper left",
            bbox_to_anchor=(left + MARGIN + i * min(185.0, (right - left) / 3), top),
            bbox_transform=ax.transData,
            fontsize=SMALL * scale,
            frameon=False,
            ncols=2 if i == 0 and len(handles) > 4 else 1,
            handlelength=1.8,
            columnspacing=1.0,
            labelspacing=0.35,
            borderaxespad=0.0,
            labelcolor=INK,
        )
        ax.add_artist(entries)


def _legend_entries(kinds: set[str], facts: Sequence[EdgeFacts], scale: float) -> Iterator[list[Artist]]:
    yield [
        Patch(
            facecolor=KIND_COLOURS[kind],
            edgecolor=INK if kind != "missingness" else FAINT,
            linestyle="-" if kind != "missingness" else (0, (3, 2)),
            linewidth=0.7 * scale,
            label=kind,
        )
        for kind in KIND_COLOURS
        if kind in kinds
    ]
    steps = ((3.0, ""), (12.0, ""), (STRONG, " or more"))
    evidence = [_line(QUIET, edge_width(v) * scale, f"log Bayes factor {v:.0f}{more}") for v, more in steps]
    if any(fact.by_construction for fact in facts):
        evidence.append(_line(FAINT, scale, "by construction", (0, (4, 3))))
    yield evidence
    wide = 2.2 * scale
    signs = [(-LARGE_EFFECT, "more goes with less"), (LARGE_EFFECT, "more goes with more")]
    colours = [_line(edge_colour(EdgeFacts("", "", 1.0, effect, True)), wide, text) for effect, text in signs]
    if any(np.isnan(fact.effect) and not fact.by_construction for fact in facts):
        colours.append(_line(PURPLE, wide, "between unordered levels"))
    if any(not fact.identified and not fact.by_construction for fact in facts):
        colours.append(
            Line2D(
                [],
                [],
                color=QUIET,
                linewidth=0,
                marker=">",
                fillstyle="none",
                markersize=5 * scale,
                label="open head: the reverse fits as well",
            )
        )
    yield colours


def _line(colour: object, width: float, label: str, style: object = "-") -> Line2D:
    return Line2D([], [], color=colour, linewidth=width, linestyle=style, label=label)

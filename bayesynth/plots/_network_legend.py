"""The legend of the network plot: kinds, widths, colours and arrow heads that occur in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesynth.plots._places import text_width
from bayesynth.plots.edges import LARGE_EFFECT, EdgeFacts
from bayesynth.plots.style import FAINT, INK, KIND_COLOURS, QUIET, SMALL
from bayesynth.synthesis.structure import IDENTIFIED

ROW, HANDLE, BETWEEN, FOOT = 12.0, 26.0, 22.0, 12.0  # points
MOST_ROWS = 5
STEPS = (1.0, 0.75, 0.5, 0.25)

Columns = list[tuple[str, list[Artist]]]


def legend_columns(kinds: set[str], facts: Sequence[EdgeFacts], threshold: float, scale: float = 1.0) -> Columns:
    """Make the columns of the legend: a title and its entries, at a scale of the widths of lines."""
    own = [fact for fact in facts if not fact.structural]
    uncertain = [EdgeFacts("", "", step, None, IDENTIFIED, False) for step in STEPS if step >= threshold]
    widths = [_line(fact, f"{fact.adjacency:g}", scale) for fact in uncertain]
    if len(own) < len(facts):
        widths.append(_line(EdgeFacts("", "", 1.0, None, IDENTIFIED, True), "by construction", scale))
    columns = [
        ("columns", [_kind(kind, scale) for kind in KIND_COLOURS if kind in kinds]),
        ("width: P(adjacent)", widths),
        ("colour: change of the child", [*_effects(own, scale)]),
        ("arrow head", [*_heads(own, scale)]),
    ]
    return [(title, handles) for title, handles in columns if handles]


def legend_height(columns: Columns) -> float:
    """Height of the legend in points, at full size."""
    return FOOT + ROW * (1 + max(-(-len(handles) // _wraps(handles)) for _, handles in columns))


def draw_legend(ax: Axes, columns: Columns, scale: float, place: tuple[float, float]) -> None:
    """Draw the columns side by side, their upper left corner at a place in data coordinates."""
    x, y = place
    for title, handles in columns:
        labels = [handle.get_label() for handle in handles]
        legend = Legend(
            ax,
            handles,
            labels,
            title=title,
            loc="upper left",
            bbox_to_anchor=(x, y),
            bbox_transform=ax.transData,
            fontsize=SMALL * scale,
            title_fontsize=SMALL * scale,
            alignment="left",
            frameon=False,
            ncols=_wraps(handles),
            handlelength=1.8,
            columnspacing=1.0,
            labelspacing=0.35,
            borderpad=0.0,
            borderaxespad=0.0,
            labelcolor=INK,
        )
        legend.get_title().set_color(QUIET)
        ax.add_artist(legend)
        widest = HANDLE + max(text_width(label, SMALL) for label in labels)
        x += max(text_width(title, SMALL), _wraps(handles) * widest) + BETWEEN


def _wraps(handles: Sequence[Artist]) -> int:
    return -(-len(handles) // MOST_ROWS)


def _effects(facts: Sequence[EdgeFacts], scale: float) -> Iterator[Artist]:
    if not facts:
        return
    yield _effect(-LARGE_EFFECT, f"more goes with less, −{LARGE_EFFECT:g} SD or beyond", scale)
    yield _effect(0.0, "no change on average", scale)
    yield _effect(LARGE_EFFECT, f"more goes with more, +{LARGE_EFFECT:g} SD or beyond", scale)
    if any(fact.effect is not None and np.isnan(fact.effect) for fact in facts):
        yield _effect(np.nan, "levels without order: no sign", scale)
    if any(fact.effect is None for fact in facts):
        yield _effect(None, "in no fitted graph", scale)


def _effect(effect: float | None, label: str, scale: float) -> Artist:
    return _line(EdgeFacts("", "", 1.0, effect, IDENTIFIED, False), label, scale)


def _heads(facts: Sequence[EdgeFacts], scale: float) -> Iterator[Artist]:
    for reversible, face, label in (
        (False, QUIET, "filled: direction is settled"),
        (True, "white", "open: the reverse fits as well"),
    ):
        if any(fact.reversible == reversible for fact in facts):
            look = {"marker": ">", "markersize": 5 * scale, "markerfacecolor": face, "markeredgecolor": QUIET}
            yield Line2D([], [], linewidth=0, label=label, **look)


def _kind(kind: str, scale: float) -> Artist:
    gate = kind == "missingness"
    return Patch(
        facecolor=KIND_COLOURS[kind],
        edgecolor=FAINT if gate else INK,
        linestyle=(0, (3, 2)) if gate else "-",
        linewidth=0.7 * scale,
        label=kind,
    )


def _line(fact: EdgeFacts, label: str, scale: float) -> Artist:
    style = (0, (4, 3)) if fact.structural else "-"
    return Line2D([], [], color=fact.colour, linewidth=fact.width * scale, linestyle=style, label=label)

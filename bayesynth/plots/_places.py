"""Where the boxes of the network plot stand: values in layers, missingness nodes in a strip below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.textpath import TextPath
from scipy.optimize import isotonic_regression

from bayesynth.graphs import DAG
from bayesynth.graphs.dag import Edge
from bayesynth.graphs.layout import layered_layout
from bayesynth.plots._structure import block_label
from bayesynth.plots.edges import EdgeFacts
from bayesynth.plots.style import NORMAL, SMALL, plain

GAPS = (52.0, 18.0)  # points between layers, and between boxes
PER_EDGE = 5.5  # points of a box's side for each edge that leaves or reaches it
STRIP_GAP, STRIP_SPACE, STRIP_ROW = 44.0, 12.0, 22.0
LEAST_ROOM = 620.0

Box = tuple[float, float, float, float]  # centre x, centre y, width, height


@dataclass(frozen=True)
class Places:
    """Places in points; the values begin at (0, 0), the strip is below.

    Parameters
    ----------
    values, strip : mapping of str to Box
        Boxes of values and of missingness nodes.
    routes : mapping of (str, str) to ndarray, shape (points, 2)
        Of the edges among values.
    """

    values: Mapping[str, Box]
    strip: Mapping[str, Box]
    routes: Mapping[Edge, np.ndarray]

    @property
    def boxes(self) -> Mapping[str, Box]:
        """All boxes."""
        return {**self.values, **self.strip}

    @property
    def right(self) -> float:
        """Right end of all boxes, or where the least room ends."""
        return max([LEAST_ROOM, *(x + w / 2 for x, _, w, _ in self.boxes.values())])

    @property
    def top(self) -> float:
        """Upper end of boxes and routes."""
        ends = [y + h / 2 for _, y, _, h in self.boxes.values()]
        return max(ends + [route[:, 1].max() for route in self.routes.values()])

    @property
    def bottom(self) -> float:
        """Lower end of all boxes."""
        return min(y - h / 2 for _, y, _, h in self.boxes.values())


def place(kinds: Mapping[str, str], facts: Sequence[EdgeFacts]) -> Places:
    """Place the values in layers, and the missingness nodes in rows below them."""
    names = tuple(name for name, kind in kinds.items() if kind != "missingness")
    edges = frozenset((f.parent, f.child) for f in facts if f.parent in names and f.child in names)
    sizes = {}
    for name in names:
        most = max(sum(a == name for a, _ in edges), sum(b == name for _, b in edges))
        sizes[name] = (text_width(plain(name), NORMAL) + 14, max(19.0, PER_EDGE * most))
    layout = layered_layout(DAG(names, edges), sizes, GAPS)
    values = {name: (*layout.centres[name], *sizes[name]) for name in names}
    return Places(values, _strip([n for n in kinds if n not in values], facts, values, layout.width), layout.routes)


def text_width(text: str, size: float) -> float:
    """Width of a text in points."""
    return float(TextPath((0, 0), text.replace(r"\$", "S"), size=size).get_extents().width)


def _strip(names: Sequence[str], facts: Sequence[EdgeFacts], values: Mapping[str, Box], width: float) -> dict[str, Box]:
    """Put the missingness nodes in as few rows as hold them, each as near to below what it gates as there is room."""
    if not names:
        return {}
    room = max(width, LEAST_ROOM)
    around = {name: [values[f.child][0] for f in facts if f.parent == name and f.child in values] for name in names}
    wish = {name: float(np.mean(around[name])) if around[name] else width / 2 for name in names}
    names = sorted(names, key=lambda name: wish[name])
    widths = np.array([text_width(block_label(name), SMALL) + 12 for name in names])
    rows = int(np.ceil((widths + STRIP_SPACE).sum() / room))
    at = _along(np.array([wish[name] for name in names]), widths, rows, room)
    return {
        name: (float(x), -STRIP_GAP - STRIP_ROW * (i % rows), float(w), 14.0)
        for i, (name, x, w) in enumerate(zip(names, at, widths, strict=True))
    }


def _along(wish: np.ndarray, widths: np.ndarray, rows: int, room: float) -> np.ndarray:
    """Place boxes as near to where they wish to be as their widths allow, row after row like bricks in a wall.

    A box in a lower row thus stands below a gap of the row above, and lines rise from it past the boxes there.
    """
    need = np.zeros(len(wish))
    for i in range(1, len(wish)):
        need[i] = need[i - 1] + ((widths[i] + widths[i - 1]) / 2 + STRIP_SPACE) / rows
        if i >= rows:
            need[i] = max(need[i], need[i - rows] + (widths[i] + widths[i - rows]) / 2 + STRIP_SPACE)
    low, high = widths[0] / 2, max(widths[0] / 2, room - widths[-1] / 2 - need[-1])
    return np.clip(isotonic_regression(wish - need).x, low, high) + need

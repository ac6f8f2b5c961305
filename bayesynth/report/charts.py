"""Small charts as inline SVG: colours come from the page's style sheet, so they follow dark, light and print."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesynth._html import Markup
from bayesynth.diagnostics.figures import SKIPPED, UNKNOWN, WITHIN, WORSE, Figure
from bayesynth.report.html import interval, number, tag

CLASSES = {WITHIN: "within", WORSE: "worse", UNKNOWN: "unknown", SKIPPED: "skipped"}
WIDTH, HEIGHT, MARGIN = 220.0, 26.0, 6.0
REACH = (-2.0, 4.0)  # in tolerances
CELL, LONGEST = 20.0, 16  # side of a cell, letters of a name


def excess_strip(figure: Figure) -> Markup:
    """Draw the excess of a figure in units of its tolerance: 0 is what real rows score, the shaded end is tolerated.

    An interval that goes beyond the strip ends in an arrow.
    """
    if figure.verdict == SKIPPED or not figure.tolerance > 0:
        return Markup("")
    ends = np.array([figure.excess.lower, figure.excess.middle, figure.excess.upper]) / figure.tolerance
    lower, middle, upper = (_place(v) for v in ends)
    y = HEIGHT / 2
    parts = [
        tag("title", _alt(figure)),
        _rect(_place(0.0), 3, _place(1.0) - _place(0.0), HEIGHT - 6, "tolerated"),
        _line(MARGIN, y, WIDTH - MARGIN, y, "axis"),
        _line(_place(0.0), 2, _place(0.0), HEIGHT - 2, "floor"),
        _line(lower, y, upper, y, "interval"),
        _end(lower, y, -1 if ends[0] < REACH[0] else 0),
        _end(upper, y, 1 if ends[2] > REACH[1] else 0),
        tag("circle", cx=f"{middle:.1f}", cy=y, r=4, class_="dot"),
    ]
    box = f"0 0 {WIDTH:g} {HEIGHT:g}"
    label = {"viewBox": box, "role": "img", "aria_label": _alt(figure)}
    return tag("svg", *parts, **label, class_=f"strip {CLASSES[figure.verdict]}")


def against_floor(value: float, floor: float, largest: float) -> Markup:
    """Draw a bar for a value, with a tick where its floor is."""
    if not (np.isfinite(value) and np.isfinite(largest) and largest > 0):
        return Markup("")
    width, height = 140.0, 14.0
    alt = f"{number(value)}, among real rows {number(floor)}"
    parts = [tag("title", alt), _rect(0, 3, max(width * value / largest, 0.0), height - 6, "bar")]
    if np.isfinite(floor):
        at = width * floor / largest
        parts.append(_line(at, 0, at, height, "floor"))
    return tag("svg", *parts, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=alt, class_="bars")


def pair_map(details: pd.DataFrame, tolerance: float) -> Markup:
    """Draw every pair of columns as a cell: the darker, the farther above its floor, full at four times the tolerance.

    Pairs whose interval lies above the floor have the colour of what is worse; the others are grey.

    Parameters
    ----------
    details : DataFrame
        With ``first``, ``second``, ``excess`` and ``excess_lower``, one row per pair.
    tolerance : float
        Of the figure.
    """
    names = list(dict.fromkeys([*details["first"], *details["second"]]))
    place = {name: i for i, name in enumerate(names)}
    cells = [sorted((place[pair.first], place[pair.second])) for pair in details.itertuples()]
    across, down = ({*axis} for axis in zip(*cells, strict=True))
    left, top = 9 + 6.2 * min(max(map(len, names)), LONGEST), CELL
    parts: list[Markup] = []
    for pair, (i, j) in zip(details.itertuples(), cells, strict=True):
        shade = float(np.clip(pair.excess / (4 * tolerance), 0.0, 1.0))
        x, y = left + CELL * i, top + CELL * (j - 1)
        cell = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": CELL - 1, "height": CELL - 1}
        parts.append(tag("rect", class_="empty", **cell))
        if shade:
            kind = "surely" if pair.excess_lower > 0 else "perhaps"
            parts.append(tag("rect", class_=kind, fill_opacity=f"{shade:.2f}", **cell))
    for name, i in place.items():
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        middle = CELL * (i - 0.5)
        if i in down:
            parts.append(tag("text", short, x=f"{left - 4:.1f}", y=f"{top + middle + 4:.1f}", text_anchor="end"))
        if i in across:
            x, y = left + middle + CELL, top + CELL * i - 4
            parts.append(tag("text", short, x=f"{x:.1f}", y=f"{y:.1f}", transform=f"rotate(-40 {x:.1f} {y:.1f})"))
    alt = f"Excess of {len(details)} pairs of columns over their floors, the worst of which are listed below"
    width, height = left + CELL * (max(across) + 1) + 5 * LONGEST, top + CELL * max(down) + 4
    above = 4.2 * min(len(names[0]), LONGEST) - CELL / 2
    box = {"viewBox": f"0 {-above:.0f} {width:.0f} {height + above:.0f}", "role": "img", "aria_label": alt}
    return tag("svg", tag("title", alt), *parts, **box, class_="pairs", style=f"max-width:{width:.0f}px")


def _alt(figure: Figure) -> str:
    return f"excess over the floor {interval(figure.excess)}, tolerance {number(figure.tolerance)}: {figure.verdict}"


def _place(tolerances: float) -> float:
    share = (np.clip(tolerances, *REACH) - REACH[0]) / (REACH[1] - REACH[0])
    return float(MARGIN + share * (WIDTH - 2 * MARGIN))


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return tag("line", x1=f"{x1:.1f}", y1=f"{y1:g}", x2=f"{x2:.1f}", y2=f"{y2:g}", class_=class_)


def _rect(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    return tag("rect", x=f"{x:.1f}", y=f"{y:g}", width=f"{width:.1f}", height=f"{height:g}", class_=class_)


def _end(x: float, y: float, beyond: int) -> Markup:
    """Draw the end of an interval: a tick, or an arrow where it goes on."""
    if beyond:
        points = f"{x + 5 * beyond:.1f},{y:g} {x:.1f},{y - 4:g} {x:.1f},{y + 4:g}"
        return tag("polygon", points=points, class_="dot")
    return _line(x, y - 4, x, y + 4, "interval")

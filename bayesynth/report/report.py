"""The report: figures and facts, for people and for machines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesynth._html import Markup, card, legend, table
from bayesynth.diagnostics.figures import RISK, Figure, to_frame
from bayesynth.errors import InputError, Problem
from bayesynth.report import checklist, front, model, sections, words
from bayesynth.report.facts import Facts
from bayesynth.report.html import interval, joined, tag
from bayesynth.report.pictures import Picture, embedded
from bayesynth.report.template import page

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMAT, VERSION = "bayesynth-report", 1
TITLE = "Assessment of synthetic tables"
SUBTITLE = "How near they are to the real one, what they give away, and what may be done with them"
AGGREGATES = (
    "This report shows aggregates of the real table (distributions, shares of blanks, associations) and no row of it. "
    "Review it like any other table of results before it leaves your institution."
)


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """What an assessment found; made by `assess`. It holds no row of any table.

    Parameters
    ----------
    figures : tuple of Figure
        Figures of fidelity, inference and risk, each beside its floor.
    facts : Facts
        What is known beside them.
    pictures : mapping of str to Picture
        Drawings for the page.
    """

    figures: tuple[Figure, ...]
    facts: Facts
    pictures: Mapping[str, Picture]

    def figure(self, name: str) -> Figure:
        """Find a figure by its name.

        Raises
        ------
        InputError
            If there is none of this name.
        """
        for figure in self.figures:
            if figure.name == name:
                return figure
        names = ", ".join(figure.name for figure in self.figures)
        raise InputError(Problem(f"there is no figure {name!r}", "it was not worked out", f"use one of {names}"))

    def picture(self, name: str) -> Markup:
        """Give a picture as markup."""
        return embedded(self.pictures[name])

    def to_frame(self) -> pd.DataFrame:
        """One row per figure: value, floor and excess with their 90% intervals, tolerance, verdict, worst parts."""
        return to_frame(self.figures)

    def to_json(self, path: str | Path | None = None) -> str:
        """Write everything as JSON text, and into a file if a path is given; what is not known is null.

        Parameters
        ----------
        path : str or Path, optional
            Where to.
        """
        content = {
            "format": FORMAT,
            "version": VERSION,
            "facts": _plain(self.facts),
            "figures": [_plain(figure) for figure in self.figures],
            "checklist": [_plain(point) for point in checklist.checklist(self)],
        }
        return _written(json.dumps(content, ensure_ascii=False, allow_nan=False), path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Write the report as one page that needs neither network nor JavaScript, and into a file if a path is given.

        Parameters
        ----------
        path : str or Path, optional
            Where to.

        Returns
        -------
        str
            The page.
        """
        parts = [
            *sections.measured(self),
            model.network(self),
            *model.rules(self),
            sections.inference(self),
            sections.risk(self),
            model.convergence(self),
            model.reproducibility(self),
            checklist.section(self),
        ]
        overview = sections.Section("figures", "All figures", front.glance(self.figures))
        head = tag("header", tag("h1", TITLE), tag("p", SUBTITLE, class_="subtitle"))
        body = [
            head,
            sections.contents([overview, *parts]),
            tag(
                "main",
                front.first_screen(self),
                *(tag("section", tag("h2", part.title), part.body, id=part.place) for part in (overview, *parts)),
                tag("footer", AGGREGATES, f" Made with bayesynth {self.facts.versions['bayesynth']}."),
            ),
        ]
        return _written(page(TITLE, joined(body)), path)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the excess of every figure over its floor, see `bayesynth.plot_fidelity`.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw.
        """
        from bayesynth.plots import plot_fidelity

        return plot_fidelity([figure for figure in self.figures if figure.tolerance > 0], ax)

    def __repr__(self) -> str:
        lines = [f"{TITLE}: {words.what(self.facts)}"]
        width = max((len(figure.name) for figure in self.figures), default=0)
        lines += [f"  {f.name:<{width}}  {words.label(f):<17}{interval(f.excess)}" for f in self.figures]
        return "\n".join([*lines, "to_html() has it for reading, to_frame() and to_json() for machines"])

    def _repr_html_(self) -> str:
        rows = [
            (figure.group, figure.name, words.label(figure), interval(figure.excess), _first_worst(figure))
            for figure in self.figures
        ]
        body = table(("", "figure", "verdict", "excess over the floor", "worst part"), rows)
        body += legend("Intervals are 90%. report.to_html(path) writes the whole report; no single score says it.")
        return card(TITLE, words.what(self.facts), Markup(body))


def _first_worst(figure: Figure) -> str:
    return figure.worst[0][0] if figure.worst and figure.group != RISK else ""


def _written(text: str, path: str | Path | None) -> str:
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def _plain(value: Any) -> Any:
    """Turn dataclasses, frames and numbers into what JSON holds."""
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, pd.DataFrame):
        frame = value if isinstance(value.index, pd.RangeIndex) else value.reset_index()
        return [{str(k): _plain(v) for k, v in row.items()} for row in frame.to_dict("records")]
    if isinstance(value, (pd.Series, Mapping)):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return str(value)

"""The first screen: what, how, how good, how risky and what not to do; then all figures at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bayesynth._html import Markup
from bayesynth.diagnostics.figures import RISK, UNKNOWN, WORSE, Figure
from bayesynth.report import words
from bayesynth.report.charts import excess_strip
from bayesynth.report.html import bullets, data_table, interval, joined, number, tag

if TYPE_CHECKING:
    from bayesynth.report.report import Report

FLOOR = (
    "The floor is what the same figure is between real rows alone, for risk what it is for the control: a perfect "
    "generator would score it too. The excess is how much the synthetic tables are above it, at the same numbers of "
    "rows. Intervals are 90%, but that of an excess reaches further down: at most one assessment in twenty of a "
    "perfect generator calls any figure of fidelity worse. The tolerance of each figure was fixed before any table was "
    "looked at."
)
LEGEND = (
    "In the strip the line at 0 is the floor, the shaded part is tolerated, and the bar is the interval of the excess, "
    "in units of the tolerance."
)


def first_screen(report: Report) -> Markup:
    """Answer five questions."""
    quality = [figure for figure in report.figures if figure.group != RISK]
    risk = [figure for figure in report.figures if figure.group == RISK]
    about = [report.facts.about[name] for name in ("purpose", "source") if name in report.facts.about]
    cards = [
        _card("What", *(tag("p", text) for text in (words.what(report.facts), *about))),
        _card("How", tag("p", words.how(report.facts))),
        _card("How good", _verdicts(quality), *(tag("p", text) for text in _findings(quality))),
        _card(
            "How risky",
            _verdicts(risk),
            *(tag("p", text) for text in _findings(risk)),
            tag("p", "No differential privacy, so no formal guarantee for anyone: see ", _link("risk", "Risk"), "."),
        ),
    ]
    dont = _card("What not to do", bullets(words.dont(report.facts)), class_="card wide")
    return tag("div", *cards, dont, class_="cards")


def glance(figures: Sequence[Figure]) -> Markup:
    """Show every figure in one row."""
    rows = [
        (
            tag("b", figure.name),
            interval(figure.value),
            interval(figure.floor),
            joined([excess_strip(figure), tag("span", interval(figure.excess), class_="small")]),
            number(figure.tolerance),
            words.pill(words.label(figure)),
        )
        for figure in figures
    ]
    headers = ("figure", "synthetic", "floor", "excess over the floor", "tolerance", "verdict")
    return joined(
        [tag("p", FLOOR), data_table(headers, rows, class_="stacked glance"), tag("p", LEGEND, class_="note")]
    )


def _verdicts(figures: Sequence[Figure]) -> Markup:
    """Count verdicts as pills, those that occur."""
    counts = words.counts(figures).items()
    shown = [tag("span", f"{count} ", words.pill(verdict), class_="count") for verdict, count in counts]
    return tag("p", *shown, class_="counts") if shown else tag("p", "No figure was worked out.")


def _findings(figures: Sequence[Figure]) -> list[str]:
    """Say what is worse than the floor, with its size, and name what cannot be told."""
    found = [f"{figure.name}: {words.sentence(figure)}" for figure in figures if figure.verdict == WORSE]
    if unknown := words.named(figures, UNKNOWN):
        rows = [figure.rows_needed for figure in figures if figure.verdict == UNKNOWN and figure.rows_needed]
        told = f" About {max(rows):,} real rows would tell all of it." if rows else ""
        found.append(f"This table is too small to tell: {unknown}.{told}")
    return found


def _card(title: str, *content: object, class_: str = "card") -> Markup:
    return tag("div", tag("h2", title), *content, class_=class_)


def _link(place: str, text: str) -> Markup:
    return tag("a", text, href=f"#{place}")

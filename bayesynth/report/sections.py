"""Sections on what was measured: columns, pairs, blanks, the whole table, inference, risk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from bayesynth._html import Markup
from bayesynth.diagnostics.figures import FIDELITY, INFERENCE, RISK, SKIPPED, Figure
from bayesynth.report import words
from bayesynth.report.charts import against_floor, excess_strip, pair_map
from bayesynth.report.html import UNKNOWN, data_table, folded, frame_table, interval, joined, number, percent, tag
from bayesynth.report.recipients import advice

if TYPE_CHECKING:
    from bayesynth.report.report import Report

PLACES = {"columns": "columns", "missingness": "blanks", "pairs": "pairs", "association": "pairs"}
"""Section of the figures of fidelity with such a word in their name; the others speak of the whole table."""

NAMES = {RISK: ("fitted rows", "control rows"), "checks": ("p", "surprising below")}
"""What the value and the floor of a group, or of the parts of a figure, are called where it is not "synthetic"."""

PAIR_MAP = (
    "A cell is a pair of columns: empty at the floor or below, full where it is above by four times the tolerance or "
    "more; in colour where its interval lies above the floor, as one in two hundred would by chance, else grey."
)


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    place : str
        Its id.
    title : str
        Its heading.
    body : Markup
        What stands in it.
    """

    place: str
    title: str
    body: Markup


def measured(report: Report) -> list[Section]:
    """Write the sections that stand before the network."""
    return [
        Section("columns", "Columns", joined([_portraits(report), *_figures(report, "columns"), _columns(report)])),
        Section("pairs", "Pairs of columns", joined(_figures(report, "pairs"))),
        Section("blanks", "Blanks", joined([*_figures(report, "blanks"), _blanks(report)])),
        Section("whole", "The whole table and its use", joined(_figures(report, "whole"))),
    ]


def inference(report: Report) -> Section:
    """Write what an analysis of the tables needs to know."""
    return Section("inference", "Inference", joined([*_figures(report, INFERENCE), advice(report.facts)]))


def risk(report: Report) -> Section:
    """Write what was tried to find out about single persons, and what that does not show."""
    statement = tag("blockquote", *(tag("p", text) for text in report.facts.statement.split("\n")))
    return Section("risk", "Risk", joined([statement, *_figures(report, RISK), _influence(report)]))


def _influence(report: Report) -> Markup:
    fit = report.facts.fit
    if fit is None:
        return Markup("")
    found = dict(fit.influence)
    trusted = percent(found.pop("trusted"))
    said = "; ".join(f"{name} {number(value)}" for name, value in found.items())
    text = f"How much more likely the model makes a row because it was fitted, on the log scale: {said}."
    checked = f"Worked out reliably for {trusted} of the rows (PSIS-LOO). {fit.influence_caveat}"
    return joined([tag("h3", "Influence of single rows"), tag("p", text), tag("p", checked, class_="note")])


def figure_block(figure: Figure) -> Markup:
    """Show a figure with its meaning, verdict, worst parts and details."""
    head = tag("h3", figure.name, " ", words.pill(words.label(figure)))
    parts: list[object] = [head, tag("p", figure.meaning), tag("p", words.sentence(figure))]
    ours, theirs = NAMES.get(figure.group, ("synthetic", "floor"))
    if figure.verdict != SKIPPED:
        found = {ours: figure.value, theirs: figure.floor, "excess": figure.excess}
        numbers = "; ".join(f"{name} {interval(value)}" for name, value in found.items())
        parts += [excess_strip(figure), tag("p", numbers, class_="small")]
    if figure.note and not is_empty(figure):
        parts.append(tag("p", figure.note, class_="note"))
    if {"first", "second", "excess_lower"} <= set(figure.details):
        parts += [tag("figure", pair_map(figure.details, figure.tolerance)), tag("p", PAIR_MAP, class_="note")]
    if figure.worst:
        parts.append(_worst(figure.worst, NAMES.get(figure.name, (ours, theirs))))
    if len(figure.details):
        parts.append(folded(f"All details of {figure.name}", frame_table(_plain(figure.details))))
    return tag("div", *parts, class_="figure")


def is_empty(figure: Figure) -> bool:
    """Whether a figure was not worked out at all, so that its note is the reason."""
    return words.label(figure) == SKIPPED


def _figures(report: Report, place: str) -> list[Markup]:
    found = [figure_block(figure) for figure in report.figures if _place(figure) == place]
    return found or [tag("p", "No figure speaks of this.", class_="note")]


def _place(figure: Figure) -> str:
    if figure.group != FIDELITY:
        return figure.group
    return next((place for word, place in PLACES.items() if word in figure.name), "whole")


def _plain(details: pd.DataFrame) -> pd.DataFrame:
    """Give the worst rows first."""
    details = details if isinstance(details.index, pd.RangeIndex) else details.reset_index()
    return details.sort_values("excess", ascending=False, kind="stable") if "excess" in details else details


def _worst(worst: Sequence[tuple[str, float, float]], names: tuple[str, str]) -> Markup:
    largest = max((v for _, *values in worst for v in values if v == v), default=0.0)
    rows = [(name, number(value), number(floor), against_floor(value, floor, largest)) for name, value, floor in worst]
    return data_table(("worst", *names, ""), rows, numeric=(1, 2), class_="worst")


def _portraits(report: Report) -> Markup:
    shown = [
        tag(
            "figure",
            tag("figcaption", tag("b", name), f" {_about_column(report, name)}"),
            report.picture(f"column {name}"),
        )
        for name in report.facts.columns.index
        if f"column {name}" in report.pictures
    ]
    if not shown:
        return Markup("")
    several = "median and middle 90% of the tables" if report.facts.m > 1 else "the table"
    keys = [
        tag("span", "", class_="swatch real"),
        " real  ",
        tag("span", "", class_="swatch synthetic"),
        f" synthetic: {several}",
    ]
    return joined([tag("p", *keys, class_="legend"), tag("div", *shown, class_="portraits")])


def _about_column(report: Report, name: str) -> str:
    row = report.facts.columns.loc[name]
    unit = f"({row['unit']})" if row["unit"] else ""
    if not (row["blank_real"] or row["blank_synthetic"]):
        return unit
    return f"{unit} blank: real {percent(row['blank_real'])}, synthetic {percent(row['blank_synthetic'])}".strip()


def _columns(report: Report) -> Markup:
    facts = report.facts
    table = facts.columns.reset_index()
    left_out = f" Not compared: {', '.join(facts.left_out)}." if facts.left_out else ""
    found = f"{facts.contradictions:,} synthetic values contradict the schema (unknown levels, bounds, blanks)."
    return joined(
        [tag("p", found + left_out), folded("Every column: kind, blanks, contradictions", frame_table(table))]
    )


def _blanks(report: Report) -> Markup:
    parts: list[object] = []
    if "blanks" in report.pictures:
        parts.append(tag("figure", report.picture("blanks"), class_="wide-picture"))
    fit = report.facts.fit
    if fit is not None and len(fit.missingness):
        parts += [
            tag("h3", "Why values are blank, as far as a table can say"),
            _reasons(fit.missingness),
            tag("p", fit.caveat, class_="note"),
        ]
    return joined(parts)


def _reasons(missingness: pd.DataFrame) -> Markup:
    rows = [
        (
            block.columns,
            f"{percent(block.rate)} ({percent(block.lower)} to {percent(block.upper)})",
            joined([tag("b", block.reading), f": {block.meaning}"]),
            f"{block.p_random:.2f}",
            number(block.detectable_odds_ratio),
            block.depends_on or UNKNOWN,
        )
        for block in missingness.itertuples()
    ]
    headers = ("blank together", "rows", "reading", "P(random)", "detectable odds ratio", "may depend on")
    return data_table(headers, rows, class_="stacked reasons")


def contents(sections: Iterable[Section]) -> Markup:
    """Link to every section."""
    return tag("nav", *(tag("a", section.title, href=f"#{section.place}") for section in sections))

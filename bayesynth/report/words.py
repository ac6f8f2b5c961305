"""What the report says in words: verdicts with their sizes, the state of the whole, and what not to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bayesynth._html import Markup
from bayesynth._words import counted, listed
from bayesynth.diagnostics.figures import SKIPPED, UNKNOWN, VERDICTS, WITHIN, WORSE, Figure
from bayesynth.report.charts import CLASSES
from bayesynth.report.facts import Facts
from bayesynth.report.html import interval, number, tag

SIGNS = {WITHIN: "●", WORSE: "▲", UNKNOWN: "?", SKIPPED: "–"}
DESCRIBED = "described only"
MOST_NAMED = 3


def label(figure: Figure) -> str:
    """Give the verdict of a figure; one that is worked out and not judged is described only."""
    described = figure.verdict == SKIPPED and not np.isnan(figure.value.middle)
    return DESCRIBED if described else figure.verdict


def pill(verdict: str) -> Markup:
    """Write a verdict so that it is told by word and sign, and not by colour alone."""
    sign = tag("span", SIGNS.get(verdict, SIGNS[SKIPPED]), aria_hidden="true")
    return tag("span", sign, f" {verdict}", class_=f"pill {CLASSES.get(verdict, CLASSES[SKIPPED])}")


def sentence(figure: Figure) -> str:
    """Say what a verdict rests on: the excess with its interval, the tolerance, the parts or the rows that matter."""
    if label(figure) == DESCRIBED:
        return f"Described only, without a verdict: {interval(figure.value)}."
    if figure.verdict == SKIPPED:
        return f"Not done, because {_lowered(figure.note)}"
    excess = interval(figure.excess)
    beside = "" if np.isnan(figure.tolerance) else f", beside a tolerance of {number(figure.tolerance)}"
    if figure.verdict == WITHIN:
        return f"Within floor: an excess of {excess}{beside}."
    if figure.verdict == WORSE:
        named = listed(name for name, _, _ in figure.worst[:MOST_NAMED])
        return f"Worse than floor by {excess}{beside}{f'; most in {named}' * bool(named)}."
    told = f"; about {figure.rows_needed:,} real rows would tell" if figure.rows_needed else ""
    return f"Cannot tell: an excess of {excess} is too uncertain{beside}{told}."


def tally(figures: Iterable[Figure]) -> str:
    """Count verdicts: "6 within floor, 1 worse than floor"."""
    return ", ".join(f"{count} {verdict}" for verdict, count in counts(figures).items()) or "no figure"


def counts(figures: Iterable[Figure]) -> dict[str, int]:
    """Count verdicts, those that occur."""
    labels = [label(figure) for figure in figures]
    return {verdict: labels.count(verdict) for verdict in (*VERDICTS, DESCRIBED) if verdict in labels}


def named(figures: Sequence[Figure], verdict: str) -> str:
    """Name the figures with a verdict."""
    return listed(figure.name for figure in figures if figure.verdict == verdict)


def what(facts: Facts) -> str:
    """Say what has been assessed."""
    smallest, largest = min(facts.sizes), max(facts.sizes)
    rows = f"{smallest:,} rows" if smallest == largest else f"{smallest:,} to {largest:,} rows"
    each = f"{counted(facts.m, 'synthetic table')} of {rows}{' each' if facts.m > 1 else ''}"
    blanks = f", {facts.blank_share:.1%} of its cells blank" if facts.blank_share else ", without a blank"
    holdout = (
        f", and {counted(facts.n_holdout, 'real row')} kept aside as a control" if facts.n_holdout is not None else ""
    )
    return (
        f"{each}, beside one real table of {counted(facts.n_real, 'row')} and "
        f"{counted(len(facts.columns), 'compared column')}{blanks}{holdout}."
    )


def how(facts: Facts) -> str:
    """Say how the synthetic tables came about, as far as that is known."""
    if facts.fit is not None:
        return (
            f"Drawn from a Bayesian network fitted to the real table. Graph: {facts.fit.summary['graph']}. Inference: "
            f"{facts.fit.summary['inference']}. Convergence: {facts.fit.summary['convergence']}."
        )
    if facts.provenance is not None:
        return f"The tables say of themselves: {draws(facts)}; the model is a {facts.provenance.structure}."
    return "Unknown: the tables came without a fit and without a word on how they were made."


def draws(facts: Facts) -> str:
    """Say how the tables were drawn."""
    p = facts.provenance
    behind = {
        "each_table": "one posterior draw behind each table (proper synthesis)",
        "each_row": "one posterior draw behind each row",
    }.get(p.draws, "parameters held at their estimates")
    graph = "" if p.graph_drawn else "; the graph is the same in all, so what is not known of it is not in them"
    return f"{p.synthesis} synthetic, {behind}{graph}"


def dont(facts: Facts) -> list[str]:
    """List what must not be done with the tables."""
    own = [facts.about["not_for"]] if "not_for" in facts.about else []
    return [
        *own,
        "Do not analyse one synthetic table as if it were real: a 95% interval computed so covers the truth in about "
        "75% of cases, and in about 33% if the table is ten times as long. Pool analyses of several tables.",
        "Do not call the tables anonymous, and do not hand on the fitted model without the same review as the tables.",
        "Do not decide about a patient by them, and do not read an association as a cause.",
        "Do not publish a finding before it has been checked on the real table, if anybody's care depends on it.",
    ]


def _lowered(text: str) -> str:
    ending = "" if text.endswith((".", "?")) else "."
    return (text[:1].lower() + text[1:] if not text[:2].isupper() else text) + ending

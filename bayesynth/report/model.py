"""Sections on the model and the machine: the network, convergence, reproducibility."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bayesynth._html import Markup
from bayesynth.diagnostics.figures import Interval
from bayesynth.report.html import UNKNOWN, data_table, folded, frame_table, interval, joined, number, tag
from bayesynth.report.sections import Section

if TYPE_CHECKING:
    from bayesynth.report.report import Report

NO_FIT = "Not done, because no fit was given: assess(..., fit=fit)."


def network(report: Report) -> Section:
    """Show the network with the figures of every edge."""
    fit = report.facts.fit
    if fit is None:
        return Section("network", "Network", tag("p", NO_FIT))
    parts = [tag("p", f"Graphs: {fit.structure_verdict}.")]
    if "network" in report.pictures:
        parts.append(tag("figure", report.picture("network"), class_="sheet"))
    parts += [
        tag(
            "p",
            "Probability that two columns are directly related, in either direction; then what goes with a change of "
            "the first, everything else as it is, with its 94% interval. Associations in the model, not causes.",
        ),
        _edges(fit.relationships),
    ]
    return Section("network", "Network", joined(parts))


def rules(report: Report) -> list[Section]:
    """Show that every rule of the fit holds in every synthetic row; nothing where there is no rule."""
    fit = report.facts.fit
    if fit is None or fit.rules.empty:
        return []
    broken = int(fit.rules["broken"].sum())
    rows = number(int(fit.rules["rows"].iloc[0]))
    said = f"{number(len(fit.rules))} rules were checked in {rows} synthetic rows: {number(broken)} violations."
    columns = {"sentence": "rule", "kept": "kept", "rows": "rows", "decided": "could break it", "broken": "violations"}
    table = frame_table(fit.rules[list(columns)].rename(columns=columns))
    return [Section("rules", "Rules", joined([tag("p", said), table]))]


def convergence(report: Report) -> Section:
    """Show whether the computations may be trusted."""
    fit = report.facts.fit
    if fit is None:
        return Section("convergence", "Convergence", tag("p", NO_FIT))
    table = fit.convergence.reset_index()
    poor = table[~table["trusted"].astype(bool)]
    figures = [(name, number(value)) for name, value in fit.structure_convergence.items()]
    parts: list[object] = [
        tag("p", f"Regressions: {fit.summary['convergence']}. Graphs: {fit.structure_verdict}."),
        folded("Figures of the sampler of graphs", data_table(("figure", "value"), figures, numeric=(1,))),
        folded(f"Figures of all {len(table)} regressions", frame_table(table)),
    ]
    if len(poor):
        parts.insert(1, joined([tag("p", "Not to be trusted without a closer look:"), frame_table(poor)]))
    return Section("convergence", "Convergence", joined(parts))


def reproducibility(report: Report) -> Section:
    """Show what is needed to do it again."""
    facts, fit = report.facts, report.facts.fit
    versions = [facts.versions, fit.versions if fit else {}]
    rows = [
        ("seed", _known(facts.seed), _known(fit and fit.seed)),
        ("real rows", number(facts.n_real), _known(fit and fit.n_rows)),
        *((name, *(v.get(name, UNKNOWN) for v in versions)) for name in dict.fromkeys([*versions[0], *versions[1]])),
    ]
    headers = ("", "of the assessment", "of the fit")
    parts: list[object] = []
    if fit is None:
        headers, rows = headers[:-1], [row[:-1] for row in rows]
    else:
        parts = [
            tag("h3", "For the Methods section"),
            tag("p", fit.methods, class_="methods"),
            folded("BibTeX", tag("pre", fit.bibtex)),
        ]
    note = (
        "Equal seeds, versions and machines give equal figures. Hashes are of the schema, never of rows: the hash of a "
        "small table could be searched for."
    )
    digest = tag("p", "SHA-256 of the schema: ", tag("code", facts.schema_hash))
    table = [data_table(headers, rows), digest, tag("p", note, class_="note")]
    return Section("reproducibility", "Reproducibility", joined([*table, *parts]))


def _known(value: object) -> str:
    return UNKNOWN if value is None else str(value)


def _edges(relationships: pd.DataFrame) -> Markup:
    shown = pd.DataFrame(
        {
            "from": relationships["parent"],
            "to": relationships["child"],
            "probability": [f"{p:.2f}" for p in relationships["p_adjacent"]],
            "change": relationships["change"],
            "outcome": relationships["outcome"],
            "effect (94% interval)": [
                interval(Interval(row.effect, row.lower, row.upper)) for row in relationships.itertuples()
            ],
            "log Bayes factor": [f"{factor:.1f}" for factor in relationships["log_bayes_factor"]],
            "direction": relationships["direction"],
        }
    )
    return frame_table(shown)

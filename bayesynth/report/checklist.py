"""The reviewer's checklist: seventeen points, each with what is known, or "not done, because"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayesynth._words import counted, listed
from bayesynth.diagnostics.figures import FIDELITY, INFERENCE, RISK, SKIPPED, Figure
from bayesynth.report import words
from bayesynth.report.html import data_table, percent, tag
from bayesynth.report.model import NO_FIT
from bayesynth.report.sections import Section, is_empty
from bayesynth.synthesis.pooling import cases, rule_for

if TYPE_CHECKING:
    from bayesynth.report.report import Report

DONE, PARTLY, NOT = "done", "partly", "not done"
NOTHING = "Not done, because"
NO_ANALYSIS = "no analysis was given: assess(..., analysis=...)."
NO_TARGET = "no target was given: assess(..., target=...)."


@dataclass(frozen=True)
class Point:
    """A point of the checklist.

    Parameters
    ----------
    title : str
        What a reviewer asks for.
    state : {"done", "partly", "not done"}
        How far the report answers.
    text : str
        The answer, or the reason why there is none.
    """

    title: str
    state: str
    text: str


def checklist(report: Report) -> list[Point]:
    """Answer all points."""
    return [Point(title, *answer(report)) for title, answer in POINTS]


def section(report: Report) -> Section:
    """Write the checklist as a section."""
    rows = [
        (str(i), point.title, tag("span", point.state, class_=f"state {point.state.replace(' ', '-')}"), point.text)
        for i, point in enumerate(checklist(report), 1)
    ]
    table = data_table(("", "a reviewer asks for", "state", "answer"), rows, class_="stacked checklist")
    return Section("checklist", "Reviewer's checklist", table)


Answer = tuple[str, str]


def _stated(*names: str) -> Callable[[Report], Answer]:
    """Answer by what the custodian states."""

    def answer(report: Report) -> Answer:
        about = report.facts.about
        known = [f"{name.replace('_', ' ').capitalize()}: {about[name]}" for name in names if name in about]
        lost = [name for name in names if name not in about]
        if not lost:
            return DONE, " ".join(known)
        asked = (
            f"only the custodian can state it: assess(..., about={{{', '.join(f'{name!r}: ...' for name in lost)}}})."
        )
        return (PARTLY, f"{' '.join(known)} The rest is not stated; {asked}") if known else (NOT, f"{NOTHING} {asked}")

    return answer


def _data(report: Report) -> Answer:
    facts = report.facts
    worst = facts.columns["blank_real"].sort_values(ascending=False, kind="stable")
    blanks = listed(f"{name} {percent(share)}" for name, share in worst[worst > 0].head(3).items())
    known = (
        f"{counted(facts.n_real, 'row')}, {counted(len(facts.columns), 'column')}; "
        f"{f'blank most often: {blanks}; all shares are in the section on columns' if blanks else 'no blanks'}."
    )
    state, stated = _stated("source")(report)
    return (
        (DONE, f"{known} {stated}") if state == DONE else (PARTLY, f"{known} Source, dates and legal basis: {stated}")
    )


def _model(report: Report) -> Answer:
    fit = report.facts.fit
    if fit is None:
        return NOT, NO_FIT
    pairs = len(fit.relationships.drop_duplicates(["parent", "child"]))
    return PARTLY, (
        f"{fit.summary['graph'].capitalize()}; {counted(pairs, 'edge')} with their figures in the section on the "
        "network; families, priors and what is assumed of blanks in the paragraph for the Methods section. Prior "
        "sensitivity: not done, because a fit has one prior; fit again with another bayesynth.Prior to see."
    )


def _computation(report: Report) -> Answer:
    fit = report.facts.fit
    if fit is None:
        return NOT, NO_FIT
    software = ", ".join(f"{name} {version}" for name, version in fit.versions.items())
    seed = "not a whole number" if fit.seed is None else fit.seed
    return DONE, (
        f"{fit.summary['inference'].capitalize()}; {fit.summary['convergence']}; {fit.structure_verdict}. {software}; "
        f"seed {seed}."
    )


def _synthesis(report: Report) -> Answer:
    facts = report.facts
    if facts.provenance is None:
        return NOT, f"{NOTHING} the tables came without a provenance."
    p = facts.provenance
    return DONE, (
        f"{words.draws(facts).capitalize()}; m = {p.m}, k = {p.n_synthetic}, n = {p.n_real}; {p.structure}; blanks "
        f"{'reproduced' if p.blanks else 'filled in'}."
    )


def _calibration(report: Report) -> Answer:
    return NOT, (
        f"{NOTHING} it is a property of the method, not of this table: docs/validation.md of bayesynth has coverage by "
        "simulation, with the commands that give it."
    )


def _figures(choose: Callable[[Figure], bool], missing: str) -> Callable[[Report], Answer]:
    """Answer by the figures that are chosen."""

    def answer(report: Report) -> Answer:
        found = [figure for figure in report.figures if choose(figure)]
        done = [figure for figure in found if figure.verdict != SKIPPED]
        if not found:
            return NOT, f"{NOTHING} {missing}"
        said = " ".join(f"{figure.name.capitalize()}: {_short(figure)}" for figure in found)
        return (DONE if len(done) == len(found) else PARTLY if done else NOT), said

    return answer


def _short(figure: Figure) -> str:
    return words.sentence(figure) if is_empty(figure) else f"{figure.verdict}."


def _fidelity(report: Report) -> Answer:
    found = [figure for figure in report.figures if figure.group == FIDELITY]
    if not found:
        return NOT, f"{NOTHING} no figure was worked out."
    return DONE, f"{words.tally(found)}; tolerances were fixed before any table was looked at."


def _subgroups(report: Report) -> Answer:
    return NOT, (
        f"{NOTHING} whole tables are compared: pass the real and the synthetic rows of one group to assess() to judge "
        "that group."
    )


def _contradictions(report: Report) -> Answer:
    found = f"{report.facts.contradictions:,} synthetic values contradict the levels, bounds or blanks of the schema."
    return PARTLY, f"{found} Clinical rules beyond those are not known to it, so they were not counted."


def _privacy(report: Report) -> Answer:
    facts = report.facts
    found = [figure for figure in report.figures if figure.group == RISK]
    if not any(figure.verdict != SKIPPED for figure in found):
        return NOT, f"{NOTHING} no figure of risk could be worked out. No differential privacy."
    keys = f"keys: {', '.join(facts.keys)}" if facts.keys else "no keys were named"
    control = "no control rows" if facts.n_holdout is None else counted(facts.n_holdout, "control row")
    return (PARTLY if facts.n_holdout is None or not facts.keys else DONE), (
        f"{words.tally(found)}; {keys}; {control}; what each attacker is supposed to know stands with the figures. No "
        "differential privacy."
    )


def _recipients(report: Report) -> Answer:
    p = report.facts.provenance
    if p is None:
        return NOT, f"{NOTHING} the rule depends on how the tables were made, and they came without a provenance."
    rules = []
    for case, columns in cases(p):
        kind, formula, _ = rule_for(p, columns)
        rules.append(f"{case}: {kind}, T = {formula}" if formula else f"{case}: none")
    return DONE, f"{'; '.join(rules)}; m = {p.m}, k = {p.n_synthetic}. Code is in the section on inference."


def _machine(report: Report) -> Answer:
    doi = report.facts.about.get("doi")
    said = f"DOI: {doi}." if doi else "A DOI is not stated."
    return PARTLY, (
        f"to_json() gives everything for machines. {said} That the files are labelled as synthetic was not checked, "
        "because tables are passed without their names."
    )


POINTS: Sequence[tuple[str, Callable[[Report], Answer]]] = (
    ("Purpose and intended use; what it must not be used for", _stated("purpose", "not_for")),
    ("The real data: source, rows, columns, blanks, legal basis", _data),
    ("Preprocessing: recodes, exclusions, bins", _stated("preprocessing")),
    ("Model: graph, families, priors, blanks", _model),
    ("Computation: software, seed, convergence", _computation),
    ("Synthesis: how the tables were drawn", _synthesis),
    ("Calibration evidence", _calibration),
    ("Fidelity with intervals and floors, tolerance chosen before looking", _fidelity),
    ("Fidelity of blanks", _figures(lambda figure: "missingness" in figure.name, "no figure was worked out.")),
    ("Replication of analyses", _figures(lambda figure: figure.group == INFERENCE, NO_ANALYSIS)),
    ("Prediction: trained on synthetic, tested on real", _figures(lambda f: f.name == "prediction", NO_TARGET)),
    ("Subgroups", _subgroups),
    ("Contradictions: values that cannot be", _contradictions),
    ("Privacy: attacks, controls, smallest detectable leak", _privacy),
    ("How recipients must analyse the tables", _recipients),
    ("Limits, approval, licence, contact", _stated("approved_by", "licence", "contact")),
    ("Machine-readable copy, citation, labels", _machine),
)

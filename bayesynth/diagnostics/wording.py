"""Pooling in words: what a rule assumes of these tables, and one sentence for a paper."""

from __future__ import annotations

from dataclasses import dataclass

from bayesynth.diagnostics.provenance import EACH_ROW, EACH_TABLE, FIXED, Provenance
from bayesynth.diagnostics.rules import FUNCTIONAL, REAL_DATA, Rule

_SYNTHESES = {"fully": "fully synthetic", "partially": "partially synthetic", "imputed": "imputed"}
_DRAWS = {
    EACH_TABLE: "each from one posterior draw",
    EACH_ROW: "each row from its own posterior draw",
    FIXED: "with parameters at their estimates",
}


@dataclass(frozen=True)
class Facts:
    """What a pooled result can say of itself.

    Parameters
    ----------
    kind : str
        The rule's name.
    rule : Rule
        The rule.
    provenance : Provenance or None
        Of the tables.
    tables : int
        Tables pooled.
    n_real, n_synthetic : int or None
        Rows.
    level : float
        Of the intervals.
    n_adjusted : int
        Coefficients whose variance was replaced.
    """

    kind: str
    rule: Rule
    provenance: Provenance | None
    tables: int
    n_real: int | None
    n_synthetic: int | None
    level: float
    n_adjusted: int = 0


def assumptions(facts: Facts) -> tuple[str, ...]:
    """Say what must hold for the intervals to be valid."""
    found = list(facts.rule.assumptions)
    p = facts.provenance
    if facts.kind == FUNCTIONAL:
        found.append("the model of the synthesis contains the relationships that the analysis asks for")
    else:
        found.append("the tables are independent of one another")
    if p is None:
        return tuple(found)
    if p.graph_drawn and (facts.kind == FUNCTIONAL or "b" in facts.rule.formula):
        found.append(f"graphs are drawn ({p.structure}), so what is not known of the graph is in the intervals")
    else:
        found.append(f"intervals are conditional on the graph or model ({p.structure})")
    if p.incomplete():
        found.append(
            "blanks are reproduced, and the estimand is that of the analysis of such a table"
            if p.blanks
            else "within the model, values that were blank follow those that were not"
        )
    return tuple(found)


def sentence(facts: Facts) -> str:
    """One sentence for a paper."""
    share = f"{100 * facts.level:g}%"
    if facts.kind == FUNCTIONAL:
        noise = ", corrected for the variance of the simulation" if "u" in facts.rule.formula else ""
        return (
            f"Estimates are means over {facts.tables} posterior draws of the model of n = {facts.n_real} real rows, "
            f"each evaluated on a simulated table of {facts.n_synthetic} rows; {share} intervals are quantiles over "
            f"the draws{noise}.{_mended(facts)}"
        )
    if facts.kind == REAL_DATA:
        return (
            f"Estimates, standard errors and {share} intervals are those that the analysis of the real table is "
            f"expected to report, from {_tables(facts)} ({facts.rule.source}, T = {facts.rule.formula})."
        )
    mixture = facts.kind == "mixture"
    made = "quantiles of a mixture of normal distributions" if mixture else "from the t distribution"
    return (
        f"Estimates are means over {_tables(facts)}; variances follow {facts.rule.source}, T = {facts.rule.formula}, "
        f"and {share} intervals are {made}.{_mended(facts)}"
    )


def _tables(facts: Facts) -> str:
    p = facts.provenance
    sort = _SYNTHESES[p.synthesis] if p else "synthetic"
    words = [f"{facts.tables} {sort} {'table' if facts.tables == 1 else 'tables'}"]
    if facts.n_synthetic is not None:
        words.append(f"of k = {facts.n_synthetic} rows")
    if facts.n_real is not None:
        words.append(f"from n = {facts.n_real} real rows")
    return " ".join(words) + (f", {_DRAWS[p.draws]}" if p else "")


def _mended(facts: Facts) -> str:
    if not facts.n_adjusted:
        return ""
    return f" The variance of {facts.n_adjusted} of the estimates could not be estimated and was set to (k/n)·u."

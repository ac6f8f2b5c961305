"""How those who receive the tables must analyse them: the rule, its formula, and code to run."""

from __future__ import annotations

from collections.abc import Iterator

from bayesynth._html import Markup
from bayesynth.diagnostics.choosing import advice as cautions
from bayesynth.diagnostics.provenance import Provenance
from bayesynth.diagnostics.rules import Sizes
from bayesynth.report.facts import Facts
from bayesynth.report.html import bullets, data_table, joined, tag
from bayesynth.report.words import draws
from bayesynth.synthesis.pooling import cases, rule_for

CODE = """\
import bayesynth as bs

tables = bs.load_tables("folder")  # with their provenance, as SyntheticTables.save wrote them
tables.estimate(analyse, columns=[...])  # the columns that the analysis uses

results = [analyse(table) for table in frames]  # or, where only the frames and a bs.Provenance are at hand
bs.combine(results, provenance=provenance, columns=[...])
"""
NAIVE = (
    "One synthetic table must not be analysed as if it were the real one: its standard errors take no account of the "
    "synthesis. Of nominal 95% intervals computed so, about 75% cover the truth, and about 33% where the table has ten "
    "times as many rows as the real one."
)
WITHOUT = (
    "The tables came without a provenance, so no rule can be named: which one is right depends on how they were made. "
    "Those of bayesynth carry it (fit.sample_tables); for others write it down with bayesynth.Provenance."
)


def advice(facts: Facts) -> Markup:
    """Say how to analyse the tables."""
    parts: list[object] = [tag("h3", "How to analyse these tables"), tag("p", NAIVE)]
    if facts.provenance is None:
        parts.append(tag("p", WITHOUT))
    else:
        p = facts.provenance
        made = f"m = {p.m} tables of k = {p.n_synthetic} rows from n = {p.n_real} real rows; {draws(facts)}."
        rows = [(case, *rule_for(p, columns)) for case, columns in cases(p)]
        headers = ("analysis of", "rule", "total variance", "because")
        note = "u: mean of the variances within tables; b: variance of the estimates between tables."
        parts += [
            tag("p", made),
            data_table(headers, rows, class_="stacked rules"),
            tag("p", note, class_="note"),
            bullets(_cautions(p)),
        ]
    code = tag("p", "In Python, where analyse(table) gives a statsmodels result, or estimates and variances:")
    return joined([*parts, code, tag("pre", CODE)])


def _cautions(provenance: Provenance) -> Iterator[str]:
    """Say where a rule is wide, noisy or wrong for these tables."""
    sizes = Sizes(provenance.m, provenance.n_synthetic / provenance.n_real)
    for case, columns in cases(provenance):
        kind, formula, _ = rule_for(provenance, columns)
        if formula:
            yield from (f"For {case}: {problem}" for problem in cautions(kind, provenance, tuple(columns), sizes))

"""How a fit presents itself: text for a terminal, a card for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesynth._html import Markup, card, escape, legend, table
from bayesynth._words import counted, first_of, listed
from bayesynth.rules.plan import BY_REJECTION

if TYPE_CHECKING:
    from bayesynth.rules import RulePlan
    from bayesynth.synthesis.fit import Fit

STRONGEST = 8
NAMED = 4


def as_text(fit: Fit) -> str:
    """Describe a fit in a few lines."""
    facts = "\n".join(f"  {name:<13}{value}" for name, value in _facts(fit))
    edges = "\n".join(f"  {a} -> {b}  (P {p}, log Bayes factor {f})" for a, b, p, f in _strongest(fit))
    return (
        f"Fit of {fit.n_rows} rows x {len(fit.schema)} columns\n{facts}\nStrongest relationships\n{edges or '  none'}"
    )


def as_card(fit: Fit) -> Markup:
    """Describe a fit as a notebook card."""
    body = table(("", ""), _facts(fit)) + escape("Strongest relationships")
    body += table(("parent", "child", "P(adjacent)", "log Bayes factor"), _strongest(fit))
    body += legend("relationships() has them all, with effects; directions are only learnable up to equivalence.")
    return card("Fitted Bayesian network", f"{fit.n_rows} rows x {len(fit.schema)} columns", Markup(body))


def _facts(fit: Fit) -> list[tuple[str, str]]:
    encoding, families = fit.network.encoding, fit.network.families
    n_graphs, n_families = len(fit.network.graphs), len(families)
    unseen = [
        f"levels of {name} {100 * c.unseen_share:g}%" for name, c in fit.schema.items() if c.unseen_share is not None
    ]
    values = sum(not node.is_indicator for node in encoding.nodes.values())
    return [
        ("nodes", f"{values} values, {len(encoding.blocks)} missingness blocks"),
        ("graph", f"{fit.settings.graph}; {counted(n_graphs, 'graph')} fitted, {counted(n_families, 'family')}"),
        ("structure", fit.structure.verdict()),
        ("inference", f"{fit.settings.inference}, {fit.network.n_draws} posterior draws of each family"),
        ("convergence", convergence_sentence(list(families.values()))),
        *([("unseen", listed(unseen))] if unseen else []),
        *([("rules", rules_sentence(fit.rule_plan))] if fit.rules else []),
    ]


def rules_sentence(plan: RulePlan) -> str:
    """Say how many rules are kept, and how."""
    again = sum(plan.kept_by(rule) == BY_REJECTION for rule in plan.rules)
    said = f"{len(plan.rules) - again} of {len(plan.rules)} kept by construction"
    return said + (f", {again} by drawing rows again" if again else "")


def convergence_sentence(families: list) -> str:
    """Say whether every family may be trusted, with the worst figures."""
    if not families:
        return "nothing to estimate"
    poor = [p.name for p in families if not p.trusted]
    figures = []
    if not all(np.isnan(p.rhat) for p in families):
        figures.append(f"largest R-hat {np.nanmax([p.rhat for p in families]):.3f}")
        figures.append(f"smallest bulk ESS {np.nanmin([p.ess_bulk for p in families]):.0f}")
        figures.append(f"divergences {sum(p.divergences for p in families)}")
    elif not all(np.isnan(p.pareto_k) for p in families):
        figures.append(f"largest Pareto k-hat {np.nanmax([p.pareto_k for p in families]):.2f}")
    of_all = f"{len(poor)} of {counted(len(families), 'family')}"
    verdict = f"NOT reached for {of_all} ({first_of(poor, NAMED)})" if poor else "all families pass"
    return "; ".join([verdict, *figures])


def _strongest(fit: Fit) -> list[tuple[str, str, str, str]]:
    """Relationships that most graphs have, those with most evidence first."""
    found = []
    for pair in fit.structure.edge_probabilities().itertuples():
        factor = fit.log_bayes_factors.get((pair.parent, pair.child), np.nan)
        if pair.adjacency >= 0.5 and not np.isnan(factor):
            found.append((factor, pair.parent, pair.child, f"{pair.adjacency:.2f}"))
    return [(a, b, p, f"{factor:.1f}") for factor, a, b, p in sorted(found, reverse=True)[:STRONGEST]]

"""How a fit presents itself: text for a terminal, a card for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bayesynth._html import Markup, card, escape, legend, table

if TYPE_CHECKING:
    from bayesynth.synthesis.fit import Fit

STRONGEST = 8


def as_text(fit: Fit) -> str:
    """Describe a fit in a few lines."""
    facts = "\n".join(f"  {name:<13}{value}" for name, value in _facts(fit))
    edges = "\n".join(f"  {p} -> {c}  (log Bayes factor {b:.1f})" for (p, c), b in _strongest(fit))
    return (
        f"Fit of {fit.n_rows} rows x {len(fit.schema)} columns\n{facts}\nStrongest relationships\n{edges or '  none'}"
    )


def as_card(fit: Fit) -> Markup:
    """Describe a fit as a notebook card."""
    rows = [(p, c, f"{b:.1f}") for (p, c), b in _strongest(fit)]
    body = table(("", ""), _facts(fit)) + escape("Strongest relationships")
    body += table(("parent", "child", "log Bayes factor"), rows)
    body += legend("relationships() has them all, with effects; directions are only learnable up to equivalence.")
    return card("Fitted Bayesian network", f"{fit.n_rows} rows x {len(fit.schema)} columns", Markup(body))


def _facts(fit: Fit) -> list[tuple[str, str]]:
    encoding, families = fit.network.encoding, fit.network.families
    with_coefficients = len(fit.log_bayes_factors)
    values = sum(not node.is_indicator for node in encoding.nodes.values())
    return [
        ("nodes", f"{values} values, {len(encoding.blocks)} missingness blocks"),
        ("graph", f"{fit.settings.structure}, {with_coefficients} relationships, log score {fit.log_score:.1f}"),
        ("inference", f"{fit.settings.inference}, {fit.network.n_draws} posterior draws of each family"),
        ("convergence", convergence_sentence(list(families.values()))),
    ]


def convergence_sentence(families: list) -> str:
    """Say whether every family may be trusted, with the worst figures."""
    if not families:
        return "nothing to estimate"
    poor = [p.node for p in families if not p.trusted]
    figures = []
    if not all(np.isnan(p.rhat) for p in families):
        figures.append(f"largest R-hat {np.nanmax([p.rhat for p in families]):.3f}")
        figures.append(f"smallest bulk ESS {np.nanmin([p.ess_bulk for p in families]):.0f}")
        figures.append(f"divergences {sum(p.divergences for p in families)}")
    elif not all(np.isnan(p.pareto_k) for p in families):
        figures.append(f"largest Pareto k-hat {np.nanmax([p.pareto_k for p in families]):.2f}")
    verdict = f"NOT reached for {', '.join(poor)}" if poor else "all families pass"
    return "; ".join([verdict, *figures])


def _strongest(fit: Fit) -> list[tuple[tuple[str, str], float]]:
    return sorted(fit.log_bayes_factors.items(), key=lambda item: -item[1])[:STRONGEST]

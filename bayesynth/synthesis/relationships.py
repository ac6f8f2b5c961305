"""The model as tables: a row per relationship, a row per missingness block."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import beta

from bayesynth.graphs import cpdag
from bayesynth.predictive import FittedNetwork
from bayesynth.synthesis.effects import Effects

INTERVAL = (0.03, 0.97)


def relationship_table(
    network: FittedNetwork, log_bayes_factors: Mapping[tuple[str, str], float], rng: np.random.Generator
) -> pd.DataFrame:
    """One row per edge and outcome, with the average marginal effect and its 94% interval."""
    effects, classes, rows = Effects(network, rng), cpdag(network.dag), []
    for child in network.dag.order:
        for effect in effects.of(child):
            low, high = np.quantile(effect.draws, INTERVAL)
            rows.append(
                {
                    "parent": effect.parent,
                    "child": child,
                    "change": effect.contrast,
                    "outcome": effect.outcome if effect.outcome == "mean" else f"P({effect.outcome})",
                    "effect": float(effect.draws.mean()),
                    "lower": float(low),
                    "upper": float(high),
                    "log_bayes_factor": log_bayes_factors.get((effect.parent, child), np.nan),
                    "direction": "identified" if classes.mark(effect.parent, child) == "->" else "either way",
                }
            )
    columns = ["parent", "child", "change", "outcome", "effect", "lower", "upper", "log_bayes_factor", "direction"]
    figures = dict.fromkeys(("effect", "lower", "upper", "log_bayes_factor"), float)
    return pd.DataFrame(rows, columns=columns).astype(figures)  # also where there is no row


def missingness_table(network: FittedNetwork, blanks: Mapping[str, int], n_rows: int) -> pd.DataFrame:
    """One row per missingness block: its columns, its rate with a 94% interval, and its place in the graph."""
    encoding, rows = network.encoding, []
    for block in encoding.blocks:
        count = blanks[block.name]
        low, high = beta.ppf(INTERVAL, count + 0.5, n_rows - count + 0.5)
        by_construction = set(encoding.structural_edges)
        parents = [p for p in network.dag.parents(block.name) if (p, block.name) not in by_construction]
        children = sorted(c for p, c in network.dag.edges if p == block.name and (p, c) not in by_construction)
        rows.append(
            {
                "block": block.name,
                "columns": ", ".join(block.columns),
                "within": block.outer or "",
                "blank_rows": count,
                "rate": count / n_rows,
                "lower": float(low),
                "upper": float(high),
                "depends_on": ", ".join(parents),
                "informs": ", ".join(children),
            }
        )
    columns = ["block", "columns", "within", "blank_rows", "rate", "lower", "upper", "depends_on", "informs"]
    figures = {"blank_rows": int} | dict.fromkeys(("rate", "lower", "upper"), float)
    return pd.DataFrame(rows, columns=columns).astype(figures)

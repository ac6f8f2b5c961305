"""What there is to show of each edge: its evidence, and the sign and size of its effect on one common scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from bayesynth.encoding.table import Node
    from bayesynth.synthesis import Fit


@dataclass(frozen=True)
class EdgeFacts:
    """What is drawn of an edge.

    Parameters
    ----------
    parent, child : str
        Its ends.
    evidence : float
        Log Bayes factor; NaN for an edge that holds by construction, or that comes along with another.
    effect : float
        Average change of the child, in its standard deviations, for one step of the parent; NaN where it has no single
        sign, because the parent has several unordered levels or the child has.
    identified : bool
        Whether data can tell its direction.
    """

    parent: str
    child: str
    evidence: float
    effect: float
    identified: bool

    @property
    def by_construction(self) -> bool:
        """Whether the edge has no evidence of its own."""
        return bool(np.isnan(self.evidence))


def edge_facts(fit: Fit) -> list[EdgeFacts]:
    """List the edges of a fit with what there is to show of them."""
    graph, nodes = fit.graph(), fit.network.encoding.nodes
    by_edge = dict(list(fit.relationships().groupby(["parent", "child"], sort=False)))
    found = []
    for a, b, facts in sorted(graph.edges(data=True), key=lambda edge: edge[:2]):
        rows = by_edge.get((a, b))
        identified = rows is not None and bool((rows["direction"] == "identified").all())
        found.append(EdgeFacts(a, b, facts.get("log_bayes_factor", np.nan), _effect(rows, nodes[b]), identified))
    return found


def _effect(rows: pd.DataFrame | None, child: Node) -> float:
    if rows is None or rows["change"].nunique() > 1 or child.family == "categorical":
        return np.nan
    changes = rows["effect"].to_numpy()
    if child.marginal is not None:
        return float(changes[0]) / _spread(child.marginal.support, child.marginal.counts)
    if child.family == "ordinal":
        places = np.arange(len(child.levels), dtype=float)
        return float(changes @ places) / _spread(places, child.features.steps.rates)
    return float(changes[0]) / _spread(np.arange(2.0), child.features.rates)


def _spread(values: np.ndarray, weights: np.ndarray) -> float:
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights))) or 1.0

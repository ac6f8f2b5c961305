"""What there is to show of each edge, and how it is shown: probability, effect on one common scale, direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import to_rgb

from bayesynth.plots.style import FAINT, PURPLE, QUIET, SIGNED
from bayesynth.synthesis.structure import EITHER_WAY

if TYPE_CHECKING:
    import pandas as pd

    from bayesynth.encoding.table import Node
    from bayesynth.synthesis import Fit

LARGE_EFFECT = 0.6  # standard deviations at full colour
LEAST_WIDTH, MOST_WIDTH = 0.5, 2.4  # points
PALEST = 0.7  # share of white in the colour of an edge that is hardly probable


@dataclass(frozen=True)
class EdgeFacts:
    """What is drawn of an edge.

    Parameters
    ----------
    parent, child : str
        Its ends.
    adjacency : float
        Probability that they are joined, in either direction.
    effect : float or None
        Average change of the child, in its standard deviations, for one step of the parent; NaN where it has no single
        sign, because the parent has several unordered levels or the child has; None where no fitted graph has the edge.
    direction : str
        "by knowledge", "identified" or "either way".
    structural : bool
        Whether it holds by construction.
    """

    parent: str
    child: str
    adjacency: float
    effect: float | None
    direction: str
    structural: bool

    @property
    def reversible(self) -> bool:
        """Whether the reverse fits as well."""
        return self.direction == EITHER_WAY

    @property
    def width(self) -> float:
        """Width of its line in points, in proportion to the probability."""
        return LEAST_WIDTH if self.structural else max(LEAST_WIDTH, MOST_WIDTH * self.adjacency)

    @property
    def colour(self) -> tuple[float, ...]:
        """Colour of its line: the effect, the paler the less probable the edge."""
        white = 0.0 if self.structural else PALEST * (1 - min(self.adjacency, 1.0))
        return tuple(white + (1 - white) * channel for channel in to_rgb(self._hue()))

    def _hue(self) -> str | tuple[float, ...]:
        if self.structural:
            return FAINT
        if self.effect is None:
            return QUIET
        if np.isnan(self.effect):
            return PURPLE
        return SIGNED(0.5 + 0.5 * float(np.clip(self.effect / LARGE_EFFECT, -1.0, 1.0)))


def edge_facts(fit: Fit, threshold: float = 0.5) -> list[EdgeFacts]:
    """List the edges of the averaged graph of a fit with what there is to show of them."""
    graph, nodes = fit.graph(threshold), fit.network.encoding.nodes
    by_edge = dict(list(fit.relationships().groupby(["parent", "child"], sort=False)))
    return [
        EdgeFacts(
            a,
            b,
            facts["adjacency"],
            _effect(by_edge[a, b], nodes[b]) if (a, b) in by_edge else None,
            fit.structure.direction(a, b),
            facts["structural"],
        )
        for a, b, facts in sorted(graph.edges(data=True), key=lambda edge: edge[:2])
    ]


def _effect(rows: pd.DataFrame, child: Node) -> float:
    if rows["change"].nunique() > 1 or child.family == "categorical":
        return np.nan
    changes = rows["effect"].to_numpy()
    if child.marginal is not None:
        return float(changes[0]) / child.marginal.sd
    if child.family == "ordinal":
        places = np.arange(len(child.levels), dtype=float)
        return float(changes @ places) / _spread(places, child.features.steps.rates)
    return float(changes[0]) / _spread(np.arange(2.0), child.features.rates)


def _spread(values: np.ndarray, weights: np.ndarray) -> float:
    mean = np.average(values, weights=weights)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=weights))) or 1.0

"""The relationships of the model as a table, averaged over graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bayesynth.predictive import FittedNetwork
from bayesynth.synthesis.effects import Effects
from bayesynth.synthesis.structure import StructurePosterior

INTERVAL = (0.03, 0.97)
FIGURES = ("p_adjacent", "p_direction", "effect", "lower", "upper", "effect_overall", "lower_overall", "upper_overall")
COLUMNS = ("parent", "child", "change", "outcome", *FIGURES, "log_bayes_factor", "direction")


@dataclass
class _Pooled:
    """Draws of one effect from several families."""

    draws: list[np.ndarray] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)

    def add(self, draws: np.ndarray, share: float) -> None:
        self.draws.append(draws)
        self.weights.append(np.full(len(draws), share / len(draws)))

    def figures(self, p_adjacent: float) -> tuple[float, ...]:
        """Mean and interval where the edge is present, and over all graphs, where it may be 0."""
        draws, weights = np.concatenate(self.draws), np.concatenate(self.weights)
        weights = weights / weights.sum()
        all_draws, all_weights = np.append(draws, 0.0), np.append(weights * p_adjacent, 1 - p_adjacent)
        present = (weights @ draws, *_quantiles(draws, weights))
        return (*map(float, present), float(all_weights @ all_draws), *_quantiles(all_draws, all_weights))


def relationship_table(
    network: FittedNetwork,
    structure: StructurePosterior,
    log_bayes_factors: Mapping[tuple[str, str], float],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """One row per adjacent pair and outcome, in the more probable direction, most probable pairs first."""
    effects, pooled = Effects(network, rng), {}
    for name, posterior in network.families.items():
        for effect in effects.of(posterior, network.shares[name]):
            key = (effect.parent, effect.child), effect.contrast, effect.outcome
            pooled.setdefault(key, _Pooled()).add(effect.draws, network.shares[name])
    shown = {edge for edge, _, _ in pooled}
    rows = []
    for pair in structure.edge_probabilities().itertuples():
        edge = (pair.parent, pair.child) if (pair.parent, pair.child) in shown else (pair.child, pair.parent)
        p_direction = pair.direction if edge[0] == pair.parent else 1 - pair.direction
        for (found, contrast, outcome), effect in pooled.items():
            if found == edge:
                label = outcome if outcome == "mean" else f"P({outcome})"
                figures = (pair.adjacency, p_direction, *effect.figures(min(pair.adjacency, 1.0)))
                factor = log_bayes_factors.get(edge, np.nan)
                rows.append((*edge, contrast, label, *figures, factor, structure.direction(*edge)))
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    return found.astype(dict.fromkeys((*FIGURES, "log_bayes_factor"), float))  # also where there is no row


def _quantiles(draws: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    order = np.argsort(draws)
    below = np.cumsum(weights[order])
    places = np.searchsorted(below, np.array(INTERVAL) * below[-1])
    return tuple(float(v) for v in draws[order][np.minimum(places, len(draws) - 1)])

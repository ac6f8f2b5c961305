"""Tables with a known graph: the library's mixed simulator, and draws from the model's own prior."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb, factorial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from bayesynth.datasets import simulate_network
from bayesynth.encoding.features import LEVELS, LINEAR, SPLINE, NominalFeatures, NumericFeatures
from bayesynth.encoding.marginal import normal_scores
from bayesynth.families import Prior
from bayesynth.graphs import DAG
from bayesynth.structure.space import LOG_ODDS_OF_A_CURVE

NUMERIC = ("continuous", "count")
RATES = (0.2, 0.8)
Edges = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class World:
    """One table and its true graph."""

    truth: DAG
    table: pd.DataFrame
    numeric: tuple[str, ...]

    def store(self, folder: Path) -> dict[str, Any]:
        """Write the table for both sides."""
        folder.mkdir(parents=True, exist_ok=True)
        self.table.to_pickle(folder / "table.pkl")
        self.table.to_csv(folder / "table.csv", index=False)
        return {"pickle": str(folder / "table.pkl"), "data": str(folder / "table.csv"), "numeric": self.numeric}


def mixed_world(nodes: int, rows: int, seed: int, **options: object) -> World:
    """A table with blanks from a random mixed-kind network; one network for each number of nodes and seed."""
    simulated = simulate_network(nodes, rows, random_seed=seed, **options)
    numeric = tuple(name for name, kind in simulated.network.kinds.items() if kind in NUMERIC)
    return World(DAG.from_networkx(simulated.graph), simulated.table, numeric)


def model_world(nodes: int, rows: int, seed: int) -> World:
    """A complete table from the model itself: a graph from the fair prior, forms and slopes from the families' prior.

    Half of the nodes are binary, the others Gaussian. Intercepts do not bear on the graph; they are such that a binary
    node's rate is uniform on (0.2, 0.8).
    """
    rng = np.random.default_rng([nodes, rows, seed])
    names = tuple(f"x{i:02d}" for i in range(nodes))
    dag = DAG(names, frozenset((names[i], names[j]) for i, j in draw_graph(nodes, rng)))
    values: dict[str, np.ndarray] = {}
    binary = {name: bool(rng.random() < 0.5) for name in names}
    for name in dag.order:
        parts = [_features(values[p], binary[p], rng) for p in dag.parents(name)]
        X = np.column_stack([np.empty((rows, 0)), *parts])
        effect = X @ rng.normal(0, Prior().tau, X.shape[1])
        values[name] = _draw_binary(effect, rng) if binary[name] else effect + rng.standard_normal(rows)
    table = pd.DataFrame({n: np.where(values[n] > 0, "yes", "no") if binary[n] else values[n] for n in names})
    return World(dag, table, tuple(n for n in names if not binary[n]))


def _features(values: np.ndarray, binary: bool, rng: np.random.Generator) -> np.ndarray:
    """Columns by which a parent acts on its children, centred."""
    if binary:
        columns = NominalFeatures.of(values, ("no", "yes")).columns(values, LEVELS)
    else:
        scores = normal_scores(values, rng)
        curved = rng.random() < expit(LOG_ODDS_OF_A_CURVE)
        columns = NumericFeatures.of(scores).columns(scores, SPLINE if curved else LINEAR)
    return columns - columns.mean(axis=0)


def _draw_binary(effect: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw 0 or 1 with logits that are linear in an effect on the scale where one row's null information is 1."""
    rate = rng.uniform(*RATES)
    slope = effect / np.sqrt(rate * (1 - rate))
    widest = np.abs(slope).max() + 1
    intercept = brentq(lambda a: expit(a + slope).mean() - rate, logit(rate) - widest, logit(rate) + widest)
    return (rng.random(len(effect)) < expit(intercept + slope)).astype(float)


def draw_graph(p: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Draw a graph exactly from the fair prior: weight prod_j 1 / C(p - 1, number of parents of j).

    A graph belongs to one sequence of layers, a node's layer being the longest path to it, and the weights depend on
    sizes alone; so sizes of layers are drawn first, then their members, then parents, one at least in the layer before.
    """

    def weight_of_size(before: int, last: int, k: int) -> float:
        return (comb(before, k) - comb(before - last, k)) / comb(p - 1, k)

    def weights(before: int, last: int) -> np.ndarray:
        return np.array([weight_of_size(before, last, k) for k in range(before + 1)])

    def weight(layers: Sequence[int]) -> float:
        total, before = factorial(p) / factorial(layers[0]), layers[0]
        for last, size in pairwise(layers):
            total *= weights(before, last).sum() ** size / factorial(size)
            before += size
        return total

    choices = list(_compositions(p))
    odds = np.array([weight(layers) for layers in choices])
    layers = choices[rng.choice(len(choices), p=odds / odds.sum())]
    order, edges, before = rng.permutation(p), [], layers[0]
    for last, size in pairwise(layers):
        share = weights(before, last)
        for child in order[before : before + size]:
            k = rng.choice(before + 1, p=share / share.sum())
            chosen = rng.choice(before, k, replace=False)
            while chosen.max() < before - last:
                chosen = rng.choice(before, k, replace=False)
            edges += [(int(order[i]), int(child)) for i in chosen]
        before += size
    return edges


def _compositions(total: int) -> Iterator[tuple[int, ...]]:
    if total == 0:
        yield ()
    for first in range(1, total + 1):
        yield from ((first, *rest) for rest in _compositions(total - first))

"""How probabilities of adjacency and estimated graphs agree with a known graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from bayesynth.graphs import CPDAG, DAG, cpdag, find_cycle

BINS = 10


@dataclass(frozen=True)
class Found:
    """What a method says of one table, compared with the truth.

    Parameters
    ----------
    adjacent : ndarray, shape (pairs,)
        Probability that a pair is adjacent.
    is_adjacent : ndarray of bool, shape (pairs,)
        Whether it is.
    directed : ndarray, shape (2 * pairs,) or (0,)
        Probability of each edge; none for a method that answers with an equivalence class.
    is_directed : ndarray of bool
        Whether it is there.
    distance : int
        Pairs on which the CPDAGs disagree.
    seconds : float
        How long it took.
    """

    adjacent: np.ndarray
    is_adjacent: np.ndarray
    directed: np.ndarray
    is_directed: np.ndarray
    distance: int
    seconds: float

    @classmethod
    def of(cls, truth: DAG, result: Mapping[str, Any], names: Sequence[str]) -> Found:
        """Compare a result: a matrix of probabilities, edges, or edges with loose pairs (or several of these)."""
        nodes = truth.nodes
        matrix = np.zeros((len(names), len(names)))
        place = {name: i for i, name in enumerate(names)}
        if "matrix" in result:
            matrix = np.array(result["matrix"])
        else:
            for a, b in (*result["edges"], *result.get("loose", ())):
                matrix[place[a], place[b]] = 1.0
        pairs = list(combinations(nodes, 2))
        both = [(a, b) for pair in pairs for a, b in (pair, pair[::-1])]
        directed = np.array([matrix[place[a], place[b]] for a, b in both])
        is_directed = np.array([edge in truth.edges for edge in both])
        estimate = _class_of(nodes, result, matrix, names)
        true_class = cpdag(truth)
        distance = sum(true_class.mark(a, b) != estimate.mark(a, b) for a, b in pairs)
        adjacent, is_adjacent = directed.reshape(-1, 2).sum(axis=1), is_directed.reshape(-1, 2).any(axis=1)
        known = slice(0) if "loose" in result else slice(None)
        return cls(adjacent, is_adjacent, directed[known], is_directed[known], distance, result["seconds"])

    def shares(self) -> tuple[float, float]:
        """Precision and recall of the pairs with a probability above one half."""
        chosen = self.adjacent > 0.5
        hits = int((chosen & self.is_adjacent).sum())
        return hits / chosen.sum() if chosen.any() else 1.0, hits / max(self.is_adjacent.sum(), 1)

    def average_precision(self) -> float:
        """Area under the steps of precision against recall; pairs of equal probability come together."""
        levels = np.unique(self.adjacent)[::-1]
        hits = np.array([(self.is_adjacent & (self.adjacent >= level)).sum() for level in levels])
        chosen = np.array([(self.adjacent >= level).sum() for level in levels])
        return float((np.diff(hits, prepend=0) * hits / chosen).sum() / max(self.is_adjacent.sum(), 1))


def _class_of(nodes: Sequence[str], result: Mapping[str, Any], matrix: np.ndarray, names: Sequence[str]) -> CPDAG:
    if "loose" in result:
        directed = frozenset((a, b) for a, b in result["edges"])
        return CPDAG(tuple(nodes), directed, frozenset(frozenset(pair) for pair in result["loose"]))
    edges = result["edges"] if "edges" in result else median_edges(matrix, names)
    return cpdag(DAG(tuple(nodes), frozenset((a, b) for a, b in edges)))


def median_edges(matrix: np.ndarray, names: Sequence[str]) -> list[tuple[str, str]]:
    """Edges with a probability above one half, the most probable first, but for those that would close a cycle."""
    edges: list[tuple[str, str]] = []
    for i, j in sorted(np.argwhere(matrix > 0.5).tolist(), key=lambda at: -matrix[at[0], at[1]]):
        edge = (names[i], names[j])
        if not find_cycle(names, [*edges, edge]):
            edges.append(edge)
    return edges


def reliability(probabilities: np.ndarray, truths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean probability, share of truths and number of events in each of ten equal bins; empty bins are left out."""
    which = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    counts = np.bincount(which, minlength=BINS)
    kept = counts > 0
    sums = (np.bincount(which, weights=w, minlength=BINS)[kept] / counts[kept] for w in (probabilities, truths))
    return *sums, counts[kept]


def calibration_error(probabilities: np.ndarray, truths: np.ndarray) -> float:
    """Expected calibration error: mean distance of the share of truths from the mean probability, over ten bins."""
    said, held, counts = reliability(np.clip(probabilities, 0, 1), truths.astype(float))
    return float(np.abs(said - held) @ counts / counts.sum())


def plot_reliability(curves: Mapping[str, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """Draw the share of true adjacencies against their probability, a panel for each of several pools."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    across = min(4, len(curves))
    down = -(-len(curves) // across)
    figure, axes = plt.subplots(down, across, figsize=(3.4 * across, 3.5 * down), squeeze=False)
    for axis in axes.ravel()[len(curves) :]:
        axis.remove()
    for axis, (label, (probabilities, truths)) in zip(axes.ravel(), curves.items(), strict=False):
        said, held, counts = reliability(np.clip(probabilities, 0, 1), truths.astype(float))
        error = np.sqrt(held * (1 - held) / counts)
        axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        axis.errorbar(said, held, yerr=2 * error, marker="o", markersize=4, linewidth=1, capsize=2)
        axis.set(title=label, xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        axis.set(xlabel="probability said", ylabel="share of truths")
        for x, y, n in zip(said, held, counts, strict=True):
            axis.annotate(f"{n:,}", (x, y), textcoords="offset points", xytext=(4, -9), fontsize=6, color="0.4")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def pooled(found: Iterable[Found], what: str) -> tuple[np.ndarray, np.ndarray]:
    """All probabilities and truths of some results; what is "adjacent" or "directed"."""
    found = list(found)
    said = np.concatenate([getattr(one, what) for one in found])
    return said, np.concatenate([getattr(one, f"is_{what}") for one in found])

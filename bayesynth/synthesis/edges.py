"""Tables about drawn graphs: one row per pair of nodes, and the agreement with a graph of the user's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from bayesynth.errors import Problem, raise_all
from bayesynth.graphs import DAG, structural_hamming_distance
from bayesynth.graphs.ensembles import adjacency_of, as_dag

FIGURES = ("adjacency", "probability", "reverse", "direction", "compelled", "error")


def edge_table(
    nodes: Sequence[str],
    by_run: np.ndarray,
    compelled: np.ndarray,
    best: DAG,
    structural: Collection[tuple[str, str]],
) -> pd.DataFrame:
    """One row per pair that some graph joins; columns as in `StructurePosterior.edge_probabilities`.

    Parameters
    ----------
    nodes : sequence of str
        Nodes.
    by_run : ndarray, shape (runs, p, p)
        Share of each run's graphs with each edge.
    compelled : ndarray, shape (p, p)
        Share of graphs in whose equivalence class each edge is directed.
    best : DAG
        The best graph.
    structural : collection of (str, str)
        Edges to leave out.
    """
    p, in_best, rows = by_run.mean(axis=0), adjacency_of(best, nodes), []
    joined = by_run + np.swapaxes(by_run, 1, 2)
    several = len(by_run) > 1
    error = joined.std(axis=0, ddof=1) / np.sqrt(len(by_run)) if several else np.full(p.shape, np.nan)
    for i, j in np.argwhere(np.triu(p + p.T, 1) > 0):
        a, b = (i, j) if p[i, j] >= p[j, i] else (j, i)
        if (nodes[a], nodes[b]) in structural or (nodes[b], nodes[a]) in structural:
            continue
        adjacency = p[a, b] + p[b, a]
        figures = (adjacency, p[a, b], p[b, a], p[a, b] / adjacency, compelled[a, b], error[a, b])
        rows.append((nodes[a], nodes[b], *map(float, figures), bool(in_best[a, b] or in_best[b, a])))
    found = pd.DataFrame(rows, columns=["parent", "child", *FIGURES, "in_best"])
    found = found.astype(dict.fromkeys(FIGURES, float) | {"in_best": bool})
    return found.sort_values(["adjacency", "probability"], ascending=False, kind="stable", ignore_index=True)


def comparison(nodes: Sequence[str], mine: Mapping[str, Sequence[DAG]], theirs: DAG) -> pd.DataFrame:
    """Distance of groups of graphs from another, on the nodes that both have; means over each group.

    Raises
    ------
    InputError
        If the other graph has nodes that are not among ours.
    """
    why = "it is no node of this model"
    raise_all(
        Problem(f"the graph has a node {name!r}", why, f"use {', '.join(nodes)}")
        for name in sorted(set(theirs.nodes) - set(nodes))
    )
    shared = tuple(n for n in nodes if n in theirs.nodes)
    truth = as_dag(shared, adjacency_of(theirs, shared))
    right = {frozenset(edge) for edge in truth.edges}

    def figures(dag: DAG) -> tuple[float, float, float]:
        ours = as_dag(shared, adjacency_of(dag, shared))
        found = {frozenset(edge) for edge in ours.edges}
        hits, shd = len(found & right), structural_hamming_distance(ours, truth)
        return shd, hits / len(found) if found else np.nan, hits / len(right) if right else np.nan

    rows = {name: tuple(np.mean([figures(dag) for dag in group], axis=0)) for name, group in mine.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["shd", "precision", "recall"])

"""One scorer for everybody's graphs of discrete tables: BIC, BDeu, held-out likelihood, distance of CPDAGs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import gammaln

from bayesynth.graphs import DAG, structural_hamming_distance

ESS = 1.0
Parents = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Truth:
    """A known network: its graph, the number of states of every node, and rows that no search has seen."""

    dag: DAG
    states: Mapping[str, int]
    held_out: Codes

    @classmethod
    def read(cls, folder: Path) -> Truth:
        """Read what the peers wrote."""
        known = json.loads((folder / "truth.json").read_text())
        dag = DAG(tuple(known["nodes"]), frozenset((a, b) for a, b in known["edges"]))
        return cls(dag, known["states"], Codes.read(folder / "held_out.csv"))


@dataclass(frozen=True)
class Codes:
    """A table of states as whole numbers, level s3 being 3."""

    columns: Mapping[str, np.ndarray]

    @classmethod
    def read(cls, path: Path) -> Codes:
        """Read a table of levels s0, s1, ..."""
        frame = pd.read_csv(path, dtype=str)
        return cls({name: frame[name].str[1:].astype(int).to_numpy() for name in frame})

    @cached_property
    def n_rows(self) -> int:
        """Rows."""
        return len(next(iter(self.columns.values())))

    @cached_property
    def seen(self) -> dict[str, int]:
        """Number of states that occur in each column: what every search of this table can know."""
        return {name: len(np.unique(codes)) for name, codes in self.columns.items()}

    def configurations(self, nodes: Iterable[str], states: Mapping[str, int]) -> np.ndarray:
        """One number for each row's joint state, shape (n,)."""
        index = np.zeros(self.n_rows, dtype=np.int64)
        for node in nodes:
            index = index * states[node] + self.columns[node]
        return index


def parents_of(dag: DAG) -> dict[str, tuple[str, ...]]:
    """Parents of every node."""
    return {node: dag.parents(node) for node in dag.nodes}


def log_scores(table: Codes, truth: Truth, dag: DAG) -> dict[str, float]:
    """BIC (log n / 2 per parameter) and BDeu of a graph; levels that the table lacks do not count."""
    bic = bdeu = 0.0
    for node, parents in parents_of(dag).items():
        joint, families = np.unique(table.configurations((*parents, node), truth.states), return_counts=True)
        _, where = np.unique(joint // truth.states[node], return_inverse=True)
        totals = np.bincount(where, weights=families)
        r, q = table.seen[node], float(np.prod([table.seen[p] for p in parents]))
        bic += float(families @ np.log(families / totals[where])) - 0.5 * np.log(table.n_rows) * q * (r - 1)
        cell = ESS / (r * q)
        bdeu += float((gammaln(families + cell) - gammaln(cell)).sum())
        bdeu += float((gammaln(ESS / q) - gammaln(totals + ESS / q)).sum())
    return {"bic": bic, "bdeu": bdeu}


def held_out(table: Codes, truth: Truth, dag: DAG) -> float:
    """Mean log probability of an unseen row, parameters being BDeu's posterior means over all states of the network."""
    total = 0.0
    for node, parents in parents_of(dag).items():
        r, q = truth.states[node], int(np.prod([truth.states[p] for p in parents]))
        counts = np.bincount(table.configurations((*parents, node), truth.states), minlength=q * r).reshape(q, r)
        log_p = np.log((counts + ESS / (q * r)) / (counts.sum(axis=1, keepdims=True) + ESS / q))
        total += float(log_p.ravel()[truth.held_out.configurations((*parents, node), truth.states)].mean())
    return total


def judge(table: Codes, truth: Truth, edges: Iterable[Iterable[str]]) -> dict[str, float]:
    """All figures of one graph."""
    dag = DAG(truth.dag.nodes, frozenset((str(a), str(b)) for a, b in edges))
    own = {"distance": structural_hamming_distance(truth.dag, dag), "edges": len(dag.edges)}
    return own | log_scores(table, truth, dag) | {"held_out": held_out(table, truth, dag)}

"""How well the graph is recovered from simulated tables with blanks, beside pgmpy and a random graph."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _timing import Report, options, ours, peer

from bayesynth.datasets import Simulated, simulate_network
from bayesynth.graphs import DAG, structural_hamming_distance

Edges = Iterable[tuple[str, str]]
KINDS = ("with blanks", "no blanks")


@dataclass(frozen=True)
class Score:
    """Agreement of one estimated graph with the truth, on column nodes."""

    distance: int
    precision: float
    recall: float
    edges: int


def score(truth: DAG, edges: Edges) -> Score:
    """Distance between the equivalence classes, and agreement of the skeletons."""
    columns = set(truth.nodes)
    found = DAG(truth.nodes, frozenset((str(a), str(b)) for a, b in edges if {a, b} <= columns))
    true_pairs = {frozenset(edge) for edge in truth.edges}
    pairs = {frozenset(edge) for edge in found.edges}
    hits = len(true_pairs & pairs)
    precision = hits / len(pairs) if pairs else 1.0
    return Score(structural_hamming_distance(truth, found), precision, hits / max(len(true_pairs), 1), len(pairs))


def random_edges(truth: DAG, rng: np.random.Generator) -> list[tuple[str, str]]:
    """As many edges as the truth has, along a random order of the nodes."""
    order = list(rng.permutation(truth.nodes))
    pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    return [pairs[i] for i in rng.choice(len(pairs), len(truth.edges), replace=False)]


def store(frame: pd.DataFrame, folder: str, name: str) -> dict[str, Any]:
    """Write a table for both sides."""
    where = Path(folder) / name
    where.mkdir()
    frame.to_pickle(where / "table.pkl")
    return {"pickle": str(where / "table.pkl"), **ours("export", data=str(where / "table.pkl"), folder=str(where))}


def complete(simulated: Simulated, rows: int, seed: int) -> pd.DataFrame:
    """As many fresh rows of the same network, without blanks."""
    return simulated.network.sample(rows, blanks=False, random_seed=1000 + seed)


def estimate(args: Any, columns: int, folder: str, report: Report) -> dict[str, list[Score]]:
    """Scores of every method over the seeds."""
    seeds = range(1, args.seeds + 1)
    worlds = [simulate_network(columns, args.rows, blanks=args.blanks, random_seed=seed) for seed in seeds]
    truths = [DAG.from_networkx(world.graph) for world in worlds]
    stored = [store(world.table, folder, f"{columns}_{seed}") for seed, world in zip(seeds, worlds, strict=True)]
    whole = [
        store(complete(world, args.rows, seed), folder, f"{columns}_{seed}_complete")
        for seed, world in zip(seeds, worlds, strict=True)
    ]
    found: dict[str, list[Score]] = {}
    for label, tables in zip(KINDS, (stored, whole), strict=True):
        mine = [ours("search", data=table["pickle"]) for table in tables]
        found[f"ours, {label}"] = [score(t, one["edges"]) for t, one in zip(truths, mine, strict=True)]
        report.versions("ours", mine[0]["versions"])
        for python in args.peer_python:
            answer = peer(python, "hill_climb", tables=[{k: t[k] for k in ("data", "numeric")} for t in tables])
            name = f"pgmpy {answer['versions']['pgmpy']}"
            report.versions(name, answer["versions"])
            theirs = [one["edges"] for one in answer["tables"]]
            found[f"{name}, {label}"] = [score(t, edges) for t, edges in zip(truths, theirs, strict=True)]
    draws = [(t, np.random.default_rng([seed, i])) for t, seed in zip(truths, seeds, strict=True) for i in range(20)]
    found["random graph"] = [score(truth, random_edges(truth, rng)) for truth, rng in draws]
    report.note(f"{columns} columns: true edges {', '.join(str(len(t.edges)) for t in truths)}")
    return found


def row(columns: int, name: str, scores: list[Score]) -> list[object]:
    """One method's means, with the range of the distance."""

    def mean(of: Callable[[Score], float]) -> float:
        return statistics.mean(map(of, scores))

    distances = [s.distance for s in scores]
    spread = f"{mean(lambda s: s.distance):.1f} ({min(distances)}-{max(distances)})"
    shares = [f"{mean(lambda s: s.precision):.2f}", f"{mean(lambda s: s.recall):.2f}"]
    return [columns, name, spread, *shares, f"{mean(lambda s: s.edges):.1f}"]


def main() -> None:
    """Simulate, search, compare."""
    parser = options(__doc__, peer=False, data=False)
    parser.add_argument("--peer-python", nargs="+", required=True, help="interpreters of one or more pgmpy versions")
    parser.add_argument("--columns", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--blanks", type=float, default=0.1)
    parser.add_argument("--seeds", type=int, default=6)
    args = parser.parse_args()
    report = Report(f"Recovery of known networks from {args.rows:,} rows with {args.blanks:.0%} blanks")
    rows = []
    for columns in args.columns:
        with tempfile.TemporaryDirectory() as folder:
            found = estimate(args, columns, folder, report)
        rows += [row(columns, name, scores) for name, scores in found.items()]
        for what in KINDS:
            means = {name: statistics.mean(s.distance for s in found[name]) for name in found if name.endswith(what)}
            mine = means.pop(f"ours, {what}")
            best = min(means.values())
            text = f"{columns} columns, {what}: our mean distance ({mine:.1f}) is at most pgmpy's ({best:.1f})"
            report.verdict(text, mine <= best)
    head = ["columns", "method", "distance of CPDAGs", "skeleton precision", "skeleton recall", "edges"]
    report.table(head, rows)
    report.write(args.out)


if __name__ == "__main__":
    main()

"""Our greedy search against pgmpy's hill climbing with BIC on the same table discretised, and how both grow."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _timing import Report, Spread, alternate, figure, options, ours, peer

SIZES = (10, 20, 40, 60)
PEER_SIZES = (10, 20)
ROWS = 500
FACTOR, LARGEST_POWER = 20, 2.0


def pgmpy(python: str, tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Hill climbing on exported tables; the median of the tables' seconds."""
    return peer(python, "hill_climb", tables=tables)


def compare(report: Report, args: Any, folder: str) -> None:
    """Search one table from both sides."""
    table = ours("export", data=args.data, folder=folder)
    sides = {
        "ours": lambda: ours("search", data=args.data, times=3),
        "single": lambda: ours("search", data=args.data, times=3, single=True),
    }
    for i, python in enumerate(args.peer_python):
        sides[f"pgmpy, environment {i + 1}"] = lambda python=python: pgmpy(python, [table])
    runs = alternate(sides, args.repeats)
    report.versions("ours", runs["ours"][0]["versions"])
    first = Spread.of([run["seconds"][0] for run in runs["ours"]])
    whole = Spread.of([time for run in runs["ours"] for time in run["seconds"]])
    alone = Spread.of([time for run in runs["ours"] for time in run["search"]])
    climb = Spread.of([time for run in runs["single"] for time in run["search"]])
    rows = [
        ["ours, encode + search, first in its process", first, "", len(runs["ours"][0]["edges"])],
        ["ours, encode + search", whole, "", len(runs["ours"][0]["edges"])],
        ["ours, search alone", alone, "", len(runs["ours"][0]["edges"])],
        ["ours, one climb alone", climb, "", len(runs["single"][0]["edges"])],
    ]
    for name in list(sides)[2:]:
        found = [run["tables"][0] for run in runs[name]]
        time = Spread.of([one["seconds"][0] for one in found])
        label = f"pgmpy {runs[name][0]['versions']['pgmpy']}"
        report.versions(label, runs[name][0]["versions"])
        against = f"{figure(time.median / whole.median)} x, search alone {figure(time.median / alone.median)} x"
        rows.append([label, time, against, len(found[0]["edges"])])
        holds = time.median / whole.median >= FACTOR
        report.verdict(f"encode + search is at least {FACTOR} times faster than {label}: {against}", holds)
    report.table(["side", "seconds", "peer / ours", "edges"], rows)


def simulate(columns: int, seed: int, folder: str) -> str:
    """Write a table drawn from a random network."""
    from bayesynth.datasets import simulate_network

    path = Path(folder) / f"p{columns}_{seed}.pkl"
    simulate_network(columns, ROWS, random_seed=seed).table.to_pickle(path)
    return str(path)


def slope(sizes: Sequence[int], times: Sequence[float]) -> float:
    """Power of p by least squares on logarithms."""
    x, y = [math.log(size) for size in sizes], [math.log(time) for time in times]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    moment = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return moment / sum((a - mean_x) ** 2 for a in x)


def grow(report: Report, args: Any, folder: str) -> None:
    """Search random tables of more and more columns."""
    rows, medians = [], []
    for size in SIZES:
        tables = [simulate(size, seed, folder) for seed in range(1, args.seeds + 1)]
        runs = [ours("search", data=table, times=2) for table in tables]
        mine = Spread.of([min(run["search"]) for run in runs])
        theirs: Spread | str = "-"
        if size in PEER_SIZES:
            exported = []
            for i, table in enumerate(tables):
                where = Path(folder) / f"csv_{size}_{i}"
                where.mkdir()
                exported.append(ours("export", data=table, folder=str(where)))
            theirs = Spread.of([one["seconds"][0] for one in pgmpy(args.peer_python[0], exported)["tables"]])
        nodes = Spread.of([run["nodes"] for run in runs])
        scored = Spread.of([run["families_scored"] for run in runs])
        rows.append([size, f"{nodes.median:.0f}", mine, f"{scored.median:.0f}", theirs])
        medians.append(mine.median)
    head = ["columns", "nodes, with blanks", "ours, search alone (s)", "families scored exactly", "first pgmpy (s)"]
    report.table(head, rows)
    power = slope(SIZES, medians)
    late = slope(SIZES[-2:], medians[-2:])
    text = (
        f"search time rises as p^{power:.2f} over {SIZES[0]} to {SIZES[-1]} columns (p^{late:.2f} between the last two)"
    )
    report.verdict(f"{text}, no faster than p^{LARGEST_POWER:.0f}", power <= LARGEST_POWER)


def main() -> None:
    """Measure, print, judge."""
    parser = options(__doc__, peer=False, repeats=3)
    parser.add_argument("--peer-python", nargs="+", required=True, help="interpreters of one or more pgmpy versions")
    parser.add_argument("--seeds", type=int, default=3, help="random networks of each size")
    args = parser.parse_args()
    report = Report("Greedy search against hill climbing")
    with tempfile.TemporaryDirectory() as folder:
        compare(report, args, folder)
        grow(report, args, folder)
    report.write(args.out)


if __name__ == "__main__":
    main()

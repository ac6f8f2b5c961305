"""Seconds to learn the posterior over graphs, how they grow, and what a fit over several graphs costs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _timing import Report, Spread, options, ours

from bayesynth.datasets import simulate_network

CELLS = ((10, 300), (20, 300), (40, 300), (20, 1000), (20, 2000), (40, 2000), (20, 5000))  # columns, rows
LIMITS = {"pbc": 20.0, "40 columns, 2,000 rows": 180.0}
WAYS = ("greedy", "posterior")


def learning(args: Any, report: Report, folder: str) -> None:
    """Time score tables and all runs, to convergence, with kernels loaded before."""
    tables = {args.data: args.data}
    for columns, rows in CELLS:
        path = Path(folder) / f"p{columns}_n{rows}.pkl"
        simulate_network(columns, rows, random_seed=args.seed).table.to_pickle(path)
        tables[f"{columns} columns, {rows:,} rows"] = str(path)
    lines = []
    for name, data in tables.items():
        found = [ours("learn_structure", tables=[data], seed=seed + 1) for seed in range(args.repeats)]
        report.versions("ours", found[0]["versions"])
        seconds = Spread.of([run["tables"][0]["seconds"] for run in found])
        agreed = sum(run["tables"][0]["converged"] for run in found)
        lines.append([name, seconds, f"{agreed} of {len(found)}"])
        print(*lines[-1], flush=True)
        if name in LIMITS:
            report.verdict(f"{name} in under {LIMITS[name]:.0f} s: {seconds}", seconds.median < LIMITS[name])
    report.table(["table", "seconds", "runs agree"], lines)


def fitting(args: Any, report: Report) -> None:
    """Time whole fits over the posterior and with one greedy graph, in turn."""
    lines = []
    for inference in args.inference:
        found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
        for _ in range(args.repeats if inference == "laplace" else 1):
            for way in WAYS:
                found[way].append(ours("fit", data=args.data, inference=inference, structure=way, fits=1, warm=True))
        one, all_ = (Spread.of([run["seconds"][0] for run in found[way]]) for way in WAYS)
        families = [found[way][-1]["families"] for way in WAYS]
        distrusted = [len(found[way][-1]["distrusted"]) for way in WAYS]
        lines.append([inference, one, all_, f"{all_.median / one.median:.1f}", *families, *distrusted])
    head = ["inference", "one greedy graph (s)", "posterior (s)", "ratio", "families, greedy", "families, posterior"]
    report.table([*head, "distrusted, greedy", "distrusted, posterior"], lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Time learning, then fits."""
    parser = options(__doc__, peer=False)
    parser.add_argument("--seed", type=int, default=1, help="of the simulated tables")
    parser.add_argument("--inference", nargs="*", choices=("laplace", "nuts"), default=["laplace", "nuts"])
    parser.add_argument("--parts", nargs="+", choices=("learning", "fitting"), default=["learning", "fitting"])
    args = parser.parse_args(arguments)
    report = Report("Time of structure learning")
    with tempfile.TemporaryDirectory() as folder:
        if "learning" in args.parts:
            learning(args, report, folder)
    if "fitting" in args.parts:
        fitting(args, report)
    report.write(args.out)


if __name__ == "__main__":
    main()

"""Fit time against rows and columns, with where it goes; writes a page and a plot."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from _timing import Report, figure, options, ours

from bayesynth.datasets import simulate_network

mpl.use("Agg")

ROWS, COLUMNS = (200, 500, 1000, 2000, 5000, 20_000), (5, 10, 20, 40, 60)
AT_ROWS, AT_COLUMNS = 500, 15
STAGES = ("encode", "structure", "posterior", "rest", "sample")
INFERENCES = ("laplace", "nuts")
Cell = dict[str, Any]


def measure(args: Any, inference: str, rows: int, columns: int, folder: str) -> Cell:
    """The run of median fit time over repeats, each in a fresh process with warm caches."""
    path = Path(folder) / f"n{rows}_p{columns}.pkl"
    simulate_network(columns, rows, random_seed=args.seed).table.to_pickle(path)
    runs = [ours("stages", data=str(path), inference=inference, rows=rows) for _ in range(args.repeats)]
    middle = sorted(runs, key=lambda run: run["fit"])[len(runs) // 2]
    return {"rows": rows, "columns": columns, "inference": inference, **middle}


def sweep(args: Any, inference: str, cells: Sequence[tuple[int, int]], report: Report, folder: str) -> list[Cell]:
    """Measure cell after cell; what would probably take longer than the limit is left out."""
    found: list[Cell] = []
    for rows, columns in cells:
        if found:
            growth = (rows / found[-1]["rows"]) * (columns / found[-1]["columns"]) ** 1.5
            expected = found[-1]["fit"] * growth
            if expected > args.limit:
                text = f"{inference} at {rows:,} rows and {columns} columns is left out"
                report.note(f"{text}: it would take about {expected:.0f} s, more than the limit of {args.limit:.0f} s")
                break
        found.append(measure(args, inference, rows, columns, folder))
        report.versions("ours", found[-1]["versions"])
        print(f"{inference}, {rows} rows, {columns} columns: {figure(found[-1]['fit'])} s", flush=True)
    return found


def tabulate(report: Report, cells: list[Cell]) -> None:
    """One row per fit: its time, and the stages as seconds."""
    head = [
        "rows",
        "columns",
        "inference",
        "fit (s)",
        *(f"{stage} (s)" for stage in STAGES[:-1]),
        "draw as many rows (s)",
    ]
    report.table(
        head,
        [
            [f"{cell['rows']:,}", cell["columns"], cell["inference"], figure(cell["fit"])]
            + [figure(cell[stage]) for stage in STAGES]
            for cell in cells
        ],
    )


def plot(path: Path, by_rows: list[Cell], by_columns: list[Cell]) -> None:
    """Fit time of both inferences, and the stages of each, on logarithmic axes."""
    import matplotlib.pyplot as plt

    figure_, axes = plt.subplots(2, 2, figsize=(9, 7), sharey=True, layout="constrained")
    for row, (cells, key, others) in enumerate(
        ((by_rows, "rows", f"{AT_COLUMNS} columns"), (by_columns, "columns", f"{AT_ROWS} rows"))
    ):
        for axis, inference in zip(axes[row], INFERENCES, strict=True):
            mine = [cell for cell in cells if cell["inference"] == inference]
            x = [cell[key] for cell in mine]
            axis.loglog(x, [cell["fit"] for cell in mine], "k-o", lw=2, ms=4, label="fit")
            for stage in STAGES:
                axis.loglog(x, [max(cell[stage], 1e-4) for cell in mine], "--", marker=".", lw=1, label=stage)
            axis.set(title=f"{inference}, {others}", xlabel=key, xticks=x, xticklabels=[f"{v:,}" for v in x])
            axis.minorticks_off()
            axis.grid(alpha=0.3)
        axes[row, 0].set_ylabel("seconds")
    axes[0, 0].legend(fontsize=8)
    figure_.savefig(path, dpi=120)


def main() -> None:
    """Measure, print, write."""
    parser = options(__doc__, peer=False, data=False, repeats=1)
    parser.add_argument("--limit", type=float, default=180, help="seconds above which a cell is left out")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--columns", type=int, nargs="+", default=COLUMNS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="a .png file to write")
    args = parser.parse_args()
    report = Report("How fit time grows")
    report.note("Tables from `bayesynth.datasets.simulate_network`, a tenth blank in half the columns")
    report.note("Each figure is from a process with engines loaded and compiled; NUTS with 4 chains of 500 + 500 draws")
    by_rows: list[Cell] = []
    by_columns: list[Cell] = []
    with tempfile.TemporaryDirectory() as folder:
        for inference in INFERENCES:
            by_rows += sweep(args, inference, [(n, AT_COLUMNS) for n in args.rows], report, folder)
            by_columns += sweep(args, inference, [(AT_ROWS, p) for p in args.columns], report, folder)
    tabulate(report, by_rows)
    tabulate(report, by_columns)
    report.write(args.out)
    if args.plot:
        plot(args.plot, by_rows, by_columns)


if __name__ == "__main__":
    main()

"""Rows from a saved NUTS fit against SDV GaussianCopula and TVAE, then time and memory up to a million rows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from _timing import Report, Spread, alternate, figure, options, ours, peer

PEERS = {"SDV GaussianCopula": "GaussianCopulaSynthesizer", "SDV TVAE": "TVAESynthesizer"}
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
TOLERANCE = 1.3  # the last size may cost this much more per row than the middle one and still count as linear


def compare(report: Report, args: object, fit: str, folder: str, table: dict[str, object]) -> None:
    """Draw the same number of rows from every side, in fresh processes."""
    sides = {"ours": lambda: ours("sample", path=fit, rows=args.rows, times=2)}
    for label, name in PEERS.items():
        path = str(Path(folder) / f"{name}.pkl")
        peer(args.peer_python, "sdv_fit", name=name, path=path, **table)
        sides[label] = lambda path=path: peer(args.peer_python, "sdv_sample", path=path, rows=args.rows, times=2)
    runs = alternate(sides, args.repeats)
    report.versions("peers", runs["SDV TVAE"][0]["versions"])
    firsts = {label: Spread.of([run["seconds"][0] for run in found]) for label, found in runs.items()}
    seconds = {label: Spread.of([run["seconds"][1] for run in found]) for label, found in runs.items()}
    head = ["side", f"first {args.rows:,} rows (s)", "second (s)", "first / ours"]
    report.table(head, [[s, firsts[s], seconds[s], figure(firsts[s].median / firsts["ours"].median)] for s in runs])
    for label in PEERS:
        ratio = firsts[label].median / firsts["ours"].median
        report.verdict(f"{args.rows:,} rows are drawn faster than by {label} ({figure(ratio)} times)", ratio > 1)


def linear(report: Report, fit: str, sizes: Sequence[int], repeats: int) -> None:
    """Time and peak memory of fresh processes, by rows."""
    rows, per_row, memory = [], {}, {}
    for size in sizes:
        runs = [ours("sample", path=fit, rows=size) for _ in range(repeats)]
        time = Spread.of([run["seconds"][0] for run in runs])
        peak = Spread.of([run["peak_mb"] for run in runs])
        growth = peak.median - Spread.of([run["before_mb"] for run in runs]).median
        per_row[size], memory[size] = 1e6 * time.median / size, 1e3 * growth / size
        rows.append([f"{size:,}", time, figure(per_row[size]), f"{peak.median:.0f}", figure(memory[size])])
    report.table(["rows", "seconds", "microseconds a row", "peak MB", "kB a row above the loaded fit"], rows)
    middle, last = sizes[len(sizes) // 2], sizes[-1]
    for what, cost in (("time", per_row), ("memory", memory)):
        ratio = cost[last] / cost[middle]
        text = f"{what} is linear: a row costs {figure(ratio)} times as much at {last:,} as at {middle:,}"
        report.verdict(text, ratio <= TOLERANCE)


def main() -> None:
    """Measure, print, judge."""
    parser = options(__doc__, repeats=3)
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the comparison")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="rows of the test for linearity")
    parser.add_argument("--inference", default="nuts", help="nuts or laplace (for a trial run)")
    args = parser.parse_args()
    report = Report("Drawing rows")
    with tempfile.TemporaryDirectory() as folder:
        table = ours("export", data=args.data, folder=folder)
        saved = ours("save", data=args.data, inference=args.inference, path=str(Path(folder) / "fit.bayesynth"))
        report.versions("ours", saved["versions"])
        compare(report, args, saved["path"], folder, table)
        linear(report, saved["path"], args.sizes, args.repeats)
    report.write(args.out)


if __name__ == "__main__":
    main()

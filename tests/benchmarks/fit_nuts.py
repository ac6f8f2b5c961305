"""NUTS fit of a clinical table against SDV CTGAN with its defaults, and the fit with a cold compile cache."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from _timing import Report, Row, Spread, alternate, cold_cache, figure, options, ours, peer, wall

PEER = "SDV CTGAN"
DEMO = [sys.executable, "-m", "bayesynth", "demo"]
DEMO_LIMITS = {"cold": 120.0, "warm": 40.0}


def rows_of(runs: dict[str, list[dict[str, Any]]]) -> list[Row]:
    """First and second fits of each side, and what imports took."""
    rows = []
    for name, found in runs.items():
        fits = [Spread.of(times) for times in zip(*(run["seconds"] for run in found), strict=True)]
        second = fits[1] if len(fits) > 1 else "-"
        rows.append([name, Spread.of([run["import"] for run in found]), fits[0], second])
    return rows


def judge(report: Report, runs: dict[str, list[dict[str, Any]]]) -> None:
    """Compare the first fit with the faster peer, and look at convergence."""
    first = {name: Spread.of([run["seconds"][0] for run in found]).median for name, found in runs.items()}
    best = min(value for name, value in first.items() if name.startswith(PEER))
    ratio = best / first["ours"]
    report.verdict(f"our first fit is no slower than {PEER} (peer / ours = {figure(ratio)})", ratio >= 1)
    ess = min(run["min_ess_bulk"] for run in runs["ours"])
    rhat = max(run["max_rhat"] for run in runs["ours"])
    divergences = sum(run["divergences"] for run in runs["ours"])
    report.verdict(f"bulk ESS of every family is at least 400 (least: {ess:.0f})", ess >= 400)
    report.verdict(f"R-hat of every family is at most 1.01 (largest: {rhat:.4f})", rhat <= 1.01)
    report.verdict(f"no divergences ({divergences})", divergences == 0)


def demo(env: dict[str, str]) -> float | None:
    """Seconds of the whole demo command in an empty folder; None while there is no such command."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return wall(DEMO, Path(folder), env)
        except Exception as error:
            print(f"the demo does not run: {str(getattr(error, 'stderr', None) or error)[-300:]}")
            return None


def cold(report: Report, data: str, demos: int) -> None:
    """Fit and demo with empty compile caches, and the demo with warm ones."""
    with cold_cache() as env:
        seconds = ours("fit", env, data=data, inference="nuts", fits=1)["seconds"][0]
    report.table(["cold compile cache", "seconds"], [["first fit", figure(seconds)]])
    times: dict[str, list[float | None]] = {"cold": [], "warm": []}
    for _ in range(demos):
        with cold_cache() as env:
            times["cold"].append(demo(env))
        times["warm"].append(demo({}))
    for cache, found in times.items():
        took = [t for t in found if t is not None]
        if took:
            limit = DEMO_LIMITS[cache]
            text = f"`bayesynth demo` with a {cache} cache takes under {limit:.0f} s: {Spread.of(took)} s"
            report.verdict(text, Spread.of(took).median < limit)


def main() -> None:
    """Measure, print, judge."""
    parser = options(__doc__, repeats=3)
    parser.add_argument("--demos", type=int, default=1, help="runs of the demo command, cold and warm")
    args = parser.parse_args()
    report = Report("NUTS fit against CTGAN")
    with tempfile.TemporaryDirectory() as folder:
        table = ours("export", data=args.data, folder=folder)
        ours("fit", data=args.data, inference="nuts", fits=1)  # warms the compile cache
        sides = {"ours": lambda: ours("fit", data=args.data, inference="nuts", fits=2)}
        for label, threads in (("default threads", None), ("1 thread", 1)):
            sides[f"{PEER}, {label}"] = lambda threads=threads: peer(
                args.peer_python, "sdv_fit", name="CTGANSynthesizer", threads=threads, **table
            )
        runs = alternate(sides, args.repeats)
    for name, found in runs.items():
        report.versions("ours" if name == "ours" else "peer", found[0]["versions"])
    report.table(["side", "imports (s)", "first fit (s)", "second fit (s)"], rows_of(runs))
    report.note("our first fit loads PyMC on the way; imports are the package itself, or SDV with torch")
    judge(report, runs)
    cold(report, args.data, args.demos)
    report.write(args.out)


if __name__ == "__main__":
    main()

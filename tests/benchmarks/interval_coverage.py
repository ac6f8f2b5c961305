"""Coverage of 95% intervals from synthetic tables: true model, known graph, learned graph, naive analysis, SDV."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _cache import Cache
from _coverage_runs import KNOWN, LEARNED, NAIVE, NUTS, SDV, TRUE, Key, naively, of_sdv, ours
from _coverage_worlds import TRUTH, analyse, world
from _ours import versions
from _timing import Report, peer
from joblib import Parallel, delayed

LOW, HIGH = 0.93, 0.97
ROWS, BLANKS = (100, 200, 500), ("complete", "mcar")
SOURCES = (TRUE, KNOWN, LEARNED, *SDV)
SLOW = ("CTGAN", KNOWN + NUTS, LEARNED + NUTS)
AT_ONCE = 10  # tables of one process of a peer; tables between two looks at the cache, of each of our processes
HEAD = ["blanks", "rows", "source", "analysed", "coverage", "lowest", "highest", "width", "largest bias", "repeats"]
Results = Sequence[Mapping[str, Any]]


def check(python: str, report: Report) -> None:
    """Our own quick analyses must be those of statsmodels and lifelines."""
    with tempfile.TemporaryDirectory() as folder:
        for blanks in BLANKS:
            frame, path = world(300, blanks, 1), Path(folder) / f"{blanks}.csv"
            frame.to_csv(path, index=False)
            answer, mine = peer(python, "analyse_elsewhere", data=str(path)), analyse(frame)
            for name, theirs in answer["estimates"].items():
                np.testing.assert_allclose(mine[name], theirs, rtol=2e-3, atol=1e-6, err_msg=name)
    report.versions("analyses", answer["versions"])
    report.note("Our analyses give what statsmodels and lifelines give, to 0.2%.")


def fill(args: Any, cache: Cache, keys: list[Key], report: Report) -> Results:
    """Run what the cache lacks, some repeats at a time; a killed run loses only those."""
    source = keys[0][-1]

    def run(some: list[Key]) -> dict[str, Any]:
        workers = Parallel(n_jobs=args.jobs)
        if source in SDV:
            parts = [some[i : i + AT_ONCE] for i in range(0, len(some), AT_ONCE)]
            found = [one for part in workers(delayed(of_sdv)(p, args.peer_python) for p in parts) for one in part]
        else:
            found = workers(delayed(ours)(key) for key in some)
        return {"tables": found, "versions": versions()}

    step, found = AT_ONCE * args.jobs, []
    for first in range(0, len(keys), step):
        found += cache.fill(keys[first : first + step], run)
    report.versions("ours", found[0]["versions"])
    if source in SDV:
        report.versions("SDV", found[0]["peer"])
    return found


def cells(args: Any) -> Iterator[tuple[str, int, str, list[Key]]]:
    """Blanks, rows, source, and the keys of their repeats."""
    for blanks in args.blanks:
        for rows in args.rows:
            for source in args.sources:
                repeats = args.slow_repeats if source in SLOW else args.repeats
                keys = [(blanks, str(rows), str(seed), source) for seed in range(1, repeats + 1)]
                yield blanks, rows, source, keys


def summary(results: Results, way: str) -> dict[str, Any]:
    """Coverage of each estimand, width beside the real table's, bias in standard errors of the real table."""
    ends = np.array([[r["ways"][way][name] for name in TRUTH] for r in results if way in r["ways"]])
    truth = np.array(list(TRUTH.values()))
    covered = (ends[:, :, 1] <= truth) & (truth <= ends[:, :, 2])
    return {
        "covered": covered,
        "each": dict(zip(TRUTH, covered.mean(axis=0), strict=True)),
        "width": np.median(ends[:, :, 2] - ends[:, :, 1], axis=0),
        "bias": (ends[:, :, 0] - truth).mean(axis=0),
    }


def of_real_tables(blanks: str, rows: int, repeats: int) -> dict[str, Any]:
    """The same of the real tables themselves."""
    return summary([{"ways": {"": naively(world(rows, blanks, seed))}} for seed in range(1, repeats + 1)], "")


def line(cell: tuple[str, int, str], way: str, found: Mapping[str, Any], real: Mapping[str, Any]) -> list[object]:
    """One row of the table."""
    covered, each = found["covered"], found["each"]
    error = covered.mean(axis=1).std(ddof=1) / np.sqrt(len(covered)) if len(covered) > 1 else np.nan
    low, high = min(each, key=each.get), max(each, key=each.get)
    in_errors = found["bias"] / (real["width"] / (2 * 1.96))
    worst = int(np.argmax(np.abs(in_errors)))
    shown = [
        f"{100 * covered.mean():.1f} ± {196 * error:.1f}",
        f"{100 * each[low]:.0f} ({low})",
        f"{100 * each[high]:.0f}",
    ]
    width, bias = np.median(found["width"] / real["width"]), f"{in_errors[worst]:+.2f} ({list(TRUTH)[worst]})"
    return [*cell, way, *shown, f"{width:.2f}", bias, len(covered)]


def remarks(cell: str, found: Results, report: Report) -> None:
    """Say how long it took, what failed, and of what was warned."""
    seconds, n = np.mean([result["seconds"] for result in found]), len(found)
    warned = {name for result in found for name in result["warnings"]}
    counts = {name: sum(name in result["warnings"] for result in found) for name in sorted(warned)}
    told = "; ".join(f"{name} in {count} of {n}" for name, count in counts.items())
    report.note(f"{cell}: {seconds:.1f} s a repeat{'; ' + told if told else ''}")
    failures = [result["failed"] for result in found if result["failed"]]
    if failures:
        report.note(f"{cell}: an analysis failed in {len(failures)} of {n}, such as {failures[0]}")


def judge(what: str, found: Mapping[str, Any], report: Report) -> None:
    """Hold the true model and the known graph to the target, on average and for every estimand."""
    mean, noise = found["covered"].mean(), 1.96 * np.sqrt(0.95 * 0.05 / len(found["covered"]))
    report.verdict(f"{what}: mean coverage {mean:.3f} in [{LOW}, {HIGH}]", LOW <= mean <= HIGH)
    outside = {name: c for name, c in found["each"].items() if not LOW - noise <= c <= HIGH + noise}
    if outside:
        named = ", ".join(f"{name} {c:.3f}" for name, c in outside.items())
        report.note(f"{what}: outside the target by more than chance: {named}")


def arguments(given: Sequence[str] | None) -> Any:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", help="interpreter of an environment with sdv, statsmodels and lifelines")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--blanks", nargs="+", choices=(*BLANKS, "mar"), default=list(BLANKS))
    parser.add_argument("--sources", nargs="+", choices=(*SOURCES, *SLOW), default=list(SOURCES))
    parser.add_argument("--repeats", type=int, default=300, help="real tables of each cell")
    parser.add_argument("--slow-repeats", type=int, default=50, help=f"the same for {', '.join(SLOW)}")
    parser.add_argument("--cache", type=Path, help="a .jsonl file of results; a killed run goes on from it")
    parser.add_argument("--again", nargs="*", default=[], help="sources to run again, by how they start")
    parser.add_argument("--out", type=Path, help="a .md or .json file to write")
    args = parser.parse_args(given)
    if args.peer_python is None:
        args.sources = [source for source in args.sources if source not in SDV]
    return args


def main(given: Sequence[str] | None = None) -> None:
    """Run what is missing, then say how often intervals held the truth."""
    args = arguments(given)
    report = Report("Coverage of 95% intervals from synthetic tables")
    if args.peer_python:
        check(args.peer_python, report)
    rows, judged = [], []
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(args.cache or Path(folder) / "coverage.jsonl", args.again)
        real: dict[tuple[str, int], Mapping[str, Any]] = {}
        for blanks, n, source, keys in cells(args):
            if (blanks, n) not in real:
                real[blanks, n] = of_real_tables(blanks, n, args.repeats)
                rows.append(line((blanks, n, "-"), "real table", real[blanks, n], real[blanks, n]))
            found, cell = fill(args, cache, keys, report), f"{blanks}, {n} rows, {source}"
            for way in dict.fromkeys(way for result in found for way in result["ways"]):
                told = summary(found, way)
                rows.append(line((blanks, n, source), way, told, real[blanks, n]))
                if source in (TRUE, KNOWN) and not way.startswith(NAIVE):
                    judged.append((f"{cell}, {way}", told))
            remarks(cell, found, report)
    report.table(HEAD, rows)
    report.note(
        "Coverage in percent, mean over nine estimands with its Monte Carlo error; width beside the real table's."
    )
    report.note("Bias is the largest over the estimands, in standard errors of the analysis of the real table.")
    for one in judged:
        judge(*one, report)
    report.write(args.out)


if __name__ == "__main__":
    main()

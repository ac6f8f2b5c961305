"""Recovery of the discrete networks that pgmpy ships, beside pgmpy's and pyAgrum's searches with the same scores."""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _cache import Cache
from _networks import Codes, Truth, judge
from _timing import Report, figure, ours, peer

NETWORKS = ("asia", "sachs", "child", "insurance", "alarm", "hepar2")
HELD_OUT = 10_000
QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
PEERS = {
    "pgmpy HC BIC": ("pgmpy", {"score": "bic"}),
    "pgmpy HC BDeu": ("pgmpy", {"score": "bdeu"}),
    "pyAgrum HC BIC": ("agrum", {"score": "bic", "tabu": False}),
    "pyAgrum tabu BIC": ("agrum", {"score": "bic", "tabu": True}),
    "pyAgrum tabu BDeu": ("agrum", {"score": "bdeu", "tabu": True}),
}
SCORES = ("bic", "bdeu")
ROUNDS_FOR_THE_BEST = 2  # the peers' scores have no prior: with a uniform one, only our best graph is looked at
HEAD = ["network", "rows", "method", "distance of CPDAGs", "edges", "BIC", "BDeu", "held out", "seconds"]
Figures = dict[str, float]


@dataclass(frozen=True)
class Cell:
    """All graphs of one network at one number of rows, judged: a list over tables for each method."""

    network: str
    rows: int
    truth: list[Figures]
    found: Mapping[str, list[Figures]]
    score_of: Mapping[str, str]

    def mean(self, method: str, what: str) -> float:
        """Mean of a figure over the tables."""
        return statistics.mean(one[what] for one in self.found[method])

    def gap(self, method: str, what: str) -> float:
        """Mean of a log score above that of the true graph."""
        return statistics.mean(a[what] - b[what] for a, b in zip(self.found[method], self.truth, strict=True))

    def row(self, method: str) -> list[object]:
        """One line of the table."""
        distances = [int(one["distance"]) for one in self.found[method]]
        spread = f"{statistics.mean(distances):.1f} ({min(distances)}-{max(distances)})"
        gaps = [f"{self.gap(method, score):+.1f}" for score in SCORES]
        edges, held_out = f"{self.mean(method, 'edges'):.1f}", f"{self.mean(method, 'held_out'):.3f}"
        return [self.network, self.rows, method, spread, edges, *gaps, held_out, figure(self.mean(method, "seconds"))]

    def shortfall(self, score: str) -> float:
        """Largest amount, over tables, by which a peer's best graph under a score beats our best one."""
        short = []
        for i in range(len(self.truth)):
            mine = [f[i][score] for m, f in self.found.items() if m.startswith("ours") and self.score_of[m] == score]
            theirs = [f[i][score] for m, f in self.found.items() if m in PEERS and self.score_of[m] == score]
            short.append(max(theirs) - max(mine))
        return max(short)


def searches(args: Any) -> dict[str, tuple[str, Callable[[list[str]], dict[str, Any]]]]:
    """Score and search of every method; a search takes tables and answers like a task."""

    def of_ours(score: str, prior: str) -> Callable[[list[str]], dict[str, Any]]:
        options = {"score": score, "prior": prior} | ({"equivalent_sample_size": 1} if score == "bdeu" else {})
        options |= {"rounds": ROUNDS_FOR_THE_BEST} if prior == "uniform" else {}
        return lambda tables: ours("learn_structure", QUIET, tables=tables, options=options)

    def of_peer(name: str) -> Callable[[list[str]], dict[str, Any]]:
        package, options = PEERS[name]
        python = args.peer_python if package == "pgmpy" else args.agrum_python
        limit = args.limit if package == "pgmpy" else None
        return lambda tables: peer(
            python, f"{package}_search", QUIET, tables=[{"data": t} for t in tables], limit=limit, **options
        )

    mine = {f"ours {score}, {prior} prior": (score, of_ours(score, prior)) for score, prior in args.ours}
    return mine | {name: (PEERS[name][1]["score"], of_peer(name)) for name in args.peers}


def measure(args: Any, network: str, rows: int, cache: Cache, report: Report) -> Cell:
    """Run every method on all tables of one cell, and judge what they found."""
    folder = args.cache / network
    paths = [folder / f"{rows}_{k}.csv" for k in range(1, args.repeats + 1)]
    truth, tables = Truth.read(folder), [Codes.read(path) for path in paths]
    at_truth = [judge(table, truth, truth.dag.edges) for table in tables]
    found: dict[str, list[Figures]] = {}
    score_of: dict[str, str] = {}
    for method, (score, search) in searches(args).items():
        keys = [(network, str(rows), str(k), method) for k in range(1, args.repeats + 1)]
        results = cache.fill(keys, lambda some, s=search: s([str(folder / f"{rows}_{key[2]}.csv") for key in some]))
        report.versions(method.split()[0], results[0]["versions"])
        if any(one["edges"] is None for one in results):
            report.note(f"{network}, {rows:,} rows: {method} took more than {args.limit:.0f} s")
            continue
        kinds = {"median": "edges", "best": "best"} if "best" in results[0] else {"": "edges"}
        if "uniform" in method:
            del kinds["median"]
        for label, where in kinds.items():
            name = f"{method}, {label}" if label else method
            judged = [judge(t, truth, one[where]) for t, one in zip(tables, results, strict=True)]
            found[name] = [j | {"seconds": one["seconds"]} for j, one in zip(judged, results, strict=True)]
            score_of[name] = score
        unsure = sum(not one.get("converged", True) for one in results)
        if unsure and "median" in kinds:
            report.note(f"{network}, {rows:,} rows: {method} did not converge on {unsure} of {len(results)} tables")
    return Cell(network, rows, at_truth, found, score_of)


def verdicts(report: Report, cell: Cell) -> None:
    """Say where we are at least as good as the best peer."""
    where = f"{cell.network}, {cell.rows:,} rows"
    mine = {m: cell.mean(m, "distance") for m in cell.found if m.startswith("ours") and m.endswith("median")}
    theirs = {m: cell.mean(m, "distance") for m in cell.found if m in PEERS}
    if mine and theirs:
        first, best = next(iter(mine)), min(theirs, key=theirs.__getitem__)
        text = f"{where}: distance of {first} ({mine[first]:.1f}) is at most that of {best} ({theirs[best]:.1f})"
        report.verdict(text, mine[first] <= theirs[best])
    for score in SCORES:
        sides = {m.startswith("ours") for m in cell.found if cell.score_of[m] == score}
        if sides == {True, False}:
            lead = round(-cell.shortfall(score), 6) + 0.0
            text = f"{where}: our best log {score} is at least the peers' best on every table (worst {lead:+.2f})"
            report.verdict(text, lead >= 0)


def arguments(argv: Sequence[str] | None = None) -> Any:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True, help="interpreter of an environment with pgmpy 1.1.2")
    parser.add_argument("--agrum-python", help="interpreter of an environment with pyAgrum; leave out to skip it")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--repeats", type=int, default=3, help="tables of each network and size")
    parser.add_argument(
        "--ours", nargs="*", default=["bdeu:fair", "bdeu:uniform", "bic:uniform"], help="SCORE:PRIOR of our runs"
    )
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS), help="by name; none to skip")
    parser.add_argument("--limit", type=float, default=1200.0, help="seconds after which pgmpy is stopped")
    parser.add_argument("--cache", type=Path, default=Path("networks"), help="folder of tables and results, kept")
    parser.add_argument("--again", nargs="*", default=[], help="methods to run again, by how they start, such as ours")
    parser.add_argument("--out", type=Path, help="a .md or .json file to write")
    args = parser.parse_args(argv)
    args.ours = [tuple(one.split(":")) for one in args.ours]
    if args.agrum_python is None:
        args.peers = [name for name in args.peers if PEERS[name][0] != "agrum"]
    return args


def main() -> None:
    """Draw, search, judge, print."""
    args = arguments()
    args.cache.mkdir(parents=True, exist_ok=True)
    report = Report("Known discrete networks")
    report.note(f"Peers and our runs on one thread; {args.repeats} tables each; held out: {HELD_OUT:,} rows, mean log")
    design = {"names": args.networks, "rows": args.rows, "repeats": args.repeats, "held_out": HELD_OUT}
    peer(args.peer_python, "network_tables", QUIET, folder=os.fspath(args.cache.resolve()), **design)
    args.cache, cache = args.cache.resolve(), Cache(args.cache / "results.jsonl", args.again)
    cells = [measure(args, network, rows, cache, report) for network in args.networks for rows in args.rows]
    lines = []
    for cell in cells:
        whole = statistics.mean(one["held_out"] for one in cell.truth)
        lines.append([cell.network, cell.rows, "the true graph", "0", int(cell.truth[0]["edges"]), *["+0.0"] * 2])
        lines[-1] += [f"{whole:.3f}", "-"]
        lines += [cell.row(method) for method in cell.found]
    report.table(HEAD, lines)
    for cell in cells:
        verdicts(report, cell)
    report.note("BIC and BDeu (equivalent sample size 1) are means of the difference from the true graph's, one scorer")
    report.write(args.out)


if __name__ == "__main__":
    main()

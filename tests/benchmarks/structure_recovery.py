"""Recovery of mixed networks with blanks, and calibration of what is said of them, beside other structure learners."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from _agreement import Found, calibration_error, plot_reliability, pooled
from _cache import Cache
from _timing import Report, figure, ours, peer
from _worlds import World, mixed_world, model_world

NODES, ROWS = (10, 20, 40), (100, 300, 1000, 5000)
MODEL_CELLS = ("6:200", "7:200", "8:200")
QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
AT_A_TIME = 5
TARGET = 0.03
SLOW = ("sumu", "ours bootstrap")
OURS = ("posterior", "greedy", "bootstrap")
BINS, LIMIT = 3, 600  # of numbers where a peer needs levels; seconds of a peer's search
PEERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "pgmpy HC BIC": ("pgmpy", "pgmpy_search", {"score": "bic", "bins": BINS, "limit": LIMIT}),
    "causal-learn PC chi2": ("causal", "causal_learn", {"method": "pc chisq", "bins": BINS, "limit": LIMIT}),
    "causal-learn PC Fisher": ("causal", "causal_learn", {"method": "pc fisherz", "limit": LIMIT}),
    "causal-learn GES BIC": ("causal", "causal_learn", {"method": "ges", "limit": LIMIT}),
    "sumu BDeu": ("sumu", "sumu_sample", {"bins": BINS}),
}
HEAD = ["nodes", "rows", "method", "average precision", "distance of CPDAGs", "precision", "recall"]
HEAD += ["calibration error", "of directed edges", "seconds", "tables"]
Tables = list[dict[str, Any]]


def searches(args: Any) -> dict[str, Callable[[Tables], dict[str, Any]]]:
    """The methods that can run, each a function of stored tables that answers like a task."""
    options = {"score": args.score, "prior": args.prior}

    def of_ours(structure: str) -> Callable[[Tables], dict[str, Any]]:
        return lambda tables: ours(
            "learn_structure", QUIET, tables=[t["pickle"] for t in tables], structure=structure, options=options
        )

    def of_peer(python: str, task: str, more: Mapping[str, Any]) -> Callable[[Tables], dict[str, Any]]:
        return lambda tables: peer(
            python, task, QUIET, tables=[{k: t[k] for k in ("data", "numeric")} for t in tables], **more
        )

    found = {f"ours {structure}, {args.score} {args.prior}": of_ours(structure) for structure in OURS}
    for name, (package, task, more) in PEERS.items():
        python = getattr(args, f"{package}_python")
        if python:
            found[name] = of_peer(python, task, more)
    return {name: search for name, search in found.items() if not args.methods or name.startswith((*args.methods,))}


def posterior_of(args: Any) -> str:
    """Name of our posterior among the methods."""
    return f"ours posterior, {args.score} {args.prior}"


def measure(args: Any, cell: tuple[int, int], cache: Cache, folder: Path, report: Report) -> dict[str, list[Found]]:
    """Run every method on all tables of a cell, a few at a time, and compare with the truth."""
    nodes, rows = cell
    found: dict[str, list[Found]] = {name: [] for name in args.searches}
    for first in range(1, args.repeats + 1, AT_A_TIME):
        seeds = range(first, min(first + AT_A_TIME, args.repeats + 1))
        worlds = {seed: args.world(nodes, rows, seed) for seed in seeds}
        stored = {seed: world.store(folder / f"{nodes}_{rows}_{seed}") for seed, world in worlds.items()}
        for name, search in args.searches.items():
            most = args.slow_repeats if name.startswith(SLOW) else args.repeats
            keys = {(args.label, str(nodes), str(rows), str(k), name): stored[k] for k in seeds if k <= most}
            if not keys:
                continue
            results = cache.fill(list(keys), lambda some, s=search, t=keys: s([t[key] for key in some]))
            report.versions(name.split()[0], results[0]["versions"])
            for world, result in zip(worlds.values(), results, strict=False):
                if result.get("edges", ()) is not None:
                    found[name].append(Found.of(world.truth, result, list(world.table)))
            unsure = sum(not result.get("converged", True) for result in results)
            if unsure:
                report.note(f"{nodes} nodes, {rows:,} rows: {name} did not converge on {unsure} of {len(results)}")
    return {name: some for name, some in found.items() if some}


def row(cell: tuple[int, int], name: str, found: list[Found]) -> list[object]:
    """One method's figures in one cell."""
    precisions = [one.average_precision() for one in found]
    distances = [one.distance for one in found]
    shares = [statistics.mean(s) for s in zip(*(one.shares() for one in found), strict=True)]
    errors = [pooled(found, what) for what in ("adjacent", "directed")]
    return [
        *cell,
        name,
        f"{statistics.mean(precisions):.3f} ({min(precisions):.2f}-{max(precisions):.2f})",
        f"{statistics.mean(distances):.1f} ({min(distances)}-{max(distances)})",
        *(f"{share:.2f}" for share in shares),
        *(f"{calibration_error(*pool):.3f}" if len(pool[0]) else "-" for pool in errors),
        figure(statistics.mean(one.seconds for one in found)),
        len(found),
    ]


def judge(args: Any, cells: Mapping[tuple[int, int], dict[str, list[Found]]], report: Report) -> None:
    """Say what holds of the posterior: calibrated on its own model, ahead of the others elsewhere."""
    name = posterior_of(args)
    mine = [one for found in cells.values() for one in found.get(name, ())]
    if not mine:
        return
    if args.simulator == "model":
        for what in ("adjacent", "directed"):
            said, held = pooled(mine, what)
            middle = (said > 0.05) & (said < 0.95)
            error, between = calibration_error(said, held), calibration_error(said[middle], held[middle])
            text = f"{what} pairs: calibration error {error:.4f} below {TARGET} ({len(said):,} pooled)"
            report.verdict(text, error < TARGET)
            report.note(f"{what} pairs between .05 and .95 alone: {between:.4f} ({middle.sum():,} pooled)")
        return
    for cell, found in cells.items():
        precisions = {m: [one.average_precision() for one in f] for m, f in found.items()}
        own = precisions.pop(name, [])
        for method, theirs in precisions.items() if own else ():
            paired = list(zip(own, theirs, strict=False))  # a slow method has seen the first tables alone
            ahead = statistics.mean(a - b for a, b in paired)
            text = f"{cell[0]} nodes, {cell[1]:,} rows: our mean average precision is at least that of {method}"
            report.verdict(f"{text} ({ahead:+.3f} on {len(paired)} tables)", ahead >= 0)


def arguments() -> Any:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for package in ("pgmpy", "sumu", "causal"):
        parser.add_argument(f"--{package}-python", help="interpreter of an environment with it; leave out to skip it")
    parser.add_argument("--simulator", choices=("mixed", "model"), default="mixed", help="model: our own prior")
    parser.add_argument("--cells", nargs="+", help="NODES:ROWS; by default all of 10, 20, 40 and 100 to 5,000")
    parser.add_argument("--repeats", type=int, default=20, help="networks of each cell")
    parser.add_argument("--slow-repeats", type=int, default=3, help=f"the same for {' and '.join(SLOW)}")
    parser.add_argument("--methods", nargs="+", default=[], help="only methods that start like one of these")
    parser.add_argument("--score", default="evidence", help="of our methods")
    parser.add_argument("--prior", default="fair", help="of our methods: fair, uniform")
    parser.add_argument("--effect", type=float, default=0.5)
    parser.add_argument("--blanks", type=float, default=0.1, help="share of blank cells in half of the columns")
    parser.add_argument("--mechanism", choices=("mcar", "mar"), default="mcar")
    parser.add_argument("--cache", type=Path, help="a .jsonl file of results; a killed run goes on from it")
    parser.add_argument("--again", nargs="*", default=[], help="methods to run again, by how they start, such as ours")
    parser.add_argument("--plot", type=Path, help="a .png file of reliability curves of the posterior")
    parser.add_argument("--out", type=Path, help="a .md or .json file to write")
    args = parser.parse_args()
    chosen = args.cells or (MODEL_CELLS if args.simulator == "model" else [f"{p}:{n}" for p in NODES for n in ROWS])
    args.cells = [tuple(map(int, cell.split(":"))) for cell in chosen]
    args.label, args.world = "model", model_world
    if args.simulator == "mixed":
        options = {name: getattr(args, name) for name in ("effect", "blanks", "mechanism")}
        args.label = " ".join(map(str, options.values()))

        def world(nodes: int, rows: int, seed: int) -> World:
            return mixed_world(nodes, rows, seed, **options)

        args.world = world
    args.searches = searches(args)
    return args


def main() -> None:
    """Simulate, search, compare, draw."""
    args = arguments()
    report = Report(f"Recovery of structure from {args.simulator} worlds ({args.label})")
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(args.cache or Path(folder) / "results.jsonl", args.again)
        cells = {cell: measure(args, cell, cache, Path(folder), report) for cell in args.cells}
    report.table(HEAD, [row(cell, name, some) for cell, found in cells.items() for name, some in found.items()])
    judge(args, cells, report)
    if args.plot:
        name = posterior_of(args)
        pools = {f"{p} nodes, {n:,} rows": pooled(f[name], "adjacent") for (p, n), f in cells.items() if name in f}
        if args.simulator == "model":
            every = [one for found in cells.values() for one in found.get(name, ())]
            pools = {"adjacent": pooled(every, "adjacent"), "directed": pooled(every, "directed")}
        plot_reliability(pools, args.plot)
    report.write(args.out)


if __name__ == "__main__":
    main()

"""How well the cause of blanks is read: readings by mechanism, power, informative presence, Little's test."""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _blanks import BLANK, BLANKS, ENDS, MECHANISMS, NOTHING, ONE, PRESENCE, TWO, mixed_blanks, numeric_blanks
from _little import little_test
from _ours import versions
from _timing import Report
from scipy.special import expit

import bayesynth as bs
from bayesynth.encoding.table import CodedSource, EncodedTable, encode_table
from bayesynth.families import Prior
from bayesynth.graphs import Knowledge
from bayesynth.schema import Schema
from bayesynth.structure import BlockEvidence, EvidenceCache, EvidenceScore, SearchSpace
from bayesynth.structure.missingness import detectable_odds_ratio
from bayesynth.synthesis import missingness as names
from bayesynth.synthesis.coding import encode_frame
from bayesynth.synthesis.missingness import read_blocks, reading_of

READINGS = (names.NOTHING, names.TOGETHER, names.COMPLETE, names.INCOMPLETE, names.UNCLEAR)
ROWS, RATIOS = (150, 600), (2.0, 3.0)
TRUE = {
    NOTHING: names.NOTHING,
    ONE: names.COMPLETE,
    TWO: names.COMPLETE,
    ENDS: names.COMPLETE,
    BLANK: names.INCOMPLETE,
    BLANKS: names.TOGETHER,
    PRESENCE: names.COMPLETE,  # the reading cannot tell which way the arrow goes
}
Task = tuple[Any, ...]
Runner = Callable[[Callable[..., Any], Iterable[Task]], list[Any]]


# --- one table ---------------------------------------------------------------------------------------------------


def evidence_of(table: EncodedTable) -> tuple[BlockEvidence, ...]:
    """What is said of each block, without a graph or a fit."""
    space = SearchSpace.of(table.encoding, Knowledge())
    local = EvidenceScore(EvidenceCache(table, Prior()), space, dict.fromkeys(space.nodes, ()))
    return read_blocks(table, local, space, Prior().tau)


def encoded(frame: pd.DataFrame) -> EncodedTable:
    """Write a frame as nodes, of inferred kinds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return encode_frame(frame, Schema.infer(frame), np.random.default_rng(1))[0]


def read_mixed(mechanism: str, n_rows: int, odds_ratio: float, seed: int) -> list[BlockEvidence]:
    """Read the blocks of a mixed table that follow the mechanism."""
    world = mixed_blanks(mechanism, n_rows, odds_ratio, seed)
    table = encoded(world.table)
    targets = {b.name for b in table.encoding.blocks if set(b.columns) & set(world.targets)}
    return [e for e in evidence_of(table) if e.block in targets]


def power_table(n_rows: int, rate: float, n_columns: int, odds_ratio: float, seed: int) -> float:
    """Log Bayes factor for dependence of one block on one of some independent normal columns."""
    rng = np.random.default_rng([seed, n_rows, n_columns])
    X = rng.standard_normal((n_rows, n_columns + 1))
    at, slope = np.linspace(-15, 15, 3001), np.log(odds_ratio)
    rates = expit(at[:, None] + slope * np.random.default_rng(1).standard_normal(4000)).mean(axis=1)
    X[rng.random(n_rows) < expit(np.interp(rate, rates, at) + slope * X[:, 1]), 0] = np.nan
    found = evidence_of(encode_table({f"x{i:02d}": CodedSource(x, (), False) for i, x in enumerate(X.T)}, rng))
    return found[0].log_bayes_factor if found else -np.inf


def presence_graph(n_rows: int, odds_ratio: float, seed: int) -> tuple[float, float]:
    """Probability that the graph has an arrow from an indicator to the column it informs, and the other way."""
    world = mixed_blanks(PRESENCE, n_rows, odds_ratio, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = bs.Synthesizer().learn_structure(world.table, random_seed=seed, progress=False).edge_matrix()
    block = next(name for name in matrix if name.startswith(f"observed({world.targets[0]}"))
    return float(matrix.loc[block, world.informed]), float(matrix.loc[world.informed, block])


def beside_little(mechanism: str, law: str, n_rows: int, odds_ratio: float, seed: int) -> tuple[bool, bool, bool]:
    """Whether Little's test rejects at 5%, and whether some block is said to depend on values, or on anything."""
    frame = numeric_blanks(mechanism, law, n_rows, odds_ratio, seed).table
    said = [reading_of(e) for e in evidence_of(encoded(frame))]
    on_values = any(reading in (names.COMPLETE, names.INCOMPLETE) for reading in said)
    return little_test(frame.to_numpy(float))[2] < 0.05, on_values, on_values or names.TOGETHER in said


# --- parts of the report -----------------------------------------------------------------------------------------


def readings(args: Any, run: Runner, report: Report) -> None:
    """How often each reading is given."""
    head = ["what blanks depend on", "odds ratio", "rows", *(f"{r}" for r in READINGS)]
    head += ["mean p_random", "P(dependence) > .5", "> .9", "blocks"]
    rows, wrong = [], []
    for mechanism in MECHANISMS:
        for n_rows in ROWS:
            for ratio in RATIOS if mechanism != NOTHING else (1.0,):
                tasks = [(mechanism, n_rows, ratio, seed) for seed in range(args.repeats)]
                found = [e for some in run(read_mixed, tasks) for e in some]
                count = Counter(reading_of(e) for e in found)
                shares = [count[reading] / len(found) for reading in READINGS]
                p = np.array([e.p_random for e in found])
                figures = [p.mean(), (p < 0.5).mean(), (p <= 0.1).mean()]
                label = "-" if mechanism == NOTHING else f"{ratio:g}"
                rows.append([mechanism, label, n_rows, *(f"{x:.3f}" for x in [*shares, *figures]), len(found)])
                if mechanism == NOTHING:
                    flagged = figures[-1]
                    report.verdict(f"{n_rows} rows: false alarms in {flagged:.4f} of blocks, below .03", flagged < 0.03)
                misled = {names.TOGETHER, names.COMPLETE, names.INCOMPLETE} - {TRUE[mechanism]}
                wrong.append(sum(count[reading] for reading in misled) / len(found))
    report.table(head, rows)
    report.note(
        f"a dependence of the wrong kind is read in {statistics.mean(wrong):.4f} of blocks, at most {max(wrong):.4f}"
    )


def power(args: Any, run: Runner, report: Report) -> None:
    """Power at the odds ratio that is called detectable, and where the prototype was measured."""
    rows, short = [], []
    for n_columns in (5, 15, 30):
        for n_rows in (150, 600):
            for rate in (0.08, 0.25, 0.5):
                ratio = detectable_odds_ratio(rate, n_rows, n_columns, Prior().tau)
                tasks = [(n_rows, rate, n_columns, ratio, seed) for seed in range(args.repeats)]
                share = float(np.mean([b >= np.log(9) for b in run(power_table, tasks)]))
                rows.append([n_columns, n_rows, rate, f"{ratio:.2f}", f"{share:.3f}"])
                short.append(share)
    report.table(["possible parents", "rows", "blank", "detectable odds ratio", "share noticed"], rows)
    low, high = min(short), max(short)
    report.verdict(
        f"power at the detectable odds ratio is .65 to .95: {low:.3f} to {high:.3f}", low > 0.65 and high < 0.95
    )
    rows = []
    for ratio in (2.0, 3.3):
        for n_rows in (155, 500):
            for rate in (0.1, 0.3):
                tasks = [(n_rows, rate, 12, ratio, seed) for seed in range(args.repeats)]
                found = np.array(run(power_table, tasks))
                shares = [np.mean(found >= np.log(9)), np.mean(found >= np.log(9) - np.log(2)), np.mean(found >= 0)]
                rows.append([f"{ratio:g}", n_rows, rate, *(f"{x:.3f}" for x in shares)])
    head = ["odds ratio", "rows", "blank", "P(dependence) > .9", "the same, prior of 2/3 on dependence"]
    report.table([*head, "P(dependence) > .5"], rows)


def presence(args: Any, run: Runner, report: Report) -> None:
    """What the graph says where an indicator informs a column."""
    rows = []
    for n_rows in ROWS:
        for ratio in RATIOS:
            found = np.array(run(presence_graph, [(n_rows, ratio, seed) for seed in range(args.graphs)]))
            forward, adjacent = found[:, 0], found.sum(axis=1)
            rows.append([f"{ratio:g}", n_rows, *(f"{x:.2f}" for x in (*found.mean(axis=0), (adjacent > 0.5).mean()))])
            rows[-1] += [f"{(forward[adjacent > 0.5] > 0.5).mean():.2f}", len(found)]
    head = ["odds ratio", "rows", "P(indicator -> column)", "P(column -> indicator)", "adjacent in most graphs"]
    report.table([*head, "of these, arrow right in most", "tables"], rows)


def little(args: Any, run: Runner, report: Report) -> None:
    """Little's test beside the readings."""
    rows = []
    for mechanism, laws, ratio in (
        (NOTHING, ("normal", "skewed", "binary"), 1.0),
        (BLANKS, ("normal", "skewed", "binary"), 3.0),
        (ONE, ("normal", "skewed", "binary"), 1.5),
        (ONE, ("normal", "skewed", "binary"), 2.0),
        (ENDS, ("normal", "skewed"), 2.0),
    ):
        for law in laws:
            for n_rows in ROWS:
                tasks = [(mechanism, law, n_rows, ratio, seed) for seed in range(args.repeats)]
                shares = np.mean(run(beside_little, tasks), axis=0)
                label = "-" if mechanism == NOTHING else f"{ratio:g}"
                rows.append([mechanism, label, law, n_rows, *(f"{x:.3f}" for x in shares)])
    head = ["what blanks depend on", "odds ratio", "columns", "rows", "Little rejects at 5%"]
    report.table([*head, "some block depends on values", "on values or other blanks"], rows)


PARTS = {"readings": readings, "power": power, "presence": presence, "little": little}


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, read, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200, help="tables of each setting")
    parser.add_argument("--graphs", type=int, default=20, help="tables whose graph is sampled")
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, help="a .md or .json file to write")
    args = parser.parse_args(arguments)
    report = Report("Readings of the cause of blanks")
    report.versions("ours", versions())
    with ProcessPoolExecutor(args.jobs) as pool:

        def run(function: Callable[..., Any], tasks: Iterable[Task]) -> list[Any]:
            return list(pool.map(function, *zip(*tasks, strict=True)))

        for part in args.parts:
            PARTS[part](args, run, report)
    report.write(args.out)


if __name__ == "__main__":
    main()

"""How often attacks say "worse than floor": where tables know nothing of the fitted rows, and where some are copied."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _cache import Cache, Key
from _ours import versions
from _timing import Report
from _trial import COPIED, SCENARIOS
from scipy.stats import binomtest

from bayesynth.diagnostics.figures import WORSE
from bayesynth.diagnostics.risk import assess_risk

NOMINAL, KEYS = 0.05, ("age", "sex")
SILENT, LEAK = "truth", "10% copied rows"


def one_release(scenario: str, n: int, aside: int, m: int, seed: int) -> dict[str, Any]:
    """Draw fitted rows, rows aside and m synthetic tables, and attack."""
    rng = np.random.default_rng([seed, n, aside, m, list(SCENARIOS).index(scenario)])
    law = SCENARIOS[scenario]
    real, holdout = law.real(n, rng), law.real(aside, rng)
    tables = [law.synthetic(real, n, rng) for _ in range(m)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figures = assess_risk(real, tables, holdout=holdout, keys=KEYS, random_seed=rng, progress=False)
    return {
        "verdicts": {figure.name: figure.verdict for figure in figures},
        "excess": {f.name: [f.excess.middle, f.excess.lower, f.excess.upper] for f in figures},
    }


def all_releases(keys: list[Key]) -> dict[str, Any]:
    """Answer a cache."""
    found = [one_release(scenario, *map(int, numbers)) for scenario, *numbers in keys]
    return {"tables": found, "versions": versions()}


def share(hits: int, repeats: int) -> str:
    """Write a share with its exact 95% interval (Clopper and Pearson)."""
    found = binomtest(hits, repeats).proportion_ci(0.95)
    return f"{hits / repeats:.2f} ({found.low:.2f} to {found.high:.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw, attack, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=100, help="releases of each scenario")
    parser.add_argument("--rows", type=int, default=334, help="fitted rows")
    parser.add_argument("--aside", type=int, default=84, help="rows that were not fitted")
    parser.add_argument("--tables", nargs="+", type=int, default=[1, 5], help="synthetic tables of each release")
    parser.add_argument("--cache", type=Path, default=Path("false_alarms.jsonl"), help="where a killed run goes on")
    parser.add_argument("--out", type=Path, help="a .md or .json file to write")
    args = parser.parse_args(arguments)
    cache, report, rows, names = Cache(args.cache), Report("False alarms and power of the attacks"), [], []
    report.versions("ours", versions())
    for scenario in (SILENT, LEAK):
        for m in args.tables:
            sizes = [str(size) for size in (args.rows, args.aside, m)]
            keys = [(scenario, *sizes, str(seed)) for seed in range(args.repeats)]
            found = [cache.fill([key], all_releases)[0]["verdicts"] for key in keys]
            names = list(found[0])
            hits = {name: sum(verdicts[name] == WORSE for verdicts in found) for name in names}
            rows.append([scenario, m, *(share(hits[name], args.repeats) for name in names)])
            if scenario == SILENT:
                worst = max(hits, key=hits.__getitem__)
                least = binomtest(hits[worst], args.repeats).proportion_ci(0.95).low
                report.verdict(f"{m} table(s), false alarms at most {NOMINAL:.0%}: {worst}", least <= NOMINAL)
    report.note(f"{args.rows} rows fitted, {args.aside} aside, keys {', '.join(KEYS)}; copied rows are {COPIED:.0%}")
    report.note(f'Share of {args.repeats} repeats with "worse than floor", 95% interval; "copies" only describes')
    report.table(["tables are", "tables", *names], rows)
    report.write(args.out)


if __name__ == "__main__":
    main()

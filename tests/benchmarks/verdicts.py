"""How often each figure of fidelity says "worse than floor": under the truth, and where one thing is wrong."""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _cache import Cache, Key
from _ours import versions
from _timing import Report
from _trial import SCENARIOS, response_model
from joblib import Parallel, delayed

from bayesynth.diagnostics.assess import FIGURES, work_out
from bayesynth.diagnostics.figures import SKIPPED, UNKNOWN, WORSE
from bayesynth.diagnostics.measures import Measure
from bayesynth.diagnostics.setting import Setting

EXPENSIVE = ("TwoSample", "Trees", "Prediction")
NOMINAL = 0.05


def one_table(scenario: str, n: int, m: int, seed: int, measures: Sequence[type[Measure]]) -> dict[str, Any]:
    """Draw a real table and m synthetic ones, and judge them."""
    rng = np.random.default_rng([seed, n, m, list(SCENARIOS).index(scenario)])
    law = SCENARIOS[scenario]
    real = law.real(n, rng)
    tables = [law.synthetic(real, n, rng) for _ in range(m)]
    target = "response" if "response" in real else "a"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        setting = Setting.of(real, tables, target=target, analysis=response_model)
        figures = work_out(measures, setting, progress=False, random_seed=rng)
    return {
        "verdicts": {f.name: f.verdict for f in figures if f.verdict != SKIPPED},
        "nearer": [f.name for f in figures if f.excess.upper < 0],
        "excess": {f.name: [f.excess.middle, f.excess.lower, f.excess.upper] for f in figures},
    }


def all_tables(keys: list[Key], measures: Sequence[type[Measure]], jobs: int) -> dict[str, Any]:
    """Answer a cache."""
    asked = [(scenario, int(n), int(m), int(seed)) for scenario, n, m, seed, _ in keys]
    found = Parallel(jobs)(delayed(one_table)(*task, measures) for task in asked)
    return {"tables": found, "versions": versions()}


def shares(results: Iterable[dict[str, Any]], verdict: str) -> dict[str, float]:
    """Share of the repeats in which each figure has a verdict."""
    said = defaultdict(list)
    for result in results:
        for name, found in result["verdicts"].items():
            said[name].append(found == verdict)
    return {name: float(np.mean(some)) for name, some in said.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw, judge, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200, help="real tables of each scenario and size")
    parser.add_argument("--scenarios", nargs="+", choices=tuple(SCENARIOS), default=list(SCENARIOS))
    parser.add_argument("--rows", nargs="+", type=int, default=[200, 500])
    parser.add_argument("--tables", nargs="+", type=int, default=[20], help="synthetic tables of each real one")
    parser.add_argument("--cheap", action="store_true", help="leave out what trains classifiers")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--cache", type=Path, default=Path("verdicts.jsonl"), help="where a killed run goes on")
    parser.add_argument("--out", type=Path, help="a .md or .json file to write")
    args = parser.parse_args(arguments)
    measures = [kind for kind in FIGURES if not (args.cheap and kind.__name__ in EXPENSIVE)]
    cache, which = Cache(args.cache), "cheap" if args.cheap else "all"
    run = partial(all_tables, measures=measures, jobs=args.jobs)
    report = Report("Verdicts of the figures of fidelity")
    report.versions("ours", versions())
    for m in args.tables:
        worse, nearer, unknown, names = [], [], [], []
        for scenario in args.scenarios:
            for n in args.rows:
                keys = [(scenario, str(n), str(m), str(seed), which) for seed in range(args.repeats)]
                found = [r for i in range(0, len(keys), args.jobs) for r in cache.fill(keys[i : i + args.jobs], run)]
                share = shares(found, WORSE)
                names += [name for name in share if name not in names]
                close = {name: np.mean([name in r["nearer"] for r in found]) for name in share}
                for rows, given in ((worse, share), (nearer, close), (unknown, shares(found, UNKNOWN))):
                    rows.append({"scenario": scenario, "rows": n, **given})
                if SCENARIOS[scenario].is_true:
                    name = max(share, key=share.__getitem__)
                    limit = NOMINAL + 2 * np.sqrt(NOMINAL * (1 - NOMINAL) / args.repeats)
                    text = f"{scenario}, {n} rows, {m} tables: at most {share[name]:.3f} of verdicts wrong ({name})"
                    report.verdict(text, share[name] <= limit)
                    together = float(np.mean([WORSE in r["verdicts"].values() for r in found]))
                    text = f"{scenario}, {n} rows, {m} tables: {together:.3f} of assessments call any figure worse"
                    report.verdict(text, together <= limit)
        for title, rows in (("worse than floor", worse), ("cannot tell", unknown), ("nearer than real rows", nearer)):
            report.note(f'Share of {args.repeats} repeats with "{title}", {m} synthetic tables each')
            cells = [[r["scenario"], r["rows"], *(f"{r[x]:.3f}" if x in r else "-" for x in names)] for r in rows]
            report.table(["scenario", "rows", *names], cells)
    report.write(args.out)


if __name__ == "__main__":
    main()

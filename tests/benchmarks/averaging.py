"""What averaging over graphs does for rows that were never seen, beside one greedy graph: paired over splits."""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _ours import versions
from _timing import Report

import bayesynth as bs

WAYS = ("greedy", "posterior")
LARGE = 20_000
SHOWN = ("large tv1", "large tv2", "large tv3", "tv1", "tv2", "tv3", "corr", "c2st")
Cell = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit both ways on 70% of the rows, compare with the others, and print differences with standard errors."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", type=Path, help="CSV files")
    parser.add_argument("--bench", type=Path, required=True, help="folder of the scorer: common.py and metrics.py")
    parser.add_argument("--splits", type=int, default=6)
    parser.add_argument("--draws", type=int, default=4, help="synthetic tables of each fit")
    parser.add_argument("--cache", type=Path, help="a .jsonl file of results; a killed run goes on from it")
    parser.add_argument("--out", type=Path, help="a .md or .json file to write")
    args = parser.parse_args(arguments)
    sys.path.insert(0, str(args.bench))
    report = Report("Averaging over graphs")
    report.versions("ours", versions())
    report.note("large: tables of 20,000 rows, which show the model; the others have as many rows as were fitted")
    for path in args.tables:
        cells = [cell for split in range(args.splits) for cell in _cells(path, split, args)]
        _tabulate(report, path.stem, pd.DataFrame(cells))
    report.write(args.out)


def _cells(path: Path, split: int, args: Any) -> list[Cell]:
    lines = args.cache.read_text().splitlines() if args.cache and args.cache.exists() else []
    known = [json.loads(line) for line in lines]
    found = [cell for cell in known if (cell["table"], cell["split"]) == (path.stem, split)]
    if not found:
        found = _measure(path, split, args.draws)
        if args.cache:
            with args.cache.open("a") as file:
                file.writelines(json.dumps(cell) + "\n" for cell in found)
    return found


def _measure(path: Path, split: int, draws: int) -> list[Cell]:
    from common import load, load_spec

    spec = load_spec(None, str(path))
    order = np.random.default_rng(1001 + split).permutation(len(pd.read_csv(path)))
    cut = round(0.7 * len(order))
    seen, unseen = np.sort(order[:cut]), np.sort(order[cut:])
    real, raw = load(str(path), spec), pd.read_csv(path)
    held, shown = real.iloc[unseen].reset_index(drop=True), real.iloc[seen].reset_index(drop=True)
    where = {"table": path.stem, "split": split}
    cells = [where | {"way": "the seen rows themselves"} | _scores(held, [shown], spec)]
    for way in WAYS:
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            synthesizer = bs.Synthesizer(inference="laplace", structure=way)
            fit = synthesizer.fit(raw.iloc[seen].reset_index(drop=True), random_seed=1 + 10 * split, progress=False)

            def table(rows: int, seed: int, fit: bs.Fit = fit, file: Path = Path(folder) / "rows.csv") -> pd.DataFrame:
                fit.sample(rows, random_seed=seed).to_csv(file, index=False)
                return load(str(file), spec)

            scores = _scores(held, [table(cut, 1000 + 10 * split + q) for q in range(draws)], spec)
            large = _scores(held, [table(LARGE, 5)], spec, only_tables=True)
        cells.append(where | {"way": way} | scores | {f"large {name}": value for name, value in large.items()})
    return cells


def _scores(held: pd.DataFrame, tables: list[pd.DataFrame], spec: Any, only_tables: bool = False) -> dict[str, float]:
    from metrics import c2st, correlations, tv_tables

    found = []
    for seed, table in enumerate(tables):
        scores = dict(tv_tables(held, table, spec))
        if not only_tables:
            scores["corr"] = correlations(held, table, spec).get("corr_spearman", np.nan)
            scores["c2st"] = c2st(held, table, spec, seed)
        found.append(scores)
    return pd.DataFrame(found).mean().to_dict()


def _tabulate(report: Report, name: str, cells: pd.DataFrame) -> None:
    by_way = {way: part.set_index("split").reindex(columns=SHOWN) for way, part in cells.groupby("way")}
    apart = by_way["posterior"] - by_way["greedy"]
    error = apart.std() / np.sqrt(len(apart))
    rows = [[name, way, *(f"{x:.4f}" for x in by_way[way].mean())] for way in ("the seen rows themselves", *WAYS)]
    rows.append([name, "posterior - greedy", *(f"{apart[c].mean():+.4f} ({error[c]:.4f})" for c in SHOWN)])
    report.table(["table", f"mean of {len(apart)} splits", *SHOWN], rows)


if __name__ == "__main__":
    main()

"""Seconds that an assessment takes: pbc with 20 tables and its fit, and 5,000 rows of 40 columns with 5 tables."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from _timing import Report, figure, options, ours

import bayesynth as bs
from bayesynth.datasets import random_network

LIMITS = {"pbc": 60, "simulated": 180}  # seconds


def written(frames: Iterable[pd.DataFrame], folder: Path) -> list[str]:
    """Write frames where a fresh process finds them."""
    folder.mkdir()
    paths = []
    for i, frame in enumerate(frames):
        paths.append(str(folder / f"{i}.pkl"))
        frame.to_pickle(paths[-1])
    return paths


def pbc(folder: Path) -> dict[str, Any]:
    """Fit pbc but for a fifth of its rows, and draw 20 tables."""
    patients = bs.load_dataset("pbc")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = bs.Synthesizer(inference="laplace").fit(patients, holdout=0.2, random_seed=1, progress=False)
    real, aside, *tables = written([*fit.split(patients), *fit.sample_tables(20, random_seed=2)], folder)
    known = {"keys": ["age", "sex"], "target": "status", "fitted": str(fit.save(folder / "pbc.bayesynth"))}
    return {"real": real, "aside": aside, "tables": tables} | known


def simulated(folder: Path) -> dict[str, Any]:
    """Draw 5,000 real rows, a quarter as many to keep aside, and five synthetic tables, all from one law."""
    network = random_network(40, blanks=0.1, random_seed=1)
    rows = [5000, 1250, *[5000] * 5]
    real, aside, *tables = written((network.sample(n, random_seed=seed) for seed, n in enumerate(rows)), folder)
    names = list(network.sample(10, random_seed=0))
    return {"real": real, "aside": aside, "tables": tables, "keys": names[:2], "target": names[-1]}


def main() -> None:
    """Measure, print, write."""
    args = options(__doc__, peer=False, data=False, repeats=1).parse_args()
    report, rows = Report("Time of an assessment"), []
    report.note("With a holdout of a quarter as many rows, two keys and a target; imports and fits are not counted")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in {"pbc": pbc, "simulated": simulated}.items():
            arguments = make(Path(folder) / name)
            found = max((ours("assess", **arguments) for _ in range(args.repeats)), key=lambda one: one["assess"])
            report.versions("ours", found["versions"])
            shown = [figure(found[what]) for what in ("assess", "cpu", "page", "page_mb", "peak_mb")]
            rows.append([name, *(f"{size:,}" for size in found["size"]), *shown])
            report.verdict(f"{name} takes {shown[0]} s, at most {LIMITS[name]} s", found["assess"] <= LIMITS[name])
    head = ["table", "real rows", "columns", "synthetic tables", "assess (s)", "CPU (s)", "page (s)", "page (MB)"]
    report.table([*head, "peak memory (MB)"], rows)
    report.write(args.out)


if __name__ == "__main__":
    main()

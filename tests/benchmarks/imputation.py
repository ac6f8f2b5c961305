"""Multiple imputation of a simulated table: coverage of pooled 95% intervals, scikit-learn's beside."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _cache import Cache, Key
from _ours import versions
from _timing import Report, figure, options, peer

import bayesynth as bs
from bayesynth.errors import BayesynthWarning

BLANK, AT_A_TIME = 0.3, 10
TRUTH = {
    "mean of y": 1.0,
    "share of g": 0.5,
    "y on x": 0.8,
    "y on g": 1.0,
    "correlation of x and w (z)": float(np.arctanh(0.5)),
}
LEVELS = ("g", "k")


def simulate(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Eight columns, two of them of levels, one a count, one skewed; 30% of the cells blank at random."""
    x = rng.standard_normal(n)
    g = (rng.random(n) < 0.5).astype(float)
    y = 0.5 + 0.8 * x + 1.0 * g + rng.standard_normal(n)
    w = 0.5 * x + np.sqrt(0.75) * rng.standard_normal(n)
    columns = {
        "x": x.round(3),
        "g": g,
        "y": y.round(3),
        "w": w.round(3),
        "v": np.exp(0.5 * y + 0.5 * rng.standard_normal(n)).round(3),
        "c": rng.poisson(np.exp(1 + 0.3 * w)),
        "k": np.digitize(x + rng.logistic(size=n), [-1.0, 1.0]),
        "u": (0.6 * w + 0.8 * rng.standard_normal(n)).round(3),
    }
    return pd.DataFrame(columns).mask(rng.random((n, len(columns))) < BLANK)


def analyse(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Estimates with variances of a table without blanks."""
    x, g, y, w = (table[name].astype(float).to_numpy() for name in ("x", "g", "y", "w"))
    n = len(x)
    design = np.column_stack([np.ones(n), x, g])
    beta, rest, *_ = np.linalg.lstsq(design, y, rcond=None)
    covariance = rest[0] / (n - 3) * np.linalg.inv(design.T @ design)
    found = [
        (y.mean(), y.var(ddof=1) / n),
        (g.mean(), g.mean() * (1 - g.mean()) / n),
        (beta[1], covariance[1, 1]),
        (beta[2], covariance[2, 2]),
        (np.arctanh(np.corrcoef(x, w)[0, 1]), 1 / (n - 3)),
    ]
    return dict(zip(TRUTH, found, strict=True))


def pooled(tables: Sequence[pd.DataFrame], n: int) -> dict[str, Any]:
    """Rubin's rule, with the degrees of freedom of Barnard and Rubin."""
    found = bs.combine([analyse(table) for table in tables], kind="imputation", df_complete=n - 3).to_frame()
    return {"pooled": found.loc[list(TRUTH), ["estimate", "lower", "upper"]].to_numpy(float).tolist()}


class Imputers:
    """Ways to complete the tables of some seeds, as answers to a cache whose keys end in (seed, name)."""

    def __init__(self, rows: int, m: int, structure: str, peer_python: str):
        self.rows, self.m, self.structure, self.peer_python = rows, m, structure, peer_python

    def table(self, key: Key) -> pd.DataFrame:
        """Simulate the table of a key."""
        return simulate(self.rows, np.random.default_rng(int(key[-2])))

    def ours(self, keys: list[Key]) -> dict[str, Any]:
        """Fit each table with its blanks, and complete it."""
        return {"tables": [self._ours(key) for key in keys], "versions": versions()}

    def complete_cases(self, keys: list[Key]) -> dict[str, Any]:
        """Leave out the rows with a blank that the analyses need."""
        found = []
        for key in keys:
            whole = self.table(key)[["x", "g", "y", "w"]].dropna()
            found.append(pooled([whole, whole.iloc[::-1]], len(whole)))  # nothing differs between
        return {"tables": found, "versions": versions()}

    def theirs(self, keys: list[Key]) -> dict[str, Any]:
        """Complete each table with scikit-learn."""
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder) / f"{key[-2]}.csv") for key in keys]
            for key, path in zip(keys, paths, strict=True):
                self.table(key).to_csv(path, index=False)
            answer = peer(self.peer_python, "sklearn_impute", tables=paths, m=self.m, levels=LEVELS)
            found = [
                pooled([pd.read_csv(path) for path in one["data"]], self.rows) | {"seconds": one["seconds"]}
                for one in answer["tables"]
            ]
        return {"tables": found, "versions": answer["versions"]}

    def _ours(self, key: Key) -> dict[str, Any]:
        table = self.table(key).astype(dict.fromkeys((*LEVELS, "c"), "Int64"))
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesynthWarning)
            synthesizer = bs.Synthesizer(inference="laplace", structure=self.structure)
            fit = synthesizer.fit(table, random_seed=int(key[-2]), progress=False)
        fitted = time.process_time() - start
        completed = fit.complete(table, self.m, random_seed=int(key[-2]))
        return pooled(completed, self.rows) | {"seconds": time.process_time() - start, "fit_seconds": fitted}


def collect(args: Any, report: Report) -> dict[str, list[dict[str, Any]]]:
    """Results of all methods and seeds, those that a cache knows and the others."""
    cache = Cache(args.cache)
    imputers = Imputers(args.rows, args.tables, args.structure, args.peer_python)
    ways: Mapping[str, tuple[Callable[[list[Key]], dict[str, Any]], int]] = {
        "complete cases": (imputers.complete_cases, AT_A_TIME),
        f"ours, {args.structure}": (imputers.ours, 1),
        "IterativeImputer": (imputers.theirs, AT_A_TIME),
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for name, (way, together) in ways.items():
        keys = [(str(args.rows), str(args.tables), str(seed), name) for seed in range(args.repeats)]
        parts = [cache.fill(keys[i : i + together], way) for i in range(0, len(keys), together)]
        found[name] = [result for part in parts for result in part]
        report.versions(name.split(",")[0], found[name][0]["versions"])
    return found


def main() -> None:
    """Measure, print, judge."""
    parser = options(__doc__, data=False, repeats=100)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--tables", type=int, default=20, help="completed tables for each")
    parser.add_argument("--structure", default="posterior", help="posterior or greedy")
    parser.add_argument("--cache", type=Path, default=Path("imputation.jsonl"), help="where a killed run goes on")
    args = parser.parse_args()
    report, rows, covered = Report("Multiple imputation, 30% of cells blank at random"), [], {}
    for who, results in collect(args, report).items():
        figures = np.array([result["pooled"] for result in results])
        for i, (name, truth) in enumerate(TRUTH.items()):
            estimate, lower, upper = figures[:, i].T
            hit = (lower <= truth) & (truth <= upper)
            error = np.sqrt(0.95 * 0.05 / len(hit))
            covered[who, name] = hit.mean()
            widths = [figure((upper - lower).mean()), figure((estimate - truth).mean()), figure(estimate.std())]
            rows.append([who, name, f"{hit.mean():.3f} +- {error:.3f}", *widths])
        if "seconds" in results[0]:
            report.note(f"{who}: {figure(np.mean([one['seconds'] for one in results]))} s a table, all included")
    report.table(["imputed by", "estimand", "coverage of 95% intervals", "mean width", "bias", "SD of estimates"], rows)
    worst = min(share for (who, _), share in covered.items() if who.startswith("ours"))
    low = 0.95 - 3 * np.sqrt(0.95 * 0.05 / args.repeats)
    text = f"every estimand is covered at 95% but for chance (worst {worst:.3f}, limit {low:.3f})"
    report.verdict(text, worst >= low)
    report.write(args.out)


if __name__ == "__main__":
    main()

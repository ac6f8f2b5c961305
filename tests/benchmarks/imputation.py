"""Multiple imputation of a simulated table: coverage of pooled 95% intervals, scikit-learn's beside."""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from _ours import versions
from _timing import Report, figure, options, peer

import bayesynth as bs
from bayesynth.errors import BayesynthWarning

BLANK = 0.3
TRUTH = {
    "mean of y": 1.0,
    "share of g": 0.5,
    "y on x": 0.8,
    "y on g": 1.0,
    "correlation of x and w (z)": np.arctanh(0.5),
}


def simulate(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Five columns, one of them of levels, 30% of the cells blank at random; the last is skewed."""
    x = rng.standard_normal(n)
    g = (rng.random(n) < 0.5).astype(float)
    y = 0.5 + 0.8 * x + 1.0 * g + rng.standard_normal(n)
    w = 0.5 * x + np.sqrt(0.75) * rng.standard_normal(n)
    v = np.exp(0.5 * y + 0.5 * rng.standard_normal(n))
    table = pd.DataFrame({"x": x.round(3), "g": g, "y": y.round(3), "w": w.round(3), "v": v.round(3)})
    return table.mask(rng.random(table.shape) < BLANK)


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


def pooled(tables: Sequence[pd.DataFrame], n: int) -> pd.DataFrame:
    """Rubin's rule, with the degrees of freedom of Barnard and Rubin."""
    return bs.combine([analyse(table) for table in tables], kind="imputation", df_complete=n - 3).to_frame()


def ours_of(table: pd.DataFrame, m: int, structure: str, seed: int) -> list[pd.DataFrame]:
    """Fit the table with its blanks, and complete it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        synthesizer = bs.Synthesizer(inference="laplace", structure=structure)
        fit = synthesizer.fit(table.astype({"g": "Int64"}), random_seed=seed, progress=False)
    return list(fit.complete(table.astype({"g": "Int64"}), m, random_seed=seed))


def main() -> None:
    """Measure, print, judge."""
    parser = options(__doc__, data=False, repeats=200)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--tables", type=int, default=20, help="completed tables for each")
    parser.add_argument("--structure", default="posterior", help="posterior or greedy")
    args = parser.parse_args()
    report = Report("Multiple imputation, 30% of cells blank at random")
    with tempfile.TemporaryDirectory() as folder:
        paths, found, seconds = [], {"complete cases": [], "ours": []}, 0.0
        for seed in range(args.repeats):
            table = simulate(args.rows, np.random.default_rng(seed))
            paths.append(str(Path(folder) / f"table{seed}.csv"))
            table.to_csv(paths[-1], index=False)
            start = time.perf_counter()
            completed = ours_of(table, args.tables, args.structure, seed)
            seconds += time.perf_counter() - start
            found["ours"].append(pooled(completed, args.rows))
            whole = table.dropna()
            half = [whole.iloc[np.random.default_rng(seed).permutation(len(whole))]] * 2  # nothing differs between
            found["complete cases"].append(pooled(half, len(whole)))
        theirs = peer(args.peer_python, "sklearn_impute", tables=paths, m=args.tables)
        found["IterativeImputer"] = [
            pooled([pd.read_csv(path) for path in one["data"]], args.rows) for one in theirs["tables"]
        ]
    report.versions("ours", versions())
    report.versions("peers", theirs["versions"])
    report.note(f"seconds a table: ours {figure(seconds / args.repeats)}, fit included")
    report.note(f"IterativeImputer {figure(np.mean([one['seconds'] for one in theirs['tables']]))}")
    rows, covered = [], {}
    for who, tables in found.items():
        for name, truth in TRUTH.items():
            ends = np.array([table.loc[name, ["lower", "upper"]].to_numpy(float) for table in tables])
            hit = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
            bias = np.mean([table.loc[name, "estimate"] for table in tables]) - truth
            error = np.sqrt(0.95 * 0.05 / len(hit))
            covered[who, name] = hit.mean()
            rows.append(
                [who, name, f"{hit.mean():.3f} +- {error:.3f}", figure(np.ptp(ends, axis=1).mean()), figure(bias)]
            )
    report.table(["imputed by", "estimand", "coverage of 95% intervals", "mean width", "bias"], rows)
    worst = min(share for (who, _), share in covered.items() if who == "ours")
    low = 0.95 - 3 * np.sqrt(0.95 * 0.05 / args.repeats)
    report.verdict(
        f"every estimand is covered at 95% but for chance (worst {worst:.3f}, limit {low:.3f})", worst >= low
    )
    report.write(args.out)


if __name__ == "__main__":
    main()

"""Rows under ten conditions on pbc: seconds, effective sample size, distance from brute force, SDV beside."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from _ours import versions
from _timing import Report, Spread, figure, options, ours, peer

import bayesynth as bs
from bayesynth.diagnostics.distances import groups_of
from bayesynth.diagnostics.reading import TableReader

AT_A_TIME, SPLITS = 100_000, 20
Meets = Callable[[pd.DataFrame], pd.Series]
CONDITIONS: Mapping[str, tuple[str, dict[str, object], Meets]] = {
    "sex": ("upstream", {"sex": "male"}, lambda t: t["sex"] == "male"),
    "age 60 to 80": ("upstream", {"age": bs.between(60, 80)}, lambda t: t["age"].between(60, 80)),
    "stage 4": ("downstream", {"stage": 4}, lambda t: t["stage"] == 4),
    "bilirubin above 10": ("downstream", {"bili": bs.between(low=10)}, lambda t: t["bili"] >= 10),
    "ascites": ("downstream", {"ascites": "yes"}, lambda t: t["ascites"] == "yes"),
    "cholesterol blank": ("blanks", {"chol": bs.missing()}, lambda t: t["chol"].isna()),
    "cholesterol seen, above 500": ("mixed", {"chol": bs.between(low=500)}, lambda t: t["chol"] >= 500),
    "women of 60 to 80, stage 3 or 4": (
        "mixed",
        {"sex": "female", "age": bs.between(60, 80), "stage": bs.isin([3, 4])},
        lambda t: (t["sex"] == "female") & t["age"].between(60, 80) & t["stage"].isin([3, 4]),
    ),
    "edema in spite of diuretics, stage 4": (
        "mixed",
        {"edema": "despite diuretics", "stage": 4},
        lambda t: (t["edema"] == "despite diuretics") & (t["stage"] == 4),
    ),
    "men, edema in spite of diuretics, albumin under 2.5": (  # about 1 in 1,000
        "rare",
        {"sex": "male", "edema": "despite diuretics", "albumin": bs.between(high=2.5)},
        lambda t: (t["sex"] == "male") & (t["edema"] == "despite diuretics") & (t["albumin"] <= 2.5),
    ),
}
EQUALITIES = ("sex", "stage 4", "ascites", "edema in spite of diuretics, stage 4")


def brute_force(fit: bs.Fit, rows: int) -> tuple[dict[str, pd.DataFrame], dict[str, float], float]:
    """Unconditional rows that meet each condition, their share, and the seconds that drawing all took."""
    kept: dict[str, list[pd.DataFrame]] = {name: [] for name in CONDITIONS}
    seconds, drawn = 0.0, 0
    for seed, start in enumerate(range(0, rows, AT_A_TIME)):
        begun = time.perf_counter()
        table = fit.sample(min(AT_A_TIME, rows - start), balanced=False, random_seed=1000 + seed)
        seconds, drawn = seconds + time.perf_counter() - begun, drawn + len(table)
        for name, (_, _, meets) in CONDITIONS.items():
            kept[name].append(table[meets(table).fillna(False).astype(bool)])
    tables = {name: pd.concat(parts, ignore_index=True) for name, parts in kept.items()}
    return tables, {name: len(table) / drawn for name, table in tables.items()}, seconds


def total_variation(codes: np.ndarray, n_first: int, sizes: np.ndarray, k: int) -> float:
    """Mean total variation over groups of k columns between the first rows and the rest."""
    groups = groups_of(sizes, k)
    first, rest = (groups.counts(part) / len(part) for part in (codes[:n_first], codes[n_first:]))
    return float(np.abs(first - rest).sum() / 2 / len(groups.members))


def distance(reader: TableReader, found: pd.DataFrame, reference: pd.DataFrame) -> tuple[float, float, float]:
    """Total variation over pairs of columns; its mean and 95% quantile if the rows were dealt at random.

    That takes independent rows, so no more than the effective sample size of them is looked at.
    """
    effective = min(len(found), int(found.attrs["given"]["effective_sample_size"]))
    found = found.sample(effective, random_state=1)
    codes, n = np.concatenate([reader.codes(found), reader.codes(reference)]), len(found)
    rng = np.random.default_rng(1)
    noise = [total_variation(rng.permutation(codes), n, reader.sizes, 2) for _ in range(SPLITS)]
    return total_variation(codes, n, reader.sizes, 2), float(np.mean(noise)), float(np.quantile(noise, 0.95))


def main() -> None:
    """Measure, print, judge."""
    parser = options(__doc__, repeats=3)
    parser.add_argument("--rows", type=int, default=10_000, help="rows under each condition")
    parser.add_argument("--brute", type=int, default=2_000_000, help="unconditional rows to compare with")
    parser.add_argument("--inference", default="laplace", help="nuts or laplace")
    args = parser.parse_args()
    report, rows = Report("Rows under conditions"), []
    with tempfile.TemporaryDirectory() as folder:
        table = ours("export", data=args.data, folder=folder)
        saved = ours("save", data=args.data, inference=args.inference, path=str(Path(folder) / "fit.bayesynth"))
        copula = str(Path(folder) / "copula.pkl")
        peer(args.peer_python, "sdv_fit", name="GaussianCopulaSynthesizer", path=copula, **table)
        wanted = {name: {k: str(v) for k, v in CONDITIONS[name][1].items()} for name in EQUALITIES}
        runs = [
            peer(args.peer_python, "sdv_conditions", path=copula, conditions=wanted, rows=args.rows)
            for _ in range(args.repeats)
        ]
        fit = bs.load(saved["path"])
    report.versions("ours", versions())
    report.versions("peers", runs[0]["versions"])
    reader = TableReader.of(bs.load_dataset(args.data), fit.schema)
    reference, shares, seconds = brute_force(fit, args.brute)
    report.note(f"{args.brute:,} unconditional rows took {figure(seconds)} s")
    fit.sample(100, given={"sex": "male"}, random_seed=1)
    agree, quick = [], []
    for name, (kind, given, _) in CONDITIONS.items():
        times = []
        for seed in range(args.repeats):
            start = time.perf_counter()
            found = fit.sample(args.rows, given=given, random_seed=seed)
            times.append(time.perf_counter() - start)
        facts, spread = found.attrs["given"], Spread.of(times)
        own, noise, limit = distance(reader, found, reference[name])
        sdv = [run["conditions"][name] for run in runs] if name in EQUALITIES else []
        theirs = Spread.of([one["seconds"] for one in sdv]) if sdv else "no ranges or blanks"
        short = f" ({sdv[0]['rows']:,} rows)" if sdv and sdv[0]["rows"] < args.rows else ""
        agree.append(own <= limit)
        quick.append(not sdv or spread.median < theirs.median)
        chances = [figure(shares[name]), f"{figure(facts['probability'])} +- {figure(facts['probability_error'])}"]
        made = [facts["method"], f"{facts['effective_sample_size']:,.0f}"]
        within = f"{noise:.4f} ({limit:.4f}), {'within' if own <= limit else 'BEYOND'}"
        rows.append([name, kind, *chances, *made, spread, f"{own:.4f}", within, f"{theirs}{short}"])
    head = ["condition", "evidence", "brute-force share", "our probability", "method", "ESS"]
    report.table([*head, "seconds", "total variation", "chance: mean (95%)", "SDV seconds"], rows)
    report.verdict(f"total variation within its sampling error in {sum(agree)} of {len(agree)}", sum(agree) >= 9)
    report.verdict("faster than SDV where SDV can", all(quick))
    report.write(args.out)


if __name__ == "__main__":
    main()

"""Twelve rules at once on a table made for it: violations among a million drawn rows, and what the rules cost."""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from _timing import Report, figure

import bayesynth as bs
from bayesynth.errors import BayesynthWarning

RULES = (
    bs.Derived("bmi", "weight / (height / 100) ** 2"),
    bs.Derived("stay", "discharge - admission"),
    bs.Inequality("admission", "discharge"),
    bs.Inequality("diastolic", "systolic", strict=True),
    bs.Inequality("onset", "age"),
    bs.Range("height", 130, 210),
    bs.Range("admission", pd.Timestamp("2010-01-01"), pd.Timestamp("2019-12-31")),
    bs.BlankWhen("births", "sex == 'm'"),
    bs.BlankWhen("dose", "arm0", iff=False),
    bs.FixedCombinations("ward", "clinic"),
    bs.OneHot("arm0", "arm1", "arm2"),
    bs.Predicate("not (age < 40 and systolic > 190)"),
)


def table(n: int, seed: int = 0) -> pd.DataFrame:
    """Simulate patients for whom all twelve rules hold, with blanks at random in six columns."""
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 90, n)
    sex = rng.choice(["f", "m"], n)
    frame = pd.DataFrame({"age": age, "onset": age - rng.integers(0, 15, n), "sex": sex})
    frame["height"] = np.round(rng.normal(165, 8, n) + 10 * (sex == "m")).clip(135, 205)
    frame["weight"] = np.round((23 + 0.05 * age + rng.normal(0, 3, n)) * (frame["height"] / 100) ** 2, 1).clip(35, 180)
    frame["bmi"] = np.round(frame["weight"] / (frame["height"] / 100) ** 2, 1)
    frame["admission"] = pd.Timestamp("2010-01-01") + pd.to_timedelta(rng.integers(0, 3600, n), unit="D")
    frame["discharge"] = frame["admission"] + pd.to_timedelta(rng.poisson(2 + age / 10, n), unit="D")
    frame["stay"] = (frame["discharge"] - frame["admission"]).dt.days
    frame["diastolic"] = np.round(60 + 0.25 * age + rng.normal(0, 8, n))
    frame["systolic"] = frame["diastolic"] + 1 + rng.poisson(20 + 0.3 * age, n)
    frame.loc[(age < 40) & (frame["systolic"] > 190), "systolic"] = 190
    frame["births"] = np.where(sex == "f", rng.poisson(1 + age / 60, n), np.nan)
    arm = rng.integers(0, 3, n)
    for i in range(3):
        frame[f"arm{i}"] = arm == i
    frame["dose"] = np.where(arm == 0, np.nan, np.round(rng.gamma(5, 2, n) * arm, 1))
    place = rng.integers(0, 6, n)
    frame["ward"], frame["clinic"] = np.array(list("abcdef"))[place], np.array(list("xxyyyz"))[place]
    for name in ("onset", "weight", "bmi", "diastolic", "systolic", "dose"):
        frame.loc[rng.random(n) < 0.08, name] = np.nan
    return frame


def fitted(frame: pd.DataFrame, rules: tuple) -> tuple[bs.Fit, float]:
    """Fit one graph by Laplace's method and time it."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        synthesizer = bs.Synthesizer(inference="laplace", structure="greedy", rules=rules)
        fit = synthesizer.fit(frame, random_seed=1, progress=False)
    return fit, time.perf_counter() - start


def main() -> None:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows to draw")
    parser.add_argument("--fitted", type=int, default=1000, help="rows to fit")
    parser.add_argument("--out", type=Path, help="where to write the report")
    args = parser.parse_args()
    report, frame = Report("Twelve rules"), table(args.fitted)
    found = {}
    for label, rules in (("without rules", ()), ("with rules", RULES)):
        fit, seconds = fitted(frame, rules)
        start = time.perf_counter()
        drawn = fit.sample(args.rows, random_seed=1)
        took = time.perf_counter() - start
        broken = {str(rule): int(rule.violations(drawn).sum()) for rule in fit.rules}
        found[label] = took, seconds, sum(broken.values()), drawn.attrs.get("rules", {}).get("acceptance", 1.0)
        if rules:
            shown = fit.rule_plan.table(drawn)
            report.table(
                ["rule", "kept", "could break it", "violations"], shown[["rule", "kept", "decided", "broken"]].values
            )
    head = ["", "fit (s)", f"{args.rows:,} rows (s)", "acceptance"]
    report.table(head, [[k, figure(f), figure(t), figure(rate)] for k, (t, f, _, rate) in found.items()])
    report.verdict(f"no rule is broken among {args.rows:,} rows", found["with rules"][2] == 0)
    ratio = found["with rules"][0] / found["without rules"][0]
    report.verdict(f"rules cost less than as much again ({figure(ratio)} times the seconds)", ratio < 2)
    report.write(args.out)


if __name__ == "__main__":
    main()

"""How often rules are proposed that are none, on tables without rules, and how often planted rules are found."""

from __future__ import annotations

import argparse
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from _ours import versions

import bayesynth as bs
from bayesynth.rules import FixedCombinations, Rule
from bayesynth.schema import Schema

COLUMNS = 20
FRESH = 5000
Law = Callable[[int, np.random.Generator], pd.DataFrame]


# --- tables without rules ---


def network(effect: float, mechanism: str = "mcar") -> Callable[[int], Law]:
    """A random mixed-kind network, and a law that draws from it."""

    def world(seed: int) -> Law:
        law = bs.datasets.random_network(COLUMNS, effect=effect, mechanism=mechanism, random_seed=seed)
        return lambda n, rng: law.sample(n, random_seed=rng)

    return world


def factor(correlation: float) -> Callable[[int], Law]:
    """One normal factor behind all columns: shifted copies, skewed ones, counts, and levels of a noisy score."""

    def world(seed: int) -> Law:
        shape = np.random.default_rng([seed, 1])
        shift, scale = shape.uniform(-3, 3, COLUMNS), shape.uniform(0.5, 2, COLUMNS)
        levels, decimals = shape.integers(2, 5, COLUMNS), shape.integers(0, 3, COLUMNS)

        def draw(n: int, rng: np.random.Generator) -> pd.DataFrame:
            noise = np.sqrt(1 - correlation**2) * rng.normal(size=(n, COLUMNS))
            score = correlation * rng.normal(size=(n, 1)) + noise
            table = {}
            for j in range(COLUMNS):
                z = shift[j] + scale[j] * score[:, j]
                edges = np.linspace(-1, 1, levels[j] + 1)[1:-1] if levels[j] > 2 else [0.0]
                place = np.searchsorted(edges, score[:, j])
                makers = (
                    lambda z=z, j=j: np.round(10 * z, decimals[j]),
                    lambda z=z, j=j: np.round(np.exp(z / 2) * 10, decimals[j]),
                    lambda z=z, j=j: np.random.default_rng(rng.integers(2**31)).poisson(np.exp(np.clip(z / 2, -3, 4))),
                    lambda place=place: np.array([f"level {p}" for p in place]),
                    lambda place=place: place + 1,
                )
                values = pd.Series(makers[j % 5]())
                table[f"c{j:02d}"] = values.mask(rng.random(n) < 0.1) if j % 2 else values
            return pd.DataFrame(table)

        return draw

    return world


WITHOUT: Mapping[str, Callable[[int], Law]] = {
    "network, effect 0.5": network(0.5),
    "network, effect 2": network(2.0),
    "network, effect 5": network(5.0),
    "network, effect 2, blanks depend on others": network(2.0, "mar"),
    "network, effect 5, blanks depend on others": network(5.0, "mar"),
    "one factor, correlations 0.81": factor(0.9),
    "one factor, correlations 0.98": factor(0.99),
}


# --- tables with one rule of every kind ---


@dataclass(frozen=True)
class Planted:
    """A rule that a table was made with.

    Parameters
    ----------
    kind : str
        Its kind.
    columns : set of str
        Its columns.
    support : int
        Rows that could have contradicted it, counted here.
    """

    kind: str
    columns: frozenset[str]
    support: int


def with_rules(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """A table of 28 columns with a rule of every kind, and noise."""
    t = pd.DataFrame({"height": rng.normal(170, 10, n).round(1), "weight": rng.gamma(20, 3.6, n).round(1)})
    t["bmi"] = (t.weight / (t.height / 100) ** 2).round(1)
    t["celsius"] = rng.normal(37, 0.8, n).round(1)
    t["fahrenheit"] = (1.8 * t.celsius + 32).round(2)
    t["part_a"], t["part_b"] = rng.integers(0, 12, n), rng.integers(0, 20, n)
    t["total"] = t.part_a + t.part_b
    t["start"] = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, n), unit="D")
    t["end"] = t.start + pd.to_timedelta(rng.geometric(0.01, n), unit="D")
    t["days"] = (t.end - t.start).dt.days
    t["low"] = rng.normal(100, 15, n).round(1)
    t["high"] = (t.low + rng.exponential(15, n)).round(1)
    t["level"] = rng.lognormal(1, 1, n).round(2)
    t["level_class"] = np.select([t.level < 1.5, t.level < 5], ["low", "middle"], "high")
    ward = rng.integers(0, 6, n)
    t["ward"], t["clinic"] = [f"w{w}" for w in ward], [f"c{w // 2}" for w in ward]
    t["arm"], t["dose"] = rng.integers(0, 3, n).astype(str), rng.integers(0, 4, n).astype(str)
    t["label"] = [f"x{k}" for k in (2 * t.arm.astype(int) ** 2 + 3 * t.dose.astype(int)) % 5]
    t["sex"] = rng.choice(["f", "m"], n, p=[0.4, 0.6])
    drug = rng.integers(0, 6, n)
    t["drug"], t["route"] = [f"d{k}" for k in drug], [f"r{k}" for k in (drug + rng.choice([0, 1, 3], n)) % 6]
    t["births"] = pd.array(rng.poisson(2, n), dtype="Int64")
    t.loc[(t.sex == "m") | (rng.random(n) < 0.1), "births"] = pd.NA
    t["smoker"] = rng.choice(["never", "former", "now"], n, p=[0.5, 0.25, 0.25])
    t["packs"], t["years"] = rng.gamma(2, 1, n).round(2), rng.normal(20, 4, n).round(1)
    t.loc[(t.smoker == "never") | (rng.random(n) < 0.15), ["packs", "years"]] = np.nan
    t["noise"] = rng.normal(size=n).round(3)
    return t


def planted(t: pd.DataFrame) -> list[Planted]:
    """The rules of such a table, with their support counted by hand."""
    n = len(t)
    near = np.min([np.abs(np.log(t.level / edge)) for edge in (1.5, 5)], axis=0) < 0.29
    repeats = {key: n - t.groupby(list(key)).ngroups for key in (("ward",), ("arm", "dose"))}
    return [
        Planted("product or ratio", frozenset({"height", "weight", "bmi"}), n),
        Planted("conversion of units", frozenset({"celsius", "fahrenheit"}), n),
        Planted("sum", frozenset({"part_a", "part_b", "total"}), n),
        Planted("difference of dates", frozenset({"start", "end", "days"}), n),
        Planted("inequality", frozenset({"low", "high"}), int((t.low.rank(pct=True) > 0.2).sum())),
        Planted("threshold coding", frozenset({"level", "level_class"}), int(near.sum())),
        Planted("determined by one", frozenset({"ward", "clinic"}), repeats[("ward",)]),
        Planted("determined by two", frozenset({"arm", "dose", "label"}), repeats[("arm", "dose")]),
        Planted("fixed combinations", frozenset({"drug", "route"}), n),
        Planted("structural blank", frozenset({"sex", "births"}), int((t.sex == "m").sum())),
        Planted("blank together", frozenset({"packs", "years"}), n),
        Planted("skip pattern", frozenset({"smoker", "packs"}), int((t.smoker == "never").sum())),
    ]


# --- measurement ---


def propose(table: pd.DataFrame, rate: float, seed: int) -> tuple[bs.RuleProposals, float]:
    """Search a table; the seconds are those of the search, without the schema."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = Schema.infer(table)
        start = time.perf_counter()
        return bs.discover_rules(table, schema, rate=rate, random_seed=seed), time.perf_counter() - start


def broken(rule: Rule, table: pd.DataFrame, fresh: pd.DataFrame) -> float:
    """Share of fresh rows that break a rule, of those that could."""
    judged = (rule.settled(table) if isinstance(rule, FixedCombinations) else rule).judge(fresh)
    return judged.broken.sum() / max(judged.decided.sum(), 1)


def false_proposals(world: Callable[[int], Law], n: int, rate: float, tables: int) -> dict[str, object]:
    """Search tables without rules."""
    some, count, violations, seconds, kinds = 0, 0, [], [], defaultdict(int)
    for seed in range(tables):
        rng = np.random.default_rng([seed, n])
        law = world(seed)
        table = law(n, rng)
        found, spent = propose(table, rate, seed)
        seconds.append(spent)
        some += len(found) > 0
        count += len(found)
        for proposal in found.proposals:
            kinds[proposal.kind] += 1
        if len(found):
            fresh = law(FRESH, rng)
            violations += [broken(rule, table, fresh) for rule in found]
    return {
        "tables with a proposal": f"{some} of {tables}",
        "proposals": count,
        "not rarer than the rate": sum(share > rate for share in violations),
        "most violations in fresh rows": f"{max(violations):.3f}" if count else "",
        "kinds": ", ".join(f"{kind} {times}" for kind, times in sorted(kinds.items())),
        "milliseconds": f"{1000 * np.median(seconds):.0f}",
    }


def found_rules(n: int, rate: float, tables: int) -> tuple[pd.DataFrame, int, float]:
    """Search tables with planted rules: found and enough support, by kind; other proposals; seconds."""
    hits, chances, others, seconds = defaultdict(int), defaultdict(int), 0, []
    for seed in range(tables):
        table = with_rules(n, np.random.default_rng([seed, n, 7]))
        found, spent = propose(table, rate, seed)
        seconds.append(spent)
        columns = [frozenset(rule.columns) for rule in found]
        rules = planted(table)
        for rule in rules:
            if rule.support >= found.needed:
                chances[rule.kind] += 1
                hits[rule.kind] += rule.columns in columns
        others += sum(c not in {rule.columns for rule in rules} for c in columns)
    table = pd.DataFrame({"enough support": chances, "found": hits})
    return table, others, float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--settings", nargs="+", default=["155:0.05", "155:0.01", "600:0.01"], help="rows:rate")
    parser.add_argument("--worlds", nargs="+", default=list(WITHOUT))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    settings = [(int(n), float(rate)) for n, rate in (setting.split(":") for setting in arguments.settings)]
    said = [str(versions())]
    for n, rate in settings:
        rows = {name: false_proposals(WITHOUT[name], n, rate, arguments.tables) for name in arguments.worlds}
        said.append(f"\nTables without rules, {n} rows, rate {rate}:\n{pd.DataFrame(rows).T.to_string()}")
        print(said[-1], flush=True)
        if arguments.planted:
            table, others, seconds = found_rules(n, rate, arguments.planted)
            said.append(
                f"\nPlanted rules, {n} rows, rate {rate}: {table.found.sum()} found of "
                f"{table['enough support'].sum()}, "
                f"{others} other proposals, {1000 * seconds:.0f} ms a table\n{table.to_string()}"
            )
            print(said[-1], flush=True)
    if arguments.out:
        arguments.out.write_text("\n".join(said) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The local posterior of a block's parents: against enumeration, under its prior, and in simulated tables."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import bayesynth as bs
from bayesynth.encoding.design import Term
from bayesynth.encoding.features import LINEAR
from bayesynth.encoding.table import CodedSource, EncodedTable, encode_table
from bayesynth.families import Prior
from bayesynth.graphs import Knowledge
from bayesynth.schema import Schema
from bayesynth.structure import BlockEvidence, EvidenceCache, EvidenceScore, SearchSpace, block_evidence, missingness
from bayesynth.structure.local import LocalScore
from bayesynth.structure.missingness import detectable_odds_ratio
from bayesynth.synthesis.coding import encode_frame

TAU = Prior().tau


def encoded(frame: pd.DataFrame) -> EncodedTable:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = Schema.infer(frame)
    return encode_frame(frame, schema, np.random.default_rng(1))[0]


def scored(table: EncodedTable, knowledge: Knowledge | None = None) -> tuple[EvidenceScore, SearchSpace, EncodedTable]:
    space = SearchSpace.of(table.encoding, knowledge or Knowledge())
    return EvidenceScore(EvidenceCache(table, Prior()), space, dict.fromkeys(space.nodes, ())), space, table


def read(frame: pd.DataFrame | EncodedTable, knowledge: Knowledge | None = None) -> dict[str, BlockEvidence]:
    parts = scored(frame if isinstance(frame, EncodedTable) else encoded(frame), knowledge)
    return {b.name: block_evidence(*parts, b.name, TAU) for b in parts[2].encoding.blocks}


def noise(rng: np.random.Generator, n_rows: int, n_columns: int) -> pd.DataFrame:
    names = [f"x{i:02d}" for i in range(n_columns)]
    return pd.DataFrame(rng.standard_normal((n_rows, n_columns)), columns=names)


def cut(rng: np.random.Generator, frame: pd.DataFrame, column: str, log_odds: np.ndarray | float) -> None:
    """Cut blanks into a column with these log odds."""
    frame.loc[rng.random(len(frame)) < expit(log_odds), column] = np.nan


def total(evidence: BlockEvidence) -> float:
    return evidence.p_random + evidence.p_blocks + evidence.p_complete + evidence.p_incomplete


class Told(LocalScore):
    """Evidence that is stated, not learned: log evidence by set, 0 where nothing is stated."""

    def __init__(self, stated: dict[frozenset[str], float] | None = None):
        self._stated = stated or {}

    def scores(self, child: str, parent_sets: Sequence[Sequence[str]]) -> np.ndarray:
        return np.array([self._stated.get(frozenset(s), 0.0) for s in parent_sets])

    def terms(self, child: str, parents: Sequence[str]) -> tuple[Term, ...]:
        return tuple(Term((p,), LINEAR) for p in parents)

    def varies(self, child: str, parent: str) -> bool:
        return True


# --- exactness ---------------------------------------------------------------------------------------------------


def by_enumeration(frame: pd.DataFrame, block: str) -> tuple[np.ndarray, dict[str, float]]:
    """Probabilities of the four kinds of parent set and of each parent, from all sets, each scored by itself."""
    local, space, table = scored(encoded(frame))
    evidence = EvidenceCache(table, Prior())
    seen = frame[frame.columns[frame.isna().any()]].notna()
    rows = table.defined[block]
    incomplete = {name for name in seen if not seen[name][rows].all()}
    parents = [p for p in space.allowed[block] if evidence.child(block).varies(p)]
    kinds, of_parent, whole = np.zeros(4), dict.fromkeys(parents, 0.0), 0.0
    for size in (0, 1, 2):
        for chosen in combinations(parents, size):
            terms = local.terms(block, chosen)
            log_score = evidence.score(block, terms) + space.log_prior_of_forms(terms) - evidence.score(block, ())
            weight = np.exp(log_score) * (0.5 if size == 0 else 0.25 / comb(len(parents), size))
            names = [p for p in chosen if p in frame]
            kinds[0 if not chosen else 3 if incomplete & set(names) else 2 if names else 1] += weight
            for p in chosen:
                of_parent[p] += weight
            whole += weight
    return kinds / whole, {p: weight / whole for p, weight in of_parent.items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_posterior_is_that_of_all_sets(seed: int) -> None:
    frame = bs.datasets.simulate_network(7, 120, effect=0.8, blanks=0.25, mechanism="mar", random_seed=seed).table
    found = read(frame)
    assert len(found) >= 3
    for block, evidence in found.items():
        kinds, parents = by_enumeration(frame, block)
        stated = evidence.p_random, evidence.p_blocks, evidence.p_complete, evidence.p_incomplete
        np.testing.assert_allclose(stated, kinds, atol=1e-6)
        assert evidence.parents == pytest.approx(parents, abs=1e-6)
        assert evidence.log_bayes_factor == pytest.approx(np.log1p(-kinds[0]) - np.log(kinds[0]), abs=1e-5)


def test_adding_up_what_unlikely_pairs_bring_changes_little(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    frame = noise(rng, 150, 22)
    cut(rng, frame, "x00", 0.6 * frame["x01"] + 0.6 * frame["x02"] - 1)
    cut(rng, frame, "x03", -1.0)
    some = read(frame)
    monkeypatch.setattr(missingness, "PAIRS_SCORED", comb(30, 2))
    for block, every in read(frame).items():
        assert some[block].p_random == pytest.approx(every.p_random, abs=0.005)
        assert some[block].parents == pytest.approx(every.parents, abs=0.005)
        assert total(some[block]) == pytest.approx(1.0)


# --- prior -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_columns", [3, 8, 20])
def test_without_information_the_prior_remains(n_columns: int) -> None:
    """One half on nothing, one quarter on one parent, one quarter on two; 190 pairs are more than are scored."""
    rng = np.random.default_rng(1)
    frame = noise(rng, 100, n_columns)
    cut(rng, frame, "x00", -1.0)
    _, space, table = scored(encoded(frame))
    evidence = block_evidence(Told(), space, table, "observed(x00)", TAU)
    assert evidence.p_random == pytest.approx(0.5)
    assert evidence.log_bayes_factor == pytest.approx(0.0)
    assert evidence.p_complete == pytest.approx(0.5)
    assert len(evidence.parents) == n_columns - 1
    for p in evidence.parents.values():
        assert p == pytest.approx(0.75 / (n_columns - 1))


def test_evidence_for_one_set_moves_the_odds_by_as_much() -> None:
    rng = np.random.default_rng(1)
    frame = noise(rng, 100, 5)
    cut(rng, frame, "x00", -1.0)
    _, space, table = scored(encoded(frame))
    told = Told({frozenset(["x01", "x02"]): np.log(7.0)})
    evidence = block_evidence(told, space, table, "observed(x00)", TAU)
    assert np.exp(evidence.log_bayes_factor) == pytest.approx(1.0 + 0.5 * 6.0 / comb(4, 2))


def test_one_possible_parent_takes_the_whole_half() -> None:
    rng = np.random.default_rng(1)
    frame = noise(rng, 100, 2)
    cut(rng, frame, "x00", -1.0)
    _, space, table = scored(encoded(frame))
    assert block_evidence(Told(), space, table, "observed(x00)", TAU).parents == {"x01": pytest.approx(0.5)}


def test_where_nothing_could_be_a_parent_blanks_are_random() -> None:
    rng = np.random.default_rng(1)
    frame = noise(rng, 100, 2)
    cut(rng, frame, "x00", -1.0)
    found = read(frame, Knowledge(forbidden=[("x01", "observed(x00)")]))["observed(x00)"]
    assert (found.p_random, total(found), found.parents) == (1.0, 1.0, {})
    assert np.isnan(found.detectable)


# --- what may be a parent, and of which kind -----------------------------------------------------------------------


def dropout(n_rows: int, seed: int = 1, nested: bool = True) -> pd.DataFrame:
    """Two visits: the second is blank more often the higher the first; where the first is blank too, if nested."""
    rng = np.random.default_rng(seed)
    frame = noise(rng, n_rows, 4).rename(columns={"x00": "first", "x01": "second"})
    first = frame["first"].copy()
    cut(rng, frame, "first", -1.0)
    cut(rng, frame, "second", 1.5 * first - 1)
    if nested:
        frame.loc[frame["first"].isna(), "second"] = np.nan
    return frame


def test_forbidden_parents_are_not_considered() -> None:
    rng = np.random.default_rng(2)
    frame = noise(rng, 200, 5)
    cut(rng, frame, "x00", 1.5 * frame["x01"] - 1)
    free = read(frame)["observed(x00)"]
    held = read(frame, Knowledge(forbidden=[("x01", "observed(x00)")]))["observed(x00)"]
    assert free.parents["x01"] > 0.99
    assert set(held.parents) == set(free.parents) - {"x01"}
    assert held.p_random > 0.5 > free.p_random


def test_blocks_that_are_sinks_have_no_block_for_a_parent() -> None:
    frame = dropout(200, nested=False)
    assert "observed(first)" in read(frame)["observed(second)"].parents
    found = read(frame, Knowledge(blanks="sinks"))["observed(second)"]
    assert "observed(first)" not in found.parents
    assert found.p_blocks == 0.0


def test_no_block_depends_on_what_is_inside() -> None:
    frame = dropout(300)
    frame["twin"] = frame["x02"].where(frame["second"].notna()) + 0.0  # blank together with the second visit
    found = read(frame)
    assert set(found["observed(first)"].parents) == {"x02", "x03"}
    assert set(found["observed(second +1)"].parents) == {"first", "x02", "x03"}


def test_a_column_that_is_complete_within_the_outer_block_is_complete() -> None:
    found = read(dropout(400))["observed(second)"]
    assert found.parents["first"] > 0.99
    assert found.p_complete > 0.99
    assert found.p_incomplete == 0.0


def test_a_partly_blank_column_is_incomplete() -> None:
    found = read(dropout(400, nested=False))["observed(second)"]
    assert found.parents["first"] > 0.99
    assert found.p_incomplete > 0.99


def test_blanks_that_only_come_together_are_told_from_values() -> None:
    rng = np.random.default_rng(3)
    frame = noise(rng, 300, 6)
    cut(rng, frame, "x00", -1.0)
    cut(rng, frame, "x01", np.where(frame["x00"].isna(), 1.5, -1.5))
    found = read(frame)["observed(x01)"]
    assert found.parents["observed(x00)"] > 0.99
    assert found.p_complete + found.p_incomplete < 0.75  # two parents of three are values before the data speak
    cut(rng, frame, "x02", 1.5 * frame["x03"])
    found = read(frame)["observed(x02)"]
    assert found.p_blocks < 0.01
    assert found.p_complete > 0.8


# --- invariance --------------------------------------------------------------------------------------------------


def test_order_of_columns_names_of_levels_and_units_do_not_matter() -> None:
    kinds = ["continuous", "categorical", "binary", "continuous", "count", "continuous"]
    frame = bs.datasets.simulate_network(6, 150, kinds=kinds, blanks=0.3, mechanism="mar", random_seed=5).table
    other = frame.iloc[:, ::-1].copy()
    for name in ("x01", "x04", "x06"):
        other[name] = 40.0 * other[name] - 3.0
    other["x02"] = other["x02"].cat.rename_categories({"a": "z", "b": "y", "c": "x"}).astype(object)
    other["x03"] = other["x03"].map({"yes": "no", "no": "yes"})
    one, two = read(frame), read(other)
    assert len(one) == 3
    assert one.keys() == two.keys()
    for block, evidence in one.items():
        assert two[block].p_random == pytest.approx(evidence.p_random, abs=1e-5)
        assert two[block].p_complete == pytest.approx(evidence.p_complete, abs=1e-5)
        assert two[block].parents == pytest.approx(evidence.parents, abs=1e-5)
        assert two[block].detectable == evidence.detectable


# --- what can be noticed -----------------------------------------------------------------------------------------


def test_larger_tables_and_even_shares_show_more() -> None:
    def ratios(**changed: Sequence[float]) -> np.ndarray:
        (values,) = changed.values()
        base = {"rate": 0.2, "n_rows": 200, "n_parents": 10, "tau": TAU}
        return np.array([detectable_odds_ratio(**base | {name: v}) for name in changed for v in values])

    assert (np.diff(ratios(n_rows=[50, 100, 400, 5000])) < 0).all()
    assert (np.diff(ratios(rate=[0.02, 0.1, 0.3, 0.5])) < 0).all()
    assert (np.diff(ratios(n_parents=[1, 2, 20, 100])) > 0).all()
    np.testing.assert_allclose(ratios(rate=[0.1, 0.3]), ratios(rate=[0.9, 0.7]))
    assert ratios(rate=[0.01])[0] == np.inf  # two blanks show nothing
    assert np.isnan(ratios(rate=[0.0, 1.0])).all()


def test_in_large_tables_the_slope_is_that_of_the_score_test() -> None:
    n, rate, m = 200_000, 0.2, 10
    needed = np.log(9.0) + np.log(2 * m) + 0.5 * np.log1p(n * TAU**2)
    slope = (np.sqrt(2 * needed) + 0.8416) / np.sqrt(n * rate * (1 - rate))
    assert np.log(detectable_odds_ratio(rate, n, m, TAU)) == pytest.approx(slope, rel=0.01)


def dependence(seed: int, n_rows: int, rate: float, log_odds_ratio: float) -> float:
    """Probability of a dependence of one block on one of nine columns."""
    rng = np.random.default_rng([seed, n_rows])
    X = rng.standard_normal((n_rows, 10))
    at = np.linspace(-12, 12, 2001)
    rates = expit(at[:, None] + log_odds_ratio * np.random.default_rng(1).standard_normal(2000)).mean(axis=1)
    X[rng.random(n_rows) < expit(np.interp(rate, rates, at) + log_odds_ratio * X[:, 1]), 0] = np.nan
    sources = {f"x{i:02d}": CodedSource(x, (), False) for i, x in enumerate(X.T)}
    return 1.0 - read(encode_table(sources, rng))["observed(x00)"].p_random


def test_twice_what_is_detectable_is_detected() -> None:
    slope = np.log(detectable_odds_ratio(0.25, 150, 9, TAU))
    assert np.mean([dependence(seed, 150, 0.25, 2 * slope) >= 0.9 for seed in range(10)]) >= 0.9
    assert np.mean([dependence(seed, 150, 0.25, slope / 3) >= 0.9 for seed in range(10)]) <= 0.3


@pytest.mark.slow
@pytest.mark.parametrize(("n_rows", "rate"), [(150, 0.25), (600, 0.1)])
def test_what_is_detectable_is_detected_in_four_of_five_tables(n_rows: int, rate: float) -> None:
    slope = np.log(detectable_odds_ratio(rate, n_rows, 9, TAU))
    power = np.mean([dependence(seed, n_rows, rate, slope) >= 0.9 for seed in range(40)])
    assert 0.61 < power < 0.99  # three standard errors of 0.8 are 0.19


def false_flags(n_rows: int, seeds: Sequence[int]) -> list[bool]:
    """Whether a dependence is reported, for eight blocks of each table, all blank completely at random."""
    flags = []
    for seed in seeds:
        table = bs.datasets.simulate_network(10, n_rows, blanks=0.25, blank_columns=0.8, random_seed=seed).table
        flags += [1.0 - evidence.p_random >= 0.9 for evidence in read(table).values()]
    assert len(flags) == 8 * len(seeds)
    return flags


def test_blanks_at_random_are_hardly_ever_blamed_on_something() -> None:
    assert sum(false_flags(150, range(8))) <= 2  # of 64


@pytest.mark.slow
def test_false_alarms_are_below_three_percent() -> None:
    assert np.mean(false_flags(150, range(30))) < 0.03  # of 240

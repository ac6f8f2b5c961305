"""Families as they are fitted: slopes that mean the same with and without blanks, zeros where evidence wants them."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.encoding.design import SCALE, SHAPE, ChildBank, FeatureBank, Term
from bayesynth.families import FAMILIES, Prior, Task
from bayesynth.graphs import Knowledge
from bayesynth.schema import Schema
from bayesynth.structure import EvidenceCache, fitted_family
from bayesynth.structure.fitted import LOG_ODDS_OF_A_STAND_IN, log_evidence
from bayesynth.synthesis.coding import encode_frame

GRAPH = nx.DiGraph([("a", "p"), ("a", "y"), ("p", "y")])
PARENTS = Term(("a",), "linear"), Term(("p",), "linear")


def chain(n: int, rng: np.random.Generator, blank_effect: bool = True) -> pd.DataFrame:
    """a leads to p and to y, and p to y; p is blank at random in four of ten rows.

    Without `blank_effect`, y takes nothing from a through p where p is blank: what zeros say.
    """
    a = rng.standard_normal(n)
    p = 0.8 * a + 0.6 * rng.standard_normal(n)
    blank = rng.random(n) < 0.4
    through = p if blank_effect else np.where(blank, 0.6 * rng.standard_normal(n), p)
    y = 0.3 * a + 0.6 * through + 0.5 * rng.standard_normal(n)
    return pd.DataFrame({"a": a, "p": np.where(blank, np.nan, p), "y": y})


def bank_of(frame: pd.DataFrame) -> ChildBank:
    table = encode_frame(frame, Schema.infer(frame), np.random.default_rng(1))[0]
    return ChildBank(FeatureBank(table), "y")


def test_slopes_of_other_parents_are_their_direct_effects() -> None:
    """Least squares on the rows with p give the truth; over all rows, zeros for blanks add to the slope of a."""
    frame = chain(4000, np.random.default_rng(2))
    bank = bank_of(frame)
    found = fitted_family(bank, PARENTS, Prior())
    whole = np.linalg.lstsq(found.task.X, bank.y, rcond=None)[0]
    seen = frame["p"].notna().to_numpy()
    some = np.linalg.lstsq(found.task.X[seen] - found.task.X[seen].mean(axis=0), bank.y[seen], rcond=None)[0]
    np.testing.assert_allclose(whole, some, atol=0.03)
    zeros = bank.matrix(bank.design(PARENTS, zeros={"p"}))
    assert np.linalg.lstsq(zeros, bank.y, rcond=None)[0][0] > some[0] + 0.1


def test_synthetic_rows_keep_the_slopes_of_rows_with_and_without_blanks() -> None:
    """Blanks inform nobody here, so that no effect of them can make up for zeros, which give 0.48 in all three."""
    frame = chain(1500, np.random.default_rng(3))
    synthesizer = bs.Synthesizer(inference="laplace", knowledge=Knowledge(graph=GRAPH, blanks="sinks"))
    fit = synthesizer.fit(frame, random_seed=1, progress=False)

    def slope(rows: pd.DataFrame, known: bool) -> float:
        rows = rows[rows["p"].notna() == known]
        y, a, p = (rows[name].to_numpy(float) for name in ("y", "a", "p"))
        X = np.column_stack([np.ones(len(rows)), a, *([p] if known else [])])
        return float(np.linalg.lstsq(X, y, rcond=None)[0][1])

    recorded = fit.sample(20_000, random_seed=4)
    complete = fit.sample(20_000, blanks=False, random_seed=4)
    assert slope(recorded, True) == pytest.approx(0.3, abs=0.08)
    assert slope(recorded, False) == pytest.approx(0.3 + 0.6 * 0.8, abs=0.08)
    assert slope(complete, True) == pytest.approx(0.3, abs=0.08)


def test_evidence_against_a_stand_in_brings_the_zeros_back() -> None:
    bank = bank_of(chain(600, np.random.default_rng(4), blank_effect=False))
    assert fitted_family(bank, PARENTS, Prior()).stood_in == frozenset()


@pytest.mark.parametrize("seed", range(5))
def test_the_choice_is_the_most_likely_one(seed: int) -> None:
    """With one blank parent there are two designs; a small table leaves room for either."""
    bank = bank_of(chain(60, np.random.default_rng(seed), blank_effect=bool(seed % 2)))
    both = [bank.design(PARENTS, zeros) for zeros in ((), {"p"})]
    tasks = [Task(bank.y, bank.matrix(design), 0) for design in both]
    worth = [log_evidence("gaussian", task, Prior()) for task in tasks]
    worth[0] += LOG_ODDS_OF_A_STAND_IN
    found = fitted_family(bank, PARENTS, Prior())
    np.testing.assert_array_equal(found.task.X, tasks[int(np.argmax(worth))].X)


@pytest.mark.parametrize(
    "extra", [(), (Term(("a",), SCALE),), (Term((), SHAPE),), (Term(("a",), SCALE), Term((), SHAPE))]
)
def test_evidence_of_a_fitted_family_is_that_of_the_search(extra: tuple[Term, ...]) -> None:
    frame = chain(200, np.random.default_rng(6))[["a", "y"]]
    table = encode_frame(frame, Schema.infer(frame), np.random.default_rng(1))[0]
    evidence, terms = EvidenceCache(table, Prior()), (PARENTS[0], *extra)
    found = fitted_family(evidence.child("y"), terms, Prior())
    assert found.stood_in == frozenset()
    assert log_evidence("gaussian", found.task, Prior()) == pytest.approx(evidence.score("y", terms), abs=1e-8)


def test_every_family_can_be_told_from_its_zeros(pbc: pd.DataFrame) -> None:
    """All four kinds of child of `pbc` have parents that are blank, and none of their designs is without a figure."""
    schema = Schema.infer(pbc)
    table = encode_frame(pbc, schema, np.random.default_rng(1))[0]
    bank, kinds = FeatureBank(table), set()
    for child, node in table.encoding.nodes.items():
        parents = [name for name in ("chol", "copper", "platelet", "age", "albumin") if name != child]
        found = fitted_family(ChildBank(bank, child), [Term((name,), "linear") for name in parents], Prior())
        assert np.isfinite(found.task.X).all()
        if found.stood_in:
            kinds.add(node.family)
            assert np.isfinite(log_evidence(node.family, found.task, Prior()))
    assert kinds == set(FAMILIES)

"""Forms drawn from their posterior: as often as exact enumeration says, and only where there is doubt."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.encoding.design import PRODUCT, SCALE, SHAPE, Term
from bayesynth.families import Prior
from bayesynth.graphs import Knowledge
from bayesynth.schema import Schema
from bayesynth.structure import EvidenceCache, SearchSpace
from bayesynth.structure.forms import WINDOW, FormDraws
from bayesynth.structure.refine import refine_family
from bayesynth.synthesis.coding import encode_frame


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """y bends a little with x and spreads a little with the coin; z is the sum of both, without doubt."""
    rng = np.random.default_rng(12)
    x, coin = rng.standard_normal(250), rng.integers(2, size=250)
    y = 0.5 * x + 0.2 * x**2 + np.exp(0.14 * coin) * rng.standard_normal(250)
    z = x * (2 * coin - 1) + 0.3 * rng.standard_normal(250)
    return pd.DataFrame({"x": x, "coin": np.array(["heads", "tails"])[coin], "y": y, "z": z})


@pytest.fixture(scope="module")
def scored(frame: pd.DataFrame) -> tuple[EvidenceCache, SearchSpace]:
    table = encode_frame(frame, Schema.infer(frame), np.random.default_rng(1))[0]
    return EvidenceCache(table, Prior()), SearchSpace.of(table.encoding, Knowledge())


def best(scored: tuple[EvidenceCache, SearchSpace], child: str) -> tuple[Term, ...]:
    plain = tuple(Term((p,), scored[1].forms[p][0]) for p in ("coin", "x"))
    return refine_family(*scored, child, plain).terms


def test_forms_are_drawn_as_often_as_enumeration_says(scored: tuple[EvidenceCache, SearchSpace]) -> None:
    evidence, space = scored
    draws = FormDraws(evidence, space, np.random.default_rng(3))
    found = [frozenset(draws.draw("y", best(scored, "y"))) for _ in range(4000)]
    choices = draws._chains["y", frozenset({"x", "coin"})][1]
    assert len(choices) >= 2
    fixed = frozenset(best(scored, "y")).difference(*(term for choice in choices for term in choice.options))
    families = [fixed.union(*options) for options in product(*(choice.options for choice in choices))]
    log_p = evidence.scores("y", families) + np.array([space.log_prior_of_forms(f) for f in families])
    p = np.exp(log_p - log_p.max())
    drawn = np.array([found.count(family) for family in families]) / len(found)
    assert drawn.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(drawn, p / p.sum(), atol=0.03)


def test_what_is_not_in_doubt_is_not_varied(scored: tuple[EvidenceCache, SearchSpace]) -> None:
    evidence, space = scored
    draws, sure = FormDraws(evidence, space, np.random.default_rng(3)), Term(("coin", "x"), PRODUCT)
    found = [draws.draw("z", best(scored, "z")) for _ in range(200)]
    assert all(sure in terms for terms in found)
    now = evidence.score("z", best(scored, "z")) + space.log_prior_of_forms(best(scored, "z"))
    for terms in {frozenset(terms) for terms in found}:
        gain = evidence.score("z", terms) + space.log_prior_of_forms(terms) - now
        assert gain > -WINDOW * len(draws._chains["z", frozenset({"x", "coin"})][1])


def test_every_draw_is_a_family_of_the_same_parents(scored: tuple[EvidenceCache, SearchSpace]) -> None:
    evidence, space = scored
    draws = FormDraws(evidence, space, np.random.default_rng(4))
    for child in ("y", "z", "coin"):
        parents = [p for p in ("x", "coin", "y") if p != child]
        start = tuple(Term((p,), space.forms[p][0]) for p in parents)
        for _ in range(50):
            terms = draws.draw(child, start)
            assert len(set(terms)) == len(terms)
            assert sorted(t.parents[0] for t in terms if t.of_location and len(t.parents) == 1) == sorted(parents)
            assert sum(t.form == SHAPE for t in terms) <= 1
            assert not (child == "coin" and any(t.form in (SCALE, SHAPE) for t in terms))
    assert draws.draw("x", ()) in ((), (Term((), SHAPE),))


@pytest.mark.parametrize(("options", "averaged"), [({}, True), ({"search": bs.SearchOptions(refine=False)}, False)])
def test_a_given_graph_is_fitted_in_several_forms(frame: pd.DataFrame, options: dict, averaged: bool) -> None:
    graph = nx.DiGraph([("x", "y"), ("coin", "y"), ("x", "z"), ("coin", "z")])
    synthesizer = bs.Synthesizer(inference="laplace", knowledge=bs.Knowledge(graph=graph), **options)
    first, again = (synthesizer.fit(frame, random_seed=5, progress=False) for _ in range(2))
    assert {frozenset(dag.edges) for dag in first.network.dags} == {frozenset(graph.edges)}
    assert len(first.network.graphs) == 16
    assert first.network.graphs == again.network.graphs
    families = {graph["y"] for graph in first.network.graphs}
    assert (len(families) > 1) == averaged
    assert all(name.startswith("y ~ coin + ") for name in families)
    pd.testing.assert_frame_equal(first.sample(50, random_seed=1), again.sample(50, random_seed=1))

"""Refined families: exact scores where they were settled, sensible ones before, and graphs that only they can find."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import bayesynth as bs
from bayesynth.encoding.design import PRODUCT, SCALE, SHAPE, Term
from bayesynth.encoding.features import PRESENCE
from bayesynth.families import FAMILIES, Prior, shape_gain
from bayesynth.graphs import Knowledge
from bayesynth.schema import Schema
from bayesynth.structure import EvidenceCache, SearchSpace
from bayesynth.structure.refine import LEAST_OUTLOOK, RefinedScore, _with, extra_terms, refine_family
from bayesynth.synthesis.coding import encode_frame


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """y is the product of a number and a coin; the spread of z follows a; c stands apart."""
    rng = np.random.default_rng(3)
    a, c = rng.standard_normal((2, 400))
    coin = rng.integers(2, size=400)
    y = a * (2 * coin - 1) + 0.4 * rng.standard_normal(400)
    z = rng.standard_normal(400) * np.exp(0.8 * a)
    return pd.DataFrame({"a": a, "coin": np.array(["heads", "tails"])[coin], "c": c, "y": y, "z": z})


def score_of(frame: pd.DataFrame) -> tuple[RefinedScore, EvidenceCache, SearchSpace]:
    table = encode_frame(frame, Schema.infer(frame), np.random.default_rng(1))[0]
    evidence, space = EvidenceCache(table, Prior()), SearchSpace.of(table.encoding, Knowledge())
    return RefinedScore(evidence, space, dict.fromkeys(space.nodes, ())), evidence, space


def test_products_and_scales_are_found(frame: pd.DataFrame) -> None:
    local, evidence, space = score_of(frame)
    assert Term(("a", "coin"), PRODUCT) in local.terms("y", ["a", "coin"])
    assert Term(("a",), SCALE) in local.terms("z", ["a"])
    assert not any(term.form in (PRODUCT, SCALE) for term in local.terms("c", ["a", "coin", "y"]))
    for child, parents in (("y", ["a", "coin"]), ("z", ["a"]), ("c", [])):
        terms = local.terms(child, parents)
        exact = evidence.score(child, terms) + space.log_prior_of_forms(terms)
        assert local.scores(child, [parents])[0] == pytest.approx(exact, abs=1e-10)
        refined = refine_family(evidence, space, child, local.plain(child, parents))
        assert (refined.terms, refined.score) == (terms, pytest.approx(exact, abs=1e-10))


def test_a_blank_parent_adds_to_the_residual_variance() -> None:
    rng = np.random.default_rng(5)
    x, other = rng.standard_normal((2, 500))
    frame = pd.DataFrame({"x": x, "other": other, "y": 1.2 * x + 0.3 * other + rng.standard_normal(500)})
    blank = frame.assign(x=frame["x"].mask(rng.random(500) < 0.4), other=frame["other"].mask(rng.random(500) < 0.4))
    assert Term(("x",), PRESENCE) in score_of(blank)[0].terms("y", ["other", "x"])
    assert not any(term.form == PRESENCE for term in score_of(frame)[0].terms("y", ["other", "x"]))
    fit = bs.Synthesizer(inference="laplace", structure="greedy").fit(blank, random_seed=1, progress=False)
    drawn = fit.sample(20_000, balanced=False, random_seed=2)
    assert drawn.loc[drawn["x"].isna(), "y"].std() == pytest.approx(np.sqrt(2.53), abs=0.12)
    both = drawn.dropna()
    slope, at = np.polyfit(both["x"], both["y"], 1)
    assert (both["y"] - slope * both["x"] - at).std() == pytest.approx(np.sqrt(1.09), abs=0.12)


@pytest.fixture(scope="module")
def followed() -> pd.DataFrame:
    """Eight years of follow-up of 600 patients: most deaths come early, most of the living stay long; and a number."""
    rng = np.random.default_rng(6)
    dead, x = rng.random(600) < 0.5, rng.standard_normal(600)
    early, late = rng.exponential(2, 600), 8 - rng.exponential(1, 600)
    years = np.clip(np.where(dead, early, late), 0.01, 8)
    return pd.DataFrame({"status": np.where(dead, "dead", "alive"), "years": years, "x": x})


def test_a_residual_has_its_shape_in_each_level(followed: pd.DataFrame) -> None:
    local, evidence, _ = score_of(followed)
    shape = Term(("status",), SHAPE)
    assert shape in local.terms("years", ["status"])
    assert shape in local.terms("years", ["status", "x"])
    assert not any(term.form == SHAPE for term in local.terms("x", ["status"]))
    twice = (Term(("status",), "levels"), Term(("x",), "linear"), shape)
    assert _with(twice, Term((), SHAPE)) == (*twice[:2], Term((), SHAPE))
    rest = tuple(term for term in local.terms("years", ["status"]) if term.form != SHAPE)
    task = evidence.task("years", (*rest, shape))
    gain = evidence.score("years", (*rest, shape)) - evidence.score("years", rest)
    assert gain == pytest.approx(shape_gain(FAMILIES["gaussian"].left_out(task, Prior()), task.groups), abs=1e-10)
    assert gain > 3


@pytest.mark.parametrize("inference", ["laplace", "nuts"])
def test_synthetic_follow_up_ends_when_the_real_one_does(
    followed: pd.DataFrame, inference: str, tmp_path: Path
) -> None:
    graph = nx.DiGraph([("status", "years")])
    graph.add_node("x")
    settings = {"inference": inference, "structure": "greedy", "knowledge": bs.Knowledge(graph=graph)}
    fit = bs.Synthesizer(**settings).fit(followed, random_seed=1, progress=False)
    drawn = fit.sample(4000, balanced=False, random_seed=2)
    for status, real in followed.groupby("status")["years"]:
        assert kstest(drawn.loc[drawn["status"] == status, "years"], real).statistic < 0.08
    name = next(name for name in fit.network.families if "shape(status)" in name)
    shape = fit.posterior["posterior"][f"shape[{name}]"]
    assert shape.dims == ("chain", "draw", f"group[{name}]", f"bin[{name}]")
    assert [str(group) for group in shape[f"group[{name}]"].values] == [
        f"residual shape: status: {name}" for name in ("alive", "dead", "blank")
    ]
    again = bs.load(fit.save(tmp_path / "fit.bayesynth"))
    pd.testing.assert_frame_equal(again.sample(50, random_seed=3), fit.sample(50, random_seed=3))
    effect = fit.relationships().query("child == 'years'")["effect"].abs().iloc[0]
    means = followed.groupby("status")["years"].mean()
    assert effect == pytest.approx(abs(means["alive"] - means["dead"]), abs=0.5)


def test_the_quick_look_at_the_scale_leaves_out_nothing_that_gains(frame: pd.DataFrame) -> None:
    _, evidence, _ = score_of(frame.assign(c=frame["c"].mask(frame["a"] > 0.5)))
    rng, gains, exact = np.random.default_rng(1), [], []
    for _ in range(60):
        child = str(rng.choice(["a", "c", "y", "z"]))
        parents = [str(p) for p in rng.permutation([p for p in "acyz" if p != child])[: rng.integers(1, 4)]]
        plain = tuple(Term((p,), "linear") for p in sorted(parents))
        extras = [term for term in extra_terms(evidence, child, parents) if term.of_scale]
        gains += evidence.outlook_on_scale(child, plain, extras).tolist()
        scores = evidence.scores(child, [plain, *((*plain, extra) for extra in extras)])
        exact += (scores[1:] - scores[0]).tolist()
    gains, exact = np.array(gains), np.array(exact)
    assert len(gains) > 100
    assert (exact > 0).sum() > 10
    assert (exact[gains < LEAST_OUTLOOK] < 0.5).all()
    assert np.median(np.abs(gains - exact)[np.abs(exact) < 2]) < 0.3


def test_a_settled_set_scores_no_worse_than_its_plain_terms(frame: pd.DataFrame) -> None:
    local, evidence, space = score_of(frame)
    for child in space.nodes:
        sets = [[p for p in space.nodes if p != child and p != left] for left in space.nodes if left != child]
        assert local.settle(child, sets).all()
        assert not local.settle(child, sets).any()
        plain = [local.plain(child, s) for s in sets]
        least = evidence.scores(child, plain) + [space.log_prior_of_forms(terms) for terms in plain]
        assert (local.scores(child, sets) >= least - 1e-9).all()


def test_sets_that_are_not_settled_are_foreseen_by_their_subsets(frame: pd.DataFrame) -> None:
    local, evidence, space = score_of(frame)
    wide = ["a", "c", "coin"]
    local.settle("y", [["a", "coin"]])
    plain = evidence.score("y", local.plain("y", wide)) + space.log_prior_of_forms(local.plain("y", wide))
    pair = local.plain("y", ["a", "coin"])
    more = local.scores("y", [["a", "coin"]])[0] - evidence.score("y", pair) - space.log_prior_of_forms(pair)
    foreseen = local.scores("y", [wide])[0]
    assert more > 50
    assert foreseen >= plain + more - 1e-9
    local.settle("y", [wide])
    assert local.scores("y", [wide])[0] == pytest.approx(foreseen, abs=10)


def test_the_posterior_finds_what_only_a_product_or_a_scale_shows(frame: pd.DataFrame) -> None:
    def adjacent(refine: bool) -> pd.DataFrame:
        options = {"search": bs.SearchOptions(refine=refine)}
        matrix = bs.Synthesizer(**options).learn_structure(frame, random_seed=1, progress=False).edge_matrix()
        return matrix + matrix.T

    refined, plain = adjacent(True), adjacent(False)
    for pair in (("a", "y"), ("coin", "y"), ("a", "z")):
        assert refined.loc[pair] > 0.99
    for pair in (("a", "y"), ("coin", "y")):
        assert plain.loc[pair] < 0.5
    assert refined.loc["c"].max() < 0.3

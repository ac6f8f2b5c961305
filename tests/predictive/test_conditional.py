"""Rows under conditions follow the exact conditional distribution, whichever way they are made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from _networks import enumerate_rows, nested_network, number_network, without_bootstrap
from scipy import stats
from scipy.special import ndtr, ndtri

from bayesynth.predictive import DrawOptions, FittedNetwork, conditional
from bayesynth.predictive.allowed import Allowed, place, share_below
from bayesynth.predictive.conditional import Drawn, TooRareError, draw_given, source_of
from bayesynth.predictive.particles import Source

OUTER, INNER = "observed(d)", "observed(e)"
CONDITIONS = {
    "a root": {"a": [1]},
    "a leaf": {"e": [0], OUTER: [1], INNER: [1]},
    "a set": {"c": [0, 2]},
    "both ends": {"a": [1], "e": [0, 2], OUTER: [1], INNER: [1]},
    "inner blank": {INNER: [0]},
    "inner blank, outer seen": {INNER: [0], OUTER: [1]},
    "outer blank": {OUTER: [0]},
    "inner blank and a level": {INNER: [0], "c": [1]},
    "outer seen": {OUTER: [1]},
}


@pytest.fixture(scope="module")
def network() -> FittedNetwork:
    return nested_network()


@pytest.fixture(params=["rejection", "moves"])
def method(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "moves":
        monkeypatch.setattr(conditional, "PILOT", 50)
        monkeypatch.setattr(conditional, "MOST_ROWS", 0)
        monkeypatch.setattr(conditional, "MOST_PER_ROW", 0)
    return request.param


def draw(source: Source, n: int, seed: int = 3) -> Drawn:
    return draw_given(source, n, np.random.default_rng(seed))


def exact(network: FittedNetwork, wanted: dict[str, list[int]]) -> tuple[np.ndarray, np.ndarray, float]:
    """Distinct rows that meet the conditions, their probabilities, and the probability of the conditions."""
    rows, p = enumerate_rows(network)
    assert p.sum() == pytest.approx(1.0)
    meets = np.all([np.isin(rows[name], codes) for name, codes in wanted.items()], axis=0)
    table = np.nan_to_num(np.column_stack([rows[name] for name in network.encoding.nodes]), nan=-1)[meets]
    distinct, place = np.unique(table, axis=0, return_inverse=True)
    mass = np.bincount(place.ravel(), weights=p[meets])
    return distinct, mass / mass.sum(), float(mass.sum())


@pytest.mark.parametrize("name", CONDITIONS)
def test_rows_follow_the_exact_conditional_distribution(network: FittedNetwork, name: str, method: str) -> None:
    wanted = CONDITIONS[name]
    allowed = {node: Allowed.codes(codes) for node, codes in wanted.items()}
    n = 4_000
    found = draw(source_of(network, allowed, DrawOptions(), np.random.default_rng(1)), n)
    assert found.method == (conditional.MOVES if method == "moves" else conditional.REJECTION)
    distinct, p, total = exact(network, wanted)
    table = np.nan_to_num(np.column_stack([found.columns[k] for k in network.encoding.nodes]), nan=-1)
    counts = np.array([(table == row).all(axis=1).sum() for row in distinct])
    assert counts.sum() == n  # no row outside
    common = p * n >= 5
    expected = np.r_[p[common], p[~common].sum()] * n
    seen = np.r_[counts[common], counts[~common].sum()]
    keep = expected > 0
    assert stats.chisquare(seen[keep], expected[keep]).pvalue > 1e-4
    assert found.probability == pytest.approx(total, abs=max(5 * found.probability_error, 1e-9))


def test_moves_alone_lead_to_the_target(network: FittedNetwork) -> None:
    """From equal weights, which are wrong, moves find the distribution within each graph and draw."""
    wanted = {"e": [0], OUTER: [1], INNER: [1]}
    allowed = {node: Allowed.codes(codes) for node, codes in wanted.items()}
    one = replace(network, graphs=network.graphs[:1])
    source = source_of(one, allowed, DrawOptions(each_row=False), np.random.default_rng(1))
    rng = np.random.default_rng(2)
    columns = source.finish(conditional.sweep(source, source.draw(6_000, rng), 20, rng)[0], rng).columns
    target = draw(source, 6_000).columns
    start = source.draw(6_000, rng).columns
    for name in ("a", "c", "d"):
        table = np.array([np.bincount(part[name].astype(int), minlength=3) for part in (columns, target)])
        assert stats.chi2_contingency(table[:, table.sum(0) > 0]).pvalue > 1e-4, name
    before = np.array([np.bincount(part["d"].astype(int), minlength=2) for part in (start, target)])
    assert stats.chi2_contingency(before).pvalue < 1e-4  # there was something to do


def test_numbers_are_truncated_normals(method: str) -> None:
    """Conditions on the child of a bivariate normal: a half-line, and two ranges; scores against SciPy."""
    network, slope = number_network(), 0.8
    rng = np.random.default_rng(1)
    marginal = network.encoding.nodes["x"].marginal
    for ranges in ([(1.0, np.inf)], [(-2.0, -1.0), (2.0, 2.5)]):
        lower, upper = (np.array([ends]) for ends in zip(*ranges, strict=True))
        source = source_of(network, {"y": Allowed.ranges(lower, upper)}, DrawOptions(), rng)
        source = replace(source, plan=without_bootstrap(source.plan, network))
        found = draw(source, 4_000)
        y = found.columns["y"]
        assert np.all(((lower <= y[:, None]) & (y[:, None] <= upper)).any(axis=1))
        ends = [tuple(ndtri(np.clip((np.array(r) + 3) / 6, 0, 1))) for r in ranges]
        mass = np.array([ndtr(b) - ndtr(a) for a, b in ends])
        assert found.probability == pytest.approx(mass.sum(), abs=5 * found.probability_error + 0.003)
        means = np.array([stats.truncnorm(a, b).mean() for a, b in ends])
        x = marginal.scores(found.columns["x"])
        # E(x | y in A) = slope E(y | y in A), for a bivariate normal
        assert x.mean() == pytest.approx(slope * mass @ means / mass.sum(), abs=5 * x.std() / np.sqrt(4_000))


def test_rows_are_not_copies_of_one_another(method: str) -> None:
    network = number_network()
    lower, upper = np.array([[2.5]]), np.array([[3.0]])
    source = source_of(network, {"y": Allowed.ranges(lower, upper)}, DrawOptions(), np.random.default_rng(1))
    pairs = draw(source, 1_000).columns
    assert len(np.unique(np.column_stack([pairs["x"], pairs["y"]]), axis=0)) > 950


def test_equal_seeds_give_equal_rows(network: FittedNetwork, method: str) -> None:
    allowed = {"c": Allowed.codes([0, 2])}
    first, second = (draw(source_of(network, allowed, DrawOptions(), np.random.default_rng(1)), 300) for _ in range(2))
    for name, values in first.columns.items():
        np.testing.assert_array_equal(values, second.columns[name])
    assert first.probability == second.probability


def test_what_cannot_be_is_refused_with_its_probability(network: FittedNetwork) -> None:
    impossible = {OUTER: Allowed.codes([0]), INNER: Allowed.codes([1])}
    with pytest.raises(TooRareError) as raised:
        draw(source_of(network, impossible, DrawOptions(), np.random.default_rng(1)), 10)
    assert raised.value.probability == 0.0


def test_places_are_spread_evenly_over_a_union() -> None:
    below, inside = np.array([[0.1, 0.5, 0.9]]), np.array([[0.2, 0.0, 0.05]])
    for v, u in ((0.4, 0.2), (0.8, 0.3), (0.9, 0.925)):
        found, total = place(below, inside, np.array([v]))
        assert (found[0], total[0]) == pytest.approx((u, 0.25))
        assert share_below(below, inside, found)[0] == pytest.approx(v)


def test_rounding_never_breaks_a_condition() -> None:
    allowed = Allowed.ranges(np.array([[1.0, 3.0]]), np.array([[2.0, np.inf]]))
    np.testing.assert_array_equal(allowed.project(np.array([0.9, 1.5, 2.2, 2.8, 7.0])), [1.0, 1.5, 2.0, 3.0, 7.0])
    np.testing.assert_array_equal(allowed.contains(np.array([0.9, 1.5, 2.2, 3.0])), [False, True, False, True])

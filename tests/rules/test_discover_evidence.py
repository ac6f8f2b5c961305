"""The pieces of evidence, each beside an independent calculation."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy.stats import beta, betabinom, dirichlet_multinomial, norm

from bayesynth.rules.discover_combinations import _axes, _ranks, _trend
from bayesynth.rules.discover_evidence import Evidence, log_absent, log_choose, log_pure, rows_needed, weigh
from bayesynth.rules.discover_levels import STEEP, confusion
from bayesynth.rules.discover_order import crossing
from bayesynth.rules.roundest import roundest


def test_the_posterior_is_that_of_a_uniform_prior() -> None:
    assert Evidence(30, 0.0, 0.0).posterior(0.05) == pytest.approx(beta(1, 31).cdf(0.05))
    assert Evidence(300, 0.0, 0.0).posterior(0.01) == pytest.approx(1 - 0.99**301)  # the rule of three: 3 / 300
    assert rows_needed(0.01, 0.95) == next(n for n in range(1000) if beta(1, 1 + n).cdf(0.01) >= 0.95)


def test_rows_that_could_hardly_contradict_do_not_count() -> None:
    chances, aside = np.array([0.5, 0.04, 0.05, 0.0]), np.array([True, True, False, False])
    found = weigh(chances, aside)
    assert (found.support, found.kept_aside) == (2, 1)
    assert found.expected == pytest.approx(0.59)
    assert np.exp(found.log_chance) == pytest.approx(0.5 * 0.96 * 0.95)


def test_pure_groups_have_the_chance_of_a_dirichlet_multinomial() -> None:
    shares, sizes = np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]]), np.array([7, 4])
    for found, p, m in zip(log_pure(shares, sizes), shares, sizes, strict=True):
        p = p[p > 0]
        pure = sum(dirichlet_multinomial(p, m).pmf(m * row) for row in np.eye(len(p), dtype=int))
        assert np.exp(found) == pytest.approx(pure)
    assert log_pure(np.array([[0.5, 0.5]]), np.array([1]))[0] == pytest.approx(0)


def test_absent_levels_have_the_chance_of_a_beta_binomial() -> None:
    found = np.exp(log_absent(np.array([0.3, 0.9]), np.array([12, 3])))
    assert found == pytest.approx([betabinom(12, 0.3, 0.7).pmf(0), betabinom(3, 0.9, 0.1).pmf(0)])


def test_choices_are_counted() -> None:
    assert np.exp(log_choose(40, 7)) == pytest.approx(comb(40, 7))


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.7, 0.95])
def test_correlated_normal_columns_cross_as_often_as_expected(correlation) -> None:
    rng = np.random.default_rng(5)
    cover = [[1, correlation], [correlation, 1]]
    a, b = rng.multivariate_normal([0, 0.8], cover, 4000).T
    true = norm.cdf(-0.8 / np.sqrt(2 - 2 * correlation))
    independent = norm.cdf(-0.8 / np.sqrt(2))
    assert crossing(a, b).mean() == pytest.approx(min(true, independent), abs=0.015)


def test_levels_beside_a_wide_gap_can_hardly_be_confused() -> None:
    rng = np.random.default_rng(1)
    near, far = rng.uniform(0, 2, 400), np.append(rng.normal(0, 1, 200), rng.normal(50, 1, 200))
    assert confusion(near, np.array([1.0])).sum() > 12
    assert confusion(far, np.array([25.0])).sum() < 1
    at_edge = confusion(np.append(near, 1.0), np.array([1.0]))[-1]
    assert at_edge == pytest.approx(0.5)
    assert STEEP == 10


def test_the_smooth_table_keeps_margins_and_association() -> None:
    counts = np.array([[30.0, 10, 0], [12, 25, 9], [0, 8, 40]])
    u, v = _ranks(counts.sum(axis=1)), _ranks(counts.sum(axis=0))
    fitted = _trend(counts, u, v)
    for axis in (0, 1):
        assert fitted.sum(axis=axis) == pytest.approx(counts.sum(axis=axis), rel=1e-6)
    assert (np.outer(u, v) * fitted).sum() == pytest.approx((np.outer(u, v) * counts).sum(), rel=1e-4)
    odds = np.log(fitted[:-1, :-1] * fitted[1:, 1:] / (fitted[:-1, 1:] * fitted[1:, :-1]))
    ratio = odds / np.outer(np.diff(u), np.diff(v))
    assert ratio == pytest.approx(np.full((2, 2), ratio[0, 0]), rel=1e-6)


def test_the_first_axis_orders_levels_whatever_their_names() -> None:
    counts = np.array([[30.0, 10, 1], [12, 25, 9], [2, 8, 40]])
    shuffled = counts[[2, 0, 1]][:, [1, 2, 0]]
    u, v = _axes(shuffled)
    assert list(np.argsort(u)) in ([1, 2, 0], [0, 2, 1])
    assert list(np.argsort(v)) in ([2, 0, 1], [1, 0, 2])


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (1.79, 1.81, 1.8),
        (0.99, 1.2, 1.0),
        (-0.1, 0.1, 0.0),
        (17.2, 18.0, 18.0),
        (365.2, 365.3, 365.3),
        (-2.6, -2.5, -2.6),
    ],
)
def test_the_roundest_number_of_an_interval(low, high, found) -> None:
    assert low <= roundest(low, high) <= high
    assert len(repr(roundest(low, high))) <= len(repr(found))


def test_no_number_is_found_in_an_empty_interval() -> None:
    assert roundest(2.0, 1.0) is None
    assert roundest(0.332, 0.334, ratio=True) == pytest.approx(1 / 3)

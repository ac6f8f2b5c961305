"""A Gaussian child whose residual scale depends on parents: density, mode, evidence and draws."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from bayesynth.families import FAMILIES, Prior, Task, log_posterior
from bayesynth.inference.kernels import kernel

PRIOR = Prior(tau=0.8, intercept_sd=3.0, variance_shape=1.5, variance_scale=0.7)


def scale_task(n: int = 120, q: int = 2, n_scale: int = 1, seed: int = 1) -> Task:
    """The last columns act on the log variance: coefficient 0.8 each."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, q))
    X -= X.mean(0)
    W = X[:, :n_scale]
    y = 0.5 * X.sum(1) + np.exp(0.4 * W.sum(1)) * rng.standard_normal(n)
    return Task(y, np.column_stack([X, W]), 0, n_scale)


def scale_flat(task: Task, n_draws: int) -> np.ndarray:
    return 0.5 * np.random.default_rng(2).standard_normal((n_draws, task.X.shape[1] + 2))


@pytest.mark.parametrize(("q", "n_scale"), [(1, 1), (3, 2)])
def test_a_scale_part_is_the_same_in_numpy_scipy_and_pymc(q: int, n_scale: int) -> None:
    family, task = FAMILIES["gaussian"], scale_task(q=q, n_scale=n_scale)
    flat = scale_flat(task, 3)
    named = family.constrain(flat, task)
    ours = log_posterior(family, named, task, PRIOR)
    for i in range(3):
        sd = np.sqrt(named["variance"][i])
        spread = sd * np.exp(task.X[:, q:] @ named["log_scale"][i] / 2)
        mean = named["intercept"][i] + task.X[:, :q] @ named["slopes"][i]
        total = stats.norm.logpdf(task.y, mean, spread).sum()
        total += stats.invgamma.logpdf(named["variance"][i], PRIOR.variance_shape, scale=PRIOR.variance_scale)
        total += stats.norm.logpdf(named["intercept"][i], 0, sd * PRIOR.intercept_sd)
        total += stats.norm.logpdf(named["slopes"][i], 0, sd * PRIOR.tau).sum()
        # A log variance carries a Fisher information of 1/2 a row, so its slopes have the prior variance 2 tau^2.
        total += stats.norm.logpdf(named["log_scale"][i], 0, np.sqrt(2) * PRIOR.tau).sum()
        assert ours[i] == pytest.approx(total, rel=1e-9)
    density = kernel("gaussian").bind(task, PRIOR)
    np.testing.assert_allclose([density(f)[0] for f in flat], ours + family.log_jacobian(flat, task), rtol=1e-9)


def test_the_mode_of_a_scale_part_is_one() -> None:
    family, task = FAMILIES["gaussian"], scale_task()
    mode, precision = family.peak(task, PRIOR)
    density = kernel("gaussian").bind(task, PRIOR)
    # The coefficients of the scale are at their marginal mode, the rest at its mode given those: near the joint one.
    assert np.abs(np.linalg.solve(precision, density(mode)[1])).max() < 0.3 / np.sqrt(np.diag(precision)).min()
    value = density(mode)[0]
    for step in np.linalg.inv(np.linalg.cholesky(precision)):
        assert density(mode + 2 * step)[0] < value
        assert density(mode - 2 * step)[0] < value
    assert mode[-1] == pytest.approx(0.8, abs=0.45)  # three posterior sds


@pytest.mark.parametrize("n_scale", [1, 2])
def test_evidence_of_a_scale_part_is_the_integral(n_scale: int) -> None:
    family, task = FAMILIES["gaussian"], scale_task(q=2, n_scale=n_scale)
    nodes = 21 if n_scale == 1 else 11
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    total, sd = [], np.sqrt(2) * PRIOR.tau
    D = np.column_stack([np.ones(len(task.y)), task.X[:, :2]])
    prior_covariance = np.diag(np.r_[PRIOR.intercept_sd, PRIOR.tau, PRIOR.tau] ** 2.0)
    centre = family.peak(task, PRIOR)[0][-n_scale:]
    width = 1.3 / np.sqrt(len(task.y) / 2)
    for at in product(range(nodes), repeat=n_scale):
        gamma = centre + width * x[list(at)]
        V = np.diag(np.exp(task.X[:, 2:] @ gamma)) + D @ prior_covariance @ D.T
        t = stats.multivariate_t(
            np.zeros(len(D)), PRIOR.variance_scale / PRIOR.variance_shape * V, df=2 * PRIOR.variance_shape
        )
        value = t.logpdf(task.y) + stats.norm.logpdf(gamma, 0, sd).sum()
        total.append(value + (np.log(w[list(at)]) + x[list(at)] ** 2 / 2 + np.log(width)).sum())
    top = max(total)
    exact = top + np.log(np.exp(np.array(total) - top).sum())
    assert family.scaled_evidence(task, PRIOR) == pytest.approx(exact, abs=0.02 * n_scale)


def test_draws_of_a_scale_part_spread_as_they_should() -> None:
    family, task = FAMILIES["gaussian"], scale_task()
    named = {
        "variance": np.array([0.5]),
        "intercept": np.array([0.2]),
        "slopes": np.array([[0.4, -0.3]]),
        "log_scale": np.array([[1.0]]),
    }
    u = np.random.default_rng(3).random(4000)
    for w in (-1.0, 1.5):
        X = np.tile([0.5, 1.0, w], (4000, 1))
        drawn = family.draw(named, np.zeros(4000, int), X, u)
        law = stats.norm(0.2 + 0.5 * 0.4 - 0.3, np.sqrt(0.5) * np.exp(w / 2))
        assert stats.kstest(drawn, law.cdf).pvalue > 1e-4
    approximation = family.approximate(task, PRIOR, 4000, np.random.default_rng(4))
    assert approximation.parameters["log_scale"].shape == (4000, 1)
    assert approximation.parameters["log_scale"].mean() == pytest.approx(0.8, abs=0.45)
    assert approximation.log_ratios.std() < 1.0

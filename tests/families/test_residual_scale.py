"""A residual scale that depends on parents: the same family, with trailing columns in its design."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import invgamma, kstest, multivariate_t, norm

from bayesynth.families import FAMILIES, Prior, Task
from bayesynth.families._conjugate import ScalePosterior
from bayesynth.inference.kernels import kernel

GAUSSIAN, PRIOR = FAMILIES["gaussian"], Prior()


@pytest.fixture(scope="module")
def task() -> Task:
    """200 rows whose log variance rises by 0.8 with the first scale column and not with the second."""
    rng = np.random.default_rng(1)
    X, W = rng.standard_normal((200, 2)), rng.standard_normal((200, 2))
    X, W = X - X.mean(0), W - W.mean(0)
    y = 0.5 * X[:, 0] + 0.7 * np.exp(0.4 * W[:, 0]) * rng.standard_normal(200)
    return Task(y, np.column_stack([X, W]), 0, 2)


def test_numpy_is_pymc_is_scipy(task: Task) -> None:
    flat = np.r_[-0.4, 0.1, 0.4, -0.2, 0.6, 0.1]
    named = GAUSSIAN.constrain(flat[None], task)
    numpy = GAUSSIAN.log_likelihood(named, task.y, task.X).sum() + GAUSSIAN.log_prior(named, PRIOR.tau, PRIOR)[0]
    variance = np.exp(-0.4)
    sd = np.sqrt(variance * np.exp(task.X[:, 2:] @ flat[4:]))
    scipy = norm(0.1 + task.X[:, :2] @ flat[2:4], sd).logpdf(task.y).sum()
    scipy += invgamma(PRIOR.variance_shape, scale=PRIOR.variance_scale).logpdf(variance)
    scipy += norm(0, np.sqrt(variance) * PRIOR.intercept_sd).logpdf(0.1)
    scipy += norm(0, np.sqrt(variance) * PRIOR.tau).logpdf(flat[2:4]).sum()
    scipy += norm(0, np.sqrt(2) * PRIOR.tau).logpdf(flat[4:]).sum()
    assert numpy == pytest.approx(scipy, abs=1e-9)
    pymc, gradient = kernel("gaussian").bind(task, PRIOR)(flat)
    assert pymc == pytest.approx(numpy + GAUSSIAN.log_jacobian(flat[None], task)[0], abs=1e-8)
    assert np.isfinite(gradient).all()


def test_gradient_and_curvature_are_those_of_the_density(task: Task) -> None:
    posterior, at, h = ScalePosterior(task, PRIOR), np.array([0.3, -0.2]), 1e-5
    _, gradient, precision = posterior._climb(at)
    steps = h * np.eye(2)
    slopes = [(posterior._climb(at + e)[0] - posterior._climb(at - e)[0]) / (2 * h) for e in steps]
    bends = [(posterior._climb(at - e)[1] - posterior._climb(at + e)[1]) / (2 * h) for e in steps]
    assert gradient == pytest.approx(np.array(slopes), abs=1e-4)
    assert precision == pytest.approx(np.array(bends), abs=1e-3)


def test_evidence_is_the_integral(task: Task) -> None:
    """Against brute force over both coefficients; 1e-2 is what Laplace's method leaves at 200 rows."""
    grid = np.linspace(-1.5, 2.0, 101)
    points = np.array(np.meshgrid(grid, grid)).reshape(2, -1).T
    posterior = ScalePosterior(task, PRIOR)
    heights = np.concatenate([posterior.log_density(part)[0] for part in np.array_split(points, 20)])
    exact = logsumexp(heights) + 2 * np.log(grid[1] - grid[0])
    assert GAUSSIAN.scaled_evidence(task, PRIOR) == pytest.approx(exact, abs=1e-2)


def test_evidence_is_an_integral_over_multivariate_t_densities(task: Task) -> None:
    """With SciPy alone: given the scale's coefficient the rows are multivariate t. 80 rows leave Laplace 0.02."""
    one = Task(task.y[:80], task.X[:80, :3] - task.X[:80, :3].mean(0), 0, 1)
    D = np.column_stack([np.ones(80), one.X[:, :2]])
    of_slopes = D @ np.diag(np.r_[PRIOR.intercept_sd, PRIOR.tau, PRIOR.tau] ** 2.0) @ D.T
    grid = np.linspace(-0.8, 2.2, 41)
    ratio, df = PRIOR.variance_scale / PRIOR.variance_shape, 2 * PRIOR.variance_shape
    heights = [
        multivariate_t(np.zeros(80), ratio * (np.diag(np.exp(one.X[:, 2] * gamma)) + of_slopes), df).logpdf(one.y)
        + norm(0, np.sqrt(2) * PRIOR.tau).logpdf(gamma)
        for gamma in grid
    ]
    exact = logsumexp(heights) + np.log(grid[1] - grid[0])
    assert GAUSSIAN.scaled_evidence(one, PRIOR) == pytest.approx(exact, abs=0.02)


def test_the_scale_is_asked_for_where_it_varies(task: Task) -> None:
    """The true column raises the evidence by far; the idle one lowers it."""
    plain = GAUSSIAN.evidence(task.y, task.X[None, :, :2], 0, PRIOR)[0]
    true = GAUSSIAN.scaled_evidence(Task(task.y, task.X[:, [0, 1, 2]], 0, 1), PRIOR)
    idle = GAUSSIAN.scaled_evidence(Task(task.y, task.X[:, [0, 1, 3]], 0, 1), PRIOR)
    assert true > plain + 5
    assert idle < plain


def test_t_proposals_stand_for_the_same_posterior(task: Task) -> None:
    """Means weighted by importance within four standard errors of those of normal proposals, with a shape as well."""
    grouped = Task(task.y, np.column_stack([task.X, np.ones(len(task.y))]), 0, task.n_scale, 1)
    means, errors = [], []
    for df in (np.inf, 4.0):
        found = GAUSSIAN.approximate(grouped, PRIOR, 8000, np.random.default_rng(3), df)
        assert found.parameters["shape"].shape[0] == len(found.log_ratios) == 8000
        weights = np.exp(found.log_ratios - found.log_ratios.max())
        weights /= weights.sum()
        means.append(weights @ found.parameters["log_scale"])
        errors.append(np.sqrt(weights**2 @ (found.parameters["log_scale"] - means[-1]) ** 2))
    assert np.all(np.abs(means[0] - means[1]) < 4 * np.hypot(*errors))


def test_approximate_draws_follow_the_posterior(task: Task) -> None:
    """Means within four standard errors of those on the quadrature grid."""
    found = GAUSSIAN.approximate(task, PRIOR, 4000, np.random.default_rng(2))
    grid = np.linspace(-1.5, 2.0, 101)
    points = np.array(np.meshgrid(grid, grid)).reshape(2, -1).T
    heights = np.concatenate([ScalePosterior(task, PRIOR).log_density(p)[0] for p in np.array_split(points, 20)])
    weights = np.exp(heights - logsumexp(heights))
    mean, draws = weights @ points, found.parameters["log_scale"]
    assert np.all(np.abs(draws.mean(0) - mean) < 4 * draws.std(0) / np.sqrt(4000) + 0.01)
    assert found.log_ratios.std() < 0.3


def test_draws_match_the_density() -> None:
    rng = np.random.default_rng(3)
    parameters = {
        "variance": np.array([0.5]),
        "intercept": np.array([0.2]),
        "slopes": np.array([[1.0]]),
        "log_scale": np.array([[0.9]]),
    }
    X = np.tile([0.5, 1.0], (5000, 1))
    drawn = GAUSSIAN.draw(parameters, np.zeros(5000, int), X, rng.random(5000))
    assert kstest(drawn, norm(0.7, np.sqrt(0.5 * np.exp(0.9))).cdf).pvalue > 1e-3

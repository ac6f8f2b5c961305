"""A residual shape of its own in each group of rows: a Polya tree on the normal probability of the residual."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest, t

from bayesynth.families import BINS, FAMILIES, Prior, Task, shape_gain
from bayesynth.families._shape import LEVELS, below, draw_shapes, inverse

GAUSSIAN, PRIOR = FAMILIES["gaussian"], Prior()
GROUPS = np.tile([0, 1, 2], 100)


@pytest.fixture(scope="module", params=[0, 1], ids=["constant scale", "changing scale"])
def task(request: pytest.FixtureRequest) -> Task:
    """300 rows in three groups: normal residuals, uniform ones, and two heaps; perhaps with a scale column."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(300)
    noise = np.choose(
        GROUPS,
        [rng.standard_normal(300), rng.uniform(-1.7, 1.7, 300), rng.choice([-1, 1], 300) + rng.normal(0, 0.3, 300)],
    )
    columns = np.column_stack([x, *[rng.standard_normal(300)] * request.param, np.eye(3)[GROUPS]])
    return Task(0.5 * x + 0.7 * noise, columns - columns.mean(0), 0, request.param, 3)


@pytest.fixture(scope="module")
def parameters(task: Task) -> dict[str, np.ndarray]:
    """Posterior draws."""
    return dict(GAUSSIAN.approximate(task, PRIOR, 400, np.random.default_rng(2)).parameters)


def test_groups_are_read_from_centred_columns(task: Task) -> None:
    assert task.groups.tolist() == GROUPS.tolist()
    assert task.location.shape[1] == 1
    assert task.scale.shape[1] == task.n_scale


def test_gain_is_that_of_drawing_rows_one_after_another() -> None:
    """The product of Polya's urns, row by row down the tree, is the closed form."""
    rng = np.random.default_rng(3)
    places, groups = rng.beta(0.5, 0.5, 60), rng.integers(0, 3, 60)
    seen: dict[tuple[int, int, int], int] = {}
    total = 0.0
    for place, group in zip(places, groups, strict=True):
        for level in range(1, LEVELS + 1):
            side, other = (int(place * 2**level) ^ flip for flip in (0, 1))
            mine, theirs = (level**2 + seen.get((group, level, k), 0) for k in (side, other))
            total += np.log(2 * mine / (mine + theirs))
            seen[group, level, side] = seen.get((group, level, side), 0) + 1
    assert shape_gain(places, groups) == pytest.approx(total, abs=1e-9)


def test_uniform_places_ask_for_no_shape() -> None:
    rng = np.random.default_rng(4)
    gains = [shape_gain(rng.random(200), np.tile([0, 1], 100)) for _ in range(200)]
    assert max(gains) < 0
    assert shape_gain(rng.beta(0.4, 0.4, 200), np.tile([0, 1], 100)) > 5


def test_left_out_is_the_predictive_of_the_other_rows() -> None:
    """Against a fit to the other rows: the closed t distribution of a regression with a conjugate prior."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((30, 2))
    y = X @ [0.5, -0.3] + rng.standard_normal(30)
    found = GAUSSIAN.left_out(Task(y, X, 0), PRIOR)
    for i in (0, 7, 29):
        rest = np.arange(30) != i
        D, row = np.column_stack([np.ones(29), X[rest]]), np.r_[1.0, X[i]]
        precision = D.T @ D + np.diag([PRIOR.intercept_sd**-2, *[PRIOR.tau**-2] * 2])
        mean = np.linalg.solve(precision, D.T @ y[rest])
        shape = PRIOR.variance_shape + 29 / 2
        scale = PRIOR.variance_scale + 0.5 * (y[rest] @ y[rest] - mean @ precision @ mean)
        spread = np.sqrt(scale / shape * (1 + row @ np.linalg.solve(precision, row)))
        assert found[i] == pytest.approx(t(2 * shape).cdf((y[i] - row @ mean) / spread), abs=1e-9)


def test_shape_is_found_where_it_differs(task: Task, parameters: dict[str, np.ndarray]) -> None:
    eighths = parameters["shape"].mean(0).reshape(3, 8, -1).sum(2)
    assert parameters["shape"].sum(2) == pytest.approx(1.0)
    assert eighths[0] == pytest.approx(1 / 8, abs=0.09)  # normal residuals of 100 rows
    assert eighths[2, 3:5].sum() < 0.12  # two heaps and nothing between; 0.25 of normal residuals


def test_trees_are_closed_given_the_residuals() -> None:
    """Mean probabilities of bins are products of mean shares; an empty tree has those of its prior."""
    places = np.tile(np.array([0.05, 0.06, 0.3, 0.99]), (20_000, 1))
    drawn = draw_shapes(places, np.array([0, 0, 0, 1]), 3, np.random.default_rng(6))
    halves = drawn.reshape(len(drawn), 3, 2, -1).sum(3)
    quarters = drawn.reshape(len(drawn), 3, 4, -1).sum(3)
    assert halves.mean(0)[:, 0] == pytest.approx(np.array([4 / 5, 1 / 3, 1 / 2]), abs=0.01)
    assert quarters.mean(0)[0, 0] == pytest.approx(4 / 5 * 6 / 11, abs=0.01)
    assert drawn.mean(0)[2] == pytest.approx(1 / BINS, abs=0.001)
    assert halves.var(0)[2, 0] == pytest.approx(1 / 12, rel=0.03)


def test_inverse_undoes_the_distribution_function() -> None:
    rng = np.random.default_rng(7)
    shape = rng.dirichlet(np.full(BINS, 0.3), 500)
    u = rng.random(500)
    assert below(shape, inverse(shape, u)[:, None])[:, 0] == pytest.approx(u, abs=1e-9)
    assert below(shape, np.array([[0.0, 1.0]] * 500)) == pytest.approx(np.array([[0.0, 1.0]] * 500), abs=1e-12)


def test_density_draws_and_intervals_agree(task: Task, parameters: dict[str, np.ndarray]) -> None:
    """For one row in each group: the density integrates to the intervals, and draws fall into them as often."""
    for row in range(3):
        X = np.repeat(task.X[row : row + 1], 4000, axis=0)
        which = np.zeros(4000, int)
        grid = np.linspace(-6, 6, 4000)
        density = np.exp(GAUSSIAN.log_density(parameters, which, X, grid))
        assert density.sum() * (grid[1] - grid[0]) == pytest.approx(1.0, abs=2e-3)
        one = {name: values[:1] for name, values in parameters.items()}
        assert np.exp(GAUSSIAN.log_likelihood(one, grid, X))[0] == pytest.approx(density)
        below_, inside = GAUSSIAN.interval(
            parameters, which[:1], X[:1], np.array([[-0.4, 0.3]]), np.array([[0.2, 9.0]])
        )
        for j, (low, high) in enumerate([(-0.4, 0.2), (0.3, 9.0)]):
            between = (grid > low) & (grid <= high)
            assert inside[0, j] == pytest.approx(density[between].sum() * (grid[1] - grid[0]), abs=4e-3)
            assert below_[0, j] == pytest.approx(density[grid <= low].sum() * (grid[1] - grid[0]), abs=4e-3)
        u = (np.arange(4000) + 0.5) / 4000
        drawn = GAUSSIAN.draw(parameters, which, X, u)
        assert (np.diff(drawn) >= 0).all()
        places = GAUSSIAN.place(one, drawn, X)[0]
        assert places == pytest.approx(u, abs=1e-9)


def test_draws_look_like_the_rows(task: Task, parameters: dict[str, np.ndarray]) -> None:
    """Residuals of drawn rows follow those of the table in every group, which normal ones do not."""
    rng = np.random.default_rng(8)
    X, groups = np.tile(task.X, (10, 1)), np.tile(GROUPS, 10)
    drawn = GAUSSIAN.draw(parameters, rng.integers(0, 400, len(X)), X, rng.random(len(X)))
    slope = parameters["slopes"].mean()
    own, theirs = task.y - slope * task.X[:, 0], drawn - slope * X[:, 0]
    for group in range(3):
        assert kstest(own[group == GROUPS], theirs[group == groups]).statistic < 0.13
    heaps = own[GROUPS == 2]
    assert kstest(heaps, lambda v: ndtr((v - heaps.mean()) / heaps.std())).statistic > 0.18

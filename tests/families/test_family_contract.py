"""One contract for every node family: NumPy, PyMC and SciPy agree, draws match the density, evidence is right."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, gammaln, softmax

from bayesynth.encoding.features import NominalFeatures, contrasts
from bayesynth.errors import InputError
from bayesynth.families import FAMILIES, Prior, Task, log_posterior
from bayesynth.families._laplace import DRAWS_CHECKED
from bayesynth.inference.kernels import kernel

PRIOR = Prior(tau=0.8, intercept_sd=3.0, variance_shape=1.5, variance_scale=0.7)


@dataclass(frozen=True)
class Case:
    family: str
    n_levels: int
    q: int

    @property
    def size(self) -> int:
        """Number of unconstrained parameters."""
        m = max(self.n_levels - 1, 1)
        return {"categorical": (1 + self.q) * m, "gaussian": self.q + 2}.get(self.family, m + self.q)

    def __str__(self) -> str:
        return f"{self.family}-{self.n_levels}-q{self.q}"


CASES = [
    Case(family, k, q)
    for family, levels in {"binary": [2], "categorical": [3, 5], "ordinal": [3, 5], "gaussian": [0]}.items()
    for k in levels
    for q in (0, 1, 3)
]
by_case = pytest.mark.parametrize("case", CASES, ids=str)


def make_task(case: Case, n: int = 60, seed: int = 1, effect: float = 0.7) -> Task:
    """Data with a real effect of every feature, every level present, and correlated centred features."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, case.q)) + 0.5 * rng.standard_normal((n, 1))
    X = X - X.mean(0)
    score = X @ np.full(case.q, effect) + rng.logistic(size=n) / 1.8
    if case.family == "gaussian":
        return Task(score, X, 0)
    cuts = np.quantile(score, np.linspace(0, 1, case.n_levels + 1)[1:-1] ** 0.8)  # unequal rates
    return Task(np.searchsorted(cuts, score).astype(float), X, case.n_levels)


def random_flat(case: Case, n_draws: int, seed: int = 2) -> np.ndarray:
    return 0.6 * np.random.default_rng(seed).standard_normal((n_draws, case.size))


def scipy_log_posterior(case: Case, task: Task, named: dict[str, np.ndarray], i: int) -> float:
    """The posterior of draw i up to the evidence, written with SciPy's own distributions."""
    slopes, n = named["slopes"][i], len(task.y)
    y = task.y.astype(int)
    slope_sd = PRIOR.tau / np.sqrt(FAMILIES[case.family].null_information(task.y, task.n_levels))
    if case.family == "gaussian":
        variance = named["variance"][i]
        sd = np.sqrt(variance)
        mean = named["intercept"][i] + task.X @ slopes
        total = stats.norm.logpdf(task.y, mean, sd).sum()
        total += stats.invgamma.logpdf(variance, PRIOR.variance_shape, scale=PRIOR.variance_scale)
        total += stats.norm.logpdf(named["intercept"][i], 0, sd * PRIOR.intercept_sd)
        return total + stats.norm.logpdf(slopes, 0, sd * PRIOR.tau).sum()
    prior = stats.norm.logpdf(slopes, 0, slope_sd).sum()
    if case.family == "ordinal":
        cuts = named["cutpoints"][i]
        edges = np.r_[-np.inf, cuts, np.inf]
        eta = task.X @ slopes
        p = stats.logistic.cdf(edges[y + 1] - eta) - stats.logistic.cdf(edges[y] - eta)
        prior += gammaln(len(cuts) + 1) + stats.norm.logpdf(cuts, 0, PRIOR.intercept_sd).sum()
        return np.log(p).sum() + prior
    prior += stats.norm.logpdf(named["intercept"][i], 0, PRIOR.intercept_sd).sum()
    if case.family == "binary":
        return stats.bernoulli.logpmf(y, expit(named["intercept"][i] + task.X @ slopes)).sum() + prior
    logits = (named["intercept"][i] + task.X @ slopes) @ contrasts(case.n_levels).T
    one_hot = np.eye(case.n_levels, dtype=int)[y]
    return sum(stats.multinomial.logpmf(one_hot[r], 1, softmax(logits[r])) for r in range(n)) + prior


@by_case
def test_numpy_is_scipy(case: Case) -> None:
    task = make_task(case)
    named = FAMILIES[case.family].constrain(random_flat(case, 3), task)
    ours = log_posterior(FAMILIES[case.family], named, task, PRIOR)
    theirs = [scipy_log_posterior(case, task, named, i) for i in range(3)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)  # both are sums of some 60 logs in double precision


@by_case
def test_numpy_is_pymc(case: Case) -> None:
    family, task = FAMILIES[case.family], make_task(case)
    flat = random_flat(case, 3)
    density = kernel(case.family).bind(task, PRIOR)
    ours = log_posterior(family, family.constrain(flat, task), task, PRIOR) + family.log_jacobian(flat, task)
    np.testing.assert_allclose([density(f)[0] for f in flat], ours, rtol=1e-9)


@by_case
def test_pymc_itself_counts_the_same_parameters(case: Case) -> None:
    """The model as PyMC compiles it, without our kernel, gives the same density."""
    family, task = FAMILIES[case.family], make_task(case, n=20)
    model = family.model(task, PRIOR)
    flat = random_flat(case, 1)[0]
    shapes = family.shapes(task)
    assert sum(int(np.prod(s)) for s in shapes) == case.size
    parts = np.split(flat, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
    names = [v.name for v in model.continuous_value_vars]
    point = {name: part.reshape(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
    named = family.constrain(flat[None], task)
    ours = log_posterior(family, named, task, PRIOR) + family.log_jacobian(flat[None], task)
    logp = model.logp().eval({v: point[v.name] for v in model.continuous_value_vars}, mode="FAST_COMPILE")
    np.testing.assert_allclose(logp, ours[0], rtol=1e-9)


@by_case
def test_gradient_is_finite_at_starts_and_zero_at_the_mode(case: Case) -> None:
    family, task = FAMILIES[case.family], make_task(case)
    density = kernel(case.family).bind(task, PRIOR)
    mode, precision = family.peak(task, PRIOR)
    spread = np.linalg.inv(np.linalg.cholesky(precision)).T
    for noise in np.random.default_rng(3).standard_normal((10, case.size)):
        value, gradient = density(mode + 1.5 * spread @ noise)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()
    expected = np.zeros(case.size)
    if case.family == "ordinal":
        # The mode is that of the cut points; on the scale of their log gaps the Jacobian adds a slope of 1 each.
        expected[case.q + 1 :] = 1.0
    # Newton stops when the next step would gain under 1e-8: gradients of some 1e-4 in units of the precision.
    np.testing.assert_allclose(np.linalg.solve(precision, density(mode)[1] - expected), 0, atol=1e-4)


@by_case
def test_precision_is_the_curvature_of_the_density(case: Case) -> None:
    family, task = FAMILIES[case.family], make_task(case)
    density = kernel(case.family).bind(task, PRIOR)
    mode, precision = family.peak(task, PRIOR)
    step = 1e-5
    moved = [(density(mode + step * e)[1] - density(mode - step * e)[1]) / (2 * step) for e in np.eye(case.size)]
    expected = -np.array(moved)
    np.testing.assert_allclose(precision, expected, rtol=1e-4, atol=1e-4 * np.abs(precision).max())


@by_case
def test_draws_match_the_density(case: Case) -> None:
    """Two parameter draws and three distinct rows: every cell's draws follow the density that belongs to it."""
    family, task = FAMILIES[case.family], make_task(case)
    named = family.constrain(random_flat(case, 2, seed=5), task)
    rows = np.random.default_rng(6).standard_normal((3, case.q))
    cells = list(product(range(2), range(3)))
    each = 4000
    which, row = np.repeat([c[0] for c in cells], each), np.repeat([c[1] for c in cells], each)
    drawn = family.draw(named, which, rows[row], np.random.default_rng(7).random(len(which)))
    assert drawn.shape == (len(cells) * each,)
    for i, r in cells:
        mine = drawn[(which == i) & (row == r)]
        one = {name: values[i : i + 1] for name, values in named.items()}
        if case.family == "gaussian":
            mean = one["intercept"][0] + rows[r] @ one["slopes"][0]
            p = stats.kstest(mine, stats.norm(mean, np.sqrt(one["variance"][0])).cdf).pvalue
        else:
            codes = np.arange(case.n_levels, dtype=float)
            log_p = family.log_likelihood(one, codes, np.repeat(rows[r : r + 1], case.n_levels, axis=0))
            assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-12)
            counts = np.bincount(mine.astype(int), minlength=case.n_levels)
            p = stats.chisquare(counts, np.exp(log_p[0]) * each).pvalue
        assert p > 1e-4  # six cells of a fixed seed: a wrong density gives p under 1e-10 with 4,000 draws


def quadrature(case: Case, task: Task, nodes: int) -> float:
    """Log evidence by brute force: a product grid around the mode, wide enough for its edges not to matter."""
    family = FAMILIES[case.family]
    mode, precision = family.peak(task, PRIOR)
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    grid = np.array(list(product(x, repeat=case.size)))
    log_w = np.log(np.array(list(product(w, repeat=case.size)))).sum(1)
    factor = np.linalg.cholesky(np.linalg.inv(precision)) * 1.2
    flat = mode + grid @ factor.T
    named = family.constrain(flat, task)
    target = log_posterior(family, named, task, PRIOR) + family.log_jacobian(flat, task)
    terms = target + log_w + 0.5 * (grid**2).sum(1)
    top = terms.max()
    return float(top + np.log(np.exp(terms - top).sum()) + np.linalg.slogdet(factor)[1])


TINY = [Case("binary", 2, 0), Case("binary", 2, 1), Case("ordinal", 3, 0), Case("ordinal", 3, 1)]
TINY += [Case("categorical", 3, 0), Case("categorical", 3, 1)]


@pytest.mark.parametrize("case", TINY, ids=str)
def test_evidence_is_the_integral(case: Case) -> None:
    task = make_task(case, n=120)
    found = FAMILIES[case.family].evidence(task.y, task.X[None], task.n_levels, PRIOR)
    nodes = 31 if case.size < 4 else 17
    exact = quadrature(case, task, nodes)
    assert quadrature(case, task, nodes - 4) == pytest.approx(exact, abs=1e-4)  # the grid itself has settled
    # Laplace is too low by nearly the same for every design of a size, 0.003 to 0.008 nats a coefficient here.
    assert found[0] == pytest.approx(exact, abs=0.01 * case.size)


@pytest.mark.parametrize("q", [0, 1, 3])
@pytest.mark.parametrize("n", [1, 5, 155])
def test_gaussian_evidence_is_a_multivariate_t(q: int, n: int) -> None:
    rng = np.random.default_rng(8)
    y, X = rng.standard_normal(n), rng.standard_normal((4, n, q))
    X -= X.mean(axis=1, keepdims=True)
    scale, a = PRIOR.variance_scale, PRIOR.variance_shape
    ours = FAMILIES["gaussian"].evidence(y, X, 0, PRIOR)
    for x, found in zip(X, ours, strict=True):
        V = np.eye(n) + PRIOR.intercept_sd**2 + PRIOR.tau**2 * x @ x.T
        assert found == pytest.approx(stats.multivariate_t(np.zeros(n), scale / a * V, df=2 * a).logpdf(y), abs=1e-8)


@by_case
def test_columns_of_zeros_change_nothing(case: Case) -> None:
    task = make_task(case)
    family = FAMILIES[case.family]
    padded = np.concatenate([task.X, np.zeros((len(task.y), 4))], axis=1)
    plain = family.evidence(task.y, task.X[None], task.n_levels, PRIOR)
    np.testing.assert_allclose(family.evidence(task.y, padded[None], task.n_levels, PRIOR), plain, atol=1e-10, rtol=0)


@by_case
def test_a_batch_is_its_members(case: Case) -> None:
    """Members that converge at different speeds do not disturb one another."""
    task, family = make_task(case), FAMILIES[case.family]
    rng = np.random.default_rng(9)
    batch = np.stack([task.X, 5 * task.X, 0 * task.X, rng.permutation(task.X)])
    together = family.evidence(task.y, batch, task.n_levels, PRIOR)
    alone = [family.evidence(task.y, x[None], task.n_levels, PRIOR)[0] for x in batch]
    np.testing.assert_allclose(together, alone, atol=1e-7)


@pytest.mark.parametrize("k", [3, 5])
def test_labels_of_a_child_do_not_matter(k: int) -> None:
    task, family = make_task(Case("categorical", k, 2)), FAMILIES["categorical"]
    plain = family.evidence(task.y, task.X[None], k, PRIOR)[0]
    for seed in range(3):
        relabelled = np.random.default_rng(seed).permutation(k)[task.y.astype(int)].astype(float)
        # 1e-6: two Newton runs stop at slightly different points.
        assert family.evidence(relabelled, task.X[None], k, PRIOR)[0] == pytest.approx(plain, abs=1e-6)


@pytest.mark.parametrize("child", [Case("binary", 2, 0), Case("gaussian", 0, 0), Case("ordinal", 4, 0)], ids=str)
def test_labels_of_a_parent_do_not_matter(child: Case) -> None:
    rng = np.random.default_rng(10)
    task, codes = make_task(child), rng.choice(4, 60, p=[0.4, 0.3, 0.2, 0.1])
    family = FAMILIES[child.family]

    def evidence(codes: np.ndarray) -> float:
        X = NominalFeatures.of(codes, "abcd").columns(codes, "levels")
        return float(family.evidence(task.y, X[None], task.n_levels, PRIOR)[0])

    plain = evidence(codes)
    for seed in range(3):
        assert evidence(np.random.default_rng(seed).permutation(4)[codes]) == pytest.approx(plain, abs=1e-6)


@pytest.mark.parametrize("case", [c for c in CASES if c.q == 0 and c.family != "gaussian"], ids=str)
def test_null_information_is_the_curvature_per_row(case: Case) -> None:
    """The Fisher information of a common shift of the predictor, at the observed rates, by finite differences."""
    family, task = FAMILIES[case.family], make_task(case, n=4000)
    rates = np.bincount(task.y.astype(int)) / len(task.y)
    directions = np.eye(case.n_levels - 1) if case.family == "categorical" else np.ones((1, 1))
    values = []
    for direction in directions:

        def log_p(step: float, along: np.ndarray = direction) -> np.ndarray:
            shift = (step * along)[None, None, :] if case.family == "categorical" else np.array([[step]])
            named = _parameters_with_rates(case.family, rates) | {"slopes": shift}
            return family.log_likelihood(named, np.arange(case.n_levels, dtype=float), np.ones((case.n_levels, 1)))[0]

        h = 1e-3
        values.append(-((log_p(h) - 2 * log_p(0.0) + log_p(-h)) / h**2) @ rates)
    # Half a row of smoothing among 4,000 moves it by less than 1 in 500.
    assert family.null_information(task.y, case.n_levels) == pytest.approx(np.mean(values), rel=2e-3)


def _parameters_with_rates(family: str, rates: np.ndarray) -> dict[str, np.ndarray]:
    if family == "ordinal":
        below = np.cumsum(rates)[:-1]
        return {"cutpoints": np.log(below / (1 - below))[None]}
    if family == "binary":
        return {"intercept": np.log(rates[1] / rates[0])[None]}
    return {"intercept": (np.log(rates) @ contrasts(len(rates)))[None]}


def test_gaussian_null_information_is_one() -> None:
    assert FAMILIES["gaussian"].null_information(np.arange(5.0), 0) == 1.0


def importance_sampling(case: Case, task: Task, n_draws: int, seed: int) -> tuple[float, float]:
    """Log evidence and its standard error, from a wide t proposal at the mode."""
    family = FAMILIES[case.family]
    mode, precision = family.peak(task, PRIOR)
    proposal = stats.multivariate_t(mode, np.linalg.inv(precision), df=7, seed=seed)
    flat = proposal.rvs(n_draws).reshape(n_draws, -1)
    named = family.constrain(flat, task)
    target = log_posterior(family, named, task, PRIOR) + family.log_jacobian(flat, task)
    ratio = target - proposal.logpdf(flat)
    weight = np.exp(ratio - ratio.max())
    return float(ratio.max() + np.log(weight.mean())), float(weight.std() / weight.mean() / np.sqrt(n_draws))


@pytest.mark.slow
@pytest.mark.parametrize("q", [1, 3])
@pytest.mark.parametrize(("family", "k"), [("binary", 2), ("categorical", 3), ("ordinal", 4)])
def test_laplace_errs_little_on_clinical_sizes(family: str, k: int, q: int) -> None:
    case = Case(family, k, q)
    task = make_task(case, n=155, seed=11)
    found = FAMILIES[family].evidence(task.y, task.X[None], k, PRIOR)[0]
    exact, error = importance_sampling(case, task, 20_000, seed=12)
    assert error < 0.012
    # Measured: 0.01 to 0.045 nats for binary and ordinal children; a categorical one has K - 1 coefficients a feature.
    assert abs(found - exact) < (0.05 if family != "categorical" else 0.015 * case.size) + 3 * error


@pytest.mark.parametrize("case", [c for c in CASES if c.q == 1 and c.family != "gaussian"], ids=str)
def test_perfect_separation_has_a_finite_mode(case: Case) -> None:
    y = np.repeat(np.arange(case.n_levels, dtype=float), 20)
    X = (y - y.mean())[:, None] / y.std()
    family, task = FAMILIES[case.family], Task(y, X, case.n_levels)
    mode, precision = family.peak(task, PRIOR)
    assert np.isfinite(mode).all()
    assert np.linalg.eigvalsh(precision).min() > 0
    with_feature, without = (family.evidence(y, x[None], case.n_levels, PRIOR)[0] for x in (X, X[:, :0]))
    assert with_feature > without + 10


@pytest.mark.parametrize("case", [c for c in CASES if c.q == 1 and c.family != "gaussian"], ids=str)
def test_a_level_seen_once_is_no_obstacle(case: Case) -> None:
    y = np.r_[np.zeros(80), np.arange(1, case.n_levels)]
    X = np.random.default_rng(1).standard_normal((len(y), 1))
    family, task = FAMILIES[case.family], Task(y, X - X.mean(0), case.n_levels)
    assert np.isfinite(family.evidence(y, task.X[None], case.n_levels, PRIOR)).all()
    value, gradient = kernel(case.family).bind(task, PRIOR)(family.peak(task, PRIOR)[0])
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@by_case
def test_approximate_draws_have_the_exact_moments(case: Case) -> None:
    """Draws, weighted by their importance ratios where they are approximate, have the posterior's mean."""
    family, task = FAMILIES[case.family], make_task(case, n=150)
    found = family.approximate(task, PRIOR, 4000, np.random.default_rng(13))
    name = "cutpoints" if case.family == "ordinal" else "intercept"
    draws = found.parameters[name].reshape(4000, -1)
    if case.family == "gaussian":
        assert found.log_ratios is None
        data = np.column_stack([np.ones(150), task.X])
        precision = data.T @ data + np.diag(np.r_[PRIOR.intercept_sd, np.full(case.q, PRIOR.tau)] ** -2.0)
        exact = np.linalg.solve(precision, data.T @ task.y)[:1]
    else:
        exact = FAMILIES[case.family].modes(task.y, task.X[None], task.n_levels, PRIOR).theta[0][: draws.shape[1]]
    # A posterior mean is within a quarter of a posterior sd of the mode here; 4,000 draws add 0.02 sd.
    assert np.all(np.abs(draws.mean(0) - exact) < 0.3 * draws.std(0))
    if found.log_ratios is not None:
        assert found.log_ratios.shape == (DRAWS_CHECKED,)
        assert found.log_ratios.std() < 1.0


@pytest.mark.parametrize("case", [c for c in CASES if c.family != "gaussian"], ids=str)
def test_t_proposals_weighted_by_importance_agree_with_normal_ones(case: Case) -> None:
    """Both stand for the same posterior; a t has a ratio for every draw, and reaches further."""
    family, task, n = FAMILIES[case.family], make_task(case, n=150), 20_000
    name = "cutpoints" if case.family == "ordinal" else "intercept"
    means, errors, reach = [], [], []
    for df in (np.inf, 4.0):
        found = family.approximate(task, PRIOR, n, np.random.default_rng(13), df)
        some = len(found.log_ratios)
        assert some == (DRAWS_CHECKED if np.isinf(df) else n)
        draws = found.parameters[name].reshape(n, -1)
        weights = np.exp(found.log_ratios - found.log_ratios.max())
        weights /= weights.sum()
        means.append(weights @ draws[:some])
        errors.append(np.sqrt(weights**2 @ (draws[:some] - means[-1]) ** 2))
        reach.append(np.abs(draws - draws.mean(0)).max())
    assert np.all(np.abs(means[0] - means[1]) < 4 * np.hypot(*errors))
    assert reach[1] > 1.5 * reach[0]


def test_registry_knows_every_family_by_its_name() -> None:
    assert {name: family.name for name, family in FAMILIES.items()} == {name: name for name in FAMILIES}
    assert set(FAMILIES) == {case.family for case in CASES}


@pytest.mark.parametrize("value", [0, -1.0, np.inf, np.nan, "1", None, [1.0]])
@pytest.mark.parametrize("name", ["tau", "intercept_sd", "variance_shape", "variance_scale"])
def test_prior_refuses(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"Prior\\({name}=") as caught:
        Prior(**{name: value})
    (problem,) = caught.value.problems
    assert all((problem.found, problem.why, problem.remedy))


def test_orthonormal_contrasts_sum_to_zero() -> None:
    for k in (2, 3, 7):
        basis = contrasts(k)
        np.testing.assert_allclose(basis.T @ basis, np.eye(k - 1), atol=1e-12)
        np.testing.assert_allclose(basis.sum(0), 0, atol=1e-12)


@pytest.mark.parametrize("case", [c for c in CASES if c.q == 1 and c.family in ("binary", "ordinal")], ids=str)
def test_working_view_is_the_derivative_of_the_density(case: Case) -> None:
    """Slope and curvature of each row's log density in its linear predictor, by finite differences."""
    family, task = FAMILIES[case.family], make_task(case)
    theta = family.modes(task.y, task.X[None], task.n_levels, PRIOR).theta[0]
    view = family.working(theta, task.y, task.X, task.n_levels)
    shifted = np.column_stack([task.X, np.ones(len(task.y))])
    names = {"binary": "intercept", "ordinal": "cutpoints"}
    m = case.n_levels - 1 if case.family == "ordinal" else 1

    def log_p(step: float) -> np.ndarray:
        first = theta[:m][None] if case.family == "ordinal" else theta[:1]
        named = {names[case.family]: first, "slopes": np.r_[theta[m:], step][None]}
        return family.log_likelihood(named, task.y, shifted)[0]

    h = 1e-4
    np.testing.assert_allclose(view.residuals[:, 0], (log_p(h) - log_p(-h)) / (2 * h), atol=1e-6)
    curvature = -(log_p(h) - 2 * log_p(0) + log_p(-h)) / h**2
    np.testing.assert_allclose(view.weights[:, 0], curvature, atol=1e-5)


@by_case
def test_intervals_and_densities_of_rows_agree_with_draws_and_densities_of_draws(case: Case) -> None:
    family, task = FAMILIES[case.family], make_task(case)
    parameters = family.approximate(task, PRIOR, 7, np.random.default_rng(4)).parameters
    n = len(task.y)
    which, rows = np.arange(n) % 7, np.arange(n)
    density = family.log_density(parameters, which, task.X, task.y)
    np.testing.assert_allclose(density, family.log_likelihood(parameters, task.y, task.X)[which, rows], rtol=1e-9)
    u = np.random.default_rng(5).random((n, 1))
    y = family.draw(parameters, which, task.X, u[:, 0])[:, None]
    width = 1.0 if case.n_levels else 1e-4
    below, inside = family.interval(parameters, which, task.X, y - width, y)
    if case.n_levels:  # a draw inverts the distribution function, so u lies in the step of its code
        assert np.all((below < u) & (u <= below + inside))
        own = family.log_density(parameters, which, task.X, y[:, 0])
        np.testing.assert_allclose(np.log(inside[:, 0]), own, rtol=1e-9)
    else:
        np.testing.assert_allclose(below + inside, u, rtol=1e-9)
        own = family.log_density(parameters, which, task.X, y[:, 0])
        np.testing.assert_allclose(inside[:, 0] / width, np.exp(own), rtol=1e-3)
    everything = family.interval(parameters, which, task.X, np.full((n, 1), -np.inf), np.full((n, 1), np.inf))
    np.testing.assert_allclose(everything[1], 1.0)

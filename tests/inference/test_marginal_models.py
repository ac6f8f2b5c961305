"""Marginal distributions: PyMC, NumPy and SciPy say the same; truths are found; units do not matter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from bayesynth.encoding.distributions import Sample
from bayesynth.encoding.parametric import DISTRIBUTIONS, ParametricMarginal
from bayesynth.errors import InputError
from bayesynth.inference import MarginalPosterior, SamplerOptions
from bayesynth.inference.marginal_fit import Observed, choose, evidences, fit_marginal, fit_marginals, peak, surface
from bayesynth.inference.marginals import log_density_of
from bayesynth.schema.kinds import MARGINALS

N = 400
RNG = np.random.default_rng(3)
RIGHT = RNG.normal(1, 2, 4 * N)
TABLE = {
    "normal": Observed(RNG.normal(50, 8, N), "normal"),
    "log_normal": Observed(np.exp(RNG.normal(1, 0.8, N)), "log_normal"),
    "student_t": Observed(10 + 2 * RNG.standard_t(4, N), "student_t"),
    "gamma": Observed(RNG.gamma(2.5, 3, N), "gamma"),
    "beta": Observed(10 * RNG.beta(2, 5, N), "beta", (0.0, 10.0)),
    "truncated_normal": Observed(RIGHT[RIGHT > 0][:N], "truncated_normal", (0.0, None)),
    "uniform": Observed(RNG.uniform(3, 9, N), "uniform"),
    "exponential": Observed(RNG.exponential(4, N), "exponential"),
    "negative_binomial": Observed(
        RNG.negative_binomial(1.5, 1.5 / 7.5, N).astype(float), "negative_binomial", step=1.0, whole=True
    ),
    "poisson": Observed(RNG.poisson(4, N).astype(float), "poisson", step=1.0, whole=True),
    "kernel": Observed(np.r_[RNG.normal(2, 0.5, N // 2), RNG.normal(6, 1, N // 2)], "kernel"),
}
TRUTH = {
    "normal": {"mean": 50, "sd": 8},
    "log_normal": {"median": np.e, "sd_of_log": 0.8},
    "student_t": {"location": 10, "scale": 2, "df": 4},
    "gamma": {"shape": 2.5, "scale": 3},
    "beta": {"alpha": 2, "beta": 5},
    "truncated_normal": {"mean": 1, "sd": 2},
    "uniform": {"lower": 3, "upper": 9},
    "exponential": {"mean": 4},
    "negative_binomial": {"mean": 6, "size": 1.5},
    "poisson": {"mean": 4},
}
SCIPY = {
    "normal": lambda p: stats.norm(p["mean"], p["sd"]),
    "log_normal": lambda p: stats.lognorm(p["sd_of_log"], scale=p["median"]),
    "student_t": lambda p: stats.t(p["df"], p["location"], p["scale"]),
    "gamma": lambda p: stats.gamma(p["shape"], scale=p["scale"]),
    "beta": lambda p: stats.beta(p["alpha"], p["beta"], scale=10),
    "truncated_normal": lambda p: stats.truncnorm(-p["mean"] / p["sd"], np.inf, p["mean"], p["sd"]),
    "uniform": lambda p: stats.uniform(p["lower"], p["upper"] - p["lower"]),
    "exponential": lambda p: stats.expon(scale=p["mean"]),
    "negative_binomial": lambda p: stats.nbinom(p["size"], p["size"] / (p["size"] + p["mean"])),
    "poisson": lambda p: stats.poisson(p["mean"]),
}
# Distance of a law from 400 of its values, rarely exceeded: 1.1/sqrt(n) with a fitted location and scale, 1.8/sqrt(n)
# with neither.
FARTHEST = dict.fromkeys(TABLE, 0.055) | {"uniform": 0.09}
every = pytest.mark.parametrize("name", list(TABLE))
with_scipy = pytest.mark.parametrize("name", list(SCIPY))


def sample_of(name: str, observed: Observed) -> tuple[Sample, float, float]:
    law = DISTRIBUTIONS[name]
    bounds = law.ends(observed.bounds)
    centre, scale = law.standard(observed.values, bounds)
    return Sample.of(observed.values, bounds, observed.step, centre, scale), centre, scale


@pytest.fixture(scope="module")
def fitted() -> dict[str, ParametricMarginal]:
    return fit_marginals(TABLE, "laplace", SamplerOptions(), np.random.default_rng(1))


def test_the_schema_names_every_distribution() -> None:
    assert set(MARGINALS) == {"empirical", "auto", *DISTRIBUTIONS} == {"empirical", "auto", *TABLE}


@every
def test_pymc_and_numpy_have_one_density(name: str) -> None:
    law, rng = DISTRIBUTIONS[name], np.random.default_rng(5)
    small = Observed(TABLE[name].values[::10], name, TABLE[name].bounds, TABLE[name].step, TABLE[name].whole)
    sample, _, _ = sample_of(name, small)
    density, (mode, _) = log_density_of(name, sample), peak(law, sample)
    for theta in mode + 0.3 * rng.standard_normal((4, len(mode))):
        value, gradient = density(theta)
        assert value == pytest.approx(surface(law, sample, theta[None])[0], rel=1e-6, abs=1e-6)
        moves = 1e-4 * np.eye(len(theta))
        slopes = (surface(law, sample, theta + moves) - surface(law, sample, theta - moves)) / 2e-4
        np.testing.assert_allclose(gradient, slopes, rtol=1e-4, atol=1e-3)


@with_scipy
def test_densities_and_quantiles_are_those_of_scipy(name: str) -> None:
    law, observed = DISTRIBUTIONS[name], TABLE[name]
    sample, centre, scale = sample_of(name, observed)
    theta = np.array(law.prior)[:, 0] + 0.2
    ours = {k: float(v) for k, v in law.named(theta, sample, centre, scale).items()}
    theirs, values = SCIPY[name](ours), np.sort(observed.values)[::7]
    y = (values - centre) / scale
    log_pdf = theirs.logpmf(values) if law.discrete else theirs.logpdf(values) + np.log(scale)
    np.testing.assert_allclose(law.log_density(y, theta, sample), log_pdf, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(law.cdf(y, theta, sample), theirs.cdf(values), rtol=1e-9, atol=1e-12)
    u = np.linspace(0.001, 0.999, 41)
    found = centre + scale * law.inverse(u, np.tile(theta, (41, 1)), sample)
    np.testing.assert_allclose(found, theirs.ppf(u), rtol=1e-7, atol=1e-9)


@with_scipy
def test_the_truth_is_found(name: str, fitted: dict[str, ParametricMarginal]) -> None:
    parameters = fitted[name].parameters
    assert set(parameters) == set(TRUTH[name])
    for parameter, truth in TRUTH[name].items():
        draws = parameters[parameter]
        assert draws.shape == (1, 1000)
        assert abs(draws.mean() - truth) < 3.2 * draws.std(), parameter
    assert MarginalPosterior.of("x", fitted[name]).trusted


@pytest.mark.parametrize("name", ["gamma", "poisson", "student_t"])
def test_nuts_and_importance_resampling_agree(name: str, fitted: dict[str, ParametricMarginal]) -> None:
    nuts = fit_marginal(name, TABLE[name], "nuts", SamplerOptions(), np.random.default_rng(2))
    assert nuts.draws.shape[:2] == (4, 250)
    assert MarginalPosterior.of("x", nuts).trusted
    for parameter, draws in nuts.parameters.items():
        other = fitted[name].parameters[parameter]
        assert draws.mean() == pytest.approx(other.mean(), abs=0.2 * other.std())
        assert draws.std() == pytest.approx(other.std(), rel=0.15)


def test_the_exact_posterior_of_a_poisson_mean() -> None:
    observed = TABLE["poisson"]
    sample, _, _ = sample_of("poisson", observed)
    total, n = observed.values.sum(), len(observed.values)

    def height(log_ratio: float) -> float:
        mean = sample.mean * np.exp(log_ratio)
        return np.exp(total * log_ratio - n * (mean - sample.mean) - log_ratio**2 / 2)

    mass = quad(height, -1, 1)[0]
    centre = quad(lambda t: sample.mean * np.exp(t) * height(t), -1, 1)[0] / mass
    found = fit_marginal("poisson", observed, "laplace", SamplerOptions(draws=5000), np.random.default_rng(1))
    draws = found.parameters["mean"]
    assert draws.mean() == pytest.approx(centre, abs=4 * draws.std() / np.sqrt(10_000))


@pytest.mark.parametrize("name", [name for name in TABLE if not DISTRIBUTIONS[name].discrete])
def test_units_do_not_matter(name: str) -> None:
    observed, factor = TABLE[name], 88.4
    bounds = tuple(None if end is None else factor * end for end in observed.bounds)
    other = fit_marginal(name, Observed(factor * observed.values, name, bounds), "laplace", SamplerOptions(), rng())
    same = fit_marginal(name, observed, "laplace", SamplerOptions(), rng())
    u, which = np.linspace(0.01, 0.99, 99), np.arange(99)
    mine, theirs = same.quantile(u, same.draw(99, rng()), which), other.quantile(u, other.draw(99, rng()), which)
    np.testing.assert_allclose(theirs, factor * mine, rtol=1e-4)
    np.testing.assert_allclose(other.scores(factor * observed.values), same.scores(observed.values), atol=1e-3)


def rng() -> np.random.Generator:
    return np.random.default_rng(4)


@every
def test_quantiles_invert_the_distribution_function_within_the_extremes(
    name: str, fitted: dict[str, ParametricMarginal]
) -> None:
    marginal, values = fitted[name], TABLE[name].values
    draws, which = marginal.draw(5, rng()), np.repeat(np.arange(5), 400)
    u = np.tile((np.arange(400) + 0.5) / 400, 5)
    drawn = marginal.quantile(u, draws, which)
    assert (drawn >= marginal.low).all()
    assert (drawn <= marginal.high).all()
    assert np.abs(np.array([marginal.low, marginal.high]) - [values.min(), values.max()]).max() <= 0.5
    below, upto = marginal.cdf(drawn, draws, which)
    slack = 2e-3 if name == "kernel" else 1e-7  # a kernel density is inverted by a table
    assert (below <= u + slack).all()
    assert (u <= upto + slack).all()
    if not marginal.law.discrete:
        np.testing.assert_array_equal(below, upto)


@every
def test_drawn_values_follow_the_column(name: str, fitted: dict[str, ParametricMarginal]) -> None:
    marginal, values = fitted[name], TABLE[name].values
    stream = np.random.default_rng(6)
    drawn = marginal.quantile(stream.random(8000), marginal.draw(256, stream), stream.integers(256, size=8000))
    assert stats.ks_2samp(drawn, values).statistic < FARTHEST[name] + 0.02


@every
def test_scores_are_normal_in_shape(name: str, fitted: dict[str, ParametricMarginal]) -> None:
    marginal, values = fitted[name], TABLE[name].values
    scores = marginal.responses(values, rng())
    assert stats.kstest(scores, "norm").statistic < FARTHEST[name]
    order = np.argsort(values, kind="stable")
    middle = marginal.scores(values)[order]
    assert (np.diff(middle) >= 0).all()


def test_location_and_scale_drift_is_taken_out() -> None:
    """The regression carries the uncertainty of location and scale; nothing of a normal column is then left over."""
    marginal = fit_marginal("normal", TABLE["normal"], "laplace", SamplerOptions(), rng())
    loose = fit_marginal(
        "normal", Observed(TABLE["normal"].values, "normal", tails=True), "laplace", SamplerOptions(), rng()
    )
    draws = loose.draw(64, rng())
    shift, stretch = loose.drift(draws)
    assert shift.std() > 0.03
    z, which = np.tile([-2.0, 0.0, 1.0], 64), np.repeat(np.arange(64), 3)
    drawn = loose.quantile(stats.norm.cdf((z - shift[which]) / stretch[which]), draws, which).reshape(64, 3)
    assert (drawn.std(axis=0) < 1e-6 * marginal.sd).all()


def test_tails_reach_beyond_the_extremes_only_when_asked_for() -> None:
    values = TABLE["gamma"].values
    u, which = np.array([1e-6, 1 - 1e-6]), np.zeros(2, int)
    for tails in (False, True):
        found = fit_marginal(
            "gamma", Observed(values, "gamma", (0.0, 60.0), tails=tails), "laplace", SamplerOptions(), rng()
        )
        low, high = found.quantile(u, found.typical, which)
        assert (low < values.min()) == (high > values.max()) == tails
        assert low > 0
        assert high <= 60


@pytest.mark.parametrize(
    ("marginal", "values", "bounds", "said"),
    [
        ("gamma", [0.0, 1.0, 2.0], (None, None), "1 values that are not above 0"),
        ("log_normal", [-1.0, 0.0, 2.0], (None, None), "2 values that are not above 0"),
        ("exponential", [-1.0, 0.0, 2.0], (None, None), "1 values that are not of at least 0"),
        ("beta", [0.1, 0.5, 0.7], (0.0, None), "one bound: a beta distribution takes both"),
        ("beta", [0.0, 0.5, 0.7], (0.0, 1.0), "1 values that are not strictly between"),
        ("truncated_normal", [0.1, 0.5, 0.7], (None, None), "no bounds"),
        ("poisson", [0.5, 1.0, 2.0], (None, None), "not whole"),
    ],
)
def test_what_a_distribution_cannot_have_is_refused(
    marginal: str, values: list[float], bounds: tuple[float | None, float | None], said: str
) -> None:
    columns = {"a": Observed(np.array(values), marginal, bounds), "b": Observed(np.array(values), marginal, bounds)}
    with pytest.raises(InputError, match=said) as caught:
        fit_marginals(columns, "laplace", SamplerOptions(), rng())
    assert [problem.column for problem in caught.value.problems] == ["a", "b"]


AUTO = {
    "normal": lambda r: Observed(r.normal(50, 8, 200).round(), "auto", step=1.0),
    "gamma": lambda r: Observed(r.gamma(2.5, 3, 200), "auto"),
    "log_normal": lambda r: Observed(np.exp(r.normal(1, 0.8, 200)), "auto"),
    "student_t": lambda r: Observed(r.standard_t(2.5, 300), "auto"),
    "poisson": lambda r: Observed(r.poisson(4, 200).astype(float), "auto", (0, None), 1.0, True),
    "negative_binomial": lambda r: Observed(
        r.negative_binomial(1.5, 0.2, 200).astype(float), "auto", (0, None), 1.0, True
    ),
}
MIXED = {
    "two humps": lambda r: Observed(np.r_[r.normal(2, 0.5, 100), r.normal(6, 1, 100)], "auto"),
    "heaped": lambda r: Observed(
        np.where(r.random(200) < 0.5, r.normal(50, 8, 200).round(-1), r.normal(50, 8, 200).round()), "auto", step=1.0
    ),
    "many zeros": lambda r: Observed(np.where(r.random(200) < 0.3, 0, r.gamma(2, 2, 200).round(2)), "auto", step=0.01),
}


@pytest.mark.parametrize("name", AUTO)
def test_evidence_finds_the_law(name: str) -> None:
    found = [choose(AUTO[name](np.random.default_rng(seed))) for seed in range(10)]
    assert found.count(name) >= 8, found


@pytest.mark.parametrize("name", MIXED)
def test_evidence_leaves_other_columns_empirical(name: str) -> None:
    assert [choose(MIXED[name](np.random.default_rng(seed))) for seed in range(5)] == [None] * 5
    assert fit_marginals({"x": MIXED[name](rng())}, "laplace", SamplerOptions(), rng()) == {}


def test_few_values_are_no_ground_for_a_choice() -> None:
    assert choose(Observed(np.arange(19.0) ** 2, "auto")) is None


def test_evidence_is_laplace_of_the_integral() -> None:
    observed = Observed(TABLE["exponential"].values[:60], "auto")
    sample, _, scale = sample_of("exponential", observed)
    law = DISTRIBUTIONS["exponential"]
    height = surface(law, sample, np.array([[0.0]]))[0]
    mass = quad(lambda t: np.exp(surface(law, sample, np.array([[t]]))[0] - height), -2, 2)[0]
    exact = np.log(mass) + height - 60 * np.log(scale)
    assert evidences(observed)["exponential"] == pytest.approx(exact, abs=0.02)


@every
@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, 1.0, 1.0, 1.0, 4.0], [2.0, 3.0, 5.0]])
def test_few_values_are_enough_to_draw(name: str, values: list[float]) -> None:
    law = DISTRIBUTIONS[name]
    observed = Observed(np.array(values), name, (0.0, 10.0), 1.0 if law.discrete else None, law.discrete)
    found = fit_marginal(name, observed, "laplace", SamplerOptions(), rng())
    draws = found.draw(50, rng())
    shift, stretch = found.drift(draws)
    drawn = found.quantile(np.linspace(0.01, 0.99, 50), draws, np.arange(50))
    assert np.isfinite([*shift, *stretch, *drawn, *found.scores(observed.values)]).all()
    assert drawn.min() >= min(values)
    assert drawn.max() <= max(values)


def test_sharing_knots_changes_nothing_that_matters() -> None:
    values, law = np.random.default_rng(1).standard_t(3, 20_000), DISTRIBUTIONS["student_t"]
    exact, shared = (Sample.of(values, (None, None), None, 0.0, 1.0, most) for most in (20_000, 2048))
    assert len(shared.values) <= 2048
    assert shared.counts.sum() == 20_000
    assert shared.values @ shared.counts == pytest.approx(values.sum())
    assert (shared.values[0], shared.values[-1]) == (values.min(), values.max())
    theta = np.array([[0.0, 0.0, 1.1], [0.02, 0.01, 1.15], [-0.01, -0.02, 1.05]])
    apart = np.diff(surface(law, exact, theta)) - np.diff(surface(law, shared, theta))
    assert np.abs(apart).max() < 0.05

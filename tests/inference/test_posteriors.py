"""NUTS and Laplace against exact answers, their checks, the labelled store, and jobs that are interrupted."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import log_expit

import bayesynth as bs
from bayesynth._progress import Progress
from bayesynth.encoding.design import Design, Term
from bayesynth.errors import ApproximationWarning, ConvergenceWarning
from bayesynth.families import FAMILIES, Prior, Task, log_posterior
from bayesynth.inference import (
    FamilyPosterior,
    Job,
    SamplerOptions,
    as_tree,
    family_name,
    fit_families,
    fitting,
    from_tree,
    warn_of_distrust,
)
from bayesynth.inference._engine import load, pareto_k
from bayesynth.inference.laplace import approximate_family
from bayesynth.inference.nuts import sample_family

QUIET = Progress(1, False)
SHORT = SamplerOptions(chains=4, tune=300, draws=300, retries=0)


def job(family: str, n: int = 150, q: int = 2, seed: int = 1, name: str = "child") -> Job:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, q))
    X -= X.mean(0)
    score = X.sum(1) * 0.5 + rng.logistic(size=n) / 1.8
    levels = {"binary": 2, "categorical": 3, "ordinal": 4, "gaussian": 0}[family]
    y = score if not levels else np.searchsorted(np.quantile(score, np.linspace(0, 1, levels + 1)[1:-1]), score) * 1.0
    return Job(Design(name, (), tuple(f"x{i}" for i in range(q)), np.zeros(q)), family, Task(y, X, levels))


def sample(j: Job, options: SamplerOptions = SHORT, seed: int = 1, prior: Prior | None = None) -> FamilyPosterior:
    rng = np.random.default_rng(seed)
    return sample_family(j.design, j.family, j.task, prior or Prior(), options, rng)


@pytest.fixture(scope="module")
def sampled() -> dict[str, FamilyPosterior]:
    return {family: sample(job(family)) for family in FAMILIES}


def exact_moments(j: Job) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Means and sds: in closed form for a Gaussian child, by importance sampling with 40,000 draws otherwise."""
    prior, task = Prior(), j.task
    if j.family == "gaussian":
        D = np.column_stack([np.ones(len(task.y)), task.X])
        precision = D.T @ D + np.diag(np.r_[prior.intercept_sd, [prior.tau] * task.X.shape[1]] ** -2.0)
        mean = np.linalg.solve(precision, D.T @ task.y)
        shape = prior.variance_shape + len(task.y) / 2
        scale = prior.variance_scale + (task.y @ task.y - mean @ precision @ mean) / 2
        sd = np.sqrt(scale / (shape - 1) * np.diag(np.linalg.inv(precision)))
        variance = scale / (shape - 1)
        found = {"intercept": (mean[0], sd[0]), "slopes": (mean[1:], sd[1:])}
        return found | {"variance": (variance, variance / np.sqrt(shape - 2))}
    family = FAMILIES[j.family]
    mode, precision = family.peak(task, prior)
    proposal = stats.multivariate_t(mode, np.linalg.inv(precision), df=7, seed=9)
    flat = proposal.rvs(40_000)
    named = family.constrain(flat, task)
    ratio = log_posterior(family, named, task, prior) + family.log_jacobian(flat, task) - proposal.logpdf(flat)
    weight = np.exp(ratio - ratio.max())
    weight /= weight.sum()
    found = {}
    for name, values in named.items():
        mean = np.tensordot(weight, values, 1)
        found[name] = mean, np.sqrt(np.tensordot(weight, (values - mean) ** 2, 1))
    return found


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_nuts_has_the_exact_moments(sampled: dict[str, FamilyPosterior], family: str) -> None:
    posterior = sampled[family]
    for name, (mean, sd) in exact_moments(job(family)).items():
        draws = posterior.parameters[name]
        assert draws.shape[:2] == (4, 300)
        # Four Monte Carlo standard errors, with the worst effective size for every parameter.
        slack = 4 * sd / np.sqrt(min(posterior.ess_bulk, posterior.ess_tail))
        assert np.all(np.abs(draws.mean((0, 1)) - mean) < slack), name
        assert np.all(np.abs(draws.std((0, 1)) - sd) < slack), name


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_figures_are_those_of_arviz(sampled: dict[str, FamilyPosterior], family: str) -> None:
    az, xr = load("arviz"), load("xarray")
    posterior = sampled[family]
    data = xr.Dataset(
        {
            name: (("chain", "draw", *(f"{name}_{i}" for i in range(v.ndim - 2))), v)
            for name, v in posterior.parameters.items()
        }
    )
    worst = {
        "rhat": max(float(v.max()) for v in az.rhat(data).values()),
        "ess_bulk": min(float(v.min()) for v in az.ess(data, method="bulk").values()),
        "ess_tail": min(float(v.min()) for v in az.ess(data, method="tail").values()),
    }
    for name, value in worst.items():
        assert getattr(posterior, name) == pytest.approx(value, rel=1e-9)
    assert posterior.trusted == (worst["rhat"] <= 1.01 and min(worst["ess_bulk"], worst["ess_tail"]) >= 400)
    assert posterior.divergences == 0


def test_same_seed_same_draws_and_other_seed_others() -> None:
    first, again, other = (sample(job("binary"), seed=s) for s in (1, 1, 2))
    for name, values in first.parameters.items():
        np.testing.assert_array_equal(values, again.parameters[name])
        assert not np.array_equal(values, other.parameters[name])


def test_chains_start_apart_and_differ(sampled: dict[str, FamilyPosterior]) -> None:
    for posterior in sampled.values():
        slopes = posterior.parameters["slopes"]
        assert not any(np.array_equal(slopes[0], slopes[k]) for k in range(1, 4))


@pytest.mark.slow
def test_the_number_of_processes_changes_nothing() -> None:
    jobs = [job("binary", seed=1, name="a"), job("gaussian", seed=2, name="b"), job("binary", q=1, seed=3, name="c")]
    results = []
    for n_jobs in (1, 2):
        options = SamplerOptions(chains=2, tune=100, draws=100, retries=0, n_jobs=n_jobs)
        results.append(fit_families(jobs, "nuts", Prior(), options, np.random.default_rng(5), QUIET))
    one, two = results
    assert list(one) == list(two) == ["a ~ 1", "b ~ 1", "c ~ 1"]
    for name in one:
        for parameter, values in one[name].parameters.items():
            np.testing.assert_array_equal(values, two[name].parameters[parameter])
        assert one[name].ess_bulk == two[name].ess_bulk


def test_a_single_chain_is_still_checked() -> None:
    found = sample(job("binary"), SamplerOptions(chains=1, tune=100, draws=100, retries=0))
    assert np.isnan(found.rhat)
    assert 0 < found.ess_bulk < 400
    assert not found.trusted


def test_chains_that_never_move_are_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    from bayesynth.inference import nuts

    monkeypatch.setattr(nuts, "run", lambda *_: (np.ones((4, 500, 3)), 0))
    assert not sample(job("binary")).trusted


# --- checks ------------------------------------------------------------------------------------------------------


def test_a_family_that_fails_its_check_runs_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """50 draws cannot have an effective size of 400: each retry doubles the run, and 50 are kept."""
    from bayesynth.inference import nuts

    lengths, run = [], nuts.run

    def counted(*args: object) -> object:
        flat, divergences = run(*args)
        lengths.append(flat.shape[1])
        return flat, divergences

    monkeypatch.setattr(nuts, "run", counted)
    found = sample(job("binary"), SamplerOptions(chains=2, tune=50, draws=50, retries=2))
    assert lengths == [50, 100, 200]
    assert found.parameters["slopes"].shape == (2, 50, 2)
    assert not found.trusted
    lengths.clear()
    assert sample(job("binary"), SamplerOptions(chains=4, tune=300, draws=300, retries=3)).trusted
    assert lengths[-1] == 300 * 2 ** (len(lengths) - 1)
    assert len(lengths) <= 2


def test_a_rare_blank_in_one_group_alone_is_sampled_without_divergences() -> None:
    """Almost separated: steps of the usual length diverge however long the run is."""
    seen, group = np.ones(418), np.repeat([0.0, 1.0], [106, 312])
    seen[:6] = 0.0
    X = ((group - group.mean()) / group.std())[:, None]
    rare = Job(Design("child", (), ("x0",), np.zeros(1)), "binary", Task(seen, X, 2))
    assert sample(rare, SamplerOptions(retries=0), seed=3).divergences > 0
    found = sample(rare, SamplerOptions(), seed=3)
    assert found.divergences == 0
    assert found.trusted


def test_what_has_not_converged_is_named(small_table: pd.DataFrame) -> None:
    options = SamplerOptions(chains=2, tune=50, draws=50, retries=0)
    with pytest.warns(ConvergenceWarning, match="has not converged") as caught:
        fit = bs.Synthesizer(sampler=options, knowledge=bs.Knowledge(max_parents=0)).fit(
            small_table, random_seed=1, progress=False
        )
    (message,) = [str(w.message) for w in caught]
    table = fit.convergence()
    assert not table["trusted"].any()
    assert all(name in message for name in table.index)
    assert f"NOT reached for {len(table)} of {len(table)} families ({table.index[0]}, " in repr(fit)


def test_a_warning_names_ten_families_and_counts_the_others() -> None:
    poor = {f"y{i}": SimpleNamespace(name=f"y{i} ~ x", trusted=i == 20) for i in range(21)}
    with pytest.warns(ApproximationWarning, match=r"poor for y0 ~ x, .*, y9 ~ x and 10 more:"):
        warn_of_distrust(poor, "laplace")


def hard_job() -> Job:
    """Perfect separation under a wide prior: the posterior runs far out on one side, where no normal goes."""
    y = np.repeat([0.0, 1.0], 10)
    return Job(Design("split", (), ("x",), np.zeros(1)), "binary", Task(y, (2 * y - 1)[:, None], 2))


HARD = Prior(tau=4.0, intercept_sd=20.0)


def approximated(j: Job, prior: Prior, seed: int) -> FamilyPosterior:
    return approximate_family(j.design, j.family, j.task, prior, SamplerOptions(), np.random.default_rng(seed))


def test_a_poor_approximation_is_flagged() -> None:
    """A slope that may be in the thousands; the k-hat of one run is noisy, so ten are looked at."""
    hopeless = [approximated(hard_job(), Prior(tau=3000.0, intercept_sd=20.0), seed) for seed in range(10)]
    assert np.mean([p.pareto_k for p in hopeless]) > 0.65
    assert [p.trusted for p in hopeless] == [p.pareto_k <= 0.7 for p in hopeless]
    assert sum(not p.trusted for p in hopeless) >= 4
    easy = [approximated(job("binary", n=400), Prior(), seed) for seed in range(10)]
    assert all(p.trusted for p in easy)
    assert np.mean([p.pareto_k for p in easy]) < 0.4
    exact = approximated(job("gaussian"), Prior(), 1)
    assert np.isnan(exact.pareto_k)
    assert exact.trusted


def test_a_skewed_posterior_is_resampled_to_what_it_is() -> None:
    """Quantiles of the slope by numerical integration; the normal at the mode has half of them."""
    j = hard_job()
    slope = np.linspace(0, 40, 801)
    intercept = np.linspace(-80, 80, 1601)[:, None]
    information = FAMILIES["binary"].null_information(j.task.y, 2)
    likelihood = 10 * (log_expit(intercept + slope) + log_expit(slope - intercept))
    density = np.exp(
        likelihood - intercept**2 / (2 * HARD.intercept_sd**2) - slope**2 * information / (2 * HARD.tau**2)
    ).sum(axis=0)
    at = [0.05, 0.5, 0.95]
    exact = np.interp(at, np.cumsum(density) / density.sum(), slope)
    options = SamplerOptions(chains=1, draws=4000)
    found = approximate_family(j.design, j.family, j.task, HARD, options, np.random.default_rng(1))
    np.testing.assert_allclose(np.quantile(found.parameters["slopes"], at), exact, rtol=0.06)
    assert found.trusted
    normal = FAMILIES["binary"].approximate(j.task, HARD, 4000, np.random.default_rng(1))
    assert np.median(normal.parameters["slopes"]) < 0.6 * exact[1]


def test_resampled_draws_come_in_no_order() -> None:
    """Draw i of one family goes with draw i of another: an order would tie them together."""
    found = [approximated(hard_job(), HARD, seed).parameters["slopes"].ravel() for seed in (1, 2)]
    assert abs(np.corrcoef(*found)[0, 1]) < 0.15
    assert abs(np.corrcoef(found[0][1:], found[0][:-1])[0, 1]) < 0.15


def test_a_poor_approximation_is_warned_of_by_name() -> None:
    poor = dataclasses.replace(approximated(hard_job(), HARD, 1), pareto_k=0.9)
    fine = approximated(job("gaussian"), Prior(), 1)
    with pytest.warns(ApproximationWarning, match=r"poor for split\b.*inference=.nuts.") as caught:
        warn_of_distrust({"split": poor, "child": fine}, "laplace")
    assert "child" not in str(caught[0].message)


def test_pareto_k_is_the_shape_of_the_tail_of_the_ratios() -> None:
    """Ratios exp(E / 2) with E exponential have a Pareto tail of shape 1/2; their inverses have a short one."""
    tail = 0.5 * np.random.default_rng(1).exponential(size=20_000)
    assert pareto_k(tail) == pytest.approx(0.5, abs=0.1)  # ArviZ shrinks k towards 1/2 by a few draws' worth
    assert pareto_k(2 * tail) == pytest.approx(1.0, abs=0.15)
    assert pareto_k(-tail) < 0


def test_nuts_is_trusted_where_laplace_is_not() -> None:
    assert sample(hard_job(), SamplerOptions(chains=4, tune=500, draws=500), prior=HARD).trusted


# --- the store ---------------------------------------------------------------------------------------------------


def test_the_tree_is_labelled(nuts_fit: bs.Fit, small_table: pd.DataFrame) -> None:
    tree, network = nuts_fit.posterior, nuts_fit.network
    posterior = tree["posterior"]
    assert posterior.attrs["inference"] == "nuts"
    assert posterior.sizes["chain"] == 4
    assert posterior.sizes["draw"] == 250
    for name, family in network.families.items():
        slopes = posterior[f"slopes[{name}]"]
        assert slopes.dims[:3] == ("chain", "draw", f"term[{name}]")
        assert tuple(slopes[f"term[{name}]"].values) == family.design.labels[: family.design.n_location]
        levels = network.encoding.nodes[family.node].levels
        if family.family == "ordinal":
            cuts = posterior[f"cutpoints[{name}]"]
            assert cuts[f"cut[{name}]"].values.tolist() == [f"{a} | {b}" for a, b in pairwise(levels)]
        if family.family == "categorical":
            assert posterior[f"intercept[{name}]"].shape == (4, 250, len(levels) - 1)
    stats = tree["sample_stats"]
    assert stats["family"].values.tolist() == list(network.families)
    (name, *_) = (name for name, f in network.families.items() if f.node == "x01")
    assert (stats["n_rows"].sel(family=name) == small_table["x01"].notna().sum()).all()


def test_arviz_reads_the_tree(nuts_fit: bs.Fit) -> None:
    az = load("arviz")
    posterior = nuts_fit.posterior["posterior"].to_dataset()
    (name, *_) = (name for name, f in nuts_fit.network.families.items() if f.design.parents)
    summary = az.summary(posterior[[f"slopes[{name}]"]], kind="stats")
    assert len(summary) == posterior[f"slopes[{name}]"][0, 0].size > 0


@pytest.mark.parametrize(
    "names", [("a/b", "missing"), ("_", "x[0]"), ("class", "a\N{DIVISION SLASH}b"), ("a/b", "a\N{DIVISION SLASH}b")]
)
def test_round_trip_with_odd_names(names: tuple[str, str], laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(100)
    frame = pd.DataFrame({names[0]: x, names[1]: np.where(x + rng.standard_normal(100) > 0, "u", "v")})
    fit = laplace(frame, sampler=SamplerOptions(chains=1, draws=100))
    families = fit.network.families
    tree = as_tree(families, fit.network.encoding, "laplace")
    again = from_tree(tree, {name: family.design for name, family in families.items()})
    assert list(again) == list(families)
    assert [family.node for family in families.values()] == list(names)
    for name, family in families.items():
        assert again[name].family == family.family
        assert again[name].n_rows == 100
        assert set(again[name].parameters) == set(family.parameters)
        for parameter, values in family.parameters.items():
            np.testing.assert_array_equal(again[name].parameters[parameter], values)


def test_no_group_holds_data(nuts_fit: bs.Fit, pbc_fit: bs.Fit) -> None:
    for fit in (nuts_fit, pbc_fit):
        assert set(fit.posterior.children) == {"posterior", "sample_stats"}
        for variable in fit.posterior["posterior"].data_vars.values():
            assert fit.n_rows not in variable.shape


# --- interruptions -----------------------------------------------------------------------------------------------


def test_an_interrupted_job_is_taken_up_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [job("gaussian", seed=s, name=f"n{s}") for s in range(5)]
    calls: list[str] = []
    stop_at = 3

    def counted(design: Design, *args: object) -> FamilyPosterior:
        calls.append(design.node)
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        return approximate_family(design, *args)

    def run(seed: int = 1) -> dict[str, FamilyPosterior]:
        return fit_families(jobs, "laplace", Prior(), SamplerOptions(), np.random.default_rng(seed), QUIET)

    expected = run()
    monkeypatch.setitem(fitting.METHODS, "laplace", counted)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert calls == ["n0", "n1", "n2"]
    calls.clear()
    stop_at = -1
    found = run()
    assert calls == ["n2", "n3", "n4"]  # the two that were finished are not done again
    assert list(found) == list(expected)
    for name in expected:
        np.testing.assert_array_equal(found[name].parameters["slopes"], expected[name].parameters["slopes"])
    calls.clear()
    run()
    assert len(calls) == 5  # a finished job leaves nothing behind


def test_another_seed_does_not_take_up_a_job(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [job("gaussian", seed=s, name=f"n{s}") for s in range(3)]
    calls: list[str] = []

    def counted(design: Design, *args: object) -> FamilyPosterior:
        calls.append(design.node)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return approximate_family(design, *args)

    monkeypatch.setitem(fitting.METHODS, "laplace", counted)
    with pytest.raises(KeyboardInterrupt):
        fit_families(jobs, "laplace", Prior(), SamplerOptions(), np.random.default_rng(1), QUIET)
    fit_families(jobs, "laplace", Prior(), SamplerOptions(), np.random.default_rng(2), QUIET)
    assert calls == ["n0", "n1", "n0", "n1", "n2"]


def test_an_interrupted_fit_is_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame(np.random.default_rng(1).standard_normal((80, 4)), columns=list("abcd"))
    calls: list[str] = []

    def counted(design: Design, *args: object) -> FamilyPosterior:
        calls.append(design.node)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return approximate_family(design, *args)

    synthesizer = bs.Synthesizer(inference="laplace", structure="greedy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = synthesizer.fit(frame, random_seed=1, progress=False)
        monkeypatch.setitem(fitting.METHODS, "laplace", counted)
        with pytest.raises(KeyboardInterrupt):
            synthesizer.fit(frame, random_seed=1, progress=False)
        again = synthesizer.fit(frame, random_seed=1, progress=False)
    assert calls == ["a", "b", "c", "c", "d"]
    pd.testing.assert_frame_equal(again.sample(20, random_seed=1), expected.sample(20, random_seed=1))


@pytest.mark.slow
def test_a_kernel_just_compiled_gives_the_draws_of_one_from_the_disk(tmp_path: Path) -> None:
    """Otherwise the first fit on a machine would not be the second, with the same seed."""
    code = (
        "import numpy as np\n"
        "from bayesynth.encoding.design import Design\n"
        "from bayesynth.families import Prior, Task\n"
        "from bayesynth.inference import SamplerOptions\n"
        "from bayesynth.inference.nuts import sample_family\n"
        "x = np.sin(np.arange(60.0)); x -= x.mean()\n"
        "task = Task(x + np.cos(np.arange(60.0) ** 2), x[:, None], 0)\n"
        "design = Design('y', (), ('x',), np.zeros(1))\n"
        "options = SamplerOptions(chains=1, tune=100, draws=100, retries=0)\n"
        "found = sample_family(design, 'gaussian', task, Prior(), options, np.random.default_rng(1))\n"
        "print(found.parameters['slopes'].tobytes().hex())"
    )
    folders = {"PYTENSOR_FLAGS": f"base_compiledir={tmp_path}", "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    outputs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=os.environ | folders).stdout
        for _ in range(2)
    ]
    assert len(outputs[0]) > 1000
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ([], "y ~ 1"),
        ([Term(("b",), "levels"), Term(("a",), "linear")], "y ~ a + b"),
        (
            [Term(("a",), "spline"), Term(("b",), "steps"), Term(("a", "b"), "product")],
            "y ~ spline(a) + steps(b) + a x b",
        ),
        ([Term(("a",), "linear"), Term(("a",), "presence"), Term(("a",), "scale")], "y ~ a + presence(a) + scale(a)"),
        ([Term((), "shape")], "y ~ shape()"),
        ([Term(("observed(a)",), "levels"), Term(("a x b",), "linear")], "y ~ `a x b` + observed(a)"),
        ([Term(("scale(a)",), "linear"), Term(("1",), "linear")], "y ~ `1` + `scale(a)`"),
    ],
)
def test_a_family_is_named_by_its_formula(terms: list[Term], name: str) -> None:
    assert family_name(Design("y", tuple(terms), (), np.empty(0))) == name

"""NUTS for one family: nutpie's sampler on the compiled PyMC density, in coordinates whitened at the mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bayesynth._random import whole_seed
from bayesynth.encoding.design import Design
from bayesynth.families import FAMILIES, Prior, Task
from bayesynth.inference._engine import load, worst_figures
from bayesynth.inference.kernels import LogDensity, kernel
from bayesynth.inference.posterior import FamilyPosterior, SamplerOptions

SPREAD_OF_STARTS = 1.5
ACCEPTANCE = (0.8, 0.95, 0.99)  # aimed at in the first, second and later runs: shorter steps where some diverged


def sample_family(
    design: Design, family: str, task: Task, prior: Prior, options: SamplerOptions, rng: np.random.Generator
) -> FamilyPosterior:
    """Sample a family's posterior; where it fails its check, sample again, for longer and with shorter steps.

    Parameters
    ----------
    design : Design
        The columns, for the labels.
    family : str
        Name of the node family.
    task, prior
        What the posterior is of.
    options : SamplerOptions
        How long to sample.
    rng : Generator
        Randomness.

    Notes
    -----
    Hoffman and Gelman (2014), "The No-U-Turn Sampler", JMLR 15:1593-1623.
    """
    mode, precision = FAMILIES[family].peak(task, prior)
    density = kernel(family).bind(task, prior)
    for attempt in attempts(options):
        flat, divergences = run(density, mode, precision, options, attempt, rng)
        parameters = FAMILIES[family].constrain(flat, task)
        together = [v.reshape(*v.shape[:2], -1) for v in parameters.values()]
        rhat, bulk, tail = worst_figures(np.concatenate(together, axis=2))
        thin = {name: values[:, :: attempt.longer] for name, values in parameters.items()}
        found = FamilyPosterior(design, family, thin, len(task.y), rhat, bulk, tail, divergences, np.nan)
        if found.trusted:
            break
    return _with_shape(found, task, rng)


def _with_shape(found: FamilyPosterior, task: Task, rng: np.random.Generator) -> FamilyPosterior:
    """Add the residual's shape, which is closed given the draws, where the family has one."""
    if not task.n_groups:
        return found
    shape = FAMILIES[found.family].with_shape(found.flat(), task, rng)["shape"]
    chains = next(iter(found.parameters.values())).shape[:2]
    return replace(found, parameters={**found.parameters, "shape": shape.reshape(*chains, *shape.shape[1:])})


@dataclass(frozen=True)
class Attempt:
    """One run of a sampler, after earlier ones that failed their check.

    Parameters
    ----------
    longer : int
        Times the length of the first.
    acceptance : float
        Mean probability of acceptance that the step size is tuned to.
    """

    longer: int = 1
    acceptance: float = ACCEPTANCE[0]


def attempts(options: SamplerOptions) -> Iterator[Attempt]:
    """Give the runs that may be made until a check is passed, each twice as long as the one before."""
    for k in range(options.retries + 1):
        yield Attempt(2**k, ACCEPTANCE[min(k, len(ACCEPTANCE) - 1)])


def run(
    density: LogDensity,
    mode: np.ndarray,
    precision: np.ndarray,
    options: SamplerOptions,
    attempt: Attempt,
    rng: np.random.Generator,
) -> tuple[np.ndarray, int]:
    """Sample a density of any origin in coordinates whitened at its mode.

    Parameters
    ----------
    density : callable
        Compiled log density and gradient on the whole real space.
    mode : ndarray, shape (d,)
        Where it peaks.
    precision : ndarray, shape (d, d)
        Its curvature there.
    options : SamplerOptions
        How long to sample.
    attempt : Attempt
        Times that length, and how short the steps are.
    rng : Generator
        Randomness.

    Returns
    -------
    draws : ndarray, shape (chain, draw, d)
    divergences : int
        After tuning.
    """
    nutpie = load("nutpie")
    pyfunc = load("nutpie.compiled_pyfunc")
    spread = np.linalg.inv(np.linalg.cholesky(precision)).T
    d = len(mode)

    def start(seed: int) -> np.ndarray:
        return SPREAD_OF_STARTS * np.random.default_rng(seed).standard_normal(d)

    model = pyfunc.from_pyfunc(
        d,
        lambda: _whitened(density, mode, spread),
        lambda *_: _as_is,
        [np.dtype("float64")],
        [(d,)],
        ["white"],
        make_initial_point_fn=start,
    )
    trace = nutpie.sample(
        model,
        chains=options.chains,
        cores=1,  # chains would only wait for one another: the density runs under Python's lock
        tune=options.tune * attempt.longer,
        draws=options.draws * attempt.longer,
        seed=whole_seed(rng),
        target_accept=attempt.acceptance,
        save_warmup=False,
        progress_bar=False,
    )
    white = np.asarray(trace["posterior"]["white"])
    return mode + white @ spread.T, int(np.asarray(trace["sample_stats"]["diverging"]).sum())


def _whitened(density: LogDensity, mode: np.ndarray, spread: np.ndarray) -> Callable[..., tuple[float, np.ndarray]]:
    back = np.ascontiguousarray(spread.T)

    def white(x: np.ndarray, **_: object) -> tuple[float, np.ndarray]:
        value, gradient = density(mode + spread @ x)
        return value, back @ gradient

    return white


def _as_is(x: np.ndarray, **_: object) -> dict[str, np.ndarray]:
    return {"white": x.copy()}

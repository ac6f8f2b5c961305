"""NUTS for one family: nutpie's sampler on the compiled PyMC density, in coordinates whitened at the mode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bayesynth._random import whole_seed
from bayesynth.encoding.design import Design
from bayesynth.families import FAMILIES, Prior, Task
from bayesynth.inference._engine import load, worst_figures
from bayesynth.inference.kernels import LogDensity, kernel
from bayesynth.inference.posterior import FamilyPosterior, SamplerOptions

SPREAD_OF_STARTS = 1.5


def sample_family(
    design: Design, family: str, task: Task, prior: Prior, options: SamplerOptions, rng: np.random.Generator
) -> FamilyPosterior:
    """Sample a family's posterior; where it fails its check, sample again for longer.

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
    longer = 1
    for attempt in range(options.retries + 1):
        flat, divergences = run(density, mode, precision, options, longer, rng)
        parameters = FAMILIES[family].constrain(flat, task)
        together = [v.reshape(*v.shape[:2], -1) for v in parameters.values()]
        rhat, bulk, tail = worst_figures(np.concatenate(together, axis=2))
        thin = {name: values[:, ::longer] for name, values in parameters.items()}
        found = FamilyPosterior(design, family, thin, len(task.y), rhat, bulk, tail, divergences, np.nan)
        if found.trusted or attempt == options.retries:
            return found
        longer *= 2
    raise AssertionError("the loop returns")


def run(
    density: LogDensity,
    mode: np.ndarray,
    precision: np.ndarray,
    options: SamplerOptions,
    longer: int,
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
    longer : int
        Times that length.
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
        tune=options.tune * longer,
        draws=options.draws * longer,
        seed=whole_seed(rng),
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

"""The fast path: exact draws where the posterior is closed, a checked and mended normal approximation elsewhere."""

from __future__ import annotations

import numpy as np

from bayesynth.encoding.design import Design
from bayesynth.families import FAMILIES, Parameters, Prior, Task
from bayesynth.inference._engine import smoothed
from bayesynth.inference.posterior import PARETO_K_LIMIT, FamilyPosterior, SamplerOptions

# Normal draws cannot tell of tails that they do not reach, so they are trusted with less than others.
ENOUGH, DOUBTED = 0.95, 0.5  # share of exact draws that the normal's are worth, and k-hat of their ratios
HEAVY, PROPOSALS = 4.0, 4  # degrees of freedom of a second look, and how many it proposes for each draw
UNLIKELY = 700.0  # log ratio below the largest, of a draw that has none


def approximate_family(
    design: Design, family: str, task: Task, prior: Prior, options: SamplerOptions, rng: np.random.Generator
) -> FamilyPosterior:
    """Approximate a family's posterior, with as many draws as the sampler would give.

    Importance ratios of exact over approximate density say how good it is. Where the normal's draws are worth less than
    95% of exact ones, or the Pareto k-hat of their ratios is above 0.5, draws are proposed by a t with four degrees of
    freedom instead and resampled by their ratios, whose k-hat then counts. Above 0.7 the approximation is warned of.

    Parameters
    ----------
    design : Design
        The columns, for the labels.
    family : str
        Name of the node family.
    task, prior
        What the posterior is of.
    options : SamplerOptions
        Number of draws.
    rng : Generator
        Randomness.

    Notes
    -----
    Vehtari, Simpson, Gelman, Yao and Gabry (2024), "Pareto smoothed importance sampling", JMLR 25(72).
    """
    found = FAMILIES[family].approximate(task, prior, options.total, rng)
    parameters, k = found.parameters, np.nan
    if found.log_ratios is not None:
        weights, k = _weights(found.log_ratios)
        if k > DOUBTED or 1.0 / (weights**2).mean() < ENOUGH:
            resampled, second = _resampled(family, task, prior, options.total, rng)
            if second <= max(k, PARETO_K_LIMIT):
                parameters, k = resampled, second
    one_chain = {name: values[None] for name, values in parameters.items()}
    return FamilyPosterior(design, family, one_chain, len(task.y), np.nan, np.nan, np.nan, 0, k)


def _resampled(
    family: str, task: Task, prior: Prior, n_draws: int, rng: np.random.Generator
) -> tuple[Parameters, float]:
    """Draw from a t, and from these draws by their importance; give the k-hat of the ratios too."""
    found = FAMILIES[family].approximate(task, prior, PROPOSALS * n_draws, rng, HEAVY)
    weights, k = _weights(found.log_ratios)
    reached = np.cumsum(weights)
    # Equal steps from a random start leave less to chance than independent draws; their order must tell nothing.
    steps = (rng.random() + np.arange(n_draws)) / n_draws * reached[-1]
    chosen = rng.permutation(np.searchsorted(reached, steps).clip(max=len(reached) - 1))
    return {name: values[chosen] for name, values in found.parameters.items()}, k


def _weights(log_ratios: np.ndarray) -> tuple[np.ndarray, float]:
    """Smooth importance ratios, to weights of mean 1, and tell their k-hat."""
    possible = np.isfinite(log_ratios)
    log_weights, k = smoothed(np.where(possible, log_ratios, log_ratios[possible].max() - UNLIKELY)[None])
    weights = np.exp(log_weights[0] - log_weights[0].max())
    return weights / weights.mean(), float(k[0])

"""The fast path: exact draws where the posterior is closed, a checked normal approximation elsewhere."""

from __future__ import annotations

import numpy as np

from bayesynth.encoding.design import Design
from bayesynth.families import FAMILIES, Prior, Task
from bayesynth.inference._engine import pareto_k
from bayesynth.inference.posterior import FamilyPosterior, SamplerOptions


def approximate_family(
    design: Design, family: str, task: Task, prior: Prior, options: SamplerOptions, rng: np.random.Generator
) -> FamilyPosterior:
    """Approximate a family's posterior, with as many draws as the sampler would give.

    The Pareto k-hat of the importance ratios of exact over approximate density says whether to trust it: above 0.7 the
    approximation is warned of.

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
    k = np.nan if found.log_ratios is None else pareto_k(found.log_ratios)
    one_chain = {name: values[None] for name, values in found.parameters.items()}
    return FamilyPosterior(design, family, one_chain, len(task.y), np.nan, np.nan, np.nan, 0, k)

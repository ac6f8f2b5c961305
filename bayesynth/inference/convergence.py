"""Which families may be trusted: a table for the user, and a warning that names those that may not."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from bayesynth._words import first_of
from bayesynth.errors import ApproximationWarning, ConvergenceWarning, Problem, warn
from bayesynth.inference.posterior import ESS_LIMIT, PARETO_K_LIMIT, RHAT_LIMIT, FamilyPosterior

NAMED = 10


def convergence_table(posteriors: Mapping[str, FamilyPosterior]) -> pd.DataFrame:
    """One row per family: worst R-hat and effective sample sizes, divergences, Pareto k-hat, and a verdict."""
    rows = [
        {
            "family": p.name,
            "node": p.node,
            "kind": p.family,
            "parameters": sum(v[0, 0].size for v in p.parameters.values()),
            "rhat": p.rhat,
            "ess_bulk": p.ess_bulk,
            "ess_tail": p.ess_tail,
            "divergences": p.divergences,
            "pareto_k": p.pareto_k,
            "trusted": p.trusted,
        }
        for p in posteriors.values()
    ]
    columns = [
        "family",
        "node",
        "kind",
        "parameters",
        "rhat",
        "ess_bulk",
        "ess_tail",
        "divergences",
        "pareto_k",
        "trusted",
    ]
    return pd.DataFrame(rows, columns=columns).set_index("family")


def warn_of_distrust(posteriors: Mapping[str, FamilyPosterior], inference: str) -> None:
    """Warn once of the families that fail their check, ten of them by name."""
    poor = [p.name for p in posteriors.values() if not p.trusted]
    if not poor:
        return
    named = first_of(poor, NAMED)
    if inference == "nuts":
        problem = Problem(
            f"the sampler has not converged for {named}",
            f"R-hat is above {RHAT_LIMIT}, an effective sample size below {ESS_LIMIT}, or transitions diverged",
            "see fit.convergence(), and fit again with SamplerOptions(draws=..., tune=...) larger",
        )
        warn(problem, ConvergenceWarning, stacklevel=4)
    else:
        problem = Problem(
            f"the Laplace approximation is poor for {named}",
            f"the Pareto k-hat of its importance ratios is above {PARETO_K_LIMIT}",
            'see fit.convergence(), and fit with inference="nuts"',
        )
        warn(problem, ApproximationWarning, stacklevel=4)

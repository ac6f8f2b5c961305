"""Posteriors of family parameters: compiled kernels, NUTS, Laplace, convergence, and the labelled store."""

from bayesynth.inference._engine import smoothed, worst_figures
from bayesynth.inference.convergence import convergence_table, warn_of_distrust
from bayesynth.inference.fitting import Job, fit_families
from bayesynth.inference.marginal_fit import MarginalPosterior, Observed, fit_marginals
from bayesynth.inference.posterior import FamilyPosterior, SamplerOptions, check_inference, family_name
from bayesynth.inference.store import as_tree, from_tree

__all__ = [
    "FamilyPosterior",
    "Job",
    "MarginalPosterior",
    "Observed",
    "SamplerOptions",
    "as_tree",
    "check_inference",
    "convergence_table",
    "family_name",
    "fit_families",
    "fit_marginals",
    "from_tree",
    "smoothed",
    "warn_of_distrust",
    "worst_figures",
]

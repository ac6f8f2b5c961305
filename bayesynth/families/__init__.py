"""Node families: one conditional distribution per kind of column, in NumPy and in PyMC."""

from bayesynth.families._base import Approximation, Family, Parameters, Prior, Task, Working
from bayesynth.families._laplace import log_posterior
from bayesynth.families._newton import Modes
from bayesynth.families._shape import BINS, shape_gain, tree_gain
from bayesynth.families.binary import Binary
from bayesynth.families.categorical import Categorical
from bayesynth.families.gaussian import Gaussian
from bayesynth.families.ordinal import Ordinal

FAMILIES: dict[str, Family] = {family.name: family for family in (Binary(), Categorical(), Gaussian(), Ordinal())}
"""The registry: what a node of a given family name is made of."""

__all__ = [
    "BINS",
    "FAMILIES",
    "Approximation",
    "Family",
    "Modes",
    "Parameters",
    "Prior",
    "Task",
    "Working",
    "log_posterior",
    "shape_gain",
    "tree_gain",
]

"""What the plots of a posterior over graphs share: finding it, and saying whether to trust it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayesynth.errors import InputError, Problem
from bayesynth.plots.style import QUIET, VERMILION, plain

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit, StructurePosterior


def structure_of(structure_or_fit: StructurePosterior | Fit) -> StructurePosterior:
    """Take the structure of a fit, or the structure itself.

    Raises
    ------
    InputError
        If it has no nodes.
    """
    structure = getattr(structure_or_fit, "structure", structure_or_fit)
    if not structure.nodes:
        found, why = "the network has no nodes", "every column of the table is constant"
        raise InputError(Problem(found, why, "fit a table in which some column varies"))
    return structure


def verdict_style(structure: StructurePosterior) -> dict[str, Any]:
    """Colour and weight of the verdict: it stands out where the runs disagree."""
    if structure.converged is False:
        return {"color": VERMILION, "fontweight": "bold"}
    return {"color": QUIET, "fontweight": "normal"}


def block_label(name: str) -> str:
    """Name a missingness node by what it is the observation of."""
    return plain(name.removeprefix("observed(").removesuffix(")"))

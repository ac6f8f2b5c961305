"""Posteriors of families as one labelled DataTree that ArviZ reads, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bayesynth.encoding.design import Design
from bayesynth.encoding.table import Encoding
from bayesynth.families import BINS
from bayesynth.inference.marginal_fit import MarginalPosterior
from bayesynth.inference.posterior import FamilyPosterior

if TYPE_CHECKING:
    import xarray as xr

FIGURES = ("rhat", "ess_bulk", "ess_tail", "divergences", "pareto_k", "n_rows")
STAND_INS = str.maketrans({"/": "\N{DIVISION SLASH}", "\0": "\N{SYMBOL FOR NULL}"})  # netCDF takes neither


def as_tree(
    posteriors: Mapping[str, FamilyPosterior],
    encoding: Encoding,
    inference: str,
    marginals: Mapping[str, MarginalPosterior] | None = None,
) -> xr.DataTree:
    """Label every parameter of every family.

    Group ``posterior`` holds, for a family called ``stage ~ age``, the variables ``slopes[stage ~ age]``,
    ``cutpoints[stage ~ age]`` and so on, with dimensions chain, draw, and labelled terms and levels. Group
    ``sample_stats`` holds each family's R-hat, ESS, divergences and Pareto k-hat. There is no group of observed data:
    those are the confidential rows. A marginal with parameters has a group of its own, such as ``marginal/bili``, with
    its parameters as variables.

    Parameters
    ----------
    posteriors : mapping of str to FamilyPosterior
        By name.
    encoding : Encoding
        Names the levels.
    inference : str
        "nuts" or "laplace"; kept as an attribute.
    marginals : mapping of str to MarginalPosterior, optional
        Posteriors of marginals, by name.
    """
    import xarray as xr

    variables, coords, names = {}, {}, _safe_names(posteriors)
    for name_of_family, posterior in posteriors.items():
        safe = names[name_of_family]
        levels = [level.translate(STAND_INS) for level in encoding.nodes[posterior.node].levels]
        labels = [label.translate(STAND_INS) for label in posterior.design.labels]
        first, last = posterior.design.n_location, len(labels) - posterior.design.n_groups
        own = {
            "term": np.array(labels[:first], dtype=str),
            "scale_term": np.array(labels[first:last], dtype=str),
            "group": np.array(labels[last:], dtype=str),
            "bin": np.arange(1, BINS + 1),
            "contrast": np.arange(1, len(levels)),
            "cut": np.array([f"{a} | {b}" for a, b in pairwise(levels)]),
        }
        for name, values in posterior.parameters.items():
            dims = _dims(name, posterior.family)
            coords |= {f"{dim}[{safe}]": own[dim] for dim in dims}
            named = ["chain", "draw", *(f"{dim}[{safe}]" for dim in dims)]
            variables[f"{name}[{safe}]"] = xr.Variable(named, values, {"family": safe, "kind": posterior.family})
    for posterior in posteriors.values():
        shape = next(iter(posterior.parameters.values())).shape
        coords |= {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])}
    attributes = {"inference_library": "pymc, nutpie" if inference == "nuts" else "laplace", "inference": inference}
    figures = {
        name: ("family", np.array([getattr(p, name) for p in posteriors.values()], dtype=float)) for name in FIGURES
    }
    groups = {
        "posterior": xr.Dataset(variables, coords, attributes),
        "sample_stats": xr.Dataset(figures, {"family": np.array(list(names.values()), dtype=str)}),
    }
    safe = _safe_names(marginal.node for marginal in (marginals or {}).values())
    for marginal in (marginals or {}).values():
        draws = {name: (("chain", "draw"), values) for name, values in marginal.parameters.items()}
        groups[f"marginal/{safe[marginal.node]}"] = xr.Dataset(draws, attrs={"distribution": marginal.family})
    return xr.DataTree.from_dict(groups)


def from_tree(tree: xr.DataTree, designs: Mapping[str, Design]) -> dict[str, FamilyPosterior]:
    """Rebuild the posteriors, in the order of the tree, from their designs."""
    posterior, stats = tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset()
    found = {}
    mine_of: dict[str, list[str]] = {}
    for variable, values in posterior.data_vars.items():
        mine_of.setdefault(values.attrs["family"], []).append(str(variable))
    for i, (name_of_family, safe) in enumerate(_safe_names(designs).items()):
        mine = mine_of[safe]
        parameters = {v[: -len(safe) - 2]: posterior[v].values for v in mine}
        figures = {name: float(stats[name].values[i]) for name in FIGURES}
        counts = {name: int(figures.pop(name)) for name in ("divergences", "n_rows")}
        found[name_of_family] = FamilyPosterior(
            designs[name_of_family], posterior[mine[0]].attrs["kind"], parameters, **figures, **counts
        )
    return found


def _safe_names(families: Iterable[str]) -> dict[str, str]:
    """Name families as netCDF takes it, each by a name of its own."""
    names: dict[str, str] = {}
    for family in families:
        safe = family.translate(STAND_INS)
        while safe in names.values():
            safe += "'"
        names[family] = safe
    return names


def _dims(parameter: str, family: str) -> list[str]:
    special = {"cutpoints": ["cut"], "log_scale": ["scale_term"], "shape": ["group", "bin"]}
    if parameter in special:
        return special[parameter]
    dims = ["term"] if parameter == "slopes" else []
    return [*dims, "contrast"] if family == "categorical" else dims

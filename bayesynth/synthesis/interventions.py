"""Columns set from outside: what they are set to, and which edges that cuts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayesynth.encoding.table import Encoding
from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.predictive import FittedNetwork
from bayesynth.rules import RulePlan
from bayesynth.schema.conditions import Condition
from bayesynth.synthesis.asking import Asked
from bayesynth.synthesis.coding import Codebook

CAVEAT = (
    "Rows under do(): causal only if the directions of the edges are right and no common cause is unrecorded. "
    "Graphs of one equivalence class fit equally well and may have an edge either way."
)


def forced_values(
    plan: RulePlan, encoding: Encoding, codebook: Codebook, values: Mapping[str, Any]
) -> dict[str, float]:
    """Turn what columns are set to into codes and numbers.

    Raises
    ------
    InputError
        If there is none, a condition stands where a value should, or a value is not possible for its column.
    """
    if not isinstance(values, Mapping) or not values:
        found, why = f"intervene({values!r})", "columns are set to values by name"
        raise InputError(Problem(found, why, 'pass {"trt": "placebo"}, for example'))
    raise_all(
        Problem(f"{name!r} set to {wanted}", "an intervention sets one value", "pass a plain value", name)
        for name, wanted in values.items()
        if isinstance(wanted, Condition)
    )
    asked = Asked(plan, encoding, codebook, values, blanks=False)
    forced = {}
    for name, allowed in asked.allowed.items():
        shown = allowed.shown[0, 0]
        forced[name] = float(allowed.lower[0, 0] if np.isnan(shown) else shown)
    return forced


def intervention_facts(network: FittedNetwork, values: Mapping[str, Any]) -> dict[str, object]:
    """Say what was set, which edges were cut in what share of the graphs, and how to take it."""
    cut: dict[str, dict[str, float]] = {}
    for name in values:
        parents = [dag.parents(name) for dag in network.dags] if name in network.encoding.nodes else []
        every = sorted({parent for found in parents for parent in found})
        cut[name] = {parent: sum(parent in found for found in parents) / len(parents) for parent in every}
    return {"set": dict(values), "edges_cut": cut, "caveat": CAVEAT}

"""Synthetic clinical tables from a posterior over Bayesian networks, with honest uncertainty."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayesynth import datasets, errors
    from bayesynth.datasets import list_datasets, load_dataset
    from bayesynth.diagnostics import Pooled, Provenance, combine, sdmetrics_scores
    from bayesynth.families import Prior
    from bayesynth.graphs import Knowledge
    from bayesynth.inference import SamplerOptions
    from bayesynth.plots import (
        plot_edge_matrix,
        plot_fidelity,
        plot_floor,
        plot_learned_marginals,
        plot_marginals,
        plot_missingness,
        plot_network,
        plot_pair_matrix,
        plot_pairs,
        plot_structure_trace,
    )
    from bayesynth.report import Report, assess
    from bayesynth.rules import (
        BlankWhen,
        Derived,
        FixedCombinations,
        Inequality,
        OneHot,
        Predicate,
        Range,
        RuleProposals,
        Unique,
        discover_rules,
    )
    from bayesynth.schema import Column, Fake, Schema, between, isin, missing, observed
    from bayesynth.structure import SearchOptions, StructureOptions
    from bayesynth.synthesis import (
        CompletedTables,
        Fit,
        Probability,
        StructurePosterior,
        Synthesizer,
        SyntheticTables,
        load,
        load_tables,
    )

__version__ = "0.1.0"

_HOMES = {
    "BlankWhen": "rules",
    "Column": "schema",
    "CompletedTables": "synthesis",
    "Derived": "rules",
    "Fake": "schema",
    "Fit": "synthesis",
    "FixedCombinations": "rules",
    "Inequality": "rules",
    "Knowledge": "graphs",
    "OneHot": "rules",
    "Pooled": "diagnostics",
    "Predicate": "rules",
    "Prior": "families",
    "Probability": "synthesis",
    "Provenance": "diagnostics",
    "Range": "rules",
    "Report": "report",
    "RuleProposals": "rules",
    "SamplerOptions": "inference",
    "Schema": "schema",
    "SearchOptions": "structure",
    "StructureOptions": "structure",
    "StructurePosterior": "synthesis",
    "Synthesizer": "synthesis",
    "SyntheticTables": "synthesis",
    "Unique": "rules",
    "assess": "report",
    "between": "schema",
    "combine": "diagnostics",
    "discover_rules": "rules",
    "isin": "schema",
    "list_datasets": "datasets",
    "load": "synthesis",
    "load_dataset": "datasets",
    "load_tables": "synthesis",
    "missing": "schema",
    "observed": "schema",
    "plot_edge_matrix": "plots",
    "plot_fidelity": "plots",
    "plot_floor": "plots",
    "plot_learned_marginals": "plots",
    "plot_marginals": "plots",
    "plot_missingness": "plots",
    "plot_network": "plots",
    "plot_pair_matrix": "plots",
    "plot_pairs": "plots",
    "plot_structure_trace": "plots",
    "sdmetrics_scores": "diagnostics",
}
_PACKAGES = ("datasets", "errors")

__all__ = [
    "BlankWhen",
    "Column",
    "CompletedTables",
    "Derived",
    "Fake",
    "Fit",
    "FixedCombinations",
    "Inequality",
    "Knowledge",
    "OneHot",
    "Pooled",
    "Predicate",
    "Prior",
    "Probability",
    "Provenance",
    "Range",
    "Report",
    "RuleProposals",
    "SamplerOptions",
    "Schema",
    "SearchOptions",
    "StructureOptions",
    "StructurePosterior",
    "Synthesizer",
    "SyntheticTables",
    "Unique",
    "assess",
    "between",
    "combine",
    "datasets",
    "discover_rules",
    "errors",
    "isin",
    "list_datasets",
    "load",
    "load_dataset",
    "load_tables",
    "missing",
    "observed",
    "plot_edge_matrix",
    "plot_fidelity",
    "plot_floor",
    "plot_learned_marginals",
    "plot_marginals",
    "plot_missingness",
    "plot_network",
    "plot_pair_matrix",
    "plot_pairs",
    "plot_structure_trace",
    "sdmetrics_scores",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import bayesynth` stays quick."""
    if name in _PACKAGES:
        return import_module(f"bayesynth.{name}")
    if name in _HOMES:
        return getattr(import_module(f"bayesynth.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'bayesynth' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

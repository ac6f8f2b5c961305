"""What a report knows beside its figures: counts, shares and settings; no row and no value of a patient."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth.diagnostics import TableReader
from bayesynth.errors import Problem
from bayesynth.schema import Column, Schema
from bayesynth.schema.kinds import NOMINAL

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit
    from bayesynth.synthesis.tables import Provenance

ABOUT = {
    "purpose": "what the synthetic tables are for",
    "not_for": "what they must not be used for",
    "source": "where the real table comes from: dates, inclusion, unit of observation, ethics or legal basis",
    "preprocessing": "recodes, exclusions and bins before the table was passed here",
    "approved_by": "who approved the release",
    "licence": "on which terms the synthetic tables may be used",
    "contact": "whom to ask, also for an analysis to be run on the real table",
    "doi": "identifier of the release",
}
"""What only the custodian can state, and `assess(about=...)` takes."""


@dataclass(frozen=True, eq=False)
class FitFacts:
    """What a report says of a fit.

    Parameters
    ----------
    summary : mapping of str to str
        Graph, inference and convergence, in a few words each.
    structure_verdict : str
        Whether the sampler of graphs may be trusted.
    trusted : bool
        Whether every family and the sampler of graphs passed their checks.
    relationships, missingness, convergence : DataFrame
        As `Fit` gives them.
    structure_convergence : Series
        Figures behind the verdict.
    caveat : str
        What no table can say about blanks.
    influence : mapping of str to float
        Over rows, quantiles of how much more likely the fit makes a row because it was fitted (log), and the share of
        rows for which that could be worked out.
    influence_caveat : str
        How to take it.
    methods, bibtex : str
        The paragraph for a paper and its references.
    seed : int or None
        Of the fit.
    versions : mapping of str to str
        With which it was made.
    n_rows : int
        Real rows of the fit.
    rules : DataFrame
        What its rules find in the synthetic tables, as `RulePlan.table` gives it.
    """

    summary: Mapping[str, str]
    structure_verdict: str
    trusted: bool
    relationships: pd.DataFrame
    missingness: pd.DataFrame
    convergence: pd.DataFrame
    structure_convergence: pd.Series
    caveat: str
    influence: Mapping[str, float]
    influence_caveat: str
    methods: str
    bibtex: str
    seed: int | None
    versions: Mapping[str, str]
    n_rows: int
    rules: pd.DataFrame

    @classmethod
    def of(cls, fit: Fit, real: pd.DataFrame, tables: object) -> FitFacts:
        """Ask a fit everything that a report tells of it."""
        from bayesynth.synthesis import SyntheticTables

        missingness, convergence = fit.missingness(), fit.convergence()
        methods = fit.methods(tables if isinstance(tables, SyntheticTables) else None)
        summary = {
            "graph": f"{fit.settings.graph}; {len(fit.network.graphs)} fitted, {len(convergence)} distinct regressions",
            "inference": f"{fit.settings.inference}, {fit.network.n_draws} posterior draws of each regression",
            "convergence": convergence_in_words(convergence),
        }
        return cls(
            summary,
            fit.structure.verdict(),
            bool(convergence["trusted"].all()) and fit.structure.converged is not False,
            fit.relationships(),
            missingness,
            convergence,
            fit.structure.convergence(),
            missingness.attrs["caveat"],
            *_influence(fit, real),
            methods.text,
            methods.bibtex,
            fit.settings.seed,
            fit.settings.versions,
            fit.n_rows,
            fit.rule_plan.table(*([tables] if isinstance(tables, pd.DataFrame) else tables)),
        )


@dataclass(frozen=True, eq=False)
class Facts:
    """What a report knows beside its figures.

    Parameters
    ----------
    n_real : int
        Rows of the real table.
    sizes : tuple of int
        Rows of each synthetic table.
    columns : DataFrame
        One row per compared column: ``kind``, ``unit``, ``blank_real`` and ``blank_synthetic`` (median over tables),
        the shares of blanks; ``strange_levels``, ``out_of_bounds`` and ``strange_blanks``, synthetic values that
        contradict the schema, over all tables.
    left_out : tuple of str
        Columns that are not compared: identifiers, personal and constant ones.
    n_holdout : int or None
        Control rows that were never fitted.
    keys : tuple of str
        What an attacker is supposed to know.
    target : str or None
        Column that is predicted.
    analysed : bool
        Whether an analysis was given.
    provenance : Provenance or None
        How the synthetic tables came about, where they say so.
    fit : FitFacts or None
        Where a fit was given.
    about : mapping of str to str
        What the custodian states.
    seed : int or None
        Of the assessment, where it was a whole number.
    versions : mapping of str to str
        With which it was made.
    schema_hash : str
        SHA-256 of the schema's JSON.
    statement : str
        What every report must say of risk.
    """

    n_real: int
    sizes: tuple[int, ...]
    columns: pd.DataFrame
    left_out: tuple[str, ...]
    n_holdout: int | None
    keys: tuple[str, ...]
    target: str | None
    analysed: bool
    provenance: Provenance | None
    fit: FitFacts | None
    about: Mapping[str, str]
    seed: int | None
    versions: Mapping[str, str]
    schema_hash: str
    statement: str

    @property
    def m(self) -> int:
        """Number of synthetic tables."""
        return len(self.sizes)

    @property
    def contradictions(self) -> int:
        """Synthetic values that contradict the schema, over all tables."""
        return int(self.columns[["strange_levels", "out_of_bounds", "strange_blanks"]].to_numpy().sum())

    @property
    def blank_share(self) -> float:
        """Share of blank cells among the compared columns of the real table."""
        return float(self.columns["blank_real"].mean())


def _influence(fit: Fit, real: pd.DataFrame) -> tuple[dict[str, float], str]:
    found = fit.influence(real)
    low, middle, high = found["influence"].quantile([0.5, 0.9, 1.0])
    trusted = float(found["trusted"].mean())
    return {"median": low, "90% of rows below": middle, "largest": high, "trusted": trusted}, found.attrs["caveat"]


def convergence_in_words(convergence: pd.DataFrame) -> str:
    """Count the regressions that pass their checks, with the worst figures."""
    poor, n = int((~convergence["trusted"].astype(bool)).sum()), len(convergence)
    parts = [f"NOT reached by {poor} of {n} regressions" if poor else f"all {n} regressions pass"]
    worst = {
        "largest R-hat {:.3f}": convergence["rhat"].max(),
        "smallest bulk ESS {:.0f}": convergence["ess_bulk"].min(),
        "largest Pareto k-hat {:.2f}": convergence["pareto_k"].max(),
    }
    parts += [text.format(value) for text, value in worst.items() if not np.isnan(value)]
    divergences = int(convergence["divergences"].sum())
    return "; ".join(parts + [f"{divergences} divergent transitions"] * bool(divergences))


def digest(schema: Schema) -> str:
    """Hash a schema, never a row."""
    return hashlib.sha256(schema.to_json().encode()).hexdigest()


def column_facts(real: pd.DataFrame, tables: Sequence[pd.DataFrame], schema: Schema) -> pd.DataFrame:
    """One row per compared column, as `Facts.columns` has them."""
    reader = TableReader.of(real, schema)
    rows = [_facts_of(reader, column, real, tables) for column in reader.columns]
    names = pd.Index(reader.names, name="column")
    titles = ["kind", "unit", "blank_real", "blank_synthetic", "strange_levels", "out_of_bounds", "strange_blanks"]
    return pd.DataFrame(rows, index=names, columns=titles)


def about_problems(about: Mapping[str, str]) -> list[Problem]:
    """Find what a custodian may not state this way."""
    found = []
    for name, text in about.items():
        if name not in ABOUT:
            remedy = f"use {', '.join(ABOUT)}"
            found.append(Problem(f"about names {name!r}", "the report has no place for it", remedy))
        elif not (isinstance(text, str) and text.strip()):
            found.append(Problem(f"about[{name!r}] is {text!r}", "it is a sentence or two", "pass text"))
    return found


def _facts_of(reader: TableReader, column: Column, real: pd.DataFrame, tables: Sequence[pd.DataFrame]) -> tuple:
    values = [reader.numbers(column, table) for table in tables]
    blanks = [np.isnan(v) for v in values]
    seen = np.concatenate([v[~blank] for v, blank in zip(values, blanks, strict=True)])
    low, high = column.bounds or (None, None)
    outside = (seen < (-np.inf if low is None else low)) | (seen > (np.inf if high is None else high))
    return (
        str(column.kind),
        column.unit or "",
        float(np.isnan(reader.numbers(column, real)).mean()),
        float(np.median([blank.mean() for blank in blanks])),
        int((seen < 0).sum()) if column.kind in NOMINAL else 0,
        0 if column.kind in NOMINAL else int(outside.sum()),
        0 if column.nullable else int(sum(blank.sum() for blank in blanks)),
    )

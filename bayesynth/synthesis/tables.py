"""Several synthetic tables, with the provenance that an analysis of them needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bayesynth._html import card, table
from bayesynth.diagnostics import Pooled, combine
from bayesynth.diagnostics.estimates import run
from bayesynth.synthesis.frames import Frames


@dataclass(frozen=True)
class SyntheticTables(Frames):
    """Independent synthetic tables from one fit.

    Behaves as a sequence of frames.

    Parameters
    ----------
    frames : tuple of DataFrame
        The tables.
    provenance : Provenance
        How they came about.
    """

    def estimate(
        self,
        analysis: Callable[[pd.DataFrame], Any],
        *,
        columns: Sequence[str] | None = None,
        kind: str = "auto",
        level: float = 0.95,
        df_complete: float | None = None,
        target: str = "population",
    ) -> Pooled:
        """Run an analysis on every table and pool what it says, by the rule that fits these tables.

        Parameters
        ----------
        analysis : callable
            Takes a frame and returns a statsmodels (or lifelines) result, a pair (estimates, variances), or a mapping
            of names to pairs (estimate, variance). Variances are squared standard errors, or a covariance matrix.
        columns : sequence of str, optional
            The columns that it uses. The rule depends on whether they had blanks in the real table; left out, any
            column with blanks counts.
        kind, level, df_complete, target
            As in `bayesynth.combine`.

        Returns
        -------
        Pooled
            Estimates with intervals, the rule and why, what it assumes, a sentence for a paper.

        Raises
        ------
        InputError
            If the analysis fails on a table, or its results cannot be pooled.

        Warns
        -----
        InferenceWarning, VarianceWarning
            As in `bayesynth.combine`.

        Examples
        --------
        >>> import statsmodels.formula.api as smf  # doctest: +SKIP
        >>> tables = fit.sample_tables(20, random_seed=1)  # doctest: +SKIP
        >>> tables.estimate(lambda t: smf.ols("albumin ~ age", t).fit(), columns=["albumin", "age"])  # doctest: +SKIP
        """
        found = run(analysis, self.frames, len(self))
        options = {"columns": columns, "kind": kind, "level": level, "df_complete": df_complete, "target": target}
        return combine(found, provenance=self.provenance, **options)

    def save(self, folder: str | Path, format: str = "csv") -> Path:
        """Write all tables and one JSON file with their provenance and dtypes; `bayesynth.load_tables` reads them.

        Parameters
        ----------
        folder : str or Path
            A new or empty folder, or one that holds saved tables, which are replaced once the new ones are whole.
        format : {"csv", "parquet"}
            Of the tables. Parquet needs pyarrow (the extra ``parquet``).

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        InputError
            If the folder holds anything else, the format is not known, or tables differ in their columns.
        """
        from bayesynth.synthesis.table_files import write

        return write(self, Path(folder), format)

    def __repr__(self) -> str:
        p = self.provenance
        return f"<{p.m} synthetic tables of {p.n_synthetic} rows, from {p.n_real} real rows, draws={p.draws!r}>"

    def _repr_html_(self) -> str:
        p = self.provenance
        facts = [
            ("tables", p.m),
            ("rows each", p.n_synthetic),
            ("real rows behind them", p.n_real),
            ("posterior draws", p.draws),
            ("graph", f"{p.structure}; {'drawn for each table' if p.graph_drawn else 'the same for all tables'}"),
            ("blanks", "reproduced" if p.blanks else "none"),
            ("columns with blanks in the real table", len(p.incomplete())),
        ]
        return card("Synthetic tables", "draws from the posterior predictive distribution", table(("", ""), facts))

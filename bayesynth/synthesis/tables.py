"""Several synthetic tables, with the provenance that an analysis of them needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from bayesynth._html import card, table


@dataclass(frozen=True)
class Provenance:
    """How synthetic tables came about: what the combining rules of an analysis need to know.

    Parameters
    ----------
    n_real : int
        Rows of the confidential table.
    n_synthetic : int
        Rows of each synthetic table.
    m : int
        Number of tables.
    draws : str
        "each_table": one posterior draw behind each table (proper synthesis); "each_row": one behind each row.
    structure : str
        Where the graph comes from. With "posterior over graphs" every table has a drawn graph behind it; with "greedy
        search" the graph is one point estimate, and its uncertainty is not in the tables.
    blank_shares : mapping of str to float
        Share of blanks in each column of the confidential table.
    blanks : bool
        Whether the synthetic tables reproduce them.
    """

    n_real: int
    n_synthetic: int
    m: int
    draws: str
    structure: str
    blank_shares: Mapping[str, float]
    blanks: bool


@dataclass(frozen=True)
class SyntheticTables(Sequence):
    """Independent synthetic tables from one fit.

    Behaves as a sequence of frames.

    Parameters
    ----------
    frames : tuple of DataFrame
        The tables.
    provenance : Provenance
        How they came about.
    """

    frames: tuple[pd.DataFrame, ...]
    provenance: Provenance

    def __getitem__(self, index: int | slice) -> pd.DataFrame | tuple[pd.DataFrame, ...]:
        return self.frames[index]

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return iter(self.frames)

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
            ("graph", p.structure),
        ]
        return card("Synthetic tables", "draws from the posterior predictive distribution", table(("", ""), facts))

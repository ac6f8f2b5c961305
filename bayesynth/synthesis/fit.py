"""What came of a fit: draws, relationships, convergence, and a card that says all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth._random import Seed, as_generator
from bayesynth.errors import Problem, raise_all
from bayesynth.inference import as_tree, convergence_table
from bayesynth.predictive import DrawOptions, FittedNetwork, draw_rows
from bayesynth.schema import Schema
from bayesynth.synthesis.coding import Codebook
from bayesynth.synthesis.relationships import missingness_table, relationship_table
from bayesynth.synthesis.settings import Settings
from bayesynth.synthesis.tables import Provenance, SyntheticTables

if TYPE_CHECKING:
    import networkx as nx
    import xarray as xr

DRAWS = ("each_row", "each_table")


@dataclass(frozen=True, repr=False)
class Fit:
    """A fitted model of one table; made by `Synthesizer.fit` or `bayesynth.load`.

    It holds no row of the table. It does hold the sorted values of each numeric column, which the empirical marginals
    need, so it deserves the care of an aggregate, not of a public file.

    Parameters
    ----------
    schema : Schema
        What the columns are.
    network : FittedNetwork
        Graph and posteriors.
    codebook : Codebook
        Levels and origins.
    settings : Settings
        What the fit was made with.
    n_rows : int
        Rows of the table.
    blanks : mapping of str to int
        Blank cells of each column and blank rows of each missingness block.
    log_score : float
        Log evidence plus log prior of the graph.
    log_bayes_factors : mapping of (str, str) to float
        Log evidence that each edge adds to its child's family.
    effect_seed : int
        Seed of the rows over which effects are averaged, so that `relationships` gives the same figures every time.
    """

    schema: Schema
    network: FittedNetwork
    codebook: Codebook
    settings: Settings
    n_rows: int
    blanks: Mapping[str, int]
    log_score: float
    log_bayes_factors: Mapping[tuple[str, str], float]
    effect_seed: int
    _cache: dict = field(default_factory=dict, compare=False)

    def sample(
        self,
        n: int | None = None,
        *,
        draws: str = "each_row",
        blanks: bool = True,
        delta: Mapping[str, float] | None = None,
        balanced: bool = True,
        random_seed: Seed = None,
    ) -> pd.DataFrame:
        """Draw one synthetic table.

        Parameters
        ----------
        n : int, optional
            Rows; as many as the real table has when left out.
        draws : {"each_row", "each_table"}
            A fresh posterior draw behind every row (the posterior predictive distribution), or one behind the table.
        blanks : bool
            True reproduces blanks. False gives the table as if nobody had been missed, on the assumption that within
            the model the unseen values follow the seen ones.
        delta : mapping of str to float, optional
            With ``blanks=False``: added to the values that would have been blank, by column, to see how much a
            departure from that assumption would matter.
        balanced : bool
            Spread the rows evenly over the model (a scrambled Sobol net), so that the table strays from it less than
            independent rows would; each row still follows the posterior predictive distribution exactly. False
            draws independent rows, as `sample_tables` does, because the combining rules count on them.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal tables.

        Returns
        -------
        DataFrame
            With the column order, dtypes, level order, precision and time zone of the original.

        Raises
        ------
        InputError
            If n is not a positive whole number, or an option cannot be.

        Examples
        --------
        >>> synthetic = fit.sample(500, random_seed=1)  # doctest: +SKIP
        """
        n = self.n_rows if n is None else n
        raise_all([*_count_problems("n", n), *self._option_problems(draws, blanks, delta)])
        options = DrawOptions(draws == "each_row", blanks, delta, balanced)
        return self._draw(int(n), options, as_generator(random_seed))

    def sample_tables(
        self,
        m: int = 20,
        n: int | None = None,
        *,
        blanks: bool = True,
        delta: Mapping[str, float] | None = None,
        random_seed: Seed = None,
    ) -> SyntheticTables:
        """Draw several proper synthetic tables: one posterior draw behind each, as the combining rules require.

        Parameters
        ----------
        m : int
            Tables.
        n : int, optional
            Rows of each; as many as the real table has when left out.
        blanks, delta, random_seed
            As in `sample`.

        Returns
        -------
        SyntheticTables
            A sequence of frames with their provenance.

        Raises
        ------
        InputError
            If m or n is not a positive whole number, or an option cannot be.
        """
        n = self.n_rows if n is None else n
        problems = [*_count_problems("m", m), *_count_problems("n", n)]
        raise_all([*problems, *self._option_problems("each_table", blanks, delta)])
        streams = as_generator(random_seed).spawn(int(m))
        frames = tuple(self._draw(int(n), DrawOptions(False, blanks, delta), stream) for stream in streams)
        shares = {name: self.blanks.get(name, 0) / self.n_rows for name in self.schema}
        return SyntheticTables(
            frames, Provenance(self.n_rows, int(n), int(m), "each_table", self.settings.structure, shares, blanks)
        )

    def relationships(self) -> pd.DataFrame:
        """Every relationship of the model as a row.

        Columns: ``parent`` and ``child``; ``change`` of the parent ("+1 SD" is one standard deviation of its normal
        score, "+1 level" one step up); ``outcome`` ("mean", or the probability of a level of the child); ``effect``,
        the average change of that outcome in the child's own units with everything else as it is, with ``lower`` and
        ``upper`` ends of its 94% interval; ``log_bayes_factor``, how much evidence the relationship adds to the
        child's family (above 3 is strong); ``direction``, "either way" where data cannot tell cause from effect within
        the equivalence class. Effects are associations in the model, not causal effects.
        """
        if "relationships" not in self._cache:
            rng = np.random.default_rng(self.effect_seed)
            self._cache["relationships"] = relationship_table(self.network, self.log_bayes_factors, rng)
        return self._cache["relationships"].copy()

    def missingness(self) -> pd.DataFrame:
        """Every missingness block as a row: columns, rate with 94% interval, what it depends on and what it informs."""
        return missingness_table(self.network, self.blanks, self.n_rows)

    def graph(self) -> nx.DiGraph:
        """Give the graph, with evidence and kinds as attributes.

        Nodes carry ``kind`` ("missingness" for a block). Edges carry ``structural`` (true by construction) and, where
        they have coefficients, ``log_bayes_factor``.
        """
        graph = self.network.dag.to_networkx()
        structural = set(self.network.encoding.structural_edges)
        for name, node in self.network.encoding.nodes.items():
            graph.nodes[name]["kind"] = "missingness" if node.is_indicator else str(self.schema[name].kind)
        for edge in graph.edges:
            graph.edges[edge]["structural"] = edge in structural
            if edge in self.log_bayes_factors:
                graph.edges[edge]["log_bayes_factor"] = self.log_bayes_factors[edge]
        return graph

    @cached_property
    def posterior(self) -> xr.DataTree:
        """Labelled draws of every parameter, with groups ``posterior`` and ``sample_stats``; ArviZ reads it."""
        return as_tree(self.network.families, self.network.encoding, self.settings.inference)

    def convergence(self) -> pd.DataFrame:
        """One row per family: R-hat, effective sample sizes, divergences, Pareto k-hat, and whether to trust it."""
        return convergence_table(self.network.families)

    def save(self, path: str | Path) -> Path:
        """Write the fit to one file: JSON and netCDF in a checksummed archive, no pickle, no row of the table.

        Parameters
        ----------
        path : str or Path
            Where to; by custom it ends in ``.bayesynth``. An existing file is replaced only once the new one is whole.
        """
        from bayesynth.synthesis.files import write

        return write(self, Path(path))

    def __repr__(self) -> str:
        from bayesynth.synthesis.cards import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from bayesynth.synthesis.cards import as_card

        return as_card(self)

    def _draw(self, n: int, options: DrawOptions, rng: np.random.Generator) -> pd.DataFrame:
        if not self.network.encoding.nodes and not self.network.encoding.fixed:
            return self.codebook.decode(self.schema, [{"": np.empty(n)}])
        return self.codebook.decode(self.schema, draw_rows(self.network, n, options, rng))

    def _option_problems(self, draws: str, blanks: bool, delta: Mapping[str, float] | None) -> list[Problem]:
        problems = []
        if draws not in DRAWS:
            problems.append(
                Problem(f"draws={draws!r}", "there is no such way of drawing", f"use one of {', '.join(DRAWS)}")
            )
        if delta and blanks:
            problems.append(
                Problem(
                    "delta is given with blanks=True", "it shifts values that are then left blank", "add blanks=False"
                )
            )
        nodes = self.network.encoding.nodes
        for name in delta or {}:
            if name not in nodes or nodes[name].marginal is None:
                problems.append(
                    Problem(
                        f"delta names {name!r}", "it is no numeric column of the model", "name a numeric column", name
                    )
                )
            elif not (isinstance(delta[name], (int, float, np.number)) and np.isfinite(delta[name])):
                problems.append(
                    Problem(
                        f"delta[{name!r}] is {delta[name]!r}",
                        "a shift is a finite number",
                        "pass 20.0, for example",
                        name,
                    )
                )
        return problems


def _count_problems(name: str, value: object) -> list[Problem]:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if whole and value > 0:
        return []
    why = "a number of rows or tables is a whole number above 0"
    return [Problem(f"{name}={value!r}", why, f"pass {name}=500, for example")]

"""What came of a fit: draws, relationships, convergence, and a card that says all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesynth._progress import Progress
from bayesynth._random import Seed, as_generator
from bayesynth.diagnostics import Pooled, Provenance
from bayesynth.diagnostics.combining import functional
from bayesynth.diagnostics.estimates import run, stack
from bayesynth.errors import raise_all
from bayesynth.inference import as_tree, convergence_table
from bayesynth.predictive import DrawOptions, FittedNetwork
from bayesynth.schema import Schema
from bayesynth.structure import BlockEvidence
from bayesynth.synthesis.coding import Codebook
from bayesynth.synthesis.conditioning import Conditioning
from bayesynth.synthesis.drawing import count_problems, level_problems, option_problems, rows_of_a_draw
from bayesynth.synthesis.learned import WithMarginals
from bayesynth.synthesis.methods import MethodsText, describe
from bayesynth.synthesis.missingness import missingness_table
from bayesynth.synthesis.relationships import relationship_table
from bayesynth.synthesis.ruled import Ruled, WithRules, draw_under_rules
from bayesynth.synthesis.settings import Settings
from bayesynth.synthesis.structure import StructurePosterior
from bayesynth.synthesis.tables import SyntheticTables
from bayesynth.synthesis.with_table import WithTable

if TYPE_CHECKING:
    import networkx as nx
    import xarray as xr


@dataclass(frozen=True, repr=False)
class Fit(Conditioning, WithRules, WithMarginals, WithTable):
    """A fitted model of one table; made by `Synthesizer.fit` or `bayesynth.load`.

    It holds no row of the table. It does hold the sorted values of each numeric column, which the empirical marginals
    need, so it deserves the care of an aggregate, not of a public file.

    Parameters
    ----------
    schema : Schema
        What the columns are.
    network : FittedNetwork
        Graphs and posteriors of their families.
    structure : StructurePosterior
        What is known of the graph.
    blocks : tuple of BlockEvidence
        What is known of the cause of each block's blanks.
    codebook : Codebook
        Levels and origins.
    settings : Settings
        What the fit was made with.
    n_rows : int
        Rows that were fitted.
    blanks : mapping of str to int
        Blank cells of each column and blank rows of each missingness block.
    log_bayes_factors : mapping of (str, str) to float
        Log evidence that each edge adds to its child's family, averaged over the fitted graphs that have it.
    effect_seed : int
        Seed of the rows over which effects are averaged, so that `relationships` gives the same figures every time.
    holdout : tuple of int
        Positions in the table of the rows that were put aside; see `split`. Nothing else is known of them.
    coding : mapping of str to object
        Seed that ordered ties in the normal scores, so that `influence` and `checks` meet the same scores again.
    ruled : Ruled
        The rules that every drawn row keeps, and how.
    """

    schema: Schema
    network: FittedNetwork
    structure: StructurePosterior
    blocks: tuple[BlockEvidence, ...]
    codebook: Codebook
    settings: Settings
    n_rows: int
    blanks: Mapping[str, int]
    log_bayes_factors: Mapping[tuple[str, str], float]
    effect_seed: int
    holdout: tuple[int, ...]
    coding: Mapping[str, object]
    ruled: Ruled
    _cache: dict = field(default_factory=dict, compare=False)

    def sample(
        self,
        n: int | None = None,
        *,
        draws: str = "each_row",
        blanks: bool = True,
        delta: Mapping[str, float] | None = None,
        balanced: bool = True,
        given: Mapping[str, Any] | pd.DataFrame | None = None,
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
            Choose rows that together stand for the model (up to 8,192 rows), so that the table strays from it less than
            independent rows would; each row still follows the posterior predictive distribution exactly. False
            draws independent rows, as `sample_tables` does, because the combining rules count on them.
        given : mapping or DataFrame, optional
            Conditions by column, which every row meets: a value, `between`, `isin`, `missing` or `observed`. Rows are
            then independent, and ``attrs["given"]`` has the method, the probability of the conditions with its Monte
            Carlo error, and the effective sample size. A DataFrame has its blanks filled in once; see `complete`.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal tables.

        Returns
        -------
        DataFrame
            With the column order, dtypes, level order, precision and time zone of the original.

        Raises
        ------
        InputError
            If n is not a positive whole number, an option cannot be, or conditions cannot be met or hardly ever are.

        Examples
        --------
        >>> synthetic = fit.sample(500, random_seed=1)  # doctest: +SKIP
        """
        raise_all(option_problems(self.network.encoding, draws, blanks, delta))
        options = DrawOptions(draws == "each_row", blanks, delta, balanced)
        if given is not None:
            return self._sample_given(n, given, options, random_seed)
        n = self.n_rows if n is None else n
        raise_all(count_problems("n", n))
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
        problems = [*count_problems("m", m), *count_problems("n", n)]
        raise_all([*problems, *option_problems(self.network.encoding, "each_table", blanks, delta)])
        streams = as_generator(random_seed).spawn(int(m))
        frames = tuple(self._draw(int(n), DrawOptions(False, blanks, delta), stream) for stream in streams)
        return SyntheticTables(frames, self._provenance(int(n), int(m), blanks))

    def estimate(
        self,
        analysis: Callable[[pd.DataFrame], Any],
        *,
        draws: int = 400,
        n: int | None = None,
        blanks: bool = True,
        delta: Mapping[str, float] | None = None,
        level: float = 0.95,
        random_seed: Seed = None,
        progress: bool = True,
    ) -> Pooled:
        """Ask the posterior directly what an analysis would find in the population: for whoever holds the fit.

        Every posterior draw of graph and parameters is a population. The analysis is run on a large table simulated
        from each; intervals are quantiles over the draws. This holds with blanks in the real table and needs no
        combining rule. What the simulation adds to the variance, the analysis's own variance u, is taken out again.

        Parameters
        ----------
        analysis : callable
            As in `SyntheticTables.estimate`, or it returns estimates alone, as a Series or a number. Intervals are then
            wider by the simulation, a factor of about sqrt(1 + n_real/n).
        draws : int
            Posterior draws.
        n : int, optional
            Rows simulated for each; when left out ten for each real row, but not beyond 20,000 unless that is less than
            two for each.
        blanks : bool
            True asks what the analysis makes of tables with blanks, as the real one has them. False asks about tables
            as if nobody had been missed; columns that depend on whether another one was observed then follow those
            rows where it was.
        delta : mapping of str to float, optional
            As in `sample`.
        level : float
            Of the intervals.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal estimates.
        progress : bool
            Show a bar.

        Returns
        -------
        Pooled
            With kind "functional".

        Raises
        ------
        InputError
            If an option cannot be, draws are too few for the level, or the analysis fails.

        Warns
        -----
        VarianceWarning
            If the simulation's variance is larger than that over draws.

        Examples
        --------
        >>> fit.estimate(lambda t: (t["age"].mean(), t["age"].var() / len(t)), random_seed=1)  # doctest: +SKIP
        """
        n = rows_of_a_draw(self.n_rows) if n is None else n
        problems = [*level_problems(level, draws), *count_problems("n", n)]
        raise_all([*problems, *option_problems(self.network.encoding, "each_table", blanks, delta)])
        with Progress(draws, progress) as bar:
            bar.doing("estimating")
            tables = self._populations(int(n), DrawOptions(False, blanks, delta), int(draws), random_seed, bar)
            found = stack(run(analysis, tables, draws))
        return functional(found, self.n_rows, int(n), level, self._provenance(int(n), int(draws), blanks))

    def relationships(self) -> pd.DataFrame:
        """Every relationship of the model as a row, averaged over graphs, most probable first.

        How to read a row: "with probability ``p_adjacent`` the two columns are directly related; where they are,
        ``change`` in the parent goes with ``effect`` in ``outcome`` of the child, everything else as it is."

        Columns: ``parent`` and ``child``, in the more probable direction; ``change`` of the parent ("+1 SD" is one
        standard deviation of its normal score, "+1 level" one step up); ``outcome`` ("mean", or the probability of a
        level of the child); ``p_adjacent``, the probability that the two are joined directly, in either direction;
        ``p_direction``, the probability of this direction where they are; ``effect``, the average change of that
        outcome in the child's own units where the relationship is present, with ``lower`` and ``upper`` ends of its 94%
        interval; ``effect_overall``, ``lower_overall`` and ``upper_overall``, the same over all graphs, 0 where the two
        are not joined; ``log_bayes_factor``, how much evidence the relationship adds to the child's family (above 3 is
        strong); ``direction``: "identified" where data tell it, "by knowledge" where you did, "either way" where graphs
        that fit equally well have it both ways.

        Pairs that none of the fitted graphs joins are left out; `fit.structure.edge_probabilities` has them. Effects
        are associations in the model, not causal effects.
        """
        if "relationships" not in self._cache:
            rng = np.random.default_rng(self.effect_seed)
            found = relationship_table(self.network, self.structure, self.log_bayes_factors, rng)
            found.attrs["structure"] = self.structure.verdict()
            self._cache["relationships"] = found
        return self._cache["relationships"].copy()

    def missingness(self) -> pd.DataFrame:
        """Why values are blank, as far as the table can say: every missingness block as a row.

        Columns: ``block`` and its ``columns``; ``within``, the block inside which it is modelled; ``blank_rows`` and
        ``rate``, with ``lower`` and ``upper`` ends of its 94% interval; ``p_random``, the probability that the block
        depends on nothing else in the table, from a prior of one half, and ``log_bayes_factor`` for dependence;
        ``p_complete`` and ``p_incomplete``, the probability that it depends on completely recorded columns only, or
        also on partly blank ones or other blocks; ``detectable_odds_ratio``, the odds ratio per standard deviation of a
        column that a table of this size would show in four of five cases; ``reading`` and its ``meaning``;
        ``depends_on``, with the probability of each, and the change in the chance of being observed with its 94%
        interval; ``informs``, what depends on whether the block was observed (informative presence).

        ``frame.attrs["caveat"]`` says what no table can tell: whether values are blank because of the values.
        """
        parts = self.network.encoding, self.blocks, self.structure, self.relationships()
        return missingness_table(*parts, self.blanks, self.n_rows)

    def graph(self, threshold: float = 0.5) -> nx.DiGraph:
        """Give the averaged graph as networkx.DiGraph: pairs that are adjacent with at least this probability.

        Nodes carry ``kind`` ("missingness" for a block). Edges carry ``probability`` of their direction,
        ``adjacency``, ``structural`` (true by construction) and, where a fitted graph has them, ``log_bayes_factor``.
        """
        graph = self.structure.graph(threshold)
        for name, node in self.network.encoding.nodes.items():
            graph.nodes[name]["kind"] = "missingness" if node.is_indicator else self.model_schema[name].kind.value
        for edge, value in self.log_bayes_factors.items():
            if edge in graph.edges:
                graph.edges[edge]["log_bayes_factor"] = value
        return graph

    @cached_property
    def posterior(self) -> xr.DataTree:
        """Labelled draws of every parameter, with groups ``posterior`` and ``sample_stats``; ArviZ reads it."""
        return as_tree(self.network.families, self.network.encoding, self.settings.inference, self.network.marginals)

    def convergence(self) -> pd.DataFrame:
        """One row per family: R-hat, effective sample sizes, divergences, Pareto k-hat, and whether to trust it."""
        return convergence_table(self.network.families | self.network.marginals)

    def methods(self, tables: SyntheticTables | None = None) -> MethodsText:
        """Write the paragraph for a paper's Methods section, and the BibTeX of what it cites.

        Parameters
        ----------
        tables : SyntheticTables, optional
            Tables of this fit, to say how many there are and how they were drawn.

        Returns
        -------
        MethodsText
            With ``text`` and ``bibtex``; print it for both. It says what this fit was made with, not what is usual.

        Raises
        ------
        InputError
            If the tables come from another table than this fit.
        """
        return describe(self, tables)

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

    def _populations(
        self, n: int, options: DrawOptions, draws: int, random_seed: Seed, bar: Progress
    ) -> Iterator[pd.DataFrame]:
        for stream in as_generator(random_seed).spawn(draws):
            yield self._draw(n, options, stream)
            bar.advance()

    def _provenance(self, n: int, m: int, blanks: bool) -> Provenance:
        shares = {
            name: self.blanks.get(name, 0) / self.n_rows for name in self.schema if not self.schema[name].withheld
        }
        drawn = self.settings.structure != "greedy" and not self.settings.graph_given
        return Provenance(self.n_rows, n, m, "each_table", self.settings.graph, shares, blanks, drawn)

    def _draw(self, n: int, options: DrawOptions, rng: np.random.Generator) -> pd.DataFrame:
        return draw_under_rules(self.rule_plan, self.network, self.codebook, n, options, rng)

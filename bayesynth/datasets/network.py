"""A Bayesian network with known parameters, and the tables that can be drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth._random import Seed, spawn
from bayesynth.datasets.laws import Floats, Law, Mask
from bayesynth.errors import InputError, Problem

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class Score:
    """The standardised number by which a column acts on others.

    Parameters
    ----------
    level_scores : tuple of float, optional
        One score per level, for a categorical column.
    centre, scale : float
        Mean and standard deviation of the score, so that a slope is an effect per standard deviation.
    """

    level_scores: tuple[float, ...] | None
    centre: float
    scale: float

    def raw(self, law: Law, values: Floats) -> Floats:
        """Give the score of each row (rows,) before it is standardised."""
        if self.level_scores is None:
            return law.score(values)
        return np.array(self.level_scores)[values.astype(np.int64)]

    def standardised(self, law: Law, values: Floats) -> Floats:
        """Give the score of each row (rows,), in standard deviations from its mean."""
        return (self.raw(law, values) - self.centre) / self.scale


@dataclass(frozen=True)
class Edge:
    """One true influence of a column on another.

    Parameters
    ----------
    parent, child : str
        Names of the columns.
    effect : float
        Size of the influence of one standard deviation of the parent's score, in units in which every kind of child
        carries a Fisher information of 1 per row: residual standard deviations for a continuous child, log odds times
        sqrt(p(1 - p)) for a binary one. Edges of equal effect are about equally easy to find.
    score : Score
        The parent's score.
    weights : tuple of float
        What one standard deviation of the score adds to the child's linear predictor: log odds (binary and ordinal;
        one per level for a categorical child), residual standard deviations (continuous), log mean (count).
    """

    parent: str
    child: str
    effect: float
    score: Score
    weights: tuple[float, ...]


@dataclass(frozen=True)
class MissingnessBlock:
    """The true law of the blanks in columns that are always blank together.

    Parameters
    ----------
    columns : tuple of str
        The columns of the block.
    rate : float
        Expected share of rows in which they are blank.
    driver : str or None
        The column, itself never blank, on which blankness depends (missing at random); None if on nothing
        (missing completely at random).
    intercept, slope : float
        Log odds of a blank at the driver's mean, and their change per standard deviation of the driver's score.
    score : Score or None
        The driver's score.
    """

    columns: tuple[str, ...]
    rate: float
    driver: str | None
    intercept: float
    slope: float
    score: Score | None


@dataclass(frozen=True, repr=False)
class RandomNetwork:
    """A mixed-kind Bayesian network with known graph, parameters and missingness.

    Made by `random_network`. Two networks are equal if they hold the same law.

    Parameters
    ----------
    columns : tuple of str
        Column names in table order, which says nothing about the graph.
    laws : Mapping of str to Law
        The law of each column, given that its predictor is zero.
    order : tuple of str
        A topological order of the columns.
    edges : tuple of Edge
        The true influences.
    missingness : tuple of MissingnessBlock
        The true law of the blanks.
    """

    columns: tuple[str, ...]
    laws: Mapping[str, Law]
    order: tuple[str, ...]
    edges: tuple[Edge, ...]
    missingness: tuple[MissingnessBlock, ...]

    def __repr__(self) -> str:
        blanks = sum(len(block.columns) for block in self.missingness)
        return f"RandomNetwork({len(self.columns)} columns, {len(self.edges)} edges, {blanks} columns with blanks)"

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each column, in table order."""
        return {name: self.laws[name].kind for name in self.columns}

    @property
    def graph(self) -> nx.DiGraph:
        """The true graph: a new networkx.DiGraph; nodes carry ``kind``, edges carry ``effect``."""
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from((name, {"kind": kind}) for name, kind in self.kinds.items())
        graph.add_edges_from((edge.parent, edge.child, {"effect": edge.effect}) for edge in self.edges)
        return graph

    def sample(self, n_rows: int, *, blanks: bool = True, random_seed: Seed = None) -> pd.DataFrame:
        """Draw independent rows from the network.

        Every value exists and acts on its children before blanks are cut out, and blanks are cut from a stream of
        their own: with the same seed, ``blanks=False`` gives the complete table behind the one with blanks.

        Parameters
        ----------
        n_rows : int
            Number of rows, at least 1.
        blanks : bool
            Whether to cut out the blanks.
        random_seed : int, SeedSequence, Generator or None
            Equal integers give equal tables.

        Returns
        -------
        DataFrame
            (n_rows, columns). Columns with levels are categories, continuous ones float64, counts int64, or nullable
            Int64 where the network puts blanks; dtypes depend on the network alone, not on the draw or on ``blanks``.

        Raises
        ------
        InputError
            If ``n_rows`` is not a whole number of at least 1, or the seed is of another type.

        Examples
        --------
        >>> from bayesynth.datasets import random_network
        >>> network = random_network(8, random_seed=1)
        >>> first, second = network.sample(100, random_seed=2), network.sample(100, random_seed=3)
        >>> first.shape, first.equals(second), first.equals(network.sample(100, random_seed=2))
        ((100, 8), False, True)
        """
        check_rows(n_rows)
        value_rng, blank_rng = spawn(random_seed, 2)
        values = self._values(n_rows, value_rng)
        blank = {name: np.zeros(n_rows, dtype=bool) for block in self.missingness for name in block.columns}
        if blanks:
            blank |= self._blanks(values, n_rows, blank_rng)
        return pd.DataFrame({name: self.laws[name].to_series(values[name], blank.get(name)) for name in self.columns})

    def _values(self, n_rows: int, rng: np.random.Generator) -> dict[str, Floats]:
        values: dict[str, Floats] = {}
        for child in self.order:
            edges = [edge for edge in self.edges if edge.child == child]
            law = self.laws[child]
            values[child] = law.draw(predictor(law, edges, self.laws, values, n_rows), rng)
        return values

    def _blanks(self, values: Mapping[str, Floats], n_rows: int, rng: np.random.Generator) -> dict[str, Mask]:
        blank: dict[str, Mask] = {}
        for block in self.missingness:
            log_odds = np.full(n_rows, block.intercept)
            if block.driver is not None and block.score is not None:
                driver = block.score.standardised(self.laws[block.driver], values[block.driver])
                log_odds += block.slope * driver
            cut = rng.logistic(size=n_rows) < log_odds
            blank |= dict.fromkeys(block.columns, cut)
        return blank


def predictor(
    law: Law, edges: list[Edge], laws: Mapping[str, Law], values: Mapping[str, Floats], n_rows: int
) -> Floats:
    """Add up what the parents contribute to a child's linear predictor, (rows, width)."""
    width = len(law.levels) if law.kind == "categorical" else 1
    total = np.zeros((n_rows, width))
    for edge in edges:
        score = edge.score.standardised(laws[edge.parent], values[edge.parent])
        total += score[:, None] * np.array(edge.weights)
    return total


def check_rows(n_rows: int) -> None:
    """Refuse anything that is no whole number of rows of at least 1."""
    if isinstance(n_rows, (int, np.integer)) and not isinstance(n_rows, bool) and n_rows >= 1:
        return
    raise InputError(
        Problem(
            f"n_rows is {n_rows!r}", "a table has a whole number of rows, at least 1", "pass n_rows=500, for example"
        )
    )

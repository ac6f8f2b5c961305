"""Simulated tables with known truth: a random mixed-kind network, and a table with blanks drawn from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth._random import Seed, spawn
from bayesynth.datasets.design import Design
from bayesynth.datasets.laws import LAWS, Floats, Law, logit
from bayesynth.datasets.network import Edge, MissingnessBlock, RandomNetwork, Score, check_rows, predictor

if TYPE_CHECKING:
    import networkx as nx

_PILOT_ROWS = 4000


@dataclass(frozen=True, eq=False, repr=False)
class Simulated:
    """A simulated table and everything that is true of it.

    Parameters
    ----------
    table : DataFrame
        The table, (rows, columns), with blanks.
    graph : networkx.DiGraph
        The true graph; its nodes are the columns.
    missingness : tuple of MissingnessBlock
        The true law of the blanks.
    network : RandomNetwork
        The law itself: ``network.sample(n_rows, random_seed=...)`` draws fresh rows from it.
    """

    table: pd.DataFrame
    graph: nx.DiGraph
    missingness: tuple[MissingnessBlock, ...]
    network: RandomNetwork

    def __repr__(self) -> str:
        return f"Simulated({len(self.table)} rows from {self.network!r})"


def simulate_network(
    n_columns: int = 10,
    n_rows: int = 500,
    *,
    kinds: Mapping[str, float] | Sequence[str] | None = None,
    n_edges: int | None = None,
    max_parents: int = 3,
    effect: float = 0.5,
    blanks: float = 0.1,
    blank_columns: float = 0.5,
    mechanism: str = "mcar",
    block_size: int = 1,
    random_seed: Seed = None,
) -> Simulated:
    """Draw a random mixed-kind network and a table with blanks from it.

    Parameters
    ----------
    n_columns : int
        Number of columns, at least 1.
    n_rows : int
        Number of rows, at least 1.
    kinds, n_edges, max_parents, effect, blanks, blank_columns, mechanism, block_size
        As in `random_network`.
    random_seed : int, SeedSequence, Generator or None
        Equal integers give equal results. ``random_network`` with the same integer and arguments gives the same
        network, whatever the number of rows.

    Returns
    -------
    Simulated
        The table, the true graph, the true missingness, and the network to draw more rows from.

    Raises
    ------
    InputError
        Listing every argument that cannot be used.

    See Also
    --------
    random_network : The network alone.

    Examples
    --------
    >>> simulated = simulate_network(6, 200, random_seed=1)
    >>> simulated.table.shape, simulated.graph.number_of_edges()
    ((200, 6), 9)
    >>> fresh = simulated.network.sample(200, random_seed=2)
    """
    check_rows(n_rows)
    design = Design(n_columns, kinds, n_edges, max_parents, effect, blanks, blank_columns, mechanism, block_size)
    network_rng, row_rng = spawn(random_seed, 2)
    network = _build(design, network_rng)
    return Simulated(network.sample(n_rows, random_seed=row_rng), network.graph, network.missingness, network)


def random_network(
    n_columns: int = 10,
    *,
    kinds: Mapping[str, float] | Sequence[str] | None = None,
    n_edges: int | None = None,
    max_parents: int = 3,
    effect: float = 0.5,
    blanks: float = 0.1,
    blank_columns: float = 0.5,
    mechanism: str = "mcar",
    block_size: int = 1,
    random_seed: Seed = None,
) -> RandomNetwork:
    """Draw a Bayesian network over columns of mixed kinds, with parameters and blanks.

    Children are generalised linear models of the standardised scores of their parents, without interactions: logistic,
    multinomial logit, cumulative logit, Gaussian (half of them through an exponential) and Poisson regression.

    Parameters
    ----------
    n_columns : int
        Number of columns, at least 1.
    kinds : mapping of str to float, or sequence of str, optional
        Proportions of the kinds, or one kind per column: ``"binary"``, ``"categorical"`` (3 levels), ``"ordinal"``
        (4 levels), ``"continuous"``, ``"count"``. By default a mixture that holds every kind from 5 columns on.
    n_edges : int, optional
        Number of edges; 1.5 per column by default, as far as ``max_parents`` leaves room.
    max_parents : int
        Most parents that a column may have.
    effect : float
        Typical size of an edge, above 0 and at most 5, on the scale described at `Edge`; each edge takes 0.7 to 1.3
        times this. It is also the size of the influence on blanks, with ``mechanism="mar"``.
    blanks : float
        Share of blank cells in the columns that have blanks, at least 0 and below 1.
    blank_columns : float
        Share of the columns that have blanks.
    mechanism : str
        ``"mcar"``, completely at random, or ``"mar"``, depending on another column that is always observed.
    block_size : int
        Number of columns that are always blank together; the last block may be smaller.
    random_seed : int, SeedSequence, Generator or None
        Equal integers give equal networks.

    Returns
    -------
    RandomNetwork
        The network; ``sample`` draws tables from it.

    Raises
    ------
    InputError
        Listing every argument that cannot be used.

    Examples
    --------
    >>> network = random_network(10, mechanism="mar", random_seed=1)
    >>> network
    RandomNetwork(10 columns, 15 edges, 5 columns with blanks)
    >>> sorted(set(network.kinds.values()))
    ['binary', 'categorical', 'continuous', 'count', 'ordinal']
    """
    design = Design(n_columns, kinds, n_edges, max_parents, effect, blanks, blank_columns, mechanism, block_size)
    return _build(design, spawn(random_seed, 2)[0])


def _build(design: Design, rng: np.random.Generator) -> RandomNetwork:
    """Draw each part from a stream of its own, so that one argument changes only what it is about."""
    graph_rng, law_rng, edge_rng, pilot_rng, blank_rng = rng.spawn(5)
    columns = _column_names(design.n_columns)
    laws = _random_laws(design, columns, law_rng)
    order = tuple(columns[i] for i in graph_rng.permutation(design.n_columns))
    parents = _random_parents(design, order, graph_rng)
    edges, pilot = _random_edges(design, laws, parents, edge_rng, pilot_rng)
    missingness = _random_missingness(design, laws, pilot, blank_rng)
    return RandomNetwork(columns, laws, order, edges, missingness)


def _column_names(n: int) -> tuple[str, ...]:
    return tuple(f"x{i:0{max(2, len(str(n)))}d}" for i in range(1, n + 1))


def _random_laws(design: Design, columns: Sequence[str], rng: np.random.Generator) -> dict[str, Law]:
    turns = {kind: cycle(laws) for kind, laws in LAWS.items()}
    kinds = design.kind_names
    if design.kinds is None or isinstance(design.kinds, Mapping):
        kinds = [kinds[i] for i in rng.permutation(len(kinds))]
    return {name: next(turns[kind]).random(rng) for name, kind in zip(columns, kinds, strict=True)}


def _random_parents(design: Design, order: Sequence[str], rng: np.random.Generator) -> dict[str, list[str]]:
    """Choose edges along the order, uniformly among those that leave no column with too many parents."""
    parents: dict[str, list[str]] = {name: [] for name in order}
    pairs = [(i, j) for j in range(len(order)) for i in range(j)]
    left = design.wanted_edges
    for pair in rng.permutation(len(pairs)):
        i, j = pairs[pair]
        if left and len(parents[order[j]]) < design.max_parents:
            parents[order[j]].append(order[i])
            left -= 1
    return parents


def _random_edges(
    design: Design,
    laws: Mapping[str, Law],
    parents: Mapping[str, Sequence[str]],
    edge_rng: np.random.Generator,
    pilot_rng: np.random.Generator,
) -> tuple[tuple[Edge, ...], dict[str, Floats]]:
    """Draw the edges along the order, with a pilot sample that tells the mean and spread of every parent's score."""
    edges: list[Edge] = []
    pilot: dict[str, Floats] = {}
    for child, names in parents.items():
        mine = []
        for parent in names:
            score = _random_score(laws[parent], pilot[parent], edge_rng)
            effect = design.effect * edge_rng.uniform(0.7, 1.3)
            weights = tuple(float(w) for w in effect * laws[child].direction(edge_rng))
            mine.append(Edge(parent, child, effect, score, weights))
        pilot[child] = laws[child].draw(predictor(laws[child], mine, laws, pilot, _PILOT_ROWS), pilot_rng)
        edges += mine
    return tuple(edges), pilot


def _random_score(law: Law, values: Floats, rng: np.random.Generator) -> Score:
    level_scores = None
    if law.kind == "categorical":
        level_scores = tuple(float(s) for s in rng.normal(size=len(law.levels)))
    raw = Score(level_scores, 0.0, 1.0).raw(law, values)
    return Score(level_scores, float(raw.mean()), float(raw.std()) or 1.0)


def _random_missingness(
    design: Design, laws: Mapping[str, Law], pilot: Mapping[str, Floats], rng: np.random.Generator
) -> tuple[MissingnessBlock, ...]:
    shuffled = [str(name) for name in rng.permutation(list(laws))]
    blank, observed = shuffled[: design.n_blank_columns], shuffled[design.n_blank_columns :]
    starts = range(0, len(blank), design.block_size)
    blocks = [tuple(blank[start : start + design.block_size]) for start in starts]
    return tuple(_random_block(design, columns, observed, laws, pilot, rng) for columns in blocks)


def _random_block(
    design: Design,
    columns: tuple[str, ...],
    observed: Sequence[str],
    laws: Mapping[str, Law],
    pilot: Mapping[str, Floats],
    rng: np.random.Generator,
) -> MissingnessBlock:
    rate = float(design.blanks)
    if design.mechanism == "mcar":
        return MissingnessBlock(columns, rate, None, float(logit(rate)), 0.0, None)
    driver = observed[rng.integers(len(observed))]
    score = _random_score(laws[driver], pilot[driver], rng)
    slope = float(rng.choice([-1.0, 1.0]) * design.effect / np.sqrt(rate * (1 - rate)))
    intercept = _intercept(rate, slope * score.standardised(laws[driver], pilot[driver]))
    return MissingnessBlock(columns, rate, driver, intercept, slope, score)


def _intercept(rate: float, shift: Floats) -> float:
    """Find, by bisection, the intercept at which the mean probability of a blank is the rate."""
    low, high = logit(rate) - shift.max(), logit(rate) - shift.min()
    for _ in range(60):
        middle = (low + high) / 2
        too_many = np.mean(0.5 * (1 + np.tanh((middle + shift) / 2))) > rate
        low, high = (low, middle) if too_many else (middle, high)
    return float((low + high) / 2)

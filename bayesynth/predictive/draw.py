"""Ancestral sampling: whole columns at a time, in topological order, each row under its own graph and parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from bayesynth.encoding.table import Node
from bayesynth.families import FAMILIES, Family, Parameters
from bayesynth.predictive.network import FittedNetwork

ROWS_AT_A_TIME = 65_536
FEWEST_MARGINALS, MOST_MARGINALS = 256, 1024
ROWS_OF_A_MARGINAL = 8
LEAST_BLOCK = 16  # rows of a graph that are taken together from the net, where it has as many


@dataclass(frozen=True)
class DrawOptions:
    """What kind of rows to draw.

    Parameters
    ----------
    each_row : bool
        A fresh draw of graph and parameters for every row (posterior predictive), or one for the whole table.
    blanks : bool
        Reproduce blanks, or fill every cell.
    delta : mapping of str to float
        Added to the values that would have been blank; only where blanks are filled.
    balanced : bool
        Spread the rows evenly over the model (see `uniforms`), or draw them independently.
    filled : set of str
        Missingness blocks that are observed in every row, whatever they depend on.
    """

    each_row: bool = True
    blanks: bool = True
    delta: Mapping[str, float] | None = None
    balanced: bool = False
    filled: frozenset[str] = frozenset()


def draw_rows(
    network: FittedNetwork, n_rows: int, options: DrawOptions, rng: np.random.Generator, plan: Plan | None = None
) -> Iterator[dict[str, np.ndarray]]:
    """Draw rows, some at a time so that memory stays bounded.

    Parameters
    ----------
    network : FittedNetwork
        What to draw from.
    n_rows : int
        Rows in all.
    options : DrawOptions
        What kind of rows.
    rng : Generator
        Randomness.
    plan : Plan, optional
        What the rows share with others that were drawn before: so they belong to the same table.

    Yields
    ------
    dict of str to ndarray
        Codes and numbers of every column (and missingness node), NaN where blank.
    """
    plan = Plan.make(network, n_rows, options, rng) if plan is None else plan
    names = list(network.encoding.nodes)
    for start in range(0, n_rows, ROWS_AT_A_TIME):
        n = min(ROWS_AT_A_TIME, n_rows - start)
        points = uniforms(n, len(names) + 1, options.balanced, rng)
        shares = _rows_of_graphs(n, len(plan.graphs), options.balanced, rng)
        places = rng.permutation(n)  # in the net, neighbouring rows belong to one graph
        chunk: dict[str, np.ndarray] = {}
        for graph, rows in zip(plan.graphs, shares, strict=True):
            if len(rows):
                u = dict(zip(names, points[:, rows], strict=False))
                for name, values in Walk(network, graph, plan, u, points[-1, rows], options).run().items():
                    chunk.setdefault(name, np.empty(n))[places[rows]] = values
        yield chunk


def _rows_of_graphs(n_rows: int, n_graphs: int, balanced: bool, rng: np.random.Generator) -> list[np.ndarray]:
    """Deal rows out to graphs: at random, or in blocks of a power of two, each a small net in itself."""
    if balanced:
        each = n_rows / n_graphs
        block = 2 ** int(np.log2(max(1.0, each / 4, min(each, LEAST_BLOCK))))
        graph = rng.permutation(n_graphs)[np.arange(n_rows) // block % n_graphs]
    else:
        graph = rng.integers(n_graphs, size=n_rows)
    return [np.flatnonzero(graph == i) for i in range(n_graphs)]


def uniforms(n_rows: int, n_columns: int, balanced: bool, rng: np.random.Generator) -> np.ndarray:
    """Uniform numbers in (0, 1), shape (n_columns, n_rows), one column of the table behind each row of them.

    Balanced numbers are the beginning of a scrambled Sobol net: each is uniform, so every row follows the model
    exactly, but together the rows fill all low-dimensional margins more evenly than independent ones. A table of n rows
    then strays less from the model than n independent rows do.

    Notes
    -----
    Owen (1997), "Scrambled net variance for integrals of smooth functions", doi:10.1214/aos/1031594731.
    """
    if not balanced:
        points = rng.random((n_columns, n_rows))
    else:
        from scipy.stats import qmc

        net = qmc.Sobol(n_columns, scramble=True, rng=rng).random_base2(int(np.ceil(np.log2(max(n_rows, 2)))))
        points = net[:n_rows].T
    return np.clip(points, 1e-12, 1 - 1e-12)


@dataclass(frozen=True)
class Plan:
    """Graphs, parameter draws and marginal distribution functions that a whole table shares."""

    graphs: tuple[int, ...]
    parameters: Mapping[str, Mapping[str, np.ndarray]]
    marginals: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    n_draws: int

    @classmethod
    def make(cls, network: FittedNetwork, n_rows: int, options: DrawOptions, rng: np.random.Generator) -> Plan:
        """Draw what the table shares."""
        graphs, n_draws = tuple(range(len(network.graphs))), network.n_draws
        flat = {name: posterior.flat() for name, posterior in network.families.items()}
        if not options.each_row:
            graphs, chosen = (int(rng.integers(len(graphs))),), int(rng.integers(n_draws))
            flat = {name: {k: v[chosen : chosen + 1] for k, v in p.items()} for name, p in flat.items()}
            n_draws = 1
        wanted = np.clip(n_rows // ROWS_OF_A_MARGINAL, FEWEST_MARGINALS, MOST_MARGINALS)
        n_marginals = min(n_draws, n_rows, int(wanted))
        return cls(graphs, flat, cls._drawn_marginals(network, n_marginals, rng), n_draws)

    @classmethod
    def of_tables(cls, network: FittedNetwork, m: int, rng: np.random.Generator) -> Plan:
        """Draw what each of m tables has to itself: draw i of parameters and marginals belongs to table i."""
        chosen = rng.integers(network.n_draws, size=m)
        flat = {name: {k: v[chosen] for k, v in p.flat().items()} for name, p in network.families.items()}
        return cls(tuple(range(len(network.graphs))), flat, cls._drawn_marginals(network, m, rng), m)

    @staticmethod
    def _drawn_marginals(
        network: FittedNetwork, n_draws: int, rng: np.random.Generator
    ) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Draw distribution functions of numeric columns, each with its drift."""
        numeric = {name: node for name, node in network.encoding.nodes.items() if node.marginal}
        drawn = {name: node.marginal.draw(n_draws, rng) for name, node in numeric.items()}
        return {name: (cumulative, *numeric[name].marginal.drift(cumulative)) for name, cumulative in drawn.items()}

    def value_of(self, node: Node, response: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Value that a node shows for its response, a code or a normal score, under draw which[i]; rises with it."""
        if node.marginal is None:
            return response
        cumulative, shift, stretch = self.marginals[node.name]
        which = which % len(cumulative)
        value = node.marginal.quantile(ndtr((response - shift[which]) / stretch[which]), cumulative, which)
        return np.round(value / node.step) * node.step if node.step else value


class Walk:
    """One pass over one graph, for the rows that are drawn from it."""

    def __init__(
        self,
        network: FittedNetwork,
        graph: int,
        plan: Plan,
        u: Mapping[str, np.ndarray],
        u_of_draw: np.ndarray,
        options: DrawOptions,
    ):
        self._encoding, self._plan, self._options = network.encoding, plan, options
        self._order = network.dags[graph].order
        self._families = {child: network.families[name] for child, name in network.graphs[graph].items()}
        self._n = len(u_of_draw)
        self._which, self._u = (u_of_draw * plan.n_draws).astype(int), u
        self._everywhere = np.ones(self._n, bool)
        self._values: dict[str, np.ndarray] = {}
        self._observed: dict[str, np.ndarray] = {}
        self._unseen: dict[str, np.ndarray] = {}
        self._columns: dict[tuple[str, str], np.ndarray] = {}

    def run(self) -> dict[str, np.ndarray]:
        """Draw every node on the way; give columns and indicators, NaN where blank."""
        encoding = self._encoding
        for name in self._order:
            node = encoding.nodes[name]
            self._indicator(node) if node.is_indicator else self._value(node)
        for column, value in encoding.fixed.items():
            block = encoding.block_of(column)
            if block is None or block.name in self._observed:  # the walk may end before the block
                self._values[column] = np.full(self._n, value)
                self._observed[column] = self._observed[block.name] if block else self._everywhere
        return {name: self._finished(name) for name in self._values}

    def _indicator(self, node: Node) -> None:
        needed = (self._options.blanks or self._options.delta) and node.name not in self._options.filled
        seen = self._draw(node) == 1.0 if needed else self._everywhere
        if node.gate and needed:
            seen &= ~self._unseen[node.gate]
        self._unseen[node.name] = ~seen
        shown = seen if self._options.blanks else self._everywhere
        self._values[node.name] = shown.astype(float)
        self._observed[node.name] = shown

    def _value(self, node: Node) -> None:
        self._values[node.name] = self._shown(node, self._draw(node))
        self._observed[node.name] = self._observed[node.gate] if node.gate else self._everywhere

    def _shown(self, node: Node, response: np.ndarray) -> np.ndarray:
        return self._plan.value_of(node, response, self._which)

    def _draw(self, node: Node) -> np.ndarray:
        family, parameters, design = self._conditional(node)
        return family.draw(parameters, self._which, design, self._u[node.name])

    def _conditional(self, node: Node) -> tuple[Family, Parameters, np.ndarray]:
        posterior = self._families[node.name]
        design = posterior.design.matrix(self._encoding, self._columns_of, self._n)
        return FAMILIES[posterior.family], self._plan.parameters[posterior.name], design

    def _columns_of(self, name: str, form: str) -> np.ndarray:
        if (name, form) not in self._columns:
            node = self._encoding.nodes[name]
            observed = self._everywhere if node.is_indicator else self._observed[name]
            self._columns[name, form] = node.columns(self._values[name], observed, form)
        return self._columns[name, form]

    def _finished(self, name: str) -> np.ndarray:
        values, observed = self._values[name], self._observed[name]
        shift = (self._options.delta or {}).get(name)
        if shift is not None:
            gate = self._encoding.block_of(name)
            values = values + shift * (self._unseen[gate.name] if gate else 0.0)
        is_indicator = name in self._unseen
        return values if is_indicator or observed.all() else np.where(observed, values, np.nan)

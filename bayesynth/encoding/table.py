"""The network's nodes, and a table written as values, blanks and responses of those nodes. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bayesynth.encoding.blocks import Block, find_blocks
from bayesynth.encoding.features import GROUPS, PRESENCE, Features, NominalFeatures, NumericFeatures, OrdinalFeatures
from bayesynth.encoding.marginal import EmpiricalMarginal, Marginal

INDICATOR_LEVELS = ("blank", "observed")


@dataclass(frozen=True)
class Node:
    """One node of the network: a column's value, or the indicator of a missingness block.

    Parameters
    ----------
    name : str
        Column name, or block name.
    family : str
        Name of the node family.
    levels : tuple of str
        Names of the levels, in code order; empty for a numeric column.
    gate : str or None
        Block within whose observed rows this node has a value.
    is_indicator : bool
        True for a missingness node (1 = observed).
    features : Features
        What it contributes as a parent.
    marginal : Marginal or None
        Of a numeric column.
    step : float or None
        Grid on which a numeric column is recorded.
    """

    name: str
    family: str
    levels: tuple[str, ...]
    gate: str | None
    is_indicator: bool
    features: Features
    marginal: Marginal | None = None
    step: float | None = None

    @property
    def group_names(self) -> tuple[str, ...]:
        """Groups of rows that a node with levels makes: those, and the rows where it is blank."""
        return (*self.levels, "blank")

    def columns(self, values: np.ndarray, observed: np.ndarray, form: str) -> np.ndarray:
        """Feature columns, shape (n, d): zero where the node has no value."""
        if form == PRESENCE:
            return observed.astype(float)[:, None]
        if form == GROUPS:
            n = len(self.group_names)
            codes = np.where(observed, values, n - 1)
            return np.eye(n)[codes.astype(int)]
        seen = values if observed.all() else values[observed]
        found = self.features.columns(self.marginal.scores(seen) if self.marginal else seen, form)
        if observed.all():
            return found
        out = np.zeros((len(values), found.shape[1]))
        out[observed] = found
        return out


@dataclass(frozen=True)
class Encoding:
    """Everything about the nodes that sampling needs, and no row of the table.

    Parameters
    ----------
    nodes : mapping of str to Node
        Value nodes in column order, then missingness nodes, outer before inner.
    blocks : tuple of Block
        Columns that share their blanks.
    fixed : mapping of str to float
        Columns with a single observed value, coded.
    """

    nodes: Mapping[str, Node]
    blocks: tuple[Block, ...]
    fixed: Mapping[str, float]

    @property
    def structural_edges(self) -> tuple[tuple[str, str], ...]:
        """Edges that hold by construction: an indicator into the values and the inner indicators that it gates."""
        return tuple((node.gate, node.name) for node in self.nodes.values() if node.gate)

    def block_of(self, column: str) -> Block | None:
        """Find the block that a column's blanks belong to."""
        return next((b for b in self.blocks if column in b.columns), None)


@dataclass(frozen=True)
class EncodedTable:
    """A table as the network sees it.

    Parameters
    ----------
    encoding : Encoding
        The nodes.
    n_rows : int
        Rows.
    values : mapping of str to ndarray, shape (n,)
        Code, number or indicator of each node; NaN where there is none.
    responses : mapping of str to ndarray, shape (n,)
        The same, with numbers as normal scores: what the families explain.
    defined : mapping of str to ndarray of bool, shape (n,)
        Where each node has a value.
    """

    encoding: Encoding
    n_rows: int
    values: Mapping[str, np.ndarray]
    responses: Mapping[str, np.ndarray]
    defined: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class CodedSource:
    """One column as it comes from the codecs.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Codes or numbers, NaN where blank.
    levels : tuple of str
        Names of the observed levels; empty for a numeric column.
    ordered : bool
        Whether the levels have an order.
    modelled : bool
        False for a constant, of which only the blanks are modelled.
    step : float or None
        Grid on which a numeric column is recorded.
    """

    values: np.ndarray
    levels: tuple[str, ...]
    ordered: bool
    modelled: bool = True
    step: float | None = None


def encode_table(
    sources: Mapping[str, CodedSource], rng: np.random.Generator, marginals: Mapping[str, Marginal] | None = None
) -> EncodedTable:
    """Write coded columns as the nodes of a network.

    Parameters
    ----------
    sources : mapping of str to CodedSource
        Columns in order.
    rng : Generator
        Orders ties in the normal scores.
    marginals : mapping of str to Marginal, optional
        Of numeric columns; the others get an empirical one.
    """
    observed = {name: ~np.isnan(source.values) for name, source in sources.items()}
    some = {name: seen for name, seen in observed.items() if seen.any()}
    blocks = find_blocks(some)
    gates = {column: block.name for block in blocks for column in block.columns}
    n_rows = len(next(iter(sources.values())).values)
    nodes: dict[str, Node] = {}
    values, responses, defined, fixed = {}, {}, {}, {}
    for (name, source), stream in zip(sources.items(), rng.spawn(len(sources)), strict=True):
        if name not in some:
            continue
        seen = source.values[some[name]]
        if not source.modelled or len(np.unique(seen)) < 2:
            fixed[name] = float(seen[0])
            continue
        node = nodes[name] = _value_node(name, source, seen, gates.get(name), (marginals or {}).get(name))
        values[name], defined[name] = source.values, some[name]
        responses[name] = source.values.copy()
        if node.marginal is not None:
            responses[name][some[name]] = node.marginal.responses(seen, stream)
    for block in blocks:
        indicator = some[block.columns[0]].astype(float)
        inside = some[_columns_of(block.outer, blocks)] if block.outer else np.ones(n_rows, bool)
        features = NominalFeatures.of(indicator, INDICATOR_LEVELS)
        nodes[block.name] = Node(block.name, "binary", INDICATOR_LEVELS, block.outer, True, features)
        values[block.name] = responses[block.name] = indicator
        defined[block.name] = inside
    return EncodedTable(Encoding(nodes, blocks, fixed), n_rows, values, responses, defined)


def _columns_of(name: str, blocks: tuple[Block, ...]) -> str:
    return next(b.columns[0] for b in blocks if b.name == name)


def _value_node(name: str, source: CodedSource, seen: np.ndarray, gate: str | None, marginal: Marginal | None) -> Node:
    if not source.levels:
        marginal = marginal or EmpiricalMarginal.of(seen)
        return Node(name, "gaussian", (), gate, False, NumericFeatures.of(marginal.scores(seen)), marginal, source.step)
    if len(source.levels) == 2:
        return Node(name, "binary", source.levels, gate, False, NominalFeatures.of(seen, source.levels))
    if not source.ordered:
        return Node(name, "categorical", source.levels, gate, False, NominalFeatures.of(seen, source.levels))
    rates = np.bincount(seen.astype(int), minlength=len(source.levels)) / len(seen)
    scores = ndtri(np.clip(np.cumsum(rates) - rates / 2, 1e-9, 1 - 1e-9))
    return Node(name, "ordinal", source.levels, gate, False, OrdinalFeatures.of(seen, scores, source.levels))

"""Log densities of single rows, with the row and as if it had not been fitted, family by family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from bayesynth.encoding.table import EncodedTable, Encoding
from bayesynth.families import FAMILIES
from bayesynth.inference import FamilyPosterior, smoothed
from bayesynth.predictive import FittedNetwork

HARMLESS = 0.25  # standard deviation of log ratios below which plain importance sampling does as well as smoothed


@dataclass(frozen=True)
class FamilyPointwise:
    """One family and the rows where its node has a value; all arrays of shape (rows,).

    Parameters
    ----------
    node : str
        The child.
    rows : ndarray of int
        Those rows.
    log_density : ndarray
        Log of the posterior predictive density of the row's own value.
    left_out : ndarray
        The same as if the row had not been fitted (PSIS-LOO).
    pareto_k : ndarray
        Of the importance ratios; 0 where they vary so little that there is nothing to smooth.
    place : ndarray or None
        Of a numeric column: probability of a smaller value as if the row had not been fitted (LOO-PIT).
    """

    node: str
    rows: np.ndarray
    log_density: np.ndarray
    left_out: np.ndarray
    pareto_k: np.ndarray
    place: np.ndarray | None


def pointwise(network: FittedNetwork, table: EncodedTable) -> Iterator[tuple[str, FamilyPointwise]]:
    """Work out every family of a network, one after another.

    Parameters
    ----------
    network : FittedNetwork
        The posterior.
    table : EncodedTable
        The rows that it was fitted to, in their order.

    Yields
    ------
    name : str
        Of the family.
    FamilyPointwise
    """
    columns: dict[tuple[str, str], np.ndarray] = {}

    def columns_of(name: str, form: str) -> np.ndarray:
        if (name, form) not in columns:
            node = table.encoding.nodes[name]
            observed = np.ones(table.n_rows, bool) if node.is_indicator else table.defined[name]
            columns[name, form] = node.columns(table.values[name], observed, form)
        return columns[name, form]

    for name, posterior in network.families.items():
        rows = np.flatnonzero(table.defined[posterior.node])
        design = posterior.design.matrix(table.encoding, columns_of, table.n_rows)[rows]
        yield name, _of_family(posterior, rows, table.responses[posterior.node][rows], design)


def _of_family(posterior: FamilyPosterior, rows: np.ndarray, y: np.ndarray, X: np.ndarray) -> FamilyPointwise:
    family, draws = FAMILIES[posterior.family], posterior.flat()
    log_density = family.log_likelihood(draws, y, X)
    log_weights, k = weights_without(log_density.T)
    place = None
    if posterior.family == "gaussian":
        place = (np.exp(log_weights.T) * family.place(draws, y, X)).sum(axis=0)
    together = logsumexp(log_density, axis=0) - np.log(len(log_density))
    return FamilyPointwise(posterior.node, rows, together, logsumexp(log_weights.T + log_density, axis=0), k, place)


def weights_without(log_density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Weigh posterior draws so that they stand for the posterior without a row.

    .. math:: w_s \propto 1 / p(x \mid \theta_s)

    Parameters
    ----------
    log_density : ndarray, shape (n, s)
        Of each row under each draw.

    Returns
    -------
    log_weights : ndarray, shape (n, s)
        Normalised over the draws; Pareto-smoothed where the ratios vary.
    pareto_k : ndarray, shape (n,)
    """
    log_weights = -log_density - logsumexp(-log_density, axis=1, keepdims=True)
    k = np.zeros(len(log_density))
    rough = log_density.std(axis=1) > HARMLESS
    if rough.any():
        log_weights[rough], k[rough] = smoothed(-log_density[rough])
    return log_weights, k


def over_graphs(network: FittedNetwork, known: Mapping[str, np.ndarray], n_rows: int) -> np.ndarray:
    """Add up what is known of each family over the families of each graph, shape (graphs, n_rows)."""
    return np.array([sum((known[name] for name in graph.values()), np.zeros(n_rows)) for graph in network.graphs])


def same_table(table: EncodedTable, second: Encoding) -> bool:
    """Whether a table has the nodes, levels and values that an encoding was made from."""
    first = table.encoding
    if list(first.nodes) != list(second.nodes) or first.blocks != second.blocks or first.fixed != second.fixed:
        return False
    for a, b in zip(first.nodes.values(), second.nodes.values(), strict=True):
        if (a.levels, a.gate, a.family) != (b.levels, b.gate, b.family):
            return False
        if b.marginal is not None and not b.marginal.describes(table.values[b.name][table.defined[b.name]]):
            return False
    return True

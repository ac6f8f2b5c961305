"""How much each real row has shaped the fit: the density of the row with it, against that without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from bayesynth.encoding.table import EncodedTable
from bayesynth.inference.posterior import PARETO_K_LIMIT
from bayesynth.predictive import FittedNetwork
from bayesynth.synthesis.pointwise import FamilyPointwise, over_graphs, pointwise

CAVEAT = (
    "A proposal for finding exposed records, not an established measure of risk. For the custodian's eyes: it says how "
    "unusual each person is. What a numeric column's set of values gives away is not in it."
)


def influence_table(network: FittedNetwork, table: EncodedTable) -> pd.DataFrame:
    r"""Give the influence of every row on the fit.

    .. math:: L_i = \log p(x_i \mid D) - \log p(x_i \mid D \setminus i)

    Families are independent under the posterior given the graph, so a row's density is a product over them, with
    :math:`i` left out of each by Pareto-smoothed importance sampling (PSIS-LOO). Over graphs :math:`G`, drawn from
    their posterior with equal weights,

    .. math:: p(x_i \mid D) = \frac1m \sum_G p(x_i \mid D, G), \qquad
              \frac{1}{p(x_i \mid D \setminus i)} = \frac1m \sum_G \frac{1}{p(x_i \mid D \setminus i, G)},

    the latter because a graph's weight without the row is its weight with it over the density that it gives the row.

    Parameters
    ----------
    network : FittedNetwork
        The posterior.
    table : EncodedTable
        The fitted rows.

    Returns
    -------
    DataFrame
        See `Fit.influence`.

    Notes
    -----
    Vehtari, Gelman and Gabry (2017), doi:10.1007/s11222-016-9696-4.
    """
    zero = np.zeros(table.n_rows)
    found = {name: _spread_out(one, table.n_rows) for name, one in pointwise(network, table)}
    columns = zip(*found.values(), strict=True) if found else ([], [], [])
    with_row, without, k = (dict(zip(found, values, strict=True)) for values in columns)
    n_graphs = np.log(max(len(network.graphs), 1))
    log_density = logsumexp(over_graphs(network, with_row, table.n_rows), axis=0) - n_graphs
    left_out = n_graphs - logsumexp(-over_graphs(network, without, table.n_rows), axis=0)
    nodes = list(network.encoding.nodes)
    share = {name: with_row[name] - without[name] for name in found}
    by_node = np.array([sum((share[g[node]] for g in network.graphs), zero) for node in nodes]) / len(network.graphs)
    worst = np.max([*k.values(), zero], axis=0)
    return pd.DataFrame(
        {
            "influence": log_density - left_out,
            "log_density": log_density,
            "log_density_left_out": left_out,
            "most_through": np.array(nodes, dtype=object)[by_node.argmax(axis=0)] if nodes else "",
            "pareto_k": worst,
            "trusted": worst <= PARETO_K_LIMIT,
        }
    )


def _spread_out(one: FamilyPointwise, n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log densities with and without each row, and Pareto k-hat, over all rows: 0 where the node has no value."""
    found = np.zeros((3, n_rows))
    found[:, one.rows] = one.log_density, one.left_out, one.pareto_k
    return found[0], found[1], found[2]

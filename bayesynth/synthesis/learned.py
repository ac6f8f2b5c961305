"""The marginal distributions of a fit as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesynth.predictive import FittedNetwork
from bayesynth.schema import Column, Kind, Schema
from bayesynth.synthesis.coding import Codebook

LEVEL = 0.94
CHOSEN = {"empirical": "default", "auto": "by evidence"}
COLUMNS = ("column", "distribution", "parameter", "value", "lower", "upper", "unit", "bounds", "tails", "chosen")


class WithMarginals:
    """What a fit tells of its marginal distributions."""

    network: FittedNetwork
    model_schema: Schema
    codebook: Codebook

    def learned_marginals(self) -> pd.DataFrame:
        """Show the distribution of every numeric column by itself, one row for each parameter.

        Columns: ``column``; ``distribution``; ``parameter``, with its posterior mean ``value`` and the ``lower`` and
        ``upper`` ends of its 94% interval (blank for an empirical distribution, which has none); ``unit`` of the
        column; its ``bounds``; ``tails``, whether values are drawn beyond the recorded extremes; ``chosen``: "default",
        "stated" in the schema, or "by evidence" (``marginal="auto"``).

        Returns
        -------
        DataFrame
            One row per column and parameter. No recorded value is in it.

        Examples
        --------
        >>> fit.learned_marginals()  # doctest: +SKIP
        """
        rows = []
        for name, node in self.network.encoding.nodes.items():
            if node.marginal is None:
                continue
            column, distribution = self.model_schema[name], node.marginal.distribution
            about = unit_of(column, self.codebook.origins.get(name)), column.bounds, column.tails
            chosen = CHOSEN.get(column.marginal, "stated")
            parameters = node.marginal.parameters or {None: np.array([np.nan])}
            for parameter, draws in parameters.items():
                low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
                rows.append((name, distribution, parameter, float(draws.mean()), low, high, *about, chosen))
        return pd.DataFrame(rows, columns=list(COLUMNS))


def unit_of(column: Column, origin: str | None) -> str | None:
    """Name the unit in which a column is modelled."""
    if column.kind is Kind.DATETIME:
        return f"{column.precision} since {origin}"
    return column.precision if column.kind is Kind.DURATION else column.unit

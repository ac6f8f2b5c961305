"""Checks of a fit against the table it was made from: posterior predictive p-values, and LOO-PIT."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from bayesynth.diagnostics.association import Variables
from bayesynth.diagnostics.figures import FIDELITY, Figure, Interval, judge, wilson
from bayesynth.diagnostics.reading import TableReader
from bayesynth.diagnostics.setting import ordered_columns
from bayesynth.encoding.table import EncodedTable
from bayesynth.predictive import FittedNetwork
from bayesynth.schema.kinds import NOMINAL
from bayesynth.synthesis.pointwise import pointwise

NAME = "checks"
SURPRISING = 0.1  # two-sided tail probability below which a check is surprising
TOLERANCE = 0.1
SHOWN = 5
MOMENTS = {"mean": "mean", "sd": "standard deviation", "max": "largest value", "min": "smallest value"}
MEANING = (
    "Share of simple facts about the real table (means, spreads, largest values, shares, blanks, strongest relations, "
    "places of single values) that are surprising under the fitted model; 10% would be by chance."
)
NOTE = (
    "A screen, not a test: the facts are of the table that the model was fitted to, so fewer than 10% are expected to "
    "be surprising. LOO-PIT leaves each row out when it judges the row."
)


def check_figure(
    network: FittedNetwork, table: EncodedTable, reader: TableReader, real: pd.DataFrame, drawn: Iterable[pd.DataFrame]
) -> Figure:
    r"""Compare named facts of the real table with the same facts of tables drawn from the fit.

    The posterior predictive p-value of a statistic is
    :math:`P(T(y^{rep}) > T(y)) + \tfrac12 P(T(y^{rep}) = T(y))` over tables of the same size, each from one posterior
    draw. Per numeric node, LOO-PIT values :math:`P(z_i^{rep} \le z_i \mid D \setminus i)` should be uniform; their
    largest distance from that is judged as Kolmogorov and Smirnov do.

    Parameters
    ----------
    network : FittedNetwork
        The posterior.
    table : EncodedTable
        The fitted rows.
    reader : TableReader
        Reads real and drawn tables alike.
    real : DataFrame
        The fitted rows.
    drawn : iterable of DataFrame
        Tables drawn from the fit, each of as many rows, from one posterior draw each.

    Notes
    -----
    Gelman, Meng and Stern (1996), "Posterior predictive assessment of model fitness via realized discrepancies",
    Statistica Sinica 6:733-807. P-values use the data twice and pile up near one half.
    """
    if not reader.columns:
        return Figure.skipped(NAME, FIDELITY, MEANING, "There is no modelled column to check.")
    facts = _Facts(reader, reader.values(real))
    wanted = facts(reader.values(real))
    replicated = np.array([facts(reader.values(frame)) for frame in drawn])
    known = np.maximum((~np.isnan(replicated)).sum(axis=0), 1)  # a drawn column may be all blank
    p = ((replicated > wanted).sum(axis=0) + 0.5 * (replicated == wanted).sum(axis=0)) / known
    rows = [(column, fact, 2 * min(q, 1 - q)) for (column, fact), q in zip(facts.names, p, strict=True)]
    rows += [(column, "LOO-PIT", value) for column, value in _places(network, table)]
    details = pd.DataFrame(rows, columns=["column", "fact", "p"])
    details["surprising"] = details["p"] < SURPRISING
    return _figure(details, len(real))


def _figure(details: pd.DataFrame, n_real: int) -> Figure:
    n, share = len(details), float(details["surprising"].mean())
    value, floor = (_interval(part, n) for part in (share, SURPRISING))
    excess = Interval(*(end - SURPRISING for end in (value.middle, value.lower, value.upper)))
    verdict, _ = judge(excess, TOLERANCE, n_real)
    worst = details.nsmallest(SHOWN, "p")
    named = tuple((f"{row.column}: {row.fact}", float(row.p), SURPRISING) for row in worst.itertuples())
    return Figure(NAME, FIDELITY, MEANING, value, floor, excess, TOLERANCE, verdict, None, named, details, NOTE)


def _interval(share: float, n: int) -> Interval:
    lower, upper = wilson(share * n, n)
    return Interval(share, float(lower), float(upper))


class _Facts:
    """Named statistics of a table of numbers; which ones is settled by the real table."""

    def __init__(self, reader: TableReader, real: np.ndarray):
        self._reader, self._real = reader, real
        self._plans: list[tuple[int, str, str]] = []
        for i, column in enumerate(reader.columns):
            known = real[~np.isnan(real[:, i]), i]
            if len(known) < len(real):
                self._plans.append((i, "blank", "share of blanks"))
            if column.kind in NOMINAL:
                first = 1 if len(column.levels) == 2 else 0  # of two shares one says both
                seen = [k for k in range(first, len(column.levels)) if (known == k).any()]
                self._plans += [(i, str(k), f"share of {column.levels[k]}") for k in seen]
            elif len(known):
                self._plans += [(i, what, label) for what, label in MOMENTS.items()]
                if 0 < (known == 0).sum() < len(known):
                    self._plans.append((i, "0", "share of zeros"))
        self._pairs = _strongest(self._associations(real))
        ordered = ordered_columns(reader)
        order = [*np.flatnonzero(ordered), *np.flatnonzero(~ordered)]
        names = [reader.names[i] for i in order]
        self.names = [(reader.names[i], label) for i, _, label in self._plans]
        self.names += [(names[i], f"association with {names[j]}") for i, j in self._pairs.items()]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Give the statistics of a table in the order of `names`."""
        found = [_fact(values[:, i], what) for i, what, _ in self._plans]
        matrix = self._associations(values)
        return np.array(found + [matrix[i, j] for i, j in self._pairs.items()], float)

    def _associations(self, values: np.ndarray) -> np.ndarray:
        matrix = Variables.of(self._reader, self._real, values, blanks=np.arange(0)).matrix()
        np.fill_diagonal(matrix, np.nan)
        return matrix


def _fact(values: np.ndarray, what: str) -> float:
    blank = np.isnan(values)
    if what == "blank":
        return float(blank.mean())
    known = values[~blank]
    if not len(known):
        return np.nan
    found = {"mean": np.mean, "sd": np.std, "max": np.max, "min": np.min}
    return float(found[what](known) if what in found else (known == int(what)).mean())


def _strongest(matrix: np.ndarray) -> dict[int, int]:
    """For each column the one it is most strongly related to; each pair once."""
    pairs: dict[int, int] = {}
    for i, row in enumerate(np.abs(matrix)):
        if not np.isnan(row).all():
            j = int(np.nanargmax(row))
            if pairs.get(j) != i:
                pairs[i] = j
    return pairs


def _places(network: FittedNetwork, table: EncodedTable) -> Iterator[tuple[str, float]]:
    """Kolmogorov-Smirnov p-value of the LOO-PIT of every numeric node, averaged over its families.

    A family counts with its share of the graphs, over the density it gives the row: its weight without the row.
    """
    from scipy.stats import kstwo

    total: dict[str, np.ndarray] = {}
    weight: dict[str, np.ndarray] = {}
    for name, one in pointwise(network, table):
        if one.place is not None:
            share = network.shares[name] * np.exp(-one.left_out)
            total[one.node] = total.get(one.node, 0.0) + share * one.place
            weight[one.node] = weight.get(one.node, 0.0) + share
    for node, values in total.items():
        places = np.sort(values / weight[node])
        n = len(places)
        steps = np.arange(n + 1) / n
        distance = max((steps[1:] - places).max(), (places - steps[:-1]).max())
        yield node, float(kstwo.sf(distance, n))

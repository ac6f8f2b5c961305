"""Blank cells drawn several times over, all tables in one pass; rows that break a rule are drawn again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bayesynth.errors import Problem
from bayesynth.predictive import DrawOptions
from bayesynth.predictive.conditional import sweep
from bayesynth.predictive.draw import Plan
from bayesynth.predictive.particles import Rows, Source
from bayesynth.rules import Rule
from bayesynth.synthesis.completing import Known
from bayesynth.synthesis.given import Model

SWEEPS = 30
AT_A_TIME = 65_536
AGAIN, PATIENCE = 100, 5  # times that broken rows are drawn again: in all, and in a row without one that was mended


def complete_tables(
    model: Model, known: Known, m: int, rng: np.random.Generator
) -> tuple[list[pd.DataFrame], dict[Rule, int]]:
    """Complete a table m times, each under its own draw of graph and parameters.

    Parameters
    ----------
    model : Model
        What cells are drawn from.
    known : Known
        The table.
    m : int
        Completed tables.
    rng : Generator
        Randomness.

    Returns
    -------
    tables : list of DataFrame
        The completed tables.
    broken : dict of Rule to int
        Rules that rows were not made to keep, with the number of such rows over all tables; rows that break a rule by
        their known cells alone are not counted.
    """
    together = max(1, AT_A_TIME // max(1, len(known.rows)))
    tables: list[pd.DataFrame] = []
    broken: dict[Rule, int] = {}
    for start in range(0, m, together):
        imputation = _Imputation(model, known, min(together, m - start), rng)
        tables.extend(imputation.tables)
        for rule, count in imputation.broken().items():
            broken[rule] = broken.get(rule, 0) + count
    return tables, broken


def broken_problem(rule: Rule, count: int, m: int) -> Problem:
    """Say that completed rows break a rule."""
    found = f"{count} rows of {m} completed tables break the rule {rule}"
    why = "no draw of their blank cells was found that goes with the known ones"
    remedy = "blank the column that the rule makes, so that it is computed, or fill in what it is made from"
    return Problem(found, why, remedy)


class _Imputation:
    """Several completed tables at once, so that the moves of all share their cost."""

    def __init__(self, model: Model, known: Known, m: int, rng: np.random.Generator):
        self._model, self._known, self._m, self._rng = model, known, m, rng
        self._plan = Plan.of_tables(model.network, m, rng)
        self._graph = rng.integers(len(self._plan.graphs), size=m)
        rows = len(known.rows)
        drawn = self._drawn(np.arange(m).repeat(rows), np.tile(np.arange(rows), m)) if rows else {}
        self._columns = {name: values.reshape(m, rows) for name, values in drawn.items()}
        self.tables = [self._table(i) for i in range(m)]
        if model.plan.rules:
            self._draw_broken_again()

    def broken(self) -> Mapping[Rule, int]:
        """Count the rows that break each rule."""
        counts = {rule: sum(int(found.sum()) for found in self._violations(rule)) for rule in self._model.plan.rules}
        return {rule: count for rule, count in counts.items() if count}

    def _drawn(self, table: np.ndarray, row: np.ndarray) -> Rows:
        """Draw the cells of some rows, each of one of the tables."""
        allowed = {name: one.take(row) for name, one in self._known.allowed.items()}
        source = Source(self._model.network, self._plan, DrawOptions(each_row=False, blanks=False), allowed)
        return sweep(source, source.at(self._graph[table], table, self._rng), SWEEPS, self._rng)[0]

    def _table(self, i: int) -> pd.DataFrame:
        known, encoding = self._known, self._model.network.encoding
        whole = {name: np.full(known.n, np.nan) for name in encoding.nodes}
        whole |= {name: np.full(known.n, value) for name, value in encoding.fixed.items()}
        for name, values in self._columns.items():
            whole[name][known.rows] = values[i]
        return known.fill(self._model.frame(whole, known.n, self._rng, known.stated))

    def _violations(self, rule: Rule) -> list[np.ndarray]:
        """Tell of each table which of the rows that were filled in break a rule, though their known cells do not."""
        bound = self._known.breaks(rule)[self._known.rows]
        return [rule.violations(table)[self._known.rows] & ~bound for table in self.tables]

    def _draw_broken_again(self) -> None:
        fewest, idle = np.inf, 0
        for _ in range(AGAIN):
            broken = np.any([self._violations(rule) for rule in self._model.plan.rules], axis=0)
            idle = 0 if broken.sum() < fewest else idle + 1
            fewest = min(fewest, broken.sum())
            if not fewest or idle >= PATIENCE:
                return
            table, row = np.nonzero(broken)
            for name, values in self._drawn(table, row).items():
                self._columns[name][table, row] = values
            for i in np.unique(table):
                self.tables[i] = self._table(i)

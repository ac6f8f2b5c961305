"""Blank cells drawn several times over, all tables in one pass; rows that break a rule are drawn again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesynth._progress import Progress, Tell, silent
from bayesynth.errors import Problem
from bayesynth.families import Prior
from bayesynth.predictive import DrawOptions
from bayesynth.predictive.augmentation import ROUNDS, augment
from bayesynth.predictive.augmentation import SWEEPS as SWEEPS_OF_A_ROUND
from bayesynth.predictive.conditional import sweep
from bayesynth.predictive.draw import Plan
from bayesynth.predictive.particles import Rows, Source
from bayesynth.rules import Rule, Unique
from bayesynth.synthesis.completing import Known
from bayesynth.synthesis.given import Model

SWEEPS = 30
AT_A_TIME = 65_536
TOGETHER, MOST_COPIES = 2048, 256  # rows drawn again at a time, and how often each of them


def complete_tables(
    model: Model, known: Known, m: int, rng: np.random.Generator, prior: Prior | None = None, progress: bool = False
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
    prior : Prior, optional
        Of the families. With it the parameters of each table are drawn again given its completed rows, which must be
        the fitted ones, and all of them; without it they are those of the fit.
    progress : bool
        Show a bar.

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
    sweeps = SWEEPS + (0 if prior is None else ROUNDS * SWEEPS_OF_A_ROUND)
    with Progress(m * len(known.rows) * sweeps, progress) as bar:
        bar.doing("drawing blank cells")
        for start in range(0, m, together):
            imputation = _Imputation(model, known, min(together, m - start), rng, prior, bar.advance)
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

    def __init__(self, model: Model, known: Known, m: int, rng: np.random.Generator, prior: Prior | None, tell: Tell):
        self._model, self._known, self._rng = model, known, rng
        self._rules = [rule for rule in model.plan.rules if not isinstance(rule, Unique)]
        self._plan = Plan.of_tables(model.network, m, rng)
        self._graph = rng.integers(len(self._plan.graphs), size=m)
        rows = len(known.rows)
        drawn = self._drawn(np.arange(m).repeat(rows), np.tile(np.arange(rows), m), prior, tell) if rows else {}
        self._columns = {name: values.reshape(m, rows) for name, values in drawn.items()}
        self.tables = [self._table(i) for i in range(m)]
        if self._rules and rows:
            self._draw_broken_again()

    def broken(self) -> dict[Rule, int]:
        """Count the rows that break each rule."""
        counts = {rule: int(self._violations(rule).sum()) for rule in self._model.plan.rules}
        return {rule: count for rule, count in counts.items() if count}

    def _drawn(self, table: np.ndarray, row: np.ndarray, prior: Prior | None = None, tell: Tell = silent) -> Rows:
        """Draw the cells of some rows, each of one of the tables; with a prior, given all rows, parameters too."""
        allowed = {name: one.take(row) for name, one in self._known.allowed.items()}
        source = Source(self._model.network, self._plan, DrawOptions(each_row=False, blanks=False), allowed)
        begun = source.at(self._graph[table], table, self._rng, source.allowed)
        rows, _ = sweep(source, begun, SWEEPS, self._rng, tell)
        if prior is not None:
            source, rows = augment(source, rows, prior, self._rng, tell)
            self._plan = source.plan
        return source.finish(rows, self._rng).columns

    def _table(self, i: int) -> pd.DataFrame:
        known, encoding = self._known, self._model.network.encoding
        whole = {name: np.full(known.n, np.nan) for name in encoding.nodes}
        whole |= {name: np.full(known.n, value) for name, value in encoding.fixed.items()}
        for name, values in self._columns.items():
            whole[name][known.rows] = values[i]
        return known.fill(self._model.frame(whole, known.n, self._rng, known.stated))

    def _violations(self, rule: Rule) -> np.ndarray:
        """Tell which rows that were filled in break a rule, though their known cells do not: shape (m, rows)."""
        bound = self._known.breaks(rule)[self._known.rows]
        return np.array([rule.violations(table)[self._known.rows] & ~bound for table in self.tables])

    def _draw_broken_again(self) -> None:
        """Draw every broken row several times, and take the first that keeps the rules; go on while that mends some."""
        broken = np.any([self._violations(rule) for rule in self._rules], axis=0)
        changed: set[int] = set()
        while broken.any():
            table, row = np.nonzero(broken)
            copies = int(np.clip(TOGETHER // len(row), 1, MOST_COPIES))
            drawn = self._drawn(table.repeat(copies), row.repeat(copies))
            good = self._keeps(drawn, self._known.rows[row.repeat(copies)]).reshape(-1, copies)
            mended = np.flatnonzero(good.any(axis=1))
            if not len(mended):
                break
            first, at = good.argmax(axis=1)[mended], (table[mended], row[mended])
            for name, values in drawn.items():
                self._columns[name][at] = values.reshape(-1, copies)[mended, first]
            broken[at] = False
            changed.update(at[0].tolist())
        for i in changed:
            self.tables[i] = self._table(i)

    def _keeps(self, drawn: Rows, rows: np.ndarray) -> np.ndarray:
        """Tell which draws for rows of the table keep every rule that their known cells do not break."""
        stated = {name: known[rows] for name, known in self._known.stated.items()}
        frame = self._known.fill(self._model.frame(drawn, len(rows), self._rng, stated), rows)
        return ~np.any([rule.violations(frame) & ~self._known.breaks(rule)[rows] for rule in self._rules], axis=0)

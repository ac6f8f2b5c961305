"""Tables whose blanks were filled in, and the cells that were known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bayesynth._html import card, table
from bayesynth.diagnostics import Pooled, combine
from bayesynth.diagnostics.estimates import run
from bayesynth.diagnostics.reading import TableReader
from bayesynth.encoding.table import Encoding, Node
from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.predictive.allowed import Allowed
from bayesynth.rules import Rule, RulePlan
from bayesynth.schema import Column, Schema
from bayesynth.schema.storage import blank_mask
from bayesynth.synthesis.asking import cells
from bayesynth.synthesis.coding import Codebook
from bayesynth.synthesis.frames import Frames


@dataclass(frozen=True, repr=False)
class CompletedTables(Frames):
    """A table whose blank cells were filled in several times over; made by `Fit.complete`.

    It holds real cells, so it deserves the care of the table itself and cannot be saved as synthetic tables can.
    Behaves as a sequence of frames.

    Parameters
    ----------
    frames : tuple of DataFrame
        The completed tables; cells that were known are as they were.
    provenance : Provenance
        How they came about.
    filled : mapping of str to int
        Cells of each column that were filled in.
    """

    filled: dict[str, int]

    def estimate(
        self, analysis: Callable[[pd.DataFrame], Any], *, level: float = 0.95, df_complete: float | None = None
    ) -> Pooled:
        r"""Run an analysis on every table and pool what it says by Rubin's rule for multiple imputation.

        .. math:: T = \bar u + (1 + 1/m)\, b

        with u the variance within tables and b that between them.

        Parameters
        ----------
        analysis : callable
            As in `SyntheticTables.estimate`.
        level : float
            Of the intervals.
        df_complete : float, optional
            Degrees of freedom that the analysis would have without blanks, such as n - p; infinite when left out. In
            tables of a hundred rows or fewer it matters (Barnard and Rubin 1999, doi:10.1093/biomet/86.4.948).

        Returns
        -------
        Pooled
            With kind "imputation".

        Raises
        ------
        InputError
            If the analysis fails on a table, or its results cannot be pooled.

        Notes
        -----
        Rubin (1987), Multiple Imputation for Nonresponse in Surveys.

        Examples
        --------
        >>> completed = fit.complete(patients, 20, random_seed=1)  # doctest: +SKIP
        >>> completed.estimate(lambda t: (t["chol"].mean(), t["chol"].var() / len(t)))  # doctest: +SKIP
        """
        found = run(analysis, self.frames, len(self))
        return combine(found, provenance=self.provenance, level=level, df_complete=df_complete)

    def __repr__(self) -> str:
        cells = sum(self.filled.values())
        return f"<{len(self)} completed tables of {self.provenance.n_real} rows, {cells} cells of each filled in>"

    def _repr_html_(self) -> str:
        facts = [(name, count) for name, count in self.filled.items() if count]
        return card("Completed tables", repr(self)[1:-1], table(("column", "cells filled in"), facts))


class Known:
    """The known cells of a frame, as sets of the network's nodes, one set per row.

    Parameters
    ----------
    frame : DataFrame
        Any of the columns, with blanks or without.
    plan : RulePlan
        What the model sees of the columns.
    encoding : Encoding
        The nodes.
    codebook : Codebook
        Levels and origins.
    everything : bool
        Take all rows, once any of them has something to fill in.

    Attributes
    ----------
    n : int
        Rows of the frame.
    rows : ndarray of int
        Positions of the rows that are drawn: those that have something to fill in, or all.
    allowed : dict of str to Allowed
        Sets of those rows, by node.
    stated : dict of str to ndarray of bool
        Rows in which a column is known.

    Raises
    ------
    InputError
        If the frame has columns or levels that the fit does not know; lists all of it at once.
    """

    def __init__(
        self, frame: pd.DataFrame, plan: RulePlan, encoding: Encoding, codebook: Codebook, everything: bool = False
    ):
        self._frame, self._schema, self._codebook = frame, plan.schema, codebook
        raise_all(_unreadable(frame, plan.schema))
        self.n = len(frame)
        frame, schema, values, problems = _as_the_model_sees(frame, plan), plan.model_schema, {}, []
        for name, node in encoding.nodes.items():
            if name in frame.columns:
                try:
                    values[name] = self._read(schema[name], node, frame)
                except InputError as error:
                    problems.extend(error.problems)
        raise_all(problems)
        self.stated = {name: ~blank_mask(frame[name]) for name in schema if name in frame.columns}
        modelled = [name for name, node in encoding.nodes.items() if not node.is_indicator]
        unknown = [np.isnan(values[name]) if name in values else np.ones(len(frame), bool) for name in modelled]
        open_rows = np.any(unknown, axis=0) if modelled else np.zeros(len(frame), bool)
        self.rows = np.flatnonzero(open_rows | (everything and open_rows.any()))
        self.allowed = {
            name: _cells_of(encoding.nodes[name], found[self.rows])
            for name, found in values.items()
            if not np.isnan(found[self.rows]).all()
        }

    def fill(self, drawn: pd.DataFrame, rows: np.ndarray | None = None) -> pd.DataFrame:
        """Put drawn values where the frame, or some of its rows, is blank; everything else stays as it is."""
        frame = self._frame if rows is None else self._frame.iloc[rows].reset_index(drop=True)
        columns = {}
        for name, column in self._schema.items():
            if name not in frame.columns:
                if not column.withheld:
                    columns[name] = drawn[name].set_axis(frame.index)
                continue
            given = frame[name]
            columns[name] = given if column.withheld else _filled(given, drawn[name].set_axis(given.index))
        return pd.DataFrame(columns, index=frame.index).copy()

    def breaks(self, rule: Rule) -> np.ndarray:
        """Tell which rows break a rule by their known cells alone, shape (n,)."""
        if not set(rule.columns) <= set(self._frame.columns):
            return np.zeros(self.n, bool)
        return rule.violations(self._frame)

    def _read(self, column: Column, node: Node, frame: pd.DataFrame) -> np.ndarray:
        """Read a column as codes and numbers, NaN where blank."""
        found = TableReader((), {}, self._codebook.origins).numbers(column, frame)
        if not node.levels:
            return found
        learned = self._codebook.levels[column.name]
        places = np.array([*(learned.index(v) if v in learned else -1 for v in column.levels), -1], float)
        blank = np.isnan(found)
        codes = np.where(blank, np.nan, places[np.where(blank, -1, found).astype(int)])
        if (codes == -1).any():
            what, why = f"column {column.name!r} has levels that no fitted row has", "nothing is known of such rows"
            raise InputError(Problem(what, why, "recode them, or leave these rows out", column.name))
        return codes


def _as_the_model_sees(frame: pd.DataFrame, plan: RulePlan) -> pd.DataFrame:
    if not plan.rules:
        return frame
    lost = {name: np.full(len(frame), np.nan) for name in plan.schema if name not in frame.columns}
    return plan.to_model(frame.assign(**lost))


def _unreadable(frame: pd.DataFrame, schema: Schema) -> list[Problem]:
    if not isinstance(frame, pd.DataFrame):
        return [Problem(f"given is a {type(frame).__name__}", "rows are completed in a DataFrame", "pass a DataFrame")]
    if not len(frame):
        return [Problem("the frame has no rows", "there is nothing to complete", "pass at least one row")]
    if not frame.columns.is_unique:
        return [Problem("the frame has columns of the same name", "cells are named by column", "rename them")]
    why, remedy = "the fit does not know it", "drop it before, and join it again afterwards"
    return [Problem(f"column {name!r}", why, remedy, name) for name in frame.columns if name not in schema]


def _cells_of(node: Node, values: np.ndarray) -> Allowed:
    """Give the sets of known cells; a number beyond the learned range speaks as the nearest end of it."""
    at = values[:, None]
    unknown = np.isnan(at)
    if node.marginal is None:
        return Allowed.ranges(np.where(unknown, -np.inf, at), np.where(unknown, np.inf, at))
    extremes = node.marginal.quantile(np.array([1e-12, 1 - 1e-12]), node.marginal.typical, np.zeros(2, int))
    inside = np.clip(at, *extremes)
    if node.step:
        inside = np.round(inside / node.step) * node.step
    lower, upper = np.where(unknown, -np.inf, inside), np.where(unknown, np.inf, inside)
    found = Allowed.ranges(lower, upper) if node.step else cells(node, lower, upper)
    return Allowed(found.lower, found.upper, at)


def _filled(given: pd.Series, drawn: pd.Series) -> pd.Series:
    """Fill the blanks of a column, in its own dtype where that can hold the values."""
    blank = pd.Series(blank_mask(given), given.index)
    if not blank.any():
        return given
    if isinstance(given.dtype, pd.CategoricalDtype):
        more = [level for level in drawn[blank].unique() if level not in given.cat.categories]
        given = given.cat.add_categories(more)
        drawn = drawn.astype(given.dtype)
    elif given.dtype != object and not blank.all():
        drawn = drawn.astype(given.dtype)
    return drawn if blank.all() else given.mask(blank, drawn)

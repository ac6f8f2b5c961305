"""Figures that sum up the distribution of one column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.encoding.codecs import decode_column
from bayesynth.encoding.table import Encoding
from bayesynth.encoding.unseen import unseen_levels
from bayesynth.errors import InputError, Problem
from bayesynth.predictive.functionals import interval, weighted_quantiles
from bayesynth.predictive.particles import Particles
from bayesynth.schema import Column, Kind, Schema
from bayesynth.schema.kinds import TEMPORAL
from bayesynth.synthesis.coding import Codebook

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Probability:
    """The probability of conditions in the population; made by `Fit.probability`.

    Parameters
    ----------
    estimate : float
        Posterior mean over graphs and parameters.
    lower, upper : float
        Ends of the posterior interval.
    level : float
        Of the interval.
    monte_carlo_error : float
        Standard error that simulation leaves in the estimate; not part of the interval.
    draws, rows : int
        Posterior draws, and rows simulated from each.
    """

    estimate: float
    lower: float
    upper: float
    level: float
    monte_carlo_error: float
    draws: int
    rows: int

    def __float__(self) -> float:
        return self.estimate

    def __str__(self) -> str:
        ends = f"{100 * self.level:g}% interval {self.lower:.3g} to {self.upper:.3g}"
        return f"{self.estimate:.3g} ({ends}; Monte Carlo error {self.monte_carlo_error:.1g})"


@dataclass(frozen=True)
class Summary:
    """Mean and quantiles of a number, or probabilities of levels, and the probability of a blank.

    Parameters
    ----------
    column : Column
        The column.
    levels : tuple
        Its levels; empty for a numeric one.
    origin : str or None
        Where dates are counted from.
    blanks : bool
        Whether it may be blank.
    unseen : tuple
        Levels that no row has and that are drawn all the same, at the share that the column states.
    """

    column: Column
    levels: tuple
    origin: str | None
    blanks: bool
    unseen: tuple = ()

    @classmethod
    def of(
        cls, name: str, schema: Schema, encoding: Encoding, codebook: Codebook, blanks: bool, stated: bool = False
    ) -> Summary:
        """Prepare for a column of the model; one whose value is stated shows no unseen level.

        Raises
        ------
        InputError
            If it is none.
        """
        if name not in encoding.nodes or name not in schema:
            why = "it is no column of the model, or has one value only"
            raise InputError(Problem(f"conditional({name!r})", why, "name a modelled column", name))
        levels = codebook.levels[name] if encoding.nodes[name].levels else ()
        has_blanks = blanks and encoding.block_of(name) is not None
        unseen = () if stated else unseen_levels(schema[name], tuple(levels))
        return cls(schema[name], tuple(levels), codebook.origins.get(name), has_blanks, unseen)

    @property
    def names(self) -> list[str]:
        """Names of the figures."""
        figures = [f"P({level})" for level in (*self.levels, *self.unseen)] or [
            "mean",
            *(f"{100 * q:g}%" for q in QUANTILES),
        ]
        return figures + (["P(blank)"] if self.blanks else [])

    def __call__(self, particles: Particles) -> np.ndarray:
        """Work out the figures of weighted rows, shape (p,); NaN where no row has a weight."""
        values, weight = particles.columns[self.column.name], np.exp(particles.log_weight)
        seen = ~np.isnan(values)
        known, own = values[seen], weight[seen]
        if own.sum() == 0.0:
            return np.full(len(self.names), np.nan)
        if self.levels:
            figures = np.bincount(known.astype(int), weights=own, minlength=len(self.levels)) / own.sum()
            if self.unseen:
                share = self.column.unseen_share
                figures = np.r_[figures * (1 - share), np.full(len(self.unseen), share / len(self.unseen))]
        else:
            figures = np.r_[own @ known / own.sum(), weighted_quantiles(known, own, np.array(QUANTILES))]
        return np.r_[figures, weight[~seen].sum() / weight.sum()] if self.blanks else figures

    def table(self, values: np.ndarray, within: np.ndarray, level: float) -> pd.DataFrame:
        """Lay out figures over posterior draws, shape (draws, p), as a frame with intervals."""
        good = ~np.isnan(values).any(axis=1)
        if good.sum() < 2:
            why = "hardly any simulated row meets the conditions with this column observed"
            raise InputError(Problem(f"conditional({self.column.name!r})", why, "widen the conditions"))
        values = values[good]
        ends = interval(values, within, level)
        shown = {"estimate": values.mean(axis=0), "lower": ends[0], "upper": ends[1]}
        n = len(self.names) - self.blanks
        columns: dict[str, object] = {}
        for name, figures in shown.items():
            columns[name] = self._in_units(figures, n)
        columns["monte_carlo_error"] = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        return pd.DataFrame(columns, index=pd.Index(self.names, name=self.column.name))

    def _in_units(self, figures: np.ndarray, n: int) -> list | np.ndarray:
        """Turn the first n figures into dates or durations where the column has those."""
        if self.column.kind not in TEMPORAL:
            return figures
        origin = self.origin if self.column.kind is Kind.DATETIME else None
        return [*decode_column(self.column, figures[:n], origin=origin), *figures[n:]]

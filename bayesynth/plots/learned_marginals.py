"""The distribution of each numeric column as it was learned, with its uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from bayesynth.encoding.parametric import DISTRIBUTIONS
from bayesynth.encoding.table import Node
from bayesynth.errors import InputError, Problem
from bayesynth.plots._columns import days_since_1970, write_dates
from bayesynth.plots.style import INK, NORMAL, QUIET, SMALL, SYNTHETIC, chosen, grid, plain, quiet
from bayesynth.schema import Kind

if TYPE_CHECKING:
    import pandas as pd

    from bayesynth.synthesis import Fit

PER_ROW, PANEL = 4, (2.7, 2.1)
FINE, COARSE, FEW = 120, 30, 60
DRAWS = 200
BAND = (0.03, 0.97)
SHOWN = (0.001, 0.999)


def plot_learned_marginals(fit: Fit, columns: Iterable[str] | None = None) -> np.ndarray:
    """Draw the distribution of every numeric column as it was learned: the middle of the posterior and its 94% band.

    A distribution with parameters is a curve, counts and empirical distributions are steps. Above each panel stands
    which distribution it is, with the posterior means of its parameters.

    Parameters
    ----------
    fit : Fit
        The fit; its table is not needed.
    columns : iterable of str, optional
        Which ones; all numeric ones when left out.

    Returns
    -------
    ndarray of Axes, shape (columns,)
        One panel for each column.

    Raises
    ------
    InputError
        If a column is unknown or has levels, or there is no numeric one.

    Examples
    --------
    >>> axes = plot_learned_marginals(fit)  # doctest: +SKIP
    """
    nodes = {name: node for name, node in fit.network.encoding.nodes.items() if node.marginal is not None}
    if not nodes:
        raise InputError(
            Problem("the fit has no numeric column", "levels have shares, not curves", "see plot_marginals")
        )
    table, names = fit.learned_marginals(), chosen(list(nodes), columns)
    axes = grid(len(names), PER_ROW, PANEL)
    for ax, name in zip(axes, names, strict=True):
        column, rows = fit.model_schema[name], table[table["column"] == name]
        dated = column.kind is Kind.DATETIME
        origin = fit.codebook.origins[name]
        _draw(ax, nodes[name], partial(days_since_1970, column=column, origin=origin) if dated else np.asarray)
        _write(ax, name if dated or not rows.iloc[0]["unit"] else f"{name} ({rows.iloc[0]['unit']})", rows)
        if dated:
            write_dates(ax.xaxis)
    handles = [Line2D([], [], color=SYNTHETIC, lw=1.4, label="posterior median")]
    handles.append(Patch(facecolor=SYNTHETIC, alpha=0.25, edgecolor="none", label="middle 94%"))
    axes[0].figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False, fontsize=NORMAL)
    return axes


def _draw(ax: Axes, node: Node, shown: Callable[[np.ndarray], np.ndarray]) -> None:
    marginal = node.marginal
    low, high = marginal.quantile(np.array(SHOWN), marginal.typical, np.zeros(2, int))
    smooth = bool(marginal.parameters) and not (node.step and (high - low) / node.step <= FEW)
    edges = _edges(low, high, node.step, FINE if smooth else COARSE)
    draws = marginal.draw(DRAWS, np.random.default_rng(0))  # a picture is the same each time
    which = np.repeat(np.arange(DRAWS), len(edges))
    _, upto = marginal.cdf(np.tile(edges, DRAWS), draws, which)
    heights = np.diff(upto.reshape(DRAWS, -1), axis=1) / np.diff(edges)
    lower, middle, upper = np.quantile(heights, [BAND[0], 0.5, BAND[1]], axis=0)
    edges = shown(edges)
    if smooth:
        places = (edges[1:] + edges[:-1]) / 2
        ax.fill_between(places, lower, upper, color=SYNTHETIC, alpha=0.25, linewidth=0)
        ax.plot(places, middle, color=SYNTHETIC, linewidth=1.4)
    else:
        ax.stairs(upper, edges, baseline=lower, fill=True, color=SYNTHETIC, alpha=0.25, linewidth=0)
        ax.stairs(middle, edges, color=SYNTHETIC, linewidth=1.3)
    ax.set_ylim(0, 1.05 * upper.max())
    quiet(ax, left=False)


def _edges(low: float, high: float, step: float | None, bins: int) -> np.ndarray:
    """Bins that hold equally many possible values each; at most as many as asked for, unless single values are few."""
    if not step:
        return np.linspace(low, high, bins + 1)
    possible = round((high - low) / step) + 1
    each = 1 if possible <= FEW else -(-possible // bins)
    return low + step * (each * np.arange(-(-possible // each) + 1) - 0.5)


def _write(ax: Axes, title: str, rows: pd.DataFrame) -> None:
    ax.set_title(plain(title), fontsize=NORMAL, loc="left", pad=13, color=INK)
    law = DISTRIBUTIONS.get(rows.iloc[0]["distribution"])
    values = ", ".join(f"{row.parameter.replace('_', ' ')} {_short(row.value)}" for row in rows.itertuples() if law)
    text = f"{law.title}: {values}" if law else "empirical"
    ax.text(0, 1.03, plain(text, 60), transform=ax.transAxes, fontsize=SMALL - 1, color=QUIET, va="bottom")


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

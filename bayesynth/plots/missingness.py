"""Which cells are blank together, and how often, in the real and in the synthetic table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from bayesynth.diagnostics import tables_of
from bayesynth.errors import InputError, Problem
from bayesynth.plots.style import FAINT, INK, NORMAL, QUIET, REAL, REAL_FILL, SMALL, SYNTHETIC, SYNTHETIC_FILL, plain

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit

MOST_PATTERNS = 12
TABLES, SEED = 20, 1
BARS = 5.0  # width of the bars, in cells
BLANK, SEEN = "#4A4A4A", "#F1F1F1"


def plot_missingness(
    real_or_fit: pd.DataFrame | Fit,
    synthetic: pd.DataFrame | Iterable[pd.DataFrame] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the patterns of blanks, the most common first, with their shares in the real and the synthetic table.

    A row is a pattern, a dark cell a column that is blank in it; columns without blanks are left out. Several synthetic
    tables are drawn as their median and the range of the middle 90% of them.

    Parameters
    ----------
    real_or_fit : DataFrame or Fit
        The real table; or a fit, which holds no row of it: then only the shares that the model gives are drawn.
    synthetic : DataFrame or iterable of DataFrame, optional
        One synthetic table or several; 20 tables are drawn from the fit, with seed 1, when left out.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Cells and bars.

    Raises
    ------
    InputError
        If there is neither a fit nor a synthetic table, or no table has a blank.

    Examples
    --------
    >>> ax = plot_missingness(patients, tables)  # doctest: +SKIP
    """
    if isinstance(real_or_fit, pd.DataFrame):
        real, names = real_or_fit, list(real_or_fit.columns)
        if synthetic is None:
            found, why = "there is no synthetic table", "the blanks of the real one would stand alone"
            raise InputError(Problem(found, why, "pass one as the second argument"))
    else:
        real, names = None, list(real_or_fit.schema)
        synthetic = real_or_fit.sample_tables(TABLES, random_seed=SEED) if synthetic is None else synthetic
    tables = [*([real] if real is not None else []), *tables_of(synthetic, names)]
    blanks = [table[names].isna().to_numpy() for table in tables]
    columns = np.flatnonzero(np.any([b.any(axis=0) for b in blanks], axis=0))
    if len(columns) == 0:
        found, why = "no table has a blank", "there is no pattern to draw"
        raise InputError(Problem(found, why, "look at plot_marginals instead"))
    columns = columns[np.argsort([-np.mean([b[:, c].mean() for b in blanks]) for c in columns], kind="stable")]
    patterns, shares, rest = _patterns([b[:, columns] for b in blanks], real is not None)
    ax = ax if ax is not None else _axes(len(columns), len(patterns))
    _draw_cells(ax, patterns, [plain(names[c]) for c in columns], rest is not None)
    _draw_shares(ax, shares if rest is None else np.column_stack([shares, rest]), len(columns), real is not None)
    return ax


def _patterns(blanks: list[np.ndarray], has_real: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Find the most common patterns (patterns, columns), their shares by table, and the share of all others."""
    patterns, place = np.unique(np.concatenate(blanks), axis=0, return_inverse=True)
    parts = np.split(place.reshape(-1), np.cumsum([len(b) for b in blanks])[:-1])
    shares = np.array([np.bincount(part, minlength=len(patterns)) / len(part) for part in parts])
    weight = (shares[0] + np.median(shares[1:], axis=0)) / 2 if has_real else np.mean(shares, axis=0)
    weight = weight + 1e-6 * shares.mean(axis=0)
    order = np.argsort(-weight, kind="stable")
    if len(order) <= MOST_PATTERNS:
        return patterns[order], shares[:, order], None
    top, others = order[:MOST_PATTERNS], order[MOST_PATTERNS:]
    return patterns[top], shares[:, top], shares[:, others].sum(axis=1)


def _axes(columns: int, rows: int) -> Axes:
    size = (1.6 + 0.36 * (columns + BARS), 1.5 + 0.3 * rows)
    _, ax = plt.subplots(figsize=size, layout="constrained")
    return ax


def _draw_cells(ax: Axes, patterns: np.ndarray, names: list[str], with_rest: bool) -> None:
    rows, columns = patterns.shape
    x, y = np.meshgrid(np.arange(columns + 1), np.arange(rows + 1))
    shade = np.where(patterns[..., None], to_rgb(BLANK), to_rgb(SEEN))
    ax.pcolormesh(x, y, shade, edgecolor="white", linewidth=1.5, gid="patterns")
    if with_rest:
        ax.text(columns - 0.15, rows + 0.5, "all other patterns", ha="right", va="center", fontsize=SMALL, color=QUIET)
    ax.set_xticks(np.arange(columns) + 0.5, names, rotation=40, ha="left", rotation_mode="anchor", fontsize=SMALL)
    ax.xaxis.tick_top()
    ax.tick_params(length=0, labelcolor=INK)
    ax.set_yticks([])
    ax.set_ylim(rows + with_rest, 0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _draw_shares(ax: Axes, shares: np.ndarray, columns: int, has_real: bool) -> None:
    start, room = columns + 0.6, BARS - 2.2
    synthetic = shares[1:] if has_real else shares
    middle = np.median(synthetic, axis=0)
    low, high = np.quantile(synthetic, (0.05, 0.95), axis=0)
    largest = max(high.max(), shares[0].max())
    at, height = np.arange(len(middle)) + 0.5, 0.34
    bars = [(shares[0], -height / 2, REAL_FILL, REAL)] if has_real else []
    bars.append((middle, height / 2 * has_real, SYNTHETIC_FILL, SYNTHETIC))
    for values, shift, face, edge in bars:
        lengths = room * values / largest
        ax.barh(at + shift, lengths, height, left=start, color=face, edgecolor=edge, linewidth=0.8)
    if len(synthetic) > 1:
        y = at + height / 2 * has_real
        ax.hlines(y, start + room * low / largest, start + room * high / largest, color=SYNTHETIC, linewidth=1.2)
    for i, y in enumerate(at):
        text = f"{shares[0, i]:.1%} | {middle[i]:.1%}" if has_real else f"{middle[i]:.1%}"
        ax.text(start + room + 0.2, y, text, va="center", fontsize=SMALL, color=INK)
    head = "real | synthetic" if has_real else "synthetic"
    ax.text(start + room + 0.2, -0.25, head, va="center", fontsize=SMALL, color=QUIET)
    ax.axvline(start, color=FAINT, linewidth=0.8, ymax=1)
    ax.set_xlim(-0.1, start + BARS + 0.9)
    _draw_legend(ax, has_real, len(synthetic) > 1)


def _draw_legend(ax: Axes, has_real: bool, several: bool) -> None:
    text = "synthetic (median, middle 90% of tables)" if several else "synthetic"
    handles = [Patch(facecolor=BLANK, label="blank"), Patch(facecolor=SEEN, edgecolor=FAINT, label="observed")]
    if has_real:
        handles.append(Patch(facecolor=REAL_FILL, edgecolor=REAL, label="real"))
    handles.append(Patch(facecolor=SYNTHETIC_FILL, edgecolor=SYNTHETIC, label=text))
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, -0.02),
        ncols=4,
        frameon=False,
        fontsize=NORMAL - 1,
        handlelength=1.3,
        columnspacing=1.2,
    )

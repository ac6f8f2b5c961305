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

    A real table alone is drawn by itself, a fit alone with what its model gives.

    A row is a pattern, a dark cell a column that is blank in it; columns without blanks are left out. Several synthetic
    tables are drawn as their median and the range of the middle 90% of them.

    Parameters
    ----------
    real_or_fit : DataFrame or Fit
        The real table; or a fit, which holds no row of it: then only the shares that the model gives are drawn.
    synthetic : DataFrame or iterable of DataFrame, optional
        One synthetic table or several; with a fit, 20 tables are drawn with seed 1 when left out.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        Cells and bars.

    Raises
    ------
    InputError
        If no table has a blank.

    Examples
    --------
    >>> ax = plot_missingness(patients, tables)  # doctest: +SKIP
    """
    if isinstance(real_or_fit, pd.DataFrame):
        real, names = real_or_fit, list(real_or_fit.columns)
    else:
        real, names = None, list(real_or_fit.schema)
        synthetic = real_or_fit.sample_tables(TABLES, random_seed=SEED) if synthetic is None else synthetic
    tables = [*([real] if real is not None else []), *([] if synthetic is None else tables_of(synthetic, names))]
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
    both = has_real and len(shares) > 1
    weight = (shares[0] + np.median(shares[1:], axis=0)) / 2 if both else np.mean(shares, axis=0)
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
    groups = [("real", shares[:1], REAL_FILL, REAL)] if has_real else []
    if len(shares) > has_real:
        groups.append(("synthetic", shares[has_real:], SYNTHETIC_FILL, SYNTHETIC))
    largest = max(np.quantile(part, 0.95, axis=0).max() for _, part, _, _ in groups)
    at, height = np.arange(shares.shape[1]) + 0.5, 0.34
    shifts = (-height / 2, height / 2) if len(groups) == 2 else (0.0,)
    for (_, part, face, edge), shift in zip(groups, shifts, strict=True):
        lengths = room * np.median(part, axis=0) / largest
        ax.barh(at + shift, lengths, height, left=start, color=face, edgecolor=edge, linewidth=0.8)
        if len(part) > 1:
            low, high = np.quantile(part, (0.05, 0.95), axis=0)
            ax.hlines(
                at + shift, start + room * low / largest, start + room * high / largest, color=edge, linewidth=1.2
            )
    for i, y in enumerate(at):
        text = " | ".join(f"{np.median(part[:, i]):.1%}" for _, part, _, _ in groups)
        ax.text(start + room + 0.2, y, text, va="center", fontsize=SMALL, color=INK)
    head = " | ".join(name for name, _, _, _ in groups)
    ax.text(start + room + 0.2, -0.25, head, va="center", fontsize=SMALL, color=QUIET)
    ax.axvline(start, color=FAINT, linewidth=0.8, ymax=1)
    ax.set_xlim(-0.1, start + BARS + 0.9)
    _draw_legend(ax, groups)


def _draw_legend(ax: Axes, groups: list[tuple[str, np.ndarray, str, str]]) -> None:
    handles = [Patch(facecolor=BLANK, label="blank"), Patch(facecolor=SEEN, edgecolor=FAINT, label="observed")]
    for name, part, face, edge in groups:
        text = f"{name} (median, middle 90% of tables)" if len(part) > 1 else name
        handles.append(Patch(facecolor=face, edgecolor=edge, label=text))
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

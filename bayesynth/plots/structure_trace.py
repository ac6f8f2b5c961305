"""Whether independent runs of the graph sampler agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from bayesynth.errors import InputError, Problem
from bayesynth.plots._structure import structure_of, verdict_style
from bayesynth.plots.style import BLUE, FAINT, GREEN, INK, NORMAL, ORANGE, PURPLE, QUIET, SKY, SMALL, VERMILION, quiet
from bayesynth.structure.partition import LARGEST_SD

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit, StructurePosterior

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)
WINDOWS = 25  # to the length of a run: draws over which its running mean goes
BAND = "#EFEFEF"


def plot_structure_trace(structure_or_fit: StructurePosterior | Fit, axes: Sequence[Axes] | None = None) -> np.ndarray:
    """Draw the runs of the graph sampler: their log scores, and their edge probabilities against the mean over runs.

    On the left the running means of the runs, over the faint draws, should keep to one level and show no trend. On the
    right each point is an edge in one run; the band reaches as far from the diagonal as the standard deviation between
    runs may be at most.

    Parameters
    ----------
    structure_or_fit : StructurePosterior or Fit
        A posterior over graphs, or a fit that has one.
    axes : sequence of two Axes, optional
        Where to draw.

    Returns
    -------
    ndarray of Axes, shape (2,)
        Log scores and edge probabilities; the title says whether the runs agree.

    Raises
    ------
    InputError
        If the graphs do not come from runs of the sampler, or no column varies.

    Examples
    --------
    >>> axes = plot_structure_trace(fit)  # doctest: +SKIP
    """
    structure = structure_of(structure_or_fit)
    if structure.how != "posterior":
        found, why = f"structure={structure.how!r} has no runs to compare", structure.meaning
        raise InputError(Problem(found, why, 'fit with structure="posterior", or look at plot_edge_matrix'))
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(8.2, 3.6), width_ratios=(1.5, 1), layout="constrained")
    left, right = axes
    _draw_scores(left, structure)
    _draw_probabilities(right, structure)
    left.set_title(structure.verdict(), loc="left", fontsize=NORMAL, **verdict_style(structure))
    return np.array([left, right])


def _draw_scores(ax: Axes, structure: StructurePosterior) -> None:
    draws = np.arange(1, structure.log_scores.shape[1] + 1)
    window = max(1, len(draws) // WINDOWS)
    for run, scores in enumerate(structure.log_scores):
        colour = COLOURS[run % len(COLOURS)]
        ax.plot(draws, scores, color=colour, linewidth=0.5, alpha=0.3, gid=f"run {run + 1}")
        smooth = np.convolve(scores, np.full(window, 1 / window), "valid")
        middles = np.convolve(draws, np.full(window, 1 / window), "valid")
        ax.plot(middles, smooth, color=colour, linewidth=1.4, label=f"run {run + 1}", gid=f"mean of run {run + 1}")
    ax.axhline(structure.best_log_score, color=QUIET, linewidth=0.9, linestyle=(0, (4, 3)), label="best graph")
    ax.set_xlim(1, len(draws))
    ax.set_xlabel("draw", fontsize=SMALL, color=QUIET)
    ax.set_ylabel("log score", fontsize=SMALL, color=QUIET)
    ax.ticklabel_format(useOffset=False)
    quiet(ax)
    _legend_below(ax)


def _draw_probabilities(ax: Axes, structure: StructurePosterior) -> None:
    by_run = structure.drawn.mean(axis=1)
    learned = (by_run.max(axis=0) > 0) & ~_structural(structure)
    mean = by_run.mean(axis=0)[learned]
    ends = np.array([0.0, 1.0])
    said = f"±{LARGEST_SD:g}, the largest SD that passes"
    ax.fill_between(ends, ends - LARGEST_SD, ends + LARGEST_SD, color=BAND, linewidth=0, gid="band", label=said)
    ax.plot(ends, ends, color=FAINT, linewidth=0.8)
    for run, probability in enumerate(by_run):
        colour = COLOURS[run % len(COLOURS)]
        ax.scatter(mean, probability[learned], s=9, color=colour, alpha=0.7, linewidth=0, gid=f"run {run + 1}")
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.03)
    ax.set_aspect("equal")
    ax.set_xlabel("P(edge), mean over runs", fontsize=SMALL, color=QUIET)
    ax.set_ylabel("P(edge) in each run", fontsize=SMALL, color=QUIET)
    _legend_below(ax)
    quiet(ax)


def _structural(structure: StructurePosterior) -> np.ndarray:
    return np.array([[(a, b) in structure.structural for b in structure.nodes] for a in structure.nodes])


def _legend_below(ax: Axes) -> None:
    look = {"frameon": False, "fontsize": SMALL, "labelcolor": INK, "borderpad": 0}
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=6, handlelength=1.4, columnspacing=1.2, **look)

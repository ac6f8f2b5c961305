"""Plots: functions that take results and return axes. The only door to matplotlib."""

from bayesynth.plots.edge_matrix import plot_edge_matrix
from bayesynth.plots.fidelity import plot_fidelity, plot_floor
from bayesynth.plots.learned_marginals import plot_learned_marginals
from bayesynth.plots.marginals import plot_marginals
from bayesynth.plots.missingness import plot_missingness
from bayesynth.plots.network import plot_network
from bayesynth.plots.pair_matrix import plot_pair_matrix
from bayesynth.plots.pairs import plot_pairs
from bayesynth.plots.structure_trace import plot_structure_trace
from bayesynth.plots.style import save_figure

__all__ = [
    "plot_edge_matrix",
    "plot_fidelity",
    "plot_floor",
    "plot_learned_marginals",
    "plot_marginals",
    "plot_missingness",
    "plot_network",
    "plot_pair_matrix",
    "plot_pairs",
    "plot_structure_trace",
    "save_figure",
]

"""Plots: functions that take results and return axes. The only door to matplotlib."""

from bayesynth.plots.network import plot_network
from bayesynth.plots.style import save_figure


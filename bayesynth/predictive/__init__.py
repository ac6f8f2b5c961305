"""Draws from the posterior predictive distribution."""

from bayesynth.predictive.balance import draw_table
from bayesynth.predictive.draw import DrawOptions, draw_rows
from bayesynth.predictive.network import FittedNetwork

__all__ = ["DrawOptions", "FittedNetwork", "draw_rows", "draw_table"]

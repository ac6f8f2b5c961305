"""The one door to PyMC, nutpie and ArviZ, whose versions differ between Python 3.11 and later ones."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np


def load(name: str) -> ModuleType:
    """Import an engine without the notices that it prints for its own developers."""
    import importlib

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def pareto_k(log_ratios: np.ndarray) -> float:
    """Shape of the generalised Pareto tail of importance ratios (Vehtari and others 2024)."""
    arviz = load("arviz")
    if hasattr(arviz, "psislw"):
        return float(arviz.psislw(np.array(log_ratios))[1])
    # From ArviZ 1 on the argument is a log likelihood, whose negative is the log ratio.
    return float(load("arviz_stats.base").array_stats.psislw(-np.array(log_ratios))[1])


def worst_figures(draws: np.ndarray) -> tuple[float, float, float]:
    """Largest R-hat, smallest bulk and tail effective sample size over quantities; draws of (chain, draw, quantity)."""
    az, xr = load("arviz"), load("xarray")
    data = xr.Dataset({"x": (("chain", "draw", "quantity"), draws)})
    with np.errstate(invalid="ignore", divide="ignore"):  # chains that never move have no R-hat: they are not fine
        bulk, tail = (float(np.nan_to_num(az.ess(data, method=kind)["x"]).min()) for kind in ("bulk", "tail"))
        rhat = float(np.nan_to_num(az.rhat(data)["x"], nan=np.inf).max()) if len(draws) > 1 else np.nan
    return rhat, bulk, tail

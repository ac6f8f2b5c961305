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
    return float(smoothed(np.array(log_ratios)[None])[1][0])


def smoothed(log_ratios: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pareto-smooth importance ratios (Vehtari and others 2024).

    Parameters
    ----------
    log_ratios : ndarray, shape (n, s)
        Of n quantities over s draws.

    Returns
    -------
    log_weights : ndarray, shape (n, s)
        Smoothed, and normalised over the draws.
    k : ndarray, shape (n,)
        Shape of each tail.
    """
    arviz = load("arviz")
    if hasattr(arviz, "psislw"):
        weights, k = arviz.psislw(np.array(log_ratios))
    else:  # from ArviZ 1 on the argument is a log likelihood, whose negative is the log ratio
        weights, k = load("arviz_stats.base").array_stats.psislw(-np.array(log_ratios))
    return np.asarray(weights), np.atleast_1d(np.asarray(k, float))


def worst_figures(draws: np.ndarray) -> tuple[float, float, float]:
    """Largest R-hat, smallest bulk and tail effective sample size over quantities; draws of (chain, draw, quantity)."""
    az, xr = load("arviz"), load("xarray")
    data = xr.Dataset({"x": (("chain", "draw", "quantity"), draws)})
    with np.errstate(invalid="ignore", divide="ignore"):  # chains that never move have no R-hat: they are not fine
        bulk, tail = (float(np.nan_to_num(az.ess(data, method=kind)["x"]).min()) for kind in ("bulk", "tail"))
        rhat = float(np.nan_to_num(az.rhat(data)["x"], nan=np.inf).max()) if len(draws) > 1 else np.nan
    return rhat, bulk, tail

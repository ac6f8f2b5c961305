"""Shape of a residual: a histogram of its normal probability, by group of rows."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

BINS = 8
PRIOR = 1.0  # of each bin's probability: a Dirichlet, flat over all histograms


def bin_of(places: np.ndarray) -> np.ndarray:
    """Tell the bin of each probability, from 0."""
    return np.minimum((places * BINS).astype(int), BINS - 1)


def log_gain(places: np.ndarray, groups: np.ndarray) -> float:
    r"""Log Bayes factor of a histogram in every group over residuals that are normal in all.

    .. math::
        \sum_g \log \frac{\Gamma(Ka)}{\Gamma(Ka + n_g)} \prod_k \frac{\Gamma(a + n_{gk})}{\Gamma(a)} + n_g \log K

    Parameters
    ----------
    places : ndarray, shape (n,)
        Probability of a smaller value for each row, as if the row had not been fitted.
    groups : ndarray of int, shape (n,)
        Its group.
    """
    counts = _counts(bin_of(places)[None], groups, int(groups.max(initial=0)) + 1)[0]
    rows = counts.sum(axis=1)
    histograms = (
        gammaln(BINS * PRIOR) - gammaln(BINS * PRIOR + rows) + (gammaln(PRIOR + counts) - gammaln(PRIOR)).sum(1)
    )
    return float((histograms + rows * np.log(BINS)).sum())


def draw_shapes(places: np.ndarray, groups: np.ndarray, n_groups: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the histograms given each draw's residuals.

    Parameters
    ----------
    places : ndarray, shape (s, n)
        Normal probability of a smaller residual, for each row under each draw of the other parameters.
    groups : ndarray of int, shape (n,)
        Group of each row.
    n_groups : int
        Groups, also those without rows.
    rng : Generator
        Randomness.

    Returns
    -------
    ndarray, shape (s, n_groups, BINS)
        Probabilities of the bins.
    """
    weights = rng.standard_gamma(PRIOR + _counts(bin_of(places), groups, n_groups))
    return weights / weights.sum(axis=2, keepdims=True)


def below(shape: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distribution function under histograms, shape (n, BINS), at normal probabilities, shape (n, J)."""
    at = bin_of(places)
    before = np.concatenate([np.zeros((len(shape), 1)), np.cumsum(shape, axis=1)], axis=1)
    inside = places * BINS - at
    return np.take_along_axis(before, at, axis=1) + inside * np.take_along_axis(shape, at, axis=1)


def inverse(shape: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Find the normal probability at which the distribution function under each row's histogram is u, shape (n,)."""
    upper = np.cumsum(shape, axis=1)
    at = np.minimum((u[:, None] >= upper[:, :-1]).sum(axis=1), BINS - 1)[:, None]
    width = np.take_along_axis(shape, at, axis=1)[:, 0]
    into = (u - np.take_along_axis(upper, at, axis=1)[:, 0] + width) / np.maximum(width, 1e-300)
    return np.clip((at[:, 0] + np.clip(into, 0.0, 1.0)) / BINS, 1e-15, 1 - 1e-15)


def _counts(bins: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Rows in each bin of each group, shape (s, n_groups, BINS), of bins of shape (s, n)."""
    cells = (np.arange(len(bins))[:, None] * n_groups + groups) * BINS + bins
    return np.bincount(cells.ravel(), minlength=len(bins) * n_groups * BINS).reshape(len(bins), n_groups, BINS)

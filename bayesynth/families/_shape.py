"""Shape of a residual: a Polya tree on its normal probability, by group of rows."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln

LEVELS = 5
BINS = 2**LEVELS  # of equal probability where the residual is normal


def bin_of(places: np.ndarray) -> np.ndarray:
    """Tell the bin of each probability, from 0."""
    return np.minimum((places * BINS).astype(int), BINS - 1)


def shape_gain(places: np.ndarray, groups: np.ndarray) -> float:
    r"""Log Bayes factor of a Polya tree in every group over residuals that are normal in all.

    Level j of a tree splits each of :math:`2^{j-1}` equally likely intervals by a share with prior Beta(j², j²):

    .. math:: \sum_g \sum_j \sum_i \log \frac{B(j^2 + n_{gji0}, j^2 + n_{gji1})}{B(j^2, j^2)} + n_{gji} \log 2

    Parameters
    ----------
    places : ndarray, shape (n,)
        Probability of a smaller value for each row, as if the row had not been fitted.
    groups : ndarray of int, shape (n,)
        Its group.
    """
    return tree_gain(_counts(bin_of(places)[None], groups, int(groups.max(initial=0)) + 1))


def tree_gain(counts: np.ndarray) -> float:
    """Log Bayes factor of Polya trees over uniform laws, from the rows in their leaves, shape (..., 2^levels)."""
    total = 0.0
    for level in range(counts.shape[-1].bit_length() - 1, 0, -1):
        left, right, prior = counts[..., ::2], counts[..., 1::2], level**2
        counts = left + right
        total += (betaln(prior + left, prior + right) - betaln(prior, prior) + counts * np.log(2)).sum()
    return float(total)


def draw_shapes(places: np.ndarray, groups: np.ndarray, n_groups: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the trees given each draw's residuals.

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
    counts = _counts(bin_of(places), groups, n_groups)
    found = np.ones(counts.shape)
    for level in range(LEVELS, 0, -1):
        left, right, prior = counts[..., ::2], counts[..., 1::2], level**2
        share = rng.beta(prior + left, prior + right)
        found *= np.repeat(np.stack([share, 1 - share], axis=-1).reshape(*counts.shape), BINS >> level, axis=-1)
        counts = left + right
    return found


def below(shape: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Distribution function under trees, shape (n, BINS), at normal probabilities, shape (n, J)."""
    at = bin_of(places)
    before = np.concatenate([np.zeros((len(shape), 1)), np.cumsum(shape, axis=1)], axis=1)
    inside = places * BINS - at
    return np.take_along_axis(before, at, axis=1) + inside * np.take_along_axis(shape, at, axis=1)


def inverse(shape: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Find the normal probability at which the distribution function under each row's tree is u, shape (n,)."""
    upper = np.cumsum(shape, axis=1)
    at = (u[:, None] >= upper[:, :-1]).sum(axis=1)[:, None]
    width, end = (np.take_along_axis(part, at, axis=1)[:, 0] for part in (shape, upper))
    into = np.clip((u - end + width) / np.maximum(width, 1e-300), 0.0, 1.0)
    return np.clip((at[:, 0] + into) / BINS, 1e-15, 1 - 1e-15)


def _counts(bins: np.ndarray, groups: np.ndarray, n_groups: int) -> np.ndarray:
    """Rows in each bin of each group, shape (s, n_groups, BINS), of bins of shape (s, n)."""
    cells = (np.arange(len(bins))[:, None] * n_groups + groups) * BINS + bins
    return np.bincount(cells.ravel(), minlength=len(bins) * n_groups * BINS).reshape(len(bins), n_groups, BINS)

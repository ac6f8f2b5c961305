"""How far comparisons with synthetic rows are above comparisons between real rows, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from bayesynth.diagnostics.setting import Design, Sample

LOWER_ERROR, UPPER_ERROR = 0.005, 0.05  # of an end; the lower one accuses, and eleven figures of fidelity share 0.05
MOST_SKEWED = 1.3  # beyond it the Cornish-Fisher term overshoots; a chi-square with one degree of freedom needs no more


@dataclass(frozen=True)
class Sizes:
    r"""Numbers of rows behind a comparison.

    A comparison sets :math:`a` reference rows against :math:`b` other ones. The reference rows come from a pool of
    :math:`N`, the other real ones from :math:`n` and the synthetic ones from each of :math:`m` tables of :math:`k`.

    Parameters
    ----------
    a, b : int
        Rows on the two sides.
    N, n, k, m : float
        Rows of the pools, and number of tables.
    held : bool
        Whether the reference rows and the other real ones come from different pools, one of them held out.
    """

    a: float
    b: float
    N: float
    n: float
    k: float
    m: int
    held: bool = False

    @classmethod
    def of(cls, design: Design, tables: Sequence[Sample]) -> Sizes:
        """Take the sizes of a design and of the tables that are used."""
        k = len(tables) / sum(1 / len(table) for table in tables)
        return cls(design.a, design.b, len(design.reference), len(design.other), k, len(tables), design.held)

    @property
    def split_variance(self) -> float:
        """Variance of a difference of means between the two sides, for a row variance of 1."""
        return 1 / self.a + 1 / self.b

    @property
    def pool_variance(self) -> float:
        """The same between the pool of the reference rows and a synthetic table."""
        return 1 / self.N + 1 / self.k

    @property
    def distance_share(self) -> float:
        """Variance of a mean excess as a share of that of one floor, for a distance; see `excess_of`."""
        shared = (self.pool_variance**2 + (self.m - 1) / self.N**2) / self.m
        return shared / self.split_variance**2

    @property
    def cross_share(self) -> float:
        """Variance of a mean excess as a share of what the splits show, for what is linear in the rows."""
        seen = 1 / self.a - 1 / self.N + 1 / self.b - 1 / self.k
        return (1 / self.N + 1 / (self.k * self.m)) / seen

    @property
    def loss_share(self) -> float:
        """Variance of a mean excess as a share of what the splits show, for a loss; see `excess_of`."""
        twice = 1 if self.held else 2  # rows that both train and test, in different splits
        all_tables, one = ((twice / self.n + 1 / (self.k * m)) / self.N * self.a * self.b / 2 for m in (self.m, 1))
        return all_tables / (1 - one)


def excess_of(
    floors: np.ndarray,
    comparisons: np.ndarray,
    split: np.ndarray,
    table: np.ndarray,
    sizes: Sizes,
    *,
    is_loss: bool = False,
    is_random: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Mean excess of comparisons over floors with its interval, for one figure or many at once.

    Splits of the same real rows share what is peculiar to these rows, so the spread over splits does not say how sure
    the mean over splits is. For a distance :math:`M(x, y)` that does not care which sample is called x, and that is
    above 0 because samples differ by chance, it can be worked out. Such a distance is an even function of differences
    of means; between two sets of rows these have variance :math:`1/a + 1/b` (for a row variance of 1), and what the
    pools of these rows contribute has variance :math:`1/N + 1/k`. An even function has no linear part, so, term by
    term of its Hermite expansion, its mean over splits keeps at most a share

    .. math:: \rho^4 = \left(\frac{1/N + 1/k}{1/a + 1/b}\right)^2

    of its variance :math:`v`, which the floors show; over m tables that share the real rows but not their own it keeps
    :math:`\frac1m \left(\rho^4 + (m - 1) \frac{1/N^2}{(1/a + 1/b)^2}\right)`. The finite number of splits adds the
    variance of a mean over them. Where the laws differ there is a linear part too, with a variance that grows as the
    excess does: it shows as a spread of the comparisons over splits beyond that of the floors. The ends of the interval
    are the excesses from which the one found is just so many standard deviations away, each with the variance that it
    would have itself, so that the lower end is above 0 when the test of 0 says so. The error of the lower end is 0.005,
    for it accuses and an assessment has many, that of the upper end 0.05. Distances are skewed, like a scaled
    chi-square: the lower end reaches further by the Cornish-Fisher term of the floors' skewness :math:`\gamma`, and
    Student's quantile has :math:`(K - 1) / (1 + \frac34 \gamma^2)` degrees of freedom for K splits.

    Parameters
    ----------
    floors : ndarray, shape (splits, ...)
        The figure between two sets of real rows.
    comparisons : ndarray, shape (comparisons, ...)
        The figure between reference rows and synthetic ones.
    split, table : ndarray of int, shape (comparisons,)
        Split and synthetic table of each comparison.
    sizes : Sizes
        Numbers of rows.
    is_loss : bool
        Whether the figure is a loss on the a reference rows of a model trained on the b others, not a distance. Near
        its least value a loss depends on squares of deviations of the training rows, and on products of these with
        deviations of the test rows. Of the variance of such a product the mean excess keeps a share
        :math:`\frac{ab}{2N}\left(\frac{c}{n} + \frac{1}{km}\right)`, c = 2 as the same rows train and test in
        different splits, or 1 with a holdout; of that of squares it keeps less.
    is_random : bool
        Whether the figure has a chance of its own, as that of a forest, so that all of v may show in the splits.

    Returns
    -------
    excess, lower, upper : ndarray, shape (...)
        Mean excess and the ends of its interval, of at least 90%.
    """
    n_splits = len(floors)
    by_split = np.stack([mean_of(comparisons[split == s]) for s in range(n_splits)]) - floors
    excess = mean_of(by_split)
    variance, beyond = variance_of(by_split) / n_splits, np.zeros(excess.shape)
    if is_loss:
        variance = variance + sizes.loss_share * variance_of(comparisons - floors[split], table)
    else:
        one = variance_of(floors)
        shown = one if is_random else one * (1 - (sizes.pool_variance / sizes.split_variance) ** 2)
        variance = variance + sizes.distance_share * one
        beyond = sizes.cross_share * np.maximum(variance_of(comparisons, table) - shown, 0.0)
    skewness = np.clip(skewness_of(floors), 0.0, MOST_SKEWED)
    freedom = np.maximum((n_splits - 1) / (1 + 0.75 * skewness**2), 1.0)
    down, up = (stdtrit(freedom, 1 - error) for error in (LOWER_ERROR, UPPER_ERROR))
    down = down + (down**2 - 1) / 6 * skewness
    spread = np.sqrt(variance)
    per_unit = np.divide(beyond, np.maximum(excess, spread), out=np.zeros(excess.shape), where=beyond > 0)
    return excess, _end(excess, -down, spread, per_unit), _end(excess, up, spread, per_unit)


def _end(excess: np.ndarray, quantile: np.ndarray | float, spread: np.ndarray, per_unit: np.ndarray) -> np.ndarray:
    """Find the e from which the excess is so many standard deviations sqrt(spread^2 + per_unit max(e, 0)) away."""
    near_null = excess + quantile * spread
    bend = quantile**2 * per_unit / 2
    root = np.sqrt(np.maximum(bend**2 + 2 * bend * excess + (quantile * spread) ** 2, 0.0))
    return np.where(near_null > 0, excess + bend + np.sign(quantile) * root, near_null)


def mean_of(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis, NaN ones left out."""
    known = ~np.isnan(values)
    n = known.sum(axis=0)
    return np.where(n > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(n, 1), np.nan)


def variance_of(values: np.ndarray, group: np.ndarray | None = None) -> np.ndarray:
    """Variance over the first axis, within groups if there are any; NaN ones left out; 0 where it cannot be known."""
    group = np.zeros(len(values), np.int64) if group is None else group
    total, freedom = np.zeros(values.shape[1:]), np.zeros(values.shape[1:])
    for g in np.unique(group):
        some = values[group == g]
        total += np.nan_to_num((some - mean_of(some)) ** 2).sum(axis=0)
        freedom += np.maximum((~np.isnan(some)).sum(axis=0) - 1, 0)
    return total / np.maximum(freedom, 1)


def skewness_of(values: np.ndarray) -> np.ndarray:
    """Skewness over the first axis, NaN ones left out; 0 where nothing varies."""
    apart = values - mean_of(values)
    spread = np.sqrt(mean_of(apart**2))
    return np.divide(mean_of(apart**3), spread**3, out=np.zeros(spread.shape), where=spread > 0)

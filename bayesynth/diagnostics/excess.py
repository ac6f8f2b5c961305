"""How far comparisons with synthetic rows are above comparisons between real rows, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from bayesynth.diagnostics.figures import LEVEL
from bayesynth.diagnostics.setting import Setting

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
        Whether the reference rows come from a holdout, not from the same pool as the other real ones.
    """

    a: float
    b: float
    N: float
    n: float
    k: float
    m: int
    held: bool = False

    @classmethod
    def of(cls, setting: Setting, m: int) -> Sizes:
        """Take the sizes of a setting of which m tables are used."""
        k = len(setting.tables) / sum(1 / len(table) for table in setting.tables)
        pools = len(setting.reference), len(setting.real), k
        return cls(setting.n_reference, setting.n_other, *pools, m, setting.holdout is not None)

    @property
    def split_variance(self) -> float:
        """Variance of a difference of means between the two sides, for a row variance of 1."""
        return 1 / self.a + 1 / self.b

    @property
    def pool_variance(self) -> float:
        """The same between the pool of the reference rows and a synthetic table."""
        return 1 / self.N + 1 / self.k

    @property
    def fixed_share(self) -> float:
        """Share of the variance of the floor that splits of one real table do not show."""
        return ((1 / self.N + 1 / self.n) / self.split_variance) ** 2 if self.held else 0.0

    @property
    def distance_share(self) -> float:
        """Variance of a mean excess as a share of that of one floor, for a distance; see `excess_of`."""
        table, between = self.pool_variance, 1 / self.N
        share = (table**2 + (self.m - 1) * between**2) / self.m
        if self.held:
            share += (1 / self.N + 1 / self.n) ** 2 - 2 * between**2
        return share / self.split_variance**2

    @property
    def cross_share(self) -> float:
        """Variance of a mean excess as a share of what the splits show, for what is linear in the rows."""
        seen = 1 / self.a - 1 / self.N + 1 / self.b - 1 / self.k
        return (1 / self.N + 1 / (self.k * self.m)) / seen

    @property
    def loss_share(self) -> float:
        """The same for a difference of losses of models that were trained on b rows."""
        return (1 / self.n + 1 / (self.k * self.m)) / (2 / self.b - 1 / self.n - 1 / self.k)


def excess_of(
    floors: np.ndarray,
    comparisons: np.ndarray,
    split: np.ndarray,
    table: np.ndarray,
    sizes: Sizes,
    *,
    is_loss: bool = False,
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
    :math:`\frac1m \left(\rho^4 + (m - 1) \frac{1/N^2}{(1/a + 1/b)^2}\right)`. Where the laws do differ, there is a
    linear part too: it shows as a spread of the comparisons over splits beyond that of the floors. The finite number of
    splits adds the variance of a mean over them. Distances are skewed, so the lower end reaches further, by the
    Cornish-Fisher term of the floors' skewness.

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
        Whether the figure is a loss on the reference rows of a model trained on the others, not a distance. Its excess
        is to a first approximation linear in the training rows, so its mean over splits keeps a share
        :math:`(1/n + 1/(km)) / (2/b)` of its variance; of what also depends on the test rows it keeps less.

    Returns
    -------
    excess, lower, upper : ndarray, shape (...)
        Mean excess and the ends of its 90% interval.
    """
    n_splits = len(floors)
    by_split = np.stack([mean_of(comparisons[split == s]) for s in range(n_splits)]) - floors
    excess = mean_of(by_split)
    variance = variance_of(by_split) / n_splits
    if is_loss:
        apart = comparisons - floors[split]
        variance = variance + sizes.loss_share * variance_of(apart, table)
    else:
        one = variance_of(floors) / (1 - sizes.fixed_share)
        shown = one * (1 - (sizes.pool_variance / sizes.split_variance) ** 2)
        beyond = np.maximum(variance_of(comparisons, table) - shown, 0.0)
        variance = variance + sizes.distance_share * one + sizes.cross_share * beyond
    quantile, spread = float(student.ppf((1 + LEVEL) / 2, max(n_splits - 1, 1))), np.sqrt(variance)
    skewed = (quantile**2 - 1) / 6 * np.clip(skewness_of(floors), 0.0, MOST_SKEWED)
    return excess, excess - (quantile + skewed) * spread, excess + quantile * spread


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

"""Formulas of classical local scores on arrays: BDeu and BIC of categories, BGe and BIC of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

CELLS_AT_A_TIME = 4_000_000
ParentSets = Sequence[Sequence[int]]
"""Columns of the parents of each family."""


def bdeu(codes: np.ndarray, n_levels: np.ndarray, child: int, parent_sets: ParentSets, ess: float = 10.0) -> np.ndarray:
    r"""Log marginal likelihoods under Dirichlet priors of one equivalent sample size.

    With r levels of the child, q configurations of the parents and counts :math:`n_{jk}`,

    .. math:: \sum_j \Big[\log\frac{\Gamma(a/q)}{\Gamma(n_j + a/q)}
              + \sum_k \log\frac{\Gamma(n_{jk} + a/(rq))}{\Gamma(a/(rq))}\Big].

    q counts all configurations, also those without a row, which by themselves add nothing: the convention of pgmpy.

    Parameters
    ----------
    codes : ndarray of int, shape (n, p)
        Level of every cell.
    n_levels : ndarray of int, shape (p,)
        Levels of every column.
    child : int
        Column of the child.
    parent_sets : sequence of sequence of int, b of them
        Columns of the parents.
    ess : float
        Equivalent sample size a.

    Returns
    -------
    ndarray, shape (b,)

    References
    ----------
    Heckerman and others (1995), doi:10.1007/BF00994016.
    """
    found = np.empty(len(parent_sets))
    for which, q, joint, margin in _contingency(codes, n_levels, child, parent_sets):
        found[which] = joint.log_rising(ess / (q * n_levels[child])) - margin.log_rising(ess / q)
    return found


def bic_discrete(codes: np.ndarray, n_levels: np.ndarray, child: int, parent_sets: ParentSets) -> np.ndarray:
    """Maximised multinomial log likelihoods less half of log n for each of q (r - 1) parameters.

    As in pgmpy, all q configurations of the parents are counted, also those without a row. Parameters are those of
    `bdeu`.

    Returns
    -------
    ndarray, shape (b,)

    References
    ----------
    Schwarz (1978), doi:10.1214/aos/1176344136.
    """
    found = np.empty(len(parent_sets))
    for which, q, joint, margin in _contingency(codes, n_levels, child, parent_sets):
        found[which] = joint.sum_of_logs() - margin.sum_of_logs() - 0.5 * np.log(len(codes)) * q * (n_levels[child] - 1)
    return found


def bic_gaussian(values: np.ndarray, child: int, parent_sets: ParentSets) -> np.ndarray:
    r"""Maximised log likelihoods of linear regressions less half of log n for each parameter.

    With k the rank of the parents' columns and RSS the residual sum of squares,

    .. math:: -\frac n2\Big[\log\frac{2\pi\,\mathrm{RSS}}{n} + 1\Big] - \frac{k + 2}{2}\log n,

    the intercept and the variance being parameters too, as in pgmpy.

    Parameters
    ----------
    values : ndarray, shape (n, p)
        Numbers.
    child : int
        Column of the child.
    parent_sets : sequence of sequence of int, b of them
        Columns of the parents.

    Returns
    -------
    ndarray, shape (b,)
        Infinite where the child is an exact linear function of the parents.

    References
    ----------
    Schwarz (1978), doi:10.1214/aos/1176344136.
    """
    n = len(values)
    centred = values - values.mean(0)
    squares = (centred**2).sum(0)
    columns = np.linalg.qr(centred / np.sqrt(squares), mode="r")  # same inner products as the rows, fewer of them
    precision = max(values.shape) * np.finfo(float).eps
    y = columns[:, child]
    found = np.empty(len(parent_sets))
    for which, parents in _by_size(parent_sets, columns.shape[0]):
        left, singular, _ = np.linalg.svd(columns.T[parents].transpose(0, 2, 1), full_matrices=False)
        kept = singular > precision * singular.max(1, initial=0.0, keepdims=True)
        residual = y - np.einsum("bmk,bk->bm", left, kept * np.einsum("bmk,m->bk", left, y))
        share = (residual**2).sum(1)
        exact = share <= precision**2
        rss = np.where(exact, 1.0, share) * squares[child]
        fit = np.where(exact, np.inf, -0.5 * n * (np.log(2 * np.pi * rss / n) + 1))
        found[which] = fit - 0.5 * (kept.sum(1) + 2) * np.log(n)
    return found


def bge(
    values: np.ndarray, child: int, parent_sets: ParentSets, alpha_mu: float = 1.0, alpha_w: float | None = None
) -> np.ndarray:
    r"""Log marginal likelihoods under a normal-Wishart prior: equal for equivalent Gaussian networks.

    All p columns have precision matrix :math:`W \sim \mathrm{Wishart}(T^{-1}, \alpha_w)`, :math:`T = tI` with
    :math:`t = \alpha_\mu (\alpha_w - p - 1) / (\alpha_\mu + 1)`, and mean :math:`\mu \sim N(0, (\alpha_\mu W)^{-1})`.
    With :math:`R = T + S + n\alpha_\mu/(n + \alpha_\mu)\, \bar x \bar x'`, S the scatter around the means,
    :math:`a = \alpha_w - p` and P the k parents, the evidence of child i is

    .. math:: \Big(\frac{\alpha_\mu}{n + \alpha_\mu}\Big)^{1/2} \pi^{-n/2}\,
              \frac{\Gamma(\frac{n + a + k + 1}{2})}{\Gamma(\frac{a + k + 1}{2})}\, t^{(a + 2k + 1)/2}\,
              \frac{|R_{PP}|^{(n + a + k)/2}}{|R_{Pi,Pi}|^{(n + a + k + 1)/2}}.

    The prior knows no units, so columns should be standardised.

    Parameters
    ----------
    values : ndarray, shape (n, p)
        Numbers of all columns of the network.
    child : int
        Column of the child.
    parent_sets : sequence of sequence of int, b of them
        Columns of the parents.
    alpha_mu : float
        Rows' worth of prior knowledge about the means.
    alpha_w : float, optional
        Degrees of freedom, above p + 1; p + 2 by default.

    Returns
    -------
    ndarray, shape (b,)

    References
    ----------
    Geiger and Heckerman (2002), doi:10.1214/aos/1035844981, as corrected by Kuipers and others (2014),
    doi:10.1214/14-AOS1217.
    """
    n, p = values.shape
    alpha_w = p + 2 if alpha_w is None else alpha_w
    t, a = alpha_mu * (alpha_w - p - 1) / (alpha_mu + 1), alpha_w - p
    mean, centred = values.mean(0), values - values.mean(0)
    scatter = t * np.eye(p) + centred.T @ centred + n * alpha_mu / (n + alpha_mu) * np.outer(mean, mean)
    found = np.empty(len(parent_sets))
    for which, parents in _by_size(parent_sets, p):
        k = parents.shape[1]
        family = np.column_stack([parents, np.full(len(parents), child)])
        factor = np.linalg.cholesky(scatter[family[:, :, None], family[:, None, :]])
        log_diagonal = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2))
        found[which] = (
            0.5 * np.log(alpha_mu / (n + alpha_mu))
            - 0.5 * n * np.log(np.pi)
            + gammaln(0.5 * (n + a + k + 1))
            - gammaln(0.5 * (a + k + 1))
            + 0.5 * (a + 2 * k + 1) * np.log(t)
            - 0.5 * log_diagonal[:, :k].sum(1)
            - 0.5 * (n + a + k + 1) * log_diagonal[:, k]
        )
    return found


def _by_size(parent_sets: ParentSets, n_cells: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions and columns, shape (b, k), of parent sets of equal size k, few enough at a time to bound memory."""
    sizes = np.array([len(parents) for parents in parent_sets], int)
    for k in np.unique(sizes):
        alike = np.flatnonzero(sizes == k)
        for which in np.array_split(alike, 1 + len(alike) * (k + 1) * n_cells // CELLS_AT_A_TIME):
            yield which, np.array([tuple(parent_sets[i]) for i in which], int).reshape(len(which), k)


@dataclass(frozen=True)
class _Counts:
    """Counts above zero of a batch of contingency tables.

    Parameters
    ----------
    counts : ndarray of int
        Rows in each cell that has any.
    table : ndarray of int
        Table that the cell belongs to.
    n_tables : int
        Tables.
    """

    counts: np.ndarray
    table: np.ndarray
    n_tables: int

    @classmethod
    def of(cls, cells: np.ndarray) -> _Counts:
        """Count equal numbers within each row of an array, shape (b, n)."""
        cells = np.sort(cells, axis=1)
        starts = np.flatnonzero(np.diff(cells, axis=1, prepend=cells[:, :1] - 1))
        return cls(np.diff(starts, append=cells.size), starts // cells.shape[1], len(cells))

    def log_rising(self, start: np.ndarray) -> np.ndarray:
        """Sum of log Gamma(count + start) - log Gamma(start) in each table, start having shape (b,)."""
        some = start[self.table]
        return np.bincount(self.table, gammaln(self.counts + some) - gammaln(some), self.n_tables)

    def sum_of_logs(self) -> np.ndarray:
        """Sum of count times log count in each table."""
        return np.bincount(self.table, xlogy(self.counts, self.counts), self.n_tables)


def _contingency(
    codes: np.ndarray, n_levels: np.ndarray, child: int, parent_sets: ParentSets
) -> Iterator[tuple[np.ndarray, np.ndarray, _Counts, _Counts]]:
    """Positions of parent sets, their numbers of configurations, the counts with the child, and those without."""
    for which, parents in _by_size(parent_sets, len(codes)):
        configuration = np.zeros((len(parents), len(codes)), np.int64)
        for columns in parents.T:
            configuration = configuration * n_levels[columns, None] + codes.T[columns]
        joint = configuration * n_levels[child] + codes[:, child]
        yield which, n_levels[parents].prod(1, dtype=float), _Counts.of(joint), _Counts.of(configuration)

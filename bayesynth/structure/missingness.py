"""What the blanks of a block depend on: the exact local posterior of its parents, as if it informed nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import gammaln, logsumexp, ndtri

from bayesynth.structure.local import LocalScore
from bayesynth.structure.space import SearchSpace

MOST_TOGETHER = 2  # parents considered at a time
PAIRED = 12  # best single parents that are considered in pairs
LEVEL, POWER = 0.9, 0.8


@dataclass(frozen=True)
class BlockEvidence:
    """What the table says about the cause of a block's blanks.

    Parameters
    ----------
    block : str
        The missingness block.
    p_random : float
        Probability that the block depends on no other node, from a prior of one half.
    log_bayes_factor : float
        Log evidence for dependence over independence.
    parents : mapping of str to float
        Probability of each node to be among those that the block depends on.
    p_complete, p_incomplete : float
        Probability that it depends on completely recorded columns only; that a partly blank column, or another block,
        is among those that it depends on. With `p_random` they sum to 1.
    detectable : float
        Odds ratio per standard deviation of a complete column that would be noticed (dependence at 0.9) in four of five
        tables of this size.
    """

    block: str
    p_random: float
    log_bayes_factor: float
    parents: Mapping[str, float]
    p_complete: float
    p_incomplete: float
    detectable: float


def block_evidence(
    local: LocalScore, space: SearchSpace, block: str, incomplete: frozenset[str], rate: float, n_rows: int, tau: float
) -> BlockEvidence:
    """Weigh every small set of parents of a block.

    The prior puts one half on no parent and the rest evenly on one and on two, shared among the sets of each size.
    Edges that the user forbids or requires are left as they are in the graph: forbidden parents are not considered.

    Parameters
    ----------
    local : LocalScore
        Evidence of parent sets.
    space : SearchSpace
        Legal parents.
    block : str
        The block.
    incomplete : frozenset of str
        Partly blank columns and all blocks.
    rate : float
        Share of rows in which the block is blank.
    n_rows : int
        Rows in which it could have been observed.
    tau : float
        Prior standard deviation of a slope.
    """
    allowed = [p for p in space.allowed[block] if local.varies(block, p)]
    sets: list[tuple[str, ...]] = [(), *((p,) for p in allowed)]
    singles = local.scores(block, sets)
    best = [allowed[i] for i in np.argsort(-singles[1:], kind="stable")[:PAIRED]]
    pairs = [tuple(sorted(pair)) for pair in combinations(best, MOST_TOGETHER)]
    evidence = np.concatenate([singles, local.scores(block, pairs)]) if pairs else singles
    sets += pairs
    sizes = np.array([len(s) for s in sets])
    most = min(MOST_TOGETHER, len(allowed))
    log_prior = np.where(sizes == 0, 0.0, -np.log(max(most, 1)) - _log_choose(len(allowed), sizes))
    weights = evidence + log_prior
    dependent = logsumexp(weights[1:]) if len(sets) > 1 else -np.inf
    share = np.exp(weights - logsumexp(weights))
    some = np.array([any(p in incomplete for p in s) for s in sets])
    return BlockEvidence(
        block,
        float(share[0]),
        float(dependent - weights[0]),
        {p: float(share[[p in s for s in sets]].sum()) for p in allowed},
        float(share[1:][~some[1:]].sum()),
        float(share[some].sum()),
        detectable_odds_ratio(rate, n_rows, len(allowed), tau),
    )


def detectable_odds_ratio(rate: float, n_rows: int, n_parents: int, tau: float) -> float:
    r"""Odds ratio per standard deviation that a table of this size would show in four of five cases.

    A slope :math:`b` has a score statistic :math:`z` of mean :math:`b \sqrt{n r (1 - r)}` and variance 1. Its log Bayes
    factor is about :math:`\frac{z^2}{2} \frac{n\tau^2}{1 + n\tau^2} - \frac12 \log(1 + n\tau^2)`, the prior divides its
    mass among the possible parents, and odds of 9 are asked for.
    """
    if n_parents == 0 or not 0 < rate < 1:
        return np.nan
    information = n_rows * tau**2
    needed = np.log(LEVEL / (1 - LEVEL)) + np.log(MOST_TOGETHER * n_parents) + 0.5 * np.log1p(information)
    z = np.sqrt(2 * needed * (1 + information) / information)
    return float(np.exp((z + ndtri(POWER)) / np.sqrt(n_rows * rate * (1 - rate))))


def _log_choose(n: int, k: np.ndarray) -> np.ndarray:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(np.maximum(n - k, 0) + 1)

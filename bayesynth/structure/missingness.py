"""What the blanks of a block depend on: the exact local posterior of its parents, as if it informed nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import brentq
from scipy.special import entr, expit, logsumexp, ndtri

from bayesynth.encoding.design import FEWEST_ON_A_SIDE
from bayesynth.encoding.table import EncodedTable
from bayesynth.structure.local import LocalScore
from bayesynth.structure.space import SearchSpace

MOST_TOGETHER = 2  # parents considered at a time
PAIRS_SCORED = (
    100  # most promising pairs whose evidence is worked out; the others' is added up from the single parents'
)
LEVEL, POWER = 0.9, 0.8
LARGEST_SLOPE = np.log(100.0)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)


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
    p_blocks, p_complete, p_incomplete : float
        Probability that it depends on other blocks only; on completely recorded columns, perhaps with other blocks; on
        the values of a partly blank column among others. With `p_random` they sum to 1.
    detectable : float
        Odds ratio per standard deviation of a complete column that would be noticed (dependence at 0.9) in four of five
        tables of this size; infinite where not even 100 would.
    """

    block: str
    p_random: float
    log_bayes_factor: float
    parents: Mapping[str, float]
    p_blocks: float
    p_complete: float
    p_incomplete: float
    detectable: float


def block_evidence(local: LocalScore, space: SearchSpace, table: EncodedTable, block: str, tau: float) -> BlockEvidence:
    """Weigh every set of up to two parents of a block.

    The prior puts one half on no parent and the rest evenly on one and on two, shared among the sets of each size.
    Parents that the user forbids are not considered. A column counts as complete if fewer than five of the rows in
    which the block could have been observed lack it.

    Parameters
    ----------
    local : LocalScore
        Evidence of parent sets.
    space : SearchSpace
        Legal parents.
    table : EncodedTable
        The data.
    block : str
        The block.
    tau : float
        Prior standard deviation of a slope.
    """
    allowed = [p for p in space.allowed[block] if local.varies(block, p)]
    sets, evidence = _weigh(local, block, allowed)
    weights = evidence + _log_prior(np.array([len(s) for s in sets]))
    share = np.exp(weights - logsumexp(weights))
    dependent = logsumexp(weights[1:]) if allowed else -np.inf
    rows, nodes = table.defined[block], table.encoding.nodes
    blocks = {p for p in allowed if nodes[p].is_indicator}
    blank = {p for p in allowed if p not in blocks and (~table.defined[p][rows]).sum() >= FEWEST_ON_A_SIDE}
    of_blocks = np.array([0 < len(s) == len(blocks.intersection(s)) for s in sets])
    of_blank = np.array([not blank.isdisjoint(s) for s in sets])
    rate = 1.0 - float(table.values[block][rows].mean())
    return BlockEvidence(
        block,
        float(share[0]),
        float(dependent - weights[0]),
        {p: float(share[[p in s for s in sets]].sum()) for p in allowed},
        float(share[of_blocks].sum()),
        float(share[1:][~(of_blocks | of_blank)[1:]].sum()),
        float(share[of_blank].sum()),
        detectable_odds_ratio(rate, int(rows.sum()), len(allowed), tau),
    )


def _weigh(local: LocalScore, block: str, allowed: list[str]) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """All sets of up to two parents with their log evidence."""
    sets: list[tuple[str, ...]] = [(), *((p,) for p in allowed)]
    singles = local.scores(block, sets)
    gains = dict(zip(allowed, singles[1:] - singles[0], strict=True))
    pairs = sorted(combinations(allowed, MOST_TOGETHER), key=lambda pair: -gains[pair[0]] - gains[pair[1]])
    scored = local.scores(block, pairs[:PAIRS_SCORED]) if pairs else np.empty(0)
    rest = [singles[0] + gains[a] + gains[b] for a, b in pairs[PAIRS_SCORED:]]
    return sets + pairs, np.concatenate([singles, scored, rest])


def _log_prior(sizes: np.ndarray) -> np.ndarray:
    """Log prior of sets of these sizes, up to a constant: as much on none as on all others together."""
    numbers = np.bincount(sizes)  # of sets, by their size
    return np.where(sizes == 0, 0.0, -np.log(numbers[sizes]) - np.log(max(len(numbers) - 1, 1)))


def detectable_odds_ratio(rate: float, n_rows: int, n_parents: int, tau: float) -> float:
    r"""Odds ratio per standard deviation that a table of this size would show in four of five cases.

    The log Bayes factor of a single slope is about
    :math:`\frac{z^2}{2} \frac{n\tau^2}{1 + n\tau^2} - \frac12 \log(1 + n\tau^2)`, where :math:`z` is the signed root of
    the likelihood ratio, about normal with variance 1; the prior divides its mass among the possible parents, and odds
    of 9 are asked for. With a normal column :math:`x` of slope :math:`b`, :math:`z` has mean
    :math:`\sqrt{2 n I}`, :math:`I` being the mutual information of :math:`x` and the blank.
    """
    if n_parents == 0 or not 0 < rate < 1:
        return np.nan
    information = n_rows * tau**2
    sizes = min(MOST_TOGETHER, n_parents)
    needed = np.log(LEVEL / (1 - LEVEL)) + np.log(sizes * n_parents) + 0.5 * np.log1p(information)
    z = np.sqrt(2 * needed * (1 + information) / information) + ndtri(POWER)

    def short_of(slope: float) -> float:
        return 2 * n_rows * _mutual_information(slope, rate) - z**2

    return float(np.exp(brentq(short_of, 0.0, LARGEST_SLOPE))) if short_of(LARGEST_SLOPE) > 0 else np.inf


def _mutual_information(slope: float, rate: float) -> float:
    """Of a standard normal column and a blank of this rate whose log odds rise by the slope, in nats."""
    share = WEIGHTS / WEIGHTS.sum()
    far = np.abs(slope * NODES).max() + np.log(1 / min(rate, 1 - rate)) + 1
    intercept = brentq(lambda a: share @ expit(a + slope * NODES) - rate, -far, far)
    p = expit(intercept + slope * NODES)
    return float(entr(rate) + entr(1 - rate) - share @ (entr(p) + entr(1 - p)))

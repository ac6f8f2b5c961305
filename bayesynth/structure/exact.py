"""Exact answers for few nodes: all graphs, edge probabilities under any modular prior, and the best graph."""

from __future__ import annotations

import numpy as np

from bayesynth.errors import InputError, Problem
from bayesynth.structure.tables import ScoreTables

MOST_TO_ENUMERATE = 5
MOST_TO_AVERAGE = 15
MOST_TO_OPTIMISE = 20


def enumerate_graphs(tables: ScoreTables) -> tuple[np.ndarray, np.ndarray]:
    """All DAGs of positive probability.

    Parameters
    ----------
    tables : ScoreTables
        Scores of at most 5 nodes.

    Returns
    -------
    masks : ndarray of int, shape (G, p)
        Parent sets of each graph.
    log_scores : ndarray, shape (G,)
        Their log scores; exp of them, normalised, is the posterior.

    Raises
    ------
    InputError
        If there are more than 5 nodes, or no graph is allowed.
    """
    _check_size(tables, MOST_TO_ENUMERATE, "29,281 graphs exist on 5 nodes and 3,781,503 on 6")
    allowed = [np.flatnonzero(scores > -np.inf) for scores in tables.scores]
    chosen = np.meshgrid(*allowed, indexing="ij")
    masks = np.stack([c.ravel() for c in chosen], axis=1)
    parents = np.stack([_global_masks(c)[masks[:, j]] for j, c in enumerate(tables.candidates)], axis=1)
    left = np.full(len(masks), 2**tables.n_nodes - 1)
    for _ in tables.nodes:  # roots go first, then what has become a root; what is left at the end are circles
        roots = (parents & left[:, None]) == 0
        left &= ~(roots << np.arange(tables.n_nodes)).sum(1)
    masks = masks[left == 0]
    if not len(masks):
        raise _no_graph()
    return masks, sum(scores[masks[:, j]] for j, scores in enumerate(tables.scores))


def exact_log_normaliser(tables: ScoreTables) -> float:
    r"""Log of the sum over all DAGs of exp of their log scores.

    Every DAG belongs to exactly one ordered partition of its nodes into layers, by the longest path from a root to each
    node. With :math:`\alpha_j(U, T)` the sum of exp scores over the parent sets of j that lie in U
    and hit T, the weight of all that can follow once the nodes U are placed, T the last layer among them, is

    .. math:: g(U, T) = \sum_{\emptyset \ne T' \subseteq V \setminus U} g(U \cup T', T') \prod_{j \in T'} \alpha_j(U, T)

    All terms are positive and stay logarithms, so nothing cancels or underflows. Time grows as 4^p, memory as 3^p.

    Parameters
    ----------
    tables : ScoreTables
        Scores of at most 15 nodes.

    Raises
    ------
    InputError
        If there are more than 15 nodes, or no graph is allowed.

    References
    ----------
    The layers are those of Kuipers and Moffa (2017), doi:10.1080/01621459.2015.1133426.
    """
    *_, to_come = _weights(tables)
    return float(to_come[0])


def exact_edge_probabilities(tables: ScoreTables) -> np.ndarray:
    """Posterior probability of every edge, whatever the modular prior.

    The sum over DAGs of `exact_log_normaliser` is taken apart again: its mass flows forward over the layers, from there
    to the parent sets that lie in U and hit T, and so to edges. Every step divides a mass in proportion, so small
    probabilities are as accurate as large ones.

    Parameters
    ----------
    tables : ScoreTables
        Scores of at most 15 nodes.

    Returns
    -------
    ndarray, shape (p, p)
        [i, j] is P(i -> j).

    Raises
    ------
    InputError
        If there are more than 15 nodes, or no graph is allowed.

    References
    ----------
    The layers are those of Kuipers and Moffa (2017), doi:10.1080/01621459.2015.1133426.
    """
    from bayesynth.structure import _exact_kernels as kernels

    scores, sums, starts, to_come = _weights(tables)
    masses = kernels.masses_with_an_element(scores, sums, starts, to_come)
    return kernels.edge_probabilities(scores, sums, masses)


def best_graph(tables: ScoreTables) -> tuple[np.ndarray, float]:
    """Find a DAG of the highest score.

    The best graph on a set of nodes has a sink, whose parents are the best ones among the others; so the best graphs of
    all subsets of nodes follow from smaller ones. Time and memory grow as 2^p.

    Parameters
    ----------
    tables : ScoreTables
        Scores of at most 20 nodes.

    Returns
    -------
    masks : ndarray of int, shape (p,)
        Parent set of each node.
    log_score : float
        Its log score.

    Raises
    ------
    InputError
        If there are more than 20 nodes, or no graph is allowed.

    References
    ----------
    Silander and Myllymaki (2006), "A simple approach for finding the globally optimal Bayesian network structure".
    """
    from bayesynth.structure import _exact_kernels as kernels

    _check_size(tables, MOST_TO_OPTIMISE, "time and memory double with every node")
    places = np.full((tables.n_nodes, tables.n_nodes), -1)
    for j, candidates in enumerate(tables.candidates):
        places[j, candidates] = np.arange(len(candidates))
    starts = np.cumsum([0, *map(len, tables.scores)])
    masks, log_score = kernels.best_masks(np.concatenate(tables.scores), starts, places)
    if log_score == -np.inf:
        raise _no_graph()
    return masks, log_score


def _weights(tables: ScoreTables) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Dense scores, their sums, where states begin, and the log weight of what can follow each state."""
    from bayesynth.structure import _exact_kernels as kernels

    _check_size(tables, MOST_TO_AVERAGE, "time grows fourfold with every node")
    scores = np.full((tables.n_nodes, 2**tables.n_nodes), -np.inf)
    for j, candidates in enumerate(tables.candidates):
        scores[j, _global_masks(candidates)] = tables.scores[j]
    sums, starts = kernels.sums_with_an_element(scores), kernels.starts_of_states(tables.n_nodes)
    to_come = kernels.log_weights_to_come(scores, sums, starts)
    if to_come[0] == -np.inf:
        raise _no_graph()
    return scores, sums, starts, to_come


def _global_masks(candidates: np.ndarray) -> np.ndarray:
    """Masks over all nodes of every mask over a node's candidates."""
    masks = np.zeros(1, np.int64)
    for candidate in candidates:
        masks = np.r_[masks, masks | 1 << int(candidate)]
    return masks


def _check_size(tables: ScoreTables, most: int, why: str) -> None:
    if tables.n_nodes > most:
        remedy = "use the sampler or the hill climber, which take any number of nodes"
        raise InputError(Problem(f"{tables.n_nodes} nodes, {most} are the most here", why, remedy))


def _no_graph() -> InputError:
    return InputError(
        Problem(
            "no acyclic graph is allowed",
            "some nodes have no allowed parents that do not lead back to them",
            "allow more parent sets, or require fewer edges",
        )
    )

"""What many graphs say together: paths, blankets, separation and an averaged graph. Adjacency arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bayesynth.graphs.dag import DAG


def as_dag(nodes: Sequence[str], adjacency: np.ndarray) -> DAG:
    """Name the nodes of an adjacency matrix, shape (p, p), [i, j] for i -> j."""
    return DAG(tuple(nodes), frozenset((nodes[i], nodes[j]) for i, j in np.argwhere(adjacency)))


def adjacency_of(dag: DAG, nodes: Sequence[str]) -> np.ndarray:
    """Adjacency matrix of a graph, in the order of `nodes`; edges that end elsewhere are left out."""
    place = {name: i for i, name in enumerate(nodes)}
    found = np.zeros((len(nodes), len(nodes)), bool)
    for a, b in dag.edges:
        if a in place and b in place:
            found[place[a], place[b]] = True
    return found


def ancestors(adjacency: np.ndarray) -> np.ndarray:
    """Tell which nodes have a directed path to which, shape (..., p, p); no node is its own ancestor."""
    reach = adjacency.astype(np.float32)
    length = 1
    while length < adjacency.shape[-1]:
        reach = ((reach + reach @ reach) > 0).astype(np.float32)
        length *= 2
    return reach > 0


def separated(adjacency: np.ndarray, first: int, second: int, given: Iterable[int]) -> np.ndarray:
    """Tell in which graphs two nodes are d-separated by others, shape (draws,).

    In the moral graph of the ancestors of all nodes concerned, with the given ones taken out, no path joins the two.

    Notes
    -----
    Lauritzen, Dawid, Larsen and Leimer (1990), doi:10.1002/net.3230200503.
    """
    given = list(given)
    concerned = np.zeros(adjacency.shape[-1], bool)
    concerned[[first, second, *given]] = True
    kept = concerned | ancestors(adjacency)[..., concerned].any(axis=-1)
    inside = (adjacency & kept[:, :, None] & kept[:, None, :]).astype(np.float32)
    married = inside @ np.swapaxes(inside, -1, -2) > 0
    moral = (inside > 0) | (np.swapaxes(inside, -1, -2) > 0) | married
    moral[:, given, :] = False
    moral[:, :, given] = False
    seen = np.zeros(moral.shape[:2], bool)
    seen[:, first] = True
    for _ in range(moral.shape[-1]):
        seen |= (moral & seen[:, :, None]).any(axis=1)
    return ~seen[:, second]


def averaged(probability: np.ndarray, threshold: float, always: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Put the pairs that are adjacent with at least some probability together as one acyclic graph.

    Pairs enter by falling probability, each in its more probable direction, or the other way where that would close a
    circle and the other way has any probability.

    Parameters
    ----------
    probability : ndarray, shape (p, p)
        Of each edge.
    threshold : float
        Least probability of being adjacent.
    always : ndarray of bool, shape (p, p)
        Edges that every graph has.

    Returns
    -------
    adjacency : ndarray of bool, shape (p, p)
    dropped : list of (int, int)
        Edges that fit in neither way.
    """
    found, dropped = always.copy(), []
    adjacent = np.triu(probability + probability.T, 1)
    pairs = [(i, j) for i, j in np.argwhere(adjacent >= threshold) if not (found[i, j] or found[j, i])]
    for i, j in sorted(pairs, key=lambda pair: (-adjacent[pair], pair)):
        a, b = (i, j) if probability[i, j] >= probability[j, i] else (j, i)
        reach = ancestors(found)
        if not reach[b, a]:
            found[a, b] = True
        elif probability[b, a] > 0 and not reach[a, b]:
            found[b, a] = True
        else:
            dropped.append((int(a), int(b)))
    return found, dropped

"""Layered drawings of acyclic graphs: parents on the left of their children, few crossings, no overlaps.

The method of Sugiyama, Tagawa and Toda (1981): layers by longest path, dummy nodes along long edges, order within
layers by barycentres, and places by least squares under the separations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import isotonic_regression

from bayesynth.graphs.dag import DAG, Edge

SWEEPS = 24
DUMMY_HEIGHT = 0.25  # of the gap between nodes: edges may run closer together than boxes
_Key = str | tuple[str, str, int]  # a node, or the dummy of an edge in a layer


@dataclass(frozen=True)
class Layout:
    """Where everything is drawn, x to the right and y upwards.

    Parameters
    ----------
    centres : mapping of str to (float, float)
        Centre of each node.
    routes : mapping of (str, str) to ndarray, shape (points, 2)
        From the right side of the parent to the left side of the child, past the boxes of the layers between.
    width, height : float
        Of the whole drawing, which begins at (0, 0).
    """

    centres: Mapping[str, tuple[float, float]]
    routes: Mapping[Edge, np.ndarray]
    width: float
    height: float


def layered_layout(dag: DAG, sizes: Mapping[str, tuple[float, float]], gaps: tuple[float, float]) -> Layout:
    """Place the nodes of a graph in layers from left to right.

    Parameters
    ----------
    dag : DAG
        The graph.
    sizes : mapping of str to (float, float)
        Width and height of each node's box.
    gaps : (float, float)
        Least space between layers, and between boxes of a layer.

    Returns
    -------
    Layout
        No two boxes overlap.

    Examples
    --------
    >>> dag = DAG(("a", "b"), frozenset({("a", "b")}))
    >>> layered_layout(dag, {"a": (10, 4), "b": (10, 4)}, (20, 4)).centres
    {'a': (5.0, 2.0), 'b': (35.0, 2.0)}
    """
    rank = _ranks(dag)
    layers, links = _with_dummies(dag, rank)
    _order(layers, links)
    heights = {
        key: sizes[key][1] if isinstance(key, str) else DUMMY_HEIGHT * gaps[1] for layer in layers for key in layer
    }
    y = _heights(layers, links, heights, gaps[1])
    widths = [max((sizes[key][0] for key in layer if isinstance(key, str)), default=0.0) for layer in layers]
    lefts = np.concatenate([[0.0], np.cumsum(np.array(widths) + gaps[0])[:-1]])
    middles = lefts + np.array(widths) / 2
    lowest = min(y[key] - heights[key] / 2 for key in y)
    y = {key: value - lowest for key, value in y.items()}
    centres = {node: (float(middles[rank[node]]), float(y[node])) for node in dag.nodes}
    spans = list(zip(lefts, lefts + np.array(widths), strict=True))
    routes = _routes(dag, rank, sizes, centres, y, spans)
    height = max(y[key] + heights[key] / 2 for key in y)
    return Layout(centres, routes, float(lefts[-1] + widths[-1]), float(height))


def _ranks(dag: DAG) -> dict[str, int]:
    """Layer of each node: longest path from a source, then as near to its children as they allow."""
    parents = {node: [a for a, b in dag.edges if b == node] for node in dag.nodes}
    children = {node: [b for a, b in dag.edges if a == node] for node in dag.nodes}
    rank: dict[str, int] = {}
    for node in dag.order:
        rank[node] = max((rank[p] + 1 for p in parents[node]), default=0)
    for node in reversed(dag.order):
        if len(children[node]) >= max(1, len(parents[node])):
            rank[node] = min(rank[c] for c in children[node]) - 1
    sizes = np.bincount([rank[n] for n in dag.nodes if parents[n] or children[n]], minlength=1)
    for node in (n for n in dag.nodes if not parents[n] and not children[n]):
        rank[node] = int(np.argmin(sizes)) if len(dag.edges) else len(sizes) - 1
        if not dag.edges and sizes[-1] >= np.sqrt(len(dag.nodes)):
            sizes = np.append(sizes, 0)
            rank[node] = len(sizes) - 1
        sizes[rank[node]] += 1
    first = min(rank.values())
    return {node: value - first for node, value in rank.items()}


def _with_dummies(dag: DAG, rank: Mapping[str, int]) -> tuple[list[list[_Key]], list[tuple[_Key, _Key]]]:
    layers: list[list[_Key]] = [[] for _ in range(max(rank.values()) + 1)]
    linked = {end for edge in dag.edges for end in edge}
    for node in sorted(dag.nodes, key=lambda n: n not in linked):  # those without edges go to the end of their layer
        layers[rank[node]].append(node)
    links: list[tuple[_Key, _Key]] = []
    for a, b in sorted(dag.edges):
        chain: list[_Key] = [a, *((a, b, i) for i in range(rank[a] + 1, rank[b])), b]
        for i, key in enumerate(chain[1:-1], rank[a] + 1):
            layers[i].append(key)
        links.extend(pairwise(chain))
    return layers, links


def _neighbours(links: Sequence[tuple[_Key, _Key]]) -> tuple[dict[_Key, list[_Key]], dict[_Key, list[_Key]]]:
    before: dict[_Key, list[_Key]] = {}
    after: dict[_Key, list[_Key]] = {}
    for a, b in links:
        before.setdefault(b, []).append(a)
        after.setdefault(a, []).append(b)
    return before, after


def _order(layers: list[list[_Key]], links: Sequence[tuple[_Key, _Key]]) -> None:
    """Sweep to and fro, sorting each layer by the mean place of its neighbours; keep the order that crosses least."""
    before, after = _neighbours(links)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, after)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        near = before if forward else after
        for i in range(1, len(layers)) if forward else range(len(layers) - 2, -1, -1):
            beside = layers[i - 1] if forward else layers[i + 1]
            place = {key: at / max(len(beside) - 1, 1) for at, key in enumerate(beside)}
            own = {key: at / max(len(layers[i]) - 1, 1) for at, key in enumerate(layers[i])}
            mean = {k: np.mean([place[n] for n in near[k]]) if near.get(k) else own[k] for k in layers[i]}
            layers[i].sort(key=lambda k, mean=mean: mean[k])
        _swap(layers, before, after)
        crossings = _crossings(layers, after)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, order in zip(layers, best, strict=True):
        layer[:] = order


def _swap(layers: list[list[_Key]], before: Mapping[_Key, list[_Key]], after: Mapping[_Key, list[_Key]]) -> None:
    """Exchange neighbours in a layer wherever that removes crossings."""
    place = {key: at for layer in layers for at, key in enumerate(layer)}
    for layer in layers:
        for i in range(len(layer) - 1):
            a, b = layer[i], layer[i + 1]
            gain = 0
            for near in (before, after):
                left, right = [place[k] for k in near.get(a, ())], [place[k] for k in near.get(b, ())]
                gain += sum(x > y for x in left for y in right) - sum(x < y for x in left for y in right)
            if gain > 0:
                layer[i], layer[i + 1] = b, a
                place[a], place[b] = i + 1, i


def _crossings(layers: Sequence[Sequence[_Key]], after: Mapping[_Key, list[_Key]]) -> int:
    total = 0
    for layer, beyond in pairwise(layers):
        place = {key: at for at, key in enumerate(beyond)}
        ends = np.array([(i, place[k]) for i, key in enumerate(layer) for k in after.get(key, ())]).reshape(-1, 2)
        first, second = ends[:, 0], ends[:, 1]
        total += int(((first[:, None] < first) & (second[:, None] > second)).sum())
    return total


def _heights(
    layers: Sequence[Sequence[_Key]], links: Sequence[tuple[_Key, _Key]], heights: Mapping[_Key, float], gap: float
) -> dict[_Key, float]:
    """Place each layer as near to its neighbours as the separations allow."""
    before, after = _neighbours(links)
    needs = [_separations(layer, heights, gap) for layer in layers]
    y = {
        key: at - need[-1] / 2
        for layer, need in zip(layers, needs, strict=True)
        for key, at in zip(layer, need, strict=True)
    }
    for sweep in range(2 * SWEEPS):
        order = range(len(layers)) if sweep % 2 == 0 else range(len(layers) - 1, -1, -1)
        for i in order:
            layer, need = layers[i], needs[i]
            wish = np.array([_wish(key, before, after, y) for key in layer])
            weight = np.array([1.0 if isinstance(key, str) else 4.0 for key in layer])
            found = isotonic_regression(wish - need, weights=weight).x + need
            y.update(zip(layer, found, strict=True))
    return y


def _wish(
    key: _Key, before: Mapping[_Key, list[_Key]], after: Mapping[_Key, list[_Key]], y: Mapping[_Key, float]
) -> float:
    near = [*before.get(key, ()), *after.get(key, ())]
    return float(np.mean([y[k] for k in near])) if near else y[key]


def _separations(layer: Sequence[_Key], heights: Mapping[_Key, float], gap: float) -> np.ndarray:
    """Least distance of each centre from the first one, shape (len(layer),)."""
    steps = [
        (heights[a] + heights[b]) / 2 + (gap if isinstance(a, str) or isinstance(b, str) else gap * DUMMY_HEIGHT)
        for a, b in pairwise(layer)
    ]
    return np.concatenate([[0.0], np.cumsum(steps)])


def _routes(
    dag: DAG,
    rank: Mapping[str, int],
    sizes: Mapping[str, tuple[float, float]],
    centres: Mapping[str, tuple[float, float]],
    y: Mapping[_Key, float],
    spans: Sequence[tuple[float, float]],
) -> dict[Edge, np.ndarray]:
    routes = {}
    for a, b in sorted(dag.edges):
        inner = [(x, y[a, b, i]) for i in range(rank[a] + 1, rank[b]) for x in spans[i]]
        start = (centres[a][0] + sizes[a][0] / 2, centres[a][1])
        end = (centres[b][0] - sizes[b][0] / 2, centres[b][1])
        routes[a, b] = np.array([start, *inner, end])
    _spread(routes, sizes, end=0)
    _spread(routes, sizes, end=-1)
    return routes


def _spread(routes: dict[Edge, np.ndarray], sizes: Mapping[str, tuple[float, float]], end: int) -> None:
    """Let the edges at one side of a box leave it at places of their own, in the order in which they go on."""
    by_node: dict[str, list[Edge]] = {}
    for edge in routes:
        by_node.setdefault(edge[end], []).append(edge)
    following = 1 if end == 0 else -2
    for node, edges in by_node.items():
        edges.sort(key=lambda edge: routes[edge][following, 1])
        room = 0.35 * sizes[node][1]
        for shift, edge in zip(np.linspace(-room, room, len(edges)) if len(edges) > 1 else [0.0], edges, strict=True):
            routes[edge][end, 1] += shift

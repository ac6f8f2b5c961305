"""Layered drawings: parents on the left, nothing overlaps, the same every time."""

from itertools import combinations

import numpy as np
import pytest

from bayesynth.graphs import DAG
from bayesynth.graphs.layout import layered_layout


def random_dag(n: int, n_edges: int, seed: int) -> tuple[DAG, dict[str, tuple[float, float]]]:
    rng = np.random.default_rng(seed)
    pairs = list(combinations(range(n), 2))
    chosen = rng.choice(len(pairs), min(n_edges, len(pairs)), replace=False)
    edges = frozenset((f"n{pairs[i][0]}", f"n{pairs[i][1]}") for i in chosen)
    nodes = tuple(f"n{i}" for i in rng.permutation(n))
    return DAG(nodes, edges), {node: (rng.uniform(10, 60), rng.uniform(8, 20)) for node in nodes}


@pytest.mark.parametrize(("n", "n_edges"), [(1, 0), (6, 0), (8, 12), (20, 30), (40, 70)])
@pytest.mark.parametrize("seed", [1, 2])
def test_boxes_do_not_overlap_and_parents_are_left_of_children(n, n_edges, seed):
    dag, sizes = random_dag(n, n_edges, seed)
    layout = layered_layout(dag, sizes, (20.0, 6.0))
    for a, b in combinations(dag.nodes, 2):
        dx, dy = np.abs(np.subtract(layout.centres[a], layout.centres[b]))
        apart_x = dx >= (sizes[a][0] + sizes[b][0]) / 2
        apart_y = dy >= (sizes[a][1] + sizes[b][1]) / 2 - 1e-6
        assert apart_x or apart_y, (a, b)
    for a, b in dag.edges:
        assert layout.centres[a][0] + sizes[a][0] / 2 < layout.centres[b][0] - sizes[b][0] / 2
    corners = np.array([layout.centres[n] for n in dag.nodes])
    assert (corners > 0).all()
    assert (corners < [layout.width, layout.height + 1e-9]).all()


def test_routes_join_the_sides_of_boxes_and_pass_no_box():
    dag, sizes = random_dag(25, 45, 3)
    layout = layered_layout(dag, sizes, (20.0, 6.0))
    assert set(layout.routes) == dag.edges
    for (a, b), route in layout.routes.items():
        assert route[0, 0] == pytest.approx(layout.centres[a][0] + sizes[a][0] / 2)
        assert route[-1, 0] == pytest.approx(layout.centres[b][0] - sizes[b][0] / 2)
        assert (np.diff(route[:, 0]) >= 0).all()
        for x, y in route[1:-1]:
            for node in set(dag.nodes) - {a, b}:
                (cx, cy), (w, h) = layout.centres[node], sizes[node]
                assert not (abs(x - cx) < w / 2 and abs(y - cy) < h / 2), (a, b, node)


def test_edges_that_need_not_cross_do_not():
    # Two chains listed so that the plain order crosses: a0-b1, a1-b0, c0-d1, ...
    edges = frozenset({("a0", "b1"), ("a1", "b0"), ("b0", "c1"), ("b1", "c0")})
    dag = DAG(("a0", "a1", "b0", "b1", "c0", "c1"), edges)
    layout = layered_layout(dag, dict.fromkeys(dag.nodes, (10.0, 4.0)), (20.0, 4.0))
    above = {node: layout.centres[node][1] for node in dag.nodes}
    assert (above["a0"] > above["a1"]) == (above["b1"] > above["b0"]) == (above["c0"] > above["c1"])


def test_the_layout_is_the_same_every_time():
    dag, sizes = random_dag(20, 30, 5)
    first, second = (layered_layout(dag, sizes, (20.0, 6.0)) for _ in range(2))
    assert first.centres == second.centres

"""Plots of the posterior over graphs: cells are its probabilities, lines its runs, titles its verdict."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayesynth.errors import InputError
from bayesynth.plots import plot_edge_matrix, plot_structure_trace, save_figure
from bayesynth.plots.edge_matrix import node_order
from bayesynth.plots.style import VERMILION


def labels(axis):
    return [t.get_text() for t in axis.get_ticklabels()]


def artist(artists, gid):
    (found,) = [a for a in artists if a.get_gid() == gid]
    return found


def pretend(structure, nodes, probability, blocks=(), structural=()):
    """A structure of one run whose draws have the given edge probabilities."""
    nodes, probability = tuple(nodes), np.asarray(probability, float)
    drawn = probability > (np.arange(20)[:, None, None] + 0.5) / 20
    return replace(structure, nodes=nodes, blocks=tuple(blocks), structural=frozenset(structural), drawn=drawn[None])


def test_cells_are_the_probabilities_of_the_edges(pbc_fit):
    structure = pbc_fit.structure
    ax = plot_edge_matrix(structure)
    names = node_order(structure)
    assert sorted(names) == sorted(structure.nodes)
    shown = artist(ax.collections, "probabilities").get_array().reshape(len(names), len(names))
    assert_allclose(shown, structure.edge_matrix().loc[names, names])
    plain = [name if name not in structure.blocks else f"{name[9:-1]} observed" for name in names]
    assert labels(ax.yaxis) == labels(ax.xaxis) == plain
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("parent", "child")
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # first row on top
    assert ax.get_title(loc="left") == structure.verdict()


def test_edges_that_hold_by_construction_are_hatched_where_they_are(pbc_fit):
    structure = pbc_fit.structure
    ax, names = plot_edge_matrix(pbc_fit), node_order(structure)
    hatched = {patch.get_xy() for patch in ax.patches if patch.get_hatch()}
    assert hatched == {(names.index(child), names.index(parent)) for parent, child in structure.structural}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["by construction"]


def test_numbers_stand_in_their_cells(penguins_fit):
    structure = penguins_fit.structure
    ax, names = plot_edge_matrix(structure), node_order(structure)
    p = structure.edge_matrix()
    for text in ax.texts:
        x, y = text.get_position()
        assert float(text.get_text()) == pytest.approx(p.at[names[int(y)], names[int(x)]], abs=0.0051)
    own = [(a, b) for a in names for b in names if p.at[a, b] >= 0.05 and (a, b) not in structure.structural]
    assert len(ax.texts) == len(own)


def test_adjacent_nodes_stand_together_parents_first_and_blocks_last(penguins_fit):
    p = np.zeros((7, 7))
    for parent, child in ((2, 0), (0, 4), (3, 1)):  # "ecae" and "db" are two groups; observed(..) comes last
        p[parent, child] = 1.0
    p[5, 1] = p[6, 0] = 1.0
    nodes = ("a", "b", "c", "d", "e", "observed(b)", "observed(a)")
    structural = {("observed(b)", "b"), ("observed(a)", "a")}
    structure = pretend(penguins_fit.structure, nodes, p, nodes[5:], structural)
    order = node_order(structure)
    place = {name: i for i, name in enumerate(order)}
    assert abs(place["b"] - place["d"]) == 1
    assert max(place[n] for n in "ace") - min(place[n] for n in "ace") == 2
    assert place["a"] == np.median([place[n] for n in "ace"])
    assert place["c"] < place["a"] < place["e"]
    assert set(order[5:]) == set(nodes[5:])
    assert (place["observed(a)"] < place["observed(b)"]) == (place["a"] < place["b"])


@pytest.mark.parametrize("n", [1, 2])
def test_so_few_nodes_that_nothing_is_to_cluster(penguins_fit, n):
    structure = pretend(penguins_fit.structure, "ab"[:n], np.triu(np.full((n, n), 0.5), 1))
    assert node_order(structure) == ["a", "b"][:n]
    plot_edge_matrix(structure).figure.canvas.draw()


def test_figures_hold_all_labels(pbc_fit):
    ax = plot_edge_matrix(pbc_fit)
    figure = ax.figure
    figure.canvas.draw()
    for text in (*ax.get_xticklabels(), *ax.get_yticklabels(), ax.title, ax._left_title):
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1


def test_lines_are_the_log_scores_of_the_runs(penguins_fit):
    structure = penguins_fit.structure
    left, _ = plot_structure_trace(structure)
    window = structure.log_scores.shape[1] // 25
    for run, scores in enumerate(structure.log_scores, 1):
        line, mean = (artist(left.lines, gid) for gid in (f"run {run}", f"mean of run {run}"))
        assert_array_equal(line.get_ydata(), scores)
        x, y = mean.get_data()
        assert_allclose(y[3], scores[3 : 3 + window].mean())
        assert_allclose(x[3], np.arange(4, 4 + window).mean())
        assert mean.get_color() == line.get_color()
    legend = [t.get_text() for t in left.get_legend().get_texts()]
    assert legend == ["run 1", "run 2", "run 3", "run 4", "best graph"]
    assert structure.best_log_score in [line.get_ydata()[0] for line in left.lines]


def test_points_are_edges_of_runs_against_their_mean_and_the_band_is_the_limit(penguins_fit):
    structure = penguins_fit.structure
    _, right = plot_structure_trace(penguins_fit)
    by_run = structure.drawn.mean(axis=1)
    own = [
        (structure.nodes.index(a), structure.nodes.index(b))
        for a, b in ((a, b) for a in structure.nodes for b in structure.nodes)
        if (a, b) not in structure.structural
    ]
    expected = {(by_run[:, i, j].mean().round(9), by_run[2, i, j].round(9)) for i, j in own if by_run[:, i, j].any()}
    points = artist(right.collections, "run 3").get_offsets()
    assert {tuple(point) for point in np.asarray(points).round(9)} == expected
    corners = artist(right.collections, "band").get_paths()[0].vertices
    assert_allclose(np.unique(np.abs(corners[:, 1] - corners[:, 0]).round(9)), 0.05)


def test_the_title_is_the_verdict(penguins_fit, hasty_fit, tmp_path):
    for fit, warned in ((penguins_fit, False), (hasty_fit, True)):
        axes = plot_structure_trace(fit)
        assert axes.shape == (2,)
        assert axes[0].get_title(loc="left") == fit.structure.verdict()
        assert axes[0].get_title(loc="left").startswith("NOT CONVERGED") is warned
        assert (axes[0]._left_title.get_color() == VERMILION) is warned
        assert (plot_edge_matrix(fit)._left_title.get_color() == VERMILION) is warned
    assert save_figure(axes, tmp_path / "trace.png", dpi=50).stat().st_size > 5000


def test_axes_of_ones_own_are_used(penguins_fit):
    _, own = plt.subplots(1, 3)
    drawn = plot_structure_trace(penguins_fit, own[:2])
    assert list(drawn) == list(own[:2])
    assert plot_edge_matrix(penguins_fit, own[2]) is own[2]


def test_a_structure_without_runs_or_nodes_is_refused(greedy_fit, penguins_fit):
    for structure in (greedy_fit.structure, replace(greedy_fit.structure, how="bootstrap")):
        with pytest.raises(InputError, match="has no runs to compare"):
            plot_structure_trace(structure)
        plot_edge_matrix(structure)
    empty = replace(penguins_fit.structure, nodes=())
    for plot in (plot_structure_trace, plot_edge_matrix):
        with pytest.raises(InputError, match="every column of the table is constant"):
            plot(empty)

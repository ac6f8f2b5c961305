"""The network plot: an artist per node and edge, readable labels, colours and widths that mean something."""

from dataclasses import replace
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba

from bayesynth import datasets as ds
from bayesynth.errors import InputError
from bayesynth.plots import plot_network, save_figure
from bayesynth.plots._places import place
from bayesynth.plots.edges import EdgeFacts, edge_facts
from bayesynth.plots.style import PURPLE, QUIET, VERMILION


def drawn(ax, what):
    """Patches of one kind by what they stand for."""
    marked = {a.get_gid(): a for a in ax.patches if (a.get_gid() or "").startswith(what + " ")}
    return {gid.removeprefix(what + " "): patch for gid, patch in marked.items()}


def legend_texts(ax):
    return [t.get_text() for child in ax.artists for t in child.get_texts()]


def overlapping_labels(ax):
    ax.figure.canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in ax.texts]
    return [(a, b) for (a, box), (b, other) in combinations(boxes, 2) if box.overlaps(other)]


def facts_of(adjacency=1.0, effect=0.5, direction="identified", structural=False):
    return EdgeFacts("a", "b", adjacency, effect, direction, structural)


def test_every_node_and_edge_of_the_averaged_graph_is_drawn(pbc_fit):
    ax, graph = plot_network(pbc_fit), pbc_fit.graph()
    assert sorted(drawn(ax, "node")) == sorted(graph.nodes)
    assert sorted(drawn(ax, "edge")) == sorted(drawn(ax, "head")) == sorted(f"{a} -> {b}" for a, b in graph.edges)
    assert {"bili", "alk.phos", "trt +5"} <= {text.get_text() for text in ax.texts}
    said = {"continuous", "missingness", "1", "0.75", "0.5", "by construction", "open: the reverse fits as well"}
    assert said <= set(legend_texts(ax))
    assert "0.25" not in legend_texts(ax)


def test_the_threshold_says_which_edges_are_drawn(penguins_fit):
    for threshold in (0.1, 0.9):
        ax, graph = plot_network(penguins_fit, threshold=threshold), penguins_fit.graph(threshold)
        assert sorted(drawn(ax, "edge")) == sorted(f"{a} -> {b}" for a, b in graph.edges)
        assert f"pairs that are adjacent with probability {threshold} or more" in [t.get_text() for t in ax.texts]
        assert ("0.25" in legend_texts(ax)) is (threshold < 0.25)
    assert len(penguins_fit.graph(0.1).edges) > len(penguins_fit.graph(0.9).edges)
    with pytest.raises(InputError, match="threshold=0"):
        plot_network(penguins_fit, threshold=0)


def test_lines_join_the_boxes_of_their_ends(pbc_fit):
    ax = plot_network(pbc_fit)
    boxes = {
        name: patch.get_path().get_extents(patch.get_patch_transform()) for name, patch in drawn(ax, "node").items()
    }
    heads = drawn(ax, "head")
    for edge, line in drawn(ax, "edge").items():
        parent, child = edge.split(" -> ")
        assert boxes[parent].padded(3).contains(*line.get_path().vertices[0])
        assert boxes[child].padded(3).contains(*heads[edge].get_xy()[0])


def test_missingness_nodes_stand_in_rows_below_all_columns():
    names = [f"column {i} with a name that is long" for i in range(8)]
    kinds = dict.fromkeys(names, "count") | {f"observed({name})": "missingness" for name in names}
    gates = [EdgeFacts(f"observed({name})", name, 1.0, None, "by knowledge", True) for name in names]
    places = place(kinds, [EdgeFacts(names[0], names[1], 1.0, 0.2, "identified", False), *gates])
    assert list(places.boxes) == [*names, *places.strip]
    assert len({y for _, y, _, _ in places.strip.values()}) == 2  # they do not fit in one row
    assert places.bottom < max(y for _, y, _, _ in places.strip.values()) < 0
    assert min(y - h / 2 for _, y, _, h in places.values.values()) >= 0
    for (x, y, w, h), (u, v, p, q) in combinations(places.boxes.values(), 2):
        assert abs(x - u) >= (w + p) / 2 or abs(y - v) >= (h + q) / 2
    highest = max(y for _, y, _, _ in places.strip.values())
    upper = [(x, w) for x, y, w, _ in places.strip.values() if y == highest]
    for x in (x for x, y, _, _ in places.strip.values() if y < highest):
        assert all(abs(x - u) > w / 2 for u, w in upper)  # a line can rise from it


def test_labels_do_not_overlap_even_in_axes_of_another_size(pbc_fit):
    assert overlapping_labels(plot_network(pbc_fit)) == []
    _, small = plt.subplots(figsize=(5, 4))
    assert plot_network(pbc_fit, small) is small
    assert overlapping_labels(small) == []


def test_forty_columns_with_awkward_names(laplace):
    table = ds.simulate_network(40, 300, random_seed=4).table
    table = table.rename(columns={"x01": "cost in $ per $", "x02": "a very long name that no drawing could hold whole"})
    ax = plot_network(laplace(table, structure="greedy"))
    assert overlapping_labels(ax) == []
    names = [text.get_text() for text in ax.texts if text.get_gid() is None]
    assert r"cost in \$ per \$" in names
    assert "a very long name that no dr…" in names


def test_the_plot_can_be_written_and_is_closed(penguins_fit, tmp_path):
    before = set(plt.get_fignums())
    path = save_figure(plot_network(penguins_fit), tmp_path / "network.png", dpi=60)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert set(plt.get_fignums()) == before


def test_effects_have_the_sign_of_the_relationships(pbc_fit):
    facts = {(f.parent, f.child): f for f in edge_facts(pbc_fit)}
    rows = pbc_fit.relationships()
    means = rows[(rows["outcome"] == "mean") & rows["change"].isin(["+1 SD", "+1 level"])]
    means = means[[edge in facts for edge in zip(means["parent"], means["child"], strict=True)]]
    assert len(means) > 5
    for row in means.itertuples():
        fact = facts[row.parent, row.child]
        assert np.sign(fact.effect) == np.sign(row.effect)
        assert abs(fact.effect) < 3  # in standard deviations, whatever the unit
        assert fact.adjacency == pytest.approx(row.p_adjacent)
        assert fact.direction == row.direction
    unordered = [f.effect for f in facts.values() if f.child == "status" and not f.structural]
    assert unordered
    assert np.isnan(unordered).all()
    assert {edge for edge, f in facts.items() if f.structural} == pbc_fit.structure.structural


def test_an_edge_of_no_fitted_graph_has_no_effect(penguins_fit, monkeypatch):
    rows = penguins_fit.relationships()
    a, b = rows.loc[0, ["parent", "child"]]
    others = rows[(rows["parent"] != a) | (rows["child"] != b)]
    monkeypatch.setattr(type(penguins_fit), "relationships", lambda fit: others)
    facts = {(f.parent, f.child): f for f in edge_facts(penguins_fit)}
    assert facts[a, b].effect is None
    assert facts[a, b].adjacency == penguins_fit.graph().edges[a, b]["adjacency"]
    assert "in no fitted graph" in legend_texts(plot_network(penguins_fit))


def test_width_grows_with_probability(penguins_fit):
    widths = [facts_of(adjacency).width for adjacency in (0.01, 0.3, 0.6, 1.0)]
    assert widths == sorted(set(widths))
    assert facts_of(1.0).width == pytest.approx(2 * facts_of(0.5).width)
    ax, structural = plot_network(penguins_fit), penguins_fit.structure.structural
    edges = drawn(ax, "edge")
    own = [(a, b, p) for a, b, p in penguins_fit.graph().edges(data="adjacency") if (a, b) not in structural]
    order = sorted(own, key=lambda edge: edge[2])
    drawn_widths = [edges[f"{a} -> {b}"].get_linewidth() for a, b, _ in order]
    assert drawn_widths == sorted(drawn_widths)
    assert drawn_widths[0] < 0.9 * drawn_widths[-1]


def test_colour_tells_the_sign_and_paleness_the_doubt():
    red, _, blue = facts_of(effect=0.5).colour
    assert red > blue
    red, _, blue = facts_of(effect=-0.5).colour
    assert blue > red
    assert facts_of(effect=np.nan).colour == to_rgb(PURPLE)
    assert facts_of(effect=None).colour == to_rgb(QUIET)
    assert len({facts_of(effect=e, structural=s).colour for e, s in ((0.5, False), (np.nan, False), (None, True))}) == 3
    sure, doubtful = np.array(facts_of(1.0).colour), np.array(facts_of(0.5).colour)
    assert (doubtful > sure).all()


@pytest.mark.parametrize(("direction", "filled"), [("identified", True), ("by knowledge", True), ("either way", False)])
def test_an_arrow_that_could_be_reversed_has_an_open_head(penguins_fit, direction, filled, monkeypatch):
    facts = [replace(f, direction=f.direction if f.structural else direction) for f in edge_facts(penguins_fit)]
    monkeypatch.setattr("bayesynth.plots.network.edge_facts", lambda fit, threshold: facts)
    ax = plot_network(penguins_fit)
    own = next(f for f in facts if not f.structural)
    head = drawn(ax, "head")[f"{own.parent} -> {own.child}"]
    assert head.get_facecolor() == (to_rgba(own.colour) if filled else to_rgba("white"))
    assert ("open: the reverse fits as well" in legend_texts(ax)) is not filled
    assert ("filled: direction is settled" in legend_texts(ax)) is filled


def test_a_sampler_that_has_not_converged_is_called_that(hasty_fit, penguins_fit, greedy_fit):
    assert hasty_fit.structure.converged is False
    for fit, warned in ((hasty_fit, True), (penguins_fit, False), (greedy_fit, False)):
        (note,) = [text for text in plot_network(fit).texts if text.get_gid() == "verdict"]
        assert note.get_text() == fit.structure.verdict()
        assert note.get_text().startswith("NOT CONVERGED") is warned
        assert (note.get_color() == VERMILION) is warned


def test_a_network_without_nodes_is_refused(penguins_fit):
    empty = replace(penguins_fit, structure=replace(penguins_fit.structure, nodes=()))
    with pytest.raises(InputError, match="every column of the table is constant"):
        plot_network(empty)

"""The network plot: an artist per node and edge, readable labels, colours and widths that mean something."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bayesynth import datasets as ds
from bayesynth.plots import plot_network, save_figure
from bayesynth.plots.edges import EdgeFacts, edge_facts
from bayesynth.plots.network import edge_colour, edge_width


def gids(ax, what):
    return sorted(a.get_gid().removeprefix(what + " ") for a in ax.patches if (a.get_gid() or "").startswith(what))


def overlapping_labels(ax):
    ax.figure.canvas.draw()
    boxes = {t.get_text(): t.get_window_extent() for t in ax.texts if t.get_text()}
    return [(a, b) for a, b in combinations(boxes, 2) if boxes[a].overlaps(boxes[b])]


def test_every_node_and_edge_of_the_graph_is_drawn(pbc_fit):
    ax = plot_network(pbc_fit)
    graph = pbc_fit.graph()
    assert gids(ax, "node") == sorted(graph.nodes)
    assert gids(ax, "edge") == sorted(f"{a} -> {b}" for a, b in graph.edges)
    texts = [text.get_text() for text in ax.texts]
    assert {"bili", "alk.phos", "trt +5 observed"} <= set(texts)
    legend = [t.get_text() for child in ax.artists for t in child.get_texts()]
    assert {"continuous", "missingness", "log Bayes factor 3", "by construction", "more goes with more"} <= set(legend)


def test_labels_do_not_overlap_even_in_axes_of_another_size(pbc_fit):
    assert overlapping_labels(plot_network(pbc_fit)) == []
    _, small = plt.subplots(figsize=(5, 4))
    assert plot_network(pbc_fit, small) is small
    assert overlapping_labels(small) == []


def test_forty_columns_with_awkward_names(laplace):
    table = ds.simulate_network(40, 300, random_seed=4).table
    table = table.rename(columns={"x01": "cost in $ per $", "x02": "a very long name that no drawing could hold whole"})
    ax = plot_network(laplace(table))
    assert overlapping_labels(ax) == []
    texts = [text.get_text() for text in ax.texts]
    assert r"cost in \$ per \$" in texts
    assert max(map(len, texts)) < 45


def test_the_plot_can_be_written_and_is_closed(penguins_fit, tmp_path):
    before = set(plt.get_fignums())
    path = save_figure(plot_network(penguins_fit), tmp_path / "network.png", dpi=60)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert set(plt.get_fignums()) == before


def test_effects_have_the_sign_of_the_relationships(pbc_fit):
    facts = {(f.parent, f.child): f for f in edge_facts(pbc_fit)}
    rows = pbc_fit.relationships()
    means = rows[(rows["outcome"] == "mean") & rows["change"].isin(["+1 SD", "+1 level"])]
    assert len(means) > 5
    for row in means.itertuples():
        assert np.sign(facts[row.parent, row.child].effect) == np.sign(row.effect)
        assert abs(facts[row.parent, row.child].effect) < 3  # in standard deviations, whatever the unit
    assert all(np.isnan(f.effect) for f in facts.values() if f.child == "status")  # three unordered levels
    structural = [f for edge, f in facts.items() if pbc_fit.graph().edges[edge]["structural"]]
    assert structural
    assert all(f.by_construction for f in structural)


def test_width_grows_with_evidence_and_colour_tells_the_sign():
    widths = [edge_width(evidence) for evidence in (np.nan, 0.0, 3.0, 12.0, 40.0, 400.0)]
    assert widths[0] == widths[1]
    assert widths[1:5] == sorted(set(widths))
    assert widths[4] == widths[5]
    red, _, blue = edge_colour(EdgeFacts("a", "b", 1.0, 0.5, True))[:3]
    assert red > blue
    red, _, blue = edge_colour(EdgeFacts("a", "b", 1.0, -0.5, True))[:3]
    assert blue > red
    unsigned = {edge_colour(EdgeFacts("a", "b", e, np.nan, True)) for e in (1.0, np.nan)}
    assert len(unsigned) == 2


@pytest.mark.parametrize(("identified", "filled"), [(True, True), (False, False)])
def test_an_arrow_that_could_be_reversed_has_an_open_head(penguins_fit, identified, filled, monkeypatch):
    facts = [EdgeFacts(f.parent, f.child, f.evidence, f.effect, identified) for f in edge_facts(penguins_fit)]
    monkeypatch.setattr("bayesynth.plots.network.edge_facts", lambda fit: facts)
    ax = plot_network(penguins_fit)
    heads = {type(p.get_arrowstyle()).__name__ for p in ax.patches if p.get_gid() == "edge species -> island"}
    assert heads == {"CurveFilledB" if filled else "CurveB"}
    legend = [t.get_text() for child in ax.artists for t in child.get_texts()]
    assert ("open head: the reverse fits as well" in legend) is not filled

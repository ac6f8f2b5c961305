"""Pictures that stand in a page: ids of their own, no size, equal figures give equal markup."""

import re
import xml.etree.ElementTree as ET

import matplotlib.pyplot as plt
import pandas as pd

from bayesynth.plots import plot_marginals
from bayesynth.plots.svg import as_svg, column_pictures


def draw(prefix):
    _, ax = plt.subplots()
    ax.plot([1, 2, 3], [3, 1, 2], marker="o", clip_on=True)
    ax.set_title("<b> & 'c'")
    return as_svg(ax, prefix)


def test_equal_figures_give_equal_markup_and_are_closed():
    assert draw("a") == draw("a")
    assert not plt.get_fignums()


def test_every_reference_leads_to_an_id_with_the_prefix():
    text = draw("one")
    ids = re.findall(r' id="([^"]*)"', text)
    used = set(re.findall(r"url\(#([^)]*)\)", text)) | set(re.findall(r'href="#([^"]*)"', text))
    assert used == set(ids)
    assert used
    assert all(name.startswith("one-") for name in ids)
    assert not set(ids) & set(re.findall(r' id="([^"]*)"', draw("two")))


def test_it_is_one_element_without_size_or_style_sheet():
    text = draw("a")
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    assert "viewBox" in root.attrib
    assert not {"width", "height"} & set(root.attrib)
    assert "<style" not in text
    assert "font-family" not in text
    assert "<b> & 'c'" in [element.text for element in root.iter() if element.tag.endswith("text")]


def test_every_column_is_drawn_as_in_plot_marginals():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.5, 2.5] * 10, "g": list("aabc") * 10})
    found = dict(column_pictures(frame, [frame, frame]))
    assert list(found) == ["x", "g"]
    assert not plt.get_fignums()
    labels = [t.get_text() for t in plot_marginals(frame, frame, columns=["g"])[0].get_xticklabels()]
    assert [label for label in labels if f">{label}<" in found["g"]] == labels == ["a", "b", "c"]
    plt.close("all")

"""Plots of figures: rows are excesses in tolerances, cells are excesses of pairs, bars are the draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from bayesynth.diagnostics.assess import work_out
from bayesynth.diagnostics.association import Associations
from bayesynth.diagnostics.columns import Columns
from bayesynth.diagnostics.figures import UNKNOWN, WORSE, Figure, Interval
from bayesynth.diagnostics.pairs import Pairs
from bayesynth.diagnostics.setting import Setting
from bayesynth.errors import InputError
from bayesynth.plots import plot_fidelity, plot_floor, plot_pair_matrix, save_figure
from bayesynth.plots.style import REAL_FILL, VERMILION


@pytest.fixture(scope="module")
def figures():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 2))
    real = pd.DataFrame({"x $": x[:, 0], "y": x[:, 0] + 0.2 * x[:, 1], "z": rng.normal(size=80)})
    wrong = real.assign(y=rng.permutation(real["y"]))
    setting = Setting.of(real, [wrong, wrong.sample(frac=1, random_state=1)])
    found = work_out([Columns, Pairs, Associations], setting, progress=False, random_seed=1)
    return {figure.name: figure for figure in found}


def artist(artists, gid):
    (found,) = [a for a in artists if a.get_gid() == gid]
    return found


def test_a_row_for_each_figure_that_was_worked_out(figures):
    ax = plot_fidelity(figures.values())
    names = [figure.name for figure in figures.values() if figure.verdict != "not done"]
    assert "missingness dependence" not in names
    assert [t.get_text() for t in ax.get_yticklabels()] == names
    for i, name in enumerate(names):
        figure = figures[name]
        point = artist(ax.lines, f"excess of {name}")
        assert point.get_xdata()[0] == pytest.approx(figure.excess.middle / figure.tolerance)
        assert point.get_ydata()[0] == i
        bar = artist(ax.patches, f"floor of {name}")
        assert bar.get_width() == pytest.approx((figure.floor.upper - figure.floor.lower) / figure.tolerance)
        low, high = ax.get_xlim()
        assert low < figure.excess.lower / figure.tolerance < figure.excess.upper / figure.tolerance < high
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # first row on top
    said = {text.get_text() for text in ax.texts}
    assert {"synthetic", "floor", "verdict", f"{figures['pairs'].value.middle:.3g}"} <= said


def test_colours_are_those_of_verdicts(figures):
    assert figures["association"].verdict == WORSE
    unsure = replace(figures["columns"], verdict=UNKNOWN)
    ax = plot_fidelity([figures["association"], unsure])
    assert to_hex(artist(ax.lines, "excess of association").get_color()).upper() == VERMILION
    assert artist(ax.lines, "excess of columns").get_markerfacecolor() == "white"


def test_cells_are_excesses_and_the_worst_are_marked(figures, tmp_path):
    figure = figures["pairs"]
    ax = plot_pair_matrix(figure)
    columns, rows = ([t.get_text() for t in axis.get_ticklabels()] for axis in (ax.xaxis, ax.yaxis))
    assert columns == [r"x \$", "y"]
    assert rows == ["y", "z"]
    cells = artist(ax.collections, "excess").get_array().reshape(2, 2)
    by_part = figure.details.set_index("part")["excess"]
    assert cells[0, 0] == pytest.approx(by_part["x $ ~ y"])
    assert cells[1, 1] == pytest.approx(max(by_part["y ~ z"], 0))
    assert np.ma.getmaskarray(cells)[0, 1]
    assert artist(ax.patches, f"worst {figure.worst[0][0]}").get_xy() == (0, 0)
    assert ax.get_title(loc="left").startswith(r"1  x \$ ~ y: ")
    assert save_figure(ax, tmp_path / "pairs.png").stat().st_size > 0


def test_noise_does_not_look_like_a_difference(figures):
    details = figures["association"].details.assign(excess=0.001)
    mesh = artist(plot_pair_matrix(replace(figures["association"], details=details)).collections, "excess")
    assert mesh.get_clim() == (0, 3 * figures["association"].tolerance)


def test_bars_are_the_draws(figures):
    figure = figures["association"]
    ax = plot_floor(figure)
    floors = figure.draws.loc[figure.draws["table"].isna(), "figure"]
    bars = [patch for patch in ax.patches if to_hex(patch.get_facecolor()).upper() == REAL_FILL]
    shares = np.array([bar.get_height() * bar.get_width() for bar in bars])
    edges = np.histogram_bin_edges(figure.draws["figure"], len(bars))
    np.testing.assert_allclose(shares, np.histogram(floors, edges)[0] / len(floors), atol=1e-9)
    assert ax.lines[0].get_xdata()[0] == floors.median()
    assert ax.get_title(loc="left").startswith("worse than floor: excess ")


def test_what_cannot_be_drawn_is_refused(figures):
    skipped = figures["missingness dependence"]
    with pytest.raises(InputError, match="no figure"):
        plot_fidelity([skipped])
    with pytest.raises(InputError, match="not about pairs"):
        plot_pair_matrix(figures["columns"])
    with pytest.raises(InputError, match="no table has a blank"):
        plot_pair_matrix(skipped)
    with pytest.raises(InputError, match="no draws"):
        plot_floor(skipped)


def test_a_figure_of_other_origin_is_drawn():
    own = Figure(
        "auc", "risk", "", Interval(0.6, 0.5, 0.7), Interval(0.5, 0.4, 0.6), Interval(0.1, 0.05, 9.0), 0.05, WORSE
    )
    ax = plot_fidelity([own])
    assert ax.get_xlim()[1] > 9 / 0.05

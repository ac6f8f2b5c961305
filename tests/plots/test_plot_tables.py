"""Plots of tables: a panel per column or pair, figures that are those of the tables, refusals in words."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from bayesynth.errors import InputError
from bayesynth.plots import plot_marginals, plot_missingness, plot_pairs
from bayesynth.plots._columns import shown_columns, write_dates
from bayesynth.plots.marginals import shared_bins
from bayesynth.plots.style import chosen, plain
from bayesynth.schema import Schema


@pytest.fixture
def odd():
    """Dates, durations, many levels, a level of one table only, dollar signs, blanks."""
    n = 60
    return pd.DataFrame(
        {
            "when $": pd.date_range("2020-01-01", periods=n, freq="9D").where(np.arange(n) % 9 > 0),
            "stay": pd.to_timedelta(np.arange(n) % 13, unit="D"),
            "site": [f"site {i % 12}" for i in range(n)],
            "cost": [("$ low", "$ high")[i % 2] for i in range(n)],
            "skewed": np.exp(np.linspace(0, 10, n)),
            "zero": np.where(np.arange(n) % 2, 0.0, np.arange(n) / 4),
        }
    )


def test_a_panel_for_each_column_with_its_blanks(pbc, pbc_tables, pbc_fit):
    axes = plot_marginals(pbc, pbc_tables, pbc_fit.schema)
    assert [ax.get_title(loc="left") for ax in axes] == list(pbc)
    notes = {ax.get_title(loc="left"): ax.texts[0].get_text() for ax in axes}
    assert notes["age"] == "no blanks"
    share = np.median([table["chol"].isna().mean() for table in pbc_tables])
    assert notes["chol"] == f"blank: real 32.1%, synthetic {share:.1%}"
    legend = [t.get_text() for t in axes[0].figure.legends[0].get_texts()]
    assert legend == ["real", "synthetic: median and middle 90% of the tables"]


def test_bars_are_the_shares_of_levels(pbc, pbc_fit):
    synthetic = pbc_fit.sample(300, random_seed=1)
    (ax,) = plot_marginals(pbc, synthetic, columns=["status"])
    heights = [bar.get_height() for bar in ax.patches]
    expected = [*pbc["status"].value_counts(normalize=True, sort=False)]
    expected += [*synthetic["status"].value_counts(normalize=True, sort=False)]
    np.testing.assert_allclose(heights, expected)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["censored", "transplant", "dead"]


def test_bins_are_shared_and_hold_every_value(pbc, pbc_tables, pbc_fit, odd):
    shown = shown_columns(pbc, pbc_tables, pbc_fit.schema, None) + shown_columns(odd, odd, None, None)
    for column in (c for c in shown if not c.nominal):
        edges = shared_bins(column)
        assert (np.diff(edges) > 0).all()
        for i in range(len(column.tables)):
            assert np.histogram(column.seen(i), edges)[0].sum() == len(column.seen(i)), column.title
    assert {c.column.name for c in shown if c.log} >= {"bili", "skewed"}
    assert "zero" not in {c.column.name for c in shown if c.log}


def test_awkward_columns_are_drawn(odd):
    other = odd.assign(site="elsewhere")
    schema = Schema.infer(odd).update(cost={"unit": "$"})
    axes = plot_marginals(odd, [other, odd], schema)
    axes[0].figure.canvas.draw()
    assert axes[0].get_title(loc="left") == r"when \$"
    assert axes[3].get_title(loc="left") == r"cost (\$)"
    assert [t.get_text() for t in axes[3].get_xticklabels()] == [r"\$ high", r"\$ low"]
    assert [t.get_text() for t in axes[2].get_xticklabels()][-1] == "others"
    assert (
        any("202" in t.get_text() for t in axes[0].get_xticklabels())
        or "202" in axes[0].xaxis.get_offset_text().get_text()
    )
    pairs = plot_pairs(odd, odd, schema=schema)
    pairs[0, 0].figure.canvas.draw()


def test_pairs_fill_the_lower_triangle(pbc, pbc_tables, pbc_fit):
    axes = plot_pairs(pbc, pbc_tables, ["bili", "status", "stage", "age"], pbc_fit.schema)
    assert axes.shape == (4, 4)
    assert [[axes[i, j] is not None for j in range(4)] for i in range(4)] == np.tri(4, dtype=bool).tolist()
    assert [axes[3, j].get_xlabel() for j in range(4)] == ["bili", "status", "stage", "age"]
    assert len(axes[3, 0].collections) == 2  # real and synthetic points
    real, synthetic = (len(c.get_offsets()) for c in axes[3, 0].collections)
    assert real == synthetic == len(pbc)
    cells = [float(t.get_text()) for t in axes[2, 1].texts]
    assert len(cells) == 2 * 3 * 4
    assert abs(sum(cells[:4]) - 100) <= 2  # shares within a level
    assert len(plot_pairs(pbc, pbc_tables)) == 5


def test_patterns_of_blanks_come_with_their_shares(pbc, pbc_tables):
    ax = plot_missingness(pbc, pbc_tables)
    ax.figure.canvas.draw()
    columns = [t.get_text() for t in ax.get_xticklabels()]
    assert set(columns) == {name for name in pbc if pbc[name].isna().any()}
    texts = [t.get_text() for t in ax.texts]
    complete = np.median([table.notna().all(axis=1).mean() for table in pbc_tables])
    assert f"{pbc.notna().all(axis=1).mean():.1%} | {complete:.1%}" in texts
    assert "all other patterns" in texts
    legend = [t.get_text() for t in ax.get_legend().get_texts()]
    assert "real" in legend


def test_patterns_of_a_fit_alone(penguins, penguins_fit):
    ax = plot_missingness(penguins_fit)
    assert "real" not in [t.get_text() for t in ax.get_legend().get_texts()]
    again = plot_missingness(penguins_fit)
    assert [t.get_text() for t in ax.texts] == [t.get_text() for t in again.texts]
    assert plot_missingness(penguins, penguins, ax) is ax


def test_patterns_of_a_real_table_alone(penguins):
    ax = plot_missingness(penguins)
    assert "synthetic" not in [t.get_text() for t in ax.get_legend().get_texts()]
    assert f"{penguins.notna().all(axis=1).mean():.1%}" in [t.get_text() for t in ax.texts]


def test_what_cannot_be_drawn_is_refused(penguins):
    full = penguins.dropna()
    with pytest.raises(InputError, match="no table has a blank"):
        plot_missingness(full, full)
    with pytest.raises(InputError, match="'weight'"):
        plot_marginals(penguins, penguins, columns=["weight"])
    with pytest.raises(InputError, match="no columns"):
        plot_pairs(penguins, penguins, columns=[])
    with pytest.raises(InputError, match="lacks sex"):
        plot_marginals(penguins, penguins.drop(columns="sex"))


def test_the_frames_are_not_changed(odd):
    before = odd.copy()
    plot_marginals(odd, odd)
    plot_pairs(odd, odd)
    pd.testing.assert_frame_equal(odd, before)


def test_labels_are_plain_text():
    assert plain("a$b\n c") == r"a\$b c"
    assert plain("x" * 50) == "x" * 27 + "…"
    assert chosen(["a", "b"], "b") == ["b"]


@pytest.mark.parametrize("days", [0.05, 1.5, 40, 200, 900, 20_000])
def test_dates_of_any_range_have_a_few_ticks(days: float) -> None:
    figure, ax = plt.subplots()
    write_dates(ax.xaxis)
    ax.set_xlim(12_000.3, 12_000.3 + days)
    figure.canvas.draw()
    assert 1 <= len(ax.get_xticks()) <= 7
    plt.close(figure)

"""Parameters and blank cells drawn in turns: blanks that say nothing leave the posterior of the fit as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import bayesynth as bs
from bayesynth.families import Prior
from bayesynth.predictive import DrawOptions
from bayesynth.predictive.augmentation import augment
from bayesynth.predictive.draw import Plan
from bayesynth.predictive.particles import Source
from bayesynth.synthesis.completing import Known

TABLES = 200


@pytest.fixture(scope="module")
def completed(laplace: Callable[..., bs.Fit]) -> tuple[bs.Fit, Source, dict[str, np.ndarray]]:
    """A child with blanks of complete parents; all rows of 200 tables."""
    rng = np.random.default_rng(4)
    n = 60
    x, group = rng.standard_normal(n), rng.integers(2, size=n)
    y = np.where(rng.random(n) < 0.4, np.nan, x + group + 0.7 * rng.standard_normal(n))
    answer = np.where(rng.random(n) < 1 / (1 + np.exp(-x)), "yes", "no").astype(object)
    answer[rng.random(n) < 0.4] = None
    frame = pd.DataFrame({"x": x, "group": np.array(["a", "b"])[group], "y": y, "answer": answer})
    edges = [("x", "y"), ("group", "y"), ("x", "answer")]
    fit = laplace(frame, knowledge=bs.Knowledge(graph=nx.DiGraph(edges)))
    known = Known(frame, fit.rule_plan, fit.network.encoding, fit.codebook, everything=True)
    table, row = np.arange(TABLES).repeat(n), np.tile(np.arange(n), TABLES)
    allowed = {name: one.take(row) for name, one in known.allowed.items()}
    numeric = {name: node.marginal for name, node in fit.network.encoding.nodes.items() if node.marginal}
    fixed = {name: (m.typical, *m.drift(m.typical)) for name, m in numeric.items()}  # their draws widen everything
    plan = replace(Plan.of_tables(fit.network, TABLES, rng), marginals=fixed)
    source = Source(fit.network, plan, DrawOptions(each_row=False, blanks=False), allowed)
    begun = source.at(np.zeros(len(table), int), table, rng, source.allowed)
    found, rows = augment(source, begun, Prior(), rng)
    return fit, found, source.finish(rows, rng).columns


@pytest.mark.parametrize("child", ["y", "answer"])
def test_a_blank_child_of_known_parents_leaves_the_posterior_as_it_is(completed: tuple, child: str) -> None:
    fit, source, _ = completed
    name = fit.network.graphs[0][child]
    before, after = fit.network.families[name].flat(), source.plan.parameters[name]
    for key, draws in before.items():
        sd, wanted = draws.std(axis=0), draws.mean(axis=0)
        assert after[key].shape == (TABLES, *draws.shape[1:])
        assert after[key].mean(axis=0) == pytest.approx(wanted, abs=4 * sd.max() / np.sqrt(TABLES) + 0.05)
        assert after[key].std(axis=0) == pytest.approx(sd, rel=0.25)


def test_known_cells_stay_and_every_cell_is_filled(completed: tuple) -> None:
    fit, _, columns = completed
    for name in ("x", "y", "group", "answer"):
        assert not np.isnan(columns[name]).any()
    assert np.ptp(columns["x"].reshape(TABLES, -1), axis=0).max() == 0
    assert (np.ptp(columns["y"].reshape(TABLES, -1), axis=0) == 0).sum() == fit.n_rows - fit.blanks["y"]


def test_residual_shapes_are_drawn_again_too(laplace: Callable[..., bs.Fit]) -> None:
    """Early deaths and long lives: completed cells of either follow the cells that were blanked."""
    rng = np.random.default_rng(9)
    dead = rng.random(800) < 0.5
    years = np.clip(np.where(dead, rng.exponential(2, 800), 8 - rng.exponential(1, 800)), 0.01, 8)
    blank = rng.random(800) < 0.3
    frame = pd.DataFrame({"status": np.where(dead, "dead", "alive"), "years": np.where(blank, np.nan, years)})
    fit = laplace(frame, knowledge=bs.Knowledge(graph=nx.DiGraph([("status", "years")])))
    assert {f.design.n_groups for f in fit.network.families.values() if f.node == "years"} == {3}
    tables = fit.complete(frame, 5, random_seed=1)
    for group in (dead, ~dead):
        found = np.concatenate([table["years"].to_numpy()[blank & group] for table in tables])
        assert kstest(found, years[blank & group]).statistic < 0.15

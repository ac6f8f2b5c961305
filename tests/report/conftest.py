"""Reports to look at: with hand-made figures of every verdict, so that they are quick."""

import sys

import numpy as np
import pandas as pd
import pytest
from _handmade import every_verdict

from bayesynth.diagnostics.figures import RISK
from bayesynth.report import assess


def by_hand(patch, figures=None):
    """Replace what takes time by hand-made figures."""
    module, figures = sys.modules["bayesynth.report.assess"], every_verdict() if figures is None else figures
    rest = tuple(figure for figure in figures if figure.group != RISK)
    patch.setattr(module, "assess_tables", lambda *_, more=(), **__: (*rest, *more))
    patch.setattr(module, "assess_risk", lambda *_, **__: tuple(f for f in figures if f.group == RISK))


@pytest.fixture
def quick(monkeypatch):
    by_hand(monkeypatch)
    return lambda figures: by_hand(monkeypatch, figures)


@pytest.fixture(scope="session")
def small_fit(small_table, laplace):
    return laplace(small_table)


@pytest.fixture(scope="session")
def small_tables(small_fit):
    return small_fit.sample_tables(4, random_seed=1)


@pytest.fixture(scope="session")
def report(small_table, small_tables, small_fit):
    with pytest.MonkeyPatch.context() as patch:
        by_hand(patch)
        return assess(small_table, small_tables, fit=small_fit, progress=False, random_seed=3)


@pytest.fixture(scope="session")
def bare(small_table, small_tables):
    """Without a fit, a provenance or anything else that could be left out."""
    with pytest.MonkeyPatch.context() as patch:
        by_hand(patch)
        return assess(small_table, list(small_tables), progress=False, random_seed=3)


@pytest.fixture(scope="session")
def simple():
    rng = np.random.default_rng(1)
    return pd.DataFrame({"x": rng.normal(size=80).round(2), "g": rng.choice(["a", "b"], 80)})

"""Tables and fits that many tests share, each made once in a session."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import matplotlib as mpl
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.diagnostics.prediction import Prediction
from bayesynth.diagnostics.whole import Trees, TwoSample
from bayesynth.errors import ApproximationWarning, BayesynthWarning

mpl.use("Agg")


@pytest.fixture(scope="session")
def laplace() -> Callable[..., bs.Fit]:
    """Fit one graph quickly and quietly: for tests that are not about warnings or the posterior over graphs."""

    def fit(frame: pd.DataFrame, random_seed: int = 7, **options: object) -> bs.Fit:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesynthWarning)
            synthesizer = bs.Synthesizer(**{"inference": "laplace", "structure": "greedy"} | options)
            return synthesizer.fit(frame, random_seed=random_seed, progress=False)

    return fit


def _fit_with_known_warning(frame: pd.DataFrame) -> bs.Fit:
    # The defaults of a user, but quick. Families of rare events may fail the k-hat check; other warnings are errors.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApproximationWarning)
        return bs.Synthesizer(inference="laplace").fit(frame, random_seed=7, progress=False)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let classifiers judge a few splits only: for tests of what is said, not of the figures."""
    for measure in (TwoSample, Trees, Prediction):
        monkeypatch.setattr(measure, "splits", 3)
        monkeypatch.setattr(measure, "comparisons", 3)


@pytest.fixture(scope="session")
def pbc() -> pd.DataFrame:
    return bs.load_dataset("pbc")


@pytest.fixture(scope="session")
def pbc_fit(pbc: pd.DataFrame) -> bs.Fit:
    return _fit_with_known_warning(pbc)


@pytest.fixture(scope="session")
def penguins() -> pd.DataFrame:
    return bs.load_dataset("penguins")


@pytest.fixture(scope="session")
def penguins_fit(penguins: pd.DataFrame) -> bs.Fit:
    return _fit_with_known_warning(penguins)


@pytest.fixture(scope="session")
def small_table() -> pd.DataFrame:
    """150 rows of six columns that need all four families, two of them with blanks."""
    kinds = ["continuous", "categorical", "continuous", "count", "binary", "ordinal"]
    simulated = bs.datasets.simulate_network(6, 150, kinds=kinds, blank_columns=0.34, random_seed=1)
    return simulated.table


@pytest.fixture(scope="session")
def nuts_fit(small_table: pd.DataFrame) -> bs.Fit:
    options = bs.StructureOptions(graphs=4)
    return bs.Synthesizer(structure_options=options).fit(small_table, random_seed=7, progress=False)

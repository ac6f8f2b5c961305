import matplotlib.pyplot as plt
import pytest

import bayesynth as bs


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def pbc_tables(pbc_fit):
    return pbc_fit.sample_tables(6, random_seed=1)


@pytest.fixture(scope="session")
def greedy_fit(penguins, laplace):
    return laplace(penguins, structure="greedy")


@pytest.fixture(scope="session")
def hasty_fit(small_table, laplace):
    """A posterior from runs that are far too short to agree."""
    options = bs.StructureOptions(rounds=1, draws=10, thin=1, graphs=2)
    return laplace(small_table, structure="posterior", structure_options=options)

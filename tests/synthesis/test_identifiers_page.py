"""The page on identifiers: its examples run and show what it says."""

from __future__ import annotations

import doctest
import warnings
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "identifiers.md"


def test_the_examples_of_the_page_run() -> None:
    pytest.importorskip("faker")
    with warnings.catch_warnings():
        failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert tried > 10
    assert failed == 0

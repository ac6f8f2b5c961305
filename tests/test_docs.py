"""Documents that cannot drift: packages, dependencies, defaults and references are those that exist."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from test_architecture import FILES, ORDER, package_of

import bayesynth as bs
from bayesynth.encoding.blocks import CHANCE_OF_NESTING
from bayesynth.encoding.design import FEWEST_ON_A_SIDE
from bayesynth.inference.posterior import ESS_LIMIT, PARETO_K_LIMIT, RHAT_LIMIT

HOME = Path(__file__).parents[1]
ARCHITECTURE = (HOME / "docs" / "architecture.md").read_text(encoding="utf-8")
MODELLING = (HOME / "docs" / "modelling.md").read_text(encoding="utf-8")
PAGES = sorted([*HOME.glob("*.md"), *HOME.glob("docs/**/*.md"), *HOME.glob("notebooks/*.ipynb")])
PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITED_IN_WORDS = re.compile(
    r"((?:[A-Z][a-z]+(?:, | and ))*[A-Z][a-z]+)(?: and others)? \(?((?:19|20)\d\d)\b"  # Tierney and Kadane (1986)
)


def first_column(page: str, header: str) -> list[str]:
    """Names in backticks that begin the rows of the table with this header."""
    table = page.split(f"| {header} |")[1].split("\n\n")[0]
    return re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)


def bibliography() -> dict[str, str]:
    text = (HOME / "docs" / "references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", text, re.DOTALL | re.MULTILINE)
    keys = [key for key, _ in entries]
    assert len(keys) == len(set(keys)) == text.count("\n@") + 1
    return dict(entries)


def test_the_table_of_packages_is_the_package() -> None:
    named = first_column(ARCHITECTURE, "package")
    assert set(named) == {package_of(path) for path in FILES} - {"__init__", "__main__"}
    assert named == [name for name in ORDER if name in named]


def test_every_dependency_is_explained() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = PROJECT["dependencies"] + [r for name in extras if name != "test" for r in extras[name]]
    assert first_column(ARCHITECTURE, "dependency") == [re.split(r"[<>=!~\[; ]", r)[0] for r in wanted]


def test_stated_defaults_are_those_of_the_code() -> None:
    prior = bs.Prior()
    assert rf"\tau = {prior.tau:g}" in MODELLING
    assert rf"$N(0, {prior.intercept_sd:g}^2)$" in MODELLING
    assert (prior.variance_shape, prior.variance_scale) == (1.0, 0.5)
    assert r"\mathrm{IG}(1, \frac12)" in MODELLING
    assert rf"\widehat R \le {RHAT_LIMIT}$" in MODELLING
    assert f"effective sample sizes of {ESS_LIMIT} " in MODELLING
    assert rf"\hat k \le {PARETO_K_LIMIT}$" in MODELLING
    assert FEWEST_ON_A_SIDE == 5
    assert "at least five rows on either side" in ARCHITECTURE
    assert f"probability under {CHANCE_OF_NESTING:.4f}" in ARCHITECTURE


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_cited_keys_exist(page: Path) -> None:
    cited = set(re.findall(r"\[@(\w+)\]", page.read_text(encoding="utf-8")))
    assert not cited - bibliography().keys()


def test_references_of_the_code_exist() -> None:
    entries, lost = bibliography(), []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        lost += [key for key in re.findall(r"\[(\w+)\]_", text) if key not in entries]
        dois = (doi.rstrip(".,)") for doi in re.findall(r"doi:(10\.\S+)", text))
        lost += [doi for doi in dois if not any(doi in entry for entry in entries.values())]
        lost += [
            words for words, *found in _in_words(text) if not any(_is(entry, *found) for entry in entries.values())
        ]
    assert not lost


def test_papers_of_the_shipped_tables_exist() -> None:
    entries = bibliography()
    for path in (HOME / "bayesynth" / "datasets" / "data").glob("*.json"):
        for citation in json.loads(path.read_text(encoding="utf-8"))["citation"]:
            assert citation["doi"] in entries[citation["key"]]


def test_references_in_words_are_recognised() -> None:
    found = _in_words("see Dunn and Smyth (1996), Rubin 1981, Vehtari and others 2024; not 5 of 1980")
    assert [words for words, *_ in found] == ["Dunn and Smyth 1996", "Rubin 1981", "Vehtari 2024"]


def test_the_citation_file_has_the_version_of_the_package() -> None:
    citation = (HOME / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE).group(1) == bs.__version__ == PROJECT["version"]


def _in_words(text: str) -> list[tuple[str, list[str], str]]:
    return [(f"{names} {year}", re.split(r", | and ", names), year) for names, year in CITED_IN_WORDS.findall(text)]


def _is(entry: str, names: list[str], year: str) -> bool:
    return all(name in entry for name in names) and re.search(rf"year\s*=\s*\{{{year}\}}", entry) is not None

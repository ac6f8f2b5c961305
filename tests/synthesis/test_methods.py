"""The Methods paragraph: true to the settings of the fit, and every reference is one of the docs."""

import html
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import InputError
from bayesynth.synthesis.methods import REFERENCES, SOURCES

DOCS = Path(__file__).parents[2] / "docs" / "references.bib"


def entries(text):
    return {key: entry for entry, key in re.findall(r"(^@\w+\{(\w+),\n.*?^\})", text, re.DOTALL | re.MULTILINE)}


@pytest.fixture(scope="module")
def greedy(small_table, laplace):
    return laplace(small_table)


def test_shipped_references_are_those_of_the_docs():
    shipped, docs = entries(REFERENCES.read_text(encoding="utf-8")), entries(DOCS.read_text(encoding="utf-8"))
    assert shipped
    assert list(shipped.items()) == [(key, entry) for key, entry in docs.items() if key in shipped]


def test_every_reference_that_any_setting_cites_is_shipped():
    source = Path(bs.synthesis.methods.__file__).read_text(encoding="utf-8")
    cited = (set(re.findall(r"@([A-Z]\w+)[\];]", source)) | set(SOURCES.values())) - {"Key"}
    assert cited == set(entries(REFERENCES.read_text(encoding="utf-8")))


def test_bibtex_holds_what_the_text_cites_and_nothing_else(greedy):
    methods = greedy.methods()
    cited = list(dict.fromkeys(re.findall(r"@(\w+)", methods.text)))
    assert list(entries(methods.bibtex)) == cited
    assert str(methods) == f"{methods.text}\n\n{methods.bibtex}"
    assert html.escape(methods.text) in methods._repr_html_()


def test_a_greedy_laplace_fit_claims_no_posterior_over_graphs_and_no_sampler(greedy):
    text = greedy.methods().text
    assert "A table of 150 rows" in text
    assert "greedy search" in text
    assert "one point estimate" in text
    assert "largest" in text
    assert "one posterior draw of all parameters behind each table" in text
    for word in ("partition MCMC", "No-U-Turn", "R-hat", "drawn graphs", "pymc", "Background knowledge"):
        assert word not in text
    assert "seed of the fit was 7" in text
    assert f"bayesynth {bs.__version__}" in text


def test_a_nuts_fit_over_graphs_states_its_own_figures(nuts_fit):
    text = nuts_fit.methods().text
    table = nuts_fit.convergence()
    assert f"largest R-hat {table['rhat'].max():.3f}" in text
    assert f"{table['ess_bulk'].min():.0f} (bulk)" in text
    assert f"{len(table)} distinct regressions" in text
    assert "4 chains of 250 draws after 300" in text
    assert "4 independent runs" in text
    assert "4 graphs, evenly spread" in text
    assert "forms in which parents enter the regressions were drawn" in text
    assert "one posterior draw of a graph and of all parameters" in text
    assert "Pareto" not in text


def test_changed_settings_change_the_text(small_table, laplace):
    options = bs.StructureOptions(rounds=1, draws=10, thin=1, graphs=2, prior=-2.5)
    knowledge = bs.Knowledge(tiers=[[small_table.columns[0]], list(small_table.columns[1:])])
    prior = bs.Prior(tau=0.3, intercept_sd=4.0)
    fit = laplace(
        small_table, structure="posterior", structure_options=options, prior=prior, knowledge=knowledge, random_seed=11
    )
    text = fit.methods().text
    assert "standard deviation 0.3/√I" in text
    assert "N(0, 4²)" in text
    assert "multiplies by exp(-2.5) for every edge" in text
    assert f"settled the direction of {small_table.shape[1] - 1} possible edges" in text
    assert "seed of the fit was 11" in text
    assert fit.structure.verdict() in text
    boot = replace(fit.structure, how="bootstrap")
    assert "not posterior probabilities" in replace(fit, structure=boot).methods().text
    plain = replace(fit, settings=replace(fit.settings, search=bs.SearchOptions(refine=False)))
    assert "forms in which parents" in text
    assert "forms in which parents" not in plain.methods().text


def test_stand_ins_are_told_of_where_there_are_some(pbc_fit, small_table, laplace):
    said = "ridge regression"
    assert any(family.design.stand_ins for family in pbc_fit.network.families.values())
    assert said in pbc_fit.methods().text
    assert said not in laplace(small_table.dropna().reset_index(drop=True)).methods().text


def test_tables_are_described_as_they_were_drawn(greedy):
    text = greedy.methods(greedy.sample_tables(3, n=70, random_seed=1)).text
    assert "3 synthetic tables of 70 rows were drawn, with blanks" in text
    assert "T = b/m + u·k/n [@Raab2017] for columns that were complete" in text
    assert "T = (1 + 1/m)·b - u [@Raghunathan2003] for columns with blanks" in text
    assert "1 synthetic table of 150 rows was drawn, without blanks" in (
        greedy.methods(greedy.sample_tables(1, blanks=False, random_seed=1)).text
    )


def test_where_no_rule_fits_none_is_named(greedy):
    text = greedy.methods(greedy.sample_tables(1, random_seed=1)).text
    assert "T = u·(k/n + (1 + k/n)/m) [@Raab2017] for columns that were complete" in text
    assert "for columns with blanks" not in text


def test_tables_of_another_fit_are_refused(greedy):
    tables = greedy.sample_tables(2, random_seed=1)
    strange = replace(tables, provenance=replace(tables.provenance, n_real=344))
    with pytest.raises(InputError, match="344 real rows, the fit from 150"):
        greedy.methods(strange)


def test_a_table_that_never_varies_still_has_a_paragraph(laplace):
    text = laplace(pd.DataFrame({"a": [1.0] * 60, "b": ["x"] * 60})).methods().text
    assert "over no columns" in text
    assert "regression" not in text

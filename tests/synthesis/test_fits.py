"""From a table to a fit and back: dtypes, figures about relationships, missingness, cards."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import bayesynth as bs
from bayesynth.schema import Kind

FIGURES = ["p_adjacent", "p_direction", "effect", "lower", "upper", "effect_overall", "lower_overall", "upper_overall"]
COLUMNS = ["parent", "child", "change", "outcome", *FIGURES, "log_bayes_factor", "direction"]


# --- round trip --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pbc", "penguins"])
@pytest.mark.parametrize("blanks", [True, False])
def test_synthetic_rows_look_like_the_original(name: str, blanks: bool, request: pytest.FixtureRequest) -> None:
    real, fit = request.getfixturevalue(name), request.getfixturevalue(f"{name}_fit")
    synthetic = fit.sample(700, blanks=blanks, random_seed=1)
    pd.testing.assert_series_equal(synthetic.dtypes, real.dtypes)  # category dtypes with levels and their order
    for column in real:
        present, drawn = real[column].dropna(), synthetic[column].dropna()
        facts = fit.schema[column]
        if facts.kind in (Kind.COUNT, Kind.CONTINUOUS):
            assert present.min() <= drawn.min()
            assert drawn.max() <= present.max()
            if facts.precision is not None:
                grid = drawn.astype(float) * 10.0**facts.precision
                np.testing.assert_allclose(grid, np.round(grid), atol=1e-6)
        else:
            assert set(drawn) == set(present)  # 700 rows meet every level of these tables


def test_what_is_drawn_is_not_copied(pbc_fit: bs.Fit, pbc: pd.DataFrame) -> None:
    synthetic = pbc_fit.sample(2000, random_seed=1)
    rows = set(map(tuple, pbc.astype(str).to_numpy()))
    assert not rows & set(map(tuple, synthetic.astype(str).to_numpy()))


def test_rates_means_and_relations_are_kept(pbc_fit: bs.Fit, pbc: pd.DataFrame) -> None:
    synthetic = pbc_fit.sample(5000, random_seed=2)
    for column in ("sex", "edema", "stage"):
        real, drawn = (t[column].value_counts(normalize=True) for t in (pbc, synthetic))
        assert (real - drawn).abs().max() < 0.06  # two standard errors of 418 rows are 0.05
    for column in ("age", "albumin", "protime"):
        spread = pbc[column].std()
        assert abs(synthetic[column].mean() - pbc[column].mean()) < 0.12 * spread
        assert synthetic[column].std() == pytest.approx(spread, rel=0.15)
    for pair in (["bili", "albumin"], ["bili", "chol"], ["stage", "albumin"]):
        real, drawn = (
            t[pair].apply(lambda s: s.cat.codes.where(s.notna()) if s.dtype == "category" else s.astype(float))
            for t in (pbc, synthetic)
        )
        # The standard error of a correlation of 300 rows is 0.05, and the prior shrinks a little.
        assert abs(real.corr(method="spearman").iloc[0, 1] - drawn.corr(method="spearman").iloc[0, 1]) < 0.15


@pytest.mark.filterwarnings("ignore::bayesynth.errors.ApproximationWarning")
def test_fitting_changes_nothing_and_returns_a_new_fit(penguins: pd.DataFrame, penguins_fit: bs.Fit) -> None:
    before = penguins.copy(deep=True)
    synthesizer = bs.Synthesizer(inference="laplace")
    first = synthesizer.fit(penguins, random_seed=7, progress=False)
    second = synthesizer.fit(penguins, random_seed=8, progress=False)
    pd.testing.assert_frame_equal(penguins, before)
    assert first is not second
    pd.testing.assert_frame_equal(first.sample(20, random_seed=1), penguins_fit.sample(20, random_seed=1))
    assert not second.sample(20, random_seed=1).equals(first.sample(20, random_seed=1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.n_rows = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        synthesizer.inference = "nuts"


def test_settings_say_what_was_done(penguins_fit: bs.Fit, nuts_fit: bs.Fit) -> None:
    assert (penguins_fit.settings.inference, penguins_fit.settings.seed) == ("laplace", 7)
    assert nuts_fit.settings.inference == "nuts"
    assert penguins_fit.settings.structure == "posterior"
    assert penguins_fit.settings.prior == bs.Prior()
    assert {"python", "pymc", "nutpie", "numpy"} <= set(penguins_fit.settings.versions)


def test_the_kind_of_a_schema_decides_the_family(laplace: Callable[..., bs.Fit], penguins: pd.DataFrame) -> None:
    schema = bs.Schema.infer(penguins, year="categorical")
    fit = laplace(penguins, schema=schema)
    assert {f.family for f in fit.network.families.values() if f.node == "year"} == {"categorical"}
    assert fit.schema["year"].kind is Kind.CATEGORICAL
    assert fit.sample(50, random_seed=1)["year"].dtype == penguins["year"].dtype


def test_identifiers_come_back_as_fresh_numbers(laplace: Callable[..., bs.Fit], penguins: pd.DataFrame) -> None:
    frame = penguins.assign(patient=[f"KH-{7 * i + 100000}" for i in range(len(penguins))])
    fit = laplace(frame)
    drawn = fit.sample(30, random_seed=1)["patient"]
    assert drawn.is_unique
    assert not set(drawn) & set(frame["patient"])
    assert "patient" not in fit.graph()


# --- relationships -----------------------------------------------------------------------------------------------


def test_relationships_are_one_table(pbc_fit: bs.Fit) -> None:
    table = pbc_fit.relationships()
    assert list(table.columns) == COLUMNS
    assert (table["lower"] <= table["upper"]).all()
    assert (table["lower_overall"] <= table["upper_overall"]).all()
    assert set(table["direction"]) <= {"identified", "either way"}
    assert table["p_adjacent"].is_monotonic_decreasing
    pairs = {frozenset(pair) for pair in zip(table["parent"], table["child"], strict=True)}
    assert pairs == {frozenset(edge) for edge in pbc_fit.log_bayes_factors}
    structural = frozenset(pbc_fit.network.encoding.structural_edges)
    fitted = {frozenset(edge) for dag in pbc_fit.network.dags for edge in dag.edges - structural}
    assert pairs == fitted
    once = table.drop_duplicates(["parent", "child"])
    assert once.set_index(["parent", "child"])["log_bayes_factor"].notna().all()
    np.testing.assert_allclose(table["effect_overall"], table["effect"] * table["p_adjacent"], rtol=1e-9)
    levels = table[table["outcome"].str.startswith("P(") & (table["child"] == "status")]
    sums = levels.groupby(["parent", "change"])["effect"].agg(["sum", "size"])
    assert (sums["size"] == 3).all()
    np.testing.assert_allclose(sums["sum"], 0, atol=1e-9)  # what one level gains the others lose


def test_relationships_are_the_same_every_time_and_cannot_be_spoilt(pbc_fit: bs.Fit) -> None:
    first = pbc_fit.relationships()
    copy = first.copy(deep=True)
    first["effect"] = 0.0
    pd.testing.assert_frame_equal(pbc_fit.relationships(), copy)


def test_unrelated_columns_have_no_relationships(laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(1)
    table = laplace(pd.DataFrame(rng.standard_normal((100, 3)), columns=list("abc"))).relationships()
    assert list(table.columns) == COLUMNS
    assert len(table) == 0
    assert table["effect"].dtype == float


def truth_table(n: int, seed: int) -> pd.DataFrame:
    """A known world: age moves pressure and the risk, treatment moves the risk."""
    rng = np.random.default_rng(seed)
    age = 60 + 10 * rng.standard_normal(n)
    drug = rng.random(n) < 0.5
    pressure = 120 + 0.8 * (age - 60) + 8 * rng.standard_normal(n)
    event = rng.random(n) < expit(-0.5 + 0.08 * (age - 60) - 1.0 * drug)
    grade = np.digitize(0.1 * (age - 60) + rng.logistic(size=n), [-1.0, 1.0])
    return pd.DataFrame(
        {
            "age": age.round(2),
            "drug": np.where(drug, "yes", "no"),
            "pressure": pressure.round(2),
            "event": np.where(event, "yes", "no"),
            "grade": pd.Categorical.from_codes(grade, ["I", "II", "III"], ordered=True),
        }
    )


@pytest.fixture(scope="module")
def known(laplace: Callable[..., bs.Fit]) -> bs.Fit:
    graph = nx.DiGraph([("age", "pressure"), ("age", "event"), ("drug", "event"), ("age", "grade")])
    return laplace(truth_table(1500, 1), knowledge=bs.Knowledge(graph=graph))


def effect(fit: bs.Fit, parent: str, child: str, outcome: str) -> pd.Series:
    table = fit.relationships()
    found = table[(table["parent"] == parent) & (table["child"] == child) & (table["outcome"] == outcome)]
    assert len(found) == 1
    return found.iloc[0]


def test_effects_are_those_of_the_simulator(known: bs.Fit) -> None:
    """Average marginal effects against the same changes made in the simulator itself, on 400,000 rows."""
    rng = np.random.default_rng(2)
    age = 10 * rng.standard_normal(400_000)
    drug = rng.random(400_000) < 0.5

    def risk(age: np.ndarray, drug: np.ndarray) -> float:
        return float(expit(-0.5 + 0.08 * age - 1.0 * drug).mean())

    grades = [1 - expit(c - 0.1 * a).mean() for a in (age, age + 10) for c in (-1.0, 1.0)]
    truth = {
        ("age", "pressure", "mean"): 8.0,
        ("age", "event", "P(yes)"): risk(age + 10, drug) - risk(age, drug),
        ("drug", "event", "P(yes)"): risk(age, True) - risk(age, False),
        ("age", "grade", "P(I)"): grades[0] - grades[2],
        ("age", "grade", "P(III)"): grades[3] - grades[1],
    }
    for (parent, child, outcome), true in truth.items():
        row = effect(known, parent, child, outcome)
        assert np.sign(row["effect"]) == np.sign(true)
        # 1,500 rows know a share's change to 0.025 and a slope to 3%; the effect is averaged over 200 drawn rows.
        assert row["effect"] == pytest.approx(true, abs=max(0.04, 0.1 * abs(true))), (parent, child, outcome)
        width = row["upper"] - row["lower"]
        assert 0 < width < max(0.15, abs(true))
        assert row["lower"] - width / 2 < true < row["upper"] + width / 2
    assert effect(known, "age", "pressure", "mean")["change"] == "+1 SD"
    assert effect(known, "drug", "event", "P(yes)")["change"] == "yes vs no"
    assert known.settings.graph_given
    assert known.settings.graph.startswith("given between columns")


def test_directions_are_said_to_be_known_only_where_they_are(known: bs.Fit, laplace: Callable[..., bs.Fit]) -> None:
    table = known.relationships().drop_duplicates(["parent", "child"]).set_index(["parent", "child"])
    assert set(table["direction"]) == {"by knowledge"}
    drug_first = bs.Knowledge(tiers=[["drug"], ["age", "pressure", "event", "grade"]])
    free = laplace(truth_table(1500, 1), knowledge=drug_first).relationships()
    table = free.drop_duplicates(["parent", "child"]).set_index(["parent", "child"])
    assert table.loc[("drug", "event"), "direction"] == "by knowledge"
    # age - event <- drug is a collider; age and pressure could be related either way.
    assert table.loc[("age", "event"), "direction"] == "identified"
    found = [row["direction"] for pair, row in table.iterrows() if set(pair) == {"age", "pressure"}]
    assert found == ["either way"]


def test_bayes_factors_rank_the_evidence(known: bs.Fit) -> None:
    factors = known.log_bayes_factors
    assert factors["age", "pressure"] > factors["drug", "event"] > 3


# --- missingness and graph ---------------------------------------------------------------------------------------


def test_missingness_of_pbc(pbc_fit: bs.Fit, pbc: pd.DataFrame) -> None:
    table = pbc_fit.missingness().set_index("block")
    for block in pbc_fit.network.encoding.blocks:
        row = table.loc[block.name]
        assert row["columns"] == ", ".join(block.columns)
        assert row["blank_rows"] == pbc[block.columns[0]].isna().sum()
        assert row["lower"] < row["rate"] == row["blank_rows"] / 418 < row["upper"]
        assert row["within"] == (block.outer or "")
        assert not any(row["depends_on"].startswith(f"{column} ") for column in block.columns)
        assert row[["p_random", "p_blocks", "p_complete", "p_incomplete"]].sum() == pytest.approx(1.0)
    # The trial's missing block: six columns were never recorded for the 106 patients who were not randomised.
    assert table.loc["observed(trt +5)", "blank_rows"] == 106
    # The six patients without a stage are among them, so much is sure; whether values matter as well is not.
    assert table.loc["observed(trt +5)", "reading"] == "goes with other blanks"


def test_what_blanks_depend_on_is_found(laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(3)
    x, y, w = rng.standard_normal((3, 500))
    frame = pd.DataFrame({"x": x, "w": w, "y": np.where(rng.random(500) < expit(2 * x - 1), np.nan, y)})
    (row,) = laplace(frame).missingness().itertuples()
    assert row.depends_on.startswith("x 1.00")
    assert row.reading == "depends on complete columns"
    assert row.p_complete > 0.99


def test_no_blanks_no_rows(laplace: Callable[..., bs.Fit]) -> None:
    fit = laplace(truth_table(100, 1))
    assert len(fit.missingness()) == 0
    pd.testing.assert_frame_equal(fit.sample(20, random_seed=1), fit.sample(20, blanks=True, random_seed=1))


def test_the_graph_carries_its_figures(pbc_fit: bs.Fit) -> None:
    graph = pbc_fit.graph()
    assert isinstance(graph, nx.DiGraph)
    assert nx.is_directed_acyclic_graph(graph)
    kinds = nx.get_node_attributes(graph, "kind")
    assert kinds["stage"] == "ordinal"
    assert kinds["bili"] == "continuous"
    assert sum(kind == "missingness" for kind in kinds.values()) == len(pbc_fit.network.encoding.blocks)
    for parent, child, facts in graph.edges(data=True):
        assert facts["structural"] == (pbc_fit.network.encoding.nodes[child].gate == parent)
        assert facts["adjacency"] >= 0.5
        assert facts.get("log_bayes_factor") == pbc_fit.log_bayes_factors.get((parent, child))
    graph.remove_node("bili")
    assert "bili" in pbc_fit.graph()  # a new graph each time


def test_convergence_is_one_row_per_family(pbc_fit: bs.Fit, nuts_fit: bs.Fit) -> None:
    for fit in (pbc_fit, nuts_fit):
        table = fit.convergence()
        assert table.index.tolist() == list(fit.network.families)
        assert set(table["node"]) == set(fit.network.encoding.nodes)
        assert table["trusted"].dtype == bool
    assert pbc_fit.convergence()["rhat"].isna().all()
    sampled = nuts_fit.convergence()
    assert sampled["trusted"].all()
    assert (sampled["ess_bulk"] >= 400).all()
    assert (sampled["rhat"] <= 1.01).all()
    assert (sampled["divergences"] == 0).all()


# --- cards -------------------------------------------------------------------------------------------------------


def test_text_and_card_hold_the_key_facts(pbc_fit: bs.Fit, nuts_fit: bs.Fit) -> None:
    for fit in (pbc_fit, nuts_fit):
        for text in (repr(fit), fit._repr_html_()):
            assert str(fit.n_rows) in text
            assert fit.settings.inference in text
            assert f"{len(fit.network.encoding.blocks)} missingness blocks" in text
            assert "posterior over graphs; " in text
            assert fit.structure.verdict() in text
            top = fit.structure.edge_probabilities().query("adjacency >= 0.5")
            pairs = [pair for pair in zip(top["parent"], top["child"], strict=True) if pair in fit.log_bayes_factors]
            assert all(name in text for name in max(pairs, key=fit.log_bayes_factors.get))
    assert "largest Pareto k-hat" in repr(pbc_fit)
    assert "all families pass; largest R-hat 1.0" in repr(nuts_fit)


def test_names_cannot_smuggle_markup_into_a_card(laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(100)
    frame = pd.DataFrame({"<script>alert(1)</script>": x, '"><img src=x onerror=alert(2)>': x + rng.random(100)})
    fit = laplace(frame)
    assert len(fit.relationships()) == 1
    html = fit._repr_html_() + fit.sample_tables(2, 5, random_seed=1)._repr_html_() + fit.schema._repr_html_()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_tables_say_where_they_come_from(penguins_fit: bs.Fit) -> None:
    tables = penguins_fit.sample_tables(3, 10, random_seed=1)
    assert repr(tables) == "<3 synthetic tables of 10 rows, from 344 real rows, draws='each_table'>"
    assert "each_table" in tables._repr_html_()


@pytest.mark.filterwarnings("ignore::bayesynth.errors.ApproximationWarning")
def test_progress_is_one_bar_or_silence(penguins: pd.DataFrame, capfd: pytest.CaptureFixture) -> None:
    bs.Synthesizer(inference="laplace", structure="greedy").fit(penguins, random_seed=7, progress=False)
    assert capfd.readouterr() == ("", "")
    bs.Synthesizer(inference="laplace", structure="greedy").fit(penguins, random_seed=7, progress=True)
    said = capfd.readouterr()
    assert said.out == ""
    assert "searching for the graph" in said.err
    assert "approximated" in said.err

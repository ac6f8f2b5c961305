"""Questions to the posterior over graphs: answers on a few graphs written down by hand, and on real fits."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import BayesynthWarning, ConvergenceWarning, InputError
from bayesynth.graphs import DAG, structural_hamming_distance
from bayesynth.graphs.ensembles import adjacency_of

NODES = ("a", "b", "c", "observed(c)")
STRUCTURAL = frozenset({("observed(c)", "c")})


def graphs(*edge_sets: str) -> np.ndarray:
    """Each text holds edges such as "ab bc", one graph a text; o stands for the missingness block."""
    found = []
    for text in edge_sets:
        edges = {tuple("observed(c)" if n == "o" else n for n in pair) for pair in text.split()}
        found.append(adjacency_of(DAG(NODES, frozenset(edges) | STRUCTURAL), NODES))
    return np.stack(found)


def posterior(*runs: np.ndarray, how: str = "posterior") -> bs.StructurePosterior:
    drawn = np.stack(runs)
    best = DAG(NODES, frozenset({("a", "b")}) | STRUCTURAL)
    rates = np.full((len(runs), 4), 0.2), np.full((len(runs), 3), 0.3)
    scores = np.random.default_rng(1).normal(size=drawn.shape[:2])
    return bs.StructurePosterior(
        how, NODES, ("observed(c)",), STRUCTURAL, frozenset({("a", "c")}), drawn, scores, best, -1.0, *rates, 100
    )


@pytest.fixture(scope="module")
def known() -> bs.StructurePosterior:
    """Eight graphs in two runs: ab in 5, ba in 1; bc in 4; ac in 2."""
    return posterior(graphs("ab bc", "ab bc", "ab", "ba"), graphs("ab bc", "ab ac", "bc ac", ""))


def test_edges_are_counted(known: bs.StructurePosterior) -> None:
    table = known.edge_probabilities().set_index(["parent", "child"])
    assert table.loc[("a", "b"), ["adjacency", "probability", "reverse"]].tolist() == [6 / 8, 5 / 8, 1 / 8]
    assert table.loc[("a", "b"), "direction"] == pytest.approx(5 / 6)
    assert table.loc[("b", "c"), "adjacency"] == 4 / 8
    assert table.loc[("a", "b"), "in_best"]
    assert not table.loc[("b", "c"), "in_best"]
    assert ("observed(c)", "c") not in table.index  # it holds by construction
    assert table["adjacency"].is_monotonic_decreasing
    # Two runs with shares 1 and 1/2: a standard error of half their standard deviation times the root of two.
    assert table.loc[("a", "b"), "error"] == pytest.approx(np.std([1.0, 0.5], ddof=1) / np.sqrt(2))
    matrix = known.edge_matrix()
    assert matrix.loc["a", "b"] == 5 / 8
    assert matrix.loc["observed(c)", "c"] == 1.0
    assert known.weights.sum() == pytest.approx(1.0)
    assert known.n_draws == len(known.weights) == len(known.draws()) == 8
    assert len(known.draws(3)) == 3


def test_paths_blankets_and_separation_are_counted(known: bs.StructurePosterior) -> None:
    assert known.path_probability("a", "c") == 5 / 8  # three by b, one direct, one both
    assert known.path_probability("c", "a") == 0.0
    blanket = known.markov_blanket("a").set_index("node")
    assert blanket.loc["b", ["probability", "child", "parent"]].tolist() == [7 / 8, 5 / 8, 1 / 8]
    assert blanket.loc["b", "co_parent"] == 1 / 8  # in the graph where both point at c
    assert blanket.loc["observed(c)", "co_parent"] == 2 / 8
    assert known.d_separated("a", "c") == 3 / 8
    assert known.d_separated("a", "c", ["b"]) == 6 / 8
    assert known.d_separated("a", "c", "b") == 6 / 8


def test_directions_say_who_knows_them(known: bs.StructurePosterior) -> None:
    assert known.direction("a", "c") == "by knowledge"
    assert known.direction("observed(c)", "c") == "by knowledge"
    assert known.direction("b", "c") == "identified"  # it meets the block's edge in a collider
    assert known.direction("a", "b") == "either way"


def test_one_graph_of_many(known: bs.StructurePosterior) -> None:
    graph = known.graph(0.6)
    assert set(graph.edges) == {("a", "b"), ("observed(c)", "c")}
    assert graph.edges["a", "b"] == {"probability": 5 / 8, "adjacency": 6 / 8, "structural": False}
    assert graph.nodes["observed(c)"]["kind"] == "missingness"
    assert set(known.graph(0.5).edges) == {("a", "b"), ("b", "c"), ("observed(c)", "c")}
    assert set(known.map_graph().edges) == {("a", "b"), ("observed(c)", "c")}
    assert known.cpdag().mark("a", "b") == "--"
    assert known.cpdag(0.5).mark("b", "c") == "->"
    assert nx.parse_graphml(known.to_graphml()).number_of_edges() == 3
    assert '"a" -> "b" [label="0.62"]' in known.to_dot()
    for threshold in (0.0, 1.5, -1):
        with pytest.raises(InputError, match="threshold"):
            known.graph(threshold)


def test_comparison_with_a_graph_of_ones_own(known: bs.StructurePosterior) -> None:
    mine = nx.DiGraph([("a", "b"), ("a", "c")])
    table = known.compare(mine)
    truth = DAG(("a", "b", "c"), frozenset(mine.edges))
    averaged = DAG(("a", "b", "c"), frozenset({("a", "b"), ("b", "c")}))
    assert table.loc["averaged graph", "shd"] == structural_hamming_distance(truth, averaged)
    assert table.loc["averaged graph", ["precision", "recall"]].tolist() == [0.5, 0.5]
    assert table.loc["best graph", ["precision", "recall"]].tolist() == [1.0, 0.5]
    assert 0 < table.loc["mean of draws", "recall"] < 1
    with pytest.raises(InputError, match="zz"):
        known.compare(nx.DiGraph([("a", "zz")]))


def test_unknown_nodes_are_named(known: bs.StructurePosterior) -> None:
    for ask in (known.markov_blanket, lambda n: known.path_probability("a", n), lambda n: known.d_separated("a", n)):
        with pytest.raises(InputError, match="nobody"):
            ask("nobody")


def test_runs_that_disagree_are_said_to(known: bs.StructurePosterior) -> None:
    assert known.converged is False
    for text in (repr(known), known._repr_html_(), known.verdict()):
        assert "NOT CONVERGED" in text
    figures = known.convergence()
    assert figures["largest_sd"] == pytest.approx(np.std([1.0, 0.5], ddof=1))
    same = posterior(*[graphs(*["ab", "bc"] * 20)] * 2)
    assert same.converged is True
    assert "runs agree" in repr(same)
    assert same.convergence()["accepted: reverse"] == pytest.approx(0.2)


def test_a_bootstrap_is_not_called_a_posterior() -> None:
    shares = posterior(graphs("ab", "ab", ""), how="bootstrap")
    assert shares.converged is None
    assert "not posterior probabilities" in repr(shares)
    assert "no uncertainty" in repr(posterior(graphs("ab"), how="greedy"))


# --- learned ------------------------------------------------------------------------------------------------------


def test_the_structure_of_a_fit_is_what_learning_alone_gives(penguins_fit: bs.Fit, penguins: pd.DataFrame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        alone = bs.Synthesizer().learn_structure(penguins, random_seed=7, progress=False)
    np.testing.assert_array_equal(alone.drawn, penguins_fit.structure.drawn)
    assert alone.best == penguins_fit.structure.best
    assert penguins_fit.structure.converged
    figures = penguins_fit.structure.convergence()
    assert figures["largest_sd"] <= 0.05
    assert figures["mean_sd"] <= 0.01
    assert figures["rhat"] < 1.05


def test_every_drawn_graph_is_acyclic_and_legal(pbc_fit: bs.Fit) -> None:
    structure = pbc_fit.structure
    for graph in structure.draws(60):
        assert nx.is_directed_acyclic_graph(graph)
        assert structure.structural <= set(graph.edges)
        for block in structure.blocks:
            own = {child for parent, child in structure.structural if parent == block}
            assert not own & nx.ancestors(graph, block)
    best = pbc_fit.structure.best_log_score
    assert best >= structure.log_scores.max() - 1e-6


def test_knowledge_holds_in_every_drawn_graph(small_table: pd.DataFrame) -> None:
    a, b, c, d, *rest = small_table.columns
    knowledge = bs.Knowledge(required=[(a, d)], forbidden=[(a, b), (b, a)], tiers=[[a, b], [c, d], rest], max_parents=2)
    options = bs.StructureOptions(draws=300, rounds=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        found = bs.Synthesizer(knowledge=knowledge, structure_options=options).learn_structure(
            small_table, random_seed=1, progress=False
        )
    matrix = found.edge_matrix()
    assert matrix.loc[a, d] == 1.0
    assert matrix.loc[a, b] == matrix.loc[b, a] == 0.0
    assert (matrix.loc[[c, d], [a, b]] == 0).all(axis=None)
    assert (matrix.loc[rest, [a, b, c, d]] == 0).all(axis=None)
    own = found.drawn & ~adjacency_of(DAG(found.nodes, found.structural), found.nodes)
    assert own.sum(axis=2).max() <= 2
    assert found.direction(a, d) == "by knowledge"


def learned(frame: pd.DataFrame, **options: object) -> bs.StructurePosterior:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        return bs.Synthesizer(**options).learn_structure(frame, random_seed=1, progress=False)


def test_a_prior_on_an_edge_moves_its_probability_by_its_odds() -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal(60)
    frame = pd.DataFrame({"x": x, "y": 0.22 * x + rng.standard_normal(60)})
    tiers = [["x"], ["y"]]
    p = {}
    for belief in (None, 0.2, 0.8):
        knowledge = bs.Knowledge(tiers=tiers, prior={} if belief is None else {("x", "y"): belief})
        p[belief] = learned(frame, knowledge=knowledge).edge_matrix().loc["x", "y"]
    odds = {belief: value / (1 - value) for belief, value in p.items()}
    assert odds[0.8] / odds[None] == pytest.approx(4.0, rel=0.25)
    assert odds[0.2] / odds[None] == pytest.approx(0.25, rel=0.25)


def test_sinks_inform_nothing() -> None:
    frame = bs.datasets.simulate_network(5, 200, blanks=0.3, random_seed=2).table
    found = learned(frame, knowledge=bs.Knowledge(blanks="sinks"), structure_options=bs.StructureOptions(rounds=1))
    matrix = found.edge_matrix()
    for block in found.blocks:
        own = {child for parent, child in found.structural if parent == block}
        assert set(matrix.columns[matrix.loc[block] > 0]) == own
    assert found.blocks


def test_classical_scores_take_tables_of_one_kind(small_table: pd.DataFrame) -> None:
    numeric = bs.datasets.simulate_network(5, 200, kinds=["continuous"] * 5, blanks=0.0, random_seed=3).table
    for score in ("bge", "bic"):
        found = learned(numeric, structure_options=bs.StructureOptions(score=score, rounds=2))
        assert found.edge_probabilities()["adjacency"].max() > 0.9
    with pytest.raises(InputError, match="blank"):
        learned(small_table, structure_options=bs.StructureOptions(score="bdeu"))


def test_the_exact_best_graph_is_at_least_as_good(small_table: pd.DataFrame) -> None:
    options = bs.StructureOptions(rounds=1, draws=300)
    found = learned(small_table, structure_options=options)
    exact = learned(small_table, structure_options=replace(options, exact_best=True))
    assert exact.best_log_score >= found.best_log_score - 1e-9


def test_an_unconverged_sampler_warns_and_says_so(small_table: pd.DataFrame, laplace: Callable[..., bs.Fit]) -> None:
    short = bs.StructureOptions(draws=10, thin=1, rounds=1, graphs=2)
    with pytest.warns(ConvergenceWarning, match="runs of the graph sampler disagree"):
        bs.Synthesizer(structure_options=short).learn_structure(small_table, random_seed=1, progress=False)
    fit = laplace(small_table, structure="posterior", structure_options=short)
    assert "NOT CONVERGED" in repr(fit)
    assert "NOT CONVERGED" in fit._repr_html_()
    assert "NOT CONVERGED" in fit.relationships().attrs["structure"]


def test_a_bootstrap_goes_all_the_way(small_table: pd.DataFrame, laplace: Callable[..., bs.Fit]) -> None:
    fit = laplace(small_table, structure="bootstrap", structure_options=bs.StructureOptions(bootstraps=6, graphs=4))
    assert fit.structure.how == "bootstrap"
    assert fit.structure.n_draws == 6
    assert len(fit.network.graphs) == 4
    assert fit.sample(30, random_seed=1).shape == (30, 6)
    assert "bootstrap" in fit.sample_tables(2, random_seed=1).provenance.structure


@pytest.mark.parametrize(
    "options",
    [
        {"score": "aic"},
        {"runs": 0},
        {"draws": 1.5},
        {"prior": "flat"},
        {"equivalent_sample_size": 0.0},
        {"graphs": True},
    ],
)
def test_options_that_cannot_be_are_refused(options: dict, small_table: pd.DataFrame) -> None:
    with pytest.raises(InputError):
        learned(small_table, structure_options=bs.StructureOptions(**options))


def test_two_rows_one_column_and_many_blanks_have_a_structure() -> None:
    rng = np.random.default_rng(6)
    tables = [
        pd.DataFrame({"a": rng.standard_normal(30)}),
        pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"]}),
        pd.DataFrame({"a": rng.standard_normal(30), "b": 1.0}),
        pd.DataFrame({"a": ["x"] * 10, "b": 1.0}),
        pd.DataFrame(
            {"a": np.where(rng.random(40) < 0.5, np.nan, rng.standard_normal(40)), "b": rng.standard_normal(40)}
        ),
    ]
    for table in tables:
        found = learned(table, structure_options=bs.StructureOptions(draws=50, rounds=1))
        assert found.edge_probabilities()["adjacency"].between(0, 1).all()
        assert found.convergence()["steps"] >= 0

"""The simulators: the tables follow the law that the network states."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

import bayesynth.datasets as ds

N = 40_000


def raw_values(network, table, name):
    """The numbers behind a complete column: codes for levels."""
    column = table[name]
    return (column.cat.codes if isinstance(column.dtype, pd.CategoricalDtype) else column).to_numpy(dtype=float)


def scores(network, table, child):
    """Standardised scores of the parents of a column, (rows, parents), and their edges."""
    edges = [edge for edge in network.edges if edge.child == child]
    columns = [
        edge.score.standardised(network.laws[edge.parent], raw_values(network, table, edge.parent)) for edge in edges
    ]
    return (np.column_stack(columns) if columns else np.empty((len(table), 0))), edges


def predictor(network, table, child):
    features, edges = scores(network, table, child)
    width = len(edges[0].weights) if edges else 1
    return sum((features[:, [i]] * edge.weights for i, edge in enumerate(edges)), np.zeros((len(table), width)))


@pytest.fixture(scope="module")
def network():
    return ds.random_network(12, n_edges=18, mechanism="mar", random_seed=3)


@pytest.fixture(scope="module")
def complete(network):
    return network.sample(N, blanks=False, random_seed=4)


def logistic_fit(features, outcome):
    """Maximum likelihood intercept and slopes of a logistic regression."""
    design = np.column_stack([np.ones(len(features)), features])

    def loss(beta):
        log_odds = design @ beta
        residual = special.expit(log_odds) - outcome
        return np.mean(np.logaddexp(0, log_odds) - outcome * log_odds), design.T @ residual / len(outcome)

    return optimize.minimize(loss, np.zeros(design.shape[1]), jac=True, method="BFGS").x


def test_binary_ordinal_and_categorical_children_follow_their_logits():
    kinds = ["continuous", "categorical", "binary", "ordinal", "categorical"]
    seen = set()
    for seed in range(8):
        network = ds.random_network(5, kinds=kinds, n_edges=9, effect=0.6, blanks=0, random_seed=seed)
        table = network.sample(N, random_seed=1)
        for child, kind in network.kinds.items():
            features, edges = scores(network, table, child)
            if not edges or kind == "continuous" or len(seen) == 3:
                continue
            codes, weights = raw_values(network, table, child), np.array([edge.weights for edge in edges])
            keep = np.isin(codes, [0, 1]) if kind == "categorical" else codes >= 0
            truth = weights[:, 1] - weights[:, 0] if kind == "categorical" else weights[:, 0]
            slopes = logistic_fit(features[keep], codes[keep] > 0)[1:]
            np.testing.assert_allclose(slopes, truth, atol=0.09)
            seen.add(kind)
    assert seen == {"binary", "ordinal", "categorical"}


def test_continuous_and_count_children_follow_their_means(network, complete):
    seen = set()
    for child, kind in network.kinds.items():
        features, edges = scores(network, complete, child)
        if kind not in ("continuous", "count") or not edges:
            continue
        law, values = network.laws[child], raw_values(network, complete, child)
        if kind == "continuous":
            slopes = np.linalg.lstsq(np.column_stack([np.ones(N), features]), law.score(values), rcond=None)[0]
            np.testing.assert_allclose(slopes[0], 0, atol=0.03)
            np.testing.assert_allclose(slopes[1:], [edge.weights[0] for edge in edges], atol=0.03)
        else:
            mean = law.mean * np.exp(predictor(network, complete, child)[:, 0])
            np.testing.assert_allclose(features.T @ (values - mean) / N, 0, atol=5 * np.sqrt(mean.mean() / N) * 2)
            assert np.mean((values - mean) ** 2 / mean) == pytest.approx(1, abs=0.05)
        seen.add(kind)
    assert seen == {"continuous", "count"}


def test_edges_of_equal_effect_carry_equal_information():
    network = ds.random_network(20, effect=0.4, random_seed=1)
    for edge in network.edges:
        law = network.laws[edge.child]
        weights = np.array(edge.weights)
        assert 0.28 <= edge.effect <= 0.52
        information = {
            "binary": lambda law, w: w[0] ** 2 * law.probability * (1 - law.probability),
            "categorical": lambda law, w: law.probabilities @ w**2 - (law.probabilities @ w) ** 2,
            "ordinal": lambda law, w: w[0] ** 2 * (1 - np.sum(np.power(law.probabilities, 3))) / 3,
            "continuous": lambda law, w: w[0] ** 2,
            "count": lambda law, w: w[0] ** 2 * law.mean,
        }[law.kind]
        assert information(law, weights) == pytest.approx(edge.effect**2)


def test_scores_are_standardised(network, complete):
    for child in network.columns:
        features, _ = scores(network, complete, child)
        np.testing.assert_allclose(features.mean(axis=0), 0, atol=0.08)
        np.testing.assert_allclose(features.std(axis=0), 1, atol=0.08)


def test_columns_without_a_common_ancestor_are_independent_and_neighbours_are_not():
    network = ds.random_network(12, n_edges=12, effect=0.8, kinds={"continuous": 1}, blanks=0, random_seed=8)
    table, graph = network.sample(N, random_seed=1), network.graph
    ranks = np.abs(table.corr(method="spearman"))
    lineage = {name: nx.ancestors(graph, name) | {name} for name in graph}
    strangers = [(a, b) for a in graph for b in graph if a < b and not lineage[a] & lineage[b]]
    assert len(strangers) >= 5
    assert max(ranks.loc[a, b] for a, b in strangers) < 4.5 / np.sqrt(N)
    assert np.median([ranks.loc[edge] for edge in graph.edges]) > 0.3


def test_a_column_is_independent_of_its_grandparents_given_its_parents():
    checked = 0
    for seed in range(6):
        network = ds.random_network(8, kinds={"continuous": 1}, blanks=0, random_seed=seed)
        table, graph = network.sample(N, random_seed=1), network.graph
        values = np.column_stack([network.laws[name].score(table[name].to_numpy()) for name in network.columns])
        place = {name: i for i, name in enumerate(network.columns)}
        for child in graph:
            parents = list(graph.predecessors(child))
            others = sorted(nx.ancestors(graph, child) - set(parents))
            if others:
                design = np.column_stack([np.ones(N), values[:, [place[name] for name in parents + others]]])
                slopes = np.linalg.lstsq(design, values[:, place[child]], rcond=None)[0]
                np.testing.assert_allclose(slopes[1 + len(parents) :], 0, atol=0.04)
                checked += len(others)
    assert checked > 10


@pytest.mark.parametrize("mechanism", ["mcar", "mar"])
@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_blanks_come_at_the_stated_rate_in_half_of_the_columns(mechanism, rate):
    network = ds.random_network(10, blanks=rate, mechanism=mechanism, random_seed=11)
    share = network.sample(N, random_seed=1).isna().mean()
    assert (share > 0).sum() == 5
    assert set(share.index[share > 0]) == {name for block in network.missingness for name in block.columns}
    np.testing.assert_allclose(share[share > 0], rate, atol=0.02)


def test_mar_blanks_depend_on_their_driver_as_stated(network, complete):
    blank = network.sample(N, random_seed=4).isna()
    never = set(blank.columns[~blank.any()])
    for block in network.missingness:
        assert block.driver in never
        score = block.score.standardised(network.laws[block.driver], raw_values(network, complete, block.driver))
        intercept, slope = logistic_fit(score[:, None], blank[block.columns[0]].to_numpy())
        assert slope == pytest.approx(block.slope, abs=0.15)
        assert intercept == pytest.approx(block.intercept, abs=0.15)


def test_mcar_blanks_depend_on_nothing():
    network = ds.random_network(10, blanks=0.3, random_seed=2)
    blank = network.sample(N, random_seed=1).isna()
    complete = network.sample(N, blanks=False, random_seed=1)
    values = np.column_stack([raw_values(network, complete, name) for name in network.columns])
    cut = blank.loc[:, blank.any()].to_numpy(dtype=float)
    correlation = np.corrcoef(np.column_stack([values, cut]), rowvar=False)[10:, :10]
    assert np.abs(correlation).max() < 4.5 / np.sqrt(N)
    assert all(block.driver is None for block in network.missingness)

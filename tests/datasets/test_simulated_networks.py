"""The simulators: equal seeds give equal results, and the tables follow the law that the network states."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

import bayesynth.datasets as ds
from bayesynth.errors import InputError

KINDS = {"binary", "categorical", "ordinal", "continuous", "count"}
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


def test_equal_seed_equal_result_and_other_seed_another():
    first, again = (ds.simulate_network(8, 200, mechanism="mar", random_seed=5) for _ in range(2))
    other = ds.simulate_network(8, 200, mechanism="mar", random_seed=6)
    pd.testing.assert_frame_equal(first.table, again.table)
    assert first.network == again.network
    assert nx.utils.graphs_equal(first.graph, again.graph)
    assert first.network != other.network
    assert not first.table.equals(other.table)


@pytest.mark.parametrize("seed", [7, np.random.SeedSequence(7)])
def test_the_two_doors_give_one_network(seed):
    def fresh():
        return np.random.SeedSequence(7) if isinstance(seed, np.random.SeedSequence) else seed

    network = ds.random_network(9, random_seed=fresh())
    assert network == ds.simulate_network(9, 50, random_seed=fresh()).network
    assert network == ds.simulate_network(9, 80, random_seed=fresh()).network


def test_a_generator_is_advanced_and_the_global_state_is_not():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    generator = np.random.default_rng(1)
    first, second = (ds.simulate_network(6, 50, random_seed=generator) for _ in range(2))
    assert first.network != second.network
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_an_argument_changes_only_what_it_is_about():
    plain, blanker = ds.random_network(10, random_seed=1), ds.random_network(10, blanks=0.3, random_seed=1)
    assert plain.edges == blanker.edges
    assert plain.laws == blanker.laws
    stronger = ds.random_network(10, effect=1.0, random_seed=1)
    assert {(e.parent, e.child) for e in plain.edges} == {(e.parent, e.child) for e in stronger.edges}


@pytest.mark.parametrize("seed", range(20))
def test_graph_is_acyclic_on_the_columns_and_within_its_limits(seed):
    simulated = ds.simulate_network(10, 20, n_edges=17, max_parents=2, random_seed=seed)
    graph = simulated.graph
    assert nx.is_directed_acyclic_graph(graph)
    assert list(graph) == list(simulated.table) == list(simulated.network.columns)
    assert graph.number_of_edges() == 17
    assert max(dict(graph.in_degree).values()) == 2
    place = {name: i for i, name in enumerate(simulated.network.order)}
    assert all(place[parent] < place[child] for parent, child in graph.edges)


def test_column_order_carries_no_information():
    forward = [
        parent < child for seed in range(60) for parent, child in ds.random_network(8, random_seed=seed).graph.edges
    ]
    assert abs(np.mean(forward) - 0.5) < 4 * np.sqrt(0.25 / 60)


@pytest.mark.parametrize("n_columns", [5, 10, 13, 20])
def test_every_kind_is_there_with_its_dtype(n_columns):
    simulated = ds.simulate_network(n_columns, 30, random_seed=2)
    kinds = simulated.network.kinds
    assert set(kinds.values()) == KINDS
    assert nx.get_node_attributes(simulated.graph, "kind") == kinds
    nullable = {name for block in simulated.missingness for name in block.columns}
    for name, kind in kinds.items():
        dtype = simulated.table[name].dtype
        if kind == "continuous":
            assert dtype == "float64"
        elif kind == "count":
            assert dtype == ("Int64" if name in nullable else "int64")
        else:
            assert len(dtype.categories) == {"binary": 2, "categorical": 3, "ordinal": 4}[kind]
            assert dtype.ordered == (kind == "ordinal")


def test_dtypes_belong_to_the_network_not_to_the_draw(network, complete):
    for table in (network.sample(1, random_seed=1), network.sample(30, random_seed=2)):
        assert (table.dtypes == complete.dtypes).all()
    assert not complete.isna().any(axis=None)


def test_kinds_as_a_list_and_as_proportions():
    listed = ["count", "binary", "continuous", "continuous"]
    assert list(ds.random_network(4, kinds=listed, random_seed=1).kinds.values()) == listed
    shared = ds.random_network(8, kinds={"binary": 3, "ordinal": 1}, random_seed=1).kinds
    assert sorted(shared.values()) == ["binary"] * 6 + ["ordinal"] * 2


def test_continuous_columns_have_scales_and_grids_of_their_own():
    network = ds.random_network(8, kinds=["continuous"] * 8, blanks=0, n_edges=0, random_seed=3)
    table = network.sample(5000, random_seed=1)
    assert table.std().max() / table.std().min() > 20
    skewed = table.skew() > 0.5
    assert skewed.sum() == 4
    assert (table.loc[:, skewed] > 0).all(axis=None)
    for name in table:
        decimals = network.laws[name].decimals
        assert (table[name] == table[name].round(decimals)).all()
        assert table[name].nunique() > 20


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


def test_blanks_are_cut_out_of_the_same_rows(network):
    whole, cut = (network.sample(300, blanks=blanks, random_seed=9) for blanks in (False, True))
    assert cut.isna().any(axis=None)
    for name in cut:
        seen = cut[name].notna()
        assert (cut.loc[seen, name] == whole.loc[seen, name]).all()


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


def test_columns_of_a_block_are_blank_together():
    simulated = ds.simulate_network(10, 2000, blank_columns=0.7, block_size=3, blanks=0.2, random_seed=3)
    assert [len(block.columns) for block in simulated.missingness] == [3, 3, 1]
    blank = simulated.table.isna()
    for block in simulated.missingness:
        together = blank[list(block.columns)]
        assert (together.any(axis=1) == together.all(axis=1)).all()


@pytest.mark.parametrize("options", [{"blanks": 0}, {"blank_columns": 0}])
def test_no_blanks_if_none_are_wanted(options):
    simulated = ds.simulate_network(6, 100, random_seed=1, **options)
    assert simulated.missingness == ()
    assert not simulated.table.isna().any(axis=None)


@pytest.mark.parametrize("n_columns", [1, 2])
def test_tiny_networks(n_columns):
    simulated = ds.simulate_network(n_columns, 1, blanks=0.1, random_seed=1)
    assert simulated.table.shape == (1, n_columns)
    assert simulated.graph.number_of_edges() == n_columns - 1


def test_strong_effects_stay_finite():
    table = ds.random_network(15, effect=5, blanks=0, max_parents=5, n_edges=40, random_seed=1).sample(
        2000, random_seed=1
    )
    assert np.isfinite(table.select_dtypes("number").to_numpy(dtype=float)).all()


REFUSED = [
    ({"n_columns": 0}, "n_columns is 0"),
    ({"n_columns": 2.5}, "n_columns is 2.5"),
    ({"n_rows": 0}, "n_rows is 0"),
    ({"n_rows": True}, "n_rows is True"),
    ({"kinds": "binary"}, "neither a list of kinds nor proportions"),
    ({"kinds": ["binary", "nominal"], "n_columns": 2}, "'nominal'"),
    ({"kinds": ["binary"]}, "names 1 kinds and n_columns is 10"),
    ({"kinds": {"binary": -1, "count": 2}}, "not negative"),
    ({"kinds": {"binary": 0}}, "not all zero"),
    ({"n_edges": 46}, "each hold 24"),
    ({"n_edges": -1}, "n_edges is -1"),
    ({"max_parents": -1}, "max_parents is -1"),
    ({"effect": 0}, "effect is 0"),
    ({"effect": float("nan")}, "effect is nan"),
    ({"blanks": 1}, "blanks is 1"),
    ({"blanks": -0.1}, "blanks is -0.1"),
    ({"blank_columns": 1.1}, "blank_columns is 1.1"),
    ({"blank_columns": 1, "mechanism": "mar"}, "always observed"),
    ({"mechanism": "mnar"}, "'mcar' or 'mar'"),
    ({"block_size": 0}, "block_size is 0"),
    ({"random_seed": -1}, "random_seed is -1"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_arguments_that_cannot_be_used_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        ds.simulate_network(**options)


def test_all_problems_are_listed_at_once():
    with pytest.raises(InputError) as caught:
        ds.random_network(0, effect=-1, blanks=2, mechanism="?")
    assert len(caught.value.problems) == 4


def test_cards_in_one_line():
    simulated = ds.simulate_network(10, 500, random_seed=1)
    assert repr(simulated) == "Simulated(500 rows from RandomNetwork(10 columns, 15 edges, 5 columns with blanks))"

"""The simulators: equal seeds give equal results, the shape is as asked, and bad arguments are refused."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import bayesynth.datasets as ds
from bayesynth.errors import InputError

KINDS = {"binary", "categorical", "ordinal", "continuous", "count"}


@pytest.fixture(scope="module")
def network():
    return ds.random_network(12, n_edges=18, mechanism="mar", random_seed=3)


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


def test_dtypes_belong_to_the_network_not_to_the_draw(network):
    complete = network.sample(500, blanks=False, random_seed=4)
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


def test_blanks_are_cut_out_of_the_same_rows(network):
    whole, cut = (network.sample(300, blanks=blanks, random_seed=9) for blanks in (False, True))
    assert cut.isna().any(axis=None)
    for name in cut:
        seen = cut[name].notna()
        assert (cut.loc[seen, name] == whole.loc[seen, name]).all()


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

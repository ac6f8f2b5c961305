"""What is asked of a fit with its table: rows put aside, influence of each row, checks."""

import json
import warnings
import zipfile
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

import bayesynth as bs
from bayesynth._random import as_generator, origin_of
from bayesynth.diagnostics.risk import assess_risk
from bayesynth.encoding.design import FeatureBank
from bayesynth.errors import BayesynthWarning, DisclosureWarning, InputError, SchemaError
from bayesynth.families import Prior
from bayesynth.families._conjugate import conjugate, weighted_moments
from bayesynth.synthesis.coding import encode_frame
from bayesynth.synthesis.holdout import without
from bayesynth.synthesis.pointwise import pointwise, weights_without


@pytest.fixture(scope="module")
def numbers() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    a = rng.normal(size=80)
    b = a + rng.normal(size=80)
    return pd.DataFrame({"a": a, "b": b, "c": b + 0.5 * rng.normal(size=80)})


@pytest.fixture(scope="module")
def pbc_aside(laplace: Callable[..., bs.Fit], pbc: pd.DataFrame) -> bs.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        synthesizer = bs.Synthesizer(inference="laplace", structure="greedy")
        return synthesizer.fit(pbc, holdout=0.2, random_seed=3, progress=False)


# --- rows put aside ---


def quick(frame: pd.DataFrame, **options: object) -> bs.Fit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        return bs.Synthesizer(inference="laplace", structure="greedy").fit(frame, progress=False, **options)


def test_rows_put_aside_leave_no_trace(pbc: pd.DataFrame, pbc_aside: bs.Fit, laplace: Callable[..., bs.Fit]) -> None:
    fitted, holdout = pbc_aside.split(pbc)
    assert len(holdout) == len(pbc_aside.holdout) == 84
    assert pbc_aside.n_rows == len(fitted) == 334
    pd.testing.assert_frame_equal(holdout, pbc.iloc[list(pbc_aside.holdout)])
    assert sorted([*fitted.index, *holdout.index]) == list(pbc.index)
    alone = laplace(fitted, random_seed=3)  # who never heard of the others learns the very same
    pd.testing.assert_frame_equal(alone.sample(50, random_seed=1), pbc_aside.sample(50, random_seed=1))
    pd.testing.assert_frame_equal(alone.relationships(), pbc_aside.relationships())
    assert alone.holdout == ()


def test_rows_are_put_aside_by_the_seed_and_the_table_is_not_changed(numbers: pd.DataFrame) -> None:
    before = numbers.copy()
    one, same, other = (quick(numbers, holdout=0.25, random_seed=seed).holdout for seed in (1, 1, 2))
    assert one == same != other
    assert list(one) == sorted(set(one))
    assert len(one) == 20
    pd.testing.assert_frame_equal(numbers, before)


def test_levels_that_only_rows_put_aside_have_are_never_heard_of(numbers: pd.DataFrame) -> None:
    frame = numbers.assign(
        site=pd.Categorical(["A", "B", "secret", "B"] + ["A", "B"] * 38, categories=["A", "B", "secret", "closed"]),
        text=["u", "v", "hidden", "v"] + ["u", "v"] * 38,
    )
    seed = next(s for s in range(99) if 2 in quick(frame[["a"]], holdout=0.2, random_seed=s).holdout)
    fit = quick(frame, holdout=0.2, random_seed=seed)
    assert 2 in fit.holdout
    drawn = fit.sample(30, random_seed=1)
    assert list(drawn["site"].cat.categories) == ["A", "B", "closed"]
    assert "secret" not in fit.schema.to_json() + drawn.to_csv()
    assert "hidden" not in fit.schema.to_json() + drawn.to_csv()
    fitted, holdout = fit.split(frame)
    assert list(holdout["site"].cat.categories) == ["A", "B", "secret", "closed"]
    figures = assess_risk(fitted, drawn, fit.schema, holdout=holdout, keys=["site"], random_seed=1, progress=False)
    assert [figure.name for figure in figures] == [
        "membership",
        "membership of unusual records",
        "attributes",
        "copies",
    ]


def test_ordered_categories_keep_their_order_without_rows() -> None:
    frame = pd.DataFrame({"x": pd.Categorical(["lo", "hi", "mid"], ["lo", "mid", "hi"], ordered=True)}, index=[7, 7, 7])
    left = without(frame, np.array([2]))["x"]
    assert list(left.cat.categories) == ["lo", "hi"]
    assert left.cat.ordered
    assert list(left.index) == [7, 7]


@pytest.mark.parametrize("share", [1, -0.1, 1.5, True, "0.2", np.nan, 0.001, 0.99])
def test_shares_that_cannot_be_are_refused(numbers: pd.DataFrame, share: object) -> None:
    with pytest.raises(InputError, match="holdout="):
        bs.Synthesizer(inference="laplace").fit(numbers, holdout=share, progress=False)


def test_a_table_that_is_none_is_refused_in_the_usual_words() -> None:
    with pytest.raises(InputError, match="a list was passed"):
        bs.Synthesizer(inference="laplace").fit([1, 2], holdout=0.2, progress=False)


def test_files_hold_positions_and_nothing_else_of_the_rows(pbc: pd.DataFrame, pbc_aside: bs.Fit, tmp_path) -> None:
    path = pbc_aside.save(tmp_path / "x.bayesynth")
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["holdout"] == list(pbc_aside.holdout)
    loaded = bs.load(path)
    assert loaded.holdout == pbc_aside.holdout
    for mine, theirs in zip(loaded.split(pbc), pbc_aside.split(pbc), strict=True):
        pd.testing.assert_frame_equal(mine, theirs)
    pd.testing.assert_frame_equal(loaded.influence(pbc), pbc_aside.influence(pbc))


def test_another_table_is_refused(pbc: pd.DataFrame, pbc_aside: bs.Fit) -> None:
    with pytest.raises(InputError, match="a table of 400 rows"):
        pbc_aside.split(pbc.iloc[:400])
    with pytest.raises(InputError, match="a list"):
        pbc_aside.influence([1])
    moved = pbc.assign(age=pbc["age"] + 0.25)
    with pytest.raises((InputError, SchemaError), match=r"not the one that was fitted|grid"):
        pbc_aside.influence(moved)
    swapped = pbc.assign(sex=pbc["sex"].iloc[::-1].to_numpy(), hepato=pbc["hepato"].iloc[::-1].to_numpy())
    with pytest.raises(InputError, match="not the one that was fitted"):
        pbc_aside.checks(swapped, progress=False)


def test_a_level_of_one_row_is_warned_of_as_disclosure(numbers: pd.DataFrame) -> None:
    frame = numbers.assign(site=["rare"] + ["A"] * 79)
    with pytest.warns(DisclosureWarning, match="'site' with levels that only one row has"):
        bs.Synthesizer(inference="laplace", structure="greedy").fit(frame, random_seed=1, progress=False)


# --- influence ---


def exact_influence(fit: bs.Fit, frame: pd.DataFrame) -> np.ndarray:
    """The closed form: evidences of the table with the row twice, once and not at all."""
    table, _ = encode_frame(frame, fit.schema, as_generator(np.random.SeedSequence(**fit.coding)))
    bank, prior = FeatureBank(table), Prior()
    total = np.zeros(len(frame))
    (graph,) = fit.network.graphs
    for name in graph.values():
        design = fit.network.families[name].design
        assert design.n_scale == 0
        y = table.responses[design.node]
        X = design.matrix(table.encoding, bank._columns_of, len(y))

        def evidence(rows: np.ndarray, y: np.ndarray = y, X: np.ndarray = X) -> float:
            moments = weighted_moments(y[rows], X[rows], np.ones((1, len(rows))))
            return float(conjugate(*moments, len(rows), prior).log_evidence[0])

        once = np.arange(len(y))
        for i in range(len(y)):
            total[i] += evidence(np.r_[once, i]) + evidence(np.delete(once, i)) - 2 * evidence(once)
    return total


def test_influence_is_the_exact_one_where_it_is_known(numbers: pd.DataFrame) -> None:
    fit = quick(numbers, random_seed=5)
    found, wanted = fit.influence(numbers), exact_influence(fit, numbers)
    assert found["trusted"].all()
    np.testing.assert_allclose(found["influence"], wanted, atol=0.06)
    assert np.corrcoef(found["influence"], wanted)[0, 1] > 0.995
    assert wanted.max() > 10 * np.median(wanted) > 0


def test_a_row_unlike_all_others_has_the_largest_influence(numbers: pd.DataFrame) -> None:
    frame = numbers.copy()
    frame.loc[41] = [frame["a"].max() + 1, frame["b"].min() - 1, frame["c"].max() + 1]
    found = quick(frame, random_seed=5).influence(frame)
    assert found["influence"].idxmax() == 41
    assert found.index.name == "row"
    assert "custodian" in found.attrs["caveat"]


def test_graphs_are_averaged_as_the_posterior_without_the_row_wants(
    penguins_fit: bs.Fit, penguins: pd.DataFrame
) -> None:
    network = penguins_fit.network
    table, _ = encode_frame(penguins, penguins_fit.schema, as_generator(np.random.SeedSequence(**penguins_fit.coding)))
    families = dict(pointwise(network, table))
    with_row, without_row = (np.zeros((len(network.graphs), len(penguins))) for _ in range(2))
    for g, graph in enumerate(network.graphs):
        for name in graph.values():
            one = families[name]
            with_row[g, one.rows] += one.log_density
            without_row[g, one.rows] += one.left_out
    found = penguins_fit.influence(penguins)
    np.testing.assert_allclose(np.exp(found["log_density"]), np.exp(with_row).mean(axis=0))
    # The weight of a graph without the row: what it was, over the density that it gives the row.
    weights = np.exp(-without_row - logsumexp(-without_row, axis=0))
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    np.testing.assert_allclose(np.exp(found["log_density_left_out"]), (weights * np.exp(without_row)).sum(axis=0))
    assert len(network.graphs) > 1


def test_influence_counts_rows_as_the_table_does(pbc: pd.DataFrame, pbc_aside: bs.Fit) -> None:
    found = pbc_aside.influence(pbc)
    assert sorted([*found.index, *pbc_aside.holdout]) == list(range(418))
    fitted, _ = pbc_aside.split(pbc)
    pd.testing.assert_frame_equal(pbc_aside.influence(fitted), found)
    assert 20 < found["influence"].sum() < 334  # the effective number of parameters
    assert set(found["most_through"]) <= set(pbc_aside.network.encoding.nodes)


@pytest.mark.parametrize("seed", [None, np.random.SeedSequence([1, 2]), np.random.default_rng(4)], ids=str)
def test_ties_are_ordered_as_they_were_whatever_the_seed(numbers: pd.DataFrame, seed: object, tmp_path) -> None:
    frame = numbers.assign(n=np.arange(80) // 20)
    fit = quick(frame, random_seed=seed)
    found = fit.influence(frame)
    renamed = frame.set_axis([f"p{i}" for i in range(len(frame))], axis=0)
    pd.testing.assert_frame_equal(fit.influence(renamed), found)
    pd.testing.assert_frame_equal(bs.load(fit.save(tmp_path / "x.bayesynth")).influence(frame), found)


def test_an_origin_begins_the_same_stream_anew() -> None:
    for seed in (3, np.random.SeedSequence([5, 6], pool_size=8), np.random.default_rng(9)):
        stream = as_generator(seed).spawn(3)[1]
        origin = json.loads(json.dumps(origin_of(stream)))
        stream.spawn(2)
        again = as_generator(np.random.SeedSequence(**origin))
        assert again.random() == np.random.default_rng(np.random.SeedSequence(**origin)).random() == stream.random()


def test_weights_are_those_of_importance_sampling() -> None:
    rng = np.random.default_rng(2)
    log_density = rng.normal(size=(3, 400)) * np.array([[0.01], [0.2], [1.0]])
    log_weights, k = weights_without(log_density)
    np.testing.assert_allclose(logsumexp(log_weights, axis=1), 0, atol=1e-9)
    plain = -log_density - logsumexp(-log_density, axis=1, keepdims=True)
    np.testing.assert_allclose(log_weights[:2], plain[:2])
    assert k[:2].tolist() == [0, 0]
    assert k[2] != 0
    np.testing.assert_allclose(np.sort(log_weights[2])[:300], np.sort(plain[2])[:300], atol=0.2)
    assert weights_without(np.zeros((2, 100)))[1].tolist() == [0, 0]


# --- checks ---


def test_a_fit_passes_its_checks(pbc: pd.DataFrame, pbc_aside: bs.Fit) -> None:
    before = pbc.copy()
    found, again = (pbc_aside.checks(pbc, tables=40, random_seed=1, progress=False) for _ in range(2))
    assert (found.name, found.group) == ("checks", "fidelity")
    assert found.verdict == "within floor"
    assert found.value.middle == found.details["surprising"].mean() <= 0.1
    pd.testing.assert_frame_equal(found.details, again.details)
    pd.testing.assert_frame_equal(pbc, before)
    facts = found.details[found.details["column"] == "chol"]["fact"].tolist()
    assert facts[:5] == ["share of blanks", "mean", "standard deviation", "largest value", "smallest value"]
    assert facts[-1] == "LOO-PIT"
    assert "a screen, not a test" in found.note.lower()
    assert len(found.worst) == 5


def test_a_relation_that_the_model_may_not_have_is_surprising(laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    frame = pd.DataFrame({"x": x, "y": x + 0.3 * rng.normal(size=200), "g": np.where(x > 0, "u", "v")})
    forbidden = [(a, b) for a in frame for b in frame if a != b]
    fit = laplace(frame, knowledge=bs.Knowledge(forbidden=forbidden))
    details = fit.checks(frame, random_seed=1, progress=False).details
    surprising = details[details["surprising"]]
    assert surprising["fact"].str.startswith("association with").all()
    assert len(surprising) == 2


@pytest.mark.parametrize("refine", [False, True])
def test_a_skewed_residual_shows_in_the_places_of_single_values(laplace: Callable[..., bs.Fit], refine: bool) -> None:
    """Unless its shape is learned."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=600) * 3
    frame = pd.DataFrame({"x": x, "y": x + rng.exponential(size=600) ** 2})
    fit = laplace(frame, knowledge=bs.Knowledge(forbidden=[("y", "x")]), search=bs.SearchOptions(refine=refine))
    details = fit.checks(frame, tables=20, random_seed=1, progress=False).details
    places = details[details["fact"] == "LOO-PIT"].set_index("column")["p"]
    assert (places["y"] < 0.01) == (not refine)
    assert places["x"] > 0.5


@pytest.mark.parametrize("tables", [0, -1, 2.5, True, "3"])
def test_numbers_of_tables_are_checked(pbc: pd.DataFrame, pbc_aside: bs.Fit, tables: object) -> None:
    with pytest.raises(InputError, match="tables="):
        pbc_aside.checks(pbc, tables=tables, progress=False)


def test_nothing_to_model_is_nothing_to_check() -> None:
    frame = pd.DataFrame({"flat": [1.0] * 60, "empty": [np.nan] * 60})
    fit = quick(frame, random_seed=1)
    assert fit.checks(frame, progress=False).verdict == "not done"
    assert fit.influence(frame)["influence"].eq(0).all()

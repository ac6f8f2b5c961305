"""Missingness blocks, parent features, and the table written as nodes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesynth.encoding.blocks import find_blocks
from bayesynth.encoding.design import ChildBank, FeatureBank, Term
from bayesynth.encoding.features import NominalFeatures, NumericFeatures, OrdinalFeatures
from bayesynth.encoding.table import CodedSource, EncodedTable, encode_table

RNG = np.random.default_rng(1)


def observed(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: frame[name].notna().to_numpy() for name in frame}


# --- blocks ------------------------------------------------------------------------------------------------------


def test_blocks_of_pbc(pbc: pd.DataFrame) -> None:
    blocks = {block.name: block for block in find_blocks(observed(pbc))}
    six = next(block for block in blocks.values() if len(block.columns) == 6)
    assert set(six.columns) == {"trt", "ascites", "hepato", "spiders", "alk.phos", "ast"}
    assert pbc[six.columns[0]].isna().sum() == 106
    assert six.outer is None
    of = {column: block for block in blocks.values() for column in block.columns}
    assert of["copper"].outer == six.name
    assert pbc["copper"].isna().sum() == 108
    for name in ("chol", "trig"):
        # 134 and 136 blanks, all of the 106 among them.
        assert of[name].outer is not None
        outer = of[name]
        while outer.outer is not None:
            outer = blocks[outer.outer]
        assert outer == six
    for name in ("stage", "protime", "platelet"):
        assert of[name].outer is None
    assert not set(of) & {"id", "time", "status", "age", "sex", "edema", "bili", "albumin"}


def test_outer_blocks_come_first(pbc: pd.DataFrame) -> None:
    names = [block.name for block in find_blocks(observed(pbc))]
    for block in find_blocks(observed(pbc)):
        if block.outer:
            assert names.index(block.outer) < names.index(block.name)


def test_no_nesting_by_chance() -> None:
    """A handful of blanks often lies inside a column's many by chance; 40 do not."""
    rng = np.random.default_rng(1)
    many = rng.random(400) < 0.5
    few = np.zeros(400, bool)
    few[np.flatnonzero(many)[:6]] = True
    blocks = {b.columns[0]: b for b in find_blocks({"many": ~many, "few": ~few})}
    assert blocks["many"].outer is None
    forty = np.zeros(400, bool)
    forty[np.flatnonzero(many)[:40]] = True
    blocks = {b.columns[0]: b for b in find_blocks({"many": ~many, "forty": ~forty})}
    assert blocks["many"].outer == blocks["forty"].name


def test_nesting_is_found_step_by_step() -> None:
    rng = np.random.default_rng(1)
    u = rng.random(500)
    blocks = {b.columns[0]: b for b in find_blocks({"c": u > 0.5, "a": u > 0.1, "b": u > 0.3})}
    assert blocks["a"].outer is None
    assert blocks["b"].outer == blocks["a"].name
    assert blocks["c"].outer == blocks["b"].name


def test_blocks_never_take_the_name_of_a_column() -> None:
    rng = np.random.default_rng(1)
    u = rng.random(100) > 0.3
    (block,) = find_blocks({"y": u, "z": u, "observed(y +1)": np.ones(100, bool)})
    assert block.columns == ("y", "z")
    assert block.name not in {"y", "z", "observed(y +1)"}


def test_columns_without_blanks_have_no_block() -> None:
    assert find_blocks({"a": np.ones(5, bool)}) == ()


# --- features ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scores", [RNG.standard_normal(300), RNG.exponential(1, 300)], ids=["normal", "skewed"])
def test_a_spline_is_a_line_and_curves_orthogonal_to_it(scores: np.ndarray) -> None:
    features = NumericFeatures.of(scores)
    columns = features.columns(scores, "spline")
    assert features.forms == ("linear", "spline")
    assert len(features.labels("spline")) == columns.shape[1] == 3
    np.testing.assert_allclose(columns[:, :1], features.columns(scores, "linear"))
    with_one = np.column_stack([np.ones(300), columns])
    np.testing.assert_allclose(with_one.T @ with_one / 300, np.eye(4), atol=1e-9)
    far = features.columns(np.array([50.0, 51.0, 52.0]), "spline")
    np.testing.assert_allclose(np.diff(far, 2, axis=0), 0, atol=1e-6)  # natural: straight beyond the knots


def test_few_values_offer_no_spline() -> None:
    rng = np.random.default_rng(1)
    assert NumericFeatures.of(rng.poisson(1, 300).astype(float) % 4).forms == ("linear",)
    assert NumericFeatures.of(np.where(rng.random(300) < 0.97, 0.0, rng.random(300))).forms == ("linear",)


def test_a_constant_score_is_no_division_by_zero() -> None:
    assert np.isfinite(NumericFeatures.of(np.ones(10)).columns(np.ones(10), "linear")).all()


@pytest.mark.parametrize("k", [2, 3, 5])
def test_nominal_features_do_not_know_which_level_is_first(k: int) -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(k, size=200)
    names = tuple("abcde"[:k])
    plain = NominalFeatures.of(codes, names).columns(codes, "levels")
    assert plain.shape == (200, k - 1)
    np.testing.assert_allclose(plain.mean(0), 0, atol=1e-12)
    assert (plain**2).sum() / 200 == pytest.approx(k - 1)  # unit variance on average
    relabelled = np.random.default_rng(2).permutation(k)[codes]
    other = NominalFeatures.of(relabelled, names).columns(relabelled, "levels")
    np.testing.assert_allclose(other @ other.T, plain @ plain.T, atol=1e-9)  # a rotation: the same inner products


def test_ordinal_features_are_a_line_or_steps() -> None:
    rng = np.random.default_rng(1)
    codes = rng.choice(4, 200, p=[0.1, 0.2, 0.3, 0.4]).astype(float)
    features = OrdinalFeatures.of(codes, np.array([-1.6, -0.8, 0.0, 0.9]), tuple("abcd"))
    assert features.forms == ("linear", "steps")
    line = features.columns(codes, "linear")
    assert line.shape == (200, 1)
    assert line.mean() == pytest.approx(0, abs=1e-12)
    assert line.std() == pytest.approx(1)
    assert features.columns(codes, "steps").shape == (200, 3)
    assert (np.diff(features.columns(np.arange(4.0), "linear")[:, 0]) > 0).all()


# --- table and designs -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table() -> EncodedTable:
    rng = np.random.default_rng(1)
    n = 300
    z = rng.standard_normal(n)
    seen = rng.random(n) < 0.7
    sources = {
        "z": CodedSource(np.where(seen, z, np.nan), (), False, step=0.01),
        "k": CodedSource(rng.integers(3, size=n).astype(float), ("a", "b", "c"), False),
        "o": CodedSource(rng.integers(3, size=n).astype(float), ("lo", "mid", "hi"), True),
        "b": CodedSource(rng.integers(2, size=n).astype(float), ("no", "yes"), False),
        "fixed": CodedSource(np.where(seen, 0.0, np.nan), ("only",), False, modelled=False),
        "empty": CodedSource(np.full(n, np.nan), (), False),
    }
    return encode_table(sources, np.random.default_rng(1))


def test_nodes_have_the_family_of_their_kind(table: EncodedTable) -> None:
    nodes = table.encoding.nodes
    assert {n: nodes[n].family for n in "zkob"} == {
        "z": "gaussian",
        "k": "categorical",
        "o": "ordinal",
        "b": "binary",
    }
    (block,) = table.encoding.blocks
    assert block.columns == ("z", "fixed")
    assert nodes[block.name].is_indicator
    assert nodes["z"].gate == block.name
    assert table.encoding.structural_edges == ((block.name, "z"),)
    assert table.encoding.fixed == {"fixed": 0.0}
    assert "empty" not in nodes
    assert table.encoding.block_of("fixed") == block
    assert table.encoding.block_of("k") is None


def test_features_are_zero_where_the_parent_is_blank(table: EncodedTable) -> None:
    bank = FeatureBank(table)
    seen = table.defined["z"]
    for form in ("linear", "spline"):
        columns = bank.gather(bank.places(Term(("z",), form)), np.arange(table.n_rows))
        assert (columns[:, ~seen] == 0).all()
        assert np.abs(columns[:, seen]).max() > 1
        np.testing.assert_allclose(columns[:, seen].mean(1), 0, atol=1e-9)


def test_designs_are_centred_over_the_rows_of_the_child(table: EncodedTable) -> None:
    bank, (block,) = FeatureBank(table), table.encoding.blocks
    gate = Term((block.name,), "levels")
    for child, terms in {
        "k": [Term(("z",), "spline"), Term(("o",), "steps"), gate],
        "z": [Term(("k",), "levels"), Term(("b",), "levels"), Term(("b", "k"), "product")],
    }.items():
        mine = ChildBank(bank, child)
        design = mine.design(terms)
        X = mine.stack(mine.places(design.terms)[None])[0]
        assert X.shape == (int(table.defined[child].sum()), len(design.labels))
        np.testing.assert_allclose(X.mean(0), 0, atol=1e-12)
        assert np.linalg.matrix_rank(X) == X.shape[1]


def test_the_design_of_drawn_rows_is_the_design_of_the_fit(table: EncodedTable) -> None:
    """The columns that sampling makes from values are those that the parameters were fitted on."""
    mine = ChildBank(FeatureBank(table), "k")
    design = mine.design([Term(("z",), "spline"), Term(("b", "o"), "product"), Term(("b",), "levels")])
    nodes = table.encoding.nodes

    def columns_of(name: str, form: str) -> np.ndarray:
        observed = np.ones(table.n_rows, bool) if nodes[name].is_indicator else table.defined[name]
        return nodes[name].columns(table.values[name], observed, form)

    again = design.matrix(table.encoding, columns_of, table.n_rows)
    assert design.stand_ins
    np.testing.assert_allclose(again, mine.matrix(design), atol=1e-12)
    zeros = mine.design(design.terms, zeros={"z"})
    again = zeros.matrix(table.encoding, columns_of, table.n_rows)
    np.testing.assert_allclose(again, mine.stack(mine.places(design.terms)[None])[0], atol=1e-12)


def test_responses_are_normal_scores_where_there_is_a_value(table: EncodedTable) -> None:
    seen = table.defined["z"]
    z = table.responses["z"][seen]
    assert np.isnan(table.responses["z"][~seen]).all()
    assert z.mean() == pytest.approx(0, abs=1e-9)
    assert np.array_equal(np.argsort(z), np.argsort(table.values["z"][seen]))
    np.testing.assert_array_equal(table.responses["k"], table.values["k"])

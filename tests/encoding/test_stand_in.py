"""Stand-ins for blank parents: the regression they are, and the rows where they are used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesynth.encoding.design import PRODUCT, ChildBank, Design, FeatureBank, Term
from bayesynth.encoding.features import PRESENCE
from bayesynth.encoding.stand_in import StandIn, stand_ins
from bayesynth.encoding.table import EncodedTable
from bayesynth.schema import Schema
from bayesynth.synthesis.coding import encode_frame

LINEAR_X, LINEAR_P, LEVELS_C = (
    Term((name,), form) for name, form in (("x", "linear"), ("p", "linear"), ("c", "levels"))
)


@pytest.fixture(scope="module")
def table() -> EncodedTable:
    """p follows x and c and is blank in a third of the rows; q is blank wherever p is; y has no blanks."""
    rng = np.random.default_rng(5)
    x, c = rng.standard_normal(300), rng.integers(3, size=300)
    p = 0.8 * x + 0.5 * (c == 1) + 0.5 * rng.standard_normal(300)
    blank = rng.random(300) < 1 / 3
    columns = {"x": x, "c": np.array(list("uvw"))[c], "p": np.where(blank, np.nan, p)}
    frame = pd.DataFrame(columns | {"q": np.where(blank, np.nan, rng.random(300)), "y": rng.standard_normal(300)})
    return encode_frame(frame, Schema.infer(frame), np.random.default_rng(1))[0]


def design(table: EncodedTable, *terms: Term) -> tuple[ChildBank, Design]:
    bank = ChildBank(FeatureBank(table), "y")
    return bank, bank.design(terms)


def columns_of(table: EncodedTable, name: str, form: str) -> np.ndarray:
    return table.encoding.nodes[name].columns(table.values[name], table.defined[name], form)


def test_a_stand_in_is_ridge_regression_on_the_rows_with_a_value(table: EncodedTable) -> None:
    sklearn = pytest.importorskip("sklearn.linear_model")
    _, found = design(table, LINEAR_X, LEVELS_C, LINEAR_P)
    (stand_in,) = found.stand_ins
    assert (stand_in.parent, stand_in.form) == ("p", "linear")
    assert set(stand_in.given) == {("x", "linear"), ("c", "levels")}
    X = np.concatenate([columns_of(table, *given) for given in stand_in.given], axis=1)
    seen = table.defined["p"]
    ridge = sklearn.Ridge(alpha=1.0).fit(X[seen], columns_of(table, "p", "linear")[seen, 0])
    np.testing.assert_allclose(stand_in.weights[:, 0], [ridge.intercept_, *ridge.coef_], atol=1e-9)


def test_it_stands_where_the_parent_is_blank_and_nowhere_else(table: EncodedTable) -> None:
    bank, found = design(table, LINEAR_X, LINEAR_P)
    (stand_in,) = found.stand_ins
    column = bank.matrix(found)[:, found.labels.index("p")]
    seen, plain = table.defined["p"], columns_of(table, "p", "linear")[:, 0]
    expected = stand_in.weights[0, 0] + stand_in.weights[1, 0] * columns_of(table, "x", "linear")[:, 0]
    filled = np.where(seen, plain, expected)
    np.testing.assert_allclose(column, filled - filled.mean(), atol=1e-12)
    assert np.corrcoef(expected[~seen], table.values["x"][~seen])[0, 1] > 0.99
    assert bank.matrix(found).mean(axis=0) == pytest.approx(0.0, abs=1e-12)


def test_products_use_it_too(table: EncodedTable) -> None:
    bank, found = design(table, LINEAR_X, LINEAR_P, Term(("p", "x"), PRODUCT))
    matrix = bank.matrix(found) + found.centres
    x, p, product = (matrix[:, found.labels.index(label)] for label in ("x", "p", "p x x"))
    np.testing.assert_allclose(product, p * x, atol=1e-12)


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        ((LINEAR_P,), "no other parent"),
        ((LINEAR_X, LEVELS_C), "no blank parent"),
        ((LINEAR_P, Term(("q",), "linear")), "the other is blank in the same rows"),
        ((), "no parent"),
    ],
)
def test_nothing_stands_in_without_need_or_without_knowledge(
    table: EncodedTable, terms: tuple[Term, ...], why: str
) -> None:
    assert design(table, *terms)[1].stand_ins == (), why


def test_a_parent_can_keep_its_zeros(table: EncodedTable) -> None:
    bank = ChildBank(FeatureBank(table), "y")
    kept = bank.design((LINEAR_X, LINEAR_P), zeros={"p"})
    assert kept.stand_ins == ()
    column = (bank.matrix(kept) + kept.centres)[:, kept.labels.index("p")]
    assert (column[~table.defined["p"]] == 0.0).all()


def test_rows_without_blanks_are_left_as_they_are() -> None:
    values = np.arange(4.0)[:, None]

    def given(name: str, form: str) -> np.ndarray:
        return np.ones((4, 1)) if form == PRESENCE else values

    stand_in = StandIn("p", "linear", (("x", "linear"),), np.array([[9.0], [9.0]]))
    assert stand_in.fill(given) is values


def test_few_rows_on_a_side_tell_nothing() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((50, 1))
    for n_known, some in ((10, True), (4, False)):
        known = {"p": np.arange(50) < 30, "x": (np.arange(50) < 20) | (np.arange(50) >= 50 - n_known)}

        def given(name: str, form: str, known: dict[str, np.ndarray] = known) -> np.ndarray:
            return known[name][:, None].astype(float) * (1.0 if form == PRESENCE else x)

        assert bool(list(stand_ins([("p", "linear")], [("x", "linear")], given))) is some

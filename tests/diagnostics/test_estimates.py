"""What an analysis returns is read in every usual form, and what cannot be pooled is named with its tables."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import bayesynth as bs
from bayesynth.diagnostics.estimates import Estimates, read, run, stack
from bayesynth.errors import InferenceWarning, InputError


@pytest.fixture(scope="module")
def frames() -> list[pd.DataFrame]:
    made = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(80)
        group = rng.choice(list("abc"), 80)
        y = 1 + 0.5 * x + (group == "b") + rng.standard_normal(80)
        made.append(pd.DataFrame({"x": x, "g": group, "y": y, "d": (y > 1).astype(int)}))
    return made


# --- forms -------------------------------------------------------------------------------------------------------


def test_results_of_statsmodels_are_read_by_name(frames: list[pd.DataFrame]) -> None:
    for make in (
        lambda t: smf.ols("y ~ x + g", t).fit(),
        lambda t: smf.ols("y ~ x + g", t).fit(cov_type="HC3"),
        lambda t: smf.logit("d ~ x + g", t).fit(disp=0),
        lambda t: smf.glm("d ~ x", t, family=sm.families.Poisson()).fit(),
        lambda t: smf.phreg("y ~ x", t.assign(y=t["y"] - t["y"].min() + 1)).fit(),
    ):
        result = make(frames[0])
        found = read(result, "table 1")
        np.testing.assert_allclose(found.values, np.asarray(result.params))
        np.testing.assert_allclose(found.variances, np.asarray(result.cov_params()))
        assert "x" in found.names
        assert found.named


def test_a_result_without_pandas_takes_the_names_of_its_model(frames: list[pd.DataFrame]) -> None:
    table = frames[0]
    result = sm.OLS(table["y"].to_numpy(), sm.add_constant(table["x"].to_numpy())).fit()
    assert read(result, "table 1").names == ("const", "x1")


def test_results_of_lifelines_are_read() -> None:
    params = pd.Series({"age": 0.2, "sex": -0.1})
    covariances = pd.DataFrame([[0.04, 0.01], [0.01, 0.09]], index=params.index, columns=params.index)
    found = read(SimpleNamespace(params_=params, variance_matrix_=covariances), "table 1")
    assert found.names == ("age", "sex")
    np.testing.assert_array_equal(found.variances, covariances)


def test_pairs_mappings_and_estimates_alone_are_read() -> None:
    values = pd.Series({"a": 1.0, "b": 2.0})
    for result in (
        (values, [0.1, 0.2]),
        (values, pd.Series({"b": 0.2, "a": 0.1})),  # matched by name, not by place
        {"a": (1.0, 0.1), "b": [2.0, 0.2]},
        {"a": np.array([1.0, 0.1]), "b": np.array([2.0, 0.2])},
        Estimates(("a", "b"), values.to_numpy(), np.array([0.1, 0.2])),
    ):
        found = read(result, "table 1")
        assert found.names == ("a", "b")
        np.testing.assert_array_equal(found.values, [1.0, 2.0])
        np.testing.assert_array_equal(found.variances, [0.1, 0.2])
    swapped = pd.DataFrame([[0.2, 0.05], [0.05, 0.1]], index=["b", "a"], columns=["b", "a"])
    np.testing.assert_array_equal(read((values, swapped), "t").variances, [[0.1, 0.05], [0.05, 0.2]])
    assert read((2.0, 0.1), "t").names == ("estimate",)
    assert read((np.float64(2), np.float64(0.1)), "t").variances.shape == (1,)
    assert read(([2.0, 3.0], np.eye(2)), "t").variances.shape == (2, 2)
    assert not read(([2.0, 3.0], [0.1, 0.1]), "t").named
    for alone in (values, {"a": 1.0, "b": 2.0}):
        assert read(alone, "t").variances is None
    assert read(3, "t").values.tolist() == [3.0]


MALFORMED = [
    (None, "a NoneType from table 1: it holds no estimates"),
    ("text", "a str from table 1"),
    ({}, "a mapping of 0 names"),
    ({"a": (1.0, 0.1, 0.2)}, r"pair \(estimate, variance\)"),
    ({"a": 1.0, "b": (1.0, 2.0)}, r"pair \(estimate, variance\)"),
    ((1.0, "x"), "variances from table 1 are not numbers"),
    ((["x"], [0.1]), "estimates from table 1 are not numbers"),
    (([1.0, 2.0], [0.1]), r"variances of shape \(1,\)"),
    (([1.0, 2.0], np.ones((2, 3))), r"shape \(2, 3\)"),
    ((np.ones((2, 2)), np.ones((2, 2))), r"estimates of shape \(2, 2\)"),
    ((pd.Series([1.0, 2.0], index=["a", "a"]), [0.1, 0.1]), "'a' more than once"),
    ((pd.Series([1.0, 2.0], index=["a", None]), [0.1, 0.1]), "has no name"),
    ((pd.Series([1.0, 2.0], index=["a", ""]), [0.1, 0.1]), "has no name"),
    ((pd.Series({"a": 1.0}), pd.Series({"b": 0.1})), "other names"),
    (((1.0, 0.1), (2.0, 0.2), (3.0, 0.3)), "a tuple from table 1"),
]


@pytest.mark.parametrize(("result", "message"), MALFORMED)
def test_what_cannot_be_read_is_named(result: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(result, "table 1")


# --- over tables -------------------------------------------------------------------------------------------------


def of(values: list[float], variances: list[float] | None, names: tuple[str, ...] = ("a", "b")) -> Estimates:
    return Estimates(names, np.array(values, float), None if variances is None else np.array(variances, float))


def test_tables_are_stacked_by_name() -> None:
    covariances = np.array([[0.2, 0.1], [0.1, 0.4]])
    one = Estimates(("a", "b"), np.array([1.0, 2.0]), covariances)
    other = Estimates(("b", "a"), np.array([20.0, 10.0]), covariances[::-1, ::-1] * 2)
    found = stack([one, other])
    np.testing.assert_array_equal(found.values, [[1, 2], [10, 20]])
    np.testing.assert_array_equal(found.covariances, [covariances, covariances * 2])
    np.testing.assert_array_equal(found.variances, [[0.2, 0.4], [0.4, 0.8]])
    assert found.dropped == {}


def test_a_coefficient_that_some_table_lacks_is_left_out_and_counted() -> None:
    some = [of([1, 2], [0.1, 0.1])] * 3 + [of([5], [0.1], ("a",))] * 2
    with pytest.warns(InferenceWarning, match=r"'b' \(absent from 2 of 5\)"):
        found = stack(some)
    assert found.names == ("a",)
    assert found.dropped == {"b": 2}
    with pytest.warns(InferenceWarning):
        pooled = bs.combine(some, kind="ppd_hybrid", n_real=10, n_synthetic=10)
    assert pooled.dropped == {"b": 2}
    assert "Left out: b (absent from 2 of 5)." in pooled._repr_html_()


def test_a_rare_level_drops_its_coefficient_alone(frames: list[pd.DataFrame]) -> None:
    rare = [frame.copy() for frame in frames]
    rare[2] = rare[2][rare[2]["g"] != "c"]
    with pytest.warns(InferenceWarning, match=r"g\[T.c\].*absent from 1 of 6"):
        found = stack(run(lambda t: smf.ols("y ~ x + g", t).fit(), rare, 6))
    assert found.names == ("Intercept", "g[T.b]", "x")
    assert found.covariances.shape == (6, 3, 3)


IMPOSSIBLE = [
    ([of([np.nan, 1], [0.1, 0.1])], "the estimate of 'a' is not a finite number in 1 of 4 tables"),
    ([of([np.inf, 1], [0.1, 0.1])], "the estimate of 'a'"),
    ([of([1, 1], [0.1, np.nan])] * 2, "the variance of 'b' is not a finite number in 2 of 5 tables"),
    ([of([1, 1], [0.0, 0.1])], "the variance of 'a' is not above 0"),
    ([of([1, 1], [0.1, -0.1])], "the variance of 'b' is not above 0"),
    ([of([1, np.nan], [0.0, 0.1])], "2 problems"),
    ([of([1, 1], None)], "other variances"),
    ([of([1], [0.1], ("c",))], "no coefficient is in all 4 tables"),
    ([Estimates(("0", "1"), np.ones(2), np.ones(2), named=False)], "without names in 1 of 4"),
]


@pytest.mark.parametrize(("bad", "message"), IMPOSSIBLE)
def test_what_no_analysis_can_mean_is_refused_with_its_tables(bad: list[Estimates], message: str) -> None:
    with pytest.raises(InputError, match=message):
        stack([of([1, 2], [0.1, 0.2])] * 3 + bad)


def test_tables_are_named_in_the_message() -> None:
    some = [of([1, 2], [0.0 if i in (1, 4) else 0.1, 0.1]) for i in range(6)]
    with pytest.raises(InputError, match=r"in 2 of 6 tables \(2, 5\)"):
        stack(some)


def test_coefficients_without_names_must_be_as_many_in_all_tables() -> None:
    with pytest.raises(InputError, match="1 to 2 coefficients without names"):
        stack([read(([1.0, 2.0], [0.1, 0.1]), "t"), read(([1.0], [0.1]), "t")])


def test_a_matrix_that_is_not_symmetric_is_refused() -> None:
    skew = Estimates(("a", "b"), np.ones(2), np.array([[1.0, 0.5], [0.4, 1.0]]))
    with pytest.raises(InputError, match="not symmetric"):
        stack([skew, skew])


def test_an_analysis_that_fails_names_its_table(frames: list[pd.DataFrame]) -> None:
    broken = [*frames[:2], frames[2].drop(columns="x")]
    with pytest.raises(InputError, match=r"failed on table 3 of 3: KeyError: 'x'") as caught:
        run(lambda t: (t["x"].mean(), 0.1), broken, 3)
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_analysis_cannot_change_the_tables(frames: list[pd.DataFrame]) -> None:
    before = [frame.copy() for frame in frames]

    def careless(table: pd.DataFrame) -> tuple[float, float]:
        table["x"] = 0.0
        table.pop("y")
        return 1.0, 1.0

    run(careless, frames, 6)
    for one, other in zip(frames, before, strict=True):
        pd.testing.assert_frame_equal(one, other)

"""Every kind of bad input: handled as stated, or refused in three parts before anything is sampled."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth import synthesis
from bayesynth.errors import (
    BayesynthWarning,
    DataWarning,
    DisclosureWarning,
    InputError,
    SchemaError,
    SchemaWarning,
)

N = 120
X = np.random.default_rng(0).standard_normal(N)


def table(**more: object) -> pd.DataFrame:
    """A harmless table, with further columns."""
    rng = np.random.default_rng(1)
    plain = {
        "age": (50 + 10 * X).round(1),
        "arm": np.where(X + rng.standard_normal(N) > 0, "drug", "placebo"),
        "visits": rng.poisson(3 * np.exp(0.3 * X)),
    }
    return pd.DataFrame(plain | more)


def few(values: list, blank: object, n: int = N) -> pd.Series:
    return pd.Series([*values, *[blank] * (n - len(values))])


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no rows": (lambda: table().iloc[:0], "no rows"),
    "one row": (lambda: table().iloc[:1], "one row"),
    "no columns": (lambda: pd.DataFrame(index=range(10)), "no columns"),
    "no frame": (lambda: table().to_numpy(), "ndarray"),
    "duplicate names": (lambda: table().set_axis(["a", "a", "b"], axis=1), "'a' occurs 2 times"),
    "names of numbers": (lambda: table().set_axis([1, 2, "b"], axis=1), "not text: 1, 2"),
    "MultiIndex": (lambda: table().set_axis(pd.MultiIndex.from_product([["a"], list("xyz")]), axis=1), "MultiIndex"),
    "infinities": (lambda: table(i=np.where(X > 1, np.inf, X)), "'i' holds"),
    "minus infinity": (lambda: table(i=np.where(X > 1, -np.inf, X)), "'i' holds"),
    "beyond 2^53": (lambda: table(b=2**60 + np.arange(N) % 7 * 2**50), "'b' holds numbers with more digits"),
    "600 levels": (
        lambda: pd.DataFrame({"l": [f"l{i % 600}" for i in range(1800)], "y": np.arange(1800) % 7}),
        "'l' has 600 different levels",
    ),
    "mixed types": (lambda: table(m=pd.Series([1, "1", 1.0] * 40, dtype=object)), "'m' is values of several types"),
    "lists": (lambda: table(z=[[1]] * N), "'z' is values of type list"),
    "complex": (lambda: table(z=X + 1j), "'z' is a column of type complex"),
    "bytes": (lambda: table(z=[b"a", b"b"] * 60), "'z' is values of type bytes"),
    "periods": (lambda: table(z=pd.period_range("2020", periods=N, freq="D")), "'z' is a column of type period"),
    "sparse": (lambda: table(z=pd.arrays.SparseArray(np.where(X > 0, 0.0, X))), "sparse"),
    "only identifiers": (lambda: pd.DataFrame({"id": [f"p{i:05d}" for i in range(N)]}), "every column is an ident"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_sampling(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, found = REFUSED[name]

    def never(*_: object) -> None:
        raise AssertionError("the search began")

    monkeypatch.setattr(synthesis.synthesizer, "learn_structure", never)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchemaWarning)
        with pytest.raises(InputError) as caught:
            bs.Synthesizer(inference="laplace", structure="greedy").fit(make(), random_seed=1, progress=False)
    assert found in str(caught.value)
    for problem in caught.value.problems:
        assert problem.found
        assert problem.why
        assert problem.remedy
        if problem.column is not None:
            assert problem.column in problem.found


def test_all_problems_at_once() -> None:
    frame = table(i=np.where(X > 1, np.inf, X), z=[[1]] * N)
    with pytest.raises(InputError) as caught:
        bs.Synthesizer(inference="laplace", structure="greedy").fit(frame, progress=False)
    assert {p.column for p in caught.value.problems} == {"i", "z"}


HANDLED: dict[str, tuple[Callable[[], pd.DataFrame], str | None]] = {
    "plain": (table, None),
    "two rows": (lambda: table().iloc[:2], "2 rows"),
    "five rows": (lambda: table().iloc[:5], "5 rows"),
    "all-blank numbers": (lambda: table(e=np.nan), "'e' is all blank"),
    "all-blank objects": (lambda: table(e=pd.Series([None] * N, dtype=object)), "'e' is all blank"),
    "constant text": (lambda: table(c="k"), "'c' is constant"),
    "constant number": (lambda: table(c=4.5), "'c' is constant"),
    "constant with blanks": (
        lambda: table(c=pd.Series(np.where(X > 0.5, None, "k"), dtype=object)),
        "'c' is constant",
    ),
    "over 95% blank": (lambda: table(s=few([1.0, 2.0, 3.0, 4.0], np.nan)), "'s' is blank in over 95%"),
    "levels over 95% blank": (lambda: table(s=few(["p", "q", "p", "q"], None)), "'s' is blank in over 95%"),
    "one value only": (lambda: table(s=few([1.0], np.nan)), "'s' is constant"),
    "a level seen once": (lambda: table(l=few(["rare"], "common")), "'l' with levels that only one row has"),
    "identical columns": (lambda: table(t=(50 + 10 * X).round(1)), "age = t"),
    "identical levels": (lambda: table().assign(t=lambda d: d["arm"]), "arm = t"),
    "collinear columns": (
        lambda: table(u=X, v=X[::-1] ** 3).assign(w=lambda d: d["u"] + d["v"]),
        "exact linear combination",
    ),
    "perfect separation": (lambda: table(u=X, s=np.where(X > 0, "y", "n")), None),
    "more columns than rows": (
        lambda: pd.DataFrame(np.random.default_rng(2).standard_normal((20, 40))).rename(columns="c{}".format),
        "more columns (40) than rows (20)",
    ),
    "40 columns, 60 rows": (
        lambda: pd.DataFrame(np.random.default_rng(2).standard_normal((60, 40))).rename(columns="c{}".format),
        None,
    ),
    "duplicate rows": (lambda: pd.concat([table(), table()], ignore_index=True), "rows repeat an earlier row"),
    "one column": (lambda: table()[["age"]], None),
    "one column of levels": (lambda: table()[["arm"]], None),
    "one column with blanks": (lambda: pd.DataFrame({"a": np.where(X > 0, np.nan, X)}), None),
    "all constant but one": (lambda: pd.DataFrame({"a": 1, "b": "x", "c": X}), "'a', 'b' are constant"),
    "all constant": (lambda: pd.DataFrame({"a": 1, "b": ["x"] * N}), "'a', 'b' are constant"),
    "all constant with blanks": (lambda: pd.DataFrame({"a": np.where(X > 0, 1.0, np.nan)}), "'a' is constant"),
    "all blank": (lambda: pd.DataFrame({"a": [np.nan] * N, "b": [None] * N}), "'a', 'b' are all blank"),
    "an index that repeats": (lambda: table().set_axis(np.arange(N) % 7), None),
    "internal names": (lambda: table().set_axis(["missing", "_", "x[0]"], axis=1), None),
    "names of dimensions": (lambda: table().set_axis(["chain", "draw", "term[x]"], axis=1), None),
    "names of fields": (lambda: table().set_axis(["type", "slopes", "class"], axis=1), None),
    "names of paths": (lambda: table().set_axis(["a/b", "..", "a\N{DIVISION SLASH}b"], axis=1), None),
    "names in any script": (lambda: table().set_axis(["日本\n\t語", "a\x00b", " "], axis=1), None),
    "a name that looks like a block": (
        lambda: table(y=np.where(X > 0, np.nan, X)).rename(columns={"age": "observed(y)"}),
        None,
    ),
    "markup": (lambda: table().set_axis(["<script>alert(1)</script>", "&amp;", '"'], axis=1), None),
    "huge and tiny": (lambda: table(h=1e15 * X, t=1e-12 * X**3, e=np.exp(20 * X)), None),
    "nested blanks": (lambda: table(o=np.where(X > 1, np.nan, X), p=np.where(X > 0.5, np.nan, X[::-1])), None),
    "booleans": (lambda: table(b=X > 0, n=pd.array(np.where(X > 1, None, X > 0), dtype="boolean")), None),
    "nullable": (
        lambda: table(
            i=pd.array(np.where(X > 1, None, (9 + 2 * X).astype(int)), dtype="Int64"),
            s=pd.array(np.where(X > 1, None, np.where(X > 0, "u", "v")), dtype="string"),
        ),
        None,
    ),
    "Arrow": (lambda: pytest.importorskip("pyarrow") and table().convert_dtypes(dtype_backend="pyarrow"), None),
    "times": (
        lambda: table(
            d=pd.Timestamp("2020-01-01", tz="Europe/Berlin") + pd.to_timedelta((9000 + 999 * X).astype(int), unit="h"),
            s=pd.to_timedelta((50 + 9 * X).astype(int), unit="D"),
        ),
        None,
    ),
    "small integers": (lambda: table(u=(100 + 40 * X).astype("uint8")), None),
    "unused levels": (
        lambda: table(k=pd.Categorical(np.where(X > 0, "b", "a"), categories=["z", "b", "never", "a"])),
        None,
    ),
}


@pytest.mark.parametrize("name", HANDLED)
def test_handled_and_given_back_alike(name: str, tmp_path: object) -> None:
    make, warning = HANDLED[name]
    frame = make()
    before = frame.copy(deep=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = bs.Synthesizer(inference="laplace", structure="greedy").fit(frame, random_seed=1, progress=False)
        synthetic = fit.sample(80, random_seed=2)
        again = (
            bs.Synthesizer(inference="laplace", structure="greedy")
            .fit(frame, random_seed=1, progress=False)
            .sample(80, random_seed=2)
        )
    assert {w.category for w in caught if not issubclass(w.category, BayesynthWarning)} == set()
    said = [str(w.message) for w in caught if issubclass(w.category, (DataWarning, DisclosureWarning))]
    if warning is not None:
        assert any(warning in text for text in said), said
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(again, synthetic)
    assert list(synthetic.columns) == list(frame.columns)
    assert synthetic.shape[0] == 80
    assert isinstance(synthetic.index, pd.RangeIndex)
    for column in frame:
        assert synthetic[column].dtype == frame[column].dtype
        assert_support(frame[column], synthetic[column])
    everything_can_be_asked(fit, frame)
    fit.save(tmp_path / "x.bayesynth")
    loaded = bs.load(tmp_path / "x.bayesynth")
    pd.testing.assert_frame_equal(loaded.sample(80, random_seed=2), synthetic)
    pd.testing.assert_frame_equal(loaded.relationships(), fit.relationships())
    pd.testing.assert_frame_equal(loaded.convergence(), fit.convergence())


def assert_support(real: pd.Series, drawn: pd.Series) -> None:
    """No blank where there was none, all blank where all was, no new level, nothing beyond the extremes."""
    if not real.isna().any():
        assert not drawn.isna().any()
    if real.isna().all():
        assert drawn.isna().all()
    present, seen = real.dropna(), drawn.dropna()
    if not len(seen):
        return
    numeric = pd.api.types.is_numeric_dtype(real) or pd.api.types.is_datetime64_any_dtype(real)
    if numeric and not pd.api.types.is_bool_dtype(real):
        assert present.min() <= seen.min()
        assert seen.max() <= present.max()
    elif not pd.api.types.is_timedelta64_dtype(real):
        assert set(seen) <= set(present)


def everything_can_be_asked(fit: bs.Fit, frame: pd.DataFrame) -> None:
    edges = fit.relationships()
    assert np.isfinite(edges[["effect", "lower", "upper"]]).all(axis=None)
    assert len(fit.missingness()) == len(fit.network.encoding.blocks)
    assert set(fit.graph()) == set(fit.network.encoding.nodes) == set(fit.convergence()["node"])
    assert str(fit.n_rows) in repr(fit)
    assert "<script>alert" not in fit._repr_html_()
    filled = fit.sample(30, blanks=False, random_seed=3)
    learnable = [c for c in filled if fit.blanks[c] != fit.n_rows]
    assert not filled[learnable].isna().any(axis=None)
    assert [len(t) for t in fit.sample_tables(2, 20, random_seed=3)] == [20, 20]
    assert set(fit.posterior.children) == {"posterior", "sample_stats"}
    assert np.isfinite(fit.influence(frame)["influence"]).all()
    assert fit.checks(frame, tables=3, random_seed=1, progress=False).name == "checks"


def test_a_constant_column_keeps_its_share_of_blanks(laplace: Callable[..., bs.Fit]) -> None:
    fit = laplace(table(c=pd.Series(np.where(X > 0.5, None, "k"), dtype=object)))
    drawn = fit.sample(4000, random_seed=1)["c"]
    assert set(drawn.dropna()) == {"k"}
    # 4,000 draws and the posterior of a rate from 120 rows: 4 sds of 0.043 and 0.007 together.
    assert abs(drawn.isna().mean() - (X > 0.5).mean()) < 0.17


def test_identical_columns_stay_nearly_identical(laplace: Callable[..., bs.Fit]) -> None:
    drawn = laplace(table(t=(50 + 10 * X).round(1))).sample(2000, random_seed=1)
    # The prior of the residual variance keeps a rest of some 0.1 sd among 120 rows.
    assert drawn[["age", "t"]].corr(method="spearman").iloc[0, 1] > 0.95


def test_a_hundred_levels_are_handled(laplace: Callable[..., bs.Fit]) -> None:
    frame = pd.DataFrame({"l": [f"l{i % 100:02d}" for i in range(300)], "y": np.sin(np.arange(300.0))})
    # As a child with features it takes half a minute: 99 coefficients each; as a parent, and alone, it is quick.
    fit = laplace(frame, knowledge=bs.Knowledge(forbidden=[("y", "l")]))
    drawn = fit.sample(3000, random_seed=1)["l"]
    assert set(drawn) <= set(frame["l"])
    assert drawn.value_counts(normalize=True).max() < 0.05  # 0.01 each in truth


def test_perfect_separation_is_learned_and_finite(laplace: Callable[..., bs.Fit]) -> None:
    fit = laplace(table(u=X, s=np.where(X > 0, "y", "n")))
    drawn = fit.sample(2000, random_seed=1)
    assert ((drawn["u"] > 0) == (drawn["s"] == "y")).mean() > 0.8
    assert np.isfinite(fit.relationships()[["lower", "upper"]]).all(axis=None)


def test_a_read_only_frame_is_fitted(laplace: Callable[..., bs.Fit]) -> None:
    values = np.column_stack([X, X**2, np.arange(N) % 3])
    values.setflags(write=False)
    frame = pd.DataFrame(values, columns=["a", "b", "c"], copy=False)
    assert not frame["a"].to_numpy().flags.writeable
    laplace(frame)
    np.testing.assert_array_equal(frame.to_numpy(), values)


def test_an_unseen_level_is_refused_by_a_given_schema() -> None:
    schema = bs.Schema.infer(table())
    with pytest.raises(SchemaError) as caught:
        bs.Synthesizer(schema, inference="laplace", structure="greedy").fit(
            table(arm=np.where(X > 0, "drug", "other")), progress=False
        )
    assert "'other'" in str(caught.value)


def test_a_schema_of_another_table_is_refused() -> None:
    with pytest.raises(InputError, match="visits"):
        bs.Synthesizer(bs.Schema.infer(table()), inference="laplace", structure="greedy").fit(
            table()[["age", "arm"]], progress=False
        )


@pytest.mark.parametrize("value", [0, -1, 2.5, "10", True, np.nan])
def test_numbers_of_rows_are_checked(penguins_fit: bs.Fit, value: object) -> None:
    for draw in (
        lambda: penguins_fit.sample(value),
        lambda: penguins_fit.sample_tables(2, value),
        lambda: penguins_fit.sample_tables(value, 2),
    ):
        with pytest.raises(InputError, match="whole number above 0"):
            draw()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"draws": "each"}, "draws='each'"),
        ({"delta": {"body_mass_g": 1.0}}, "blanks=True"),
        ({"delta": {"species": 1.0}, "blanks": False}, "'species'"),
        ({"delta": {"nothing": 1.0}, "blanks": False}, "'nothing'"),
        ({"delta": {"body_mass_g": np.nan}, "blanks": False}, "body_mass_g"),
        ({"delta": {"body_mass_g": "20"}, "blanks": False}, "body_mass_g"),
        ({"random_seed": -1}, "random_seed is -1"),
        ({"random_seed": "1"}, "random_seed is '1'"),
    ],
)
def test_options_of_drawing_are_checked(penguins_fit: bs.Fit, options: dict, found: str) -> None:
    with pytest.raises(InputError) as caught:
        penguins_fit.sample(5, **options)
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"inference": "advi"}, "inference='advi'"),
        ({"prior": 0.5}, "prior is a float"),
        ({"knowledge": {}}, "knowledge is a dict"),
        ({"sampler": 4}, "sampler is a int"),
        ({"search": None}, "search is a NoneType"),
        ({"schema": {"a": "binary"}}, "schema is a dict"),
    ],
)
def test_options_of_fitting_are_checked(options: dict, found: str) -> None:
    with pytest.raises(InputError) as caught:
        bs.Synthesizer(**options)
    assert found in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"chains": 0}, {"tune": 10}, {"draws": 1.5}, {"retries": -1}, {"n_jobs": 0}, {"chains": "4"}]
)
def test_sampler_options_are_checked(options: dict) -> None:
    with pytest.raises(InputError, match=f"SamplerOptions\\({next(iter(options))}="):
        bs.SamplerOptions(**options)


@pytest.mark.parametrize("options", [{"tabu": -1}, {"restarts": 1.5}, {"shake": "6"}, {"restarts": -1}])
def test_search_options_are_checked(options: dict) -> None:
    with pytest.raises(InputError, match=f"SearchOptions\\({next(iter(options))}="):
        bs.SearchOptions(**options)

"""Combining rules: equal to hand-computed values, indifferent to units and order, and valid where they say so."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesynth as bs
from bayesynth.diagnostics.combining import combine, functional
from bayesynth.diagnostics.estimates import Stack
from bayesynth.diagnostics.rules import EXPECTED, REAL_ROWS, RULES
from bayesynth.diagnostics.spread import FEWEST_DF
from bayesynth.errors import InferenceWarning, InputError, VarianceWarning

Q, U = [1.0, 2.0, 3.0], [0.05, 0.15, 0.10]  # mean 2, b = 1, mean u = 0.1
NESTED_Q = [1.0, 3.0, 5.0, 7.0, 8.0, 10.0]  # nest means 2, 6, 9: B = 37/3; w = 2
COMPLETE = bs.Provenance(100, 200, 20, "each_table", "posterior over graphs", {"a": 0.0, "b": 0.3}, False, True)


def quietly(*args: object, **options: object) -> bs.Pooled:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InferenceWarning)
        return combine(*args, **options)


# --- hand-computed -----------------------------------------------------------------------------------------------

GOLDEN = [
    ("fully", {}, 4 / 3 - 0.1, 2 * (1 - 0.1 / (4 / 3)) ** 2),
    ("ppd", {"n_real": 100, "n_synthetic": 200}, 0.1 * (2 + 3 / 3), np.inf),
    ("ppd_hybrid", {"n_real": 100, "n_synthetic": 200}, 1 / 3 + 0.2, 5.12),
    ("plugin", {"n_real": 100, "n_synthetic": 200}, 0.1 * (2 + 1 / 3), np.inf),
    ("partial", {}, 1 / 3 + 0.1, 3.38),
    ("imputation", {}, 4 / 3 + 0.1, 2.31125),
    ("imputation", {"df_complete": 20}, 4 / 3 + 0.1, 1 / (800 / 1849 + 989 / 1260)),
]


@pytest.mark.parametrize(("kind", "options", "total", "df"), GOLDEN)
def test_each_rule_gives_the_hand_computed_value(kind: str, options: dict, total: float, df: float) -> None:
    pooled = quietly(Q, U, kind=kind, **options)
    row = pooled.to_frame().loc["estimate"]
    assert row["estimate"] == pytest.approx(2.0)
    assert row["variance"] == pytest.approx(total)
    assert row["se"] == pytest.approx(np.sqrt(total))
    assert row["df"] == pytest.approx(df)
    assert (row["between"], row["within"]) == pytest.approx((1.0, 0.1))
    quantile = stats.norm.ppf(0.975) if np.isinf(df) else stats.t.ppf(0.975, df)
    assert row["upper"] - 2.0 == pytest.approx(2.0 - row["lower"])
    assert row["upper"] == pytest.approx(2.0 + quantile * np.sqrt(total))
    assert not row["adjusted"]
    assert (pooled.kind, pooled.formula) == (kind, RULES[kind].formula)


def test_nested_tables_give_the_hand_computed_value() -> None:
    pooled = combine(NESTED_Q, [0.1] * 6, kind="nested", nests=["x", "x", "y", "y", "z", "z"])
    row = pooled.to_frame().loc["estimate"]
    total = 4 / 3 * 37 / 3 - 2 / 2 + 0.1
    assert row["variance"] == pytest.approx(total)
    assert row["df"] == pytest.approx(total**2 / ((4 / 3 * 37 / 3) ** 2 / 2 + 1 / 3))
    shuffled = combine(NESTED_Q[::-1], [0.1] * 6, nests=[3, 3, 2, 2, 1, 1])
    assert shuffled.kind == "nested"
    assert shuffled.se.iloc[0] == pytest.approx(pooled.se.iloc[0])


def test_a_mixture_has_the_quantiles_of_its_distribution_function() -> None:
    pooled = quietly([[-1.0, 5.0], [1.0, 5.0]], [[1.0, 4.0], [1.0, 4.0]], kind="mixture")
    row = pooled.to_frame().iloc[0]
    assert row["variance"] == pytest.approx(2.0)  # of the mixture: mean variance 1, variance of centres 1
    assert stats.norm.cdf([row["upper"] - 1, row["upper"] + 1]).mean() == pytest.approx(0.975)
    assert row["lower"] == pytest.approx(-row["upper"])
    assert pooled.interval.iloc[1].tolist() == pytest.approx(list(stats.norm(5, 2).interval(0.95)))


def test_synthpops_own_way_of_writing_its_rules_gives_the_same() -> None:
    n, k, m, u = 173, 411, 3, 0.1
    sizes = {"n_real": n, "n_synthetic": k}
    assert combine(Q, U, kind="ppd", **sizes).se.iloc[0] ** 2 == pytest.approx(u * k / n * (1 + (n / k + 1) / m))
    assert combine(Q, U, kind="plugin", **sizes).se.iloc[0] ** 2 == pytest.approx(u * k / n * (1 + n / (k * m)))


def test_the_real_data_target_is_what_the_real_analysis_would_report() -> None:
    pooled = combine(Q, U, target="real_data", n_real=100, n_synthetic=200, df_complete=99)
    assert pooled.se.iloc[0] == pytest.approx(np.sqrt(0.1 * 200 / 100))
    assert pooled.interval.iloc[0, 1] == pytest.approx(2 + stats.t.ppf(0.975, 99) * np.sqrt(0.2))
    assert (pooled.target, pooled.formula) == ("real_data", EXPECTED.formula)
    assert "expected to report" in pooled.sentence
    assert "population" not in pooled.sentence


# --- properties --------------------------------------------------------------------------------------------------


@pytest.fixture
def several() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return rng.standard_normal((25, 4)) * 3, rng.gamma(4, 0.3, (25, 4))


SIZES = {"n_real": 150, "n_synthetic": 900}
FULLY_SYNTHETIC = ("fully", "ppd", "ppd_hybrid", "plugin", "mixture")


def test_fully_is_rubins_rule_less_twice_the_variance_within(several: tuple[np.ndarray, np.ndarray]) -> None:
    rubin, fully = (combine(*several, kind=kind).to_frame() for kind in ("imputation", "fully"))
    np.testing.assert_allclose(fully["variance"], rubin["variance"] - 2 * fully["within"])


@pytest.mark.parametrize("kind", FULLY_SYNTHETIC)
def test_units_and_order_do_not_matter(kind: str, several: tuple[np.ndarray, np.ndarray]) -> None:
    q, u = several
    plain = quietly(q, u, kind=kind, **SIZES).to_frame()
    order = np.random.default_rng(1).permutation(len(q))
    pd.testing.assert_frame_equal(quietly(q[order], u[order], kind=kind, **SIZES).to_frame(), plain)
    scale, shift = np.array([1e-6, 2.54, 1e5, 0.01]), np.array([0.0, -32.0, 5.0, 1e3])
    other = quietly(q * scale + shift, u * scale**2, kind=kind, **SIZES).to_frame()
    for end in ("estimate", "lower", "upper"):
        np.testing.assert_allclose(other[end], plain[end] * scale + shift, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(other["variance"], plain["variance"] * scale**2)
    np.testing.assert_allclose(other["df"], plain["df"])


@pytest.mark.parametrize("kind", ["fully", "ppd_hybrid"])
def test_covariances_of_combinations_are_combinations_of_covariances(kind: str) -> None:
    rng = np.random.default_rng(5)
    q = rng.standard_normal((30, 3)) * 2
    a = rng.standard_normal((30, 8, 3))
    v = np.einsum("mki,mkj->mij", a, a) / 30
    turn = np.array([[1.0, 1.0, 0.0], [0.0, 2e4, 1.0], [1.0, 0.0, -3.0]])
    plain = combine(q, v, kind=kind, **SIZES | {"n_synthetic": 1500})
    turned = combine(q @ turn.T, turn @ v @ turn.T, kind=kind, **SIZES | {"n_synthetic": 1500})
    assert not plain.matrix_adjusted
    np.testing.assert_allclose(turned.covariance(), turn @ plain.covariance().to_numpy() @ turn.T, rtol=1e-8)
    np.testing.assert_allclose(np.diag(plain.covariance()), plain.se**2)
    np.testing.assert_array_equal(plain.covariance(), plain.covariance().T)


def test_many_large_tables_leave_the_variance_of_the_real_analysis() -> None:
    """With u = v n/k and b = v (1 + n/k), all rules for fully synthetic tables tend to v."""
    v, n, m, k = 0.4, 100, 4000, 40_000
    rng = np.random.default_rng(1)
    q = rng.standard_normal(m)
    q = (q - q.mean()) / q.std(ddof=1) * np.sqrt(v * (1 + n / k))
    for kind in FULLY_SYNTHETIC:
        total = quietly(q, np.full(m, v * n / k), kind=kind, n_real=n, n_synthetic=k).se.iloc[0] ** 2
        assert total == pytest.approx(v, rel=6e-3), kind


# --- variances that cannot be ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("m", "ratio"), [(5, 0.5), (5, 1.0), (10, 1.0), (20, 0.5)])
def test_how_often_the_variance_is_not_positive_follows_the_chi_square_formula(m: int, ratio: float) -> None:
    rng, repeats = np.random.default_rng(2), 20_000
    q = rng.standard_normal((m, repeats)) * np.sqrt(1 + ratio)  # v = 1, V/k = 1/ratio, in units of v/ratio
    u = np.ones((m, repeats))
    found = quietly(q, u, kind="fully", n_real=1000, n_synthetic=int(1000 * ratio)).to_frame()
    negative = (1 + 1 / m) * found["between"] - found["within"] <= 0
    scaled = (m - 1) * m / (m + 1) / (1 + ratio)
    assert found.loc[negative, "adjusted"].all()
    assert negative.mean() == pytest.approx(stats.chi2.cdf(scaled, m - 1), abs=0.012)
    noise = scaled / (1 - np.sqrt(FEWEST_DF / (m - 1)))  # fewer than one degree of freedom
    assert found["adjusted"].mean() == pytest.approx(stats.chi2.cdf(noise, m - 1), abs=0.012)
    np.testing.assert_allclose(found.loc[found["adjusted"], "variance"], ratio)
    assert (found.loc[found["adjusted"], "df"] == m - 1).all()
    assert (found["se"] > 0).all()


def test_a_repair_is_flagged_warned_of_and_told() -> None:
    sizes = {"n_real": 100, "n_synthetic": 500}
    q, u = pd.DataFrame({"x": Q, "y": Q}), pd.DataFrame({"x": [9.0] * 3, "y": U})
    with pytest.warns(InferenceWarning) as said:
        pooled = combine(q, u, kind="fully", **sizes)
    assert [w.category for w in said] == [InferenceWarning, VarianceWarning]
    assert "'x' is not positive" in str(said[1].message)
    assert said[1].filename == __file__
    assert pooled.adjusted.to_dict() == {"x": True, "y": False}
    assert pooled.se["x"] == pytest.approx(np.sqrt(5 * 9.0))
    assert pooled.df["x"] == 2
    assert "1 of the estimates" in pooled.sentence
    assert "mere noise: x." in pooled._repr_html_()
    assert issubclass(VarianceWarning, InferenceWarning)


def test_a_repair_needs_to_know_the_sizes() -> None:
    with pytest.warns(InferenceWarning), pytest.raises(InputError, match="n_real and n_synthetic"):
        combine(Q, [9.0] * 3, kind="fully")


def test_a_matrix_that_is_not_positive_definite_is_replaced_where_it_is_asked_for() -> None:
    rng = np.random.default_rng(4)
    q = rng.standard_normal((20, 30)) * 3  # more coefficients than tables: the matrix cannot have full rank
    v = np.repeat(np.eye(30)[None] * 0.5, 20, axis=0)
    pooled = quietly(q, v, kind="fully", n_real=100, n_synthetic=500)
    assert pooled.matrix_adjusted
    with pytest.warns(VarianceWarning, match="not positive definite"):
        np.testing.assert_allclose(pooled.covariance(), 2.5 * np.eye(30))
    unsized = quietly(q, v, kind="fully")
    with pytest.raises(InputError, match="n and k"):
        unsized.covariance()
    with pytest.raises(InputError, match="covariance"):
        quietly(q, np.einsum("mii->mi", v), kind="fully").covariance()


# --- the choice --------------------------------------------------------------------------------------------------


def provenance(**changes: object) -> bs.Provenance:
    facts = COMPLETE.to_dict() | {"n_synthetic": 500} | changes
    return bs.Provenance.from_dict(facts)


CHOICES = [
    ({}, ("a",), 20, "ppd_hybrid"),
    ({}, ("a",), 1, "ppd"),
    ({}, ("a", "b"), 20, "fully"),
    ({}, None, 20, "fully"),
    ({"blank_shares": {}}, None, 20, "ppd_hybrid"),
    ({"blank_shares": {"gone": 1.0}}, None, 20, "ppd_hybrid"),  # a column without any value decides nothing
    ({"draws": "each_row"}, ("a",), 20, "plugin"),
    ({"draws": "fixed"}, ("a",), 1, "plugin"),
    ({"synthesis": "partially", "n_synthetic": 100}, None, 20, "partial"),
    ({"synthesis": "imputed", "n_synthetic": 100}, None, 20, "imputation"),
]


@pytest.mark.parametrize(("changes", "columns", "m", "kind"), CHOICES)
def test_the_rule_is_chosen_by_the_provenance(changes: dict, columns: tuple | None, m: int, kind: str) -> None:
    rng = np.random.default_rng(1)
    q, u = rng.standard_normal(m), np.full(m, 0.1)
    pooled = combine(q, u, provenance=provenance(**changes), columns=columns)
    assert pooled.kind == kind
    assert len(pooled.why) > 10
    assert (pooled.m, pooled.n_real, pooled.n_synthetic) == (m, 100, changes.get("n_synthetic", 500))


REFUSED: list[tuple[dict, str]] = [
    ({}, "without a provenance"),
    ({"kind": "best"}, "no such rule"),
    ({"kind": "ppd"}, "k/n"),
    ({"kind": "fully", "level": 1.0}, "probability"),
    ({"kind": "fully", "level": np.nan}, "probability"),
    ({"kind": "fully", "target": "truth"}, "no such target"),
    ({"kind": "fully", "target": "real_data"}, "leave kind out"),
    ({"target": "real_data"}, "k/n"),
    ({"kind": "fully", "df_complete": 0}, "positive"),
    ({"kind": "mixture", "df_complete": 5}, "quantiles"),
    ({"kind": "nested"}, "imputation behind each"),
    ({"kind": "nested", "nests": [1, 1, 2]}, "same number"),
    ({"kind": "fully", "nests": [1, 1, 2]}, "give both"),
    ({"kind": "imputation", "n_real": 10, "n_synthetic": 20}, "real rows"),
    ({"kind": "ppd", "n_real": 0, "n_synthetic": 20}, "counts rows"),
    ({"provenance": provenance(m=2)}, "count twice"),
    ({"provenance": provenance(), "n_real": 99}, "provenance says 100"),
    ({"provenance": provenance(), "columns": ["c"]}, "no column 'c'"),
    ({"provenance": provenance(draws="each_row")}, "what the blanks cost"),
    ({"provenance": provenance(synthesis="imputed", n_synthetic=100), "target": "real_data"}, "real rows"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_does_not_fit_is_refused(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        combine(Q, U, **options)


@pytest.mark.parametrize("kind", [kind for kind, rule in RULES.items() if rule.fewest == 2 and kind != "nested"])
def test_one_table_has_no_variance_between_tables(kind: str) -> None:
    with pytest.raises(InputError, match="at least two"):
        combine(1.0, 0.1, kind=kind, n_real=100, n_synthetic=100)


def test_one_table_with_blanks_is_refused() -> None:
    with pytest.raises(InputError, match="one table, and blanks in b"):
        combine(1.0, 0.1, provenance=provenance())


WARNED: list[tuple[dict, dict, str]] = [
    ({"m": 20}, {"n_synthetic": 100}, "several times too wide"),
    ({"m": 10}, {}, "kind='fully' with 10 tables:"),
    ({"kind": "ppd_hybrid"}, {}, "too narrow"),
    ({"target": "real_data"}, {}, "too narrow"),
    ({"kind": "imputation"}, {"n_synthetic": 100}, "far too wide"),
    ({"kind": "fully"}, {"draws": "each_row"}, "lacks the uncertainty"),
    ({"kind": "mixture"}, {}, "1.18 times as wide"),
    ({"kind": "partial", "m": 4}, {"n_synthetic": 100, "synthesis": "partially"}, "at least 5"),
]


@pytest.mark.parametrize(("options", "changes", "message"), WARNED)
def test_what_fits_badly_is_warned_of(options: dict, changes: dict, message: str) -> None:
    rng = np.random.default_rng(1)
    m = options.pop("m", 20) if "m" in options else 20
    with pytest.warns(InferenceWarning, match=message):
        combine(rng.standard_normal(m), np.full(m, 0.05), provenance=provenance(**changes), **options)


def test_reproduced_blanks_make_the_size_rules_reasonable_again() -> None:
    q = np.random.default_rng(1).standard_normal(20)
    pooled = combine(q, np.full(20, 0.1), provenance=provenance(blanks=True), kind="ppd_hybrid")
    assert any("blanks are reproduced" in assumption for assumption in pooled.assumptions)


def test_what_is_assumed_of_the_graph_depends_on_the_rule() -> None:
    q, u = np.random.default_rng(1).standard_normal(20), np.full(20, 0.1)
    facts = {"columns": ["a"], "provenance": provenance()}
    assert any("graphs are drawn" in a for a in combine(q, u, **facts).assumptions)
    assert any("conditional on the graph" in a for a in combine(q[:1], u[:1], **facts).assumptions)
    fixed = provenance(graph_drawn=False, structure="greedy search")
    told = combine(q, u, provenance=fixed, columns=["a"]).assumptions
    assert any("conditional on the graph or model (greedy search)" in a for a in told)


# --- what is returned --------------------------------------------------------------------------------------------


def test_a_result_tells_what_it_is() -> None:
    names = ["<b>age</b>", "sex"]
    q = pd.DataFrame(np.random.default_rng(1).standard_normal((20, 2)), columns=names)
    pooled = combine(q, q * 0 + 0.1, provenance=provenance(), columns=["a"], level=0.9)
    frame = pooled.to_frame()
    assert list(frame.index) == names
    assert frame.attrs["kind"] == "ppd_hybrid"
    assert frame.attrs["level"] == 0.9
    html = pooled._repr_html_()
    assert "&lt;b&gt;age" in html
    assert "<b>age" not in html
    assert "90% interval" in html
    for part in ("20 fully synthetic tables", "k = 500", "n = 100", "Raab, Nowok and Dibben (2017)", "90% intervals"):
        assert part in pooled.sentence
    assert pooled.sentence in repr(pooled)
    frame.loc["sex", "se"] = -1.0
    mine = pooled.estimate
    mine.iloc[0] = 9.0
    assert (pooled.se > 0).all()
    assert pooled.estimate.iloc[0] == pytest.approx(q.iloc[:, 0].mean())


def test_estimates_come_in_many_forms() -> None:
    frame, other = pd.DataFrame({"x": Q, "y": Q}), pd.DataFrame({"y": U, "x": U})
    sizes = {"kind": "ppd_hybrid", "n_real": 100, "n_synthetic": 200}
    expected = combine(frame, other, **sizes).to_frame()
    covariances = np.array([np.diag([u, u]) for u in U])
    forms = [
        ([frame.iloc[i] for i in range(3)], [other.iloc[i] for i in range(3)]),
        ([{"x": (q, u), "y": (q, u)} for q, u in zip(Q, U, strict=True)], None),
        (frame, covariances),
    ]
    for estimates, variances in forms:
        pd.testing.assert_frame_equal(combine(estimates, variances, **sizes).to_frame(), expected)
    by_place = combine(frame.to_numpy(), other.to_numpy(), **sizes).to_frame()
    np.testing.assert_array_equal(by_place.to_numpy(), expected.to_numpy())
    refused = [
        ((Q, None), "without variances"),
        ((frame, None), "no variances"),
        ((Q, U[:2]), "estimates of 3 tables"),
        (([], []), "no estimates"),
    ]
    for wrong, match in refused:
        with pytest.raises(InputError, match=match):
            combine(*wrong, **sizes)


def test_estimates_without_variances_are_refused() -> None:
    with pytest.raises(InputError, match="without variances"):
        combine([{"x": 1.0}, {"x": 2.0}], kind="fully")


# --- coverage ----------------------------------------------------------------------------------------------------

N, REPEATS = 200, 2000


@cache
def normal_tables(m: int, ratio: int, *, missing: float = 0.0, n: int = N) -> tuple[np.ndarray, np.ndarray, int]:
    """Means and their variances in tables drawn from the exact posterior of a normal sample, shape (m, repeats)."""
    rng, k, seen = np.random.default_rng([m, ratio]), n * ratio, round(n * (1 - missing))
    mean = rng.standard_normal(REPEATS) / np.sqrt(seen)
    variance = rng.chisquare(seen - 1, REPEATS) / (seen - 1)
    sigma = np.sqrt((seen - 1) * variance / rng.chisquare(seen - 1, (m, REPEATS)))
    mu = mean + sigma * rng.standard_normal((m, REPEATS)) / np.sqrt(seen)
    q = mu + sigma * rng.standard_normal((m, REPEATS)) / np.sqrt(k)
    return q, sigma**2 * rng.chisquare(k - 1, (m, REPEATS)) / (k - 1) / k, k


def covered(pooled: bs.Pooled) -> float:
    ends = pooled.interval
    return float(((ends["lower"] <= 0) & (ends["upper"] >= 0)).mean())


def naively(q: np.ndarray, u: np.ndarray, k: int) -> float:
    return float((np.abs(q[0]) <= stats.t.ppf(0.975, k - 1) * np.sqrt(u[0])).mean())


def by_rule(kind: str) -> Callable[..., float]:
    sized = kind not in REAL_ROWS
    return lambda q, u, k: covered(quietly(q, u, kind=kind, **({"n_real": N, "n_synthetic": k} if sized else {})))


def asked_directly(q: np.ndarray, u: np.ndarray, k: int) -> float:
    names = tuple(map(str, range(q.shape[1])))
    return covered(functional(Stack(names, q, u), N, k, 0.95, COMPLETE))


WAYS = {
    "naive": naively,
    "ppd": by_rule("ppd"),
    "ppd_hybrid": by_rule("ppd_hybrid"),
    "fully": by_rule("fully"),
    "imputation": by_rule("imputation"),
    "mixture": by_rule("mixture"),
    "functional": asked_directly,
}
PAGE = (Path(__file__).parents[2] / "docs" / "inference.md").read_text(encoding="utf-8")


def documented() -> list[tuple[float, int, int, str, float]]:
    """Cells of the table of coverage on the page: share missing, k/n, m, rule, coverage."""
    lines = [line.strip("| ").split("|") for line in PAGE.splitlines() if re.match(r"\| \d+% \| ", line)]
    head = re.search(r"^\| blank \| (.+) \|$", PAGE, re.MULTILINE).group(1).replace("`", "").split(" | ")
    found = []
    for line in lines:
        blank, *cells = (cell.strip() for cell in line)
        row = dict(zip(head, cells, strict=True))
        ratio, m = int(row["k"].rstrip("n") or 1), int(row["m"])
        values = [(rule, float(row[rule])) for rule in WAYS if row[rule] != "-"]
        found += [(int(blank.rstrip("%")) / 100, ratio, m, rule, value) for rule, value in values]
    return found


@pytest.mark.parametrize(("missing", "ratio", "m", "rule", "stated"), documented())
def test_the_page_states_the_coverage_that_is_measured(
    missing: float, ratio: int, m: int, rule: str, stated: float
) -> None:
    found = WAYS[rule](*normal_tables(400 if rule == "functional" else m, ratio, missing=missing))
    assert found == pytest.approx(stated, abs=0.002)


def test_the_documented_table_has_the_cells_that_matter() -> None:
    cells = {(missing, ratio, m, rule) for missing, ratio, m, rule, _ in documented()}
    assert {(0.0, 1, 20, "naive"), (0.0, 10, 20, "fully"), (0.5, 5, 20, "ppd"), (0.5, 5, 20, "functional")} <= cells


@pytest.mark.parametrize(("rule", "m", "ratio"), [("ppd", 1, 1), ("ppd", 10, 1), ("ppd_hybrid", 5, 1)])
def test_rules_for_complete_tables_cover_what_they_say(rule: str, m: int, ratio: int) -> None:
    assert 0.94 <= WAYS[rule](*normal_tables(m, ratio)) <= 0.96


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.5])
def test_rules_that_hold_with_blanks_cover_what_they_say(missing: float) -> None:
    tables = normal_tables(20, 10, missing=missing)
    assert 0.94 <= WAYS["fully"](*tables) <= 0.965
    assert 0.94 <= WAYS["functional"](*normal_tables(400, 10, missing=missing)) <= 0.96


def test_one_table_analysed_as_if_it_were_real_misses_the_truth() -> None:
    assert WAYS["naive"](*normal_tables(1, 1)) < 0.80
    assert WAYS["naive"](*normal_tables(1, 10)) < 0.40


def test_blanks_break_the_rules_built_on_n() -> None:
    tables = normal_tables(20, 10, missing=0.5)
    assert WAYS["ppd"](*tables) < 0.87
    assert WAYS["ppd_hybrid"](*tables) < 0.87


def test_degrees_of_freedom_matter_where_the_spread_of_few_rows_is_taken_as_known() -> None:
    """A posterior draw of the spread behind each table widens u by itself; parameters at their estimates do not."""
    n, rng = 8, np.random.default_rng(9)
    assert covered(combine(*normal_tables(40, 5, n=n)[:2], kind="ppd", n_real=n, n_synthetic=5 * n)) > 0.935
    mean, spread = rng.standard_normal(REPEATS) / np.sqrt(n), rng.chisquare(n - 1, REPEATS) / (n - 1)
    k, m = 40, 20
    q = mean + np.sqrt(spread / k) * rng.standard_normal((m, REPEATS))
    u = spread * rng.chisquare(k - 1, (m, REPEATS)) / (k - 1) / k
    normal, t = (covered(combine(q, u, kind="plugin", n_real=n, n_synthetic=k, df_complete=df)) for df in (None, n - 1))
    assert normal < 0.925
    assert t == pytest.approx(0.95, abs=0.012)


def test_quantiles_of_the_posterior_are_freed_from_the_noise_of_simulation() -> None:
    rng = np.random.default_rng(8)
    draws, noise = rng.gamma(3, 1, (20_000, 2)), np.array([0.5, 0.0])
    values = draws + rng.standard_normal(draws.shape) * noise
    pooled = functional(Stack(("a", "b"), values, np.ones(draws.shape) * noise**2 + 1e-12), 100, 1000, 0.9, COMPLETE)
    assert pooled.se.to_numpy() == pytest.approx(np.sqrt(3), rel=0.02)
    np.testing.assert_allclose(pooled.interval, np.tile(stats.gamma(3).interval(0.9), (2, 1)), atol=0.1)
    assert pooled.kind == "functional"
    assert pooled.df.isna().all()
    assert "corrected for the variance" in pooled.sentence
    bare = functional(Stack(("a", "b"), values), 100, 1000, 0.9, COMPLETE)
    assert bare.se["a"] == pytest.approx(np.sqrt(3.25), rel=0.02)
    assert bare.se["b"] == pytest.approx(np.sqrt(3), rel=0.02)
    assert "corrected" not in bare.sentence


def test_simulation_noise_beyond_the_posterior_is_warned_of() -> None:
    values = np.random.default_rng(1).standard_normal((50, 1))
    with pytest.warns(VarianceWarning):
        pooled = functional(Stack(("a",), values, np.full((50, 1), 4.0)), 100, 200, 0.95, COMPLETE)
    assert pooled.adjusted.all()
    assert pooled.se.iloc[0] == pytest.approx(np.sqrt(8.0))


# --- provenance --------------------------------------------------------------------------------------------------


def test_a_provenance_says_everything_or_is_refused() -> None:
    assert bs.Provenance.from_dict(COMPLETE.to_dict()) == COMPLETE
    wrong = [
        ({"n_real": 0}, "n_real=0"),
        ({"m": 2.0}, "m=2.0"),
        ({"m": True}, "m=True"),
        ({"draws": "some"}, "draws='some'"),
        ({"synthesis": "half"}, "synthesis='half'"),
        ({"blank_shares": {"a": 1.2}}, "between 0 and 1"),
        ({"synthesis": "imputed"}, "real rows"),
        ({"more": 1}, "nothing else"),
    ]
    for changes, message in wrong:
        with pytest.raises(InputError, match=message):
            bs.Provenance.from_dict(COMPLETE.to_dict() | changes)
    with pytest.raises(InputError, match="2 problems"):
        bs.Provenance.from_dict(COMPLETE.to_dict() | {"n_real": 0, "m": -1})

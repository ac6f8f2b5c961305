"""Classical scores: against pgmpy, PyBNesian, predictive densities of SciPy, and the equivalence of graphs."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from scipy import integrate, stats

from bayesynth.encoding.table import CodedSource, EncodedTable, encode_table
from bayesynth.errors import InputError
from bayesynth.structure import scores
from bayesynth.structure.classical import CLASSICAL, ClassicalScore
from bayesynth.structure.exact import enumerate_graphs
from bayesynth.structure.scores import bdeu, bge, bic_discrete, bic_gaussian
from bayesynth.structure.tables import ScoreTables

ROWS = """0110 0110 1231 0031 1200 1010 1121 0221 0000 0200 0110 1121
          1231 0221 1200 0110 1231 1231 1010 1010 1010 0110 0220 1121"""
CODES = np.array([[int(level) for level in row] for row in ROWS.split()])
LEVELS = np.array([2, 3, 4, 2])
NUMBERS = np.array(
    [
        [0.57, 1.81, -2.84, -0.45],
        [-1.31, -0.93, 1.14, 8.19],
        [-1.78, -2.18, 1.1, 7.26],
        [0.42, -0.37, 1.09, 4.05],
        [-0.2, -0.92, 1.1, 4.72],
        [-0.09, -0.31, -1.07, 0.96],
        [1.21, 0.9, -1.13, 4.54],
        [0.53, 2.59, -1.99, 0.08],
        [-1.45, 0.02, 1.1, 2.46],
        [-0.65, 0.01, -1.49, 0.97],
        [-0.35, -0.12, 0.87, 3.91],
        [0.92, 0.41, 0.84, -0.44],
    ]
)
FAMILIES = [(3, ()), (3, (2,)), (3, (0, 2)), (3, (0, 1, 2)), (2, (0, 1)), (1, (0, 2, 3))]
# pgmpy 1.1.2, and for categories the same from 0.1.26: BDeu(frame, equivalent_sample_size=...), BIC(frame) and
# BICGauss(frame), each .local_score("d", ("a", "c")) and so on for FAMILIES, of pd.DataFrame(CODES or NUMBERS,
# columns=list("abcd")). PyBNesian 0.5.1, in the same way: BGe(frame, 1, None, np.zeros(4)).local_score(network, ...).
PEERS = {
    "bdeu": [-17.0220808074, -9.9146240957, -10.9300350638, -10.2413823324, -23.1804974958, -14.8713182548],
    "bdeu_1": [-18.1260682229, -7.4837352743, -9.6669343127, -11.0113209563, -23.2023213777, -14.1924096277],
    "bic_discrete": [-17.8896652990, -9.0594749139, -14.6217578263, -40.0461884691, -36.0572044225, -52.2351556467],
    "bic_gaussian": [-31.8096503614, -29.9676803564, -30.3488242317, -30.7039867541, -21.1340489297, -17.3882066962],
    "bge": [-36.2300127027, -36.4953776355, -38.4486633288, -40.4162755949, -24.2860225194, -21.2025590523],
}
SCORES: dict[str, Callable] = {
    "bdeu": lambda child, sets: bdeu(CODES, LEVELS, child, sets),
    "bdeu_1": lambda child, sets: bdeu(CODES, LEVELS, child, sets, 1.0),
    "bic_discrete": lambda child, sets: bic_discrete(CODES, LEVELS, child, sets),
    "bic_gaussian": lambda child, sets: bic_gaussian(NUMBERS, child, sets),
    "bge": lambda child, sets: bge(NUMBERS, child, sets),
}


def subsets(items: list[int]) -> list[tuple[int, ...]]:
    """In the order of their masks."""
    return [tuple(x for k, x in enumerate(items) if mask >> k & 1) for mask in range(2 ** len(items))]


# --- other packages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PEERS)
def test_scores_are_those_of_other_packages(name: str) -> None:
    found = [SCORES[name](child, [parents])[0] for child, parents in FAMILIES]
    np.testing.assert_allclose(found, PEERS[name], rtol=0, atol=1e-9)


def test_examples_in_the_documentation_of_pgmpy() -> None:
    codes, levels = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 1], [0, 0, 0]]), np.array([2, 2, 2])
    assert bdeu(codes, levels, 1, [(0,)], ess=5).round(3) == -3.446
    assert bic_discrete(codes, levels, 1, [(0,)]).round(3) == -4.159
    whole = [bdeu(codes, levels, child, [parents], ess=5)[0] for child, parents in [(0, ()), (1, (0,)), (2, (0,))]]
    assert round(sum(whole), 3) == -9.392


def test_pgmpy_itself_where_it_is_installed() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgmpy = pytest.importorskip("pgmpy.structure_score")
        pandas = pytest.importorskip("pandas")
        rng = np.random.default_rng(5)
        codes = rng.integers(0, [2, 3, 4, 2, 5], (60, 5))
        values = rng.standard_normal((60, 5)) @ rng.standard_normal((5, 5))
        frames = [pandas.DataFrame(columns, columns=list("abcde")) for columns in (codes, values)]
        theirs = [pgmpy.BDeu(frames[0], equivalent_sample_size=3), pgmpy.BIC(frames[0]), pgmpy.BICGauss(frames[1])]
        for child in range(5):
            sets = subsets([i for i in range(5) if i != child])
            expected = [[t.local_score("abcde"[child], tuple("abcde"[i] for i in s)) for s in sets] for t in theirs]
            levels = codes.max(0) + 1
            ours = bdeu(codes, levels, child, sets, 3.0), bic_discrete(codes, levels, child, sets)
            np.testing.assert_allclose([*ours, bic_gaussian(values, child, sets)], expected, rtol=0, atol=1e-9)


# --- first principles --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ess", [0.7, 10.0])
def test_bdeu_is_the_chance_of_drawing_the_rows_from_urns(ess: float) -> None:
    for child, parents in FAMILIES:
        q, r = LEVELS[list(parents)].prod(), LEVELS[child]
        urns: dict[tuple[int, ...], np.ndarray] = {}
        log_chance = 0.0
        for row in CODES:
            urn = urns.setdefault(tuple(row[list(parents)]), np.full(r, ess / (q * r)))
            log_chance += np.log(urn[row[child]] / urn.sum())
            urn[row[child]] += 1
        assert bdeu(CODES, LEVELS, child, [parents], ess)[0] == pytest.approx(log_chance, abs=1e-10)


def sequential_t(rows: np.ndarray, t: float, alpha_mu: float, degrees: float) -> float:
    """Log density of rows under a normal-Wishart prior, one multivariate-t prediction after the other."""
    size = rows.shape[1]
    if not size:
        return 0.0
    mean, scatter, weight, total = np.zeros(size), t * np.eye(size), alpha_mu, 0.0
    for row in rows:
        df = degrees - size + 1
        total += stats.multivariate_t.logpdf(row, mean, scatter * (weight + 1) / (weight * df), df)
        scatter = scatter + weight / (weight + 1) * np.outer(row - mean, row - mean)
        mean, weight, degrees = (weight * mean + row) / (weight + 1), weight + 1, degrees + 1
    return total


@pytest.mark.parametrize(("alpha_mu", "alpha_w"), [(1.0, None), (0.3, 5.5), (4.0, 9.0)])
def test_bge_is_a_ratio_of_multivariate_t_densities(alpha_mu: float, alpha_w: float | None) -> None:
    p = NUMBERS.shape[1]
    degrees = alpha_w or p + 2
    t = alpha_mu * (degrees - p - 1) / (alpha_mu + 1)

    def density(columns: tuple[int, ...]) -> float:
        return sequential_t(NUMBERS[:, list(columns)], t, alpha_mu, degrees - p + len(columns))

    for child, parents in FAMILIES:
        expected = density((*parents, child)) - density(parents)
        assert bge(NUMBERS, child, [parents], alpha_mu, alpha_w)[0] == pytest.approx(expected, abs=1e-9)


def test_bge_of_one_column_is_an_integral_over_mean_and_precision() -> None:
    x, alpha_mu, alpha_w = np.array([0.4, -1.3, 0.9]), 1.0, 3.0
    t = alpha_mu * (alpha_w - 2) / (alpha_mu + 1)
    root, z = np.linspace(1e-9, 8, 801), np.linspace(-8, 8, 801)[:, None]
    precision, mean = root**2, z / (alpha_mu**0.5 * root)
    prior = stats.gamma.pdf(precision, alpha_w / 2, scale=2 / t) * 2 * root * stats.norm.pdf(z)
    likelihood = np.prod([stats.norm.pdf(one, mean, 1 / root) for one in x], axis=0)
    whole = integrate.simpson(integrate.simpson(prior * likelihood, z[:, 0], axis=0), root)
    assert bge(x[:, None], 0, [()])[0] == pytest.approx(np.log(whole), abs=1e-8)


@pytest.mark.parametrize("name", SCORES)
def test_equivalent_graphs_score_the_same(name: str) -> None:
    others = [[i for i in range(4) if i != j] for j in range(4)]
    tables = ScoreTables(
        tuple("abcd"),
        tuple(map(np.array, others)),
        tuple(SCORES[name](child, subsets(others[child])) for child in range(4)),
    )
    classes = defaultdict(list)
    for masks, log_score in zip(*enumerate_graphs(tables), strict=True):
        classes[_equivalence(tables.adjacency(masks))].append(log_score)
    assert sum(map(len, classes.values())) == 543
    assert len(classes) == 185
    assert max(np.ptp(some) for some in classes.values()) < 1e-9
    assert np.ptp([some[0] for some in classes.values()]) > 1


def _equivalence(edges: np.ndarray) -> tuple[object, ...]:
    """Skeleton and colliders whose parents are not adjacent (Verma and Pearl)."""
    skeleton = edges | edges.T
    colliders = {
        (a, c, b) for c in range(4) for a, b in combinations(np.flatnonzero(edges[:, c]), 2) if not skeleton[a, b]
    }
    return skeleton.tobytes(), frozenset(colliders)


def test_columns_that_repeat_one_another_count_once() -> None:
    values = np.column_stack([NUMBERS, NUMBERS[:, 0] - 2 * NUMBERS[:, 1]])
    found = bic_gaussian(values, 2, [(0, 1), (0, 4), (1, 4), (0, 1, 4)])
    np.testing.assert_allclose(found, found[0], rtol=0, atol=1e-9)
    assert bic_gaussian(values, 4, [(0, 1), (0, 1, 2), (0, 2)]).tolist()[:2] == [np.inf, np.inf]
    assert np.isfinite(bic_gaussian(values, 4, [(0, 2)]))


def test_more_parents_than_rows_fit_exactly() -> None:
    assert bic_gaussian(NUMBERS[:3], 3, [(0, 1, 2)])[0] == np.inf
    assert np.isfinite(bic_gaussian(NUMBERS[:3], 3, [(0,)])[0])
    assert np.isfinite(bge(NUMBERS[:3], 3, [(0, 1, 2)])[0])


@pytest.mark.parametrize("name", SCORES)
def test_sets_in_any_company_score_as_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sets = subsets([0, 1, 2])[::-1]
    together = SCORES[name](3, sets)
    alone = [SCORES[name](3, [parents])[0] for parents in sets]
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    np.testing.assert_allclose(SCORES[name](3, [s[::-1] for s in sets]), alone, rtol=1e-12)
    monkeypatch.setattr(scores, "CELLS_AT_A_TIME", 60)
    np.testing.assert_allclose(SCORES[name](3, sets), alone, rtol=1e-12)
    assert SCORES[name](3, []).shape == (0,)


# --- tables ------------------------------------------------------------------------------------------------------


def category(codes: np.ndarray, ordered: bool = False) -> CodedSource:
    values = np.asarray(codes, float)
    return CodedSource(values, tuple("wxyz")[: int(np.nanmax(values)) + 1], ordered)


def number(values: np.ndarray) -> CodedSource:
    return CodedSource(np.asarray(values, float), (), False)


def encoded(**sources: CodedSource) -> EncodedTable:
    return encode_table(sources, np.random.default_rng(1))


def categories() -> EncodedTable:
    return encoded(**{name: category(CODES[:, k], ordered=k == 2) for k, name in enumerate("abcd")})


def numbers(scale: float = 1.0, shift: float = 0.0) -> EncodedTable:
    return encoded(**{name: number(scale * NUMBERS[:, k] + shift) for k, name in enumerate("abcd")})


def named(parents: tuple[int, ...]) -> list[str]:
    return ["abcd"[i] for i in parents]


@pytest.mark.parametrize(
    ("kind", "table", "name"),
    [("bdeu", categories(), "bdeu"), ("bic", categories(), "bic_discrete"), ("bic", numbers(), "bic_gaussian")],
)
def test_the_score_of_a_table_is_that_of_its_arrays(kind: str, table: EncodedTable, name: str) -> None:
    score = ClassicalScore(table, kind)
    for (child, parents), expected in zip(FAMILIES, PEERS[name], strict=True):
        assert score.scores("abcd"[child], [named(parents)]) == pytest.approx(expected, abs=1e-9)


def test_bdeu_takes_its_sample_size() -> None:
    found = ClassicalScore(categories(), "bdeu", ess=1.0).scores("d", [["c"], ["a", "c"]])
    assert found == pytest.approx(PEERS["bdeu_1"][1:3], abs=1e-9)


def test_bge_of_a_table_knows_no_units() -> None:
    sets = [named(s) for s in subsets([0, 1, 2])]
    plain = ClassicalScore(numbers(), "bge").scores("d", sets)
    standardised = (NUMBERS - NUMBERS.mean(0)) / NUMBERS.std(0)
    np.testing.assert_allclose(plain, bge(standardised, 3, subsets([0, 1, 2])), rtol=1e-12)
    np.testing.assert_allclose(ClassicalScore(numbers(1000.0, 50_000.0), "bge").scores("d", sets), plain, rtol=1e-9)


def test_all_columns_in_the_way_are_named_at_once() -> None:
    gap = np.where(np.arange(24) == 3, np.nan, CODES[:, 1])
    table = encoded(
        a=category(CODES[:, 0]), b=category(gap), x=number(np.r_[NUMBERS[:, 0], NUMBERS[:, 1]]), y=number(gap * 1.5)
    )
    with pytest.raises(InputError) as caught:
        ClassicalScore(table, "bic", ess=-1.0)
    assert {problem.column for problem in caught.value.problems} == {None, "b", "y"}
    assert len(caught.value.problems) == 4
    assert "categories (a, b) and numbers (x, y)" in str(caught.value)
    assert "sample size -1.0" in str(caught.value)


@pytest.mark.parametrize(("kind", "table"), [("bge", categories()), ("bdeu", numbers())])
def test_a_table_of_the_wrong_kind_is_an_input_error(kind: str, table: EncodedTable) -> None:
    with pytest.raises(InputError, match=f"{kind} cannot take them") as caught:
        ClassicalScore(table, kind)
    (problem,) = caught.value.problems
    assert ("'bge'" if kind == "bdeu" else "'bdeu'") in problem.remedy
    assert "'bic'" in problem.remedy


def test_an_unknown_score_is_an_input_error() -> None:
    with pytest.raises(InputError, match="bdeu, bic, bge"):
        ClassicalScore(categories(), "aic")
    assert set(CLASSICAL) == {"bdeu", "bic", "bge"}


def test_an_exact_relation_is_an_input_error_under_bic() -> None:
    sources = {name: number(NUMBERS[:, k]) for k, name in enumerate("abc")}
    table = encoded(**sources, total=number(NUMBERS[:, 0] + NUMBERS[:, 1]))
    score = ClassicalScore(table, "bic")
    assert np.isfinite(score.scores("c", [["a"], ["a", "b", "total"]])).all()
    with pytest.raises(InputError, match="total follows exactly from a, b"):
        score.scores("total", [["a"], ["a", "b"]])
    assert np.isfinite(ClassicalScore(table, "bge").scores("total", [["a"], ["a", "b"]])).all()

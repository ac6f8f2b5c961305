"""Drawn rows follow the model: rates, joint frequencies, blanks, shifts, and what a draw stands for."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, softmax

import bayesynth as bs
from bayesynth.encoding.design import ChildBank, FeatureBank, Term
from bayesynth.encoding.features import contrasts
from bayesynth.encoding.table import CodedSource, encode_table
from bayesynth.inference import FamilyPosterior
from bayesynth.predictive import DrawOptions, FittedNetwork, draw_rows
from bayesynth.predictive.draw import ROWS_AT_A_TIME

RATE_A, RATE_R = 0.4, 0.7
BOTH = pytest.mark.parametrize("balanced", [False, True])


def known_network() -> FittedNetwork:
    """A network with parameters set by hand: a -> b, a -> observed(z), b -> z -> k."""
    n = 1000
    a = (np.arange(n) < RATE_A * n).astype(float)
    z = np.linspace(-3.0, 3.0, n)
    z[np.arange(n) % 10 >= 10 * RATE_R] = np.nan
    sources = {
        "a": CodedSource(a, ("no", "yes"), False),
        "b": CodedSource(np.arange(n) % 3.0, ("low", "mid", "high"), True),
        "z": CodedSource(z, (), False),
        "k": CodedSource(np.arange(n) // 2 % 3.0, ("p", "q", "r"), False),
    }
    table = encode_table(sources, np.random.default_rng(1))
    (block,) = table.encoding.blocks
    bank = FeatureBank(table)
    terms = {
        "a": (),
        "b": (Term(("a",), "levels"),),
        "z": (Term(("b",), "linear"),),
        "k": (Term(("z",), "linear"), Term((block.name,), "levels")),
        block.name: (Term(("a",), "levels"),),
    }
    parameters = {
        "a": {"intercept": np.log(RATE_A / (1 - RATE_A)), "slopes": np.empty(0)},
        "b": {"cutpoints": np.array([-0.5, 1.0]), "slopes": np.array([0.9])},
        "z": {"intercept": 0.0, "slopes": np.array([0.6]), "variance": 0.64},
        "k": {"intercept": np.array([0.3, -0.2]), "slopes": np.array([[0.8, -0.4], [0.5, 0.7]])},
        block.name: {"intercept": 1.0, "slopes": np.array([0.7])},
    }
    families = {}
    for name, node in table.encoding.nodes.items():
        draws = {key: np.asarray(value)[None, None] for key, value in parameters[name].items()}
        design = ChildBank(bank, name).design(terms[name])
        posterior = FamilyPosterior(design, node.family, draws, n, np.nan, np.nan, np.nan, 0, np.nan)
        families[posterior.name] = posterior
    return FittedNetwork(table.encoding, families, ({f.node: name for name, f in families.items()},))


def family_of(network: FittedNetwork, node: str, graph: int = 0) -> FamilyPosterior:
    return network.families[network.graphs[graph][node]]


def drawn(network: FittedNetwork, n: int, seed: int = 1, **options: object) -> pd.DataFrame:
    chunks = list(draw_rows(network, n, DrawOptions(**options), np.random.default_rng(seed)))
    return pd.concat([pd.DataFrame(chunk) for chunk in chunks], ignore_index=True)


def standard(x: np.ndarray, rate: float) -> np.ndarray:
    return (x - rate) / np.sqrt(rate * (1 - rate))


def assert_counts(table: pd.Series, p: np.ndarray) -> None:
    """A chi-square that a right model fails once in 10,000 seeds; the seed is fixed."""
    counts = np.bincount(table.astype(int), minlength=len(p))
    assert stats.chisquare(counts, p / p.sum() * counts.sum()).pvalue > 1e-4


@pytest.fixture(scope="module")
def network() -> FittedNetwork:
    return known_network()


@BOTH
def test_frequencies_are_those_of_the_model(network: FittedNetwork, balanced: bool) -> None:
    rows = drawn(network, 40_000, balanced=balanced)
    (block,) = network.encoding.blocks
    assert_counts(rows["a"], np.array([1 - RATE_A, RATE_A]))
    for a in (0.0, 1.0):
        mine = rows[rows["a"] == a]
        x = standard(np.array(a), RATE_A)
        below = np.r_[0, expit(np.array([-0.5, 1.0]) - 0.9 * x), 1]
        assert_counts(mine["b"], np.diff(below))
        seen = expit(1.0 + 0.7 * x)
        assert_counts(mine[block.name], np.array([1 - seen, seen]))
    np.testing.assert_array_equal(rows["z"].isna(), rows[block.name] == 0)
    assert np.isfinite(rows.drop(columns="z")).all(axis=None)


@BOTH
def test_numbers_follow_their_marginal_and_their_parents(network: FittedNetwork, balanced: bool) -> None:
    rows = drawn(network, 40_000, balanced=balanced)
    seen = rows.dropna()
    line = network.encoding.nodes["b"].features
    for b in (0.0, 1.0, 2.0):
        x = line.columns(np.array([b]), "linear")[0, 0]
        z = seen.loc[seen["b"] == b, "z"]
        # The marginal is uniform on -3 ... 3 and so close to its own bootstrap that the quantile is a line.
        score = stats.norm.ppf(np.clip((z + 3) / 6, 1e-6, 1 - 1e-6))
        assert score.mean() == pytest.approx(0.6 * x, abs=0.06)  # the bootstrap shifts it by 1/sqrt(700) = 0.04
        assert score.std() == pytest.approx(0.8, abs=0.06)
    assert seen["z"].between(-3, 3).all()


@BOTH
def test_a_blank_parent_speaks_by_its_indicator(network: FittedNetwork, balanced: bool) -> None:
    rows = drawn(network, 40_000, balanced=balanced)
    (block,) = network.encoding.blocks
    design = family_of(network, "k").design
    p = family_of(network, "k").flat()
    assert design.parents == (block.name, "z")
    blank = np.array([-np.sqrt(RATE_R / (1 - RATE_R)), 0.0]) - design.centres
    # A standardised indicator is -sqrt(r / (1 - r)) where the parent is blank, before centring.
    expected = softmax((p["intercept"][0] + blank @ p["slopes"][0]) @ contrasts(3).T)
    assert_counts(rows.loc[rows["z"].isna(), "k"], expected)


def test_every_row_may_have_a_draw_of_its_own(network: FittedNetwork) -> None:
    """Two very different draws: each_row mixes them within a table, each_table never does."""
    a = family_of(network, "a")
    split = {"intercept": np.array([[-3.0, 3.0]]), "slopes": np.empty((1, 2, 0))}
    two = {k: {n: np.repeat(v, 2, axis=1) for n, v in f.parameters.items()} for k, f in network.families.items()}
    two[a.name] = split
    families = {
        k: FamilyPosterior(f.design, f.family, two[k], 1000, np.nan, np.nan, np.nan, 0, np.nan)
        for k, f in network.families.items()
    }
    assert a.family == "binary"
    mixed = FittedNetwork(network.encoding, families, network.graphs)
    assert drawn(mixed, 4000)["a"].mean() == pytest.approx(0.5, abs=0.04)
    rates = np.array([drawn(mixed, 500, seed, each_row=False)["a"].mean() for seed in range(40)])
    assert set(np.round(rates)) == {0.0, 1.0}
    assert np.all(np.abs(rates - np.round(rates)) < 0.1)


# --- blanks ------------------------------------------------------------------------------------------------------


def test_blocks_coincide_and_nest_in_every_row(pbc_fit: bs.Fit, pbc: pd.DataFrame) -> None:
    synthetic = pbc_fit.sample(20_000, random_seed=1)
    blocks = pbc_fit.network.encoding.blocks
    by_name = {block.name: block for block in blocks}
    assert max(len(block.columns) for block in blocks) == 6
    for block in blocks:
        blank = synthetic[list(block.columns)].isna()
        assert (blank.nunique(axis=1) == 1).all()
        if block.outer:
            outer = synthetic[by_name[block.outer].columns[0]].isna()
            assert not (outer & ~blank.iloc[:, 0]).any()
    assert sum(block.outer is not None for block in blocks) >= 2
    whole = [c for c in pbc if not pbc[c].isna().any()]
    assert not synthetic[whole].isna().any(axis=None)


def test_rates_of_blanks_are_those_of_the_table(pbc_fit: bs.Fit, pbc: pd.DataFrame) -> None:
    synthetic = pbc_fit.sample(20_000, random_seed=1)
    real = pbc.isna().mean()
    # The posterior of a rate from 418 rows has an sd of at most 0.022; the prior pulls rare ones up a little.
    np.testing.assert_allclose(synthetic.isna().mean(), real, atol=0.03)


def test_the_table_as_if_nobody_had_been_missed(pbc_fit: bs.Fit) -> None:
    assert not pbc_fit.sample(5000, blanks=False, random_seed=1).isna().any(axis=None)


@pytest.fixture(scope="module")
def with_holes(laplace: Callable[..., bs.Fit]) -> bs.Fit:
    """A number that is blank in 30% of the rows, more often where the other one is high."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal(600)
    y = (100 + 10 * (0.7 * x + 0.7 * rng.standard_normal(600))).round(2)
    return laplace(pd.DataFrame({"x": x.round(3), "y": np.where(rng.random(600) < expit(2 * x - 1.2), np.nan, y)}))


def test_delta_shifts_the_would_be_blanks_alone(with_holes: bs.Fit) -> None:
    shift = -40.0
    moved = with_holes.sample(4000, blanks=False, delta={"y": shift}, random_seed=2)
    still = with_holes.sample(4000, blanks=False, delta={"y": 1e-9}, random_seed=2)
    change = (moved["y"] - still["y"]).to_numpy()
    lowest = still["y"].min()
    at_bound = moved["y"].to_numpy() <= lowest + 1e-6  # values are kept within the bounds of the schema
    unmoved = np.abs(change) < 1e-6
    assert np.allclose(change[~unmoved & ~at_bound], shift)
    share = with_holes.blanks["y"] / with_holes.n_rows
    assert (~unmoved).mean() == pytest.approx(share, abs=0.05)
    assert moved["x"][~unmoved].mean() > moved["x"][unmoved].mean() + 0.5  # the would-be blanks are the high ones
    pd.testing.assert_series_equal(moved["x"], still["x"])
    assert not moved.isna().any(axis=None)


def test_blanks_depend_on_what_they_depended_on(with_holes: bs.Fit) -> None:
    drawn = with_holes.sample(5000, random_seed=1)
    assert drawn.loc[drawn["x"] > 1, "y"].isna().mean() > 2 * drawn.loc[drawn["x"] < 0, "y"].isna().mean()


# --- what a draw stands for --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def variances(laplace: Callable[..., bs.Fit]) -> dict[str, dict[str, float]]:
    """Between-table variance of simple statistics, in units of p(1 - p)/n or s^2/n, by way of drawing."""
    n, m = 200, 400
    rng = np.random.default_rng(4)
    x = rng.standard_normal(n)
    frame = pd.DataFrame(
        {"x": x.round(4), "b": np.where(rng.random(n) < 0.3, "u", "v"), "c": rng.choice(list("pqr"), n)}
    )
    fit = laplace(frame, knowledge=bs.Knowledge(max_parents=0))
    ways = {
        "rows": [fit.sample(n, balanced=False, random_seed=i) for i in range(m)],
        "balanced": [fit.sample(n, random_seed=i) for i in range(m)],
        "tables": list(fit.sample_tables(m, n, random_seed=5)),
    }
    figures = {
        "mean of x": (lambda t: t["x"].mean(), x.var() / n),
        "share of b": (lambda t: (t["b"] == "u").mean(), 0.3 * 0.7 / n),
        "share of c": (lambda t: (t["c"] == "p").mean(), 2 / 9 / n),
    }
    return {
        what: {way: float(np.var([f(t) for t in tables]) / unit) for way, tables in ways.items()}
        for what, (f, unit) in figures.items()
    }


# 400 tables know a variance to 7%, and the table's own rates differ from the round ones by up to 10%: 30% is 3 sds.
@pytest.mark.parametrize("what", ["mean of x", "share of b", "share of c"])
def test_independent_rows_vary_as_a_sample_does(variances: dict, what: str) -> None:
    assert variances[what]["rows"] == pytest.approx(1.0, rel=0.3)


@pytest.mark.parametrize("what", ["mean of x", "share of b", "share of c"])
def test_balanced_rows_vary_less(variances: dict, what: str) -> None:
    assert variances[what]["balanced"] < 0.5


@pytest.mark.parametrize("what", ["mean of x", "share of b", "share of c"])
def test_proper_tables_vary_twice_as_much(variances: dict, what: str) -> None:
    """Sampling variance plus posterior variance, which are equal when as many rows are drawn as there were."""
    assert variances[what]["tables"] == pytest.approx(2.0, rel=0.25)


# --- seeds, chunks, memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"balanced": False}, {"draws": "each_table"}, {"blanks": False, "delta": {"chol": 9.0}}], ids=str
)
def test_equal_seed_equal_table(pbc_fit: bs.Fit, options: dict) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (pbc_fit.sample(60, random_seed=s, **options) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    generator = np.random.default_rng(1)
    pd.testing.assert_frame_equal(pbc_fit.sample(60, random_seed=generator, **options), first)
    assert not pbc_fit.sample(60, random_seed=generator, **options).equals(first)
    sequence = pbc_fit.sample(60, random_seed=np.random.SeedSequence(1), **options)
    pd.testing.assert_frame_equal(sequence, first)


def test_a_seed_sequence_can_be_used_twice(penguins_fit: bs.Fit) -> None:
    sequence = np.random.SeedSequence(5)
    first, again = (penguins_fit.sample_tables(2, 20, random_seed=sequence) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        pd.testing.assert_frame_equal(one, other)
    child, sister = sequence.spawn(2)
    assert not penguins_fit.sample(20, random_seed=child).equals(penguins_fit.sample(20, random_seed=sister))


def test_tables_are_independent_of_one_another_and_of_how_many_there_are(pbc_fit: bs.Fit) -> None:
    three, five = (pbc_fit.sample_tables(m, 40, random_seed=3) for m in (3, 5))
    for one, other in zip(three, five, strict=False):
        pd.testing.assert_frame_equal(one, other)
    assert not three[0].equals(three[1])
    p = three.provenance
    assert (p.m, p.n_synthetic, p.n_real, p.draws, p.blanks) == (3, 40, 418, "each_table", True)
    assert p.blank_shares["chol"] == pytest.approx(134 / 418)
    assert len(three[:2]) == 2


def test_chunks_leave_no_seam(network: FittedNetwork) -> None:
    n = ROWS_AT_A_TIME + 4464
    chunks = list(draw_rows(network, n, DrawOptions(), np.random.default_rng(1)))
    assert [len(chunk["a"]) for chunk in chunks] == [ROWS_AT_A_TIME, 4464]
    assert list(chunks[0]) == list(chunks[1])
    assert chunks[1]["a"].mean() == pytest.approx(RATE_A, abs=0.03)  # 4 sds of a share of 4,464 rows
    assert not np.array_equal(chunks[0]["a"][:4464], chunks[1]["a"])


def test_a_long_table_is_whole(laplace: Callable[..., bs.Fit]) -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(
        {
            "id": [f"p{i:06d}" for i in range(200)],
            "k": pd.Categorical(rng.choice(list("ab"), 200), categories=["b", "never", "a"]),
            "i": pd.array(np.where(rng.random(200) < 0.2, None, rng.poisson(30, 200)), dtype="Int64"),
            "t": pd.Timestamp("2021-03-01", tz="Europe/Paris") + pd.to_timedelta(rng.integers(0, 900, 200), unit="D"),
        }
    )
    fit = laplace(frame)
    n = ROWS_AT_A_TIME + 100
    long = fit.sample(n, random_seed=1)
    assert len(long) == n
    assert isinstance(long.index, pd.RangeIndex)
    assert (long.dtypes == frame.dtypes).all()
    assert long["id"].is_unique
    assert not set(long["id"]) & set(frame["id"])
    assert long["i"].isna().mean() == pytest.approx(frame["i"].isna().mean(), abs=0.02)


@BOTH
def test_memory_stays_bounded(network: FittedNetwork, balanced: bool) -> None:
    """Rows that nobody keeps cost no memory: twice the chunks, the same peak."""
    peaks = []
    for chunks in (1, 3):
        tracemalloc.start()
        n = sum(
            len(chunk["a"])
            for chunk in draw_rows(
                network, chunks * ROWS_AT_A_TIME, DrawOptions(balanced=balanced), np.random.default_rng(1)
            )
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert n == chunks * ROWS_AT_A_TIME
    assert peaks[1] < 1.7 * peaks[0]  # the chunk before is still held while the next one is drawn


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_rows(pbc_fit: bs.Fit, n: int) -> None:
    for options in ({}, {"balanced": False}, {"draws": "each_table"}, {"blanks": False}):
        assert len(pbc_fit.sample(n, random_seed=1, **options)) == n


def test_as_many_rows_as_the_table_when_not_told(penguins_fit: bs.Fit) -> None:
    assert len(penguins_fit.sample(random_seed=1)) == 344
    assert [len(t) for t in penguins_fit.sample_tables(2, random_seed=1)] == [344, 344]

"""What is said of the cause of blanks: the five readings, the mechanisms that lead to them, and the table of a fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import bayesynth as bs
from bayesynth.families import Prior
from bayesynth.graphs import Knowledge
from bayesynth.schema import Schema
from bayesynth.structure import BlockEvidence, EvidenceCache, EvidenceScore, SearchSpace
from bayesynth.synthesis.coding import encode_frame
from bayesynth.synthesis.missingness import (
    CAVEAT,
    COLUMNS,
    COMPLETE,
    INCOMPLETE,
    MEANING,
    NOTHING,
    TOGETHER,
    UNCLEAR,
    read_blocks,
    reading_of,
)


def evidence(
    p_blocks: float = 0.0, p_complete: float = 0.0, p_incomplete: float = 0.0, detectable: float = 2.0
) -> BlockEvidence:
    p_random = 1.0 - p_blocks - p_complete - p_incomplete
    return BlockEvidence("observed(y)", p_random, 0.0, {}, p_blocks, p_complete, p_incomplete, detectable)


# --- readings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "reading"),
    [
        (evidence(p_complete=0.2), NOTHING),
        (evidence(p_blocks=0.1, p_complete=0.1, p_incomplete=0.1), UNCLEAR),
        (evidence(p_complete=0.89), UNCLEAR),
        (evidence(p_complete=0.91), COMPLETE),
        (evidence(p_complete=0.3, p_incomplete=0.61), INCOMPLETE),
        (evidence(p_blocks=0.05, p_complete=0.88, p_incomplete=0.03), COMPLETE),
        (evidence(p_blocks=0.95), TOGETHER),
        (evidence(p_blocks=0.4, p_complete=0.55), TOGETHER),  # values may matter as well, which is not established
        (evidence(p_blocks=0.2, p_complete=0.75), UNCLEAR),
        (evidence(p_blocks=0.5), UNCLEAR),
    ],
)
def test_readings(found: BlockEvidence, reading: str) -> None:
    assert reading_of(found) == reading


@pytest.mark.parametrize(("detectable", "reading"), [(3.9, NOTHING), (4.1, UNCLEAR), (np.inf, UNCLEAR)])
def test_a_table_that_would_show_nothing_does_not_say_that_there_is_nothing(detectable: float, reading: str) -> None:
    assert reading_of(evidence(p_complete=0.1, detectable=detectable)) == reading


def test_every_reading_has_a_meaning_in_one_line() -> None:
    assert set(MEANING) == {NOTHING, TOGETHER, COMPLETE, INCOMPLETE, UNCLEAR}
    assert all(meaning and "\n" not in meaning for meaning in MEANING.values())


# --- mechanisms --------------------------------------------------------------------------------------------------


def world(mechanism: str, seed: int, n_rows: int = 500) -> pd.DataFrame:
    """Two visits' measurements, age and sex, some correlated; the second measurement is blank for a known reason."""
    rng = np.random.default_rng([seed, n_rows])
    age, first = rng.standard_normal((2, n_rows))
    second = 0.6 * first + 0.8 * rng.standard_normal(n_rows)
    sex = np.where(rng.random(n_rows) < expit(0.5 * age), "m", "f")
    lost = rng.random(n_rows) < 0.25
    driver = {
        "nothing": np.zeros(n_rows),
        "age": 1.2 * age,
        "the first": 1.2 * first,
        "its blanks": 2.5 * (lost - 0.25),
    }[mechanism]
    frame = pd.DataFrame({"age": age, "sex": sex, "first": np.where(lost, np.nan, first), "second": second})
    frame.loc[rng.random(n_rows) < expit(driver - 1.1), "second"] = np.nan
    return frame


def read(frame: pd.DataFrame, knowledge: Knowledge | None = None) -> dict[str, str]:
    table, _ = encode_frame(frame, Schema.infer(frame), np.random.default_rng(1))
    space = SearchSpace.of(table.encoding, knowledge or Knowledge())
    local = EvidenceScore(EvidenceCache(table, Prior()), space, dict.fromkeys(space.nodes, ()))
    return {e.block: reading_of(e) for e in read_blocks(table, local, space, Prior().tau)}


@pytest.mark.parametrize(
    ("mechanism", "reading"),
    [("nothing", NOTHING), ("age", COMPLETE), ("the first", INCOMPLETE), ("its blanks", TOGETHER)],
)
def test_mechanisms_are_read(mechanism: str, reading: str) -> None:
    """In at least 8 of 10 tables of 500 rows, and never as another mechanism in more than one."""
    found = [read(world(mechanism, seed))["observed(second)"] for seed in range(10)]
    assert found.count(reading) >= 8, found
    assert len(found) - found.count(reading) - found.count(UNCLEAR) <= 1, found


def test_a_small_table_says_less() -> None:
    found = [read(world("age", seed, n_rows=40))["observed(second)"] for seed in range(10)]
    assert NOTHING not in found  # forty rows would miss a strong dependence
    assert UNCLEAR in found


@pytest.mark.parametrize(("blanks", "reading"), [(4, COMPLETE), (40, INCOMPLETE)])
def test_a_handful_of_blanks_makes_no_column_incomplete(blanks: int, reading: str) -> None:
    frame = world("age", 1)
    frame.loc[: blanks - 1, "age"] = np.nan
    assert read(frame)["observed(second)"] == reading


def test_what_is_forbidden_is_not_blamed() -> None:
    held = Knowledge(forbidden=[("age", "observed(second)")])
    assert read(world("age", 1))["observed(second)"] == COMPLETE
    assert read(world("age", 1), held)["observed(second)"] != COMPLETE


# --- the table of a fit ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fit(laplace: Callable[..., bs.Fit]) -> bs.Fit:
    frame = world("age", 3, n_rows=300)
    frame["rare"] = pd.Series(np.random.default_rng(2).standard_normal(300)).where(frame.index > 1)  # two blanks
    return laplace(frame, knowledge=Knowledge(blanks="sinks"))  # else the arrow between age and blanks may turn


def test_the_table_says_all_of_it(fit: bs.Fit) -> None:
    table = fit.missingness()
    assert list(table) == [name for name, _ in COLUMNS]
    assert table.attrs["caveat"] == CAVEAT
    assert (table["meaning"] == table["reading"].map(MEANING)).all()
    np.testing.assert_allclose(table[["p_random", "p_blocks", "p_complete", "p_incomplete"]].sum(axis=1), 1.0)
    odds = (1 - table["p_random"]) / table["p_random"]
    np.testing.assert_allclose(np.log(odds), table["log_bayes_factor"], atol=1e-6)
    table = table.set_index("block")
    assert table.loc["observed(second)", "reading"] == COMPLETE
    assert table.loc["observed(second)", "depends_on"].startswith("age 1.00 (+1 SD: -0.1")
    assert table.loc["observed(first)", "p_random"] > 0.5
    assert table.loc["observed(rare)", "detectable_odds_ratio"] == np.inf
    assert table.loc["observed(rare)", "reading"] == UNCLEAR


def test_a_saved_fit_says_the_same(fit: bs.Fit, tmp_path: Path) -> None:
    fit.save(tmp_path / "fit.zip")
    pd.testing.assert_frame_equal(bs.load(tmp_path / "fit.zip").missingness(), fit.missingness())

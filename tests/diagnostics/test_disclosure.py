"""Disclosure measures as synthpop defines them: against a plain re-statement with tables, and by hand."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from bayesynth.diagnostics.copies import exact_copies, near_copies, replicated_uniques
from bayesynth.diagnostics.disclosure import Cells, attribute_figure, disclosed, identity_measures
from bayesynth.diagnostics.distances import joint_codes

BLANK = 3


def by_tables(real: list[tuple[int, int]], synthetic: list[tuple[int, int]]) -> dict[str, float]:
    """The definitions of synthpop's `disclosure`, from two-way tables, with `usetargetNA = FALSE`."""
    d, s = defaultdict(Counter), defaultdict(Counter)
    for table, rows in ((d, real), (s, synthetic)):
        for key, target in rows:
            table[key][target] += 1
    n, found = len(real), Counter()
    for key, targets in d.items():
        alone, there, once = sum(targets.values()) == 1, sum(s[key].values()) > 0, sum(s[key].values()) == 1
        found["UiO"] += alone
        found["UiOiS"] += alone and there
        found["repU"] += alone and once
        for target, count in targets.items():
            if target == BLANK:
                continue
            found["Dorig"] += count * (len(targets) == 1)
            found["iS"] += count * there
            found["DiS"] += count * (len(s[key]) == 1)
            found["DiSCO"] += count * (set(s[key]) == {target})
            found["DiSDiO"] += count * (set(s[key]) == {target} and len(targets) == 1)
    return {name: found[name] / n for name in ("UiO", "UiOiS", "repU", "Dorig", "iS", "DiS", "DiSCO", "DiSDiO")}


@pytest.mark.parametrize("seed", range(6))
def test_measures_are_those_of_the_definitions(seed):
    rng = np.random.default_rng(seed)
    real = np.column_stack([rng.poisson(6, 120), rng.choice(4, 120, p=[0.7, 0.15, 0.1, 0.05])])
    synthetic = np.column_stack([rng.poisson(7, 90), rng.choice(4, 90, p=[0.7, 0.15, 0.1, 0.05])])
    wanted = by_tables([tuple(row) for row in real], [tuple(row) for row in synthetic])
    assert wanted["DiSCO"] > wanted["DiSDiO"] >= 0
    found = disclosed(Cells(*real.T, blank=BLANK), Cells(*synthetic.T, blank=BLANK))
    mine = {
        "Dorig": found.original,
        "iS": found.found,
        "DiS": found.pure,
        "DiSCO": found.right,
        "DiSDiO": found.settled,
    }
    assert {name: rows.mean() for name, rows in mine.items()} == pytest.approx({name: wanted[name] for name in mine})
    identity = identity_measures(real[:, 0], synthetic[:, 0])
    for name in ("UiO", "UiOiS", "repU"):
        assert identity[name] == pytest.approx(wanted[name])
    assert identity["UiS"] == np.mean([(synthetic[:, 0] == key).sum() == 1 for key in synthetic[:, 0]])


def test_joint_codes_number_combinations_alike_in_all_tables():
    first, second = np.array([[0, 1], [2, 2], [0, 1]]), np.array([[2, 2], [5, 5]])
    a, b = joint_codes([first, second])
    assert a[0] == a[2] != a[1] == b[0] != b[1]


def figure(real: np.ndarray, tables: list[np.ndarray], holdout: np.ndarray | None) -> object:
    levels = [["a", "b", "c", "d", "blank"], ["u", "v", "other", "blank"], ["p", "q", "other", "blank"]]
    return attribute_figure(real, tables, holdout, ["k", "s", "t"], levels, ["k"], ["s", "t"], "no holdout")


def test_a_secret_that_only_fitted_rows_give_away_is_worse_than_the_floor():
    rng = np.random.default_rng(1)
    real = np.column_stack([np.arange(200), rng.integers(2, size=200), rng.integers(2, size=200)])
    holdout = np.column_stack([np.arange(200, 280), rng.integers(2, size=80), rng.integers(2, size=80)])
    leaky = np.column_stack([np.arange(280), rng.integers(2, size=280), rng.integers(2, size=280)])
    leaky[:200, 2] = real[:, 2]
    found = figure(real, [leaky], holdout)
    assert found.verdict == "worse than floor"
    assert found.worst[0][0] == "t"
    assert found.value.middle == 1.0
    assert found.floor.middle == pytest.approx(0.5, abs=0.15)
    assert found.details.loc["t", "DiSCO"] == 1.0
    assert 0.3 < found.details.loc["t", "baseline"] < 0.7
    assert found.details.loc["s", "excess_lower"] < 0 < found.details.loc["s", "excess_upper"]


def test_a_relation_of_the_population_is_no_leak():
    rng = np.random.default_rng(2)

    def people(n: int) -> np.ndarray:
        key = rng.integers(4, size=n)
        return np.column_stack([key, rng.integers(2, size=n), key >= 2])

    found = figure(people(300), [people(300) for _ in range(3)], people(100))
    assert found.details.loc["t", "DiSCO"] == found.details.loc["t", "DiSCO_put_aside"] == 1.0
    assert found.details.loc["t", "excess"] == 0.0
    assert found.verdict != "worse than floor"
    for text in found.details.loc["t", "check"].split("; "):
        assert text in {f"{level} is 100% where k is {key}" for level, key in zip("ppqq", "abcd", strict=True)}
    assert found.details.loc["s", "check"] == ""


def test_one_level_that_explains_it_all_is_flagged():
    real = np.column_stack([np.arange(100) % 4, np.zeros(100, int), np.arange(100) % 2])
    found = figure(real, [real], None)
    assert found.details.loc["s", "check"] == "100% of it is u"
    assert found.verdict == "not done"
    assert found.note == "no holdout"
    assert found.value.middle == 1.0


def test_exact_copies_count_blanks_as_alike():
    members = np.array([[1.0, np.nan], [2.0, 0.0], [3.0, 1.0]])
    controls = np.array([[np.nan, np.nan], [3.0, 1.0]])
    synthetic = np.array([[1.0, np.nan], [2.0, -0.0], [9.0, 9.0]])
    found = exact_copies(members, controls, synthetic)
    assert found.members.tolist() == [1.0, 1.0, 0.0]
    assert found.controls.tolist() == [0.0, 0.0]


def test_near_copies_and_replicated_uniques_by_hand():
    near = near_copies(np.array([0.1, 0.3, 0.0]), np.array([0.3, 0.3, 0.0]), np.array([True, True, False]))
    assert near.members.tolist() == [1.0, 0.0]
    assert near.controls.tolist() == [0.0]  # a twin among the real rows is nobody's near copy
    uniques = replicated_uniques(np.array([0, 1, 1]), np.array([2, 3]), [np.array([0, 2, 2]), np.array([0, 2, 1])])
    assert uniques.members.tolist() == [1.0, 0.0, 0.0]
    assert uniques.controls.tolist() == [0.5, 0.0]

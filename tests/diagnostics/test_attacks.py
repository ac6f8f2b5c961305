"""Measures of an attack's success against independent implementations, and distances against plain loops."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import confint_proportions_2indep

from bayesynth.diagnostics import TableReader
from bayesynth.diagnostics.attacks import (
    auc_against,
    auc_of,
    detectable_auc,
    share_against,
    simultaneous,
    strongest,
)
from bayesynth.diagnostics.gower import Gower
from bayesynth.diagnostics.membership import true_positive_rate
from bayesynth.schema import Schema


def delong_by_pairs(members: np.ndarray, controls: np.ndarray) -> float:
    """Standard error from all pairs, as DeLong and others write it."""
    wins = (members[:, None] > controls) + (members[:, None] == controls) / 2
    return np.sqrt(wins.mean(axis=1).var(ddof=1) / len(members) + wins.mean(axis=0).var(ddof=1) / len(controls))


@pytest.mark.parametrize("ties", [False, True])
def test_the_area_is_that_of_scikit_learn_and_its_error_that_of_delong(ties):
    rng = np.random.default_rng(1)
    members, controls = rng.normal(0.3, 1, 60), rng.normal(size=25)
    if ties:
        members, controls = members.round(), controls.round()
    found = auc_against("", members, controls, 0.9, chance=0.0)
    wanted = roc_auc_score(np.r_[np.ones(60), np.zeros(25)], np.r_[members, controls])
    assert found.value.middle == pytest.approx(wanted) == auc_of(members, controls)
    reach = 1.6448536 * delong_by_pairs(members, controls)
    assert found.value.lower == pytest.approx(wanted - reach)
    assert found.value.upper == pytest.approx(wanted + reach)
    assert found.excess.middle == pytest.approx(wanted - 0.5)
    assert found.control.upper == 0.5


def test_the_error_under_chance_is_the_least_one():
    found = auc_against("", np.array([3.0, 4.0]), np.array([1.0, 2.0]), 0.9, chance=0.2)
    assert found.value.middle == 1.0
    assert found.excess.lower == pytest.approx(0.5 - 1.6448536 * 0.2)
    assert found.detectable == pytest.approx((1.6448536 + 0.8416212) * 0.2)


def test_differences_of_shares_have_the_interval_of_agresti_and_caffo():
    members, controls = np.repeat([1.0, 0.0], [37, 263]), np.repeat([1.0, 0.0], [4, 66])
    found = share_against("", members, controls, 0.9)
    low, high = confint_proportions_2indep(37, 300, 4, 70, method="agresti-caffo", compare="diff", alpha=0.1)
    assert (found.excess.lower, found.excess.upper) == pytest.approx((low, high))
    assert found.excess.middle == pytest.approx(37 / 300 - 4 / 70)
    assert (found.value.middle, found.control.middle) == pytest.approx((37 / 300, 4 / 70))


def test_no_success_at_all_still_has_an_interval():
    found = share_against("", np.zeros(300), np.zeros(60), 0.9)
    assert found.excess.middle == 0.0
    assert found.excess.lower < 0 < found.excess.upper < 0.02
    assert 0 < found.detectable < 0.1


def test_a_detectable_area_is_found_in_four_of_five_cases():
    n, h, level = 150, 50, 0.9
    rng = np.random.default_rng(3)
    shift = np.sqrt(2) * ndtri(detectable_auc(n, h, level))  # normal scores that far apart have this area
    chance = np.sqrt((n + h + 1) / (12 * n * h))
    lower = [
        auc_against("", rng.normal(shift, 1, n), rng.normal(size=h), level, chance).excess.lower for _ in range(1500)
    ]
    assert np.mean(np.array(lower) > 0) == pytest.approx(0.8, abs=0.05)


def test_the_strongest_of_several_attacks_allows_for_all_of_them():
    rng = np.random.default_rng(5)
    level = simultaneous(4)
    assert level == pytest.approx(0.975)
    false_alarms = 0
    for _ in range(300):
        attacks = [auc_against(str(i), rng.normal(size=100), rng.normal(size=50), level, 0.05) for i in range(4)]
        best = strongest(attacks)
        assert best.excess.middle == max(a.excess.middle for a in attacks) or best.excess.lower > 0
        assert best.excess.upper == max(a.excess.upper for a in attacks)
        false_alarms += best.excess.lower > 0
    assert false_alarms / 300 < 0.08


def test_true_positive_rates_stay_within_the_false_positive_rate():
    rng = np.random.default_rng(2)
    members, controls = rng.normal(size=200), rng.normal(size=50).round(1)
    found = true_positive_rate(members, controls, 0.1)
    thresholds = [t for t in np.r_[controls, -9] if (controls > t).sum() <= 5]
    assert found == max((members > t).mean() for t in thresholds)


def frame(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": np.where(rng.random(n) < 0.2, np.nan, 1e9 + rng.normal(size=n)),
            "n": rng.poisson(3, n),
            "sex": rng.choice(["f", "m"], n),
            "site": rng.choice(["a", "b", "c"], n),
            "stage": pd.Categorical(rng.choice(["I", "II", "III"], n), ["I", "II", "III"], ordered=True),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 400, n), unit="D"),
        }
    )


def test_distances_are_those_of_a_plain_loop():
    real, drawn = frame(40, 1), frame(60, 2)
    drawn["stage"] = drawn["stage"].cat.add_categories("IV")
    drawn.loc[0, ["site", "stage"]] = ["new", "IV"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = TableReader.of(real, Schema.infer(real))
    a, b = reader.values(real), reader.values(drawn)
    gower = Gower.of(reader, b)
    found = np.concatenate([d for _, d in gower.blocks(gower.place(a), gower.place(b))])
    spans = {
        name: np.diff(np.nanquantile(b[:, reader.names.index(name)], [0.05, 0.95]))[0] for name in ("x", "n", "day")
    }

    def apart(i: int, j: int, name: str) -> float:
        at = reader.names.index(name)
        x, y = a[i, at], b[j, at]
        if np.isnan(x) or np.isnan(y):
            return float(np.isnan(x) != np.isnan(y))
        if name in spans:
            return min(abs(x - y) / spans[name], 1)
        if name == "stage" and y >= 0:
            return abs(x - y) / 2
        return float(x != y)

    wanted = [[np.mean([apart(i, j, name) for name in reader.names]) for j in range(60)] for i in range(40)]
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    np.testing.assert_allclose(gower.nearest(gower.place(a), gower.place(b)), np.min(wanted, axis=1), atol=1e-6)


def test_blocks_do_not_change_distances(monkeypatch):
    real = frame(30, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = TableReader.of(real, Schema.infer(real))
    values = reader.values(real)
    gower = Gower.of(reader, values)
    placed = gower.place(values)
    whole = np.concatenate([d for _, d in gower.blocks(placed, placed)])
    monkeypatch.setattr("bayesynth.diagnostics.gower.CELLS_AT_ONCE", 70)
    parts = [d for _, d in gower.blocks(placed, placed)]
    assert len(parts) > 10
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert np.diag(whole).max() == 0

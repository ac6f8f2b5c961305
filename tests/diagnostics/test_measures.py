"""Each measure of fidelity: exact on tiny tables, and equal to independent implementations."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import ks_2samp
from statsmodels.stats.proportion import proportion_confint

from bayesynth.diagnostics.analyses import Analyses, expected_overlap, interval_overlap
from bayesynth.diagnostics.association import Associations, largest
from bayesynth.diagnostics.blanks import BlankPatterns, BlankRates
from bayesynth.diagnostics.columns import Columns
from bayesynth.diagnostics.figures import wilson
from bayesynth.diagnostics.pairs import Pairs, standardised_pmse
from bayesynth.diagnostics.prediction import Prediction
from bayesynth.diagnostics.setting import Setting
from bayesynth.diagnostics.whole import Trees, TwoSample
from bayesynth.errors import InputError
from bayesynth.schema import Column, Schema

BINARY = Schema([Column("a", "binary", levels=("x", "y")), Column("b", "binary", levels=(0, 1))])
REAL = pd.DataFrame({"a": list("xxxxyyyy"), "b": [0, 0, 1, 1, 0, 0, 1, 1]})
OTHER = pd.DataFrame({"a": list("xxyyyyyy"), "b": [0, 0, 0, 0, 1, 1, 1, 1]})


def between(kind, real, synthetic, schema=None, rng=None, **options):
    """Parts of a measure between all rows of the real and of the synthetic table, by name."""
    setting = Setting.of(real, synthetic, schema, **options)
    measure = kind(setting, np.random.default_rng(1) if rng is None else rng)
    sides = [measure.profile(measure.prepare(s), np.arange(len(s))) for s in (setting.real, setting.tables[0])]
    return measure, measure.parts_between(*sides)


def mixed(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "y": (x + rng.normal(size=n)).round(1),
            "site": rng.choice(["a", "b", "c"], n),
            "yes": rng.random(n) < 1 / (1 + np.exp(-x)),
        }
    )
    frame.loc[rng.random(n) < 0.3, "y"] = np.nan
    return frame


def test_columns_by_hand_and_against_scipy():
    _, found = between(Columns, REAL, OTHER, BINARY)
    assert found.tolist() == [0.25, 0.0]
    real, other = mixed(150, 1), mixed(90, 2)
    measure, found = between(Columns, real, other)
    assert measure.parts == ("x", "y", "site", "yes")
    for i, name in enumerate(("x", "y")):
        assert found[i] == pytest.approx(ks_2samp(real[name].dropna(), other[name].dropna()).statistic)
    shares = [frame["site"].value_counts(normalize=True) for frame in (real, other)]
    assert found[2] == pytest.approx((shares[0] - shares[1]).abs().sum() / 2)
    details = measure.details(measure.aspects[0])
    expected = (other["y"].mean() - real["y"].mean()) / real["y"].std(ddof=0)
    assert details["mean_difference"][1] == pytest.approx(expected)
    assert np.isnan(details["q50_difference"][2])


def test_a_column_without_values_is_at_the_greatest_distance():
    real = mixed(50, 1)
    _, found = between(Columns, real, real.assign(x=np.nan))
    assert found.tolist() == [1, 0, 0, 0]
    schema = Schema.infer(real).update(x={"nullable": True})
    empty = real.assign(x=np.nan)
    _, found = between(Columns, empty, empty, schema)
    assert np.isnan(found[0])


def test_levels_and_numbers_that_the_real_table_does_not_have_count_as_different():
    schema = Schema([Column("a", "binary", levels=("x", "y")), Column("b", "continuous")])
    real = pd.DataFrame({"a": list("xy") * 10, "b": np.arange(20.0)})
    other = pd.DataFrame({"a": ["z"] * 20, "b": np.full(20, 1e9)})
    assert between(Columns, real, other, schema)[1].tolist() == pytest.approx([1, 1])
    assert between(Pairs, real, other, schema)[1].tolist() == [8]


def test_pairs_are_the_propensity_score_of_a_saturated_model():
    real, other = mixed(150, 1), mixed(90, 2)
    measure, found = between(Pairs, real, other)
    assert measure.parts[0] == "x ~ y"
    reader = measure.setting.reader
    codes = np.concatenate([reader.codes(real), reader.codes(other)])
    side = np.repeat([0, 1], [150, 90])
    for (i, j), ours in zip([(0, 1), (2, 3)], found[[0, 5]], strict=True):
        cell = codes[:, i] * 1000 + codes[:, j]
        chance = pd.Series(side).groupby(cell).transform("mean")
        c = 90 / 240
        null = (len(set(cell)) - 1) * c * (1 - c) ** 2 / 240
        assert ours == pytest.approx(((chance - c) ** 2).mean() / null)
    assert measure.details(measure.aspects[0])["second"].tolist() == ["y", "site", "yes", "site", "yes", "yes"]


def test_two_samples_of_one_law_score_two_and_a_plug_in_sample_one():
    rng = np.random.default_rng(1)
    p = np.array([0.1, 0.2, 0.3, 0.4])
    ours = rng.multinomial(200, p, 3000).astype(float)
    theirs = rng.multinomial(200, p, 3000).astype(float)
    plug_in = np.array([rng.multinomial(200, row / 200) for row in ours], float)
    starts = 4 * np.arange(3000)
    assert standardised_pmse(ours.ravel(), theirs.ravel(), starts).mean() == pytest.approx(2, abs=0.1)
    assert standardised_pmse(ours.ravel(), plug_in.ravel(), starts).mean() == pytest.approx(1, abs=0.05)


def test_blanks_by_hand():
    real = pd.DataFrame({"x": [1.0, 2, 3, np.nan] * 5, "y": [1.0, 5, np.nan, np.nan] * 5, "z": np.arange(20.0)})
    other = pd.DataFrame({"x": [1.0, np.nan] * 10, "y": [1.0, 5, 3, np.nan] * 5, "z": np.arange(20.0)})
    schema = Schema([Column(name, "continuous", nullable=True) for name in "xyz"])
    measure, found = between(BlankRates, real, other, schema)
    assert measure.parts == ("x", "y")
    assert found.tolist() == [0.25, 0.25]
    details = measure.details(measure.aspects[0])
    assert details["real_rate"].tolist() == [0.25, 0.5]
    assert details["synthetic_rate"].tolist() == [0.5, 0.25]
    measure, found = between(BlankPatterns, real, other, schema)
    shares = dict(zip(measure.parts, found, strict=True))
    assert shares == {"nothing blank": 0.0, "x + y": 0.0, "y": 0.125, "other patterns": 0.125}
    assert measure.aspects[0].combine(found[None])[0] == 0.25
    measure, _ = between(BlankRates, real.fillna(1), real.fillna(1), schema)
    assert measure.aspects[0].lacking


def test_only_the_commonest_patterns_are_named(monkeypatch):
    monkeypatch.setattr("bayesynth.diagnostics.blanks.PATTERNS", 2)
    real = pd.DataFrame({"x": [1.0] * 15 + [np.nan] * 5, "y": [1.0] * 12 + [np.nan] * 8})
    measure, _ = between(BlankPatterns, real, real, Schema([Column(n, "continuous", nullable=True) for n in "xy"]))
    assert measure.parts == ("nothing blank", "x + y", "other patterns")


def test_wilson_agrees_with_statsmodels():
    low, high = wilson(np.array([0, 3, 20]), 20, level=0.9)
    expected = proportion_confint([0, 3, 20], 20, alpha=0.1, method="wilson")
    np.testing.assert_allclose([low, high], expected, atol=1e-12)


def test_associations_against_pandas():
    real, other = mixed(150, 1), mixed(90, 2)
    measure, found = between(Associations, real, other)
    parts = dict(zip(measure.parts, found, strict=True))

    def spearman(frame):  # ranks within the real column
        known = frame[frame["y"].notna()]
        places = [np.searchsorted(np.sort(real[name].dropna()), known[name]) for name in ("x", "y")]
        return np.corrcoef(places)[0, 1]

    assert parts["x ~ y"] == pytest.approx(abs(spearman(real) - spearman(other)), abs=0.01)
    np.testing.assert_allclose(
        parts["blank(y) ~ yes"],
        abs(np.subtract(*[f["y"].isna().astype(float).corr(f["yes"].astype(float)) for f in (real, other)])),
    )
    assert set(measure.parts) == {
        *("x ~ y", "x ~ site", "x ~ yes", "y ~ site", "y ~ yes", "site ~ yes"),
        *("blank(y) ~ x", "blank(y) ~ site", "blank(y) ~ yes"),
    }
    mean, most, blanks = measure.aspects
    assert len(mean.named) == len(most.named) == 6
    assert len(blanks.named) == 3
    assert most.combine(found[None][:, most.named])[0] == max(v for k, v in parts.items() if "blank" not in k)
    assert np.isnan(largest(np.full((1, 2), np.nan)))


def test_a_forest_tells_apart_what_differs_and_guesses_otherwise():
    real, rng = mixed(120, 1), np.random.default_rng(1)
    far = mixed(120, 2).assign(x=lambda d: d["x"] + 9)
    measure, found = between(TwoSample, real, far, rng=rng)
    assert found[0] > 0.999
    assert measure.parts[int(found[1:].argmax())] == "x"
    assert found[1:].sum() == pytest.approx(1)
    chance = [between(TwoSample, real, mixed(120, 10 + i), rng=rng)[1][0] for i in range(4)]
    assert 0.4 < np.mean(chance) < 0.6


def test_a_classification_tree_is_measured_against_shuffled_sides():
    real, rng = mixed(120, 1), np.random.default_rng(1)
    far = mixed(120, 2).assign(x=lambda d: d["x"] + 9)
    _, found = between(Trees, real, far, rng=rng)
    assert found[0] > 2
    chance = [between(Trees, mixed(120, 30 + i), mixed(120, 10 + i), rng=rng)[1][0] for i in range(10)]
    assert 0.9 < np.mean(chance) < 1.1
    same = pd.DataFrame({"x": np.zeros(20), "y": np.arange(20.0)})
    assert between(Trees, same, same, Schema([Column(n, "continuous") for n in "xy"]))[1][0] == pytest.approx(0)


def mean_of_x(frame):
    return {"mean": (frame["x"].mean(), frame["x"].var() / len(frame))}


def test_an_analysis_is_compared_in_standard_errors_of_the_difference():
    real, other = mixed(100, 1), mixed(50, 2)
    measure, found = between(Analyses, real, other, analysis=mean_of_x)
    expected = abs(real["x"].mean() - other["x"].mean()) / np.sqrt(real["x"].var() * (1 / 100 + 1 / 50))
    assert measure.parts == ("mean",)
    assert found.tolist() == pytest.approx([expected])
    details = measure.details(measure.aspects[0])
    reach = 1.96 * np.sqrt([real["x"].var() / 100, other["x"].var() / 100])
    ends = [(f["x"].mean() - r, f["x"].mean() + r) for f, r in zip((real, other), reach, strict=True)]
    shared = min(high for _, high in ends) - max(low for low, _ in ends)
    assert details["overlap"][0] == pytest.approx(np.mean(shared / (2 * reach)), abs=1e-4)
    assert details["overlap_expected"][0] == expected_overlap(2)


def test_statsmodels_results_and_several_analyses_are_read():
    real = mixed(100, 1)

    def regression(frame):
        return sm.OLS(frame["yes"].astype(float), sm.add_constant(frame[["x"]])).fit()

    measure, found = between(Analyses, real, real, analysis={"mean": mean_of_x, "line": regression})
    assert measure.parts == ("mean: mean", "line: const", "line: x")
    assert found.tolist() == [0, 0, 0]
    details = measure.details(measure.aspects[0])
    assert details["overlap"].tolist() == pytest.approx([1, 1, 1])
    assert details["sign_agrees"].tolist() == details["conclusion_agrees"].tolist() == [1, 1, 1]


def test_an_analysis_that_fails_on_some_rows_is_counted():
    real, other = mixed(100, 1), mixed(40, 2)

    def fussy(frame):
        if len(frame) < 50:
            raise ZeroDivisionError
        return mean_of_x(frame)

    measure, found = between(Analyses, real, other, analysis=fussy)
    assert np.isnan(found).all()
    assert "1 of 2" in measure.note(measure.aspects[0])


@pytest.mark.parametrize(
    ("analysis", "message"),
    [
        (3, "is a int"),
        (lambda frame: 1 / 0, "ZeroDivisionError"),
        (lambda frame: {"mean": 2.0}, "variances"),
        (lambda frame: {"mean": (2.0, 0.0)}, "variances"),
    ],
)
def test_an_analysis_that_cannot_be_used_is_refused(analysis, message):
    with pytest.raises(InputError, match=message):
        between(Analyses, REAL, OTHER, BINARY, analysis=analysis)


def test_the_expected_overlap_is_that_of_a_correct_model():
    rng = np.random.default_rng(1)
    n, k, repeats = 100, 50, 20000
    real = rng.normal(scale=1 / np.sqrt(n), size=repeats)
    synthetic = real + rng.normal(scale=np.sqrt(1 / n + 1 / k), size=repeats)
    reach = np.full(repeats, 1.959964 / np.sqrt(n))
    found = interval_overlap(real, reach, synthetic, reach)
    assert found.mean() == pytest.approx(expected_overlap(n / k), abs=0.01)
    assert found.min() < 0


def test_a_prediction_is_scored_beside_its_baseline():
    real, other = mixed(200, 1), mixed(200, 2)
    _, loss = between(Prediction, real, other, target="yes")
    assert 0.1 < loss[0] < 0.4
    rng = np.random.default_rng(1)
    _, guess = between(Prediction, real, other.assign(yes=rng.permutation(other["yes"])), target="yes")
    assert 0.4 < guess[0] < 0.6
    _, constant = between(Prediction, real, other.assign(yes=True), target="yes")
    assert constant[0] == 0.5
    _, loss = between(Prediction, real, other, target="y")
    assert 0.3 < loss[0] < 0.9
    _, loss = between(Prediction, real, other, target="site")
    assert 0.4 < loss[0] < 0.6


def test_what_cannot_be_predicted_says_why():
    real = mixed(60, 1)
    for target, frame, reason in (
        (None, real, "no target"),
        ("y", real.assign(y=real["y"].where(np.arange(60) < 10)), "rows only"),
        ("x", real[["x"]], "nothing to predict it from"),
    ):
        measure = Prediction(Setting.of(frame, frame, target=target), np.random.default_rng(1))
        assert reason in measure.aspects[0].lacking

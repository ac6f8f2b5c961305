"""Risk: tables of the law itself raise no alarm, leaks are found, and what cannot be judged says so."""

import warnings

import numpy as np
import pandas as pd
import pytest

from bayesynth.datasets import load_dataset, random_network
from bayesynth.diagnostics import schema_of
from bayesynth.diagnostics.figures import to_frame
from bayesynth.diagnostics.membership import Attacked
from bayesynth.diagnostics.risk import assess_risk, release_text
from bayesynth.errors import InputError

NAMES = ["membership", "membership of unusual records", "attributes", "copies"]


@pytest.fixture(scope="module")
def law():
    network = random_network(8, effect=0.8, blanks=0.1, random_seed=3)
    people = network.sample(500, random_seed=1)
    return network, people.iloc[:400], people.iloc[400:]


def assess(real, synthetic, holdout=None, **options):
    options = {"random_seed": 1, "progress": False, "schema": schema_of(real, None)} | options
    schema = options.pop("schema")
    return {figure.name: figure for figure in assess_risk(real, synthetic, schema, holdout=holdout, **options)}


def leaky(network, real: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    fresh = network.sample(len(real), random_seed=1000 + seed)
    n = round(share * len(real))
    stolen = real.sample(n, random_state=seed)
    return pd.concat([stolen, fresh.iloc[n:]], ignore_index=True)


def test_tables_of_the_law_itself_raise_no_alarm(law):
    network, real, holdout = law
    keys = list(real)[:2]
    fresh = [network.sample(400, random_seed=50 + i) for i in range(3)]
    found = assess(real, fresh, holdout, keys=keys)
    assert list(found) == NAMES
    assert all(figure.verdict != "worse than floor" for figure in found.values())
    membership = found["membership"]
    assert membership.excess.lower < 0.02
    assert membership.value.middle == pytest.approx(0.5 + membership.excess.middle)
    assert membership.floor.lower < 0.5 < membership.floor.upper
    assert "four of five cases" in membership.note
    frame = to_frame(list(found.values()))
    assert frame["group"].eq("risk").all()


def test_copied_rows_are_caught(law):
    network, real, holdout = law
    found = assess(real, [leaky(network, real, 0.3, i) for i in range(3)], holdout)
    for name in ("membership", "copies"):
        assert found[name].verdict == "worse than floor"
    copies = found["copies"].details.set_index("what")
    assert copies.loc["copies", "share"] == pytest.approx(1 - 0.7**3, abs=0.06)
    assert copies.loc["copies", "share_put_aside"] < 0.05
    assert copies.loc["near copies", "excess_lower"] > 0.3
    assert "not a measure of risk" in found["copies"].note


def test_a_table_that_blurs_the_fitted_rows_is_caught_without_a_single_copy(law):
    _, real, holdout = law
    rng = np.random.default_rng(4)
    partner = real.sample(frac=1, random_state=5).reset_index(drop=True)
    blurred = real.reset_index(drop=True).mask(rng.random(real.shape) < 0.25, partner)
    blurred = blurred.astype(real.dtypes.to_dict())
    found = assess(real, blurred, holdout)
    assert found["membership"].verdict == "worse than floor"
    assert found["membership"].value.middle > 0.6


def test_rates_are_shown_where_there_are_controls_enough(law):
    network, real, holdout = law
    fresh = network.sample(300, random_seed=9)
    measures = assess(real, fresh, holdout)["membership"].details["measure"]
    assert set(measures) == {"AUC", "TPR at 10% FPR"}  # 100 controls cannot show 1%
    measures = assess(real.iloc[:200], fresh, pd.concat([holdout, real.iloc[200:]]))["membership"].details["measure"]
    assert set(measures) == {"AUC", "TPR at 10% FPR", "TPR at 1% FPR"}
    few = assess(real, fresh, holdout.iloc[:12])
    assert set(few["membership"].details["measure"]) == {"AUC"}
    assert few["membership of unusual records"].verdict == "not done"
    assert "it takes 5 of each" in few["membership of unusual records"].note


def test_unusual_records_are_a_tenth_taken_as_a_group(law):
    network, real, holdout = law
    details = assess(real, network.sample(300, random_seed=9), holdout)["membership of unusual records"].details
    assert (details["fitted"] + details["put_aside"]).eq(50).all()


def test_without_a_holdout_attacks_say_what_is_missing(law):
    network, real, holdout = law
    found = assess(real, network.sample(300, random_seed=9), keys=[real.columns[0]])
    for name in NAMES[:3]:
        assert found[name].verdict == "not done"
        assert "Synthesizer.fit(..., holdout=0.2)" in found[name].note
    assert len(found["attributes"].details) == real.shape[1] - 1
    assert found["attributes"].details["DiSCO"].notna().all()
    assert found["copies"].verdict == "not done"
    assert 0 <= found["copies"].value.middle <= 1
    assert np.isnan(found["copies"].floor.middle)
    no_keys = assess(real, network.sample(300, random_seed=9))["attributes"]
    assert "keys=[...]" in no_keys.note
    few = assess(real, network.sample(300, random_seed=9), holdout.iloc[:3])
    assert "it takes 5" in few["membership"].note


def test_equal_seeds_give_equal_figures_and_nothing_is_changed(law):
    network, real, holdout = law
    tables = [network.sample(200, random_seed=7)]
    before = [frame.copy() for frame in (real, holdout, *tables)]
    first, second = (assess(real, tables, holdout, keys=[real.columns[1]]) for _ in range(2))
    assert {n: f.value for n, f in first.items()} == {n: f.value for n, f in second.items()}
    for name in NAMES:
        pd.testing.assert_frame_equal(first[name].details, second[name].details)
    for frame, copy in zip((real, holdout, *tables), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


def test_levels_and_dates_that_only_the_holdout_has_do_not_break_it():
    patients = load_dataset("pbc").assign(site="A", day=pd.Timestamp("2020-01-01"))
    patients["site"] = np.where(np.arange(418) % 3 == 0, "A", "B")
    patients["day"] += pd.to_timedelta(np.arange(418), unit="D")
    real, holdout = patients.iloc[:340], patients.iloc[340:].copy()
    holdout["site"] = "elsewhere"
    holdout["stage"] = None
    found = assess(real, real.sample(200, random_state=1), holdout, keys=["site", "sex"])
    assert found["attributes"].details["DiSCO_put_aside"].eq(0).all()
    assert found["membership"].verdict == "worse than floor"


@pytest.mark.parametrize("index", ["repeated", "text", "multi"])
def test_any_index_will_do(law, index):
    network, real, holdout = law
    made = {
        "repeated": np.zeros(400, int),
        "text": [f"p{i}" for i in range(400)],
        "multi": pd.MultiIndex.from_product([range(400), ["v"]]),
    }[index]
    fresh = network.sample(300, random_seed=9)
    moved = assess(real.set_axis(made, axis=0), fresh, holdout)
    assert moved["membership"].value == assess(real, fresh, holdout)["membership"].value


def test_odd_tables_are_judged_or_refused():
    rng = np.random.default_rng(0)
    odd = pd.DataFrame({"flat": 1.0, "empty": np.nan, "sex": rng.choice(["f", "m"], 80)})
    found = assess(odd.iloc[:50], odd, odd.iloc[50:].reset_index(drop=True))
    assert found["membership"].value.middle == 0.5  # everybody has a twin
    wide = pd.DataFrame(rng.normal(size=(60, 40)), columns=[f"x{i}" for i in range(40)])
    assert assess(wide.iloc[:40], wide.iloc[:40], wide.iloc[40:])["membership"].value.middle == 1.0
    one = assess(wide.iloc[:1], wide, None, schema=schema_of(wide, None))
    assert one["copies"].value.middle == 1.0
    with pytest.raises(InputError, match="no column to compare"):
        assess(odd[["flat", "empty"]], odd)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"real": [1]}, "the real table is a list"),
        ({"real": "empty"}, "no rows"),
        ({"keys": ["nothing"]}, "keys names 'nothing'"),
        ({"keys": "a"}, "keys is the text 'a'"),
        ({"targets": ["a"]}, "targets are given without keys"),
        ({"keys": ["a"], "targets": ["a"]}, "'a' is both key and target"),
        ({"keys": ["a", "b"]}, "every column is a key"),
        ({"holdout": [1]}, "the holdout is a list"),
        ({"holdout": pd.DataFrame({"a": [1.0]})}, "the holdout lacks b"),
        ({"holdout": "part"}, "the holdout consists of rows of the real table"),
    ],
)
def test_what_cannot_be_is_refused(change, says):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=30), "b": rng.choice(["x", "y"], 30)})
    options = {"real": table, "holdout": None, "progress": False} | change
    schema = schema_of(table, None)
    if isinstance(options["real"], str):
        options["real"] = table.iloc[:0]
    if isinstance(options["holdout"], str):
        options["holdout"] = table.iloc[20:]
    with pytest.raises(InputError, match=says):
        assess_risk(options.pop("real"), table, schema, **options)


def test_scores_do_not_depend_on_who_is_called_fitted_but_for_references(law):
    rng = np.random.default_rng(1)
    between = rng.random((30, 30))
    between = between + between.T
    np.fill_diagonal(between, np.inf)
    fitted = np.arange(30) < 20
    attacked = Attacked(fitted, rng.random(30), between, np.zeros(30, bool))
    scores = attacked.scores(fitted, np.random.default_rng(2))
    reference = np.exp(scores["density ratio"]) * (attacked.nearest + 1e-3) - 1e-3
    for i in range(30):  # the nearest of four fifths of the rows put aside, so one of the three nearest of all ten
        nearest = np.sort(between[i, 20:])[:3]
        assert np.isclose(nearest, reference[i]).any()


def test_the_text_of_every_report_says_what_it_must():
    for text in (release_text(334, 84), release_text(334, None), release_text(334, 0)):
        for part in (
            "without differential privacy; there is no formal guarantee for any individual",
            "Removing exact copies does not make them anonymous",
            "others may do better",
            "a legal judgement for the controller",
            "Do not release the fitted posterior",
        ):
            assert part in text
    assert "334 rows and 84 control rows" in release_text(334, 84)
    assert "below 0.71 would" in release_text(334, 84, 0.71)
    assert "no attack could be judged" in release_text(334, None)


def test_no_real_value_is_in_the_figures(law):
    network, real, holdout = law
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = assess(real, network.sample(300, random_seed=9), holdout, keys=list(real)[:2])
    text = " ".join(figure.details.to_string() + figure.note for figure in found.values())
    numbers = [name for name in real if pd.api.types.is_float_dtype(real[name])]
    assert numbers
    for name in numbers:
        assert not any(str(value) in text for value in real[name].dropna().head(50) if abs(value) > 1.5)

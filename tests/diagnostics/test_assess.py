"""The assessment: silent under the truth, loud where something is broken, whatever the tables look like."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bayesynth.datasets import load_dataset, random_network
from bayesynth.diagnostics import assess_tables, whole
from bayesynth.diagnostics.analyses import Analyses
from bayesynth.diagnostics.assess import FIGURES, work_out
from bayesynth.diagnostics.association import Associations
from bayesynth.diagnostics.blanks import BlankPatterns, BlankRates
from bayesynth.diagnostics.columns import Columns
from bayesynth.diagnostics.figures import SKIPPED, UNKNOWN, WITHIN, WORSE, Figure, to_frame
from bayesynth.diagnostics.measures import Measure
from bayesynth.diagnostics.pairs import Pairs
from bayesynth.diagnostics.prediction import Prediction
from bayesynth.diagnostics.setting import Setting
from bayesynth.diagnostics.whole import Trees, TwoSample
from bayesynth.errors import InputError
from bayesynth.schema import Schema

CHEAP = (Columns, BlankRates, BlankPatterns, Pairs, Associations)
NAMES = [
    *("columns", "missingness rates", "missingness patterns", "pairs", "association", "largest association"),
    *("missingness dependence", "whole table", "classification tree", "analysis", "prediction"),
]


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Fewer trees and splits: how often verdicts are right is measured by tests/benchmarks/verdicts.py."""
    monkeypatch.setattr(Measure, "splits", 30)
    monkeypatch.setattr(Measure, "comparisons", 60)
    monkeypatch.setattr(whole, "TREES", 5)
    monkeypatch.setattr(whole, "REFITS", 2)
    for kind in (TwoSample, Trees, FIGURES[-1]):
        monkeypatch.setattr(kind, "splits", 6)
        monkeypatch.setattr(kind, "comparisons", 12)
    monkeypatch.setattr("bayesynth.diagnostics.prediction.TREES", 5)


@pytest.fixture(scope="module")
def law():
    network = random_network(8, effect=1.0, blanks=0.15, random_seed=3)
    real = network.sample(300, random_seed=1)
    return network, real, [network.sample(300, random_seed=100 + i) for i in range(5)]


def shuffled(frame, rng):
    return pd.DataFrame({name: frame[name].sample(frac=1, random_state=rng).to_numpy() for name in frame})


def cheap(real, synthetic, schema=None, seed=1, **options):
    """Figures that train no classifier, by name."""
    setting = Setting.of(real, synthetic, schema, **options)
    return {figure.name: figure for figure in work_out(CHEAP, setting, progress=False, random_seed=seed)}


def mean_of_first(frame):
    first = pd.to_numeric(frame.iloc[:, 0], errors="coerce").dropna()
    return {"mean": (float(first.mean()), float(first.var() / len(first)))}


def test_everything_at_once(law):
    _, real, fresh = law
    own = Figure.skipped("checks", "fidelity", "", "no fit")
    target, numeric = real.columns[1], next(name for name in real if real[name].dtype == float)
    figures = assess_tables(
        real,
        fresh,
        target=target,
        analysis=lambda d: mean_of_first(d[[numeric]]),
        more=[own],
        progress=False,
        random_seed=1,
    )
    assert [figure.name for figure in figures] == [*NAMES, "checks"]
    assert figures[-1] is own
    for figure in figures[:-1]:
        assert figure.verdict in (WITHIN, UNKNOWN), figure
        assert figure.value.lower <= figure.value.middle <= figure.value.upper
        assert figure.floor.lower <= figure.floor.middle <= figure.floor.upper
        assert figure.excess.lower < 0 < figure.excess.upper
        assert figure.tolerance > 0
        assert len(figure.worst) == min(5, len(figure.details))
        assert figure.meaning
        assert (figure.rows_needed is not None) == (figure.verdict == UNKNOWN)
        floors = figure.draws["table"].isna()
        assert figure.draws.loc[floors, "figure"].median() == pytest.approx(figure.floor.middle)
        assert set(figure.draws["table"].dropna()) == {1, 2, 3, 4, 5}
    frame = to_frame(figures)
    assert frame.index.tolist()[:-1] == NAMES
    assert frame["verdict"].iloc[-1] == SKIPPED


def test_equal_seed_equal_figures_and_no_frame_is_changed(law):
    _, real, fresh = law
    copy, copies = real.copy(), [table.copy() for table in fresh]

    def judged(seed):
        tables = (table.head(80) for table in fresh[:2])
        return to_frame(assess_tables(real, tables, target=real.columns[0], progress=False, random_seed=seed))

    first = judged(4)
    pd.testing.assert_frame_equal(first, judged(4))
    assert not first.equals(judged(5))
    for ours, theirs in zip([real, *fresh], [copy, *copies], strict=True):
        pd.testing.assert_frame_equal(ours, theirs)


def test_a_figure_does_not_depend_on_which_others_are_worked_out(law):
    setting = Setting.of(law[1], law[2])
    (alone,) = work_out([Pairs], setting, progress=False, random_seed=1)
    together = work_out(CHEAP, setting, progress=False, random_seed=1)
    assert alone.excess == together[3].excess


def test_shuffled_columns_keep_their_margins_and_lose_the_rest(law):
    _, real, _ = law
    rng = np.random.default_rng(5)
    tables = [shuffled(real, rng) for _ in range(5)]
    found = cheap(real, tables)
    assert found["columns"].verdict == found["missingness rates"].verdict == WITHIN
    assert {found[name].verdict for name in ("pairs", "association", "largest association")} == {WORSE}
    first, second = found["association"].worst[0][0].split(" ~ ")
    assert {first, second} <= set(real)
    assert found["association"].details["excess_lower"].max() > 0
    by_forest = {f.name: f for f in work_out([TwoSample], Setting.of(real, tables), progress=False, random_seed=1)}
    assert by_forest["whole table"].excess.middle > 0.05


def test_one_broken_column_is_named(law):
    _, real, fresh = law
    name = next(name for name in real if real[name].dtype == float)
    moved = [table.assign(**{name: table[name] + 2 * real[name].std()}) for table in fresh]
    found = cheap(real, moved)["columns"]
    assert found.verdict == WORSE
    assert found.worst[0][0] == name
    assert found.worst[0][1] > 0.5 > found.worst[0][2]
    details = found.details.set_index("part")
    assert details.loc[name, "mean_difference"] == pytest.approx(2, abs=0.3)
    assert (details.drop(name)["excess_lower"] < 0).all()


def test_blanks_that_are_lost_or_moved_are_seen():
    real, rng = load_dataset("pbc"), np.random.default_rng(1)
    found = cheap(real, [shuffled(real, rng) for _ in range(3)])
    assert found["missingness rates"].verdict == WITHIN
    assert found["missingness patterns"].verdict == found["missingness dependence"].verdict == WORSE
    lost = cheap(real, real.fillna({name: real[name].mode()[0] for name in real}))
    assert lost["missingness rates"].verdict == WORSE


def test_copies_are_no_better_than_perfect_without_a_note(law):
    _, real, _ = law
    found = cheap(real, [real] * 5)
    for name in ("columns", "pairs", "association"):
        assert found[name].verdict == WITHIN
        assert "nearer" in found[name].note
        assert found[name].excess.upper < 0


def test_a_holdout_tests_predictions_and_changes_no_distance(law):
    network, real, fresh = law
    held = network.sample(120, random_seed=77)
    assert cheap(real, fresh, holdout=held)["pairs"].excess == cheap(real, fresh)["pairs"].excess
    setting = Setting.of(real, fresh, holdout=held, target=real.columns[0])
    design = setting.design(is_loss=True)
    assert design.reference is setting.holdout
    assert design.other is setting.real
    sides = design.split(np.random.default_rng(1))
    assert [len(set(rows)) for rows in sides] == [design.a, design.b] == [60, 150]
    (figure,) = work_out([Prediction], setting, progress=False, random_seed=1)
    assert figure.verdict in (WITHIN, UNKNOWN)
    numbers = {name: 0 for name in held.columns[1:] if held[name].dtype.kind in "fi"}
    useless = Setting.of(real, fresh, holdout=held.assign(**numbers), target=real.columns[0])
    (lost,) = work_out([Prediction], useless, progress=False, random_seed=1)
    assert lost.floor.middle > figure.floor.middle


def test_halves_are_disjoint_and_as_large_as_the_smallest_table_allows(law):
    _, real, fresh = law
    setting = Setting.of(real, [fresh[0], fresh[1].head(40)])
    design, rng = setting.design(), np.random.default_rng(1)
    reference, other = design.split(rng)
    assert len(other) == 40
    assert sorted([*reference, *other]) == list(range(300))
    assert len(set(design.draw(setting.tables[0], rng))) == 40


def test_many_rows_are_thinned(monkeypatch, law):
    monkeypatch.setattr("bayesynth.diagnostics.setting.MOST_ROWS", 100)
    design = Setting.of(law[1], law[2]).design()
    assert (design.a, design.b) == (100, 100)
    assert cheap(law[1], law[2])["columns"].verdict == WITHIN


def test_many_tables_take_turns(monkeypatch, law):
    _, real, fresh = law
    monkeypatch.setattr(Columns, "comparisons", 3)
    monkeypatch.setattr(Columns, "splits", 5)
    monkeypatch.setattr(Columns, "most_tables", 4)
    figure = cheap(real, fresh)["columns"]
    assert figure.draws["table"].value_counts().to_dict() == {1: 3, 2: 3, 3: 2, 4: 2}
    assert figure.note == "The first 4 of 5 tables."


def test_odd_tables():
    rng = np.random.default_rng(1)
    n = 60
    real = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "constant": 1.0,
            "blank": np.nan,
            "nearly": [1.0] * (n - 1) + [2.0],
            "site": pd.Categorical(rng.choice(["a", "b"], n), categories=["a", "b", "never"]),
            "few": pd.array([1, 5, None] * 20, dtype="Int64"),
        },
        index=pd.Index(["same"] * n),
    )
    synthetic = real.sample(n, replace=True, random_state=1).assign(nearly=1.0)
    figures = assess_tables(real, [synthetic, synthetic.head(20)], progress=False, random_seed=1)
    assert [figure.name for figure in figures] == NAMES
    assert all(np.isfinite(f.excess.middle) or f.verdict == SKIPPED for f in figures)
    assert all(f.note for f in figures if f.verdict == SKIPPED)


def test_one_column_has_no_pairs():
    frame = pd.DataFrame({"x": np.random.default_rng(1).normal(size=50)})
    figures = {f.name: f for f in assess_tables(frame, frame, target="x", progress=False, random_seed=1)}
    assert figures["columns"].verdict == WITHIN
    for name in ("pairs", "association", "largest association", "prediction", "analysis", "missingness rates"):
        assert figures[name].verdict == SKIPPED
        assert figures[name].note


def test_forty_columns(law):
    network = random_network(40, random_seed=1)
    real, other = network.sample(80, random_seed=1), network.sample(80, random_seed=2)
    found = cheap(real, other)
    assert len(found["pairs"].details) == 40 * 39 / 2
    assert all(figure.verdict in (WITHIN, UNKNOWN) for figure in found.values())


def test_no_value_of_the_real_table_is_in_a_figure():
    real = load_dataset("pbc").assign(site=lambda d: np.where(d["age"] > 50, "Uppsala", "Lund"))
    real["age"] = real["age"] + 0.123456
    figures = work_out(CHEAP, Setting.of(real, real.sample(200, random_state=1)), progress=False, random_seed=1)
    text = " ".join(f.details.to_csv() + f.meaning + f.note for f in figures)
    assert "Uppsala" not in text
    assert ".123456" not in text


def test_a_bar_is_shown_when_asked(capsys, law):
    setting = Setting.of(law[1], law[2])
    work_out([Columns], setting, progress=True, random_seed=1)
    assert "columns" in capsys.readouterr().err
    work_out([Columns], setting, progress=False, random_seed=1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda real: {"synthetic": []}, "no synthetic table"),
        (lambda real: {"synthetic": real.drop(columns="year")}, "lacks year"),
        (lambda real: {"real": real.drop(columns="year")}, "real table lacks year"),
        (lambda real: {"synthetic": [real, real.iloc[:0]]}, "table 2 has no rows"),
        (lambda real: {"synthetic": ["penguins.csv"]}, "is a str"),
        (lambda real: {"real": real.to_numpy()}, "the real table is a ndarray"),
        (lambda real: {"synthetic": 5}, "synthetic table 1 is a int"),
        (lambda real: {"real": real.head(5)}, "5 rows"),
        (lambda real: {"holdout": real.head(5)}, "holdout has 5 rows"),
        (lambda real: {"holdout": "rows"}, "the holdout is a str"),
        (lambda real: {"holdout": real.drop(columns="year")}, "the holdout lacks year"),
        (lambda real: {"target": "weight"}, "'weight'"),
        (lambda real: {"analysis": "mean"}, "is a str"),
        (lambda real: {"synthetic": real.assign(body_mass_g=["heavy"] * len(real))}, "body_mass_g"),
        (lambda real: {"synthetic": real.assign(body_mass_g=np.inf)}, "infinite"),
        (lambda real: {"real": real.assign(**dict.fromkeys(real, 1)), "schema": None}, "no column to compare"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    penguins = load_dataset("penguins")
    given = {"real": penguins, "synthetic": penguins, "schema": Schema.infer(penguins)} | change(penguins)
    with pytest.raises(InputError, match=message):
        assess_tables(**given, progress=False, random_seed=1)


def test_an_analysis_alone_is_a_figure_of_inference(law):
    setting = Setting.of(law[1], law[2], analysis=lambda frame: mean_of_first(frame.select_dtypes("number")))
    (figure,) = work_out([Analyses], setting, progress=False, random_seed=1)
    assert figure.group == "inference"
    assert {"overlap", "overlap_expected", "sign_agrees", "conclusion_agrees"} <= set(figure.details)


def test_no_engine_is_imported():
    code = (
        "import sys, bayesynth.diagnostics\n"
        "engines = {'pymc', 'pytensor', 'nutpie', 'arviz', 'matplotlib', 'networkx', 'sklearn', 'bayesynth.families'}\n"
        "sys.exit(', '.join(engines & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""The report as an object: figures and facts, JSON, the checklist, and what it must never hold."""

import json
import re
from dataclasses import FrozenInstanceError

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from _handmade import every_verdict, figure

import bayesynth as bs
from bayesynth.diagnostics.figures import FIDELITY, Interval, to_frame
from bayesynth.errors import InputError
from bayesynth.report import ABOUT, assess, words
from bayesynth.report.charts import MARGIN, WIDTH, excess_strip, pair_map
from bayesynth.report.checklist import DONE, NOT, PARTLY, checklist
from bayesynth.report.facts import column_facts, convergence_in_words
from bayesynth.report.html import interval
from bayesynth.synthesis.pooling import rule_for


def test_the_frame_is_that_of_the_figures(report):
    pd.testing.assert_frame_equal(report.to_frame(), to_frame(report.figures))
    made = [f.name for f in every_verdict()]
    assert list(report.to_frame().index) == [*made[:-2], "checks", *made[-2:]]
    assert report.figure("pairs") is report.figures[1]


def test_an_unknown_figure_is_refused_with_the_known_names(report):
    with pytest.raises(InputError, match="columns, pairs"):
        report.figure("quality")


def test_it_is_frozen(report):
    with pytest.raises(FrozenInstanceError):
        report.figures = ()


def test_json_has_everything_and_null_for_what_is_not_known(report, tmp_path):
    text = report.to_json(tmp_path / "report.json")
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == text
    found = json.loads(text)
    assert (found["format"], found["version"]) == ("bayesynth-report", 1)
    assert [f["name"] for f in found["figures"]] == [f.name for f in report.figures]
    first = found["figures"][0]
    assert first["excess"] == {"middle": 0.001, "lower": -0.01, "upper": 0.012}
    assert first["details"][1] == {"part": "other", "value": None, "floor": 0.2}
    assert found["figures"][3]["tolerance"] is None
    facts = found["facts"]
    assert facts["seed"] == 3
    assert facts["provenance"]["m"] == 4
    assert facts["versions"]["bayesynth"] == bs.__version__
    assert len(facts["fit"]["relationships"]) == len(report.facts.fit.relationships)
    assert len(found["checklist"]) == 17


def test_html_is_written_as_it_is_returned(report, tmp_path):
    assert (tmp_path / "r.html").write_text("old") == 3
    text = report.to_html(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == text


def test_equal_seeds_give_equal_reports(quick, small_table, small_tables, small_fit):
    first, second = (
        assess(small_table, small_tables, fit=small_fit, progress=False, random_seed=5).to_html() for _ in range(2)
    )
    assert first == second


def test_no_value_of_a_patient_is_in_it(quick, simple):
    rng = np.random.default_rng(4)
    simple = simple.assign(
        x=rng.normal(size=80) * 1.7314159, when=pd.Timestamp("2020-01-01") + pd.to_timedelta(range(80), "D")
    )
    before = simple.copy()
    report = assess(simple, [simple.sample(frac=1, random_state=1)], progress=False, random_seed=1)
    pd.testing.assert_frame_equal(simple, before)
    everything = report.to_html() + report.to_json() + repr(report) + report._repr_html_()
    for value in simple["x"]:
        assert f"{value:.5g}" not in everything
    assert not any(isinstance(v, pd.DataFrame) and len(v) == len(simple) for v in vars(report.facts).values())


def test_the_hash_is_of_the_schema_and_not_of_the_rows(quick, simple):
    schema = bs.Schema.infer(simple)
    hashes = {assess(t, t, schema, progress=False).facts.schema_hash for t in (simple, simple[::-1], simple.head(40))}
    assert len(hashes) == 1
    other = schema.update(x={"unit": "kg"})
    assert assess(simple, simple, other, progress=False).facts.schema_hash not in hashes


def test_influence_is_told_of_all_rows_together_and_of_none_alone(report, bare, small_fit, small_table):
    each = small_fit.influence(small_table)["influence"]
    found = report.facts.fit.influence
    assert (found["median"], found["largest"]) == (each.median(), each.max())
    assert len(found) == 4
    assert "Influence of single rows" in report.to_html()
    assert "Influence of single rows" not in bare.to_html()


def test_the_text_shows_every_verdict(report):
    text = repr(report)
    for f in report.figures:
        assert f.name in text
        assert words.label(f) in text


def test_it_draws_what_has_been_judged(report):
    ax = report.plot()
    assert len(ax.get_yticks()) == sum(f.verdict != "not done" for f in report.figures)
    plt.close("all")


# --- words -----------------------------------------------------------------------------------------------------------


def test_verdicts_are_said_with_their_sizes():
    columns, pairs, rates, prediction, *_, copies = every_verdict()
    assert words.sentence(columns) == "Within floor: an excess of 0.001 (−0.010 to 0.012), beside a tolerance of 0.02."
    assert words.sentence(pairs).startswith(
        "Worse than floor by 0.40 (0.20 to 0.60), beside a tolerance of 0.25; most in"
    )
    assert words.sentence(rates).endswith("about 1,350 real rows would tell.")
    assert words.sentence(prediction) == "Not done, because no target was named."
    assert words.sentence(copies) == "Described only, without a verdict: 0.010."
    assert (
        words.tally(every_verdict())
        == "2 within floor, 1 worse than floor, 2 cannot tell, 1 not done, 1 described only"
    )


@pytest.mark.parametrize(("middle", "share"), [(0.0, 1 / 3), (0.02, 0.5), (-0.04, 0.0), (0.08, 1.0), (9.0, 1.0)])
def test_the_strip_is_in_units_of_the_tolerance(middle, share):
    svg = excess_strip(figure("f", FIDELITY, (middle, middle - 0.001, middle + 0.001), 0.02))
    assert f'cx="{MARGIN + share * (WIDTH - 2 * MARGIN):.1f}"' in svg
    assert ("<polygon" in svg) == (not -0.04 < middle < 0.08)


def test_every_pair_has_a_cell_as_dark_as_its_excess():
    details = pd.DataFrame(
        {
            "first": ["a", "a", "b"],
            "second": ["b", "c", "c"],
            "excess": [0.1, -0.2, 9.0],
            "excess_lower": [-0.1, -0.3, 0.1],
        }
    )
    svg = pair_map(details, 0.05)
    assert svg.count('class="empty"') == 3
    assert re.findall(r'class="(\w+)" fill-opacity="([\d.]+)"', svg) == [("perhaps", "0.50"), ("surely", "1.00")]
    assert [svg.count(f">{name}</text>") for name in "abc"] == [1, 2, 1]


def test_pairs_of_two_groups_are_named_once_each_and_fit_into_the_picture():
    pairs = [(first, second) for first in ("blank(time)", "blank(age)") for second in ("sex", "bili", "chol")]
    details = pd.DataFrame(pairs, columns=["first", "second"]).assign(excess=0.1, excess_lower=0.0)
    svg = pair_map(details, 0.05)
    names = [*dict.fromkeys([*details["first"], *details["second"]])]
    assert [svg.count(f">{name}</text>") for name in names] == [1] * 5
    _, above, width, height = map(float, re.search(r'viewBox="([^"]*)"', svg)[1].split())
    x, y = (np.array(re.findall(rf'<rect[^>]* {axis}="([\d.]+)"', svg), float) for axis in "xy")
    assert width < x.max() + 120
    assert height + above == pytest.approx(y.max() + 24)
    highest = min(float(y) for y in re.findall(r'y="([\d.-]+)" transform', svg))
    assert above < highest - len("blank(time)") * 4  # a letter of a slanted name needs about 4


def test_a_figure_without_tolerance_has_no_strip():
    assert excess_strip(every_verdict()[3]) == ""
    assert excess_strip(every_verdict()[-1]) == ""


# --- checklist -------------------------------------------------------------------------------------------------------


def states(report):
    return {i: point.state for i, point in enumerate(checklist(report), 1)}


def test_seventeen_points_each_answered_or_with_a_reason(report, bare):
    for found in (report, bare):
        points = checklist(found)
        assert len(points) == 17
        assert {point.state for point in points} <= {DONE, PARTLY, NOT}
        assert all("because" in point.text for point in points if point.state == NOT)
        assert all(point.text.endswith((".", ")")) for point in points)


def test_what_is_known_decides_the_answers(report, bare):
    assert {i for i, state in states(report).items() if state != NOT} >= {2, 4, 5, 6, 8, 9, 10, 13, 14, 15, 17}
    assert {i for i, state in states(bare).items() if state == NOT} >= {1, 3, 4, 5, 6, 15, 16}


def test_what_the_custodian_states_is_in_it(quick, simple):
    about = {name: f"Statement on {name}." for name in ABOUT}
    report = assess(simple, simple, progress=False, about=about)
    assert {states(report)[i] for i in (1, 2, 3, 16)} == {DONE}
    page = report.to_html()
    assert all(text in page for text in about.values())
    partly = assess(simple, simple, progress=False, about={"purpose": "Teaching."})
    assert states(partly)[1] == PARTLY
    assert "about={'not_for': ...}" in checklist(partly)[0].text


def test_what_cannot_be_stated_is_refused_all_at_once(quick, simple):
    with pytest.raises(InputError) as error:
        assess(simple, simple, progress=False, about={"colour": "red", "purpose": " "})
    assert len(error.value.problems) == 2


@pytest.mark.parametrize(
    ("real", "synthetic", "says"),
    [([1], None, "the real table is a list"), (None, 5, "synthetic table 1 is a int")],
)
def test_what_is_no_table_is_refused(quick, simple, real, synthetic, says):
    with pytest.raises(InputError, match=says):
        assess(simple if real is None else real, simple if synthetic is None else synthetic, progress=False)


# --- facts -----------------------------------------------------------------------------------------------------------


def test_contradictions_are_counted():
    real = pd.DataFrame({"g": ["a", "b"] * 30, "n": [1, 2, 3, 4, 5] * 12, "y": [*[np.nan] * 10, *np.arange(50) / 3]})
    schema = bs.Schema.infer(real, n={"kind": "count", "bounds": (0, 10)})
    made = pd.DataFrame({"g": ["a", "z", None, "b"], "n": [0, 11, -1, 10], "y": [0.1, np.nan, 1.0, 2.0]})
    found = column_facts(real, [made, made], schema)
    assert found["strange_levels"].tolist() == [2, 0, 0]
    assert found["out_of_bounds"].tolist() == [0, 4, 0]
    assert found["strange_blanks"].tolist() == [2, 0, 0]
    assert found.loc["y", ["blank_real", "blank_synthetic"]].tolist() == [1 / 6, 0.25]


def test_convergence_is_counted_with_the_worst_figures():
    table = pd.DataFrame(
        {
            "rhat": [1.001, 1.2, np.nan],
            "ess_bulk": [900.0, 12.0, np.nan],
            "divergences": [0, 3, 0],
            "pareto_k": [np.nan] * 3,
            "trusted": [True, False, True],
        }
    )
    said = convergence_in_words(table)
    assert (
        said == "NOT reached by 1 of 3 regressions; largest R-hat 1.200; smallest bulk ESS 12; 3 divergent transitions"
    )
    assert convergence_in_words(table.iloc[[2]]) == "all 1 regressions pass"


def test_recipients_are_told_the_rule_that_combine_would_choose(small_tables):
    p = small_tables.provenance
    complete = [name for name, share in p.blank_shares.items() if not share]
    blank = [name for name, share in p.blank_shares.items() if share]
    assert rule_for(p, complete)[0] == bs.combine([1.0, 1.1, 0.9, 1.0], [0.1] * 4, provenance=p, columns=complete).kind
    assert rule_for(p, blank)[0] == "fully"


# --- odd tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"x": np.arange(30.0) % 7 / 2}),
        pd.DataFrame({"x": np.arange(30.0) % 7 / 2, "nothing": [np.nan] * 30, "same": ["s"] * 30}),
        pd.DataFrame(
            {"x": [1.5, np.nan, 2.5] * 10, "d": pd.date_range("2021-01-01", periods=30)}, index=list("ab") * 15
        ),
        pd.DataFrame({f"c{i}": np.random.default_rng(i).normal(size=30) for i in range(40)}),
    ],
    ids=["one column", "blank and constant", "odd index", "40 columns"],
)
def test_odd_tables_have_a_report(quick, frame):
    report = assess(frame, [frame.head(1), frame], progress=False, random_seed=1)
    assert report.to_html().count("<figcaption>") == len(report.facts.columns)
    json.loads(report.to_json())


def test_a_fit_of_another_table_is_refused(quick, simple, small_fit):
    with pytest.raises(InputError, match="the fit has these columns"):
        assess(simple, simple, fit=small_fit, progress=False)


def test_intervals_show_on_which_side_of_zero_they_end():
    assert interval(Interval(np.nan, np.nan, np.nan)) == "–"
    assert interval(Interval(0.6, 0.02, 1.3)) == "0.60 (0.02 to 1.30)"
    assert interval(Interval(0.6, 0.0, 1.3)) == "0.6 (0.0 to 1.3)"
    assert interval(Interval(120.0, -3.0, 1e-9)) == "120 (−3 to 0)"


# --- everything together ---------------------------------------------------------------------------------------------


def test_real_figures_come_together(simple, hasty):
    made = [simple.sample(frac=1, random_state=i, ignore_index=True) for i in range(2)]
    report = assess(simple, made, keys=["g"], target="g", progress=False, random_seed=1)
    groups = report.to_frame()["group"]
    assert set(groups) >= {"fidelity", "risk"}
    assert {"columns", "pairs", "prediction", "membership", "attributes"} <= set(groups.index)
    assert "no formal guarantee for any individual" in " ".join(report.to_html().split())
    again = assess(simple, made, keys=["g"], target="g", progress=False, random_seed=1)
    assert again.to_json() == report.to_json()

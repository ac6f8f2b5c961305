"""Rare levels: merged, blanked or kept; settling twice is settling once; nothing of them is left in a fit."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import DisclosureWarning, SchemaError

SITES = ["a"] * 20 + ["b"] * 15 + ["c"] * 3 + ["d"] * 2 + ["e"] * 10


def table(**columns: object) -> pd.DataFrame:
    base = {"site": SITES, "y": np.round(np.random.default_rng(1).normal(5, 1, 50), 2)}
    return pd.DataFrame(base | columns, index=pd.Index([f"p{i}" for i in range(50)]))


def schema_of(frame: pd.DataFrame, **facts: object) -> bs.Schema:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bs.Schema.infer(frame, **facts)


def settled(frame: pd.DataFrame, **facts: object) -> tuple[pd.Series, bs.Column]:
    found, schema = schema_of(frame).update(site=facts).settle(frame)
    assert list(found.index) == list(frame.index)
    schema.validate(found)
    again, same = schema.settle(frame)
    pd.testing.assert_frame_equal(again, found)
    assert same == schema
    return found["site"], schema["site"]


@pytest.mark.parametrize("dtype", ["object", "string", "category"])
def test_rare_levels_become_other(dtype: str) -> None:
    frame = table()
    frame["site"] = frame["site"].astype(dtype)
    before = frame.copy()
    series, column = settled(frame, level_policy="merge_rare")
    assert series.value_counts().to_dict() == {"a": 20, "b": 15, "e": 10, "other": 5}
    assert column.levels == ("a", "b", "e", "other")
    assert str(series.dtype) == str(frame["site"].dtype)
    if dtype == "category":
        assert list(series.cat.categories) == ["a", "b", "e", "other"]
    pd.testing.assert_frame_equal(frame, before)


def test_other_is_never_rare_itself() -> None:
    series, _ = settled(table(site=["a"] * 30 + ["b"] * 12 + ["c"] * 7 + ["d"]), level_policy="merge_rare")
    assert series.value_counts().to_dict() == {"a": 30, "b": 12, "other": 8}


def test_nothing_changes_where_nothing_is_rare() -> None:
    frame = table()
    series, column = settled(frame, level_policy="merge_rare", fewest=2)
    pd.testing.assert_series_equal(series, frame["site"])
    assert column.levels == ("a", "b", "c", "d", "e")
    assert schema_of(frame).settle(frame)[0] is frame


def test_rare_levels_are_left_blank() -> None:
    series, column = settled(table(), level_policy="drop")
    assert series.isna().sum() == 5
    assert column.levels == ("a", "b", "e")
    assert column.nullable


@pytest.mark.parametrize("ordered", ["numbers", "category"])
def test_an_ordered_level_joins_its_neighbour(ordered: str) -> None:
    grades = np.repeat([1, 2, 3, 4, 5], [2, 20, 4, 21, 3])
    if ordered == "category":
        names = np.array(["none", "mild", "some", "bad", "worst"])
        grades = pd.Categorical(names[grades - 1], names, ordered=True)
    frame = table(site=grades)
    found, schema = schema_of(frame, site="ordinal").update(site={"level_policy": "merge_rare"}).settle(frame)
    assert found["site"].value_counts().tolist() == [26, 24] or found["site"].value_counts().tolist() == [26, 24][::-1]
    levels = (2, 4) if ordered == "numbers" else ("mild", "bad")
    assert schema["site"].levels == levels
    assert found["site"].value_counts()[levels[0]] == 26  # of two neighbours the lower one
    pd.testing.assert_frame_equal(schema.settle(frame)[0], found)


@pytest.mark.parametrize(
    ("site", "facts", "said"),
    [
        (SITES, {"level_policy": "merge"}, "known are: keep, merge_rare, drop"),
        (SITES, {"level_policy": "drop", "fewest": 0}, "fewest=0"),
        (["a", "b"] * 25, {"level_policy": "drop"}, "only levels can be rare"),
        (np.arange(50) % 4, {"kind": "categorical", "level_policy": "merge_rare"}, "no texts"),
    ],
)
def test_policies_that_cannot_be_are_refused(site: object, facts: dict, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        schema_of(table(site=site)).update(site=facts)


def test_a_column_keeps_two_levels() -> None:
    frame = table(site=["a"] * 46 + ["b", "c"] * 2)
    with pytest.raises(SchemaError, match="fewer than two levels"):
        schema_of(frame).update(site={"level_policy": "drop"}).settle(frame)


def test_a_fit_knows_nothing_of_rare_levels(tmp_path: Path) -> None:
    frame = table(site=[*["a"] * 20, *["b"] * 20, *["rare one"] * 1, *["c"] * 9])
    frame["site"] = frame["site"].astype("category")
    kept = schema_of(frame)
    options = {"inference": "laplace", "structure": "greedy"}
    with pytest.warns(DisclosureWarning, match="level_policy.*merge_rare"):
        bs.Synthesizer(schema=kept, **options).learn_structure(frame, random_seed=1, progress=False)
    schema = kept.update(site={"level_policy": "merge_rare"})
    fit = bs.Synthesizer(schema=schema, **options).fit(frame, random_seed=1, progress=False)
    drawn = fit.sample(200, random_seed=1)
    assert set(drawn["site"].unique()) == {"a", "b", "other"}
    assert list(drawn["site"].cat.categories) == ["a", "b", "other"]
    assert "rare one" not in fit.schema.to_json()
    assert b"rare one" not in b"".join(_members(fit.save(tmp_path / "f.bayesynth")))
    assert len(fit.influence(frame)) == 50
    loaded = bs.load(tmp_path / "f.bayesynth")
    pd.testing.assert_frame_equal(loaded.sample(20, random_seed=2), fit.sample(20, random_seed=2))


def test_dropped_levels_count_as_blanks() -> None:
    frame = table()
    schema = schema_of(frame).update(site={"level_policy": "drop"})
    fit = bs.Synthesizer(schema=schema, inference="laplace", structure="greedy").fit(
        frame, random_seed=1, progress=False
    )
    assert fit.blanks["site"] == 5
    assert set(fit.sample(100, random_seed=1)["site"].dropna()) <= {"a", "b", "e"}


def _members(path: Path) -> list[bytes]:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in archive.namelist()]


# --- a policy for the whole table ---


def wide() -> bs.Schema:
    return bs.Schema(
        [
            bs.Column("site", "categorical", levels=("a", "b", "c")),
            bs.Column("stage", "ordinal", levels=(1, 2, 3)),
            bs.Column("sex", "binary", levels=("f", "m")),
            bs.Column("age", "count"),
            bs.Column("who", "identifier", role="identifier"),
        ]
    )


def test_one_policy_for_all_columns_that_can_have_one() -> None:
    schema = wide().update(level_policy="drop", fewest=8)
    assert {name: (c.level_policy, c.fewest) for name, c in schema.items()} == {
        "site": ("drop", 8),
        "stage": ("drop", 8),
        "sex": ("keep", 5),
        "age": ("keep", 5),
        "who": ("keep", 5),
    }
    assert wide().update(fewest=8)["stage"].fewest == 8
    assert wide().update() == wide()


def test_what_is_stated_for_a_column_goes_first() -> None:
    replaced = bs.Column("stage", "ordinal", levels=(1, 2, 3), unit="grade")
    schema = wide().update(level_policy="merge_rare", fewest=8, site={"fewest": 2}, stage=replaced)
    assert (schema["site"].level_policy, schema["site"].fewest) == ("merge_rare", 2)
    assert schema["stage"] == replaced
    assert wide().update(level_policy="drop", sex={"kind": "categorical"})["sex"].level_policy == "drop"


def test_the_whole_table_is_settled_as_column_by_column() -> None:
    frame = table(ward=["x"] * 40 + ["y"] * 7 + ["z"] * 3)
    schema = schema_of(frame)
    both = schema.update(level_policy="merge_rare", fewest=6).settle(frame)
    policy = {"level_policy": "merge_rare", "fewest": 6}
    single = schema.update(site=policy, ward=policy).settle(frame)
    pd.testing.assert_frame_equal(both[0], single[0])
    assert both[1] == single[1]
    assert set(both[0]["ward"]) == {"x", "other"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"level_policy": "merge"}, "known are: keep, merge_rare, drop"),
        ({"level_policy": ["drop"]}, "known are: keep, merge_rare, drop"),
        ({"fewest": 0}, "fewest=0 for all columns"),
    ],
)
def test_policies_for_all_columns_that_cannot_be_are_refused_once(facts: dict, said: str) -> None:
    for schema in (wide(), bs.Schema([bs.Column("age", "count")])):
        with pytest.raises(SchemaError, match=said) as caught:
            schema.update(**facts)
        assert len(caught.value.problems) == 1


def test_levels_that_cannot_be_merged_are_named() -> None:
    schema = wide().update(stage="categorical")
    with pytest.raises(SchemaError, match=r"column 'stage' has .* levels that are no texts"):
        schema.update(level_policy="merge_rare")
    kept = schema.update(level_policy="merge_rare", stage={"level_policy": "keep"})
    assert [c.level_policy for c in kept.columns][:2] == ["merge_rare", "keep"]


def test_a_column_of_that_name_is_meant_where_there_is_one() -> None:
    schema = bs.Schema([bs.Column("level_policy", "categorical", levels=("a", "b")), *wide().columns])
    changed = schema.update(level_policy="binary", fewest=3)
    assert changed["level_policy"].kind == "binary"
    assert changed["site"].fewest == 3
    with pytest.raises(SchemaError, match=r"column 'level_policy' has kind 'merge_rare'"):
        schema.update(level_policy="merge_rare")


def test_what_is_not_as_usual_is_shown() -> None:
    schema = wide().update(
        level_policy="merge_rare", age={"marginal": "poisson", "tails": True}, sex={"unseen_share": 0.02}
    )
    words = [
        "rare levels merged (fewer than 5 rows)",
        "rare levels merged (fewer than 5 rows)",
        "unseen levels 2%",
        "poisson marginal, with tails",
        "",
    ]
    assert schema.to_frame()["modelling"].tolist() == words
    for shown in (repr(schema), schema._repr_html_()):
        assert all(word in shown for word in words)
        assert "modelling" in shown
        assert "unit" not in shown  # no column has one
    assert "modelling" not in repr(wide())
    assert wide().update(site={"level_policy": "drop"})["site"].modelling == "rare levels blank (fewer than 5 rows)"

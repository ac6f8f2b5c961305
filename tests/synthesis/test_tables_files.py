"""Tables in a folder come back as they were: dtypes, blanks, provenance; what is damaged is refused."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import FileFormatError, InputError
from bayesynth.synthesis.table_files import FORMATS, SIDECAR

N = 6
BOTH = pytest.mark.parametrize("format", FORMATS)


def set_of(*frames: pd.DataFrame, **facts: object) -> bs.SyntheticTables:
    n, m = len(frames[0]), len(frames)
    shares = dict.fromkeys(frames[0], 0.25)
    p = bs.Provenance(n_real=40, n_synthetic=n, m=m, draws="each_table", structure="greedy search", blank_shares=shares)
    return bs.SyntheticTables(frames, bs.Provenance.from_dict(p.to_dict() | facts))


def columns_of_every_sort() -> dict[str, pd.Series]:
    stamps = pd.to_datetime(
        ["2020-02-29 13:05:01.000001", "1999-12-31", None, "2021-10-31 02:30", "2021-01-01", None], format="ISO8601"
    )
    zoned = pd.DatetimeIndex(["2021-10-31 00:30", "2021-10-31 01:30", None, "2020-06-01", "2020-01-01", None], tz="UTC")
    spans = pd.to_timedelta(["1 days 02:03:04.000000005", None, "0 s", "-5 days", "30 min", "1 us"])
    days = [dt.date(2020, 2, 29), None, dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2000, 1, 1), None]
    words = ["", "NA", " a ", 'say "b", c', "line\nbreak\r", None]
    texts = ["<b>", "é\u202e🙂", "1", "nan", "None", None]
    made = {
        "int64": pd.Series([1, -(2**63), 2**63 - 1, 0, 5, 7]),
        "uint8": pd.Series([0, 255, 3, 4, 5, 6], dtype="uint8"),
        "Int64": pd.Series([1, None, 2**62 + 1, 0, -5, None], dtype="Int64"),
        "float64": pd.Series([0.1, np.nan, 1e-300, -0.0, 1 / 3, 1e22]),
        "float32": pd.Series([0.1, np.nan, 3e38, -0.0, 1 / 3, 1e-38], dtype="float32"),
        "Float64": pd.Series([0.1, None, 2.0, 3.0, 1 / 3, 1e22], dtype="Float64"),
        "bool": pd.Series([True, False] * 3),
        "boolean": pd.Series([True, None, False, True, None, False], dtype="boolean"),
        "object bool": pd.Series([True, None, False, True, None, False], dtype=object),
        "object int": pd.Series([1, None, 2**70, 0, -5, 7], dtype=object),
        "decimal": pd.Series([Decimal("1.50"), None, Decimal("-0.001"), Decimal("1E+3"), Decimal("2"), Decimal("0")]),
        "object text": pd.Series(words, dtype=object),
        "string": pd.Series(texts, dtype="string"),
        "category": pd.Series(pd.Categorical(["b", None, "a", "b", "a", "b"], categories=["b", "never", "a"])),
        "ordered": pd.Series(pd.Categorical([2, None, 10, 2, 2, 10], categories=[10, 5, 2], ordered=True)),
        "true or false": pd.Series(pd.Categorical([True, None, False, True, True, False])),
        "empty levels": pd.Series(pd.Categorical([None] * N, categories=["x", "y"])),
        "stamps": pd.Series(stamps),
        "seconds": pd.Series(stamps).astype("datetime64[s]"),
        "long ago": pd.Series(np.array(["1500-01-01", "NaT", "2500-01-01"] * 2, dtype="datetime64[us]")),
        "zoned": pd.Series(zoned.tz_convert("Europe/Berlin")),
        "zoned us": pd.Series(zoned.tz_convert("America/New_York")).astype("datetime64[us, America/New_York]"),
        "spans": pd.Series(spans),
        "spans s": pd.Series(spans).dt.floor("s").astype("timedelta64[s]"),
        "dates": pd.Series(days, dtype=object),
        "python stamps": pd.Series([dt.datetime(2020, 1, 1, 3, 4), None] * 3, dtype=object),
        "python spans": pd.Series([dt.timedelta(days=2, microseconds=5), None] * 3, dtype=object),
        "nothing": pd.Series([None] * N, dtype=object),
        "all blank": pd.Series([np.nan] * N),
        "constant": pd.Series(["x"] * N, dtype=object),
    }
    arrow = {"int64": [1, None, 2, 3, 4, 2**60], "string": texts, "bool": [True, None] * 3, "date32": days}
    for name, values in arrow.items():
        alias = "date32[day]" if name == "date32" else name
        made[f"arrow {name}"] = pd.Series(values, dtype=f"{alias}[pyarrow]")
    return made


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    for name in one:
        if one[name].dtype == object:
            for a, b in zip(one[name], other[name], strict=True):
                assert type(a) is type(b), name
                assert repr(a) == repr(b), name


@BOTH
@pytest.mark.parametrize("name", columns_of_every_sort())
def test_a_column_comes_back_as_it_was(name: str, format: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({name: columns_of_every_sort()[name]})
    loaded = bs.load_tables(set_of(frame, frame.iloc[::-1].reset_index(drop=True)).save(tmp_path / "t", format))
    same(loaded[0], frame)
    same(loaded[1], frame.iloc[::-1].reset_index(drop=True))


@BOTH
def test_tables_of_a_fit_come_back_with_their_provenance(pbc_fit: bs.Fit, format: str, tmp_path: Path) -> None:
    tables = pbc_fit.sample_tables(3, 60, random_seed=1)
    folder = tables.save(tmp_path / "t", format)
    loaded = bs.load_tables(str(folder))
    assert loaded.provenance == tables.provenance
    assert isinstance(loaded, bs.SyntheticTables)
    for one, other in zip(loaded, tables, strict=True):
        same(one, other)
    assert sorted(p.name for p in folder.iterdir()) == [*(f"table-0{i}.{format}" for i in (1, 2, 3)), SIDECAR]
    analysis = {"age": lambda t: (t["age"].mean(), 1.0)}["age"]
    pooled = (t.estimate(analysis, columns=["age"]).to_frame() for t in (loaded, tables))
    pd.testing.assert_frame_equal(*pooled)


def test_other_programs_read_the_same_numbers(pbc_fit: bs.Fit, tmp_path: Path) -> None:
    tables = pbc_fit.sample_tables(1, 40, random_seed=1)
    with (tables.save(tmp_path / "t") / "table-01.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == list(tables[0])
    plain = dict(zip(header, zip(*rows, strict=True), strict=True))
    for name in ("age", "chol"):
        values = [float(text or "nan") for text in plain[name]]  # the nearest, as not all parsers give
        np.testing.assert_array_equal(values, tables[0][name].astype(float))
    assert list(plain["sex"]) == tables[0]["sex"].astype(str).tolist()
    native = pd.read_parquet(tables.save(tmp_path / "p", "parquet") / "table-01.parquet")
    pd.testing.assert_frame_equal(native, tables[0], check_dtype=False, check_categorical=False)


def test_how_an_object_column_spells_a_blank_may_show_in_one_table_only(tmp_path: Path) -> None:
    whole = pd.DataFrame({"x": pd.Series(["a", "b"], dtype=object), "y": pd.Series([1, 2], dtype=object)})
    holed = pd.DataFrame({"x": pd.Series(["a", None], dtype=object), "y": pd.Series([pd.NA, 2], dtype=object)})
    loaded = bs.load_tables(set_of(whole, holed).save(tmp_path / "t"))
    same(loaded[0], whole)
    same(loaded[1], holed)


def test_texts_that_look_like_blanks_are_kept(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": pd.Series(["", "NA", "NA0", "NA1", None], dtype="string")})
    folder = set_of(frame).save(tmp_path / "t")
    assert json.loads((folder / SIDECAR).read_text(encoding="utf-8"))["blank"] == "NA2"
    same(bs.load_tables(folder)[0], frame)


def test_a_table_of_one_row_and_an_unusual_index(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5], "a,b": ["q"]}, index=["odd"])
    loaded = bs.load_tables(set_of(frame).save(tmp_path / "t"))
    same(loaded[0], frame.reset_index(drop=True))


# --- folders -----------------------------------------------------------------------------------------------------


@pytest.fixture
def small() -> bs.SyntheticTables:
    return set_of(pd.DataFrame({"x": [1.0, 2.0], "g": pd.Categorical(["a", "b"])}))


def test_saved_tables_are_replaced_and_nothing_else_is(small: bs.SyntheticTables, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "t"
    small.save(folder, "parquet")
    small.save(folder)
    assert sorted(p.name for p in folder.iterdir()) == ["table-01.csv", SIDECAR]
    assert [p.name for p in folder.parent.iterdir()] == ["t"]
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="holds something else"):
        small.save(folder)
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"
    with pytest.raises(InputError, match="is a file"):
        small.save(folder / "notes.txt")
    (tmp_path / "empty").mkdir()
    assert len(bs.load_tables(small.save(tmp_path / "empty"))) == 1


def test_a_failure_leaves_the_old_tables(
    small: bs.SyntheticTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small.save(tmp_path / "t")

    def fail(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("bayesynth.synthesis.table_files._WRITERS", dict.fromkeys(FORMATS, fail))
    with pytest.raises(OSError, match="disk full"):
        small.save(folder)
    assert len(bs.load_tables(folder)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["t"]


def test_what_cannot_be_saved_is_refused(small: bs.SyntheticTables, tmp_path: Path) -> None:
    frame = small[0]
    wrong = [
        (bs.SyntheticTables((), small.provenance), "there are no tables"),
        (bs.SyntheticTables((frame, frame), small.provenance), "one of them is wrong"),
        (set_of(frame, frame[["x"]]), "differ in their columns"),
    ]
    for tables, message in wrong:
        with pytest.raises(InputError, match=message):
            tables.save(tmp_path / "t")
    with pytest.raises(InputError, match="format='xlsx'"):
        small.save(tmp_path / "t", "xlsx")
    assert not list(tmp_path.iterdir())


def test_parquet_without_pyarrow_says_what_to_install(
    small: bs.SyntheticTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bayesynth.synthesis.table_files.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"bayesynth\[parquet\]"):
        small.save(tmp_path / "t", "parquet")


# --- damage ------------------------------------------------------------------------------------------------------


def changed(**facts: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / SIDECAR).read_text(encoding="utf-8"))
        (folder / SIDECAR).write_text(json.dumps(content | facts), encoding="utf-8")

    return change


def table_is(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "table-01.csv").write_text(text, encoding="utf-8")


DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    (lambda f: (f / SIDECAR).write_text("{", encoding="utf-8"), "JSONDecodeError"),
    (lambda f: (f / SIDECAR).write_text("[]", encoding="utf-8"), "TypeError"),
    (lambda f: (f / SIDECAR).write_bytes(b"\xff\xfe"), "Error"),
    (changed(format="other"), "reads 'bayesynth-tables'"),
    (changed(version=2), "of version 2"),
    (changed(tables="../x"), "not those of saved tables"),
    (changed(more=1), "not those of saved tables"),
    (changed(columns=[{"name": "x", "storage": {"dtype": "float64"}}]), "lacks"),
    (changed(columns=[{"name": "x"}]), "storage"),
    (changed(provenance={"m": 1}), "nothing else"),
    (lambda f: (f / "table-01.csv").unlink(), "FileNotFoundError"),
    (table_is("x,g\n1.0,a\n"), "1 rows, and the provenance says 2"),
    (table_is("x,g\n1.0,a\n2.0\n"), "columns of the others"),
    (table_is("y,g\n1.0,a\n2.0,b\n"), "columns of the others"),
    (table_is(""), "ValueError"),
    (table_is("x,g\none,a\n2.0,b\n"), "could not convert"),
    (table_is("x,g\n1.0,c\n2.0,b\n"), "KeyError"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damage_is_refused(
    damage: Callable[[Path], object], message: str, small: bs.SyntheticTables, tmp_path: Path
) -> None:
    folder = small.save(tmp_path / "t")
    damage(folder)
    with pytest.raises(FileFormatError, match=message):
        bs.load_tables(folder)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bs.load_tables(tmp_path / "nowhere")

"""Nothing of an identifier or a personal column is met again: rows, files, reports, messages, cards."""

from __future__ import annotations

import hashlib
import json
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import BayesynthError, BayesynthWarning, FileFormatError
from bayesynth.schema import Role, Schema

MARK = "zzqx"
NUMBER = "73135791"  # begins every whole number that is planted
rng = np.random.default_rng(11)


def letters(n: int) -> list[str]:
    return ["".join(map(chr, row)) for row in rng.integers(97, 123, (n, 8))]


@pytest.fixture(scope="module")
def planted(small_table: pd.DataFrame) -> pd.DataFrame:
    """A table with real people in seven columns and in its index."""
    n = len(small_table)
    words = letters(n)
    numbers = np.array([int(f"{NUMBER}{i:06d}") for i in rng.permutation(900_000)[:n]])
    frame = small_table.assign(
        patient=[f"{word}ZZQX{i}" for i, word in enumerate(words)],
        mrn=numbers,
        ward_id=pd.Categorical([f"w{word}zzqx{i:03d}" for i, word in enumerate(words)]),
        surname=[f"Zzqx{word}" for word in words],
        email=[f"{word}@zzqx.org" for word in words],
        dob=pd.Timestamp("1901-02-03") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
        comments=[f"{word} was seen by doctor Zzqx in room {i}" for i, word in enumerate(words)],
    )
    frame.index = pd.Index([f"zzqx-{word}" for word in words], name="zzqx_key")
    frame.loc[frame.index[3], ["surname", "comments"]] = None
    return frame


FRESH = {"surname": {"fresh": bs.Fake("last_name", pool=60)}, "email": {"fresh": bs.Fake("email", pool=60)}}
WITHHELD = ["patient", "mrn", "ward_id", "surname", "email", "dob", "comments"]


@pytest.fixture(scope="module")
def told(planted: pd.DataFrame) -> tuple[Schema, bs.Fit, str]:
    """Schema and fit, with everything that was said on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        schema = Schema.infer(planted, **FRESH)
        plain = bs.Synthesizer(inference="laplace", structure="greedy")
        Schema.infer(planted)
        fit = bs.Synthesizer(schema, inference="laplace", structure="greedy").fit(
            planted, holdout=0.2, random_seed=7, progress=False
        )
        plain.learn_structure(planted, random_seed=7, progress=False)
    return schema, fit, "\n".join(str(one.message) for one in caught)


def assert_clean(*contents: str | bytes | pd.DataFrame) -> None:
    for content in contents:
        if isinstance(content, pd.DataFrame):
            content = content.to_csv() + repr(content.attrs) + repr(content.index) + repr(content.columns)
        text = content.decode("latin-1") if isinstance(content, bytes) else content
        for mark in (MARK, NUMBER, "1901-"):
            assert mark not in text.casefold(), text[max(0, text.casefold().find(mark) - 200) :][:400]


def test_the_search_sees_what_is_planted(planted: pd.DataFrame) -> None:
    for name in WITHHELD:
        with pytest.raises(AssertionError):
            assert_clean(planted[[name]].reset_index(drop=True))
    with pytest.raises(AssertionError):
        assert_clean(planted[[]])


def test_all_of_them_are_withheld(told: tuple[Schema, bs.Fit, str]) -> None:
    schema, _, said = told
    assert [name for name, column in schema.items() if column.withheld] == WITHHELD
    assert schema["dob"].role is schema["surname"].role is schema["comments"].role is Role.PERSONAL
    for name in ("patient", "mrn", "ward_id", "dob", "comments"):
        assert f"column '{name}' looks like" in said


def test_rows_hold_nobody(told: tuple[Schema, bs.Fit, str], planted: pd.DataFrame) -> None:
    _, fit, _ = told
    drawn = fit.sample(400, random_seed=1)
    assert_clean(drawn, *fit.sample_tables(2, 40, random_seed=1))
    assert list(drawn) == list(planted)
    for name in ("patient", "mrn", "ward_id", "surname", "email"):
        assert drawn[name].is_unique
        assert not drawn[name].isna().any()
    assert drawn[["dob", "comments"]].isna().all(axis=None)
    assert drawn["mrn"].min() > planted["mrn"].max()
    assert not isinstance(drawn["ward_id"].dtype, pd.CategoricalDtype)
    assert isinstance(drawn.index, pd.RangeIndex)


def encodings(frame: pd.DataFrame) -> Iterator[bytes]:
    """Every way in which a file could hold a planted number."""
    for value in frame["mrn"]:
        yield from (np.array(value, kind).tobytes() for kind in ("<i8", ">i8", "<f8", ">f8"))
    yield from (np.array(value, "M8[ns]").tobytes() for value in frame["dob"].unique())


def test_a_saved_fit_holds_nobody(told: tuple[Schema, bs.Fit, str], planted: pd.DataFrame, tmp_path: Path) -> None:
    _, fit, _ = told
    path = fit.save(tmp_path / "fit.bayesynth")
    with zipfile.ZipFile(path) as archive:
        members = [archive.read(name) for name in archive.namelist()]
        assert_clean(*members, *archive.namelist(), archive.comment)
    codes = set(encodings(planted))
    for content in (*members, path.read_bytes()):
        assert not [code for code in codes if code in content]
    loaded = bs.load(path)
    pd.testing.assert_frame_equal(loaded.sample(90, random_seed=3), fit.sample(90, random_seed=3))
    assert loaded.codebook == fit.codebook


SPOILED = {
    "no place": {"patient": {"type": "Walk", "pattern": "PBC", "first": 1, "room": None}},
    "no number": {"patient": {"type": "Walk", "pattern": "#", "first": "1", "room": None}},
    "no people": {"surname": {"type": "People", "pool": [], "person": "x", "number": 2}},
    "numbers for people": {"surname": {"type": "People", "pool": [1], "person": "x", "number": 2}},
    "something else": {"patient": {"type": "Term", "parents": ["x"], "form": "plain"}},
    "a modelled column": {"x01": {"type": "Blanks"}},
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_file_with_spoiled_plans_is_refused(case: str, told: tuple[Schema, bs.Fit, str], tmp_path: Path) -> None:
    _, fit, _ = told
    with zipfile.ZipFile(fit.save(tmp_path / "fit.bayesynth")) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(parts["manifest.json"])
    manifest["fresh"] |= SPOILED[case]
    parts["manifest.json"] = json.dumps(manifest).encode()
    parts["manifest.sha256"] = hashlib.sha256(parts["manifest.json"]).hexdigest().encode()
    with zipfile.ZipFile(tmp_path / "spoiled.bayesynth", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(FileFormatError, match="is not a fit that can be read"):
        bs.load(tmp_path / "spoiled.bayesynth")


def test_saved_tables_and_their_provenance_hold_nobody(told: tuple[Schema, bs.Fit, str], tmp_path: Path) -> None:
    _, fit, _ = told
    tables = fit.sample_tables(2, 40, random_seed=1)
    folder = tables.save(tmp_path / "tables")
    assert_clean(*(path.read_bytes() for path in folder.iterdir()), *(path.name for path in folder.iterdir()))
    assert_clean(repr(tables), repr(tables.provenance), fit.methods(tables).text)


def test_cards_tables_and_words_hold_nobody(told: tuple[Schema, bs.Fit, str], planted: pd.DataFrame) -> None:
    schema, fit, said = told
    assert_clean(said, repr(schema), schema._repr_html_(), schema.to_json(), schema.to_frame(), repr(schema.columns))
    assert_clean(repr(schema.to_sdv_metadata()), repr(fit), fit._repr_html_(), repr(fit.codebook), repr(fit.blanks))
    assert_clean(fit.relationships(), fit.missingness(), fit.convergence(), repr(fit.posterior), fit.methods().bibtex)
    assert_clean(fit.influence(planted), fit.checks(planted, tables=3, progress=False, random_seed=1).details)


@pytest.mark.usefixtures("hasty")
def test_a_report_holds_nobody(told: tuple[Schema, bs.Fit, str], planted: pd.DataFrame, tmp_path: Path) -> None:
    _, fit, _ = told
    real, holdout = fit.split(planted)
    tables = fit.sample_tables(2, 60, random_seed=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = bs.assess(real, tables, holdout=holdout, fit=fit, progress=False, random_seed=1)
    report.to_html(tmp_path / "report.html")
    report.to_json(tmp_path / "report.json")
    assert_clean(*((tmp_path / name).read_text(encoding="utf-8") for name in ("report.html", "report.json")))
    assert_clean(repr(report), "\n".join(str(one.message) for one in caught))


@pytest.mark.usefixtures("hasty")
def test_assessment_ignores_withheld_columns(told: tuple[Schema, bs.Fit, str], planted: pd.DataFrame) -> None:
    _, fit, _ = told
    planted, tables = planted.iloc[:60], list(fit.sample_tables(1, 60, random_seed=1))
    options = {"progress": False, "random_seed": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        copied = [table.assign(patient=planted["patient"].to_numpy()) for table in tables]
        whole = bs.assess(planted, copied, **options)
        without = bs.assess(planted.drop(columns=WITHHELD), [t.drop(columns=WITHHELD) for t in tables], **options)
    pd.testing.assert_frame_equal(whole.to_frame(), without.to_frame())


# --- what raises an error ---

LOUD: dict[str, Callable[[pd.DataFrame, bs.Fit], object]] = {
    "numbers wanted": lambda t, f: Schema.infer(t, patient="count"),
    "decimals wanted": lambda t, f: Schema.infer(t, email="continuous"),
    "dates wanted": lambda t, f: Schema.infer(t, comments="datetime"),
    "levels wanted": lambda t, f: Schema.infer(t, patient="ordinal"),
    "modelled": lambda t, f: Schema.infer(t, patient={"role": "modelled"}),
    "numbers modelled": lambda t, f: Schema.infer(t, mrn="categorical"),
    "no blanks": lambda t, f: f.schema.update(surname={"nullable": False}).validate(t),
    "a small pattern": lambda t, f: refit(t, f, patient={"fresh": "#"}),
    "no provider": lambda t, f: refit(t, f, surname={"fresh": bs.Fake("no_such_thing")}),
    "no locale": lambda t, f: refit(t, f, surname={"fresh": bs.Fake("name", locale="zz_ZZ")}),
    "mixed values": lambda t, f: Schema.infer(t.assign(patient=[*t["patient"][:-1], 7])),
    "lists": lambda t, f: Schema.infer(t.assign(patient=[[value] for value in t["patient"]])),
    "another table": lambda t, f: f.influence(t[::-1]),
    "another size": lambda t, f: f.split(t[:20]),
    "ids in a column of numbers": lambda t, f: f.schema.validate(t.assign(**{numeric(f): t["patient"]})),
    "ids to compare": lambda t, f: bs.assess(
        t, [t.assign(**{numeric(f): t["patient"]})], schema=f.schema, progress=False
    ),
    "ids to compare with": lambda t, f: bs.assess(
        t.assign(**{numeric(f): t["email"]}), [t], schema=f.schema, progress=False
    ),
    "a column that is missing": lambda t, f: bs.assess(
        t, [t.drop(columns=numeric(f))], schema=f.schema, progress=False
    ),
    "an analysis of an identifier": lambda t, f: bs.assess(
        t, [t], schema=f.schema, analysis=lambda x: x["patient"].astype(float).mean(), progress=False
    ),
    "an unknown key": lambda t, f: bs.assess(t, [t], schema=f.schema, keys=["patient"], progress=False),
    "an unknown target": lambda t, f: bs.assess(t, [t], schema=f.schema, target="mrn", progress=False),
    "knowledge of an identifier": lambda t, f: refit(t, f, bs.Knowledge(required=[("mrn", numeric(f))])),
    "an analysis that fails": lambda t, f: f.sample_tables(2, 40, random_seed=1).estimate(
        lambda x: x["patient"].mean()
    ),
    "a shift of an identifier": lambda t, f: f.sample(5, blanks=False, delta={"mrn": 3.0}),
}


def numeric(fit: bs.Fit) -> str:
    return next(name for name in fit.schema.modelled if fit.schema[name].kind == "continuous")


def refit(frame: pd.DataFrame, fit: bs.Fit, knowledge: bs.Knowledge | None = None, **edits: object) -> bs.Fit:
    known = {} if knowledge is None else {"knowledge": knowledge}
    schema = fit.schema.update(**edits)
    return bs.Synthesizer(schema, inference="laplace", structure="greedy", **known).fit(frame, progress=False)


@pytest.mark.parametrize("case", LOUD)
def test_no_message_names_anybody(case: str, told: tuple[Schema, bs.Fit, str], planted: pd.DataFrame) -> None:
    _, fit, _ = told
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(BayesynthError) as error:
            LOUD[case](planted, fit)
    raised: BaseException | None = error.value
    while raised is not None:
        assert_clean(str(raised), repr(raised.args), *traceback.format_exception_only(raised))
        assert_clean(*(repr(problem) for problem in getattr(raised, "problems", ())))
        raised = raised.__cause__ or raised.__context__  # whether or not a traceback would show it
    assert_clean("\n".join(str(one.message) for one in caught))


# --- what withheld columns do to the others: nothing ---


def test_adding_an_identifier_changes_no_modelled_column(laplace: Callable[..., bs.Fit], planted: pd.DataFrame) -> None:
    modelled = planted.drop(columns=WITHHELD)
    alone, among = laplace(modelled), laplace(planted)
    for draw in (lambda fit: fit.sample(80, random_seed=2), lambda fit: fit.sample_tables(2, 30, random_seed=2)[1]):
        pd.testing.assert_frame_equal(draw(alone), draw(among)[list(modelled)])
    fewer = laplace(planted.drop(columns=["mrn", "email"]))
    for one, other in ((among, fewer), (among, among)):
        pd.testing.assert_series_equal(
            one.sample(80, random_seed=2)["patient"], other.sample(80, random_seed=2)["patient"]
        )


def test_rows_that_are_drawn_again_and_conditioned_have_names_of_their_own(
    laplace: Callable[..., bs.Fit], small_table: pd.DataFrame
) -> None:
    a, b = [name for name in small_table if small_table[name].dtype == "float64"][:2]
    frame = small_table[~(small_table[a] < small_table[b] + (small_table[a] - small_table[b]).median())]
    frame = frame.assign(id=[f"A-{i:03d}" for i in range(len(frame))])
    gap = f"{a} >= {b} + {(small_table[a] - small_table[b]).median()}"
    fit = laplace(frame, rules=[bs.Predicate(gap)])
    wanted = [f"A-{i}" for i in range(100, 180)]
    for drawn in (
        fit.sample(80, random_seed=1),
        fit.sample(80, given={a: bs.between(small_table[a].quantile(0.3), None)}, random_seed=1),
        fit.intervene({a: round(small_table[a].median())}, 80, random_seed=1),
    ):
        assert drawn["id"].tolist() == wanted


def test_seeds_settle_fresh_values(told: tuple[Schema, bs.Fit, str]) -> None:
    _, fit, _ = told
    drawn = fit.sample(50, random_seed=5)
    pd.testing.assert_frame_equal(drawn, fit.sample(50, random_seed=5))
    assert not drawn["surname"].equals(fit.sample(50, random_seed=6)["surname"])
    generator = np.random.default_rng(5)
    first, second = (fit.sample(50, random_seed=generator)["surname"] for _ in range(2))
    assert not first.equals(second)


def test_values_that_only_the_holdout_has_are_avoided_too(
    laplace: Callable[..., bs.Fit], small_table: pd.DataFrame
) -> None:
    frame = small_table.assign(id=range(len(small_table)))
    frame["id"] = [*range(len(frame) - 30), *range(5000, 5030)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesynthWarning)
        fit = bs.Synthesizer(inference="laplace", structure="greedy").fit(
            frame, holdout=0.4, random_seed=3, progress=False
        )
    assert not set(fit.sample(9000, random_seed=1)["id"]) & set(frame["id"])

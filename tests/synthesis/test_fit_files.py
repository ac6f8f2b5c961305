"""One file per fit: draws the same tables, refuses what is damaged, and holds no row of the table."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayesynth as bs
from bayesynth.errors import FileFormatError

N = 137  # no other size in a fit is near it


@pytest.fixture(scope="module")
def few(laplace: Callable[..., bs.Fit], pbc: pd.DataFrame) -> bs.Fit:
    """A posterior over graphs with few of them, so that files are read quickly."""
    few_graphs = bs.StructureOptions(graphs=2, rounds=1)
    return laplace(pbc, structure="posterior", structure_options=few_graphs)


@pytest.fixture(scope="module")
def saved(few: bs.Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return few.save(tmp_path_factory.mktemp("fits") / "pbc.bayesynth")


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, parts: dict[str, bytes], *, seal: bool = True) -> Path:
    """Write members as a file; sealed, its checksums are right again."""
    if seal:
        try:
            manifest = json.loads(parts["manifest.json"])
            if isinstance(manifest, dict):
                manifest["posterior_sha256"] = hashlib.sha256(parts["posterior.nc"]).hexdigest()
                parts["manifest.json"] = json.dumps(manifest).encode()
        except (ValueError, RecursionError):
            pass
        parts["manifest.sha256"] = hashlib.sha256(parts["manifest.json"]).hexdigest().encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_a_loaded_fit_is_the_same(few: bs.Fit, saved: Path) -> None:
    loaded = bs.load(saved)
    for options in ({}, {"blanks": False}, {"draws": "each_table"}, {"blanks": False, "delta": {"chol": 20.0}}):
        pd.testing.assert_frame_equal(
            loaded.sample(50, random_seed=3, **options), few.sample(50, random_seed=3, **options)
        )
    for one, other in zip(
        loaded.sample_tables(2, 30, random_seed=1), few.sample_tables(2, 30, random_seed=1), strict=True
    ):
        pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(loaded.relationships(), few.relationships())
    pd.testing.assert_frame_equal(loaded.missingness(), few.missingness())
    pd.testing.assert_frame_equal(loaded.convergence(), few.convergence())
    assert loaded.schema == few.schema
    assert loaded.settings == few.settings
    assert loaded.posterior.identical(few.posterior)
    assert repr(loaded) == repr(few)


def test_saving_again_gives_the_same_content(saved: Path, tmp_path: Path) -> None:
    again = bs.load(str(saved)).save(str(tmp_path / "again.bayesynth"))
    first, second = members(saved), members(again)
    assert json.loads(first["manifest.json"])["nodes"] == json.loads(second["manifest.json"])["nodes"]
    assert set(first) == set(second)


def test_a_file_from_nuts_is_the_same(nuts_fit: bs.Fit, tmp_path: Path) -> None:
    loaded = bs.load(nuts_fit.save(tmp_path / "x.bayesynth"))
    pd.testing.assert_frame_equal(loaded.sample(50, random_seed=3), nuts_fit.sample(50, random_seed=3))
    pd.testing.assert_frame_equal(loaded.convergence(), nuts_fit.convergence())


# --- what is in it -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def confidential() -> pd.DataFrame:
    """Every number occurs once in the whole table, so that finding one beside another is no accident."""
    rng = np.random.default_rng(5)
    base = rng.standard_normal(N)
    noise = [base + rng.standard_normal(N) for _ in range(3)]
    columns = {f"v{k}": np.round(1000.0 * (k + 1) + 99 * x / 4 + k / 7, 5) for k, x in enumerate(noise)}
    columns["holes"] = np.where(base > 0.8, np.nan, np.round(7000 + 33 * base, 5))
    columns["secret"] = np.where(base + rng.standard_normal(N) > 0, "level-yes", "level-no")
    columns["name"] = [f"Person {i} of {rng.integers(10**9)}" for i in range(N)]
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def opened(
    confidential: pd.DataFrame, laplace: Callable[..., bs.Fit], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    fit = laplace(confidential)
    assert len(fit.relationships()) >= 3  # a graph with edges, so that centres and features are in the file
    _ = fit.sample(10, random_seed=1)  # whatever is cached by use must not be written either
    return members(fit.save(tmp_path_factory.mktemp("fits") / "c.bayesynth"))


def lists(value: object) -> Iterator[list]:
    """Every list of scalars in JSON."""
    if isinstance(value, dict):
        for item in value.values():
            yield from lists(item)
    elif isinstance(value, list):
        if value and not any(isinstance(item, (list, dict)) for item in value):
            yield value
        for item in value:
            yield from lists(item)


def scalars(value: object) -> Iterator[object]:
    """Every scalar in JSON, in the order of the document."""
    if isinstance(value, dict):
        for item in value.values():
            yield from scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from scalars(item)
    else:
        yield value


def arrays(content: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """Every dataset and attribute of a netCDF file."""
    h5py = pytest.importorskip("h5py")
    found: list[tuple[str, np.ndarray]] = []

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found.append((name, item[()]))
        found.extend((f"{name}@{key}", value) for key, value in item.attrs.items())

    with h5py.File(io.BytesIO(content)) as file:
        visit("/", file)
        file.visititems(visit)
    assert len(found) > 20
    yield from found


def test_the_members_are_json_and_netcdf_and_nothing_else(opened: dict[str, bytes]) -> None:
    assert set(opened) == {"manifest.json", "manifest.sha256", "posterior.nc"}
    assert json.loads(opened["manifest.json"])["format"] == "bayesynth-fit"
    assert opened["posterior.nc"].startswith(b"\x89HDF")
    assert opened["manifest.sha256"].decode() == hashlib.sha256(opened["manifest.json"]).hexdigest()


def test_the_file_is_no_pickle(saved: Path) -> None:
    for content in (saved.read_bytes(), *members(saved).values()):
        with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, AttributeError)):
            pickle.loads(content)


def test_no_two_values_of_a_row_stand_together(opened: dict[str, bytes], confidential: pd.DataFrame) -> None:
    numbers = confidential.select_dtypes("number")
    owner = {
        value: (row, column) for column in numbers for row, value in enumerate(numbers[column]) if not np.isnan(value)
    }
    tokens = list(scalars(json.loads(opened["manifest.json"])))
    known = [owner.get(t) if isinstance(t, float) else None for t in tokens]
    assert sum(k is not None for k in known) > N  # the sorted values of the marginals are there, and are recognised
    for first, second in pairwise(known):
        assert not (first and second and first[0] == second[0] and first[1] != second[1])
    for _, array in arrays(opened["posterior.nc"]):
        if getattr(array, "dtype", None) is not None and array.dtype.kind == "f":
            assert not set(np.ravel(array).tolist()) & set(owner)


def test_no_pair_of_a_row_or_of_a_column_is_in_the_bytes(opened: dict[str, bytes], confidential: pd.DataFrame) -> None:
    numbers = confidential.select_dtypes("number")
    for content in opened.values():
        for i in range(N):
            row = numbers.iloc[i].dropna().to_numpy()
            for a, b in pairwise(row):
                for pair in (
                    struct.pack("<dd", a, b),
                    struct.pack(">dd", a, b),
                    f"{a},{b}".encode(),
                    f"{a}, {b}".encode(),
                ):
                    assert pair not in content
        assert b"Person" not in content


def test_no_array_is_as_long_as_the_table_unless_it_is_sorted(
    opened: dict[str, bytes], confidential: pd.DataFrame
) -> None:
    sizes = set(range(int(confidential["holes"].notna().sum()) - 2, N + 1))
    long = [item for item in lists(json.loads(opened["manifest.json"])) if len(item) in sizes]
    assert long  # the marginals of columns without ties
    for item in long:
        assert item == sorted(item), "a list in row order"
    for name, array in arrays(opened["posterior.nc"]):
        assert not sizes & set(np.shape(array)), name


def test_no_column_stands_in_row_order(saved: Path, pbc: pd.DataFrame) -> None:
    """On a real table with ties: no four successive values of a column, in any list or array of the file."""
    parts = members(saved)
    sequences = [np.array(x, float) for x in lists(json.loads(parts["manifest.json"])) if isinstance(x[0], float)]
    sequences += [np.ravel(a) for _, a in arrays(parts["posterior.nc"]) if getattr(a, "dtype", None) == np.float64]
    long = [s for s in sequences if s.size >= 4]
    assert long
    windows = {tuple(w) for s in long for w in np.lib.stride_tricks.sliding_window_view(s, 4)}
    for column in pbc.select_dtypes("number"):
        values = pbc[column].dropna().to_numpy(float)
        for i in range(len(values) - 3):
            run = values[i : i + 4]
            if len(set(run)) == 4 and not (np.diff(run) > 0).all():
                assert tuple(run) not in windows, column


def test_there_is_no_group_of_observed_data(nuts_fit: bs.Fit, few: bs.Fit) -> None:
    for fit in (nuts_fit, few):
        assert set(fit.posterior.children) == {"posterior", "sample_stats"}
        assert not {"observed_data", "constant_data", "y", "design"} & {
            part for path in fit.posterior.subtree for part in (path.name, *path.data_vars)
        }


def test_the_file_says_nothing_about_when_it_was_made(saved: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


# --- what is refused ---------------------------------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(FileFormatError) as caught:
        bs.load(path)
    assert path.name in str(caught.value)
    assert "fit.save(path)" in str(caught.value)
    return str(caught.value)


CIRCLE = {"how": "greedy", "blocks": [], "structural": [], "settled": [], "best": [["bili", "age"], ["age", "bili"]]}


def edited(saved: Path, path: Path, **changes: object) -> Path:
    parts = members(saved)
    manifest = json.loads(parts["manifest.json"]) | changes
    parts["manifest.json"] = json.dumps(manifest).encode()
    return pack(path, parts)


def test_an_honest_repack_is_read(saved: Path, tmp_path: Path) -> None:
    assert bs.load(edited(saved, tmp_path / "x")).n_rows == 418


@pytest.mark.parametrize("name", ["manifest.json", "posterior.nc", "manifest.sha256"])
def test_a_changed_byte_is_refused(saved: Path, tmp_path: Path, name: str) -> None:
    parts = members(saved)
    middle = len(parts[name]) // 2
    parts[name] = parts[name][:middle] + bytes([parts[name][middle] ^ 1]) + parts[name][middle + 1 :]
    assert "checksum" in refused(pack(tmp_path / "x", parts, seal=False))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"version": 2}, "version 2"),
        ({"version": "1"}, "version '1'"),
        ({"format": "something-else"}, ""),
        ({"nodes": {}}, ""),
        ({"structure": CIRCLE}, "circle"),
        ({"schema": {"what": "no"}}, ""),
        ({"nodes": {"age": {"type": "os.system", "command": "true"}}}, ""),
        ({"designs": {}}, "families"),
        ({"blocks": [{"type": "Path"}]}, ""),
        ({"settings": {"seed": 1}}, ""),
        ({"levels": {"sex": [99]}}, ""),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(saved: Path, tmp_path: Path, changes: dict, found: str) -> None:
    assert found in refused(edited(saved, tmp_path / "x", **changes))


@pytest.mark.parametrize("manifest", [b"", b"{}", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_none_is_refused(saved: Path, tmp_path: Path, manifest: bytes) -> None:
    refused(pack(tmp_path / "x", members(saved) | {"manifest.json": manifest}))


@pytest.mark.parametrize("posterior", [b"", b"garbage", b"\x89HDF\r\n\x1a\n" + b"\0" * 100])
def test_a_posterior_that_is_none_is_refused(saved: Path, tmp_path: Path, posterior: bytes) -> None:
    refused(pack(tmp_path / "x", members(saved) | {"posterior.nc": posterior}))


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04", pickle.dumps({"a": 1})])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.bayesynth"
    path.write_bytes(content)
    refused(path)


def test_other_members_are_refused(saved: Path, tmp_path: Path) -> None:
    assert "parts of a fit" in refused(pack(tmp_path / "more", members(saved) | {"extra.py": b"print(1)"}))
    fewer = members(saved)
    del fewer["posterior.nc"]
    assert "parts of a fit" in refused(pack(tmp_path / "fewer", fewer, seal=False))


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bs.load(tmp_path / "nothing")


@pytest.fixture(scope="module")
def small_file(laplace: Callable[..., bs.Fit], tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame = pd.DataFrame({"a": np.sin(np.arange(60.0)), "b": ["x", "y", "x"] * 20})
    fit = laplace(frame, sampler=bs.SamplerOptions(chains=1, draws=50))
    return fit.save(tmp_path_factory.mktemp("fits") / "small")


def test_damage_anywhere_is_refused_or_harmless(small_file: Path, tmp_path: Path) -> None:
    """Flip bytes over the whole file: a named refusal, or the same fit (parts of a zip archive mean nothing)."""
    content, path = small_file.read_bytes(), tmp_path / "x"
    expected = bs.load(small_file).sample(10, random_seed=1)
    outcomes = {"refused": 0, "harmless": 0}
    for at in np.linspace(0, len(content) - 1, 250).astype(int):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        try:
            pd.testing.assert_frame_equal(bs.load(path).sample(10, random_seed=1), expected)
            outcomes["harmless"] += 1
        except FileFormatError:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 200


@pytest.mark.parametrize("share", [0.2, 0.9, 0.999])
def test_a_cut_file_is_refused(small_file: Path, tmp_path: Path, share: float) -> None:
    content = small_file.read_bytes()
    (tmp_path / "x").write_bytes(content[: int(share * len(content))])
    refused(tmp_path / "x")


@pytest.mark.parametrize("old", [None, b"the old one"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing_behind(
    penguins_fit: bs.Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bytes | None, error: BaseException
) -> None:
    path = tmp_path / "x.bayesynth"
    if old:
        path.write_bytes(old)
    write, calls = zipfile.ZipFile.writestr, []

    def fails(self: zipfile.ZipFile, *args: object, **options: object) -> None:
        calls.append(args)
        if len(calls) == 3:
            raise error
        write(self, *args, **options)

    monkeypatch.setattr(zipfile.ZipFile, "writestr", fails)
    with pytest.raises(type(error)):
        penguins_fit.save(path)
    assert len(calls) == 3
    assert [p.name for p in tmp_path.iterdir()] == (["x.bayesynth"] if old else [])
    if old:
        assert path.read_bytes() == old


def test_an_old_file_is_replaced(penguins_fit: bs.Fit, tmp_path: Path) -> None:
    path = tmp_path / "x.bayesynth"
    path.write_bytes(b"the old one")
    assert penguins_fit.save(path) == path
    assert bs.load(path).n_rows == 344

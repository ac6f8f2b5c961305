"""Synthetic tables in a folder: CSV or Parquet, and one JSON file with provenance and dtypes. Nothing is pickled."""

from __future__ import annotations

import csv
import datetime as dt
import json
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth.diagnostics import Provenance
from bayesynth.errors import FileFormatError, Problem, raise_all
from bayesynth.schema import restore
from bayesynth.schema.arrays import zone_of
from bayesynth.schema.files import read_storage, write_storage
from bayesynth.schema.storage import Holds, Scalar, Storage, blank_mask, parse_dtype, plain, storage_of

if TYPE_CHECKING:
    from bayesynth.synthesis.tables import SyntheticTables

FORMAT, VERSION = "bayesynth-tables", 1
SIDECAR = "tables.json"
FORMATS = ("csv", "parquet")
KEYS = {"format", "version", "tables", "blank", "columns", "provenance"}
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError, OSError, RecursionError)


def write(tables: SyntheticTables, folder: Path, format: str) -> Path:
    """Write tables; a failure leaves neither half a folder nor a damaged old one."""
    raise_all(_obstacles(tables, folder, format))
    columns = _storages(tables.frames)
    blank = _blank_word(tables.frames, columns)
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "tables": format,
        "blank": blank,
        "columns": [{"name": name, "storage": write_storage(storage)} for name, storage in columns.items()],
        "provenance": tables.provenance.to_dict(),
    }
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    unfinished.mkdir(parents=True)
    try:
        for frame, name in zip(tables.frames, _names(len(tables.frames), format), strict=True):
            _WRITERS[format](frame, columns, blank, unfinished / name)
        text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False)
        (unfinished / SIDECAR).write_text(text, encoding="utf-8")
        if folder.exists():
            old = folder.rename(folder.with_name(f".{folder.name}.{secrets.token_hex(4)}"))
            unfinished.rename(folder)
            shutil.rmtree(old)
        else:
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def load_tables(folder: str | Path) -> SyntheticTables:
    """Read tables that `SyntheticTables.save` has written, with the dtypes and the provenance that they had.

    Loading never runs code from a file.

    Parameters
    ----------
    folder : str or Path
        The folder.

    Returns
    -------
    SyntheticTables
        The same frames: dtypes, categories with their order, time zones and blanks included.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no ``tables.json`` in it.
    FileFormatError
        If the files are not such tables, or do not belong together.

    Examples
    --------
    >>> tables = load_tables("synthetic")  # doctest: +SKIP
    """
    from bayesynth.synthesis.tables import SyntheticTables

    folder = Path(folder)
    text = (folder / SIDECAR).read_bytes()
    try:
        facts = json.loads(text)
        named = facts["format"], facts["version"]
        if named != (FORMAT, VERSION):
            text = f"it is {named[0]!r} of version {named[1]!r}; this release reads {FORMAT!r} of version {VERSION}"
            raise _broken(folder, text)
        if set(facts) != KEYS or facts["tables"] not in FORMATS:
            raise _broken(folder, "its keys are not those of saved tables")
        columns = {c["name"]: read_storage(c["storage"], f"column {c['name']!r}") for c in facts["columns"]}
        provenance = Provenance.from_dict(facts["provenance"])
        names = _names(provenance.m, facts["tables"])
        reader = _READERS[facts["tables"]]
        frames = tuple(_checked(reader(folder / n, columns, facts["blank"]), folder / n, provenance) for n in names)
    except UNREADABLE as error:
        raise _broken(folder, f"{type(error).__name__}: {error}") from error
    return SyntheticTables(frames, provenance)


def _broken(folder: Path, why: str) -> FileFormatError:
    return FileFormatError(
        f"{folder} does not hold tables that can be read: {why}. Nothing of it was used. "
        "Take another copy, or save the tables again with tables.save(folder)."
    )


def _checked(frame: pd.DataFrame, path: Path, provenance: Provenance) -> pd.DataFrame:
    if len(frame) != provenance.n_synthetic:
        raise ValueError(f"{path.name} has {len(frame)} rows, and the provenance says {provenance.n_synthetic}")
    return frame


def _names(m: int, format: str) -> list[str]:
    width = max(2, len(str(m)))
    return [f"table-{i:0{width}d}.{format}" for i in range(1, m + 1)]


def _obstacles(tables: SyntheticTables, folder: Path, format: str) -> Iterable[Problem]:
    if format not in FORMATS:
        yield Problem(f"format={format!r}", "tables are not written so", f"use one of {', '.join(FORMATS)}")
    elif format == "parquet" and find_spec("pyarrow") is None:
        remedy = 'install it with: python -m pip install "bayesynth[parquet]", or use format="csv"'
        yield Problem("format='parquet'", "pyarrow, which writes it, is not installed", remedy)
    if folder.exists() and not folder.is_dir():
        yield Problem(f"{str(folder)!r} is a file", "several files are to be written", "name a folder")
    elif folder.exists() and not _is_ours(folder):
        found = f"the folder {str(folder)!r} holds something else"
        yield Problem(found, "it would be replaced as a whole", "name a new or an empty folder")
    if not tables.frames:
        yield Problem("there are no tables", "nothing can be saved", "draw some with fit.sample_tables")
    elif len(tables.frames) != tables.provenance.m:
        found = f"{len(tables.frames)} tables and a provenance of {tables.provenance.m}"
        yield Problem(found, "one of them is wrong", "save what fit.sample_tables returned")
    elif any(not tables.frames[0].dtypes.equals(frame.dtypes) for frame in tables.frames):
        yield Problem("the tables differ in their columns or dtypes", "they are one set", "give all the same columns")


def _is_ours(folder: Path) -> bool:
    inside = {path.name for path in folder.iterdir()}
    tables = {name for name in inside if name.startswith("table-") and name.endswith(FORMATS)}
    return not inside or (SIDECAR in inside and inside == tables | {SIDECAR})


def _storages(frames: tuple[pd.DataFrame, ...]) -> dict[str, Storage]:
    """How each column is stored; a table without blanks does not tell how an object column spells them."""
    found = {}
    for name in frames[0]:
        several = [storage_of(frame[name]) for frame in frames]
        first = next((s for s in several if s.holds is not Holds.NOTHING), several[0])
        spelled = next((s.blank for s, f in zip(several, frames, strict=True) if f[name].isna().any()), first.blank)
        found[name] = replace(first, blank=spelled)
    return found


def _blank_word(frames: tuple[pd.DataFrame, ...], columns: Mapping[str, Storage]) -> str:
    """Find a word for blanks that is no text of any table."""
    words = {
        text
        for name, storage in columns.items()
        if storage.holds is Holds.TEXT
        for frame in frames
        for text in frame[name].dropna().unique()
    }
    return next(word for word in ("", "NA", *(f"NA{i}" for i in range(len(words) + 1))) if word not in words)


# --- values as texts ---------------------------------------------------------------------------------------------


def _distinct(series: pd.Series) -> tuple[np.ndarray, list[Scalar]]:
    """Codes and distinct values, -1 where blank; through an array, categories of integers with blanks become floats."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        return series.cat.codes.to_numpy(), [plain(value) for value in series.cat.categories]
    codes, values = pd.factorize(series.to_numpy(dtype=object))
    return codes, [plain(value) for value in values]


def _texts(series: pd.Series, blank: str) -> list[str]:
    codes, values = _distinct(series)
    return np.array([*map(_text, values), blank], dtype=object)[codes].tolist()


def _text(value: Scalar) -> str:
    if isinstance(value, float):
        return repr(value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _series(texts: list[str], storage: Storage, blank: str) -> pd.Series:
    """Undo `_texts`, in the storage that the column had."""
    words = np.array(texts, dtype=object)
    codes, distinct = pd.factorize(words)
    parse = _parser(storage)
    known = [i for i, word in enumerate(distinct) if word != blank]
    lookup = np.full(len(distinct) + 1, -1)
    lookup[known] = np.arange(len(known))
    return restore.levels(lookup[codes], tuple(parse(distinct[i]) for i in known), storage)


def _parser(storage: Storage) -> Callable[[str], Scalar]:
    if storage.holds is Holds.DATETIME and storage.dtype != "object":
        zone = zone_of(storage)
        return lambda text: pd.Timestamp(text) if zone is None else pd.Timestamp(text).tz_convert(zone)
    return {
        Holds.BOOL: lambda text: {"True": True, "False": False}[text],
        Holds.INTEGER: int,
        Holds.FLOAT: float,
        Holds.DECIMAL: Decimal,
        Holds.TEXT: str,
        Holds.DATETIME: dt.datetime.fromisoformat,
        Holds.DATE: dt.date.fromisoformat,
        Holds.DURATION: lambda text: (
            pd.Timedelta(text).to_pytimedelta() if storage.dtype == "object" else pd.Timedelta(text)
        ),
        Holds.NOTHING: str,
    }[storage.holds]


# --- files -------------------------------------------------------------------------------------------------------


def _write_csv(frame: pd.DataFrame, columns: Mapping[str, Storage], blank: str, path: Path) -> None:
    with path.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(_texts(frame[name], blank) for name in columns), strict=True))


def _read_csv(path: Path, columns: Mapping[str, Storage], blank: str) -> pd.DataFrame:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file, strict=True)
    if header != list(columns) or any(len(row) != len(columns) for row in rows):
        raise ValueError(f"{path.name} does not have the columns of the others")
    cells = zip(*rows, strict=True) if rows else ([] for _ in columns)
    parts = zip(columns.items(), cells, strict=True)
    return pd.DataFrame({name: _series(list(texts), storage, blank) for (name, storage), texts in parts})


def _write_parquet(frame: pd.DataFrame, columns: Mapping[str, Storage], blank: str, path: Path) -> None:
    made = {}
    for name, storage in columns.items():
        series = frame[name].reset_index(drop=True)
        if storage.dtype == "object" and storage.categories is None:  # Arrow would guess, and guess at times wrongly
            texts = pd.Series(_texts(series, blank), dtype=object)
            series = texts.mask(blank_mask(series), None)
        made[name] = series
    pd.DataFrame(made).to_parquet(path, index=False)


def _read_parquet(path: Path, columns: Mapping[str, Storage], blank: str) -> pd.DataFrame:
    frame = pd.read_parquet(path)
    if list(frame) != list(columns):
        raise ValueError(f"{path.name} does not have the columns of the others")
    return pd.DataFrame({name: _native(frame[name], storage) for name, storage in columns.items()})


def _native(series: pd.Series, storage: Storage) -> pd.Series:
    if storage.categories is None and storage.dtype != "object":
        return series.astype(parse_dtype(storage.dtype))
    codes, values = _distinct(series)
    known = tuple(values) if storage.categories is not None else tuple(map(_parser(storage), values))
    return restore.levels(codes, known, storage)


_WRITERS = {"csv": _write_csv, "parquet": _write_parquet}
_READERS = {"csv": _read_csv, "parquet": _read_parquet}

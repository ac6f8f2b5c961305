"""What texts stand for: numbers, dates and blanks that are spelled out."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

BLANK_WORDS = frozenset(
    {"", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaT", "None", "NULL", "null", "?", ".", "-"}
)
_NUMBER = re.compile(r"\s*[<>≤≥~]?=?\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*%?\s*")
_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]\d.*)?\s*")
_MOST = 0.8
_DAY = r"\d{4}-\d\d-\d\d"
FORMS = {
    "YYYY-MM-DD": ("D", re.compile(_DAY)),
    "YYYY-MM-DD hh:mm": ("min", re.compile(_DAY + r" \d\d:\d\d")),
    "YYYY-MM-DDThh:mm": ("min", re.compile(_DAY + r"T\d\d:\d\d")),
    "YYYY-MM-DD hh:mm:ss": ("s", re.compile(_DAY + r" \d\d:\d\d:\d\d")),
    "YYYY-MM-DDThh:mm:ss": ("s", re.compile(_DAY + r"T\d\d:\d\d:\d\d")),
}
"""Forms in which texts write dates without doubt (ISO 8601), each with the finest unit that it holds."""


def date_form(texts: Collection[str]) -> str | None:
    """Name the form in which all texts write dates that exist; None if there is no such form."""
    for form, (_, pattern) in FORMS.items():
        if texts and all(pattern.fullmatch(text) for text in texts):
            try:
                np.array(list(texts), "M8[s]")
            except ValueError:  # a 30th of February
                return None
            return form
    return None


def strftime_of(form: str) -> str:
    """Write a form as strftime knows it."""
    codes = {"YYYY": "%Y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
    return re.sub("|".join(codes), lambda found: codes[found[0]], form)


def write_dates(instants: np.ndarray, form: str) -> np.ndarray:
    """Write instants in a form, as an array of texts."""
    unit = {"min": "m"}.get(FORMS[form][0], FORMS[form][0])
    texts = np.datetime_as_string(instants.astype("M8[s]"), unit=unit, casting="unsafe")
    return texts if "T" in form else np.char.replace(texts, "T", " ")


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

"""What in a usable table limits what can be learned from it or reveals somebody, one finding for each meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from bayesynth.errors import Problem
from bayesynth.schema.arrays import numbers, tallies
from bayesynth.schema.column import Column
from bayesynth.schema.kinds import NOMINAL, NUMERIC, Kind
from bayesynth.schema.personal import recognise
from bayesynth.schema.storage import blank_mask

FEW_ROWS = 50
MOSTLY_BLANK = 0.95
_SHOWN = 8


def frame_warnings(frame: pd.DataFrame, schema: Mapping[str, Column]) -> list[Problem]:
    """List what limits the learning from a table that the schema fits.

    Findings of one meaning are one problem that names all columns concerned, so that a wide table does not bury the
    reader. Identifiers and personal columns are left out.

    Parameters
    ----------
    frame : DataFrame
        A table that `frame_problems` has nothing against.
    schema : Schema
        Its schema.

    Returns
    -------
    list of Problem
        To be issued as `DataWarning`, each once.
    """
    kept = {name: column for name, column in schema.items() if not column.withheld}
    modelled = [name for name, column in kept.items() if column.kind is not Kind.CONSTANT]
    blanks = {name: blank_mask(frame[name]) for name in kept}
    return [
        *_size(frame, modelled),
        *_emptiness(kept, blanks),
        *_repetition(frame, kept, modelled),
        *_collinearity(frame, kept, blanks),
    ]


def disclosure_warnings(frame: pd.DataFrame, schema: Mapping[str, Column]) -> list[Problem]:
    """List what in a table would reveal somebody if tables like it were released.

    Parameters
    ----------
    frame : DataFrame
        A table that `frame_problems` has nothing against.
    schema : Schema
        Its schema.

    Returns
    -------
    list of Problem
        To be issued as `DisclosureWarning`.
    """
    kept = {name: column for name, column in schema.items() if not column.withheld}
    return [*_rare_levels(frame, kept), *_personal(frame, kept)]


def _size(frame: pd.DataFrame, modelled: Sequence[str]) -> Iterator[Problem]:
    n = len(frame)
    if n < FEW_ROWS:
        yield Problem(
            f"the table has {n} rows",
            f"with fewer than {FEW_ROWS}, priors say more than the data, and single persons shine through",
            "read every result with its interval, and share such a table with care",
        )
    if len(modelled) > n:
        yield Problem(
            f"the table has more columns ({len(modelled)}) than rows ({n})",
            "hardly any relation between columns can be learned",
            "leave out columns that you do not need",
        )


def _emptiness(kept: Mapping[str, Column], blanks: Mapping[str, np.ndarray]) -> Iterator[Problem]:
    empty = [name for name, blank in blanks.items() if blank.all()]
    constant = [name for name, column in kept.items() if column.kind is Kind.CONSTANT and name not in empty]
    sparse = [name for name, blank in blanks.items() if MOSTLY_BLANK < blank.mean() < 1]
    if empty:
        yield Problem(
            f"{_columns(empty)} all blank", "nothing can be learned", "it comes back blank; drop it otherwise"
        )
    if constant:
        yield Problem(
            f"{_columns(constant)} constant",
            "one value is no distribution",
            "it comes back as it is; drop it otherwise",
        )
    if sparse:
        yield Problem(
            f"{_columns(sparse)} blank in over {MOSTLY_BLANK:.0%} of the rows",
            "so few values say little, and each of them may point to a person",
            "think of leaving this out",
        )


def _rare_levels(frame: pd.DataFrame, kept: Mapping[str, Column]) -> Iterator[Problem]:
    rare = []
    for name, column in kept.items():
        if column.kind in NOMINAL and np.any(tallies(frame[name]) == 1):
            rare.append(name)
    if rare:
        yield Problem(
            f"{_columns(rare, verb=False)} with levels that only one row has",
            "a synthetic row with such a level says that this person was in the table",
            'merge them, schema.update(level_policy="merge_rare"), or blank them ("drop")',
        )


def _personal(frame: pd.DataFrame, kept: Mapping[str, Column]) -> Iterator[Problem]:
    """Find what `Schema.infer` would have withheld, and somebody has stated to be modelled."""
    found = {name: recognise(frame[name][~blank_mask(frame[name])], kept[name].storage) for name in kept}
    if personal := [f"{name!r} ({what})" for name, what in found.items() if what is not None]:
        yield Problem(
            f"modelled columns that look personal: {', '.join(personal)}",
            "what they hold of real persons may come back in synthetic rows",
            'state role="personal" for them, and in fresh what they come back as',
        )


def _repetition(frame: pd.DataFrame, kept: Mapping[str, Column], modelled: Sequence[str]) -> Iterator[Problem]:
    hashes = {name: _fingerprint(frame[name], kept[name]) for name in modelled}
    twins = [names for names in _same(hashes) if len(names) > 1]
    if twins:
        yield Problem(
            f"columns that say the same: {'; '.join(' = '.join(names) for names in twins[:_SHOWN])}",
            "one determines the other, so neither can be told from the other as a cause",
            "keep one of each",
        )
    rows = pd.DataFrame(hashes).duplicated()
    if modelled and rows.any():
        yield Problem(
            f"{int(rows.sum())} rows repeat an earlier row in every modelled column",
            "rows are taken as independent persons",
            "drop them if they are repeats by mistake",
        )


def _fingerprint(series: pd.Series, column: Column) -> np.ndarray:
    """Code a column so that equal codes mean equal columns; for levels, equal up to their names."""
    if column.kind in NUMERIC:
        return numbers(series) + 0.0  # minus zero is zero
    if column.kind in NOMINAL:
        return pd.factorize(series)[0].astype(np.float64)
    return (pd.util.hash_pandas_object(series, index=False).to_numpy() >> np.uint64(11)).astype(np.float64)


def _same(columns: Mapping[str, np.ndarray]) -> list[list[str]]:
    groups: dict[bytes, list[str]] = {}
    for name, values in columns.items():
        groups.setdefault(np.where(np.isnan(values), np.nan, values).tobytes(), []).append(name)
    return list(groups.values())


def _collinearity(
    frame: pd.DataFrame, kept: Mapping[str, Column], blanks: Mapping[str, np.ndarray]
) -> Iterator[Problem]:
    """Find numeric columns that are sums of others, by the QR decomposition of the rows that are complete."""
    names = [name for name, column in kept.items() if column.kind in NUMERIC]
    groups = _same({name: numbers(frame[name]) for name in names})
    names = [group[0] for group in groups]  # copies are reported as such
    if len(names) < 2:
        return
    complete = ~np.any([blanks[name] for name in names], axis=0)
    X = np.column_stack([numbers(frame[name])[complete] for name in names])
    if len(X) <= len(names) + 1:
        return
    X = X - X.mean(axis=0)
    scale = np.sqrt((X**2).sum(axis=0))
    varying = scale > 0
    X, names = X[:, varying] / scale[varying], [name for name, v in zip(names, varying, strict=True) if v]
    left = np.abs(np.diag(np.linalg.qr(X, mode="r")))
    dependent = [name for name, rest in zip(names, left, strict=True) if rest < 1e-8]
    if dependent:
        yield Problem(
            f"{_columns(dependent)} an exact linear combination of the columns before",
            "the model keeps such a relation only nearly",
            "leave it out and compute it again from the synthetic columns",
        )


def _columns(names: Sequence[str], verb: bool = True) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN])) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    one = len(names) == 1
    return ("column " if one else "columns ") + shown + ((" is" if one else " are") if verb else "")

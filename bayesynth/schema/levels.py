"""Rare levels: kept, merged or blanked before anything is learned of them, as the schema says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from bayesynth.errors import Problem, SchemaError, raise_all
from bayesynth.schema.column import Column
from bayesynth.schema.kinds import OTHER, Kind
from bayesynth.schema.storage import Holds, Scalar, blank_mask, plain


def settle_levels(frame: pd.DataFrame, schema: Mapping[str, Column]) -> tuple[pd.DataFrame, list[Column]]:
    """Apply every column's level policy.

    A settled column knows the levels that are left and no others; it asks for at least one row of each, so settling
    the same table again by the settled schema gives the same.

    Parameters
    ----------
    frame : DataFrame
        The table; it is not changed.
    schema : Schema
        Its schema, or one that was settled on it.

    Returns
    -------
    frame : DataFrame
        With merged or blank cells.
    columns : list of Column
        With the levels that are left.

    Raises
    ------
    SchemaError
        If a column is left with fewer than two levels, or its order is not known any more; lists all of it.
    """
    changed, columns, problems = {}, [], []
    for name, column in schema.items():
        if column.level_policy != "keep" and name in frame.columns:
            try:
                changed[name], column = _settle(frame[name], column)
            except SchemaError as error:
                problems.extend(error.problems)
        columns.append(column)
    raise_all(problems, SchemaError)
    return (frame.assign(**changed) if changed else frame), columns


def _settle(series: pd.Series, column: Column) -> tuple[pd.Series, Column]:
    values = [None if blank else plain(value) for value, blank in zip(series, blank_mask(series), strict=True)]
    counts = dict.fromkeys(column.levels, 0)
    for value in values:
        if value is not None:
            counts[value] = counts.get(value, 0) + 1
    merges = column.level_policy == "merge_rare"
    kept = [level for level in column.levels if counts[level] >= column.fewest]
    if merges and column.kind is not Kind.ORDINAL:
        kept = _with_other(kept, counts, column.fewest)
    if len(kept) < 2:
        why = f"fewer than two levels of column {column.name!r} have {column.fewest} rows"
        found = f"column {column.name!r} has the level policy {column.level_policy!r}"
        raise SchemaError(Problem(found, why, 'lower fewest, or set level_policy="keep"', column.name))
    if not merges:
        target: dict[Scalar, Scalar | None] = {level: None for level in counts if level not in kept}
    elif column.kind is Kind.ORDINAL:
        target = _neighbours(_order(series, column, counts), kept, column)
    else:
        target = {level: OTHER for level in counts if level not in kept}
    settled = [target.get(value, value) for value in values]
    return _like(series, settled, column, kept), _settled(column, kept, None in settled)


def _with_other(kept: list[Scalar], counts: Mapping[Scalar, int], fewest: int) -> list[Scalar]:
    """Add the level of all rare ones; where these are too few together, the rarest of the others join them."""
    rare = sum(count for level, count in counts.items() if level not in kept)
    named = [level for level in kept if level != OTHER]
    if OTHER in kept:
        rare += counts[OTHER]
    while 0 < rare < fewest and named:
        least = min(named, key=counts.__getitem__)
        rare += counts[least]
        named.remove(least)
    return [*named, OTHER] if rare else named


def _order(series: pd.Series, column: Column, counts: Mapping[Scalar, int]) -> list[Scalar]:
    """Put all levels in order, also those that a settled column does not know any more."""
    if set(counts) <= set(column.levels):
        return list(column.levels)
    if isinstance(series.dtype, pd.CategoricalDtype) and series.cat.ordered:
        return [plain(level) for level in series.cat.categories]
    if column.storage.holds in (Holds.INTEGER, Holds.FLOAT):
        return sorted(counts)
    found = f"column {column.name!r} has levels that were merged"
    remedy = "pass the table as it was settled: schema.settle(frame)[0] of the schema before the fit"
    raise SchemaError(Problem(found, "their place in the order is not known any more", remedy, column.name))


def _neighbours(order: list[Scalar], kept: list[Scalar], column: Column) -> dict[Scalar, Scalar | None]:
    """Give every rare level the nearest kept one, the lower one of two."""
    places = np.array([order.index(level) for level in kept])
    return {
        level: kept[int(np.argmin(np.abs(places - place)))] for place, level in enumerate(order) if level not in kept
    }


def _like(series: pd.Series, values: list[Scalar | None], column: Column, kept: list[Scalar]) -> pd.Series:
    if column.storage.categories is not None:
        dtype: object = pd.CategoricalDtype(kept, column.storage.ordered)
    else:
        dtype = series.dtype
    made = pd.Series(values, index=series.index, name=series.name, dtype=object)
    try:
        return made.astype(dtype)
    except (TypeError, ValueError):  # whole numbers and truth values of numpy have no blank
        return made.astype("float64" if column.storage.holds is not Holds.BOOL else object)


def _settled(column: Column, kept: list[Scalar], blanks: bool) -> Column:
    storage = column.storage
    if storage.categories is not None:
        storage = replace(storage, categories=tuple(kept))
    facts = {"levels": tuple(kept), "storage": storage, "fewest": 1, "nullable": column.nullable or blanks}
    return replace(column, **facts)

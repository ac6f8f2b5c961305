"""Levels that are declared and that no row has: drawn at a stated rate, or never."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from bayesynth._random import stream_of
from bayesynth.errors import Problem
from bayesynth.schema import Column, Schema
from bayesynth.schema.storage import Scalar

Levels = Mapping[str, tuple[Scalar, ...]]


def unseen_levels(column: Column, seen: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """Give the levels of a column that may be drawn though no row has them."""
    return () if column.unseen_share is None else tuple(level for level in column.levels if level not in seen)


def unseen_problems(outer: Schema, inner: Schema, seen: Levels) -> Iterator[Problem]:
    """Say where a share of unseen levels was stated and can mean nothing.

    Parameters
    ----------
    outer, inner : Schema
        The columns of the table, and those that the model sees.
    seen : mapping of str to tuple
        Levels that occur, by inner column.
    """
    for name, column in outer.items():
        found = f"column {name!r} has unseen_share={column.unseen_share}"
        if column.unseen_share is None:
            continue
        if name not in inner or inner[name].unseen_share is None:
            why = "a rule makes it from other columns, or lets it occur in fixed combinations only"
            yield Problem(found, why, "leave out the share, or the rule", name)
        elif not unseen_levels(column, seen[name]):
            why, remedy = (
                "every level that the schema lists occurs",
                "add the unseen ones to its levels, or leave it out",
            )
            yield Problem(found, why, remedy, name)


def with_unseen(
    schema: Schema,
    columns: Mapping[str, np.ndarray],
    seen: Levels,
    stated: Mapping[str, np.ndarray | bool],
    rng: np.random.Generator,
) -> tuple[dict[str, np.ndarray], dict[str, tuple[Scalar, ...]]]:
    r"""Let drawn levels give way to unseen ones.

    A recorded value becomes one of the K unseen levels of its column with the stated probability s, each with s / K,
    whatever stands in the rest of the row, which stays as it is.

    Parameters
    ----------
    schema : Schema
        What the columns are.
    columns : mapping of str to ndarray, shape (n,)
        Drawn codes and numbers, NaN where blank.
    seen : mapping of str to tuple
        What the codes mean.
    stated : mapping of str to bool or ndarray of bool, shape (n,)
        Rows whose level was asked for or known, by column; these keep it.
    rng : Generator
        Does not advance: every column has a stream of its own.

    Returns
    -------
    columns, levels : dict
        With codes of unseen levels, and what all codes mean.
    """
    columns, levels = dict(columns), dict(seen)
    for name in columns:
        unseen = unseen_levels(schema[name], seen.get(name, ()))
        if unseen:
            share, values = schema[name].unseen_share, columns[name]
            u = stream_of(rng, name).random(len(values))
            given_way = (u < share) & ~np.isnan(values) & ~np.asarray(stated.get(name, False))
            which = np.minimum(u / share * len(unseen), len(unseen) - 1).astype(int)
            columns[name] = np.where(given_way, len(seen[name]) + which, values)
            levels[name] = (*seen[name], *unseen)
    return columns, levels

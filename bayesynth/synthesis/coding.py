"""From a frame and its schema to the network's table, and from drawn columns back to a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bayesynth.encoding.codecs import decode_frame, encode_column
from bayesynth.encoding.fresh import Source, fresh_columns
from bayesynth.encoding.marginal import Marginal
from bayesynth.encoding.table import CodedSource, EncodedTable, encode_table
from bayesynth.encoding.unseen import with_unseen
from bayesynth.inference import Observed
from bayesynth.schema import Column, Kind, Schema

STEP_OF_TIME = 1.0  # dates and durations are counted in units of their resolution


@dataclass(frozen=True)
class Codebook:
    """What decoding needs beside the schema.

    Parameters
    ----------
    levels : mapping of str to tuple
        Observed levels of each coded column.
    origins : mapping of str to str or None
        Where dates are counted from.
    fresh : mapping of str to Source
        Where the values of withheld columns come from; nothing of it is a real value.
    """

    levels: Mapping[str, tuple]
    origins: Mapping[str, str | None]
    fresh: Mapping[str, Source] = field(default_factory=dict)

    def decode(
        self,
        schema: Schema,
        chunks: Iterable[Mapping[str, np.ndarray]],
        n: int,
        rng: np.random.Generator,
        stated: Mapping[str, np.ndarray | bool] | None = None,
    ) -> pd.DataFrame:
        """Put drawn chunks of n rows together as one frame like the original.

        The generator is for withheld columns and unseen levels; the latter never take the place of those in `stated`
        (see `with_unseen`), which needs rows in a single chunk where it names rows.
        """
        withheld = fresh_columns(schema, self.fresh, n, rng)  # first: it may refuse
        frames = []
        for chunk in chunks:
            n_rows = len(next(iter(chunk.values()), ()))
            columns = {name: values for name, values in chunk.items() if name in schema}
            columns, levels = with_unseen(schema, columns, self.levels, stated or {}, rng.spawn(1)[0])
            frames.append(decode_frame(schema, columns, levels, self.origins, n_rows))
        whole = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
        return whole.assign(**withheld)[list(schema)]


FitMarginals = Callable[[Mapping[str, Observed]], Mapping[str, Marginal]]
"""Columns that are to have a marginal other than the empirical one -> those that get one."""


def encode_frame(
    frame: pd.DataFrame, schema: Schema, rng: np.random.Generator, marginals: FitMarginals | None = None
) -> tuple[EncodedTable, Codebook]:
    """Write a validated frame as nodes.

    Parameters
    ----------
    frame : DataFrame
        The table.
    schema : Schema
        What its columns are.
    rng : Generator
        Orders ties in the normal scores.
    marginals : callable, optional
        Fits the marginals that the schema asks for; when left out all are empirical.
    """
    sources, levels, origins = {}, {}, {}
    for name, column in schema.items():
        if column.kind is Kind.IDENTIFIER:
            continue
        coded = encode_column(column, frame[name])
        levels[name], origins[name] = coded.levels, coded.origin
        sources[name] = CodedSource(
            coded.values,
            tuple(str(level) for level in coded.levels),
            column.kind is Kind.ORDINAL,
            column.modelled,
            _step(column),
        )
    fitted = marginals(_observed(schema, sources)) if marginals else {}
    return encode_table(sources, rng, fitted), Codebook(levels, origins)


def _observed(schema: Schema, sources: Mapping[str, CodedSource]) -> dict[str, Observed]:
    """Collect the columns that are to have a marginal other than the empirical one; constants have none."""
    found = {}
    for name, source in sources.items():
        column, seen = schema[name], source.values[~np.isnan(source.values)]
        if column.marginal != "empirical" and len(np.unique(seen)) > 1:
            bounds = column.bounds or (None, None)
            counts = column.kind is Kind.COUNT
            found[name] = Observed(seen, column.marginal, bounds, source.step, counts, column.tails)
    return found


def _step(column: Column) -> float | None:
    if column.kind in (Kind.DATETIME, Kind.DURATION):
        return STEP_OF_TIME
    return None if column.precision is None or isinstance(column.precision, str) else 10.0**-column.precision

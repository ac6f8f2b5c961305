"""From a frame and its schema to the network's table, and from drawn columns back to a frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.encoding.codecs import decode_frame, encode_column
from bayesynth.encoding.table import CodedSource, EncodedTable, encode_table
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
    """

    levels: Mapping[str, tuple]
    origins: Mapping[str, str | None]

    def decode(self, schema: Schema, chunks: Iterable[Mapping[str, np.ndarray]]) -> pd.DataFrame:
        """Put drawn chunks together as one frame like the original."""
        frames = []
        for chunk in chunks:
            n_rows = len(next(iter(chunk.values()), ()))
            columns = {name: values for name, values in chunk.items() if name in schema}
            frames.append(decode_frame(schema, columns, self.levels, self.origins, n_rows))
        return frames[0] if len(frames) == 1 else _stack(schema, frames)


def encode_frame(frame: pd.DataFrame, schema: Schema, rng: np.random.Generator) -> tuple[EncodedTable, Codebook]:
    """Write a validated frame as nodes.

    Parameters
    ----------
    frame : DataFrame
        The table.
    schema : Schema
        What its columns are.
    rng : Generator
        Orders ties in the normal scores.
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
    return encode_table(sources, rng), Codebook(levels, origins)


def _step(column: Column) -> float | None:
    if column.kind in (Kind.DATETIME, Kind.DURATION):
        return STEP_OF_TIME
    return None if column.precision is None or isinstance(column.precision, str) else 10.0**-column.precision


def _stack(schema: Schema, frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate chunks, with identifiers that run through."""
    whole = pd.concat(frames, ignore_index=True)
    ids = [name for name, column in schema.items() if column.kind is Kind.IDENTIFIER]
    if ids:
        running = decode_frame(Schema([schema[name] for name in ids]), {}, {}, {}, len(whole))
        whole[ids] = running
    return whole

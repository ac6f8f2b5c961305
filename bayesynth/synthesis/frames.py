"""What several tables that belong together have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from bayesynth.diagnostics import Provenance


@dataclass(frozen=True, repr=False)
class Frames(Sequence):
    """A sequence of frames with their provenance.

    Parameters
    ----------
    frames : tuple of DataFrame
        The tables.
    provenance : Provenance
        How they came about.
    """

    frames: tuple[pd.DataFrame, ...]
    provenance: Provenance

    def __getitem__(self, index: int | slice) -> pd.DataFrame | tuple[pd.DataFrame, ...]:
        return self.frames[index]

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return iter(self.frames)

"""Missingness blocks: columns whose blanks coincide share one indicator, and blocks may nest in one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

CHANCE_OF_NESTING = 1e-4


@dataclass(frozen=True)
class Block:
    """Columns that are blank in the same rows.

    Parameters
    ----------
    name : str
        Name of the missingness node (1 = observed).
    columns : tuple of str
        Columns that share the blanks.
    outer : str or None
        Name of the block inside whose observed rows this one varies; elsewhere it is blank by construction.
    """

    name: str
    columns: tuple[str, ...]
    outer: str | None = None


def find_blocks(observed: Mapping[str, np.ndarray]) -> tuple[Block, ...]:
    """Group columns by their pattern of blanks and find how the groups nest.

    A block nests in another when it is blank in every row where the other is, and that would happen by chance with a
    probability under 1 in 10,000 if the blanks were unrelated: ``rate ** n_outer_blank < 0.0001``.

    Parameters
    ----------
    observed : mapping of str to ndarray of bool, shape (n,)
        Where each modelled column has a value. Columns without blanks belong to no block.

    Returns
    -------
    tuple of Block
        An outer block comes before those that nest in it.
    """
    groups: dict[bytes, list[str]] = {}
    for column, seen in observed.items():
        if not seen.all():
            groups.setdefault(seen.tobytes(), []).append(column)
    patterns = {tuple(columns): ~observed[columns[0]] for columns in groups.values()}
    names = _names(list(patterns), set(observed))
    ordered = sorted(patterns, key=lambda g: patterns[g].sum())
    return tuple(Block(names[g], g, _outer(g, ordered, patterns, names)) for g in ordered)


def _outer(
    group: tuple[str, ...],
    ordered: list[tuple[str, ...]],
    patterns: Mapping[tuple[str, ...], np.ndarray],
    names: Mapping[tuple[str, ...], str],
) -> str | None:
    blank = patterns[group]
    for other in reversed(ordered[: ordered.index(group)]):  # the largest one inside which it fits
        inside = patterns[other]
        contained = not (inside & ~blank).any() and inside.sum() < blank.sum()
        if contained and blank.mean() ** inside.sum() < CHANCE_OF_NESTING:
            return names[other]
    return None


def _names(groups: list[tuple[str, ...]], taken: set[str]) -> dict[tuple[str, ...], str]:
    names: dict[tuple[str, ...], str] = {}
    for group in groups:
        more = f" +{len(group) - 1}" if len(group) > 1 else ""
        name = f"observed({group[0]}{more})"
        while name in taken:
            name += "'"
        taken.add(name)
        names[group] = name
    return names

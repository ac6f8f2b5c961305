"""Blanks that follow from other columns: structural blanks, skip patterns, and columns that are blank together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesynth.rules.discover_evidence import Evidence, Findings, Found, log_choose, weigh
from bayesynth.rules.discover_table import Field, Table

TOGETHER, NESTED, AT_LEVEL, BEYOND = "blank together", "blank with", "blank at level", "blank beyond"
MOST_LEVELS = 12
_BOTH_SIDES = 2


@dataclass(frozen=True)
class _Block:
    """Columns with the same blanks."""

    columns: tuple[str, ...]
    observed: np.ndarray


def find_blanks(table: Table) -> Findings:
    """Search blanks that other blanks, a level or a range of a number bring with them."""
    blocks = _blocks(table)
    leveled = [field for field in table.varying if field.n_levels <= MOST_LEVELS]
    found = [
        *_together(table, blocks),
        *_nested(table, blocks),
        *(f for field in leveled for block in blocks for f in _at_levels(table, field, block)),
        *(f for field in table.measured for block in blocks for f in _beyond(table, field, block)),
    ]
    n_blank = sum(len(block.columns) for block in blocks)
    candidates = (
        n_blank * n_blank
        + len(blocks) * sum(field.n_levels for field in leveled)
        + len(blocks) * sum(_BOTH_SIDES * field.n_levels for field in table.measured)
    )
    return Findings.of(found, candidates)


def _blocks(table: Table) -> list[_Block]:
    groups: dict[bytes, list[Field]] = {}
    for field in table.fields.values():
        if not field.observed.all() and field.observed.any():
            groups.setdefault(field.observed.tobytes(), []).append(field)
    return [_Block(tuple(f.name for f in group), group[0].observed) for group in groups.values()]


def _together(table: Table, blocks: list[_Block]) -> Iterator[Found]:
    for block in blocks:
        if len(block.columns) > 1:
            share, n = block.observed.mean(), len(block.observed)
            chances = np.where(block.observed, 1 - share, share)
            evidence = weigh(chances, table.aside, -log_choose(n, int(block.observed.sum())))
            yield Found(TOGETHER, block.columns, evidence)


def _nested(table: Table, blocks: list[_Block]) -> Iterator[Found]:
    for outer in blocks:
        for inner in blocks:
            if outer is not inner and not np.any(inner.observed & ~outer.observed):
                everywhere = np.ones(len(table), dtype=bool)
                evidence = _all_blank(table, everywhere, ~outer.observed, inner.observed)
                yield Found(NESTED, (outer.columns[0], *inner.columns), evidence)


def _at_levels(table: Table, field: Field, block: _Block) -> Iterator[Found]:
    """Levels at which the block is always blank; if it is never blank elsewhere, that is said too."""
    if field.name in block.columns:
        return
    counts = np.bincount(field.codes[field.observed], minlength=field.n_levels)
    seen = np.bincount(field.codes[field.observed & block.observed], minlength=field.n_levels)
    always, exact = (counts > 0) & (seen == 0), False
    if not always.any() or always.all():
        return
    at = field.observed & always[field.codes]
    evidence = _all_blank(table, field.observed, at, block.observed)
    elsewhere = field.observed & ~at
    exact = bool(block.observed[elsewhere].all())
    facts: dict[str, object] = {"levels": [field.levels[code] for code in np.flatnonzero(always)]}
    if exact:
        facts["elsewhere"] = _all_blank(table, field.observed, elsewhere, ~block.observed)
    yield Found(AT_LEVEL, (field.name, *block.columns), evidence, facts)


def _beyond(table: Table, field: Field, block: _Block) -> Iterator[Found]:
    """Find the longest run of blanks at the low or the high end of a number."""
    if field.name in block.columns or field.n_levels <= MOST_LEVELS:
        return
    seen = field.values[field.observed & block.observed]
    if not len(seen):
        return
    for low in (True, False):
        end = seen.min() if low else seen.max()
        at = field.observed & ((field.values < end) if low else (field.values > end))
        if at.any():
            inner = field.values[at].max() if low else field.values[at].min()
            evidence = _all_blank(table, field.observed, at, block.observed)
            facts = {"gap": (float(min(inner, end)), float(max(inner, end))), "low": low}
            yield Found(BEYOND, (field.name, *block.columns), evidence, facts)


def _all_blank(table: Table, among: np.ndarray, at: np.ndarray, observed: np.ndarray) -> Evidence:
    """Weigh that all rows of a set are blank, of those among which the blanks could have fallen."""
    n, n_at, n_blank = int(among.sum()), int(at.sum()), int((among & ~observed).sum())
    chances = np.full(n_at, 1 - n_blank / max(n, 1))
    return weigh(chances, table.aside[at], log_choose(n_blank, n_at) - log_choose(n, n_at))

"""Copies, near copies and replicated uniques: a description of the synthetic rows, and no measure of risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.diagnostics.attacks import share_against
from bayesynth.diagnostics.distances import joint_codes
from bayesynth.diagnostics.figures import LEVEL, RISK, SKIPPED, WORSE, Figure

COPIES, NEAR_COPIES, UNIQUES = "copies", "near copies", "replicated uniques"
CLOSE = 0.5  # of the distance to the nearest other real row
MEANING = (
    "Share of the fitted rows of which a synthetic row is an exact copy; 0 does not mean that there is no risk, and a "
    "copy may be a chance match: the same share of rows that were never fitted says how often."
)
NOTE = (
    "A description, not a measure of risk: copies far above their share among rows put aside are a leak, but few or no "
    "copies prove nothing, and removing copies is not anonymisation."
)


@dataclass(frozen=True)
class Found:
    """What was found of each real row: fitted ones, and those put aside (none where there is no holdout).

    Parameters
    ----------
    what : str
        The kind of likeness.
    members, controls : ndarray, shapes (n,) and (h,)
        From 0 (no) to 1 (yes).
    """

    what: str
    members: np.ndarray
    controls: np.ndarray


def exact_copies(members: np.ndarray, controls: np.ndarray, synthetic: np.ndarray) -> Found:
    """Find real rows that occur among the synthetic ones, all columns and blanks alike.

    Parameters
    ----------
    members, controls, synthetic : ndarray, shapes (n, p), (h, p) and (k, p)
        Rows as `TableReader.values` gives them.
    """
    # A blank equals a blank here, and minus zero is zero.
    ours, aside, theirs = joint_codes([np.where(np.isnan(x), np.inf, x + 0.0) for x in (members, controls, synthetic)])
    return Found(COPIES, np.isin(ours, theirs).astype(float), np.isin(aside, theirs).astype(float))


def near_copies(nearest: np.ndarray, apart: np.ndarray, fitted: np.ndarray) -> Found:
    """Find real rows with a synthetic row less than half as far away as the nearest other real row.

    Parameters
    ----------
    nearest, apart : ndarray, shape (rows,)
        Distance to the nearest synthetic row and to the nearest other real row.
    fitted : ndarray of bool, shape (rows,)
        Which rows were fitted.
    """
    near = np.asarray(nearest < CLOSE * apart, float)
    return Found(NEAR_COPIES, near[fitted], near[~fitted])


def replicated_uniques(members: np.ndarray, controls: np.ndarray, tables: Sequence[np.ndarray]) -> Found:
    """Find real rows that are alone in their cell of the keys, and that a synthetic table has once.

    Fitted rows and those put aside are taken together, so that both have the same chance to be alone.

    Parameters
    ----------
    members, controls : ndarray of int, shapes (n,) and (h,)
        Cell of the key columns of each real row.
    tables : sequence of ndarray of int
        Of each synthetic row, by table. The result is the share of the tables.
    """
    cells = np.concatenate([members, controls])
    size = int(max(rows.max(initial=0) for rows in (cells, *tables))) + 1
    alone = np.bincount(cells, minlength=size) == 1
    hit = np.mean([alone & (np.bincount(table, minlength=size) == 1) for table in tables], axis=0)
    return Found(UNIQUES, hit[members], hit[controls])


def copies_figure(found: Sequence[Found]) -> Figure:
    """Describe likenesses, with the share of rows put aside beside each, where there are some.

    The verdict is "worse than floor" where copies are surely more common among fitted rows; there is no other one,
    since a small number of copies says nothing.

    Parameters
    ----------
    found : sequence of Found
        Exact copies first.
    """
    contrasts = [share_against(one.what, one.members, one.controls, LEVEL) for one in found if len(one.controls)]
    details = pd.DataFrame([_row(one) for one in found])
    if not contrasts:
        return Figure.described(COPIES, RISK, MEANING, float(found[0].members.mean()), details, NOTE)
    first = contrasts[0]
    details = details.join(pd.DataFrame([one.beside("share") for one in contrasts]))
    verdict = WORSE if first.excess.lower > 0 else SKIPPED
    worst = tuple((one.name, one.value.middle, one.control.middle) for one in contrasts)
    parts = first.value, first.control, first.excess
    return Figure(COPIES, RISK, MEANING, *parts, np.nan, verdict, None, worst, details, NOTE)


def _row(found: Found) -> dict[str, object]:
    return {"what": found.what, "rows": len(found.members), "share": float(found.members.mean())}

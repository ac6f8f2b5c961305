"""Rows that are put aside before anything is learned: the control of every attack on the released tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bayesynth.errors import InputError, Problem

FEWEST_FITTED = 2


def put_aside(frame: pd.DataFrame, share: float, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Split a table into the rows to fit and the positions of those put aside.

    Parameters
    ----------
    frame : DataFrame
        The table. It is not changed.
    share : float
        Share of the rows to put aside; 0 for none.
    rng : Generator
        Picks them.

    Returns
    -------
    fitted : DataFrame
        The rows to fit, in their order.
    positions : tuple of int
        Of the rows put aside, rising.

    Raises
    ------
    InputError
        If the share is not between 0 and 1, or leaves too few rows on either side.
    """
    number = isinstance(share, (int, float, np.number)) and not isinstance(share, bool)
    if not (number and 0 <= share < 1):
        why = "it is the share of the rows that is never fitted"
        raise InputError(Problem(f"holdout={share!r}", why, "pass 0.2, for example, or leave it out"))
    if share == 0 or not isinstance(frame, pd.DataFrame):
        return frame, ()  # what is no table is refused with all other problems
    n = round(share * len(frame))
    if n < 1 or len(frame) - n < FEWEST_FITTED:
        found = f"holdout={share!r} puts {n} of {len(frame)} rows aside"
        raise InputError(Problem(found, "both sides need rows", "pass another share, or leave it out"))
    positions = np.sort(rng.permutation(len(frame))[:n])
    return without(frame, positions), tuple(positions.tolist())


def split(frame: pd.DataFrame, positions: tuple[int, ...], n_fitted: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a table as it was split when it was fitted.

    Parameters
    ----------
    frame : DataFrame
        The table.
    positions : tuple of int
        Of the rows that were put aside.
    n_fitted : int
        Number of the others.

    Raises
    ------
    InputError
        If it has another number of rows.
    """
    n = n_fitted + len(positions)
    if not isinstance(frame, pd.DataFrame) or len(frame) != n:
        found = f"a table of {len(frame)} rows" if isinstance(frame, pd.DataFrame) else f"a {type(frame).__name__}"
        why = f"{n_fitted} rows were fitted and {len(positions)} put aside"
        raise InputError(Problem(found, why, "pass the table that was given to fit, its rows in the same order"))
    aside = np.array(positions, dtype=np.intp)
    return without(frame, aside), frame.iloc[aside]


def without(frame: pd.DataFrame, positions: np.ndarray) -> pd.DataFrame:
    """Leave rows out, and with them the categories that no other row has: a dtype would tell of them."""
    fitted = frame.iloc[np.setdiff1d(np.arange(len(frame)), positions)].copy()
    for at, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, pd.CategoricalDtype):
            seen, left = (set(table.iloc[:, at].dropna().unique()) for table in (frame, fitted))
            fitted.isetitem(at, fitted.iloc[:, at].cat.remove_categories(list(seen - left)))
    return fitted

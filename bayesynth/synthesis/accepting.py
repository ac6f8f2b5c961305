"""Rows by rejection on finished frames, where nothing better is known: with a budget and a reported rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from bayesynth.predictive.conditional import TooRareError

Draw = Callable[[int, np.random.Generator], pd.DataFrame]
Accept = Callable[[pd.DataFrame], np.ndarray]
MOST_PER_ROW, FEWEST_TRIED = 200, 20_000


def draw_accepted(
    draw: Draw, n: int, accept: Accept, rng: np.random.Generator, most: int | None = None
) -> tuple[pd.DataFrame, float]:
    """Draw rows until n of them are accepted.

    Parameters
    ----------
    draw : callable
        Takes a number of rows and a generator and gives a frame.
    n : int
        Rows wanted.
    accept : callable
        Takes a frame and tells which of its rows to keep, shape (rows,).
    rng : Generator
        Randomness.
    most : int, optional
        Rows that may be drawn; when left out 200 for each wanted one, at least 20,000.

    Returns
    -------
    frame : DataFrame
        n accepted rows.
    rate : float
        Share of the drawn rows that was accepted.

    Raises
    ------
    TooRareError
        If so many rows do not hold n accepted ones.
    """
    most = max(FEWEST_TRIED, MOST_PER_ROW * n) if most is None else most
    parts, kept, tried = [], 0, 0
    while kept < n:
        if tried >= most:
            rate = kept / tried
            raise TooRareError(rate, float(np.sqrt(rate * (1 - rate) / tried)), tried)
        rate = (kept + 1) / (tried + 1)
        frame = draw(min(int(1.1 * (n - kept) / rate) + 10, most - tried), rng)
        keep = np.asarray(accept(frame), bool)
        parts.append(frame[keep])
        kept, tried = kept + int(keep.sum()), tried + len(frame)
    whole = pd.concat(parts, ignore_index=True).iloc[:n]
    whole.attrs = dict(parts[0].attrs)
    return whole, kept / tried

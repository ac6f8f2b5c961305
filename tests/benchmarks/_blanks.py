"""Tables whose blanks come about in a known way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from bayesynth.datasets import random_network

NOTHING, ONE, TWO, ENDS = "nothing", "one complete column", "two complete columns", "both ends of a complete column"
BLANK, BLANKS, PRESENCE = "an incomplete column", "other blanks", "nothing, but informs a column"
MECHANISMS = (NOTHING, ONE, TWO, ENDS, BLANK, BLANKS, PRESENCE)
RATES = (0.2, 0.3)
N_COLUMNS, N_BLANK = 10, 4


@dataclass(frozen=True)
class BlankWorld:
    """A table, and those of its columns whose blanks follow the mechanism.

    Parameters
    ----------
    table : DataFrame
        The table.
    targets : tuple of str
        Columns whose blanks follow the mechanism.
    informed : str or None
        The column that depends on whether the first target was observed.
    """

    table: pd.DataFrame
    targets: tuple[str, ...]
    informed: str | None = None


def mixed_blanks(mechanism: str, n_rows: int, odds_ratio: float, seed: int) -> BlankWorld:
    """Ten related columns of mixed kinds, four of them 20 to 30% blank.

    What blanks depend on changes their odds by the odds ratio for each standard deviation: of a column's normal score,
    of a random score of its levels, of another block's indicator, or of a numeric column's squared score (both ends).
    With informative presence a column's normal score is higher where another column was observed, by the log of the
    ratio: seen the other way round, the same odds ratio.
    """
    rng = np.random.default_rng([seed, n_rows, MECHANISMS.index(mechanism)])
    network = random_network(N_COLUMNS, blanks=0.0, random_seed=seed)
    table = network.sample(n_rows, random_seed=rng)
    names = [str(name) for name in rng.permutation(network.columns)]
    numeric = [name for name in names if network.kinds[name] == "continuous"]
    blank, complete = names[:N_BLANK], names[N_BLANK:]
    if mechanism in (ENDS, PRESENCE):  # a continuous column stays complete
        complete = [numeric[0], *(name for name in names if name != numeric[0])][: N_COLUMNS - N_BLANK]
        blank = [name for name in names if name not in complete]
    first, targets, informed = blank[0], blank, None
    scores = {name: score(table[name], rng) for name in names}
    masks: dict[str, np.ndarray] = {}
    for name in blank:
        drivers: list[np.ndarray] = []
        if mechanism in (ONE, TWO):
            drivers = [scores[c] for c in rng.choice(complete, 1 if mechanism == ONE else 2, replace=False)]
        elif mechanism == ENDS:
            drivers = [standard(scores[complete[0]] ** 2)]
        elif mechanism in (BLANK, BLANKS) and name != first:
            drivers = [scores[first] if mechanism == BLANK else standard(masks[first])]
        masks[name] = draw_mask(drivers, odds_ratio, n_rows, rng)
    if mechanism in (BLANK, BLANKS):
        targets = blank[1:]
    if mechanism == PRESENCE:
        targets, informed = [first], complete[0]
        table[informed] = (scores[informed] + np.log(odds_ratio) * ~masks[first]).round(3)
    for name, mask in masks.items():
        table[name] = (
            table[name].astype("Int64").mask(mask) if table[name].dtype.kind == "i" else table[name].mask(mask)
        )
    return BlankWorld(table, tuple(targets), informed)


def numeric_blanks(mechanism: str, law: str, n_rows: int, odds_ratio: float, seed: int) -> BlankWorld:
    """Ten columns that share a factor, all "normal", all "skewed" (log-normal) or all "binary"; four with blanks."""
    rng = np.random.default_rng([seed, n_rows, MECHANISMS.index(mechanism)])
    factor, own = rng.standard_normal((n_rows, 1)), rng.standard_normal((n_rows, N_COLUMNS))
    latent = np.sqrt(0.3) * factor + np.sqrt(0.7) * own
    values = {"normal": latent, "skewed": np.exp(latent), "binary": (latent > 0.5).astype(float)}[law]
    table = pd.DataFrame(values, columns=[f"x{i}" for i in range(N_COLUMNS)])
    blank, complete = list(table)[:N_BLANK], list(table)[N_BLANK:]
    scores = {name: score(table[name], rng) for name in table}
    masks: dict[str, np.ndarray] = {}
    for name in blank:
        drivers = {
            NOTHING: [],
            ONE: [scores[str(rng.choice(complete))]],
            ENDS: [standard(scores[complete[0]] ** 2)],
            BLANKS: [standard(masks[blank[0]])] if masks else [],
        }[mechanism]
        masks[name] = draw_mask(drivers, odds_ratio, n_rows, rng)
    return BlankWorld(table.mask(pd.DataFrame(masks).reindex(columns=table.columns, fill_value=False)), tuple(blank))


def score(column: pd.Series, rng: np.random.Generator) -> np.ndarray:
    """Normal score of a numeric or ordered column, random score of the levels of another; standardised."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        levels = np.arange(codes.max() + 1.0) if column.cat.ordered else rng.standard_normal(codes.max() + 1)
        return standard(levels[codes])
    return standard(ndtri((column.rank() - 0.5) / len(column)).to_numpy())


def standard(values: np.ndarray) -> np.ndarray:
    """Mean 0, standard deviation 1."""
    return (values - values.mean()) / (values.std() or 1.0)


def draw_mask(drivers: list[np.ndarray], odds_ratio: float, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Draw where a column is blank, at a rate of 20 to 30%."""
    rate, shift = rng.uniform(*RATES), np.zeros(n_rows)
    for driver in drivers:
        shift += rng.choice([-1.0, 1.0]) * np.log(odds_ratio) * driver
    intercept = brentq(lambda a: expit(a + shift).mean() - rate, -40, 40)
    return rng.random(n_rows) < expit(intercept + shift)

"""Fidelity: how far synthetic tables are from the real one, beside how far real samples are from each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth._random import Seed, as_generator
from bayesynth.diagnostics.distances import Groups, Rows, groups_of, label_patterns, rank_correlations
from bayesynth.diagnostics.reading import TableReader, schema_of, tables_of
from bayesynth.errors import InputError, Problem
from bayesynth.schema import Schema

MEASURES = ("columns", "pairs", "triples", "blank patterns", "association")
TRIPLES = 50
FEWEST_ROWS = 8
INTERVAL = (0.05, 0.5, 0.95)


def fidelity(
    real: pd.DataFrame,
    synthetic: pd.DataFrame | Iterable[pd.DataFrame],
    schema: Schema | None = None,
    *,
    splits: int = 20,
    random_seed: Seed = None,
) -> pd.DataFrame:
    r"""Compare synthetic tables with the real one, and each figure with what a perfect generator would get.

    Columns are cut into five bins at the quantiles of the real column; levels are bins of their own, and so is a
    blank. Distances between histograms are total variations,

    .. math:: \mathrm{TV}(p, q) = \tfrac12 \sum_c |p_c - q_c| \in [0, 1].

    - *columns*: mean TV over columns.
    - *pairs*: mean TV over all pairs of columns.
    - *triples*: mean TV over all triples, or 50 random ones.
    - *blank patterns*: TV between the distributions of the whole row's pattern of blanks.
    - *association*: mean over pairs of ordered columns of :math:`|\rho^{real}_{jk} - \rho^{synthetic}_{jk}|`,
      Spearman correlations over the rows that have both values.

    Parameters
    ----------
    real : DataFrame
        The real table. It is not changed.
    synthetic : DataFrame or iterable of DataFrame
        One synthetic table or several, of any origin; 20 make the intervals worth reading.
    schema : Schema, optional
        What the columns are; inferred from the real table when left out. Only its modelled columns are compared.
    splits : int
        Number of random halvings of the real table.
    random_seed : int, SeedSequence, Generator or None
        Equal seeds give equal figures.

    Returns
    -------
    DataFrame
        One row per measure that the table has columns for (0 is perfect). ``median``, ``lower``, ``upper``: between
        the whole real table and each synthetic one, over synthetic tables. The others are at one size, that of half
        the real table: ``floor`` (median over splits, with ``floor_lower`` and ``floor_upper``) between two
        halves of the real table; ``comparison`` (median) between a half and as many synthetic rows; ``excess`` and its
        ends ``excess_lower`` and ``excess_upper``: comparison less floor, over splits and tables. Intervals are 90%.

    Raises
    ------
    InputError
        If the tables cannot be compared.

    Notes
    -----
    A distance between histograms is above 0 even between two samples of one law, more so the fewer the rows and the
    more the bins; it means something only beside its floor. With halves A_s and B_s of the real rows and a subsample
    S_t of each synthetic table, both of the size of B_s,

    .. math:: \text{floor}_s = M(A_s, B_s), \quad \text{excess}_{st} = M(A_s, S_t) - M(A_s, B_s).

    An interval of the excess around 0 says that the synthetic rows are as near to real ones as other real rows are,
    as far as half the table can tell. A generator that was fitted to A_s as well as B_s may come out a little below 0;
    one far below 0 repeats its rows.

    Examples
    --------
    >>> from bayesynth.datasets import load_dataset
    >>> patients = load_dataset("pbc")
    >>> copy = fidelity(patients, patients, random_seed=1)
    >>> float(copy.loc["pairs", "median"])
    0.0
    """
    _check(real, splits)
    streams = as_generator(random_seed).spawn(3)
    reader = TableReader.of(real, schema_of(real, schema))
    tables = tables_of(synthetic, reader.names)
    rows, *drawn = _read(reader, (real, *tables))
    gauge = _Gauge.of(reader, streams[0], any(table.patterns.any() for table in (rows, *drawn)))
    whole = gauge.profile(rows)
    at_full_size = np.array([gauge.distances(whole, gauge.profile(table)) for table in drawn])
    half = min(len(real) // 2, *(len(table) for table in drawn))
    parts = [gauge.profile(_some(table, half, streams[1])) for table in drawn]
    floors, comparisons = [], []
    for _ in range(splits):
        order = streams[2].permutation(len(real))
        ours = gauge.profile(rows.take(order[len(real) - len(real) // 2 :]))
        floors.append(gauge.distances(ours, gauge.profile(rows.take(order[:half]))))
        comparisons.append([gauge.distances(ours, part) for part in parts])
    return _table(gauge.names, at_full_size, np.array(floors), np.array(comparisons))


@dataclass(frozen=True)
class _Gauge:
    """The measures that a table allows.

    Parameters
    ----------
    groups : dict of str to Groups
        Sets of columns by measure.
    with_patterns, with_ranks : bool
        Whether there are blanks, and at least two ordered columns.
    """

    groups: dict[str, Groups]
    with_patterns: bool
    with_ranks: bool

    @classmethod
    def of(cls, reader: TableReader, rng: np.random.Generator, with_patterns: bool) -> _Gauge:
        sizes = reader.sizes
        limits = {1: None, 2: None, 3: TRIPLES}
        groups = {MEASURES[k - 1]: groups_of(sizes, k, limit, rng) for k, limit in limits.items() if len(sizes) >= k}
        return cls(groups, with_patterns, len(reader.ranked) > 1)

    @property
    def names(self) -> list[str]:
        return [*self.groups, *[MEASURES[3]] * self.with_patterns, *[MEASURES[4]] * self.with_ranks]

    def profile(self, rows: Rows) -> dict[str, np.ndarray]:
        """Everything of a set of rows that distances need."""
        profile = {name: groups.histogram(rows.codes) for name, groups in self.groups.items()}
        if self.with_patterns:
            profile[MEASURES[3]] = np.bincount(rows.patterns) / len(rows)
        if self.with_ranks:
            profile[MEASURES[4]] = rank_correlations(rows.scores)
        return profile

    def distances(self, first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> list[float]:
        measure: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
            **{name: groups.distance for name, groups in self.groups.items()},
            MEASURES[3]: _variation,
            MEASURES[4]: _mean_difference,
        }
        return [measure[name](first[name], second[name]) for name in self.names]


def _variation(first: np.ndarray, second: np.ndarray) -> float:
    size = max(len(first), len(second))
    return float(np.abs(np.pad(first, (0, size - len(first))) - np.pad(second, (0, size - len(second)))).sum() / 2)


def _mean_difference(first: np.ndarray, second: np.ndarray) -> float:
    known = ~(np.isnan(first) | np.isnan(second))
    return float(np.abs(first - second)[known].mean()) if known.any() else np.nan


def _read(reader: TableReader, tables: tuple[pd.DataFrame, ...]) -> list[Rows]:
    codes = [reader.codes(table) for table in tables]
    patterns = label_patterns([code == reader.sizes - 1 for code in codes])
    return [Rows(c, reader.scores(t), p) for c, t, p in zip(codes, tables, patterns, strict=True)]


def _some(rows: Rows, n: int, rng: np.random.Generator) -> Rows:
    return rows.take(rng.permutation(len(rows))[:n])


def _table(names: list[str], full: np.ndarray, floors: np.ndarray, comparisons: np.ndarray) -> pd.DataFrame:
    excess = (comparisons - floors[:, None]).reshape(-1, len(names))
    found = {}
    for title, figures in (("", full), ("floor", floors), ("excess", excess)):
        low, middle, high = np.quantile(figures, INTERVAL, axis=0)
        before = f"{title}_" if title else ""
        found[title or "median"], found[f"{before}lower"], found[f"{before}upper"] = middle, low, high
        if title == "floor":
            found["comparison"] = np.median(comparisons, axis=(0, 1))
    return pd.DataFrame(found, index=pd.Index(names, name="measure"))


def _check(real: pd.DataFrame, splits: int) -> None:
    if not isinstance(real, pd.DataFrame):
        found = f"a {type(real).__name__} was passed as the real table"
        raise InputError(Problem(found, "a table is a pandas DataFrame", "pass pd.DataFrame(...)"))
    if len(real) < FEWEST_ROWS:
        found, why = f"the real table has {len(real)} rows", "halves of it say nothing about its law"
        raise InputError(Problem(found, why, f"pass at least {FEWEST_ROWS}; 50 is a sensible least"))
    if isinstance(splits, bool) or not isinstance(splits, (int, np.integer)) or splits < 1:
        raise InputError(Problem(f"splits is {splits!r}", "the floor takes at least one halving", "pass splits=20"))

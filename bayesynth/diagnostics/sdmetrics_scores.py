"""SDMetrics' quality and diagnostic scores in exactly its definitions, for readers who know those numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from bayesynth._html import Markup, card, legend, table
from bayesynth.diagnostics.distances import v_of_counts
from bayesynth.diagnostics.reading import schema_of, tables_of
from bayesynth.errors import InputError, Problem
from bayesynth.schema import Column, Holds, Schema
from bayesynth.schema.arrays import lengths, numbers, stamps
from bayesynth.schema.sdv import LEVELLED, sdtype_of
from bayesynth.schema.storage import TIMES, blank_mask, plain

LABEL, VERSION = "SDMetrics-compatible", "0.32"
LEAST_CORRELATION, LEAST_ASSOCIATION = 0.5, 0.3  # of the real table, above which SDMetrics counts a pair
DECIMALS, UNSEEN = 14, 1e-6  # to which it rounds; what it adds to the count of a level that the real table lacks
TRAPS = (
    "No noise floor: at 200 rows even a perfect generator scores about 0.91 on a numeric column.",
    "Blanks are dropped from columns and correlations: a table that blanks the wrong cells loses nothing.",
    "A numeric column is binned separately in the real and the synthetic table where it meets a categorical one, so "
    "that a column times 50 plus 1000 still scores 1.0; one wild value may bring the pair near 0.",
    "Pairs that are weakly related in the real table do not count, so relations that were made up cost nothing.",
)


@dataclass(frozen=True, repr=False)
class SDMetricsScores:
    """Scores as SDMetrics 0.32 defines them, 1 being best; made by `sdmetrics_scores`.

    Parameters
    ----------
    properties : DataFrame
        One row per report and property, with its ``score``.
    columns : DataFrame
        One row per column: ``metric`` and ``score``.
    pairs : DataFrame
        One row per pair of columns: ``metric``, ``score``, ``strength`` of the relation in the real table (correlation
        or Cramér's V), and whether it ``counts``.
    validity : DataFrame
        One row per column: ``metric`` and ``score`` of the diagnostic report.
    """

    properties: pd.DataFrame
    columns: pd.DataFrame
    pairs: pd.DataFrame
    validity: pd.DataFrame

    @property
    def quality(self) -> float:
        """Overall score of the quality report: the mean of its properties."""
        return self._overall("quality")

    @property
    def diagnostic(self) -> float:
        """Overall score of the diagnostic report."""
        return self._overall("diagnostic")

    def _overall(self, report: str) -> float:
        return float(self.properties.loc[report, "score"].mean())  # without those that are not a number, as there

    def _lines(self) -> list[tuple[str, str]]:
        overall = [("quality", f"{self.quality:.4f}"), ("diagnostic", f"{self.diagnostic:.4f}")]
        parts = [(f"{report}: {name}", f"{score:.4f}") for (report, name), score in self.properties["score"].items()]
        return overall + parts

    def __repr__(self) -> str:
        lines = "\n".join(f"  {name:<32}{score}" for name, score in self._lines())
        return f"{LABEL} scores (definitions of {VERSION}; no noise floor, blanks dropped)\n{lines}"

    def _repr_html_(self) -> str:
        body = table(("", "score"), self._lines()) + Markup("").join(legend(trap) for trap in TRAPS)
        return card(f"{LABEL} scores", f"definitions of SDMetrics {VERSION}", Markup(body))


def sdmetrics_scores(real: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema | None = None) -> SDMetricsScores:
    r"""Score one synthetic table as SDMetrics 0.32 does, with its thresholds and its flaws.

    The quality report is the mean of two properties. *Column Shapes* is the mean over columns of

    .. math:: 1 - \sup_x |F_{real}(x) - F_{syn}(x)| \quad\text{or}\quad 1 - \tfrac12 \sum_k |p_{real}(k) - p_{syn}(k)|

    for numbers and dates, or levels. *Column Pair Trends* is the mean of :math:`1 - |r_{real} - r_{syn}| / 2` over
    pairs of numbers with :math:`|r_{real}| > 0.5`, and of
    :math:`1 - \tfrac12 \sum_{ab} |p_{real}(a,b) - p_{syn}(a,b)|` over other pairs whose Cramér's V in the real table
    is above 0.3, with numbers in ten bins of equal width.

    The diagnostic report is the mean of *Data Validity* (share of synthetic values within the bounds or among the
    levels of the real table or the schema) and *Data Structure* (Jaccard index of the names with their dtypes).

    Parameters
    ----------
    real, synthetic : DataFrame
        The two tables. They are not changed.
    schema : Schema, optional
        What the columns are, as `Schema.to_sdv_metadata` would state it; inferred from the real table when left out.

    Returns
    -------
    SDMetricsScores

    Raises
    ------
    InputError
        If the synthetic table lacks columns, has no rows, or holds values that cannot be compared.

    Notes
    -----
    Known traps, the reason why `assess` has figures of its own:

    - There is no noise floor: with 200 rows even a perfect generator scores about 0.91 on a numeric column.
    - Blanks are dropped from columns and correlations, so a table that blanks the wrong cells loses nothing.
    - In a mixed pair the bins are made separately for each table: a column times 50 plus 1000 still scores 1.0, while
      one wild synthetic value moves every bin. The largest value shares a bin with the blanks.
    - A pair below the threshold in the real table does not count, however strong it is in the synthetic one.
    - With no pair above it the property is not a number, and the overall score silently the mean of the others.

    Three things differ on purpose. Above 50,000 rows SDMetrics scores a random part, without a seed; here all rows
    count. Keys are no part of a schema, so their uniqueness is not scored. Durations, which SDMetrics does not take,
    are numbers.

    Examples
    --------
    >>> from bayesynth.datasets import load_dataset
    >>> birds = load_dataset("penguins")
    >>> sdmetrics_scores(birds, birds).quality
    1.0
    """
    schema = schema_of(real, schema)
    if len(real) == 0:
        why, remedy = "there is nothing to compare with", "pass a DataFrame with rows"
        raise InputError(Problem("the real table has no rows", why, remedy))
    if not isinstance(synthetic, pd.DataFrame):
        found = f"a {type(synthetic).__name__} was passed as the synthetic table"
        why, remedy = "SDMetrics scores one table at a time", "pass one DataFrame, such as tables[0]"
        raise InputError(Problem(found, why, remedy))
    compared = {name: column for name, column in schema.items() if not column.withheld}
    tables_of(synthetic, compared)
    known = {name: _Pair.of(column, real, synthetic) for name, column in compared.items()}
    columns = pd.DataFrame(
        [(name, *_shape(pair)) for name, pair in known.items()], columns=["column", "metric", "score"]
    )
    pairs = pd.DataFrame(list(_trends(known)), columns=["first", "second", "metric", "score", "strength", "counts"])
    validity = pd.DataFrame(
        [(name, *row) for name, pair in known.items() for row in _validity(schema[name], pair)],
        columns=["column", "metric", "score"],
    )
    scores = {
        ("quality", "Column Shapes"): columns["score"].mean(),
        ("quality", "Column Pair Trends"): pairs.loc[pairs["counts"].astype(bool), "score"].astype(float).mean(),
        ("diagnostic", "Data Validity"): validity["score"].mean(),
        ("diagnostic", "Data Structure"): _structure(real, synthetic),
    }
    index = pd.MultiIndex.from_tuples(scores, names=["report", "property"])
    return SDMetricsScores(pd.DataFrame({"score": list(scores.values())}, index=index), columns, pairs, validity)


@dataclass(frozen=True)
class _Pair:
    """One column of both tables as numbers, or as codes of its levels with -1 for a blank."""

    sdtype: str
    real: np.ndarray
    synthetic: np.ndarray
    real_blank: np.ndarray
    synthetic_blank: np.ndarray
    values: tuple = ()

    @classmethod
    def of(cls, column: Column, real: pd.DataFrame, synthetic: pd.DataFrame) -> _Pair:
        sdtype, ours, theirs = sdtype_of(column), real[column.name], synthetic[column.name]
        try:
            if sdtype in LEVELLED:
                both = pd.concat([ours.astype(object), theirs.astype(object)], ignore_index=True)
                codes, values = pd.factorize(both.mask(blank_mask(both)))
                first, second, known = codes[: len(ours)], codes[len(ours) :], tuple(map(plain, values))
            else:
                first, second, known = *_measured(column, ours, theirs), ()
            return cls(sdtype, first, second, blank_mask(ours), blank_mask(theirs), known)
        except (TypeError, ValueError):
            pass  # the message of pandas holds a value, which may be that of a person
        found = f"column {column.name!r} holds {theirs.dtype} in the synthetic table"
        why, remedy = f"it cannot be read as {column.kind}", "give both tables the same dtypes"
        raise InputError(Problem(found, why, remedy, column.name))

    @property
    def is_measured(self) -> bool:
        return self.sdtype not in LEVELLED

    @property
    def seen(self) -> tuple[np.ndarray, np.ndarray]:
        return self.real[~self.real_blank], self.synthetic[~self.synthetic_blank]

    @property
    def codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Codes of both tables; of numbers, the bin of each in ten of equal width, made for each table by itself."""
        return (_binned(self.real), _binned(self.synthetic)) if self.is_measured else (self.real, self.synthetic)


def _measured(column: Column, real: pd.Series, synthetic: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    if column.storage.holds in TIMES:
        first, second = stamps(real), stamps(synthetic)
        return _whole(first), _whole(second.as_unit(first.unit))
    if column.storage.holds is Holds.DURATION:
        first, second = (pd.TimedeltaIndex(lengths(series)) for series in (real, synthetic))
        return _whole(first), _whole(second.as_unit(first.unit))
    return _native(real), _native(synthetic)


def _whole(index: pd.DatetimeIndex | pd.TimedeltaIndex) -> np.ndarray:
    return np.where(index.isna(), np.nan, index.asi8) if index.hasnans else index.asi8


def _native(series: pd.Series) -> np.ndarray:
    own = isinstance(series.dtype, np.dtype) and series.dtype.kind in "iuf"
    return series.to_numpy() if own else numbers(series)


def _binned(values: np.ndarray) -> np.ndarray:
    edges = np.histogram_bin_edges(values[~np.isnan(values)])
    return np.digitize(values, edges)  # which puts the largest value, and every blank, beyond the last edge


def _shape(pair: _Pair) -> tuple[str, float]:
    real, synthetic = pair.seen
    metric = "KSComplement" if pair.is_measured else "TVComplement"
    if not len(real) or not len(synthetic):
        return metric, np.nan
    if pair.is_measured:
        real, synthetic = np.sort(np.round(real, DECIMALS)), np.sort(np.round(synthetic, DECIMALS))
        at = np.concatenate([real, synthetic])
        below = np.searchsorted(real, at, "right") / len(real), np.searchsorted(synthetic, at, "right") / len(synthetic)
        return metric, float(1 - np.abs(below[0] - below[1]).max())
    counts, drawn = (np.bincount(codes, minlength=len(pair.values)).astype(float) for codes in (real, synthetic))
    counts[(counts == 0) & (drawn > 0)] = UNSEEN
    return metric, float(1 - np.abs(counts / counts.sum() - drawn / drawn.sum()).sum() / 2)


def _trends(known: Mapping[str, _Pair]) -> Iterator[tuple[str, str, str, float, float, bool]]:
    for (first, one), (second, two) in combinations(known.items(), 2):
        both_measured = one.is_measured and two.is_measured
        score, strength = _correlation(one, two) if both_measured else _contingency(one, two)
        least = LEAST_CORRELATION if both_measured else LEAST_ASSOCIATION
        counts = bool(abs(strength) > least)
        metric = "CorrelationSimilarity" if both_measured else "ContingencySimilarity"
        yield first, second, metric, score if counts else np.nan, strength, counts


def _correlation(one: _Pair, two: _Pair) -> tuple[float, float]:
    if any(len(np.unique(values)) == 1 for pair in (one, two) for values in pair.seen):
        return np.nan, np.nan  # SDMetrics reports an error
    real = _pearson(one.real, two.real, one.real_blank | two.real_blank)
    synthetic = _pearson(one.synthetic, two.synthetic, one.synthetic_blank | two.synthetic_blank)
    return 1 - abs(real - synthetic) / 2, real


def _pearson(x: np.ndarray, y: np.ndarray, blank: np.ndarray) -> float:
    x, y = x[~blank].astype(float), y[~blank].astype(float)
    if len(x) < 2:
        return np.nan
    x, y = x - x.mean(), y - y.mean()
    size = np.linalg.norm(x) * np.linalg.norm(y)
    return float(np.clip(x @ y / size, -1, 1)) if size > 0 else np.nan


def _contingency(one: _Pair, two: _Pair) -> tuple[float, float]:
    (real_a, drawn_a), (real_b, drawn_b) = one.codes, two.codes
    rows = np.unique(np.concatenate([real_a, drawn_a]), return_inverse=True)[1]
    columns = np.unique(np.concatenate([real_b, drawn_b]), return_inverse=True)[1]
    n, shape = len(real_a), (rows.max() + 1, columns.max() + 1)
    real, drawn = np.zeros(shape), np.zeros(shape)
    np.add.at(real, (rows[:n], columns[:n]), 1)
    np.add.at(drawn, (rows[n:], columns[n:]), 1)
    seen = real[real.any(axis=1)][:, real.any(axis=0)]
    if min(seen.shape) < 2:
        return np.nan, np.nan
    return float(1 - np.abs(real / real.sum() - drawn / drawn.sum()).sum() / 2), v_of_counts(seen)


def _validity(column: Column, pair: _Pair) -> Iterator[tuple[str, float]]:
    if pair.is_measured:
        yield "BoundaryAdherence", _within(column, pair)
        if column.storage.holds is Holds.DATE:
            yield "DatetimeFormatAdherence", 1.0  # what is not a date has been refused
    else:
        allowed = np.isin(pair.synthetic, [code for code, value in enumerate(pair.values) if value in column.levels])
        yield "CategoryAdherence", float((allowed | (pair.synthetic_blank & column.nullable)).mean())


def _within(column: Column, pair: _Pair) -> float:
    real, synthetic = pair.seen
    lowest, highest = column.bounds or (None, None)
    if not len(real):
        real = np.array([np.nan])
    low, high = real.min() if lowest is None else lowest, real.max() if highest is None else highest
    n = len(synthetic) if column.nullable else len(pair.synthetic)
    return float(((synthetic >= low) & (synthetic <= high)).sum() / n) if n else np.nan


def _structure(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    ours, theirs = (set(zip(frame.columns, map(str, frame.dtypes), strict=True)) for frame in (real, synthetic))
    return len(ours & theirs) / len(ours | theirs)

"""Exact arithmetic between columns: unit conversions, sums, differences, products and ratios, on the column's own grid.

A column c is k times a formula g of others if some k lies in all the intervals (c - h)/g to (c + h)/g, h half a step
of its grid. The intersection of intervals needs no fit, and holds every k that the table leaves possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from bayesynth.rules.discover_evidence import Findings, Found, weigh
from bayesynth.rules.discover_table import Field, Table
from bayesynth.rules.roundest import roundest

KIND = "arithmetic relation"
FIRST_ROWS = (24, 96)  # what nearly all candidates fail on
FINE = 20  # steps that a column must span for a factor to be estimated from it
EXACT = 1e-9  # of the largest value, where a column has no grid


@dataclass(frozen=True)
class Form:
    """A formula of one or two columns.

    Parameters
    ----------
    text : str
        How it is written, its columns numbered.
    value : callable
        What it is, from two arrays.
    symmetric : bool
        Whether x and y can be exchanged (up to the sign of the factor).
    """

    text: str
    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    symmetric: bool = True


DIFFERENCE = Form("({0} - {1})", np.subtract)
PAIRS: tuple[Form, ...] = (
    Form("({0} + {1})", np.add),
    DIFFERENCE,
    Form("{0} * {1}", np.multiply),
    Form("{0} / {1}", np.divide, symmetric=False),
    Form("{0} / {1} ** 2", lambda x, y: x / y**2, symmetric=False),
    Form("{0} * {1} ** 2", lambda x, y: x * y**2, symmetric=False),
    Form("sqrt({0} * {1})", lambda x, y: np.sqrt(x * y)),
)
SINGLE: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "{0}": lambda x: x,
    "log({0})": np.log,
    "sqrt({0})": np.sqrt,
    "{0} ** 2": np.square,
    "1 / {0}": np.reciprocal,
}


@dataclass(frozen=True)
class Candidate:
    """c = k g + d, with the range of k (or d) that the rows leave possible."""

    target: Field
    inputs: tuple[Field, ...]
    form: str
    value: np.ndarray
    factor: float
    shift: float
    floored: bool

    @property
    def fitted(self) -> np.ndarray:
        """What the formula gives in each row."""
        return self.factor * self.value + self.shift

    @property
    def allowed(self) -> float:
        """How far the recorded value may be from the formula, rounding included."""
        return 0.0 if self.floored else self.target.step / 2


def find_arithmetic(table: Table) -> Findings:
    """Search exact relations of a column with one or two others, and weighted sums of more."""
    fields = [field for field in table.measured if field.sort == "number" or field.n_levels > FINE]
    found = [*_conversions(table, fields), *_formulas(table, fields)]
    explained = {max((field.name for field in (*c.inputs, c.target)), key=list(table.fields).index) for c in found}
    found += _sums(table, [f for f in fields if f.sort == "number" and f.name not in explained])
    n = len(fields)
    candidates = n * (n - 1) * len(SINGLE) + n * (n - 1) * (n - 2) * len(PAIRS)
    return Findings.of((_weighed(table, c) for c in found), candidates, float(len(table)) ** 2)


def _half(field: Field) -> float:
    largest = np.nanmax(np.abs(field.values))
    return field.step / 2 + EXACT * max(largest, field.step)


def _fine(field: Field) -> bool:
    return np.nanmax(field.values) - np.nanmin(field.values) >= FINE * field.step and field.n_levels >= FINE


# --- one input: c = a g(x) + b ---


def _conversions(table: Table, fields: list[Field]) -> Iterator[Candidate]:
    for target in fields:
        for x in fields:
            if x is target or (target.sort != "number" and x.sort != target.sort):
                continue
            if min(target.n_levels, x.n_levels) < FINE:
                continue  # equal levels are a dependency, and judged as one
            if np.array_equal(target.values, x.values, equal_nan=True):
                yield Candidate(target, (x,), "{0}", x.values, 1.0, 0.0, False)
            elif _fine(target) and x.sort == "number":
                yield from _affine(table, target, x)


def _affine(table: Table, target: Field, x: Field) -> Iterator[Candidate]:
    half = _half(target)
    for form, transform in SINGLE.items():
        with np.errstate(all="ignore"):
            g = transform(x.values)
        both = np.flatnonzero(np.isfinite(g) & target.observed)
        search = both[~table.aside[both]]
        if len(search) < FINE or np.ptp(g[search]) == 0:
            continue
        slope, intercept = _line(g[search], target.values[search])
        if np.abs(target.values[search] - slope * g[search] - intercept).max() > 2 * half:
            continue
        a = roundest(*_factors(target.values[both], g[both], half, False), ratio=True)
        if a is not None:
            yield Candidate(target, (x,), form, g, a, 0.0, False)
            return
        slopes = _slopes(target.values[both], g[both], half, slope)
        a = roundest(*slopes, partial(_shifts, target, g, both, half), ratio=True)
        if a is not None:
            yield Candidate(target, (x,), form, g, a, roundest(*_shifts(target, g, both, half, a)), False)
            return


def _slopes(c: np.ndarray, g: np.ndarray, half: float, near: float) -> tuple[float, float]:
    """Smallest and largest slope that leaves a shift possible; crossed if there is none.

    The rest c - a g must fit between two lines that are 2 half apart. Its width is convex in a.
    """

    def excess(off: float) -> float:
        return float(np.ptp(c - (near + off) * g)) - 2 * half

    reach = 4 * half / np.ptp(g)
    best = minimize_scalar(excess, bounds=(-reach, reach), method="bounded", options={"xatol": 1e-9 * reach}).x
    if excess(best) > 0:
        return np.inf, -np.inf
    ends = [end if excess(end) <= 0 else brentq(excess, end, best, xtol=1e-9 * reach) for end in (-reach, reach)]
    return near + ends[0], near + ends[1]


def _line(g: np.ndarray, c: np.ndarray) -> tuple[float, float]:
    centred = g - g.mean()
    slope = float(centred @ c / (centred @ centred))
    return slope, float(c.mean() - slope * g.mean())


def _shifts(target: Field, g: np.ndarray, rows: np.ndarray, half: float, slope: float) -> tuple[float, float]:
    rest = target.values[rows] - slope * g[rows]
    return float(rest.max() - half), float(rest.min() + half)


# --- two inputs: c = k g(x, y) ---


def _formulas(table: Table, fields: list[Field]) -> Iterator[Candidate]:
    if len(fields) < 3:
        return
    values = np.array([field.values for field in fields])
    search = np.flatnonzero(~table.aside)
    # Rows with few blanks first: a candidate is refuted by rows in which all of its columns are known.
    search = search[np.argsort(np.isnan(values[:, search]).sum(axis=0), kind="stable")]
    for form in PAIRS:
        first, second = _pairs_of(len(fields), form.symmetric)
        with np.errstate(all="ignore"):
            g = form.value(values[first][:, search[: FIRST_ROWS[0]]], values[second][:, search[: FIRST_ROWS[0]]])
        for t, target in enumerate(fields):
            for floored in (False, True)[: 1 + (target.step > 0)]:
                low, high = _factors(target.values[search[: FIRST_ROWS[0]]], g, _half(target), floored)
                possible = (low <= high) & (first != t) & (second != t) & (_fine(target) | ((low <= 1) & (high >= 1)))
                for i in np.flatnonzero(possible):
                    yield from _settled(target, (fields[first[i]], fields[second[i]]), form, floored, search)


def _pairs_of(n: int, symmetric: bool) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.triu_indices(n, 1)
    return (first, second) if symmetric else (np.append(first, second), np.append(second, first))


def _factors(c: np.ndarray, g: np.ndarray, half: float, floored: bool) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest factor that all rows leave possible, (candidates,)."""
    below, above = (c - EXACT * np.abs(c), c + 2 * half) if floored else (c - half, c + half)
    with np.errstate(all="ignore"):
        one, other = below / g, above / g
    low, high = np.fmin(one, other), np.fmax(one, other)
    known = np.isfinite(g) & np.isfinite(c)
    low = np.where(known & (g != 0), low, -np.inf)
    high = np.where(known & (g != 0), high, np.inf)
    broken = known & (g == 0) & ((below > 0) | (above < 0))
    return np.where(broken.any(axis=-1), np.inf, low.max(axis=-1)), high.min(axis=-1)


def _settled(
    target: Field, inputs: tuple[Field, Field], form: Form, floored: bool, search: np.ndarray
) -> Iterator[Candidate]:
    """Hold a candidate to more searched rows, then to all rows, those kept aside included."""
    with np.errstate(all="ignore"):
        g = form.value(inputs[0].values, inputs[1].values)
    for rows in (search[: FIRST_ROWS[1]], search, slice(None)):
        low, high = (bound.item() for bound in _factors(target.values[rows], g[None, rows], _half(target), floored))
        if not low <= high:
            return
    if not np.isfinite(low) or not np.isfinite(high):
        return
    factor = roundest(low, high, ratio=True) if _fine(target) else 1.0
    if not low <= factor <= high:
        return
    if form is DIFFERENCE and factor < 0:
        inputs, g, factor = inputs[::-1], -g, -factor
    yield Candidate(target, inputs, form.text, g, factor, 0.0, floored)


# --- more inputs: c = a x + b y + ... + d ---


def _sums(table: Table, fields: list[Field]) -> Iterator[Candidate]:
    for target in fields:
        inputs = [x for x in fields if x is not target and not np.any(target.observed & ~x.observed)]
        rows = np.flatnonzero(target.observed)
        search = rows[~table.aside[rows]]
        if target.n_levels < 3 or len(inputs) < 3 or len(search) < 2 * len(inputs) + FINE:
            continue
        x = np.column_stack([field.values for field in inputs])
        spread = x[search].std(axis=0)
        if spread.min() == 0:
            continue
        design = np.column_stack(((x[search] - x[search].mean(axis=0)) / spread, np.ones(len(search))))
        weights, _, rank, _ = np.linalg.lstsq(design, target.values[search], rcond=None)
        half = _half(target)
        if rank < design.shape[1] or np.abs(design @ weights - target.values[search]).max() > 2 * half:
            continue
        slack = 4 * half / np.sqrt(len(search))
        factors = [
            roundest((w - slack) / s, (w + slack) / s, ratio=True) for w, s in zip(weights[:-1], spread, strict=True)
        ]
        used = [j for j, factor in enumerate(factors) if factor]
        g = x @ np.array(factors)
        low, high = _shifts(target, g, rows, half, 1.0)
        if len(used) > 2 and low <= high:
            text = " + ".join(_term(factors[j], i) for i, j in enumerate(used)).replace("+ -", "- ")
            yield Candidate(target, tuple(inputs[j] for j in used), text, g, 1.0, roundest(low, high), False)


def _term(factor: float, place: int) -> str:
    sign = "-" if factor < 0 else ""
    return sign + (f"{{{place}}}" if abs(factor) == 1 else f"{abs(factor):.15g} * {{{place}}}")


# --- evidence ---


def _weighed(table: Table, candidate: Candidate) -> Found:
    """Weigh each row by how rarely another row's value would have fitted."""
    target, fitted = candidate.target, candidate.fitted
    rows = np.flatnonzero(np.isfinite(fitted) & target.observed)
    half = _half(target)
    ordered = np.sort(target.values[rows])
    centre = fitted[rows] - (half if candidate.floored else 0.0)
    fitting = np.searchsorted(ordered, centre + half, "right") - np.searchsorted(ordered, centre - half, "left")
    chances = 1 - np.clip(fitting / max(len(rows), 1), 1 / max(len(rows), 1), 1)
    columns = (*(field.name for field in candidate.inputs), target.name)
    return Found(KIND, columns, weigh(chances, table.aside[rows]), {"candidate": candidate})

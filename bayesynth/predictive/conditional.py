"""Rows under conditions: guided walks, thinned by their weights or resampled and moved, by a stated rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bayesynth._progress import Tell, silent
from bayesynth.predictive.allowed import Allowed
from bayesynth.predictive.draw import DrawOptions, Plan
from bayesynth.predictive.moves import Chain
from bayesynth.predictive.network import FittedNetwork
from bayesynth.predictive.particles import Particles, Rows, Source, groups

PILOT = 8192
FEWEST, AT_A_TIME = 1024, 16_384
MOST_ROWS, MOST_PER_ROW = 400_000, 100  # guided rows that may be spent on rejection: so many, or so many per row
POOL, POOL_PER_ROW = 65_536, 40  # guided rows that are resampled: at least so many, and so many per row up to a limit
LARGE_POOL, LARGE_POOL_PER_ROW = 524_288, 4  # beyond it they are so many per row
SWEEPS = 12
FEWEST_EFFECTIVE = 30.0
REJECTION, MOVES = "rejection", "resampling and moves"


@dataclass(frozen=True)
class Drawn:
    """Rows that meet the conditions, and how they were made.

    Parameters
    ----------
    columns : dict of str to ndarray, shape (n,)
        As `draw_rows` yields them.
    method : str
        "rejection" or "resampling and moves".
    probability : float
        Of the conditions.
    probability_error : float
        Its Monte Carlo standard error.
    ess : float
        Effective number of independent rows behind them.
    guided_rows : int
        Rows that were drawn on the way.
    accepted : float
        Share of guided rows that were kept, or of moves that were taken.
    """

    columns: Rows
    method: str
    probability: float
    probability_error: float
    ess: float
    guided_rows: int
    accepted: float


class TooRareError(Exception):
    """The conditions are met too rarely for rows to be drawn.

    Parameters
    ----------
    probability : float
        Estimate; 0 where nothing met them.
    error : float
        Its Monte Carlo standard error.
    guided_rows : int
        Rows that were tried.
    """

    def __init__(self, probability: float, error: float, guided_rows: int):
        super().__init__(f"probability {probability:.2g}")
        self.probability, self.error, self.guided_rows = probability, error, guided_rows


class Tally:
    """Running moments of weights."""

    def __init__(self) -> None:
        self.n, self.total, self.squares, self.largest = 0, 0.0, 0.0, 0.0

    def add(self, log_weight: np.ndarray) -> None:
        """Count more weights."""
        weight = np.exp(log_weight)
        self.n += len(weight)
        self.total += float(weight.sum())
        self.squares += float(weight @ weight)
        self.largest = max(self.largest, float(weight.max(initial=0.0)))

    @property
    def mean(self) -> float:
        """Mean weight: the probability of the conditions."""
        return self.total / self.n

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return float(np.sqrt(max(self.squares / self.n - self.mean**2, 0.0) / self.n))

    @property
    def ess(self) -> float:
        """Effective number of equally weighted rows."""
        return self.total**2 / self.squares if self.squares else 0.0


def source_of(
    network: FittedNetwork, allowed: Mapping[str, Allowed], options: DrawOptions, rng: np.random.Generator
) -> Source:
    """Prepare draws under conditions."""
    return Source(network, Plan.make(network, PILOT, options, rng), options, allowed)


def pilot(source: Source, rng: np.random.Generator, rows: int = PILOT) -> Tally:
    """Weigh a few guided rows, to learn the probability of the conditions."""
    tally = Tally()
    tally.add(source.draw(rows, rng, source.allowed).log_weight)
    return tally


def draw_given(source: Source, n: int, rng: np.random.Generator) -> Drawn:
    r"""Draw rows from the posterior predictive distribution, given that every node is in its allowed set.

    The target is :math:`p(x \mid x \in A) \propto \sum_{g,\theta} p(g, \theta \mid D)\, p(x \mid g, \theta)\,
    1[x \in A]`: graphs and parameter draws under which the conditions are likely come up more often.

    A guided row draws conditioned nodes among their allowed values, and weighs the product of the probabilities of
    those. Only these nodes and what is upstream of them are drawn before a row is kept; the others follow. Where a
    pilot foresees at most max(400,000, 100 n) guided rows, each is kept with its weight over the largest weight met so
    far ("rejection"): no row comes twice. Otherwise a pool of 40 n (at least 65,536, beyond 524,288 only as many as
    4 n) is resampled systematically and every row goes through 12 sweeps of Gibbs and Metropolis moves at fixed graph
    and parameters ("resampling and moves").

    Parameters
    ----------
    source : Source
        Network and conditions.
    n : int
        Rows.
    rng : Generator
        Randomness.

    Raises
    ------
    TooRareError
        If nothing meets the conditions, or the pool is worth fewer than 30 rows.

    Notes
    -----
    Likelihood weighting is by Fung and Chang (1990) and Shachter and Peot (1990), rejection under the empirical
    supremum by Caffo, Booth and Davis (2002), doi:10.1093/biomet/89.4.745, resampling followed by moves by Gilks and
    Berzuini (2001), doi:10.1111/1467-9868.00280.
    """
    budget = max(MOST_ROWS, MOST_PER_ROW * n)
    tally, kept, size = Tally(), _Kept(), PILOT
    while True:
        particles = source.draw(size, rng, source.allowed)
        tally.add(particles.log_weight)
        kept.add(particles, tally.largest, rng)
        if kept.n >= n:
            share = tally.mean / tally.largest
            found = source.finish(kept.join().take(np.arange(n)), rng)
            return Drawn(found.columns, REJECTION, tally.mean, tally.error, float(n), tally.n, share)
        foreseen = tally.n * n / max(kept.n, 1.0)
        if foreseen > budget or tally.n > budget:
            return _moved(source, n, rng, tally)
        size = int(np.clip(1.2 * foreseen * (1 - kept.n / n), FEWEST, AT_A_TIME))


class _Kept:
    """Particles that survive thinning by their weight over the largest one so far."""

    def __init__(self) -> None:
        self._parts: list[tuple[Particles, np.ndarray]] = []

    @property
    def n(self) -> int:
        return sum(len(part) for part, _ in self._parts)

    def add(self, particles: Particles, largest: float, rng: np.random.Generator) -> None:
        self._parts.append((particles, np.log(rng.random(len(particles)))))
        limit = np.log(largest) if largest else np.inf
        found = [(part, threshold, threshold + limit < part.log_weight) for part, threshold in self._parts]
        self._parts = [(part.take(np.flatnonzero(keep)), v[keep]) for part, v, keep in found]

    def join(self) -> Particles:
        return Particles.join([part for part, _ in self._parts])


def _moved(source: Source, n: int, rng: np.random.Generator, tally: Tally) -> Drawn:
    """Resample a pool systematically, and move every row within its graph and parameters."""
    parts, pooled = [], Tally()
    size = int(np.clip(POOL_PER_ROW * n, POOL, max(LARGE_POOL, LARGE_POOL_PER_ROW * n)))
    while pooled.n < size:
        part = source.draw(AT_A_TIME, rng, source.allowed)
        pooled.add(part.log_weight)
        tally.add(part.log_weight)
        parts.append(part.take(np.flatnonzero(np.isfinite(part.log_weight))))
    if pooled.ess < FEWEST_EFFECTIVE:
        raise TooRareError(tally.mean, tally.error, tally.n)
    pool = Particles.join(parts)
    weight = np.exp(pool.log_weight - pool.log_weight.max())
    steps = np.cumsum(weight)
    points = (np.arange(n) + rng.random()) / n * steps[-1]
    chosen = rng.permutation(np.minimum(np.searchsorted(steps, points, side="right"), len(steps) - 1))
    moved, taken = sweep(source, pool.take(chosen), SWEEPS, rng)
    return Drawn(source.finish(moved, rng).columns, MOVES, tally.mean, tally.error, pooled.ess, tally.n, taken)


def sweep(
    source: Source, start: Particles, sweeps: int, rng: np.random.Generator, tell: Tell = silent
) -> tuple[Particles, float]:
    """Move what was drawn of every row within its graph and parameters; give the rows and the share of moves taken.

    After each graph it tells how many rows have been swept, counted once for each sweep.
    """
    responses: Rows = {}
    taken, streams = [], rng.spawn(len(source.plan.graphs))
    for i, rows in groups(start.graph):
        allowed = {name: one.take(rows) for name, one in source.allowed.items()}
        chain = Chain(source, source.plan.graphs[i], start.which[rows], start.drawn(rows), allowed)
        for step in range(sweeps):
            chain.sweep(streams[i], local=bool(step % 2))
        taken.append((chain.taken, len(rows)))
        tell(sweeps * len(rows))
        for name, values in chain.responses.items():
            responses.setdefault(name, np.full(len(start), np.nan))[rows] = values
    shares, sizes = np.array(taken).T
    moved = Particles({}, responses, start.log_weight, start.graph, start.which)
    return moved, float(np.average(shares, weights=sizes))

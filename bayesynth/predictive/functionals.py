"""Functionals of the population under conditions, one value per posterior draw, with what simulation adds to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from bayesynth.predictive.particles import Particles, Source

AT_A_TIME = 32_768
Functional = Callable[[Particles], np.ndarray]


def populations(
    source: Source, draws: int, rows: int, rng: np.random.Generator, reaching: Iterable[str]
) -> Iterator[list[Particles]]:
    """Draw guided rows from each of several posterior draws of graph and parameters.

    Parameters
    ----------
    source : Source
        Network and conditions.
    draws : int
        Posterior draws: graphs in turn, parameters without repetition where there are as many.
    rows : int
        Rows from each.
    rng : Generator
        Randomness.
    reaching : iterable of str
        Nodes to draw, besides those that have conditions.

    Yields
    ------
    list of Particles
        Two halves of each posterior draw's rows.
    """
    graph = rng.permutation(np.arange(draws) % len(source.plan.graphs))
    which = rng.permutation(np.arange(draws) * source.plan.n_draws // draws % source.plan.n_draws)
    together = max(1, AT_A_TIME // rows)
    for start in range(0, draws, together):
        g, d = graph[start : start + together], which[start : start + together]
        particles = source.at(g.repeat(rows), d.repeat(rows), rng, {*source.allowed, *reaching})
        for i in range(len(g)):
            at = np.arange(i * rows, (i + 1) * rows)
            yield [particles.take(at[: rows // 2]), particles.take(at[rows // 2 :])]


def over_draws(
    source: Source,
    functional: Functional,
    draws: int,
    rows: int,
    rng: np.random.Generator,
    reaching: Iterable[str] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """Evaluate a functional under each posterior draw.

    Returns
    -------
    values : ndarray, shape (draws, p)
        Mean of the values in two halves of the rows.
    within : ndarray, shape (p,)
        Variance that simulation adds to a value, from the difference of the halves.
    """
    halves = np.array([[functional(half) for half in pair] for pair in populations(source, draws, rows, rng, reaching)])
    return halves.mean(axis=1), np.nanmean((halves[:, 0] - halves[:, 1]) ** 2, axis=0) / 4


def interval(values: np.ndarray, within: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    r"""Quantiles over posterior draws, after taking out what simulation adds: both ends of shape (p,).

    Deviations from the mean are shrunk by :math:`\sqrt{(b - u) / b}`, b the variance over draws and u that of the
    simulation, as `bayesynth.Fit.estimate` does.
    """
    centre, between = values.mean(axis=0), values.var(axis=0, ddof=1)
    left = np.maximum(between - within, 0.0)
    shrink = np.sqrt(np.divide(left, between, out=np.zeros_like(between), where=between > 0))
    tail = (1 - level) / 2
    return tuple(np.quantile(centre + (values - centre) * shrink, [tail, 1 - tail], axis=0, method="weibull"))


def weighted_quantiles(values: np.ndarray, weight: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles of weighted values, shape (levels,): the smallest value that has at least so much weight up to it."""
    order = np.argsort(values, kind="stable")
    steps = np.cumsum(weight[order])
    return values[order][np.minimum(np.searchsorted(steps, levels * steps[-1]), len(values) - 1)]

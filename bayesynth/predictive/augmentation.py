"""Data augmentation: parameters drawn again given completed rows, and blank cells given those parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bayesynth._progress import Tell, silent
from bayesynth.families import FAMILIES, Prior, Task
from bayesynth.predictive.conditional import sweep
from bayesynth.predictive.draw import Plan
from bayesynth.predictive.particles import Particles, Source, groups

ROUNDS, SWEEPS = 10, 6


def augment(
    source: Source, begun: Particles, prior: Prior, rng: np.random.Generator, tell: Tell = silent
) -> tuple[Source, Particles]:
    """Draw the parameters of each table given its completed rows, then the blank cells given them, several times over.

    Families fitted to a table as it was recorded have to answer for rows with blank parents too, by stand-ins or zeros
    and a larger residual variance. Given completed rows they need not. Ten rounds, each with one draw of every family
    and six sweeps.

    Parameters
    ----------
    source : Source
        Its plan has one draw of the parameters for each table.
    begun : Particles
        All rows of all tables; `which` tells the table.
    prior : Prior
        Of the families.
    rng : Generator
        Randomness.
    tell : callable
        Hears how many rows have been swept, counted once for each sweep.

    Returns
    -------
    source : Source
        With the parameters drawn last.
    rows : Particles
        The rows drawn last.

    Notes
    -----
    Tanner and Wong (1987), doi:10.1080/01621459.1987.10478458.
    """
    rows = begun
    for _ in range(ROUNDS):
        source = replace(source, plan=_redrawn(source, source.finish(rows, rng), prior, rng))
        rows = sweep(source, rows, SWEEPS, rng, tell)[0]
    return source, rows


def _redrawn(source: Source, rows: Particles, prior: Prior, rng: np.random.Generator) -> Plan:
    """Draw the families of every table's graph from their posterior given its rows."""
    drawn = {name: {k: v.copy() for k, v in p.items()} for name, p in source.plan.parameters.items()}
    for graph, inside in groups(rows.graph):
        tables = [(table, np.flatnonzero(rows.which[inside] == table)) for table in np.unique(rows.which[inside])]
        for name, tasks in _tasks(source, rows.take(inside), graph, [own for _, own in tables]):
            family = FAMILIES[source.network.families[name].family]
            for (table, _), task in zip(tables, tasks, strict=True):
                for key, values in family.approximate(task, prior, 1, rng).parameters.items():
                    drawn[name][key][table] = values[0]
    return replace(source.plan, parameters=drawn)


def _tasks(source: Source, rows: Particles, graph: int, tables: list[np.ndarray]) -> Iterator[tuple[str, list[Task]]]:
    """Gather the data of each family of a value, for each of some tables of one graph."""
    network, everywhere = source.network, np.ones(len(rows), bool)
    columns: dict[tuple[str, str], np.ndarray] = {}

    def columns_of(name: str, form: str) -> np.ndarray:
        if (name, form) not in columns:
            columns[name, form] = network.encoding.nodes[name].columns(rows.columns[name], everywhere, form)
        return columns[name, form]

    for child, name in network.graphs[source.plan.graphs[graph]].items():
        node, design = network.encoding.nodes[child], network.families[name].design
        if not node.is_indicator:
            X, y = design.matrix(network.encoding, columns_of, len(rows)), rows.responses[child]
            parts = len(node.levels), design.n_scale, design.n_groups
            yield name, [Task(y[own], X[own], *parts) for own in tables]

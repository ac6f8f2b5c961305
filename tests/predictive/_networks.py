"""Networks with parameters set by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from bayesynth.encoding.design import ChildBank, FeatureBank, Term
from bayesynth.encoding.table import CodedSource, encode_table
from bayesynth.families import FAMILIES
from bayesynth.inference import FamilyPosterior
from bayesynth.predictive import FittedNetwork
from bayesynth.predictive.draw import Plan

Graph = Mapping[str, tuple[tuple[Term, ...], Mapping[str, object]]]
"""Of each node its terms, and its parameters with posterior draws along the first axis."""


def network_of(sources: Mapping[str, CodedSource], graphs: Sequence[Graph]) -> FittedNetwork:
    table = encode_table(sources, np.random.default_rng(1))
    bank, families, named = FeatureBank(table), {}, []
    for graph in graphs:
        names = {}
        for name, node in table.encoding.nodes.items():
            terms, parameters = graph[name]
            design = ChildBank(bank, name).design(terms)
            draws = {key: np.asarray(value, float)[None] for key, value in parameters.items()}
            posterior = FamilyPosterior(design, node.family, draws, 9, np.nan, np.nan, np.nan, 0, np.nan)
            families[posterior.name] = posterior
            names[name] = posterior.name
        named.append(names)
    return FittedNetwork(table.encoding, families, tuple(named))


def levels(name: str) -> Term:
    return Term((name,), "levels")


def nested_network() -> FittedNetwork:
    """Levels only: a and c complete, d blank in a block, e in an inner one; two graphs, two posterior draws each."""
    n = 400
    i = np.arange(n)
    d = np.where(i % 5 == 0, np.nan, i // 3 % 2.0)
    e = np.where((i % 5 == 0) | (i % 7 == 0), np.nan, i // 2 % 3.0)
    sources = {
        "a": CodedSource(i % 2.0, ("no", "yes"), False),
        "c": CodedSource(i // 4 % 3.0, ("p", "q", "r"), False),
        "d": CodedSource(d, ("no", "yes"), False),
        "e": CodedSource(e, ("low", "mid", "high"), True),
    }
    outer, inner = "observed(d)", "observed(e)"
    two = {"intercept": [[0.4, -0.3], [-0.5, 0.6]], "slopes": [[[0.9, -0.7]], [[-0.4, 1.0]]]}
    common = {
        "d": ((levels("a"),), {"intercept": [0.3, -0.6], "slopes": [[1.1], [-0.8]]}),
        "e": ((levels("d"),), {"cutpoints": [[-0.5, 1.0], [-1.0, 0.2]], "slopes": [[0.9], [1.4]]}),
        outer: ((levels("a"),), {"intercept": [1.0, 0.2], "slopes": [[0.8], [-0.9]]}),
    }
    first = common | {
        "a": ((), {"intercept": [0.2, -0.9], "slopes": np.zeros((2, 0))}),
        "c": ((levels("a"),), two),
        inner: ((levels("c"),), {"intercept": [0.5, -0.2], "slopes": [[0.6, 0.4], [-0.7, 0.9]]}),
    }
    second = common | {
        "a": ((levels("c"),), {"intercept": [0.2, 0.7], "slopes": [[0.8, -0.6], [0.5, 1.2]]}),
        "c": ((), {"intercept": [[0.6, 0.1], [-0.4, 0.3]], "slopes": np.zeros((2, 0, 2))}),
        inner: ((levels("d"), levels(outer)), {"intercept": [0.1, 0.9], "slopes": [[0.9, 0.3], [-1.2, 0.2]]}),
    }
    return network_of(sources, [first, second])


def enumerate_rows(network: FittedNetwork) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """All rows of a network of levels with their probabilities, averaged over graphs and draws; blanks are NaN."""
    nodes = network.encoding.nodes
    grid = np.array(list(product(*(range(len(node.levels)) for node in nodes.values())))).T
    codes = {name: column.astype(float) for name, column in zip(nodes, grid, strict=True)}
    n = grid.shape[1]
    seen = {}
    for name, node in nodes.items():
        if node.is_indicator:  # outer before inner
            seen[name] = (codes[name] == 1) & (seen[node.gate] if node.gate else True)
    observed = {name: seen[node.gate] if node.gate else np.ones(n, bool) for name, node in nodes.items()}
    values = {name: seen[name].astype(float) if name in seen else codes[name] for name in nodes}

    def columns_of(name: str, form: str) -> np.ndarray:
        everywhere = np.ones(n, bool)
        return nodes[name].columns(values[name], everywhere if name in seen else observed[name], form)

    total = np.zeros(n)
    for graph, draw in product(network.graphs, range(network.n_draws)):
        log_p = np.zeros(n)
        for name, family in graph.items():
            posterior = network.families[family]
            design = posterior.design.matrix(network.encoding, columns_of, n)
            density = FAMILIES[posterior.family].log_density
            log_p += density(posterior.flat(), np.full(n, draw), design, codes[name])
        total += np.exp(log_p)
    rows = {k: v if k in seen else np.where(observed[k], v, np.nan) for k, v in values.items()}
    return rows, total / (len(network.graphs) * network.n_draws)


def number_network(slope: float = 0.8) -> FittedNetwork:
    """Two numbers x -> y whose scores are bivariate normal with this correlation, on a fine grid."""
    grid = np.linspace(-3.0, 3.0, 2001).round(3)
    sources = {"x": CodedSource(grid, (), False, step=0.001), "y": CodedSource(grid, (), False, step=0.001)}
    none, line = {"intercept": [0.0], "variance": [1.0], "slopes": np.zeros((1, 0))}, Term(("x",), "linear")
    child = {"intercept": [0.0], "variance": [1 - slope**2], "slopes": [[slope]]}
    return network_of(sources, [{"x": ((), none), "y": ((line,), child)}])


def without_bootstrap(plan: Plan, network: FittedNetwork) -> Plan:
    """The same plan with the typical marginal, so that scores are known."""
    one = np.ones(1)
    numeric = {name: node.marginal for name, node in network.encoding.nodes.items() if node.marginal}
    return replace(plan, marginals={name: (m.typical, 0 * one, one) for name, m in numeric.items()})

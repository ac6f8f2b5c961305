"""Rows drawn under conditions, each with the probability of the conditions that guided it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bayesynth.encoding.table import Node
from bayesynth.predictive.allowed import Allowed, nearest, place
from bayesynth.predictive.draw import DrawOptions, Plan, Walk
from bayesynth.predictive.network import FittedNetwork

Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Particles:
    """Weighted rows.

    Parameters
    ----------
    columns : dict of str to ndarray, shape (n,)
        Codes and numbers of columns and missingness nodes, NaN where blank or not yet drawn.
    responses : dict of str to ndarray, shape (n,)
        Codes and normal scores of every node that was drawn, blank or not; NaN where it is still to be drawn.
    log_weight : ndarray, shape (n,)
        Log probability of the conditions, each given what was drawn before it.
    graph, which : ndarray of int, shape (n,)
        Graph and parameter draw behind each row.
    """

    columns: Rows
    responses: Rows
    log_weight: np.ndarray
    graph: np.ndarray
    which: np.ndarray

    def __len__(self) -> int:
        return len(self.log_weight)

    def take(self, rows: np.ndarray) -> Particles:
        """Take some of the rows."""
        columns, responses = ({k: v[rows] for k, v in part.items()} for part in (self.columns, self.responses))
        return Particles(columns, responses, self.log_weight[rows], self.graph[rows], self.which[rows])

    def drawn(self, rows: np.ndarray) -> Rows:
        """Responses of some rows of one graph, of the nodes that have been drawn in it."""
        found = {name: values[rows] for name, values in self.responses.items()}
        return {name: values for name, values in found.items() if not np.isnan(values[0])}

    @staticmethod
    def join(parts: list[Particles]) -> Particles:
        """Put several together."""
        columns, responses = (
            {k: np.concatenate([getattr(p, name)[k] for p in parts]) for k in getattr(parts[0], name)}
            for name in ("columns", "responses")
        )
        rest = (np.concatenate([getattr(p, name) for p in parts]) for name in ("log_weight", "graph", "which"))
        return Particles(columns, responses, *rest)


class GuidedWalk(Walk):
    """A walk that draws conditioned nodes among their allowed values and keeps the probability of those.

    Parameters
    ----------
    allowed : mapping of str to Allowed
        Sets of the conditioned nodes.
    forced : mapping of str to float
        Values of nodes that are set from outside, whatever their parents are.
    drawn : mapping of str to ndarray, shape (n,)
        Responses of nodes that an earlier walk has drawn and weighed.
    reaching : set of str
        Nodes to visit; with each of them all that it depends on.
    """

    def __init__(
        self,
        *parts: object,
        allowed: Mapping[str, Allowed],
        forced: Mapping[str, float],
        drawn: Mapping[str, np.ndarray],
        reaching: frozenset[str],
    ):
        super().__init__(*parts)
        self._allowed, self._forced, self._drawn = allowed, forced, drawn
        self._order = tuple(name for name in self._order if name in reaching)
        self.log_weight = np.zeros(self._n)
        self.responses: Rows = {}

    def _value(self, node: Node) -> None:
        if node.name in self._forced:
            self._values[node.name] = np.full(self._n, self._forced[node.name])
            self._observed[node.name] = self._everywhere
        else:
            super()._value(node)

    def _shown(self, node: Node, response: np.ndarray) -> np.ndarray:
        value = super()._shown(node, response)
        return self._allowed[node.name].project(value) if node.name in self._allowed else value

    def _draw(self, node: Node) -> np.ndarray:
        if node.name in self._drawn:
            drawn = self._drawn[node.name]
        else:
            drawn = self._guided(node) if node.name in self._allowed else super()._draw(node)
        self.responses[node.name] = drawn
        return drawn

    def _guided(self, node: Node) -> np.ndarray:
        allowed = self._allowed[node.name]
        family, parameters, design = self._conditional(node)
        ends = allowed.ends(node, self._plan, self._which)
        below, inside = family.interval(parameters, self._which, design, *ends)
        u, total = place(below, inside, self._u[node.name])
        drawn = family.draw(parameters, self._which, design, u)
        # far out in a tail u has too few digits to tell where in its range a score is
        drawn = allowed.project(drawn) if node.marginal is None else nearest(drawn, *ends)[0]
        if node.is_indicator and node.gate:  # inside a blank outer block it is blank, whatever is drawn
            closed = self._unseen[node.gate]
            free = family.draw(parameters, self._which, design, self._u[node.name])
            drawn, total = np.where(closed, free, drawn), np.where(closed, allowed.contains(np.zeros(1)), total)
        with np.errstate(divide="ignore"):
            self.log_weight += np.log(total)
        return drawn


@dataclass
class Source:
    """Where particles come from: a network, what its table shares, and the conditions.

    Parameters
    ----------
    network : FittedNetwork
        What to draw from.
    plan : Plan
        Graphs, parameter draws and marginals.
    options : DrawOptions
        What kind of rows.
    allowed : mapping of str to Allowed
        Conditions by node.
    forced : mapping of str to float
        Nodes set from outside.
    """

    network: FittedNetwork
    plan: Plan
    options: DrawOptions
    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    forced: Mapping[str, float] = field(default_factory=dict)

    def draw(self, n: int, rng: np.random.Generator, reaching: Iterable[str] | None = None) -> Particles:
        """Draw n rows, each under its own graph and parameters."""
        graph = rng.integers(len(self.plan.graphs), size=n)
        which = rng.integers(self.plan.n_draws, size=n)
        return self.at(graph, which, rng, reaching)

    def at(
        self, graph: np.ndarray, which: np.ndarray, rng: np.random.Generator, reaching: Iterable[str] | None = None
    ) -> Particles:
        """Draw one row for each pair of a graph, by its place in the plan, and a parameter draw.

        Parameters
        ----------
        graph, which : ndarray of int, shape (n,)
            The pairs.
        rng : Generator
            Randomness.
        reaching : iterable of str, optional
            Nodes to draw, with all that they depend on; when left out every node. The conditions' nodes are enough to
            weigh a row, and `finish` draws the others where it is kept.
        """
        wanted = self.network.encoding.nodes if reaching is None else reaching
        begun = Particles({}, {}, np.zeros(len(graph)), graph, which)
        return self._walked(begun, wanted, rng)

    def finish(self, begun: Particles, rng: np.random.Generator) -> Particles:
        """Draw the nodes that are still to be drawn; none of them has a condition."""
        return self._walked(begun, self.network.encoding.nodes, rng)

    def _walked(self, begun: Particles, reaching: Iterable[str], rng: np.random.Generator) -> Particles:
        n, graph, which = len(begun), begun.graph, begun.which
        columns: Rows = {}
        responses: Rows = {}
        log_weight = begun.log_weight.copy()
        for i, rows in groups(graph):
            nodes = self.network.upstream(self.plan.graphs[i], reaching)
            drawn = begun.drawn(rows)
            u = {name: rng.random(len(rows)) for name in self.network.encoding.nodes if name in nodes - drawn.keys()}
            allowed = {name: one.take(rows) for name, one in self.allowed.items()}
            parts = (self.network, self.plan.graphs[i], self.plan, u, (which[rows] + 0.5) / self.plan.n_draws)
            guides = {"allowed": allowed, "forced": self.forced, "drawn": drawn, "reaching": nodes}
            walk = GuidedWalk(*parts, self.options, **guides)
            for name, values in walk.run().items():
                columns.setdefault(name, np.full(n, np.nan))[rows] = values
            for name, values in walk.responses.items():
                responses.setdefault(name, np.full(n, np.nan))[rows] = values
            log_weight[rows] += walk.log_weight
        return Particles(columns, responses, log_weight, graph, which)


def groups(graph: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Rows of each graph that occurs."""
    return [(int(i), np.flatnonzero(graph == i)) for i in np.unique(graph)]

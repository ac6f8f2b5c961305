"""Moves of rows within one graph and their parameter draws: Gibbs for levels, Metropolis for numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from bayesynth.encoding.table import Node
from bayesynth.families import FAMILIES
from bayesynth.predictive.allowed import Allowed, nearest, place, share_below

if TYPE_CHECKING:
    from bayesynth.predictive.particles import Rows, Source

LOCAL = 0.9  # correlation of a local proposal with where the row is
EDGE = 1e-12
State = tuple[np.ndarray, np.ndarray]
"""Values of a node, and where they are observed."""


class Chain:
    r"""Rows of one graph, whose nodes are moved one at a time; allowed values are never left.

    The target is :math:`\prod_j p(r_j \mid \mathrm{parents})` over codes and normal scores r, restricted to what is
    allowed. A node of levels is drawn from its full conditional. A number is proposed from its own family among the
    allowed values, anywhere or near where it is, and taken by the likelihood of its children. A blank value keeps a
    score that nothing depends on, so that an indicator can change.

    Parameters
    ----------
    source : Source
        Network, plan and options.
    graph : int
        The graph.
    which : ndarray of int, shape (n,)
        Parameter draw of each row.
    responses : dict of str to ndarray, shape (n,)
        Codes and normal scores to start from, of the conditioned nodes and all upstream of them at least. Only these
        are moved; what is downstream alone can be drawn afterwards.
    allowed : mapping of str to Allowed
        Sets of conditioned nodes.

    Notes
    -----
    Proposals near the present place are those of Neal (1999), which leave the normal distribution as it is.
    """

    def __init__(self, source: Source, graph: int, which: np.ndarray, responses: Rows, allowed: Mapping[str, Allowed]):
        network = source.network
        self._encoding, self._plan, self._which = network.encoding, source.plan, which
        self._families = {child: network.families[name] for child, name in network.graphs[graph].items()}
        self._parameters = {child: source.plan.parameters[name] for child, name in network.graphs[graph].items()}
        self.responses, self._allowed = dict(responses), allowed
        self._n, self._nodes = len(which), network.encoding.nodes
        self._everywhere = np.ones(self._n, bool)
        self._columns: dict[tuple[str, str], np.ndarray] = {}
        self._designs: dict[str, np.ndarray] = {}
        self._bounds: dict[str, State] = {}
        self._state: dict[str, State] = {}
        order = [n for n in network.dags[graph].order if n in responses or self._nodes[n].is_indicator]
        for name in order:
            self._state[name] = self._state_of(self._nodes[name], self.responses.get(name), self._state)
        self._sites = self._to_move([name for name in order if name in self.responses])
        self._touched = {node.name: self._children(node) for node in self._sites}
        self._density = {name: self._log_density(self._nodes[name], {}) for name in self.responses}
        self._proposed = self._accepted = 0

    @property
    def taken(self) -> float:
        """Share of the proposed moves of numbers that were taken."""
        return self._accepted / self._proposed if self._proposed else 1.0

    def sweep(self, rng: np.random.Generator, local: bool) -> None:
        """Move every node once."""
        for node in self._sites:
            self._redraw(node, rng) if node.marginal is None else self._propose(node, rng, local)

    # --- moves ---------------------------------------------------------------------------------------------------

    def _redraw(self, node: Node, rng: np.random.Generator) -> None:
        """Draw a code from its full conditional."""
        trials = [np.full(self._n, float(code)) for code in range(len(node.levels))]
        open_to = np.stack([self._may_be(node, trial, {}) for trial in trials])
        if (open_to.sum(axis=0) <= 1).all() and open_to.any():
            return
        noticed = [sum(self._trial(node, trial).values(), np.zeros(self._n)) for trial in trials]
        family, parameters, design = self._conditional(node, {})
        own = np.stack([family.log_density(parameters, self._which, design, trial) for trial in trials])
        score = np.where(open_to, own, -np.inf) + np.stack(noticed)
        noisy = score + rng.gumbel(size=score.shape)
        chosen = np.where(np.isfinite(score).any(axis=0), noisy.argmax(axis=0), self.responses[node.name])
        self._settle(node, chosen.astype(float), np.ones(self._n, bool))

    def _propose(self, node: Node, rng: np.random.Generator, local: bool) -> None:
        """Propose a score from the node's own family; take it by the likelihood of the children."""
        family, parameters, design = self._conditional(node, {})
        old, v = self.responses[node.name], rng.random(self._n)
        ends = self._ends(node)
        below, inside = family.interval(parameters, self._which, design, *ends)
        if local:
            lowest = np.full((self._n, 1), -np.inf)
            reached = family.interval(parameters, self._which, design, lowest, old[:, None])[1][:, 0]
            at = ndtri(np.clip(share_below(below, inside, reached), EDGE, 1 - EDGE))
            v = ndtr(LOCAL * at + np.sqrt(1 - LOCAL**2) * ndtri(v))
        u, total = place(below, inside, v)
        new = np.where(total > 0, nearest(family.draw(parameters, self._which, design, u), *ends)[0], old)
        moved = self._trial_state(node, new)[node.name][0] != self._state[node.name][0]
        noticed = self._trial(node, new) if moved.any() else {}  # a known value keeps while its score moves
        change = sum((d - self._density[name] for name, d in noticed.items()), np.zeros(self._n))
        accept = np.log(rng.random(self._n)) < change
        self._proposed += int(moved.sum())
        self._accepted += int((accept & moved).sum())
        self._settle(node, np.where(accept, new, old), accept)

    def _settle(self, node: Node, response: np.ndarray, changed: np.ndarray) -> None:
        """Make a response the present one."""
        if not changed.any():
            return
        self.responses[node.name] = response
        overlay = self._trial_state(node, response)
        noticing: tuple[str, ...] = ()
        if (overlay[node.name][0] != self._state[node.name][0]).any():
            self._state |= overlay
            self._columns = {key: value for key, value in self._columns.items() if key[0] not in overlay}
            noticing = self._touched[node.name]
            for name in noticing:
                self._designs.pop(name, None)
        for name in (node.name, *noticing):
            self._density[name] = self._log_density(self._nodes[name], {})

    def _trial(self, node: Node, response: np.ndarray) -> dict[str, np.ndarray]:
        """Give the log densities of the nodes that notice, if a node had another response."""
        overlay = self._trial_state(node, response)
        return {name: self._log_density(self._nodes[name], overlay) for name in self._touched[node.name]}

    # --- the network ---------------------------------------------------------------------------------------------

    def _state_of(self, node: Node, response: np.ndarray | None, states: Mapping[str, State]) -> State:
        if node.is_indicator:
            seen = self._everywhere if response is None else response == 1.0
            if node.gate and response is not None:
                seen = seen & (states[node.gate][0] == 1.0)
            return seen.astype(float), self._everywhere
        value = self._plan.value_of(node, response, self._which)
        if node.name in self._allowed:
            value = self._allowed[node.name].project(value)
        return value, states[node.gate][0] == 1.0 if node.gate else self._everywhere

    def _trial_state(self, node: Node, response: np.ndarray) -> dict[str, State]:
        """Give the states of a node and, for an indicator, of all that is blank with it."""
        state = self._state_of(node, response, self._state)
        return {node.name: state} | (self._within(node, state[0] == 1.0) if node.is_indicator else {})

    def _within(self, block: Node, seen: np.ndarray) -> dict[str, State]:
        """Give the states of all that has a value only where a block is seen, inner blocks included."""
        overlay: dict[str, State] = {}
        for node in (self._nodes[name] for name in self.responses):
            if node.gate == block.name and node.is_indicator:
                inner = seen & (self.responses[node.name] == 1.0)
                overlay |= {node.name: (inner.astype(float), self._everywhere)} | self._within(node, inner)
            elif node.gate == block.name:
                overlay[node.name] = self._state[node.name][0], seen
        return overlay

    def _to_move(self, names: list[str]) -> list[Node]:
        """Leave out nodes that are known in every row, but for scores that a parent which may change looks at."""
        still = {n for n in names if n in self._allowed and self._allowed[n].fixes and not self._nodes[n].is_indicator}
        changing = set(names) - still
        changing |= {name for name, node in self._nodes.items() if node.gate in changing}
        seen = {n for n in still if self._nodes[n].marginal and changing.intersection(self._families[n].design.parents)}
        return [self._nodes[name] for name in names if name not in still or name in seen]

    def _children(self, node: Node) -> tuple[str, ...]:
        """Nodes whose density notices when a node changes."""
        changed = set(self._trial_state(node, self.responses[node.name]))
        inner = {name for name in changed if self._nodes[name].is_indicator and name != node.name}
        reads = {name for name, family in self._families.items() if changed & set(family.design.parents)}
        return tuple(name for name in self.responses if name in (reads | inner) - {node.name})

    def _conditional(self, node: Node, overlay: Mapping[str, State]) -> tuple:
        posterior = self._families[node.name]
        parameters, family = self._parameters[node.name], FAMILIES[posterior.family]
        unchanged = overlay.keys().isdisjoint(posterior.design.parents)
        if unchanged and node.name in self._designs:
            return family, parameters, self._designs[node.name]

        def columns_of(name: str, form: str) -> np.ndarray:
            if name in overlay:
                return self._nodes[name].columns(*overlay[name], form)
            if (name, form) not in self._columns:
                self._columns[name, form] = self._nodes[name].columns(*self._state[name], form)
            return self._columns[name, form]

        design = posterior.design.matrix(self._encoding, columns_of, self._n)
        if unchanged:
            self._designs[node.name] = design
        return family, parameters, design

    def _log_density(self, node: Node, overlay: Mapping[str, State]) -> np.ndarray:
        family, parameters, design = self._conditional(node, overlay)
        response = self.responses[node.name]
        found = family.log_density(parameters, self._which, design, response)
        if node.is_indicator and node.name in self._allowed:
            found = np.where(self._may_be(node, response, overlay), found, -np.inf)
        return found

    def _may_be(self, node: Node, codes: np.ndarray, overlay: Mapping[str, State]) -> np.ndarray:
        """Tell where a node may have a code: anywhere without a condition; a blank outer block decides alone."""
        if node.name not in self._allowed:
            return self._everywhere
        found = self._allowed[node.name].contains(codes)
        if node.is_indicator and node.gate:
            outer, _ = overlay.get(node.gate, self._state[node.gate])
            found = np.where(outer == 0.0, self._allowed[node.name].contains(np.zeros(1)), found)
        return found

    def _ends(self, node: Node) -> State:
        if node.name not in self._bounds:
            free = np.full((self._n, 1), -np.inf), np.full((self._n, 1), np.inf)
            allowed = self._allowed.get(node.name)
            self._bounds[node.name] = allowed.ends(node, self._plan, self._which) if allowed else free
        return self._bounds[node.name]

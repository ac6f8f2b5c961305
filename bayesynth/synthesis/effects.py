"""Average marginal effects: what a change in a parent does to its child, in the child's own units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr, softmax

from bayesynth.encoding.design import ColumnsOf
from bayesynth.encoding.features import PRESENCE, contrasts
from bayesynth.encoding.table import Node
from bayesynth.families import FAMILIES
from bayesynth.inference import FamilyPosterior
from bayesynth.predictive import DrawOptions, FittedNetwork, draw_rows

ROWS, DRAWS, FEWEST = 200, 200, 10


@dataclass(frozen=True)
class Effect:
    """One average marginal effect.

    Parameters
    ----------
    parent, child : str
        Nodes.
    contrast : str
        The change of the parent.
    outcome : str
        "mean", or the level of the child whose probability changes.
    draws : ndarray, shape (s,)
        The effect under posterior draws.
    """

    parent: str
    child: str
    contrast: str
    outcome: str
    draws: np.ndarray


class Effects:
    """Computes effects over rows drawn from the network, so that no real row is needed.

    Parameters
    ----------
    network : FittedNetwork
        The fitted network.
    rng : Generator
        Draws the rows.
    """

    def __init__(self, network: FittedNetwork, rng: np.random.Generator):
        self._network = network
        rows = next(draw_rows(network, ROWS, DrawOptions(blanks=True), rng))
        filled = next(draw_rows(network, ROWS, DrawOptions(blanks=False), rng))
        # Effects of values are over complete rows; effects of being observed, over rows with blanks.
        self._filled, self._with_blanks = _State(network, filled), _State(network, rows)

    def of(self, posterior: FamilyPosterior, share: float) -> Iterator[Effect]:
        """Effects of every parent in one family of a child, under as many draws as its share of the graphs deserves."""
        n = max(FEWEST, round(DRAWS * share))
        child, flat = posterior.node, posterior.flat()
        which = np.linspace(0, self._network.n_draws - 1, min(n, self._network.n_draws)).astype(int)
        response = _Response(self._network.encoding.nodes[child], {k: v[which] for k, v in flat.items()})
        for parent in posterior.design.parents:
            node = self._network.encoding.nodes[parent]
            state = self._with_blanks if node.is_indicator else self._filled
            for contrast, before, after in state.contrasts(parent):
                low = response.expect(posterior.design.matrix(self._network.encoding, before, ROWS))
                high = response.expect(posterior.design.matrix(self._network.encoding, after, ROWS))
                for outcome, change in zip(response.outcomes, np.moveaxis(high - low, -1, 0), strict=True):
                    yield Effect(parent, child, contrast, outcome, change)


class _State:
    """Drawn rows, and what their feature columns become when one parent is changed."""

    def __init__(self, network: FittedNetwork, rows: Mapping[str, np.ndarray]):
        self._nodes, self._rows = network.encoding.nodes, rows

    def contrasts(self, parent: str) -> Iterator[tuple[str, ColumnsOf, ColumnsOf]]:
        node = self._nodes[parent]
        if node.marginal is not None:
            yield "+1 SD", self._with(parent, None), self._with(parent, "up")
        elif node.family == "ordinal":
            yield "+1 level", self._with(parent, None), self._with(parent, "up")
        else:
            rates = node.features.rates
            reference = int(np.argmax(rates)) if not node.is_indicator and len(rates) > 2 else 0
            for level in (k for k in range(len(rates)) if k != reference):
                name = f"{node.levels[level]} vs {node.levels[reference]}"
                yield name, self._with(parent, reference), self._with(parent, level)

    def _with(self, parent: str, change: int | str | None) -> ColumnsOf:
        def columns_of(name: str, form: str) -> np.ndarray:
            node, values = self._nodes[name], self._rows[name]
            observed = ~np.isnan(values)
            if name != parent or change is None or form == PRESENCE:
                return node.columns(values, observed, form)
            if change == "up":
                return self._raised(node, values, form)
            return node.columns(np.full(len(values), float(change)), np.ones(len(values), bool), form)

        return columns_of

    @staticmethod
    def _raised(node: Node, values: np.ndarray, form: str) -> np.ndarray:
        if node.marginal is not None:
            return node.features.columns(node.marginal.scores(values) + node.features.sd, form)
        return node.columns(np.minimum(values + 1, len(node.levels) - 1), np.ones(len(values), bool), form)


class _Response:
    """Expected response of a child under posterior draws, averaged over rows."""

    def __init__(self, node: Node, parameters: Mapping[str, np.ndarray]):
        self._node, self._p = node, parameters
        self.outcomes = (node.levels[1:] if node.family == "binary" else node.levels) or ("mean",)

    def expect(self, design: np.ndarray) -> np.ndarray:
        """Shape (draws, outcomes)."""
        p, family = self._p, self._node.family
        if family == "categorical":
            coordinates = p["intercept"][:, None] + design @ p["slopes"]
            return softmax(coordinates @ contrasts(len(self.outcomes)).T, axis=2).mean(1)
        if family == "gaussian":
            return self._mean(design)
        eta = p["slopes"] @ design.T
        if family == "binary":
            return expit(p["intercept"][:, None] + eta).mean(1)[:, None]
        below = expit(p["cutpoints"][:, None, :] - eta[:, :, None]).mean(1)
        return np.diff(below, axis=1, prepend=0.0, append=1.0)

    def _mean(self, design: np.ndarray) -> np.ndarray:
        """Average the expected value on the column's own scale, by quadrature over the residual."""
        marginal = self._node.marginal
        family = FAMILIES["gaussian"]
        score, sd = family.mean_and_sd(self._p, design)
        total = np.zeros(score.shape)
        for residual, weight in family.quadrature(self._p, design):
            values = marginal.quantile(ndtr(score + sd * residual).ravel(), marginal.typical, np.zeros(score.size, int))
            total += weight * values.reshape(score.shape)
        return total.mean(1)[:, None]

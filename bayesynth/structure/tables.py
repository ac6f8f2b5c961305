"""Log scores of every parent set of every node as dense arrays: all that samplers and exact methods need to know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

MOST_CANDIDATES = 16


@dataclass(frozen=True)
class ScoreTables:
    """Log evidence plus log prior of every parent set among each node's candidates.

    A parent set of node j is a mask: bit k is set where the k-th candidate of j is a parent.

    Parameters
    ----------
    nodes : tuple of str
        Nodes.
    candidates : tuple of ndarray of int, shape (K_j,)
        Positions of each node's candidate parents, at most 16.
    scores : tuple of ndarray, shape (2 ** K_j,)
        Log score of each mask; minus infinity where the parent set is not allowed.
    """

    nodes: tuple[str, ...]
    candidates: tuple[np.ndarray, ...]
    scores: tuple[np.ndarray, ...]

    @property
    def n_nodes(self) -> int:
        """Nodes."""
        return len(self.nodes)

    def parents(self, node: int, mask: int) -> tuple[int, ...]:
        """Positions of the parents that a mask names."""
        return tuple(int(c) for k, c in enumerate(self.candidates[node]) if mask >> k & 1)

    def mask(self, node: int, parents: Iterable[int]) -> int:
        """Mask of a set of candidates.

        Raises
        ------
        KeyError
            If a parent is not among the node's candidates.
        """
        place = self._places[node]
        return sum(1 << place[parent] for parent in set(parents))

    def adjacency(self, masks: np.ndarray) -> np.ndarray:
        """Adjacency matrices, shape (..., p, p), [i, j] for i -> j, of masks with shape (..., p)."""
        masks = np.asarray(masks)
        found = np.zeros((*masks.shape, self.n_nodes), bool)
        for j, candidates in enumerate(self.candidates):
            for k, i in enumerate(candidates):
                found[..., i, j] = masks[..., j] >> k & 1
        return found

    def log_score(self, masks: Sequence[int]) -> float:
        """Log score of one graph."""
        return float(sum(scores[mask] for scores, mask in zip(self.scores, masks, strict=True)))

    @cached_property
    def _places(self) -> tuple[dict[int, int], ...]:
        return tuple({int(c): k for k, c in enumerate(candidates)} for candidates in self.candidates)

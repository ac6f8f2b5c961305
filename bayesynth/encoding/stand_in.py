"""What stands in for a blank parent in a child's family: what the child's other parents lead to expect of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bayesynth.encoding.features import PRESENCE

ColumnsOf = Callable[[str, str], np.ndarray]
"""(node, form) -> its feature columns, shape (n, d), zero where the node has no value."""
Columns = tuple[str, str]
"""A node and a form of its columns."""
FEWEST_ON_A_SIDE = 5


@dataclass(frozen=True)
class StandIn:
    """Expected feature columns of a parent, for the rows where it is blank, by linear regression on other parents.

    Zeros in its place would leave its effect to the parents that it depends on: their slopes would have to be one thing
    where it is known and another where it is blank.

    Parameters
    ----------
    parent, form : str
        Whose columns.
    given : tuple of (str, str)
        Nodes and forms of the regressors, zero where they are blank themselves.
    weights : ndarray, shape (1 + q, d)
        Intercepts, then slopes.
    """

    parent: str
    form: str
    given: tuple[Columns, ...]
    weights: np.ndarray

    def fill(self, columns_of: ColumnsOf) -> np.ndarray:
        """Columns of the parent, expected ones where it is blank, shape (n, d)."""
        found = columns_of(self.parent, self.form)
        blank = ~_known(columns_of, self.parent)
        if blank.any():
            found = found.copy()
            found[blank] = self.weights[0] + _side_by_side(columns_of, self.given)[blank] @ self.weights[1:]
        return found


def stand_ins(wanted: Sequence[Columns], given: Sequence[Columns], columns_of: ColumnsOf) -> Iterator[StandIn]:
    """Find what stands in for each parent that is blank in some rows of the child and known in others.

    Regressors are those that are known where the parent is blank and where it is not. Their slopes have a standard
    normal prior, in units of standardised columns and residuals.

    Parameters
    ----------
    wanted : sequence of (str, str)
        Columns that the family uses.
    given : sequence of (str, str)
        Columns that may tell about them.
    columns_of : callable
        Columns over the rows where the child has a value.
    """
    known = {name: _known(columns_of, name) for name, _ in (*wanted, *given)}
    for name, form in wanted:
        seen = known[name]
        telling = tuple(
            other
            for other in given
            if other[0] != name and min(known[other[0]][side].sum() for side in (seen, ~seen)) >= FEWEST_ON_A_SIDE
        )
        if telling:
            X, Y = _side_by_side(columns_of, telling)[seen], columns_of(name, form)[seen]
            middle, level = X.mean(axis=0), Y.mean(axis=0)
            slopes = np.linalg.solve((X - middle).T @ (X - middle) + np.eye(X.shape[1]), (X - middle).T @ Y)
            yield StandIn(name, form, telling, np.vstack([level - middle @ slopes, slopes]))


def _known(columns_of: ColumnsOf, name: str) -> np.ndarray:
    return columns_of(name, PRESENCE)[:, 0] == 1.0


def _side_by_side(columns_of: ColumnsOf, columns: Sequence[Columns]) -> np.ndarray:
    return np.concatenate([columns_of(name, form) for name, form in columns], axis=1)

"""Classical scores of whole tables, for comparison with other tools: complete tables of one kind only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from bayesynth.encoding.design import Term
from bayesynth.encoding.table import EncodedTable
from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.structure.local import LocalScore
from bayesynth.structure.scores import bdeu, bge, bic_discrete, bic_gaussian

CATEGORIES, NUMBERS = "categories", "numbers"
CLASSICAL: dict[str, dict[str, Callable[..., np.ndarray]]] = {
    "bdeu": {CATEGORIES: bdeu},
    "bic": {CATEGORIES: bic_discrete, NUMBERS: bic_gaussian},
    "bge": {NUMBERS: bge},
}
"""Each score's function for tables whose columns are all categories, or all numbers."""


class ClassicalScore(LocalScore):
    """A classical score of the families of one table.

    The columns are used as they are recorded, but standardised for BGe.

    Parameters
    ----------
    table : EncodedTable
        A table without blanks whose columns are all categories or all numbers.
    kind : str
        A key of `CLASSICAL`.
    ess : float
        Equivalent sample size of BDeu.

    Raises
    ------
    InputError
        If there is no such score or it cannot take the table; names all columns that stand in the way.
    """

    def __init__(self, table: EncodedTable, kind: str, ess: float = 10.0):
        raise_all(_obstacles(table, kind, ess))
        nodes = table.encoding.nodes
        self._places = {name: at for at, name in enumerate(nodes)}
        self._forms = {name: node.features.forms[0] for name, node in nodes.items()}
        values = np.column_stack([table.values[name] for name in nodes])
        n_levels = np.array([len(node.levels) for node in nodes.values()])
        if n_levels.any():
            data, options = (values.astype(int), n_levels), {"ess": ess} if kind == "bdeu" else {}
            self._score = partial(CLASSICAL[kind][CATEGORIES], *data, **options)
        else:
            data = (values - values.mean(0)) / values.std(0) if kind == "bge" else values
            self._score = partial(CLASSICAL[kind][NUMBERS], data)

    def terms(self, child: str, parents: Sequence[str]) -> tuple[Term, ...]:
        """Plain terms: classical scores know no others."""
        return tuple(sorted(Term((parent,), self._forms[parent]) for parent in parents))

    def scores(self, child: str, parent_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Log evidences of one child's families, without any prior over graphs; of BIC, what stands for them.

        Parameters
        ----------
        child : str
            The child.
        parent_sets : sequence of sequence of str, b of them
            Its parents.

        Returns
        -------
        ndarray, shape (b,)

        Raises
        ------
        InputError
            If the child is an exact linear function of its parents, so that BIC is infinite.
        """
        found = self._score(self._places[child], [[self._places[p] for p in parents] for parents in parent_sets])
        exact = np.flatnonzero(found == np.inf)
        if len(exact):
            known = f"{child} follows exactly from {', '.join(parent_sets[exact[0]])}"
            why, remedy = "the likelihood has no maximum then", "leave one of these columns out, or score with BGe"
            raise InputError(Problem(known, why, remedy, child))
        return found

    def varies(self, child: str, parent: str) -> bool:
        """Whether the parent takes several values over the child's rows: of a table without blanks, always."""
        return child != parent


def _obstacles(table: EncodedTable, kind: str, ess: float) -> Iterator[Problem]:
    if kind not in CLASSICAL:
        yield Problem(f"score {kind!r}", "there is no such classical score", f"choose one of {', '.join(CLASSICAL)}")
        return
    if not ess > 0:
        yield Problem(f"equivalent sample size {ess!r}", "it counts prior rows", "give a number above 0")
    columns: dict[str, list[str]] = {CATEGORIES: [], NUMBERS: []}
    default = "use the default score, which takes every table"
    for name, node in table.encoding.nodes.items():
        if not node.is_indicator:
            columns[CATEGORIES if node.levels else NUMBERS].append(name)
            n_blank = np.count_nonzero(~table.defined[name])
            if n_blank:
                yield Problem(f"{name} has {n_blank} blanks", f"{kind} is a score of complete tables", default, name)
    if all(columns.values()):
        found = " and ".join(f"{what} ({', '.join(names)})" for what, names in columns.items())
        yield Problem(f"both {found}", f"{kind} takes columns of one kind", default)
    else:
        for what, names in columns.items():
            if names and what not in CLASSICAL[kind]:
                other = " or ".join(repr(score) for score, takes in CLASSICAL.items() if what in takes)
                yield Problem(
                    f"all columns are {what}", f"{kind} cannot take them", f"use {other}, or the default score"
                )

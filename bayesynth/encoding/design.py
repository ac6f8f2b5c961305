"""Design of a family: which terms of which parents, and the centred columns that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bayesynth.encoding.features import LEVELS, LINEAR
from bayesynth.encoding.table import EncodedTable, Encoding

PRODUCT = "product"


@dataclass(frozen=True, order=True)
class Term:
    """What one parent (or, as a product, a pair of them) adds to a family's linear predictor.

    Parameters
    ----------
    parents : tuple of str
        One node, or two for a product.
    form : str
        "linear", "spline", "levels" or "product".
    """

    parents: tuple[str, ...]
    form: str

    @property
    def label(self) -> str:
        """Name of the term for people."""
        name = " x ".join(self.parents)
        return f"{name} ({self.form})" if self.form not in (LINEAR, LEVELS, PRODUCT) else name


@dataclass(frozen=True)
class Design:
    """The columns of one family.

    Parameters
    ----------
    node : str
        The child.
    terms : tuple of Term
        Terms of its parents, then the indicators that partly blank parents bring along.
    labels : tuple of str
        One for each column.
    centres : ndarray, shape (q,)
        Means over the rows where the child has a value.
    """

    node: str
    terms: tuple[Term, ...]
    labels: tuple[str, ...]
    centres: np.ndarray

    @property
    def parents(self) -> tuple[str, ...]:
        """Nodes that the design reads, in order of first use."""
        return tuple(dict.fromkeys(p for term in self.terms for p in term.parents))

    def matrix(
        self, encoding: Encoding, values: Mapping[str, np.ndarray], observed: Mapping[str, np.ndarray], n_rows: int
    ) -> np.ndarray:
        """Centred design, shape (n, q), for any rows in which the parents have been drawn."""
        if not self.terms:
            return np.zeros((n_rows, 0))
        parts = [term_columns(encoding, term, values, observed) for term in self.terms]
        return np.concatenate(parts, axis=1) - self.centres


def term_columns(
    encoding: Encoding, term: Term, values: Mapping[str, np.ndarray], observed: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Uncentred columns of a term, shape (n, d)."""

    def of(name: str, form: str) -> np.ndarray:
        return encoding.nodes[name].columns(values[name], observed[name], form)

    if term.form != PRODUCT:
        return of(term.parents[0], term.form)
    first, second = (of(name, encoding.nodes[name].features.forms[0]) for name in term.parents)
    return (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)


class DesignBank:
    """Columns of every term that a child may use, over the rows where it has a value; each is computed once.

    Parameters
    ----------
    table : EncodedTable
        The data.
    child : str
        The node whose families are designed.
    """

    def __init__(self, table: EncodedTable, child: str):
        self._encoding = table.encoding
        self.child = child
        self.rows = np.flatnonzero(table.defined[child])
        self.y = table.responses[child][self.rows]
        self._values = table.values
        self._everywhere = {n: np.ones(table.n_rows, bool) for n in table.values}
        self._observed = {
            name: self._everywhere[name] if node.is_indicator else table.defined[name]
            for name, node in table.encoding.nodes.items()
        }
        self._columns: dict[Term, tuple[np.ndarray, np.ndarray]] = {}
        self._varies: dict[str, bool] = {}

    def columns(self, term: Term) -> tuple[np.ndarray, np.ndarray]:
        """Centred columns, shape (n, d), and their centres, shape (d,)."""
        if term not in self._columns:
            rows = self.rows
            values = {p: self._values[p][rows] for p in term.parents}
            observed = {p: self._observed[p][rows] for p in term.parents}
            raw = term_columns(self._encoding, term, values, observed)
            centre = raw.mean(axis=0)
            self._columns[term] = (raw - centre, centre)
        return self._columns[term]

    def complete(self, terms: Iterable[Term]) -> tuple[Term, ...]:
        """Sort terms and add the indicators of partly blank parents that are not among them."""
        chosen = sorted(set(terms))
        present = {term.parents[0] for term in chosen if len(term.parents) == 1}
        gates = {self._encoding.nodes[p].gate for term in chosen for p in term.parents} - {None} - present
        needed = sorted(g for g in gates if self.varies(g) and self._gates_value(g, chosen))
        return tuple(chosen) + tuple(Term((g,), LEVELS) for g in needed)

    def varies(self, indicator: str) -> bool:
        """Whether an indicator takes both values over the rows of the child."""
        if indicator not in self._varies:
            self._varies[indicator] = bool(np.ptp(self._values[indicator][self.rows]) > 0)
        return self._varies[indicator]

    def matrix(self, terms: tuple[Term, ...]) -> np.ndarray:
        """Centred design, shape (n, q), of complete terms."""
        if not terms:
            return np.zeros((len(self.rows), 0))
        return np.concatenate([self.columns(term)[0] for term in terms], axis=1)

    def design(self, terms: Iterable[Term]) -> Design:
        """Describe the design of a family with these terms."""
        complete = self.complete(terms)
        centres = [self.columns(term)[1] for term in complete]
        labels = tuple(label for term in complete for label in self._labels(term))
        return Design(self.child, complete, labels, np.concatenate(centres) if centres else np.empty(0))

    def _gates_value(self, gate: str, terms: list[Term]) -> bool:
        nodes = self._encoding.nodes
        return any(nodes[p].gate == gate and not nodes[p].is_indicator for term in terms for p in term.parents)

    def _labels(self, term: Term) -> list[str]:
        if term.form == PRODUCT:
            width = self.columns(term)[0].shape[1]
            return [term.label] + [f"{term.label} {k}" for k in range(2, width + 1)]
        name = term.parents[0]
        found = self._encoding.nodes[name].features.labels(term.form)
        return [f"{name}: {label}" if label else name for label in found]

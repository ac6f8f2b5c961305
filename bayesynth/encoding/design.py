"""Design of a family: which terms of which parents, and the centred columns that they make."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from bayesynth.encoding.features import GROUPS, LINEAR, PRESENCE, SPLINE
from bayesynth.encoding.stand_in import FEWEST_ON_A_SIDE, ColumnsOf, StandIn, stand_ins
from bayesynth.encoding.table import EncodedTable, Encoding

PRODUCT, SCALE, SHAPE = "product", "scale", "shape"
OF_SCALE = (SCALE, PRESENCE)
SCALE_LABEL, SHAPE_LABEL = "log variance: ", "residual shape: "


@dataclass(frozen=True, order=True)
class Term:
    """What one parent (or, as a product, a pair of them) adds to a family's linear predictor.

    Parameters
    ----------
    parents : tuple of str
        One node, two for a product, none for a shape that all rows share.
    form : str
        "linear", "spline", "levels", "steps" (of ordered levels) or "product" of the location; of the log of the
        residual variance "scale", which follows the parent's value, and "presence", which tells rows with a value from
        those where it is blank; of the residual's shape "shape", one for each level of the parent and for rows where it
        is blank, or one for all rows.
    """

    parents: tuple[str, ...]
    form: str

    @property
    def label(self) -> str:
        """Name of the term for people."""
        return " x ".join(self.parents)

    @property
    def of_scale(self) -> bool:
        """Whether the term acts on the log of the residual variance."""
        return self.form in OF_SCALE

    @property
    def of_location(self) -> bool:
        """Whether the term moves the linear predictor."""
        return not self.of_scale and self.form != SHAPE


@dataclass(frozen=True)
class Design:
    """The columns of one family.

    Parameters
    ----------
    node : str
        The child.
    terms : tuple of Term
        Terms of its parents: those of the location, of the scale, of the shape.
    labels : tuple of str
        One for each column.
    centres : ndarray, shape (q,)
        Means over the rows where the child has a value.
    n_scale : int
        Columns that act on the log of the residual variance, after those of the location.
    n_groups : int
        Last columns, one for each group of rows with a residual shape of its own.
    stand_ins : tuple of StandIn
        For parents that may be blank.
    """

    node: str
    terms: tuple[Term, ...]
    labels: tuple[str, ...]
    centres: np.ndarray
    n_scale: int = 0
    n_groups: int = 0
    stand_ins: tuple[StandIn, ...] = ()

    @property
    def n_location(self) -> int:
        """Columns of the linear predictor."""
        return len(self.labels) - self.n_scale - self.n_groups

    @property
    def parents(self) -> tuple[str, ...]:
        """Nodes that the design reads, in order of first use."""
        return tuple(dict.fromkeys(p for term in self.terms for p in term.parents))

    def matrix(self, encoding: Encoding, columns_of: ColumnsOf, n_rows: int) -> np.ndarray:
        """Centred design, shape (n, q), for any rows in which the parents have been drawn."""
        if not self.terms:
            return np.zeros((n_rows, 0))
        filled = {(stand_in.parent, stand_in.form): stand_in.fill(columns_of) for stand_in in self.stand_ins}

        def read(name: str, form: str) -> np.ndarray:
            return filled[name, form] if (name, form) in filled else columns_of(name, form)

        parts = [term_columns(encoding, term, read, n_rows) for term in self.terms]
        return np.concatenate(parts, axis=1) - self.centres


def term_columns(encoding: Encoding, term: Term, columns_of: ColumnsOf, n_rows: int) -> np.ndarray:
    """Uncentred columns of a term, shape (n, d)."""
    if term.form == SCALE:
        return columns_of(term.parents[0], encoding.nodes[term.parents[0]].features.forms[0])
    if term.form == SHAPE:
        return columns_of(term.parents[0], GROUPS) if term.parents else np.ones((n_rows, 1))
    if term.form != PRODUCT:
        return columns_of(term.parents[0], term.form)
    first, second = (columns_of(name, encoding.nodes[name].features.forms[0]) for name in term.parents)
    return (first[:, :, None] * second[:, None, :]).reshape(len(first), -1)


class FeatureBank:
    """Columns of every term over all rows of a table, each computed once and shared by all children.

    Parameters
    ----------
    table : EncodedTable
        The data.
    """

    def __init__(self, table: EncodedTable):
        self.table = table
        self._places: dict[Term, np.ndarray] = {}
        blocks, used = [np.zeros((1, table.n_rows))], 1  # the first column stands for padding
        for name, node in table.encoding.nodes.items():
            for form in node.features.forms:
                columns = self._columns_of(name, form).T
                # A spline begins with the very column of the linear form.
                shared = self._places[Term((name,), LINEAR)] if form == SPLINE else np.empty(0, int)
                blocks.append(columns[len(shared) :])
                own = np.arange(used, used + len(blocks[-1]))
                self._places[Term((name,), form)] = np.concatenate([shared, own])
                used += len(own)
        self._store = np.concatenate(blocks)
        self.n_main = len(self._store)
        self._panels: dict[bytes, Panel] = {}

    def places(self, term: Term) -> np.ndarray:
        """Positions of a term's columns in the bank, shape (d,)."""
        if term.form == SCALE:
            main = self.table.encoding.nodes[term.parents[0]].features.forms[0]
            return self._places[Term(term.parents, main)]
        if term not in self._places:
            columns = term_columns(self.table.encoding, term, self._columns_of, self.table.n_rows).T
            self._places[term] = np.arange(len(self._store), len(self._store) + len(columns))
            self._store = np.concatenate([self._store, columns])
        return self._places[term]

    def gather(self, places: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Uncentred columns at some positions and rows, shape (len(places), n)."""
        return self._store[np.ix_(places, rows)]

    def panel(self, defined: np.ndarray) -> Panel:
        """Centred columns of all main terms over some rows; children that share their rows share it."""
        key = defined.tobytes()
        if key not in self._panels:
            rows = np.flatnonzero(defined)
            columns = self._store[: self.n_main][:, rows]
            self._panels[key] = Panel(rows, columns - columns.mean(axis=1, keepdims=True))
        return self._panels[key]

    def _columns_of(self, name: str, form: str) -> np.ndarray:
        node, table = self.table.encoding.nodes[name], self.table
        observed = np.ones(table.n_rows, bool) if node.is_indicator else table.defined[name]
        return node.columns(table.values[name], observed, form)


@dataclass(frozen=True)
class Panel:
    """Centred columns of all main terms over the rows where a child has a value.

    Parameters
    ----------
    rows : ndarray of int, shape (n,)
        Those rows.
    columns : ndarray, shape (Q, n)
        One row per column of the bank.
    """

    rows: np.ndarray
    columns: np.ndarray

    @cached_property
    def gram(self) -> np.ndarray:
        """Products of all pairs of columns, shape (Q, Q)."""
        return self.columns @ self.columns.T


class ChildBank:
    """Designs of one child, over the rows where it has a value.

    Parameters
    ----------
    bank : FeatureBank
        The shared columns.
    child : str
        The node whose families are designed.
    """

    def __init__(self, bank: FeatureBank, child: str):
        self._bank = bank
        self._nodes = bank.table.encoding.nodes
        self.node = self._nodes[child]
        self.panel = bank.panel(bank.table.defined[child])
        self.y = bank.table.responses[child][self.panel.rows]
        self._varies: dict[str, bool] = {}
        self._known_places: dict[tuple[Term, ...], np.ndarray] = {}

    @cached_property
    def moments(self) -> np.ndarray:
        """Products of the panel's columns with the response, shape (Q,)."""
        return self.panel.columns @ self.y

    def arrange(self, terms: Iterable[Term]) -> tuple[Term, ...]:
        """Sort terms: those of the location, of the scale, of the shape."""
        return tuple(sorted(set(terms), key=lambda term: (not term.of_location, term.form == SHAPE, term)))

    def varies(self, node: str) -> bool:
        """Whether a node says anything over the child's rows: a value that varies, an indicator with 5 rows a side."""
        if node not in self._varies:
            found = self.panel.columns[self._bank.places(Term((node,), self._nodes[node].features.forms[0]))]
            if self._nodes[node].is_indicator:
                ones = int((found[0] > 0).sum())
                self._varies[node] = min(ones, found.shape[1] - ones) >= FEWEST_ON_A_SIDE
            else:
                self._varies[node] = bool(np.ptp(found, axis=1).max() > 1e-9)
        return self._varies[node]

    def may_be_blank(self, node: str) -> bool:
        """Whether a node is blank in some of the child's rows, and has a value in some, 5 rows a side."""
        seen = self._bank.table.defined[node][self.panel.rows].sum()
        is_indicator = self._nodes[node].is_indicator
        return not is_indicator and min(seen, len(self.panel.rows) - seen) >= FEWEST_ON_A_SIDE

    def places(self, terms: Sequence[Term]) -> np.ndarray:
        """Positions of the columns of arranged terms in the shared bank, shape (q,)."""
        terms = tuple(terms)
        if terms not in self._known_places:
            places = [place for term in terms for place in self._bank.places(term).tolist()]
            self._known_places[terms] = np.array(places, dtype=int)
        return self._known_places[terms]

    def is_main(self, places: np.ndarray) -> bool:
        """Whether all positions are of main terms, which the panel holds."""
        return places.size == 0 or int(places.max()) < self._bank.n_main

    def stack(self, places: np.ndarray) -> np.ndarray:
        """Centred designs, shape (b, n, q), of padded positions, shape (b, q)."""
        if self.is_main(places):
            found = self.panel.columns[places]
        else:
            distinct, where = np.unique(places, return_inverse=True)
            columns = self._bank.gather(distinct, self.panel.rows)
            found = (columns - columns.mean(axis=1, keepdims=True))[where.reshape(places.shape)]
        return np.ascontiguousarray(found.transpose(0, 2, 1))

    def design(self, terms: Iterable[Term], zeros: Collection[str] = ()) -> Design:
        """Describe the design of a family with these terms, with stand-ins for blank parents but those named."""
        complete = self.arrange(terms)
        labels = tuple(label for term in complete for label in self._labels(term))
        found = tuple(stand_in for stand_in in self._stand_ins(complete) if stand_in.parent not in zeros)
        plain = Design(self.node.name, complete, labels, np.zeros(len(labels)), *self.n_residual(complete), found)
        return replace(plain, centres=self.matrix(plain).mean(axis=0))

    def matrix(self, design: Design) -> np.ndarray:
        """Work a design out over the rows where the child has a value, shape (n, q)."""
        return design.matrix(self._bank.table.encoding, self._columns_of, len(self.y))

    def _columns_of(self, name: str, form: str) -> np.ndarray:
        return self._bank.gather(self._bank.places(Term((name,), SHAPE if form == GROUPS else form)), self.panel.rows).T

    def _stand_ins(self, terms: Sequence[Term]) -> Iterator[StandIn]:
        """Find what stands in for blank parents, in every form that the terms use."""
        main = {name: self._nodes[name].features.forms[0] for term in terms for name in term.parents}
        own = [(term.parents[0], term.form) for term in terms if term.of_location and term.form != PRODUCT]
        shared = [(name, main[name]) for term in terms if term.form in (PRODUCT, SCALE) for name in term.parents]
        wanted = [columns for columns in dict.fromkeys(own + shared) if self.may_be_blank(columns[0])]
        given = [columns for columns in own if not self._nodes[columns[0]].is_indicator]
        return stand_ins(wanted, given, self._columns_of)

    def n_residual(self, terms: Iterable[Term]) -> tuple[int, int]:
        """Count the columns that act on the log of the residual variance, and the groups of the residual's shape."""
        widths = [(term, len(self._bank.places(term))) for term in terms]
        return sum(n for t, n in widths if t.of_scale), sum(n for t, n in widths if t.form == SHAPE)

    def _labels(self, term: Term) -> list[str]:
        if term.form == PRODUCT:
            width = len(self._bank.places(term))
            return [term.label] + [f"{term.label}: {k}" for k in range(2, width + 1)]
        if not term.parents:
            return [f"{SHAPE_LABEL}all rows"]
        name = term.parents[0]
        if term.form == PRESENCE:
            return [f"{SCALE_LABEL}{name} recorded"]
        if term.form == SHAPE:
            return [f"{SHAPE_LABEL}{name}: {group}" for group in self._nodes[name].group_names]
        features = self._nodes[name].features
        found = features.labels(features.forms[0] if term.form == SCALE else term.form)
        prefix = SCALE_LABEL if term.form == SCALE else ""
        return [f"{prefix}{name}: {label}" if label else f"{prefix}{name}" for label in found]

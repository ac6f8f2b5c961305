"""Formulas as text, read by a small evaluator over a list of allowed syntax: nothing is ever run as Python."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise

import numpy as np

from bayesynth.errors import InputError, Problem
from bayesynth.rules.values import Value, days

LONGEST = 2000
ARITHMETIC: Mapping[type, Callable] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
COMPARISONS: Mapping[type, Callable] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
ONE_NUMBER: Mapping[str, Callable] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "exp": np.exp,
    "floor": np.floor,
    "log": np.log,
    "sqrt": np.sqrt,
}
SEVERAL_NUMBERS: Mapping[str, Callable] = {"min": np.minimum, "max": np.maximum}
SPECIAL = ("blank", "cut", "date", "round", "where")
FUNCTIONS = tuple(sorted([*ONE_NUMBER, *SEVERAL_NUMBERS, *SPECIAL]))
_QUOTED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Expression:
    """A formula over columns, as text.

    Names are columns; one that is no Python name stands in backticks. Known are numbers, texts, arithmetic,
    comparisons, ``in (...)``, ``and``, ``or``, ``not`` and the functions ``abs``, ``blank``, ``ceil``, ``cut``,
    ``date``, ``exp``, ``floor``, ``log``, ``max``, ``min``, ``round``, ``sqrt`` and ``where``. Dates count in days.
    A blank makes what is computed from it blank, unless the rest decides: ``x > 3 or y > 3`` is true where x is 4 and y
    is blank. What is not a number, such as 1 / 0, is blank.

    Parameters
    ----------
    text : str
        The formula.

    Raises
    ------
    InputError
        If it cannot be read.

    Examples
    --------
    >>> Expression("weight / (height / 100) ** 2").columns
    ('height', 'weight')
    """

    text: str

    def __post_init__(self) -> None:
        _check(self._tree, self.text)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns that the formula reads, sorted."""
        called = {id(node.func) for node in ast.walk(self._tree) if isinstance(node, ast.Call)}
        names = {n.id for n in ast.walk(self._tree) if isinstance(n, ast.Name) and id(n) not in called}
        return tuple(sorted(self._column(name) for name in names))

    @cached_property
    def compared(self) -> tuple[tuple[str, str], ...]:
        """Pairs of a column and a text that the formula compares it with, in order."""
        found: dict[tuple[str, str], None] = {}
        for node in (n for n in ast.walk(self._tree) if isinstance(n, ast.Compare)):
            for side, other in _neighbours(node):
                items = other.elts if isinstance(other, (ast.Tuple, ast.List, ast.Set)) else [other]
                texts = [i.value for i in items if isinstance(i, ast.Constant) and isinstance(i.value, str)]
                if isinstance(side, ast.Name):
                    found |= {(self._column(side.id), text): None for text in texts}
        return tuple(found)

    def __call__(self, columns: Mapping[str, Value], n_rows: int) -> Value:
        """Work the formula out for every row.

        Raises
        ------
        InputError
            If numbers meet texts.
        """
        names = {node.id: self._column(node.id) for node in ast.walk(self._tree) if isinstance(node, ast.Name)}
        with np.errstate(all="ignore"):
            found = _Evaluation(self.text, {n: columns[c] for n, c in names.items() if c in columns}, n_rows)(
                self._tree.body
            )
        if found.is_text or found.data.dtype == bool:
            return found
        return Value(found.data, found.blank | ~np.isfinite(found.data))

    @cached_property
    def _tree(self) -> ast.Expression:
        if not isinstance(self.text, str) or not self.text.strip():
            raise _refusal(self.text, "it is no text")
        if len(self.text) > LONGEST:
            raise _refusal(self.text[:40] + " ...", f"it is longer than {LONGEST} characters")
        try:
            text = _QUOTED.sub(lambda found: f"_column_{self._quoted.index(found[1])}", self.text.strip())
            return ast.parse(text, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise _refusal(self.text, f"it cannot be read ({error})") from None

    @cached_property
    def _quoted(self) -> list[str]:
        return list(dict.fromkeys(_QUOTED.findall(self.text)))

    def _column(self, name: str) -> str:
        found = re.fullmatch(r"_column_(\d+)", name)
        return self._quoted[int(found[1])] if found and int(found[1]) < len(self._quoted) else name


def _neighbours(node: ast.Compare) -> list[tuple[ast.expr, ast.expr]]:
    """List the sides of each comparison of a chain, both ways round."""
    pairs = pairwise([node.left, *node.comparators])
    return [pair for a, b in pairs for pair in ((a, b), (b, a))]


def _refusal(text: object, why: str) -> InputError:
    remedy = f"use columns, numbers, texts, arithmetic, comparisons, and, or, not and {', '.join(FUNCTIONS)}"
    return InputError(Problem(f"the formula {text!r}", why, remedy))


def _check(tree: ast.Expression, text: str) -> None:
    """Refuse every piece of syntax that is not on the list."""
    operators = (*ARITHMETIC, *COMPARISONS, ast.In, ast.NotIn, ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd, ast.Load)
    shapes = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Name, ast.Tuple, ast.List, ast.Set)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
                raise _refusal(text, f"{ast.unparse(node)} calls no known function, or with named arguments")
        elif isinstance(node, ast.Constant):
            if not isinstance(node.value, (bool, int, float, str)):
                raise _refusal(text, f"{ast.unparse(node)} is neither a number nor a text")
        elif not isinstance(node, (*operators, *shapes)):
            raise _refusal(text, f"{type(node).__name__} is not allowed")


class _Evaluation:
    """One pass over a checked formula."""

    def __init__(self, text: str, columns: Mapping[str, Value], n_rows: int) -> None:
        self._text, self._columns, self._n_rows = text, columns, n_rows

    def __call__(self, node: ast.expr) -> Value:
        if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            raise _refusal(self._text, f"the list {ast.unparse(node)} stands where a value is needed")
        return getattr(self, f"_{type(node).__name__.lower()}")(node)

    def _name(self, node: ast.Name) -> Value:
        if node.id not in self._columns:
            raise _refusal(self._text, f"there is no column {node.id!r}")
        return self._columns[node.id]

    def _constant(self, node: ast.Constant) -> Value:
        dtype = object if isinstance(node.value, str) else float
        return Value(np.full(self._n_rows, node.value, dtype=dtype), np.zeros(self._n_rows, bool))

    def _binop(self, node: ast.BinOp) -> Value:
        a, b = self._number(node.left), self._number(node.right)
        found = ARITHMETIC[type(node.op)](a.data, b.data)
        return Value(found, a.blank | b.blank | ~np.isfinite(found))

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            a = self(node.operand)
            return Value(a.data == 0, a.blank)
        a = self._number(node.operand)
        return Value(-a.data if isinstance(node.op, ast.USub) else a.data, a.blank)

    def _boolop(self, node: ast.BoolOp) -> Value:
        parts = [self(value) for value in node.values]
        true, false = ([p.truth for p in parts], [~p.blank & (p.data == 0) for p in parts])
        if isinstance(node.op, ast.And):
            holds, fails = reduce(np.logical_and, true), reduce(np.logical_or, false)
        else:
            holds, fails = reduce(np.logical_or, true), reduce(np.logical_and, false)
        return Value(holds, ~(holds | fails))

    def _compare(self, node: ast.Compare) -> Value:
        holds, blank = np.ones(self._n_rows, bool), np.zeros(self._n_rows, bool)
        left = self(node.left)
        for sign, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(sign, (ast.In, ast.NotIn)):
                right, found = left, self._among(left, right_node)
                found = ~found if isinstance(sign, ast.NotIn) else found
            else:
                right = self(right_node)
                found = self._compared(type(sign), left, right)
            holds, blank = holds & found, blank | left.blank | right.blank
            left = right
        return Value(holds, blank)

    def _compared(self, sign: type, left: Value, right: Value) -> np.ndarray:
        self._alike(left, right)
        if left.is_text != right.is_text:  # one side is blank throughout
            return np.zeros(self._n_rows, bool)
        return COMPARISONS[sign](left.data, right.data).astype(bool)

    def _among(self, left: Value, node: ast.expr) -> np.ndarray:
        if not isinstance(node, (ast.Tuple, ast.List, ast.Set)):
            raise _refusal(self._text, "what stands after in is a list such as (1, 2)")
        found = np.zeros(self._n_rows, bool)
        for item in node.elts:
            right = self(item)
            found |= self._compared(ast.Eq, left, right) & ~right.blank
        return found

    def _call(self, node: ast.Call) -> Value:
        name = node.func.id
        if name in ONE_NUMBER:
            (a,) = self._numbers(node, 1, 1)
            found = ONE_NUMBER[name](a.data)
            return Value(found, a.blank | ~np.isfinite(found))
        if name in SEVERAL_NUMBERS:
            parts = self._numbers(node, 2, None)
            blank = reduce(np.logical_or, (p.blank for p in parts))
            return Value(reduce(SEVERAL_NUMBERS[name], (p.data for p in parts)), blank)
        return getattr(self, f"_call_{name}")(node)

    def _call_round(self, node: ast.Call) -> Value:
        places = int(self._literal(node.args[1])) if len(node.args) == 2 else 0
        (a,) = self._numbers(node, 1, 1, node.args[:1] if len(node.args) == 2 else node.args)
        return Value(np.round(a.data, places), a.blank)

    def _call_blank(self, node: ast.Call) -> Value:
        if len(node.args) != 1:
            raise _refusal(self._text, "blank takes one column")
        return Value(self(node.args[0]).blank, np.zeros(self._n_rows, bool))

    def _call_date(self, node: ast.Call) -> Value:
        text = self._literal(node.args[0]) if len(node.args) == 1 else None
        try:
            if not isinstance(text, str):
                raise ValueError
            value = days(text)
        except ValueError:
            raise _refusal(self._text, "date takes one text such as '2020-12-31'") from None
        return Value(np.full(self._n_rows, value), np.zeros(self._n_rows, bool))

    def _call_where(self, node: ast.Call) -> Value:
        if len(node.args) != 3:
            raise _refusal(self._text, "where takes a condition, a value where it holds and one where it does not")
        condition, yes, no = (self(arg) for arg in node.args)
        self._alike(yes, no)
        chosen = condition.truth
        return Value(
            np.where(chosen, yes.data, no.data), condition.blank | np.where(chosen, yes.blank, no.blank).astype(bool)
        )

    def _call_cut(self, node: ast.Call) -> Value:
        lists = [[self._literal(e) for e in a.elts] for a in node.args[1:] if isinstance(a, (ast.Tuple, ast.List))]
        (a,) = self._numbers(node, 1, 1, node.args[:1])
        edges = np.array(lists[0] if lists else [], dtype=object)
        good = len(lists) == len(node.args) - 1 and len(lists) in (1, 2) and len(edges) > 0
        if not good or any(isinstance(e, str) for e in edges) or np.any(np.diff(edges.astype(float)) <= 0):
            raise _refusal(self._text, "cut takes a number and rising edges: cut(age, (40, 60), ('a', 'b', 'c'))")
        labels = lists[1] if len(lists) == 2 else list(range(len(edges) + 1))
        if len(labels) != len(edges) + 1:
            raise _refusal(self._text, "cut takes one label more than edges")
        dtype = object if any(isinstance(label, str) for label in labels) else float
        return Value(np.array(labels, dtype=dtype)[np.searchsorted(edges.astype(float), a.data, "right")], a.blank)

    def _literal(self, node: ast.expr) -> bool | float | str:
        try:
            return ast.literal_eval(node)
        except ValueError:
            raise _refusal(self._text, f"{ast.unparse(node)} must be written out as a number or text") from None

    def _number(self, node: ast.expr) -> Value:
        found = self(node)
        if found.is_text and found.blank.all() and self._n_rows:
            return Value(np.zeros(self._n_rows), found.blank)
        if found.is_text:
            raise _refusal(self._text, f"{ast.unparse(node)} is text where a number is needed")
        return Value(found.data.astype(float), found.blank)

    def _numbers(self, node: ast.Call, least: int, most: int | None, args: list | None = None) -> list[Value]:
        args = node.args if args is None else args
        if len(args) < least or (most is not None and len(args) > most):
            raise _refusal(self._text, f"{node.func.id} is given {len(args)} values")
        return [self._number(arg) for arg in args]

    def _alike(self, a: Value, b: Value) -> None:
        blank = self._n_rows and (a.blank.all() or b.blank.all())
        if a.is_text != b.is_text and not blank:
            raise _refusal(self._text, "a number is compared with a text (a date is written date('2020-12-31'))")

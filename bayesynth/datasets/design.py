"""What a simulated network is asked to look like, checked before anything is drawn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from bayesynth.datasets.laws import LAWS
from bayesynth.errors import Problem, raise_all

DEFAULT_KINDS: Mapping[str, float] = {
    "binary": 0.25,
    "categorical": 0.15,
    "ordinal": 0.15,
    "continuous": 0.3,
    "count": 0.15,
}
MECHANISMS = ("mcar", "mar")


@dataclass(frozen=True)
class Design:
    """The arguments of `random_network`; all that is wrong with them is raised at once.

    Raises
    ------
    InputError
        Listing every argument that cannot be used.
    """

    n_columns: int
    kinds: Mapping[str, float] | Sequence[str] | None
    n_edges: int | None
    max_parents: int
    effect: float
    blanks: float
    blank_columns: float
    mechanism: str
    block_size: int

    def __post_init__(self) -> None:
        raise_all(_single_problems(self))
        raise_all(_joint_problems(self))

    @property
    def kind_names(self) -> list[str]:
        """One kind per column: as given, or shared out by largest remainder."""
        kinds = DEFAULT_KINDS if self.kinds is None else self.kinds
        return _shared_out(kinds, self.n_columns) if isinstance(kinds, Mapping) else list(kinds)

    @property
    def largest_n_edges(self) -> int:
        """Number of edges of the densest graph in which no column has more than ``max_parents``."""
        return sum(min(i, self.max_parents) for i in range(self.n_columns))

    @property
    def wanted_edges(self) -> int:
        """Number of edges: as given, or 1.5 per column as far as there is room."""
        if self.n_edges is not None:
            return self.n_edges
        return min(self.largest_n_edges, round(1.5 * self.n_columns))

    @property
    def n_blank_columns(self) -> int:
        """Number of columns that get blanks."""
        return math.floor(self.blank_columns * self.n_columns + 0.5) if self.blanks else 0


def _single_problems(design: Design) -> Iterator[Problem]:
    yield from _whole("n_columns", design.n_columns, 1)
    if design.n_edges is not None:
        yield from _whole("n_edges", design.n_edges, 0)
    yield from _whole("max_parents", design.max_parents, 0)
    yield from _whole("block_size", design.block_size, 1)
    yield from _between("effect", design.effect, 0, 5, low_allowed=False, high_allowed=True)
    yield from _between("blanks", design.blanks, 0, 1, low_allowed=True, high_allowed=False)
    yield from _between("blank_columns", design.blank_columns, 0, 1, low_allowed=True, high_allowed=True)
    if design.mechanism not in MECHANISMS:
        yield Problem(f"mechanism is {design.mechanism!r}", "blanks are cut by 'mcar' or 'mar'", "pass one of the two")
    yield from _kind_problems(design.kinds)


def _joint_problems(design: Design) -> Iterator[Problem]:
    if not isinstance(design.kinds, Mapping | None) and len(design.kinds) != design.n_columns:
        yield Problem(
            f"kinds names {len(design.kinds)} kinds and n_columns is {design.n_columns}",
            "a list of kinds has one for each column",
            "make the two agree, or pass proportions such as {'binary': 0.5, 'continuous': 0.5}",
        )
    if design.n_edges is not None and design.n_edges > design.largest_n_edges:
        yield Problem(
            f"n_edges is {design.n_edges}",
            f"{design.n_columns} columns with at most {design.max_parents} parents each hold {design.largest_n_edges}",
            "ask for fewer edges, or raise max_parents",
        )
    if design.mechanism == "mar" and 0 < design.n_columns == design.n_blank_columns:
        yield Problem(
            f"every one of the {design.n_columns} columns is to have blanks, with mechanism='mar'",
            "missing at random means that blanks depend on a column that is always observed, and none is left",
            "lower blank_columns, or pass mechanism='mcar'",
        )


def _kind_problems(kinds: Mapping[str, float] | Sequence[str] | None) -> Iterator[Problem]:
    remedy = "pass a list of kinds, or proportions such as {'binary': 0.5, 'continuous': 0.5}"
    if kinds is None:
        return
    if isinstance(kinds, str) or not isinstance(kinds, Mapping | Sequence):
        yield Problem(f"kinds is {kinds!r}", "it is neither a list of kinds nor proportions", remedy)
        return
    unknown = [kind for kind in kinds if kind not in LAWS]
    if unknown:
        known = ", ".join(repr(kind) for kind in LAWS)
        yield Problem(f"kinds holds {', '.join(map(repr, unknown))}", f"the simulator knows {known}", remedy)
    if isinstance(kinds, Mapping) and not _are_proportions(kinds):
        yield Problem(f"kinds is {dict(kinds)!r}", "proportions are finite, not negative and not all zero", remedy)


def _are_proportions(kinds: Mapping[str, float]) -> bool:
    shares = list(kinds.values())
    return all(_is_number(share) and share >= 0 for share in shares) and sum(shares) > 0


def _whole(name: str, value: object, least: int) -> Iterator[Problem]:
    if isinstance(value, Integral) and not isinstance(value, bool) and value >= least:
        return
    yield Problem(f"{name} is {value!r}", f"it counts, so it is a whole number of at least {least}", f"pass {name}=3")


def _between(
    name: str, value: object, low: float, high: float, *, low_allowed: bool, high_allowed: bool
) -> Iterator[Problem]:
    if _is_number(value):
        above = value >= low if low_allowed else value > low
        below = value <= high if high_allowed else value < high
        if above and below:
            return
    at_least, at_most = ("at least" if low_allowed else "above"), ("at most" if high_allowed else "below")
    yield Problem(f"{name} is {value!r}", f"it is a number {at_least} {low} and {at_most} {high}", f"pass {name}=0.5")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _shared_out(shares: Mapping[str, float], n: int) -> list[str]:
    """Share n columns out by largest remainder; ties go to the kind named first."""
    total = sum(shares.values())
    exact = {kind: n * share / total for kind, share in shares.items()}
    counts = Counter({kind: math.floor(value) for kind, value in exact.items()})
    by_remainder = sorted(exact, key=lambda kind: round(counts[kind] - exact[kind], 9))
    counts.update(by_remainder[: n - counts.total()])
    return [kind for kind in shares for _ in range(counts[kind])]

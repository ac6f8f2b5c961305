"""How synthetic tables came about: what a combining rule must know, and travels with the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from bayesynth.errors import InputError, Problem, raise_all

EACH_TABLE, EACH_ROW, FIXED = "each_table", "each_row", "fixed"
DRAWS = (EACH_TABLE, EACH_ROW, FIXED)
FULLY, PARTIALLY, IMPUTED = "fully", "partially", "imputed"
SYNTHESES = (FULLY, PARTIALLY, IMPUTED)


@dataclass(frozen=True)
class Provenance:
    """How synthetic tables came about: what the combining rules of an analysis need to know.

    Tables of other tools have one too, if you write it down.

    Parameters
    ----------
    n_real : int
        Rows of the confidential table.
    n_synthetic : int
        Rows of each synthetic table.
    m : int
        Number of tables.
    draws : {"each_table", "each_row", "fixed"}
        "each_table": one posterior draw behind each table (proper synthesis); "each_row": one behind each row; "fixed":
        parameters held at their estimates.
    structure : str
        Where the graph or model comes from, in a few words.
    blank_shares : mapping of str to float
        Share of blanks in each column of the confidential table.
    blanks : bool
        Whether the synthetic tables reproduce them.
    graph_drawn : bool
        Whether every table has a drawn graph behind it, so that the tables differ by what is not known of it; false if
        the graph was given, or is one point estimate.
    synthesis : {"fully", "partially", "imputed"}
        Whether all cells are synthetic, those of some columns, or only those that were blank.

    Raises
    ------
    InputError
        If one of them cannot be; lists all problems at once.

    Examples
    --------
    >>> Provenance(418, 418, 20, "each_table", "posterior over graphs", {"age": 0.0, "chol": 0.32}, True).incomplete()
    ('chol',)
    """

    n_real: int
    n_synthetic: int
    m: int
    draws: str
    structure: str
    blank_shares: Mapping[str, float] = field(default_factory=dict)
    blanks: bool = False
    graph_drawn: bool = False
    synthesis: str = FULLY

    def __post_init__(self) -> None:
        problems = []
        for name in ("n_real", "n_synthetic", "m"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                problems.append(Problem(f"{name}={value!r}", "it counts rows or tables", f"pass {name}=500, say"))
        for name, known in (("draws", DRAWS), ("synthesis", SYNTHESES)):
            if getattr(self, name) not in known:
                found = f"{name}={getattr(self, name)!r}"
                problems.append(Problem(found, "no rule is known for it", f"use one of {', '.join(known)}"))
        if outside := [name for name, share in self.blank_shares.items() if not 0 <= share <= 1]:
            found = f"blank_shares of {', '.join(map(repr, outside))}"
            problems.append(Problem(found, "a share lies between 0 and 1", "divide the blanks by the number of rows"))
        if self.n_synthetic != self.n_real and self.synthesis in (PARTIALLY, IMPUTED):
            found = f"{self.n_synthetic} rows for {self.n_real} real ones, {self.synthesis}"
            why = "tables that keep real cells have the real rows"
            problems.append(Problem(found, why, "make n_synthetic equal n_real"))
        raise_all(problems)

    def incomplete(self, columns: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Names of the columns that had blanks in the confidential table, among the given ones or among all.

        A column that was blank throughout is none of them: nothing was learned of it, and nothing can be asked.

        Raises
        ------
        InputError
            If a given column is not known.
        """
        chosen = tuple(self.blank_shares) if columns is None else tuple(columns)
        if lost := [name for name in chosen if name not in self.blank_shares]:
            known = ", ".join(map(str, self.blank_shares)) or "none"
            found = f"the provenance knows no column {', '.join(map(repr, lost))}"
            raise InputError(Problem(found, "whether it had blanks decides the rule", f"name columns among: {known}"))
        return tuple(name for name in chosen if 0 < self.blank_shares[name] < 1)

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self) | {"blank_shares": dict(self.blank_shares)}

    @classmethod
    def from_dict(cls, values: Mapping) -> Provenance:
        """Rebuild from plain values; unknown or missing ones are refused."""
        known = {f.name for f in fields(cls)}
        if set(values) != known:
            found = f"a provenance with the keys {sorted(values)}"
            raise InputError(Problem(found, "it must say everything and nothing else", f"use {sorted(known)}"))
        return cls(**values)

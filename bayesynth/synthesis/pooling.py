"""Which combining rule fits which analyses of some tables, for those who will receive them."""

from __future__ import annotations

from collections.abc import Sequence

from bayesynth.diagnostics import Provenance
from bayesynth.diagnostics.choosing import choose
from bayesynth.diagnostics.rules import AUTO, RULES
from bayesynth.errors import InputError


def cases(provenance: Provenance) -> list[tuple[str, Sequence[str]]]:
    """Tell columns with blanks in the real table from those without: they may need different rules."""
    blank = provenance.incomplete()
    complete = [name for name in provenance.blank_shares if name not in blank]
    named = [("columns that were complete", complete), ("columns with blanks in the real table", blank)]
    return [(case, columns) for case, columns in named if columns]


def rule_for(provenance: Provenance, columns: Sequence[str]) -> tuple[str, str, str]:
    """Give the rule, its formula and the reason; or say that there is none.

    Parameters
    ----------
    provenance : Provenance
        How the tables came about.
    columns : sequence of str
        The columns that are analysed.

    Returns
    -------
    kind, formula, why : str
        As `bayesynth.combine` would choose; the formula is empty where no rule fits.
    """
    try:
        kind, why = choose(AUTO, "population", provenance, tuple(columns), provenance.m, None)
    except InputError as error:
        problem = error.problems[0]
        return "none", "", f"{problem.why}; {problem.remedy}"
    return kind, RULES[kind].formula, why

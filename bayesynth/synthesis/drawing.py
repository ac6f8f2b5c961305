"""What may be asked of a fit that draws rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bayesynth.encoding.table import Encoding
from bayesynth.errors import Problem

DRAWS = ("each_row", "each_table")
ROWS_PER_REAL_ROW, MOST_ROWS, FEWEST_PER_REAL_ROW = 10, 20_000, 2


def rows_of_a_draw(n_real: int) -> int:
    """Rows of the table on which a posterior draw is judged: ten per real row, less in large tables, two at least."""
    return max(FEWEST_PER_REAL_ROW * n_real, min(ROWS_PER_REAL_ROW * n_real, MOST_ROWS))


def option_problems(encoding: Encoding, draws: str, blanks: bool, delta: Mapping[str, float] | None) -> list[Problem]:
    """Collect what is wrong with options of drawing."""
    problems = []
    if draws not in DRAWS:
        problems.append(
            Problem(f"draws={draws!r}", "there is no such way of drawing", f"use one of {', '.join(DRAWS)}")
        )
    if delta and blanks:
        problems.append(
            Problem("delta is given with blanks=True", "it shifts values that are then left blank", "add blanks=False")
        )
    nodes = encoding.nodes
    for name in delta or {}:
        if name not in nodes or nodes[name].marginal is None:
            problems.append(
                Problem(f"delta names {name!r}", "it is no numeric column of the model", "name a numeric column", name)
            )
        elif not (isinstance(delta[name], (int, float, np.number)) and np.isfinite(delta[name])):
            problems.append(
                Problem(
                    f"delta[{name!r}] is {delta[name]!r}",
                    "a shift is a finite number",
                    "pass 20.0, for example",
                    name,
                )
            )
    return problems


def count_problems(name: str, value: object) -> list[Problem]:
    """Say whether a number of rows or tables is none."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if whole and value > 0:
        return []
    why = "a number of rows or tables is a whole number above 0"
    return [Problem(f"{name}={value!r}", why, f"pass {name}=500, for example")]


def level_problems(level: float, draws: object) -> list[Problem]:
    """Say whether there are too few draws for the quantiles of an interval."""
    if problems := count_problems("draws", draws):
        return problems
    if not 0 < level < 1:
        return [Problem(f"level={level!r}", "it is a probability", "pass 0.95, for example")]
    fewest = int(np.ceil(2 / (1 - level) - 1e-9)) - 1  # the outermost quantile is then an outermost draw
    if draws >= fewest:
        return []
    why = f"a {100 * level:g}% interval is made of quantiles over draws"
    return [Problem(f"draws={draws}", why, f"pass at least {fewest}, better 400")]

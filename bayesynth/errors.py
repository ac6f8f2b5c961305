"""Every message of the library: three parts, collected before anything is raised, warnings classed by meaning."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that stands in the way.

    Parameters
    ----------
    found : str
        What was found, with the column and the value.
    why : str
        Why it cannot work.
    remedy : str
        What the user can do about it.
    column : str, optional
        The column concerned.
    """

    found: str
    why: str
    remedy: str
    column: str | None = None

    def __str__(self) -> str:
        found, why, remedy = (part.rstrip(".") for part in (self.found, self.why, self.remedy))
        return f"{found}: {why}; {remedy}."


class BayesynthError(Exception):
    """Base of every error that bayesynth raises on purpose."""


class InputError(BayesynthError, ValueError):
    """The table, the schema, the knowledge or an argument cannot be used; lists all problems at once."""

    def __init__(self, problems: Problem | Iterable[Problem]):
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(_listing(self.problems))


class SchemaError(InputError):
    """The schema contradicts itself, or the table contradicts the schema."""


class KnowledgeError(InputError):
    """The background knowledge contradicts itself or the table."""


class FileFormatError(BayesynthError):
    """A file cannot be read as what it claims to be."""


class BayesynthWarning(UserWarning):
    """Base of every warning that bayesynth issues."""


class SchemaWarning(BayesynthWarning):
    """A guess about a column that the user should look at."""


class DataWarning(BayesynthWarning):
    """Something in the table that limits what can be learned from it."""


class ConvergenceWarning(BayesynthWarning):
    """A sampler did not reach the convergence that the figures need."""


class ApproximationWarning(BayesynthWarning):
    """An approximation is not to be trusted here."""


class InferenceWarning(BayesynthWarning):
    """A pooled estimate rests on too few or too small tables, or part of it had to be left out."""


class VarianceWarning(InferenceWarning):
    """A combining rule gave a variance that is not positive, and it was replaced."""


class DisclosureWarning(BayesynthWarning):
    """Something that may reveal a person."""


def raise_all(problems: Iterable[Problem], error: type[InputError] = InputError) -> None:
    """Raise one error that lists all problems; do nothing when there is none."""
    problems = tuple(problems)
    if problems:
        raise error(problems)


def warn(problem: Problem, category: type[BayesynthWarning], stacklevel: int = 3) -> None:
    """Issue a problem as a warning of a given meaning."""
    warnings.warn(str(problem), category, stacklevel=stacklevel)


def _listing(problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return str(problems[0])
    lines = [f"{len(problems)} problems:"]
    return "\n".join(lines + [f"  {i}. {p}" for i, p in enumerate(problems, 1)])

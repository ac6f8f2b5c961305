"""The kinds and roles of columns."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of column."""

    BINARY = "binary"
    CATEGORICAL = "categorical"
    ORDINAL = "ordinal"
    COUNT = "count"
    CONTINUOUS = "continuous"
    DATETIME = "datetime"
    DURATION = "duration"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"


class Role(StrEnum):
    """What a column is for: modelled, an identifier, or personal text that is never learned."""

    MODELLED = "modelled"
    IDENTIFIER = "identifier"
    PERSONAL = "personal"


NOMINAL = frozenset({Kind.BINARY, Kind.CATEGORICAL, Kind.ORDINAL})
NUMERIC = frozenset({Kind.COUNT, Kind.CONTINUOUS})
TEMPORAL = frozenset({Kind.DATETIME, Kind.DURATION})
MAX_LEVELS = 100
MARGINALS = (
    "empirical",
    "auto",
    "normal",
    "log_normal",
    "student_t",
    "gamma",
    "beta",
    "truncated_normal",
    "uniform",
    "exponential",
    "negative_binomial",
    "poisson",
    "kernel",
)
LEVEL_POLICIES = ("keep", "merge_rare", "drop")
WITH_POLICY = frozenset({Kind.CATEGORICAL, Kind.ORDINAL})
OTHER = "other"
COUNT_MARGINALS = frozenset({"negative_binomial", "poisson"})
FACTS = frozenset({"kind", "levels", "bounds", "precision", "unit", "nullable", "role", "marginal", "tails", "fresh"})

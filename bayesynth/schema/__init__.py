"""Schema: the kinds of columns, what is known of each, and whether a table agrees."""

from bayesynth.schema.checks import frame_problems
from bayesynth.schema.column import Column
from bayesynth.schema.conditions import Between, IsIn, Missing, Observed, between, isin, missing, observed
from bayesynth.schema.fresh import Fake
from bayesynth.schema.kinds import Kind, Role
from bayesynth.schema.limits import disclosure_warnings, frame_warnings
from bayesynth.schema.schema import Schema
from bayesynth.schema.storage import Holds, Storage

__all__ = [
    "Between",
    "Column",
    "Fake",
    "Holds",
    "IsIn",
    "Kind",
    "Missing",
    "Observed",
    "Role",
    "Schema",
    "Storage",
    "between",
    "disclosure_warnings",
    "frame_problems",
    "frame_warnings",
    "isin",
    "missing",
    "observed",
]

"""Judging synthetic tables of any origin: frames in, result tables out; no engine."""

from bayesynth.diagnostics.fidelity import MEASURES, fidelity
from bayesynth.diagnostics.reading import TableReader, schema_of, tables_of
from bayesynth.diagnostics.sdmetrics_scores import SDMetricsScores, sdmetrics_scores

__all__ = [
    "MEASURES",
    "SDMetricsScores",
    "TableReader",
    "fidelity",
    "schema_of",
    "sdmetrics_scores",
    "tables_of",
]

"""Judging synthetic tables of any origin: frames in, result tables out; no engine."""

from bayesynth.diagnostics.assess import assess_tables
from bayesynth.diagnostics.combining import combine
from bayesynth.diagnostics.pooled import Pooled
from bayesynth.diagnostics.provenance import Provenance
from bayesynth.diagnostics.reading import TableReader, schema_of, tables_of
from bayesynth.diagnostics.risk import assess_risk, release_text
from bayesynth.diagnostics.sdmetrics_scores import SDMetricsScores, sdmetrics_scores

__all__ = [
    "Pooled",
    "Provenance",
    "SDMetricsScores",
    "TableReader",
    "assess_risk",
    "assess_tables",
    "combine",
    "release_text",
    "schema_of",
    "sdmetrics_scores",
    "tables_of",
]

"""Judging synthetic tables of any origin: frames in, result tables out; no engine."""

from bayesynth.diagnostics.fidelity import MEASURES, fidelity
from bayesynth.diagnostics.reading import TableReader, schema_of, tables_of

__all__ = ["MEASURES", "TableReader", "fidelity", "schema_of", "tables_of"]

"""From a table to a fit, and from a fit to tables."""

from bayesynth.diagnostics import Provenance
from bayesynth.synthesis.completing import CompletedTables
from bayesynth.synthesis.files import load
from bayesynth.synthesis.fit import Fit
from bayesynth.synthesis.settings import Settings
from bayesynth.synthesis.structure import StructurePosterior
from bayesynth.synthesis.summaries import Probability
from bayesynth.synthesis.synthesizer import Synthesizer
from bayesynth.synthesis.table_files import load_tables
from bayesynth.synthesis.tables import SyntheticTables

__all__ = [
    "CompletedTables",
    "Fit",
    "Probability",
    "Provenance",
    "Settings",
    "StructurePosterior",
    "Synthesizer",
    "SyntheticTables",
    "load",
    "load_tables",
]

"""Scores of families in bulk, the search space, the search for graphs, and their posterior."""

from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.fitted import fitted_family
from bayesynth.structure.greedy import SearchOptions, Structure, as_structure, search
from bayesynth.structure.learn import LearnedStructure, learn_structure
from bayesynth.structure.local import EvidenceScore
from bayesynth.structure.missingness import BlockEvidence, block_evidence
from bayesynth.structure.options import STRUCTURES, StructureOptions
from bayesynth.structure.partition import disagreement
from bayesynth.structure.space import SearchSpace

__all__ = [
    "STRUCTURES",
    "BlockEvidence",
    "EvidenceCache",
    "EvidenceScore",
    "LearnedStructure",
    "SearchOptions",
    "SearchSpace",
    "Structure",
    "StructureOptions",
    "as_structure",
    "block_evidence",
    "disagreement",
    "fitted_family",
    "learn_structure",
    "search",
]

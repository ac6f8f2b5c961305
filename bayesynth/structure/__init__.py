"""Scores of families in bulk, the search space, and the search for graphs."""

from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.greedy import SearchOptions, Structure, as_structure, search
from bayesynth.structure.space import SearchSpace

__all__ = ["EvidenceCache", "SearchOptions", "SearchSpace", "Structure", "as_structure", "search"]

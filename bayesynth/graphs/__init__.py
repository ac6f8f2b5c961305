"""Graphs between nodes: acyclic graphs, background knowledge, equivalence classes. The only door to networkx."""

from bayesynth.graphs.dag import DAG, Edge, find_cycle
from bayesynth.graphs.equivalence import CPDAG, cpdag, structural_hamming_distance
from bayesynth.graphs.knowledge import Knowledge

__all__ = ["CPDAG", "DAG", "Edge", "Knowledge", "cpdag", "find_cycle", "structural_hamming_distance"]

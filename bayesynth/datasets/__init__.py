"""Small real tables with provenance, and simulators with known truth."""

from bayesynth.datasets.network import Edge, MissingnessBlock, RandomNetwork
from bayesynth.datasets.simulate import Simulated, random_network, simulate_network
from bayesynth.datasets.tables import describe_dataset, list_datasets, load_dataset

__all__ = [
    "Edge",
    "MissingnessBlock",
    "RandomNetwork",
    "Simulated",
    "describe_dataset",
    "list_datasets",
    "load_dataset",
    "random_network",
    "simulate_network",
]

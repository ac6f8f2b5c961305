"""Small real tables with provenance, and simulators with known truth."""

from bayesynth.datasets.tables import describe_dataset, list_datasets, load_dataset

__all__ = ["describe_dataset", "list_datasets", "load_dataset"]

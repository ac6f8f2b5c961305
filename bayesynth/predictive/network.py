"""A fitted network: everything that is needed to draw rows, and no row of the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bayesynth.encoding.table import Encoding
from bayesynth.graphs import DAG
from bayesynth.inference import FamilyPosterior


@dataclass(frozen=True)
class FittedNetwork:
    """One graph and the posterior of every family in it.

    Parameters
    ----------
    encoding : Encoding
        The nodes.
    dag : DAG
        The graph, structural edges included.
    families : mapping of str to FamilyPosterior
        By child.
    """

    encoding: Encoding
    dag: DAG
    families: Mapping[str, FamilyPosterior]

    @property
    def n_draws(self) -> int:
        """Posterior draws of each family."""
        first = next(iter(self.families.values()), None)
        return 1 if first is None else len(next(iter(first.flat().values())))

"""A fitted network: everything that is needed to draw rows, and no row of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from bayesynth.encoding.table import Encoding
from bayesynth.graphs import DAG
from bayesynth.inference import FamilyPosterior, MarginalPosterior


@dataclass(frozen=True)
class FittedNetwork:
    """Graphs, equally likely, and the posterior of every family in them.

    Parameters
    ----------
    encoding : Encoding
        The nodes.
    families : mapping of str to FamilyPosterior
        Every family by its name.
    graphs : tuple of mapping of str to str
        For each graph, the name of every node's family.
    """

    encoding: Encoding
    families: Mapping[str, FamilyPosterior]
    graphs: tuple[Mapping[str, str], ...]

    @cached_property
    def marginals(self) -> dict[str, MarginalPosterior]:
        """Posteriors of the marginals that have parameters, as "marginal/column"."""
        numeric = {name: node.marginal for name, node in self.encoding.nodes.items() if node.marginal}
        found = [MarginalPosterior.of(name, m) for name, m in numeric.items() if m.parameters]
        return {posterior.name: posterior for posterior in found}

    @property
    def n_draws(self) -> int:
        """Posterior draws of each family."""
        first = next(iter(self.families.values()), None)
        return 1 if first is None else len(next(iter(first.flat().values())))

    @cached_property
    def dags(self) -> tuple[DAG, ...]:
        """The graphs, structural edges included."""
        nodes, structural = tuple(self.encoding.nodes), frozenset(self.encoding.structural_edges)
        found = []
        for graph in self.graphs:
            edges = {(p, child) for child, name in graph.items() for p in self.families[name].design.parents}
            found.append(DAG(nodes, structural | edges))
        return tuple(found)

    def upstream(self, graph: int, names: Iterable[str]) -> frozenset[str]:
        """Name some nodes and all that they depend on in a graph, directly or not."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.dags[graph].parents(name))
        return frozenset(found)

    @cached_property
    def shares(self) -> dict[str, float]:
        """Share of the graphs in which each family stands."""
        counts = dict.fromkeys(self.families, 0)
        for graph in self.graphs:
            for name in graph.values():
                counts[name] += 1
        return {name: count / len(self.graphs) for name, count in counts.items()}

"""The posterior over graphs, as a researcher asks about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth._html import Markup, card, legend, table
from bayesynth.errors import ConvergenceWarning, InputError, Problem, raise_all, warn
from bayesynth.graphs import CPDAG, DAG, cpdag
from bayesynth.graphs.ensembles import adjacency_of, ancestors, as_dag, averaged, separated
from bayesynth.graphs.export import to_dot, to_graphml
from bayesynth.inference import worst_figures
from bayesynth.structure import LearnedStructure, SearchSpace, disagreement
from bayesynth.structure.partition import LARGEST_MEAN_SD, LARGEST_SD, MOVES
from bayesynth.synthesis.edges import comparison, edge_table

if TYPE_CHECKING:
    import networkx as nx

SETTLED, IDENTIFIED, EITHER_WAY = "by knowledge", "identified", "either way"
SURE = 0.9  # share of the graphs with an edge in which its direction is compelled, for it to count as identified
CLASSES = 200  # graphs over which directions are averaged that their equivalence class settles
MEANING = {
    "posterior": "draws from the posterior over graphs",
    "bootstrap": "greedy graphs of resampled tables: shares of agreement, not posterior probabilities",
    "greedy": "one greedy graph: no uncertainty about it is expressed",
}


@dataclass(frozen=True, repr=False)
class StructurePosterior:
    """What is known of the graph: drawn graphs, and every question one may ask of them.

    A probability here is the share of drawn graphs in which something holds. Data cannot tell all directions: graphs of
    one Markov equivalence class fit equally well, so look at ``adjacency`` first, and at ``direction`` with care. An
    edge is an association in the model, not a cause.

    Parameters
    ----------
    how : {"posterior", "bootstrap", "greedy"}
        What the draws are: `meaning` says it in words.
    nodes : tuple of str
        Columns, then missingness blocks.
    blocks : tuple of str
        Those nodes that are missingness blocks.
    structural : frozenset of (str, str)
        Edges that hold by construction: a block into the columns whose blanks it is.
    settled : frozenset of (str, str)
        Edges whose reverse the user's knowledge rules out.
    drawn : ndarray of bool, shape (runs, draws, p, p)
        Adjacency matrices, [..., i, j] for i -> j, structural edges included.
    log_scores : ndarray, shape (runs, draws)
        Log evidence plus log prior of each graph.
    best : DAG
        The best graph that was found.
    best_log_score : float
        Its log score.
    acceptance : ndarray, shape (runs, 4)
        Share of accepted moves of each kind.
    swap_rates : ndarray, shape (runs, temperatures - 1)
        Share of accepted swaps of neighbouring temperatures.
    steps : int
        Steps of each run.
    """

    how: str
    nodes: tuple[str, ...]
    blocks: tuple[str, ...]
    structural: frozenset[tuple[str, str]]
    settled: frozenset[tuple[str, str]]
    drawn: np.ndarray
    log_scores: np.ndarray
    best: DAG
    best_log_score: float
    acceptance: np.ndarray
    swap_rates: np.ndarray
    steps: int

    @classmethod
    def of(cls, learned: LearnedStructure, blocks: Iterable[str], space: SearchSpace) -> StructurePosterior:
        """Name what has been learned."""
        allowed = {(parent, child) for child, parents in space.allowed.items() for parent in parents}
        required = {(parent, child) for child, parents in space.required.items() for parent in parents}
        settled = {(a, b) for a, b in allowed if (b, a) not in allowed} | required
        return cls(
            learned.how,
            learned.nodes,
            tuple(blocks),
            frozenset(space.structural),
            frozenset(settled),
            learned.drawn,
            learned.log_scores,
            as_dag(learned.nodes, learned.best),
            learned.best_log_score,
            learned.acceptance,
            learned.swap_rates,
            learned.steps,
        )

    # --- draws -------------------------------------------------------------------------------------------------------

    @property
    def meaning(self) -> str:
        """What the draws are, in words."""
        return MEANING[self.how]

    @property
    def n_draws(self) -> int:
        """Drawn graphs of all runs."""
        return self._flat.shape[0]

    @property
    def weights(self) -> np.ndarray:
        """Weight of each drawn graph, shape (n_draws,); they are equal and sum to 1."""
        return np.full(self.n_draws, 1.0 / self.n_draws)

    def draws(self, n: int | None = None) -> list[nx.DiGraph]:
        """Give n of the drawn graphs, spread evenly over the runs, or all of them."""
        n = self.n_draws if n is None else min(n, self.n_draws)
        return [as_dag(self.nodes, self._flat[i]).to_networkx() for i in self._spread(n)]

    # --- edges -------------------------------------------------------------------------------------------------------

    def edge_matrix(self) -> pd.DataFrame:
        """Probability of every edge; rows are parents, columns are children."""
        return pd.DataFrame(self._probability, index=list(self.nodes), columns=list(self.nodes))

    def edge_probabilities(self) -> pd.DataFrame:
        """Every pair of nodes that is adjacent in some graph as a row, most probable first.

        Columns: ``parent`` and ``child``, in the more probable direction; ``adjacency``, the probability that the two
        are joined at all; ``probability`` of the edge in this direction, and ``reverse`` in the other; ``direction``,
        the probability of this direction given that they are joined; ``compelled``, the probability that they are
        joined this way and that no graph of the same equivalence class has it otherwise; ``error``, the standard error
        of ``adjacency`` between runs; ``in_best``, whether the best graph has the edge, either way. Structural edges
        are left out: they hold by construction.
        """
        return edge_table(self.nodes, self.drawn.mean(axis=1), self._compelled, self.best, self.structural)

    def direction(self, parent: str, child: str) -> str:
        """Say whether the direction of an edge is "by knowledge", "identified" by the data, or "either way".

        It is identified if in nine tenths of the graphs with the edge no graph of the same equivalence class has it the
        other way.
        """
        i, j = self._places([parent, child])
        if (parent, child) in self.settled | self.structural:
            return SETTLED
        present = self._probability[i, j]
        return IDENTIFIED if present > 0 and self._compelled[i, j] >= SURE * present else EITHER_WAY

    def path_probability(self, ancestor: str, descendant: str) -> float:
        """Probability that a directed path leads from one node to another."""
        i, j = self._places([ancestor, descendant])
        return float(self._ancestors[:, i, j].mean())

    def markov_blanket(self, node: str) -> pd.DataFrame:
        """Every other node with the probability that it belongs to a node's Markov blanket, and in which role.

        Given its blanket (parents, children, and other parents of its children) a node is independent of all others.
        """
        (i,) = self._places([node])
        flat = self._flat
        parent, child = flat[:, :, i], flat[:, i, :]
        partner = (flat & child[:, None, :]).any(axis=2)
        partner[:, i] = False
        figures = {
            "probability": parent | child | partner,
            "parent": parent,
            "child": child,
            "co_parent": partner,
        }
        found = pd.DataFrame({name: values.mean(axis=0) for name, values in figures.items()}, index=list(self.nodes))
        found = found.drop(index=node).rename_axis("node").reset_index()
        found = found[found["probability"] > 0]
        return found.sort_values("probability", ascending=False, kind="stable", ignore_index=True)

    def d_separated(self, first: str, second: str, given: Sequence[str] = ()) -> float:
        """Probability that two nodes are d-separated by others: that the graph makes them independent given those."""
        if isinstance(given, str):
            given = [given]
        i, j, *others = self._places([first, second, *given])
        return float(separated(self._flat[self._spread(2000)], i, j, others).mean())

    # --- single graphs -----------------------------------------------------------------------------------------------

    def graph(self, threshold: float = 0.5) -> nx.DiGraph:
        """Give the averaged graph: pairs that are adjacent with at least this probability.

        Pairs enter by falling probability, in their more probable direction, turned where that would close a circle.
        Edges carry ``probability`` of that direction, ``adjacency`` and ``structural``; nodes ``kind`` ("column" or
        "missingness"). ``graph.graph["dropped"]`` lists pairs that fitted in neither way.

        Raises
        ------
        InputError
            If the threshold is not between 0 and 1.
        """
        if not 0 < threshold <= 1:
            why, remedy = "it is a probability above 0", "pass 0.5, for example"
            raise InputError(Problem(f"threshold={threshold!r}", why, remedy))
        p = self._probability
        always = adjacency_of(DAG(self.nodes, self.structural), self.nodes)
        found, dropped = averaged(p, threshold, always)
        graph = self._annotated(as_dag(self.nodes, found))
        graph.graph["dropped"] = [(self.nodes[a], self.nodes[b]) for a, b in dropped]
        return graph

    def map_graph(self) -> nx.DiGraph:
        """Give the best graph that was found, with the probability of each of its edges."""
        return self._annotated(self.best)

    def cpdag(self, threshold: float | None = None) -> CPDAG:
        """Give the equivalence class of the best graph, or of the averaged graph at a threshold."""
        return cpdag(self.best if threshold is None else DAG.from_networkx(self.graph(threshold)))

    def compare(self, other: nx.DiGraph | DAG) -> pd.DataFrame:
        """Compare with a graph of your own, on the nodes that both have.

        Rows: the averaged graph, the best graph, and the mean over drawn graphs. Columns: ``shd``, the pairs on which
        the equivalence classes disagree; ``precision`` and ``recall`` of adjacent pairs with the other graph as truth.
        """
        theirs = other if isinstance(other, DAG) else DAG.from_networkx(other)
        mine = {"averaged graph": [DAG.from_networkx(self.graph())], "best graph": [self.best]}
        mine["mean of draws"] = [as_dag(self.nodes, self._flat[i]) for i in self._spread(CLASSES)]
        return comparison(self.nodes, mine, theirs)

    def to_graphml(self, threshold: float = 0.5) -> str:
        """Write the averaged graph as GraphML."""
        graph = self.graph(threshold)
        graph.graph.clear()
        return to_graphml(graph)

    def to_dot(self, threshold: float = 0.5) -> str:
        """Write the averaged graph in the DOT language of Graphviz."""
        return to_dot(self.graph(threshold))

    # --- trust -------------------------------------------------------------------------------------------------------

    @cached_property
    def converged(self) -> bool | None:
        """Whether independent runs agree on the probability of every edge; None where there is nothing to agree on."""
        largest, mean = self._disagreement
        if np.isnan(largest):
            return None
        return bool(largest <= LARGEST_SD and mean <= LARGEST_MEAN_SD)

    def convergence(self) -> pd.Series:
        """Figures behind `converged`.

        ``largest_sd`` and ``mean_sd`` are standard deviations between runs of the edge probabilities (to pass: at most
        0.05 and 0.01); ``rhat`` and ``ess`` are of the log score; ``rhat_of_edges`` and ``ess_of_edges`` are the worst
        among edges with probability between 0.05 and 0.95; then come acceptance rates of the moves and swap rates of
        neighbouring temperatures.
        """
        largest, mean = self._disagreement
        found = {
            "converged": self.converged,
            "runs": self.drawn.shape[0],
            "draws": self.drawn.shape[1],
            "steps": self.steps,
            "largest_sd": largest,
            "mean_sd": mean,
        }
        if self.steps:
            found["rhat"], found["ess"], _ = worst_figures(self.log_scores[:, :, None])
            uncertain = np.argwhere((self._probability > 0.05) & (self._probability < 0.95))
            edges = self.drawn[:, :, uncertain[:, 0], uncertain[:, 1]].astype(float)
            worst = worst_figures(edges) if len(uncertain) else (np.nan, np.nan)
            found["rhat_of_edges"], found["ess_of_edges"] = worst[:2]
            found |= {f"accepted: {m}": v for m, v in zip(MOVES, self.acceptance.mean(axis=0), strict=True)}
            found |= {f"swaps: {i} and {i + 1}": v for i, v in enumerate(self.swap_rates.mean(axis=0))}
        return pd.Series(found, dtype=object, name="structure")

    def verdict(self) -> str:
        """Say in one line whether the draws may be trusted."""
        largest, mean = self._disagreement
        if self.converged is None:
            return self.meaning
        word = "runs agree" if self.converged else "NOT CONVERGED: runs disagree"
        return f"{word} (SD of edge probabilities: largest {largest:.3f}, mean {mean:.4f})"

    def __repr__(self) -> str:
        facts = "\n".join(f"  {name:<12}{value}" for name, value in self._facts())
        return f"Structure of {len(self.nodes)} nodes\n{facts}"

    def _repr_html_(self) -> str:
        top = self.edge_probabilities().head(8)
        rows = [
            (a, b, f"{p:.2f}", f"{d:.2f}") for a, b, p, d in top[["parent", "child", "adjacency", "direction"]].values
        ]
        body = table(("", ""), self._facts()) + table(("parent", "child", "P(adjacent)", "P(direction)"), rows)
        body += legend("edge_probabilities() has them all. Directions are only learnable up to equivalence.")
        return card("Structure posterior", self.meaning, Markup(body))

    def _facts(self) -> list[tuple[str, str]]:
        adjacent = np.triu(self._probability + self._probability.T, 1)
        return [
            ("draws", f"{self.n_draws} graphs: {self.meaning}"),
            ("relations", f"{(adjacent > 0.95).sum()} above 0.95, {(adjacent > 0.5).sum()} above 0.5"),
            ("best graph", f"{len(self.best.edges)} edges, log score {self.best_log_score:.1f}"),
            ("trust", self.verdict()),
        ]

    # --- cached ------------------------------------------------------------------------------------------------------

    @cached_property
    def _flat(self) -> np.ndarray:
        runs, draws, *shape = self.drawn.shape
        return self.drawn.reshape(runs * draws, *shape)  # also where there is no node

    @cached_property
    def _probability(self) -> np.ndarray:
        return self._flat.mean(axis=0)

    @cached_property
    def _disagreement(self) -> tuple[float, float]:
        return disagreement(self.drawn.mean(axis=1)) if self.how == "posterior" else (np.nan, np.nan)

    @cached_property
    def _ancestors(self) -> np.ndarray:
        return ancestors(self._flat[self._spread(2000)])

    @cached_property
    def _compelled(self) -> np.ndarray:
        found, places = np.zeros((len(self.nodes),) * 2), self._spread(CLASSES)
        for i in places:
            directed = cpdag(as_dag(self.nodes, self._flat[i])).directed
            found += adjacency_of(DAG(self.nodes, directed), self.nodes)
        return found / len(places)

    def _spread(self, n: int) -> np.ndarray:
        """Positions of at most n draws, spread evenly."""
        return np.unique(np.linspace(0, self.n_draws - 1, min(n, self.n_draws)).astype(int))

    def _places(self, names: Sequence[str]) -> list[int]:
        raise_all(
            Problem(
                f"there is no node {name!r}", "it is no column and no missingness block", f"use {', '.join(self.nodes)}"
            )
            for name in names
            if name not in self.nodes
        )
        return [self.nodes.index(name) for name in names]

    def _annotated(self, dag: DAG) -> nx.DiGraph:
        graph, p = dag.to_networkx(), self.edge_matrix()
        for name in graph.nodes:
            graph.nodes[name]["kind"] = "missingness" if name in self.blocks else "column"
        for a, b, facts in graph.edges(data=True):
            facts["probability"] = float(p.at[a, b])
            facts["adjacency"] = float(p.at[a, b] + p.at[b, a])
            facts["structural"] = (a, b) in self.structural
        return graph


def warn_of_disagreement(structure: StructurePosterior) -> None:
    """Warn if independent runs of the sampler disagree."""
    if structure.converged is False:
        found = f"independent runs of the graph sampler disagree: {structure.verdict()}"
        why = (
            f"edge probabilities count as known when that SD is at most {LARGEST_SD}, and {LARGEST_MEAN_SD} on average"
        )
        remedy = "give it longer, StructureOptions(rounds=...), or settle edges with Knowledge(...)"
        warn(Problem(found, why, remedy), ConvergenceWarning, stacklevel=4)

"""From a table to what is known of its graph: a posterior sample, a bootstrap, or one greedy graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from bayesynth._threads import one_blas_thread
from bayesynth.encoding.design import Term
from bayesynth.encoding.table import EncodedTable
from bayesynth.structure.candidates import TableBuilder
from bayesynth.structure.classical import ClassicalScore
from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.exact import best_graph
from bayesynth.structure.forms import FormDraws
from bayesynth.structure.greedy import SearchOptions, Structure, search
from bayesynth.structure.hillclimb import climb
from bayesynth.structure.local import EvidenceScore, LocalScore
from bayesynth.structure.options import StructureOptions
from bayesynth.structure.partition import GraphDraws, sample_graphs
from bayesynth.structure.refine import RefinedScore, refine_family
from bayesynth.structure.space import SearchSpace
from bayesynth.structure.tables import ScoreTables

Families = Mapping[str, tuple[Term, ...]]
Advance = Callable[[str, float], None]
"""Told what is being done, and which share of the whole is now behind."""
SCOUTS = 8  # times that graphs are drawn to see which candidates and parent sets matter
SETTLED = 0.03  # share of drawn families whose scores may be foreseen rather than exact


@dataclass(frozen=True)
class LearnedStructure:
    """What is known of the graph.

    Parameters
    ----------
    how : str
        "posterior", "bootstrap" or "greedy".
    nodes : tuple of str
        Nodes.
    drawn : ndarray of bool, shape (runs, draws, p, p)
        Adjacency of drawn graphs, structural edges included; [..., i, j] for i -> j.
    log_scores : ndarray, shape (runs, draws)
        Log score of each of them.
    best : ndarray of bool, shape (p, p)
        The best graph that was found.
    best_log_score : float
        Its log score.
    acceptance, swap_rates : ndarray
        Of the sampler's moves and temperatures, by run; empty without a sampler.
    steps : int
        Steps of each run.
    families : tuple of mapping of str to tuple of Term
        Terms of every node in each of the graphs that stand for all of them.
    """

    how: str
    nodes: tuple[str, ...]
    drawn: np.ndarray
    log_scores: np.ndarray
    best: np.ndarray
    best_log_score: float
    acceptance: np.ndarray
    swap_rates: np.ndarray
    steps: int
    families: tuple[Families, ...]


@one_blas_thread()
def learn_structure(
    evidence: EvidenceCache,
    space: SearchSpace,
    how: str,
    search_options: SearchOptions,
    options: StructureOptions,
    rng: np.random.Generator,
    advance: Advance,
) -> LearnedStructure:
    """Learn the graph in one of the three ways.

    Parameters
    ----------
    evidence : EvidenceCache
        Scores families of the table.
    space : SearchSpace
        Legal parents and the prior.
    how : {"posterior", "bootstrap", "greedy"}
        Sample the posterior; search greedily on resampled tables; or search once.
    search_options : SearchOptions
        How greedy search looks.
    options : StructureOptions
        How the posterior is sampled.
    rng : Generator
        Randomness.
    advance : callable
        Told of progress.
    """
    if how == "greedy" or not space.nodes:
        advance("searching for the graph", 0.0)
        found = search(evidence, space, search_options, rng)
        return _of_graphs(how, space, [found], found, (found.families,))
    if how == "bootstrap":
        return _bootstrap(evidence, space, search_options, options, rng, advance)
    return _posterior(evidence, space, search_options, options, rng, advance)


def _bootstrap(
    evidence: EvidenceCache,
    space: SearchSpace,
    search_options: SearchOptions,
    options: StructureOptions,
    rng: np.random.Generator,
    advance: Advance,
) -> LearnedStructure:
    """Search greedily on tables of resampled rows (Friedman, Goldszmidt and Wyner 1999): stability, not a posterior."""
    found = []
    plain = replace(search_options, refine=False)
    best = search(evidence, space, search_options, rng)
    for i in range(options.bootstraps):
        advance("searching resampled tables", i / options.bootstraps)
        table = resampled(evidence.table, rng)
        found.append(search(EvidenceCache(table, evidence.prior), space, plain, rng))
    chosen = [found[i] for i in _evenly(len(found), options.graphs)]
    families = _Refined(evidence, space, search_options.refine)
    return _of_graphs("bootstrap", space, found, best, tuple(families.of(s.families) for s in chosen))


def resampled(table: EncodedTable, rng: np.random.Generator) -> EncodedTable:
    """Draw as many rows with replacement."""
    rows = rng.integers(table.n_rows, size=table.n_rows)
    parts = {
        name: {node: values[rows] for node, values in getattr(table, name).items()}
        for name in ("values", "responses", "defined")
    }
    return replace(table, **parts)


def _posterior(
    evidence: EvidenceCache,
    space: SearchSpace,
    search_options: SearchOptions,
    options: StructureOptions,
    rng: np.random.Generator,
    advance: Advance,
) -> LearnedStructure:
    advance("searching for a first graph", 0.0)
    score_rng, climb_rng, chain_rng, form_rng = rng.spawn(4)
    local, known = _local_score(evidence, space, search_options, options, score_rng)
    advance("scoring parent sets", 0.05)
    builder = TableBuilder(local, space, known, options.candidates, options.max_parents)
    tables = builder.tables()
    best, _ = climb(tables, climb_rng)
    scout = replace(options, rounds=1, draws=max(10, options.draws // 4))
    for i in range(SCOUTS):
        advance("looking for what matters", 0.3 + 0.2 * i / SCOUTS)
        draws = sample_graphs(tables, scout, chain_rng, best)
        masks = draws.masks.reshape(-1, tables.n_nodes)
        added, unsettled = builder.enlarge(tables, masks), builder.settle(tables, masks)
        if not added and unsettled <= SETTLED:
            break
        tables = builder.tables()
        best, _ = climb(tables, climb_rng)
    advance("sampling graphs", 0.5)
    share = [0.5]

    def more(part: float) -> None:
        share[0] += part / 2
        advance("sampling graphs", share[0])

    draws = sample_graphs(tables, options, chain_rng, best, advance=more)
    best, best_log_score = _best(tables, draws, best, options, climb_rng)
    flat = draws.masks.reshape(-1, tables.n_nodes)
    chosen = [_families(tables, space, local, flat[i]) for i in _evenly(len(flat), options.graphs)]
    if search_options.refine and options.score == "evidence":
        advance("drawing forms", 1.0)
        forms = FormDraws(evidence, space, form_rng)
        chosen = [{child: forms.draw(child, terms) for child, terms in families.items()} for families in chosen]
    return LearnedStructure(
        "posterior",
        space.nodes,
        tables.adjacency(draws.masks),
        draws.log_scores,
        tables.adjacency(best),
        best_log_score,
        draws.acceptance,
        draws.swap_rates,
        draws.steps,
        tuple(chosen),
    )


def _local_score(
    evidence: EvidenceCache,
    space: SearchSpace,
    search_options: SearchOptions,
    options: StructureOptions,
    rng: np.random.Generator,
) -> tuple[LocalScore, dict[str, list[str]]]:
    """Find what scores parent sets, and the parents in a first good graph."""
    if options.score != "evidence":
        return ClassicalScore(evidence.table, options.score, options.equivalent_sample_size), {}
    greedy = search(evidence, space, replace(search_options, refine=False), rng)
    known = {child: sorted({p for t in terms for p in t.parents}) for child, terms in greedy.families.items()}
    kind = RefinedScore if search_options.refine else EvidenceScore
    return kind(evidence, space, greedy.families), known


def _best(
    tables: ScoreTables, draws: GraphDraws, known: np.ndarray, options: StructureOptions, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """Find the best graph: exactly, or by climbing from the better of the sample's best and the first climb's."""
    if options.exact_best:
        return best_graph(tables)
    run, draw = np.unravel_index(np.argmax(draws.log_scores), draws.log_scores.shape)
    start = max(draws.masks[run, draw], known, key=tables.log_score)
    return climb(tables, rng, start=start)


def _families(tables: ScoreTables, space: SearchSpace, local: LocalScore, masks: np.ndarray) -> Families:
    """Terms of a graph's families; structural edges carry none."""
    structural = set(space.structural)
    found = {}
    for j, child in enumerate(tables.nodes):
        parents = [tables.nodes[i] for i in tables.parents(j, int(masks[j]))]
        parents = [p for p in parents if (p, child) not in structural]
        found[child] = local.terms(child, parents)
    return found


def _evenly(n: int, wanted: int) -> np.ndarray:
    """Positions spread evenly over n draws."""
    return np.unique(((np.arange(min(wanted, n)) + 0.5) * n / min(wanted, n)).astype(int))


class _Refined:
    """Families with products and scales added by evidence, each worked out once."""

    def __init__(self, evidence: EvidenceCache, space: SearchSpace, wanted: bool):
        self._evidence, self._space, self._wanted = evidence, space, wanted
        self._known: dict[tuple[str, tuple[Term, ...]], tuple[Term, ...]] = {}

    def of(self, families: Families) -> Families:
        return {child: self._refine(child, terms) for child, terms in families.items()}

    def _refine(self, child: str, terms: tuple[Term, ...]) -> tuple[Term, ...]:
        key = child, terms
        if not self._wanted:
            return terms
        if key not in self._known:
            self._known[key] = refine_family(self._evidence, self._space, child, terms).terms
        return self._known[key]


def _of_graphs(
    how: str, space: SearchSpace, found: list[Structure], best: Structure, families: tuple[Families, ...]
) -> LearnedStructure:
    place = {name: i for i, name in enumerate(space.nodes)}

    def adjacency(structure: Structure) -> np.ndarray:
        matrix = np.zeros((len(place), len(place)), bool)
        for a, b in structure.dag.edges:
            matrix[place[a], place[b]] = True
        return matrix

    return LearnedStructure(
        how,
        space.nodes,
        np.stack([adjacency(s) for s in found])[None],
        np.array([[s.log_score for s in found]]),
        adjacency(best),
        best.log_score,
        np.empty((0, 0)),
        np.empty((0, 0)),
        0,
        families,
    )

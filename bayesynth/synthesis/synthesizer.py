"""What to do: the frozen description of a fit, and the one method that carries it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bayesynth._progress import Progress, Steps
from bayesynth._random import Seed, as_generator, origin_of, whole_seed
from bayesynth.encoding.design import Term
from bayesynth.encoding.fresh import plan_fresh
from bayesynth.encoding.table import EncodedTable
from bayesynth.encoding.unseen import unseen_problems
from bayesynth.errors import DataWarning, DisclosureWarning, InputError, Problem, raise_all, warn
from bayesynth.families import Prior
from bayesynth.graphs import Knowledge
from bayesynth.inference import (
    Job,
    SamplerOptions,
    check_inference,
    family_name,
    fit_families,
    fit_marginals,
    warn_of_distrust,
)
from bayesynth.predictive import FittedNetwork
from bayesynth.rules import Rule
from bayesynth.schema import Schema, disclosure_warnings, frame_problems, frame_warnings
from bayesynth.structure import (
    STRUCTURES,
    EvidenceCache,
    EvidenceScore,
    LearnedStructure,
    SearchOptions,
    SearchSpace,
    StructureOptions,
    fitted_family,
    learn_structure,
)
from bayesynth.synthesis.coding import Codebook, FitMarginals, encode_frame
from bayesynth.synthesis.fit import Fit
from bayesynth.synthesis.holdout import put_aside
from bayesynth.synthesis.missingness import read_blocks
from bayesynth.synthesis.rule_knowledge import with_rules
from bayesynth.synthesis.ruled import Ruled, rule_problems
from bayesynth.synthesis.settings import Settings
from bayesynth.synthesis.structure import StructurePosterior, warn_of_disagreement

if TYPE_CHECKING:
    import pandas as pd


GRAPH_SHARE = 0.4  # of the bar
STREAMS = 6  # coding, graph, families, effects, rows put aside, marginals


@dataclass(frozen=True)
class _Work:
    """A table made ready for learning."""

    frame: pd.DataFrame
    ruled: Ruled
    table: EncodedTable
    codebook: Codebook
    space: SearchSpace
    evidence: EvidenceCache
    streams: tuple[np.random.Generator, ...]


@dataclass(frozen=True)
class Synthesizer:
    """A Bayesian-network synthesizer of one table.

    Parameters
    ----------
    schema : Schema, optional
        What the columns are; inferred from the table when left out.
    knowledge : Knowledge, optional
        What is known of the graph.
    inference : {"nuts", "laplace"}
        NUTS through PyMC, or a checked Laplace approximation for a first look and for large tables.
    prior : Prior
        Prior of every family; it scores the graph and fits the parameters.
    sampler : SamplerOptions
        How long to sample.
    search : SearchOptions
        How long greedy search looks for a graph.
    structure : {"posterior", "greedy", "bootstrap"}
        Average over graphs drawn from their posterior, and over the forms in which parents enter, also where the graph
        is given; take the one graph, with the best forms, that greedy search finds; or search on resampled tables, a
        cheap measure of stability that is no posterior.
    structure_options : StructureOptions
        How graphs are scored and sampled.
    rules : sequence of Rule
        What holds in every row, such as ``Inequality("entry", "exit")``: so it holds in every row that is drawn.
    on_violation : {"error", "warn", "drop_rule"}
        What to do where rows of the table break a rule: refuse the table; warn, learn such rows as the nearest ones
        that keep it, and keep the rule in all that is drawn; or leave the rule out, with a warning.

    Raises
    ------
    InputError
        If an option cannot be.

    Examples
    --------
    >>> import bayesynth as bs
    >>> patients = bs.load_dataset("penguins")
    >>> fit = bs.Synthesizer(inference="laplace").fit(patients, random_seed=7, progress=False)
    >>> fit.sample(3, random_seed=1).shape
    (3, 8)
    """

    schema: Schema | None = None
    knowledge: Knowledge = field(default_factory=Knowledge)
    inference: str = "nuts"
    prior: Prior = field(default_factory=Prior)
    sampler: SamplerOptions = field(default_factory=SamplerOptions)
    search: SearchOptions = field(default_factory=SearchOptions)
    structure: str = "posterior"
    structure_options: StructureOptions = field(default_factory=StructureOptions)
    rules: Sequence[Rule] = ()
    on_violation: str = "error"

    def __post_init__(self) -> None:
        check_inference(self.inference)
        if self.structure not in STRUCTURES:
            why, remedy = "there is no such way of learning the graph", f"use one of {', '.join(STRUCTURES)}"
            raise InputError(Problem(f"structure={self.structure!r}", why, remedy))
        raise_all(rule_problems(self.rules, self.on_violation))
        object.__setattr__(self, "rules", tuple(self.rules))
        kinds = {
            "knowledge": Knowledge,
            "prior": Prior,
            "sampler": SamplerOptions,
            "search": SearchOptions,
            "structure_options": StructureOptions,
        }
        wrong = [name for name, kind in kinds.items() if not isinstance(getattr(self, name), kind)]
        if self.schema is not None and not isinstance(self.schema, Schema):
            wrong.append("schema")
        raise_all(
            Problem(
                f"{name} is a {type(getattr(self, name)).__name__}",
                "the synthesizer cannot read it",
                f"pass a bayesynth.{(kinds | {'schema': Schema})[name].__name__}",
            )
            for name in wrong
        )

    def fit(self, frame: pd.DataFrame, *, holdout: float = 0.0, random_seed: Seed = None, progress: bool = True) -> Fit:
        """Learn the graph and the posterior of every family.

        Parameters
        ----------
        frame : DataFrame
            One row per patient. It is not changed.
        holdout : float
            Share of the rows to put aside at random, 0.2 for example: nothing is learned of them, so that they can show
            what an attacker learns of people outside the table. ``fit.split(frame)`` gives them back.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal fits.
        progress : bool
            Show one bar for the whole job.

        Returns
        -------
        Fit
            A new object each time.

        Raises
        ------
        InputError
            If the table cannot be used; lists all problems at once, before any sampling.
        SchemaError
            If the table contradicts the schema.
        KnowledgeError
            If the knowledge contradicts itself or the table.

        Warns
        -----
        DataWarning
            Of what limits what can be learned.
        DisclosureWarning
            Of what a released table would reveal whatever is done, such as levels that one row has.
        ConvergenceWarning, ApproximationWarning
            If a family is not to be trusted; the families are named.
        """
        streams = as_generator(random_seed).spawn(STREAMS)
        coding = origin_of(streams[0])
        whole = frame
        frame, aside = put_aside(frame, holdout, streams[4])
        work = self._prepare(frame, streams)
        codebook = replace(work.codebook, fresh=plan_fresh(whole, work.ruled.plan.schema, streams[0]))
        with Progress(1.0, progress) as bar:
            learned = self._learn(work, bar, GRAPH_SHARE)
            names, jobs = _jobs(work, learned)
            bar.doing("compiling" if self.inference == "nuts" else "approximating")
            step = Steps(bar, (1 - GRAPH_SHARE) / max(len(jobs), 1))
            families = fit_families(jobs, self.inference, self.prior, self.sampler, work.streams[2], step)
        network = FittedNetwork(work.table.encoding, families, names)
        warn_of_distrust(families | network.marginals, self.inference)
        structure = StructurePosterior.of(learned, [b.name for b in work.table.encoding.blocks], work.space)
        warn_of_disagreement(structure)
        local = EvidenceScore(work.evidence, work.space, learned.families[0])
        return Fit(
            work.ruled.plan.schema,
            network,
            structure,
            read_blocks(work.table, local, work.space, self.prior.tau),
            codebook,
            self._settings(random_seed),
            work.table.n_rows,
            _blanks(work.frame, work.table),
            _log_bayes_factors(work.evidence, learned),
            whole_seed(work.streams[3]),
            aside,
            coding,
            work.ruled,
        )

    def learn_structure(
        self, frame: pd.DataFrame, *, random_seed: Seed = None, progress: bool = True
    ) -> StructurePosterior:
        """Learn the graph alone, without the parameters: what `fit` returns as ``fit.structure``.

        Parameters
        ----------
        frame : DataFrame
            One row per patient. It is not changed.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal results, and the same as in `fit`.
        progress : bool
            Show a bar.

        Raises
        ------
        InputError, SchemaError, KnowledgeError
            As in `fit`.

        Warns
        -----
        DataWarning
            Of what limits what can be learned.
        DisclosureWarning
            As in `fit`.
        ConvergenceWarning
            If independent runs of the sampler disagree.
        """
        work = self._prepare(frame, as_generator(random_seed).spawn(STREAMS))
        with Progress(1.0, progress) as bar:
            learned = self._learn(work, bar, 1.0)
        structure = StructurePosterior.of(learned, [b.name for b in work.table.encoding.blocks], work.space)
        warn_of_disagreement(structure)
        return structure

    def _prepare(self, frame: pd.DataFrame, streams: list[np.random.Generator]) -> _Work:
        frame, schema = self._schema_of(frame).settle(frame)
        raise_all(_nothing_to_learn(schema))
        for problem in frame_warnings(frame, schema):
            warn(problem, DataWarning, stacklevel=4)
        for problem in disclosure_warnings(frame, schema):
            warn(problem, DisclosureWarning, stacklevel=4)
        ruled = Ruled.of(schema, self.rules, frame, self.on_violation)
        inner = ruled.plan.to_model(frame)
        table, codebook = encode_frame(inner, ruled.plan.model_schema, streams[0], self._marginals(streams[5]))
        raise_all(unseen_problems(schema, ruled.plan.model_schema, codebook.levels))
        knowledge = with_rules(self.knowledge, table.encoding, ruled.plan)
        space = SearchSpace.of(table.encoding, knowledge, self.structure_options.prior)
        return _Work(frame, ruled, table, codebook, space, EvidenceCache(table, self.prior), tuple(streams))

    def _marginals(self, stream: np.random.Generator) -> FitMarginals:
        return partial(fit_marginals, inference=self.inference, options=self.sampler, rng=stream)

    def _learn(self, work: _Work, bar: Progress, share: float) -> LearnedStructure:
        step = Steps(bar, share)
        options = self.search, self.structure_options
        learned = learn_structure(work.evidence, work.space, self.structure, *options, work.streams[1], step.reach)
        step.reach("", 1.0)
        return learned

    def _settings(self, random_seed: Seed) -> Settings:
        seed = int(random_seed) if isinstance(random_seed, (int, np.integer)) else None
        parts = self.inference, self.prior, self.sampler, self.search, self.structure_options
        return Settings(self.structure, self.knowledge.graph is not None, *parts, seed)

    def _schema_of(self, frame: pd.DataFrame) -> Schema:
        if self.schema is None:
            return Schema.infer(frame)
        withheld = [name for name, column in self.schema.items() if column.withheld]
        raise_all(frame_problems(frame, withheld))
        self.schema.validate(frame)
        return self.schema


def _nothing_to_learn(schema: Schema) -> Iterable[Problem]:
    if all(column.withheld for column in schema.values()):
        yield Problem(
            f"every column is an identifier or personal: {', '.join(schema)}",
            "their values are never learned, so nothing is left to model",
            "pass a table with other columns, or state the kind of one in the schema",
        )


def _jobs(work: _Work, learned: LearnedStructure) -> tuple[tuple[dict[str, str], ...], list[Job]]:
    """Name every node's family in each graph, and prepare every distinct family once."""
    jobs: dict[tuple[str, tuple[Term, ...]], Job] = {}
    for child, terms in (family for families in learned.families for family in families.items()):
        if (child, terms) not in jobs:
            bank = work.evidence.child(child)
            found = fitted_family(bank, terms, work.evidence.prior)
            jobs[child, terms] = Job(found.design, bank.node.family, found.task)
    names = {family: family_name(job.design) for family, job in jobs.items()}
    nodes = work.table.encoding.nodes
    graphs = tuple({child: names[child, families[child]] for child in nodes} for families in learned.families)
    return graphs, list({names[family]: job for family, job in jobs.items()}.values())


def _log_bayes_factors(evidence: EvidenceCache, learned: LearnedStructure) -> dict[tuple[str, str], float]:
    """Log evidence that each edge adds to its child's family, averaged over the graphs that have it."""
    found: dict[tuple[str, str], list[float]] = {}
    for families in learned.families:
        for child, terms in families.items():
            with_all = evidence.score(child, terms)
            for parent in {p for term in terms for p in term.parents}:
                without = [term for term in terms if parent not in term.parents]
                found.setdefault((parent, child), []).append(with_all - evidence.score(child, without))
    return {edge: float(np.mean(values)) for edge, values in found.items()}


def _blanks(frame: pd.DataFrame, table: EncodedTable) -> dict[str, int]:
    blocks = {block.name: int((table.values[block.name] == 0).sum()) for block in table.encoding.blocks}
    return {name: int(count) for name, count in frame.isna().sum().items()} | blocks

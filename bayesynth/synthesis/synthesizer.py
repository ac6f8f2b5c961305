"""What to do: the frozen description of a fit, and the one method that carries it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bayesynth._progress import Progress
from bayesynth._random import Seed, as_generator, whole_seed
from bayesynth.encoding.table import EncodedTable
from bayesynth.errors import DataWarning, Problem, raise_all, warn
from bayesynth.families import Prior, Task
from bayesynth.graphs import Knowledge
from bayesynth.inference import Job, SamplerOptions, check_inference, fit_families, warn_of_distrust
from bayesynth.predictive import FittedNetwork
from bayesynth.schema import Schema, frame_problems, frame_warnings
from bayesynth.structure import EvidenceCache, SearchOptions, SearchSpace, Structure, search
from bayesynth.synthesis.coding import encode_frame
from bayesynth.synthesis.fit import Fit
from bayesynth.synthesis.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


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
        How long to look for the graph.

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

    def __post_init__(self) -> None:
        check_inference(self.inference)
        kinds = {"knowledge": Knowledge, "prior": Prior, "sampler": SamplerOptions, "search": SearchOptions}
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

    def fit(self, frame: pd.DataFrame, *, random_seed: Seed = None, progress: bool = True) -> Fit:
        """Learn the graph and the posterior of every family.

        Parameters
        ----------
        frame : DataFrame
            One row per patient. It is not changed.
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
        ConvergenceWarning, ApproximationWarning
            If a family is not to be trusted; the families are named.
        """
        schema = self._schema_of(frame)
        raise_all(_nothing_to_learn(schema))
        for problem in frame_warnings(frame, schema):
            warn(problem, DataWarning)
        seed = int(random_seed) if isinstance(random_seed, (int, np.integer)) else None
        streams = as_generator(random_seed).spawn(4)
        table, codebook = encode_frame(frame, schema, streams[0])
        space = SearchSpace.of(table.encoding, self.knowledge)
        with Progress(1 + 1.2 * len(space.nodes), progress) as bar:
            bar.doing("learning the graph")
            evidence = EvidenceCache(table, self.prior)
            structure = search(evidence, space, self.search, streams[1])
            bar.advance(1 + 0.2 * len(space.nodes))
            bar.doing("compiling" if self.inference == "nuts" else "approximating")
            jobs = _jobs(table, evidence, structure)
            families = fit_families(jobs, self.inference, self.prior, self.sampler, streams[2], bar)
        warn_of_distrust(families, self.inference)
        how = "given" if self.knowledge.graph is not None else "greedy"
        return Fit(
            schema,
            FittedNetwork(table.encoding, structure.dag, families),
            codebook,
            Settings(how, self.inference, self.prior, self.sampler, self.search, seed),
            table.n_rows,
            _blanks(frame, table),
            structure.log_score,
            _log_bayes_factors(evidence, structure),
            whole_seed(streams[3]),
        )

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


def _jobs(table: EncodedTable, evidence: EvidenceCache, structure: Structure) -> list[Job]:
    jobs = []
    for name, node in table.encoding.nodes.items():
        child = evidence.child(name)
        design = child.design(structure.families[name])
        X = child.stack(child.places(design.terms)[None])[0]
        jobs.append(Job(design, node.family, Task(child.y, X, len(node.levels), design.n_scale)))
    return jobs


def _log_bayes_factors(evidence: EvidenceCache, structure: Structure) -> dict[tuple[str, str], float]:
    found = {}
    for child, terms in structure.families.items():
        with_all = evidence.score(child, terms)
        for parent in {p for term in terms for p in term.parents}:
            without = [term for term in terms if parent not in term.parents]
            found[parent, child] = with_all - evidence.score(child, without)
    return found


def _blanks(frame: pd.DataFrame, table: EncodedTable) -> dict[str, int]:
    blocks = {block.name: int((table.values[block.name] == 0).sum()) for block in table.encoding.blocks}
    return {name: int(count) for name, count in frame.isna().sum().items()} | blocks

"""Fit every family of the graphs: one bar, many cores, and nothing finished is lost when interrupted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bayesynth._progress import Steps
from bayesynth._threads import one_blas_thread
from bayesynth.encoding.design import Design
from bayesynth.families import Prior, Task
from bayesynth.inference.laplace import approximate_family
from bayesynth.inference.nuts import sample_family
from bayesynth.inference.posterior import FamilyPosterior, SamplerOptions, family_name

METHODS = {"nuts": sample_family, "laplace": approximate_family}
_unfinished_business: dict[str, FamilyPosterior] = {}
"""Families that an interrupted job had finished; the same job takes them up when it is run again."""


@dataclass(frozen=True)
class Job:
    """One family to fit.

    Parameters
    ----------
    design : Design
        Its columns.
    family : str
        Name of the node family.
    task : Task
        Its data.
    """

    design: Design
    family: str
    task: Task


def fit_families(
    jobs: Iterable[Job],
    inference: str,
    prior: Prior,
    options: SamplerOptions,
    rng: np.random.Generator,
    progress: Steps,
) -> dict[str, FamilyPosterior]:
    """Fit families one after another, or several at a time.

    Parameters
    ----------
    jobs : iterable of Job
        What to fit. Each gets a stream of randomness of its own, so the number of processes changes nothing.
    inference : str
        "nuts" or "laplace".
    prior : Prior
        The prior that also scored the structure.
    options : SamplerOptions
        How long to sample, and in how many processes.
    rng : Generator
        Randomness.
    progress : Steps
        Advances by one per family.

    Returns
    -------
    dict of str to FamilyPosterior
        By name.
    """
    jobs = list(jobs)
    work = [
        (_key(job, inference, prior, options, r), job, r) for job, r in zip(jobs, rng.spawn(len(jobs)), strict=True)
    ]
    missing = [item for item in work if item[0] not in _unfinished_business]
    for key, posterior in _run(missing, inference, prior, options):
        _unfinished_business[key] = posterior
        progress.doing(f"sampled {posterior.name}" if inference == "nuts" else f"approximated {posterior.name}")
        progress.advance()
    return {family_name(job.design): _unfinished_business.pop(key) for key, job, _ in work}


def _run(
    work: list[tuple[str, Job, np.random.Generator]], inference: str, prior: Prior, options: SamplerOptions
) -> Iterator[tuple[str, FamilyPosterior]]:
    n_jobs = options.processes(len(work))
    if inference == "nuts" and n_jobs > 1:
        from joblib import Parallel, delayed

        # Wide families first, so that the last ones to finish are short.
        work = sorted(work, key=lambda item: -item[1].task.X.size * max(2, item[1].task.n_levels))
        pool = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
        yield from pool(delayed(_fit_one)(*item, inference, prior, options) for item in work)
    else:
        yield from (_fit_one(*item, inference, prior, options) for item in work)


@one_blas_thread()
def _fit_one(
    key: str, job: Job, rng: np.random.Generator, inference: str, prior: Prior, options: SamplerOptions
) -> tuple[str, FamilyPosterior]:
    return key, METHODS[inference](job.design, job.family, job.task, prior, options, rng)


def _key(job: Job, inference: str, prior: Prior, options: SamplerOptions, rng: np.random.Generator) -> str:
    settings = (job.family, job.design.labels, inference, prior, options, rng.bit_generator.state)
    digest = hashlib.sha256(repr(settings).encode())
    for array in (job.task.y, job.task.X):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()

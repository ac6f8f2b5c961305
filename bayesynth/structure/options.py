"""How graphs are scored and sampled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real

from bayesynth.errors import Problem, raise_all

SCORES = ("evidence", "bdeu", "bge", "bic")
STRUCTURES = ("posterior", "greedy", "bootstrap")


@dataclass(frozen=True)
class StructureOptions:
    """How the posterior over graphs is formed, and how long it is sampled.

    Parameters
    ----------
    score : {"evidence", "bdeu", "bge", "bic"}
        "evidence" is the marginal likelihood of the very families that are fitted. The others are classical scores that
        reproduce other tools: "bdeu" for complete tables of levels, "bge" for complete numeric ones, "bic" for either.
    prior : {"fair", "uniform"} or float
        Prior over graphs. "fair" gives every number of parents of a node the same mass, shared among the sets of that
        size; "uniform" gives every graph the same; a number is added to the log prior for every edge.
    equivalent_sample_size : float
        Of "bdeu".
    candidates : int
        Candidate parents of a node to begin with; more are added, up to 14, while they are worth a place.
    max_parents : int
        Parents up to which every set of candidates is scored. Where the best sets are that large, larger ones follow,
        up to ``Knowledge(max_parents=...)``.
    runs : int
        Independent runs of the sampler; their agreement is the check of convergence.
    temperatures : int
        Metropolis-coupled chains of each run.
    draws : int
        Graphs that each run returns.
    thin : int
        Steps of a run from one graph to the next.
    rounds : int
        Most rounds of `draws` times `thin` steps; they end when the runs agree. The graphs that are returned are spread
        evenly over the later two thirds of them.
    graphs : int
        Graphs, evenly spread over the draws, whose families are fitted, in drawn forms, and from which rows are drawn.
    bootstraps : int
        Resampled tables of ``structure="bootstrap"``.
    exact_best : bool
        Find the best graph by exact dynamic programming; for up to 20 nodes.
    """

    score: str = "evidence"
    prior: str | float = "fair"
    equivalent_sample_size: float = 10.0
    candidates: int = 12
    max_parents: int = 3
    runs: int = 4
    temperatures: int = 4
    draws: int = 1000
    thin: int = 20
    rounds: int = 120
    graphs: int = 16
    bootstraps: int = 50
    exact_best: bool = False

    def __post_init__(self) -> None:
        raise_all(self._problems())

    def _problems(self) -> Iterable[Problem]:
        least = {"candidates": 1, "max_parents": 0, "runs": 1, "temperatures": 1, "draws": 10, "thin": 1, "rounds": 1}
        for name, low in (least | {"graphs": 1, "bootstraps": 2}).items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                why, remedy = f"{name} is a whole number of at least {low}", f"leave {name} out to keep its default"
                yield Problem(f"StructureOptions({name}={value!r})", why, remedy)
        if self.score not in SCORES:
            yield Problem(f"score={self.score!r}", "there is no such score", f"use one of {', '.join(SCORES)}")
        if not isinstance(self.equivalent_sample_size, Real) or not self.equivalent_sample_size > 0:
            found = f"StructureOptions(equivalent_sample_size={self.equivalent_sample_size!r})"
            yield Problem(found, "it counts imagined rows", "use 1.0 or 10.0, for example")

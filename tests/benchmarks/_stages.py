"""Where the time of a fit goes: the stages that `Synthesizer.fit` calls, each with a stopwatch around it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import bayesynth as bs
from bayesynth.synthesis import synthesizer

if TYPE_CHECKING:
    import pandas as pd

STAGES = {"encode": "encode_frame", "structure": "learn_structure", "posterior": "fit_families"}


@contextmanager
def stopwatches() -> Iterator[dict[str, float]]:
    """Collect the seconds of every stage within the block."""
    seconds = dict.fromkeys(STAGES, 0.0)

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                seconds[stage] += time.perf_counter() - start

        return run

    with ExitStack() as stack:
        for stage, name in STAGES.items():
            stack.enter_context(patch.object(synthesizer, name, timed(stage, getattr(synthesizer, name))))
        yield seconds


def warm_up(inference: str) -> None:
    """Load and compile what a first fit needs, on a small table with every kind of column."""
    table = bs.datasets.simulate_network(10, 100, random_seed=0).table
    short = bs.SamplerOptions(chains=2, tune=50, draws=50, retries=0)
    bs.Synthesizer(inference=inference, sampler=short).fit(table, random_seed=0, progress=False).sample(
        10, random_seed=0
    )


def staged_fit(frame: pd.DataFrame, inference: str, rows: int) -> dict[str, float]:
    """Seconds of each stage of a fit, of the rest of it, and of drawing rows."""
    with stopwatches() as seconds:
        start = time.perf_counter()
        fit = bs.Synthesizer(inference=inference).fit(frame, random_seed=1, progress=False)
        whole = time.perf_counter() - start
    rest = whole - sum(seconds.values())
    start = time.perf_counter()
    fit.sample(rows, random_seed=1)
    return {"fit": whole, **seconds, "rest": rest, "sample": time.perf_counter() - start}

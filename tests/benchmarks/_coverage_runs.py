"""One repeat of the coverage study: a real table, tables made from it in one way, and their intervals."""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _coverage_worlds import GRAPH, analyse, posterior, world

M, DRAWS, LARGE = 20, 100, 5  # tables, posterior draws of `functional`, k/n of large tables
TRUE, KNOWN, LEARNED = "true model", "known graph", "learned graph"
NUTS = " (NUTS)"
SDV = {"GaussianCopula": "GaussianCopulaSynthesizer", "CTGAN": "CTGANSynthesizer"}
NAIVE, PROPER, BALANCED = "naive", "naive, one table of several", "naive, fit.sample()"
SMALL, FULLY, CASES, DIRECT = "hybrid, k = n", "fully, k = 5n", "hybrid, complete cases", "functional"
Ends = Mapping[str, tuple[float, float, float]]
Key = tuple[str, ...]


def ours(key: Key) -> dict[str, Any]:
    """Run one repeat of the true model or of our pipeline.

    Parameters
    ----------
    key : tuple of str
        Blanks, rows, seed and source.
    """
    from bayesynth.errors import BayesynthError

    blanks, rows, seed, source = key
    frame, rng = world(int(rows), blanks, int(seed)), np.random.default_rng([int(seed), int(rows), 1])
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        maker = _TrueModel(frame, rng) if source == TRUE else _Pipeline(frame, source, rng)
        found, failed = {}, {}
        for way, run in _ways(maker, frame, blanks).items():
            try:
                found[way] = run()
            except (BayesynthError, ArithmeticError, np.linalg.LinAlgError) as error:
                failed[way] = str(error)[:300]
    counts = Counter(w.category.__name__ for w in said)
    return {"ways": found, "failed": failed, "warnings": counts, "seconds": time.perf_counter() - start}


def of_sdv(keys: list[Key], python: str) -> list[dict[str, Any]]:
    """Run repeats of an SDV synthesizer, its table analysed as if it were real; one process for all."""
    from _timing import peer

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, (blanks, rows, seed, _) in enumerate(keys):
            paths.append(str(Path(folder) / f"t{i}.csv"))
            world(int(rows), blanks, int(seed)).to_csv(paths[-1], index=False)
        answer = peer(python, "sdv_tables", QUIET, tables=paths, name=SDV[keys[0][3]], folder=folder)
        results = []
        for made in answer["tables"]:
            ways, failed = {}, {}
            try:
                ways[NAIVE] = naively(pd.read_csv(made["data"]))
            except (ArithmeticError, np.linalg.LinAlgError) as error:
                failed[NAIVE] = str(error)
            facts = {"failed": failed, "warnings": {}, "seconds": made["seconds"], "peer": answer["versions"]}
            results.append({"ways": ways, **facts})
    return results


QUIET = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}


class _TrueModel:
    """Tables from the posterior of the law's own family: rules and analyses without a synthesizer's faults."""

    def __init__(self, frame: pd.DataFrame, rng: np.random.Generator):
        self._laws, self._rng, self._n = list(posterior(frame, DRAWS, rng)), rng, len(frame)
        self._shares = frame.isna().mean().to_dict()

    def tables(self, n: int, blanks: bool) -> Any:
        import bayesynth as bs

        frames = tuple(law.draw(n, self._rng) for law in self._laws[:: DRAWS // M])
        p = bs.Provenance(self._n, n, M, "each_table", "the true model", self._shares, blanks)
        return bs.SyntheticTables(frames, p)

    def direct(self, n: int) -> Any:
        from bayesynth.diagnostics.combining import functional
        from bayesynth.diagnostics.estimates import run, stack

        found = stack(run(analyse, (law.draw(n, self._rng) for law in self._laws), DRAWS))
        return functional(found, self._n, n, 0.95, self.tables(1, False).provenance)


class _Pipeline:
    """Tables from bayesynth, with the graph given or learned."""

    def __init__(self, frame: pd.DataFrame, source: str, rng: np.random.Generator):
        import networkx as nx

        import bayesynth as bs

        options: dict[str, Any] = {"inference": "nuts" if source.endswith(NUTS) else "laplace"}
        if source.startswith(KNOWN):
            options["knowledge"] = bs.Knowledge(graph=nx.DiGraph(GRAPH))
        self._fit = bs.Synthesizer(**options).fit(frame, random_seed=rng, progress=False)
        self._rng = rng

    def tables(self, n: int, blanks: bool) -> Any:
        return self._fit.sample_tables(M, n, blanks=blanks, random_seed=self._rng)

    def direct(self, n: int) -> Any:
        return self._fit.estimate(analyse, draws=DRAWS, n=n, blanks=False, random_seed=self._rng, progress=False)

    def one(self) -> pd.DataFrame:
        return self._fit.sample(random_seed=self._rng)


def _ways(maker: Any, frame: pd.DataFrame, blanks: str) -> dict[str, Callable[[], Ends]]:
    n = len(frame)
    ways: dict[str, Callable[[], Ends]] = {DIRECT: lambda: _ends(maker.direct(LARGE * n))}
    if blanks == "complete":
        ways[SMALL] = lambda: _ends(maker.tables(n, False).estimate(analyse))
        ways[FULLY] = lambda: _ends(maker.tables(LARGE * n, False).estimate(analyse, kind="fully"))
    else:
        ways[FULLY] = lambda: _ends(maker.tables(LARGE * n, False).estimate(analyse))
    ways[PROPER] = lambda: naively(maker.tables(n, blanks != "complete")[0])
    if isinstance(maker, _Pipeline):
        ways[BALANCED] = lambda: naively(maker.one())
        if blanks != "complete":
            ways[CASES] = lambda: _ends(maker.tables(n, True).estimate(analyse, kind="ppd_hybrid"))
    return ways


def _ends(pooled: Any) -> Ends:
    table = pooled.to_frame()
    return {str(name): tuple(map(float, row)) for name, *row in table[["estimate", "lower", "upper"]].itertuples()}


def naively(frame: pd.DataFrame) -> Ends:
    """Estimates and normal 95% intervals of one table, real or taken for real."""
    found = analyse(frame)
    return {name: (q, q - 1.959964 * u**0.5, q + 1.959964 * u**0.5) for name, (q, u) in found.items()}

"""Tasks of bayesynth that a benchmark runs in a fresh process: `_ours.py TASK ARGUMENTS-AS-JSON`, JSON out."""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from bayesynth import Fit

SHOWN = ("numpy", "pandas", "scipy", "pymc", "pytensor", "numba", "nutpie")
NUMERIC = ("continuous", "count", "datetime", "duration")


def versions() -> dict[str, str]:
    """Versions that decide our figures."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in SHOWN}}


def peak_mb() -> float:
    """Peak memory of this process; on Linux not that of the parent, which ru_maxrss would count."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        if "VmHWM" in lines:
            return int(lines["VmHWM"].split()[0]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


def read(data: str) -> pd.DataFrame:
    """Read a CSV file or a pickled frame, or load a dataset that ships."""
    import pandas as pd

    import bayesynth as bs

    if data.endswith(".pkl"):
        return pd.read_pickle(data)
    return pd.read_csv(data) if data.endswith(".csv") else bs.load_dataset(data)


def export(data: str, folder: str) -> dict[str, Any]:
    """Write the table as the peers read it: a CSV file, and which columns are numeric."""
    from bayesynth import Schema

    frame = read(data)
    path = Path(folder) / "table.csv"
    frame.to_csv(path, index=False)
    numeric = [name for name, column in Schema.infer(frame).items() if str(column.kind) in NUMERIC]
    return {"data": str(path), "numeric": numeric}


def make_fit(data: str, inference: str, seed: int = 1) -> Fit:
    """Fit with defaults."""
    import bayesynth as bs

    return bs.Synthesizer(inference=inference).fit(read(data), random_seed=seed, progress=False)


def fit(data: str, inference: str, fits: int = 2, structure: str = "posterior", warm: bool = False) -> dict[str, Any]:
    """Time fits one after another in this process, each with its own seed; imports of bayesynth are apart.

    Warm: engines are loaded and compiled before, on a small table.
    """
    start = time.perf_counter()
    import bayesynth as bs

    synthesizer = bs.Synthesizer(inference=inference, structure=structure)
    imported = time.perf_counter() - start
    if warm:
        from _stages import warm_up

        warm_up(inference)
    frame = read(data)
    seconds, tables = [], []
    for seed in range(1, fits + 1):
        start = time.perf_counter()
        found = synthesizer.fit(frame, random_seed=seed, progress=False)
        seconds.append(time.perf_counter() - start)
        tables.append(found.convergence())
    return {
        "import": imported,
        "seconds": seconds,
        "families": len(tables[0]),
        "min_ess_bulk": float(min(t["ess_bulk"].min() for t in tables)),
        "max_rhat": float(max(t["rhat"].max() for t in tables)),
        "divergences": int(sum(t["divergences"].sum() for t in tables)),
        "distrusted": sorted({str(name) for t in tables for name in t.index[~t["trusted"].astype(bool)]}),
        "versions": versions(),
    }


def save(data: str, inference: str, path: str) -> dict[str, Any]:
    """Fit and save."""
    return {"path": str(make_fit(data, inference).save(path)), "versions": versions()}


def sample(path: str, rows: int, times: int = 1) -> dict[str, Any]:
    """Time draws from a saved fit, and the peak memory of the process."""
    import bayesynth as bs

    found = bs.load(path)
    before, seconds = peak_mb(), []
    for seed in range(1, times + 1):
        start = time.perf_counter()
        table = found.sample(rows, random_seed=seed)
        seconds.append(time.perf_counter() - start)
        assert len(table) == rows
    return {"seconds": seconds, "peak_mb": peak_mb(), "before_mb": before, "versions": versions()}


def search(data: str, times: int = 1, single: bool = False) -> dict[str, Any]:
    """Time encoding and greedy search, from the frame to the graph; single: one climb, as the peer does."""
    import numpy as np

    import bayesynth as bs
    from bayesynth.structure import EvidenceCache, SearchSpace
    from bayesynth.structure import search as greedy
    from bayesynth.synthesis.coding import encode_frame

    frame, whole, alone = read(data), [], []
    options = bs.SearchOptions(restarts=0, refine=False) if single else bs.SearchOptions()
    for seed in range(1, times + 1):
        start = time.perf_counter()
        table, _ = encode_frame(frame, bs.Schema.infer(frame), np.random.default_rng(seed))
        space = SearchSpace.of(table.encoding, bs.Knowledge())
        evidence = EvidenceCache(table, bs.Prior())
        middle = time.perf_counter()
        found = greedy(evidence, space, options, np.random.default_rng(seed))
        alone.append(time.perf_counter() - middle)
        whole.append(time.perf_counter() - start)
    edges = sorted(found.dag.edges - set(space.structural))
    facts = {"nodes": len(space.nodes), "families_scored": len(evidence), "score": found.log_score}
    return {"seconds": whole, "search": alone, "edges": edges, **facts, "versions": versions()}


def stages(data: str, inference: str, rows: int) -> dict[str, Any]:
    """Time the stages of one fit and of drawing as many rows, engines loaded and compiled before."""
    from _stages import staged_fit, warm_up

    warm_up(inference)
    return staged_fit(read(data), inference, rows) | {"versions": versions()}


def learn_structure(
    tables: list[str], structure: str = "posterior", options: dict[str, Any] | None = None, seed: int = 1
) -> dict[str, Any]:
    """Time structure learning on each table; all about columns: probabilities, the median graph and the best one.

    Kernels are loaded or compiled before, on a few rows of the first table; what that takes is told apart.
    """
    import bayesynth as bs

    synthesizer = bs.Synthesizer(structure=structure, structure_options=bs.StructureOptions(**(options or {})))
    start = time.perf_counter()
    synthesizer.learn_structure(read(tables[0]).iloc[:200, :3], random_seed=seed, progress=False)
    warm, found = time.perf_counter() - start, []
    for table in tables:
        frame = read(table)
        start = time.perf_counter()
        posterior = synthesizer.learn_structure(frame, random_seed=seed, progress=False)
        seconds, columns = time.perf_counter() - start, list(frame)
        matrix = posterior.edge_matrix().reindex(index=columns, columns=columns).fillna(0.0)
        graphs = {"edges": posterior.graph(threshold=0.5), "best": posterior.map_graph()}
        kept = {name: sorted(e for e in graph.edges if {*e} <= {*columns}) for name, graph in graphs.items()}
        facts = {"matrix": matrix.to_numpy().round(5).tolist(), "converged": posterior.converged is not False}
        found.append({"seconds": seconds} | kept | facts)
    return {"tables": found, "warm": warm, "versions": versions()}


def assess(
    real: str, aside: str, tables: list[str], keys: list[str], target: str, fitted: str | None = None, seed: int = 1
) -> dict[str, Any]:
    """Time an assessment with a holdout, keys and a target, then its page; with a saved fit where there is one."""
    import bayesynth as bs

    frame, drawn = read(real), [read(table) for table in tables]
    given = {"holdout": read(aside), "keys": keys, "target": target, "fit": bs.load(fitted) if fitted else None}
    start, cpu = time.perf_counter(), time.process_time()
    report = bs.assess(frame, drawn, **given, progress=False, random_seed=seed)
    middle, cpu = time.perf_counter(), time.process_time() - cpu
    page = report.to_html()
    return {
        "assess": middle - start,
        "cpu": cpu,
        "page": time.perf_counter() - middle,
        "page_mb": len(page.encode()) / 1e6,
        "size": [len(frame), len(frame.columns), len(drawn)],
        "peak_mb": peak_mb(),
        "versions": versions(),
    }


TASKS = {task.__name__: task for task in (export, fit, save, sample, search, stages, learn_structure, assess)}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))))

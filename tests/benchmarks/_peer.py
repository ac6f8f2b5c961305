"""Tasks of the peers, run by their own interpreter: `_peer.py TASK ARGUMENTS-AS-JSON`, JSON out. No bayesynth here."""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

NA = ["", "NA", "NaN", "nan", "None", "<NA>"]
Seconds = list[float]


def versions(*names: str) -> dict[str, str]:
    """Versions that decide a peer's figures."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in (*names, "numpy", "pandas")}}


def read(data: str, numeric: list[str]) -> pd.DataFrame:
    """Numeric columns as floats, others as text, blanks as NaN."""
    raw = pd.read_csv(data, dtype=str, keep_default_na=False, na_values=NA)
    return pd.DataFrame({c: raw[c].astype(float) if c in numeric else raw[c].astype(object) for c in raw})


def _synthesizer(frame: pd.DataFrame, numeric: list[str], name: str) -> Any:
    import sdv.single_table
    from sdv.metadata import Metadata

    columns = {c: {"sdtype": "numerical" if c in numeric else "categorical"} for c in frame}
    metadata = Metadata.load_from_dict({"tables": {"t": {"columns": columns}}})
    extra = {"enable_gpu": False} if name in ("CTGANSynthesizer", "TVAESynthesizer") else {}
    return getattr(sdv.single_table, name)(metadata, **extra)


def _prepare(threads: int | None, seed: int) -> None:
    import torch

    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the peer reads the old generator


def sdv_fit(
    data: str, numeric: list[str], name: str, fits: int = 1, threads: int | None = None, path: str | None = None
) -> dict[str, Any]:
    """Time fits of an SDV synthesizer with its defaults, after imports; keep the last one if a path is given."""
    start = time.perf_counter()
    import sdv.metadata
    import sdv.single_table  # noqa: F401
    import torch  # noqa: F401

    imported, seconds = time.perf_counter() - start, []
    frame = read(data, numeric)
    for seed in range(1, fits + 1):
        _prepare(threads, seed)
        start = time.perf_counter()
        synthesizer = _synthesizer(frame, numeric, name)
        synthesizer.fit({"t": frame.copy()})
        seconds.append(time.perf_counter() - start)
    if path:
        synthesizer.save(path)
    return {"import": imported, "seconds": seconds, "versions": versions("sdv", "ctgan", "copulas", "torch")}


def sdv_sample(path: str, rows: int, times: int = 1, threads: int | None = None) -> dict[str, Any]:
    """Time draws from a saved SDV synthesizer."""
    from sdv.utils import load_synthesizer

    _prepare(threads, 1)
    synthesizer = load_synthesizer(path)
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        found = synthesizer.sample(num_rows=rows)
        seconds.append(time.perf_counter() - start)
        assert len(found["t"] if isinstance(found, dict) else found) == rows
    return {"seconds": seconds, "versions": versions("sdv", "ctgan", "copulas", "torch")}


def discretise(frame: pd.DataFrame, numeric: list[str], bins: int = 5) -> pd.DataFrame:
    """Quantile bins of every numeric column; a blank is a state of its own."""
    out = {}
    for i, c in enumerate(frame):
        if c in numeric and frame[c].notna().any():
            values = frame[c].to_numpy(float)
            edges = np.unique(np.nanquantile(values, np.linspace(0, 1, bins + 1)))
            places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
            out[f"c{i}"] = ["NA" if np.isnan(v) else f"b{k}" for v, k in zip(values, places, strict=True)]
        else:
            out[f"c{i}"] = ["NA" if v != v else f"v{v}" for v in frame[c]]
    return pd.DataFrame(out)


def _climb(table: pd.DataFrame) -> list[tuple[str, str]]:
    from pgmpy.estimators import HillClimbSearch

    score = "bic-d" if int(version("pgmpy").split(".")[0]) >= 1 else "bicscore"
    found = HillClimbSearch(table).estimate(scoring_method=score, max_indegree=4, show_progress=False)
    return [(str(a), str(b)) for a, b in found.edges()]


def hill_climb(tables: list[dict[str, Any]], times: int = 1) -> dict[str, Any]:
    """Time pgmpy's hill climbing with BIC on each discretised table; edges by the columns' own names."""
    import pgmpy.estimators  # noqa: F401

    found = []
    for one in tables:
        frame = read(one["data"], one["numeric"])
        table, seconds = discretise(frame, one["numeric"]), []
        for _ in range(times):
            start = time.perf_counter()
            edges = _climb(table)
            seconds.append(time.perf_counter() - start)
        name = dict(zip(table, frame, strict=True))
        found.append({"seconds": seconds, "edges": sorted((name[a], name[b]) for a, b in edges)})
    return {"tables": found, "versions": versions("pgmpy")}


TASKS = {task.__name__: task for task in (sdv_fit, sdv_sample, hill_climb)}

if __name__ == "__main__":
    from _conditions_peers import TASKS as ABOUT_CONDITIONS
    from _coverage_peers import TASKS as ABOUT_COVERAGE
    from _structure_peers import TASKS as ABOUT_STRUCTURE

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    tasks = TASKS | ABOUT_STRUCTURE | ABOUT_COVERAGE | ABOUT_CONDITIONS
    print(json.dumps(tasks[sys.argv[1]](**json.loads(sys.argv[2]))))

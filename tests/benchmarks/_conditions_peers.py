"""Tasks in the peers' environment: SDV's rows under conditions, scikit-learn's multiple imputation."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd


def sdv_conditions(path: str, conditions: dict[str, dict[str, Any]], rows: int) -> dict[str, Any]:
    """Time rows under conditions of equality from a saved SDV synthesizer, one condition after another."""
    from _peer import _prepare, versions
    from sdv.sampling import Condition
    from sdv.utils import load_synthesizer

    _prepare(1, 1)
    synthesizer, found = load_synthesizer(path), {}
    synthesizer.sample(num_rows=10)
    for name, values in conditions.items():
        start = time.perf_counter()
        try:
            drawn = synthesizer.sample_from_conditions([Condition(values, num_rows=rows)])
            got = len(drawn["t"] if isinstance(drawn, dict) else drawn)
        except ValueError as error:
            got, found[name] = 0, {"error": str(error)[:200]}
        found[name] = {"seconds": time.perf_counter() - start, "rows": got} | found.get(name, {})
    return {"conditions": found, "versions": versions("sdv", "copulas")}


def sklearn_impute(tables: list[str], m: int, levels: list[str]) -> dict[str, Any]:
    """Complete each table m times with IterativeImputer(sample_posterior=True); codes of levels are rounded after."""
    from _peer import versions
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    found = []
    for data in tables:
        frame, start = pd.read_csv(data), time.process_time()
        completed = []
        for seed in range(m):
            made = IterativeImputer(sample_posterior=True, max_iter=10, random_state=seed).fit_transform(frame)
            path = data.replace(".csv", f"_sklearn{seed}.csv")
            filled = pd.DataFrame(np.asarray(made), columns=frame.columns)
            filled[levels] = filled[levels].round().clip(frame[levels].min(), frame[levels].max(), axis=1)
            filled.to_csv(path, index=False)
            completed.append(path)
        found.append({"data": completed, "seconds": time.process_time() - start})
    return {"tables": found, "versions": versions("scikit-learn")}


TASKS = {task.__name__: task for task in (sdv_conditions, sklearn_impute)}

"""Tasks of the coverage study in the peers' environment: SDV's tables; analyses by statsmodels and lifelines."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

NUMERIC = ["age", "marker", "time"]


def analyse_elsewhere(data: str) -> dict[str, Any]:
    """Estimates with variances by statsmodels and lifelines, complete cases each."""
    import lifelines
    import statsmodels.formula.api as smf

    frame = pd.read_csv(data)
    linear = smf.ols("marker ~ age + arm", frame).fit()
    logistic = smf.logit("response ~ arm + marker", frame).fit(disp=0)
    cox = lifelines.CoxPHFitter().fit(frame[["time", "event", "arm", "marker"]].dropna(), "time", "event")
    found = {f"linear: {name}": (linear.params[name], linear.bse[name] ** 2) for name in ("age", "arm")}
    found |= {f"logistic: {name}": (logistic.params[name], logistic.bse[name] ** 2) for name in ("arm", "marker")}
    found |= {f"Cox: {name}": (cox.params_[name], cox.standard_errors_[name] ** 2) for name in ("arm", "marker")}
    return {"estimates": found, "versions": {name: version(name) for name in ("statsmodels", "lifelines")}}


def sdv_tables(tables: list[str], name: str, folder: str) -> dict[str, Any]:
    """Fit an SDV synthesizer with its defaults to each table and write one synthetic table as large."""
    from _peer import _prepare, _synthesizer, read, versions

    found = []
    for i, data in enumerate(tables):
        frame = read(data, NUMERIC)
        start = time.perf_counter()
        _prepare(1, i)
        synthesizer = _synthesizer(frame, NUMERIC, name)
        synthesizer.fit({"t": frame.copy()})
        made = synthesizer.sample(num_rows=len(frame))
        path = Path(folder) / f"{Path(data).stem}_{name}.csv"
        (made["t"] if isinstance(made, dict) else made).to_csv(path, index=False)
        found.append({"data": str(path), "seconds": time.perf_counter() - start})
    return {"tables": found, "versions": versions("sdv", "ctgan", "copulas", "torch")}


TASKS = {task.__name__: task for task in (analyse_elsewhere, sdv_tables)}

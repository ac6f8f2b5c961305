"""Figures of every verdict, made by hand."""

import numpy as np
import pandas as pd

from bayesynth.diagnostics.figures import FIDELITY, INFERENCE, RISK, Figure, Interval, judge


def figure(name, group, excess, tolerance, worst=(), details=None, note="", n_real=150):
    excess = Interval(*excess)
    verdict, rows = judge(excess, tolerance, n_real)
    value, floor = Interval(0.3, 0.2, 0.4), Interval(0.25, 0.2, 0.3)
    details = pd.DataFrame() if details is None else details
    return Figure(
        name, group, f"What {name} means.", value, floor, excess, tolerance, verdict, rows, worst, details, note
    )


def every_verdict(part="a & b"):
    details = pd.DataFrame({"part": [part, "other"], "value": [0.5, np.nan], "floor": [0.1, 0.2]})
    worst = ((part, 0.5, 0.1), ("other", np.nan, 0.2))
    return (
        figure("columns", FIDELITY, (0.001, -0.01, 0.012), 0.02, worst, details),
        figure("pairs", FIDELITY, (0.4, 0.2, 0.6), 0.25, worst, details, note="A caveat."),
        figure("missingness rates", FIDELITY, (0.0, -0.06, 0.06), 0.02),
        Figure.skipped("prediction", FIDELITY, "Loss of prediction.", "No target was named."),
        figure("analysis", INFERENCE, (0.0, -0.1, 0.1), 0.25),
        figure("membership", RISK, (0.02, -0.05, 0.09), 0.05),
        Figure(
            "copies",
            RISK,
            "Shares of copies.",
            Interval(0.01, np.nan, np.nan),
            *[Interval(np.nan, np.nan, np.nan)] * 2,
            np.nan,
            "not done",
            note="A description.",
        ),
    )

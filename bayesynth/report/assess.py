"""Assessing synthetic tables: every figure of fidelity, inference and risk, and the report on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayesynth._random import Seed, spawn
from bayesynth.diagnostics import assess_risk, assess_tables, release_text, schema_of, tables_of
from bayesynth.errors import Problem, raise_all
from bayesynth.report import pictures
from bayesynth.report.facts import Facts, FitFacts, about_problems, column_facts, digest
from bayesynth.report.report import Report
from bayesynth.schema import Schema
from bayesynth.synthesis.settings import installed_versions

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit

PACKAGES = ("numpy", "scipy", "pandas", "scikit-learn")


def assess(
    real: pd.DataFrame,
    synthetic: pd.DataFrame | Iterable[pd.DataFrame],
    schema: Schema | None = None,
    *,
    holdout: pd.DataFrame | None = None,
    keys: Iterable[str] | None = None,
    target: str | None = None,
    analysis: Any = None,
    fit: Fit | None = None,
    about: Mapping[str, str] | None = None,
    progress: bool = True,
    random_seed: Seed = None,
) -> Report:
    """Judge synthetic tables of any origin: how good they are, how risky, and what may be done with them.

    Every figure stands beside what real rows score among themselves, with 90% intervals, and has one of three verdicts:
    within floor, worse than floor, cannot tell.

    Parameters
    ----------
    real : DataFrame
        The real rows that the synthetic tables were made from. They are not changed, and the report holds none of them.
    synthetic : DataFrame or iterable of DataFrame
        One synthetic table or several; 20 make the intervals worth reading. What `Fit.sample_tables` returns brings
        along how it was made.
    schema : Schema, optional
        What the columns are; that of the fit, or inferred from the real table, when left out.
    holdout : DataFrame, optional
        Real rows that the tables were not made from: the control of every attack.
    keys : iterable of str, optional
        Columns that an attacker is supposed to know of a person.
    target : str, optional
        Column to predict, from real and from synthetic rows.
    analysis : callable or mapping of str to callable, optional
        Your own analyses; each takes a table and gives estimates and variances, or a statsmodels result.
    fit : Fit, optional
        The fit behind the tables, made from the real rows: adds checks of the model, the network, convergence, the
        influence of single rows and the paragraph for a Methods section.
    about : mapping of str to str, optional
        What only you can state: "purpose", "not_for", "source", "preprocessing", "approved_by", "licence", "contact",
        "doi".
    progress : bool
        Show a bar.
    random_seed : int, SeedSequence, Generator or None
        Equal seeds give equal reports.

    Returns
    -------
    Report
        Print it, or write it with ``to_html(path)`` and ``to_json(path)``.

    Raises
    ------
    InputError
        If the tables cannot be compared, a name is unknown, or the fit is not of the real rows.

    Examples
    --------
    >>> report = assess(patients, tables, keys=["age", "sex"], fit=fit)  # doctest: +SKIP
    >>> report.to_html("report.html")  # doctest: +SKIP
    """
    about, keys = dict(about or {}), None if keys is None else _names(keys)
    raise_all([*about_problems(about), *_fit_problems(real, fit)])
    schema = schema_of(real, schema if fit is None or schema is not None else fit.schema)
    tables = tables_of(synthetic, schema.modelled)
    seed = int(random_seed) if isinstance(random_seed, (int, np.integer)) else None
    streams = spawn(random_seed, 3)
    common = {"schema": schema, "holdout": holdout, "progress": progress}
    # what is quick comes first, so that a wrong argument is refused before any forest grows
    checks = [] if fit is None else [fit.checks(real, random_seed=streams[2], progress=progress)]
    risk = assess_risk(real, tables, **common, keys=keys, random_seed=streams[1])
    own = {"target": target, "analysis": analysis, "more": checks}
    fidelity = assess_tables(real, tables, **common, **own, random_seed=streams[0])
    facts = Facts(
        len(real),
        tuple(len(table) for table in tables),
        column_facts(real, tables, schema),
        tuple(name for name in schema if name not in schema.modelled),
        None if holdout is None else len(holdout),
        tuple(keys or ()),
        target,
        analysis is not None,
        getattr(synthetic, "provenance", None),
        None if fit is None else FitFacts.of(fit, real, synthetic),
        about,
        seed,
        installed_versions(PACKAGES),
        digest(schema),
        release_text(len(real), None if holdout is None else len(holdout)),
    )
    return Report((*fidelity, *risk), facts, pictures.draw(real, tables, schema, fit))


def _names(keys: Iterable[str]) -> list[str]:
    return [keys] if isinstance(keys, str) else list(keys)


def _fit_problems(real: pd.DataFrame, fit: Fit | None) -> Iterator[Problem]:
    lost = [] if fit is None else [name for name in fit.schema if name not in getattr(real, "columns", ())]
    if lost:
        why, remedy = "the fit has these columns", "pass the table that was fitted"
        yield Problem(f"the real table lacks {', '.join(lost)}", why, remedy)

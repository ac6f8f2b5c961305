"""All figures of fidelity for synthetic tables of any origin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from bayesynth._progress import Progress, Steps
from bayesynth._random import Seed, spawn
from bayesynth._threads import one_blas_thread
from bayesynth.diagnostics.analyses import Analyses, Analysis
from bayesynth.diagnostics.association import Associations
from bayesynth.diagnostics.blanks import BlankPatterns, BlankRates
from bayesynth.diagnostics.columns import Columns
from bayesynth.diagnostics.figures import Figure
from bayesynth.diagnostics.measures import Measure, figures_of
from bayesynth.diagnostics.pairs import Pairs
from bayesynth.diagnostics.prediction import Prediction
from bayesynth.diagnostics.setting import Setting
from bayesynth.diagnostics.whole import Trees, TwoSample
from bayesynth.schema import Schema

FIGURES: tuple[type[Measure], ...] = (
    Columns,
    BlankRates,
    BlankPatterns,
    Pairs,
    Associations,
    TwoSample,
    Trees,
    Analyses,
    Prediction,
)


def assess_tables(
    real: pd.DataFrame,
    synthetic: pd.DataFrame | Iterable[pd.DataFrame],
    schema: Schema | None = None,
    holdout: pd.DataFrame | None = None,
    target: str | None = None,
    analysis: Analysis | Mapping[str, Analysis] | None = None,
    more: Sequence[Figure] = (),
    *,
    progress: bool = True,
    random_seed: Seed = None,
) -> tuple[Figure, ...]:
    r"""Compare synthetic tables with the real one, each figure beside what other real rows would score.

    Parameters
    ----------
    real : DataFrame
        The real table that the synthetic ones were made from. It is not changed.
    synthetic : DataFrame or iterable of DataFrame
        One synthetic table or several, of any origin; 20 make the intervals worth reading.
    schema : Schema, optional
        What the columns are; inferred from the real table when left out. Only its modelled columns are compared.
    holdout : DataFrame, optional
        Real rows that the synthetic tables were not made from: the prediction is tested on them.
    target : str, optional
        A column to predict from the others.
    analysis : callable or mapping of str to callable, optional
        The user's own analyses: functions of a DataFrame that return a statsmodels result, a pair (estimates,
        variances), or a mapping of names to such pairs.
    more : sequence of Figure
        Figures that need more than tables, such as checks of a fit; they are put at the end.
    progress : bool
        Whether to show a progress bar.
    random_seed : int, SeedSequence, Generator or None
        Equal seeds give equal figures.

    Returns
    -------
    tuple of Figure
        Columns, blanks (rates, patterns, what they depend on), pairs, associations (mean and largest), the whole table
        (a forest and a tree), analysis, prediction; those that cannot be worked out say why.

    Raises
    ------
    InputError
        If the tables cannot be compared.

    Notes
    -----
    For each of many splits of the real rows into halves :math:`A_s, B_s`, and synthetic rows :math:`S_{st}` of table t,
    as many as there are in :math:`B_s`, drawn at random,

    .. math:: \text{floor}_s = M(A_s, B_s), \quad \text{excess}_{st} = M(A_s, S_{st}) - M(A_s, B_s).

    An excess of 0 says that synthetic rows are as near to real rows as other real rows are: a correct model whose
    parameters are drawn from their posterior for each table attains it, for then A - S has the variance of A - B. For a
    prediction A_s tests what B_s or S_st have trained; with a holdout A_s is a random half of it, and what a model does
    not know for want of rows shows as an excess. The interval of the mean excess accounts for splits that share rows,
    see `bayesynth.diagnostics.excess.excess_of`; under the truth its lower end is above 0 so rarely that at most one
    assessment of twenty calls any figure of fidelity worse.

    Examples
    --------
    >>> from bayesynth.datasets import load_dataset
    >>> penguins = load_dataset("penguins")
    >>> figures = assess_tables(penguins, penguins.sample(frac=1, random_state=1), progress=False, random_seed=1)
    >>> figures[0].name, figures[0].verdict
    ('columns', 'within floor')
    """
    setting = Setting.of(real, synthetic, schema, holdout, target, analysis)
    return (*work_out(FIGURES, setting, progress=progress, random_seed=random_seed), *more)


def work_out(
    measures: Sequence[Callable[[Setting, np.random.Generator], Measure]],
    setting: Setting,
    *,
    progress: bool = True,
    random_seed: Seed = None,
) -> tuple[Figure, ...]:
    """Work out some measures in one setting, each with a stream of its own."""
    streams = spawn(random_seed, len(FIGURES))
    weights = [measure.weight for measure in measures]
    figures: list[Figure] = []
    with Progress(sum(weights), progress) as bar, one_blas_thread():
        for kind, weight in zip(measures, weights, strict=True):
            measure = kind(setting, streams[FIGURES.index(kind)])
            figures.extend(figures_of(measure, Steps(bar, weight)))
    return tuple(figures)

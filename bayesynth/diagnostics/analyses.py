"""The user's own analyses: whether they say the same of synthetic rows as of real ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from bayesynth.diagnostics.estimates import Estimates, read
from bayesynth.diagnostics.figures import INFERENCE, reach_of
from bayesynth.diagnostics.measures import Aspect, Measure
from bayesynth.diagnostics.setting import Sample, Setting
from bayesynth.errors import InputError, Problem

OVERLAP_LEVEL = 0.95  # of the intervals whose overlap is taken, as is usual
Analysis = Callable[[pd.DataFrame], object]


class Analyses(Measure):
    r"""Standardised difference of each coefficient of the user's analyses.

    With :math:`\hat q` and :math:`\hat u` the estimate and variance from the n real rows, and :math:`q, q'` the
    estimates from the a and b rows of two sides,

    .. math:: \frac{|q - q'|}{\sqrt{\hat u\, n\, (1/a + 1/b)}},

    the difference in standard errors of the difference, 0.8 on average between samples of one law.
    """

    splits, comparisons, most_tables = 40, 80, 20
    weight = 10.0

    def __init__(self, setting: Setting, rng: np.random.Generator):
        super().__init__(setting, rng)
        self._analyses = analyses_of(setting.analysis)
        self._runs = self._failures = 0
        self._whole = [self._run_on_real(name, analysis) for name, analysis in self._analyses.items()]
        errors = [np.sqrt(_variances(found)) for found in self._whole]
        self._errors = np.concatenate(errors) if errors else np.empty(0)

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """Mean over coefficients."""
        meaning = (
            "Difference between the coefficients of your analyses on synthetic and on real rows, in standard errors of "
            "such a difference, mean over coefficients: 0.8 is what two samples of the same patients give."
        )
        lacking = "" if self._analyses else "no analysis was given"
        return (Aspect("analysis", meaning, 0.25, lacking=lacking, group=INFERENCE),)

    @property
    def parts(self) -> tuple[str, ...]:
        """Coefficients, with the name of their analysis where there are several."""
        several = len(self._analyses) > 1
        named = zip(self._analyses, self._whole, strict=True)
        return tuple(f"{name}: {x}" if several else str(x) for name, found in named for x in found.names)

    def prepare(self, sample: Sample) -> pd.DataFrame:
        """Take the table as it came."""
        return sample.frame

    def profile(self, prepared: pd.DataFrame, rows: np.ndarray) -> tuple[np.ndarray, int]:
        """Estimates, shape (coefficients,), and the number of rows."""
        frame = prepared.iloc[rows].reset_index(drop=True)
        return np.concatenate([self._try(i, frame)[0] for i in range(len(self._whole))]), len(rows)

    def parts_between(self, reference: tuple[np.ndarray, int], other: tuple[np.ndarray, int]) -> np.ndarray:
        """Standardised difference of each coefficient; NaN where an analysis failed."""
        (ours, a), (theirs, b) = reference, other
        return np.abs(ours - theirs) / (self._errors * np.sqrt(len(self.setting.real) * (1 / a + 1 / b)))

    def details(self, aspect: Aspect) -> Mapping[str, np.ndarray]:
        r"""Overlap of intervals beside its expectation, and agreement of conclusions, on whole tables.

        The synthetic interval of a table is that of what the analysis of n real rows would have said, with variance
        :math:`u\,k/n`. Conclusions agree if both intervals exclude 0 on the same side, or neither does.
        """
        z = reach_of(OVERLAP_LEVEL)
        n, ours = len(self.setting.real), np.concatenate([found.values for found in self._whole])
        overlaps, signs, conclusions, expected = [], [], [], []
        for table in self.setting.tables[: self.most_tables]:
            q, u = np.concatenate([self._try(i, table.frame) for i in range(len(self._whole))], axis=1)
            error = np.sqrt(u * len(table) / n)
            overlaps.append(interval_overlap(ours, z * self._errors, q, z * error))
            signs.append(np.where(np.isnan(q), np.nan, np.sign(q) == np.sign(ours)))
            said = np.where(np.abs(ours) > z * self._errors, np.sign(ours), 0)
            conclusions.append(np.where(np.isnan(q), np.nan, np.where(np.abs(q) > z * error, np.sign(q), 0) == said))
            expected.append(expected_overlap(n / len(table)))
        return {
            "overlap": pd.DataFrame(overlaps).median().to_numpy(),
            "overlap_expected": np.full(len(ours), np.mean(expected)),
            "sign_agrees": pd.DataFrame(signs).mean().to_numpy(),
            "conclusion_agrees": pd.DataFrame(conclusions).mean().to_numpy(),
        }

    def note(self, aspect: Aspect) -> str:
        """Count the sets of rows on which an analysis failed."""
        if not self._failures:
            return ""
        return f"An analysis could not be run on {self._failures} of {self._runs} sets of rows, which are left out."

    def _run_on_real(self, name: str, analysis: Analysis) -> Estimates:
        failed = ""
        try:
            found = read(analysis(self.setting.real.frame.copy()), "the real table")
        except InputError:
            raise
        except Exception as error:  # nothing but its type is told: its message may hold a value of a person
            failed = type(error).__name__
        if failed:
            what = f"the analysis {name} failed on the real table: {failed}"
            raise InputError(Problem(what, "there is nothing to compare with", "try it on this table alone"))
        if found.variances is None or not (_variances(found) > 0).all():
            what, why = f"the analysis {name} gives no positive variances", "differences are judged in standard errors"
            raise InputError(Problem(what, why, "return estimates with variances"))
        return found

    def _try(self, i: int, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Estimates and variances by the names that the real table gives, NaN where there is none."""
        wanted, analysis = self._whole[i].names, list(self._analyses.values())[i]
        lost = np.full(len(wanted), np.nan)
        self._runs += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # half a table may be hard for an analysis: what fails is counted
            try:
                found = read(analysis(frame.copy()), "a part of a table")
                values = dict(zip(found.names, zip(found.values, _variances(found), strict=True), strict=True))
                q, u = np.array([values.get(name, (np.nan, np.nan)) for name in wanted]).T
            except Exception:
                self._failures += 1
                return lost, lost
        sensible = np.isfinite(q) & np.isfinite(u)
        return np.where(sensible, q, np.nan), np.where(sensible, u, np.nan)


def analyses_of(analysis: Analysis | Mapping[str, Analysis] | None) -> dict[str, Analysis]:
    """Name the analyses.

    Raises
    ------
    InputError
        If one is no callable.
    """
    if analysis is None:
        return {}
    named = dict(analysis) if isinstance(analysis, Mapping) else {"analysis": analysis}
    for name, found in named.items():
        if not callable(found):
            what, why = f"analysis {name!r} is a {type(found).__name__}", "an analysis is run on every table"
            raise InputError(Problem(what, why, "pass a function of a DataFrame, or a dict of names to functions"))
    return named


def interval_overlap(
    ours: np.ndarray, our_reach: np.ndarray, theirs: np.ndarray, their_reach: np.ndarray
) -> np.ndarray:
    r"""Overlap of two intervals as a share of either, averaged; negative if they are apart [Karr2006]_.

    .. math:: \frac12\left(\frac{d}{u - l} + \frac{d}{u' - l'}\right), \quad d = \min(u, u') - \max(l, l').

    Parameters
    ----------
    ours, our_reach, theirs, their_reach : ndarray
        Middles of the intervals, and half their lengths.

    Examples
    --------
    >>> interval_overlap(np.array([0.0]), np.array([1.0]), np.array([1.0]), np.array([1.0]))
    array([0.5])
    """
    shared = np.minimum(ours + our_reach, theirs + their_reach) - np.maximum(ours - our_reach, theirs - their_reach)
    return (shared / our_reach + shared / their_reach) / 4


def expected_overlap(ratio: float, level: float = OVERLAP_LEVEL) -> float:
    r"""Overlap to be expected between the real table and one proper synthetic table of a correct model.

    With :math:`q' - q \sim N(0, (1 + n/k) u)` and intervals of equal length,
    :math:`1 - \sqrt{2/\pi}\sqrt{1 + n/k} / (2 z)`.

    Parameters
    ----------
    ratio : float
        Real rows per synthetic row, n / k.
    level : float
        Of the intervals.

    Examples
    --------
    >>> round(expected_overlap(1.0), 3)
    0.712
    """
    return float(1 - np.sqrt(2 / np.pi) * np.sqrt(1 + ratio) / (2 * reach_of(level)))


def _variances(found: Estimates) -> np.ndarray:
    if found.variances is None:
        return np.full(len(found.values), np.nan)
    return found.variances if found.variances.ndim == 1 else np.diag(found.variances)

"""What came of pooling: estimates with honest intervals, how they were made, and the sentence for a paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bayesynth._html import Markup, card, legend, table
from bayesynth.errors import InputError, Problem, VarianceWarning, warn

COLUMNS = ("estimate", "se", "lower", "upper", "df", "between", "within", "variance", "adjusted")


@dataclass(frozen=True, eq=False, repr=False)
class Pooled:
    """Estimates pooled over synthetic tables; made by `combine`, `SyntheticTables.estimate` or `Fit.estimate`.

    Parameters
    ----------
    table : DataFrame
        See `to_frame`.
    kind : str
        The combining rule.
    why : str
        Why this one.
    formula : str
        Its total variance T, where u is the mean variance within tables and b the variance between them.
    target : {"population", "real_data"}
        What the estimates are of.
    level : float
        Of the intervals.
    m : int
        Tables, or posterior draws.
    n_real, n_synthetic : int or None
        Rows of the confidential table and of each synthetic one.
    assumptions : tuple of str
        What must hold for the intervals to be valid.
    sentence : str
        One sentence for a paper.
    dropped : mapping of str to int
        Coefficients left out, with the number of tables that lack them.
    matrix : ndarray, shape (p, p), or None
        Covariances of the estimates, where the analyses gave covariances.
    matrix_adjusted : bool
        Whether the rule's matrix was not positive definite and was replaced.
    """

    table: pd.DataFrame
    kind: str
    why: str
    formula: str
    target: str
    level: float
    m: int
    n_real: int | None
    n_synthetic: int | None
    assumptions: tuple[str, ...]
    sentence: str
    dropped: Mapping[str, int] = field(default_factory=dict)
    matrix: np.ndarray | None = None
    matrix_adjusted: bool = False

    @property
    def estimate(self) -> pd.Series:
        """Pooled estimates by coefficient."""
        return self.table["estimate"].copy()

    @property
    def se(self) -> pd.Series:
        """Their standard errors."""
        return self.table["se"].copy()

    @property
    def interval(self) -> pd.DataFrame:
        """Ends of their intervals, columns ``lower`` and ``upper``."""
        return self.table[["lower", "upper"]].copy()

    @property
    def df(self) -> pd.Series:
        """Degrees of freedom; infinite where the interval is normal, NaN where it is made of quantiles."""
        return self.table["df"].copy()

    @property
    def adjusted(self) -> pd.Series:
        """Where the rule's variance was not positive, or mere noise, and was replaced."""
        return self.table["adjusted"].copy()

    def to_frame(self) -> pd.DataFrame:
        """One row per coefficient.

        Columns: ``estimate``, ``se``, ``lower``, ``upper``, ``df``; ``between`` (b), ``within`` (the mean of u) and
        ``variance`` (T); ``adjusted``, whether T had to be replaced. ``frame.attrs`` holds the rule and the sentence.
        """
        frame = self.table.copy()
        frame.attrs.update(kind=self.kind, target=self.target, level=self.level, sentence=self.sentence)
        return frame

    def covariance(self) -> pd.DataFrame:
        """Covariances of the pooled estimates, for joint tests.

        Raises
        ------
        InputError
            If the analyses gave variances only.

        Warns
        -----
        VarianceWarning
            If the rule's matrix was not positive definite and was replaced by (k/n) u.
        """
        if self.matrix is None:
            found, why = "there is no covariance matrix", "the rule needs those of every table, and n and k to mend it"
            remedy = "let the analysis return covariances, and pass a provenance"
            raise InputError(Problem(found, why, remedy))
        if self.matrix_adjusted:
            found, why = "the combined covariance matrix is not positive definite", "it was replaced by (k/n) u"
            warn(Problem(found, why, "pool more and larger tables for joint tests"), VarianceWarning)
        names = self.table.index
        return pd.DataFrame(self.matrix, index=names, columns=names)

    def __repr__(self) -> str:
        shown = self.table[["estimate", "se", "lower", "upper", "df"]].to_string(float_format="{:.4g}".format)
        return f"{shown}\nrule: {self.kind}, T = {self.formula}; {self.why}\n{self.sentence}"

    def _repr_html_(self) -> str:
        rows = [
            (name, f"{row.estimate:.4g}", f"{row.lower:.4g} to {row.upper:.4g}", f"{row.se:.3g}", _plain(row.df))
            for name, row in zip(self.table.index, self.table.itertuples(), strict=True)
        ]
        body = table(("coefficient", "estimate", f"{100 * self.level:g}% interval", "standard error", "df"), rows)
        body += legend(self.sentence) + legend("Assumes: " + "; ".join(self.assumptions) + ".")
        if self.dropped:
            lost = ", ".join(f"{name} (absent from {count} of {self.m})" for name, count in self.dropped.items())
            body += legend(f"Left out: {lost}.")
        if self.table["adjusted"].any():
            names = ", ".join(map(str, self.table.index[self.table["adjusted"]]))
            body += legend(
                f"Variance replaced by (k/n) u, because the rule's was not positive, or mere noise: {names}."
            )
        return card("Pooled estimates", f"rule {self.kind}: {self.why}", Markup(body))


def _plain(df: float) -> str:
    if np.isnan(df):
        return "quantiles"
    return "normal" if np.isinf(df) else f"{df:.1f}"

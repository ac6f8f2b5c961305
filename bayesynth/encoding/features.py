"""What a parent contributes to its children: a few standardised columns, zero where the parent is blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SPLINE_KNOTS = (0.05, 0.35, 0.65, 0.95)
LINEAR, SPLINE, LEVELS, STEPS = "linear", "spline", "levels", "steps"
PRESENCE = "presence"  # of any parent: 1 where it has a value, 0 where it is blank
GROUPS = "groups"  # of a parent with levels: one column for each of them, and one for blank


@dataclass(frozen=True)
class NumericFeatures:
    """Features of a parent on a numeric scale, given its score.

    Parameters
    ----------
    mean, sd : float
        Of the score over the rows where it is observed.
    knots : ndarray, shape (4,) or (0,)
        Knots of a natural cubic spline; none where there are too few distinct values.
    rotation : ndarray, shape (4, 2) or (0, 0)
        Makes the curved part of the spline orthogonal to a constant and the line, with unit variance.
    """

    mean: float
    sd: float
    knots: np.ndarray
    rotation: np.ndarray

    @classmethod
    def of(cls, score: np.ndarray) -> NumericFeatures:
        """Standardise, and prepare the spline, from the observed scores of a parent."""
        mean, sd = float(score.mean()), float(score.std())
        flat = cls(mean, sd if sd > 1e-12 else 1.0, np.empty(0), np.empty((0, 0)))
        knots = np.quantile((score - flat.mean) / flat.sd, SPLINE_KNOTS)
        if len(np.unique(score)) < 8 or np.min(np.diff(knots)) < 1e-3:
            return flat
        line = np.column_stack([np.ones_like(score), (score - flat.mean) / flat.sd])
        curved = natural_spline(line[:, 1], knots)
        on_line = np.linalg.lstsq(line, curved, rcond=None)[0]
        rest = curved - line @ on_line
        covariance = rest.T @ rest / len(score)
        if np.linalg.cond(covariance) > 1e8:
            return flat
        whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T
        return cls(flat.mean, flat.sd, knots, np.vstack([-on_line, np.eye(2)]) @ whiten)

    @property
    def forms(self) -> tuple[str, ...]:
        """Forms on offer, the plain one first."""
        return (LINEAR, SPLINE) if len(self.knots) else (LINEAR,)

    def columns(self, score: np.ndarray, form: str) -> np.ndarray:
        """Feature columns, shape (n, d), of observed scores."""
        z = (score - self.mean) / self.sd
        if form == LINEAR:
            return z[:, None]
        basis = np.column_stack([np.ones_like(z), z, natural_spline(z, self.knots)])
        return np.column_stack([z, basis @ self.rotation])

    def labels(self, form: str) -> tuple[str, ...]:
        """One label for each feature column."""
        return ("",) if form == LINEAR else ("", "curve 1", "curve 2")


@dataclass(frozen=True)
class NominalFeatures:
    """Features of a parent with unordered levels: an orthonormal sum-to-zero contrast under one common scale.

    Neither evidence nor prior depends on which level is called the reference, or on the order of levels.

    Parameters
    ----------
    rates : ndarray, shape (K,)
        Share of each level over the rows where the parent is observed.
    names : tuple of str
        The levels, for labels.
    """

    rates: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, codes: np.ndarray, names: Sequence[str]) -> NominalFeatures:
        """Count the levels of a parent from its observed codes."""
        return cls(np.bincount(codes.astype(int), minlength=len(names)) / len(codes), tuple(names))

    @property
    def forms(self) -> tuple[str, ...]:
        """Forms on offer."""
        return (LEVELS,)

    def columns(self, codes: np.ndarray, form: str) -> np.ndarray:
        """Feature columns, shape (n, K - 1), of observed codes."""
        basis = contrasts(len(self.rates))
        scale = np.sqrt(max(1.0 - np.sum(self.rates**2), 1e-12) / basis.shape[1])
        return ((basis - self.rates @ basis) / scale)[codes.astype(int)]

    def labels(self, form: str) -> tuple[str, ...]:
        """One label for each feature column; with two levels, the second of them."""
        if len(self.names) == 2:
            return (self.names[1],)
        return tuple(f"contrast {k}" for k in range(1, len(self.names)))


@dataclass(frozen=True)
class OrdinalFeatures:
    """Features of a parent with ordered levels: a line through their mid-scores, or one step per level.

    Parameters
    ----------
    scores : ndarray, shape (K,)
        Normal score of the middle of each level.
    line : NumericFeatures
        Standardisation of those scores.
    steps : NominalFeatures
        The contrast, where the line does not do.
    """

    scores: np.ndarray
    line: NumericFeatures
    steps: NominalFeatures

    @classmethod
    def of(cls, codes: np.ndarray, scores: np.ndarray, names: Sequence[str]) -> OrdinalFeatures:
        """Prepare both forms from observed codes and the score of each level."""
        line = NumericFeatures.of(scores[codes.astype(int)])
        return cls(scores, line, NominalFeatures.of(codes, names))

    @property
    def forms(self) -> tuple[str, ...]:
        """Forms on offer, the plain one first."""
        return (LINEAR, STEPS) if len(self.scores) > 2 else (LINEAR,)

    def columns(self, codes: np.ndarray, form: str) -> np.ndarray:
        """Feature columns, shape (n, d), of observed codes."""
        if form == STEPS:
            return self.steps.columns(codes, form)
        return self.line.columns(self.scores[codes.astype(int)], LINEAR)

    def labels(self, form: str) -> tuple[str, ...]:
        """One label for each feature column."""
        return self.steps.labels(form) if form == STEPS else ("",)


Features = NumericFeatures | NominalFeatures | OrdinalFeatures


def contrasts(n_levels: int) -> np.ndarray:
    """Orthonormal basis of the vectors that sum to zero (Helmert), shape (n_levels, n_levels - 1)."""
    basis = np.zeros((n_levels, n_levels - 1))
    for k in range(1, n_levels):
        basis[:k, k - 1] = -1.0 / np.sqrt(k * (k + 1))
        basis[k, k - 1] = k / np.sqrt(k * (k + 1))
    return basis


def natural_spline(z: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Curved columns of a natural cubic spline, shape (n, len(knots) - 2): linear beyond the outer knots."""

    def cubic(k: int) -> np.ndarray:
        last = np.maximum(z - knots[-1], 0) ** 3
        return (np.maximum(z - knots[k], 0) ** 3 - last) / (knots[-1] - knots[k])

    return np.column_stack([cubic(k) - cubic(len(knots) - 2) for k in range(len(knots) - 2)])

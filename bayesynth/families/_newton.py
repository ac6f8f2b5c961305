"""Laplace approximations in bulk: one Newton iteration serves a whole batch of posteriors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Derivatives = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""(theta, which) -> log posterior (b,), gradient (b, d) and negative Hessian (b, d, d) of the batch members `which`."""

LARGEST_STEP = 4.0
MAX_ITERATIONS = 60
TOLERANCE = 1e-7


@dataclass(frozen=True)
class Modes:
    """Where the posteriors of a batch peak.

    Parameters
    ----------
    theta : ndarray, shape (b, d)
        Modes.
    value : ndarray, shape (b,)
        Log posterior density (unnormalised by the evidence) there.
    precision : ndarray, shape (b, d, d)
        Negative Hessian there.
    """

    theta: np.ndarray
    value: np.ndarray
    precision: np.ndarray

    def log_evidence(self) -> np.ndarray:
        """Laplace approximation of the log marginal likelihood (Tierney and Kadane 1986)."""
        d = self.theta.shape[1]
        log_det = 2 * np.log(np.diagonal(np.linalg.cholesky(self.precision), axis1=1, axis2=2)).sum(1)
        return self.value + 0.5 * d * np.log(2 * np.pi) - 0.5 * log_det


def find_modes(start: np.ndarray, derivatives: Derivatives) -> Modes:
    """Maximise a batch of concave log posteriors; members that have converged are left out of further work.

    Parameters
    ----------
    start : ndarray, shape (b, d)
        Starting points with finite density.
    derivatives : callable
        See `Derivatives`.
    """
    theta = start.copy()
    active = np.arange(len(theta))
    value, gradient, precision = derivatives(theta, active)
    final_value, final_precision = value.copy(), precision.copy()
    for _ in range(MAX_ITERATIONS):
        step = np.linalg.solve(precision, gradient[:, :, None])[:, :, 0]
        going = np.einsum("bd,bd->b", step, gradient) > TOLERANCE
        if not going.any():
            break
        active, step, value = active[going], step[going], value[going]
        step *= np.minimum(1.0, LARGEST_STEP / np.maximum(np.abs(step).max(1), 1e-300))[:, None]
        value, gradient, precision, moved = _climb(theta, active, step, value, derivatives)
        final_value[active], final_precision[active] = value, precision
        active, value, gradient, precision = active[moved], value[moved], gradient[moved], precision[moved]
        if not len(active):
            break
    return Modes(theta, final_value, final_precision)


def _climb(
    theta: np.ndarray, active: np.ndarray, step: np.ndarray, value: np.ndarray, derivatives: Derivatives
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Take a step, halved where it does not rise; changes `theta` in place."""
    base = theta[active]
    theta[active] = base + step
    new_value, gradient, precision = derivatives(theta, active)
    for _ in range(30):
        bad = ~(new_value >= value - 1e-10)
        if not bad.any():
            break
        step[bad] *= 0.5
        theta[active[bad]] = base[bad] + step[bad]
        new_value[bad], gradient[bad], precision[bad] = derivatives(theta, active[bad])
    stuck = ~(new_value >= value - 1e-10)
    if stuck.any():
        theta[active[stuck]] = base[stuck]
        new_value[stuck], gradient[stuck], precision[stuck] = derivatives(theta, active[stuck])
    return new_value, gradient, precision, ~stuck

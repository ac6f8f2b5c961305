"""How much a table says for a rule that none of its rows breaks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import betainc, gammaln

POSSIBLE = (
    0.05  # a row could have contradicted a rule if it would have with this probability, were the columns unrelated
)
PRIOR = (1.0, 1.0)  # Beta prior of the rate of violations (uniform)


@dataclass(frozen=True)
class Evidence:
    """What speaks for a rule without a violation.

    Parameters
    ----------
    support : int
        Rows that could have contradicted it.
    expected : float
        Violations that chance would have made, rows.
    log_chance : float
        Natural logarithm of the probability that chance would have made none.
    kept_aside : int
        Those of the support that were not searched.
    """

    support: int
    expected: float
    log_chance: float
    kept_aside: int = 0

    def posterior(self, rate: float) -> float:
        r"""Probability that violations are rarer than a rate: the :math:`\mathrm{Beta}(1, s + 1)` below it."""
        return float(betainc(PRIOR[0], PRIOR[1] + self.support, rate))


@dataclass(frozen=True)
class Found:
    """A relation that no row breaks.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    columns : tuple of str
        The columns, those that decide first.
    evidence : Evidence
        What speaks for it.
    facts : dict
        What the statement of the rule needs beside.
    """

    kind: str
    columns: tuple[str, ...]
    evidence: Evidence
    facts: dict[str, object] = field(default_factory=dict)

    def supported(self, needed: int) -> Found:
        """Keep the addition "and blank only there" where enough rows could have contradicted that as well."""
        if "elsewhere" not in self.facts or self.facts["elsewhere"].support >= needed:
            return self
        return replace(self, facts={name: fact for name, fact in self.facts.items() if name != "elsewhere"})


@dataclass(frozen=True)
class Findings:
    """What one search found, and among how many candidates.

    Parameters
    ----------
    found : tuple of Found
        Relations that no row breaks.
    candidates : int
        How many were tried.
    constants : float
        Values that the constants of each were chosen among.
    """

    found: tuple[Found, ...]
    candidates: int
    constants: float = 1.0

    @classmethod
    def of(cls, found: Iterable[Found], candidates: int, constants: float = 1.0) -> Findings:
        """Gather what a search yields."""
        return cls(tuple(found), int(candidates), constants)

    def chance(self, log_chance: float, searches: int) -> float:
        """Bound the probability that any candidate of several such searches had no violation by chance."""
        tried = max(self.candidates, 1) * self.constants * searches
        return math.exp(min(0.0, log_chance + math.log(tried)))


def weigh(chances: np.ndarray, aside: np.ndarray, log_chance: float | None = None) -> Evidence:
    """Weigh a rule by the chance that each row had to break it.

    Parameters
    ----------
    chances : array of float
        For each row that the rule speaks of, (rows,), the probability that it would break the rule by chance.
    aside : array of bool
        Which of these rows were not searched.
    log_chance : float, optional
        The probability of no violation where it is known exactly; else rows count as independent.
    """
    possible = chances >= POSSIBLE
    if log_chance is None:
        log_chance = float(np.log1p(-np.minimum(chances, 1 - 1e-12)).sum())
    return Evidence(int(possible.sum()), float(chances.sum()), log_chance, int((possible & aside).sum()))


def log_pure(shares: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    r"""Logarithm of the probability that all rows of a group have one level, were its shares drawn at random.

    Columns that go together strongly make groups pure without any rule. So each group has shares of its own, drawn
    from a Dirichlet distribution of concentration 1 around shares p:
    :math:`\sum_k B(p_k + m, 1 - p_k)/B(p_k, 1 - p_k)`.

    Parameters
    ----------
    shares : array of float
        p, (groups, levels).
    sizes : array of int
        m, rows of each group, (groups,).
    """
    return np.minimum(np.logaddexp.reduce(_log_all_within(shares, sizes[:, None]), axis=1), 0.0)


def log_absent(shares: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Logarithm of the probability that levels of a given share are absent in a group, (groups,), as in `log_pure`."""
    return np.minimum(_log_all_within(1 - shares, sizes), 0.0)


def _log_all_within(share: np.ndarray, m: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        found = gammaln(share + m) - gammaln(share) - gammaln(1.0 + m)
    return np.where(share > 0, found, -np.inf)


def log_choose(n: float, k: float) -> float:
    """Logarithm of the number of ways to choose k of n."""
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def rows_needed(rate: float, probability: float) -> int:
    """Fewest rows without a violation for which the posterior reaches a probability."""
    low, high = 0, 1
    while betainc(PRIOR[0], PRIOR[1] + high, rate) < probability:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if betainc(PRIOR[0], PRIOR[1] + middle, rate) < probability:
            low = middle
        else:
            high = middle
    return high

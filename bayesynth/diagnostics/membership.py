"""Membership: whether it can be told from the synthetic tables that a person's row was fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.diagnostics.attacks import Success, auc_against, auc_of, simultaneous, strongest
from bayesynth.diagnostics.figures import LEVEL, RISK, Figure, Interval, judge
from bayesynth.diagnostics.gower import Gower

MEMBERSHIP, UNUSUAL = "membership", "membership of unusual records"
NEAREST, RATIO = "nearest synthetic row", "density ratio"
MOST, FEWEST, FOLDS = 1000, 5, 5
NEGLIGIBLE = 1e-3  # distance below which two rows are as good as equal
TENTH, RATES, FEWEST_ABOVE = 0.1, (0.01, 0.1), 2
REPEATS, PERMUTATIONS = 500, 100
TOLERANCE = 0.05  # of an AUC: 55 pairs in 100 told right instead of 50
MEANING = (
    "Chance that an attacker who holds the synthetic tables and two people's full rows tells which of the two was in "
    "the fitted table; 0.5 is guessing, 1 is always right."
)
MEANING_UNUSUAL = "The same among the tenth of the records that are least like any other, who are the most exposed."


@dataclass(frozen=True)
class Attacked:
    """Real rows, fitted ones and others, and what an attacker can measure of them.

    Parameters
    ----------
    fitted : ndarray of bool, shape (rows,)
        Rows that were fitted; the others were put aside.
    nearest : ndarray, shape (rows,)
        Distance to the nearest synthetic row.
    between : ndarray, shape (rows, rows)
        Distances to one another.
    unusual : ndarray of bool, shape (rows,)
        The tenth that is farthest from any other.
    """

    fitted: np.ndarray
    nearest: np.ndarray
    between: np.ndarray
    unusual: np.ndarray

    @classmethod
    def of(
        cls, gower: Gower, members: np.ndarray, controls: np.ndarray, synthetic: np.ndarray, rng: np.random.Generator
    ) -> Attacked:
        """Measure placed rows: fitted ones, rows put aside (perhaps none), and synthetic ones of all tables."""
        rows = np.concatenate([members, controls])
        between = np.empty((len(rows), len(rows)), np.float32)
        for some, distances in gower.blocks(rows, rows):
            between[some] = distances
        np.fill_diagonal(between, np.inf)
        order = np.lexsort((rng.random(len(rows)), -between.min(axis=1)))
        unusual = np.zeros(len(rows), bool)
        unusual[order[: round(TENTH * len(rows))]] = True
        return cls(np.arange(len(rows)) < len(members), gower.nearest(rows, synthetic), between, unusual)

    @property
    def apart(self) -> np.ndarray:
        """Distance to the nearest other real row, shape (rows,)."""
        return self.between.min(axis=1)

    def scores(self, fitted: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        r"""Score every row by two attacks on everything that is released, higher ones saying "fitted".

        - *nearest synthetic row*: minus the distance to it.
        - *density ratio*, in the manner of DOMIAS: how dense the synthetic rows lie at a row, over how dense people in
          general do, both by nearest neighbours:
          :math:`\log(d_{reference} + \epsilon) - \log(d_{synthetic} + \epsilon)`. The reference rows are those put
          aside, but for a fifth at a time, which is attacked along with a fifth of the fitted rows, so that no row is
          its own reference and both groups meet the same ones.

        Parameters
        ----------
        fitted : ndarray of bool, shape (rows,)
            Which rows are taken as fitted.
        rng : Generator
            Deals out the fifths.

        Notes
        -----
        Van Breugel and others 2023, "Membership inference attacks against synthetic data through overfitting
        detection", arXiv:2302.12580.
        """
        folds = np.empty(len(fitted), int)
        for group in (fitted, ~fitted):
            folds[group] = rng.permutation(np.arange(group.sum()) % FOLDS)
        reference = np.empty(len(fitted))
        for fold in range(FOLDS):
            mine = folds == fold
            reference[mine] = self.between[np.ix_(mine, ~fitted & ~mine)].min(axis=1)
        ratio = np.log(reference + NEGLIGIBLE) - np.log(self.nearest + NEGLIGIBLE)
        return {NEAREST: -self.nearest, RATIO: ratio}


def membership_figures(attacked: Attacked, n_real: int, rng: np.random.Generator) -> tuple[Figure, Figure]:
    """Figures of the attacks on all rows, and on the most unusual ones as a group.

    Each figure is of the attack that does better, with an interval that allows for there being two. `Figure.floor` is
    what attacks on tables that say nothing of membership would show at these numbers of rows: by chance it does not
    matter who is called fitted, so the areas under random names say how far they stray.

    Parameters
    ----------
    attacked : Attacked
        The rows.
    n_real : int
        Fitted rows in all.
    rng : Generator
        Deals out folds and names, and resamples rows.
    """
    scores = attacked.scores(attacked.fitted, rng)
    groups = {MEMBERSHIP: np.ones(len(attacked.fitted), bool), UNUSUAL: attacked.unusual}
    chance = _chance(attacked, groups, rng)
    figures = []
    for (name, group), meaning in zip(groups.items(), (MEANING, MEANING_UNUSUAL), strict=True):
        fitted, aside = group & attacked.fitted, group & ~attacked.fitted
        n, h = int(fitted.sum()), int(aside.sum())
        if min(n, h) < FEWEST:
            because = f"Only {n} fitted rows and {h} rows put aside are among them; it takes {FEWEST} of each."
            figures.append(Figure.skipped(name, RISK, meaning, because))
            continue
        pairs = {attack: (score[fitted], score[aside]) for attack, score in scores.items()}
        level = simultaneous(len(pairs))
        found = [auc_against(attack, *pair, level, chance[name, attack]) for attack, pair in pairs.items()]
        details = pd.DataFrame(
            [row for one in found for row in _rows(one, *pairs[one.name], rng)],
            columns=["attack", "measure", "value", "lower", "upper", "by_chance", "detectable"],
        ).assign(fitted=n, put_aside=h)
        figures.append(_figure(name, meaning, found, n, h, n_real, details))
    return figures[0], figures[1]


def _chance(
    attacked: Attacked, groups: dict[str, np.ndarray], rng: np.random.Generator
) -> dict[tuple[str, str], float]:
    """Find the standard error of each attack's area in each group where it does not matter who is called fitted."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(PERMUTATIONS):
        named = rng.permutation(attacked.fitted)
        for attack, score in attacked.scores(named, rng).items():
            for name, group in groups.items():
                if min((group & named).sum(), (group & ~named).sum()) >= FEWEST:
                    area = auc_of(score[group & named], score[group & ~named])
                    found.setdefault((name, attack), []).append((area - 0.5) ** 2)
    return {key: float(np.sqrt(np.mean(squares))) for key, squares in found.items()}


def _figure(
    name: str, meaning: str, found: Sequence[Success], n: int, h: int, n_real: int, details: pd.DataFrame
) -> Figure:
    best = strongest(found)
    verdict, rows_needed = judge(best.excess, TOLERANCE, n_real)
    value = Interval(best.value.middle, best.excess.lower + 0.5, best.excess.upper + 0.5)
    note = (
        f"The better of {len(found)} attacks: {best.name}. {n} fitted rows against {h} put aside would show an AUC of "
        f"{0.5 + best.detectable:.2f} or more in four of five cases, and smaller leaks less often."
    )
    worst = tuple((one.name, one.value.middle, 0.5) for one in sorted(found, key=lambda one: -one.value.middle))
    parts = value, best.control, best.excess
    return Figure(name, RISK, meaning, *parts, TOLERANCE, verdict, rows_needed, worst, details, note)


def _rows(success: Success, members: np.ndarray, controls: np.ndarray, rng: np.random.Generator) -> list[tuple]:
    """AUC, and true positive rates at the false positive rates that the number of controls can show."""
    value = success.value
    rows = [(success.name, "AUC", value.middle, value.lower, value.upper, 0.5, 0.5 + success.detectable)]
    for rate in RATES:
        if rate * len(controls) >= FEWEST_ABOVE:
            found = true_positive_rate(members, controls, rate)
            shown = _resampled(lambda m, c, rate=rate: true_positive_rate(m, c, rate), members, controls, rng)
            rows.append((success.name, f"TPR at {rate:.0%} FPR", found, *shown, rate, np.nan))
    return rows


def true_positive_rate(members: np.ndarray, controls: np.ndarray, rate: float) -> float:
    """Share of the members that score above all but a given share of the controls.

    Examples
    --------
    >>> true_positive_rate(np.array([0.5, 2.5, 9.0]), np.arange(10.0), 0.1)
    0.3333333333333333
    """
    allowed = int(rate * len(controls) + 1e-9)
    return float((members > np.sort(controls)[len(controls) - 1 - allowed]).mean())


def _resampled(
    measure: Callable[[np.ndarray, np.ndarray], float],
    members: np.ndarray,
    controls: np.ndarray,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Bootstrap a measure of two groups: ends of its interval."""
    found = [
        measure(
            members[rng.integers(len(members), size=len(members))],
            controls[rng.integers(len(controls), size=len(controls))],
        )
        for _ in range(REPEATS)
    ]
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)

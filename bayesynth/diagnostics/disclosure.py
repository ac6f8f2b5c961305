"""Attribute disclosure: what someone who knows a few facts of a person learns from the synthetic tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesynth.diagnostics.attacks import Success, share_against, simultaneous, strongest
from bayesynth.diagnostics.distances import joint_codes
from bayesynth.diagnostics.figures import RISK, Figure, judge

ATTRIBUTES = "attributes"
TOLERANCE = 0.05
LEVEL_ROWS, LEVEL_SHARE = 50, 0.9  # synthpop's check of one level of the target
PAIR_ROWS, PAIR_SHARE = 4, 0.8  # and of a level of the target with a level of a key
SHOWN, PAIRS_SHOWN = 5, 3
MEANING = (
    "Share of people about whom the synthetic tables say, to someone who knows the key columns, one and only one value "
    "of the target column, and the right one; of people whose rows were not fitted, the same share is learned from "
    "statistics alone."
)


@dataclass(frozen=True)
class Cells:
    """Rows of one table as cells of the key columns and values of a target, coded alike in all tables.

    Parameters
    ----------
    key, target : ndarray of int, shape (n,)
        Codes from 0.
    blank : int
        Code of a blank target.
    """

    key: np.ndarray
    target: np.ndarray
    blank: int

    @property
    def recorded(self) -> np.ndarray:
        """Rows whose target is not blank: of the others there is nothing to learn."""
        return self.target != self.blank

    def tabled(self, n_keys: int, n_targets: int) -> np.ndarray:
        """Count rows by key cell and target, shape (n_keys, n_targets)."""
        counts = np.bincount(self.key * n_targets + self.target, minlength=n_keys * n_targets)
        return counts.reshape(n_keys, n_targets)


def identity_measures(real: np.ndarray, synthetic: np.ndarray) -> dict[str, float]:
    """Measure identity disclosure as synthpop does, as shares: UiO, UiS, UiOiS and repU.

    Parameters
    ----------
    real, synthetic : ndarray of int
        Key cell of each row.

    Returns
    -------
    dict of str to float
        ``UiO``, real rows that are alone in their cell, and ``UiS``, synthetic ones; ``UiOiS``, real rows alone in a
        cell that the synthetic table has too; ``repU``, those of them that it has once (replicated uniques).

    Examples
    --------
    >>> identity_measures(np.array([0, 0, 1, 2]), np.array([1, 2, 2, 3]))
    {'UiO': 0.5, 'UiS': 0.5, 'UiOiS': 0.5, 'repU': 0.25}
    """
    size = int(max(real.max(initial=0), synthetic.max(initial=0))) + 1
    d, s = np.bincount(real, minlength=size), np.bincount(synthetic, minlength=size)
    return {
        "UiO": float((d == 1).sum() / len(real)),
        "UiS": float((s == 1).sum() / len(synthetic)),
        "UiOiS": float(((d == 1) & (s > 0)).sum() / len(real)),
        "repU": float(((d == 1) & (s == 1)).sum() / len(real)),
    }


@dataclass(frozen=True)
class Disclosed:
    """What one synthetic table discloses of each real row; all of shape (n,), and False where the target is blank.

    Parameters
    ----------
    found : ndarray of bool
        The row's key cell occurs in the synthetic table (iS).
    pure : ndarray of bool
        All synthetic rows in it have one target (DiS).
    right : ndarray of bool
        It is the row's own (DiSCO).
    settled : ndarray of bool
        And all real rows in the cell have it (DiSDiO).
    original : ndarray of bool
        All real rows in the cell have one target, whatever the synthetic table says (Dorig).
    guessed : ndarray of bool
        The cell is pure, and the commonest target of the whole synthetic table would have been right as well: the
        baseline predictor, which uses no key.
    """

    found: np.ndarray
    pure: np.ndarray
    right: np.ndarray
    settled: np.ndarray
    original: np.ndarray
    guessed: np.ndarray


def disclosed(real: Cells, synthetic: Cells) -> Disclosed:
    """Attack every real row with one synthetic table.

    Examples
    --------
    >>> rows = Cells(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), blank=9)
    >>> disclosed(rows, Cells(np.array([1, 1, 2, 3]), np.array([1, 1, 1, 1]), blank=9)).right.tolist()
    [False, False, True, False]
    """
    both = zip(_parts(real), _parts(synthetic), strict=True)
    n_keys, n_targets = (int(max(ours.max(initial=0), theirs.max(initial=0))) + 1 for ours, theirs in both)
    ours, theirs, known = real.tabled(n_keys, n_targets), synthetic.tabled(n_keys, n_targets), real.recorded
    pure = ((theirs > 0).sum(axis=1) == 1)[real.key] & known
    original = ((ours > 0).sum(axis=1) == 1)[real.key] & known
    right = pure & (theirs.argmax(axis=1)[real.key] == real.target)
    guessed = pure & (real.target == theirs.sum(axis=0).argmax())
    return Disclosed(theirs.any(axis=1)[real.key] & known, pure, right, right & original, original, guessed)


def attribute_figure(
    real: np.ndarray,
    tables: Sequence[np.ndarray],
    holdout: np.ndarray | None,
    names: Sequence[str],
    levels: Sequence[Sequence[str]],
    keys: Sequence[str],
    targets: Sequence[str],
    because: str,
) -> Figure:
    """Work out synthpop's measures for every target, and the figure of the target that is disclosed most.

    Measures are means over the synthetic tables, as shares of all rows; rows whose target is blank never count as
    disclosed (``usetargetNA=FALSE`` of synthpop), while a blank key is a level like any other. What counts is the
    excess of DiSCO among fitted rows over DiSCO among rows put aside: with people who were never in the table the same
    attack can only use statistics. The interval of the figure allows for there being several targets.

    Parameters
    ----------
    real, holdout : ndarray of int, shape (n, columns)
        Codes of the fitted rows and of those put aside, or None.
    tables : sequence of ndarray
        Codes of the synthetic tables.
    names : sequence of str
        Of the columns.
    levels : sequence of sequence of str
        Names of the codes of each column.
    keys, targets : sequence of str
        What an attacker knows, and what shall not be learned.
    because : str
        Why there is no verdict, where there is no holdout.

    Notes
    -----
    Raab, Nowok and Dibben 2024, "Practical privacy metrics for synthetic data", arXiv:2406.16826.
    """
    at = {name: i for i, name in enumerate(names)}
    everyone = [real, *tables] if holdout is None else [real, *tables, holdout]
    key_cells = joint_codes([codes[:, [at[key] for key in keys]] for codes in everyone])
    m = len(tables)
    identity = _means([identity_measures(key_cells[0], cells) for cells in key_cells[1 : m + 1]])
    rows, found = [], []
    for target in targets:
        blank = len(levels[at[target]]) - 1
        cells = [Cells(key, codes[:, at[target]], blank) for key, codes in zip(key_cells, everyone, strict=True)]
        members = [disclosed(cells[0], table) for table in cells[1 : m + 1]]
        row = {"target": target, "keys": ", ".join(keys)} | identity | _attributes(members)
        if holdout is not None:
            controls = [disclosed(cells[-1], table) for table in cells[1 : m + 1]]
            right, aside = (np.mean([one.right for one in attacked], axis=0) for attacked in (members, controls))
            found.append(share_against(target, right, aside, simultaneous(len(targets))))
            row |= found[-1].beside("DiSCO") | {"detectable": found[-1].detectable}
        right_at_all = np.any([one.right for one in members], axis=0)
        row["check"] = _check(cells[0].target, right_at_all, real, levels, at, target, keys)
        rows.append(row)
    details = pd.DataFrame(rows).set_index("target")
    if holdout is None:
        return Figure.described(ATTRIBUTES, RISK, MEANING, float(details["DiSCO"].max()), details, because)
    return _figure(found, details, len(real), keys)


def _figure(found: Sequence[Success], details: pd.DataFrame, n_real: int, keys: Sequence[str]) -> Figure:
    best = strongest(found)
    verdict, rows_needed = judge(best.excess, TOLERANCE, n_real)
    ordered = sorted(found, key=lambda one: -one.excess.middle)[:SHOWN]
    worst = tuple((one.name, one.value.middle, one.control.middle) for one in ordered)
    baseline = float(details.loc[best.name, "baseline"])
    check = str(details.loc[best.name, "check"])
    note = (
        f"Of {len(found)} target(s), {best.name} is disclosed most; keys: {', '.join(keys)}. In the same cells, always "
        f"naming the commonest value would be right for {baseline:.1%} of the rows. An excess of {best.detectable:.1%} "
        "or more would show in four of five cases. Keys that are not named are not tested; numbers are in five groups."
    )
    if check:
        note += f" Much of it is explained by one level: {check}."
    parts = best.value, best.control, best.excess
    return Figure(ATTRIBUTES, RISK, MEANING, *parts, TOLERANCE, verdict, rows_needed, worst, details, note)


def _attributes(attacked: Sequence[Disclosed]) -> dict[str, float]:
    return {
        "Dorig": float(attacked[0].original.mean()),
        "iS": float(np.mean([one.found.mean() for one in attacked])),
        "DiS": float(np.mean([one.pure.mean() for one in attacked])),
        "DiSCO": float(np.mean([one.right.mean() for one in attacked])),
        "DiSDiO": float(np.mean([one.settled.mean() for one in attacked])),
        "baseline": float(np.mean([one.guessed.mean() for one in attacked])),
    }


def _check(
    target_codes: np.ndarray,
    right: np.ndarray,
    real: np.ndarray,
    levels: Sequence[Sequence[str]],
    at: dict[str, int],
    target: str,
    keys: Sequence[str],
) -> str:
    """Say where one level of the target, or one with a level of a key, explains what is disclosed, as synthpop does."""
    names = levels[at[target]]
    by_level = np.bincount(target_codes[right], minlength=len(names))
    top = int(by_level.argmax())
    if by_level[top] > LEVEL_ROWS and by_level[top] > LEVEL_SHARE * by_level.sum():
        return f"{by_level[top] / by_level.sum():.0%} of it is {names[top]}"
    pairs = []
    for key in keys:
        codes = real[:, at[key]]
        for level in np.unique(codes[right]):
            mine = codes == level
            shares = np.bincount(target_codes[mine], minlength=len(names)) / mine.sum()
            common = int(shares.argmax())
            n = int((right & mine & (target_codes == common)).sum())
            if n > PAIR_ROWS and shares[common] > PAIR_SHARE:
                pairs.append((n, f"{names[common]} is {shares[common]:.0%} where {key} is {levels[at[key]][level]}"))
    return "; ".join(text for _, text in sorted(pairs, reverse=True)[:PAIRS_SHOWN])


def _means(measures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in measures])) for name in measures[0]}


def _parts(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    return cells.key, cells.target

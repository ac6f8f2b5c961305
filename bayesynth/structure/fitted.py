"""Families as they are fitted: with stand-ins for blank parents, as far as the evidence has nothing against them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from bayesynth.encoding.design import ChildBank, Design, Term
from bayesynth.families import FAMILIES, Prior, Task, shape_gain

LOG_ODDS_OF_A_STAND_IN = float(np.log(3.0))  # over zeros


@dataclass(frozen=True)
class FittedFamily:
    """A family's design, and its data.

    Parameters
    ----------
    design : Design
        Columns of its terms.
    task : Task
        The child's values and those columns.
    """

    design: Design
    task: Task

    @property
    def stood_in(self) -> frozenset[str]:
        """Parents that have a stand-in where they are blank."""
        return frozenset(stand_in.parent for stand_in in self.design.stand_ins)

    def worth(self, family: str, prior: Prior) -> float:
        """Log evidence plus log prior odds of the stand-ins."""
        return log_evidence(family, self.task, prior) + len(self.stood_in) * LOG_ODDS_OF_A_STAND_IN


def fitted_family(bank: ChildBank, terms: Iterable[Term], prior: Prior) -> FittedFamily:
    """Choose which blank parents have a stand-in, and gather the data of the family.

    All start with one. The one whose zeros are most likely loses it, as long as the evidence for zeros is more than
    three times the other.

    Parameters
    ----------
    bank : ChildBank
        Designs of the child.
    terms : iterable of Term
        Terms of its parents.
    prior : Prior
        Of the families.
    """
    terms = tuple(terms)
    best = _gather(bank, terms, frozenset())
    everyone = best.stood_in
    worth = best.worth(bank.node.family, prior) if everyone else 0.0
    while best.stood_in:
        zeros = everyone - best.stood_in
        others = [_gather(bank, terms, zeros | {parent}) for parent in sorted(best.stood_in)]
        worths = [other.worth(bank.node.family, prior) for other in others]
        if max(worths) <= worth:
            break
        worth = max(worths)
        best = others[worths.index(worth)]
    return best


def log_evidence(family: str, task: Task, prior: Prior) -> float:
    """Log marginal likelihood of one family, whatever its terms act on."""
    if task.n_groups:
        rest = replace(task, X=task.ungrouped, n_groups=0)
        places = FAMILIES[family].left_out(rest, prior)
        return log_evidence(family, rest, prior) + shape_gain(places, task.groups)
    if task.n_scale:
        return FAMILIES[family].scaled_evidence(task, prior)
    return float(FAMILIES[family].evidence(task.y, task.X[None], task.n_levels, prior)[0])


def _gather(bank: ChildBank, terms: tuple[Term, ...], zeros: frozenset[str]) -> FittedFamily:
    design = bank.design(terms, zeros)
    task = Task(bank.y, bank.matrix(design), len(bank.node.levels), design.n_scale, design.n_groups)
    return FittedFamily(design, task)

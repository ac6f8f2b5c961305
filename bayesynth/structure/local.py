"""Local scores: what a child's parent set is worth, before any prior over graphs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bayesynth.encoding.design import Term
from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.space import SearchSpace


class LocalScore(ABC):
    """Log evidence of parent sets, one child at a time."""

    @abstractmethod
    def scores(self, child: str, parent_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Log evidences, shape (len(parent_sets),)."""

    @abstractmethod
    def terms(self, child: str, parents: Sequence[str]) -> tuple[Term, ...]:
        """Terms in which parents enter a child's family when it is fitted."""

    @abstractmethod
    def varies(self, child: str, parent: str) -> bool:
        """Whether a parent could say anything about a child."""

    def settle(self, child: str, parent_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Make the scores of some parent sets exact; tell which were only foreseen, shape (len(parent_sets),)."""
        return np.zeros(len(parent_sets), bool)

    def gains(self, child: str, parents: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """Tell what each other parent would add to the log evidence, perhaps roughly; shape (len(others),)."""
        found = self.scores(child, [parents, *([*parents, other] for other in others)])
        return found[1:] - found[0]


def log_scores(
    evidence: EvidenceCache, space: SearchSpace, child: str, families: Sequence[Iterable[Term]]
) -> np.ndarray:
    """Log evidences of a child's families plus the log prior of their forms, shape (len(families),)."""
    return evidence.scores(child, families) + np.array([space.log_prior_of_forms(terms) for terms in families])


class EvidenceScore(LocalScore):
    """Log marginal likelihood of the node families, under the prior of the fit.

    Parameters
    ----------
    evidence : EvidenceCache
        Scores term sets.
    space : SearchSpace
        Forms on offer, and what they cost.
    families : mapping of str to tuple of Term
        A good graph. In the company of a child's parents there it is settled, once for each pair, in which form a
        parent enters; a parent set then has one evidence.
    """

    def __init__(self, evidence: EvidenceCache, space: SearchSpace, families: Mapping[str, tuple[Term, ...]]):
        self._evidence, self._space = evidence, space
        self._terms = {child: self._settle(child, families[child]) for child in space.nodes}

    def terms(self, child: str, parents: Sequence[str]) -> tuple[Term, ...]:
        """Terms in which parents enter a child's family."""
        return self.plain(child, parents)

    def plain(self, child: str, parents: Iterable[str]) -> tuple[Term, ...]:
        """One term for each parent, in its settled form."""
        return tuple(sorted(self._terms[child][parent] for parent in parents))

    def scores(self, child: str, parent_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Log evidences, with the log prior of the forms; shape (len(parent_sets),)."""
        return log_scores(self._evidence, self._space, child, [self.plain(child, parents) for parents in parent_sets])

    def varies(self, child: str, parent: str) -> bool:
        """Whether the parent's columns vary over the child's rows."""
        return self._evidence.child(child).varies(parent)

    def gains(self, child: str, parents: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """Gains by the quadratic view of the present family where the evidence is not closed."""
        present = self.plain(child, parents)
        later = [tuple(sorted((*present, self._terms[child][other]))) for other in others]
        return self._evidence.outlook(child, present, later)[0] if others else np.empty(0)

    def _settle(self, child: str, terms: tuple[Term, ...]) -> dict[str, Term]:
        present = tuple(term for term in terms if len(term.parents) == 1 and term.form in self._forms(term.parents[0]))
        held = {term.parents[0]: term for term in present}
        others = [p for p in self._space.nodes if p not in held and p in self._space.allowed[child]]
        choices = [Term((p,), form) for p in others for form in self._forms(p)]
        later = [tuple(sorted((*present, term))) for term in choices]
        gains = self._evidence.outlook(child, present, later)[0] if later else []
        best: dict[str, tuple[float, Term]] = {}
        for term, gain in zip(choices, gains, strict=True):
            worth = gain + self._space.log_prior_of_forms((term,))
            if term.parents[0] not in best or worth > best[term.parents[0]][0]:
                best[term.parents[0]] = worth, term
        return held | {parent: term for parent, (_, term) in best.items()}

    def _forms(self, parent: str) -> tuple[str, ...]:
        return self._space.forms[parent]

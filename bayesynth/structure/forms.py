"""Forms drawn from their posterior, so that what is nearly as likely as the best family is used as often as it should.

A graph says who depends on whom; bends, products, spreads and shapes say how. Evidence for the latter is often weak in
a few hundred rows, and intervals that take the best family for the truth are then too short.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bayesynth.encoding.design import SHAPE, Term
from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.local import log_scores
from bayesynth.structure.refine import extra_terms, promising
from bayesynth.structure.space import SearchSpace

WINDOW = float(np.log(9.0))  # an alternative less than a ninth as likely as the best is never drawn
State = frozenset[Term]


@dataclass(frozen=True)
class Choice:
    """Alternatives of which a family has one, everything else being equal.

    Parameters
    ----------
    options : tuple of frozenset of Term
        What each adds; an empty set where the family may do without.
    """

    options: tuple[State, ...]

    @classmethod
    def optional(cls, *terms: Term) -> Choice:
        """One of some terms, or none."""
        return cls((frozenset(), *(frozenset({term}) for term in terms)))

    def applied_to(self, state: State) -> list[State]:
        """Give the family each of the options in turn."""
        rest = state.difference(*self.options)
        return [rest | option for option in self.options]

    def within(self, state: State, totals: np.ndarray) -> Choice:
        """Keep the present option and those that are not far behind it."""
        now = totals[self.applied_to(state).index(state)]
        return Choice(tuple(o for o, total in zip(self.options, totals, strict=True) if total > now - WINDOW))


class FormDraws:
    """Draws the terms of families by Gibbs steps over forms, products, scales and shapes, parents being given.

    Parameters
    ----------
    evidence : EvidenceCache
        Scores families.
    space : SearchSpace
        Forms on offer, and their prior.
    rng : Generator
        Randomness.
    """

    def __init__(self, evidence: EvidenceCache, space: SearchSpace, rng: np.random.Generator):
        self._evidence, self._space, self._rng = evidence, space, rng
        self._chains: dict[tuple[str, frozenset[str]], tuple[State, tuple[Choice, ...]]] = {}

    def draw(self, child: str, best: tuple[Term, ...]) -> tuple[Term, ...]:
        """Draw terms for the parents of a child's best family, one sweep on from the last draw.

        Parameters
        ----------
        child : str
            Whose family.
        best : tuple of Term
            The best terms of those parents; the first draw starts from them.
        """
        key = child, frozenset(p for term in best for p in term.parents)
        if key not in self._chains:
            self._chains[key] = frozenset(best), tuple(self._open(child, frozenset(best)))
        state, choices = self._chains[key]
        for choice in choices:
            options = choice.applied_to(state)
            totals = log_scores(self._evidence, self._space, child, options)
            shares = np.exp(totals - totals.max())
            state = options[self._rng.choice(len(options), p=shares / shares.sum())]
        self._chains[key] = state, choices
        return self._evidence.child(child).arrange(state)

    def _open(self, child: str, best: State) -> Iterator[Choice]:
        """Choices at the best family in which more than one option is worth drawing."""
        for choice in self._choices(child, best):
            totals = log_scores(self._evidence, self._space, child, choice.applied_to(best))
            near = choice.within(best, totals)
            if len(near.options) > 1:
                yield near

    def _choices(self, child: str, best: State) -> Iterator[Choice]:
        parents = sorted({p for term in best for p in term.parents})
        for parent in parents:
            yield Choice(tuple(frozenset({Term((parent,), form)}) for form in self._space.forms[parent]))
        extras = extra_terms(self._evidence, child, parents)
        plain = tuple(term for term in best if term.of_location)
        seen = promising(self._evidence, child, plain, [e for e in extras if e.form != SHAPE and e not in best])
        for extra in extras:
            if extra.form != SHAPE and (extra in best or extra in seen):
                yield Choice.optional(extra)
        yield Choice.optional(*(extra for extra in extras if extra.form == SHAPE))

"""Families with bends, products and changing spread: what they add to a parent set's score, exactly or foreseen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import numpy as np

from bayesynth.encoding.design import PRODUCT, SCALE, SHAPE, Term
from bayesynth.encoding.features import PRESENCE
from bayesynth.structure.evidence import EvidenceCache
from bayesynth.structure.local import EvidenceScore, log_scores
from bayesynth.structure.space import SearchSpace
from bayesynth.structure.state import EPSILON

LEAST_OUTLOOK = -1.5  # of a term of the scale whose evidence is worked out; its gain is foreseen to about a nat


@dataclass(frozen=True)
class Refined:
    """A refined family.

    Parameters
    ----------
    terms : tuple of Term
        Its terms.
    score : float
        Log evidence plus log prior of the forms.
    """

    terms: tuple[Term, ...]
    score: float


def refine_family(evidence: EvidenceCache, space: SearchSpace, child: str, terms: tuple[Term, ...]) -> Refined:
    """Bend parents, add products of them, let the residual depend on them, one by one while the score rises.

    The residual's shape comes last: it is that of what the rest leaves.

    Parameters
    ----------
    evidence : EvidenceCache
        Scores families.
    space : SearchSpace
        The prior of forms.
    child : str
        Whose family.
    terms : tuple of Term
        Its terms so far, one per parent.
    """
    parents = sorted({p for term in terms for p in term.parents})
    extras = promising(evidence, child, terms, extra_terms(evidence, child, parents))
    extras += [Term((p,), form) for p in parents for form in space.forms[p] if Term((p,), form) not in terms]

    totals = partial(log_scores, evidence, space, child)
    grown = _grow(totals, terms, [extra for extra in extras if extra.form != SHAPE]).terms
    return _grow(totals, grown, [extra for extra in extras if extra.form == SHAPE])


def _grow(
    totals: Callable[[Sequence[tuple[Term, ...]]], np.ndarray], terms: tuple[Term, ...], extras: Sequence[Term]
) -> Refined:
    """Add the extra that gains most, as long as one gains."""
    current, *tried = totals([terms, *(_with(terms, extra) for extra in extras)]).tolist()
    gains = {extra: total - current for extra, total in zip(extras, tried, strict=True)}
    while gains:
        # An extra rarely gains by the company of others: one that was far behind is not looked at again.
        best = max(gains, key=gains.__getitem__)
        if gains[best] <= EPSILON:
            break
        gain = float(totals([_with(terms, best)])[0]) - current
        if gain >= max(EPSILON, *(g for extra, g in gains.items() if extra != best), -np.inf):
            terms, current = _with(terms, best), current + gain
            del gains[best]
        else:
            gains[best] = gain
    return Refined(terms, current)


def extra_terms(evidence: EvidenceCache, child: str, parents: Sequence[str]) -> list[Term]:
    """Products of two parents; scales and shapes where the child has a residual."""
    products = [Term(pair, PRODUCT) for pair in combinations(sorted(parents), 2)]
    bank = evidence.child(child)
    if bank.node.family != "gaussian":
        return products
    blank = [p for p in parents if bank.may_be_blank(p)]
    shapes = [Term((), SHAPE), *(Term((p,), SHAPE) for p in parents if evidence.table.encoding.nodes[p].levels)]
    return [*products, *(Term((p,), SCALE) for p in parents), *(Term((p,), PRESENCE) for p in blank), *shapes]


def promising(evidence: EvidenceCache, child: str, terms: tuple[Term, ...], extras: Sequence[Term]) -> list[Term]:
    """Leave out terms of the scale that a quick look at the residuals sees no gain in: their evidence takes long."""
    scales = [extra for extra in extras if extra.of_scale]
    if not scales:
        return list(extras)
    gains = dict(zip(scales, evidence.outlook_on_scale(child, terms, scales), strict=True))
    return [extra for extra in extras if gains.get(extra, 0.0) > LEAST_OUTLOOK]


def _with(terms: tuple[Term, ...], extra: Term) -> tuple[Term, ...]:
    """Add a term; another form of a parent takes the place of its form, another shape that of the shape."""
    if extra.form == PRODUCT or extra.of_scale:
        return (*terms, extra)
    if extra.form == SHAPE:
        return (*(t for t in terms if t.form != SHAPE), extra)
    return (*(t for t in terms if t.parents != extra.parents or not t.of_location), extra)


class RefinedScore(EvidenceScore):
    """Log marginal likelihood of refined families: exact for settled parent sets, foreseen for the others.

    A set that is not settled is foreseen to gain, over its plain terms, what its best settled subset gained; at least
    what its best scale and its best product gain with nothing else beside them. Sets that matter are drawn, and then
    settled, so that neither too much nor too little lasts.

    Parameters
    ----------
    evidence, space, families
        As in `EvidenceScore`.
    """

    def __init__(self, evidence: EvidenceCache, space: SearchSpace, families: Mapping[str, tuple[Term, ...]]):
        super().__init__(evidence, space, families)
        self._children: dict[str, _Child] = {name: _Child() for name in space.nodes}
        for child, terms in families.items():
            self.settle(child, [sorted({p for term in terms for p in term.parents})])

    def terms(self, child: str, parents: Sequence[str]) -> tuple[Term, ...]:
        """Terms of the refined family."""
        self.settle(child, [parents])
        return self._children[child].settled[frozenset(parents)].terms

    def scores(self, child: str, parent_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Log evidences with the log prior of the forms, exact or foreseen; shape (len(parent_sets),)."""
        known, sets = self._children[child], [frozenset(parents) for parents in parent_sets]
        self._foresee(child, sorted(frozenset().union(*sets)))
        new = [parents for parents in dict.fromkeys(sets) if parents not in known.plain]
        if new:
            known.plain.update(zip(new, super().scores(child, [sorted(s) for s in new]).tolist(), strict=True))
        scores = np.array([known.plain[parents] for parents in sets]) + known.foreseen(sets)
        settled = [i for i, parents in enumerate(sets) if parents in known.settled]
        scores[settled] = [known.settled[sets[i]].score for i in settled]
        return scores

    def settle(self, child: str, parent_sets: Sequence[Sequence[str]]) -> np.ndarray:
        """Refine the families of some parent sets; tell which were only foreseen, shape (len(parent_sets),)."""
        known = self._children[child]
        new = np.array([frozenset(parents) not in known.settled for parents in parent_sets], bool)
        for i in np.flatnonzero(new):
            parents = frozenset(parent_sets[i])
            found = refine_family(self._evidence, self._space, child, self.plain(child, parents))
            known.settled[parents] = found
            known.more[parents] = found.score - float(super().scores(child, [sorted(parents)])[0])
        return new

    def _foresee(self, child: str, parents: Sequence[str]) -> None:
        """Work out what products and scales gain where nothing else is beside them."""
        alone = self._children[child].alone
        new = [term for term in extra_terms(self._evidence, child, parents) if term not in alone]
        alone |= dict.fromkeys(new, 0.0)
        new = [t for t in new if promising(self._evidence, child, self.plain(child, t.parents), [t])]
        if new:
            plain = [self.plain(child, term.parents) for term in new]
            sets = [*plain, *((*terms, term) for terms, term in zip(plain, new, strict=True))]
            totals = log_scores(self._evidence, self._space, child, sets)
            alone.update(zip(new, (totals[len(new) :] - totals[: len(new)]).tolist(), strict=True))


@dataclass(frozen=True)
class _Child:
    """What is known of one child's sets: scores of plain terms, refined families, gains."""

    plain: dict[frozenset[str], float] = field(default_factory=dict)
    settled: dict[frozenset[str], Refined] = field(default_factory=dict)
    more: dict[frozenset[str], float] = field(default_factory=dict)
    alone: dict[Term, float] = field(default_factory=dict)

    def foreseen(self, sets: Sequence[frozenset[str]]) -> np.ndarray:
        """Gains that sets of parents are foreseen to have over their plain terms."""
        bits = {name: 1 << i for i, name in enumerate(sorted(frozenset().union(*sets)))}

        def best(gains: Iterable[tuple[Iterable[str], float]]) -> np.ndarray:
            inside = [(parents, gain) for parents, gain in gains if gain > 0 and bits.keys() >= set(parents)]
            part = np.array([sum(bits[p] for p in parents) for parents, _ in inside], np.int64)
            within = (masks[:, None] & part) == part
            return np.where(within, np.array([gain for _, gain in inside]), 0.0).max(axis=1, initial=0.0)

        masks = np.array([sum(bits[p] for p in parents) for parents in sets], np.int64)
        residual = best((t.parents, gain) for t, gain in self.alone.items() if t.of_scale or t.form == SHAPE)
        products = best((term.parents, gain) for term, gain in self.alone.items() if term.form == PRODUCT)
        return np.maximum(residual + products, best(self.more.items()))

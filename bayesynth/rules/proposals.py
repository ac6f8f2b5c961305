"""Rules that a table proposes, each with what speaks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import pandas as pd

from bayesynth import _html
from bayesynth.rules.rule import Rule


@dataclass(frozen=True)
class Proposal:
    """A proposed rule and its evidence.

    Parameters
    ----------
    rule : Rule
        The rule, ready for ``Synthesizer(rules=...)``.
    kind : str
        What sort of relation it is.
    support : int
        Rows that could have contradicted it; none did.
    kept_aside : int
        Those of them that were not searched.
    expected : float
        Violations that chance would have made, rows.
    posterior : float
        Probability that violations are rarer than the stated rate.
    chance : float
        Upper bound of the probability that any candidate of the search would have had no violation by chance.
    """

    rule: Rule
    kind: str
    support: int
    kept_aside: int
    expected: float
    posterior: float
    chance: float


@dataclass(frozen=True, repr=False)
class RuleProposals(Sequence[Rule]):
    """Rules proposed by `discover_rules`, in the order of their kinds: a sequence of rules, and a table.

    Parameters
    ----------
    proposals : tuple of Proposal
        The rules with their evidence.
    rate : float
        The rate that violations are rarer than.
    probability : float
        How probable that is at least, given no violation.
    rows : int
        Rows of the table.
    needed : int
        Rows that must have been able to contradict a rule for it to be proposed.
    candidates : int
        How many relations were tried.
    unsupported : tuple of Proposal
        Relations without exception that unrelated columns would not have, but that too few rows could have
        contradicted, or that a strong association explains as well: for you to judge.

    Examples
    --------
    >>> import bayesynth as bs
    >>> bs.discover_rules(bs.load_dataset("pbc"), random_seed=1).needed
    298
    """

    proposals: tuple[Proposal, ...]
    rate: float
    probability: float
    rows: int
    needed: int
    candidates: int
    unsupported: tuple[Proposal, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules alone."""
        return tuple(proposal.rule for proposal in self.proposals)

    @overload
    def __getitem__(self, index: int) -> Rule: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Rule, ...]: ...
    def __getitem__(self, index: int | slice) -> Rule | tuple[Rule, ...]:
        return self.rules[index]

    def __len__(self) -> int:
        return len(self.proposals)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def to_frame(self, unsupported: bool = False) -> pd.DataFrame:
        """Show the proposals as a table with one row for each rule.

        Parameters
        ----------
        unsupported : bool
            Whether to list the relations that the table cannot prove instead.

        Returns
        -------
        DataFrame
            Columns kind, rule (the sentence), statement, support and kept_aside (rows), expected (violations by
            chance, rows), posterior and chance (probabilities).
        """
        listed = self.unsupported if unsupported else self.proposals
        rows = [
            {
                "kind": p.kind,
                "rule": p.rule.describe(),
                "statement": str(p.rule),
                "support": p.support,
                "kept_aside": p.kept_aside,
                "expected": p.expected,
                "posterior": p.posterior,
                "chance": p.chance,
            }
            for p in listed
        ]
        return pd.DataFrame(rows, columns=list(_COLUMNS))

    def __repr__(self) -> str:
        lines = [f"{self._title()}: {self._subtitle()}"]
        lines += [f"  {p.kind}: {p.rule.describe()} ({_counted(p)})" for p in self.proposals]
        return "\n".join([*lines, *self._footnotes()])

    def _repr_html_(self) -> str:
        cells = [
            (p.kind, p.rule.describe(), p.support, f"{p.expected:.0f}", f"{p.posterior:.4f}", f"{p.chance:.1g}")
            for p in self.proposals
        ]
        headers = ("kind", "rule", "rows that could have broken it", "violations by chance", "posterior", "chance")
        body = _html.table(headers, cells) if cells else ""
        return _html.card(
            self._title(), self._subtitle(), _html.Markup(body + "".join(map(_html.legend, self._footnotes())))
        )

    def _title(self) -> str:
        n = len(self.proposals)
        return "No rule proposed" if n == 0 else f"{n} proposed rule{'s' if n > 1 else ''}"

    def _subtitle(self) -> str:
        return (
            f"violations rarer than {self.rate:g} with probability {self.probability:g} or more, "
            f"among {self.candidates:,} candidates in {self.rows:,} rows"
        )

    def _footnotes(self) -> list[str]:
        """Say what the table was too small for, and what it cannot prove."""
        notes = []
        if self.rows < self.needed:
            notes.append(
                f"{self.needed} rows must have been able to contradict a rule; the table has {self.rows}. "
                "A larger rate= needs fewer."
            )
        if n := len(self.unsupported):
            notes.append(
                f"{n} more relation{'s hold' if n > 1 else ' holds'} without exception, but the table cannot prove "
                f"{'them' if n > 1 else 'it'}: to_frame(unsupported=True)."
            )
        return notes


_COLUMNS = ("kind", "rule", "statement", "support", "kept_aside", "expected", "posterior", "chance")


def _counted(proposal: Proposal) -> str:
    return f"no violation in {proposal.support} rows, {proposal.expected:.0f} expected by chance"

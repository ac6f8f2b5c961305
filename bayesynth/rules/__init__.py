"""Rules: what holds in every row of a table, stated, checked and kept in every row that is drawn."""

from bayesynth.rules.discover import discover_rules
from bayesynth.rules.expression import Expression
from bayesynth.rules.formulas import BlankWhen, Derived, Predicate
from bayesynth.rules.plan import RulePlan
from bayesynth.rules.proposals import Proposal, RuleProposals
from bayesynth.rules.relations import Inequality, Range
from bayesynth.rules.rule import Judged, Rule, rule_from_dict
from bayesynth.rules.sets import FixedCombinations, OneHot, Unique

__all__ = [
    "BlankWhen",
    "Derived",
    "Expression",
    "FixedCombinations",
    "Inequality",
    "Judged",
    "OneHot",
    "Predicate",
    "Proposal",
    "Range",
    "Rule",
    "RulePlan",
    "RuleProposals",
    "Unique",
    "discover_rules",
    "rule_from_dict",
]

"""What rules say about the graph: which columns come last, and what settles which blanks."""

from __future__ import annotations

from dataclasses import replace

from bayesynth.encoding.table import Encoding
from bayesynth.graphs import Knowledge
from bayesynth.rules import RulePlan


def with_rules(knowledge: Knowledge, encoding: Encoding, plan: RulePlan) -> Knowledge:
    """Add to knowledge what follows from the rules.

    Nothing may depend on the columns that `RulePlan.last` names, nor on whether they are blank. That costs no
    generality, since such a column may still depend on every other one, and its law is learned where it has values. And
    so it can be drawn in every row and blanked by the rule, which leaves the others as they are. Blanks that a rule
    settles depend on what the rule reads, and on nothing else.
    """
    groups = {name: plan.last[name] for name in encoding.nodes if name in plan.last}
    groups |= {b.name: plan.last[c] for b in encoding.blocks for c in b.columns if c in plan.last}
    if not groups or knowledge.graph is not None:
        return knowledge
    edges = {(a, b) for a, group in groups.items() for b in encoding.nodes if groups.get(b) != group}
    for block, causes in _causes(encoding, plan).items():
        edges |= {(a, block) for a in encoding.nodes if a not in causes and a != block}
    return replace(knowledge, forbidden=knowledge.forbidden | (edges - knowledge.required))


def _causes(encoding: Encoding, plan: RulePlan) -> dict[str, set[str]]:
    """Find the nodes that settle each block that is blank only where a rule says, if all that it reads are nodes."""
    found: dict[str, set[str]] = {}
    settled = always_filled(encoding, plan)
    for block in (b for b in encoding.blocks if b.name in settled):
        read = {name for column in block.columns for name in plan.structural[column].given}
        if read <= encoding.nodes.keys():
            around = {b.name for b in encoding.blocks if read.intersection(b.columns) or b.name == block.outer}
            found[block.name] = read | around
    return found


def always_filled(encoding: Encoding, plan: RulePlan) -> frozenset[str]:
    """Name the blocks that are blank only where a rule says."""
    exact = {name for name, rule in plan.structural.items() if rule.iff}
    return frozenset(block.name for block in encoding.blocks if exact.issuperset(block.columns))

"""Why values are blank, as far as the table can say: one row per missingness block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from scipy.special import betaincinv

from bayesynth.encoding.table import EncodedTable, Encoding
from bayesynth.structure import BlockEvidence, EvidenceScore, SearchSpace, block_evidence
from bayesynth.synthesis.structure import StructurePosterior

INTERVAL = (0.03, 0.97)
SURE, DOUBTFUL, WORTH_NAMING = 0.9, 0.25, 0.1  # odds of 9 to 1 for something, of 3 to 1 against it
STRONG = 4.0  # odds ratio per standard deviation: a table that would miss one cannot say that there is none
NOTHING = "no dependence found"
TOGETHER = "goes with other blanks"
COMPLETE = "depends on complete columns"
INCOMPLETE = "depends on incomplete columns"
UNCLEAR = "unclear"
MEANING = {
    NOTHING: "missing completely at random is not contradicted, as far as a table of this size can tell",
    TOGETHER: "by itself compatible with missing at random, even completely; see the other blocks",
    COMPLETE: "compatible with missing at random, given those columns",
    INCOMPLETE: "what it depends on is itself partly blank, so missing at random is in doubt",
    UNCLEAR: "the table is too small, or the dependence too weak, to say",
}
CAVEAT = (
    "Whether a value is blank because of the value itself cannot be learned from any table: "
    "sample(blanks=False, delta={column: shift}) shows how much that would matter."
)
COLUMNS = (
    ("block", str),
    ("columns", str),
    ("within", str),
    ("blank_rows", int),
    ("rate", float),
    ("lower", float),
    ("upper", float),
    ("p_random", float),
    ("log_bayes_factor", float),
    ("p_blocks", float),
    ("p_complete", float),
    ("p_incomplete", float),
    ("detectable_odds_ratio", float),
    ("reading", str),
    ("meaning", str),
    ("depends_on", str),
    ("informs", str),
)


def read_blocks(table: EncodedTable, local: EvidenceScore, space: SearchSpace, tau: float) -> tuple[BlockEvidence, ...]:
    """Weigh what every block depends on."""
    return tuple(block_evidence(local, space, table, block.name, tau) for block in table.encoding.blocks)


def missingness_table(
    encoding: Encoding,
    evidence: Sequence[BlockEvidence],
    structure: StructurePosterior,
    relationships: pd.DataFrame,
    blanks: Mapping[str, int],
    n_rows: int,
) -> pd.DataFrame:
    """One row per missingness block: its columns, its rate, what it depends on and what depends on it."""
    by_block, rows = {e.block: e for e in evidence}, []
    for block in encoding.blocks:
        count, e = blanks[block.name], by_block[block.name]
        low, high = betaincinv(count + 0.5, n_rows - count + 0.5, INTERVAL)
        reading = reading_of(e)
        rows.append(
            (
                block.name,
                ", ".join(block.columns),
                block.outer or "",
                count,
                count / n_rows,
                low,
                high,
                e.p_random,
                e.log_bayes_factor,
                e.p_blocks,
                e.p_complete,
                e.p_incomplete,
                e.detectable,
                reading,
                MEANING[reading],
                "; ".join(_drivers(e, relationships)),
                "; ".join(_informed(block.name, structure)),
            )
        )
    found = pd.DataFrame(rows, columns=[name for name, _ in COLUMNS])
    found = found.astype({name: kind for name, kind in COLUMNS if kind is not str})
    found.attrs["caveat"] = CAVEAT
    return found


def reading_of(evidence: BlockEvidence) -> str:
    """Put what is known of a block's cause in one of five readings.

    That blanks depend on values is said at a probability of 0.9, and so is any dependence; where it need not be on
    values, because other blanks alone have a probability of 0.25, the blanks come together. That they depend on nothing
    is said at 0.75, if a strong dependence would have been noticed: a Bayes factor of 3, "positive evidence" (Kass and
    Raftery 1995), is about as much as a hundred rows can hold against every dependence, however weak.
    """
    dependent, on_values = 1.0 - evidence.p_random, evidence.p_complete + evidence.p_incomplete
    if on_values >= SURE:
        return COMPLETE if evidence.p_complete > evidence.p_incomplete else INCOMPLETE
    if dependent >= SURE and evidence.p_blocks >= DOUBTFUL:
        return TOGETHER
    return NOTHING if dependent <= DOUBTFUL and not evidence.detectable > STRONG else UNCLEAR


def _drivers(evidence: BlockEvidence, relationships: pd.DataFrame) -> Iterator[str]:
    """Nodes that the block may depend on: probability, and the change of the chance of being observed."""
    mine = relationships[(relationships["child"] == evidence.block) & (relationships["outcome"] == "P(observed)")]
    for name, p in sorted(evidence.parents.items(), key=lambda item: -item[1]):
        if p >= WORTH_NAMING:
            effects = [
                f"{row.change}: {row.effect:+.2f} [{row.lower:+.2f}, {row.upper:+.2f}]"
                for row in mine[mine["parent"] == name].itertuples()
            ]
            yield f"{name} {p:.2f}" + (f" ({', '.join(effects)})" if effects else "")


def _informed(block: str, structure: StructurePosterior) -> Iterator[str]:
    """Nodes whose distribution depends on whether the block was observed, with probabilities."""
    matrix = structure.edge_matrix().loc[block]
    by_construction = {child for parent, child in structure.structural if parent == block}
    for name, p in matrix.sort_values(ascending=False, kind="stable").items():
        if p >= WORTH_NAMING and name not in by_construction:
            yield f"{name} {p:.2f}"

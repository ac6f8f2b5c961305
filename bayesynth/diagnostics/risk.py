"""Risk: what an attacker could learn of the people behind the real table, beside what he learns of people outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from bayesynth._progress import Progress
from bayesynth._random import Seed, spawn
from bayesynth.diagnostics import disclosure, membership
from bayesynth.diagnostics.attacks import detectable_auc, simultaneous
from bayesynth.diagnostics.copies import Found, copies_figure, exact_copies, near_copies, replicated_uniques
from bayesynth.diagnostics.disclosure import attribute_figure
from bayesynth.diagnostics.distances import joint_codes
from bayesynth.diagnostics.figures import RISK, Figure
from bayesynth.diagnostics.gower import Gower
from bayesynth.diagnostics.membership import Attacked, membership_figures
from bayesynth.diagnostics.reading import TableReader, schema_of, table_problems, tables_of
from bayesynth.errors import Problem, raise_all
from bayesynth.schema import Schema
from bayesynth.schema.kinds import NOMINAL

ATTACKS = 2
NO_HOLDOUT = (
    "No rows were put aside before fitting, so there is nobody to compare the fitted people with: fit with "
    "Synthesizer.fit(..., holdout=0.2), then pass real, holdout = fit.split(frame)."
)
NO_KEYS = (
    "No key columns were named: which facts an attacker may know is a judgement. Pass keys=[...], and targets=[...] if "
    "only some of the others matter."
)


def assess_risk(
    real: pd.DataFrame,
    synthetic: pd.DataFrame | Iterable[pd.DataFrame],
    schema: Schema | None = None,
    *,
    holdout: pd.DataFrame | None = None,
    keys: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    random_seed: Seed = None,
    progress: bool = True,
) -> tuple[Figure, ...]:
    r"""Attack the synthetic tables, and say how much better it goes with fitted people than with others.

    - *membership*: two attacks, by the distance to the nearest synthetic row and by a ratio of densities, on everything
      that is released, all tables together. The figure is the AUC of the better one.
    - *membership of unusual records*: the same among the tenth of all real rows that are farthest from any other.
    - *attributes*: with named keys and targets, the share of people of whom the synthetic rows with the same keys all
      have one value of the target, and the right one (DiSCO of synthpop).
    - *copies*: exact copies, near copies and, with keys, replicated uniques; a description only.

    Parameters
    ----------
    real : DataFrame
        The rows that were fitted. It is not changed.
    synthetic : DataFrame or iterable of DataFrame
        Every table that is to be released, of any origin.
    schema : Schema, optional
        What the columns are; inferred from the real table when left out. Only its modelled columns are looked at.
    holdout : DataFrame, optional
        Rows of the same population that were never fitted: the control. Without them attacks cannot be judged.
    keys : sequence of str, optional
        Columns that an attacker may know of a person. Numbers are taken in five groups, as `TableReader` makes them.
    targets : sequence of str, optional
        Columns that shall not be learned; all that are no keys when left out.
    random_seed : int, SeedSequence, Generator or None
        Equal seeds give equal figures.
    progress : bool
        Show a bar.

    Returns
    -------
    tuple of Figure
        Of the group "risk". The excess of each is over its control, with an interval of 90% that allows for the number
        of attacks or targets behind it; the note says the smallest excess that would show in four of five cases.

    Raises
    ------
    InputError
        If the tables cannot be compared, a key or target is no column that is compared, or the holdout consists of
        fitted rows.

    Notes
    -----
    No distance or similarity alone is evidence of privacy, and attacks that fail are none either: see `release_text`.
    Numeric keys in finer groups would make nearly everybody unique. At most 1,000 rows of each group are attacked by
    distances. Above all, keys that are not named are not tested.

    Examples
    --------
    >>> from bayesynth.datasets import load_dataset
    >>> patients = load_dataset("pbc")
    >>> fitted, aside = patients.iloc[:300], patients.iloc[300:]
    >>> figures = assess_risk(fitted, fitted, holdout=aside, random_seed=1, progress=False)
    >>> [(figure.name, figure.verdict) for figure in figures][0]
    ('membership', 'worse than floor')
    """
    reader = TableReader.of(real, schema_of(real, schema))
    tables = tables_of(synthetic, reader.names)
    raise_all(_problems(reader, real, holdout, keys, targets))
    streams = spawn(random_seed, 3)
    with Progress(4.0, progress) as bar:
        bar.doing("reading tables")
        ours, drawn = reader.values(real), [reader.values(table) for table in tables]
        aside = np.empty((0, ours.shape[1])) if holdout is None else reader.values(holdout)
        gower = Gower.of(reader, np.concatenate(drawn))
        synthetic_rows = gower.place(np.concatenate(drawn))
        members, controls = (gower.place(_some(rows, streams[0])) for rows in (ours, aside))
        bar.advance()
        bar.doing("attacking membership")
        found = [exact_copies(ours, aside, np.concatenate(drawn))]
        attacked = Attacked.of(gower, members, controls, synthetic_rows, streams[1])
        found.append(near_copies(attacked.nearest, attacked.apart, attacked.fitted))
        if len(controls) >= membership.FEWEST:
            figures = list(membership_figures(attacked, len(real), streams[2]))
        else:
            figures = _no_membership(holdout)
        bar.advance()
        bar.doing("attacking attributes")
        codes = [reader.bins(values) for values in (ours, *drawn, aside)]
        if keys:
            found.append(_uniques(codes, reader, keys))
        figures.append(_attributes(codes, reader, keys, targets, holdout is not None))
        bar.advance()
        figures.append(copies_figure(found))
    return tuple(figures)


def release_text(n: int, h: int | None, detectable: float | None = None) -> str:
    """Say what every report on released synthetic tables must say.

    Parameters
    ----------
    n : int
        Fitted rows.
    h : int or None
        Rows put aside; None or 0 if there were none.
    detectable : float, optional
        Smallest AUC of a membership attack that would have shown in four of five cases; worked out from n and h when
        left out.

    Examples
    --------
    >>> release_text(334, 84).split(". ")[3]
    'With 334 rows and 84 control rows, a leak that shows as an AUC below 0.60 would probably have been missed'
    """
    if h:
        least = detectable_auc(n, h, simultaneous(ATTACKS)) if detectable is None else detectable
        limit = (
            f"With {n} rows and {h} control rows, a leak that shows as an AUC below {least:.2f} would probably have "
            "been missed."
        )
    else:
        limit = f"None of the {n} rows was kept aside as a control, so no attack could be judged: leaks are unknown."
    return (
        "These data come from a model fitted to real records without differential privacy; there is no formal "
        "guarantee for any individual. Removing exact copies does not make them anonymous. The attacks listed were "
        f"tried with the stated knowledge; others may do better. {limit} Whether the table is personal data is a legal "
        "judgement for the controller. Do not release the fitted posterior, the removed rows or the raw audit without "
        "the same review."
    )


def _problems(
    reader: TableReader,
    real: pd.DataFrame,
    holdout: object,
    keys: Sequence[str] | None,
    targets: Sequence[str] | None,
) -> Iterable[Problem]:
    if not reader.columns:
        why, remedy = "identifiers and constant columns are left out", "pass a table with columns that vary"
        yield Problem("the real table has no column to compare", why, remedy)
        return
    if not len(real):
        yield Problem("the real table has no rows", "nobody can be attacked", "pass the rows that were fitted")
    if holdout is not None:
        yield from _holdout_problems(reader, real, holdout)
    for what, names in (("keys", keys), ("targets", targets)):
        if isinstance(names, str):
            yield Problem(f"{what} is the text {names!r}", "it is a list of columns", f"pass {what}=[{names!r}]")
            continue
        for name in names or ():
            if name not in reader.names:
                remedy = f"name some of {', '.join(reader.names)}"
                yield Problem(f"{what} names {name!r}", "it is no column that is compared", remedy, str(name))
    both = [] if isinstance(keys, str) or isinstance(targets, str) else set(keys or ()) & set(targets or ())
    for name in sorted(both):
        yield Problem(f"{name!r} is both key and target", "what is known cannot be learned", "drop one", name)
    if targets and not keys:
        yield Problem("targets are given without keys", "an attacker knows something", "pass keys=[...]")
    if keys and not isinstance(keys, str) and not targets and set(keys) >= set(reader.names):
        yield Problem("every column is a key", "nothing is left to learn", "leave some columns out of keys")


def _holdout_problems(reader: TableReader, real: pd.DataFrame, holdout: object) -> Iterable[Problem]:
    if wrong := list(table_problems(holdout, "the holdout", reader.names)):
        yield from wrong
        return
    common = holdout.index.intersection(real.index)
    if len(holdout) and len(common) == len(holdout) and real.index.is_unique:
        names = list(reader.names)
        same = reader.values(real.loc[holdout.index, names]), reader.values(holdout[names])
        if np.array_equal(*same, equal_nan=True):
            remedy = "pass real, holdout = fit.split(frame)"
            yield Problem("the holdout consists of rows of the real table", "controls were never fitted", remedy)


def _some(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """At most so many rows, in random order, so that ties fall alike on all."""
    return rows[rng.permutation(len(rows))[: membership.MOST]]


def _no_membership(holdout: pd.DataFrame | None) -> list[Figure]:
    fewest = f"The holdout has {0 if holdout is None else len(holdout)} rows; it takes {membership.FEWEST}."
    because = NO_HOLDOUT if holdout is None else fewest
    named = ((membership.MEMBERSHIP, membership.MEANING), (membership.UNUSUAL, membership.MEANING_UNUSUAL))
    return [Figure.skipped(name, RISK, meaning, because) for name, meaning in named]


def _attributes(
    codes: list[np.ndarray],
    reader: TableReader,
    keys: Sequence[str] | None,
    targets: Sequence[str] | None,
    with_holdout: bool,
) -> Figure:
    if not keys:
        return Figure.skipped(disclosure.ATTRIBUTES, RISK, disclosure.MEANING, NO_KEYS)
    real, *tables, aside = codes
    wanted = list(targets or [name for name in reader.names if name not in keys])
    holdout = aside if with_holdout and len(aside) else None
    return attribute_figure(real, tables, holdout, reader.names, _labels(reader), list(keys), wanted, NO_HOLDOUT)


def _uniques(codes: list[np.ndarray], reader: TableReader, keys: Sequence[str]) -> Found:
    at = [reader.names.index(key) for key in keys]
    members, *tables, controls = joint_codes([table[:, at] for table in codes])
    return replicated_uniques(members, controls, tables)


def _labels(reader: TableReader) -> list[list[str]]:
    """Names of the codes of each column; groups of numbers have no ends, which would be somebody's values."""
    found = []
    for column, size in zip(reader.columns, reader.sizes, strict=True):
        named = [str(level) for level in column.levels] if column.kind in NOMINAL else []
        groups = [f"group {i + 1}" for i in range(len(named), size - 2)]
        found.append([*named, *groups, "beyond the last group" if not named else "another level", "blank"])
    return found

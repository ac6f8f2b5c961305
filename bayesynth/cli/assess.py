"""``bayesynth assess``: a report on synthetic tables of any origin."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bayesynth.cli.files import check_target, read_schema, read_table, replacing
from bayesynth.cli.text import figures_text, wrapped
from bayesynth.errors import InputError, Problem, raise_all

if TYPE_CHECKING:
    import pandas as pd

    from bayesynth.synthesis import SyntheticTables


def run(arguments: argparse.Namespace) -> None:
    """Assess synthetic tables and write the report."""
    check_target(arguments.report, arguments.real)
    real, _ = read_table(arguments.real)
    tables = _read_tables(arguments.synthetic)
    holdout = None if arguments.holdout is None else read_table(arguments.holdout)[0]
    schema, about = read_schema(arguments.schema), _about(arguments.about)
    seed = secrets.randbelow(2**31) if arguments.seed is None else arguments.seed

    from bayesynth.report import assess
    from bayesynth.synthesis import load

    fit = None if arguments.fit is None else load(arguments.fit)
    report = assess(
        real,
        tables,
        schema,
        holdout=holdout,
        keys=arguments.keys,
        target=arguments.target,
        fit=fit,
        about=about,
        progress=sys.stderr.isatty(),
        random_seed=seed,
    )
    with replacing(arguments.report) as unfinished:
        report.to_html(unfinished)
    print(figures_text(report.figures))
    print(wrapped(f"wrote {arguments.report}; it opens in any browser and needs no network", "  "))
    print(f"seed {seed} (the same seed gives the same report)")


def _read_tables(paths: Sequence[Path]) -> SyntheticTables | list[pd.DataFrame]:
    """Read files; or a folder that `SyntheticTables.save` has written, with its provenance."""
    folders = [path for path in paths if path.is_dir()]
    if folders and len(paths) > 1:
        found = f"{str(folders[0])!r} is a folder among other tables"
        why = "its tables have a provenance that the others lack"
        raise InputError(Problem(found, why, "name one folder, or files only"))
    if folders:
        from bayesynth.synthesis import load_tables

        return load_tables(folders[0])
    return [read_table(path)[0] for path in paths]


def _about(texts: Iterable[str]) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in texts]
    raise_all(
        Problem(f"--about {key!r}", "it says what is stated, and the statement", "write --about purpose='Teaching'")
        for key, sign, _ in pairs
        if not sign
    )
    return {key.strip(): text.strip() for key, _, text in pairs}

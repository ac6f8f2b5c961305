"""``bayesynth demo``: a real clinical table from load to files, told as a story."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bayesynth.cli.files import Dialect, replacing, write_table
from bayesynth.cli.text import WIDTH, figures_text, first_rows, heading, relationships_text, schema_text, wrapped
from bayesynth.datasets import describe_dataset, load_dataset
from bayesynth.errors import InputError, Problem
from bayesynth.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

    from bayesynth.report import Report
    from bayesynth.synthesis import Fit, SyntheticTables

NAME, TABLES, GRAPHS = "pbc", 20, 4
ABOUT = {"purpose": "To show what bayesynth does."}
KEYS, HOLDOUT = ("age", "sex"), 0.2  # what an attacker may know; share of the patients who are kept aside
NEAR = "  An interval of the excess around 0 says that synthetic rows are as near to real ones as other real rows are."


def run(arguments: argparse.Namespace) -> None:
    """Fit `pbc`, say what came of it, and write the files."""
    from bayesynth.report import assess
    from bayesynth.structure import StructureOptions
    from bayesynth.synthesis import Synthesizer

    out, seed = arguments.out, arguments.seed
    _make_folder(out)
    patients, facts = load_dataset(NAME), describe_dataset(NAME)
    print(wrapped(f"{facts['title']}: {len(patients)} patients, {patients.shape[1]} columns"))
    schema = Schema.infer(patients)
    print(heading("Schema"))
    print(schema_text(schema), flush=True)
    options = StructureOptions(graphs=GRAPHS)  # a demonstration should not take minutes
    synthesizer = Synthesizer(schema, inference=arguments.inference, structure_options=options)
    fit = synthesizer.fit(patients, holdout=HOLDOUT, random_seed=seed, progress=sys.stderr.isatty())
    real, aside = fit.split(patients)
    print(wrapped(f"\n{len(real)} patients are fitted, {len(aside)} kept aside to judge what the tables give away."))
    synthetic = fit.sample(len(patients), random_seed=seed + 1)
    tables = fit.sample_tables(TABLES, random_seed=seed + 2)
    for part in _story(fit, synthetic):
        print(part, flush=True)
    print(heading(f"Assessment of {len(tables)} synthetic tables, beside what real patients would score"), flush=True)
    known = {"holdout": aside, "keys": KEYS, "fit": fit, "about": ABOUT}
    report = assess(real, tables, **known, progress=sys.stderr.isatty(), random_seed=seed + 3)
    print(figures_text(report.figures))
    print(wrapped(NEAR))
    print(heading(f"Written to {out}"))
    for name, what in _write(out, fit, patients, synthetic, tables, report):
        print(f"  {name:<19}{what}")
    print(_next(out, seed))


def _story(fit: Fit, synthetic: pd.DataFrame) -> Iterator[str]:
    from bayesynth.synthesis.cards import convergence_sentence

    encoding = fit.network.encoding
    values = len(encoding.nodes) - len(encoding.blocks)
    yield heading("Graph: strongest relationships")
    likely = int((fit.structure.edge_probabilities()["adjacency"] >= 0.5).sum())
    counts = f"{values} columns and {len(encoding.blocks)} patterns of blanks"
    yield wrapped(f"{counts}; {likely} pairs more likely related than not. {fit.structure.verdict()}.")
    yield relationships_text(fit.relationships())
    yield heading("Convergence")
    how = "NUTS through PyMC" if fit.settings.inference == "nuts" else "Laplace approximation"
    families = list(fit.network.families.values())
    yield wrapped(f"{how}, {fit.network.n_draws} draws of each family: {convergence_sentence(families)}")
    yield heading("First synthetic rows")
    yield first_rows(synthetic)


def _write(
    out: Path,
    fit: Fit,
    patients: pd.DataFrame,
    synthetic: pd.DataFrame,
    tables: SyntheticTables,
    report: Report,
) -> Iterator[tuple[str, str]]:
    from bayesynth.plots import plot_marginals, plot_network, save_figure

    write_table(synthetic, out / "synthetic.csv", Dialect())
    yield "synthetic.csv", f"{len(synthetic)} synthetic patients"
    relationships = fit.relationships()
    write_table(relationships, out / "relationships.csv", Dialect())
    yield "relationships.csv", f"{len(relationships)} effects with 94% intervals"
    with replacing(out / "network.png") as unfinished:
        save_figure(plot_network(fit), unfinished)
    yield "network.png", "the network"
    with replacing(out / "marginals.png") as unfinished:
        save_figure(plot_marginals(patients, tables, fit.schema), unfinished)
    yield "marginals.png", f"every column, real beside {len(tables)} synthetic tables"
    with replacing(out / "report.html") as unfinished:
        report.to_html(unfinished)
    yield "report.html", "how good and how risky the tables are; open it in a browser"
    fit.save(out / f"{NAME}.bayesynth")
    yield f"{NAME}.bayesynth", "the fit, without a row of the real table"


def _next(out: Path, seed: int) -> str:
    saved = out / f"{NAME}.bayesynth"
    lines = (
        heading("Next"),
        "  your own table:   bayesynth schema data.csv",
        "                    bayesynth synthesize data.csv --out synthetic.csv",
        "                    bayesynth assess data.csv synthetic.csv --report report.html",
        "  from Python:      import bayesynth as bs",
        f"                    fit = bs.load({str(saved)!r})",
        f"                    fit.sample(1000, random_seed={seed + 4})",
    )
    return "\n".join(line if len(line) <= WIDTH else line.strip() for line in lines)


def _make_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(
            Problem(f"{str(out)!r} is a file", "a folder is to be written", "choose another name with --out")
        )
    out.mkdir(parents=True, exist_ok=True)

"""``bayesynth synthesize`` and ``bayesynth schema``: anyone's table."""

from __future__ import annotations

import argparse
import secrets
import sys

from bayesynth.cli.files import check_ending, check_target, read_schema, read_table, replacing, write_table
from bayesynth.cli.text import schema_text, wrapped
from bayesynth.schema import Schema


def run(arguments: argparse.Namespace) -> None:
    """Write a synthetic table."""
    from bayesynth.synthesis import Synthesizer
    from bayesynth.synthesis.cards import convergence_sentence

    check_ending(arguments.out)
    check_target(arguments.out, arguments.data)
    frame, dialect = read_table(arguments.data)
    schema = read_schema(arguments.schema)
    seed = secrets.randbelow(2**31) if arguments.seed is None else arguments.seed
    synthesizer = Synthesizer(schema, inference=arguments.inference)
    fit = synthesizer.fit(frame, random_seed=seed, progress=sys.stderr.isatty())
    synthetic = fit.sample(arguments.n, random_seed=seed + 1)
    write_table(synthetic, arguments.out, dialect)
    families = list(fit.network.families.values())
    shape = f"{len(synthetic)} rows x {synthetic.shape[1]} columns"
    print(wrapped(f"wrote {arguments.out}: {shape}, from {len(frame)} rows of {arguments.data}", "  "))
    print(wrapped(f"convergence: {convergence_sentence(families)}", "  "))
    print(f"seed {seed} (the same seed gives the same table)")
    print("One synthetic table is not real data: standard errors computed on it alone are too small.")


def run_schema(arguments: argparse.Namespace) -> None:
    """Print and write the inferred schema."""
    out = arguments.out or arguments.data.with_name(arguments.data.name + ".schema.json")
    frame, _ = read_table(arguments.data)
    check_target(out, arguments.data)
    schema = Schema.infer(frame)
    with replacing(out) as unfinished:
        schema.to_json(unfinished)
    print(schema_text(schema))
    print(wrapped(f"wrote {out}; edit it, then: bayesynth synthesize {arguments.data} --schema {out} --out ...", "  "))

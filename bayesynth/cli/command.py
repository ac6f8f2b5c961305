"""Arguments, exit codes and messages; what each command does is in a module of its own."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bayesynth import __version__
from bayesynth.cli import assess, demo, synthesize
from bayesynth.cli.text import wrapped
from bayesynth.errors import BayesynthError, BayesynthWarning

OK, REFUSED, STOPPED = 0, 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process when left out.

    Returns
    -------
    int
        0 when all went well, 1 when the input was refused, 130 when it was stopped by Ctrl-C. Wrong usage ends the
        process with 2.
    """
    arguments = _parser().parse_args(argv)
    try:
        with _short_notes():
            arguments.run(arguments)
    except (BayesynthError, OSError) as error:
        if isinstance(error, BrokenPipeError):  # the reader of a pipe has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK
        print(wrapped(f"error: {_message(error)}", "  "), file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("\nstopped; nothing half-written was left behind", file=sys.stderr)
        return STOPPED
    return OK


def _message(error: BayesynthError | OSError) -> str:
    if isinstance(error, BayesynthError):
        return str(error)
    where = f"{error.filename!r}" if error.filename else "a file"
    return f"{where} could not be used. The system says: {error.strerror or error}. Check the path and its permissions."


@contextmanager
def _short_notes() -> Iterator[None]:
    """Print each warning of bayesynth once, in words and at the end, where no progress bar can garble it."""
    notes: dict[str, None] = {}

    def keep(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, BayesynthWarning):
            notes[str(message)] = None

    with warnings.catch_warnings():
        warnings.simplefilter("always", BayesynthWarning)
        warnings.showwarning = keep
        try:
            yield
        finally:
            for note in notes:
                print(wrapped(f"note: {note}", "  "), file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bayesynth",
        description="Synthetic clinical tables from a posterior over Bayesian networks, with honest uncertainty.",
    )
    parser.add_argument("--version", action="version", version=f"bayesynth {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    shown = commands.add_parser("demo", help="fit a real clinical table that ships with bayesynth, and tell the story")
    shown.add_argument("--out", type=Path, default=Path("bayesynth-demo"), help="folder for the files (%(default)s)")
    _add_inference(shown)
    shown.add_argument("--seed", type=_seed, default=1, help="whole number; equal seeds, equal results (%(default)s)")
    shown.set_defaults(run=demo.run)

    made = commands.add_parser("synthesize", help="write a synthetic table that behaves like yours")
    made.add_argument("data", type=Path, help="the table, .csv, .tsv or .parquet")
    made.add_argument("--out", type=Path, required=True, help="the synthetic table, .csv, .tsv or .parquet")
    made.add_argument("-n", type=_positive, help="rows (as many as the table has)")
    made.add_argument("--schema", type=Path, help="what the columns are, as written by `bayesynth schema` (inferred)")
    _add_inference(made)
    made.add_argument("--seed", type=_seed, help="whole number; equal seeds, equal tables (a fresh one, printed)")
    made.set_defaults(run=synthesize.run)

    _add_assess(commands)

    told = commands.add_parser("schema", help="infer what the columns are; print it and write it for you to edit")
    told.add_argument("data", type=Path, help="the table, .csv, .tsv or .parquet")
    told.add_argument("--out", type=Path, help="where to write it (<data>.schema.json beside the data)")
    told.set_defaults(run=synthesize.run_schema)
    return parser


def _add_assess(commands: argparse._SubParsersAction) -> None:
    judged = commands.add_parser("assess", help="judge synthetic tables of any origin; write a report to read")
    judged.add_argument("real", type=Path, help="the real table, .csv, .tsv or .parquet")
    judged.add_argument(
        "synthetic", type=Path, nargs="+", help="synthetic tables, or one folder written by SyntheticTables.save"
    )
    judged.add_argument("--report", type=Path, required=True, help="where to write the report, an .html file")
    judged.add_argument("--holdout", type=Path, help="real rows that the tables were not made from, to judge risk")
    judged.add_argument("--keys", type=_names, help="columns that an attacker may know, separated by commas")
    judged.add_argument("--target", help="column to predict from real and from synthetic rows")
    judged.add_argument("--schema", type=Path, help="what the columns are, as written by `bayesynth schema` (inferred)")
    judged.add_argument("--fit", type=Path, help="the fit behind the tables, for network and convergence")
    judged.add_argument(
        "--about", action="append", default=[], metavar="KEY=TEXT", help="what only you can state, such as purpose=..."
    )
    judged.add_argument("--seed", type=_seed, help="whole number; equal seeds, equal reports (a fresh one, printed)")
    judged.set_defaults(run=assess.run)


def _add_inference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--inference",
        choices=("nuts", "laplace"),
        default="nuts",
        help="nuts: sampling with PyMC; laplace: a checked approximation, for a first look (%(default)s)",
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _positive(text: str) -> int:
    return _whole(text, 1)


def _seed(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return value

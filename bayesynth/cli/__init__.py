"""The command line: demo, synthesize, schema."""

from bayesynth.cli.command import main

__all__ = ["main"]

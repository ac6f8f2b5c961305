"""The command line: demo, synthesize, assess, schema."""

from bayesynth.cli.command import main

__all__ = ["main"]

"""Results of searches, one JSON line each, so that a killed run goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Key = tuple[str, ...]


@dataclass
class Cache:
    """What is known of each key; a new result is written at once.

    Parameters
    ----------
    path : Path
        The file; it is made when the first result comes.
    again : sequence of str
        Results of methods (the last part of a key) that start like one of these are forgotten.
    """

    path: Path
    again: Sequence[str] = ()
    known: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.path.exists():
            lines = [json.loads(line) for line in self.path.read_text().splitlines()]
            self.known = {tuple(line["key"]): line for line in lines if not line["key"][-1].startswith((*self.again,))}

    def fill(self, keys: Sequence[Key], run: Callable[[list[Key]], Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Results of all keys; `run` is asked for those not known and answers like a task: tables and versions."""
        missing = [key for key in keys if key not in self.known]
        if missing:
            answer = run(missing)
            with self.path.open("a") as file:
                for key, found in zip(missing, answer["tables"], strict=True):
                    self.known[key] = {"key": key, **found, "versions": answer["versions"]}
                    file.write(json.dumps(self.known[key]) + "\n")
        return [self.known[key] for key in keys]

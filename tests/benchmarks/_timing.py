"""What every benchmark shares: fresh processes, alternating repeats, medians, and a small report."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
Row = Sequence[object]


@dataclass(frozen=True)
class Spread:
    """Median of repeated figures, with their range."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{figure(self.median)} ({figure(self.low)}-{figure(self.high)})"


def figure(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0 or value != value:
        return str(value)
    digits = max(0, 2 - int(f"{abs(value):e}".split("e")[1]))
    return f"{value:.{digits}f}"


@dataclass
class Report:
    """A title, tables, verdicts and notes, printed as they come and written at the end."""

    title: str
    facts: list[str] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        load = f"load {os.getloadavg()[0]:.2f} at the start"
        self.facts = [f"{os.cpu_count()} cores, {load}, {platform.system()} {platform.machine()}"]
        print(f"# {self.title}\n{self.facts[0]}", flush=True)

    def versions(self, who: str, versions: Mapping[str, str]) -> None:
        """Say what one side ran on."""
        line = f"{who}: " + ", ".join(f"{name} {number}" for name, number in versions.items())
        if line not in self.facts:
            self.facts.append(line)
            print(line, flush=True)

    def table(self, head: Sequence[str], rows: Sequence[Row]) -> None:
        """Print a table."""
        cells = [[str(cell) for cell in row] for row in rows]
        self.tables.append({"head": list(head), "rows": cells})
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        print()
        for row in (head, ["-" * w for w in widths], *cells):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Print a remark."""
        self.notes.append(text)
        print(text, flush=True)

    def verdict(self, requirement: str, holds: bool) -> None:
        """Say whether a requirement holds."""
        self.note(f"{'HOLDS' if holds else 'FAILS'}: {requirement}")

    def markdown(self) -> str:
        """Render the whole report."""
        parts = [f"# {self.title}", "\n".join(f"- {fact}" for fact in self.facts)]
        for table in self.tables:
            lines = [table["head"], ["---"] * len(table["head"]), *table["rows"]]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
        parts += ["\n".join(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n\n".join(parts) + "\n"

    def write(self, out: Path | None) -> None:
        """Write JSON or markdown, by the suffix."""
        if out is not None:
            whole = {"title": self.title, "facts": self.facts, "tables": self.tables, "notes": self.notes}
            out.write_text(json.dumps(whole, indent=1) if out.suffix == ".json" else self.markdown(), encoding="utf-8")


def options(
    description: str | None, *, peer: bool = True, data: bool = True, repeats: int = 3
) -> argparse.ArgumentParser:
    """Arguments that all scripts have in common."""
    parser = argparse.ArgumentParser(description=description)
    if peer:
        parser.add_argument("--peer-python", required=True, help="the interpreter of the peers' environment")
    if data:
        parser.add_argument("--data", default="pbc", help="a shipped dataset, or a CSV or pickle of a frame")
    parser.add_argument("--repeats", type=int, default=repeats, help="how often each side runs")
    parser.add_argument("--out", type=Path, help="a .md or .json file to write")
    return parser


def ours(task: str, env: Mapping[str, str] | None = None, **arguments: object) -> dict[str, Any]:
    """Run a task of `_ours.py` in a fresh process of this interpreter."""
    return _run([sys.executable, str(HERE / "_ours.py"), task, json.dumps(arguments)], env)


def peer(python: str, task: str, env: Mapping[str, str] | None = None, **arguments: object) -> dict[str, Any]:
    """Run a task of `_peer.py` in a fresh process of the peers' interpreter."""
    return _run([python, str(HERE / "_peer.py"), task, json.dumps(arguments)], {"PYTHONPATH": "", **(env or {})})


def _run(command: list[str], env: Mapping[str, str] | None) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False)
    if done.returncode:
        raise SystemExit(f"{Path(command[1]).name} {command[2]} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def alternate(sides: Mapping[str, Callable[[], dict[str, Any]]], repeats: int) -> dict[str, list[dict[str, Any]]]:
    """Run all sides in turn, again and again, so that a busy moment of the machine strikes all alike."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, run in sides.items():
            found[name].append(run())
    return found


def wall(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> float:
    """Seconds that a whole command takes."""
    start = time.perf_counter()
    subprocess.run(command, cwd=cwd, env={**os.environ, **env}, check=True, capture_output=True)
    return time.perf_counter() - start


@contextmanager
def cold_cache() -> Iterator[dict[str, str]]:
    """Give environment variables that point the compile caches of PyTensor and Numba at an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield {"PYTENSOR_FLAGS": f"base_compiledir={folder}/pytensor", "NUMBA_CACHE_DIR": f"{folder}/numba"}

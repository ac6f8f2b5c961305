"""How long `import bayesynth` takes: the median of fresh processes, required to be under one second."""

from __future__ import annotations

import subprocess
import sys

from _timing import Report, Spread, options

LIMIT = 1.0
PROBE = "import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
STATEMENTS = {
    "import bayesynth": "import bayesynth",
    "and its first name": "import bayesynth; bayesynth.Synthesizer",
    "import pandas, for comparison": "import pandas",
}


def probe(statement: str) -> float:
    """Seconds of one statement in a fresh interpreter."""
    command = [sys.executable, "-c", PROBE.format(statement=statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure, print, judge."""
    args = options(__doc__, peer=False, data=False, repeats=7).parse_args()
    report = Report("Import time")
    report.versions("ours", {"python": sys.version.split()[0]})
    probe("import bayesynth")
    found = {name: Spread.of([probe(statement) for _ in range(args.repeats)]) for name, statement in STATEMENTS.items()}
    report.table(["statement", "seconds"], list(found.items()))
    report.verdict(f"import bayesynth takes under {LIMIT:.0f} s", found["import bayesynth"].median < LIMIT)
    report.write(args.out)


if __name__ == "__main__":
    main()

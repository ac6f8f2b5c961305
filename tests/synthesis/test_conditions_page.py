"""The examples of docs/conditions.md run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bayesynth.predictive import conditional

PAGE = Path(__file__).parents[2] / "docs" / "conditions.md"


@pytest.mark.filterwarnings("ignore::bayesynth.errors.ApproximationWarning")
def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 5
    space: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), space)
    shown = capsys.readouterr().out
    assert "Monte Carlo error" in shown
    assert "edges_cut" not in shown
    assert "Rubin (1987)" in shown
    rows = space["rows"]
    assert rows["age"].between(60, 80).all()
    assert rows["stage"].isin([3, 4]).all()


def test_the_page_states_the_numbers_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"pilot of {conditional.PILOT:,} rows" in text
    assert f"max({conditional.MOST_ROWS:,}, {conditional.MOST_PER_ROW} n)" in text
    large = f"beyond {conditional.LARGE_POOL:,} only as many as {conditional.LARGE_POOL_PER_ROW} n"
    assert f"{conditional.POOL_PER_ROW} n rows (at least {conditional.POOL:,}, {large})" in text
    assert f"{conditional.SWEEPS} sweeps" in text
    assert f"fewer than {conditional.FEWEST_EFFECTIVE:g} rows" in text

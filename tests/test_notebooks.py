"""The notebooks run from top to bottom, and are kept without outputs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import bayesynth

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
DRAWS = re.compile(r"\bbs\.plot_|\.plot\(\)|\bplt\.show\(")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def test_it_is_kept_without_outputs(notebook: nbformat.NotebookNode) -> None:
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def test_it_runs_from_top_to_bottom(
    notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one cell that takes minutes reads this; everything else runs as it stands.
    monkeypatch.setenv("BAYESYNTH_NOTEBOOK_INFERENCE", "laplace")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    # The kernel tests the code that this process tests, wherever it starts.
    monkeypatch.setenv("PYTHONPATH", str(Path(bayesynth.__file__).parents[1]), prepend=os.pathsep)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    client.execute()
    drawing = [cell for cell in notebook.cells if cell.cell_type == "code" and DRAWS.search(cell.source)]
    blind = [cell.id for cell in drawing if not any("image/png" in out.get("data", ()) for out in cell.outputs)]
    assert drawing
    assert not blind
    assert not list(tmp_path.iterdir()), "it leaves files behind"

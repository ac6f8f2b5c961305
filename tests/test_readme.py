"""The README: its Python runs, its commands are those of continuous integration, its links lead somewhere."""

from __future__ import annotations

import doctest
import re
import subprocess
import warnings
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import bayesynth as bs

HOME = Path(__file__).parents[1]
README = HOME / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_two_commands_of_one_line_each() -> None:
    install, test = blocks("bash")
    assert install == "python -m pip install . && bayesynth demo\n"
    assert test == 'python -m pip install -e ".[test]" && python -m pytest -n 2 --dist loadfile\n'


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    script = HOME / ".ci" / "run"
    lines = [line.strip() for line in script.read_text(encoding="utf-8").splitlines()]
    assert blocks("bash")[1].strip() in lines
    assert script.stat().st_mode & 0o111, "it must be executable"
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


@pytest.mark.usefixtures("hasty")
@pytest.mark.filterwarnings("ignore::bayesynth.errors.ApproximationWarning")
def test_the_python_session_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (session,) = blocks("python")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bs, "Synthesizer", partial(bs.Synthesizer, inference="laplace"))
    names: dict[str, object] = {}
    exec(compile(session, str(README), "exec"), names)
    assert len(names["tables"]) == 20
    assert list(names["synthetic"].columns) == list(names["patients"].columns)
    assert {path.name for path in tmp_path.iterdir()} == {"network.png", "pbc.bayesynth", "report.html"}
    assert not names["complete"].isna().any().any()
    plt.close("all")


def test_the_examples_of_rules_and_conditions_run() -> None:
    pytest.importorskip("faker")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.errors.BayesynthWarning)
        failed, tried = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert tried >= 10
    assert failed == 0


@pytest.mark.parametrize("page", [README, *sorted(HOME.glob("docs/*.md"))], ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    lost = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not lost

"""The house: which package may import which, where third parties come in, and what a public name must have."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

import bayesynth
import bayesynth.datasets as ds

ROOT = Path(bayesynth.__file__).parent
ORDER = (
    "errors",
    "_random",
    "_progress",
    "_threads",
    "_html",
    "_words",
    "schema",
    "rules",
    "datasets",
    "graphs",
    "encoding",
    "diagnostics",
    "families",
    "structure",
    "inference",
    "predictive",
    "synthesis",
    "plots",
    "report",
    "cli",
)
ENGINES = {"pymc", "pytensor", "nutpie", "arviz", "arviz_stats", "arviz_base"}
HOMES = {
    "networkx": ({"graphs"}, {"datasets/network.py"}),
    "matplotlib": ({"plots"}, set()),
    "faker": (set(), {"encoding/fakes.py"}),
    **{engine: ({"families", "inference"}, set()) for engine in ENGINES},
}
FILES = sorted(ROOT.rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"


def imports(tree: ast.AST, *, at_load: bool = False) -> Iterator[str]:
    """Names of imported modules, those under TYPE_CHECKING left out; at_load leaves those inside functions out too."""
    for node in ast.iter_child_nodes(tree):
        if _is_type_checking(node) or (at_load and isinstance(node, (ast.FunctionDef, ast.Lambda))):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in LOADERS:
            yield from (a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
        yield from imports(node, at_load=at_load)


LOADERS = {"load", "import_module", "__import__"}


def package_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_every_package_has_its_place_in_the_house() -> None:
    assert {package_of(path) for path in FILES} <= {"__init__", "__main__", *ORDER}


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_package_imports_only_from_its_left(path: Path) -> None:
    mine = package_of(path)
    if mine in ("__init__", "__main__"):
        return  # the shop window opens every door, when asked
    used = {name.split(".")[1] for name in imports(parse(path)) if name.startswith("bayesynth.")} & set(ORDER)
    right = [name for name in used if ORDER.index(name) > ORDER.index(mine)]
    assert not right, f"{mine} imports {right}, which stand to its right"


def test_the_layering_check_sees_a_wrong_import() -> None:
    tree = ast.parse("def f():\n    from bayesynth.synthesis import Fit\nx = load('pymc')")
    assert {"bayesynth.synthesis", "pymc"} <= set(imports(tree))
    hidden = ast.parse("if TYPE_CHECKING:\n    import pymc")
    assert list(imports(hidden)) == []


def test_modules_import_one_another_without_a_cycle() -> None:
    modules = {_module_name(path): path for path in FILES}
    graph = nx.DiGraph()
    for name, path in modules.items():
        # A name imported from a package is a module of it, or something that its __init__ imports.
        graph.add_edges_from((name, other) for other in imports(parse(path), at_load=True) if other in modules)
    inside = [(a, b) for a, b in graph.edges if a.rpartition(".")[0] == b]
    graph.remove_edges_from(inside)  # a module's own package is loading already when the module is
    assert nx.is_directed_acyclic_graph(graph), nx.find_cycle(graph)
    assert graph.number_of_edges() > 50


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_third_parties_come_in_by_their_own_door(path: Path) -> None:
    used = {name.split(".")[0] for name in imports(parse(path))}
    for party in used & set(HOMES):
        packages, spots = HOMES[party]
        allowed = package_of(path) in packages or path.relative_to(ROOT).as_posix() in spots
        assert allowed, f"{path.name} imports {party}"


@pytest.mark.parametrize("package", ["graphs", "families", "structure", "predictive"])
def test_the_network_is_free_of_pandas(package: str) -> None:
    used = {name.split(".")[0] for path in FILES if package_of(path) == package for name in imports(parse(path))}
    assert "bayesynth" in used
    assert "pandas" not in used


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_file_is_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_global_randomness_and_no_pickle(path: Path) -> None:
    tree = parse(path)
    assert not {"random", "pickle", "dill", "cloudpickle", "shelve"} & set(imports(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("np.random", "numpy.random"):
            assert node.attr in {"Generator", "SeedSequence", "default_rng"}, ast.unparse(node)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
            assert node.args, f"{path.name} draws entropy of its own"


def _loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


def test_importing_the_library_loads_nothing_heavy() -> None:
    heavy = {
        "pymc",
        "pytensor",
        "nutpie",
        "arviz",
        "matplotlib",
        "faker",
        "networkx",
        "scipy.stats",
        "xarray",
        "joblib",
        "numba",
    }
    assert not heavy & _loaded_by("import bayesynth")


def test_describing_a_fit_loads_no_engine() -> None:
    loaded = _loaded_by("import bayesynth as bs\nbs.Synthesizer(schema=None); bs.Knowledge(); bs.Prior(); bs.load")
    assert not (ENGINES | {"matplotlib", "numba", "scipy.stats"}) & loaded
    assert "bayesynth.synthesis" in loaded


@pytest.mark.parametrize("name", bayesynth.__all__)
def test_every_public_name_resolves_and_says_what_it_is(name: str) -> None:
    found = getattr(bayesynth, name)
    assert inspect.getdoc(found)
    assert name in dir(bayesynth)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = bayesynth.no_such_thing


def _public_callables() -> Iterator[tuple[str, object]]:
    spaces = [(bayesynth, n) for n in bayesynth.__all__] + [(ds, n) for n in ds.__all__]
    for space, name in spaces:
        found = getattr(space, name)
        if inspect.isclass(found):
            members = inspect.getmembers(found, inspect.isroutine)
            yield from (
                (f"{name}.{m}", f) for m, f in members if not m.startswith("_") and m in vars(found) and callable(f)
            )
        if callable(found):
            yield name, found


def _parameters(found: object) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(found).parameters)
    except ValueError:
        return {}


def test_seeds_have_one_name() -> None:
    named = dict(_public_callables())
    for name, found in named.items():
        assert not {"rng", "random_state", "rng_seed"} & set(_parameters(found)), name
    drawing = {name for name, found in named.items() if "random_seed" in _parameters(found)}
    assert {
        "Synthesizer.fit",
        "Fit.sample",
        "Fit.sample_tables",
        "RandomNetwork.sample",
        "random_network",
        "simulate_network",
    } <= drawing
    for name in drawing:
        assert _parameters(named[name])["random_seed"].kind is inspect.Parameter.KEYWORD_ONLY, name
        assert _parameters(named[name])["random_seed"].default is None, name
    docs = [name for name in drawing if "random_seed" not in (inspect.getdoc(named[name]) or "")]
    assert not docs

"""One file per fit: a JSON manifest and the posterior as netCDF in a zip archive, checksummed and versioned."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayesynth.encoding.blocks import Block
from bayesynth.encoding.design import Design, Term
from bayesynth.encoding.distributions import Sample
from bayesynth.encoding.features import NominalFeatures, NumericFeatures, OrdinalFeatures
from bayesynth.encoding.fresh import SOURCES, Source
from bayesynth.encoding.marginal import EmpiricalMarginal
from bayesynth.encoding.parametric import Checks, ParametricMarginal
from bayesynth.encoding.stand_in import StandIn
from bayesynth.encoding.table import Encoding, Node
from bayesynth.errors import FileFormatError
from bayesynth.graphs import DAG
from bayesynth.inference import from_tree
from bayesynth.predictive import FittedNetwork
from bayesynth.schema import Schema
from bayesynth.structure import BlockEvidence
from bayesynth.synthesis.coding import Codebook
from bayesynth.synthesis.netcdf import from_netcdf, to_netcdf
from bayesynth.synthesis.ruled import Ruled
from bayesynth.synthesis.settings import Settings
from bayesynth.synthesis.structure import StructurePosterior

if TYPE_CHECKING:
    import xarray as xr

    from bayesynth.synthesis.fit import Fit

FORMAT, VERSION = "bayesynth-fit", 1
MANIFEST, CHECKSUM, POSTERIOR = "manifest.json", "manifest.sha256", "posterior.nc"
LARGEST = 2**31
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError, RecursionError)
EPOCH = (1980, 1, 1, 0, 0, 0)  # a file says nothing about when the table was there
MARGINALS = (EmpiricalMarginal, ParametricMarginal, Sample, Checks)
_TYPES = {
    t.__name__: t
    for t in (
        Block,
        Design,
        Node,
        NominalFeatures,
        NumericFeatures,
        OrdinalFeatures,
        StandIn,
        Term,
        *SOURCES,
        *MARGINALS,
    )
}


def write(fit: Fit, path: Path) -> Path:
    """Write a fit; a failure leaves neither a half file nor a damaged old one."""
    parts = {"structure": _structure_draws(fit.structure)}
    if fit.network.families:
        parts |= {name: fit.posterior[name].to_dataset() for name in ("posterior", "sample_stats")}
    posterior = to_netcdf(parts)
    text = json.dumps(_describe(fit, posterior), ensure_ascii=False).encode()
    members = {MANIFEST: text, CHECKSUM: _digest(text).encode(), POSTERIOR: posterior}
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def load(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` has written. Loading never runs code from the file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Fit
        Draws the same tables for the same seeds as the one that was saved.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If the file is not a fit of this version, or has been damaged.

    Examples
    --------
    >>> fit = load("pbc.bayesynth")  # doctest: +SKIP
    """
    members = _read_members(Path(path))
    if _digest(members[MANIFEST]) != members[CHECKSUM].decode(errors="replace"):
        raise _broken(path, "its manifest does not match its checksum")
    try:
        manifest = json.loads(members[MANIFEST])
        named = manifest["format"], manifest["version"]
        intact = _digest(members[POSTERIOR]) == manifest["posterior_sha256"]
    except UNREADABLE as error:
        raise _broken(path, f"its manifest cannot be read ({error!r})") from error
    if named != (FORMAT, VERSION):
        raise _broken(path, f"it is {named[0]!r} of version {named[1]!r}; this release reads {FORMAT!r} of {VERSION}")
    if not intact:
        raise _broken(path, "its posterior does not match its checksum")
    try:
        return _rebuild(manifest, members[POSTERIOR])
    except (FileFormatError, *UNREADABLE) as error:
        raise _broken(path, f"its content cannot be read ({error!r})") from error


def _read_members(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            if set(sizes) != {MANIFEST, CHECKSUM, POSTERIOR}:
                raise _broken(path, "it does not hold the parts of a fit")
            if sum(sizes.values()) > LARGEST:
                raise _broken(path, "it unpacks to more than 2 GiB")
            return {name: archive.read(name) for name in sizes}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, UnicodeDecodeError) as error:
        raise _broken(path, f"its archive is damaged ({error})") from error


def _broken(path: str | Path, why: str) -> FileFormatError:
    return FileFormatError(
        f"{path} is not a fit that can be read: {why}. Nothing of it was used. "
        "Take another copy, or fit the table again and save it with fit.save(path)."
    )


def _describe(fit: Fit, posterior: bytes) -> dict:
    encoding = fit.network.encoding
    return {
        "format": FORMAT,
        "version": VERSION,
        "posterior_sha256": _digest(posterior),
        "schema": json.loads(fit.schema.to_json()),
        "ruled": fit.ruled.to_dict(),
        "settings": fit.settings.to_dict(),
        "nodes": {name: _plain(node) for name, node in encoding.nodes.items()},
        "blocks": _plain(encoding.blocks),
        "fixed": dict(encoding.fixed),
        "designs": {name: _plain(posterior.design) for name, posterior in fit.network.families.items()},
        "graphs": _graphs(fit),
        "structure": _structure(fit.structure),
        "block_evidence": _plain(fit.blocks),
        "levels": {
            name: [fit.model_schema[name].levels.index(level) for level in levels]
            for name, levels in fit.codebook.levels.items()
        },
        "origins": dict(fit.codebook.origins),
        "fresh": {name: _plain(source) for name, source in fit.codebook.fresh.items()},
        "n_rows": fit.n_rows,
        "blanks": dict(fit.blanks),
        "log_bayes_factors": [[*edge, value] for edge, value in sorted(fit.log_bayes_factors.items())],
        "effect_seed": fit.effect_seed,
        "holdout": list(fit.holdout),
        "coding": dict(fit.coding),
    }


def _rebuild(manifest: Mapping, posterior: bytes) -> Fit:
    from bayesynth.synthesis.fit import Fit

    schema = Schema.from_json(json.dumps(manifest["schema"]))
    ruled = Ruled.from_dict(schema, manifest["ruled"])
    nodes = {name: _object(node) for name, node in manifest["nodes"].items()}
    encoding = Encoding(nodes, _object(manifest["blocks"]), manifest["fixed"])
    designs = {name: _object(design) for name, design in manifest["designs"].items()}
    tree = from_netcdf(posterior)
    families = from_tree(tree, designs) if designs else {}
    names = list(designs)
    if any(sorted(graph) and not 0 <= min(graph) <= max(graph) < len(names) for graph in manifest["graphs"]):
        raise ValueError("its graphs name families that it does not hold")
    graphs = tuple({child: names[at] for child, at in zip(nodes, graph, strict=True)} for graph in manifest["graphs"])
    if any(designs[name].node != child for graph in graphs for child, name in graph.items()):
        raise ValueError("its families are not those of its nodes")
    network = FittedNetwork(encoding, families, graphs)
    if not network.dags:  # and none of them has a circle
        raise ValueError("it holds no graph")
    inner = ruled.plan.model_schema
    levels = {name: tuple(inner[name].levels[i] for i in at) for name, at in manifest["levels"].items()}
    return Fit(
        schema,
        network,
        _structure_from(manifest["structure"], tuple(nodes), tree["structure"].to_dataset()),
        _blocks_from(manifest["block_evidence"]),
        Codebook(levels, manifest["origins"], _fresh_from(schema, manifest["fresh"])),
        Settings.from_dict(manifest["settings"]),
        manifest["n_rows"],
        manifest["blanks"],
        {(a, b): value for a, b, value in manifest["log_bayes_factors"]},
        manifest["effect_seed"],
        tuple(manifest["holdout"]),
        manifest["coding"],
        ruled,
    )


def _fresh_from(schema: Schema, stored: Mapping) -> dict[str, Source]:
    sources = {name: _object(source) for name, source in stored.items()}
    withheld = {name for name, column in schema.items() if column.withheld}
    if set(sources) != withheld or not all(isinstance(source, SOURCES) for source in sources.values()):
        raise ValueError("its fresh values are not those of its withheld columns")
    return sources


def _graphs(fit: Fit) -> list[list[int]]:
    """Give for each graph the place of every node's family."""
    place = {name: i for i, name in enumerate(fit.network.families)}
    return [[place[graph[child]] for child in fit.network.encoding.nodes] for graph in fit.network.graphs]


def _structure(structure: StructurePosterior) -> dict:
    """Describe what is known of the graph, the draws left out."""
    return {
        "how": structure.how,
        "blocks": list(structure.blocks),
        "structural": sorted(structure.structural),
        "settled": sorted(structure.settled),
        "best": sorted(structure.best.edges),
        "best_log_score": structure.best_log_score,
        "acceptance": _plain(structure.acceptance),
        "swap_rates": _plain(structure.swap_rates),
        "steps": structure.steps,
    }


def _structure_from(facts: Mapping, nodes: tuple[str, ...], draws: xr.Dataset) -> StructurePosterior:
    edges = {name: frozenset((a, b) for a, b in facts[name]) for name in ("structural", "settled", "best")}
    ever = draws["ever"].values.astype(bool)
    drawn = np.zeros((*draws["log_score"].shape, *ever.shape), bool)
    drawn[:, :, ever] = np.unpackbits(draws["edges"].values, axis=-1, count=int(ever.sum())).astype(bool)
    return StructurePosterior(
        facts["how"],
        nodes,
        tuple(facts["blocks"]),
        edges["structural"],
        edges["settled"],
        drawn,
        draws["log_score"].values,
        DAG(nodes, edges["best"]),
        facts["best_log_score"],
        _object(facts["acceptance"]),
        _object(facts["swap_rates"]),
        facts["steps"],
    )


def _structure_draws(structure: StructurePosterior) -> xr.Dataset:
    """Drawn graphs: one bit for each edge that some graph has."""
    import xarray as xr

    ever = structure.drawn.any(axis=(0, 1))
    bits = np.packbits(structure.drawn[:, :, ever], axis=-1)
    return xr.Dataset(
        {
            "edges": (("run", "graph", "byte"), bits),
            "ever": (("parent", "child"), ever.astype(np.uint8)),
            "log_score": (("run", "graph"), structure.log_scores),
        }
    )


def _blocks_from(values: list) -> tuple[BlockEvidence, ...]:
    return tuple(
        BlockEvidence(
            **{k: v for k, v in value.items() if k not in ("type", "parents")}, parents=dict(value["parents"])
        )
        for value in values
    )


def _plain(value: object) -> object:
    """Turn dataclasses, arrays and tuples into what JSON holds."""
    if dataclasses.is_dataclass(value):
        return {"type": type(value).__name__} | {
            f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)
        }
    if isinstance(value, np.ndarray):
        return {"type": "array", "shape": list(value.shape), "values": value.ravel().tolist()}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _object(value: object) -> object:
    """Undo `_plain`, for the known types only."""
    if isinstance(value, list):
        return tuple(_object(item) for item in value)
    if not isinstance(value, dict):
        return value
    facts = {name: _object(item) for name, item in value.items() if name != "type"}
    if value["type"] == "array":
        return np.array(facts["values"], dtype=float).reshape(facts["shape"])
    return _TYPES[value["type"]](**facts)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

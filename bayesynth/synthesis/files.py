"""One file per fit: a JSON manifest and the posterior as netCDF in a zip archive, checksummed and versioned."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import secrets
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayesynth.encoding.blocks import Block
from bayesynth.encoding.design import Design, Term
from bayesynth.encoding.features import NominalFeatures, NumericFeatures, OrdinalFeatures
from bayesynth.encoding.marginal import EmpiricalMarginal
from bayesynth.encoding.table import Encoding, Node
from bayesynth.errors import FileFormatError
from bayesynth.graphs import DAG
from bayesynth.inference import from_tree
from bayesynth.predictive import FittedNetwork
from bayesynth.schema import Schema
from bayesynth.synthesis.coding import Codebook
from bayesynth.synthesis.settings import Settings

if TYPE_CHECKING:
    import xarray as xr

    from bayesynth.synthesis.fit import Fit

FORMAT, VERSION = "bayesynth-fit", 1
MANIFEST, CHECKSUM, POSTERIOR = "manifest.json", "manifest.sha256", "posterior.nc"
LARGEST = 2**31
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError, RecursionError)
EPOCH = (1980, 1, 1, 0, 0, 0)  # a file says nothing about when the table was there
_TYPES = {
    t.__name__: t
    for t in (Block, Design, EmpiricalMarginal, Node, NominalFeatures, NumericFeatures, OrdinalFeatures, Term)
}


def write(fit: Fit, path: Path) -> Path:
    """Write a fit; a failure leaves neither a half file nor a damaged old one."""
    posterior = _to_netcdf(fit.posterior)
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
        "settings": fit.settings.to_dict(),
        "nodes": {name: _plain(node) for name, node in encoding.nodes.items()},
        "blocks": _plain(encoding.blocks),
        "fixed": dict(encoding.fixed),
        "edges": sorted(fit.network.dag.edges),
        "designs": {name: _plain(posterior.design) for name, posterior in fit.network.families.items()},
        "levels": {
            name: [fit.schema[name].levels.index(level) for level in levels]
            for name, levels in fit.codebook.levels.items()
        },
        "origins": dict(fit.codebook.origins),
        "n_rows": fit.n_rows,
        "blanks": dict(fit.blanks),
        "log_score": fit.log_score,
        "log_bayes_factors": [[*edge, value] for edge, value in sorted(fit.log_bayes_factors.items())],
        "effect_seed": fit.effect_seed,
    }


def _rebuild(manifest: Mapping, posterior: bytes) -> Fit:
    from bayesynth.synthesis.fit import Fit

    schema = Schema.from_json(json.dumps(manifest["schema"]))
    nodes = {name: _object(node) for name, node in manifest["nodes"].items()}
    encoding = Encoding(nodes, _object(manifest["blocks"]), manifest["fixed"])
    dag = DAG(tuple(nodes), frozenset((a, b) for a, b in manifest["edges"]))
    designs = {name: _object(design) for name, design in manifest["designs"].items()}
    if set(designs) != set(nodes):
        raise ValueError("its families are not those of its nodes")
    families = from_tree(_from_netcdf(posterior), designs) if designs else {}
    levels = {name: tuple(schema[name].levels[i] for i in at) for name, at in manifest["levels"].items()}
    return Fit(
        schema,
        FittedNetwork(encoding, dag, families),
        Codebook(levels, manifest["origins"]),
        Settings.from_dict(manifest["settings"]),
        manifest["n_rows"],
        manifest["blanks"],
        manifest["log_score"],
        {(a, b): value for a, b, value in manifest["log_bayes_factors"]},
        manifest["effect_seed"],
    )


def _plain(value: object) -> object:
    """Turn dataclasses, arrays and tuples into what JSON holds."""
    if dataclasses.is_dataclass(value):
        return {"type": type(value).__name__} | {
            f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)
        }
    if isinstance(value, np.ndarray):
        return {"type": "array", "shape": list(value.shape), "values": value.ravel().tolist()}
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


def _to_netcdf(tree: xr.DataTree) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / POSTERIOR
        tree.to_netcdf(path, engine="h5netcdf")
        return path.read_bytes()


def _from_netcdf(content: bytes) -> xr.DataTree:
    import xarray as xr

    with xr.open_datatree(io.BytesIO(content), engine="h5netcdf") as tree:
        return tree.load()

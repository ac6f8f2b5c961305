"""A fit's posterior as netCDF in memory, and back."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

ENGINE = "h5netcdf"
AT_ONCE = 16  # variables of a group: for each of them the library looks through all dimensions of its group


def to_netcdf(datasets: dict[str, xr.Dataset]) -> bytes:
    """Write datasets, each as a group whose variables are dealt out to smaller groups.

    Parameters
    ----------
    datasets : dict of str to Dataset
        By name.
    """
    import xarray as xr

    parts = {f"{name}/{i:04d}": part for name, whole in datasets.items() for i, part in enumerate(_split(whole))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "posterior.nc"
        xr.DataTree.from_dict(parts).to_netcdf(path, engine=ENGINE)
        return path.read_bytes()


def from_netcdf(content: bytes) -> xr.DataTree:
    """Read what `to_netcdf` wrote, as a tree with a node for each dataset."""
    import xarray as xr

    with xr.open_datatree(io.BytesIO(content), engine=ENGINE) as tree:
        tree.load()
    return xr.DataTree.from_dict({name: _join(node) for name, node in tree.children.items()})


def _split(whole: xr.Dataset) -> Iterator[xr.Dataset]:
    names = list(whole.data_vars)
    for start in range(0, max(len(names), 1), AT_ONCE):
        yield whole[names[start : start + AT_ONCE]]


def _join(node: xr.DataTree) -> xr.Dataset:
    import xarray as xr

    parts = [node[name].to_dataset() for name in sorted(node.children)]
    variables = {name: variable for part in parts for name, variable in part.data_vars.items()}
    coords = {name: coord for part in parts for name, coord in part.coords.items()}
    return xr.Dataset({name: v.variable for name, v in variables.items()}, {n: c.variable for n, c in coords.items()})

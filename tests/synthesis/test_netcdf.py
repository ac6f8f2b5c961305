"""The posterior as netCDF: what comes back is what was written, in its order, and in small groups."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesynth.synthesis.netcdf import AT_ONCE, from_netcdf, to_netcdf


def test_datasets_come_back_as_they_were() -> None:
    n = 2 * AT_ONCE + 1
    variables = {f"v{n - i}": (("draw", f"term {i}"), np.full((3, 2), i), {"family": f"f{i}"}) for i in range(n)}
    coords = {f"term {i}": ["a", f"b{i}"] for i in range(n)} | {"draw": np.arange(3)}
    parts = {"posterior": xr.Dataset(variables, coords), "sample_stats": xr.Dataset({"rhat": ("family", [1.0])})}
    tree = from_netcdf(to_netcdf(parts))
    assert set(tree.children) == set(parts)
    for name, part in parts.items():
        xr.testing.assert_identical(tree[name].to_dataset(), part)
        assert list(tree[name].data_vars) == list(part.data_vars)


def test_a_dataset_without_variables_comes_back() -> None:
    tree = from_netcdf(to_netcdf({"posterior": xr.Dataset(), "structure": xr.Dataset({"a": ("x", [1, 2])})}))
    assert not tree["posterior"].data_vars
    assert tree["structure"]["a"].values.tolist() == [1, 2]

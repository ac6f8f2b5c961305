"""One compiled log density and gradient per family, made from its PyMC model once and reused with other data."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from bayesynth.families import FAMILIES, Prior, Task
from bayesynth.inference._engine import load

if TYPE_CHECKING:
    import pymc as pm

LogDensity = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Flat unconstrained parameters -> log posterior density and its gradient."""

TEMPLATES = {
    "binary": Task(np.array([0.0, 1.0]), np.array([[-1.0], [1.0]]), 2),
    "categorical": Task(np.array([0.0, 1.0, 2.0]), np.array([[-1.0], [0.0], [1.0]]), 3),
    "gaussian": Task(np.array([-1.0, 1.0]), np.array([[-1.0], [1.0]]), 0),
    "ordinal": Task(np.array([0.0, 1.0, 2.0]), np.array([[-1.0], [0.0], [1.0]]), 3),
}


@contextmanager
def quiet_engines() -> Iterator[None]:
    """Leave out notices on how to link and to write loops, meant for the engines' developers."""
    # Reordered arithmetic would make a kernel just compiled differ in its last bits from the same one off the disk.
    with warnings.catch_warnings(), load("pytensor").config.change_flags(numba__fastmath=False):
        warnings.simplefilter("ignore")
        yield


def compiled(model: pm.Model) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Turn a PyMC model into a function of its unconstrained variables: log density and gradient."""
    pytensor, pt = load("pytensor"), load("pytensor.tensor")
    density, variables = model.logp(), model.continuous_value_vars
    gradient = pt.concatenate([pt.grad(density, v).ravel() for v in variables])
    with quiet_engines():
        # Numba keeps what it compiles on disk and needs no C compiler on the user's machine.
        return pytensor.function(variables, [density, gradient], mode="NUMBA", trust_input=True)


class Kernel:
    """The compiled density of one family; shapes are free, so one compilation serves every table.

    Parameters
    ----------
    family : str
        Name of the family.
    """

    def __init__(self, family: str):
        load("pymc")
        self._family = FAMILIES[family]
        model = self._family.model(TEMPLATES[family], Prior())
        self._data = {name: model[name] for name in self._family.data(TEMPLATES[family], Prior())}
        self._function = compiled(model)
        size = sum(int(np.prod(shape)) for shape in self._family.shapes(TEMPLATES[family]))
        with quiet_engines():
            self.bind(TEMPLATES[family], Prior())(np.zeros(size))  # it compiles when it is first called

    def bind(self, task: Task, prior: Prior) -> LogDensity:
        """Give the density of a task; binding the next task takes the data of this one away."""
        for name, value in self._family.data(task, prior).items():
            self._data[name].set_value(np.asarray(value, order="C"), borrow=True)
        shapes = self._family.shapes(task)
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        cuts = list(zip(np.r_[0, ends[:-1]].tolist(), ends.tolist(), shapes, strict=True))
        function = self._function

        def log_density(flat: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = function(*(flat[a:b].reshape(shape) for a, b, shape in cuts))
            return float(value), gradient

        return log_density


@cache
def kernel(family: str) -> Kernel:
    """Compile a family's kernel, or take the one that this process has."""
    return Kernel(family)

"""What inference returns for one family, and the settings that it was run with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bayesynth.encoding.design import PRODUCT, SCALE, SHAPE, Design, Term
from bayesynth.encoding.features import PRESENCE, SPLINE, STEPS
from bayesynth.errors import InputError, Problem, raise_all

RHAT_LIMIT = 1.01
ESS_LIMIT = 400
PARETO_K_LIMIT = 0.7
FAMILIES_PER_PROCESS = 40
PRODUCT_SIGN = " x "
SPELT_OUT = (SPLINE, STEPS, SCALE, PRESENCE, SHAPE)
SIGNS = (" + ", " ~ ", PRODUCT_SIGN, "`")


@dataclass(frozen=True)
class SamplerOptions:
    """How long to sample.

    Parameters
    ----------
    chains : int
        Independent chains of each family.
    tune : int
        Draws of each chain that adapt the sampler and are dropped.
    draws : int
        Draws of each chain that are kept.
    retries : int
        Longer runs for a family that fails its check, each twice as long as the one before and with shorter steps,
        thinned to `draws`.
    n_jobs : int, optional
        Families sampled at the same time, each in a process of its own. When left out, one process for every 40
        families, at most as many as there are cores; the draws do not depend on it.
    """

    chains: int = 4
    tune: int = 300
    draws: int = 250
    retries: int = 2
    n_jobs: int | None = None

    def __post_init__(self) -> None:
        least = {"chains": 1, "tune": 50, "draws": 50, "retries": 0} | ({} if self.n_jobs is None else {"n_jobs": 1})
        raise_all(
            Problem(
                f"SamplerOptions({name}={getattr(self, name)!r})",
                f"{name} is a whole number of at least {low}",
                f"leave {name} out to keep its default",
            )
            for name, low in least.items()
            if not isinstance(getattr(self, name), int) or getattr(self, name) < low
        )

    def processes(self, n_families: int) -> int:
        """Tell how many processes to use for so many families."""
        wanted = max(1, min(os.cpu_count() or 1, n_families // FAMILIES_PER_PROCESS))
        return wanted if self.n_jobs is None else min(self.n_jobs, max(n_families, 1))

    @property
    def total(self) -> int:
        """Draws that are kept over all chains."""
        return self.chains * self.draws


@dataclass(frozen=True)
class FamilyPosterior:
    """The posterior of one family's parameters, and how far to trust it.

    Parameters
    ----------
    design : Design
        Its columns.
    family : str
        Name of the node family.
    parameters : mapping of str to ndarray, shape (chain, draw, ...)
        Draws.
    n_rows : int
        Rows that it was fitted on.
    rhat, ess_bulk, ess_tail : float
        Worst over parameters; NaN for independent draws.
    divergences : int
        Divergent transitions after tuning.
    pareto_k : float
        Of the Laplace approximation; NaN where the draws are exact or come from NUTS.
    """

    design: Design
    family: str
    parameters: Mapping[str, np.ndarray]
    n_rows: int
    rhat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    pareto_k: float

    @property
    def node(self) -> str:
        """The child."""
        return self.design.node

    @property
    def name(self) -> str:
        """The family's formula, as "child ~ parent + parent"."""
        return family_name(self.design)

    @property
    def trusted(self) -> bool:
        """Whether every check that applies is passed."""
        return passed(self)

    def flat(self) -> dict[str, np.ndarray]:
        """Draws with chains laid end to end, shape (chain * draw, ...)."""
        return {
            name: values.reshape(values.shape[0] * values.shape[1], *values.shape[2:])
            for name, values in self.parameters.items()
        }


class Checked(Protocol):
    """What a posterior is judged by; NaN where a figure does not apply."""

    rhat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    pareto_k: float


def passed(found: Checked) -> bool:
    """Whether every check that applies is passed."""
    checks = (
        np.isnan(found.rhat) or found.rhat <= RHAT_LIMIT,
        np.isnan(found.ess_bulk) or min(found.ess_bulk, found.ess_tail) >= ESS_LIMIT,
        found.divergences == 0,
        np.isnan(found.pareto_k) or found.pareto_k <= PARETO_K_LIMIT,
    )
    return all(checks)


def family_name(design: Design) -> str:
    """Name a family by its formula, as "child ~ parent + spline(parent) + scale(parent)"; "child ~ 1" without parents.

    Parents stand alone in their plain form; others, products and what acts on the residual are spelt out.
    """
    order = sorted(design.terms, key=lambda term: (not term.of_location, term.form == PRODUCT, term.parents, term.form))
    terms = [_spelt(term) for term in order]
    return f"{_quoted(design.node)} ~ {' + '.join(terms) or '1'}"


def _spelt(term: Term) -> str:
    parents = PRODUCT_SIGN.join(map(_quoted, term.parents))
    return f"{term.form}({parents})" if term.form in SPELT_OUT else parents


def _quoted(name: str) -> str:
    """Set names that could be read as a formula in backticks, so that no two families share a name."""
    formula = name == "1" or any(sign in name for sign in SIGNS) or name.startswith(tuple(f"{f}(" for f in SPELT_OUT))
    return f"`{name.replace('`', '``')}`" if formula else name


def check_inference(name: str) -> None:
    """Refuse an unknown kind of inference.

    Raises
    ------
    InputError
        Unless the name is "nuts" or "laplace".
    """
    if name not in ("nuts", "laplace"):
        raise InputError(
            Problem(f"inference={name!r}", "there is no such kind of inference", 'use "nuts" or "laplace"')
        )

"""What a fit was made with, kept with it so that a paper can say so."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version

from bayesynth import __version__
from bayesynth.families import Prior
from bayesynth.inference import SamplerOptions
from bayesynth.structure import SearchOptions, StructureOptions

PACKAGES = ("pymc", "nutpie", "arviz", "numpy", "scipy", "pandas")


@dataclass(frozen=True)
class Settings:
    """Settings of a fit.

    Parameters
    ----------
    structure : str
        How the graph was learned: "posterior", "bootstrap" or "greedy".
    graph_given : bool
        Whether the user gave the graph between columns.
    inference : str
        "nuts" or "laplace".
    prior, sampler, search, structure_options
        Their options.
    seed : int or None
        The seed, where it was a whole number.
    versions : dict of str to str
        Of Python and the packages that matter.
    """

    structure: str
    graph_given: bool
    inference: str
    prior: Prior
    sampler: SamplerOptions
    search: SearchOptions
    structure_options: StructureOptions
    seed: int | None
    versions: dict[str, str] = field(default_factory=lambda: installed_versions())

    @property
    def graph(self) -> str:
        """Where the graph comes from, in a few words."""
        learned = {"posterior": "posterior over graphs", "bootstrap": "bootstrap of greedy search"}
        how = learned.get(self.structure, "greedy search")
        return f"given between columns, {how} for blanks" if self.graph_given else how

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Settings:
        """Rebuild settings from plain values."""
        parts = {
            "prior": Prior,
            "sampler": SamplerOptions,
            "search": SearchOptions,
            "structure_options": StructureOptions,
        }
        return cls(**{k: parts[k](**v) if k in parts else v for k, v in values.items()})


def installed_versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Version of Python, of bayesynth and of the packages that decide the figures."""
    found = {"python": platform.python_version(), "bayesynth": __version__}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found

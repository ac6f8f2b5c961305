"""What a fit was made with, kept with it so that a paper can say so."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version

from bayesynth.families import Prior
from bayesynth.inference import SamplerOptions
from bayesynth.structure import SearchOptions

PACKAGES = ("bayesynth", "pymc", "nutpie", "arviz", "numpy", "scipy", "pandas")


@dataclass(frozen=True)
class Settings:
    """Settings of a fit.

    Parameters
    ----------
    structure : str
        How the graph came about: "greedy" or "given".
    inference : str
        "nuts" or "laplace".
    prior, sampler, search
        Their options.
    seed : int or None
        The seed, where it was a whole number.
    versions : dict of str to str
        Of Python and the packages that matter.
    """

    structure: str
    inference: str
    prior: Prior
    sampler: SamplerOptions
    search: SearchOptions
    seed: int | None
    versions: dict[str, str] = field(default_factory=lambda: installed_versions())

    def to_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Settings:
        """Rebuild settings from plain values."""
        parts = {"prior": Prior, "sampler": SamplerOptions, "search": SearchOptions}
        return cls(**{k: parts[k](**v) if k in parts else v for k, v in values.items()})


def installed_versions() -> dict[str, str]:
    """Version of Python and of the packages that decide the figures."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found

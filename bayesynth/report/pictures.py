"""Pictures of a report: drawn once, while the tables are at hand, so that the report holds no row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from bayesynth._html import Markup, escape
from bayesynth.schema import Schema

if TYPE_CHECKING:
    from bayesynth.synthesis import Fit


@dataclass(frozen=True)
class Picture:
    """A picture and what it shows.

    Parameters
    ----------
    svg : str
        One ``<svg>`` element.
    alt : str
        For those who cannot see it.
    """

    svg: str
    alt: str


def draw(real: pd.DataFrame, tables: Sequence[pd.DataFrame], schema: Schema, fit: Fit | None) -> Mapping[str, Picture]:
    """Draw every column, the patterns of blanks, and the network of a fit."""
    from bayesynth.plots import plot_missingness, plot_network
    from bayesynth.plots.svg import as_svg, column_pictures

    found = {}
    for name, svg in column_pictures(real, tables, schema):
        found[f"column {name}"] = Picture(_themed(svg), f"Distribution of {name}, real beside synthetic")
    names = list(schema.modelled)
    if any(table[names].isna().to_numpy().any() for table in (real, *tables)):
        svg = as_svg(plot_missingness(real[names], [table[names] for table in tables]), "blanks")
        found["blanks"] = Picture(_themed(svg), "Patterns of blanks and their shares, real beside synthetic")
    if fit is not None and fit.structure.nodes:
        alt = "The network: columns joined to those they are directly related to; the table below has the same edges"
        svg = as_svg(plot_network(fit), "network")
        found["network"] = Picture(_recoloured(svg, {"#ffffff": "paper"}), alt)
    return found


def embedded(picture: Picture) -> Markup:
    """Put a picture into a page, with its description."""
    head, rest = picture.svg.split(">", 1)
    alt = escape(picture.alt)
    return Markup(f'{head} role="img" aria-label="{alt}"><title>{alt}</title>{rest}')


def _themed(svg: str) -> str:
    """Let the page's style sheet choose the colours, so that they follow dark, light and print."""
    from bayesynth.plots import missingness, style

    names = {
        style.INK: "ink",
        style.QUIET: "quiet",
        style.FAINT: "line",
        style.REAL: "real",
        style.REAL_FILL: "real-fill",
        style.SYNTHETIC: "synthetic",
        style.SYNTHETIC_FILL: "synthetic-fill",
        missingness.BLANK: "blank",
        missingness.SEEN: "seen",
        "#000000": "ink",
        "#ffffff": "ground",
    }
    return _recoloured(svg, names)


def _recoloured(svg: str, names: Mapping[str, str]) -> str:
    """Replace colours by names of the style sheet."""
    variables = {colour.lower(): f"var(--{name})" for colour, name in names.items()}
    return re.sub(r"(?<=[:] )#[0-9a-f]{6}\b", lambda found: variables.get(found.group(), found.group()), svg)

"""Tables whose rows stand for many: drawn in plenty, and halved so that both halves are alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace

import numpy as np

from bayesynth.predictive.draw import DrawOptions, draw_rows
from bayesynth.predictive.network import FittedNetwork

MOST_ROWS = 8192  # of a table: what a larger one would gain is next to nothing
TOGETHER = 4096  # rows that are compared with one another
FEWEST_HALVINGS, MOST_HALVINGS = 2, 4
BANDS = (5, 10)  # in which a number is compared: fifths and tenths of the rows
SHIFTS = 64


def draw_table(
    network: FittedNetwork, n_rows: int, options: DrawOptions, rng: np.random.Generator
) -> Iterator[dict[str, np.ndarray]]:
    """Draw the rows of one table as `draw_rows` does, and where they shall be balanced choose them with `choose_rows`.

    Parameters
    ----------
    network : FittedNetwork
        What to draw from.
    n_rows : int
        Rows in all.
    options : DrawOptions
        What kind of rows.
    rng : Generator
        Randomness.
    """
    if not options.balanced or n_rows > MOST_ROWS:
        yield from draw_rows(network, n_rows, options, rng)
        return
    many, unshifted = n_rows * pool_size(n_rows), replace(options, delta=None)
    twin = deepcopy(rng)
    (pool,) = draw_rows(network, many, options, rng)
    (plain,) = draw_rows(network, many, unshifted, twin) if options.delta else (pool,)  # one seed, one choice
    nodes = network.encoding.nodes
    looked_at = {name: values for name, values in plain.items() if name not in nodes or not nodes[name].is_indicator}
    numeric = {name for name, node in nodes.items() if node.marginal is not None}
    chosen = choose_rows(looked_at, numeric, n_rows, rng)
    yield {name: values[chosen] for name, values in pool.items()}


def pool_size(n_rows: int) -> int:
    """Rows to draw for each one that is kept: 16 for a table of 256 rows, 8 for one of 512, else 4."""
    return 2 ** int(np.clip(np.log2(TOGETHER / n_rows), FEWEST_HALVINGS, MOST_HALVINGS))


def choose_rows(
    columns: Mapping[str, np.ndarray], numeric: set[str], n_rows: int, rng: np.random.Generator
) -> np.ndarray:
    r"""Choose rows of a pool so that together they stand for all of them.

    The rows are dealt into two sides at random, and pairs are exchanged between the sides for as long as that lowers
    :math:`\| \sum_{i \in A} \phi(x_i) - \sum_{i \in B} \phi(x_i) \|^2`, where :math:`\phi` counts the levels of every
    column and of every pair of columns. A fair coin keeps one of the sides, and so on until few enough are left. Every
    row is kept with the same probability, so each row of the table still follows the model exactly.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (N,)
        The pool, N = `pool_size` times n rows: codes or numbers, NaN where blank; blank is a level.
    numeric : set of str
        Columns that are compared by bands of their ranks.
    n_rows : int
        Rows to choose.
    rng : Generator
        Deals rows and flips coins.

    Returns
    -------
    ndarray of int, shape (n,)
        The chosen rows, in random order.

    Notes
    -----
    Balanced sampling in the sense of Deville and Tillé (2004), doi:10.1093/biomet/91.4.893. Halving by a kernel as
    in Dwivedi and Mackey (2024), "Kernel thinning", Journal of Machine Learning Research 25(152).
    """
    codes = np.concatenate([_codes(values, name in numeric) for name, values in columns.items()], axis=1)
    parts = np.array_split(rng.permutation(len(codes)).reshape(n_rows, -1), -(-len(codes) // TOGETHER))
    return rng.permutation(np.concatenate([_thin(codes, part.ravel(), len(part), rng) for part in parts]))


def _thin(codes: np.ndarray, rows: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    from bayesynth.predictive._balance_kernels import halve, likeness

    alike = likeness(codes[rows], float(len(BANDS)))
    left = np.arange(len(rows))
    while len(left) > wanted:
        sides, half = rng.permutation(left), len(left) // 2
        halve(alike, sides, rng.permutation(half)[:SHIFTS])
        left = sides[:half] if rng.random() < 0.5 else sides[half:]
    return rows[left]


def _codes(values: np.ndarray, is_numeric: bool) -> np.ndarray:
    """Write a column as levels at every resolution, shape (n, len(BANDS)); numbers with few values are levels too."""
    levels, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    if is_numeric and len(levels) > min(BANDS):
        seen = counts * ~np.isnan(levels)
        middle = (np.cumsum(seen) - seen / 2) / max(seen.sum(), 1)
        bands = np.minimum(middle[:, None] * BANDS, np.array(BANDS) - 1).astype(np.int16)
        bands[np.isnan(levels)] = -1
        return bands[place]
    return np.repeat(place.astype(np.int16)[:, None], len(BANDS), axis=1)

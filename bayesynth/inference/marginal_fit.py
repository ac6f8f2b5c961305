"""Fit the marginal that a column is said to have, or the one that its evidence speaks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from bayesynth.encoding.distributions import Bounds, Distribution, Sample
from bayesynth.encoding.parametric import DISTRIBUTIONS, Checks, ParametricMarginal, misfits
from bayesynth.errors import InputError, Problem
from bayesynth.families import tree_gain
from bayesynth.inference._engine import pareto_k, worst_figures
from bayesynth.inference.marginals import log_density_of
from bayesynth.inference.nuts import attempts, run
from bayesynth.inference.posterior import SamplerOptions, passed

STEP = 1e-3  # of numerical derivatives, on scales where parameters vary by about 1
FEWEST_FOR_AUTO = 20
PROPOSALS, PROPOSAL_DF = 4, 5  # per draw that is kept
CELLS_AT_A_TIME = 1_000_000


@dataclass(frozen=True)
class Observed:
    """A numeric column whose distribution is to be fitted.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Its values, blanks left out.
    marginal : str
        Name of a distribution, or "auto".
    bounds : pair of float or None
        Smallest and largest possible value.
    step : float or None
        Grid on which it is recorded.
    whole : bool
        Whether it counts something.
    tails : bool
        Whether values may be drawn beyond the observed extremes.
    """

    values: np.ndarray
    marginal: str
    bounds: Bounds = (None, None)
    step: float | None = None
    whole: bool = False
    tails: bool = False


def fit_marginals(
    columns: Mapping[str, Observed], inference: str, options: SamplerOptions, rng: np.random.Generator
) -> dict[str, ParametricMarginal]:
    """Fit every column that is to have parameters; one whose evidence speaks for none of them is left out.

    Parameters
    ----------
    columns : mapping of str to Observed
        By name.
    inference : {"nuts", "laplace"}
        How the parameters' posterior is drawn.
    options : SamplerOptions
        How many draws.
    rng : Generator
        Randomness.

    Raises
    ------
    InputError
        If a column has values that its distribution cannot have; lists all such columns.
    """
    problems = []
    for name, column in columns.items():
        if column.marginal == "auto":
            continue
        if found := misfits(DISTRIBUTIONS[column.marginal], column.values, column.bounds):
            remedy = f'choose another one, or schema.update({name}={{"marginal": "auto"}}), or state other bounds'
            problems.append(Problem(f"column {name!r} {found[0]}", found[1], remedy, name))
    if problems:
        raise InputError(problems)
    fitted = {}
    for (name, column), stream in zip(columns.items(), rng.spawn(len(columns)), strict=True):
        law = choose(column) if column.marginal == "auto" else column.marginal
        if law is not None:
            fitted[name] = fit_marginal(law, column, inference, options, stream)
    return fitted


def fit_marginal(
    distribution: str, column: Observed, inference: str, options: SamplerOptions, rng: np.random.Generator
) -> ParametricMarginal:
    """Draw the parameters of one distribution from their posterior."""
    law = DISTRIBUTIONS[distribution]
    sample, centre, scale = _standardised(law, column)
    mode, precision = peak(law, sample)
    draw = _sampled if inference == "nuts" else _approximated
    draws, checks = draw(law, sample, mode, precision, options, rng)
    if not law.keeps_values:
        sample = Sample(np.empty(0), np.empty(0), sample.lower, sample.upper, sample.mean, sample.cell)
    low, high = _reach(law, column)
    moments = float(column.values.mean()), float(column.values.std())
    known = sample, draws, centre, scale, low, high, column.step, len(column.values), *moments
    return ParametricMarginal(distribution, *known, checks)


def choose(column: Observed) -> str | None:
    """Name the distribution with the largest evidence, unless a nonparametric alternative beats it.

    Candidates are all distributions that can have such values (those of counts for counts, and no others where zeros
    occur: a density is no picture of half a cell), but no kernel density. They are compared by Laplace's approximation
    of their log evidence for the recorded cells. Of those within log 3 of the largest the one with fewest parameters
    wins. It stands against a Polya tree centred on it, which spreads its mass over all distributions near it: where the
    tree has more evidence, or there are fewer than 20 values, the answer is None, the empirical distribution.

    Notes
    -----
    Berger and Guglielmi (2001), "Bayesian and conditional frequentist testing of a parametric model versus
    nonparametric alternatives", doi:10.1198/016214501750333045.
    """
    if len(column.values) < FEWEST_FOR_AUTO:
        return None
    found = evidences(column)
    if not found:
        return None
    near = [name for name, value in found.items() if value > max(found.values()) - np.log(3)]
    best = min(near, key=lambda name: (len(DISTRIBUTIONS[name].prior), -found[name]))
    return best if tree_evidence(best, column) <= 0 else None


def evidences(column: Observed) -> dict[str, float]:
    """Log evidence of every candidate for a column, per recorded cell or, without a grid, per unit of the column."""
    found, counts_from_0 = {}, column.whole and (column.values == 0).any()
    for name, law in DISTRIBUTIONS.items():
        unlike = law.discrete > column.whole or (counts_from_0 and not law.discrete)
        if law.keeps_values or unlike or misfits(law, column.values, column.bounds):
            continue
        sample, _, scale = _standardised(law, column)
        mode, precision = peak(law, sample)
        volume = 0.5 * len(mode) * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(precision)[1]
        density = law.log_density(sample.values, mode, sample)
        if not law.discrete:
            density = _of_cells(law, sample, mode, density) if column.step else density - np.log(scale)
        found[name] = float(law.log_prior(mode) + density @ sample.counts + volume)
    return found


def _of_cells(law: Distribution, sample: Sample, theta: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Log probability of each value's cell; by the density where the cell is too small a difference of two numbers."""
    below, upto = (law.cdf(sample.values + side * sample.cell / 2, theta, sample) for side in (-1, 1))
    mass = upto - below
    return np.where(mass > 1e-10, np.log(np.maximum(mass, 1e-300)), density + np.log(sample.cell))


def tree_evidence(distribution: str, column: Observed) -> float:
    r"""Log Bayes factor of a Polya tree centred on a distribution against the distribution itself, at its mode.

    Level j of the tree splits each of its :math:`2^{j-1}` equally likely intervals by a Beta(j², j²) share, down to as
    many intervals as there are values.
    """
    law = DISTRIBUTIONS[distribution]
    sample, centre, scale = _standardised(law, column)
    mode, _ = peak(law, sample)
    values, half = np.sort(column.values), (column.step or 0.0) / 2
    below, upto = (law.cdf((values + side * half - centre) / scale, mode[None], sample) for side in (-1, 1))
    _, first, counts = np.unique(values, return_index=True, return_counts=True)
    rank = np.arange(len(values)) - np.repeat(first, counts)
    u = np.clip(below + (rank + 0.5) / np.repeat(counts, counts) * (upto - below), 0.0, 1 - 1e-12)
    leaves = 2 ** int(np.log2(len(values)))
    return tree_gain(np.bincount((u * leaves).astype(int), minlength=leaves))


def peak(law: Distribution, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mode of the parameters, shape (k,), and the precision there, shape (k, k)."""
    from scipy.optimize import minimize

    start = np.array(law.prior)[:, 0]
    options = {"xatol": 1e-6, "fatol": 1e-9, "maxiter": 4000}
    theta = minimize(lambda x: -surface(law, sample, x[None])[0], start, method="Nelder-Mead", options=options).x
    return theta, -_curvature(lambda points: surface(law, sample, points), theta)


def surface(law: Distribution, sample: Sample, theta: np.ndarray) -> np.ndarray:
    """Log posterior density up to a constant, shape (s,), some draws at a time so that memory stays bounded."""
    block = max(1, CELLS_AT_A_TIME // len(sample.values))
    with np.errstate(all="ignore"):
        parts = [
            law.log_prior(theta[i : i + block]) + law.log_likelihood(theta[i : i + block], sample)
            for i in range(0, len(theta), block)
        ]
    found = np.concatenate(parts)
    return np.where(np.isfinite(found), found, -1e300)


def _curvature(height: Callable[[np.ndarray], np.ndarray], theta: np.ndarray) -> np.ndarray:
    """Hessian by central differences."""
    k = len(theta)
    pairs = [(i, j) for i in range(k) for j in range(i, k)]
    moves = STEP * np.eye(k)
    corners = [theta + a * moves[i] + b * moves[j] for i, j in pairs for a in (1, -1) for b in (1, -1)]
    values = height(np.array(corners)).reshape(-1, 2, 2)
    found = np.empty((k, k))
    for (i, j), v in zip(pairs, values, strict=True):
        found[i, j] = found[j, i] = (v[0, 0] - v[0, 1] - v[1, 0] + v[1, 1]) / (4 * STEP**2)
    return found


def _standardised(law: Distribution, column: Observed) -> tuple[Sample, float, float]:
    bounds = law.ends(column.bounds)
    centre, scale = law.standard(column.values, bounds)
    return Sample.of(column.values, bounds, column.step, centre, scale, law.most_values), centre, scale


def _reach(law: Distribution, column: Observed) -> tuple[float, float]:
    """Give the ends between which values are drawn: bounds, and the extremes unless tails are asked for."""
    half = (column.step or 0.0) / 2
    open_ = 0.5 if law.discrete else 0.0  # a possible count lies inside its ends
    lows = [end - open_ for end in (column.bounds[0], law.least) if end is not None]
    highs = [end + open_ for end in column.bounds[1:] if end is not None]
    if not column.tails:
        lows.append(column.values.min() - half)
        highs.append(column.values.max() + half)
    return float(max(lows, default=-np.inf)), float(min(highs, default=np.inf))


def _sampled(
    law: Distribution,
    sample: Sample,
    mode: np.ndarray,
    precision: np.ndarray,
    options: SamplerOptions,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Checks]:
    """NUTS, again where a check fails."""
    density = log_density_of(law.name, sample)
    for attempt in attempts(options):
        draws, divergences = run(density, mode, precision, options, attempt, rng)
        checks = Checks(*worst_figures(draws), divergences, np.nan)
        if passed(checks):
            break
    return draws[:, :: attempt.longer], checks


def _approximated(
    law: Distribution,
    sample: Sample,
    mode: np.ndarray,
    precision: np.ndarray,
    options: SamplerOptions,
    rng: np.random.Generator,
) -> tuple[np.ndarray, Checks]:
    """Draw from a t distribution at the mode and resample by importance, as one chain, with the k-hat of the ratios."""
    k, n = len(mode), PROPOSALS * options.total
    stretch = np.sqrt(PROPOSAL_DF / rng.chisquare(PROPOSAL_DF, n))[:, None]
    noise = rng.standard_normal((n, k)) * stretch
    proposed = mode + np.linalg.solve(np.linalg.cholesky(precision).T, noise.T).T
    proposal = -(PROPOSAL_DF + k) / 2 * np.log1p((noise**2).sum(1) / PROPOSAL_DF)
    ratios = surface(law, sample, proposed) - proposal
    weights = np.exp(ratios - ratios.max())
    places = np.cumsum(weights) / weights.sum()
    chosen = np.searchsorted(places, (np.arange(options.total) + rng.random()) / options.total)
    draws = proposed[rng.permutation(np.minimum(chosen, n - 1))]
    with np.errstate(over="ignore"):  # in weights that come out as 0
        k_hat = pareto_k(np.maximum(ratios, ratios.max() - 700.0))
    return draws[None], Checks(np.nan, np.nan, np.nan, 0, k_hat)


@dataclass(frozen=True)
class MarginalPosterior:
    """The posterior of a marginal's parameters, as `convergence_table` takes those of families.

    Parameters
    ----------
    node : str
        The column.
    family : str
        Name of the distribution.
    parameters : mapping of str to ndarray, shape (chain, draw)
        Draws in the units of the column.
    rhat, ess_bulk, ess_tail, divergences, pareto_k
        As of `Checks`.
    """

    node: str
    family: str
    parameters: Mapping[str, np.ndarray]
    rhat: float
    ess_bulk: float
    ess_tail: float
    divergences: int
    pareto_k: float

    @classmethod
    def of(cls, column: str, marginal: ParametricMarginal) -> MarginalPosterior:
        """Present a marginal."""
        return cls(column, marginal.distribution, marginal.parameters, **asdict(marginal.checks))

    @property
    def name(self) -> str:
        """The marginal, as "marginal/column"."""
        return f"marginal/{self.node}"

    @property
    def trusted(self) -> bool:
        """Whether every check that applies is passed."""
        return passed(self)

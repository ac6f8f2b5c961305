"""What can be asked of a fit under conditions: rows, completed tables, interventions, probabilities, distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayesynth._random import Seed, as_generator
from bayesynth.diagnostics import Provenance
from bayesynth.errors import DataWarning, InputError, Problem, raise_all, warn
from bayesynth.predictive import DrawOptions, FittedNetwork
from bayesynth.predictive.conditional import TooRareError, pilot, source_of
from bayesynth.predictive.functionals import interval, over_draws
from bayesynth.predictive.particles import Particles
from bayesynth.rules import RulePlan
from bayesynth.schema import Schema
from bayesynth.synthesis.coding import Codebook
from bayesynth.synthesis.completing import CompletedTables, Known
from bayesynth.synthesis.drawing import count_problems, level_problems
from bayesynth.synthesis.given import Model, draw_rows_given
from bayesynth.synthesis.imputing import broken_problem, complete_tables
from bayesynth.synthesis.interventions import forced_values, intervention_facts
from bayesynth.synthesis.settings import Settings
from bayesynth.synthesis.summaries import Probability, Summary

DRAWS, ROWS_OF_A_DRAW = 200, 500


class Conditioning:
    """Methods of a fit that condition on something, or set it."""

    schema: Schema
    network: FittedNetwork
    codebook: Codebook
    model_schema: Schema
    rule_plan: RulePlan
    n_rows: int
    settings: Settings
    _provenance: Callable[..., Provenance]
    _is_fitted: Callable[[pd.DataFrame], bool]

    def complete(
        self, frame: pd.DataFrame, m: int = 20, *, random_seed: Seed = None, progress: bool = True
    ) -> CompletedTables:
        """Fill in the blanks of a table several times over: multiple imputation.

        Blank cells, and columns that the frame lacks, are drawn given the known cells of their row, in the world
        where nobody is missed (as ``blanks=False`` draws it). So it is assumed that within the model the unseen values
        follow the seen ones: missing at random given the columns of the table. Behind each table stands one posterior
        draw of graph and parameters, and 30 sweeps of Gibbs and Metropolis moves from a draw that ignores
        everything but a cell's parents.

        Where the frame holds the rows that were fitted, in their order, parameters and blank cells are then drawn in
        turns, ten times, each given the other (data augmentation, by the Laplace approximation where a posterior is not
        closed). Families of the fit answer for rows with blank parents too, by stand-ins or zeros and a larger
        residual variance; given completed rows they need not. Other rows are completed under the parameters of the fit.

        Known cells come back exactly as they were. A number beyond the learned range speaks as the nearest end of it;
        a level that no fitted row has is refused. Columns that are blank throughout the fitted table stay blank.

        Rules are kept too: columns that a rule makes are computed where they are blank, and rows that break a rule are
        drawn again, for as long as that mends some. A known value of such a column (a sum, the later of two dates)
        tells nothing else of the blank cells that it is made from; where it is an exact function of them hardly any
        draw meets it, and a warning says how many rows break the rule.

        Parameters
        ----------
        frame : DataFrame
            The fitted table, or other rows with any of its columns; it is not changed.
        m : int
            Completed tables.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal tables.
        progress : bool
            Show a bar.

        Returns
        -------
        CompletedTables
            A sequence of frames with the index of the given one, ready to be pooled. Identifiers are kept, or left out
            where the frame has none.

        Raises
        ------
        InputError
            If m is not a positive whole number, or the frame holds columns or levels that the fit does not know.

        Warns
        -----
        DataWarning
            If completed rows break a rule.

        Examples
        --------
        >>> completed = fit.complete(patients, 20, random_seed=1)  # doctest: +SKIP
        """
        raise_all(count_problems("m", m))
        fitted = self._is_fitted(frame)
        known = Known(frame, self.rule_plan, self.network.encoding, self.codebook, fitted)
        prior = self.settings.prior if fitted else None
        tables, broken = complete_tables(self._model, known, int(m), as_generator(random_seed), prior, progress)
        for rule, count in broken.items():
            warn(broken_problem(rule, count, int(m)), DataWarning)
        left = tables[0].isna().sum()
        blanks = {n: int((frame[n].isna().sum() if n in frame else len(frame)) - left[n]) for n in self.schema.modelled}
        drawn = self._provenance(len(frame), int(m), False)
        shares = {name: count / len(frame) for name, count in blanks.items()}
        provenance = Provenance(
            len(frame), len(frame), int(m), drawn.draws, drawn.structure, shares, False, drawn.graph_drawn, "imputed"
        )
        return CompletedTables(tuple(tables), provenance, blanks)

    def intervene(self, values: Mapping[str, Any], n: int | None = None, *, random_seed: Seed = None) -> pd.DataFrame:
        """Draw rows in a world where columns are set from outside: do(X = x), not "given that X = x".

        In every graph the edges into a column that is set are cut, so its parents stay as they would be without it,
        and what comes after it follows. Neither graphs nor parameters become more or less probable by it. The column
        is then known in every row; other columns have their blanks as usual.

        A causal reading is only as good as the directions of the edges and the absence of unrecorded common causes.
        Graphs that fit equally well may have an edge either way, and no table tells them apart;
        `relationships` says for which edges, and `Knowledge` fixes those that you know. ``attrs["intervention"]`` of
        the result has the share of graphs in which an edge was cut, by parent.

        Parameters
        ----------
        values : mapping of str to value
            What each column is set to: a level, a number or a date.
        n : int, optional
            Rows; as many as the real table has when left out.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal tables.

        Raises
        ------
        InputError
            If a value is not possible for its column, or n is not a positive whole number.

        Notes
        -----
        Pearl (2009), Causality, section 3.2: the truncated factorisation.

        Examples
        --------
        >>> untreated = fit.intervene({"trt": "placebo"}, 500, random_seed=1)  # doctest: +SKIP
        """
        n = self.n_rows if n is None else n
        raise_all(count_problems("n", n))
        forced = forced_values(self.rule_plan, self.network.encoding, self.codebook, values)
        rng, options = as_generator(random_seed), DrawOptions()
        source = source_of(self.network, {}, options, rng)
        source.forced = forced
        names = rng.spawn(1)[0]
        columns, stated = source.draw(int(n), rng).columns, dict.fromkeys(values, True)
        found = self._model.with_fresh(self._model.frame(columns, int(n), rng, stated), names)
        found.attrs["intervention"] = intervention_facts(self.network, values)
        return found

    def probability(
        self,
        given: Mapping[str, Any],
        *,
        blanks: bool = True,
        level: float = 0.95,
        draws: int = DRAWS,
        random_seed: Seed = None,
    ) -> Probability:
        """Tell how probable conditions are in the population, with a posterior interval.

        Parameters
        ----------
        given : mapping of str to value or condition
            As in `sample`.
        blanks : bool
            Whether a value must have been recorded to count, or the table is as if nobody had been missed.
        level : float
            Of the interval.
        draws : int
            Posterior draws of graph and parameters; 500 guided rows are simulated from each.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal figures.

        Returns
        -------
        Probability
            Estimate, interval over graphs and parameters, and the Monte Carlo error.

        Raises
        ------
        InputError
            If conditions cannot be read or cannot be met.

        Examples
        --------
        >>> print(fit.probability({"age": bs.between(60, 80)}, random_seed=1))  # doctest: +SKIP
        """
        raise_all(level_problems(level, draws))
        rng, model = as_generator(random_seed), self._model
        asked = model.asked(given, blanks)
        source = model.source(asked, DrawOptions(blanks=blanks), rng)

        def mean_weight(particles: Particles) -> np.ndarray:
            return np.array([np.exp(particles.log_weight).mean() * asked.seen_share])

        values, within = over_draws(source, mean_weight, int(draws), ROWS_OF_A_DRAW, rng)
        (lower,), (upper,) = (np.clip(end, 0.0, 1.0) for end in interval(values, within, level))
        error = float(values.std(ddof=1) / np.sqrt(draws))
        return Probability(float(values.mean()), float(lower), float(upper), level, error, int(draws), ROWS_OF_A_DRAW)

    def conditional(
        self,
        column: str,
        given: Mapping[str, Any] | None = None,
        *,
        blanks: bool = True,
        level: float = 0.95,
        draws: int = DRAWS,
        random_seed: Seed = None,
    ) -> pd.DataFrame:
        """Summarise the distribution of a column in the population, under conditions on others.

        Each posterior draw of graph and parameters is a population; figures are worked out in each and averaged. The
        conditions choose rows within a population, they do not make some populations more probable than others, as
        drawing one future row with `sample` does.

        Parameters
        ----------
        column : str
            A modelled column.
        given : mapping of str to value or condition, optional
            As in `sample`.
        blanks, level, draws, random_seed
            As in `probability`.

        Returns
        -------
        DataFrame
            Of a numeric column: its mean and quantiles among rows where it is observed. Of one with levels: the
            probability of each. With ``blanks=True`` also the probability of a blank. Columns ``estimate``, ``lower``,
            ``upper`` and ``monte_carlo_error``, which is in the column's units (of its resolution for dates).

        Raises
        ------
        InputError
            If the column is not modelled, or conditions cannot be met.

        Examples
        --------
        >>> fit.conditional("bili", {"stage": 4}, random_seed=1)  # doctest: +SKIP
        """
        raise_all(level_problems(level, draws))
        rng, model = as_generator(random_seed), self._model
        asked = model.asked(given, blanks) if given else None
        stated = asked is not None and column in asked.stated
        summary = Summary.of(column, self.model_schema, self.network.encoding, self.codebook, blanks, stated)
        source = model.source(asked, DrawOptions(blanks=blanks), rng)
        if asked is not None and (tried := pilot(source, rng.spawn(1)[0])).total == 0.0:
            raise InputError(model.refused(asked, blanks, TooRareError(0.0, 0.0, tried.n), rng))
        values, within = over_draws(source, summary, int(draws), 2 * ROWS_OF_A_DRAW, rng, {column})
        found = summary.table(values, within, level)
        found.attrs["given"] = {"conditions": asked.words() if asked else {}, "draws": int(draws)}
        return found

    def _sample_given(self, n: int | None, given: Any, options: DrawOptions, random_seed: Seed) -> pd.DataFrame:
        """Draw rows under conditions, or complete the rows of a frame."""
        if options.delta:
            found, why = "delta with given", "conditions are on the values as they are recorded"
            raise InputError(Problem(found, why, "leave one of them out"))
        if isinstance(given, pd.DataFrame):
            if n is not None:
                raise InputError(Problem("n with a frame", "it says how many rows there are", "leave n out"))
            return self.complete(given, 1, random_seed=random_seed, progress=False)[0]
        n = self.n_rows if n is None else n
        raise_all(count_problems("n", n))
        return draw_rows_given(self._model, given, int(n), options, as_generator(random_seed))

    @property
    def _model(self) -> Model:
        return Model(self.network, self.codebook, self.rule_plan)

"""What can be asked of a fit only together with the table that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bayesynth._progress import Progress
from bayesynth._random import Seed, as_generator, spawn
from bayesynth.diagnostics.figures import Figure
from bayesynth.diagnostics.reading import TableReader
from bayesynth.encoding.marginal import Marginal
from bayesynth.errors import InputError, Problem, raise_all
from bayesynth.inference import Observed
from bayesynth.predictive import FittedNetwork
from bayesynth.rules import RulePlan
from bayesynth.schema import Schema
from bayesynth.synthesis.checks import check_figure
from bayesynth.synthesis.coding import encode_frame
from bayesynth.synthesis.drawing import count_problems
from bayesynth.synthesis.holdout import split
from bayesynth.synthesis.influence import CAVEAT, influence_table
from bayesynth.synthesis.pointwise import same_table

if TYPE_CHECKING:
    from bayesynth.encoding.table import EncodedTable
    from bayesynth.synthesis.tables import SyntheticTables

REPLICATES = 100


class WithTable:
    """Methods of a fit that take its table, which the fit itself does not hold."""

    schema: Schema
    rule_plan: RulePlan
    network: FittedNetwork
    n_rows: int
    holdout: tuple[int, ...]
    coding: Mapping[str, object]
    sample_tables: Callable[..., SyntheticTables]

    def split(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Split a table into the rows that were fitted and those put aside by ``fit(..., holdout=...)``.

        Parameters
        ----------
        frame : DataFrame
            The table that was given to `Synthesizer.fit`, its rows in the same order. It is not changed.

        Returns
        -------
        fitted, holdout : DataFrame
            Pass them to `bayesynth.assess` as ``real`` and ``holdout``.

        Raises
        ------
        InputError
            If the table has another number of rows.

        Examples
        --------
        >>> real, holdout = fit.split(patients)  # doctest: +SKIP
        """
        return split(frame, self.holdout, self.n_rows)

    def influence(self, frame: pd.DataFrame) -> pd.DataFrame:
        r"""Tell how much more likely each row is under the fit because it was fitted.

        .. math:: L_i = \log p(x_i \mid D) - \log p(x_i \mid D \setminus i)

        A row with a large influence is one that the released tables may say something of. For a cell of one row under a
        prior weight of a in each cell it would be about log((1 + a) / a).

        Parameters
        ----------
        frame : DataFrame
            The table that was given to `Synthesizer.fit`, or the fitted rows alone, in the same order. It is not
            changed.

        Returns
        -------
        DataFrame
            One row per fitted row, in their order and called by their position in the table: ``influence``;
            ``log_density`` and ``log_density_left_out``, of numeric columns on the scale of normal scores;
            ``most_through``, the node that adds most to it; ``pareto_k``, the worst k-hat behind it, and whether it is
            ``trusted`` (at most 0.7). Their sum is the effective number of parameters. ``attrs["caveat"]`` says how to
            take it: it is for the custodian's eyes.

        Raises
        ------
        InputError
            If it is not the table that was fitted.
        """
        fitted, positions = self._fitted(frame)
        found = influence_table(self.network, self._encoded(fitted))
        found.index = pd.Index(positions, name="row")
        found.attrs["caveat"] = CAVEAT
        return found

    def checks(
        self, frame: pd.DataFrame, *, tables: int = REPLICATES, random_seed: Seed = None, progress: bool = True
    ) -> Figure:
        """Check the fit against its table: posterior predictive p-values of simple facts, and LOO-PIT.

        Parameters
        ----------
        frame : DataFrame
            As for `influence`.
        tables : int
            Tables to draw, one posterior draw behind each.
        random_seed : int, SeedSequence, Generator or None
            Equal seeds give equal figures.
        progress : bool
            Show a bar.

        Returns
        -------
        Figure
            Of the group "fidelity", called "checks": the share of facts that are surprising. ``details`` has a row for
            each: ``column``, ``fact``, two-sided ``p``, whether it is ``surprising``. No real value is in it.

        Raises
        ------
        InputError
            If it is not the table that was fitted, or the number of tables is not a positive whole number.
        """
        fitted, _ = self._fitted(frame)
        encoded = self._encoded(fitted)
        raise_all(count_problems("tables", tables))
        with Progress(tables, progress) as bar:
            bar.doing("checking the fit")

            def drawn(stream: np.random.Generator) -> pd.DataFrame:
                bar.advance()
                return self.sample_tables(1, random_seed=stream)[0]

            replicates = map(drawn, spawn(random_seed, int(tables)))
            return check_figure(self.network, encoded, TableReader.of(fitted, self.schema), fitted, replicates)

    def _fitted(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
        """Take the fitted rows of a table, with their positions in the whole one."""
        positions = np.setdiff1d(np.arange(self.n_rows + len(self.holdout)), self.holdout)
        if isinstance(frame, pd.DataFrame) and len(frame) == self.n_rows:
            return self.schema.settle(frame)[0], positions
        return self.schema.settle(self.split(frame)[0])[0], positions

    def _is_fitted(self, frame: pd.DataFrame) -> bool:
        """Whether a frame holds exactly the rows that were fitted."""
        if not isinstance(frame, pd.DataFrame) or len(frame) != self.n_rows:
            return False
        try:
            self._encoded(self._fitted(frame)[0])
        except InputError:
            return False
        return True

    def _encoded(self, fitted: pd.DataFrame) -> EncodedTable:
        """Encode the fitted rows as they were when they were fitted, ties in the same order."""
        self.schema.validate(fitted)

        def marginals(_: Mapping[str, Observed]) -> dict[str, Marginal]:
            return {name: node.marginal for name, node in self.network.encoding.nodes.items() if node.marginal}

        inner, schema = self.rule_plan.to_model(fitted), self.rule_plan.model_schema
        encoded, _ = encode_frame(inner, schema, as_generator(np.random.SeedSequence(**self.coding)), marginals)
        if not same_table(encoded, self.network.encoding):
            found, why = "the table is not the one that was fitted", "its values are others"
            raise InputError(Problem(found, why, "pass the table that was given to fit, its rows in the same order"))
        return encoded

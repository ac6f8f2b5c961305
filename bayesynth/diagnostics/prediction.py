"""Prediction: whether models trained on synthetic rows foretell real ones as well as those trained on real rows."""

from __future__ import annotations

import numpy as np

from bayesynth._random import whole_seed
from bayesynth.diagnostics.measures import Aspect, Measure
from bayesynth.diagnostics.setting import Sample, Setting, features, features_of, ranks_in
from bayesynth.schema.kinds import NOMINAL

TREES, LEAF = 50, 5
FEWEST_KNOWN = 40  # rows, half of which train and half of which test


class Prediction(Measure):
    r"""Loss on real rows of a random forest trained on other rows, synthetic or real.

    All other columns predict the target, blanks and all. For levels the loss is one less the AUC of each level against
    the rest, weighted by how frequent they are; for numbers and dates it is the unexplained share of the variance of
    their ranks :math:`r`, :math:`\sum_i(r_i - \hat r_i)^2 / \sum_i(r_i - \bar r)^2`. A constant prediction scores 0.5
    and 1. Rows whose target is blank are left out.
    """

    splits, comparisons, most_tables = 20, 40, 20
    weight = 10.0
    is_loss = True
    parts = ()

    def __init__(self, setting: Setting, rng: np.random.Generator):
        super().__init__(setting, rng)
        names = setting.reader.names
        self._target = names.index(setting.target) if setting.target in names else -1
        self._others = features_of(setting.reader) != self._target
        self._is_nominal = setting.reader.columns[self._target].kind in NOMINAL

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """Loss after training on synthetic rows, less that after training on real ones."""
        if self._is_nominal:
            what = "how often two real rows are ranked wrongly (1 - AUC; 0.5 is guessing)"
        else:
            what = "share of the variance of real ranks that is not explained (1 is no better than the mean)"
        name = f"{self.setting.target!r}" if self._target >= 0 else "the target"
        meaning = f"Error of a model trained on synthetic rows that predicts {name} from all other columns: {what}."
        tolerance = 0.02 if self._is_nominal else 0.05
        return (Aspect("prediction", meaning, tolerance, lacking=self._lacking(), is_whole=True),)

    def prepare(self, sample: Sample) -> tuple[np.ndarray, np.ndarray]:
        """Features without the target, shape (n, features), and the target as a level or rank, NaN where blank."""
        y = sample.values[:, self._target]
        if not self._is_nominal:
            y = ranks_in(self.setting.real.values[:, self._target], y)
        return features(self.setting, sample)[:, self._others], y

    def profile(self, prepared: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows whose target is known."""
        X, y = (part[rows] for part in prepared)
        return X[~np.isnan(y)], y[~np.isnan(y)]

    def parts_between(
        self, reference: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        """Loss on the reference rows after training on the others; NaN if the reference rows do not vary."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        (X_test, y_test), (X, y) = reference, other
        if len(np.unique(y_test)) < 2:
            return np.array([np.nan])
        if len(np.unique(y)) < 2:  # nothing to learn
            return np.array([self._baseline])
        kind = RandomForestClassifier if self._is_nominal else RandomForestRegressor
        forest = kind(TREES, min_samples_leaf=LEAF, max_features="sqrt", random_state=whole_seed(self.rng), n_jobs=1)
        forest.fit(X, y)
        if not self._is_nominal:
            error = ((y_test - forest.predict(X_test)) ** 2).sum()
            return np.array([error / ((y_test - y_test.mean()) ** 2).sum()])
        return np.array([_ranked_wrongly(y_test, forest.predict_proba(X_test), forest.classes_)])

    def note(self, aspect: Aspect) -> str:
        """Give the baseline."""
        return f"A constant prediction scores {self._baseline:g}: where real rows teach no more, nothing is shown."

    @property
    def _baseline(self) -> float:
        return 0.5 if self._is_nominal else 1.0

    def _lacking(self) -> str:
        if self._target < 0:
            return "no target was named"
        if not self._others.any():
            return "there is nothing to predict it from"
        known = int((~np.isnan(self.setting.real.values[:, self._target])).sum())
        return "" if known >= FEWEST_KNOWN else f"{self.setting.target} is known in {known} rows only"


def _ranked_wrongly(y: np.ndarray, chance: np.ndarray, classes: np.ndarray) -> float:
    """One less the AUC of each level against the rest, mean weighted by frequency in y."""
    from sklearn.metrics import roc_auc_score

    levels, counts = np.unique(y, return_counts=True)
    if len(levels) == 2:  # both levels say the same
        levels, counts = levels[1:], counts[1:]
    found = []
    for level in levels:
        given = chance[:, classes == level]
        found.append(1 - roc_auc_score(y == level, given[:, 0] if given.size else np.zeros(len(y))))
    return float(np.average(found, weights=counts))

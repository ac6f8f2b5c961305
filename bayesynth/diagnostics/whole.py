"""The whole table at once: whether a classifier can tell synthetic rows from real ones."""

from __future__ import annotations

import numpy as np

from bayesynth._random import whole_seed
from bayesynth.diagnostics.measures import Aspect, Measure
from bayesynth.diagnostics.setting import Sample, Setting, features, features_of

FOLDS, TREES, LEAF = 3, 30, 5
MOST_ROWS = 1000  # of each side, for one classifier
REFITS = 10


class _Classified(Measure):
    """A classifier between reference rows and others, and which columns it uses."""

    splits, comparisons, most_tables = 20, 40, 20
    is_random = True

    def __init__(self, setting: Setting, rng: np.random.Generator):
        super().__init__(setting, rng)
        self._column = features_of(setting.reader)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(str(name) for name in self.setting.reader.names)

    def prepare(self, sample: Sample) -> np.ndarray:
        """Features, shape (n, features)."""
        return features(self.setting, sample)

    def profile(self, prepared: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Features of the rows, of at most 1000."""
        return prepared[rows[:MOST_ROWS]]

    def importances(self, by_feature: np.ndarray) -> np.ndarray:
        """Sum up importances of features, shape (..., columns)."""
        found = np.zeros((*by_feature.shape[:-1], len(self.parts)))
        np.add.at(found.T, self._column, by_feature.T)
        return found


class TwoSample(_Classified):
    r"""AUC of a random forest that tells the rows of one side from those of the other.

    Each row is scored by a forest of 30 trees that was trained on the other two thirds of the rows, at least 5 in a
    leaf; :math:`P(\hat p(\text{row of the other side}) > \hat p(\text{reference row}))`, ties half. Of more than 1,000
    rows on a side each classifier sees a random 1,000.
    """

    weight = 25.0

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """AUC."""
        meaning = (
            "How often a classifier that looks at all columns ranks a synthetic and a real row rightly (AUC): 0.5 is "
            "guessing, 1 is always. Columns are named that it uses more often than between real rows."
        )
        return (Aspect("whole table", meaning, 0.05, is_whole=True),)

    def parts_between(self, reference: np.ndarray, other: np.ndarray) -> np.ndarray:
        """AUC, then the importance of each column."""
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.metrics import roc_auc_score
        from sklearn.model_selection import StratifiedKFold

        rows, side = np.concatenate([reference, other]), np.repeat([0, 1], [len(reference), len(other)])
        seed = whole_seed(self.rng)
        chance, used = np.empty(len(rows)), np.zeros(rows.shape[1])
        for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows, side):
            forest = RandomForestClassifier(TREES, min_samples_leaf=LEAF, random_state=seed, n_jobs=1)
            forest.fit(rows[train], side[train])
            chance[test] = forest.predict_proba(rows[test])[:, 1]
            used += forest.feature_importances_ / FOLDS
        return np.concatenate([[roc_auc_score(side, chance)], self.importances(used)])

    def note(self, aspect: Aspect) -> str:
        """Say so if only some rows are used."""
        design = self.setting.design()
        few = max(design.a, design.b) > MOST_ROWS
        return "Each classifier sees 1,000 rows of each side." if few else ""


class Trees(_Classified):
    r"""Propensity mean squared error of a classification tree, over that of trees grown on shuffled sides.

    With :math:`\hat p_i` the share of other rows in the leaf of row i, at least 5 rows in a leaf, and c that among all,

    .. math:: \mathrm{pMSE} = \frac1N \sum_i (\hat p_i - c)^2, \quad
              S = \mathrm{pMSE} \Big/ \frac1{10} \sum_{b=1}^{10} \mathrm{pMSE}^{(b)},

    where each :math:`\mathrm{pMSE}^{(b)}` is that of a tree grown anew after the sides were shuffled among the rows; a
    tree that adapts to its rows has no closed null [Snoke2018]_.
    """

    weight = 5.0

    @property
    def aspects(self) -> tuple[Aspect, ...]:
        """Standardised pMSE."""
        meaning = (
            "How much better a classification tree splits synthetic rows from real ones than it would by chance "
            "(pMSE over its mean for shuffled rows): 1 is chance."
        )
        return (Aspect("classification tree", meaning, 0.2, is_whole=True),)

    def parts_between(self, reference: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Standardised pMSE, then the importance of each column."""
        rows, side = np.concatenate([reference, other]), np.repeat([0, 1], [len(reference), len(other)])
        seed = whole_seed(self.rng)
        pmse, used = _grow(rows, side, seed)
        chance = np.mean([_grow(rows, self.rng.permutation(side), seed)[0] for _ in range(REFITS)])
        return np.concatenate([[pmse / chance if chance > 0 else np.nan], self.importances(used)])


def _grow(rows: np.ndarray, side: np.ndarray, seed: int) -> tuple[float, np.ndarray]:
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(min_samples_leaf=LEAF, random_state=seed).fit(rows, side)
    return float(((tree.predict_proba(rows)[:, 1] - side.mean()) ** 2).mean()), tree.feature_importances_

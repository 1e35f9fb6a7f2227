"""Is this echo like those of the training set? A conformal p-value from how far it lies from its nearest neighbours."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from nmr_platform.learning.conformal import conformal_p_values

__all__ = ["Novelty"]

_FOLDS = 5


@dataclass(frozen=True)
class Novelty:
    """How strange a curve is, as the model sees it: in the model's own features.

    Attributes:
        detector: Fitted pipeline with ``score_samples``, larger for what is more like the training curves.
        calibration: Strangeness of training curves, each from a detector that has not seen its disorder, shape (n,).
    """

    detector: Pipeline
    calibration: NDArray[np.float64]

    @classmethod
    def fit(cls, features: pd.DataFrame, groups: NDArray[np.intp], *, seed: int = 0) -> Self:
        """Learn what training curves look like.

        Args:
            features: Feature table of the training part, shape (n, n_features).
            groups: Disorder group of every row, shape (n,); a group is never on both sides.
            seed: Seed of the folds.
        """
        x = features.to_numpy(dtype=np.float64)
        folds = min(_FOLDS, len(np.unique(groups)))
        calibration = np.empty(len(x))
        for fitted, scored in GroupKFold(folds, shuffle=True, random_state=seed).split(x, groups=groups):
            calibration[scored] = _strangeness(_detector(len(fitted), x.shape[1]).fit(x[fitted]), x[scored])
        return cls(_detector(len(x), x.shape[1]).fit(x), calibration)

    def p_values(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """Share of the training curves that look at least as strange, shape (m,); see `conformal_p_values`.

        Args:
            features: Feature table of new curves, shape (m, n_features).
        """
        return conformal_p_values(_strangeness(self.detector, features.to_numpy(dtype=np.float64)), self.calibration)


def _detector(n: int, width: int) -> Pipeline:
    return make_pipeline(
        StandardScaler(),
        PCA(min(10, n - 1, width), random_state=0),
        LocalOutlierFactor(min(20, n - 1), novelty=True, algorithm="brute"),
    )


def _strangeness(detector: Pipeline, x: NDArray[np.float64]) -> NDArray[np.float64]:
    scores: NDArray[np.float64] = -detector.score_samples(x)
    return scores

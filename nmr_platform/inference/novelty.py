"""Is this echo like those of the training set? A conformal p-value from its likelihood under a Gaussian model."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from nmr_platform.learning import conformal_p_values

__all__ = ["Novelty"]

_FOLDS = 5
_COMPONENTS = 30
# Of columns with unit variance. Neighbouring features say nearly the same: what the components leave over may be so
# little that the determinant of the covariance is lost in rounding, and every likelihood infinite.
_LEAST_NOISE = 1e-6


@dataclass(frozen=True)
class Novelty:
    """How strange a curve is, as the model sees it: in the model's own features.

    The detector is a probabilistic principal component analysis of the standardised features (Tipping and Bishop,
    J. R. Stat. Soc. B 61, 611 (1999)): the distance from the centre along the leading components, each in units of
    its spread, and what is left over in units of the noise. Both a curve too far out (another pulse, another line, a
    noisy record) and one too near (no signal, a damped one, without the disorder noise of the lattice) are strange.
    Against nearest neighbours, local outlier factors, isolation forests and a shrunk covariance matrix it found most
    of what was put to it; docs/predict.md has the numbers, and what it cannot find.

    Attributes:
        detector: Fitted pipeline with ``score_samples``, the log-likelihood of every row.
        calibration: Log-likelihood of training curves, each from a detector that has not seen its disorder, shape (n,).
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
        folds = GroupKFold(min(_FOLDS, len(np.unique(groups))), shuffle=True, random_state=seed)
        calibration = np.empty(len(x))
        for fitted, scored in folds.split(x, groups=groups):
            calibration[scored] = _fitted(x[fitted]).score_samples(x[scored])
        return cls(_fitted(x), calibration)

    def p_values(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """How often a curve of the training set's kind is as strange, to either side, shape (m,), between 0 and 1.

        Args:
            features: Feature table of new curves, shape (m, n_features).
        """
        likelihood = self.detector.score_samples(features.to_numpy(dtype=np.float64))
        too_far = conformal_p_values(-likelihood, -self.calibration)
        too_near = conformal_p_values(likelihood, self.calibration)
        return np.minimum(1.0, 2.0 * np.minimum(too_far, too_near))


def _fitted(x: NDArray[np.float64]) -> Pipeline:
    # With fewer components than rows and columns there is something left over to tell the noise from.
    most = max(1, min(_COMPONENTS, x.shape[0] // 4, x.shape[1] // 2))
    spread = PCA(most, random_state=0).fit(StandardScaler().fit_transform(x)).explained_variance_
    components = max(1, int((spread > 10 * _LEAST_NOISE).sum()))
    detector = make_pipeline(StandardScaler(), PCA(components, random_state=0)).fit(x)
    # Scikit-learn shares what is left over among the directions that the rows span. Of fewer rows than columns, that
    # is too few: curves would look the likelier the more rows a detector was fitted on, and new ones too likely.
    left = (min(x.shape) - components) / max(1, x.shape[1] - components)
    detector[-1].noise_variance_ = max(float(detector[-1].noise_variance_) * left, _LEAST_NOISE)
    return detector

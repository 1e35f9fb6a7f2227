"""A predictor learnt from echoes that are written down rather than simulated."""

from functools import cache

import numpy as np
from xgboost import XGBClassifier, XGBRegressor

from nmr_platform import Experiment
from nmr_platform.features import Acquisition, PointwiseFeatures, extract
from nmr_platform.inference import Conditions, Predictor
from nmr_platform.inference.novelty import Novelty
from nmr_platform.learning.models.xgboost import BalancedClasses
from nmr_platform.learning.tasks import ClassificationTask, RegressionTask

__all__ = [
    "ACQUISITION",
    "CLASSES",
    "RECORDS",
    "W",
    "classifier",
    "echoes",
    "measured",
    "measurements",
    "regressor",
    "shapes",
]

FEATURE_SET = PointwiseFeatures(signal="complex", half_width=20)
W = RegressionTask()
CLASSES = ClassificationTask(kernels=("power", "gaussian"))
ACQUISITION = Conditions.of(
    Experiment.model_validate(
        {
            "lattice": {"shape": [4, 4]},
            "kernel": {"kind": "uniform"},
            "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
            "line": {"fwhm": 0.05, "bandwidth": 0.2},
            "sequence": {"kind": "hahn", "tau": 20.0},
            "step": 0.5,
        }
    )
)
# Two sequences on the same sample, the second with an echo that comes earlier.
RECORDS = {
    "s1": ACQUISITION,
    "s2": Conditions.of(
        ACQUISITION.experiment.replace(sequence={"kind": "hahn", "tau": 15.0, "theta1": 60.0}, step=0.25)
    ),
}
_RESIDUALS = np.linspace(-0.02, 0.02, 99)


def echoes(n, seed=0):
    """Records that are the wider the larger W is, with noise, and W in MHz."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.1, 0.3, n)
    return _noisy(w, ACQUISITION, rng), w


def measurements(n, seed=0):
    """The same under each sequence of `RECORDS`."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.1, 0.3, n)
    return {name: _noisy(w, own, rng) for name, own in RECORDS.items()}, w


def _noisy(w, own, rng):
    m = 0.5 * np.exp(-(((own.time - own.echo_time) * w[:, None]) ** 2)) * np.exp(0.3j)
    return m + 0.002 * (rng.normal(size=m.shape) + 1j * rng.normal(size=m.shape))


def _predictor(name, task, estimator, target, feature_set=FEATURE_SET, **settings):
    m, w = echoes(160)
    features = extract(m, feature_set, Acquisition.of(ACQUISITION.experiment))
    novelty = Novelty.fit(features, np.arange(len(m)))
    return Predictor.assemble(
        name, task, estimator.fit(features, target(w)), feature_set, ACQUISITION, novelty, **settings
    )


def regressor(**settings):
    """A predictor of W."""
    model = XGBRegressor(n_estimators=20, max_depth=3, random_state=0, n_jobs=1)
    return _predictor("W", W, model, lambda w: w, **{"residuals": _RESIDUALS} | settings)


@cache
def measured(feature_set=FEATURE_SET, **settings):
    """A predictor of W from measurements of several sequences."""
    m, w = measurements(160)
    features = extract(m, feature_set, {name: Acquisition.of(own.experiment) for name, own in RECORDS.items()})
    model = XGBRegressor(n_estimators=20, max_depth=3, random_state=0, n_jobs=1).fit(features, w)
    novelty = Novelty.fit(features, np.arange(len(w)))
    return Predictor.assemble("W", W, model, feature_set, RECORDS, novelty, residuals=_RESIDUALS, **settings)


@cache
def shapes(**features):
    """A predictor of W by the shape of the echo alone: neither height nor phase matter."""
    feature_set = PointwiseFeatures(signal="magnitude", rescale=True, **({"half_width": 20} | features))
    return regressor(feature_set=feature_set)


def classifier(**settings):
    """A predictor that calls the narrow echoes gaussian."""
    model = BalancedClasses(XGBClassifier(n_estimators=20, max_depth=3, random_state=0, n_jobs=1))
    return _predictor(
        "kernel", CLASSES, model, lambda w: np.where(w > 0.2, "gaussian", "power"), residuals=None, **settings
    )

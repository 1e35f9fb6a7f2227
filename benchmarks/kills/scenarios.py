"""Which commands are killed, in what project, and what they start from."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["DROPPED_STAGES", "KERNEL", "PARAMS", "SCENARIOS", "TASK", "Scenario"]

KERNEL, TASK = "gaussian", "W"

PARAMS: dict[str, Any] = {
    "data": {
        "n_curves": 120,  # three shards
        "experiment": {"lattice": {"shape": [8, 8]}, "sequence": {"tau": 25.0}},
        "constraints": {"W": {"low": 0.01, "high": 0.1}},
    },
    "features": {"sets": [{"kind": "polynomial", "signal": "magnitude", "half_width": 150}]},
    "tune": {
        "n_trials": 4,
        "families": ["random_forest", "xgboost"],
        "feature_sets": ["polynomial-magnitude"],
        "cv_folds": 3,
        "n_estimators": 40,
        "startup_trials": 2,
    },
    "evaluate": {
        "n_resamples": 20,
        "n_bins": 2,
        "permutation_repeats": 1,
        "permutation_features": 3,
        "shap_rows": 3,
        "learning_curve": [0.5],
        "noise": [0.0, 1e-3],
        "lattice_shapes": [[6, 6]],
        "lattice_curves": 10,
    },
    "pulse_search": {
        "n_trials": 6,
        "n_curves": 20,
        "shape": [8, 8],
        "objective": {"cv_folds": 2},
        "startup_trials": 2,
        "verdict": {"n_curves": 24, "n_trials": 1, "n_estimators": 5, "cv_folds": 2},
    },
    "designed": {"tasks": [TASK]},
}
"""What is laid over the project's params.yaml, so that a command takes seconds."""

DROPPED_STAGES = (
    *("compare_disorder", "report"),
    *("simulate_designed", "features_designed", "tune_designed", "evaluate_designed"),
)
"""Stages of dvc.yaml that write as the others do, and cost as much."""

_GENERATE, _FEATURES = ("nmr_platform", "generate", "--kernel", KERNEL), ("nmr_platform", "features")
_TUNE, _EVALUATE = (("nmr_platform", command, "--task", TASK) for command in ("tune", "evaluate"))
# The points that several workers try do not depend on their order only if nothing is learnt from earlier ones.
_ORDERLESS = {"tune": {"n_trials": 12, "families": ["random_forest"], "sampler": "random", "pruner": "none"}}


@dataclass(frozen=True)
class Scenario:
    """A command that is killed.

    Attributes:
        name: What the table calls it.
        command: Its module and arguments, for ``python -m``.
        before: Commands that have ended when it starts.
        changes: What differs from `PARAMS`.
        is_tracked: Whether it records in MLflow, whose database then is there in every second project only.
    """

    name: str
    command: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    changes: dict[str, Any] = field(default_factory=dict)
    is_tracked: bool = True

    @property
    def variants(self) -> tuple[bool, ...]:
        """Whether it is the first command of a fresh checkout, in turn."""
        return (True, False) if self.is_tracked else (True,)


SCENARIOS = (
    # The longest first: scenarios run beside each other.
    Scenario("dvc repro", ("dvc", "repro")),
    Scenario("nmr evaluate", _EVALUATE, (_GENERATE, _FEATURES, _TUNE)),
    Scenario("nmr optimise-pulses", ("nmr_platform", "optimise-pulses")),
    Scenario("nmr tune --workers 3", (*_TUNE, "--workers", "3"), (_GENERATE, _FEATURES), _ORDERLESS),
    Scenario("nmr tune", _TUNE, (_GENERATE, _FEATURES)),
    Scenario("nmr generate", _GENERATE, is_tracked=False),
)

"""What tuning leaves behind: plain values that a JSON file can hold."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from nmr_platform.learning.models import Estimator
from nmr_platform.learning.settings import SplitSettings, TuneSettings
from nmr_platform.learning.tasks import Task
from nmr_platform.schema import Schema

__all__ = ["StudyResult", "TuneSummary"]

# Facts of one run rather than of its result.
_PASSING = {"run_id", "trial_seconds", "wall_seconds", "tracking_seconds"}


class StudyResult(Schema):
    """Outcome of one study.

    Attributes:
        family: Model family.
        feature_set: Name of the feature table.
        study_name: Name in the study storage.
        run_name: Name of the parent run.
        run_id: Identifier of the parent run, as the tracker gave it.
        best_trial: Number of the best trial: its place in the plan of the study, whatever was tried again.
        best_params: Its parameters, fixed ones included.
        cv_mean: Its score, mean over the folds.
        cv_std: Standard deviation over the folds.
        cv_folds: Its score on each fold.
        n_trials: Finished trials.
        n_pruned: Trials that were stopped early.
        n_failed: Trials that failed by themselves.
        trial_seconds: Duration of all trials together, in seconds.
        wall_seconds: Duration of the call that made this result, in seconds.
        tracking_seconds: Time of that call spent in the tracker, in seconds.
    """

    family: str
    feature_set: str
    study_name: str
    run_name: str
    run_id: str = ""
    best_trial: int
    best_params: dict[str, Any]
    cv_mean: float
    cv_std: float
    cv_folds: Annotated[tuple[float, ...], Field(strict=False)]
    n_trials: int
    n_pruned: int = 0
    n_failed: int
    trial_seconds: float = 0.0
    wall_seconds: float = 0.0
    tracking_seconds: float = 0.0

    @property
    def label(self) -> str:
        """Family and feature set, for tables and progress bars."""
        return f"{self.family}/{self.feature_set}"

    @property
    def tracking_share(self) -> float:
        """Share of the call's time that tracking took, between 0 and 1."""
        return self.tracking_seconds / max(self.wall_seconds, 1e-9)


class TuneSummary(Schema):
    """Outcome of tuning one task: all that evaluation needs to know.

    Attributes:
        task_name: Name of the task, and of the experiment in the tracker.
        task: The task.
        disorder: ``fresh``, or ``frozen`` if all curves share one realisation.
        split_digest: Identity of the split, which evaluation must reproduce.
        split: How the curves were split.
        tune: How the search was done.
        n_train: Curves that tuning saw.
        studies: One result per family and feature set, in the order of the settings.
    """

    task_name: str
    task: Task
    disorder: Literal["fresh", "frozen"]
    split_digest: str
    split: SplitSettings
    tune: TuneSettings
    n_train: int
    studies: Annotated[tuple[StudyResult, ...], Field(strict=False, min_length=1)]

    @property
    def champion(self) -> StudyResult:
        """The study of largest cross-validated score; the held-out part has no say in it."""
        return max(self.studies, key=lambda study: study.cv_mean)

    @property
    def tracking_share(self) -> float:
        """Share of the time of all studies that tracking took, between 0 and 1."""
        wall = sum(study.wall_seconds for study in self.studies)
        return sum(study.tracking_seconds for study in self.studies) / max(wall, 1e-9)

    def unfitted(self, study: StudyResult, *, n_jobs: int = 1) -> Estimator:
        """An estimator with the parameters that a study found.

        Args:
            study: One of `studies`.
            n_jobs: Threads that its fit may use; -1 for one per core.
        """
        family = self.tune.family(study.family)
        return family.build(study.best_params, self.task, seed=self.tune.seed, n_jobs=n_jobs)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON, without run identifiers and durations: a repeated run gives the same."""
        return self.model_dump(mode="json", exclude={"studies": {"__all__": _PASSING}})

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """The summary that `to_dict` gave; what it leaves out has its default."""
        return cls.model_validate(values, strict=False)

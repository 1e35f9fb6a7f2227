"""What a study depends on, and the names that follow from it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning.models import Family, describe_space
from nmr_platform.learning.settings import TuneSettings
from nmr_platform.learning.splitting import Fold, SplitTables, TrainingPart, make_folds
from nmr_platform.learning.tasks import METRICS, Task, question_of
from nmr_platform.tracking import DatasetEntry, RunEntry

__all__ = ["StudyPlan", "study_plans"]


@dataclass(frozen=True)
class StudyPlan:
    """All that a study depends on.

    Attributes:
        task_name: Name of the task.
        task: The task.
        family: Model family whose parameters are searched.
        feature_set: Name of the feature table.
        part: The training part; a study never sees another.
        folds: Folds of the cross-validation.
        settings: How long to search, seed and sampler.
        datasets: The data sets that the features come from.
        disorder: ``fresh`` or ``frozen``.
    """

    task_name: str
    task: Task
    family: Family
    feature_set: str
    part: TrainingPart
    folds: Sequence[Fold]
    settings: TuneSettings
    datasets: Sequence[DatasetEntry] = ()
    disorder: str = "fresh"

    @property
    def label(self) -> str:
        """Family and feature set."""
        return f"{self.family.kind}/{self.feature_set}"

    @cached_property
    def identity(self) -> dict[str, object]:
        """What makes trials comparable; the number of trials, the time limit and the threads do not."""
        settings = self.settings
        return {
            "task": self.task.model_dump(mode="json"),
            "family": self.family.kind,
            "feature_set": self.feature_set,
            **({"revision": self.family.revision} if self.family.revision > 1 else {}),
            "search_space": describe_space(self.family),
            "data": sorted(f"{entry.name}:{entry.digest}" for entry in self.datasets),
            "training_part": self.part.digest(),
            "folds": blake2b(b"|".join(fold.score.astype(np.int64).tobytes() for fold in self.folds)).hexdigest()[:32],
            "seed": settings.seed,
            "sampler": f"{settings.sampler}:{settings.startup_trials}",
            **({"second_objective": settings.second_objective} if settings.second_objective else {}),
            "pruner": settings.pruner,
        }

    @property
    def digest(self) -> str:
        """Short hash of the identity."""
        return blake2b(json.dumps(self.identity, sort_keys=True).encode(), digest_size=4).hexdigest()

    @property
    def study_name(self) -> str:
        """Name in the study storage."""
        return f"{self.task_name}/{self.run_name}"

    @property
    def run_name(self) -> str:
        """Name of the parent run."""
        return f"{self.label}-{self.digest}"

    def run_entry(self) -> RunEntry:
        """The parent run of the study."""
        # The number of trials is no parameter: it grows when a study continues, and a run's parameters cannot change.
        params = {
            **{f"task_{key}": value for key, value in self.task.model_dump(mode="json").items()},
            "family": self.family.kind,
            "feature_set": self.feature_set,
            "n_features": self.part.features.shape[1],
            "n_train": len(self.part.features),
            "cv_folds": len(self.folds),
            "seed": self.settings.seed,
            "sampler": self.settings.sampler,
            "pruner": self.settings.pruner,
        }
        tags = {"study": self.study_name, "disorder": self.disorder}
        question = f"Asked of an echo: {question_of(self.task)}."
        about = (
            f"A search by `{self.settings.sampler}` for the parameters of `{self.family.kind}` on the features "
            f"`{self.feature_set}` ({self.part.features.shape[1]} numbers a curve): {len(self.part.features)} curves "
            f"for training, scored by {METRICS[self.task.metric]} in {len(self.folds)} folds of them."
        )
        return RunEntry(self.task_name, self.run_name, params, tags, self.datasets, question=question, about=about)


def study_plans(
    task_name: str, task: Task, tables: SplitTables, tune: TuneSettings, datasets: Sequence[DatasetEntry] = ()
) -> Iterator[StudyPlan]:
    """The studies of one task, family by family on one feature table after the other.

    Args:
        task_name: Name of the task.
        task: What to learn.
        tables: Its rows; a study sees their training part only.
        tune: Families, feature sets and length of the search.
        datasets: The data sets behind the features.

    Raises:
        ConfigurationError: A feature set is not among ``tables``, or no family answers such a task.
        DataError: The training part is too small for the folds.
    """
    names = tune.feature_sets or tuple(tables.tables)
    for name in names:
        if name not in tables.tables:
            message = f"Key `feature_sets` must name tables among {sorted(tables.tables)}, but names `{name}`."
            raise ConfigurationError(message, key="feature_sets", value=name)
    folds = make_folds(tables.training_part(names[0]), task, tune.cv_folds, tune.seed)
    for name in names:
        part = tables.training_part(name)
        for family in tune.families_for(task):
            yield StudyPlan(task_name, task, family, name, part, folds, tune, datasets, tables.split.disorder)

"""What is to be learnt: one small value per question, chosen by `kind`."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator
from sklearn.metrics import f1_score, r2_score

from nmr_platform.datasets import quantity
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.schema import Name, Schema

__all__ = ["METRICS", "ClassificationTask", "JointTask", "Metric", "RegressionTask", "Task", "TaskTable", "question_of"]

Metric = Literal["r2", "f1_weighted"]

METRICS: dict[Metric, str] = {"r2": "R2", "f1_weighted": "weighted F1"}
"""Names of the main scores in sentences and tables."""

# YAML has lists where a frozen value wants tuples.
Kernels = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]

OTHER = "other"
# Relative spread below which a target is rounding and nothing else.
_SAME = 1e-9
# What says which curve it is and nothing about the sample.
_BOOKKEEPING = ("curve", "disorder", "kernel", "seed", "n_draws")


class _TaskBase(Schema):
    """What every task has: the kernels whose curves it looks at; unless it says otherwise it asks for numbers."""

    kernels: Kernels

    @model_validator(mode="after")
    def _kernels_differ(self) -> "_TaskBase":
        if len(set(self.kernels)) < len(self.kernels):
            message = f"Key `kernels` must name every kernel once, but is {list(self.kernels)}."
            raise ValueError(message)
        return self

    @property
    def metric(self) -> Metric:
        """Name of the score that tuning maximises; larger is better."""
        return "r2"

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of every table; empty where numbers are asked for."""
        return ()

    @property
    def unit(self) -> str:
        """Unit of the target; empty for a class, and for several numbers, which have units of their own."""
        return ""

    @property
    def parts(self) -> "Mapping[str, RegressionTask]":
        """The numbers that it asks for, by what the names of their columns and scores end in."""
        return {}

    @abstractmethod
    def y(self, labels: pd.DataFrame) -> NDArray[np.generic]:
        """The target of every row of ``labels``, shape (n,), or those of a joint task, (n, d)."""

    def score(self, true: NDArray[np.generic], predicted: NDArray[np.generic]) -> float:
        """The task's `metric`, larger is better, dimensionless; that of several numbers is the mean over them.

        Args:
            true: Targets, as `y` gives them.
            predicted: Predictions, likewise.
        """
        return float(r2_score(true, predicted))

    @abstractmethod
    def check(self, labels: pd.DataFrame) -> None:
        """Refuse rows from which nothing can be learnt.

        Args:
            labels: All rows of the task; a part of them may well be constant by chance.

        Raises:
            DataError: The target is missing, not a number, or the same for every curve.
        """

    def select(self, labels: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows of ``labels`` belong to the task, shape (n,).

        Raises:
            DataError: A kernel of the task has no row.
        """
        missing = sorted(set(self.kernels) - set(labels["kernel"]))
        if missing:
            message = (
                f"The labels must hold curves of kernel `{missing[0]}`, but only have {sorted(set(labels['kernel']))}."
            )
            raise DataError(message)
        return labels["kernel"].isin(self.kernels).to_numpy(dtype=bool)

    def strata(self, labels: pd.DataFrame) -> NDArray[np.generic] | None:
        """Classes to keep in proportion over the folds, shape (n,); None for a regression."""
        return self.y(labels) if self.class_names else None


class RegressionTask(_TaskBase):
    """Infer one number from a curve.

    Attributes:
        target: Column of the labels: a quantity that every data set has (W, X, Z, alpha_x, alpha_z and the rates
            gamma_plus, gamma_minus, gamma_z in MHz; xi in lattice constants; exponent), or whatever else was drawn.
        kernels: Kernels whose curves take part; several are pooled.
    """

    kind: Literal["regression"] = "regression"
    target: str = "W"
    kernels: Kernels = ("gaussian",)

    @property
    def unit(self) -> str:
        """Unit of the target; empty for a plain number, and for an auxiliary one of somebody's prior."""
        return quantity(self.target).label

    @property
    def parts(self) -> "Mapping[str, RegressionTask]":
        """Itself: names of a single number need no ending."""
        return {"": self}

    def y(self, labels: pd.DataFrame) -> NDArray[np.float64]:
        """The target of every row, shape (n,), in `unit`.

        Raises:
            DataError: There is no such column, or a row has no such value, for instance ``xi`` of a power law.
        """
        known = [str(name) for name in labels.select_dtypes("number") if name not in _BOOKKEEPING]
        if self.target not in known:
            message = f"Key `target` must be one of {', '.join(known)} for these curves, but is {self.target!r}."
            raise DataError(message)
        values = labels[self.target].to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            kernel = labels["kernel"].to_numpy()[~np.isfinite(values)][0]
            message = (
                f"Target `{self.target}` must be a number for every curve, but curves of kernel `{kernel}` have none."
            )
            raise DataError(message)
        return values

    def check(self, labels: pd.DataFrame) -> None:
        """Refuse a target that does not vary; see the base class."""
        values = self.y(labels)
        if np.ptp(values) <= _SAME * np.abs(values).max():
            unit = f" {self.unit}" if self.unit else ""
            message = (
                f"Target `{self.target}` must differ between curves to be learnt, but is {values[0]:.6g}{unit} for "
                f"all {len(values)} of kernel {', '.join(self.kernels)}; draw it in the prior or choose another target."
            )
            raise DataError(message)


class JointTask(_TaskBase):
    """Infer several numbers of a curve together: a posterior that knows how their errors hang together.

    Attributes:
        targets: Columns of the labels, two or more, see `RegressionTask`.
        kernels: Kernels whose curves take part; several are pooled.

    Example:
        >>> JointTask(targets=("X", "xi")).parts["_xi"].target
        'xi'
    """

    kind: Literal["joint"] = "joint"
    targets: Annotated[tuple[str, ...], Field(strict=False, min_length=2)]
    kernels: Kernels = ("gaussian",)

    @model_validator(mode="after")
    def _targets_differ(self) -> "JointTask":
        if len(set(self.targets)) < len(self.targets):
            message = f"Key `targets` must name every target once, but is {list(self.targets)}."
            raise ValueError(message)
        return self

    @property
    def parts(self) -> Mapping[str, RegressionTask]:
        """One regression a target, by ``_<target>``."""
        return {f"_{target}": RegressionTask(target=target, kernels=self.kernels) for target in self.targets}

    def y(self, labels: pd.DataFrame) -> NDArray[np.float64]:
        """The targets of every row, shape (n, d), each in the unit of its part.

        Raises:
            DataError: See `RegressionTask.y`.
        """
        return np.column_stack([part.y(labels) for part in self.parts.values()])

    def check(self, labels: pd.DataFrame) -> None:
        """Refuse targets that do not vary; see the base class."""
        for part in self.parts.values():
            part.check(labels)


class ClassificationTask(_TaskBase):
    """Tell kernels apart.

    Attributes:
        kernels: Kernels whose curves take part.
        positive: If given, two classes: this kernel against ``other``.
    """

    kind: Literal["classification"] = "classification"
    kernels: Kernels = ("gaussian", "power", "rkky")
    positive: str | None = None

    @model_validator(mode="after")
    def _there_is_something_to_tell_apart(self) -> "ClassificationTask":
        if len(self.kernels) < 2:
            message = f"Key `kernels` must name two kernels or more, but is {list(self.kernels)}."
            raise ValueError(message)
        if self.positive is not None and self.positive not in self.kernels:
            message = f"Key `positive` must be one of {list(self.kernels)}, but is {self.positive!r}."
            raise ValueError(message)
        return self

    @property
    def metric(self) -> Metric:
        """F1 of each class, averaged with the class sizes as weights."""
        return "f1_weighted"

    @property
    def class_names(self) -> tuple[str, ...]:
        """The kernels in the order given, or the positive one and ``other``."""
        return self.kernels if self.positive is None else (self.positive, OTHER)

    def y(self, labels: pd.DataFrame) -> NDArray[np.str_]:
        """The class of every row, shape (n,)."""
        kernels = labels["kernel"].to_numpy(dtype=np.str_)
        return kernels if self.positive is None else np.where(kernels == self.positive, self.positive, OTHER)

    def score(self, true: NDArray[np.generic], predicted: NDArray[np.generic]) -> float:
        """Weighted F1 of some predictions, see the base class."""
        return float(f1_score(true, predicted, average="weighted", zero_division=0.0))

    def check(self, labels: pd.DataFrame) -> None:
        """Nothing to refuse: that every kernel has curves is seen when rows are selected."""


Task = Annotated[RegressionTask | JointTask | ClassificationTask, Field(discriminator="kind")]


def question_of(task: Task) -> str:
    """What a task asks, in words."""
    kernels = ", ".join(task.kernels)
    if not isinstance(task, ClassificationTask):
        asked = (
            f"{quantity(part.target).description}{f' in {part.unit}' if part.unit else ''}"
            for part in task.parts.values()
        )
        return f"{' together with '.join(asked)} ({kernels})"
    if task.positive is None:
        return f"which kernel made this echo: {kernels}"
    return f"was it the {task.positive} kernel, or another ({kernels})"


class TaskTable(Schema):
    """The tasks of a project.

    Attributes:
        tasks: What is learnt, by name.
    """

    tasks: dict[Name, Task]

    def task(self, name: str) -> Task:
        """The task called ``name``.

        Raises:
            ConfigurationError: There is none.
        """
        if name not in self.tasks:
            message = f"Argument `task` must be one of {', '.join(self.tasks)}, but is {name!r}."
            raise ConfigurationError(message, key="task", value=name)
        return self.tasks[name]

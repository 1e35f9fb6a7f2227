"""What is to be learnt: one small value per question, chosen by `kind`."""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from nmr_platform.errors import DataError
from nmr_platform.schema import Schema

__all__ = ["ClassificationTask", "Kernel", "Metric", "RegressionTask", "Target", "Task"]

Kernel = Literal["gaussian", "power", "rkky"]
Metric = Literal["r2", "f1_weighted"]
Target = Literal["W", "X", "Z", "alpha_x", "alpha_z", "xi", "exponent"]

# YAML has lists where a frozen value wants tuples.
Kernels = Annotated[tuple[Kernel, ...], Field(strict=False, min_length=1)]

OTHER = "other"
_UNITS = {"xi": "lattice constants", "exponent": ""}


class _TaskBase(Schema):
    """What every task has: the kernels whose curves it looks at."""

    kernels: Kernels

    @model_validator(mode="after")
    def _kernels_differ(self) -> "_TaskBase":
        if len(set(self.kernels)) < len(self.kernels):
            message = f"Key `kernels` must name every kernel once, but is {list(self.kernels)}."
            raise ValueError(message)
        return self

    @property
    @abstractmethod
    def metric(self) -> Metric:
        """Name of the score that tuning maximises; larger is better."""

    @property
    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of every table; empty for a regression."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """Unit of the target; empty if it has none."""

    @abstractmethod
    def y(self, labels: pd.DataFrame) -> NDArray[np.generic]:
        """The target of every row of ``labels``, shape (n,)."""

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
        target: Column of the labels. W, X, Z, alpha_x and alpha_z are in MHz, xi in lattice constants.
        kernels: Kernels whose curves take part.
    """

    kind: Literal["regression"] = "regression"
    target: Target = "W"
    kernels: Kernels = ("gaussian",)

    @property
    def metric(self) -> Metric:
        """The coefficient of determination."""
        return "r2"

    @property
    def class_names(self) -> tuple[str, ...]:
        """Empty: a number has no classes."""
        return ()

    @property
    def unit(self) -> str:
        """Unit of the target."""
        return _UNITS.get(self.target, "MHz")

    def y(self, labels: pd.DataFrame) -> NDArray[np.float64]:
        """The target of every row, shape (n,), in `unit`.

        Raises:
            DataError: A row has no such value, for instance ``xi`` of a power-law kernel.
        """
        values = labels[self.target].to_numpy(dtype=np.float64)
        if not np.isfinite(values).all():
            kernel = labels["kernel"].to_numpy()[~np.isfinite(values)][0]
            message = (
                f"Target `{self.target}` must be a number for every curve, but curves of kernel `{kernel}` have none."
            )
            raise DataError(message)
        return values


class ClassificationTask(_TaskBase):
    """Tell kernels apart.

    Attributes:
        kernels: Kernels whose curves take part.
        positive: If given, two classes: this kernel against ``other``.
    """

    kind: Literal["classification"] = "classification"
    kernels: Kernels = ("gaussian", "power", "rkky")
    positive: Kernel | None = None

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

    @property
    def unit(self) -> str:
        """Empty: a class has no unit."""
        return ""

    def y(self, labels: pd.DataFrame) -> NDArray[np.str_]:
        """The class of every row, shape (n,)."""
        kernels = labels["kernel"].to_numpy(dtype=np.str_)
        return kernels if self.positive is None else np.where(kernels == self.positive, self.positive, OTHER)


Task = Annotated[RegressionTask | ClassificationTask, Field(discriminator="kind")]

"""The deployable model: from a raw record M(t) to a value, its interval, and whether the record was to be expected."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features import Acquisition, FeatureSet, extract
from nmr_platform.inference.acquisition import Conditions
from nmr_platform.inference.novelty import Novelty
from nmr_platform.inference.predictor_facts import PredictorFacts, find_predictor, read_facts, write_facts
from nmr_platform.learning import RegressionTask, Task, interval_half_width, load_estimator, save_estimator

__all__ = ["Predictor"]

# Below it, a curve of the training set's kind would be rarer than one in twenty.
_RARE = 0.05


@dataclass(frozen=True)
class Predictor:
    """A fitted model that takes raw records.

    Attributes:
        record: What is known about it.
        estimator: Fitted regressor, or classifier with ``predict_proba``, on the columns of the feature set.
        novelty: Whether a curve is like the training set.
    """

    record: PredictorFacts
    estimator: Any
    novelty: Novelty

    loader_module: ClassVar[str] = "nmr_platform.inference.loader"
    requirements: ClassVar[tuple[str, ...]] = ("nmr-platform", "mapie", "scikit-learn", "skops", "xgboost")
    optional_columns: ClassVar[tuple[str, ...]] = ("sequence",)

    @classmethod
    def assemble(
        cls,
        task_name: str,
        task: Task,
        estimator: Any,
        feature_set: FeatureSet,
        acquisition: Conditions,
        novelty: Novelty,
        *,
        residuals: NDArray[np.float64] | None,
        coverage: float = 0.9,
        disorder: Literal["fresh", "frozen"] = "fresh",
    ) -> Self:
        """Put a predictor together.

        Args:
            task_name: Name of the task.
            task: The task.
            estimator: Fitted estimator on the columns of ``feature_set``.
            feature_set: What is extracted from a record.
            acquisition: Sequence and sampling of the training curves.
            novelty: Fitted on the training part.
            residuals: Residuals of the cross-validation on the training part, shape (n,), in the target's unit; None
                for a classification, or to go without intervals.
            coverage: Nominal coverage of the intervals, between 0 and 1.
            disorder: ``frozen`` if all training curves share one realisation.
        """
        record = PredictorFacts(
            task_name=task_name,
            task=task,
            feature_set=feature_set,
            acquisition=acquisition,
            disorder=disorder,
            coverage=coverage,
            residuals=None if residuals is None else tuple(np.abs(residuals).tolist()),
            likelihoods=tuple(novelty.calibration.tolist()),
        )
        return cls(record, estimator, novelty)

    @property
    def options(self) -> dict[str, Any]:
        """What a caller may choose: ``coverage`` of the intervals, between 0 and 1."""
        return {} if self.record.residuals is None else {"coverage": self.record.coverage}

    def predict(
        self,
        m: NDArray[np.complexfloating],
        time: NDArray[np.float64],
        *,
        sequence: str | None = None,
        acquisition: Conditions | None = None,
        coverage: float | None = None,
    ) -> pd.DataFrame:
        """Predict from raw records.

        Args:
            m: The records M(t) in the simulation's unit, where 1/2 is full polarisation, shape (n, n_samples).
            time: Time of every sample after the end of the first pulse, us, shape (n_samples,).
            sequence: The sequence as text, for instance ``90x - 100 us - 180y - 200 us``, where it is known.
            acquisition: The same and the place of the echo, where all of it is known.
            coverage: Nominal coverage of the intervals; the record's by default.

        Returns:
            One row a curve: ``quantity``, ``unit``, ``prediction``; for a regression ``lower`` and ``upper`` of the
            interval, for a classification ``probability_<class>`` in the order of the task's classes; ``p_value``,
            how often a curve of the training set's kind is as strange, see `Novelty`; ``warning``, often empty.

        Raises:
            DataError: The curves have another sequence, sampling or place of the echo, or are not finite.
            ConfigurationError: ``coverage`` is out of range.
        """
        self._require_acquisition(time, sequence, acquisition)
        wanted, task = self.record.acquisition, self.record.task
        features = extract(m, self.record.feature_set, Acquisition.of(wanted.experiment))
        predicted = self.estimator.predict(features).astype(np.str_ if task.class_names else np.float64)
        p_values = self.novelty.p_values(features)
        table: dict[str, Any] = {"quantity": self._quantity, "unit": task.unit, "prediction": predicted}
        if task.class_names:
            known = list(self.estimator.classes_)
            probabilities = np.asarray(self.estimator.predict_proba(features), dtype=np.float64)
            table |= {f"probability_{name}": probabilities[:, known.index(name)] for name in task.class_names}
        if self.record.residuals is not None:
            level = self.record.coverage if coverage is None else coverage
            half = interval_half_width(np.array(self.record.residuals), coverage=level)
            table |= {"lower": predicted - half, "upper": predicted + half}
        return pd.DataFrame({**table, "p_value": p_values, "warning": [self._warning(p) for p in p_values]})

    def predict_table(self, table: pd.DataFrame, options: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Predict every row of a request.

        Args:
            table: Columns ``time`` (us), ``real`` and ``imag``, each cell a list of numbers, and perhaps ``sequence``.
            options: See `options`.

        Raises:
            DataError: A row cannot be read, or is refused; the message says which one.
        """
        answers = []
        for number, row in enumerate(table.to_dict("records")):
            try:
                time, m = _read_row(row)
                sequence = row.get("sequence")
                known = sequence if isinstance(sequence, str) and sequence else None
                answers.append(self.predict(m[None], time, sequence=known, **(options or {})))
            except (DataError, ConfigurationError) as error:
                message = f"Row {number}: {error}" if len(table) > 1 else str(error)
                raise DataError(message) from error
        if not answers:
            message = "The request must have a row for each curve, but has none."
            raise DataError(message)
        return pd.concat(answers, ignore_index=True)

    def example_row(self, m: NDArray[np.complexfloating]) -> pd.DataFrame:
        """A request for one curve, shape (n_samples,), recorded as the training curves were."""
        acquisition = self.record.acquisition
        return pd.DataFrame(
            {
                "time": [acquisition.time.tolist()],
                "real": [m.real.astype(np.float64).tolist()],
                "imag": [m.imag.astype(np.float64).tolist()],
                "sequence": [acquisition.sequence],
            }
        )

    def save(self, folder: Path) -> None:
        """Write everything that prediction needs into a folder; no pickle is among it."""
        for part in ("estimator", "detector"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        record = self.record.replace(
            estimator=save_estimator(self.estimator, folder / "estimator"),
            detector=save_estimator(self.novelty.detector, folder / "detector"),
        )
        write_facts(record, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a predictor; nothing that comes with it is executed, and the training data is not needed.

        Args:
            folder: What `save` wrote, or the MLflow model around it.

        Raises:
            DataError: There is no predictor, it is damaged, of another version, or holds foreign types.
        """
        folder = find_predictor(folder)
        record = read_facts(folder)
        estimator = load_estimator(folder / "estimator" / record.estimator)
        detector = load_estimator(folder / "detector" / record.detector)
        return cls(record, estimator, Novelty(detector, np.array(record.likelihoods)))

    @property
    def _quantity(self) -> str:
        task = self.record.task
        return task.target if isinstance(task, RegressionTask) else self.record.task_name

    def _require_acquisition(
        self, time: NDArray[np.float64], sequence: str | None, acquisition: Conditions | None
    ) -> None:
        wanted = self.record.acquisition
        if acquisition is not None:
            wanted.require_same(acquisition)
        if sequence is not None and sequence != wanted.sequence and not wanted.varied:
            message = (
                f"The curve must come from the sequence that the model learnt from, `{wanted.sequence}`, but is said "
                f"to be of `{sequence}`."
            )
            raise DataError(message)
        wanted.require_time(time)

    def _warning(self, p_value: float) -> str:
        warnings = []
        if p_value <= _RARE:
            warnings.append(f"unlike the training curves (p = {p_value:.2g})")
        if self.record.disorder == "frozen":
            warnings.append("learnt from one frozen disorder")
        return "; ".join(warnings)


def _read_row(row: Mapping[Any, Any]) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Times and record of one row of a request."""
    try:
        time, real, imag = (np.asarray(row[name], dtype=np.float64) for name in ("time", "real", "imag"))
    except (KeyError, TypeError, ValueError) as error:
        message = f"A curve must have lists of numbers `time` (us), `real` and `imag`, but: {error}."
        raise DataError(message) from error
    if not time.shape == real.shape == imag.shape or time.ndim != 1:
        message = (
            f"Lists `time`, `real` and `imag` must be equally long, but have shapes {time.shape}, {real.shape} and "
            f"{imag.shape}."
        )
        raise DataError(message)
    return time, real + 1j * imag

"""The deployable model: from a raw record M(t) to a value, its interval, and whether the record was to be expected."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.checksums import require_checksums, write_checksums
from nmr_platform.datasets import Recorded, Reference, unrecorded
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features import Acquisition, FeatureSet, Needs, extract
from nmr_platform.inference.conditions import Conditions
from nmr_platform.inference.facts import PredictorFacts, find_predictor, read_facts, write_facts
from nmr_platform.inference.novelty import Novelty
from nmr_platform.learning import (
    RegressionTask,
    Task,
    interval_half_width,
    load_estimator,
    model_requirements,
    save_estimator,
)

if TYPE_CHECKING:
    from nmr_platform.tracking.mlflow import PyfuncModel

__all__ = ["Predictor"]

# Below it, a curve of the training set's kind would be rarer than one in twenty.
_RARE = 0.05


@dataclass(frozen=True)
class Predictor:
    """A fitted model that takes raw records.

    Attributes:
        facts: What is known about it.
        estimator: Fitted regressor, or classifier with ``predict_proba``, on the columns of the feature set.
        novelty: Whether a curve is like the training set.
    """

    facts: PredictorFacts
    estimator: Any
    novelty: Novelty

    loader_module: ClassVar[str] = "nmr_platform.inference.predictor"
    requirements: ClassVar[tuple[str, ...]] = ("nmr-platform", "mapie", *model_requirements())
    optional_columns: ClassVar[tuple[str, ...]] = ("sequence", "guessed")

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
        facts = PredictorFacts(
            task_name=task_name,
            task=task,
            feature_set=feature_set,
            acquisition=acquisition,
            disorder=disorder,
            coverage=coverage,
            residuals=None if residuals is None else tuple(np.abs(residuals).tolist()),
            likelihoods=tuple(novelty.calibration.tolist()),
        )
        return cls(facts, estimator, novelty)

    @property
    def options(self) -> dict[str, Any]:
        """What a caller may choose: ``coverage`` of the intervals, between 0 and 1."""
        return {} if self.facts.residuals is None else {"coverage": self.facts.coverage}

    def predict(
        self,
        m: NDArray[np.complexfloating],
        time: NDArray[np.float64],
        *,
        sequence: str | None = None,
        acquisition: Conditions | None = None,
        recorded: Recorded | None = None,
        coverage: float | None = None,
    ) -> pd.DataFrame:
        """Predict from raw records.

        Args:
            m: The records M(t) in the simulation's unit, where 1/2 is full polarisation, shape (n, n_samples). Samples
                that are no numbers, and stretches of zeros, were not recorded.
            time: Time of every sample after the end of the first pulse, us, shape (n_samples,); a part of those of the
                training curves if the rest was not recorded.
            sequence: The sequence as text, for instance ``90x - 100 us - 180y - 200 us``, where it is known.
            acquisition: The same and the place of the echo, where all of it is known.
            recorded: What the records give; by default their height, phase and frequency are known.
            coverage: Nominal coverage of the intervals; the record's by default.

        Returns:
            One row a curve: ``quantity``, ``unit``, ``prediction``; for a regression ``lower`` and ``upper`` of the
            interval, for a classification ``probability_<class>`` in the order of the task's classes; ``p_value``,
            how often a curve of the training set's kind is as strange, see `Novelty`; ``warning``, often empty.

        Raises:
            DataError: The curves have another sequence, sampling or place of the echo.
            UnmetNeedError: The features need what the records do not give.
            ConfigurationError: ``coverage`` is out of range.

        Example:
            >>> from sklearn.linear_model import LinearRegression
            >>> from nmr_platform import Experiment
            >>> from nmr_platform.features import PointwiseFeatures
            >>> experiment = Experiment.model_validate(
            ...     {
            ...         "lattice": {"shape": [4, 4]},
            ...         "kernel": {"kind": "uniform"},
            ...         "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
            ...         "line": {"fwhm": 0.05, "bandwidth": 0.2},
            ...         "sequence": {"kind": "hahn", "tau": 20.0},
            ...         "step": 0.5,
            ...     }
            ... )
            >>> acquisition, feature_set = Conditions.of(experiment), PointwiseFeatures(signal="complex", half_width=10)
            >>> w = np.linspace(0.1, 0.3, 50)  # MHz
            >>> m = 0.5 * np.exp(-(((acquisition.time - 40.0) * w[:, np.newaxis]) ** 2)).astype(complex)
            >>> features = extract(m, feature_set, Acquisition.of(experiment))
            >>> predictor = Predictor.assemble(
            ...     "W",
            ...     RegressionTask(target="W"),
            ...     LinearRegression().fit(features, w),
            ...     feature_set,
            ...     acquisition,
            ...     Novelty.fit(features, np.arange(50)),
            ...     residuals=np.linspace(-0.01, 0.01, 99),
            ... )
            >>> answer = predictor.predict(m[20:21], acquisition.time)
            >>> list(answer)
            ['quantity', 'unit', 'prediction', 'lower', 'upper', 'p_value', 'warning']
            >>> answer["unit"].item(), round(answer["prediction"].item(), 2), round(w[20].item(), 2)
            ('MHz', 0.18, 0.18)
        """
        self._require_acquisition(sequence, acquisition)
        given = Recorded() if recorded is None else recorded
        features = self._features(m, time, given)
        task = self.facts.task
        predicted = self.estimator.predict(features).astype(np.str_ if task.class_names else np.float64)
        p_values = self.novelty.p_values(features)
        table: dict[str, Any] = {"quantity": self._quantity, "unit": task.unit, "prediction": predicted}
        if task.class_names:
            known = list(self.estimator.classes_)
            probabilities = np.asarray(self.estimator.predict_proba(features), dtype=np.float64)
            table |= {f"probability_{name}": probabilities[:, known.index(name)] for name in task.class_names}
        if self.facts.residuals is not None:
            level = self.facts.coverage if coverage is None else coverage
            half = interval_half_width(np.array(self.facts.residuals), coverage=level)
            table |= {"lower": predicted - half, "upper": predicted + half}
        return pd.DataFrame({**table, "p_value": p_values, "warning": [self._warning(p, given) for p in p_values]})

    @property
    def needs(self) -> Needs:
        """What the model's features need of a record."""
        return self.facts.feature_set.needs(Acquisition.of(self.facts.acquisition.experiment))

    def predict_table(self, table: pd.DataFrame, options: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Predict every row of a request.

        Args:
            table: Columns ``time`` (us), ``real`` and ``imag`` (of M, where 1/2 is full polarisation), each cell a list
                of n_samples numbers, and perhaps ``sequence`` and ``guessed`` (which of height, phase and offset are
                not known, separated by commas); other columns are not read.
            options: See `options`.

        Returns:
            What `predict` gives, one row a row of the request.

        Raises:
            DataError: A row cannot be read, or is refused; the message says which one.
        """
        answers = []
        for number, row in enumerate(table.to_dict("records")):
            try:
                time, m = _read_row(row)
                sequence = row.get("sequence")
                known = sequence if isinstance(sequence, str) and sequence else None
                recorded = Recorded(guessed=_read_guessed(row.get("guessed")))
                answers.append(self.predict(m[None], time, sequence=known, recorded=recorded, **(options or {})))
            except (DataError, ConfigurationError) as error:
                message = f"Row {number}: {error}" if len(table) > 1 else str(error)
                raise DataError(message) from error
        if not answers:
            message = "The request must have a row for each curve, but has none."
            raise DataError(message)
        return pd.concat(answers, ignore_index=True)

    def example_row(self, m: NDArray[np.complexfloating]) -> pd.DataFrame:
        """A request for one curve, shape (n_samples,), recorded as the training curves were."""
        acquisition = self.facts.acquisition
        return pd.DataFrame(
            {
                "time": [acquisition.time.tolist()],
                "real": [m.real.astype(np.float64).tolist()],
                "imag": [m.imag.astype(np.float64).tolist()],
                "sequence": [acquisition.sequence],
                "guessed": [""],
            }
        )

    def save(self, folder: Path) -> None:
        """Write everything that prediction needs into a folder; no pickle is among it."""
        for part in ("estimator", "detector"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        facts = self.facts.replace(
            estimator=save_estimator(self.estimator, folder / "estimator"),
            detector=save_estimator(self.novelty.detector, folder / "detector"),
        )
        write_facts(facts, folder)
        write_checksums(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a predictor; nothing that comes with it is executed, and the training data is not needed.

        Args:
            folder: What `save` wrote, or the MLflow model around it.

        Raises:
            DataError: There is no predictor, a file of it was changed, or it is of another version or holds foreign
                types.
        """
        folder = find_predictor(folder)
        require_checksums(folder, what="Model", made_by="nmr evaluate")
        facts = read_facts(folder)
        estimator = load_estimator(folder / "estimator" / facts.estimator)
        detector = load_estimator(folder / "detector" / facts.detector)
        return cls(facts, estimator, Novelty(detector, np.array(facts.likelihoods)))

    @property
    def _quantity(self) -> str:
        task = self.facts.task
        return task.target if isinstance(task, RegressionTask) else self.facts.task_name

    def _require_acquisition(self, sequence: str | None, acquisition: Conditions | None) -> None:
        wanted = self.facts.acquisition
        if acquisition is not None:
            wanted.require_same(acquisition)
        if sequence is not None and sequence != wanted.sequence and not wanted.varied:
            message = (
                f"The curve must come from the sequence that the model learnt from, `{wanted.sequence}`, but is said "
                f"to be of `{sequence}`."
            )
            raise DataError(message)

    def _features(self, m: NDArray[np.complexfloating], time: NDArray[np.float64], recorded: Recorded) -> pd.DataFrame:
        """The features of records that give what they need, and whose other samples do not matter."""
        wanted = self.facts.acquisition
        if m.ndim != 2 or m.shape[1] != len(time):
            message = f"Argument `m` must have shape (n, {len(time)}), as there are times, but has {m.shape}."
            raise ConfigurationError(message, key="m", value=m.shape)
        places = wanted.places(time)
        curves = np.full((len(m), len(wanted.time)), np.nan, dtype=np.result_type(m.dtype, np.complex64))
        curves[:, places] = m
        missing = unrecorded(curves) | ~recorded.covers(wanted.time)
        taken = Acquisition.of(wanted.experiment)
        # Curves of a data set mostly lack the same samples.
        patterns, which = np.unique(missing, axis=0, return_inverse=True)
        parts = []
        for number, pattern in enumerate(patterns):
            rows = np.flatnonzero(which.reshape(-1) == number)
            curves[np.ix_(rows, np.flatnonzero(pattern))] = 0
            acquisition = taken.of_record(recorded, ~pattern)
            parts.append(extract(curves[rows], self.facts.feature_set, acquisition).set_index(rows))
        return pd.concat(parts).sort_index()

    def _warning(self, p_value: float, recorded: Recorded) -> str:
        warnings = []
        if p_value <= _RARE:
            warnings.append(f"unlike the training curves (p = {p_value:.2g})")
        guessed = [each for each in recorded.guessed if each in self.needs.advised]
        if guessed:
            warnings.append(f"{' and '.join(guessed)} {'are guesses' if len(guessed) > 1 else 'is a guess'}")
        if self.facts.disorder == "frozen":
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


def _read_guessed(cell: object) -> tuple[Reference, ...]:
    """What a request says is not known of its record; nothing where it says nothing."""
    names = [name.strip() for name in cell.split(",") if name.strip()] if isinstance(cell, str) else []
    known = get_args(Reference)
    for name in names:
        if name not in known:
            message = f"Text `guessed` must name {', '.join(known)}, but names {name!r}."
            raise DataError(message)
    return tuple(name for name in known if name in names)


def _load_pyfunc(data_path: str) -> "PyfuncModel":
    """Load a predictor for MLflow, which finds this function by its name."""
    # MLflow takes two seconds to import, and is there already when it calls.
    from nmr_platform.tracking.mlflow import PyfuncModel  # noqa: PLC0415

    return PyfuncModel(Predictor.load(Path(data_path)))

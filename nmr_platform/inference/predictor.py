"""The deployable model: from the raw records of a measurement to a value, its interval, and whether it is familiar."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.checksums import require_checksums, write_checksums
from nmr_platform.datasets import Recorded, unrecorded
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features import Acquisition, FeatureSet, Needs, by_record, extract, naming_record
from nmr_platform.inference.conditions import Conditions
from nmr_platform.inference.facts import PredictorFacts, find_predictor, read_facts, write_facts
from nmr_platform.inference.joint import joint_answer
from nmr_platform.inference.novelty import Novelty
from nmr_platform.inference.requests import example_request, optional_columns, read_request
from nmr_platform.learning import (
    JointTask,
    RegressionTask,
    Task,
    installed_requirements,
    interval_half_width,
    is_informative,
    load_estimator,
    model_requirements,
    save_estimator,
)

if TYPE_CHECKING:
    from nmr_platform.tracking.mlflow import PyfuncModel

Records = NDArray[np.complexfloating]

__all__ = ["Predictor"]

# Below it, a curve of the training set's kind would be rarer than one in twenty.
_RARE = 0.05
_REQUIREMENTS = ("nmr-platform", "mapie")


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

    @classmethod
    def assemble(
        cls,
        task_name: str,
        task: Task,
        estimator: Any,
        feature_set: FeatureSet,
        acquisition: Conditions | Mapping[str, Conditions],
        novelty: Novelty,
        *,
        residuals: NDArray[np.float64] | None,
        targets: NDArray[np.float64] | None = None,
        coverage: float = 0.9,
        disorder: Literal["fresh", "frozen"] = "fresh",
    ) -> Self:
        """Put a predictor together.

        Args:
            task_name: Name of the task.
            task: The task.
            estimator: Fitted estimator on the columns of ``feature_set``.
            feature_set: What is extracted from a record.
            acquisition: Sequence and sampling of the training curves; of several sequences, those of each record by
                its name.
            novelty: Fitted on the training part.
            residuals: Residuals of the cross-validation on the training part, shape (n,), in the target's unit; None
                for a classification, or to go without intervals.
            targets: True values of the training part, shape (n,), likewise: an interval that is as wide as theirs is
                said to tell nothing; None to say nothing of it.
            coverage: Nominal coverage of the intervals, between 0 and 1.
            disorder: ``frozen`` if all training curves share one realisation.
        """
        records = dict(by_record(acquisition))
        facts = PredictorFacts(
            task_name=task_name,
            task=task,
            feature_set=feature_set,
            acquisition=records.get("", records),
            disorder=disorder,
            coverage=coverage,
            residuals=None if residuals is None else tuple(np.abs(residuals).tolist()),
            distances=None if targets is None else tuple(np.abs(targets - np.median(targets)).tolist()),
            likelihoods=tuple(novelty.calibration.tolist()),
        )
        return cls(facts, estimator, novelty)

    @property
    def requirements(self) -> tuple[str, ...]:
        """Distributions that it needs."""
        return *_REQUIREMENTS, *model_requirements(self.estimator)

    @staticmethod
    def installed_requirements() -> tuple[str, ...]:
        """Distributions that any predictor may need, those of libraries that are not here left out."""
        return *_REQUIREMENTS, *installed_requirements()

    @property
    def options(self) -> dict[str, Any]:
        """What a caller may choose: ``coverage`` of the intervals, between 0 and 1."""
        return {"coverage": self.facts.coverage} if self.has_intervals else {}

    @property
    def has_intervals(self) -> bool:
        """Whether it answers with intervals."""
        return self.facts.residuals is not None or isinstance(self.facts.task, JointTask)

    @cached_property
    def needs(self) -> dict[str, Needs]:
        """What the model's features need of each record that they look at."""
        taken = {name: Acquisition.of(own.experiment) for name, own in self.facts.records.items()}
        return self.facts.feature_set.needs_by_record(taken)

    def predict(
        self,
        m: Records | Mapping[str, Records],
        time: NDArray[np.float64] | Mapping[str, NDArray[np.float64]],
        *,
        sequence: str | Mapping[str, str] | None = None,
        acquisition: Conditions | Mapping[str, Conditions] | None = None,
        recorded: Recorded | Mapping[str, Recorded] | None = None,
        coverage: float | None = None,
    ) -> pd.DataFrame:
        """Predict from raw records.

        Of a model of several sequences, all arguments but the last are given by the name of the record.

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
            One row a curve: ``quantity``, ``unit``, ``prediction``; for a regression ``lower``, ``upper`` and
            ``level`` of the interval, for a classification ``probability_<class>`` in the order of the task's classes;
            for a joint task what `joint_answer` gives instead of all these;
            ``p_value``, how often a curve of the training set's kind is as strange, see `Novelty`; ``warning``, often
            empty.

        Raises:
            DataError: The curves have other records, or another sequence, sampling or place of the echo.
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
            ['quantity', 'unit', 'prediction', 'lower', 'upper', 'level', 'p_value', 'warning']
            >>> answer["unit"].item(), round(answer["prediction"].item(), 2), round(w[20].item(), 2)
            ('MHz', 0.18, 0.18)
        """
        curves, times = by_record(m), by_record(time)
        self.require_records(curves)
        sequences, conditions = by_record(sequence or {}), by_record(acquisition or {})
        said = by_record(recorded or {})
        given = {name: said.get(name, Recorded()) for name in self.needs}
        for name in self.needs:
            with naming_record(name):
                self._require_acquisition(name, sequences.get(name), conditions.get(name))
        features, task = self._features(curves, times, given), self.facts.task
        p_values = self.novelty.p_values(features)
        level = self.facts.coverage if coverage is None else coverage
        if isinstance(task, JointTask):
            table = joint_answer(task, self.estimator.posterior(features), level)
        else:
            predicted = self.estimator.predict(features).astype(np.str_ if task.class_names else np.float64)
            table = {"quantity": self._quantity, "unit": task.unit, "prediction": predicted}
        if task.class_names:
            known = list(self.estimator.classes_)
            probabilities = np.asarray(self.estimator.predict_proba(features), dtype=np.float64)
            table |= {f"probability_{name}": probabilities[:, known.index(name)] for name in task.class_names}
        untold = False
        if self.facts.residuals is not None:
            half = interval_half_width(np.array(self.facts.residuals), coverage=level)
            table |= {"lower": predicted - half, "upper": predicted + half, "level": level}
            untold = self._is_untold(half, level)
        warnings = [self._warning(p, given, untold=untold) for p in p_values]
        return pd.DataFrame({**table, "p_value": p_values, "warning": warnings})

    def require_records(self, names: Iterable[str]) -> None:
        """Refuse a measurement without a record that the features look at, or with one that the model does not know.

        Args:
            names: Of the records of the measurement; the empty text for the only one of a sequence.

        Raises:
            DataError: With what is missing or too much.
        """
        given = list(names)
        missing, foreign = set(self.needs) - set(given), set(given) - set(self.facts.records)
        if missing or foreign:
            wanted, held = _listed(self.needs if missing else self.facts.records), _listed(given)
            message = f"The measurement must have the records that the model learnt from ({wanted}), but has {held}."
            raise DataError(message)

    def predict_table(self, table: pd.DataFrame, options: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Predict every row of a request.

        Args:
            table: Columns ``time`` (us), ``real`` and ``imag`` (of M, where 1/2 is full polarisation), each cell a list
                of n_samples numbers, and perhaps ``sequence`` and ``guessed`` (which of height, phase and offset are
                not known, separated by commas); of a model of several sequences ``time.<record>`` and so on for each
                record that its features look at. Other columns are not read.
            options: See `options`.

        Returns:
            What `predict` gives, one row a row of the request.

        Raises:
            DataError: A row cannot be read, or is refused; the message says which one.
        """
        answers = []
        for number, row in enumerate(table.to_dict("records")):
            try:
                request = read_request(row, self.needs)
                answers.append(self.predict(**request._asdict(), **(options or {})))
            except (DataError, ConfigurationError) as error:
                message = f"Row {number}: {error}" if len(table) > 1 else str(error)
                raise DataError(message) from error
        if not answers:
            message = "The request must have a row for each curve, but has none."
            raise DataError(message)
        return pd.concat(answers, ignore_index=True)

    @property
    def optional_columns(self) -> tuple[str, ...]:
        """Columns of a request that may be left out."""
        return optional_columns(self.needs)

    def example_row(self, m: Records | Mapping[str, Records]) -> pd.DataFrame:
        """A request for one curve, shape (n_samples,) or records by name, recorded as the training curves were."""
        return example_request(by_record(m), {name: self.facts.records[name] for name in self.needs})

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

    def _require_acquisition(self, record: str, sequence: str | None, acquisition: Conditions | None) -> None:
        wanted = self.facts.records[record]
        if acquisition is not None:
            wanted.require_same(acquisition)
        if sequence is not None and sequence != wanted.sequence and not wanted.varied:
            message = (
                f"The curve must come from the sequence that the model learnt from, `{wanted.sequence}`, but is said "
                f"to be of `{sequence}`."
            )
            raise DataError(message)

    def _features(
        self,
        m: Mapping[str, Records],
        times: Mapping[str, NDArray[np.float64]],
        recorded: Mapping[str, Recorded],
    ) -> pd.DataFrame:
        """The features of records that give what they need, and whose other samples do not matter."""
        curves, missing, taken = {}, {}, {}
        for name in self.needs:
            with naming_record(name):
                curves[name] = self._on_the_model_s_axis(name, m[name], times.get(name))
            wanted = self.facts.records[name]
            missing[name] = unrecorded(curves[name]) | ~recorded[name].covers(wanted.time)
            taken[name] = Acquisition.of(wanted.experiment)
        if len(counts := {len(each) for each in curves.values()}) > 1:
            message = f"Argument `m` must hold the same curves in every record, but holds {sorted(counts)} of them."
            raise ConfigurationError(message, key="m", value=counts)
        # Curves of a data set mostly lack the same samples.
        patterns, which = np.unique(np.concatenate([*missing.values()], axis=1), axis=0, return_inverse=True)
        parts = []
        for number in range(len(patterns)):
            rows = np.flatnonzero(which.reshape(-1) == number)
            lost = {name: mask[rows[0]] for name, mask in missing.items()}
            for name, mask in lost.items():
                curves[name][np.ix_(rows, np.flatnonzero(mask))] = 0
            own = {name: each.of_record(recorded[name], ~lost[name]) for name, each in taken.items()}
            records = {name: each[rows] for name, each in curves.items()}
            parts.append(extract(records, self.facts.feature_set, own).set_index(rows))
        return pd.concat(parts).sort_index()

    def _on_the_model_s_axis(self, record: str, m: Records, time: NDArray[np.float64] | None) -> Records:
        """The samples of a record among those of the training curves; not a number where there is none."""
        n_times = 0 if time is None else len(time)
        if time is None or m.ndim != 2 or m.shape[1] != n_times:
            message = f"Argument `m` must have shape (n, {n_times}), as there are times, but has {m.shape}."
            raise ConfigurationError(message, key="m", value=m.shape)
        wanted = self.facts.records[record]
        places = wanted.places(time)
        curves = np.full((len(m), len(wanted.time)), np.nan, dtype=np.result_type(m.dtype, np.complex64))
        curves[:, places] = m
        return curves

    def _is_untold(self, half: float, level: float) -> bool:
        """Whether an interval is as wide as it would be without a record."""
        known = self.facts.distances
        return known is not None and not is_informative(half, interval_half_width(np.array(known), coverage=level))

    def _warning(self, p_value: float, recorded: Mapping[str, Recorded], *, untold: bool) -> str:
        warnings = ["the record does not tell it: the interval is as wide as the prior's"] if untold else []
        if p_value <= _RARE:
            warnings.append(f"unlike the training curves (p = {p_value:.2g})")
        for name, needs in self.needs.items():
            guessed = [each for each in recorded[name].guessed if each in needs.advised]
            if guessed:
                whose = f" of `{name}`" if name else ""
                warnings.append(f"{' and '.join(guessed)}{whose} {'are guesses' if len(guessed) > 1 else 'is a guess'}")
        if self.facts.disorder == "frozen":
            warnings.append("learnt from one frozen disorder")
        return "; ".join(warnings)


def _listed(records: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" if name else "the one of a single sequence" for name in records)


def _load_pyfunc(data_path: str) -> "PyfuncModel":
    """Load a predictor for MLflow, which finds this function by its name."""
    # MLflow takes two seconds to import, and is there already when it calls.
    from nmr_platform.tracking.mlflow import PyfuncModel  # noqa: PLC0415

    return PyfuncModel(Predictor.load(Path(data_path)))

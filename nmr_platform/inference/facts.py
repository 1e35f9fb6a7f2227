"""What a predictor knows as plain data, and the file of its folder that holds it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationError

from nmr_platform.errors import DataError
from nmr_platform.features import FeatureSet, by_record
from nmr_platform.inference.conditions import Conditions
from nmr_platform.learning import Task
from nmr_platform.schema import Schema
from nmr_platform.tracking import FOLDER

__all__ = ["PredictorFacts", "find_predictor", "read_facts", "write_facts"]

_FILE = "predictor.json"
# No path: facts that were tampered with cannot point outside their folder.
FileName = Annotated[str, Field(pattern=r"^\w+\.skops$")]


class PredictorFacts(Schema):
    """Everything about a predictor that is plain data.

    Attributes:
        format_version: Of the folder.
        task_name: Name of the task.
        task: The task.
        feature_set: What is extracted from a record.
        acquisition: Sequence and sampling of the curves that it learnt from; of each record by its name, where they
            were of several.
        disorder: ``fresh``, or ``frozen`` if it learnt from one realisation only.
        coverage: Nominal coverage of its intervals, unless the caller asks for another.
        residuals: Absolute residuals of the cross-validation on the training part, in the target's unit; None without
            intervals, as for a classification.
        distances: Distances of the training targets from their median, as many and in the same unit: what is known
            without a record. None where that is not known.
        likelihoods: Calibration of `Novelty`.
        estimator: File of the estimator.
        detector: File of the detector.
    """

    version: ClassVar[int] = 1

    format_version: Literal[1] = 1
    task_name: str
    task: Task
    feature_set: FeatureSet
    acquisition: Conditions | dict[str, Conditions]
    disorder: Literal["fresh", "frozen"]
    coverage: float = Field(gt=0.0, lt=1.0)
    residuals: Annotated[tuple[float, ...], Field(strict=False)] | None
    distances: Annotated[tuple[float, ...], Field(strict=False)] | None = None
    likelihoods: Annotated[tuple[float, ...], Field(strict=False, min_length=1)]
    estimator: FileName = "none.skops"
    detector: FileName = "none.skops"

    @property
    def records(self) -> Mapping[str, Conditions]:
        """How each record of a measurement was recorded, by its name; the empty text for the only one of a sequence."""
        return by_record(self.acquisition)


def find_predictor(folder: Path) -> Path:
    """The predictor's own folder in ``folder``, which may be an MLflow model.

    Raises:
        DataError: There is none.
    """
    for place in (folder, folder / "data" / FOLDER):
        if (place / _FILE).is_file():
            return place
    message = f"`{folder}` holds no model of this package; `nmr evaluate` makes one, and MLflow keeps it with the run."
    raise DataError(message, path=folder)


def read_facts(folder: Path) -> PredictorFacts:
    """Read the record in a predictor's own folder.

    Raises:
        DataError: It is damaged, or of another version.
    """
    path = folder / _FILE
    try:
        text = path.read_text(encoding="utf-8")
        version = json.loads(text).get("format_version")
        if version != PredictorFacts.version:
            message = (
                f"Model `{path}` has format version {version}, but this version of nmr_platform reads version "
                f"{PredictorFacts.version}; make it again with `nmr evaluate`."
            )
            raise DataError(message, path=path)
        return PredictorFacts.model_validate_json(text)
    except (OSError, ValueError, AttributeError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        message = f"Model `{path}` is damaged ({reason}); make it again with `nmr evaluate`."
        raise DataError(message, path=path) from error


def write_facts(facts: PredictorFacts, folder: Path) -> None:
    """Write the record into a predictor's own folder."""
    (folder / _FILE).write_text(facts.model_dump_json(indent=1), encoding="utf-8")

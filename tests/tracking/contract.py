"""What any tracker must do: inherit `TrackerContract` and provide a fixture `tracker`."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nmr_platform.errors import DataError
from nmr_platform.tracking import FOLDER, DatasetEntry, ModelEntry, RunEntry, Tracker, TrialEntry

STUDY = RunEntry(
    experiment="regression",
    name="forest-gaussian",
    params={"n_trials": 3, "features": "polynomial"},
    tags={"family": "forest", "study": "w/forest-gaussian-00ff"},
    datasets=[DatasetEntry("gaussian", "0123456789abcdef" * 4, "data/gaussian.zarr", profile={"curves": 40})],
)


def finished(number: int) -> TrialEntry:
    return TrialEntry(
        number, {"max_depth": number + 1}, {"r2": 0.1 * number}, start=1_700_000_000.0, end=1_700_000_002.5
    )


@dataclass(frozen=True)
class Slope:
    """The smallest model that can be kept: a times the slope, plus an offset that the caller may choose."""

    slope: float

    options = MappingProxyType({"offset": 0.0})

    def predict_table(self, table: pd.DataFrame, options: Mapping[str, Any] | None = None) -> pd.DataFrame:
        if (table["a"] < 0).any():
            message = "Column `a` must not be negative."
            raise DataError(message)
        return pd.DataFrame({"value": self.slope * table["a"] + (options or self.options)["offset"]})


def _load_pyfunc(path: str) -> object:
    from nmr_platform.tracking.mlflow import PyfuncModel

    return PyfuncModel(Slope(float((Path(path) / "slope.txt").read_text())))


def linear_model(place: Path, slope: float = 2.0, **facts: Any) -> ModelEntry:
    """A model written into a folder below ``place``."""
    files = place / f"slope-{slope}" / FOLDER
    files.mkdir(parents=True, exist_ok=True)
    (files / "slope.txt").write_text(repr(slope))
    example = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": ["x", "y", "z"]})
    answer = Slope(slope).predict_table(example)
    given = {"requirements": ("numpy", "pandas", "xgboost"), "optional_columns": ("b",), "options": Slope.options}
    return ModelEntry(files, __name__, example, answer, **{**given, **facts})


class TrackerContract:
    def test_reopening_a_run_gives_the_same_identifier(self, tracker: Tracker) -> None:
        first = tracker.open_run(STUDY)
        tracker.close_run(first)
        assert tracker.open_run(STUDY) == first

    def test_studies_of_other_names_or_experiments_are_other_runs(self, tracker: Tracker) -> None:
        runs = [("a", "x"), ("a", "y"), ("b", "x")]
        assert len({tracker.open_run(RunEntry(experiment, name)) for experiment, name in runs}) == len(runs)

    def test_a_whole_study_can_be_recorded(self, tracker: Tracker, tmp_path: Path) -> None:
        run_id = tracker.open_run(STUDY)
        tracker.log_trial(run_id, finished(0))
        tracker.log_trial(run_id, TrialEntry(1, {"max_depth": 3}, {}, 10.0, 11.0, state="failed"))
        tracker.log_trial(run_id, TrialEntry(2, {"max_depth": 4}, {"r2": 0.2}, 10.0, 11.0, state="pruned"))
        tracker.log_metrics(run_id, {"best_r2": np.float64(0.5), "best_so_far": {0: 0.4, 2: 0.5}}, time=11.0)
        tracker.log_params(run_id, {"best_max_depth": np.int64(1)})
        folder = tmp_path / "result"
        folder.mkdir()
        (folder / "importances.csv").write_text("feature,importance\na,1\n")
        tracker.log_files(run_id, folder / "importances.csv", "tables")
        tracker.log_files(run_id, folder)
        tracker.close_run(run_id, failed=False, end=12.0)

    def test_a_run_says_which_code_it_comes_from(self, tracker: Tracker) -> None:
        assert tracker.provenance.keys() >= {"mlflow.source.git.commit", "git.dirty", "python.version"}

    def test_a_model_has_an_address(self, tracker: Tracker, tmp_path: Path) -> None:
        address = tracker.log_model(tracker.open_run(STUDY), linear_model(tmp_path))
        assert address.partition(":/")[0] in {"runs", "models"}

    def test_time_spent_inside_never_decreases(self, tracker: Tracker) -> None:
        before = tracker.seconds
        tracker.open_run(STUDY)
        assert tracker.seconds >= before >= 0.0

    def test_it_can_be_sent_to_another_process(self, tracker: Tracker) -> None:
        copy = pickle.loads(pickle.dumps(tracker))
        assert copy.open_run(STUDY) == tracker.open_run(STUDY)

    @pytest.mark.parametrize("number", [0, 7])
    def test_recording_a_trial_twice_is_no_error(self, tracker: Tracker, number: int) -> None:
        run_id = tracker.open_run(STUDY)
        tracker.log_trial(run_id, finished(number))
        tracker.log_trial(run_id, finished(number))

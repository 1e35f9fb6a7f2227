"""What a project holds: outputs, studies, and what MLflow shows, read from its tables."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from nmr_platform.studies import is_pruned, load_studies, settled_trials

__all__ = ["Shown", "children_of", "contents", "open_runs", "outputs", "parents_of", "recorded", "trials"]

_OUTPUTS = ("data", "results", "metrics", "dvc.lock")
_RECORDS = ("mlflow.db", "mlartifacts")
_OVER = (TrialState.COMPLETE, TrialState.PRUNED)


class Shown(NamedTuple):
    """A trial of a study.

    Attributes:
        number: Optuna's.
        state: ``over`` if it did what it should, else Optuna's word.
        is_settled: Whether it counts.
        tried: Parameters and scores.
        status: Of the run that shows it.
    """

    number: int
    state: str
    is_settled: bool
    tried: str
    status: str


def contents(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Hashes of files and of the files in folders, without what is hidden: that is nobody's output."""
    places = [folder / name for name in names]
    files = [path for place in places for path in ([place] if place.is_file() else place.rglob("*")) if path.is_file()]
    named = {path.relative_to(folder): path for path in files}
    return {
        name.as_posix(): sha256(path.read_bytes()).hexdigest()
        for name, path in named.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def outputs(folder: Path) -> dict[str, str]:
    """Hashes of everything that DVC hashes, and of its lock."""
    return contents(folder, _OUTPUTS)


def recorded(folder: Path) -> dict[str, Any]:
    """All rows of MLflow's database by table, and the hashes of its artifacts."""
    rows: dict[str, Any] = {}
    with closing(_database(folder)) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows[table] = sorted(map(repr, database.execute(f'SELECT * FROM "{table}"').fetchall()))
    return {**rows, "artifacts": sorted(contents(folder, _RECORDS[1:]).items())}


def trials(folder: Path) -> dict[str, list[Shown]]:
    """Every trial of every study, those of a verdict's models too, by journal and study."""
    found = {}
    for journal in sorted((folder / ".nmr").glob("*/studies.journal")):
        for study in load_studies(JournalStorage(JournalFileBackend(str(journal)))):
            settled = {trial.number for trial in settled_trials(study)}
            found[f"{journal.parent.name}:{study.study_name}"] = [
                Shown(
                    trial.number,
                    "over" if trial.state in _OVER else trial.state.name,
                    trial.number in settled,
                    json.dumps([trial.params, trial.values], sort_keys=True),
                    "KILLED" if is_pruned(trial) else "FINISHED",
                )
                for trial in study.get_trials(deepcopy=False)
            ]
    return found


def open_runs(folder: Path) -> list[str]:
    """Names of the runs that are not over."""
    return [name for name, status in _ask(folder, "SELECT name, status FROM {runs}") if status == "RUNNING"]


def parents_of(folder: Path, study: str) -> list[tuple[str, str]]:
    """Identifier and status of the runs that show a study."""
    experiment, _, name = study.partition("/")
    question = (
        "SELECT run_uuid, status FROM {runs} JOIN experiments USING (experiment_id) JOIN tags USING (run_uuid) "
        "WHERE experiments.name = ? AND tags.key = 'nmr.run' AND tags.value = ?"
    )
    return _ask(folder, question, experiment, name)


def children_of(folder: Path, run_id: str) -> Counter[tuple[int, str]]:
    """How often each trial number, with its status, is a child of a run."""
    question = (
        "SELECT trial.value, status FROM {runs} JOIN tags AS parent USING (run_uuid) JOIN tags AS trial "
        "USING (run_uuid) WHERE parent.key = 'mlflow.parentRunId' AND parent.value = ? AND trial.key = 'optuna.trial'"
    )
    return Counter((int(number), status) for number, status in _ask(folder, question, run_id))


def _ask(folder: Path, question: str, *values: str) -> list[Any]:
    active = "(SELECT * FROM runs WHERE lifecycle_stage = 'active')"
    with closing(_database(folder)) as database:
        return database.execute(question.format(runs=active), values).fetchall()


def _database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{(folder / _RECORDS[0]).as_uri()}?mode=rw", uri=True)

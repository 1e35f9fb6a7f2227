"""What is written into parent and child runs, and how little of it is asked for again."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, LifecycleStage, Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException

from nmr_platform.errors import TrackingError
from nmr_platform.processes import is_alive, this_process
from nmr_platform.tracking.masking import masked_uri
from nmr_platform.tracking.mlflow.artifacts import SHOWN_TAGS
from nmr_platform.tracking.mlflow.describing import ABOUT
from nmr_platform.tracking.mlflow.values import (
    NOTE,
    as_texts,
    dataset_input,
    is_held_out,
    metric_points,
    milliseconds,
    quoted,
)
from nmr_platform.tracking.protocol import RunEntry, Series, TrialEntry
from nmr_platform.tracking.provenance import UNKNOWN, data_tags

__all__ = ["RunWriter", "Study", "is_race"]

_ATTEMPTS = 5
_PAGE = 1000
# MLflow takes no more parameters or tags at once, and a thousand of everything.
_BATCH, _METRICS = 100, 800
_OVER = {"FINISHED", "FAILED"}
# MLflow knows no pruned runs, and one that was stopped early shall not look like one that came to its end.
_PRUNED = "pruned"
_STATUS = {"finished": "FINISHED", _PRUNED: "KILLED", "failed": "FAILED"}

_NAME = "nmr.run"
_STUDY = "nmr.study"
_SETTINGS = "nmr.settings"
_PARENT = "mlflow.parentRunId"
_TRIAL = "optuna.trial"
_STATE = "optuna.state"
_WRITER = "nmr.writer"
_OWN = (_NAME, _SETTINGS, "mlflow.runName", "mlflow.log-model.history", "param.", "metric.", NOTE, ABOUT, *SHOWN_TAGS)


@dataclass(frozen=True)
class Study:
    """What every trial of a parent run repeats.

    Attributes:
        experiment: Identifier of the experiment.
        settings: The study's settings.
        tags: Tags for its children and models.
        inputs: Its data sets.
    """

    experiment: str
    settings: Mapping[str, str]
    tags: Mapping[str, str]
    inputs: Sequence[DatasetInput]


class RunWriter:
    """Writes runs through one client.

    Args:
        client: The open store.
    """

    def __init__(self, client: MlflowClient) -> None:
        self._client = client
        self._studies: dict[str, Study] = {}
        self._children: dict[str, dict[str, tuple[str, bool]]] = {}

    def open(self, experiment: str, run: RunEntry, provenance: Mapping[str, str]) -> str:
        """Create or reopen the parent run of ``run`` and return its identifier.

        Args:
            experiment: Identifier of the experiment.
            run: The study.
            provenance: Tags for code and surroundings.
        """
        tags = {
            **provenance,
            **data_tags(run.datasets),
            **{name: masked_uri(value) for name, value in run.tags.items()},
            _NAME: run.name,
            _STUDY: run.name,
            # Who only adds to a study, as evaluation does, knows none of its settings.
            **({_SETTINGS: ",".join(run.params)} if run.params else {}),
            **({ABOUT: f"{run.question}\n\n{run.about}"} if run.about else {}),
        }
        found = self._search(experiment, {_NAME: run.name}) or self._restored(experiment, run.name)
        if found:
            run_id = str(min(found, key=_age).info.run_id)
            self._mark_killed(experiment, run_id)
            self._client.update_run(run_id, status="RUNNING")
            # Who does not know where it came from may be shown what others recorded.
            known = {name: value for name, value in tags.items() if UNKNOWN.get(name) != value}
            self._write(run_id, tags=known)
        else:
            run_id = self._create_parent(experiment, run, tags)
        self._adopt(experiment, run.name, run_id)
        self.log_params(run_id, run.params)
        if run.datasets:
            known = self._client.get_run(run_id).inputs.dataset_inputs
            self._log_inputs(run_id, [dataset_input(dataset, known) for dataset in run.datasets])
        self._studies.pop(run_id, None)
        self._children.pop(run_id, None)
        return run_id

    def present(self, run_id: str) -> Run:
        """The run, brought back if somebody deleted it in MLflow's pages: what a study tried is shown."""
        run = self._client.get_run(run_id)
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            self._client.restore_run(run_id)
        return run

    def close(self, run_id: str, *, failed: bool, end: float | None) -> None:
        """Mark a run as over, with every trial number once among its children.

        A run that is shown again ended when it had ended, unless something was added to it later.

        Args:
            run_id: The run.
            failed: Whether it failed.
            end: When it ended, seconds since the epoch; None if nobody knows: as before, or now.
        """
        before = self.present(run_id)
        self._drop_doubles(run_id)
        ended = None if failed else before.info.end_time
        if end is not None:
            ended = max(milliseconds(end), ended or 0)
        self._client.set_terminated(run_id, "FAILED" if failed else "FINISHED", ended)

    def study(self, run_id: str) -> Study:
        """Return what the children of ``run_id`` repeat, read once from the store: any process can add trials."""
        if run_id not in self._studies:
            run = self.present(run_id)
            tags = run.data.tags
            settings = [name for name in tags.get(_SETTINGS, "").split(",") if name in run.data.params]
            self._studies[run_id] = Study(
                experiment=run.info.experiment_id,
                settings={name: tags.get(f"param.{name}", run.data.params[name]) for name in settings},
                tags={name: value for name, value in tags.items() if not name.startswith(_OWN)},
                # No trial has seen what is held out, though the evaluation of its study has.
                inputs=[item for item in run.inputs.dataset_inputs if not is_held_out(item)],
            )
        return self._studies[run_id]

    def log_trial(self, run_id: str, trial: TrialEntry) -> None:
        """Record a trial unless it is there; finish what a killed process began.

        Args:
            run_id: The parent run.
            trial: The trial.

        Raises:
            TrackingError: The trial's state is unknown.
        """
        if trial.state not in _STATUS:
            message = f"Argument `trial.state` must be one of {', '.join(_STATUS)}, but is {trial.state!r}."
            raise TrackingError(message)
        try:
            self._log_trial(run_id, trial)
        except BaseException:
            # How far it got is known to the store alone.
            self._children.pop(run_id, None)
            raise

    def _drop_doubles(self, run_id: str) -> None:
        """Delete all but one of the children that show the same trial.

        Two processes may send the same trial, and a server may do what it was asked without living to say so.
        """
        children: dict[str, list[Run]] = {}
        for child in self._search(self.study(run_id).experiment, {_PARENT: run_id}):
            children.setdefault(child.data.tags.get(_TRIAL, ""), []).append(child)
        for twins in children.values():
            # Which one stays must be the same for all who look; a child that is being written is nobody's to delete.
            finished = sorted(child.info.run_id for child in twins if _is_over(child))
            torn = [child.info.run_id for child in twins if child.info.status == "KILLED" and not _is_over(child)]
            for double in (finished[1:] + torn) if finished else []:
                self._client.delete_run(double)
        self._children.pop(run_id, None)

    def _log_trial(self, run_id: str, trial: TrialEntry) -> None:
        study, children = self.study(run_id), self._known_children(run_id)
        found, is_over = children.get(str(trial.number), ("", False))
        if is_over:
            return
        identity = {_PARENT: run_id, _TRIAL: str(trial.number)}
        tags = {**study.tags, **{name: masked_uri(value) for name, value in trial.tags.items()}, **identity}
        tags |= {_WRITER: this_process()}
        child_id = found or self._create_child(study, trial, tags)
        if study.inputs:
            self._log_inputs(child_id, study.inputs)
        points, rest = metric_points({**trial.metrics, "duration": trial.end - trial.start}, trial.end)
        self._write(
            child_id,
            points,
            params={**study.settings, **as_texts(trial.params)},
            # With the rest of it, for a pruned trial is told from a torn one by its state alone.
            tags={**rest, _STATE: trial.state},
        )
        self._client.set_terminated(child_id, _STATUS[trial.state], milliseconds(trial.end))
        children[str(trial.number)] = (child_id, True)

    def _known_children(self, run_id: str) -> dict[str, tuple[str, bool]]:
        """Identifier of the children by trial number, and whether they are whole, asked for once a study."""
        if run_id not in self._children:
            found = self._search(self.study(run_id).experiment, {_PARENT: run_id})
            self._children[run_id] = {
                child.data.tags.get(_TRIAL, ""): (child.info.run_id, _is_over(child))
                for child in sorted(found, key=_rank, reverse=True)
            }
        return self._children[run_id]

    def _restored(self, experiment: str, name: str) -> list[Run]:
        """The oldest run of that name that somebody deleted, alone in a list; an empty one if there is none."""
        deleted = sorted(self._search(experiment, {_NAME: name}, view=ViewType.DELETED_ONLY), key=_age)[:1]
        for run in deleted:
            self._client.restore_run(run.info.run_id)
        return deleted

    def _adopt(self, experiment: str, name: str, run_id: str) -> None:
        """Let trials of the study whose parent is gone be children of the one that there is."""
        for orphan in self._search(experiment, {_STUDY: name}, other={_PARENT: run_id}):
            self._client.set_tag(orphan.info.run_id, _PARENT, run_id)

    def _create_parent(self, experiment: str, run: RunEntry, tags: Mapping[str, str]) -> str:
        start = None if run.start is None else milliseconds(run.start)
        made = self._client.create_run(experiment, start, dict(tags), run.name)
        twins = self._search(experiment, {_NAME: run.name})
        first = min(twins, key=_age, default=made)
        if first.info.run_id != made.info.run_id:
            # Another machine opened the same study at the same moment.
            self._client.delete_run(made.info.run_id)
        return str(first.info.run_id)

    def log_metrics(self, run_id: str, metrics: Mapping[str, float | Series], moment: float | None = None) -> None:
        """Record scalars and series of a run, without what it has already: MLflow keeps every value it is told.

        Args:
            run_id: The run.
            metrics: Value, or values by step, by name.
            moment: When they were found, seconds since the epoch; None for now.
        """
        points, rest = metric_points(metrics, time.time() if moment is None else moment)
        series = {name for name, value in metrics.items() if isinstance(value, Mapping)}
        kept = self.present(run_id).data.metrics
        known = {(name, 0): value for name, value in kept.items() if name not in series}
        for name in series:
            known |= {(name, each.step): each.value for each in self._client.get_metric_history(run_id, name)}
        new = [point for point in points if known.get((point.key, point.step)) != point.value]
        self._write(run_id, new, tags=rest)

    def log_params(self, run_id: str, params: Mapping[str, object]) -> None:
        """Record parameters of a run, changed ones as tags.

        Args:
            run_id: The run.
            params: Value by name; values are kept as text.
        """
        known = self.present(run_id).data.params
        texts = as_texts(params)
        new = {name: text for name, text in texts.items() if name not in known}
        changed = {f"param.{name}": text for name, text in texts.items() if known.get(name, text) != text}
        self._write(run_id, params=new, tags=changed)

    def _create_child(self, study: Study, trial: TrialEntry, tags: Mapping[str, str]) -> str:
        made = self._client.create_run(
            study.experiment,
            start_time=milliseconds(trial.start),
            tags=dict(tags),
            run_name=_name_of(trial, study),
        )
        return str(made.info.run_id)

    def _write(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        *,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Write everything in one request, or in as few as MLflow's limits allow."""
        texts = [Param(name, value) for name, value in (params or {}).items()]
        labels = [RunTag(name, value) for name, value in (tags or {}).items()]
        n_batches = max(math.ceil(len(metrics) / _METRICS), math.ceil(max(len(texts), len(labels)) / _BATCH))
        for number in range(n_batches):
            part, scalars = (slice(number * size, (number + 1) * size) for size in (_BATCH, _METRICS))
            self._client.log_batch(run_id, metrics=metrics[scalars], params=texts[part], tags=labels[part])

    def _log_inputs(self, run_id: str, inputs: Sequence[DatasetInput]) -> None:
        """Record data sets; of processes that name a new one at once, MLflow lets one win and fails the rest."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._client.log_inputs(run_id, inputs)
            except MlflowException as error:
                if attempt == _ATTEMPTS or not is_race(error):
                    raise
                time.sleep(0.05 * attempt)
            else:
                return

    def _mark_killed(self, experiment: str, run_id: str) -> None:
        for child in self._search(experiment, {_PARENT: run_id}, status="RUNNING"):
            writer = child.data.tags.get(_WRITER, "")
            # The process that began a child may still finish it, if it lives or nobody here can tell.
            if writer.count(":") < 2 or is_alive(writer) is False:
                self._client.set_terminated(child.info.run_id, "KILLED")

    def _search(
        self,
        experiment: str,
        tags: Mapping[str, str],
        *,
        other: Mapping[str, str] = MappingProxyType({}),
        status: str = "",
        view: int = ViewType.ACTIVE_ONLY,
    ) -> list[Run]:
        """Runs with these tags, and with others than the ``other`` ones."""
        terms = [f"tags.`{name}` = {quoted(value)}" for name, value in tags.items()]
        terms += [f"tags.`{name}` != {quoted(value)}" for name, value in other.items()]
        if status:
            terms.append(f"attributes.status = '{status}'")
        found: list[Run] = []
        token: str | None = ""
        while token is not None:
            page = self._client.search_runs(
                [experiment], " AND ".join(terms), view, max_results=_PAGE, page_token=token or None
            )
            found += page
            token = page.token
        return found


def is_race(error: MlflowException) -> bool:
    """Whether another process did the same at the same moment, so that it is there when asked again."""
    return any(sign in str(error) for sign in ("UniqueViolation", "UNIQUE constraint", "Duplicate entry"))


def _is_over(child: Run) -> bool:
    """Whether a trial is recorded as a whole, and not torn by the end of the process that did it."""
    return child.info.status in _OVER or child.data.tags.get(_STATE) == _PRUNED


def _name_of(trial: TrialEntry, study: Study) -> str:
    """The name of a trial among those of all studies, for sorted by a score they mix."""
    pruned = " (pruned)" if trial.state == _PRUNED else ""
    return f"trial {trial.number:03d}{pruned} of {study.tags[_STUDY]}"


def _age(run: Run) -> tuple[int, str]:
    """What puts runs in the same order for everybody: the oldest first."""
    return run.info.start_time or 0, run.info.run_id


def _rank(child: Run) -> tuple[bool, int, str]:
    """What makes one of two children of the same trial the one to keep: being finished, then being older."""
    return not _is_over(child), child.info.start_time or 0, child.info.run_id

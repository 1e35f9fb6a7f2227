"""Show in a tracker what a stage left in its folder: the stage itself does, and `nmr track sync` does it again."""

import json
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from optuna.storages import BaseStorage

from nmr_platform.checksums import CHECKSUMS, require_checksums
from nmr_platform.files import folder_digest, read_json, write_json, write_text
from nmr_platform.inference import Predictor
from nmr_platform.studies import find_study
from nmr_platform.tracking import (
    COMMIT,
    FOLDER,
    PATCH,
    UNKNOWN,
    LineageWarning,
    ModelEntry,
    RunEntry,
    Session,
    Tracker,
    closing_run,
    patch_bytes,
    pinned_requirements,
    uncommitted_changes,
)

__all__ = ["find_shown", "show_folder", "this_session", "write_model", "write_run"]

_RUN = "run.json"
_MODEL, _ABOUT, _EXAMPLE, _CARD = "model", "about.json", "example.json", "card.md"
_MADE_BY = "dvc repro"
_SESSION = "session."
_DIGITS = 12


def write_run(folder: Path, run: RunEntry, metrics: Mapping[str, float]) -> None:
    """Say in a result's folder in which run it is shown; everything else in there is shown with it.

    Args:
        folder: What the stage writes into.
        run: The run of the study that the result belongs to, which its tag ``study`` names.
        metrics: What the run shows as numbers, by name.
    """
    write_json(folder / _RUN, {"run": run.to_dict(), "metrics": dict(metrics)}, rounded=True)


def write_model(
    folder: Path,
    predictor: Predictor,
    records: Mapping[str, NDArray[np.complexfloating[Any, Any]]],
    facts: Mapping[str, Any],
    card: str,
) -> None:
    """Write a model that is shown with a result: its files, and what MLflow must know to keep and serve it.

    Args:
        folder: The folder that `write_run` writes into.
        predictor: The model.
        records: An example of what it is asked about: M, dimensionless, each of shape (n_samples,), by record.
        facts: Of the `ModelEntry`: name in the registry, score and tags.
        card: What whoever meets it must know, in Markdown.
    """
    example = predictor.example_row(records)
    answer = predictor.predict_table(example)
    predictor.save(folder / _MODEL / FOLDER)
    write_json(
        folder / _MODEL / _ABOUT,
        {
            "loader_module": predictor.loader_module,
            "requirements": list(predictor.requirements),
            "optional_columns": list(predictor.optional_columns),
            "options": dict(predictor.options),
            "answer": answer.to_dict("list"),
            **facts,
        },
        rounded=True,
    )
    write_text(folder / _MODEL / _CARD, card)
    # A request is sent as it is recorded: rounded times would not be those of the record.
    write_text(folder / _MODEL / _EXAMPLE, json.dumps(example.to_dict("list")))


def find_shown(results: Path) -> list[Path]:
    """Folders below ``results`` that are shown in runs."""
    found = (path.parent.relative_to(results) for path in results.rglob(_RUN))
    return sorted(results / path for path in found if not any(part.startswith(".") for part in path.parts))


def this_session(tracker: Tracker, root: Path) -> Session:
    """The session of this process, ending now.

    Args:
        tracker: Whose provenance it has.
        root: The repository, whose uncommitted changes are part of it.
    """
    provenance = dict(tracker.provenance)
    changes = uncommitted_changes(root, provenance[COMMIT])
    if said := str(changes):
        warnings.warn(said, LineageWarning, stacklevel=2)
    return Session(provenance, time.time(), changes.patch, pinned_requirements(Predictor.installed_requirements()))


def show_folder(folder: Path, tracker: Tracker, storage: BaseStorage, session: Session | None = None) -> None:
    """Show what a stage wrote: metrics, tables, figures and model, in the run of their study.

    The study keeps the session in which the folder first got what is in it, so that the run can be made again with
    its commit, author and time.

    Args:
        folder: What a stage wrote, `write_run` included.
        tracker: Where to show it.
        storage: Where studies are remembered.
        session: The session that wrote it; None if it is only shown again.
    """
    require_checksums(folder, what="Result", made_by=_MADE_BY)
    content = read_json(folder / _RUN, made_by=_MADE_BY)
    run = RunEntry.from_dict(content["run"])
    made = _session(folder, run, storage, session)
    provenance, end = (made.provenance, made.end) if made else (UNKNOWN, None)
    run_id = tracker.open_run(replace(run, provenance=provenance, start=end))
    # Without an end, for a study has ended with its last trial, however late it is looked at.
    with closing_run(tracker, run_id):
        tracker.log_metrics(run_id, content["metrics"], time=end)
        for item in sorted(folder.iterdir()):
            if item.name not in {_RUN, _MODEL, CHECKSUMS}:
                tracker.log_files(run_id, item, item.name if item.is_dir() else "")
        if (folder / _MODEL).is_dir():
            tracker.log_model(run_id, _read_model(folder / _MODEL, made))
        elif made and made.patch:
            # Without it the commit alone would not make the same again. A run may show several results in turn.
            with TemporaryDirectory() as place:
                patch = Path(place) / f"{folder_digest(folder)[:_DIGITS]}-{PATCH}"
                patch.write_bytes(patch_bytes(made.patch))
                tracker.log_files(run_id, patch, "source")


def _session(folder: Path, run: RunEntry, storage: BaseStorage, session: Session | None) -> Session | None:
    """The session that the study keeps for what is in a folder; ``session`` if it keeps none yet, or is not here."""
    study = find_study(storage, run.tags.get("study", ""))
    if study is None:
        return session
    key = f"{_SESSION}{folder_digest(folder)}"
    kept = study.user_attrs.get(key)
    if kept is not None:
        return Session.from_dict(kept)
    if session is not None:
        study.set_user_attr(key, session.to_dict())
    return session


def _read_model(folder: Path, made: Session | None) -> ModelEntry:
    about = read_json(folder / _ABOUT, made_by=_MADE_BY)
    example = read_json(folder / _EXAMPLE, made_by=_MADE_BY)
    if made:
        about |= {"requirements": _pinned(about["requirements"], made) or about["requirements"], "patch": made.patch}
    answer = pd.DataFrame(about.pop("answer"))
    # Results of before models had cards can be shown, too.
    card = (folder / _CARD).read_text(encoding="utf-8") if (folder / _CARD).exists() else ""
    return ModelEntry(folder / FOLDER, example=pd.DataFrame(example), answer=answer, card=card, **about)


def _pinned(names: list[str], made: Session) -> list[str]:
    """The versions that a model was made with; the session also knows those of extras that it does not need."""
    # XGBoost's lighter project has a longer name.
    return [pin for pin in made.requirements if pin.partition("==")[0].removesuffix("-cpu") in names]

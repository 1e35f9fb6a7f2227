"""All tasks of a stage at once: the same files as one by one, one sentence on failure, and nothing left behind."""

import json
import signal
import time

import psutil
import pytest

from nmr_platform.workspace import Workspace
from tests.cli.test_interruptions import PATIENCE, started
from tests.stages.tiny import TASKS, contents, copied, isolate, merged, nmr, tiny_values, write_params

pytestmark = pytest.mark.slow

QUIET = ("--tracker", "none")


@pytest.fixture
def untuned(project, tmp_path, monkeypatch):
    """A copy of the project in which no task was tuned or evaluated."""
    isolate(monkeypatch, tmp_path)
    folder = copied(project, tmp_path / "project", journal=False)
    for task in TASKS:
        Workspace(folder).tuned(task).unlink()
    return folder


def test_all_tasks_give_the_files_that_each_gives_alone_under_one_bar(project, untuned):
    settings = tiny_values()["tune"]
    studies = len(TASKS) * len(settings["families"])
    for command, parts in (("tune", studies * settings["n_trials"]), ("evaluate", studies)):
        ended = nmr(untuned, command, "--at-once", "2", "--json")
        assert ended.code == 0, ended.err
        assert [json.loads(line)["task"] for line in ended.out.splitlines()] == list(TASKS), "in order"
        (bar,) = [line for line in ended.err.splitlines() if command in line]
        assert bar.startswith(f"{command} 2 tasks ")
        assert f" {parts}/{parts} " in bar
    assert contents(untuned) == contents(project)


def test_a_task_that_fails_is_one_sentence_and_what_others_finished_is_kept(untuned):
    values = merged(tiny_values(), {"tasks": {"power_vs_rest": {"kernels": ["power", "rkky"], "positive": "power"}}})
    write_params(untuned, values)
    assert nmr(untuned, "tune", *QUIET).code == 0
    # Another task of the same name: what was tuned is out of date.
    write_params(untuned, tiny_values())
    ended = nmr(untuned, "evaluate", *QUIET, "--at-once", "1")
    assert ended.code == 2
    assert ended.out.startswith("W: ")
    assert ended.err.splitlines()[-1].startswith("Error: File `")
    assert "is out of date (task `power_vs_rest` has changed); make it again with `dvc repro tune`." in ended.err


def test_a_process_that_dies_is_told_of(untuned):
    process = started(untuned, "tune", *QUIET, "--at-once", "2")
    worker = begun(untuned, process)
    worker.kill()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "is not done, for a process that was at its tasks ended with exit code 137" in err
    assert nmr(untuned, "tune", *QUIET).code == 0


def test_a_signal_ends_all_of_it_with_one_sentence(untuned):
    process = started(untuned, "tune", *QUIET, "--at-once", "2")
    begun(untuned, process)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (128 + signal.SIGTERM, "")
    assert err.count("Interrupted; the same command continues where this one stopped.") == 1
    assert "Traceback" not in err
    assert not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def begun(folder, process):
    """Wait until a task is in progress; return a process that works."""
    journal = Workspace(folder).studies / "studies.journal"
    deadline = time.monotonic() + PATIENCE
    while not (journal.exists() and journal.read_bytes().count(b'"state":0')):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    keepers = psutil.Process(process.pid).children()
    return keepers[0].children()[0]

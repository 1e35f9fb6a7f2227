"""optuna-dashboard really started on the storages that studies are kept in."""

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from nmr_platform.studies import JOURNAL, STORAGE_VARIABLE
from tests.integration.services import free_port
from tests.integration.worker import work

pytestmark = pytest.mark.integration
PATIENCE = 60.0


def studies_shown(storage):
    """Names of the studies that the dashboard lists."""
    port = free_port()
    command = [Path(sys.executable).with_name("optuna-dashboard"), storage, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            assert process.poll() is None
            assert time.monotonic() < deadline
            try:
                with urlopen(f"http://127.0.0.1:{port}/api/studies", timeout=5.0) as answer:
                    return [study["study_name"] for study in json.load(answer)["study_summaries"]]
            except (URLError, OSError):
                time.sleep(0.3)
    finally:
        process.terminate()
        process.wait()


def test_the_dashboard_opens_the_journal(tmp_path, monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    work(tmp_path, "journalled", 2, 0.0, "none")
    assert studies_shown(str(tmp_path / JOURNAL)) == ["journalled"]


def test_the_dashboard_opens_the_database(tmp_path, database):
    work(tmp_path, "stored", 2, 0.0, "none")
    assert studies_shown(database) == ["stored"]

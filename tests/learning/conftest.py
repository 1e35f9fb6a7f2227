import pytest

from nmr_platform.studies.storage import STORAGE_VARIABLE
from tests.learning.recording import RecordingTracker


@pytest.fixture(autouse=True)
def _journal_by_default(monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)


@pytest.fixture
def tracker():
    return RecordingTracker()

"""Every test of the engine sees the warnings of a fresh process."""

import pytest

from nmr_platform.simulation import CoarseStepWarning


@pytest.fixture(autouse=True)
def _coarse_steps_not_yet_warned_of(monkeypatch):
    monkeypatch.setattr(CoarseStepWarning, "given", False)

"""What every test of the engine needs: the warnings of a fresh process, and a core of its own."""

import pytest
from threadpoolctl import threadpool_limits

from nmr_platform.simulation import CoarseStepWarning


@pytest.fixture(autouse=True)
def _coarse_steps_not_yet_warned_of(monkeypatch):
    monkeypatch.setattr(CoarseStepWarning, "given", False)


@pytest.fixture(autouse=True, scope="module")
def _small_matrices_on_one_thread():
    # The twins multiply thousands of small matrices: on a busy machine threads that wait for each other cost tenfold.
    with threadpool_limits(limits=1, user_api="blas"):
        yield

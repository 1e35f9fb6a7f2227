"""What every test of the engine needs: a core of its own."""

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def _small_matrices_on_one_thread():
    # The twins multiply thousands of small matrices: on a busy machine threads that wait for each other cost tenfold.
    with threadpool_limits(limits=1, user_api="blas"):
        yield

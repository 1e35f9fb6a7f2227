import pytest

from tests.exchange.builders import make_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Six curves of the small recipe."""
    return make_dataset(tmp_path_factory.mktemp("dataset")).load()

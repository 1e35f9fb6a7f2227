import subprocess
import sys

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.tracking import NullTracker, make_tracker
from nmr_platform.tracking.mlflow.spooling import SpoolingTracker
from tests.tracking.contract import TrackerContract


class TestNullTracker(TrackerContract):
    @pytest.fixture
    def tracker(self) -> NullTracker:
        return NullTracker()


def test_the_factory_knows_both_trackers(tmp_path):
    assert isinstance(make_tracker("none"), NullTracker)
    assert isinstance(make_tracker("mlflow", root=tmp_path), SpoolingTracker)


def test_the_factory_refuses_other_names():
    with pytest.raises(ConfigurationError, match="Argument `kind` must be mlflow or none, but is 'wandb'"):
        make_tracker("wandb")


def test_importing_the_package_does_not_import_mlflow():
    code = "import sys, nmr_platform.tracking as t; t.make_tracker('none'); sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

import subprocess
import sys

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.tracking import NullTracker, make_tracker
from nmr_platform.tracking.mlflow import MlflowTracker
from tests.tracking.contract import TrackerContract


class TestNullTracker(TrackerContract):
    @pytest.fixture
    def tracker(self) -> NullTracker:
        return NullTracker()


def test_the_factory_knows_both_trackers(tmp_path):
    assert isinstance(make_tracker("none"), NullTracker)
    assert isinstance(make_tracker("mlflow", root=tmp_path), MlflowTracker)


def test_the_factory_refuses_other_names():
    with pytest.raises(ConfigurationError, match="Argument `kind` must be mlflow or none, but is 'wandb'"):
        make_tracker("wandb")


def test_importing_the_package_imports_no_mlflow_and_changes_no_environment():
    code = """
import os, sys
before = dict(os.environ)
import nmr_platform.tracking
nmr_platform.tracking.make_tracker("none")
assert "mlflow" not in sys.modules
assert dict(os.environ) == before
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_mlflow_is_told_to_be_quiet_before_it_is_imported_whoever_imports_it(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    code = """
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "mlflow":
            assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
            sys.exit(0 if os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "7" else 3)
sys.meta_path.insert(0, Watch())
import nmr_platform.tracking.mlflow
sys.exit(4)
"""
    subprocess.run([sys.executable, "-c", code], check=True)

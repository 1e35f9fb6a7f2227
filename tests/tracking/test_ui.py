import signal
import socket
import sys
from contextlib import closing

import pytest

from nmr_platform.errors import ConfigurationError, NmrPlatformError, TrackingError
from nmr_platform.tracking.mlflow.ui import serve_ui, ui_command
from tests.serving import ended_by


def test_the_command_is_light_local_and_silent_about_the_address():
    command, environment = ui_command("postgresql://ada:pa55@db/mlflow", "file:///data/mlartifacts", 5001)
    assert command[:4] == [sys.executable, "-m", "mlflow", "ui"]
    assert "--workers 1 --host 127.0.0.1 --port 5001" in " ".join(command)
    assert "pa55" not in " ".join(command), "anyone can list processes"
    assert environment["MLFLOW_BACKEND_STORE_URI"] == "postgresql://ada:pa55@db/mlflow"
    assert environment["MLFLOW_DEFAULT_ARTIFACT_ROOT"] == "file:///data/mlartifacts"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_without_a_database_the_user_is_told_what_to_run(tmp_path):
    with pytest.raises(TrackingError, match=r"mlflow.db` does not exist.*run `make run` first"):
        serve_ui(print, root=tmp_path)


def test_a_taken_port_is_refused_before_anything_starts(tmp_path):
    (tmp_path / "mlflow.db").touch()
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"Argument `port` must be free, but {port} is in use"):
            serve_ui(print, root=tmp_path, port=port)


def test_a_tracking_server_is_pointed_to_instead(tmp_path):
    said = []
    assert serve_ui(said.append, tracking_uri="https://ada:pa55@server", root=tmp_path) == 0
    assert said == ["The tracking server serves its own pages: open https://ada:***@server in a browser."]


def test_mlflow_that_stops_at_once_is_an_error(tmp_path, monkeypatch, free_port):
    (tmp_path / "mlflow.db").touch()
    monkeypatch.setattr(
        "nmr_platform.tracking.mlflow.ui.ui_command", lambda *_: ([sys.executable, "-c", "exit(3)"], {})
    )
    with pytest.raises(NmrPlatformError, match="stopped with exit code 3"):
        serve_ui(print, root=tmp_path, port=free_port)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_pages_end_with_the_command_whatever_ends_it(root, free_port, number, capfd):
    (root / "params.yaml").touch()
    with ended_by(number, "ui", folder=root, port=free_port) as said:
        assert said.readline().startswith(f"Comparing runs at http://127.0.0.1:{free_port}")
    assert capfd.readouterr().err == "", "what MLflow says of itself at every start"


def test_of_what_mlflow_says_the_errors_are_kept(tmp_path, monkeypatch, free_port, capsys):
    (tmp_path / "mlflow.db").touch()
    says = "import sys; print('[MLflow] Security middleware enabled.\\nno such table', file=sys.stderr); exit(3)"
    monkeypatch.setattr("nmr_platform.tracking.mlflow.ui.ui_command", lambda *_: ([sys.executable, "-c", says], {}))
    with pytest.raises(NmrPlatformError, match="stopped with exit code 3"):
        serve_ui(print, root=tmp_path, port=free_port)
    assert capsys.readouterr().err == "no such table\n"

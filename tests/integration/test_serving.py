"""`mlflow models serve` really started, and asked with the payload that docs/predict.md documents."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from nmr_platform.datasets import load
from nmr_platform.workspace import Workspace
from tests.stages.tiny import nmr

pytestmark = pytest.mark.integration

_START_SECONDS = 300.0


@pytest.fixture(scope="module")
def url(project):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/nmr-W@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}"}
    with _running(command, environment, f"http://127.0.0.1:{port}") as address:
        yield address


@contextmanager
def _running(command, environment, address):
    # A session of its own: the server's workers outlive it unless the whole group is ended.
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                urlopen(f"{address}/ping", timeout=5.0).close()
                break
            except (URLError, OSError):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("the model server did not start")
                time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def ask(url, payload):
    """The answer of a server, and its status."""
    request = Request(f"{url}/invocations", json.dumps(payload).encode(), {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=60.0) as answer:
            return json.load(answer), answer.status
    except HTTPError as error:
        with error:
            return json.load(error), error.code


@pytest.fixture(scope="module")
def record(project):
    dataset = load(Workspace(project).simulated("gaussian"))
    m = dataset["m"][1].to_numpy()
    return {"time": dataset["time"].to_numpy().tolist(), "real": m.real.tolist(), "imag": m.imag.tolist()}


def test_a_served_model_answers_as_the_command_does(project, url, record, tmp_path):
    path = tmp_path / "echo.csv"
    np.savetxt(path, np.column_stack([record["time"], record["real"], record["imag"]]), delimiter=",", fmt="%.17g")
    (expected,) = json.loads(nmr(project, "predict", str(path), "--task", "W", "--json").out)["predictions"]
    answer, status = ask(url, {"dataframe_records": [record]})
    assert status == 200
    (served,) = answer["predictions"]
    for name in ("quantity", "unit", "warning"):
        assert served[name] == expected[name]
    for name in ("prediction", "lower", "upper", "p_value"):
        assert served[name] == pytest.approx(expected[name], rel=1e-6)


def test_the_coverage_and_the_sequence_may_be_stated(url, record):
    stated = record | {"sequence": "90x - 25 us - 180y - 50 us"}
    (wide,) = ask(url, {"dataframe_records": [stated]})[0]["predictions"]
    (narrow,) = ask(url, {"dataframe_records": [stated], "params": {"coverage": 0.5}})[0]["predictions"]
    assert narrow["prediction"] == wide["prediction"]
    assert narrow["upper"] - narrow["lower"] < wide["upper"] - wide["lower"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"time": [0.0, 0.5, 1.0]}, "must be equally long"),
        ({"sequence": "60x - 25 us - 180y - 50 us"}, "must come from the sequence that the model learnt from"),
    ],
)
def test_a_curve_that_does_not_fit_is_refused_with_its_sentence(url, record, change, sentence):
    answer, status = ask(url, {"dataframe_records": [record | change]})
    assert status == 400
    assert sentence in answer["message"]

"""MLflow's pages on the results of a small run, and Debian's Chromium to look at them."""

import shutil
import socket
import time
from contextlib import closing
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from nmr_platform.processes import end_process, start_kept
from nmr_platform.tracking.mlflow.ui import ui_command
from tests.stages.tiny import KERNELS, isolate, merged, nmr, tiny_values, write_params

PATIENCE = 240.0
# Enough curves and trials for pictures that say something, in half a minute.
STUDIES = {
    "data": {"n_curves": 200, "experiment": {"lattice": {"shape": [20, 20]}}},
    "tune": {
        "n_trials": 6,
        "families": ["random_forest", "xgboost", "linear"],
        "feature_sets": ["polynomial-magnitude", "pointwise-magnitude"],
    },
}


@pytest.fixture(scope="session")
def tuned(tmp_path_factory):
    """A project with four studies of one task, evaluated; its MLflow database lies beside it."""
    root = tmp_path_factory.mktemp("browsed")
    write_params(root, merged(tiny_values(), STUDIES))
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root)
        for command in [
            *(("generate", "--kernel", kernel) for kernel in KERNELS),
            ("features",),
            ("tune", "--task", "W"),
            ("evaluate", "--task", "W"),
        ]:
            ended = nmr(root, *command)
            assert ended.code == 0, ended.err
    return root


@pytest.fixture(scope="session")
def pages(tuned):
    """Address of MLflow's pages on it."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command, environment = ui_command(f"sqlite:///{tuned / 'mlflow.db'}", None, port)
    process = start_kept(command, environment)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None
            assert time.monotonic() < deadline
            try:
                with urlopen(f"http://127.0.0.1:{port}/health", timeout=5.0):
                    break
            except (URLError, OSError):
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        end_process(process)


@pytest.fixture(scope="session")
def page():
    """An empty page, wide enough for the panel that MLflow opens at its side."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(viewport={"width": 1700, "height": 950})
        opened.set_default_timeout(60_000)
        yield opened
        browser.close()

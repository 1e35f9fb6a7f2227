"""MLflow's pages on the results of a small run, and Debian's Chromium to look at them."""

import os
import shutil
import socket
import time
from contextlib import closing, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from nmr_platform.processes import end_process, start_kept
from nmr_platform.tracking.address import resolve_store
from nmr_platform.tracking.mlflow.store import open_client
from nmr_platform.tracking.mlflow.ui import ui_command
from tests.stages.tiny import KERNELS, isolate, merged, nmr, tiny_values, write_params

PATIENCE = 240.0
IMAGES = Path(__file__).parents[2] / "docs" / "images"
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
    """A project with six studies of one task, evaluated, and a pulse search; its MLflow database lies beside it."""
    root = tmp_path_factory.mktemp("browsed")
    write_params(root, merged(tiny_values(), STUDIES))
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root)
        for command in [
            *(("generate", "--kernel", kernel) for kernel in KERNELS),
            ("features",),
            ("tune", "--task", "W"),
            ("evaluate", "--task", "W"),
            ("optimise-pulses",),
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
        wait_until_up(process, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        end_process(process)


def wait_until_up(process, health):
    """Wait for a page that a process serves."""
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None
        assert time.monotonic() < deadline
        try:
            with urlopen(health, timeout=5.0):
                return
        except (URLError, OSError):
            time.sleep(0.3)


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


@pytest.fixture
def shoot(page, tmp_path):
    folder = IMAGES if os.environ.get("NMR_SCREENSHOTS") else tmp_path

    def take(name):
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"mlflow-{name}.png")

    return take


@pytest.fixture
def visit(page, pages):
    """Open an address, or a path below that of the pages among training runs, without the panel of the assistant."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    def go(path):
        # What follows a # alone would not make the pages load anew.
        page.goto("about:blank")
        kind = f"{'&' if '?' in path else '?'}workflowType=machine_learning"
        page.goto(path if path.startswith("http") else f"{pages}/#/{path}{kind}")
        panel = page.get_by_role("button", name="Close", exact=True)
        # It opens with the first page only, and not in every version.
        with suppress(PlaywrightTimeout):
            panel.click(timeout=10_000)

    return go


@pytest.fixture
def client(tuned):
    return open_client(resolve_store(f"sqlite:///{tuned / 'mlflow.db'}", tuned))


@pytest.fixture
def parents(client):
    """Parent runs of the experiment, best first."""
    found = client.get_experiment_by_name("W")
    runs = client.search_runs([found.experiment_id], order_by=["metrics.test_r2 DESC"])
    return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]

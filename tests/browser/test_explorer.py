"""A person plays with an echo on the page of `nmr explore`; its screenshots are taken on the way.

They are written to docs/images if NMR_SCREENSHOTS is set, else into pytest's folder.
"""

import os
import socket
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml

from nmr_platform import measure
from nmr_platform.physics import Measurement
from nmr_platform.processes import end_process, start_kept
from nmr_platform.schema import validate
from tests.browser.conftest import IMAGES, PATIENCE, wait_until_up
from tests.inference.predictors import ACQUISITION, classifier, regressor
from tests.stages.tiny import nmr_alone

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(find_spec("marimo") is None, reason="the extra [explore] is not installed"),
]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page on two models and a measured record."""
    root = tmp_path_factory.mktemp("explored")
    models = {"W": regressor(), "kernel": classifier()}
    for name, model in models.items():
        model.save(root / name)
    echo = measure(Measurement.of(ACQUISITION.experiment), seed=3)[""]
    np.savetxt(root / "echo.csv", np.column_stack([echo.time, 300 * echo.m.real, 300 * echo.m.imag]), delimiter=",")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "nmr_platform", "explore", "--port", str(port)]
    command += [word for name in models for word in ("--model", name)] + ["--measured", "echo.csv", "--unit", "us"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = start_kept(command, environment, str(root))
    try:
        wait_until_up(process, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        end_process(process)


@pytest.fixture
def look(page, address):
    """Open the page in a window of a width; at the end, nothing may have been said in anger or asked of others."""
    opened, complaints, foreign = [], [], []

    def go(width=1400):
        shown = page.context.browser.new_page(viewport={"width": width, "height": 950})
        shown.set_default_timeout(PATIENCE * 1000)
        shown.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("request", lambda asked: foreign.append(asked.url) if not own(asked.url) else None)
        shown.goto(address)
        shown.locator(".answer").first.wait_for()
        opened.append(shown)
        return shown

    def own(url):
        return url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))

    yield go
    for shown in opened:
        shown.close()
    assert complaints == []
    assert foreign == []


def curve(shown):
    """What is drawn."""
    return shown.locator(".drawn svg").first.inner_html()


def changed(shown, before):
    shown.wait_for_function("was => document.querySelector('.drawn svg').innerHTML !== was", arg=before)


def slider(shown, label):
    """The handle of the slider beside a label."""
    return shown.locator("marimo-slider").filter(has=shown.get_by_text(label, exact=True)).get_by_role("slider")


def test_a_moved_slider_changes_the_curve_and_what_is_read_from_it(look):
    shown = look()
    before, read = curve(shown), shown.locator(".answer").first.inner_text()
    assert "MHz" in read
    for _ in range(5):
        slider(shown, "width, FWHM (MHz)").press("ArrowRight")
    changed(shown, before)
    shown.wait_for_function("was => document.querySelector('.answer').innerText !== was", arg=read)
    assert "rms to measured" in shown.locator(".facts").inner_text()
    assert shown.get_by_text("measured", exact=True).count() == 1


def test_another_sequence_is_refused_by_the_models_in_words_and_a_second_one_is_drawn(look):
    shown = look()
    before = curve(shown)
    slider(shown, "θ₁ (°)").press("ArrowLeft")
    changed(shown, before)
    shown.get_by_text("its `theta1` is 89.0 instead of 90.0").first.wait_for()
    before = curve(shown)
    shown.get_by_role("switch").first.click()
    changed(shown, before)
    shown.get_by_text("second", exact=True).first.wait_for()


@pytest.mark.parametrize(
    ("tab", "what"), [("Where it comes from", "weights"), ("Features", "features")], ids=["weights", "features"]
)
def test_the_panes_are_drawn(look, tab, what):
    shown = look()
    shown.get_by_role("tab", name=tab).click()
    shown.get_by_role("img", name=what).first.wait_for()


def test_the_state_is_yaml_that_gives_the_same_curve(look, tmp_path):
    shown = look()
    before = curve(shown)
    slider(shown, "α x (Hz)").press("ArrowRight")
    changed(shown, before)
    shown.get_by_role("tab", name="YAML").click()
    text = shown.locator("pre.yaml").inner_text()
    (tmp_path / "mine.yaml").write_text(text)
    ended = nmr_alone("simulate", str(tmp_path / "mine.yaml"), "--integrator", "fast")
    assert ended.code == 0
    made = validate(Measurement, yaml.safe_load(text))
    assert made.coupling.alpha_x > ACQUISITION.experiment.coupling.alpha_x
    assert f"{made.first.kernel_integral:.4g} MHz" in shown.locator(".facts").inner_text()


@pytest.mark.parametrize("width", [1400, 800])
def test_sliders_and_curve_are_seen_together_and_nothing_overflows(look, width, tmp_path):
    shown = look(width)
    handle, drawn = slider(shown, "τ (µs)").bounding_box(), shown.locator(".drawn svg").first.bounding_box()
    assert handle["x"] + handle["width"] < drawn["x"]
    assert drawn["x"] + drawn["width"] <= width
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    folder = IMAGES if os.environ.get("NMR_SCREENSHOTS") else tmp_path
    shown.wait_for_timeout(1000)
    shown.screenshot(path=folder / f"explorer-{width}.png")

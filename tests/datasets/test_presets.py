from pathlib import Path

import numpy as np
import pytest

from nmr_platform.config import read_params
from nmr_platform.datasets import PRESETS, read_preset
from nmr_platform.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
LITERATURE = [
    # preset, curves, samples, echo at, step in 1/(2 pi) us, band in MHz, disorder, field
    ("august2021", 5000, 1884, 1256, 1, 1.0, "fresh", "sampled"),
    ("june2021", 3500, 942, 628, 2, 0.5, "frozen", "sampled"),
    ("evaluation2021", 6000, 471, 314, 2, 0.5, "frozen", "normalised"),
]


@pytest.mark.parametrize(("name", "curves", "samples", "echo", "step", "band", "disorder", "field"), LITERATURE)
def test_published_presets_are_the_published_experiments(name, curves, samples, echo, step, band, disorder, field):
    preset = read_preset(name)
    for kernel in preset.kernels:
        recipe = preset.recipe(kernel)
        experiment = recipe.curve(0).experiment
        assert (recipe.n_curves, recipe.disorder) == (curves, disorder)
        assert experiment.lattice.shape == (100, 100)
        assert (experiment.n_samples, experiment.echo_indices) == (samples, (echo,))
        assert experiment.step == pytest.approx(step / (2 * np.pi), rel=1e-12)
        assert (experiment.line.fwhm, experiment.line.bandwidth, experiment.line.weights) == (0.05, band, field)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_meets_its_constraints_often_enough_to_be_drawn(name):
    preset = read_preset(name)
    for kernel in preset.kernels:
        assert preset.recipe(kernel).check_acceptance() > 0.05


def test_published_rows_could_have_been_drawn_from_august2021():
    prior = read_preset("august2021").kernels["gaussian"].prior
    rows = {
        "coupling.alpha_x": (0.000031, 0.000111),
        "coupling.alpha_z": (0.000032, 0.000185),
        "kernel.xi": (10.098305, 16.689602),
    }
    assert all(prior[key].holds(value) for key, values in rows.items() for value in values)


def test_evaluation2021_couples_in_the_plane_with_the_published_strength():
    recipe = read_preset("evaluation2021").recipe("gaussian")
    for number in range(5):
        curve = recipe.curve(number)
        coupling, xi = curve.experiment.coupling, curve.experiment.kernel.xi
        assert coupling.alpha_x == coupling.alpha_y == curve.drawn["alpha"] / 2
        assert coupling.alpha_z == 0
        assert 0.07 <= curve.drawn["alpha"] * np.pi * xi**2 / 10**4 <= 0.21
        assert 0 <= curve.experiment.dissipation.gamma_z <= 0.0025


def test_demo_is_what_params_yaml_holds():
    assert read_preset("demo") == read_params(ROOT / "params.yaml").data


def test_an_unknown_preset_is_refused_with_those_that_exist():
    with pytest.raises(ConfigurationError, match=r"must be one of august2021, demo, .* but is 'july2021'"):
        read_preset("july2021")

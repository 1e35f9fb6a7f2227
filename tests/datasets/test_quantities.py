"""One table of units and meanings, which agrees with the classes that have the numbers."""

from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest

from nmr_platform import (
    config,  # noqa: F401  (every model of the platform is known once this is)
    pulse_design,  # noqa: F401
)
from nmr_platform.datasets import QUANTITIES, attributes_of, generate, load, quantities_of, quantity
from nmr_platform.learning import RegressionTask
from nmr_platform.physics import Experiment, RkkyKernel
from nmr_platform.schema import Schema, schemas_in, unit_at
from tests.datasets.recipes import small_prior, small_recipe


def within(model):
    """The model and all that it may hold."""
    inner = [part for field in model.model_fields.values() for part in schemas_in(field.annotation)]
    return {model}.union(*(within(part) for part in inner))


def holds_a_number(annotation: Any) -> bool:
    """Whether a value of this type may be a number, or a list of them, of its own."""
    if annotation in (int, float):
        return True
    return get_origin(annotation) is not Literal and any(holds_a_number(part) for part in get_args(annotation))


def every_model(model=Schema):
    return {model}.union(*(every_model(part) for part in model.__subclasses__()))


NUMBERS = sorted(
    {
        (model, name)
        for model in within(Experiment)
        for name, field in model.model_fields.items()
        if holds_a_number(field.annotation)
    },
    key=str,
)


@pytest.mark.parametrize(("model", "name"), NUMBERS, ids=lambda part: getattr(part, "__name__", part))
def test_every_number_of_an_experiment_has_a_unit_of_its_class_and_a_meaning_in_the_table(model, name):
    assert model.unit_of(name)
    assert quantity(name).unit == model.unit_of(name)
    assert quantity(name).meaning != name


def test_units_are_declared_for_keys_that_there_are():
    for model in every_model():
        known = {name for part in every_model(model) for name in part.model_fields}
        assert vars(model).get("units", {}).keys() <= known, model


def test_no_class_owes_the_unit_of_its_range_to_another():
    assert RkkyKernel.unit_of("xi") == "lattice constants"
    assert unit_at(Experiment, ("kernel", "rkky", "xi")) == "lattice constants"


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("sequence.theta1", "degrees"),
        ("sequence.phi3", "degrees"),
        ("sequence.tau", "us"),
        ("sequence.echo_spacing", "us"),
        ("sequence.nutation", "MHz"),
        ("sequence.elements.0.duration", "us"),
        ("sequence.elements.1.segments.2.amplitude", "MHz"),
        ("kernel.xi", "lattice constants"),
        ("kernel.exponent", "1"),
        ("kernel.p", "1"),
        ("coupling.alpha_z", "MHz"),
        ("dissipation.gamma_plus", "MHz"),
        ("line.fwhm", "MHz"),
        ("drive.calibration", "factor"),
        ("receiver.noise", "units of M"),
        ("receiver.dead_time", "us"),
        ("phase_cycle.0.pulses.1", "degrees"),
        ("lattice.shape.0", "cells along each axis"),
        ("step", "us"),
        ("W", "MHz"),
        ("kernel_sum", "1"),
        ("somebodys_own", ""),
    ],
)
def test_whatever_can_be_drawn_has_its_unit_by_its_key_and_by_the_name_of_its_column(key, unit):
    assert quantity(key).unit == unit
    words = [word for word in key.split(".") if not word.isdigit()]
    assert quantity(words[-1]).unit == unit


@pytest.mark.parametrize(
    ("target", "unit"),
    [("theta1", "degrees"), ("tau", "us"), ("W", "MHz"), ("xi", "lattice constants"), ("exponent", ""), ("ratio", "")],
)
def test_a_target_is_labelled_with_its_own_unit(target, unit):
    assert RegressionTask(target=target).unit == unit


def test_a_drawn_parameter_is_stored_with_its_unit(tmp_path):
    prior = small_prior(
        receiver__noise={"kind": "uniform", "low": 0.0, "high": 0.1},
        drive__calibration={"kind": "uniform", "low": 0.9, "high": 1.1},
    )
    generate(small_recipe(prior=prior), tmp_path / "set.zarr", shard_folder=tmp_path / "shards")
    dataset = load(tmp_path / "set.zarr")
    assert dataset["noise"].attrs == {"long_name": "prior key receiver.noise", "units": "units of M"}
    assert dataset["calibration"].attrs["units"] == "factor"


def test_w_is_the_sum_of_its_parts_and_x_and_z_follow_their_formulas():
    sizes = {"x": 0.01, "y": 0.02, "z": 0.03}
    constants = {f"coupling__alpha_{axis}": {"kind": "constant", "value": size} for axis, size in sizes.items()}
    recipe = small_recipe(prior=small_prior(**constants), constraints={})
    values = quantities_of(recipe.curve(2).experiment)
    alphas = [values[f"alpha_{d}"] for d in "xyz"]
    assert values["W"] == pytest.approx(sum(alphas) * values["kernel_sum"])
    assert values["X"] == alphas[0] * values["kernel_sum"]
    assert values["Z"] == alphas[2] * values["kernel_sum"]
    assert "N" not in values
    assert QUANTITIES["N"].of(small_recipe().example) == 36


def test_what_a_kernel_does_not_have_is_no_number():
    experiment = small_recipe().example.replace(kernel={"kind": "power", "exponent": 2.0})
    assert np.isnan(QUANTITIES["xi"].of(experiment))


def test_imported_coordinates_are_described_by_the_same_table():
    assert attributes_of("theta2", {}) == {"units": "degrees", "long_name": "flip angle of the second pulse"}
    assert attributes_of("weight_p", {}) == {"units": "1", "long_name": "weight of the kernel's cos(theta)"}
    assert attributes_of("kernel", {}) == attributes_of("seed", {}) == {}
    assert attributes_of("X", {}) == {"units": "MHz", "long_name": "alpha_x sum K"}


def test_tensor_direction_and_abundance_can_be_drawn_and_are_labelled(tmp_path):
    keys = {"coupling.alpha_xz": "MHz", "field.polar": "degrees", "lattice.abundance": "1"}
    ranges = {"coupling.alpha_xz": (1e-4, 2e-3), "field.polar": (0.0, 90.0), "lattice.abundance": (0.3, 0.9)}
    drawn = {key: {"kind": "uniform", "low": low, "high": high} for key, (low, high) in ranges.items()}
    recipe = small_recipe(prior=small_prior() | drawn, constraints={"N": {"low": 12, "high": 30}})
    dataset = load(generate(recipe, tmp_path / "small.zarr", shard_folder=tmp_path / "shards").path)
    for key, unit in keys.items():
        column = dataset[key.rpartition(".")[2]]
        low, high = ranges[key]
        assert column.attrs["units"] == unit == quantity(key).unit
        assert low <= column.values.min() < column.values.max() <= high
    curve = recipe.curve(3).experiment
    assert dataset["W"].values[3] == pytest.approx(curve.coupling.total * curve.kernel_sum, rel=1e-6)
    assert 12 <= curve.lattice.n_spins == round(36 * curve.lattice.abundance) <= 30

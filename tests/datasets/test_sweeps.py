import pytest

from nmr_platform.datasets import DataSettings, generate, load, read_preset
from nmr_platform.errors import ConfigurationError
from nmr_platform.schema import validate
from tests.datasets.recipes import small_prior, small_recipe

GRID = {
    "crossed": {"kernel.xi": [1.0, 2.0, 3.0]},
    "paired": {"sequence.theta1": [60.0, 90.0], "sequence.theta2": [120.0, 180.0]},
}
REST = {key: value for key, value in small_prior().items() if key != "kernel.xi"}


def grid_recipe(**changes):
    return small_recipe(prior=REST, sweep=GRID, constraints={}, **changes)


def test_every_combination_comes_once_before_any_comes_again():
    recipe = grid_recipe(n_curves=12)
    points = []
    for number in range(12):
        experiment = recipe.curve(number).experiment
        points.append((experiment.kernel.xi, experiment.sequence.theta1, experiment.sequence.theta2))
    assert points[:3] == [(1.0, 60.0, 120.0), (2.0, 60.0, 120.0), (3.0, 60.0, 120.0)]
    assert len(set(points[:6])) == 6
    assert points[6:] == points[:6]


def test_the_order_of_keys_in_the_file_does_not_matter():
    crossed = {"kernel.xi": [1.0, 2.0], "line.fwhm": [0.04, 0.05]}
    there = small_recipe(prior=REST, sweep={"crossed": crossed}, constraints={})
    back = small_recipe(
        prior=dict(reversed(REST.items())), sweep={"crossed": dict(reversed(crossed.items()))}, constraints={}
    )
    assert there.digest == back.digest
    assert [there.curve(i).experiment for i in range(4)] == [back.curve(i).experiment for i in range(4)]


def test_swept_parameters_are_coordinates_of_the_data_set_with_their_units(tmp_path):
    generate(grid_recipe(), tmp_path / "grid.zarr", shard_folder=tmp_path / "shards")
    dataset = load(tmp_path / "grid.zarr")
    assert dataset["theta1"].to_numpy().tolist() == [60.0] * 3 + [90.0] * 3
    assert dataset["theta2"].attrs["units"] == "degrees"
    assert dataset["xi"].to_numpy().tolist() == [1.0, 2.0, 3.0] * 2


def test_a_grid_without_a_number_of_curves_has_one_at_every_point():
    values = read_preset("tiny").model_dump(mode="json")
    del values["kernels"]["gaussian"]["prior"]["kernel.xi"]
    settings = validate(DataSettings, values | {"n_curves": None, "sweep": GRID})
    assert settings.recipe("gaussian").n_curves == 6


@pytest.mark.parametrize(
    ("sweep", "sentence"),
    [
        ({}, "must have values under `crossed` or `paired`"),
        ({"paired": {"line.fwhm": [0.1], "kernel.xi": [1.0, 2.0]}}, "lists of equal length, but line.fwhm has 1"),
        ({"crossed": {"kernel.xi": [1.0]}, "paired": {"kernel.xi": [1.0]}}, "must not be under `crossed` too"),
        ({"crossed": {"coupling.alpha_x": [0.1]}}, "must not list `coupling.alpha_x`, which `prior` draws"),
        ({"crossed": {"kernel.xi": []}}, "sweep.crossed.kernel.xi"),
        ({"crossed": {"kernel.xj": [1.0]}}, "kernel.xj"),
    ],
)
def test_a_sweep_that_is_no_grid_is_refused(sweep, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        small_recipe(prior=REST | {"kernel.xi": REST["coupling.alpha_x"]} if not sweep else REST, sweep=sweep)


def test_a_data_set_without_length_is_refused():
    values = read_preset("tiny").model_dump(mode="json")
    with pytest.raises(ConfigurationError, match=r"`data.n_curves` must be a number unless there is a `data.sweep`"):
        validate(DataSettings, values | {"n_curves": None})

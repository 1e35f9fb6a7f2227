import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.explorer.controls import as_yaml, choices, controls, measured_by, shown
from nmr_platform.explorer.opening import EXAMPLE
from nmr_platform.physics import Measurement
from nmr_platform.schema import read_value, validate
from nmr_platform.yaml_text import parse_yaml

SEVERAL = validate(
    Measurement,
    {
        **EXAMPLE.model_dump(mode="json", exclude={"sequence"}, exclude_none=True),
        "sequences": {
            "a.1": {"kind": "hahn", "tau": 41.7, "theta1": 33.3},
            "train": {"kind": "cpmg", "echo_spacing": 40.0, "n_echoes": 2},
        },
        "receiver": {"noise": 0.00123456789, "dead_time": 3.0},
        "coupling": {"alpha_x": -1.23456789e-4, "alpha_y": 0.2, "alpha_z": 0.0},
    },
)


def at_first(measurement):
    return (
        {key: listed[0] for key, listed in choices(measurement).items()},
        {key: each.value for key, each in controls(measurement).items()},
    )


STARTED = EXAMPLE.replace(initial={"polarisation": 0.2, "fluctuations": "sampled"})


@pytest.mark.parametrize("measurement", [EXAMPLE, SEVERAL, STARTED], ids=["one", "several", "started otherwise"])
def test_what_nobody_moved_is_what_the_file_says_to_the_last_digit(measurement):
    assert measured_by(measurement, *at_first(measurement)) == measurement


@pytest.mark.parametrize("measurement", [EXAMPLE, SEVERAL], ids=["one", "several"])
def test_every_slider_starts_on_one_of_its_steps_which_are_in_order(measurement):
    for each in controls(measurement).values():
        assert each.value in each.steps
        assert list(each.steps) == sorted(set(each.steps))


def test_sliders_move_what_they_say():
    chosen, moved = at_first(SEVERAL)
    made = measured_by(SEVERAL, chosen, {**moved, "sequences.a.1.tau": 50.0, "coupling.alpha_z": 85.0})
    assert made.experiments["a.1"].sequence.tau == 50.0
    assert made.experiments["a.1"].sequence.theta1 == 33.3
    assert made.coupling.alpha_z == 8.5e-5
    assert made.experiments["train"] == SEVERAL.replace(coupling=made.coupling).experiments["train"]


def test_another_kernel_gets_the_sliders_that_it_has_and_keeps_its_sign():
    base = EXAMPLE.replace(kernel=EXAMPLE.kernel.replace(antiferromagnetic=True))
    chosen, moved = at_first(base)
    made = measured_by(base, {**chosen, "kernel.kind": "power"}, {**moved, "kernel.exponent": 3.0})
    assert made.kernel.kind == "power"
    assert made.kernel.exponent == 3.0
    assert made.kernel.antiferromagnetic
    assert not shown("kernel.xi", "power", second=False)
    assert shown("kernel.xi", "rkky", second=False)


def test_a_second_sequence_makes_two_records_on_the_same_sample():
    chosen, moved = at_first(EXAMPLE)
    made = measured_by(EXAMPLE, chosen, {**moved, "second.theta1": 45.0}, second=True)
    assert [*made.experiments] == ["first", "second"]
    assert made.experiments["first"] == EXAMPLE.first
    assert made.experiments["second"].sequence.theta1 == 45.0


def test_the_lattice_is_chosen_by_its_sides():
    chosen, moved = at_first(EXAMPLE)
    assert measured_by(EXAMPLE, {**chosen, "lattice.shape": "16 x 16"}, moved).lattice.shape == (16, 16)


def test_a_line_that_is_wider_than_its_band_is_refused():
    chosen, moved = at_first(EXAMPLE)
    with pytest.raises(ConfigurationError, match=r"Key `line.bandwidth` must be at least `line.fwhm`"):
        measured_by(EXAMPLE, chosen, {**moved, "line.fwhm": 0.5, "line.bandwidth": 0.1})


@pytest.mark.parametrize("measurement", [EXAMPLE, SEVERAL], ids=["one", "several"])
def test_the_state_is_yaml_that_is_read_as_the_same_measurement(measurement, tmp_path):
    text = as_yaml(measurement, seed=3)
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert read_value(path, Measurement) == measurement
    assert "nmr simulate mine.yaml --seed 3 --integrator fast" in text
    assert "units" not in parse_yaml(text)

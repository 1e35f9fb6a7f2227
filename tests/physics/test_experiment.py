"""The experiment as a value, and what it refuses."""

import pickle

import numpy as np
import pytest
import yaml

from nmr_platform import ConfigurationError, Experiment
from nmr_platform.schema import validate
from tests.builders import delay, experiment, experiment_values, pulse, shaped

NAN, INF = float("nan"), float("inf")
HAHN = {"kind": "hahn", "tau": 3.0}


def custom(*elements, **more):
    return {"kind": "custom", "elements": list(elements), **more}


REFUSED = [
    (
        "lattice",
        {"shape": [-3, 4]},
        r"^Key `lattice\.shape\.0` is -3, but it must be greater than 0 \(cells along each axis\)\.$",
    ),
    ("lattice", {"shape": [4.5, 4]}, r"`lattice\.shape\.0` is 4\.5, but it must be a valid integer"),
    ("lattice", {"shape": []}, r"`lattice\.shape` is \[\], but it must have 1 or more entries"),
    ("lattice", {"shape": [2, 2, 2, 2]}, r"`lattice\.shape` is \[2, 2, 2, 2\], but it must have 3 or fewer entries"),
    ("lattice", {"shape": "100x100"}, r"`lattice\.shape` is '100x100', but it must be a list"),
    ("kernel", {"kind": "gausian", "xi": 2.0}, r"`kernel\.kind` is 'gausian', .*Did you mean `gaussian`\?"),
    ("kernel", {"xi": 2.0}, r"^Key `kernel\.kind` is missing\.$"),
    ("kernel", {"kind": "gaussian"}, r"^Key `kernel\.xi` is missing \(lattice constants\)\.$"),
    ("kernel", {"kind": "rkky", "xi": -1.0}, r"`kernel\.xi` is -1\.0, but it must be greater than 0"),
    ("kernel", {"kind": "rkky", "xi": 1.0, "exponent": 2.0}, r"^Key `kernel\.exponent` is not known\.$"),
    ("kernel", {"kind": "power", "exponnent": 2.0}, r"`kernel\.exponnent` is not known\. Did you mean `exponent`\?"),
    ("kernel", "gaussian", r"`kernel` is 'gaussian', but it must hold keys of its own"),
    ("coupling", {"alpha_x": NAN, "alpha_y": 0.0, "alpha_z": 0.0}, r"`coupling\.alpha_x` is nan, .* a finite number"),
    ("coupling", {"alpha_x": INF, "alpha_y": 0.0, "alpha_z": 0.0}, r"`coupling\.alpha_x` is inf, .* a finite number"),
    ("coupling", {"alpha_x": "1e-5", "alpha_y": 0.0, "alpha_z": 0.0}, r"is the text '1e-5', .* without quotes"),
    ("coupling", {"alpha_x": "big", "alpha_y": 0.0, "alpha_z": 0.0}, r"`coupling\.alpha_x` is 'big', .* valid number"),
    ("coupling", {"alpha_x": 0.0, "alpha_y": 0.0}, r"^Key `coupling\.alpha_z` is missing \(MHz\)\.$"),
    ("line", {"fwhm": 0.05, "bandwidth": 0.01}, r"`line\.bandwidth` must be at least `line\.fwhm` \(0\.05 MHz\), but"),
    ("line", {"fwhm": -0.05, "bandwidth": 0.5}, r"`line\.fwhm` is -0\.05, but it must be greater than 0"),
    ("line", {"fwhm": 0.05, "bandwidth": 0.5, "weights": "equal"}, r"`line\.weights` is 'equal', but it must be 'sam"),
    ("dissipation", {"gamma_z": -1e-3}, r"`dissipation\.gamma_z` is -0\.001, but it must be greater than or equal to"),
    ("sequence", {"kind": "hahn", "tau": -3.0}, r"`sequence\.tau` is -3\.0, but it must be greater than 0"),
    ("sequence", {"kind": "cpmg", "echo_spacing": 1.0, "n_echoes": 0}, r"`sequence\.n_echoes` is 0, but it must be"),
    ("sequence", custom(delay(5), pulse(90)), r"`sequence\.elements`: it must start with a pulse"),
    ("sequence", custom(), r"`sequence\.elements`: it must start with a pulse"),
    ("sequence", custom(pulse(90)), r"`sequence\.elements`: it must hold a delay"),
    ("sequence", custom(pulse(90), delay(-5)), r"`sequence\.elements\.1\.duration` is -.*, but it must be greater"),
    ("sequence", custom(pulse(90), {"kind": "dely"}), r"`sequence\.elements\.1\.kind` is 'dely', .* mean `delay`\?"),
    ("sequence", custom(pulse(90), delay(5), echo_times=[9.0]), r"`sequence\.echo_times` must lie within the record"),
    ("step", 0.0, r"`step` is 0\.0, but it must be greater than 0"),
    ("step", 100.0, r"`step` must be shorter than the sequence's delays, but 100\.0 us leaves 0 samples"),
    ("sequence", custom(pulse(90), delay(1)), r"`step` must be shorter than the sequence's delays, but .* 1 samples"),
    ("receiver", {"dead_time": 1e9}, r"^Key `receiver` must keep two samples or more of the 60 in the record"),
    ("pulses", 3, r"^Key `pulses` is not known\.$"),
]


@pytest.mark.parametrize(("section", "value", "match"), REFUSED, ids=[f"{s}-{i}" for i, (s, *_) in enumerate(REFUSED)])
def test_bad_input_is_refused_with_a_sentence_about_its_key(section, value, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(Experiment, experiment_values(**{section: value}))


def test_the_reference_experiment_reads_from_yaml():
    text = """
    lattice:     {shape: [100, 100]}
    kernel:      {kind: gaussian, xi: 13.4, exponent: 2.0, s: 1.0, p: 0.0, d: 0.0, antiferromagnetic: false}
    coupling:    {alpha_x: 8.5e-5, alpha_y: 8.5e-5, alpha_z: 3.2e-5}
    line:        {kind: lorentzian, fwhm: 0.05, bandwidth: 1.0, weights: sampled}
    dissipation: {gamma_plus: 0.0, gamma_minus: 0.0, gamma_z: 0.0}
    sequence:    {kind: hahn, tau: 100.0, theta1: 90, phi1: 0, theta2: 180, phi2: 90}
    step:        0.15915494309189535
    """
    reference = validate(Experiment, yaml.safe_load(text))
    assert reference.n_samples == 1884
    assert reference.kernel_integral == pytest.approx(0.000202 * (np.pi * 13.4**2 - 1), rel=1e-6)


def test_it_survives_a_round_trip_through_json():
    full = experiment(
        lattice={"kind": "honeycomb", "shape": [4, 4]},
        sequence=custom(pulse(90), delay(5), shaped((0.2, 0.1, 30.0)), pulse(180, 90, 0.5), delay(9), echo_times=[0.5]),
        dissipation={"gamma_z": 0.01},
        drive={"calibration": 0.9, "inhomogeneity": 0.05},
        phase_cycle=[{"pulses": [0, 90, 0]}, {"pulses": [90, 0, 180], "receiver": 90}],
        receiver={"noise": 1e-3, "dead_time": 0.3, "every": 2},
    )
    assert Experiment.model_validate(full.model_dump()) == full
    assert Experiment.model_validate_json(full.model_dump_json()) == full


def test_it_stays_equal_hashable_and_picklable_after_its_derived_values_are_computed():
    fresh, used = experiment(), experiment()
    assert used.kernel_values.shape == (1, 1, 4, 4)
    assert used.n_samples == 60
    assert used == fresh
    assert hash(used) == hash(fresh)
    assert pickle.loads(pickle.dumps(used)) == fresh


def test_a_copy_with_changes_computes_its_own_derived_values():
    original = experiment()
    assert original.n_samples == 60
    assert original.kernel_sum > 0
    changed = original.replace(step=original.step / 2, kernel={"kind": "uniform"})
    assert changed.n_samples == 120
    assert changed.kernel_sum == 15
    assert original.n_samples == 60


def test_it_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="frozen"):
        experiment().step = 1.0

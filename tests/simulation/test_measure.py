"""Several sequences on one sample."""

import numpy as np
import pytest

from nmr_platform import ConfigurationError, Measurement, measure, simulate
from nmr_platform.schema import validate
from nmr_platform.simulation import INTEGRATORS, noise_of_record
from tests.builders import delay, experiment_values, pulse, shaped

SEQUENCES = {
    "hahn": {"kind": "hahn", "tau": 3.0},
    "driven": {"kind": "custom", "elements": [shaped((0.2, 1.0, 30.0)), delay(4), pulse(120, 90, 0.5), delay(4)]},
    "long": {"kind": "hahn", "tau": 6.0, "theta1": 60.0},
}


def measurement(**changes):
    values = experiment_values(**changes)
    del values["sequence"]
    return validate(Measurement, values | {"sequences": SEQUENCES})


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("m", "m_z", "time"))


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_each_record_has_the_bits_of_its_experiment_alone(integrator):
    several = measurement(drive={"inhomogeneity": 0.1}, dissipation={"gamma_z": 0.01})
    echoes = measure(several, seed=3, integrator=integrator)
    assert list(echoes) == list(SEQUENCES)
    for name, experiment in several.experiments.items():
        assert same(echoes[name], simulate(experiment, seed=3, integrator=integrator))


def test_given_offsets_are_those_of_every_record():
    several, offsets = measurement(), np.random.default_rng(1).uniform(-0.2, 0.2, (4, 4))
    for name, echo in measure(several, offsets=offsets).items():
        assert same(echo, simulate(several.experiments[name], offsets=offsets))


def test_every_record_has_noise_of_its_own():
    quiet, noisy = measurement(), measurement(receiver={"noise": 1e-2})
    heard, clean = measure(noisy, seed=3, noise_seed=5), measure(quiet, seed=3)
    drawn = [heard[name].m[:20] - clean[name].m[:20] for name in SEQUENCES]
    assert all(np.abs(noise).min() > 0 for noise in drawn)
    assert not np.allclose(drawn[0], drawn[2], atol=1e-4)
    for number, (name, experiment) in enumerate(noisy.experiments.items()):
        assert same(heard[name], simulate(experiment, seed=3, noise_seed=noise_of_record(5, number)))


def test_the_first_record_has_the_noise_of_the_measurement_and_the_others_that_of_its_children():
    parent = np.random.SeedSequence(7, spawn_key=(4, 2))
    assert noise_of_record(parent, 0) is parent
    assert noise_of_record(parent, 3).spawn_key == (4, 2, 3)


def test_bad_arguments_are_refused():
    with pytest.raises(ConfigurationError, match="Argument `integrator` must be one of"):
        measure(measurement(), integrator="runge")

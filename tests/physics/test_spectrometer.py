"""The drive, the phase cycle and the receiver as settings."""

import pytest

from nmr_platform import ConfigurationError
from nmr_platform.physics import Drive, Experiment, PhaseStep, Receiver
from nmr_platform.schema import validate
from tests.builders import UNIT_STEP, experiment, experiment_values

HAHN = {"kind": "hahn", "tau": 20 * UNIT_STEP}


def test_the_spectrometer_is_perfect_by_default():
    values = experiment()
    assert values.drive == Drive(calibration=1.0, inhomogeneity=0.0)
    assert values.phase_cycle == ()
    assert values.receiver == Receiver(noise=0.0, dead_time=0.0, every=1)


def test_a_phase_cycle_is_read_from_lists():
    cycle = [{"pulses": [0.0, 0.0]}, {"pulses": [0, 180], "receiver": 90.0}]
    values = validate(Experiment, experiment_values(phase_cycle=cycle))
    assert values.phase_cycle == (PhaseStep(pulses=(0.0, 0.0)), PhaseStep(pulses=(0.0, 180.0), receiver=90.0))
    assert Experiment.model_validate_json(values.model_dump_json()) == values


REFUSED = [
    ("drive", {"calibration": float("nan")}, r"`drive\.calibration` is nan, .* a finite number"),
    ("drive", {"inhomogeneity": -0.1}, r"`drive\.inhomogeneity` is -0\.1, but it must be greater than or equal to 0"),
    ("drive", {"inhomogenity": 0.1}, r"`drive\.inhomogenity` is not known\. Did you mean `inhomogeneity`\?"),
    ("receiver", {"noise": -1e-3}, r"`receiver\.noise` is -0\.001, but it must be greater than or equal to 0"),
    ("receiver", {"noise": float("inf")}, r"`receiver\.noise` is inf, .* a finite number"),
    ("receiver", {"dead_time": -1.0}, r"`receiver\.dead_time` is -1\.0, but it must be greater than or equal to 0"),
    ("receiver", {"every": 0}, r"`receiver\.every` is 0, but it must be greater than 0"),
    ("receiver", {"every": 2.5}, r"`receiver\.every` is 2\.5, but it must be a valid integer"),
    ("phase_cycle", [{"pulses": []}], r"`phase_cycle\.0\.pulses` is \[\], but it must have 1 or more entries"),
    ("phase_cycle", [{"pulses": ["x", 0.0]}], r"`phase_cycle\.0\.pulses\.0` is 'x', but it must be a valid number"),
    ("phase_cycle", [{"receiver": 90.0}], r"`phase_cycle\.0\.pulses` is missing"),
    (
        "phase_cycle",
        [{"pulses": [0.0, 0.0]}, {"pulses": [0.0]}],
        r"^Key `phase_cycle\.1\.pulses` must have a phase for each of the 2 pulses, but has 1\.$",
    ),
    (
        "receiver",
        {"dead_time": 100.0},
        r"^Key `receiver` must keep two samples or more of the 60 in the record, but a `dead_time` of 100\.0 us and "
        r"`every` 1 leave 0\.$",
    ),
    ("receiver", {"every": 60}, r"^Key `receiver` must keep two samples or more .* `every` 60 leave 1\.$"),
]


@pytest.mark.parametrize(("section", "value", "match"), REFUSED, ids=[f"{s}-{i}" for i, (s, *_) in enumerate(REFUSED)])
def test_bad_settings_are_refused_with_a_sentence(section, value, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(Experiment, experiment_values(sequence=HAHN, **{section: value}))


def test_the_largest_thinning_that_leaves_two_samples_is_allowed():
    assert experiment(receiver={"every": 59}).n_samples == 2

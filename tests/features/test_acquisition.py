"""How a record was taken: from an experiment, a data set, or by hand."""

import numpy as np
import pytest
import xarray as xr

from nmr_platform import Experiment, simulate
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.features import Acquisition
from nmr_platform.features.signals import disorder_floor
from nmr_platform.schema import validate


def experiment(sequence=None, **changes):
    values = {
        "lattice": {"shape": [4, 4]},
        "kernel": {"kind": "uniform"},
        "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
        "line": {"fwhm": 0.05, "bandwidth": 0.2},
        "sequence": sequence or {"kind": "hahn", "tau": 20.0},
        "step": 0.25,
    }
    return Experiment.model_validate(values | changes)


def test_an_experiment_says_all_of_it():
    kept = experiment(receiver={"every": 2})
    said = {"echo_index": 80, "step": 0.5, "n_samples": 120, "n_sites": 16, "bandwidth": 0.2}
    assert Acquisition.of(kept) == Acquisition(**said, sequence=kept.sequence)
    assert Acquisition.of(kept, echo_index=30).echo_index == 30


@pytest.mark.parametrize(
    "initial",
    [{}, {"polarisation": 0.2}, *({"polarisation": 0.6, "fluctuations": "sampled", "draws": n} for n in (1, 5))],
)
def test_spins_that_start_otherwise_leave_another_floor_of_disorder(initial):
    free = {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0}
    dephased = experiment(initial=initial, coupling=free, lattice={"shape": [32, 32]}, step=0.5)
    at = Acquisition.of(dephased).echo_index // 2
    left = [abs(simulate(dephased.replace(line={"fwhm": 0.2, "bandwidth": 0.6}), seed=k).m[at]) for k in range(60)]
    floor = disorder_floor(Acquisition.of(dephased).n_sites)
    assert np.sqrt(np.mean(np.square(left))) == pytest.approx(floor, rel=0.2)


def test_the_last_of_several_echoes_is_looked_at():
    train = experiment(sequence={"kind": "cpmg", "echo_spacing": 10.0, "n_echoes": 3})
    assert Acquisition.of(train).echo_index == train.echo_indices[-1] == 120


def test_an_experiment_without_an_echo_has_nothing_to_look_around():
    free = experiment(sequence={"kind": "inversion_recovery", "recovery": 20.0, "acquisition": 20.0})
    with pytest.raises(DataError, match=r"must have an echo to learn from, but .* expects none"):
        Acquisition.of(free)
    assert Acquisition.of(free, echo_index=70).echo_index == 70


def test_a_data_set_says_it_by_its_attributes():
    dataset = xr.Dataset({"m": (("curve", "time"), [[0.5, 0.1, 0.4]])}, attrs={"echo_index": 2, "step": 0.1})
    assert Acquisition.of_dataset(dataset) == Acquisition(echo_index=2, step=0.1, n_samples=3)
    dataset.attrs["experiment"] = experiment().model_dump_json()
    assert Acquisition.of_dataset(dataset).n_sites == 16
    with pytest.raises(DataError, match="`free` must say where its echo is"):
        Acquisition.of_dataset(dataset.assign_attrs(echo_index=-1, name="free"))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"echo_index": 20}, "`echo_index` must be less than the 20 samples, but is 20"),
        ({"echo_index": -1}, "Key `echo_index` is -1"),
        ({"step": 0.0}, r"Key `step` is 0\.0"),
        ({"n_sites": 0}, "Key `n_sites` is 0"),
    ],
)
def test_impossible_acquisitions_are_refused(change, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(Acquisition, {"echo_index": 10, "step": 0.5, "n_samples": 20} | change)

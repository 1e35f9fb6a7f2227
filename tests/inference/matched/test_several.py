"""Several records of one sample in one answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.inference.matched import Budget, Given, Inferrer, Setting, looks_of
from nmr_platform.inference.matched.looks import clearest_first
from nmr_platform.schema import validate
from nmr_platform.stages.measured.infer import _is_decay
from nmr_platform.workspace import Workspace
from tests.inference.matched.records import SEQUENCE, TAU, echo_record, experiment
from tests.inference.matched.small import QUICK, TRUTH, measured, priors

LATER = {"kind": "hahn", "tau": 2 * TAU}
BOTH = {"short": SEQUENCE, "long": LATER}
EXPERIMENTS = {name: experiment(sequence=sequence) for name, sequence in BOTH.items()}
KNOWN = dict.fromkeys(BOTH, Given())
SETTING = Setting(sequences=BOTH, lattice={"shape": [8, 8]})


def later(**changes):
    """The echo at 120 us of a sequence twice as long."""
    record = echo_record(**changes)
    return replace(record, start=record.start + 2 * TAU)


def sample(seed=3):
    """What a receiver records of one sample under both sequences."""
    short = measured(Path("short.csv"), seed=seed)
    truth = TRUTH.replace(sequence=EXPERIMENTS["long"].sequence)
    long = measured(Path("long.csv"), truth=truth, seed=seed)
    return {"short": short, "long": replace(long, signal=long.signal[120:], start=34.0 + 60.0)}


def test_height_and_phase_of_the_others_are_those_through_the_receiver_of_the_first():
    records = {"short": echo_record(), "long": later(height=0.5, phase=55.0)}
    short, long = looks_of(records, EXPERIMENTS, KNOWN).values()
    assert long.phase == short.phase
    assert long.scale == short.scale
    at_echo = [each.corrected.signal[np.abs(each.record.time - each.expected_echo).argmin()] for each in (short, long)]
    assert abs(at_echo[1] / at_echo[0]) == pytest.approx(0.25, abs=0.02)
    assert np.rad2deg(np.angle(at_echo[1] / at_echo[0])) == pytest.approx(20.0, abs=2.0)


def test_an_echo_that_has_decayed_is_none_to_refuse_but_the_first():
    silent = later(height=1e-6)
    noise = 0.004 * np.random.default_rng(1).normal(size=(2, silent.signal.size))
    silent = silent.with_signal(noise[0] + 1j * noise[1])
    found = looks_of({"short": echo_record(), "long": silent}, EXPERIMENTS, KNOWN)
    assert found["long"].height.value < 5 * found["long"].noise.value
    with pytest.raises(DataError, match="must have an echo at 60 us"):
        looks_of({"short": replace(silent, start=34.0), "long": later()}, EXPERIMENTS, KNOWN)


def test_the_highest_echo_shows_the_receiver_wherever_it_stands():
    records = {"long": later(height=0.5), "short": echo_record()}
    assert [*clearest_first(records, EXPERIMENTS)] == ["short", "long"]
    # Whatever is higher elsewhere is no echo.
    early = echo_record(height=0.5).signal
    early[:4] = 50.0
    records = {"short": echo_record().with_signal(early), "long": later()}
    assert [*clearest_first(records, EXPERIMENTS)] == ["long", "short"]


def test_a_record_that_ends_before_its_echo_is_refused():
    records = {"short": echo_record(), "long": echo_record(start=5.0)}
    with pytest.raises(DataError, match=r"must reach its echo at 120 us, but has no point there"):
        looks_of(records, EXPERIMENTS, KNOWN)


def test_an_experiment_has_one_sequence_or_several_or_a_sweep():
    swept = validate(Setting, {"sequences": {"decay": {"kind": "hahn", "sweep": {"tau": [20.0, 40.0]}}}})
    assert [*swept.by_record] == ["decay-tau20", "decay-tau40"]
    for values in ({}, {"sequence": SEQUENCE, "sequences": BOTH}):
        with pytest.raises(ConfigurationError, match="Either key `sequence` or key `sequences`"):
            validate(Setting, values)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace(tmp_path_factory.mktemp("several"))


def inferring(workspace):
    return Inferrer(SETTING, priors(), budget=Budget(seconds=None, curves=40), workspace=workspace, tune=QUICK)


@pytest.fixture(scope="module")
def inference(workspace):
    return inferring(workspace).infer(sample())


def test_all_records_are_learnt_from_and_make_one_answer(inference):
    assert set(inference.answer.quantities) == {"W", "X", "Z", "xi", "fwhm"}
    [table] = inference.matched.features_of([inference.looks]).values()
    assert {str(column).partition(".")[0] for column in table.columns[:-2]} == set(BOTH)
    assert {name.partition(".")[0] for name in inference.answer.misfit.parts} >= set(BOTH)
    told = inference.answer.quantities["W"]
    assert told.lower - 0.05 <= TRUTH.kernel_integral <= told.upper + 0.05


def test_candidates_stand_beside_every_record(inference):
    [refined] = inference.refined
    assert [*refined.bands] == [*BOTH]
    for name, band in refined.bands.items():
        assert np.array_equal(band.time, inference.looks[name].record.time)
        inside = (band.lower.imag <= band.measured.imag) & (band.measured.imag <= band.upper.imag)
        assert inside.mean() > 0.5, name


def test_a_training_set_serves_measurements_of_the_same_records(inference):
    seen, matched = inference.looks, inference.matched
    assert matched.serves(seen)
    assert not matched.serves({"short": seen["short"]})
    assert not matched.serves(dict(reversed(seen.items()))), "another one shows the receiver"
    noisier = seen["long"].noise._replace(value=3 * seen["long"].noise.value)
    assert not matched.serves({**seen, "long": replace(seen["long"], noise=noisier)})


def test_what_was_learnt_serves_the_next_sample_of_another_process(inference, workspace, monkeypatch):
    other = inferring(workspace)
    monkeypatch.setattr(Inferrer, "_made_anew", lambda *_: pytest.fail("learnt again"))
    records = sample()
    louder = {name: record.with_signal(3e4 * np.exp(1j) * record.signal) for name, record in records.items()}
    again = other.infer(louder)
    assert again.matched.digest == inference.matched.digest
    for name, each in inference.answer.quantities.items():
        assert again.answer.quantities[name].value == pytest.approx(each.value, rel=1e-3), "whatever the receiver"


def test_pulses_that_differ_make_no_decay(inference):
    turned = inference.looks["long"].experiment.replace(sequence={"kind": "hahn", "tau": 2 * TAU, "theta2": 120.0})
    assert _is_decay(inference.looks)
    assert not _is_decay({**inference.looks, "long": replace(inference.looks["long"], experiment=turned)})
    assert not _is_decay({"short": inference.looks["short"]})


def test_curves_of_two_records_share_their_disorder(inference):
    recipe = inference.matched.recipes(1)["gaussian"]
    assert recipe.record_names == ("short", "long")

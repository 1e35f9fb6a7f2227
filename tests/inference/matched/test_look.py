"""A look at echoes whose noise, phase, offset, place and width are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import Record
from nmr_platform.inference.matched import Given, look
from nmr_platform.simulation import simulate
from tests.inference.matched.records import TAU, echo_record, experiment

TRUTH = {"phase": 35.0, "offset": 0.003, "line": 0.08, "echo": 2 * TAU, "noise": 0.004}


@pytest.mark.parametrize("kind", ["lorentzian", "gaussian"])
def test_without_noise_everything_is_read_off_exactly(kind):
    seen = look(echo_record(noise=0.0, kind=kind), experiment(line={"kind": kind, "fwhm": 0.05, "bandwidth": 1.0}))
    found = {name: getattr(seen, name).value for name in ("phase", "offset", "line", "echo")}
    assert found == pytest.approx({name: TRUTH[name] for name in found}, rel=1e-6)
    assert seen.dead_time.value == pytest.approx(4.0)
    assert seen.noise.value < 0.003


@pytest.mark.parametrize("name", [*TRUTH])
def test_the_errors_are_those_that_the_noise_makes(name):
    # A Gaussian line: the cusp of a Lorentzian echo is no straight line for a receiver's noise to hide in.
    gaussian = experiment(line={"kind": "gaussian", "fwhm": 0.05, "bandwidth": 1.0})
    seen = [getattr(look(echo_record(seed=seed, kind="gaussian"), gaussian), name) for seed in range(80)]
    strange = np.array([(each.value - TRUTH[name]) / each.error for each in seen])
    assert abs(strange.mean()) < 0.6
    assert 0.6 < strange.std() < 1.5


@pytest.mark.parametrize("kind", ["lorentzian", "gaussian"])
def test_what_does_not_decay_is_taken_for_the_narrowest_line_that_has_an_echo(kind):
    record = echo_record(noise=0.0, kind=kind)
    flat = record.with_signal(record.signal / np.abs(record.signal))
    found = look(flat, experiment(line={"kind": kind, "fwhm": 0.05, "bandwidth": 1.0})).line.value
    assert found == pytest.approx(1 / (np.pi * TAU))


def test_what_is_given_is_taken_and_said_to_be_given():
    seen = look(echo_record(), experiment(), Given(phase=10.0, offset=0.0, noise=0.1, scale=0.25, dead_time=8.0))
    given = {name for name, each in seen.estimates.items() if each.source == "given"}
    assert given == {"phase", "offset", "noise", "scale", "dead_time"}
    assert seen.phase.value == 10.0
    assert not seen.record.signal[seen.record.time < 38.0].any()
    assert str(seen.phase) == "10 degrees (given)"


def test_phase_offset_and_unit_of_a_receiver_leave_no_trace_in_what_is_corrected():
    one = look(echo_record(noise=0.0), experiment()).corrected.signal
    other = look(echo_record(noise=0.0, phase=-120.0, offset=-0.002, height=7e3), experiment()).corrected.signal
    np.testing.assert_allclose(one, other, atol=1e-9)


def test_an_echo_elsewhere_is_said_to_be_elsewhere():
    early = echo_record(start=34.0)
    late = type(early)(early.signal, 44.0, 0.5, early.source, "text")
    assert look(early, experiment()).warnings == []
    [warning] = look(late, experiment()).warnings
    assert "The echo is at 69.99" in warning
    assert "`--start`" in warning


def test_a_record_without_an_echo_where_it_is_expected_is_refused():
    rng = np.random.default_rng(1)
    noise = echo_record(height=1.0, noise=0.0).with_signal(0.1 * (rng.normal(size=112) + 1j * rng.normal(size=112)))
    with pytest.raises(DataError, match=r"must have an echo at 60 us.*`--start`"):
        look(noise, experiment())
    with pytest.raises(DataError, match=r"from 500 to 555\.5 us, but the sequence from 0 to 89\.5 us: give `--start`"):
        look(type(noise)(noise.signal, 500.0, 0.5, noise.source, "text"), experiment())


def test_a_sequence_without_an_echo_is_refused():
    sequence = {"kind": "inversion_recovery", "recovery": 20.0, "acquisition": 40.0}
    with pytest.raises(ConfigurationError, match="must be of a sequence with an echo, but 180x - 20 us"):
        look(echo_record(), experiment(sequence=sequence))


def test_the_noise_of_few_spins_is_no_echo():
    rng = np.random.default_rng(2)
    late = echo_record(noise=1e-4, start=34.0)
    smooth = np.convolve(rng.normal(size=120) + 1j * rng.normal(size=120), np.ones(3), "valid")[: len(late.signal)]
    with pytest.raises(DataError, match=r"`--start`"):
        look(late.with_signal(0.01 * smooth), experiment())


def every(n, record):
    """What a receiver that is slower by a whole number has."""
    return replace(record, signal=record.signal[::n], dwell=n * record.dwell)


@pytest.mark.parametrize("start", [34.0, 34.5])
def test_three_points_in_a_row_are_an_echo_if_no_others_are_as_high(start):
    narrow = every(2, echo_record(fwhm=0.15, noise=1e-3, start=start))
    assert (np.abs(narrow.signal) > np.abs(narrow.signal).max() / 2).sum() in {3, 4}
    seen = look(narrow, experiment())
    assert seen.line.value == pytest.approx(0.15, rel=0.05)
    assert seen.echo.value == pytest.approx(2 * TAU, abs=0.2)
    with pytest.raises(DataError, match=r"2 points above half of it, 2 of them in a row"):
        look(every(4, echo_record(fwhm=0.15, noise=1e-3, start=35.0)), experiment())


def test_couplings_along_x_widen_the_line_that_an_echo_shows_and_along_z_alone_do_not():
    shown = {}
    for name, along_x, along_z in [("free", 0.0, 0.0), ("z", 0.0, 4e-5), ("x", 4e-5, 0.0)]:
        coupling = {"alpha_x": along_x, "alpha_y": along_x, "alpha_z": along_z}
        sample = {"lattice": {"shape": [32, 32]}, "coupling": coupling, "line": {"fwhm": 0.05, "bandwidth": 1.0}}
        coupled = experiment(**sample, sequence={"kind": "hahn", "tau": 100.0}, step=0.25)
        echo = simulate(coupled, seed=0, integrator="fast")
        record = Record(echo.m.astype(complex), 0.0, coupled.step, Path("echo.csv"), "text")
        shown[name] = look(record, coupled).line.value
    assert shown["z"] == pytest.approx(shown["free"], rel=1e-3)
    assert shown["x"] > 1.1 * shown["free"]

"""Corrections and resampling, against echoes whose truth is known."""

import json

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from nmr_platform.datasets import load, publish
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import correct, find_corrections, measured_curve, read_delimited, resample
from nmr_platform.exchange.records.corrections import pathway
from nmr_platform.simulation import simulate
from tests.exchange.builders import REFERENCE, STEP, hahn, measured, quiet_experiment, truth

ECHO = 120


@pytest.mark.parametrize(
    ("sequence", "degrees"),
    [
        ({"kind": "hahn", "tau": 15.0}, -90),
        ({"kind": "hahn", "tau": 15.0, "phi2": 0}, 90),
        ({"kind": "hahn", "tau": 15.0, "phi1": 90, "phi2": 90}, 180),
        ({"kind": "hahn", "tau": 15.0, "phi1": 30, "phi2": 75}, 2 * 75 - 30 + 90),
        ({"kind": "hahn", "tau": 15.0, "theta1": -90}, 90),
        ({"kind": "hahn", "tau": 15.0, "theta2": 120}, -90),
        ({"kind": "cpmg", "echo_spacing": 15.0, "n_echoes": 3}, -90),
    ],
)
def test_the_pathway_knows_the_phase_of_a_simulated_echo(sequence, degrees):
    experiment = hahn(
        sequence=sequence,
        lattice={"shape": [64, 64]},
        coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0},
        line={"fwhm": 0.2, "bandwidth": 0.5, "weights": "integrated"},
    )
    path = pathway(experiment, experiment.time)
    echo = experiment.echo_indices[-1]
    assert path.dephased[echo] == pytest.approx(0.0, abs=1e-9)
    assert np.cos(path.phase[echo] - np.deg2rad(degrees)) == pytest.approx(1.0)
    m = simulate(experiment, seed=0).m[echo]
    assert np.cos(np.angle(m) - np.deg2rad(degrees)) == pytest.approx(1.0, abs=1e-3)


@settings(max_examples=25, deadline=None)
@given(phase=st.floats(-179, 179), offset=st.floats(-0.1, 0.1), gain=st.floats(1e-3, 1e6))
def test_phase_offset_and_gain_of_a_clean_echo_are_recovered(phase, offset, gain):
    experiment, m = quiet_experiment(), truth()
    turned = m * np.exp(2j * np.pi * offset * pathway(experiment, experiment.time).dephased)
    found = find_corrections(measured(turned, phase=phase, gain=gain), experiment)
    known = find_corrections(measured(m), experiment)
    assert found.offset - known.offset == pytest.approx(offset, abs=1e-6)
    assert np.cos(np.deg2rad(found.phase - known.phase - phase)) == pytest.approx(1.0, abs=1e-8)
    assert found.scale * gain == pytest.approx(known.scale, rel=1e-6)


def test_a_line_beside_the_receiver_is_brought_back_over_the_whole_record():
    experiment = quiet_experiment()
    found = find_corrections(measured(truth(shift=0.07), phase=25.0), experiment)
    centred = find_corrections(measured(truth()), experiment)
    assert found.offset - centred.offset == pytest.approx(-0.07, abs=1e-6)
    back = correct(measured(truth(shift=0.07), phase=25.0), experiment, found)
    plain = correct(measured(truth()), experiment, centred)
    np.testing.assert_allclose(back.signal, plain.signal, atol=1e-6)


def test_a_noisy_echo_is_corrected_to_a_few_degrees():
    m, experiment = truth(shift=0.05), quiet_experiment()
    record = measured(m, phase=-110.0, gain=300.0, noise=0.01)
    known = find_corrections(measured(truth()), experiment)
    found = find_corrections(record, experiment)
    assert found.offset - known.offset == pytest.approx(-0.05, abs=2e-3)
    assert (found.phase - known.phase + 110) % 360 == pytest.approx(0.0, abs=2.0) or (
        (found.phase - known.phase + 110) % 360 == pytest.approx(360.0, abs=2.0)
    )
    curve = measured_curve(record, experiment, scale=1 / 300)
    np.testing.assert_allclose(np.abs(curve["m"][0]), np.abs(truth()), atol=0.06)
    residue = curve["m"].to_numpy()[0, ECHO - 8 : ECHO + 9] - truth()[ECHO - 8 : ECHO + 9]
    assert np.sqrt(np.mean(np.abs(residue) ** 2)) < 0.03


def test_given_corrections_are_used_and_the_truth_comes_back():
    experiment, m = hahn(), truth()
    turned = m * np.exp(2j * np.pi * 0.03 * pathway(experiment, experiment.time).dephased)
    curve = measured_curve(measured(turned, phase=70.0, gain=8.0), experiment, phase=70.0, offset=0.03, scale=0.125)
    np.testing.assert_allclose(curve["m"][0], m, atol=1e-6)
    assert curve.attrs["phase"] == 70.0
    assert curve.attrs["phase_estimated"] is False


def test_a_spectrometer_that_turns_the_other_way_is_conjugated():
    kept = measured_curve(measured(truth()), hahn(), phase=0.0, offset=0.0, scale=1.0, conjugate=True)
    np.testing.assert_allclose(kept["m"][0], truth().conj(), atol=1e-6)


@pytest.mark.parametrize("method", ["cubic", "bandlimited"])
@pytest.mark.parametrize("dwell", [0.05, 0.6])
def test_resampling_recovers_the_curve_of_uncoupled_spins(method, dwell):
    # The band ends at 0.25 MHz; at 0.6 us the record is sampled little above the 0.5 MHz that this takes at least.
    # Compared around the echo, away from the jumps at the second pulse and at the ends.
    record = measured(truth(step=dwell), step=dwell)
    curve = resample(record, quiet_experiment().time[:-8], method)
    tolerance = {0.05: {"cubic": 1e-6, "bandlimited": 2e-5}, 0.6: {"cubic": 1.5e-2, "bandlimited": 1e-3}}[dwell][method]
    np.testing.assert_allclose(curve[100:140], truth()[100:140], atol=tolerance)
    np.testing.assert_allclose(curve, truth()[:-8], atol=0.1)


def test_band_limited_resampling_keeps_noise_above_the_new_band_from_folding_back():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=4000) + 1j * rng.normal(size=4000)
    record = measured(noise, step=0.05)
    time = np.arange(100, 700) * 0.25
    power = {method: np.mean(np.abs(resample(record, time, method)) ** 2) for method in ("cubic", "bandlimited")}
    # A fifth of the band holds a fifth of the power.
    assert power["bandlimited"] == pytest.approx(0.2 * 2, rel=0.15)
    assert power["cubic"] > 1.0


def test_the_result_has_the_layout_of_the_store_and_names_what_was_done(tmp_path):
    curve = measured_curve(measured(truth(), phase=10.0), quiet_experiment())
    assert curve["m"].dims == ("curve", "time")
    assert curve["m"].dtype == np.complex64
    assert curve["m_z"].isnull().all()
    assert curve["time"].to_numpy().tolist() == quiet_experiment().time.tolist()
    assert curve.attrs["echo_index"] == ECHO
    assert curve.attrs["source"] == "echo.csv"
    assert curve.attrs["phase_estimated"] is True
    assert json.loads(curve.attrs["experiment"])["sequence"]["tau"] == 15.0
    assert float(np.abs(curve["m"][0, 100:]).max()) == pytest.approx(0.5, rel=1e-3)
    publish(curve, tmp_path / "echo.zarr")
    xr.testing.assert_equal(load(tmp_path / "echo.zarr"), curve)
    assert load(tmp_path / "echo.zarr").attrs["phase"] == curve.attrs["phase"]


def test_a_record_of_the_echo_alone_is_too_short_unless_zeros_are_wanted():
    late = measured(truth()[90:150], start=90 * STEP)
    with pytest.raises(DataError, match=r"`echo.csv` goes from 22.5 to 37.25 us, which is too short for the time axis"):
        measured_curve(late, hahn())
    curve = measured_curve(late, hahn(), outside="zero", phase=0.0, offset=0.0, scale=1.0)
    m = curve["m"].to_numpy()[0]
    np.testing.assert_allclose(m[90:150], truth()[90:150], atol=1e-6)
    assert not m[:90].any()
    assert not m[150:].any()
    assert (curve.attrs["recorded_from"], curve.attrs["recorded_to"]) == (22.5, 37.25)


def test_zeros_inside_a_record_are_a_gap_that_no_spline_bridges():
    m = truth().copy()
    m[20:40] = 0
    with pytest.raises(DataError, match=r"goes from 0 to 44.75 us with zeros from 5 to 9\.75 us, which is too short"):
        measured_curve(measured(m), hahn())
    curve = measured_curve(measured(m), hahn(step=STEP / 2), outside="zero", phase=0.0, offset=0.0, scale=1.0)
    assert curve.attrs["recorded_gaps"] == [5.0, 9.75]
    time = curve["time"].to_numpy()
    assert not curve["m"].to_numpy()[0, (time >= 5.0) & (time <= 9.75)].any()


def test_a_record_from_another_time_is_refused():
    with pytest.raises(DataError, match=r"`echo.csv` has no points on the time axis of the sequence"):
        measured_curve(measured(truth(), start=1e6), hahn(), outside="zero")


def test_too_few_points_on_the_echo_are_refused():
    with pytest.raises(DataError, match=r"`echo.csv` has 0 points on the echo at 30 us, but 3 are needed"):
        find_corrections(measured(truth()[:80]), hahn())
    with pytest.raises(DataError, match=r"has 3 points, but a record needs 16 or more"):
        measured(truth()[:3])


def test_a_silent_record_is_refused():
    with pytest.raises(DataError, match=r"`echo.csv`: every point is zero, as where nothing was recorded"):
        find_corrections(measured(0 * truth()), hahn())


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the published curves are not on this machine")
def test_published_curves_come_in_as_if_measured_and_agree_with_the_simulation(tmp_path):
    # Figure 2 of arXiv 2110.06811: sample k, from 1, is at k steps of 1 / (2 pi) us; alpha = 0.1 without and 0 with
    # a coupling along z.
    step = 1 / (2 * np.pi)
    curves = np.loadtxt(REFERENCE / "fig2_uniform_20x20_flip090.csv", delimiter=",", skiprows=1)
    time = step * np.arange(1, len(curves) + 1)
    for name, columns in (("coupled", (9, 10)), ("uncoupled", (1, 2))):
        np.savetxt(tmp_path / f"{name}.csv", np.column_stack([time, curves[:, columns]]), delimiter=",")
    published = hahn(
        lattice={"shape": [20, 20]},
        kernel={"kind": "uniform"},
        coupling={"alpha_x": 0.1, "alpha_y": 0.1, "alpha_z": 0.0},
        line={"fwhm": 0.05, "bandwidth": 0.5, "weights": "integrated"},
        dissipation={"gamma_z": 1e-7},
        sequence={"kind": "hahn", "tau": 628 * step},
        step=step,
    )
    record = read_delimited(tmp_path / "coupled.csv")
    kept = measured_curve(record, published, phase=0.0, offset=0.0, scale=1.0, outside="zero")
    echo = simulate(published, dtype="float64")
    np.testing.assert_allclose(kept["m"][0, 1:], echo.m[1:], atol=2e-4)
    found = find_corrections(read_delimited(tmp_path / "uncoupled.csv"), published)
    assert (found.phase, found.offset) == pytest.approx((0.0, 0.0), abs=0.05)


def test_a_record_with_a_gap_is_refused():
    broken = truth().copy()
    broken[4] = np.nan
    with pytest.raises(DataError, match=r"`echo.csv`: point 5 is not a finite number"):
        measured(broken)


def test_without_an_echo_in_the_sequence_corrections_must_be_given():
    elements = [{"kind": "pulse", "theta": 90}, {"kind": "delay", "duration": 45.0}]
    free = hahn(sequence={"kind": "custom", "elements": elements})
    with pytest.raises(
        ConfigurationError, match=r"has no `echo_times`, so `phase`, `offset` and `scale` must be given"
    ):
        measured_curve(measured(truth()), free)
    assert measured_curve(measured(truth()), free, phase=0.0, offset=0.0, scale=1.0).attrs["echo_index"] == -1

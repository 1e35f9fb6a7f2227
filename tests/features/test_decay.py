"""The decay of echoes, beside decays that can be written down and a fit by SciPy."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from nmr_platform import simulate
from nmr_platform.features import Acquisition, DecayFeatures, extract
from nmr_platform.features.kinds.decay import stretched_decay
from tests.builders import experiment
from tests.features.across_contract import AcrossContract, taken_of

TIMES = {"a": 20.0, "b": 60.0, "c": 40.0, "d": 90.0}
TAKEN = taken_of(**{name: {"kind": "hahn", "tau": time / 2} for name, time in TIMES.items()})


class TestDecayMagnitude(AcrossContract):
    feature_set = DecayFeatures(signal="magnitude")
    taken = TAKEN
    needed = frozenset(("height",))


class TestDecayComplex(AcrossContract):
    feature_set = DecayFeatures(signal="complex")
    taken = TAKEN
    needed = frozenset(("height", "phase"))


def echoes(height, phase):
    """Records whose echo has a given height and phase (radians) at its time, and nothing else near it."""
    records = {}
    for name, taken in TAKEN.items():
        records[name] = np.full((len(height(1.0)), taken.n_samples), np.nan, dtype=complex)
        records[name][:, taken.echo_index] = height(TIMES[name]) * np.exp(1j * phase(TIMES[name]))
    return records


def test_a_stretched_decay_that_turns_is_read_off():
    t2, beta, frequency = np.array([30.0, 80.0, 300.0]), np.array([0.6, 1.0, 2.5]), np.array([0.004, -0.002, 0.0])
    m = echoes(
        lambda t: 0.4 * np.exp(-((t / t2) ** beta)), lambda t: 2 * np.pi * frequency * t + np.array([0.3, -1.0, 2.0])
    )
    table = extract(m, DecayFeatures(signal="complex"), TAKEN)
    names = [f"{name}.{part}" for name in TIMES for part in ("height", "phase_cos", "phase_sin")]
    assert list(table.columns) == [*names, "decay_rate", "decay_time", "decay_exponent", "phase_slope"]
    np.testing.assert_allclose(table["c.height"], 0.4 * np.exp(-((40.0 / t2) ** beta)), rtol=1e-6)
    np.testing.assert_allclose(table["c.phase_cos"], np.cos(2 * np.pi * frequency * 40 + [0.3, -1.0, 2.0]), atol=1e-6)
    np.testing.assert_allclose(table["decay_time"], t2, rtol=1e-5)
    np.testing.assert_allclose(table["decay_exponent"], beta, rtol=1e-5)
    np.testing.assert_allclose(table["phase_slope"], frequency, atol=1e-7)
    assert table["decay_rate"][1] == pytest.approx(1 / 80, rel=1e-6)


def test_two_echoes_tell_a_rate_and_no_exponent():
    m = echoes(lambda t: np.array([0.4, 0.3]) * np.exp(-t / np.array([50.0, 200.0])), lambda t: 0 * t)
    table = extract(m, DecayFeatures(signal="magnitude", records=("a", "d")), TAKEN)
    assert list(table.columns) == ["a.height", "d.height", "decay_rate", "decay_time"]
    np.testing.assert_allclose(table["decay_time"], [50, 200], rtol=1e-6)
    np.testing.assert_allclose(table["decay_rate"], [1 / 50, 1 / 200], rtol=1e-6)


def test_echoes_that_do_not_fall_have_the_longest_time_and_an_exponent_of_one():
    time = np.array([20.0, 40.0, 90.0])
    found = stretched_decay(np.array([[0.1, 0.2, 0.3], [0.2, 0.2, 0.2], [0.0, 0.0, 0.0]]), time)
    np.testing.assert_allclose(found, [[9000.0] * 3, [1.0] * 3])


def test_the_fit_is_that_of_least_squares():
    """Weights h^2 on log h stand for equal weights on h: the fit is near SciPy's, and no worse in its own measure."""
    rng, time = np.random.default_rng(8), np.array([15.0, 30.0, 50.0, 80.0, 120.0, 200.0])
    t2, beta = rng.uniform(40, 150, 30), rng.uniform(0.6, 2.5, 30)
    heights = 0.45 * np.exp(-((time / t2[:, None]) ** beta[:, None])) + 1e-3 * rng.normal(size=(30, 6))
    heights = np.abs(heights)
    found = np.array(stretched_decay(heights, time)).T
    for height, (time_found, exponent) in zip(heights, found, strict=True):
        fitted, _ = curve_fit(
            lambda t, top, decay, power: np.log(top) - (t / decay) ** power,
            time,
            np.log(height),
            (0.45, 80.0, 1.2),
            sigma=1 / height,
            bounds=([0, 1, 0.25], [1, 1e4, 4.0]),
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
        )
        np.testing.assert_allclose([time_found, exponent], fitted[1:], rtol=1e-4)


def test_neighbouring_samples_are_averaged_around_the_echo():
    m = {name: np.zeros((1, taken.n_samples), complex) for name, taken in TAKEN.items()}
    at = TAKEN["a"].echo_index
    m["a"][0, at - 2 : at + 3] = [1.0, 2.0, 3.0, 5.0, 7.0]
    table = extract(m, DecayFeatures(signal="magnitude", decimate=2), TAKEN)
    assert table["a.height"][0] == (2.0 + 2 * 3.0 + 5.0) / 4


def test_dephasing_alone_is_read_off_as_its_rate():
    """Without couplings, gamma_z dephases every spin alike: the echo falls by exp(-t / T2)."""
    taken, m = {}, {}
    for name, time in TIMES.items():
        one = experiment(
            coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0},
            dissipation={"gamma_z": 0.002},
            sequence={"kind": "hahn", "tau": time / 2},
            step=0.25,
        )
        taken[name], m[name] = Acquisition.of(one), simulate(one, seed=1, integrator="midpoint").m[np.newaxis]
    table = extract(m, DecayFeatures(signal="complex"), taken)
    assert table["decay_exponent"][0] == pytest.approx(1, abs=1e-3)
    assert table["decay_time"][0] == pytest.approx(1 / table["decay_rate"][0], rel=1e-3)
    assert table["decay_rate"][0] == pytest.approx(-np.log(table["d.height"][0] / table["a.height"][0]) / 70, rel=1e-3)
    assert table["phase_slope"][0] == pytest.approx(0, abs=1e-6)

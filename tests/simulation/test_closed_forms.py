"""Uncoupled spins, whose record can be written down."""

import numpy as np
import pytest
from scipy.integrate import quad

from nmr_platform import simulate
from nmr_platform.physics import LorentzianLine
from nmr_platform.simulation import INTEGRATORS
from tests.builders import UNIT_STEP, experiment
from tests.simulation.systems import UNCOUPLED, comb, free_decay, phase_time


def excited(theta, phi):
    """m_x + i m_y and m_z of a spin along z after a pulse: -(i/2) sin(theta) e^(i phi) and cos(theta)/2."""
    return -0.5j * np.sin(theta) * np.exp(1j * phi), 0.5 * np.cos(theta)


def turned(m, m_z, theta, phi):
    """Any spin after a pulse, from Rodrigues' formula about (cos phi, sin phi, 0) written for m = m_x + i m_y."""
    out = np.cos(theta / 2) ** 2 * m + np.sin(theta / 2) ** 2 * np.exp(2j * phi) * m.conj()
    out = out - 1j * np.sin(theta) * np.exp(1j * phi) * m_z
    return out, np.cos(theta) * m_z + np.sin(theta) * (m * np.exp(-1j * phi)).imag


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize(
    ("theta1", "phi1", "theta2", "phi2"),
    [(90, 0, 180, 90), (90, 0, 180, 0), (60, 0, 120, 90), (37, -20, 101, 55), (150, 10, 75, 200), (0, 0, 90, 0)],
)
def test_uncoupled_hahn_echo_with_any_pulses(theta1, phi1, theta2, phi2, integrator):
    # dm/ds = m x (0, 0, nu) is d(m_x + i m_y)/ds = -i nu (m_x + i m_y): free precession multiplies by exp(-i nu s).
    tau = 30
    offsets = np.random.default_rng(1).uniform(-0.25, 0.25, (4, 4))
    hahn = {"kind": "hahn", "tau": tau * UNIT_STEP, "theta1": theta1, "phi1": phi1, "theta2": theta2, "phi2": phi2}
    echo = simulate(
        experiment(coupling=UNCOUPLED, sequence=hahn), offsets=offsets, dtype="float64", integrator=integrator
    )
    s, nu = phase_time(echo), offsets.ravel()
    m, m_z = excited(np.deg2rad(theta1), np.deg2rad(phi1))
    before = s <= tau + 1e-9
    assert np.allclose(echo.m[before], m * np.exp(-1j * np.outer(s[before], nu)).mean(axis=1), atol=1e-13)
    assert np.allclose(echo.m_z[before], m_z, atol=1e-13)
    m, m_z = turned(m * np.exp(-1j * nu * tau), m_z, np.deg2rad(theta2), np.deg2rad(phi2))
    after = (m * np.exp(-1j * np.outer(s[~before] - tau, nu))).mean(axis=1)
    assert np.allclose(echo.m[~before], after, atol=1e-13)
    assert np.allclose(echo.m_z[~before], m_z.mean(), atol=1e-13)


def test_a_perfect_hahn_echo_refocuses_every_offset():
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [32, 32]}, sequence={"kind": "hahn", "tau": 50.0})
    echo = simulate(values, dtype="float64")
    (index,) = values.echo_indices
    assert abs(echo.m[index]) == pytest.approx(0.5, abs=1e-12)
    assert abs(echo.m[index // 2]) < 0.05


TRAIN = {"kind": "cpmg", "echo_spacing": 64 * UNIT_STEP, "n_echoes": 4}


def test_every_echo_of_an_uncoupled_cpmg_train_is_the_initial_signal():
    values = experiment(coupling=UNCOUPLED, sequence=TRAIN)
    echo = simulate(values, dtype="float64")
    assert values.echo_indices == (64, 128, 192, 256)
    assert np.allclose(echo.m[list(values.echo_indices)], echo.m[0], atol=1e-12)
    assert np.abs(echo.m[0]) == pytest.approx(0.5)


@pytest.mark.parametrize("theta2", [180.0, 165.0, 120.0, 90.0])
def test_the_first_echo_of_an_imperfect_train_falls_with_the_sine_squared_of_half_the_angle(theta2):
    # Everything else has dephased: cos^2(theta/2) of the first decay, and the free decay after the second pulse.
    train = TRAIN | {"theta1": 70.0, "theta2": theta2}
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [8, 8]}, sequence=train)
    echo = simulate(values, offsets=comb((8, 8)), dtype="float64")
    expected = -0.5j * np.sin(np.deg2rad(70)) * np.sin(np.deg2rad(theta2 / 2)) ** 2
    assert echo.m[values.echo_indices[0]] == pytest.approx(expected, abs=1e-13)


def test_a_train_about_the_axis_of_the_magnetisation_heals_its_errors_in_every_second_echo():
    # Meiboom and Gill: the error of the angle is of first order in the odd echoes' cosine, of second in the even ones.
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [8, 8]}, sequence=TRAIN | {"theta2": 170.0})
    echo = simulate(values, offsets=comb((8, 8)), dtype="float64")
    lost = 0.5 - np.abs(echo.m[list(values.echo_indices)])
    assert lost[0] == pytest.approx(0.5 * np.sin(np.deg2rad(5)) ** 2)
    assert lost[1] < 0.1 * lost[0]
    assert lost[3] < 0.5 * lost[2]


@pytest.mark.parametrize(("theta1", "theta2", "theta3"), [(90, 90, 90), (90, 45, 60), (50, 130, -70), (120, 90, 20)])
@pytest.mark.parametrize("phases", [(0, 0, 0), (20, -35, 110)])
def test_a_stimulated_echo_has_half_the_product_of_the_sines(theta1, theta2, theta3, phases):
    # The second pulse stores -(1/2) s1 s2 cos(nu tau - phi1 + phi2) along z; the third turns it by -i s3 e^(i phi3),
    # and the half of the cosine that runs backwards refocuses after tau: (i/4) s1 s2 s3 e^(i (phi2 + phi3 - phi1)),
    # half the product of the sines times the magnetisation 1/2 at the start. All else has dephased.
    angles = {f"theta{n}": float(theta) for n, theta in enumerate((theta1, theta2, theta3), start=1)}
    angles |= {f"phi{n}": float(phase) for n, phase in enumerate(phases, start=1)}
    sequence = {"kind": "stimulated", "tau": 32 * UNIT_STEP, "mixing": 80 * UNIT_STEP} | angles
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [8, 8]}, sequence=sequence)
    echo = simulate(values, offsets=comb((8, 8)), dtype="float64")
    s1, s2, s3 = np.sin(np.deg2rad([theta1, theta2, theta3]))
    phase = np.deg2rad(phases[1] + phases[2] - phases[0])
    assert values.echo_indices == (32 + 80 + 32,)
    assert echo.m[values.echo_indices[0]] == pytest.approx(0.25j * s1 * s2 * s3 * np.exp(1j * phase), abs=1e-13)


def test_the_primary_echo_of_a_stimulated_sequence_falls_into_the_mixing_time():
    sequence = {"kind": "stimulated", "tau": 32 * UNIT_STEP, "mixing": 80 * UNIT_STEP, "theta2": 100.0}
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [8, 8]}, sequence=sequence)
    echo = simulate(values, offsets=comb((8, 8)), dtype="float64")
    # Both pulses about x turn the echo over: e^(2 i phi2) conj(-i/2) = i/2.
    assert echo.m[64] == pytest.approx(0.5j * np.sin(np.deg2rad(50)) ** 2, abs=1e-13)


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("theta1", [180.0, 140.0])
@pytest.mark.parametrize("recovery", [16, 64, 160])
def test_inversion_recovery_reads_how_far_m_z_has_come_back(recovery, theta1, integrator):
    up, down, dephasing = 0.012, 0.004, 0.01
    values = experiment(
        coupling=UNCOUPLED,
        lattice={"shape": [8, 8]},
        dissipation={"gamma_plus": up, "gamma_minus": down, "gamma_z": dephasing},
        sequence={
            "kind": "inversion_recovery",
            "recovery": recovery * UNIT_STEP,
            "acquisition": 40 * UNIT_STEP,
            "theta1": theta1,
        },
    )
    echo = simulate(values, offsets=comb((8, 8)), dtype="float64", integrator=integrator)
    start, equilibrium = 0.5 * np.cos(np.deg2rad(theta1)), (up - down) / (2 * (up + down))
    s = phase_time(echo)[: recovery + 1]
    m_z = equilibrium + (start - equilibrium) * np.exp(-(up + down) * s)
    assert np.allclose(echo.m_z[: recovery + 1], m_z, atol=1e-13)
    if theta1 == 180.0:
        # The reading pulse turns m_z to -i m_z; a perfect inversion has left nothing else to turn.
        after = phase_time(echo)[recovery + 1 :] - recovery
        decay = np.exp(-1j * np.outer(after, comb((8, 8)).ravel())).mean(axis=1)
        decay *= np.exp(-(up + down + dephasing) * after / 2)
        assert np.allclose(echo.m[recovery + 1 :], -1j * m_z[-1] * decay, atol=1e-13)


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_pure_dephasing_decays_at_half_its_rate(integrator):
    values = experiment(coupling=UNCOUPLED, dissipation={"gamma_z": 0.04}, sequence=free_decay(100, theta=60.0))
    echo = simulate(values, offsets=np.zeros((4, 4)), dtype="float64", integrator=integrator)
    assert np.allclose(np.abs(echo.m), 0.5 * np.sin(np.pi / 3) * np.exp(-0.04 * phase_time(echo) / 2), atol=1e-13)
    assert np.allclose(echo.m_z, 0.25, atol=1e-13)


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("weights", ["sampled", "normalised"])
def test_relaxation_leads_to_equilibrium(weights, integrator):
    up, down = 0.03, 0.01
    values = experiment(
        coupling=UNCOUPLED,
        dissipation={"gamma_plus": up, "gamma_minus": down, "gamma_z": 0.02},
        line={"fwhm": 0.05, "bandwidth": 0.5, "weights": weights},
        sequence=free_decay(300, theta=130.0),
    )
    echo = simulate(values, offsets=np.full((4, 4), 0.1), dtype="float64", integrator=integrator)
    s, equilibrium = phase_time(echo), (up - down) / (2 * (up + down))
    start = 0.5 * np.cos(np.deg2rad(130))
    assert np.allclose(echo.m_z, equilibrium + (start - equilibrium) * np.exp(-(up + down) * s), atol=1e-13)
    assert echo.m_z[-1] == pytest.approx(0.25, abs=1e-5)
    transverse = -0.5j * np.sin(np.deg2rad(130)) * np.exp(-(0.1j + 0.03) * s)
    assert np.allclose(echo.m, transverse, atol=1e-13)


def lorentzian(nu):
    return 0.025 / np.pi / (nu**2 + 0.025**2)


def transform(s):
    """Fourier integral of the truncated line that is not renormalised, at s > 0 or 0."""
    return 2 * quad(lorentzian, 0, 0.25, weight="cos", wvar=float(s))[0]


INSIDE = 2 / np.pi * np.arctan(10)


def test_free_decay_is_the_fourier_transform_of_the_truncated_line():
    line = LorentzianLine(fwhm=0.05, bandwidth=0.5)
    offsets = line.quantile((np.arange(10_000) + 0.5) / 10_000).reshape(100, 100)
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [100, 100]}, sequence=free_decay(121))
    echo = simulate(values, offsets=offsets, dtype="float64")
    assert transform(0) == pytest.approx(INSIDE)
    for k in (0, 10, 40, 120):
        assert echo.m[k] == pytest.approx(-0.5j * transform(k) / INSIDE, abs=2e-6)


@pytest.mark.parametrize("weights", ["sampled", "normalised"])
def test_free_decay_of_drawn_offsets_scatters_about_the_transform(weights):
    # The mean of N values of exp(-i nu s) / 2 scatters by at most 1 / (2 sqrt(N)); 5 standard deviations are allowed.
    line = {"fwhm": 0.05, "bandwidth": 0.5, "weights": weights}
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [64, 64]}, line=line, sequence=free_decay(121))
    expected = np.array([-0.5j * transform(k) / INSIDE for k in range(0, 121, 6)])
    for seed in range(3):
        found = simulate(values, seed=seed, dtype="float64").m[::6]
        assert np.abs(found - expected).max() < 5 * 0.5 / 64
        assert np.abs(found - expected).max() > 1e-3


def test_free_decay_of_an_integrated_line_is_its_fourier_integral():
    line = {"fwhm": 0.05, "bandwidth": 0.5, "weights": "integrated"}
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [64, 64]}, line=line, sequence=free_decay(121))
    echo = simulate(values, seed=9, dtype="float64")
    nu = np.linspace(-0.25, 0.25, 4096)
    sums = np.exp(-1j * np.outer(phase_time(echo), nu)) @ (lorentzian(nu) * (nu[1] - nu[0]))
    assert np.allclose(echo.m, -0.5j * sums, atol=1e-13)
    for k in (0, 5, 30, 120):
        # The sum over the grid is the trapezoidal rule and half a cell more at each end.
        ends = lorentzian(0.25) * (nu[1] - nu[0]) * np.cos(0.25 * k)
        assert echo.m[k] == pytest.approx(-0.5j * (transform(k) + ends), abs=2e-8)
    # Far from the ends of the grid's period it is the exponential decay of the Lorentzian, but for the truncation.
    assert np.abs(echo.m[50]) == pytest.approx(0.5 * np.exp(-0.025 * 50), abs=5e-3)

"""Systems whose record can be written down."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ellipj

from nmr_platform import simulate
from nmr_platform.physics import Line
from tests.builders import UNIT_STEP, delay, experiment, pulse

UNCOUPLED = {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0}
INTEGRATORS = ["euler", "midpoint"]


def phase_time(echo):
    """Dimensionless time s = 2 pi t."""
    return 2 * np.pi * echo.time


def free_decay(steps, theta=90.0):
    return {"kind": "custom", "elements": [pulse(theta), delay(steps)]}


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


def test_every_echo_of_an_uncoupled_cpmg_train_is_complete():
    train = {"kind": "cpmg", "echo_spacing": 60 * UNIT_STEP, "n_echoes": 4}
    values = experiment(coupling=UNCOUPLED, sequence=train)
    echo = simulate(values, dtype="float64")
    assert np.abs(echo.m[list(values.echo_indices)]) == pytest.approx(np.full(4, 0.5), abs=1e-12)


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


def test_free_decay_is_the_fourier_transform_of_the_truncated_line():
    line = Line(fwhm=0.05, bandwidth=0.5)
    offsets = line.quantile((np.arange(10_000) + 0.5) / 10_000).reshape(100, 100)
    values = experiment(coupling=UNCOUPLED, lattice={"shape": [100, 100]}, sequence=free_decay(121))
    echo = simulate(values, offsets=offsets, dtype="float64")

    def shape(nu):
        return 0.025 / np.pi / (nu**2 + 0.025**2)

    inside = quad(shape, -0.25, 0.25, points=[0.0])[0]
    for k in (0, 10, 40, 120):
        transform = 2 * quad(shape, 0, 0.25, weight="cos", wvar=float(k))[0] / inside
        assert echo.m[k] == pytest.approx(-0.5j * transform, abs=2e-6)


def test_free_decay_of_an_integrated_line_is_its_weighted_sum():
    values = experiment(
        coupling=UNCOUPLED,
        line={"fwhm": 0.05, "bandwidth": 0.5, "weights": "integrated"},
        lattice={"shape": [20, 20]},
        sequence=free_decay(200),
    )
    nu = np.linspace(-0.25, 0.25, 400)
    weights = 0.025 / np.pi / (nu**2 + 0.025**2) * (nu[1] - nu[0])
    echo = simulate(values, seed=9, dtype="float64")
    assert np.allclose(echo.m, -0.5j * np.exp(-1j * np.outer(phase_time(echo), nu)) @ weights, atol=1e-13)
    # Far from the ends of the grid's period it is the exponential decay of the Lorentzian, but for the truncation.
    assert np.abs(echo.m[50]) == pytest.approx(0.5 * np.exp(-0.025 * 50), abs=5e-3)


# Without disorder all spins stay parallel, m, and feel the field K0 diag(alpha) m with K0 the sum of the kernel: the
# magnetisation obeys Euler's equations of a free top, dm/ds = m x diag(A) m with A = K0 alpha.


def parallel_spins(alpha, *, step=1.0, theta=60.0, integrator="euler", duration=60):
    values = experiment(
        kernel={"kind": "uniform"},
        coupling=dict(zip(("alpha_x", "alpha_y", "alpha_z"), (a / 15 for a in alpha), strict=True)),
        sequence=free_decay(duration, theta=theta),
        step=step * UNIT_STEP,
    )
    return simulate(values, offsets=np.zeros((4, 4)), dtype="float64", integrator=integrator)


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_isotropic_coupling_without_disorder_leaves_the_magnetisation_alone(integrator):
    echo = parallel_spins((0.4, 0.4, 0.4), integrator=integrator)
    assert np.allclose(echo.m, -0.5j * np.sin(np.pi / 3), atol=1e-13)
    assert np.allclose(echo.m_z, 0.25, atol=1e-13)


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_no_coupling_changes_the_length_of_a_spin(integrator):
    echo = parallel_spins((0.1, -0.3, 0.7), integrator=integrator, duration=500)
    assert np.allclose(np.hypot(np.abs(echo.m), echo.m_z), 0.5, atol=1e-13)


def orders(exact, **settings):
    """Observed order of both integrators, from the errors of the last sample at steps 1/2, 1/4 and 1/8."""
    found = {}
    for integrator in INTEGRATORS:
        errors = []
        for step in (1 / 2, 1 / 4, 1 / 8):
            echo = parallel_spins(step=step, integrator=integrator, **settings)
            # The last sample that all three records hold.
            index = round(59 / step)
            errors.append(np.hypot(*np.abs(np.subtract([echo.m[index], echo.m_z[index]], exact(59.0)))))
        found[integrator] = np.log2(np.divide(errors[:-1], errors[1:]))
    return found


def test_axial_coupling_without_disorder_precesses_about_z():
    # For A_x = A_y = A, m x diag(A, A, C) m = (C - A) m_z (m x z): precession at the rate (C - A) m_z.
    a, c = 0.1, 0.5
    m, m_z = excited(np.deg2rad(40), 0.0)

    def exact(s):
        return m * np.exp(-1j * (c - a) * m_z * s), m_z

    found = orders(exact, alpha=(a, a, c), theta=40.0)
    assert found["euler"] == pytest.approx([1, 1], abs=0.1)
    assert found["midpoint"] == pytest.approx([2, 2], abs=0.1)


def test_triaxial_coupling_without_disorder_is_a_free_top():
    # m = (p sn, q cn, r dn)(w s | k) solves m_x' = (C - B) m_y m_z and its cyclic permutations for A = diag(A, B, C) if
    # w^2 = (C - A)(C - B) r^2, p = (C - B) q r / w and k = (A - B) q^2 / ((C - A) r^2). A pulse about x starts it.
    a, b, c = 0.3, 0.1, 0.6
    q, r = -0.5 * np.sin(np.deg2rad(40)), 0.5 * np.cos(np.deg2rad(40))
    w = np.sqrt((c - a) * (c - b)) * r
    p, k = (c - b) * q * r / w, (a - b) * q**2 / ((c - a) * r**2)
    assert 0 < k < 1

    def exact(s):
        sn, cn, dn, _ = ellipj(w * s, k)
        return p * sn + 1j * q * cn, r * dn

    found = orders(exact, alpha=(a, b, c), theta=40.0)
    assert found["euler"] == pytest.approx([1, 1], abs=0.2)
    assert found["midpoint"] == pytest.approx([2, 2], abs=0.2)


# Symmetries of the coupled, disordered ensemble.

AXIAL = {"alpha_x": 0.04, "alpha_y": 0.04, "alpha_z": -0.06}


@pytest.fixture
def offsets():
    return np.random.default_rng(6).uniform(-0.25, 0.25, (4, 4))


def run(offsets, **changes):
    return simulate(experiment(**({"coupling": AXIAL} | changes)), offsets=offsets, dtype="float64")


def test_moving_the_disorder_along_the_lattice_changes_nothing(offsets):
    assert np.allclose(run(offsets).m, run(np.roll(offsets, (1, 3), axis=(0, 1))).m, atol=1e-12)


def test_axial_coupling_lets_the_phase_of_both_pulses_turn_the_record(offsets):
    hahn = {"kind": "hahn", "tau": 20 * UNIT_STEP, "theta1": 70.0, "theta2": 150.0}
    plain, shifted = run(offsets, sequence=hahn), run(offsets, sequence=hahn | {"phi1": 25.0, "phi2": 115.0})
    assert np.allclose(shifted.m, plain.m * np.exp(1j * np.deg2rad(25)), atol=1e-12)
    assert np.allclose(shifted.m_z, plain.m_z, atol=1e-12)


def test_dividing_the_weights_by_n_is_dividing_the_coupling_by_n(offsets):
    normalised = run(
        offsets,
        coupling={name: 16 * alpha for name, alpha in AXIAL.items()},
        line={"fwhm": 0.05, "bandwidth": 0.5, "weights": "normalised"},
    )
    assert np.allclose(run(offsets).m, normalised.m, atol=1e-12)


def test_axial_coupling_conserves_the_total_along_z(offsets):
    # Offsets turn spins about z, and the torque along z, alpha K (m_x^i m_y^j - m_y^i m_x^j), is odd in the pair.
    fine = {"sequence": free_decay(60, theta=60.0), "step": UNIT_STEP / 8}
    echo = simulate(experiment(coupling=AXIAL, **fine), offsets=offsets, dtype="float64", integrator="midpoint")
    assert np.allclose(echo.m_z, 0.25, atol=1e-5)
    assert np.ptp(np.abs(echo.m)) > 0.1

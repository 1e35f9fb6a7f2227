"""Coupled spins whose record can be written down, and symmetries of those whose record cannot."""

import numpy as np
import pytest
from scipy.special import ellipj

from nmr_platform import simulate
from nmr_platform.simulation import INTEGRATORS
from tests.builders import UNIT_STEP, experiment, experiment_values
from tests.simulation.systems import draw_offsets, free_decay

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
    """Observed order of each integrator, from the errors of the last sample at steps 1/16, 1/32 and 1/64."""
    found = {}
    for integrator in INTEGRATORS:
        errors = []
        for step in (1 / 16, 1 / 32, 1 / 64):
            echo = parallel_spins(step=step, integrator=integrator, **settings)
            # The last sample that all three records hold.
            index = round(59 / step)
            errors.append(np.hypot(*np.abs(np.subtract([echo.m[index], echo.m_z[index]], exact(59.0)))))
        found[integrator] = np.log2(np.divide(errors[:-1], errors[1:]))
    return found


def assert_orders(found, tolerance):
    for integrator, order in (("euler", 1), ("midpoint", 2), ("fast", 2)):
        assert found[integrator] == pytest.approx([order, order], abs=tolerance), integrator


def test_axial_coupling_without_disorder_precesses_about_z():
    # For A_x = A_y = A, m x diag(A, A, C) m = (C - A) m_z (m x z): precession at the rate (C - A) m_z.
    a, c = 0.1, 0.5
    m, m_z = -0.5j * np.sin(np.deg2rad(40)), 0.5 * np.cos(np.deg2rad(40))

    def exact(s):
        return m * np.exp(-1j * (c - a) * m_z * s), m_z

    assert_orders(orders(exact, alpha=(a, a, c), theta=40.0), tolerance=0.1)


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

    assert_orders(orders(exact, alpha=(a, b, c), theta=40.0), tolerance=0.2)


# Symmetries of the coupled, disordered ensemble.

AXIAL = {"alpha_x": 0.04, "alpha_y": 0.04, "alpha_z": -0.06}


@pytest.fixture
def offsets():
    return draw_offsets((4, 4))


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


@pytest.mark.parametrize(("tau", "theta2"), [(50.0, 90.0), (100.0, 90.0), (100.0, 120.0), (100.0, 180.0)])
def test_an_echo_is_damped_by_the_field_of_the_m_z_that_its_second_pulse_leaves(tau, theta2):
    # m_z = sin(phi) sin(theta2) / 2 with the phase phi of each spin at the pulse: at random, with variance
    # sin(theta2)^2 / 8. Its field on a spin, alpha_z sum K m_z, acts after the pulse only, so that it is not refocused.
    z, xi, seeds = 0.1, 5.0, range(6)
    values = experiment_values(
        lattice={"shape": [64, 64]},
        kernel={"kind": "gaussian", "xi": xi},
        line={"fwhm": 0.05, "bandwidth": 1.0},
        sequence={"kind": "hahn", "tau": tau, "theta1": 90.0, "theta2": theta2},
        step=0.2,
    )
    kernel_sum = experiment(**values).kernel_sum
    values["coupling"] = {"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": z / kernel_sum}
    made = experiment(**values)
    found = abs(np.mean([simulate(made, seed=seed, integrator="fast").m[made.echo_indices[0]] for seed in seeds]))
    # A sum of K^2 is the sum of a Gaussian of range xi / sqrt(2), less the site itself.
    squares = np.pi * xi**2 / 2 - 1
    field = z / kernel_sum * np.sqrt(squares / 8) * np.sin(np.radians(theta2))
    expected = np.sin(np.radians(theta2 / 2)) ** 2 / 2 * np.exp(-((2 * np.pi * field * tau) ** 2) / 2)
    assert found == pytest.approx(expected, abs=0.015)

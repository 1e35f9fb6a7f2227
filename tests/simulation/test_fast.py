"""The fast integrator: as accurate as promised, and right at the beginning of every delay."""

import numpy as np
import pytest

from nmr_platform import simulate
from nmr_platform.simulation.stepping import STRIDE
from tests.builders import UNIT_STEP, delay, experiment, pulse
from tests.simulation.systems import RELAXING, UNCOUPLED, draw_offsets, record

KERNELS = {
    "gaussian": {"kind": "gaussian", "xi": 6.0},
    "rkky": {"kind": "rkky", "xi": 6.0},
    "power": {"kind": "power", "exponent": 3.0},
}


def reference(kernel, theta):
    """The literature's record of 1884 samples with a kernel integral of 0.1 MHz on 64 x 64 spins."""
    values = experiment(
        lattice={"shape": [64, 64]},
        kernel=KERNELS[kernel],
        line={"fwhm": 0.05, "bandwidth": 1.0},
        sequence={"kind": "hahn", "tau": 628 * UNIT_STEP, "theta1": theta, "theta2": 2 * theta},
    )
    return values.replace(coupling=dict.fromkeys(UNCOUPLED, float(0.1 / 3 / abs(values.kernel_sum))))


@pytest.mark.parametrize(("kernel", "theta"), [("gaussian", 90.0), ("rkky", 60.0), ("power", 90.0)])
def test_it_errs_less_than_euler_at_the_literatures_step(kernel, theta):
    values = reference(kernel, theta)
    assert values.n_samples == 1884
    assert abs(values.kernel_integral) == pytest.approx(0.1)
    halved = values.replace(step=values.step / 2, receiver={"every": 2})
    converged = record(simulate(halved, integrator="midpoint", dtype="float64"))
    error = {
        integrator: np.abs(record(simulate(values, integrator=integrator, dtype="float64")) - converged).max()
        for integrator in ("euler", "midpoint", "fast")
    }
    # The midpoint rule at twice the step bounds the error of what counts as converged.
    assert error["midpoint"] < 1e-4
    assert error["fast"] < 6e-4
    assert error["fast"] < 0.7 * error["euler"]


@pytest.mark.parametrize("dissipation", [{}, RELAXING], ids=["closed", "relaxing"])
def test_without_coupling_it_is_the_midpoint_rule_to_the_last_bit(dissipation):
    values = experiment(coupling=UNCOUPLED, dissipation=dissipation)
    fast, midpoint = (simulate(values, integrator=name, dtype="float64") for name in ("fast", "midpoint"))
    assert np.array_equal(record(fast), record(midpoint))


def broken_delay(*lengths):
    """Pulses with delays of so many steps between them."""
    elements = [pulse(70, 10)]
    for number, length in enumerate(lengths):
        elements += [delay(length), pulse(50, 40 * number)]
    return {"kind": "custom", "elements": elements}


@pytest.mark.parametrize("lengths", [(1, 1), (STRIDE, 0, STRIDE), (0, 2, 1, 0, STRIDE, 1), (STRIDE - 1,) * 4])
def test_delays_of_a_few_steps_are_the_midpoint_rule(lengths):
    values = experiment(sequence=broken_delay(*lengths))
    fast, midpoint = (simulate(values, integrator=name, dtype="float64") for name in ("fast", "midpoint"))
    assert fast.m.size == sum(lengths)
    assert np.array_equal(record(fast), record(midpoint))


@pytest.mark.parametrize("lengths", [(STRIDE + 1,), (2 * STRIDE, 1), (2 * STRIDE + 1,), (3 * STRIDE - 1, 4, 25)])
def test_longer_delays_depart_from_it_after_the_first_few_steps(lengths):
    values = experiment(sequence=broken_delay(*lengths), step=UNIT_STEP / 2)
    fast, midpoint = (record(simulate(values, integrator=name, dtype="float64")) for name in ("fast", "midpoint"))
    assert np.array_equal(fast[: STRIDE + 1], midpoint[: STRIDE + 1])
    assert 0 < np.abs(fast - midpoint).max() < 2e-3


def test_it_forgets_the_field_before_a_pulse():
    # A pulse that undoes itself at once must leave no trace but the fresh start: not a field extrapolated across it.
    plain = experiment(sequence={"kind": "custom", "elements": [pulse(70), delay(12), delay(12)]})
    kicked = experiment(
        sequence={"kind": "custom", "elements": [pulse(70), delay(12), pulse(180), pulse(-180), delay(12)]}
    )
    offsets = draw_offsets((4, 4))
    one, other = (record(simulate(v, offsets=offsets, integrator="fast", dtype="float64")) for v in (plain, kicked))
    assert np.abs(one - other).max() < 1e-13


def test_its_field_stays_zero_for_components_that_do_not_couple():
    # Finite pulses write drive angles into the work space of the field.
    values = experiment(
        coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.08},
        sequence={"kind": "custom", "elements": [pulse(80, 30, 0.9), delay(20), pulse(90, 90, 0.9), delay(20)]},
        step=UNIT_STEP / 16,
    )
    fast, midpoint = (record(simulate(values, integrator=name, dtype="float64")) for name in ("fast", "midpoint"))
    assert np.abs(fast - midpoint).max() < 2e-5

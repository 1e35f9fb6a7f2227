"""A single spin against QuTiP's master equation: signs, axes, pulses, offsets and all three dissipators."""

import numpy as np
import pytest
import qutip

from nmr_platform import simulate
from tests.builders import UNIT_STEP, delay, experiment, pulse, shaped
from tests.simulation.systems import record

IX, IY, IZ = qutip.sigmax() / 2, qutip.sigmay() / 2, qutip.sigmaz() / 2
BATHS = {
    "closed": (0.0, 0.0, 0.0),
    "pumped": (0.05, 0.0, 0.0),
    "decaying": (0.0, 0.06, 0.0),
    "dephasing": (0.0, 0.0, 0.08),
    "all three": (0.04, 0.01, 0.05),
}
# Duration in units of 1 / (2 pi) us; nutation frequency, MHz; phase, degrees.
SHAPE = [(3, 0.08, 15.0), (4, 0.2, 40.0), (2, -0.1, 70.0), (3, 0.0, 0.0), (1, 0.25, -120.0)]
NU = 0.17


def sequence(first):
    """A pulse, a delay, a rectangular pulse and a delay, for the engine and as pieces for QuTiP."""
    second = (5, 0.12, 250.0)
    duration = second[0] * UNIT_STEP
    elements = [
        shaped(*((steps * UNIT_STEP, amplitude, phase) for steps, amplitude, phase in first)),
        delay(9),
        pulse(360 * second[1] * duration, second[2], duration=duration),
        delay(8),
    ]
    pieces = [*((*segment, False) for segment in first), (9, 0.0, 0.0, True), (*second, False), (8, 0.0, 0.0, True)]
    return {"kind": "custom", "elements": elements}, pieces


def master_equation(pieces, rates, nu):
    """(<Ix>, <Iy>, <Iz>) at every sample: at the end of the first pulse, then after every step of the delays."""
    jumps = [np.sqrt(rate) * jump for rate, jump in zip(rates, (IX + 1j * IY, IX - 1j * IY, IZ), strict=True) if rate]
    rho, samples = qutip.ket2dm(qutip.basis(2, 0)), []
    for steps, amplitude, phase, recorded in pieces:
        angle = np.deg2rad(phase)
        hamiltonian = -nu * IZ + amplitude * (np.cos(angle) * IX + np.sin(angle) * IY)
        options = {"atol": 1e-13, "rtol": 1e-11, "nsteps": 100_000, "method": "dop853"}
        states = qutip.mesolve(hamiltonian, rho, np.arange(steps + 1), jumps, options=options).states
        rho = states[-1]
        if recorded:
            samples += states[0 if not samples else 1 :]
    return np.real([qutip.expect([IX, IY, IZ], state) for state in samples[:-1]])


def engine(values, rates, nu, *, refine, integrator="midpoint"):
    names = ("gamma_plus", "gamma_minus", "gamma_z")
    values = experiment(
        lattice={"shape": [1, 1]},
        sequence=values,
        dissipation=dict(zip(names, rates, strict=True)),
        step=UNIT_STEP / refine,
        receiver={"every": refine},
    )
    return record(simulate(values, offsets=[[nu]], dtype="float64", integrator=integrator))


@pytest.mark.parametrize("shape", [[(6, 0.15, 30.0)], SHAPE], ids=["rectangular", "shaped"])
@pytest.mark.parametrize("bath", BATHS)
def test_the_midpoint_rule_converges_to_the_master_equation_at_second_order(bath, shape):
    ours, theirs = sequence(shape)
    expected = master_equation(theirs, BATHS[bath], NU)
    assert expected.shape == (17, 3)
    coarse, fine, finest = (
        np.abs(engine(ours, BATHS[bath], NU, refine=refine) - expected).max() for refine in (1, 4, 64)
    )
    assert finest < 3e-7
    if bath == "closed":
        # A lone spin without dissipation turns exactly, whatever the step.
        assert coarse < 1e-8
    else:
        assert coarse < 2e-3
        assert np.log2(coarse / fine) / 2 == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("integrator", ["euler", "fast"])
def test_the_other_integrators_converge_to_it_too(integrator):
    ours, theirs = sequence(SHAPE)
    expected = master_equation(theirs, BATHS["all three"], NU)
    coarse, fine = (
        np.abs(engine(ours, BATHS["all three"], NU, refine=refine, integrator=integrator) - expected).max()
        for refine in (8, 32)
    )
    order = {"euler": 1, "fast": 2}[integrator]
    assert fine < {"euler": 1e-3, "fast": 1e-6}[integrator]
    assert np.log2(coarse / fine) / 2 == pytest.approx(order, abs=0.1)

"""The mean over every point of discrete phase space, against quantum mechanics of a few spins."""

from itertools import product

import numpy as np
import pytest
from scipy.linalg import expm

from nmr_platform.simulation.engine import draw_spins
from nmr_platform.simulation.evolution import Evolution
from tests.builders import experiment, pulse

N_SPINS, STEP, N_STEPS = 4, 0.025, 40
OFFSETS = np.array([0.02, -0.03, 0.01, 0.05])
KERNEL = {"kind": "table", "values": [0.0, 1.0, 0.4, 1.0]}
COUPLINGS = {"alpha_z": (0.0, 0.0, 0.1), "all": (0.06, -0.04, 0.1), "alike": (0.1, 0.1, 0.1)}
SPIN = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2


def chain(alphas, theta):
    """Four spins on a ring, tipped by a pulse about x."""
    sequence = {"kind": "custom", "elements": [pulse(theta), {"kind": "delay", "duration": N_STEPS * STEP}]}
    coupling = dict(zip(("alpha_x", "alpha_y", "alpha_z"), alphas, strict=True))
    lattice, line = {"shape": [N_SPINS]}, {"fwhm": 0.05, "bandwidth": 0.5}
    return experiment(
        lattice=lattice, kernel=KERNEL, coupling=coupling, line=line, sequence=sequence, step=STEP, initial={}
    )


def over_phase_space(values):
    """Sums of the components after every step, a mean over the 4^N points that spins along +z may start from."""
    spins = draw_spins(values, seed=0, offsets=OFFSETS)
    evolution = Evolution(values, spins, np.ones(N_SPINS), "midpoint", np.dtype(np.float64))
    total = np.zeros((N_STEPS + 1, 3))
    for signs in product((-0.5, 0.5), repeat=2 * N_SPINS):
        evolution.reset(np.vstack([np.reshape(signs, (2, N_SPINS)), np.full(N_SPINS, 0.5)]))
        evolution.pulse(values.sequence.pulses[0])
        sums = np.empty((N_STEPS, 3))
        first = evolution.sums
        evolution.delay(sums)
        total += np.vstack([first, sums])
    return total / 4**N_SPINS


def by_quantum_mechanics(values):
    """The same of the state of 2^N dimensions; H = -sum nu Iz - sum_{i<j} K_ij sum_d alpha_d I^d I^d, in MHz."""
    one = [[_at(site, part) for site in range(N_SPINS)] for part in SPIN]
    kernel, coupling = values.kernel_values.ravel(), values.coupling
    hamiltonian = -sum(nu * each for nu, each in zip(OFFSETS, one[2], strict=True))
    for component, alpha in zip(one, (coupling.alpha_x, coupling.alpha_y, coupling.alpha_z), strict=True):
        for i, j in product(range(N_SPINS), repeat=2):
            if i < j:
                hamiltonian = hamiltonian - alpha * kernel[j - i] * component[i] @ component[j]
    total = [sum(component) for component in one]
    state = expm(-1j * np.deg2rad(values.sequence.pulses[0].theta) * total[0])[:, 0]
    step = expm(-2j * np.pi * STEP * hamiltonian)
    found = []
    for _ in range(N_STEPS + 1):
        found.append([(state.conj() @ each @ state).real for each in total])
        state = step @ state
    return np.array(found)


def _at(site, part):
    out = np.eye(1)
    for place in range(N_SPINS):
        out = np.kron(out, part if place == site else np.eye(2))
    return out


@pytest.mark.parametrize("theta", [90.0, 180.0])
def test_alpha_z_alone_is_exact(theta):
    values = chain(COUPLINGS["alpha_z"], theta)
    exact = by_quantum_mechanics(values)
    assert np.abs(exact[-1] - exact[0]).max() > (0.1 if theta == 90 else -1)
    assert np.allclose(over_phase_space(values), exact, atol=1e-12)


@pytest.mark.parametrize(("coupling", "theta"), [("alpha_z", 50.0), ("all", 90.0), ("all", 50.0)])
def test_the_error_of_any_coupling_begins_with_the_third_power_of_time(coupling, theta):
    values = chain(COUPLINGS[coupling], theta)
    error = np.abs(over_phase_space(values) - by_quantum_mechanics(values)).max(axis=1)
    early, late = error[N_STEPS // 4], error[N_STEPS // 2]
    assert late / early > 6.5
    assert late < 0.003


def test_a_coupling_alike_in_all_directions_is_nearly_exact_for_spins_of_nearly_one_offset():
    values = chain(COUPLINGS["alike"], 90.0)
    assert np.allclose(over_phase_space(values), by_quantum_mechanics(values), atol=1e-4)

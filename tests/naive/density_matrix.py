"""The engine's physics once more, from quantum mechanics: a 2 x 2 density matrix for every spin.

Nothing but the experiment's settings is shared with the package: positions, kernels, weights, the time grid, pulses and
dissipation are written down again here, each in the most literal way.
"""

import numpy as np
from scipy.linalg import expm

__all__ = ["evolve"]

IX = np.array([[0, 1], [1, 0]]) / 2
IY = np.array([[0, -1j], [1j, 0]]) / 2
IZ = np.array([[1, 0], [0, -1]]) / 2
SPIN = np.array([IX, IY, IZ])
RAISING, LOWERING = IX + 1j * IY, IX - 1j * IY


def evolve(experiment, offsets):
    """Record of ``experiment`` with the given offsets (MHz, lattice shape): (<Ix>, <Iy>, <Iz>), shape (T, 3).

    A step freezes the mean field, applies the unitary exp(-i H h) to every spin, then the Lindblad channel over h.
    """
    nu = np.asarray(offsets, dtype=float).ravel()
    h = 2 * np.pi * experiment.step
    in_field, in_signal = weights(experiment.line, nu)
    alpha = np.array([experiment.coupling.alpha_x, experiment.coupling.alpha_y, experiment.coupling.alpha_z])
    pairs, channel = pair_matrix(experiment), lindblad_channel(experiment.dissipation, h)
    rho = np.tile(np.array([[1, 0], [0, 0]], dtype=complex), (nu.size, 1, 1))
    record = []
    for part in time_grid(experiment):
        if isinstance(part, tuple):
            theta, phi = np.deg2rad(part)
            rho = conjugate(expm(-1j * theta * (np.cos(phi) * IX + np.sin(phi) * IY)), rho)
            if not record:
                record.append(in_signal @ bloch_vectors(rho))
            continue
        for _ in range(part):
            mean_field = pairs @ (in_field[:, None] * bloch_vectors(rho))
            hamiltonian = -np.einsum("nd,dab->nab", alpha * mean_field, SPIN) - nu[:, None, None] * IZ
            rho = apply(channel, conjugate(expm(-1j * h * hamiltonian), rho))
            record.append(in_signal @ bloch_vectors(rho))
    # The last sample would lie at the end of the last delay; the record stops one step earlier.
    return np.array(record[:-1])


def bloch_vectors(rho):
    """Expectation values tr(rho I_d), shape (N, 3)."""
    return np.einsum("nab,dba->nd", rho, SPIN).real


def conjugate(unitary, rho):
    """U rho U^+ for every spin."""
    return unitary @ rho @ np.conj(np.swapaxes(unitary, -1, -2))


def apply(channel, rho):
    """Apply a superoperator to density matrices stacked column by column."""
    stacked = np.swapaxes(rho, 1, 2).reshape(-1, 4)
    return np.swapaxes((stacked @ channel.T).reshape(-1, 2, 2), 1, 2)


def lindblad_channel(dissipation, h):
    """exp(L h) with L rho = sum_k J rho J^+ - (J^+ J rho + rho J^+ J) / 2, on column-major stacks, shape (4, 4)."""
    one, generator = np.eye(2), np.zeros((4, 4), dtype=complex)
    rates = (dissipation.gamma_plus, dissipation.gamma_minus, dissipation.gamma_z)
    for rate, operator in zip(rates, (RAISING, LOWERING, IZ), strict=True):
        jump = np.sqrt(rate) * operator
        loss = jump.conj().T @ jump
        # Stacking by columns turns A rho B into (B^T kron A) rho.
        generator += np.kron(jump.conj(), jump) - (np.kron(one, loss) + np.kron(loss.T, one)) / 2
    return expm(generator * h)


def time_grid(experiment):
    """Pulses as (theta, phi) in degrees, delays as numbers of steps."""
    sequence = experiment.sequence

    def steps(duration):
        return round(duration / experiment.step)

    if sequence.kind == "hahn":
        n = steps(sequence.tau)
        return [(sequence.theta1, sequence.phi1), n, (sequence.theta2, sequence.phi2), 2 * n]
    if sequence.kind == "cpmg":
        half = steps(sequence.echo_spacing / 2)
        return [(sequence.theta1, 0.0), half] + [(sequence.theta2, 90.0), 2 * half] * sequence.n_echoes
    return [(e.theta, e.phi) if e.kind == "pulse" else steps(e.duration) for e in sequence.elements]


def weights(line, nu):
    """P and w of every spin."""
    share = np.full(nu.size, 1 / nu.size)
    if line.weights == "sampled":
        return np.ones(nu.size), share
    if line.weights == "normalised":
        return share, share
    spacing = line.bandwidth / (nu.size - 1)
    lorentzian = line.fwhm / (2 * np.pi) / (nu**2 + line.fwhm**2 / 4)
    return lorentzian * spacing, lorentzian * spacing


def pair_matrix(experiment):
    """K(r_i - r_j) from the positions of the spins, shape (N, N)."""
    lengths = np.array(experiment.lattice.shape)
    positions = np.array(list(np.ndindex(*experiment.lattice.shape)))
    pairs = np.zeros((len(positions), len(positions)))
    for i, here in enumerate(positions):
        for j, there in enumerate(positions):
            if i != j:
                apart = here - there
                # The nearest image; the site half way round lies at minus half the length.
                pairs[i, j] = coupling_at(experiment.kernel, apart - lengths * np.floor(apart / lengths + 0.5))
    return pairs


def coupling_at(kernel, apart):
    """K at one displacement."""
    r = np.sqrt(np.sum(apart**2))
    x = apart[0]
    y = apart[1] if len(apart) > 1 else 0.0
    cos_theta = x / np.hypot(x, y) if np.hypot(x, y) > 0 else 1.0
    sign = (-1.0) ** np.sum(apart) if kernel.antiferromagnetic else 1.0
    return sign * radial(kernel, r) * (kernel.s + kernel.p * cos_theta + kernel.d * (2 * cos_theta**2 - 1))


def radial(kernel, r):
    """The radial part of K at distance ``r``."""
    if kernel.kind == "gaussian":
        return np.exp(-((r / kernel.xi) ** kernel.exponent))
    if kernel.kind == "power":
        return 1 / r**kernel.exponent
    if kernel.kind == "rkky":
        x = 2 * r / kernel.xi
        return (x * np.cos(x) - np.sin(x)) / x**4
    return 1.0

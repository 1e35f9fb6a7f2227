"""The engine's physics once more, from quantum mechanics: a 2 x 2 density matrix for every spin.

Nothing but the experiment's settings is shared with the package: positions, kernels, weights, the time grid, pulses,
the receiver and dissipation are written down again here and in `pairs`, each in the most literal way.
"""

from math import ceil

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from tests.naive.pairs import pair_matrix

__all__ = ["evolve"]

IX = np.array([[0, 1], [1, 0]]) / 2
IY = np.array([[0, -1j], [1j, 0]]) / 2
IZ = np.array([[1, 0], [0, -1]]) / 2
SPIN = np.array([IX, IY, IZ])
RAISING, LOWERING = IX + 1j * IY, IX - 1j * IY


def evolve(experiment, offsets, *, gain=None, exact=False, occupied=None):
    """Noiseless record of ``experiment``: (<Ix>, <Iy>, <Iz>) at every sample, shape (T, 3).

    Args:
        experiment: What to simulate.
        offsets: MHz, shape of the lattice's sites.
        gain: Factor on the drive of every spin, shape (N,); the calibration by default.
        occupied: Places of the sites that bear a spin, in a flat array; all by default.
        exact: Solve the equation of motion, of all spins at once, to rounding; else a step freezes the mean field,
            applies the unitary exp(-i H h) to every spin, then the Lindblad channel over h: the `euler` integrator.
    """
    ensemble = Ensemble(experiment, np.asarray(offsets, dtype=float).ravel(), gain, exact, occupied)
    cycle = experiment.phase_cycle
    steps = [(step.pulses, step.receiver) for step in cycle] or [((0.0,) * len(experiment.sequence.pulses), 0.0)]
    records = []
    for phases, receiver in steps:
        record = ensemble.run(list(phases))
        turned = (record[:, 0] + 1j * record[:, 1]) * np.exp(-1j * np.deg2rad(receiver))
        records.append(np.column_stack([turned.real, turned.imag, record[:, 2]]))
    return np.mean(records, axis=0)[received(experiment)]


class Ensemble:
    """The density matrices of all spins, shape (N, 2, 2); where there is none, there is no row."""

    def __init__(self, experiment, nu, gain, exact, occupied):
        occupied = range(nu.size) if occupied is None else occupied
        gain = np.full(nu.size, experiment.drive.calibration) if gain is None else gain
        self.experiment, self.nu, self.gain = experiment, nu[occupied], gain[occupied]
        self.in_field, self.in_signal = weights(experiment.line, self.nu)
        self.tensor = coupling_tensor(experiment)
        self.pairs = pair_matrix(experiment)[np.ix_(occupied, occupied)]
        self.jumps = jump_operators(experiment.dissipation)
        self.generator, self.channels = lindbladian(self.jumps), {}
        self.advance = self.solve if exact else self.frozen

    def run(self, phases):
        """Signal just after the first pulse and after every step of the delays but the last, shape (n_steps, 3)."""
        self.rho = np.tile(np.array([[1, 0], [0, 0]], dtype=complex), (self.nu.size, 1, 1))
        record = []
        for kind, *content in time_grid(self.experiment):
            if kind == "delay":
                for _ in range(content[0]):
                    self.advance(0.0, 0.0, 2 * np.pi * self.experiment.step)
                    record.append(self.signal())
                continue
            shift = phases.pop(0)
            if kind == "rotation":
                self.rotate(content[0], content[1] + shift)
            else:
                for duration, amplitude, phase in content[0]:
                    self.drive(duration, amplitude, phase + shift)
            if not record:
                record.append(self.signal())
        return np.array(record[:-1])

    def rotate(self, theta, phi):
        """An ideal pulse, degrees: U = exp(-i theta (Ix cos phi + Iy sin phi))."""
        axis = np.cos(np.deg2rad(phi)) * IX + np.sin(np.deg2rad(phi)) * IY
        self.rho = conjugate(expm(-1j * np.deg2rad(theta) * self.gain[:, None, None] * axis), self.rho)

    def drive(self, duration, amplitude, phase):
        """A segment (us, MHz, degrees) in equal parts no longer than a step."""
        parts = max(1, ceil(duration / self.experiment.step - 1e-9))
        for _ in range(parts):
            self.advance(amplitude, np.deg2rad(phase), 2 * np.pi * duration / parts)

    def frozen(self, amplitude, phase, h):
        """The field frozen over h, and the dissipation after the rotation."""
        self.rho = conjugate(expm(-1j * h * self.hamiltonian(self.rho, amplitude, phase)), self.rho)
        if h not in self.channels:
            self.channels[h] = expm(self.generator * h)
        self.rho = apply(self.channels[h], self.rho)

    def solve(self, amplitude, phase, h):
        """d rho / ds = -i [H(rho), rho] + the dissipator, over h."""

        def slope(_, flat):
            rho = flat.reshape(-1, 2, 2)
            hamiltonian = self.hamiltonian(rho, amplitude, phase)
            out = -1j * (hamiltonian @ rho - rho @ hamiltonian)
            for jump in self.jumps:
                loss = jump.conj().T @ jump
                out = out + jump @ rho @ jump.conj().T - (loss @ rho + rho @ loss) / 2
            return out.ravel()

        solution = solve_ivp(slope, (0, h), self.rho.ravel(), method="DOP853", rtol=1e-10, atol=1e-12)
        self.rho = solution.y[:, -1].reshape(-1, 2, 2)

    def hamiltonian(self, rho, amplitude, phase):
        """H_i = -nu_i Iz - sum_de A_de F^d_i I^e + gain_i amplitude (cos(phase) Ix + sin(phase) Iy)."""
        mean_field = self.pairs @ (self.in_field[:, None] * bloch_vectors(rho))
        drive = amplitude * (np.cos(phase) * IX + np.sin(phase) * IY)
        coupled = np.einsum("nd,de,eab->nab", mean_field, self.tensor, SPIN)
        return -coupled - self.nu[:, None, None] * IZ + self.gain[:, None, None] * drive

    def signal(self):
        """The observed components, shape (3,)."""
        return self.in_signal @ bloch_vectors(self.rho)


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


def jump_operators(dissipation):
    """sqrt(G+) I+, sqrt(G-) I-, sqrt(Gz) Iz."""
    rates = (dissipation.gamma_plus, dissipation.gamma_minus, dissipation.gamma_z)
    return [np.sqrt(rate) * operator for rate, operator in zip(rates, (RAISING, LOWERING, IZ), strict=True)]


def lindbladian(jumps):
    """L rho = sum_k J rho J^+ - (J^+ J rho + rho J^+ J) / 2 on column-major stacks, shape (4, 4)."""
    one, generator = np.eye(2), np.zeros((4, 4), dtype=complex)
    for jump in jumps:
        loss = jump.conj().T @ jump
        # Stacking by columns turns A rho B into (B^T kron A) rho.
        generator += np.kron(jump.conj(), jump) - (np.kron(one, loss) + np.kron(loss.T, one)) / 2
    return generator


def coupling_tensor(experiment):
    """A in the rotating frame, from axes that turn with the field and then, in the laboratory, with the spins."""
    given, field = experiment.coupling, experiment.field
    tensor = np.diag([given.alpha_x, given.alpha_y, given.alpha_z])
    tensor[0, 1] = tensor[1, 0] = given.alpha_xy
    tensor[0, 2] = tensor[2, 0] = given.alpha_xz
    tensor[1, 2] = tensor[2, 1] = given.alpha_yz
    tensor = seen_from(Rotation.from_euler("ZYZ", [field.azimuth, field.polar, 0.0], degrees=True), tensor)
    if given.frame == "rotating":
        return tensor
    return np.mean([seen_from(Rotation.from_euler("z", 90.0 * k, degrees=True), tensor) for k in range(4)], axis=0)


def seen_from(axes, tensor):
    """A tensor in turned axes."""
    return axes.as_matrix().T @ tensor @ axes.as_matrix()


def time_grid(experiment):
    """("rotation", theta, phi), ("drive", [(duration, amplitude, phase), ...]) and ("delay", steps) in order."""
    sequence = experiment.sequence

    def wait(duration):
        return ("delay", round(duration / experiment.step))

    def flip(theta, phi):
        if not sequence.nutation or theta == 0:
            return ("rotation", theta, phi)
        amplitude = np.sign(theta) * sequence.nutation
        return ("drive", [(theta / 360 / amplitude, amplitude, phi)])

    if sequence.kind == "hahn":
        tau = wait(sequence.tau)
        first, second = flip(sequence.theta1, sequence.phi1), flip(sequence.theta2, sequence.phi2)
        return [first, tau, second, tau, tau]
    if sequence.kind == "cpmg":
        half = wait(sequence.echo_spacing / 2)
        return [flip(sequence.theta1, 0.0), half] + [flip(sequence.theta2, 90.0), half, half] * sequence.n_echoes
    if sequence.kind == "stimulated":
        tau, mixing = wait(sequence.tau), wait(sequence.mixing)
        first, second = flip(sequence.theta1, sequence.phi1), flip(sequence.theta2, sequence.phi2)
        return [first, tau, second, mixing, flip(sequence.theta3, sequence.phi3), tau, tau]
    if sequence.kind == "inversion_recovery":
        first, second = flip(sequence.theta1, sequence.phi1), flip(sequence.theta2, sequence.phi2)
        return [first, wait(sequence.recovery), second, wait(sequence.acquisition)]
    return [listed(element) or wait(element.duration) for element in sequence.elements]


def listed(element):
    """A pulse of a custom sequence; None for a delay."""
    if element.kind == "shaped":
        return ("drive", [(part.duration, part.amplitude, part.phase) for part in element.segments])
    if element.kind == "pulse" and element.duration > 0:
        return ("drive", [(element.duration, element.theta / 360 / element.duration, element.phi)])
    return ("rotation", element.theta, element.phi) if element.kind == "pulse" else None


def received(experiment):
    """Numbers of the samples that the receiver keeps."""
    receiver, step, after_pulse = experiment.receiver, experiment.step, [0.0]
    for kind, *content in time_grid(experiment):
        if kind != "delay":
            since = 0.0
            continue
        for _ in range(content[0]):
            since += step
            after_pulse.append(since)
    count = len(after_pulse) - 1
    return [k for k in range(0, count, receiver.every) if after_pulse[k] > receiver.dead_time - 1e-6 * step]


def weights(line, nu):
    """P and w of every spin."""
    share = np.full(nu.size, 1 / nu.size)
    if line.weights == "sampled":
        return np.ones(nu.size), share
    if line.weights == "normalised":
        return share, share
    if line.kind == "table":
        spacing = (line.offsets[-1] - line.offsets[0]) / (nu.size - 1)
        density = np.interp(nu, line.offsets, line.densities) / np.trapezoid(line.densities, line.offsets)
    else:
        spacing = line.bandwidth / (nu.size - 1)
        density = peak(line, nu)
    return density * spacing, density * spacing


def peak(line, nu):
    """Density of a Lorentzian or Gaussian by its full width at half maximum."""
    if line.kind == "lorentzian":
        return line.fwhm / (2 * np.pi) / (nu**2 + line.fwhm**2 / 4)
    # 2^(-(2 nu / fwhm)^2) is 1/2 at half the width, and integrates to fwhm sqrt(pi / ln 2) / 2.
    return 2.0 ** (-((2 * nu / line.fwhm) ** 2)) / (line.fwhm / 2 * np.sqrt(np.pi / np.log(2)))

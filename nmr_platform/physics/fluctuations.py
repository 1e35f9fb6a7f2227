"""How much of the field at a spin is mean field, and how much is fluctuation: the gauge of mean-field theory."""

from math import hypot, inf, pi, sqrt
from typing import Literal, NamedTuple

from nmr_platform.physics.experiment import Experiment

__all__ = ["FieldGauge", "Regime", "field_gauge", "gaussian_decay"]

Regime = Literal["mean field", "both", "fluctuations", "neither"]

# An angle of 0.1 rad, if it is random, lowers an echo by half a percent.
_SEEN = 0.1


class FieldGauge(NamedTuple):
    """The field that the neighbours of a spin make, in two parts.

    Attributes:
        ratio: The mean over the fluctuating part, p sum K / sqrt(sum K^2) for equal weights; 0 without neighbours.
        fluctuating: Standard deviation of a component of the field, along which spins have no polarisation, MHz.
        duration: Length of the record, us.
    """

    ratio: float
    fluctuating: float
    duration: float

    @property
    def angles(self) -> tuple[float, float]:
        """Largest angles by which either turns a spin in a whole record, radians: mean field, fluctuations."""
        fluctuating = 2 * pi * self.fluctuating * self.duration
        return self.ratio * fluctuating, fluctuating

    @property
    def regime(self) -> Regime:
        """What turns a spin by 0.1 rad or more in a whole record."""
        mean, fluctuating = (angle >= _SEEN for angle in self.angles)
        if mean and fluctuating:
            return "both"
        if fluctuating:
            return "fluctuations"
        return "mean field" if mean else "neither"

    def __str__(self) -> str:
        mean, fluctuating = self.angles
        meaning = {
            "mean field": "the mean field alone counts",
            "both": "both count",
            "fluctuations": "fluctuations alone count",
            "neither": "neither counts",
        }[self.regime]
        return (
            f"Mean over fluctuating field {self.ratio:.3g}: in {self.duration:.4g} us they turn a spin by up to "
            f"{mean:.2g} and {fluctuating:.2g} rad, so {meaning}"
        )


def field_gauge(experiment: Experiment) -> FieldGauge:
    """Mean and fluctuation of the field at a spin.

    A component d of the field is alpha_d sum_j K_ij P_j m_j^d. Its mean is at most alpha_d p/2 sum_j K_ij P_j, where
    all spins point along d. A component of a spin 1/2 is +-1/2, whatever the direction, so that without polarisation
    along it the variance is alpha_d^2/4 sum_j (K_ij P_j)^2.

    Args:
        experiment: What is simulated; the largest coupling counts, which is the longest row of a tensor.

    Example:
        >>> from nmr_platform.datasets import read_preset
        >>> example = read_preset("august2021").recipe("gaussian").example
        >>> gauge = field_gauge(example)
        >>> round(gauge.ratio, 1), gauge.regime
        (33.8, 'both')
    """
    strongest = max(hypot(*row) for row in experiment.coupling_tensor)
    mean_weight, rms_weight = _weights(experiment)
    norm = rms_weight * experiment.kernel_norm
    ratio = experiment.initial.degree * mean_weight * abs(experiment.kernel_sum) / norm if norm else 0.0
    return FieldGauge(ratio, strongest / 2 * norm, float(experiment.time[-1]))


def gaussian_decay(experiment: Experiment) -> float:
    """T2G, us: the echo of 90 and 180 degrees falls with the time t = 2 tau as exp(-(t / T2G)^2 / 2).

    For a coupling alpha_z K_ij Iz_i Iz_j of spins 1/2 the echo is prod_j cos(pi alpha_z K_ij P_j t), which for many
    neighbours is that Gaussian, 1 / T2G^2 = (pi alpha_z)^2 sum_j (K_ij P_j)^2: the second moment of the coupling (Van
    Vleck, Phys. Rev. 74, 1168 (1948)), as the decay of echoes is read since Pennington and Slichter, Phys. Rev. Lett.
    66, 381 (1991). The transverse couplings have no say where the line is wide against them, so that no two neighbours
    can flip each other.

    Args:
        experiment: Kernel, lattice, line and alpha_z, as it is along the field; the sequence does not matter.

    Returns:
        T2G, us; infinite without such a coupling.

    Example:
        >>> from nmr_platform.datasets import read_preset
        >>> example = read_preset("august2021").recipe("gaussian").example
        >>> round(gaussian_decay(example.replace(coupling=example.coupling.replace(alpha_z=1e-4))))
        188
    """
    rate = pi * abs(float(experiment.coupling_tensor[2, 2])) * _weights(experiment)[1] * experiment.kernel_norm
    return 1 / rate if rate else inf


def _weights(experiment: Experiment) -> tuple[float, float]:
    """Mean and root mean square of the spins' weights in the field; which spin has which does not matter."""
    line = experiment.line
    weights = line.weigh(line.grid(experiment.lattice.n_spins)).field_weights
    return float(weights.mean()), sqrt(float((weights**2).mean()))

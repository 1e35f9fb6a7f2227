"""How well the coupling could be read at best: Cramer-Rao bounds from simulated derivatives."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Annotated, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, model_validator
from sklearn.covariance import ledoit_wolf

from nmr_platform.datasets import QUANTITIES, Curve
from nmr_platform.errors import ConfigurationError
from nmr_platform.features import WindowedFeatures
from nmr_platform.physics import Experiment
from nmr_platform.pulse_design.ensemble import Ensemble
from nmr_platform.pulse_design.objectives.objective import (
    LOWEST,
    Judgement,
    ObjectiveSettings,
    Targets,
    bootstrapped_error,
    noise_covariance,
    redrawn,
    values_of,
)
from nmr_platform.pulse_design.objectives.unknowns import (
    Line,
    Parameter,
    bound,
    changed,
    crossed,
    displaced,
    fit_line,
    gradient,
    precision,
    read,
    steps,
)
from nmr_platform.pulse_design.signals import binned_windows
from nmr_platform.pulse_design.spaces import SequenceSet
from nmr_platform.schema import Count

__all__ = ["FisherObjective", "FisherSettings"]

Array = NDArray[np.float64]

# Share of a target's spread that may come from what is not among the unknowns: rounding.
_NEGLIGIBLE = 1e-6


class FisherSettings(ObjectiveSettings):
    """How well the targets could be read at best, by the Cramer-Rao bound.

    Attributes:
        targets: What is to be read off: W, X, Z, alpha_x, xi or another quantity that the prior draws.
        parameters: What is unknown beside each other: X and Z, and whatever else of what the prior draws the targets
            follow from.
        points: Points of the prior.
        draws: Draws of the disorder at each point, for the noise that disorder makes.
        groups: Draws of the disorder at each point that slopes are taken under; more of them for a bound to be believed
            to the second digit, two to rank sequences.
        reach: Standard deviation of the displacements that slopes are taken over, in those of the prior. Small, 0.005,
            for the Cramer-Rao bound itself; 1.2 to rank sequences as a model of a few hundred curves would.
        noise: Receiver noise, standard deviation of real and imaginary part of one sample.
        bin: Samples that are averaged into one number.

    A 90 degree pulse hides Z; tipping by 86 degrees reveals it.

    Example:
        >>> from nmr_platform.datasets import read_preset
        >>> from nmr_platform.features import PolynomialFeatures
        >>> from nmr_platform.physics import Hahn
        >>> from nmr_platform.pulse_design import Ensemble, SequenceSet
        >>> features = PolynomialFeatures(kind="polynomial", signal="complex", half_width=150)
        >>> recipe = read_preset("august2021").recipe("gaussian")
        >>> small = {**recipe.experiment, "lattice": {"shape": [12, 12]}}
        >>> few = Ensemble(recipe.replace(n_curves=20, constraints={}, experiment=small))
        >>> objective = FisherSettings(
        ...     kind="fisher", targets=["Z"], parameters=["X", "Z"], points=3, draws=3, reach=1.2, noise=0.01, bin=10
        ... ).prepare({"gaussian": few}, "gaussian", features, 0)
        >>> echoes = [SequenceSet.of(Hahn(tau=30.0, theta1=theta1)) for theta1 in (90.0, 86.0)]
        >>> [bool(objective.judge(echo).value > 0.5) for echo in echoes]
        [False, True]
    """

    units: ClassVar[Mapping[str, str]] = {"noise": "units of M"}

    kind: Literal["fisher"]
    targets: Targets
    parameters: Annotated[tuple[Parameter, ...], Field(strict=False, min_length=2)]
    points: Annotated[int, Field(ge=2, le=1_000_000)]
    draws: Annotated[int, Field(ge=2, le=1_000_000)]
    groups: Annotated[int, Field(ge=2, le=1_000_000)] = 2
    reach: PositiveFloat
    noise: PositiveFloat
    bin: Count

    @model_validator(mode="after")
    def _holds_the_targets(self) -> Self:
        if not {"X", "Z"} <= set(self.parameters) or len(set(self.parameters)) < len(self.parameters):
            message = f"Key `parameters` must hold X and Z, each name once, but is {list(self.parameters)}."
            raise ValueError(message)
        return self

    def require_enough(self, n_curves: int) -> None:
        """Points of the prior are curves of the search."""
        if self.points > n_curves:
            message = (
                f"Key `pulse_search.objective.points` must be at most `n_curves`, but {self.points} is more than "
                f"{n_curves}."
            )
            raise ValueError(message)

    def prepare(
        self, ensembles: Mapping[str, Ensemble], kernel: str, features: WindowedFeatures, seed: int
    ) -> "FisherObjective":
        """See `ObjectiveSettings`."""
        del seed  # nothing is drawn here
        return FisherObjective(ensembles[kernel], self, features)


class FisherObjective:
    """1 - bound / variance of the prior, averaged over prior and targets: the R2 of an efficient estimator.

    At a point theta of the prior the measured numbers are f(theta) plus noise of covariance C, and the Fisher
    information is J^T C^-1 J with J = df/dtheta, on average over the disorder. Under one disorder the slope also holds
    what is peculiar to it, which nobody who does not know the disorder can use, and which would seem to be known as
    soon as it is squared: products are taken between slopes under different disorder only, see `crossed`. The prior's
    own information, the inverse covariance of the unknowns that it draws, is added (van Trees, *Detection, Estimation,
    and Modulation Theory* I, 1968, 2.4.3), so that a bound is never worse than knowing nothing. A target g^T theta has
    the bound g^T I^-1 g, unknowns beside it left free. The Cramer-Rao bound is local: it does not know that a phase of
    2 pi is none. Over displacements that reach further, J is the slope of a line through f, and what the line does not
    explain joins the noise, see `fit_line`: what turns round within the reach then tells nothing.

    Args:
        ensemble: The prior.
        settings: Unknowns, targets, points and noise.
        features: Whose windows are looked at.

    Raises:
        ConfigurationError: The kernel lacks an unknown, or a target follows from something that is not among them.
        DataError: The prior does not draw a target.
    """

    def __init__(self, ensemble: Ensemble, settings: FisherSettings, features: WindowedFeatures) -> None:
        self._ensemble = ensemble
        self._settings = settings
        self._features = features
        names = settings.parameters
        self._prior = np.array([[read(curve.experiment, name) for name in names] for curve in ensemble.curves])
        self._steps = steps(self._prior, names, settings.reach)
        self._known = precision(self._prior, names)
        self._points = ensemble.curves[: settings.points]
        for target in settings.targets:
            _require_known(target, ensemble, names)
        self._gradients = [
            np.array([gradient(point.experiment, target, names) for point in self._points])
            for target in settings.targets
        ]

    @property
    def label(self) -> str:
        """Name of the value."""
        return f"R² of {' and '.join(self._settings.targets)} at the Cramér-Rao bound"

    def judge(self, tried: SequenceSet, share: float = 1.0) -> Judgement:
        """See `Objective`; the curves are the points of the prior."""
        n_points = max(2, ceil(share * len(self._points)))
        points = self._points[:n_points]
        draws = [
            self._numbers(tried, i, [redrawn(point, k) for k in range(self._settings.draws)], "draws")
            for i, point in enumerate(points)
        ]
        lines = [self._line(tried, i, point) for i, point in enumerate(points)]
        receiver = self._settings.noise / np.sqrt(self._settings.bin)
        unexplained, _ = ledoit_wolf(np.concatenate([line.residuals for line in lines]), assume_centered=True)
        whitener = np.linalg.inv(np.linalg.cholesky(noise_covariance(draws, receiver) + unexplained))
        bounds = np.array([bound(crossed(line.slopes @ whitener.T), self._known) for line in lines])
        targets = self._settings.targets
        gradients = [each[:n_points] for each in self._gradients]
        variances = np.stack([np.einsum("ni,nij,nj->n", g, bounds, g) for g in gradients], axis=1)
        spread = np.array([self._spread(target) for target in targets])
        # What bends away from its gradient over the prior would seem to be known worse than without an experiment.
        shares = np.minimum(variances / spread, 1.0)
        return Judgement(
            value=max(LOWEST, float(1 - shares.mean())),
            error=bootstrapped_error(shares.mean(axis=1)),
            details={
                **{f"r2_{t}": float(1 - shares[:, i].mean()) for i, t in enumerate(targets)},
                **{f"error_{t}": bootstrapped_error(shares[:, i]) for i, t in enumerate(targets)},
                **{
                    f"bound_{name}": float(np.sqrt(bounds[:, i, i].mean()))
                    for i, name in enumerate(self._settings.parameters)
                },
            },
        )

    def _line(self, tried: SequenceSet, number: int, point: Curve) -> Line:
        """A line through the numbers around a point, each group of displacements under a disorder of its own."""
        names = self._settings.parameters
        values = displaced(self._prior[number], self._steps, names, groups=self._settings.groups, seed=number)
        curves = [
            redrawn(point.with_experiment(_moved(point.experiment, names, row)), group)
            for group, rows in enumerate(values)
            for row in rows
        ]
        numbers = self._numbers(tried, number, curves, "displaced")
        return fit_line(values, numbers.reshape(*values.shape[:2], -1), self._steps)

    def _numbers(self, tried: SequenceSet, number: int, curves: Sequence[Curve], what: str) -> Array:
        identity = {
            "what": what,
            "point": number,
            "parameters": list(self._settings.parameters),
            "steps": [float(f"{step:.12g}") for step in self._steps],
            "draws": len(curves),
        }
        records = self._ensemble.variants(tried, curves, identity)
        return binned_windows(records, self._ensemble.experiments(tried), self._features, self._settings.bin)

    def _spread(self, target: str) -> float:
        """Variance of a target over the prior, in its unit squared."""
        return float(self._ensemble.labels[target].var(ddof=0))


def _moved(experiment: Experiment, names: tuple[Parameter, ...], values: Array) -> Experiment:
    for name, value in zip(names, values, strict=True):
        experiment = changed(experiment, name, float(value))
    return experiment


def _require_known(target: str, ensemble: Ensemble, names: tuple[Parameter, ...]) -> None:
    """Refuse a target that varies with something beside the unknowns ``names``, which would seem to be known."""
    spread = values_of(ensemble, target).std()
    if target not in QUANTITIES:
        message = f"Key `targets` must name quantities, of which {target} is none."
        raise ConfigurationError(message, key="targets", value=target)
    for name in get_args(Parameter):
        varies = float(ensemble.labels[name].std(ddof=0))
        if name in names or not varies > 0:
            continue
        (slope,) = gradient(ensemble.curves[0].experiment, target, (name,))
        if abs(slope) * varies > _NEGLIGIBLE * spread:
            message = f"Key `parameters` must hold {name}, which `{target}` follows from, but is {list(names)}."
            raise ConfigurationError(message, key="parameters", value=list(names))

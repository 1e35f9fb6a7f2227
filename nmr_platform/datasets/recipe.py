"""The recipe of a data set: everything that decides its numbers."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import NonNegativeInt, PositiveInt, model_validator

from nmr_platform.datasets.priors import Distribution, Range, SameAs
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Experiment
from nmr_platform.schema import Schema, validate
from nmr_platform.simulation import ENGINE_VERSION, Dtype, Integrator, curve_streams

__all__ = ["Curve", "Recipe"]

# A prior that meets its constraints less often than this is a mistake rather than a prior.
_LOWEST_ACCEPTANCE = 0.01
_MOST_DRAWS = 5000


class Curve(NamedTuple):
    """One curve of a data set, before it is simulated.

    Attributes:
        number: Its number in the data set.
        experiment: What to simulate.
        disorder_seed: Seed of its Larmor offsets.
        noise_seed: Seed of the receiver's noise.
        disorder: Identity of the disorder: equal for curves with the same offsets.
        n_draws: How many draws from the prior it took to meet the constraints.
    """

    number: int
    experiment: Experiment
    disorder_seed: np.random.SeedSequence
    noise_seed: np.random.SeedSequence
    disorder: str
    n_draws: int


class Recipe(Schema):
    """How to make a data set.

    Attributes:
        name: Short name, usually the kernel's.
        n_curves: Number of curves.
        seed: Seed of the data set; curve i draws everything from ``SeedSequence(seed, spawn_key=(i,))``.
        disorder: ``fresh``: new Larmor offsets for every curve. ``frozen``: one draw for the whole data set.
        integrator: See `nmr_platform.simulate`.
        dtype: See `nmr_platform.simulate`.
        experiment: The experiment, as plain data; keys that are drawn may be missing.
        prior: What to draw, by dotted key of the experiment, for instance ``coupling.alpha_x``.
        kernel_integral: Range of W (MHz); draws outside it are rejected.
    """

    name: str
    n_curves: PositiveInt
    seed: NonNegativeInt
    disorder: Literal["fresh", "frozen"] = "fresh"
    integrator: Integrator = "euler"
    dtype: Dtype = "float32"
    experiment: dict[str, Any]
    prior: dict[str, Distribution]
    kernel_integral: Range | None = None

    @model_validator(mode="after")
    def _makes_experiments(self) -> Self:
        for key, distribution in self.prior.items():
            if isinstance(distribution, SameAs) and isinstance(self.prior.get(distribution.key), SameAs | None):
                message = f"Key `prior.{key}.key` must name a parameter that is drawn, but is {distribution.key!r}."
                raise ValueError(message)  # noqa: TRY004
        try:
            self._draw_experiment(np.random.default_rng(self.seed))
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def digest(self) -> str:
        """Identity of the data set: hash of the recipe and the engine's version, 16 hexadecimal digits."""
        return self._hash(self.model_dump(mode="json"))

    @property
    def curve_digest(self) -> str:
        """Identity of the curves, however many: data sets that differ only in ``n_curves`` share it."""
        return self._hash(self.model_dump(mode="json", exclude={"n_curves", "name"}))

    def curve(self, number: int) -> Curve:
        """Draw the parameters of one curve.

        Raises:
            ConfigurationError: The constraints are met by fewer than 1 % of the draws.
        """
        streams = curve_streams(self.seed, number)
        rng = np.random.default_rng(streams.parameters)
        experiment, n_draws = self._draw_accepted(rng)
        if self.disorder == "frozen":
            return Curve(
                number, experiment, np.random.SeedSequence(self.seed), streams.noise, f"{self.seed}/frozen", n_draws
            )
        return Curve(number, experiment, streams.disorder, streams.noise, f"{self.seed}/{number}", n_draws)

    def check_acceptance(self, n_draws: int, n_curves: int) -> float:
        """Fraction of the draws that met the constraints.

        Raises:
            ConfigurationError: It is under 1 %.
        """
        acceptance = n_curves / n_draws
        if acceptance < _LOWEST_ACCEPTANCE:
            message = (
                f"Data set `{self.name}`: only {acceptance:.2%} of the draws meet `kernel_integral`, "
                f"but at least {_LOWEST_ACCEPTANCE:.0%} must; widen it or move the prior."
            )
            raise ConfigurationError(message, key="kernel_integral", value=acceptance)
        return acceptance

    def _draw_accepted(self, rng: np.random.Generator) -> tuple[Experiment, int]:
        """An experiment that meets the constraint, and the number of draws that it took."""
        wanted = self.kernel_integral
        for n_draws in range(1, _MOST_DRAWS + 1):
            experiment = self._draw_experiment(rng)
            if wanted is None or wanted.holds(experiment.kernel_integral):
                return experiment, n_draws
        message = (
            f"Data set `{self.name}`: none of {_MOST_DRAWS} draws has its kernel integral within {wanted} MHz; "
            "widen `kernel_integral` or move the prior."
        )
        raise ConfigurationError(message, key="kernel_integral", value=wanted)

    def _draw_experiment(self, rng: np.random.Generator) -> Experiment:
        drawn = {
            key: distribution.draw(rng)
            for key, distribution in self.prior.items()
            if not isinstance(distribution, SameAs)
        }
        drawn |= {key: drawn[d.key] for key, d in self.prior.items() if isinstance(d, SameAs)}
        return validate(Experiment, _with_values(self.experiment, drawn), where="experiment")

    def _hash(self, content: object) -> str:
        text = json.dumps([ENGINE_VERSION, content], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _with_values(template: Mapping[str, Any], values: Mapping[str, float]) -> dict[str, Any]:
    """A copy of ``template`` with dotted keys set."""
    out = {key: dict(value) if isinstance(value, dict) else value for key, value in template.items()}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        (out.setdefault(section, {}) if section else out)[name] = value
    return out

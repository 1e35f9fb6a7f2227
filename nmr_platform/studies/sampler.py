"""A sampler whose every trial depends on the history and its place in it, never on how often the study was resumed."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from itertools import product
from typing import Any, Literal, get_args
from zlib import crc32

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from nmr_platform.errors import ConfigurationError
from nmr_platform.studies.planned import PlannedStudy, as_planned, numbered, planned_trials

__all__ = ["OUTSIDE", "SamplerKind", "SteadySampler", "grid_points"]

OUTSIDE = "outside"
"""Attribute of a trial that tries something outside the search space: samplers do not see it."""

SamplerKind = Literal["tpe", "cmaes", "gp", "random", "grid", "nsga2"]
Space = Mapping[str, BaseDistribution]
_LEVELS = 5


class SteadySampler(BaseSampler):  # type: ignore[misc, unused-ignore]
    """Seeds a fresh sampler for each trial from the study's seed and the trial's place among those that count.

    A sampler that lives through a study draws other points after a resume than it would have without; inside the
    start-up phase it would even repeat itself. Trials left by a killed process do not count, so that a study that was
    killed and resumed tries the same points as one that was not.

    Args:
        seed: Seed of the study.
        kind: ``tpe``; ``cmaes`` for a few continuous parameters; ``gp`` for expensive trials, if PyTorch is there;
            ``random``; ``grid``, in random order; ``nsga2`` for two objectives.
        startup_trials: Random trials before the search space is modelled; the population of ``nsga2``.
        space: The search space; only a grid needs to know it beforehand.

    Attributes:
        place: Of the last trial that was sampled.

    Raises:
        ConfigurationError: There is no such kind, it is not installed, or a grid has no space.
    """

    def __init__(
        self, seed: int, kind: SamplerKind = "tpe", startup_trials: int = 10, space: Space | None = None
    ) -> None:
        _require_known(kind, space)
        self._seed = seed
        self._kind = kind
        self._startup_trials = startup_trials
        self._space = space or {}
        self._grid = grid_points(self._space) if kind == "grid" else []
        self._point: Mapping[str, object] = {}
        self.place = 0
        self._history: Any = None
        self._inner: BaseSampler = self._seeded(0)

    @property
    def n_points(self) -> int | None:
        """Number of points that there are to try; None if there is no end to them."""
        return len(self._grid) if self._kind == "grid" else None

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed the sampler for this trial, see `BaseSampler.before_trial`."""
        number = as_planned(study, trial).number
        trials = [each for each in planned_trials(study) if OUTSIDE not in each.user_attrs]
        self.place = sum(each.number < number for each in trials)
        self._history = PlannedStudy(study, [numbered(each, place) for place, each in enumerate(trials)])
        self._inner = self._seeded(self.place)
        if self._kind == "grid":
            order = np.random.default_rng(self._seed).permutation(len(self._grid))
            self._point = self._grid[order[self.place % len(order)]]
        self._inner.before_trial(self._history, self._placed(trial))

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:  # noqa: ARG002 Optuna's
        """Delegate, see `BaseSampler.infer_relative_search_space`."""
        space: dict[str, BaseDistribution] = self._inner.infer_relative_search_space(self._history, self._placed(trial))
        return space

    def sample_relative(
        self,
        study: Study,  # noqa: ARG002 Optuna's
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Delegate, see `BaseSampler.sample_relative`."""
        params: dict[str, Any] = self._inner.sample_relative(self._history, self._placed(trial), search_space)
        return params

    def sample_independent(
        self,
        study: Study,  # noqa: ARG002 Optuna's
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> object:
        """Look up in the grid, or delegate, see `BaseSampler.sample_independent`."""
        if param_name in self._point:
            return self._point[param_name]
        # A trial that died between two parameters keeps the first: the second must not depend on who drew it.
        inner = self._seeded(self.place, crc32(param_name.encode()))
        return inner.sample_independent(self._history, self._placed(trial), param_name, param_distribution)

    def _placed(self, trial: FrozenTrial) -> FrozenTrial:
        return numbered(trial, self.place)

    def _seeded(self, *key: int) -> BaseSampler:
        seed = int(np.random.SeedSequence(self._seed, spawn_key=key).generate_state(1)[0])
        makers: dict[SamplerKind, Callable[[], BaseSampler]] = {
            "tpe": lambda: TPESampler(seed=seed, n_startup_trials=self._startup_trials),
            "cmaes": lambda: CmaEsSampler(
                seed=seed, n_startup_trials=self._startup_trials, warn_independent_sampling=False
            ),
            "gp": lambda: GPSampler(seed=seed, n_startup_trials=self._startup_trials, warn_independent_sampling=False),
            "random": lambda: RandomSampler(seed=seed),
            "grid": lambda: RandomSampler(seed=seed),
            "nsga2": lambda: NSGAIISampler(seed=seed, population_size=max(2, self._startup_trials)),
        }
        return makers[self._kind]()


def grid_points(space: Space) -> list[dict[str, object]]:
    """Every point of a grid: all choices of a category, up to five values of a number, evenly (or log) spaced."""
    levels = {name: _levels(distribution) for name, distribution in space.items()}
    return [dict(zip(levels, values, strict=True)) for values in product(*levels.values())]


def _levels(distribution: BaseDistribution) -> list[Any]:
    match distribution:
        case CategoricalDistribution():
            return list(distribution.choices)
        case IntDistribution():
            spaced = _spaced(distribution.low, distribution.high, log=distribution.log)
            steps = np.round((spaced - distribution.low) / distribution.step).astype(int)
            return [int(distribution.low + step * distribution.step) for step in sorted(set(steps.tolist()))]
        case FloatDistribution(step=None):
            return [float(value) for value in _spaced(distribution.low, distribution.high, log=distribution.log)]
        case FloatDistribution():
            spaced = _spaced(distribution.low, distribution.high, log=False)
            steps = np.floor((spaced - distribution.low) / distribution.step + 1e-9).astype(int)
            return [float(distribution.low + step * distribution.step) for step in sorted(set(steps.tolist()))]
    message = f"A grid must be made of categories and numbers, but has {distribution}."
    raise ConfigurationError(message, key="sampler", value="grid")


def _spaced(low: float, high: float, *, log: bool) -> Any:
    values = np.geomspace(low, high, _LEVELS) if log else np.linspace(low, high, _LEVELS)
    return np.clip(values, low, high)


def _require_known(kind: str, space: Space | None) -> None:
    if kind not in get_args(SamplerKind):
        message = f"Key `sampler` must be one of {', '.join(get_args(SamplerKind))}, but is {kind!r}."
        raise ConfigurationError(message, key="sampler", value=kind)
    if kind == "gp" and find_spec("torch") is None:
        message = "Key `sampler` is gp, which needs PyTorch: install `torch`, or choose tpe or cmaes."
        raise ConfigurationError(message, key="sampler", value=kind)
    if kind == "grid" and not space:
        message = "Key `sampler` is grid, which needs a search space that is known beforehand, but there is none."
        raise ConfigurationError(message, key="sampler", value=kind)

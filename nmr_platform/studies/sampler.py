"""A sampler whose every trial depends on the history and its place in it, never on how often the study was resumed."""

from typing import Any, Literal

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, CmaEsSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from nmr_platform.studies.abandoned import is_abandoned

__all__ = ["SamplerKind", "SteadySampler"]

SamplerKind = Literal["tpe", "random", "cmaes", "gp", "nsga2"]


class SteadySampler(BaseSampler):  # type: ignore[misc, unused-ignore]
    """Seeds a fresh sampler for each trial from the study's seed and the trial's place among those that count.

    A sampler that lives through a study draws other points after a resume than it would have without; inside the
    start-up phase it would even repeat itself. Trials left by a killed process do not count, so that a study that was
    killed and resumed tries the same points as one that was not.

    Args:
        seed: Seed of the study.
        kind: ``tpe``, ``random``, ``cmaes``, ``gp`` (needs torch) or ``nsga2``.
        startup_trials: Random trials before the search space is modelled; the population of ``nsga2``.
    """

    def __init__(self, seed: int, kind: SamplerKind = "tpe", startup_trials: int = 10) -> None:
        self._seed = seed
        self._kind = kind
        self._startup_trials = startup_trials
        self._inner: BaseSampler = self._seeded(0)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Seed the sampler for this trial."""
        earlier = (other for other in study.get_trials(deepcopy=False) if other.number < trial.number)
        self._inner = self._seeded(sum(not is_abandoned(other) for other in earlier))
        self._inner.before_trial(study, trial)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Delegate."""
        space: dict[str, BaseDistribution] = self._inner.infer_relative_search_space(study, trial)
        return space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Delegate."""
        params: dict[str, Any] = self._inner.sample_relative(study, trial, search_space)
        return params

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> object:
        """Delegate."""
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def _seeded(self, index: int) -> BaseSampler:
        seed = int(np.random.SeedSequence(self._seed, spawn_key=(index,)).generate_state(1)[0])
        match self._kind:
            case "random":
                return RandomSampler(seed=seed)
            case "cmaes":
                return CmaEsSampler(seed=seed, n_startup_trials=self._startup_trials, warn_independent_sampling=False)
            case "gp":
                return GPSampler(seed=seed, n_startup_trials=self._startup_trials, deterministic_objective=True)
            case "nsga2":
                return NSGAIISampler(seed=seed, population_size=max(2, self._startup_trials))
        return TPESampler(seed=seed, n_startup_trials=self._startup_trials)

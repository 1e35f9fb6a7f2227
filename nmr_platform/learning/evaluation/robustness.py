"""How a model fares on records that differ from those it learnt from: with noise, or from another lattice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nmr_platform.datasets import Recipe
from nmr_platform.learning.evaluation.bootstrap import Bootstrap
from nmr_platform.learning.evaluation.fresh_curves import new_curves
from nmr_platform.learning.evaluation.scores import Predictions, score_rows
from nmr_platform.learning.models.estimator import Estimator
from nmr_platform.learning.tasks import Task

__all__ = ["RecordScorer"]

Extract = Callable[[NDArray[np.complex64]], pd.DataFrame]


@dataclass(frozen=True)
class RecordScorer:
    """Scores a fitted model on raw records.

    Attributes:
        task: The task.
        estimator: The model, fitted on the training part.
        extract: From records, complex, shape (n, T), to the features that the model takes.
        bootstrap: Makes the intervals.
    """

    task: Task
    estimator: Estimator
    extract: Extract
    bootstrap: Bootstrap

    def against_noise(
        self, m: NDArray[np.complex64], labels: pd.DataFrame, sigmas: Sequence[float], *, seed: int
    ) -> pd.DataFrame:
        """Add receiver noise to held-out records: white and Gaussian, independent in both components.

        Args:
            m: The records, shape (n, T), in units of full polarisation 1/2.
            labels: Their labels, n rows.
            sigmas: Standard deviations of each component, in the units of M; 0 for the records as they are.
            seed: Seed of the noise, which is the same for all but its size.

        Returns:
            One row a size and metric: ``sigma``, ``metric``, ``value``, ``lower``, ``upper``, ``n``.
        """
        real, imaginary = np.random.default_rng(seed).standard_normal((2, *m.shape))
        noise = real + 1j * imaginary
        rows: list[dict[str, object]] = []
        for sigma in sigmas:
            scores = self._scores((m + sigma * noise).astype(np.complex64), labels)
            rows += [{"sigma": sigma, **score} for score in scores]
        return pd.DataFrame(rows)

    def against_lattice(self, recipes: Sequence[Recipe], shapes: Sequence[Sequence[int]]) -> pd.DataFrame:
        """Simulate new curves on other lattices: noise from the disorder falls with the number of spins.

        Args:
            recipes: Priors of the task's kernels, with the number of new curves and seeds that no data set has.
            shapes: Sites along each direction.

        Returns:
            One row a lattice and metric: ``n_spins``, ``metric``, ``value``, ``lower``, ``upper``, ``n``.
        """
        rows: list[dict[str, object]] = []
        for shape in shapes:
            m, labels = new_curves([_on_lattice(recipe, shape) for recipe in recipes])
            rows += [{"n_spins": int(np.prod(shape)), **score} for score in self._scores(m, labels)]
        return pd.DataFrame(rows)

    def _scores(self, m: NDArray[np.complex64], labels: pd.DataFrame) -> list[dict[str, object]]:
        predictions = Predictions(
            true=self.task.y(labels),
            predicted=self.estimator.predict(self.extract(m)),
            groups=np.unique(labels["disorder"].to_numpy(dtype=np.str_), return_inverse=True)[1],
            w=labels["W"].to_numpy(dtype=np.float64),
        )
        scores = score_rows(self.task, predictions, self.bootstrap)
        return [{"metric": name, **vars(score)} for name, score in scores.items()]


def _on_lattice(recipe: Recipe, shape: Sequence[int]) -> Recipe:
    lattice = {**recipe.experiment["lattice"], "shape": list(shape)}
    return recipe.replace(disorder="fresh", experiment={**recipe.experiment, "lattice": lattice})

"""Pointwise features: the samples of the window themselves, named by their distance from the echo."""

from typing import Literal

import pandas as pd

from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.base import StatelessTransformer
from nmr_platform.features.window import WindowSpan, sample_intervals
from nmr_platform.features.windowed import WindowedFeatures

__all__ = ["PointwiseFeatures"]


class PointwiseFeatures(WindowedFeatures):
    """The samples themselves: column ``abs_-150`` is |M| 150 samples before the echo."""

    kind: Literal["pointwise"] = "pointwise"

    def steps(self, span: WindowSpan, acquisition: Acquisition) -> list[tuple[str, StatelessTransformer]]:
        """Nothing is computed, see `WindowedFeatures.steps`."""
        del span, acquisition
        return []

    def places(self, span: WindowSpan, acquisition: Acquisition) -> list[pd.DataFrame]:
        """One row a sample, see `WindowedFeatures.places`."""
        return [sample_intervals(span, component, step=acquisition.step) for component in self.components]

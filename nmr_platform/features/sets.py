"""Feature sets as a union by `kind`, several of them side by side, and the table of one."""

from collections import Counter
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, model_validator
from sklearn.pipeline import FeatureUnion

from nmr_platform.errors import ConfigurationError
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.frequency import FrequencyFeatures
from nmr_platform.features.needs import Needs, require
from nmr_platform.features.pointwise import PointwiseFeatures
from nmr_platform.features.polynomial import PolynomialFeatures, PolynomialFrequencyFeatures
from nmr_platform.features.quantiles import QuantileFeatures
from nmr_platform.features.shape import ShapeFeatures
from nmr_platform.features.windowed import WindowedFeatures
from nmr_platform.schema import Schema

__all__ = ["CombinedFeatures", "FeatureSet", "FeaturesSettings", "SingleFeatureSet", "extract"]

# A new kind of features is a line here.
SingleFeatureSet = Annotated[
    PointwiseFeatures
    | PolynomialFeatures
    | FrequencyFeatures
    | PolynomialFrequencyFeatures
    | QuantileFeatures
    | ShapeFeatures,
    Field(discriminator="kind"),
]


class CombinedFeatures(Schema):
    """Several feature sets side by side in one table; columns are named ``<set>.<column>``.

    Attributes:
        kind: ``combined``.
        name: Name of the whole.
        of: The sets, two or more, no two alike.
    """

    kind: Literal["combined"] = "combined"
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_+-]+$")]
    of: Annotated[tuple[SingleFeatureSet, ...], Field(strict=False, min_length=2)]

    @model_validator(mode="after")
    def _parts_differ(self) -> Self:
        _require_different("of", [part.name for part in self.of])
        return self

    @property
    def parts(self) -> tuple[SingleFeatureSet, ...]:
        """The sets that are combined."""
        return self.of

    def transformer(self, acquisition: Acquisition) -> FeatureUnion:
        """The parts' transformers side by side; like them it may transform unfitted.

        Raises:
            ConfigurationError: A window reaches outside the record, or the number of spins is needed and not known.
        """
        return _SideBySide([(part.name, part.transformer(acquisition)) for part in self.of])

    def needs(self, acquisition: Acquisition) -> Needs:
        """What the parts need together.

        Raises:
            ConfigurationError: A window reaches outside the record.
        """
        return Needs.of_all(part.needs(acquisition) for part in self.of)

    def intervals(self, acquisition: Acquisition) -> pd.DataFrame:
        """Where every feature lies, as those of the parts say.

        Raises:
            ConfigurationError: A window reaches outside the record.
        """
        tables = [(f"{part.name}.", part.intervals(acquisition)) for part in self.of]
        return pd.concat([table.assign(name=prefix + table["name"]) for prefix, table in tables], ignore_index=True)


FeatureSet = Annotated[SingleFeatureSet | CombinedFeatures, Field(discriminator="kind")]


class FeaturesSettings(Schema):
    """The feature sets of a study.

    Attributes:
        sets: Feature sets, at least one, no two alike.
    """

    sets: Annotated[tuple[FeatureSet, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        _require_different("sets", [item.name for item in self.sets])
        return self


def extract(
    m: NDArray[np.inexact], feature_set: WindowedFeatures | CombinedFeatures, acquisition: Acquisition
) -> pd.DataFrame:
    """Extract one feature set from raw records.

    Args:
        m: The records M(t), shape (n_curves, n_samples), real or complex, dimensionless; 1/2 is full polarisation.
        feature_set: What to extract.
        acquisition: Where the echo is, the time between two samples (us), the number of spins if it matters, and what
            of the records was guessed or not recorded.

    Returns:
        One row a curve, float32 columns named by the feature set; ``attrs`` hold ``feature_set``, ``echo_index``
        and ``step``, which Parquet files keep.

    Raises:
        ConfigurationError: The window reaches outside the record, the number of spins is needed and not known, or
            the records are not as long as ``acquisition`` says.
        UnmetNeedError: The record does not give what the set needs, see `Needs`.
        DataError: A value inside the window is not finite.

    Examples:
        >>> import numpy as np
        >>> from nmr_platform.features import Acquisition, PolynomialFeatures, extract
        >>> taken = Acquisition(echo_index=100, step=0.5, n_samples=200)
        >>> echo = 0.5 * np.exp(-((np.arange(200) - 100) ** 2) / 20)
        >>> table = extract(np.array([echo, 2 * echo]), PolynomialFeatures(signal="magnitude", half_width=40), taken)
        >>> table.shape, list(table.columns[:4])
        ((2, 76), ['4_1_3', '4_1_2', '4_1_1', '4_1_0'])
    """
    if m.ndim == 2 and m.shape[1] != acquisition.n_samples:
        message = f"Argument `m` must have {acquisition.n_samples} samples a curve, but has {m.shape[1]}."
        raise ConfigurationError(message, key="m", value=m.shape)
    require(feature_set.name, feature_set.needs(acquisition), acquisition)
    transformer = feature_set.transformer(acquisition)
    table = pd.DataFrame(transformer.transform(m), columns=transformer.get_feature_names_out())
    table.attrs = {"feature_set": feature_set.name, "echo_index": acquisition.echo_index, "step": acquisition.step}
    return table


class _SideBySide(FeatureUnion):
    """Pipelines side by side; they learn nothing, so that an unfitted union may transform."""

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Names ``<set>.<column>``."""
        names = [f"{part}.{name}" for part, pipe in self.transformer_list for name in pipe.get_feature_names_out()]
        return np.array(names, dtype=object)


def _require_different(key: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        message = f"Key `{key}` must not name a feature set twice, but holds `{twice[0]}` more than once."
        raise ValueError(message)

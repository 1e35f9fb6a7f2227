"""Feature sets as a union by `kind`, several of them side by side, and the table of one."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, model_validator
from sklearn.pipeline import FeatureUnion

from nmr_platform.errors import ConfigurationError
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.kinds import (
    ConvolutionFeatures,
    DecayFeatures,
    FrequencyFeatures,
    PointwiseFeatures,
    PolynomialFeatures,
    PolynomialFrequencyFeatures,
    QuantileFeatures,
    ShapeFeatures,
    ShiftFeatures,
)
from nmr_platform.features.needs import Needs, require
from nmr_platform.features.records import RecordFeatures, by_record
from nmr_platform.schema import Schema

__all__ = ["CombinedFeatures", "FeatureSet", "FeaturesSettings", "SingleFeatureSet", "extract"]

# A new kind of features is a line here, or in the next one if it compares records.
SingleFeatureSet = Annotated[
    PointwiseFeatures
    | PolynomialFeatures
    | FrequencyFeatures
    | PolynomialFrequencyFeatures
    | QuantileFeatures
    | ShapeFeatures
    | ConvolutionFeatures,
    Field(discriminator="kind"),
]

AnyFeatureSet = Annotated[SingleFeatureSet | DecayFeatures | ShiftFeatures, Field(discriminator="kind")]


class CombinedFeatures(Schema):
    """Several feature sets side by side in one table; columns are named ``<set>.<column>``.

    Each part looks at all records of a measurement, or at those that it names itself.

    Attributes:
        kind: ``combined``.
        name: Name of the whole.
        of: The sets, two or more, no two alike.
    """

    kind: Literal["combined"] = "combined"
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_+-]+$")]
    of: Annotated[tuple[AnyFeatureSet, ...], Field(strict=False, min_length=2)]

    @model_validator(mode="after")
    def _parts_differ(self) -> Self:
        _require_different("of", [part.name for part in self.of])
        return self

    @property
    def parts(self) -> tuple[AnyFeatureSet, ...]:
        """The sets that are combined."""
        return self.of

    def transformer(self, acquisition: Acquisition) -> FeatureUnion:
        """The parts' transformers side by side; like them it may transform unfitted.

        Raises:
            ConfigurationError: A window reaches outside the record, or the number of spins is needed and not known.
        """
        return _SideBySide([(part.name, part.transformer(acquisition)) for part in self.of])

    def needs(self, acquisition: Acquisition) -> Needs:
        """What the parts need together of a single record, see `RecordFeatures.needs`."""
        return self.needs_by_record({"": acquisition})[""]

    def needs_by_record(self, acquisitions: Mapping[str, Acquisition]) -> dict[str, Needs]:
        """What the parts need together of each record, see `RecordFeatures.needs_by_record`."""
        needs = [part.needs_by_record(acquisitions) for part in self.of]
        looked_at = [record for record in acquisitions if any(record in each for each in needs)]
        return {record: Needs.of_all(each[record] for each in needs if record in each) for record in looked_at}

    def table(self, m: Mapping[str, NDArray[np.inexact]], acquisitions: Mapping[str, Acquisition]) -> pd.DataFrame:
        """The tables of the parts side by side, see `RecordFeatures.table`."""
        return pd.concat([part.table(m, acquisitions).add_prefix(f"{part.name}.") for part in self.of], axis=1)

    def intervals(self, acquisition: Acquisition | Mapping[str, Acquisition]) -> pd.DataFrame:
        """Where every feature lies, as those of the parts say, see `RecordFeatures.intervals`."""
        tables = [(f"{part.name}.", part.intervals(acquisition)) for part in self.of]
        return pd.concat([table.assign(name=prefix + table["name"]) for prefix, table in tables], ignore_index=True)


FeatureSet = Annotated[AnyFeatureSet | CombinedFeatures, Field(discriminator="kind")]


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
    m: NDArray[np.inexact] | Mapping[str, NDArray[np.inexact]],
    feature_set: RecordFeatures | CombinedFeatures,
    acquisition: Acquisition | Mapping[str, Acquisition],
) -> pd.DataFrame:
    """Extract one feature set from the raw records of a measurement.

    Args:
        m: The records M(t), shape (n_curves, n_samples), real or complex, dimensionless; 1/2 is full polarisation. For
            a measurement of several sequences, the records of each by its name, with the same curves in all.
        feature_set: What to extract.
        acquisition: Where the echo is, the time between two samples (us), the number of spins if it matters, and what
            of the records was guessed or not recorded; for several sequences by the same names.

    Returns:
        One row a curve, float32 columns named by the feature set, those of a named record ``<record>.<column>``;
        ``attrs``, which Parquet files keep, hold ``feature_set``, ``echo_index`` and ``step``, the last two by name
        for named records.

    Raises:
        ConfigurationError: The window reaches outside the record, the number of spins is needed and not known, or
            the records are not as long as ``acquisition`` says, or not those that it names.
        UnmetNeedError: A record does not give what the set needs, see `Needs`.
        DataError: A value inside the window is not finite.

    Examples:
        >>> import numpy as np
        >>> from nmr_platform.features import Acquisition, PolynomialFeatures, extract
        >>> taken = Acquisition(echo_index=100, step=0.5, n_samples=200)
        >>> echo = 0.5 * np.exp(-((np.arange(200) - 100) ** 2) / 20)
        >>> shapes = PolynomialFeatures(signal="magnitude", half_width=40)
        >>> table = extract(np.array([echo, 2 * echo]), shapes, taken)
        >>> table.shape, list(table.columns[:4])
        ((2, 76), ['4_1_3', '4_1_2', '4_1_1', '4_1_0'])
        >>> both = extract({"s1": echo[None], "s2": 2 * echo[None]}, shapes, {"s1": taken, "s2": taken})
        >>> both.shape, list(both.columns[::76])
        ((1, 152), ['s1.4_1_3', 's2.4_1_3'])
    """
    records, acquisitions = by_record(m), by_record(acquisition)
    _require_records(records, acquisitions)
    for record, needs in feature_set.needs_by_record(acquisitions).items():
        require(feature_set.name, needs, acquisitions[record], record)
    table = feature_set.table(records, acquisitions)
    table.attrs = {"feature_set": feature_set.name}
    for key in ("echo_index", "step"):
        found = {record: getattr(taken, key) for record, taken in acquisitions.items()}
        table.attrs[key] = found.get("", found)
    return table


def _require_records(records: Mapping[str, NDArray[np.inexact]], acquisitions: Mapping[str, Acquisition]) -> None:
    """Refuse records that are not those of the acquisition, or not as long, or not of the same curves."""
    if records.keys() != acquisitions.keys():
        given, wanted = (", ".join(name or "one without a name" for name in each) for each in (records, acquisitions))
        message = f"Argument `m` must hold the records of the acquisition ({wanted}), but holds {given}."
        raise ConfigurationError(message, key="m", value=tuple(records))
    for record, m in records.items():
        which = f"`m` of record `{record}`" if record else "`m`"
        if m.ndim == 2 and m.shape[1] != acquisitions[record].n_samples:
            message = (
                f"Argument {which} must have {acquisitions[record].n_samples} samples a curve, but has {m.shape[1]}."
            )
            raise ConfigurationError(message, key="m", value=m.shape)
    if len({len(m) for m in records.values()}) > 1:
        counts = ", ".join(f"{len(m)} of `{record}`" for record, m in records.items())
        message = f"Argument `m` must hold the same curves in every record, but holds {counts}."
        raise ConfigurationError(message, key="m", value=counts)


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

"""The shift of the echo with the first flip angle: phase and frequency of records that differ in nothing else."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nmr_platform import portable
from nmr_platform.datasets import Reference, Stretch
from nmr_platform.features.acquisition import Acquisition
from nmr_platform.features.across import AcrossFeatures, Column, phase_columns, unwrapped
from nmr_platform.features.statistics import mean_frequency, slope
from nmr_platform.features.window import RecordWindow, WindowSpan, check_window
from nmr_platform.features.windowed import DEFAULT_HALF_WIDTH
from nmr_platform.physics import Pulse, Sequence
from nmr_platform.schema import Count

__all__ = ["ShiftFeatures"]


class ShiftFeatures(AcrossFeatures):
    """How the echo turns when the first pulse leaves a magnetisation along z.

    After a first pulse of flip angle theta1, m_z = cos(theta1) / 2 on average, and its local field makes all spins
    precess faster or slower: phase and frequency of the echo move in proportion to cos(theta1), by as much as the
    couplings are strong.

    ============================ ====================================================================================
    ``<record>.phase_cos``,      of the phase at the echo of the record, relative to the first pulse
    ``<record>.phase_sin``
    ``<record>.frequency``       mean frequency of the window sum Im(M* dM/dt) / (2 pi sum |M|^2), MHz
    ``phase_slope``              of the phase against cos(theta1), radians: a line fitted with weights |M|^2
    ``frequency_slope``          of the frequency against cos(theta1), MHz, likewise
    ============================ ====================================================================================

    The phase is followed from one flip angle to the next, between which it must turn by less than half a turn.

    Attributes:
        half_width: Samples on each side of the echo that the frequency is a mean of.
    """

    compared: ClassVar[str] = (
        "two or more records that differ in the first flip angle, from 0 to 180 degrees, and in nothing else"
    )
    axis: ClassVar[Literal["flip_angle"]] = "flip_angle"

    kind: Literal["shift"] = "shift"
    half_width: Count = DEFAULT_HALF_WIDTH

    @property
    def name(self) -> str:
        """Short name, for instance ``shift-d6-h100``."""
        parts = [self.kind, *([f"d{self.decimate}"] if self.decimate > 1 else [])]
        parts += [f"h{self.half_width}"] if self.half_width != DEFAULT_HALF_WIDTH else []
        return "-".join(parts + self._of_records)

    def position(self, sequence: Sequence) -> float | None:
        """Flip angle of the first pulse, degrees, see `AcrossFeatures.position`."""
        first = sequence.pulses[0]
        return first.theta if isinstance(first, Pulse) and 0 <= first.theta <= 180 else None

    def kin(self, sequence: Sequence) -> object:
        """All but the first flip angle, see `AcrossFeatures.kin`."""
        first = sequence.pulses[0]
        return first.phi if isinstance(first, Pulse) else first, sequence.parts[1:]

    def hangs_on(self) -> frozenset[Reference]:
        """See `AcrossFeatures.hangs_on`."""
        return frozenset(("phase", "offset"))

    def stretch(self, taken: Acquisition) -> Stretch:
        """The window, which is moved as that of `WindowedFeatures` is, and the samples of the echo."""
        (first, stop), span = super().stretch(taken), self._span(taken)
        return min(first, span.first), max(stop, span.stop)

    def measured(
        self, m: NDArray[np.complex128], record: NDArray[np.inexact], taken: Acquisition
    ) -> dict[str, NDArray[np.float64]]:
        """With the frequency, see `AcrossFeatures.measured`."""
        window = RecordWindow(self._span(taken)).transform(record)
        return super().measured(m, record, taken) | {
            "frequency": mean_frequency(window.astype(np.complex128), taken.step)
        }

    def own_columns(self, values: Mapping[str, NDArray[np.float64]]) -> list[Column]:
        """Phase and frequency, see `AcrossFeatures.own_columns`."""
        return [*phase_columns(values["phase"]), ("frequency", "freq", values["frequency"])]

    def common_columns(self, values: Mapping[str, NDArray[np.float64]], positions: NDArray[np.float64]) -> list[Column]:
        """Both slopes, see `AcrossFeatures.common_columns`."""
        along, weights = portable.cos(np.deg2rad(positions)), values["height"] ** 2
        return [
            ("phase_slope", "phase", slope(unwrapped(values["phase"]), along, weights)),
            ("frequency_slope", "freq", slope(values["frequency"], along, weights)),
        ]

    def _span(self, taken: Acquisition) -> WindowSpan:
        span = WindowSpan(taken.with_room(self.half_width).echo_index, self.half_width, self.half_width)
        check_window(span, taken.n_samples)
        return span

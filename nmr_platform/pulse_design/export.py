"""A sequence in the formats of others: Bruker's shape files, tables, and experiments for `nmr simulate`."""

import csv
import io
from math import isnan

import numpy as np
import yaml

from nmr_platform.physics import Pulse, Segment, Sequence, ShapedPulse
from nmr_platform.schema import Schema

__all__ = ["bruker_shape", "plain_yaml", "shape_files", "timeline_csv"]

# TopSpin's own limit on the length of a shape.
_MOST_POINTS = 1000


def timeline_csv(sequence: Sequence) -> str:
    """The sequence as a table, a line for each pulse, piece of a shaped pulse, and delay.

    Columns: ``start_us`` after the beginning of the first pulse, ``duration_us`` (0 for an ideal pulse),
    ``amplitude_MHz`` (nutation frequency; empty for an ideal pulse), ``flip_angle_deg`` (on resonance), ``phase_deg``
    (0 is x, 90 is y; rotations are by +flip angle about that axis), ``name`` at the first line of each pulse.
    """
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(["start_us", "duration_us", "amplitude_MHz", "flip_angle_deg", "phase_deg", "name"])
    ideal = iter([pulse.theta for pulse in sequence.pulses if isinstance(pulse, Pulse) and not pulse.segments])
    for block in sequence.timeline:
        is_ideal = isnan(block.amplitude)
        flip = next(ideal) if is_ideal else 360 * block.amplitude * block.duration
        amplitude = "" if is_ideal else f"{block.amplitude:.9g}"
        row = [
            f"{block.start:.9g}",
            f"{block.duration:.9g}",
            amplitude,
            f"{flip:.9g}",
            f"{block.phase:.9g}",
            block.label,
        ]
        table.writerow(row)
    return lines.getvalue()


def shape_files(sequence: Sequence) -> dict[str, str]:
    """Shape files of the pulses that last, by name: ``pulse<k>.shape``, k counting all pulses from 1."""
    return {
        f"pulse{number}.shape": bruker_shape(pulse, f"pulse{number}")
        for number, pulse in enumerate(sequence.pulses, start=1)
        if pulse.segments
    }


def bruker_shape(pulse: Pulse | ShapedPulse, title: str) -> str:
    """A pulse as Bruker's shape file (JCAMP-DX): amplitude in % of its largest, phase in degrees from 0 to 360.

    The file has no scale of its own: length and largest amplitude stand in its comments, and belong into the pulse
    length and the power level. All points are equally long; pieces of unequal length are cut into equal ones. Negative
    amplitudes become a phase of 180 degrees more. It has no date, so that equal pulses give equal files.

    Args:
        pulse: A pulse that lasts.
        title: Name of the shape.
    """
    amplitudes, phases = _sampled(pulse.segments)
    largest = float(amplitudes.max())
    relative = amplitudes / largest if largest else amplitudes
    rotation = 360 * largest * pulse.duration * abs(np.mean(relative * np.exp(1j * np.deg2rad(phases))))
    header = [
        f"##TITLE= {title}",
        "##JCAMP-DX= 5.00 Bruker JCAMP library",
        "##DATA TYPE= Shape Data",
        "##ORIGIN= nmr-platform",
        "##OWNER= ",
        f"$$ length {pulse.duration:.9g} us",
        f"$$ 100 % is a nutation frequency of {1e6 * largest:.9g} Hz",
        "$$ phase 0 is x, 90 is y; a pulse of phase 0 and 90 degrees takes +z to -y",
        f"##MINX= {100 * relative.min():.6e}",
        f"##MAXX= {100 * relative.max():.6e}",
        f"##MINY= {phases.min():.6e}",
        f"##MAXY= {phases.max():.6e}",
        "##$SHAPE_EXMODE= None",
        f"##$SHAPE_TOTROT= {rotation:.6e}",
        f"##$SHAPE_INTEGFAC= {relative.mean():.6e}",
        "##$SHAPE_MODE= 0",
        f"##NPOINTS= {amplitudes.size}",
        "##XYPOINTS= (XY..XY)",
    ]
    points = [f"{100 * a:.6e}, {p:.6e}" for a, p in zip(relative, phases, strict=True)]
    return "\n".join([*header, *points, "##END=", ""])


def plain_yaml(value: Schema) -> str:
    """An experiment, a measurement or a set of sequences as commands read them, MHz, us and degrees."""
    return yaml.safe_dump(value.model_dump(mode="json", exclude_none=True), sort_keys=False)


def _sampled(segments: tuple[Segment, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes (MHz, not negative) and phases (degrees, 0 to 360) on equal steps."""
    lengths = np.array([part.duration for part in segments])
    shares = lengths / lengths.sum()
    counts = np.array([n for n in range(len(segments), _MOST_POINTS + 1) if _whole(n * shares)])
    n_points = int(counts[0]) if counts.size else _MOST_POINTS
    middles = (np.arange(n_points) + 0.5) / n_points
    which = np.searchsorted(np.cumsum(shares), middles).clip(max=len(segments) - 1)
    amplitudes = np.array([part.amplitude for part in segments])[which]
    phases = np.array([part.phase for part in segments])[which] + np.where(amplitudes < 0, 180.0, 0.0)
    return np.abs(amplitudes), phases % 360


def _whole(numbers: np.ndarray) -> bool:
    return bool(np.allclose(numbers, np.round(numbers), rtol=0, atol=1e-6) and (np.round(numbers) >= 1).all())

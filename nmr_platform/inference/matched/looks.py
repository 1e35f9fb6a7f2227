"""What several records of one sample show together.

The one with the clearest echo shows the receiver and the line; the others are seen through it, so that what tells them
apart, their height and their phase, stays in them. Their echoes may have decayed to nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nmr_platform.errors import DataError
from nmr_platform.exchange import Record
from nmr_platform.inference.matched.look import Estimate, Given, Look, echo_and_pulse, look, recorded
from nmr_platform.physics import Experiment

__all__ = ["Looks", "clearest_first", "digest_of", "looks_of"]

Looks = Mapping[str, Look]
"""Those at all records of a measurement by name; the first one is that with the clearest echo."""


def digest_of(seen: Looks) -> str:
    """Identity of the points of all records, 16 hexadecimal digits."""
    return hashlib.sha256(b"".join(each.record.signal.tobytes() for each in seen.values())).hexdigest()[:16]


def clearest_first(records: Mapping[str, Record], experiments: Mapping[str, Experiment]) -> dict[str, Record]:
    """Records of one receiver, the one with the highest echo before all others.

    Args:
        records: By name; times count from the end of the first pulse.
        experiments: The sequence of each.

    Raises:
        ConfigurationError: A sequence has no echo.
    """

    def highest(name: str) -> float:
        record, (echo, pulse) = records[name], echo_and_pulse(experiments[name])
        near = np.abs(record.time - echo) <= (echo - pulse) / 2
        return float(np.abs(record.signal[near]).max(initial=0.0))

    return {name: records[name] for name in sorted(records, key=highest, reverse=True)[:1]} | dict(records)


def looks_of(
    records: Mapping[str, Record], experiments: Mapping[str, Experiment], given: Mapping[str, Given]
) -> dict[str, Look]:
    """Look at all records of one measurement: at the others through the receiver that the first one shows.

    Args:
        records: By name; times count from the end of the first pulse.
        experiments: The sequence of each.
        given: What is known of each.

    Raises:
        ConfigurationError: A sequence has no echo.
        DataError: There is no echo in the first record, or no point where the echo of another is expected.
    """
    (name, record), *others = records.items()
    first = look(record, experiments[name], given[name])
    return {name: first} | {
        other: _look_through(first, each, experiments[other], given[other]) for other, each in others
    }


def _look_through(first: Look, record: Record, experiment: Experiment, known: Given) -> Look:
    """A record with phase, offset, scale and line of another one; whether it has an echo does not matter."""
    echo = echo_and_pulse(experiment)[0]
    record, live, noise = recorded(record, experiment, known)
    around = live & (np.abs(record.time - echo) <= max(1 / (2 * np.pi * first.line.value), 2 * record.dwell))
    if not around.any():
        message = (
            f"`{record.source}` must reach its echo at {echo:.6g} us, but has no point there: `--start` may be wrong."
        )
        raise DataError(message, path=record.source)
    height = float(np.sqrt(max((np.abs(record.signal[around]) ** 2).mean() - 2 * noise.value**2, 0.0)))
    return replace(
        first,
        record=record,
        experiment=experiment,
        noise=noise,
        height=Estimate(height, noise.value / float(np.sqrt(around.sum())), ""),
        echo=Estimate(echo, 0.0, "us", "given"),
    )

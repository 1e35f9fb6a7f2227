"""What features need of a record, and the refusal of a record that does not give it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from nmr_platform.datasets import Reference, Stretch, stretches_of
from nmr_platform.errors import UnmetNeedError
from nmr_platform.features.acquisition import Acquisition

__all__ = ["Needs", "require"]

_OPTIONS: dict[Reference, str] = {"height": "--scale", "phase": "--phase", "offset": "--offset"}
# Estimates of phase and frequency take out what the couplings do to them.
_DO_WITHOUT: dict[Reference, str] = {"height": "rescaled", "phase": "of |M|", "offset": "of |M|"}


@dataclass(frozen=True)
class Needs:
    """What the columns of a feature set hang on.

    Attributes:
        required: What must be known of a record: the columns change with it, and the answers with them.
        advised: What should be known: a few columns change with it, but guesses leave most answers as they are.
        samples: The samples that columns are computed of, as stretches from the first one to that behind the last.
        dwell: Longest time between two points of a record, us, that a resampled record may come from; None if any may.
    """

    required: frozenset[Reference]
    advised: frozenset[Reference]
    samples: tuple[Stretch, ...]
    dwell: float | None

    @classmethod
    def of_all(cls, parts: Iterable["Needs"]) -> Self:
        """What several sets need side by side."""
        needs = list(parts)
        required = frozenset[Reference]().union(*(each.required for each in needs))
        longest = [each.dwell for each in needs if each.dwell is not None]
        return cls(
            required,
            frozenset[Reference]().union(*(each.advised for each in needs)) - required,
            tuple(dict.fromkeys(stretch for each in needs for stretch in each.samples)),
            min(longest, default=None),
        )


def require(name: str, needs: Needs, acquisition: Acquisition, record: str = "") -> None:
    """Refuse a record that does not give what features need.

    Args:
        name: Of the feature set.
        needs: What it needs.
        acquisition: What the record gives.
        record: Its name, if it is one of several.

    Raises:
        UnmetNeedError: Samples were not recorded, too few were, or something is a guess; with what would help.
    """
    which = f"record `{record}`" if record else "record"
    lost = _lost(needs.samples, acquisition)
    if lost:
        message = (
            f"feature set `{name}` needs the {which} from {_shown(needs.samples, acquisition.step)} us, of which "
            f"{_shown(lost, acquisition.step)} us was not recorded: only a model of another window can read it, see "
            "`--model`"
        )
        raise UnmetNeedError(_sentence(message), need="samples", value=lost)
    if needs.dwell is not None and acquisition.dwell is not None and acquisition.dwell > needs.dwell * (1 + 1e-6):
        message = (
            f"feature set `{name}` needs a point every {needs.dwell:.4g} us or more often, but the {which} has one "
            f"every {acquisition.dwell:.4g} us, and resampling makes up what lies between: only a model of averaged "
            "samples or of a narrower line can read it, see `--model`"
        )
        raise UnmetNeedError(_sentence(message), need="dwell", value=acquisition.dwell)
    guessed = [each for each in acquisition.guessed if each in needs.required]
    if guessed:
        without = " and ".join(dict.fromkeys(_DO_WITHOUT[each] for each in guessed))
        message = (
            f"feature set `{name}` needs the {_listed(guessed)} of the {which}, but {_be(guessed)}: give "
            f"{_listed(f'`{_OPTIONS[each]}`' for each in guessed)} to `nmr import` or, with `--resample`, to "
            f"`nmr predict`, or take a model of features that are {without}, see `--model`"
        )
        raise UnmetNeedError(_sentence(message), need=guessed[0], value="guessed")


def _be(guessed: list[Reference]) -> str:
    return "they are guesses" if len(guessed) > 1 else "it is a guess"


def _listed(parts: Iterable[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _lost(needed: Iterable[Stretch], acquisition: Acquisition) -> tuple[Stretch, ...]:
    """The parts of the needed stretches that were not recorded."""
    if acquisition.recorded is None:
        return ()
    wanted, given = np.zeros((2, acquisition.n_samples), dtype=bool)
    for mask, parts in ((wanted, needed), (given, acquisition.recorded)):
        for first, stop in parts:
            mask[first:stop] = True
    return stretches_of(wanted & ~given)


def _shown(stretches: Iterable[Stretch], step: float) -> str:
    return " and ".join(f"{first * step:.4g} to {(stop - 1) * step:.4g}" for first, stop in sorted(stretches))

"""`python -m benchmarks mutants`: try the mutants of every room, or of those that are named, and print a table."""

import argparse
import signal
import sys
from collections.abc import Sequence

from benchmarks.mutants.changes import ROOMS, Mutant, mutants_of, require_found
from benchmarks.mutants.trials import try_mutants
from benchmarks.tables import print_table

__all__ = ["main"]

_HEADER = ("room", "tried", "equivalent", "caught", "lived", "share caught")


def main(arguments: Sequence[str]) -> None:
    """Try mutants; the exit code is 1 if one lived that should not.

    Args:
        arguments: Of the command line.
    """
    asked = _parser().parse_args(arguments)
    # As Ctrl-C does: the tests that are running end with this program.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    mutants = [mutant for room in asked.rooms for mutant in mutants_of(room)]
    try:
        require_found(mutants)
        if asked.check:
            print(f"All {len(mutants)} mutants fit the code.")
            return
        outcomes = list(zip(mutants, try_mutants(mutants, _tell), strict=True))
    except (ValueError, RuntimeError) as error:
        sys.exit(str(error))
    print_table("Mutants", _HEADER, [_row(room, outcomes) for room in (*asked.rooms, "all")])
    sys.exit(any(_lived(*outcome) for outcome in outcomes))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks mutants", description=__doc__)
    parser.add_argument("rooms", nargs="*", type=_room, default=ROOMS, metavar="ROOM", help=f"of {', '.join(ROOMS)}")
    parser.add_argument("--check", action="store_true", help="only say whether the lists still fit the code")
    return parser


def _room(name: str) -> str:
    if name not in ROOMS:
        message = f"must be one of {', '.join(ROOMS)}, but is {name}"
        raise argparse.ArgumentTypeError(message)
    return name


def _lived(mutant: Mutant, caught: bool) -> bool:
    return not caught and not mutant.equivalent


def _row(room: str, outcomes: Sequence[tuple[Mutant, bool]]) -> tuple[str, ...]:
    own = [outcome for outcome in outcomes if room in {outcome[0].room, "all"}]
    # A change that is said to be none, and is noticed all the same, counts like any other.
    caught, lived = sum(is_caught for _, is_caught in own), sum(_lived(*outcome) for outcome in own)
    share = f"{caught / (caught + lived):.1%}" if caught + lived else "-"
    return room, str(len(own)), str(len(own) - caught - lived), str(caught), str(lived), share


def _tell(mutant: Mutant, caught: bool) -> None:
    print(f"{'caught' if caught else 'LIVED' if _lived(mutant, caught) else 'equivalent'}  {mutant}", flush=True)

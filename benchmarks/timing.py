"""How durations are measured on a machine that others use too."""

import time
from collections.abc import Callable, Mapping

__all__ = ["best_seconds"]


def best_seconds(
    contenders: Mapping[str, Callable[[], object]],
    repeats: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Best of several runs of each contender, in seconds, after one that warms up.

    The contenders take turns, so that what else the machine does meets all of them alike.

    Args:
        contenders: What to time, by name.
        repeats: Runs of each.
        clock: Processor time by default, which does not pass while another program has the core.
    """
    for run in contenders.values():
        run()
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(repeats):
        for name, run in contenders.items():
            begin = clock()
            run()
            best[name] = min(best[name], clock() - begin)
    return best

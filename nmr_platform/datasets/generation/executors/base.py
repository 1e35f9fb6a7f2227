"""What an executor has to do; `tests/datasets/executor_contract.py` holds the tests that every one must pass."""

from collections.abc import Generator, Sequence
from typing import Protocol

from nmr_platform.datasets.generation.work import ShardReport, ShardTask
from nmr_platform.progress import Advance

__all__ = ["Executor"]


class Executor(Protocol):
    """Runs `make_shard` on every task, each by one worker at a time."""

    def run(self, tasks: Sequence[ShardTask], progress: Advance) -> Generator[ShardReport, None, None]:
        """Make the shards.

        An error of one shard (a full disk) ends the run: shards that have not begun are cancelled, finished ones stay.
        So does closing the iterator. A curve that fails is no error; it is in the shard's report.

        Args:
            tasks: Which shards.
            progress: Called with the number of curves finished, after each curve or each shard.

        Yields:
            One report a shard as they finish, in any order.
        """
        ...

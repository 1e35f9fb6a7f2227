"""Shards made by threads of this process; the engine releases the interpreter lock."""

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

import joblib

from nmr_platform.datasets.generation.shards import SHARD_SIZE
from nmr_platform.datasets.generation.work import ShardReport, ShardTask, make_shard
from nmr_platform.progress import Advance

__all__ = ["ThreadsExecutor"]


class ThreadsExecutor:
    """Threads share the curves of one shard; the next shard begins while the last curves of one are finished.

    Args:
        n: Curves simulated at the same time; as many as this process may use cores by default.
    """

    def __init__(self, n: int | None = None) -> None:
        self.n = n or joblib.cpu_count()

    def run(self, tasks: Sequence[ShardTask], progress: Advance) -> Generator[ShardReport, None, None]:
        """See `Executor`."""
        at_once = 1 + -(-self.n // SHARD_SIZE)
        waiting = iter(tasks)
        with ThreadPoolExecutor(self.n) as curves, ThreadPoolExecutor(at_once) as shards:

            def begin(task: ShardTask) -> Future[ShardReport]:
                return shards.submit(make_shard, task, map_=curves.map, progress=progress)

            running = {begin(task) for task in islice(waiting, at_once)}
            try:
                while running:
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    running |= {begin(task) for task in islice(waiting, len(finished))}
                    for future in finished:
                        yield future.result()
            finally:
                curves.shutdown(wait=False, cancel_futures=True)
                shards.shutdown(wait=False, cancel_futures=True)

"""Try mutants, each in a copy of the tree that no other process uses."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from benchmarks.mutants.changes import ROOT, Mutant

__all__ = ["try_mutants"]

_AT_A_TIME = 2
_LEAST_SECONDS = 60.0
_PASSED = 0


def try_mutants(mutants: Sequence[Mutant], tell: Callable[[Mutant, bool], None]) -> list[bool]:
    """Whether each mutant is caught by its tests.

    Tests that take longer with a change than all tests together without one are taken for hanging, which is noticed,
    too.

    Args:
        mutants: What to try.
        tell: Called with each mutant and whether it was caught, as soon as that is known.

    Returns:
        In the order of ``mutants``.

    Raises:
        RuntimeError: A test fails without any change.
    """
    with TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(_AT_A_TIME) as pool:
        trees = [_Tree(Path(folder) / str(number)) for number in range(_AT_A_TIME)]
        free: SimpleQueue[_Tree] = SimpleQueue()
        for tree in trees:
            free.put(tree)

        def attempt(mutant: Mutant) -> bool:
            tree = free.get()
            try:
                with tree.changed(mutant):
                    caught = not tree.passes(mutant.tests, limit)
            finally:
                free.put(tree)
            tell(mutant, caught)
            return caught

        try:
            limit = max(_LEAST_SECONDS, _seconds_unchanged(trees[0], mutants))
            return list(pool.map(attempt, mutants))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for tree in trees:
                tree.end()
            raise


class _Tree:
    """A copy of the project's files, and the tests that run in it.

    Args:
        folder: Where; it does not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: subprocess.Popen[bytes] | None = None
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """Apply a mutant for a block."""
        path = self._folder / mutant.file
        original = path.read_text(encoding="utf-8")
        try:
            _write(path, mutant.applied(original))
            yield
        finally:
            _write(path, original)

    def passes(self, tests: Sequence[str], limit: float | None, *, shown: bool = False) -> bool:
        """Run tests until one fails; False, too, if they take longer than ``limit`` seconds."""
        self._running = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
            cwd=self._folder,
            env={**os.environ, "PYTHONPATH": str(self._folder)},
            stdout=None if shown else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return self._running.wait(limit) == _PASSED
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.end()

    def end(self) -> None:
        """End the tests, and what they started: it shares their session."""
        if self._running is not None and self._running.poll() is None:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()


def _seconds_unchanged(tree: _Tree, mutants: Sequence[Mutant]) -> float:
    begin = time.monotonic()
    if not tree.passes(tuple(dict.fromkeys(test for mutant in mutants for test in mutant.tests)), None, shown=True):
        message = "All tests must pass without a change, but one does not."
        raise RuntimeError(message)
    return time.monotonic() - begin


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    # What was compiled of a file is recognised by its size and a time in whole seconds.
    Path(cache_from_source(str(path))).unlink(missing_ok=True)

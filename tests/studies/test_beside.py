"""What a search need not wait for is done beside it: in order, to the end, and its errors are not lost."""

import threading

import pytest

from nmr_platform.studies import beside


def test_jobs_are_done_in_order_on_another_thread_and_the_blocks_end_waits_for_them():
    done = []
    gate = threading.Event()
    with beside() as do:
        do(lambda: (gate.wait(10), done.append((1, threading.current_thread()))))
        do(lambda: done.append((2, threading.current_thread())))
        assert not done, "the block goes on before the first is done"
        gate.set()
    assert [number for number, _ in done] == [1, 2]
    assert all(thread is not threading.current_thread() for _, thread in done)


def test_an_error_is_raised_at_the_blocks_end_and_later_jobs_are_still_done():
    done = []

    def fail():
        message = "the disk is full"
        raise OSError(message)

    with pytest.raises(OSError, match=r"^the disk is full$"), beside() as do:
        do(fail)
        do(lambda: done.append(2))
    assert done == [2]


def test_the_blocks_own_error_comes_first():
    with pytest.raises(KeyError, match="own"), beside() as do:
        do(lambda: None)
        raise KeyError("own")

"""Which process lives: this one, its children, and nobody under a number that was used before."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nmr_platform.processes import end_process, is_alive, start_kept, this_process


def test_this_process_lives_and_an_earlier_one_of_its_number_does_not():
    host, number, start = this_process().rsplit(":", 2)
    assert is_alive(this_process())
    assert is_alive(f"{host}:{number}:{float(start) - 60}") is False
    assert is_alive(f"{host}:{number}:0a1b2c3d") is False


NAMED = """
import time
from nmr_platform.processes import this_process
print(this_process(), flush=True)
time.sleep(600)
"""


def test_a_child_lives_until_it_is_killed_though_nobody_waits_for_it_and_its_number_may_be_used_again():
    with subprocess.Popen([sys.executable, "-c", NAMED], stdout=subprocess.PIPE, text=True) as child:
        name = child.stdout.readline().strip()
        host, number, start = name.rsplit(":", 2)
        assert is_alive(name)
        assert is_alive(f"{host}:{number}:{float(start) + 60}") is False
        child.kill()
        wait_for(lambda: Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
        assert is_alive(name) is False
    assert is_alive(name) is False


def test_of_another_machine_nothing_is_known():
    assert is_alive("elsewhere:1:00000000") is None


def lives(pid):
    """Whether a process is there, and not as a zombie that its new parent has not yet waited for."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(sys.argv[1], "w") as file:
    file.write(f"{os.getpid()} {child.pid}.")
time.sleep(600)
"""


@pytest.mark.parametrize("ended", ["asked", "keeper killed", "member killed"])
def test_a_kept_process_ends_with_all_that_it_started(tmp_path, ended):
    told = tmp_path / "told"
    keeper = start_kept([sys.executable, "-c", FAMILY, str(told)])
    wait_for(lambda: told.exists() and told.read_text().endswith("."))
    pid, child = map(int, told.read_text()[:-1].split())
    try:
        if ended == "keeper killed":
            keeper.kill()
        elif ended == "member killed":
            os.kill(pid, signal.SIGKILL)
            assert keeper.wait(60) == 128 + signal.SIGKILL
        end_process(keeper)
        wait_for(lambda: not lives(pid))
        if ended != "keeper killed":
            wait_for(lambda: not lives(child))
    finally:
        if lives(child):
            os.kill(child, signal.SIGKILL)


def test_a_kept_process_that_is_deaf_is_killed(tmp_path):
    deaf = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'w'); time.sleep(600)"
    keeper = start_kept([sys.executable, "-c", deaf, str(tmp_path / "begun")], grace=0.1)
    wait_for((tmp_path / "begun").exists)
    end_process(keeper)
    assert keeper.returncode == 128 + signal.SIGKILL

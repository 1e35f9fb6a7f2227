"""Which process lives: this one, its children, and nobody under a number that was used before."""

import subprocess
import sys

from nmr_platform.processes import end_process, is_alive, this_process


def test_this_process_lives_and_an_earlier_one_of_its_number_does_not():
    host, number, _ = this_process().rsplit(":", 2)
    assert is_alive(this_process())
    assert is_alive(f"{host}:{number}:00000000") is False


def test_a_child_lives_until_it_is_ended():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    name = ":".join((this_process().rsplit(":", 2)[0], str(child.pid), "00000000"))
    assert is_alive(name)
    end_process(child)
    assert child.returncode
    assert is_alive(name) is False


def test_of_another_machine_nothing_is_known():
    assert is_alive("elsewhere:1:00000000") is None

"""How a command ends."""

import errno
import signal
import time

import pytest

from nmr_platform.cli.running import run


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "This user has no access to `there` (permission denied)."),
        (errno.EROFS, "This user has no access to `there` (the file system is read-only)."),
        (
            errno.ENOSPC,
            "There is no room to write `there` (the disk is full); make some and run",
        ),
    ],
)
def test_what_the_file_system_refuses_is_one_sentence(capsys, number, sentence):
    def command():
        raise OSError(number, "no", "there")

    with pytest.raises(SystemExit, match="2"):
        run(command, [])
    assert capsys.readouterr().err.startswith(f"Error: {sentence}")


def test_another_error_of_the_system_is_not_explained_away():
    def command():
        raise ConnectionResetError("by peer")

    with pytest.raises(ConnectionResetError, match="by peer"):
        run(command, [])


class RaisesInDel:
    """Gets a signal while Python collects it, where an interrupt cannot be raised."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        signal.raise_signal(self.number)
        # The handler runs between two instructions.
        sum(range(1000))


@pytest.fixture
def _listening():
    """What was started in the background of a shell ignores SIGINT."""
    deaf = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, deaf)


@pytest.mark.usefixtures("_listening")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interrupt_that_comes_while_garbage_is_collected_ends_the_command_all_the_same(capsys, number, code):
    def command() -> None:
        caught = RaisesInDel(number)
        del caught
        time.sleep(20)

    begin = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        run(command, [])
    assert ended.value.code == code
    assert time.monotonic() - begin < 15
    assert "Traceback" not in capsys.readouterr().err

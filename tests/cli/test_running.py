"""How a command ends."""

import errno

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

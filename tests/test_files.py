"""Files and folders that appear whole or not at all."""

import errno
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest

from nmr_platform.errors import DataError
from nmr_platform.files import (
    alone,
    folder_digest,
    intact,
    read_json,
    staged_file,
    staged_folder,
    write_json,
    write_text,
)

ROOT = Path(__file__).parents[1]


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_staged_folder_takes_the_place_of_the_old_one(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").touch()
    with staged_folder(target) as folder:
        (folder / "new").touch()
        assert names(target) == ["old"]
    assert names(target) == ["new"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("interruption", [ValueError, KeyboardInterrupt])
def test_a_folder_that_was_not_finished_leaves_the_old_one_alone(tmp_path, interruption):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("as it was")

    def interrupted():
        with staged_folder(target) as folder:
            (folder / "new").touch()
            raise interruption("half way")

    with pytest.raises(interruption, match="half way"):
        interrupted()
    assert names(tmp_path) == ["out"]
    assert (target / "old").read_text() == "as it was"


KILLED = """
import os, sys
from pathlib import Path
from nmr_platform.files import staged_file, staged_folder
with staged_folder(Path(sys.argv[1]) / "out") as folder, staged_file(Path(sys.argv[1]) / "out.txt") as file:
    (folder / "half").touch()
    file.touch()
    os._exit(9)
"""


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path):
    left = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, check=False)
    assert left.returncode == 9
    assert len(names(tmp_path)) == 4
    with staged_folder(tmp_path / "out") as folder:
        (folder / "whole").touch()
    write_text(tmp_path / "out.txt", "whole")
    assert sorted(names(tmp_path)) == ["out", "out.txt"]
    assert names(tmp_path / "out") == ["whole"]


def test_a_killed_process_leaves_only_names_that_dvc_ignores(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, check=False)
    ignored = (ROOT / ".dvcignore").read_text().splitlines()
    assert [name for name in names(tmp_path) if not any(fnmatch(name, pattern) for pattern in ignored)] == []


def test_two_writers_of_one_folder_never_touch_what_the_other_writes_and_the_last_one_stays(tmp_path):
    target = tmp_path / "out"
    with staged_folder(target) as slow:
        (slow / "slow").touch()
        with staged_folder(target) as quick:
            (quick / "quick").touch()
            assert names(slow) == ["slow"]
        assert names(target) == ["quick"]
        assert names(slow) == ["slow"]
    assert names(target) == ["slow"]
    assert names(tmp_path) == ["out"]


def test_many_writers_of_one_file_and_one_folder_at_once_leave_one_whole_version(tmp_path):
    def write(number):
        write_text(tmp_path / "file", f"{number}" * 1000)
        with staged_folder(tmp_path / "folder") as folder:
            for name in "ab":
                (folder / name).write_text(str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(1, 9)))
    assert sorted(names(tmp_path)) == ["file", "folder"]
    content = (tmp_path / "file").read_text()
    assert content == content[0] * 1000
    assert (tmp_path / "folder" / "a").read_text() == (tmp_path / "folder" / "b").read_text()


def test_an_old_folder_moved_aside_by_a_killed_writer_comes_back(tmp_path):
    (tmp_path / ".out.0123456789ab.lock").touch()
    (tmp_path / ".out.0123456789ab.replaced").mkdir()
    (tmp_path / ".out.0123456789ab.replaced" / "old").touch()

    def interrupted():
        with staged_folder(tmp_path / "out"):
            raise KeyboardInterrupt("half way")

    with pytest.raises(KeyboardInterrupt, match="half way"):
        interrupted()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["old"]


@pytest.mark.parametrize("stage", [staged_file, staged_folder])
def test_what_must_not_be_replaced_is_not_even_if_it_comes_while_we_write(tmp_path, stage):
    sentence = r"out` exists; remove it or choose another name"
    block = stage(tmp_path / "out", replace=False)
    block.__enter__()
    (tmp_path / "out").write_text("theirs")
    with pytest.raises(DataError, match=sentence):
        block.__exit__(None, None, None)
    with pytest.raises(DataError, match=sentence):
        stage(tmp_path / "out", replace=False).__enter__()
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out").read_text() == "theirs"


@pytest.mark.parametrize(("number", "reason"), [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "quota is used up")])
def test_a_full_disk_is_said_in_one_sentence_and_leaves_nothing(tmp_path, number, reason):
    def write():
        with staged_file(tmp_path / "out", what="the tables"):
            raise OSError(number, "no")

    with pytest.raises(DataError, match=f"There is no room to write the tables \\(the {reason}\\); make some and run"):
        write()
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "permission denied"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EPERM, "not permitted"),
    ],
)
def test_a_place_that_is_not_ours_is_said_in_one_sentence(tmp_path, number, reason):
    def write():
        with staged_file(tmp_path / "out", what="the tables"):
            raise OSError(number, "no", "there")

    with pytest.raises(DataError, match=f"^the tables cannot be written: `there` \\({reason}\\).$"):
        write()


KILLED_INSIDE = """
import os, sys
from pathlib import Path
from nmr_platform.files import alone
with alone(Path(sys.argv[1]), "`out`"):
    os._exit(9)
"""


def test_only_one_process_is_let_in_and_a_killed_one_keeps_nobody_out(tmp_path):
    lock = tmp_path / "locks" / "out.lock"
    sentence = r"Another process is making `out` \(it holds `.*out.lock`\); wait for it or stop it"
    with alone(lock, "`out`"), pytest.raises(DataError, match=sentence):
        alone(lock, "`out`").__enter__()
    assert subprocess.run([sys.executable, "-c", KILLED_INSIDE, lock], cwd=ROOT, check=False).returncode == 9
    with alone(lock, "`out`"):
        pass


def test_text_appears_in_one_go_and_makes_its_folder(tmp_path):
    write_text(tmp_path / "a" / "b.txt", "θ")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "θ"
    assert names(tmp_path / "a") == ["b.txt"]


def test_rounded_records_keep_six_digits_at_every_depth(tmp_path):
    record = {"a": 1 / 3, "b": [{"c": np.float64(2e7 / 3)}, (1, True, None, "1.23456789")]}
    write_json(tmp_path / "r.json", record, rounded=True)
    content = json.loads((tmp_path / "r.json").read_text())
    assert content == {"a": 0.333333, "b": [{"c": 6666670.0}, [1, True, None, "1.23456789"]]}
    write_json(tmp_path / "r.json", record)
    assert read_json(tmp_path / "r.json", made_by="a test")["a"] == 1 / 3


def test_a_missing_record_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(DataError, match=r"r\.json` does not exist yet; make it with `dvc repro x`"):
        read_json(tmp_path / "r.json", made_by="dvc repro x")


def test_a_damaged_record_names_the_command_that_makes_it_again(tmp_path):
    (tmp_path / "r.json").write_text('{"a": 1')
    with pytest.raises(DataError, match=r"r\.json` is damaged .*; make it again with `dvc repro x`"):
        read_json(tmp_path / "r.json", made_by="dvc repro x")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value"),
        (b'{"a": 1, "a": 2}', "key `a` comes twice"),
        (b'{"a": "\xff"}', "must be encoded in UTF-8"),
        (b"[" * 100_000, "recursion"),
        (b'{"a": ' + b"9" * 5000 + b"}", "Exceeds the limit"),
    ],
    ids=["empty", "twice", "not UTF-8", "deep", "digits"],
)
def test_every_damage_to_a_record_is_one_sentence(tmp_path, content, reason):
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(DataError, match=rf"r\.json` is damaged \(.*{reason}.*\); make it again with `dvc repro x`"):
        read_json(tmp_path / "r.json", made_by="dvc repro x")


@pytest.mark.parametrize(
    "taken_apart", [lambda v: v["b"], lambda v: v["a"]["c"], lambda v: v["a"][7], lambda v: v.nope]
)
def test_a_record_of_another_form_is_named_where_it_is_taken_apart(tmp_path, taken_apart):
    with (
        pytest.raises(DataError, match=r"r\.json` is damaged \(.*\); make it again with `dvc repro x`"),
        intact(tmp_path / "r.json", made_by="dvc repro x"),
    ):
        taken_apart({"a": [1]})


def test_a_folders_digest_tells_contents_and_places_and_not_where_it_lies(tmp_path):
    def digest(where, **files):
        folder = tmp_path / where
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_text(content)
        return folder_digest(folder)

    first = digest("first", a="1", b="2")
    assert digest("elsewhere", a="1", b="2") == first
    assert len(first) == 32
    others = [digest("swapped", a="2", b="1"), digest("joined", ab="12"), digest("shifted", a="12", b="")]
    assert len({first, *others}) == 4

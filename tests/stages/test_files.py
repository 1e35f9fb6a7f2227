"""Files and folders that appear whole or not at all."""

import json

import numpy as np
import pytest

from nmr_platform.errors import DataError
from nmr_platform.stages.files import read_json, staged_folder, write_json, write_text


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
            raise interruption

    with pytest.raises(interruption):
        interrupted()
    assert names(tmp_path) == ["out"]
    assert (target / "old").read_text() == "as it was"


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path):
    def killed():
        # A kill runs no clean-up: here it is the generator that never ends.
        block = staged_folder(tmp_path / "out")
        folder = block.__enter__()
        (folder / "half").touch()
        return block

    left = killed()
    with staged_folder(tmp_path / "out") as folder:
        (folder / "whole").touch()
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["whole"]
    del left


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

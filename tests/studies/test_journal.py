"""A journal that others have begun to write, one that is only read, and one that is damaged."""

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from nmr_platform.errors import DataError
from nmr_platform.studies import JOURNAL, STORAGE_VARIABLE, closing_storage, list_studies, open_storage, run_trials
from tests.studies.test_loop import parabola, study_in


@pytest.fixture(autouse=True)
def _journal_by_default(monkeypatch):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)


def test_half_a_line_that_another_worker_left_is_cut_off_before_the_next_is_written(tmp_path):
    study = study_in(tmp_path)
    run_trials(study, 1, parabola, on_settled=lambda _: None)
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code":4,"worker_id":"met a full di')
    run_trials(study, 3, parabola, on_settled=lambda _: None)
    (summary,) = list_studies(open_storage(tmp_path))
    assert summary.finished == 3


def test_reading_makes_nothing_and_mends_nothing(tmp_path):
    with closing_storage(tmp_path / "none", reading=True) as storage:
        assert list_studies(storage) == []
    assert list(tmp_path.iterdir()) == []

    run_trials(study_in(tmp_path), 1, parabola, on_settled=lambda _: None)
    (tmp_path / "studies.filelock").unlink()
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code"')
    before = (tmp_path / JOURNAL).read_bytes()
    with closing_storage(tmp_path, reading=True) as storage:
        assert [summary.finished for summary in list_studies(storage)] == [1]
    assert (tmp_path / JOURNAL).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]


@pytest.fixture
def lines(tmp_path):
    """The lines of the journal of a study of three trials."""
    run_trials(study_in(tmp_path), 3, parabola, on_settled=lambda _: None)
    return (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)


def flipped(line, place):
    return line[:place] + bytes([line[place] ^ 2]) + line[place + 1 :]


DAMAGES = {
    "garbage first": lambda lines: [b"\x93NUMPY\n", *lines],
    "garbage": lambda lines: [*lines[:4], b"\x00\xff garbage\n", *lines[4:]],
    "garbage at the end": lambda lines: [*lines, b"garbage\n"],
    "blank line": lambda lines: [*lines[:4], b"\n", *lines[4:]],
    "blank line at the end": lambda lines: [*lines, b"\n"],
    "foreign line": lambda lines: [*lines[:4], b'{"a": 1}\n', *lines[4:]],
    "foreign list": lambda lines: [*lines[:4], b"[1, 2]\n", *lines[4:]],
    "another operation": lambda lines: [*lines, b'{"op_code":77,"worker_id":"x"}\n'],
    "an operation without its keys": lambda lines: [*lines, b'{"op_code":4,"worker_id":"x"}\n'],
    "nulls with an end": lambda lines: [*lines, b"\0" * 50 + b"\n"],
    "half a line": lambda lines: [*lines[:4], lines[4][:20] + b"\n", *lines[5:]],
    "half a line without an end": lambda lines: [*lines[:4], lines[4][:20], *lines[5:]],
    "a line lost": lambda lines: [*lines[:4], *lines[5:]],
    "a line twice": lambda lines: [*lines[:4], lines[3], *lines[4:]],
    "two lines swapped": lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]],
    "cut in front": lambda lines: lines[2:],
    "endless depth": lambda lines: [*lines, b"[" * 10_000 + b"\n"],
    "another encoding": lambda lines: [*lines[:4], lines[4].decode().encode("utf-16"), *lines[5:]],
    **{
        f"byte {place}": lambda lines, place=place: [*lines[:4], flipped(lines[4], place), *lines[5:]]
        for place in (0, 3, 10, 19, 40, -3)
    },
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_journal_is_named_with_the_line_and_left_as_it_is(tmp_path, lines, damage):
    content = b"".join(damage(lines))
    (tmp_path / JOURNAL).write_bytes(content)
    for reading in (True, False):
        with pytest.raises(DataError, match=r"File `.*studies\.journal` is damaged in line \d+ \(.*\), and nothing"):
            open_storage(tmp_path, reading=reading)
    assert (tmp_path / JOURNAL).read_bytes() == content


@pytest.mark.parametrize("torn", [b"\0" * 4096, b"garbage", b'{"sum":"00000000","op_code":4'])
def test_an_end_without_a_line_is_cut_off(tmp_path, lines, torn):
    (tmp_path / JOURNAL).write_bytes(b"".join(lines) + torn)
    study = study_in(tmp_path)
    run_trials(study, 4, parabola, on_settled=lambda _: None)
    assert list_studies(open_storage(tmp_path))[0].finished == 4


def test_nothing_is_appended_behind_damage_that_comes_in_the_middle_of_a_study(tmp_path, lines):
    study = study_in(tmp_path)
    content = b"".join([*(tmp_path / JOURNAL).read_bytes().splitlines(keepends=True), b"garbage\n"])
    (tmp_path / JOURNAL).write_bytes(content)
    with pytest.raises(DataError, match=r"studies\.journal` is damaged"):
        run_trials(study, 9, parabola, on_settled=lambda _: None)
    assert (tmp_path / JOURNAL).read_bytes() == content


def test_other_programs_of_optuna_read_the_journal_and_may_write_to_it(tmp_path, lines):
    other = JournalStorage(JournalFileBackend(str(tmp_path / JOURNAL)))
    theirs = optuna.load_study(study_name="parabola", storage=other)
    assert len(theirs.trials) == 3
    theirs.add_trial(optuna.create_trial(value=-1.0))
    study = study_in(tmp_path)
    run_trials(study, 5, parabola, on_settled=lambda _: None)
    assert [trial.value for trial in study_in(tmp_path).trials][3] == -1.0
    assert len(other.get_all_trials(theirs._study_id)) == 5


def test_a_long_last_line_is_checked_whole(tmp_path, lines):
    study = study_in(tmp_path)
    for name in ("long", "next"):
        study.set_user_attr(name, "a" * 200_000)
    assert study_in(tmp_path).user_attrs.keys() >= {"long", "next"}

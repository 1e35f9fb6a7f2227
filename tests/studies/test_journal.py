"""A journal that others have begun to write, and one that is only read."""

import pytest

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

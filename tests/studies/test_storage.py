"""What the storage does with a journal that a killed process left, and with a database that cannot be opened."""

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.studies import JOURNAL, STORAGE_VARIABLE, open_storage, storage
from tests.studies.test_loop import run


@pytest.mark.parametrize("torn", [b"", b"{", b'{"op_code":6,"worker'])
def test_a_torn_last_line_of_the_journal_is_cut_off_to_the_byte(tmp_path, monkeypatch, torn):
    monkeypatch.delenv(STORAGE_VARIABLE, raising=False)
    run(tmp_path, 1)
    journal = tmp_path / JOURNAL
    whole = journal.read_bytes()
    journal.write_bytes(whole + torn)
    open_storage(tmp_path)
    assert journal.read_bytes() == whole


def test_the_password_of_a_database_that_cannot_be_opened_is_not_told(tmp_path, monkeypatch):
    url = "postgresql+psycopg://ada:pa55@db/studies"

    def refuse(url, **_):
        message = f"cannot reach {url}"
        raise RuntimeError(message)

    monkeypatch.setenv(STORAGE_VARIABLE, url)
    monkeypatch.setattr(storage, "RDBStorage", refuse)
    with pytest.raises(ConfigurationError, match=r"but: cannot reach postgresql\+psycopg://ada:\*\*\*@db/studies$"):
        open_storage(tmp_path)

import asyncio
import signal
import socket
from contextlib import closing
from importlib.util import find_spec

import numpy as np
import pytest

from nmr_platform.explorer.guard import OwnPageOnly
from tests.serving import ended_by
from tests.stages.tiny import nmr_alone

there = pytest.mark.skipif(find_spec("marimo") is None, reason="the extra [explore] is not installed")


def asked(scope):
    """What the guard sends for a request, and whether the page was asked."""
    sent, reached = [], []

    async def app(*_):
        reached.append(True)

    async def send(message):
        sent.append(message)

    asyncio.run(OwnPageOnly(app)(scope, None, send))
    return sent, bool(reached)


def scope(kind="http", host="127.0.0.1:5100", origin=None):
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    return {"type": kind, "headers": headers}


@pytest.mark.parametrize(
    "asking",
    [scope(), scope(host="localhost:5100"), scope("websocket", origin="http://127.0.0.1:5100"), {"type": "lifespan"}],
)
def test_the_page_s_own_requests_are_served(asking):
    assert asked(asking) == ([], True)


@pytest.mark.parametrize(
    "asking",
    [
        scope(host="evil.example:5100"),
        scope(host=""),
        scope(host="127.0.0.1.evil.example"),
        scope(origin="http://evil.example"),
        scope(origin="http://127.0.0.1:8000"),
        scope(origin="null"),
    ],
)
def test_foreign_names_and_other_sites_are_refused(asking):
    sent, reached = asked(asking)
    assert sent[0]["status"] == 403
    assert not reached
    assert asked({**asking, "type": "websocket"}) == ([{"type": "websocket.close", "code": 1008}], False)


def test_without_the_extra_one_sentence_names_it(monkeypatch):
    monkeypatch.setattr("nmr_platform.explorer.serving.find_spec", lambda _: None)
    ended = nmr_alone("explore")
    assert ended.code == 2
    assert "pip install 'nmr-platform[explore]'" in ended.err
    assert ended.err.count("\n") == 1


@pytest.fixture
def as_if_there(monkeypatch):
    monkeypatch.setattr("nmr_platform.explorer.serving.find_spec", lambda _: True)


def test_a_taken_port_is_refused_before_anything_starts(as_if_there):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = nmr_alone("explore", "--port", str(port))
    assert ended.code == 2
    assert f"Argument `port` must be free, but {port} is in use" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.yaml"], "none.yaml"),
        (["--measured", "none.csv"], "`none.csv` does not exist"),
        (["--model", "none"], "no model is registered yet"),
        (["--unit", "us"], "Option `--unit` has no meaning without `--measured`"),
        (["--measured", "echo.csv", "--group-delay", "3"], "`--group-delay` has no meaning for format"),
    ],
)
def test_what_is_named_and_not_there_is_refused(as_if_there, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    np.savetxt("echo.csv", np.ones((20, 3)))
    ended = nmr_alone("explore", *arguments)
    assert ended.code == 2
    assert said in ended.err
    assert [*tmp_path.iterdir()] == [tmp_path / "echo.csv"]


@there
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_page_ends_with_the_command_whatever_ends_it(tmp_path, number):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with ended_by(number, "explore", folder=tmp_path, port=port) as said:
        assert f"http://127.0.0.1:{port}" in said.readline()

"""Who may ask for the page: a browser on this machine that shows nothing but the page itself."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

__all__ = ["OwnPageOnly"]

_Asgi = Callable[[Any, Any, Any], Awaitable[None]]
_OURS = {"127.0.0.1", "localhost"}
_REFUSAL = b"This page is for a browser on the machine that serves it."


class OwnPageOnly:
    """Refuse requests under a foreign name, and those that another site's page sends.

    The port is on the loopback address, but a browser on this machine also runs the scripts of other sites: one could
    talk to the page's socket, or have its own name point here.
    """

    def __init__(self, app: _Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Serve a request, or refuse it with status 403.

        Args:
            scope: Of an HTTP request, a WebSocket or the server's life.
            receive: What the client sends.
            send: What it gets.
        """
        if scope["type"] == "lifespan" or _is_ours(dict(scope["headers"])):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": _REFUSAL})


def _is_ours(headers: Mapping[bytes, bytes]) -> bool:
    host = headers.get(b"host", b"").decode("latin-1")
    origin = headers.get(b"origin")
    if urlsplit(f"//{host}").hostname not in _OURS:
        return False
    return origin is None or origin.decode("latin-1") == f"http://{host}"

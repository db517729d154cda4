"""How long a connection may keep the server waiting, and how many there may be.

Streamlit starts uvicorn with its defaults, which wait for the rest of a request for good. :func:`limit` makes uvicorn
take the protocol below where it would choose one itself; the server of ``grouprec app`` calls it before it starts.
"""

from __future__ import annotations

import asyncio

import h11
import uvicorn.config
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 500  # connections at once: a browser with a page open has one to seven
LOOK_SECONDS = 20.0  # between two looks at a connection
LEAST_BYTES = 1024  # of a request that is not all there, between two looks: slower is no network, but a trick


def limit() -> None:
    """Let servers that are started from now on use these limits."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:Connection"


class Connection(H11Protocol):
    """One connection. It ends where a request, once begun or awaited, does not go on; WebSockets are looked after by
    uvicorn's own pings."""

    _bytes, _looking = 0, None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST:
            self.transport.abort()
        else:
            self._looking = self.loop.call_later(LOOK_SECONDS, self._look)

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_looking()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._stop_looking()
        super().handle_websocket_upgrade(event)

    def _look(self) -> None:
        """End the connection where the other side owes the rest of a request and nothing of it comes."""
        owed = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.flow.read_paused
        if owed and self._bytes < LEAST_BYTES:
            self.transport.abort()
            return
        self._bytes = 0
        self._looking = self.loop.call_later(LOOK_SECONDS, self._look)

    def _stop_looking(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

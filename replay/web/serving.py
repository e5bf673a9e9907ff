"""Serving: where the page listens, under which names it answers, and the server that does it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

import attrs
import h11
import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from ledger.errors import UnclearQuestion
from ledger.units import stream_account
from replay.audit import AccountHistory, Audit
from replay.slider import Slider
from replay.web.app import COOKIE, application
from replay.web.guard import HEADERS

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from replay.web.app import Told

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
"""Addresses of this machine that no other one reaches."""

HEAD_BYTES_MAX: Final = 32_768
"""How much of a request line with headers is read before it is refused."""

LONG: Final = 20_000
"""Histories from so many events on are prepared before the page is opened."""

CONNECTIONS_MAX: Final = 64

ASKING_S: Final = 15
"""Seconds in which whoever is connected has to ask something, once or twice over."""

_NAME: Final = re.compile(
    r"(?P<name>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?\Z",
    re.ASCII | re.IGNORECASE,
)


@attrs.frozen(kw_only=True)
class Place:
    """Where the page listens, and under which names it answers."""

    host: str
    port: int
    allowed: tuple[str, ...] = ()
    is_secure: bool = False
    """Whether browsers reach it by TLS."""
    is_behind: bool = False
    """Whether a proxy stands in front of it."""

    @property
    def hosts(self) -> frozenset[str]:
        """The names with ports that a request may name as its host.

        On this machine alone those of the loopback; elsewhere only those that were allowed.
        """
        names = set(self._written())
        if self.host in LOOPBACK and not self.is_behind:
            names |= {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        plain = ":443" if self.is_secure else ":80"
        return frozenset(names | {name.removesuffix(plain) for name in names})

    def _written(self) -> tuple[str, ...]:
        """Return the allowed names, each with its port."""
        own = 443 if self.is_behind else self.port
        return tuple(
            f"{found['name'].lower()}:{int(found['port'] or own)}"
            for found in map(parsed_name, self.allowed)
        )

    @property
    def cookie(self) -> str:
        """The name of the cookie: browsers keep one jar for all ports of a host."""
        return f"{COOKIE}-{self.port}"

    def url(self, token: str) -> str:
        """Return the address that opens the page, once."""
        scheme = "https" if self.is_secure else "http"
        if self.allowed and (self.host not in LOOPBACK or self.is_behind):
            name = self._written()[0]
            name = name.removesuffix(":443") if self.is_secure else name
        else:
            name = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        return f"{scheme}://{name}/open?token={token}"


def parsed_name(text: str) -> re.Match[str]:
    """Return name and port of what was given to ``--allow-host``.

    Raises: UnclearQuestion, for what is no name of a host; there are no patterns.
    """
    found = _NAME.match(text)
    if found is None or not 0 < int(found["port"] or 1) < 65_536:
        raise UnclearQuestion(
            asked=text, problem="is no name of a host",
            remedy="Write it as browsers do: audit.example, audit.example:8765 or [fd00::1]:8765",
        )  # fmt: skip
    return found


class Protocol(H11Protocol):
    """The server's reading of HTTP, which says of a head too large that it is that.

    Who connects and asks nothing, or never comes to the end of asking, is hung up on: the places
    are few, and the one who has the cookie needs one.
    """

    # the base says any transport; a connection here is always one that reads and writes
    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a question."""
        super().connection_made(transport)
        self._await_question(None)

    def _await_question(self, before: RequestResponseCycle | None) -> None:
        self.loop.call_later(ASKING_S, self._hang_up_unless_asked, before)

    def _hang_up_unless_asked(self, before: RequestResponseCycle | None) -> None:
        """End a connection on which nothing was asked since the question *before*."""
        if self.transport.is_closing():
            return
        asked: RequestResponseCycle | None = self.cycle
        if asked is before and (asked is None or asked.response_complete):
            self.transport.close()
        else:
            self._await_question(asked)

    @override
    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read: 414 or 431 where it is too large, 400 else."""
        waiting = self.conn.trailing_data[0]
        status, said = 400, "The request cannot be read."
        if len(waiting) > HEAD_BYTES_MAX:
            is_line = b"\n" not in waiting[:HEAD_BYTES_MAX]
            status = 414 if is_line else 431
            said = "The address is too long." if is_line else "The headers are too large."
        body = said.encode()
        headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close"),
                   ("content-length", str(len(body))), *HEADERS]  # fmt: skip
        answer = h11.Response(status_code=status, headers=headers)
        for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def prepare(book: Path, say: Callable[[str], None]) -> None:
    """Make what is remembered of long histories, so that no first answer takes too long.

    *say* is told of each history that has to be read for it; a second start finds it made.
    """
    with Audit.open(book) as audit:
        position = audit.position()
        for info in audit.book.streams():
            account = stream_account(info.stream)
            if account is not None and info.events >= LONG:
                say(f"reading {account}, {info.events} events; the first time this takes a while")
                Slider(AccountHistory(audit=audit, account=account), position).digest(info.last_at)


class Server:
    """The page of one book on one socket, until it is interrupted."""

    def __init__(
        self,
        book: Path,
        place: Place,
        *,
        token: str,
        certificate: Path | None = None,
        key: Path | None = None,
        tell: Told | None = None,
    ) -> None:
        """Serve *book* at *place*; the rest as ``replay.web.app.application`` takes it."""
        self.app = application(
            book, token=token, hosts=place.hosts, is_secure=place.is_secure, cookie=place.cookie,
            tell=tell,
        )  # fmt: skip
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.uvicorn = uvicorn.Server(
            uvicorn.Config(
                self.app,
                http=Protocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                # what a proxy says about its clients is not asked for, so it cannot be forged
                proxy_headers=False,
                server_header=False,
                h11_max_incomplete_event_size=HEAD_BYTES_MAX,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=15,
                timeout_graceful_shutdown=2,
                ssl_certfile=certificate,
                ssl_keyfile=key,
            )
        )

    def run(self, listening: socket.socket) -> None:
        """Answer on a bound socket until interrupted. Raises: KeyboardInterrupt."""
        self.uvicorn.run(sockets=[listening])

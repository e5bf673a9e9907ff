"""The guard: who is answered at all. Every request passes it, before anything is looked up.

Whoever can make a browser send a request must not thereby see somebody's money. So: only names
this page is served under (else a page elsewhere could point its own name here, DNS rebinding); only
who holds the cookie, which one token from the terminal is exchanged for, once; nothing that another
origin caused; nothing but reading; nothing too large. ``docs/decisions/0018`` has the reasons.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import attrs

from replay.web.answers import Answer, Trouble, trouble_json, trouble_page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS: Final = (
    ("content-security-policy", CSP),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cache-control", "no-store"),
)
"""Headers of every answer, refusals included."""

METHODS: Final = ("GET", "HEAD")
QUERY_MAX: Final = 4_096
PATH_MAX: Final = 1_024
HEADERS_MAX: Final = 100
HEADER_BYTES_MAX: Final = 16_384

_OPEN: Final = "/open"
_FREE: Final = "/static/"
"""What is served without the cookie: files of the program, the same for everybody."""


@attrs.define(kw_only=True)
class Session:
    """The one token, the secret it is exchanged for, and whether that has been done."""

    token: str
    secret: str = attrs.field(factory=lambda: secrets.token_urlsafe(32))
    is_opened: bool = False

    def takes(self, token: str) -> bool:
        """Tell whether this is the token and it has not been used yet; it is used now."""
        if self.is_opened or not _is_same(token, self.token):
            return False
        self.is_opened = True
        return True


@attrs.frozen(kw_only=True)
class Served:
    """Under which names the page is served: ``127.0.0.1:8765``, ``[::1]:8765``, by which scheme."""

    hosts: frozenset[str]
    is_secure: bool = False

    @property
    def origins(self) -> frozenset[str]:
        """The origins of this page."""
        scheme = "https" if self.is_secure else "http"
        return frozenset(f"{scheme}://{host}" for host in self.hosts)


class Guard:
    """Lets through what may be answered, as ASGI middleware."""

    def __init__(self, app: ASGIApp, *, session: Session, served: Served, cookie: str) -> None:
        """Stand before *app*; *cookie* is the name of the cookie."""
        self._app = app
        self._session = session
        self._served = served
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, open, or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # There is nothing here to talk to over a socket that stays open.
            await send({"type": "websocket.close", "code": 1008})
            return
        answer, cookie = self._judged(scope)
        if answer is not None:
            await send_answer(send, answer, is_head=scope["method"] == "HEAD", cookie=cookie)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_raw(HEADERS)]
            elif scope["method"] == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        await self._app(scope, receive, guarded)

    # ------------------------------------------------------------------- one request

    def _judged(self, scope: Scope) -> tuple[Answer | None, str]:
        """Return the refusal, or how a token is exchanged; None lets it through."""
        trouble = too_large(scope) or self._foreign(scope)
        if trouble is not None:
            return _told(scope, trouble), ""
        if scope["method"] not in METHODS:
            return _told(scope, _READ_ONLY), ""
        if scope["path"] == _OPEN:
            return self._opened(scope)
        if scope["path"].startswith(_FREE) or self._is_known(scope):
            return None, ""
        return _told(scope, attrs.evolve(_NO_COOKIE, retry=_here(scope))), ""

    def _foreign(self, scope: Scope) -> Trouble | None:
        """Return why a request is none of this page's: by its host, its origin, what caused it."""
        hosts = _all(scope, b"host")
        if len(hosts) != 1 or not _is_name(hosts[0]):
            return _NO_HOST
        if hosts[0].lower() not in self._served.hosts:
            return _OTHER_HOST
        origins = _all(scope, b"origin")
        if any(origin not in self._served.origins for origin in origins):
            return _OTHER_ORIGIN
        if any(site not in {"same-origin", "none"} for site in _all(scope, b"sec-fetch-site")):
            return attrs.evolve(_OTHER_ORIGIN, retry=_here(scope))
        return None

    def _is_known(self, scope: Scope) -> bool:
        """Tell whether the cookie is there: one of this name holds the secret."""
        if not self._session.is_opened:
            return False
        found = False
        for header in _all(scope, b"cookie"):
            # Cut by hand: other programs of this host share the jar, and a library that stumbles
            # over one of their cookies would lose ours behind it.
            for part in header.split(";"):
                name, _, value = part.strip().partition("=")
                if name == self._cookie and _is_same(value, self._session.secret):
                    found = True
        return found

    def _opened(self, scope: Scope) -> tuple[Answer, str]:
        """Exchange the token for the cookie; the second time only for who has the cookie."""
        home = Answer(body=b"", status=303, location="/")
        if self._is_known(scope):
            return home, ""
        # A browser that loads ahead, or a program that only looks, must not use the token up.
        is_visit = scope["method"] == "GET" and not _all(scope, b"sec-purpose")
        tokens = [value for name, value in _query(scope) if name == "token"]
        if not is_visit or len(tokens) != 1 or not self._session.takes(tokens[0]):
            return _told(scope, _NO_TOKEN), ""
        flags = "; Secure" if self._served.is_secure else ""
        cookie = f"{self._cookie}={self._session.secret}; Path=/; HttpOnly; SameSite=Strict{flags}"
        return home, cookie


def too_large(scope: Scope) -> Trouble | None:
    """Return why a request is too large to be looked at; None when it is not."""
    if len(scope.get("query_string", b"")) > QUERY_MAX or len(scope["path"]) > PATH_MAX:
        return _TOO_LONG
    headers = scope["headers"]
    size = sum(len(name) + len(value) for name, value in headers)
    return _TOO_MUCH if len(headers) > HEADERS_MAX or size > HEADER_BYTES_MAX else None


async def send_answer(send: Send, answer: Answer, *, is_head: bool, cookie: str = "") -> None:
    """Send an answer that did not pass the application, with the headers of every answer."""
    headers = [("content-type", answer.media), ("content-length", str(len(answer.body)))]
    headers += [("location", answer.location)] if answer.location else []
    headers += [("set-cookie", cookie)] if cookie else []
    headers += [("allow", ", ".join(METHODS))] if answer.status == 405 else []
    started = {
        "type": "http.response.start",
        "status": answer.status,
        "headers": _raw((*headers, *HEADERS)),
    }
    await send(started)
    await send({"type": "http.response.body", "body": b"" if is_head else answer.body})


# ------------------------------------------------------------------------- small things


def _is_same(given: str, wanted: str) -> bool:
    """Compare in a time that does not hang on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())


def _is_name(host: str) -> bool:
    return 0 < len(host) <= 255 and host.isascii() and host.isprintable() and " " not in host


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _raw(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _query(scope: Scope) -> list[tuple[str, str]]:
    text = scope.get("query_string", b"").decode("latin-1")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        return []


def _here(scope: Scope) -> str:
    """Return the address of a request, as it can be followed from a page of ours."""
    path = scope.get("raw_path", b"").decode("latin-1") or "/"
    query = scope.get("query_string", b"").decode("latin-1")
    # Two slashes would lead to another host.
    local = "/" + path.lstrip("/\\")
    return f"{local}?{query}" if query else local


def _told(scope: Scope, trouble: Trouble) -> Answer:
    is_data = scope["path"].endswith((".json", ".csv"))
    return trouble_json(trouble) if is_data else trouble_page(trouble)


_READ_ONLY: Final = Trouble(
    status=405,
    title="Nothing is written here",
    text="This page shows a book and changes nothing: it answers GET and HEAD only.",
    todo="To record, correct or approve something, use the command line.",
)
_NO_HOST: Final = Trouble(
    status=400,
    title="Whose page is meant?",
    text="The request does not name one host.",
    todo="Open the address that rollforward serve printed.",
)
_OTHER_HOST: Final = Trouble(
    status=421,
    title="Not served under this name",
    text="The request names a host under which this page is not served.",
    todo="Open the address that rollforward serve printed; --allow-host adds a name.",
)
_OTHER_ORIGIN: Final = Trouble(
    status=403,
    title="Opened from elsewhere",
    text="Another page caused this request, and other pages get no answer.",
    todo="Open the address from its own page, or from the address bar.",
)
_NO_COOKIE: Final = Trouble(
    status=401,
    title="Who is asking?",
    text="This page answers only the browser in which the address from the terminal was opened.",
    todo="Open the address that rollforward serve printed. After it has been used once, start the "
    "command again. If this is that browser and you came by a link, follow it once more:",
)
_NO_TOKEN: Final = Trouble(
    status=403,
    title="This address has been used",
    text="The token in the address is not the one that was printed, or it has been used: it opens "
    "the page once.",
    todo="Start rollforward serve again, and open the address it prints.",
)
_TOO_LONG: Final = Trouble(
    status=414,
    title="The address is too long",
    text=f"A query has at most {QUERY_MAX} characters here, a path {PATH_MAX}.",
    todo="Open the address that rollforward serve printed.",
)
_TOO_MUCH: Final = Trouble(
    status=431,
    title="The headers are too large",
    text=f"A request has at most {HEADERS_MAX} headers with {HEADER_BYTES_MAX} bytes here.",
    todo="Remove cookies of this host, and open the address that rollforward serve printed.",
)

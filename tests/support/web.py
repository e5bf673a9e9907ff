"""A browser in a few lines: it asks the page directly, header for header, without a network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from replay.web.app import application

HOST = "127.0.0.1:8765"
TOKEN = "t0ken-" + "x" * 37
Header = tuple[str, str]


@dataclass(frozen=True)
class Got:
    """What came back."""

    status: int
    headers: tuple[Header, ...]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """The one header of a name; empty where there is none."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, f"{name} is there {len(found)} times"
        return found[0] if found else ""


class Browser:
    """A page, and a browser that may hold its cookie."""

    def __init__(self, book: Path, *, hosts: Iterable[str] = (HOST,), **options: Any):
        self.told: list[Exception] = []
        self.app = application(
            book, token=TOKEN, hosts=frozenset(hosts), tell=self.told.append, **options
        )
        self.runner = asyncio.Runner()
        self.cookie = ""
        self._inner = getattr(self.app, "_app").state  # noqa: B009 - behind the guard

    def __enter__(self):
        return self

    def __exit__(self, *_: object):
        for clerk in self._inner.clerks.values():
            clerk.close()
        self.runner.close()

    def open(self) -> Browser:
        """Exchange the token for the cookie."""
        got = self.get(f"/open?token={TOKEN}")
        assert 303 == got.status, got.text
        self.cookie = got.header("set-cookie").partition(";")[0]
        return self

    def get(self, url: str, *, method: str = "GET", host: str = HOST, **headers: str) -> Got:
        """Ask as a browser does: by its address, with the cookie if there is one."""
        sent = [("host", host)]
        sent += [(name.replace("_", "-"), value) for name, value in headers.items()]
        if self.cookie:
            sent.append(("cookie", self.cookie))
        return self.raw(url, sent, method=method)

    def raw(self, url: str, headers: Iterable[Header], *, method: str = "GET") -> Got:
        """Ask with exactly these headers."""
        path, _, query = url.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1", "method": method, "scheme": "http", "root_path": "",
            "path": unquote(path), "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
                        for name, value in headers],
            "client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 8_765), "state": {},
        }  # fmt: skip
        return self.runner.run(self._ask(scope))

    async def _ask(self, scope: dict[str, Any]) -> Got:
        sent: list[dict[str, Any]] = []
        asked = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if asked:
                return asked.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        assert "http.response.start" == sent[0]["type"]
        headers = tuple((name.decode(), value.decode()) for name, value in sent[0]["headers"])
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Got(sent[0]["status"], headers, body)


@dataclass
class Seen(HTMLParser):
    """What a browser would make of a page: its elements, and what could run or lead away."""

    tags: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        if tag in {"iframe", "object", "embed", "base", "svg", "math", "img", "style"}:
            self.wrong.append(f"<{tag}>")
        if tag == "script" and not str(named.get("src")).startswith("/static/"):
            self.wrong.append("<script> of its own")
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "srcdoc", "formaction"}:
                self.wrong.append(f"{name}={value}")
            if name in {"href", "src", "action"}:
                self.links.append(value or "")
                if not str(value).startswith(("/", "#")) or str(value).startswith("//"):
                    self.wrong.append(f"{name}={value}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def seen(html: str) -> Seen:
    """Read a page as a browser does."""
    found = Seen()
    found.feed(html)
    found.close()
    return found

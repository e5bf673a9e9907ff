"""The page at its edges: the wire, cookies of other programs, names that no header could hold."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from replay.web import serving
from replay.web.serving import Place
from tests.support.margin_books import ACCOUNT, cascade
from tests.support.web import TOKEN, Browser


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    return cascade(tmp_path_factory.mktemp("served"))


@pytest.fixture
def browser(book):
    with Browser(book) as browser:
        yield browser.open()


@pytest.mark.parametrize("other", ['a={"x":1}', 'bad[x"=1', "\x7f=", "=;=", "a b=c", '"'])
def test_a_cookie_of_another_program_does_not_lose_ours(browser, other):
    ours, browser.cookie = browser.cookie, ""
    for cookie in (f"{other}; {ours}", f"{ours}; {other}", f"{other};{ours};{other}"):
        assert 200 == browser.get("/", cookie=cookie).status, cookie


@pytest.mark.parametrize("page", ["event", "liquidations"])
@pytest.mark.parametrize(
    "name", ["a\r\nset-cookie: x=y", "€", "a?at=1&b", "a#b", "a%62", "\0", " ", "й\n"]
)
def test_a_name_is_sent_on_as_an_address_has_it(browser, page, name):
    here = f"/a/{ACCOUNT}/{page}/{quote(name, safe='')}"
    got = browser.get(here)
    where = got.header("location")
    assert 307 == got.status
    assert re.fullmatch(r"[!-~]+", where), "nothing in it that a header could not hold"
    assert name.lower() == unquote(where.partition("?")[0].rpartition("/")[2]).lower()
    assert 404 == browser.get(where).status
    assert [] == browser.told


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_who_connects_and_asks_nothing_is_hung_up_on(book, monkeypatch):
    monkeypatch.setattr(serving, "ASKING_S", 0.1)
    place = Place(host="127.0.0.1", port=8765)
    server = serving.Server(book, place, token=TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = threading.Thread(target=server.run, args=(listening,))
        answering.start()
        asks = b"GET /static/icon.svg HTTP/1.1\r\nHost: 127.0.0.1:8765\r\n"
        beginnings = (b"", b"GET / HT", asks, asks + b"\r\n", asks + b"\r\n" + asks)
        ends = []
        for said in beginnings:
            with socket.create_connection(listening.getsockname(), timeout=10) as to:
                to.sendall(said)
                ends.append(b"".join(iter(lambda: to.recv(65_536), b"")))
        server.uvicorn.should_exit = True
        answering.join(timeout=10)
    assert [False, False, False, True, True] == [end.startswith(b"HTTP/1.1 200") for end in ends]
    assert not answering.is_alive()

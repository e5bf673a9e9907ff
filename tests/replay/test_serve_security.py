"""The page of a book against whoever should not see it, or would make a browser do their work."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import string
import time
import tracemalloc
from html import escape
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

import replay
from replay.web import guard
from replay.web.app import ROUTES
from replay.web.serving import Place
from tests.support.hostile import ATTEMPTS, address, hostile_book
from tests.support.margin_books import ACCOUNT, cascade
from tests.support.web import HOST, TOKEN, Browser, seen

TIMES = "at=2026-08-05T14:39:00.000Z&known-at=482"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HOSTS = int(os.environ.get("ROLLFORWARD_FORGED_HOSTS", "600"))
WALKED = int(os.environ.get("ROLLFORWARD_PAGES", "60"))
METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MKCOL",
           "LOCK", "get", "GETT", "POST\t", "QUERY")  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    return cascade(tmp_path_factory.mktemp("served"))


@pytest.fixture
def stranger(book):
    with Browser(book) as browser:
        yield browser


@pytest.fixture
def browser(book):
    with Browser(book) as browser:
        yield browser.open()


def every_page() -> list[str]:
    """Every path that asks something, with a question that has an answer."""
    named = {"identity": "7c" * 16, "name": "L-1"}
    found = []
    for path in ROUTES:
        whole = path.replace("{account}", ACCOUNT)
        for name, value in named.items():
            whole = whole.replace(f"{{{name}}}", value)
        figure = "&figure=" + quote("position HYPE") if path.endswith("/why") else ""
        found.append(f"{whole}?{TIMES}{figure}" if "{account}" in path else whole)
    return found


ROUTED = [*every_page(), "/open", "/static/style.css", "/nowhere", "/a/", "/a", f"/a/{ACCOUNT}/"]


def amounts_of(text: str) -> list[str]:
    """What a page may not hold for a stranger: addresses, and amounts with decimal places."""
    without = re.sub(r"\d+\.\d+\.\d+(\.\d+)?", "", text)
    return re.findall(r"0x[0-9a-f]{8,}|\d+\.\d{2,}", without)


# ------------------------------------------------------------------------- who is asking


@pytest.mark.parametrize("path", every_page())
def test_without_the_cookie_nothing_of_the_book_is_told(stranger, path):
    got = stranger.get(path)
    assert 401 == got.status
    assert "" == got.header("x-state-digest")
    # the address that was asked for may stand in the page, to be followed again; nothing else
    said = got.text.replace(escape(path), "")
    assert [] == amounts_of(said)
    assert [] == seen(got.text).wrong if "<html" in got.text else got.json["error"]


def test_the_token_opens_the_page_once(book, figure):
    with Browser(book) as first:
        first.open()
        assert 200 == first.get("/").status
        cookie, first.cookie = first.cookie, ""
        again = first.get(f"/open?token={TOKEN}")
        assert (403, "") == (again.status, again.header("set-cookie"))
        assert 401 == first.get("/").status
        first.cookie = cookie
        assert 303 == first.get(f"/open?token={TOKEN}").status
    figure(line="6-3", text="a token used a second time", value="refused")


def test_a_token_that_is_not_the_one_opens_nothing(stranger):
    wrong = ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), quote("ß" * 20), "%00", TOKEN + "%20"]
    for given in wrong:
        assert 403 == stranger.get(f"/open?token={given}").status
    assert 403 == stranger.get("/open").status
    assert 403 == stranger.get(f"/open?token={TOKEN}&token={TOKEN}").status
    assert 303 == stranger.get(f"/open?token={TOKEN}").status


def test_looking_ahead_does_not_use_the_token_up(stranger):
    assert 403 == stranger.get(f"/open?token={TOKEN}", method="HEAD").status
    assert 403 == stranger.get(f"/open?token={TOKEN}", sec_purpose="prefetch;prerender").status
    assert 303 == stranger.get(f"/open?token={TOKEN}").status


def test_the_cookie_is_not_the_token_and_only_this_page_gets_it(stranger):
    got = stranger.get(f"/open?token={TOKEN}")
    named, *flags = got.header("set-cookie").split("; ")
    secret = named.partition("=")[2]
    assert {"Path=/", "HttpOnly", "SameSite=Strict"} == set(flags)
    assert TOKEN not in named
    assert len(secret) >= 43, "256 bits are 43 letters"
    assert "/" == got.header("location")


def test_by_tls_the_cookie_stays_with_tls(book):
    with Browser(book, is_secure=True) as browser:
        got = browser.get(f"/open?token={TOKEN}")
    assert got.header("set-cookie").endswith("; Secure")


@pytest.mark.parametrize(
    "cookie",
    [
        "", "rollforward=", "rollforward=x", f"rollforward={TOKEN}", "rollforward", "=", ";;;",
        "Rollforward={}", " rollforward ={}x", "other={}", "rollforward=x{}", "x" * 4000,
        'rollforward="{}"x', "rollforward\x00={}",
    ],
)  # fmt: skip
def test_another_cookie_opens_nothing(browser, cookie):
    secret = browser.cookie.partition("=")[2]
    browser.cookie = ""
    assert 401 == browser.get("/", cookie=cookie.replace("{}", secret)).status


def test_tokens_are_compared_in_constant_time(monkeypatch, stranger):
    compared = []
    whole = guard.hmac.compare_digest

    def noted(one, other):
        compared.append((one, other))
        return whole(one, other)

    monkeypatch.setattr(guard.hmac, "compare_digest", noted)
    stranger.get("/open?token=guess")
    stranger.get(f"/open?token={TOKEN}")
    assert [(b"guess", TOKEN.encode()), (TOKEN.encode(), TOKEN.encode())] == compared


# ------------------------------------------------------------------------- under which name


def forged_hosts(count: int) -> list[str]:
    """Names that look like the page's own, and are not."""
    random = Random(6)
    own = ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"]
    port = "8765"
    found = [
        "evil.example", f"evil.example:{port}", "", " ", f"127.0.0.1:{port}.evil.example",
        f"127.0.0.1.evil.example:{port}", "127.0.0.1", "localhost", "[::1]", "127.0.0.1:80",
        "127.0.0.1:8766", "127.0.0.1:08765", "127.0.0.1:+8765", "127.0.0.1:８７６５", "::1",
        f"::1:{port}", f"localhost.:{port}", f"localhost.evil.example:{port}",
        f"evil@127.0.0.1:{port}",
        f"127.0.0.1:{port}@evil.example", f"127.0.0.1:{port}/", f"127.0.0.1:{port}#",
        f"127.1:{port}",
        f"127.0.0.1:{port}?", f"127.0.0.1:{port},evil.example", f"evil.example,127.0.0.1:{port}",
        f"0.0.0.0:{port}", f"0:{port}", f"2130706433:{port}", f"0x7f000001:{port}",
        f"0177.0.0.1:{port}",
        f"127.0.0.2:{port}", f"[::]:{port}", f"[::ffff:127.0.0.1]:{port}",
        f"[0:0:0:0:0:0:0:1]:{port}",
        f"127.0.0.1:{port}\t", f"\t127.0.0.1:{port}", f"127.0.0.1 :{port}", f"127.0.0.1: {port}",
        f"127.0.0.1:{port}\x00", f"127.0.0.1\x00.evil.example:{port}", f"127.0.0.1:{port}\r\nx: y",
        "http://127.0.0.1:8765", f"*:{port}", "*", f"loca1host:{port}", f"lоcalhost:{port}",
        f"localhost%00:{port}", f"%6cocalhost:{port}", "a" * 10_000, f"{'a.' * 200}example:{port}",
        f"testserver:{port}", f"[::1]:{port}]", f"[[::1]]:{port}", f"[::1%25lo]:{port}", ":8765",
    ]  # fmt: skip
    letters = string.ascii_letters + string.digits + ".-:[]@/\\ \t%_*,;'\"<>\x00\x7f\xff"
    while len(found) < count:
        host = list(random.choice(own))
        for _ in range(random.randint(1, 3)):
            place = random.randrange(len(host) + 1)
            match random.randrange(3):
                case 0:
                    host.insert(place, random.choice(letters))
                case 1 if host:
                    del host[min(place, len(host) - 1)]
                case _ if host:
                    host[min(place, len(host) - 1)] = random.choice(letters)
        if "".join(host).lower() not in own:
            found.append("".join(host))
    return found


def test_a_forged_host_is_refused_whatever_it_looks_like(browser, figure):
    refused = 0
    for host in forged_hosts(HOSTS):
        got = browser.get(f"/a/{ACCOUNT}?{TIMES}", host=host)
        assert got.status in {400, 421, 431}, host
        assert [] == amounts_of(got.text)
        refused += 1
    others = (
        [],
        [("host", HOST), ("host", HOST)],
        [("host", HOST), ("host", "evil.example")],
        [("x-forwarded-host", HOST)],
        [("forwarded", f"host={HOST}")],
        [("host", "evil.example"), ("x-forwarded-host", HOST)],
    )
    for headers in others:
        got = browser.raw("/", [*headers, ("cookie", browser.cookie)])
        assert got.status in {400, 421}, headers
        refused += 1
    figure(line="6-3", text="forged Host headers refused", value=f"{refused} of {refused}")


def test_its_own_names_are_answered(book):
    place = Place(host="127.0.0.1", port=8765)
    assert {"127.0.0.1:8765", "localhost:8765", "[::1]:8765"} == place.hosts
    with Browser(book, hosts=place.hosts) as browser:
        browser.open()
        for host in (*place.hosts, "LOCALHOST:8765"):
            assert 200 == browser.get("/", host=host).status


def test_at_the_usual_port_a_name_stands_alone_too():
    assert "localhost" in Place(host="127.0.0.1", port=80).hosts
    assert "localhost" not in Place(host="127.0.0.1", port=443).hosts
    shared = Place(host="0.0.0.0", port=8765, allowed=("audit.example",), is_secure=True)
    assert {"audit.example:8765"} == shared.hosts
    behind = Place(host="127.0.0.1", port=8765, allowed=("Audit.Example",), is_secure=True,
                   is_behind=True)  # fmt: skip
    assert {"audit.example:443", "audit.example"} == behind.hosts
    assert "https://audit.example/open?token=t" == behind.url("t")
    assert "http://[::1]:8765/open?token=t" == Place(host="::1", port=8765).url("t")


# ------------------------------------------------------------------------- caused by whom


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://127.0.0.1"}, {"origin": "https://127.0.0.1:8765"}, {"origin": ""},
        {"origin": "http://127.0.0.1:8765.evil.example"}, {"origin": "file://"},
        {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}, {"sec_fetch_site": ""},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"},
        {"sec_fetch_site": "same-origin", "origin": "https://evil.example"},
    ],
)  # fmt: skip
def test_a_second_origin_gets_nothing(browser, headers):
    for path in every_page():
        got = browser.get(path, **headers)
        assert 403 == got.status
        assert "" == got.header("x-state-digest")
        assert "" == got.header("access-control-allow-origin")


def test_its_own_origin_is_answered(browser):
    own = {"origin": f"http://{HOST}", "sec_fetch_site": "same-origin"}
    assert 200 == browser.get("/", **own).status
    assert 200 == browser.get("/", sec_fetch_site="none").status


def test_every_answer_says_what_browsers_may_do_with_it(browser, stranger, figure):
    wanted = {
        "content-security-policy": CSP,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "x-frame-options": "DENY",
        "cache-control": "no-store",
    }
    statuses = set()
    paths = [*ROUTED, "/open?token=x", f"/a/{ACCOUNT}?at=x", "/?" + "q" * 9_000]
    answers = 0
    for one in (browser, stranger):
        for path in paths:
            # to look only at the head takes as long as the whole; the short pages are enough
            for method in ("GET", "HEAD", "POST") if len(path) < 40 else ("GET", "POST"):
                got = one.get(path, method=method)
                statuses.add(got.status)
                answers += 1
                assert wanted == {name: got.header(name) for name in wanted}, (path, method)
                assert "" == got.header("server")
                assert got.body if method == "GET" and got.status != 303 else True
                assert not got.body if method == "HEAD" else True
    assert {200, 303, 401, 403, 404, 405, 414} <= statuses
    assert "unsafe" not in CSP
    figure(line="6-3", text="answers with CSP and its companions", value=answers)


# ------------------------------------------------------------------------- nothing but reading


def test_no_route_takes_anything_but_reading(browser, figure):
    walked = 0
    for path in ROUTED:
        for method in METHODS:
            got = browser.get(path, method=method)
            assert (405, "GET, HEAD") == (got.status, got.header("allow")), (method, path)
            walked += 1
    figure(line="6-3", text="write routes found", value=f"0 in {walked} tries")


def test_looking_at_everything_touches_neither_the_book_nor_the_network(book, figure, monkeypatch):
    def state() -> tuple[str, int]:
        # read while nobody has it open: SQLite's locks go with the first file that is closed
        return hashlib.sha256(book.read_bytes()).hexdigest(), book.stat().st_mtime_ns

    def refused(*_: object, **__: object):
        raise AssertionError("somebody opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    before = state()
    with Browser(book) as browser:
        walked = walk(browser.open(), WALKED)
    assert before == state()
    assert walked >= 60, "the walk goes from figures to events and records"
    figure(line="6-3", text="pages walked, the book's bytes the same", value=walked)


def walk(browser: Browser, count: int) -> int:
    """Follow links to so many pages; the same page at other instants is the same page."""
    waiting, walked = [*every_page()], set()
    while waiting and len(walked) < count:
        path = waiting.pop(0)
        shape = re.sub(r"at=[^&]*", "", path)
        if shape in walked or "minimal=" in path or path.startswith("/static/"):
            continue
        walked.add(shape)
        got = browser.get(path)
        assert got.status in {200, 303, 307, 404}, (got.status, path, browser.told)
        if got.header("content-type").startswith("text/html"):
            assert [] == seen(got.text).wrong, "every link of every page stays here"
            waiting += [link.partition("#")[0] for link in seen(got.text).links if "/" in link]
    return len(walked)


# ------------------------------------------------------------------------- outside the page


TRAVERSALS = [
    "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/%2e%2e%2fapp.py",
    "/static/..\\app.py", "/static/..%5capp.py", "/static/....//app.py", "/static/.%2e/app.py",
    "/static//app.py", "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/./../app.py",
    "/static/style.css/../../app.py", "/static/style.css%00", "/static/style.css%00.js",
    "/static/%00", "/static/..;/app.py", "/static/%252e%252e/app.py", "/static/..%c0%afapp.py",
    "/static/%c0%ae%c0%ae/app.py", "/static/", "/static", "/static/.", "/static/..",
    "/static/vendor",
    "/static/STYLE.CSS", "/static/style.css/", "/static/file:///etc/passwd", "/static/C:\\windows",
    "/../../etc/passwd", "/..%2f..%2fetc/passwd", "/a/../../etc/passwd", "/templates/base.html.j2",
    f"/a/{ACCOUNT}/../../static/../app.py", f"/a/{ACCOUNT}/event/../../../etc/passwd",
    f"/a/{ACCOUNT}/liquidations/..%2f..%2fetc", "//evil.example", "//evil.example/%2e%2e",
    "/%2e%2e",
    "/\\evil.example", "/a/..", "/a/%2e%2e", "/a/%00", "/verify/", "/verify/../verify",
    "/static/\u202e",
]  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_a_path_outside_is_no_page(browser, path):
    got = browser.get(path)
    assert 404 == got.status
    assert "" == got.header("location")
    assert "root:" not in got.text
    assert "def application" not in got.text


def test_the_files_of_the_page_are_served_with_their_types(browser):
    got = browser.get("/static/style.css")
    assert (200, "text/css; charset=utf-8") == (got.status, got.header("content-type"))


# ------------------------------------------------------------------------- hostile texts


def own_pages(number: int, position: int) -> list[str]:
    """The pages that show the texts of one attempt, as known at a position."""
    whose = address(number)
    times = f"at=2023-11-14T22:13:30.000Z&known-at={position}"
    text = ATTEMPTS[number]
    return [
        f"/a/{whose}?{times}", f"/a/{whose}/state?{times}",
        f"/a/{whose}/why?{times}&figure={quote(f'funding {text}')}",
        f"/a/{whose}/breaks?{times}", f"/a/{whose}/coverage?{times}",
        f"/a/{whose}/liquidations?{times}",
    ]  # fmt: skip


def test_hostile_texts_are_shown_as_texts(tmp_path, figure):
    assert len(set(ATTEMPTS)) >= 60
    shown = pages = 0
    with replay.open(hostile_book(tmp_path / "x.book"), cache=False) as audit:
        last = audit.position()
    with Browser(tmp_path / "x.book") as browser:
        browser.open()
        front = browser.get("/")
        assert [] == seen(front.text).wrong
        for number, text in enumerate(ATTEMPTS):
            assert escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in front.text
            opened = [browser.get(path) for path in own_pages(number, last)]
            figures = {link for link in seen(opened[0].text).links if "=balance%20" in link}
            opened += map(browser.get, sorted(figures))
            links = {link for got in opened if got.status == 200 for link in seen(got.text).links}
            deeper = [link for link in links if "/event/" in link or "break=" in link]
            # a market with a colon is of another exchange, where the fill moves no balance
            assert len(deeper) >= 4 - (":" in text), "an opening, funding, a fill, a break"
            for got in [*opened, *map(browser.get, sorted(deeper))]:
                assert got.status in {200, 400}, (got.status, text, browser.told)
                found = seen(got.text)
                assert [] == found.wrong, text
                if "<" in text:
                    assert text not in got.text
                shown += text in "".join(found.text)
                pages += 1
        assert [] == browser.told
    assert shown > pages // 2, "the texts do reach the pages"
    said = f"{len(ATTEMPTS)} texts in {pages} pages, 0 run"
    figure(line="6-3", text="hostile labels, notes, names, rows", value=said)


def test_what_is_asked_for_is_shown_as_text_too(browser):
    of, why = f"/a/{ACCOUNT}", f"/a/{ACCOUNT}/why?{TIMES}&figure="
    for number, text in enumerate(ATTEMPTS):
        part, word = quote(text, safe=""), quote(text)
        paths = [
            f"/a/{part}", f"{of}/event/{part}?{TIMES}", f"{of}?at={word}", f"{of}?known-at={word}",
            f"{why}{word}", f"/{word}", f"{of}/liquidations/{part}?{TIMES}",
            f"{of}/liquidations/L-1?{TIMES}&minimal={word}", f"{of}/breaks?{TIMES}&break={word}",
        ]  # fmt: skip
        if number % 8 == 0:
            paths += [f"{why}{quote('margin ' + text)}", f"{why}{quote('balance spot ' + text)}"]
        for path in paths:
            got = browser.get(path)
            assert got.status in {200, 307, 400, 404}, (got.status, path)
            assert [] == seen(got.text).wrong, text
    assert [] == browser.told


def test_a_stranger_is_not_led_elsewhere_by_the_way_back(stranger):
    for path in ("//evil.example/x", "/\\evil.example", "///evil.example", "/?next=//evil.example"):
        assert [] == seen(stranger.get(path).text).wrong


# ------------------------------------------------------------------------- too much of it


def test_ten_million_characters_are_refused_at_once(browser, figure):
    large = "q" * 10_000_000
    tracemalloc.start()
    began = time.perf_counter()
    try:
        for path, status in ((f"/verify?{large}", 414), (f"/a/{ACCOUNT}?at={large}", 414),
                             (f"/{large}", 414)):  # fmt: skip
            assert status == browser.get(path).status
        assert 431 == browser.get("/", x=large).status
        assert 431 == browser.raw("/", [("host", HOST), *([("x", "y")] * 10_000)]).status
        took, peak = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert took < 5
    assert peak < 20 * len(large), "a few copies made by the test itself, nothing that grows"
    figure(line="6-3", text="a 10 MB query string", value="414")


@pytest.mark.parametrize(
    "query",
    [
        "at=99999999999999999999", "at=-1", "at=1e9", "at=0x10", "at=" + "9" * 3_000, "at=NaN",
        "at=9999-99-99T99:99Z", "known-at=99999999999999999999999", "known-at=-1", "at=%00",
        "at=2026-08-05", "at=2026-08-05T14:39", "known-at=%F0%9F%98%80", "at=%FF%FE",
        "known-at=99999999999", "known-at=483",
    ],
)  # fmt: skip
def test_impossible_times_are_refused_in_words(browser, query):
    got = browser.get(f"/a/{ACCOUNT}?{query}")
    assert 400 == got.status
    assert "Traceback" not in got.text
    assert [] == browser.told


@pytest.mark.parametrize(
    "query",
    [
        "at=100000000000",
        "at=999999999999999",
        "known-at=0",
        "known-at=482",
        "at=1970-01-01T00:00Z",
        "at=9999-12-31T23:59:59.999Z",
    ],
)
def test_far_away_times_are_answered(browser, query):
    got = browser.get(f"/a/{ACCOUNT}?{query}")
    assert 307 == got.status
    assert 200 == browser.get(got.header("location")).status


def test_what_takes_too_long_is_broken_off_and_the_next_is_answered(book, monkeypatch):
    from replay.web import app, pages_book

    def endless(room, ask):
        while True:
            time.perf_counter()

    with Browser(book) as browser:
        assert 200 == browser.open().get("/").status
        # who answers what may take long begins with the first such question
        browser._inner.limit_s = 0.5
        monkeypatch.setattr(pages_book, "verify", endless)
        app._page.cache_clear()
        try:
            got = browser.get("/verify")
        finally:
            monkeypatch.undo()
            app._page.cache_clear()
        assert (503, False) == (got.status, "Traceback" in got.text)
        browser._inner.clerks[True]._limit_s = 60
        assert 200 == browser.get("/verify").status
        assert 200 == browser.get(f"/a/{ACCOUNT}/coverage?{TIMES}").status
        assert [] == browser.told


def test_more_than_may_wait_are_sent_away(book):
    import asyncio

    from replay.web.clerk import WAITING_MAX, Clerk, TooManyError

    async def crowd() -> int:
        clerk = Clerk(book)
        try:
            asked = [clerk.ask(lambda room: room.audit.position()) for _ in range(WAITING_MAX + 9)]
            got = await asyncio.gather(*asked, return_exceptions=True)
        finally:
            clerk.close()
        return sum(isinstance(one, TooManyError) for one in got)

    with asyncio.Runner() as runner:
        assert 9 == runner.run(crowd())


# ------------------------------------------------------------------------- what errors tell


def test_errors_tell_nothing_of_the_machine(book, tmp_path, monkeypatch):
    from replay.web import app, pages_book

    def broken(room, ask):
        raise RuntimeError(f"secret of {book}")

    with Browser(book) as browser:
        browser.open()
        monkeypatch.setattr(pages_book, "verify", broken)
        app._page.cache_clear()
        try:
            got = browser.get("/verify")
        finally:
            monkeypatch.undo()
            app._page.cache_clear()
        assert 500 == got.status
        assert [RuntimeError] == [type(error) for error in browser.told]
        for word in ("Traceback", "secret", str(book.parent), "RuntimeError", "site-packages"):
            assert word not in got.text
    gone = tmp_path / "gone.book"
    gone.write_bytes(b"no book at all")
    with Browser(gone) as browser:
        got = browser.open().get("/")
        assert 500 == got.status
        assert str(tmp_path) not in got.text

"""``rollforward serve`` as it is started: the address, who is let in, and how it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from replay.cli import app
from tests.support.command import ROOT, rollforward
from tests.support.margin_books import cascade

LOCAL = pytest.mark.allow_hosts(["127.0.0.1", "::1"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    cascade(folder)
    return folder


class Served:
    """The command in a process of its own, until it is interrupted."""

    def __init__(self, folder: Path, *words: str):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "replay", "serve", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if "--json" in words:
            said += "".join(iter(self.process.stdout.readline, "}\n")) + "}"
            self.said = json.loads(said)
            said = self.said["url"]
        self.url = urlsplit(said.strip())

    def __enter__(self):
        return self

    def __exit__(self, *_: object):
        if self.process.poll() is None:
            self.end()

    def end(self) -> tuple[int, str, str]:
        """Press Ctrl-C and return the exit code and what was printed."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        asked = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=30)
        asked.request("GET", path, headers=headers)
        got = asked.getresponse()
        got.whole = got.read()
        asked.close()
        return got

    def raw(self, sent: bytes) -> bytes:
        """Send bytes as they are and return what comes back until the connection is closed."""
        with socket.create_connection((self.url.hostname, self.url.port), timeout=30) as to:
            got = b""
            # it may be refused before all of it was sent
            with suppress(ConnectionResetError, BrokenPipeError):
                to.sendall(sent)
            with suppress(ConnectionResetError):
                while some := to.recv(65_536):
                    got += some
            return got


def memory(pid: int) -> int:
    """Resident memory of a process in bytes, where the system tells."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(found[1]) * 1024 if found else 0


@LOCAL
def test_it_serves_the_book_and_ends_with_ctrl_c(folder, figure):
    with Served(folder, "--port", "0") as served:
        assert ("http", "127.0.0.1", "/open") == (
            served.url.scheme, served.url.hostname, served.url.path,
        )  # fmt: skip
        assert 401 == served.get("/").status
        opened = served.get(f"/open?{served.url.query}")
        assert (303, "/") == (opened.status, opened.getheader("location"))
        cookie = opened.getheader("set-cookie").partition(";")[0]
        front = served.get("/", Cookie=cookie)
        assert 200 == front.status
        assert b"0x5ca1ab1e000000000000000000000000ca5cade0" in front.whole
        assert 403 == served.get(f"/open?{served.url.query}").status
        assert 421 == served.get("/", Cookie=cookie, Host="evil.example").status
        before = memory(served.process.pid)
        line = served.raw(b"GET /?" + b"q" * 10_000_000 + b" HTTP/1.1\r\n\r\n")
        many = served.raw(b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 10_000_000 + b"\r\n\r\n")
        assert memory(served.process.pid) - before < 50_000_000
        for got, status in ((line, b"414"), (many, b"431")):
            # the answer may be lost where the connection is reset while we still send
            assert not got or got.split(b" ", 2)[1] == status
        assert b" 400 " in served.raw(b"\x00\x01nonsense\r\n\r\n").partition(b"\r\n")[0]
        assert 200 == served.get("/", Cookie=cookie).status
        code, out, err = served.end()
    assert (130, "") == (code, out)
    assert "Traceback" not in err
    assert "interrupted" in err
    figure(line="6-3", text="a real server on the loopback alone", value="yes")


@LOCAL
def test_an_address_is_printed_for_programs_too(folder):
    with Served(folder, "--port", "0", "--json") as served:
        assert {"url", "host", "port", "book"} == set(served.said)
        assert str(served.url.port) == served.said["port"]
        assert 303 == served.get(f"/open?{served.url.query}").status


@LOCAL
def test_the_documented_way_for_programs_answers(folder, tmp_path):
    page = ROOT / "docs" / "how-to" / "look-at-an-account.md"
    block = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    printed, link, script = block.findall(page.read_text(encoding="utf-8"))
    with Served(folder, "--port", "0") as served:
        assert printed.splitlines()[1].startswith("http://127.0.0.1:8765/open?token=")
        if shutil.which("curl") is None:
            pytest.skip("there is no curl to run what the page says")
        asked = subprocess.run(
            ["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=True,
            env={**os.environ, "ADDRESS": served.url.geturl(), "NO_PROXY": "*"}, timeout=60,
        )  # fmt: skip
        told = json.loads(asked.stdout)
        cookie = (tmp_path / "jar").read_text().split()[-2:]
        got = served.get(link.strip(), Cookie="=".join(cookie))
    assert "2026-08-05T14:39:00.000Z" == told["at"]
    assert (200, told["state_digest"]) == (got.status, got.getheader("x-state-digest"))


@LOCAL
def test_two_pages_have_two_tokens_of_256_bits(folder):
    with Served(folder, "--port", "0") as one, Served(folder, "--port", "0") as other:
        tokens = [served.url.query.removeprefix("token=") for served in (one, other)]
        assert [43, 43] == [len(token) for token in tokens], "256 bits are 43 letters"
        assert tokens[0] != tokens[1]
        assert 403 == other.get(f"/open?token={tokens[0]}").status


@LOCAL
def test_a_port_in_use_is_said_to_be(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = rollforward("serve", "--port", str(port), cwd=folder)
    assert 5 == said.code
    assert f"port {port} of 127.0.0.1 is in use" in said.err
    assert "--port 0" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--host", "0.0.0.0"), "--allow-host"),
        (("--host", "::"), "--allow-host"),
        (("--host", "192.0.2.1"), "--allow-host"),
        (("--host", "0.0.0.0", "--allow-host", "audit.example"), "--behind-proxy"),
        (("--host", "0.0.0.0", "--behind-proxy"), "--allow-host"),
        (("--behind-proxy",), "--allow-host"),
        (("--certificate", "x.book"), "go together"),
        (("--key", "x.book"), "go together"),
        (("--certificate", "x.book", "--key", "x.book", "--behind-proxy", "--allow-host", "a.b"),
         "either"),
        (("--allow-host", "*"), "is no name of a host"),
        (("--allow-host", "http://audit.example"), "is no name of a host"),
        (("--allow-host", "audit.example:99999"), "is no name of a host"),
        (("--allow-host", "audit.example/x"), "is no name of a host"),
        (("--port", "70000"), "--port"),
        (("missing.book",), "missing.book"),
    ],
)  # fmt: skip
def test_what_would_be_unsafe_or_unclear_is_refused(folder, monkeypatch, words, told):
    monkeypatch.chdir(folder)
    said = CliRunner().invoke(app, ["serve", *words])
    assert (2, "") == (said.exit_code, said.stdout)
    assert told in said.stderr
    assert "Traceback" not in said.stderr


@LOCAL
def test_sharing_on_a_network_is_said_aloud(folder):
    words = ("--host", "0.0.0.0", "--allow-host", "audit.example", "--behind-proxy", "--port", "0")
    with Served(folder, *words) as served:
        assert ("https", "audit.example") == (served.url.scheme, served.url.netloc)
        local = ("127.0.0.1", int(listening(served.process.pid)))
        asked = http.client.HTTPConnection(*local, timeout=30)
        asked.request("GET", f"/open?{served.url.query}", headers={"Host": "audit.example"})
        assert asked.getresponse().getheader("set-cookie").endswith("; Secure")
        asked.close()
        asked = http.client.HTTPConnection(*local, timeout=30)
        asked.request("GET", "/")
        assert 421 == asked.getresponse().status, "only under the name that was allowed"
        asked.close()
        err = served.end()[2]
    assert "other machines can reach this page" in err


def listening(pid: int) -> int:
    """Return the port a process listens on."""
    table = Path(f"/proc/{pid}/net/tcp")
    if not table.exists():
        pytest.skip("this system does not tell the ports of a process")
    inodes = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
            return int(fields[1].partition(":")[2], 16)
    raise AssertionError("it does not listen")


def test_without_the_libraries_it_says_what_to_install(folder):
    script = (
        "import sys, importlib.util as u; real = u.find_spec;"
        "u.find_spec = lambda name, *a: None if name == 'uvicorn' else real(name, *a);"
        "from replay.cli import app; sys.exit(app.main(['serve'], standalone_mode=False))"
    )
    asked = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60,
    )  # fmt: skip
    assert 2 == asked.returncode
    assert "pip install '.[web]'" in asked.stderr


@LOCAL
def test_by_tls_of_its_own_it_speaks_tls(folder, tmp_path):
    import ssl

    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", pem, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    words = ("--certificate", str(pem), "--key", str(key), "--port", "0")
    with Served(folder, *words) as served:
        trusted = ssl.create_default_context(cafile=pem)
        asked = http.client.HTTPSConnection(
            "127.0.0.1", served.url.port, timeout=30, context=trusted
        )
        asked.request("GET", f"/open?{served.url.query}")
        got = asked.getresponse()
        assert ("https", 303) == (served.url.scheme, got.status)
        assert got.getheader("set-cookie").endswith("; Secure")
        asked.close()

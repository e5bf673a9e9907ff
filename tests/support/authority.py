"""A time-stamp authority of our own: certificates and stamps by ``openssl``, served on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

EXTENSIONS = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n"
CONFIG = """
[tsa]
default_tsa = t
[t]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""

Answer = Callable[[bytes], tuple[int, bytes]]


class Authority:
    """A folder with a root, a signer under it, and what they answer."""

    def __init__(self, folder: Path, name: str = "Example Time Stamps") -> None:
        """Make keys and certificates; the test is skipped where there is no ``openssl``."""
        self.folder = folder
        self.name = name
        found = shutil.which("openssl")
        if found is None:
            pytest.skip("there is no openssl on this machine to make a time-stamp authority with")
        self.program = found
        folder.mkdir()
        (folder / "ext").write_text(EXTENSIONS, encoding="ascii")
        (folder / "ts.cnf").write_text(CONFIG, encoding="ascii")
        (folder / "serial").write_text("01\n", encoding="ascii")
        made = ("-newkey", "rsa:2048", "-nodes")
        root = ("-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", f"/CN={name} Root")
        self.ran("req", "-x509", *made, *root)
        self.ran("req", *made, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"/CN={name}")
        under = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext")
        self.ran("x509", "-req", "-in", "tsa.csr", *under, "-out", "tsa.pem", "-days", "3650")

    def ran(self, *words: str) -> str:
        """Run ``openssl`` in the folder and return what it says."""
        environment = {**os.environ, "LC_ALL": "C"}
        asked = [self.program, *words]
        done = subprocess.run(
            asked, cwd=self.folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    @property
    def root(self) -> Path:
        """The certificate to trust."""
        return self.folder / "ca.pem"

    def granted(self, question: bytes) -> bytes:
        """Return the response to a request."""
        (self.folder / "q.tsq").write_bytes(question)
        words = ("-queryfile", "q.tsq", "-config", "ts.cnf", "-section", "t", "-out", "r.tsr")
        self.ran("ts", "-reply", *words)
        return (self.folder / "r.tsr").read_bytes()

    def over(self, data: bytes) -> bytes:
        """Return a response over data, asked for by ``openssl`` itself."""
        (self.folder / "data").write_bytes(data)
        self.ran("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "own.tsq")
        return self.granted((self.folder / "own.tsq").read_bytes())


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """Serve answers to what is posted on a port of this machine; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            code, body = answer(self.rfile.read(length))
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            """Whoever asked may have hung up; that is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/tsr"
    finally:
        server.shutdown()
        server.server_close()

"""``serve``: show a book as a page, on this machine and to one browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from replay.cli.common import book_option, examples, find_book, json_option, put_json, takes, tell

if TYPE_CHECKING:
    import socket

PORT: Final = 8765

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@click.command(
    name="serve",
    epilog=examples(
        "rollforward serve acme.book",
        "rollforward serve acme.book --open --port 0",
        "rollforward serve --host 0.0.0.0 --allow-host a.example --certificate c.pem --key k.pem",
        "rollforward serve --allow-host audit.example --behind-proxy",
    ),
)
@click.argument(
    "named", required=False, metavar="[BOOK]", type=click.Path(dir_okay=False, path_type=Path)
)
@takes(book_option)
@click.option(
    "--port", "-p", type=click.IntRange(0, 65_535), default=PORT, show_default=True, metavar="PORT",
    help="Where to listen; 0 takes any that is free.",
)  # fmt: skip
@click.option(
    "--host", "-H", default=LOOPBACK[0], show_default=True, metavar="ADDRESS",
    help="On which address to listen; another than this machine's own needs --allow-host and TLS.",
)  # fmt: skip
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME[:PORT]",
    help="Answer under this name, too; may be repeated.",
)  # fmt: skip
@click.option(
    "--behind-proxy", is_flag=True, help="A proxy in front of it speaks TLS with the browsers."
)
@click.option(
    "--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="Speak TLS with this certificate (PEM).",
)  # fmt: skip
@click.option(
    "--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
    help="The private key of the certificate (PEM).",
)  # fmt: skip
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@json_option
def command(
    book: Path | None, *, named: Path | None, port: int, host: str, allowed: tuple[str, ...],
    behind_proxy: bool, certificate: Path | None, key: Path | None, opens: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show a book as a page to look at: timeline, state, liquidations, breaks, coverage, proof.

    Prints an address with a token in it. Whoever opens it first, once, is answered from then on, in
    that browser only. The page listens on this machine alone, answers GET and HEAD only, and
    writes nothing. It ends with Ctrl-C.
    """
    path = find_book(named or book)
    _refuse_unsafe(host, allowed, behind_proxy=behind_proxy, certificate=certificate, key=key)
    _need_libraries()
    import secrets

    from replay.web.serving import Place, Server, parsed_name, prepare

    for name in allowed:
        parsed_name(name)
    prepare(path, tell)
    listening = _listening(host, port)
    place = Place(
        host=host, port=listening.getsockname()[1], allowed=allowed,
        is_secure=behind_proxy or certificate is not None, is_behind=behind_proxy,
    )  # fmt: skip
    token = secrets.token_urlsafe(32)
    server = Server(path, place, token=token, certificate=certificate, key=key, tell=_traceback)
    url = place.url(token)
    if as_json:
        put_json({"url": url, "host": host, "port": str(place.port), "book": str(path)})
    else:
        click.echo(url)
        tell("open this address; it works once. Ctrl-C ends the page")
    if host not in LOOPBACK:
        tell(f"other machines can reach this page at {host}: whoever has the address sees the book")
    if opens:
        click.launch(url)
    server.run(listening)


def _refuse_unsafe(
    host: str, allowed: tuple[str, ...], *,
    behind_proxy: bool, certificate: Path | None, key: Path | None,
) -> None:  # fmt: skip
    """Refuse to share a book on a network by accident, or in plain text."""
    if (certificate is None) != (key is None):
        message = "--certificate and --key go together: TLS needs both"
        raise click.UsageError(message)
    if certificate is not None and behind_proxy:
        message = "either --certificate with --key, or --behind-proxy: one of them speaks TLS"
        raise click.UsageError(message)
    if behind_proxy and not allowed:
        message = "--behind-proxy needs --allow-host NAME: the name browsers ask the proxy for"
        raise click.UsageError(message)
    if host in LOOPBACK:
        return
    if not allowed:
        message = (
            f"{host} is not this machine alone. To share the page on a network, say so with "
            f"--allow-host NAME, the name under which browsers will ask for it, and use TLS: "
            f"--certificate FILE --key FILE, or --behind-proxy"
        )
        raise click.UsageError(message)
    if certificate is None and not behind_proxy:
        message = (
            f"on {host} everybody on the way could read the book and the token. Give "
            f"--certificate FILE --key FILE, or put a proxy that speaks TLS in front of it and say "
            f"--behind-proxy"
        )
        raise click.UsageError(message)


def _need_libraries() -> None:
    from importlib.util import find_spec

    from ledger.errors import NotInstalled

    for name in ("starlette", "uvicorn", "jinja2"):
        if find_spec(name) is None:
            raise NotInstalled(library=name, extra="web", use="The page")


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens, bound before anything is printed.

    Raises: StoreFailed, when the port is taken or the address is not of this machine.
    """
    import errno
    import socket

    from ledger.errors import StoreFailed, UnclearQuestion

    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise UnclearQuestion(
            asked=host, problem="is no address to listen on", remedy="Give --host 127.0.0.1"
        ) from error
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(64)
    except OSError as error:
        made.close()
        reason = {
            errno.EADDRINUSE: f"port {port} of {host} is in use. Give another with --port, or "
            f"--port 0 for any that is free",
            errno.EACCES: f"port {port} needs rights this user has not. Give one from 1024 on",
            errno.EADDRNOTAVAIL: f"{host} is no address of this machine. Give --host 127.0.0.1",
        }.get(error.errno or 0, f"cannot listen on {host} port {port}: {error.strerror}")
        raise StoreFailed(reason) from error
    return made


def _traceback(error: Exception) -> None:
    """Tell the terminal where an answer failed; the browser is not told."""
    import traceback

    click.echo("".join(traceback.format_exception(error)), err=True, nl=False)

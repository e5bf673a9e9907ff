"""Answers: what goes back to a browser, as pages, as JSON and as CSV, and what errors look like.

Amounts, positions and whole numbers beyond what a browser can count are text in JSON. Nothing of
the machine is told: no path, no traceback.
"""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import attrs

from ledger import errors
from replay.moments import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jinja2 import Environment

    from replay.tables import Table

HTML: Final = "text/html; charset=utf-8"
JSON: Final = "application/json"
CSV: Final = "text/csv; charset=utf-8"


@attrs.frozen(kw_only=True)
class Answer:
    """What is sent back. ``digest`` is that of the state shown, empty where no state is shown."""

    body: bytes
    media: str = HTML
    status: int = 200
    digest: str = ""
    location: str = ""


@attrs.frozen(kw_only=True)
class Trouble:
    """What went wrong, for the one who asked: what it is, what it says, what to do."""

    status: int
    title: str
    text: str
    todo: str
    retry: str = ""
    """An address of this page that may be followed from here."""


# ------------------------------------------------------------------------- pages


@cache
def environment() -> Environment:
    """Return the templates; every text that goes through them is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("replay.web"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["moment"] = iso
    return made


def page(
    template: str, context: Mapping[str, Any], *, status: int = 200, digest: str = ""
) -> Answer:
    """Return a page as HTML."""
    text = environment().get_template(f"{template}.html.j2").render(**context, digest=digest)
    return Answer(body=text.encode(), status=status, digest=digest)


def trouble_page(trouble: Trouble) -> Answer:
    """Return the page of an error."""
    return page("error", {"page": None, "trouble": trouble}, status=trouble.status)


def trouble_json(trouble: Trouble) -> Answer:
    """Return an error for a program."""
    told = {"error": {"kind": trouble.title, "message": trouble.text, "do": trouble.todo}}
    return attrs.evolve(as_json(told), status=trouble.status)


@cache
def static_files() -> dict[str, tuple[bytes, str]]:
    """Return the files of the page, by path, with their media types.

    They are read once and looked up by name: a path that is not one of theirs is no file.
    """
    media = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
             ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
             ".png": "image/png"}  # fmt: skip
    found: dict[str, tuple[bytes, str]] = {}
    waiting = [("", files("replay.web").joinpath("static"))]
    while waiting:
        name, folder = waiting.pop()
        for entry in folder.iterdir():
            here = f"{name}{entry.name}"
            if entry.is_dir():
                waiting.append((f"{here}/", entry))
            else:
                ending = "." + entry.name.rpartition(".")[2]
                found[here] = entry.read_bytes(), media.get(ending, media[".txt"])
    return found


# ------------------------------------------------------------------------- for programs


def as_json(value: object, *, digest: str = "", is_read: bool = True) -> Answer:
    """Return JSON; no float goes into it but places on a screen, and those nobody reads."""
    layout: dict[str, Any] = {"indent": 2} if is_read else {"separators": (",", ":")}
    body = json.dumps(value, ensure_ascii=False, **layout).encode()
    return Answer(body=body, media=JSON, digest=digest)


def as_csv(
    tables: Iterable[Table], first: Iterable[tuple[str, str]], *, digest: str = ""
) -> Answer:
    """Return tables as CSV: what holds for all on top, then a table's name in front of its rows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(first)
    for table in tables:
        writer.writerow(["table", *table.columns])
        writer.writerows([[table.title, *(_plain(cell) for cell in row)] for row in table.rows])
        writer.writerows([["note", note] for note in table.notes])
    return Answer(body=out.getvalue().encode(), media=CSV, digest=digest)


def _plain(cell: str | None) -> str:
    """Return a cell as a spreadsheet may open it: no text begins a formula."""
    text = cell or ""
    is_amount = text[:1] in "+-" and text[1:].replace(".", "", 1).isdigit()
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") and not is_amount else text


# ------------------------------------------------------------------------- errors


_STATUS: Final[dict[type[errors.RollforwardError], tuple[int, str, str]]] = {
    errors.NotFound: (404, "Not in this book", "See the list of accounts, or check the address."),
    errors.NotInForce: (
        422, "No rules in force",
        "Choose a later instant, or judge by one named: rollforward margin --rulebook ID",
    ),
    errors.UnclearQuestion: (400, "The question is not clear", "Correct it in the address bar."),
    errors.MalformedRecord: (400, "The question is not clear", "Correct it in the address bar."),
    errors.UnknownKind: (
        422, "Unknown from here on",
        "Ask for an earlier instant, or correct the event with: rollforward correct",
    ),
    errors.BrokenChain: (500, "The book is damaged", "Run: rollforward verify"),
}  # fmt: skip


def _names_a_file(error: Exception) -> bool:
    """Tell whether the text of an error may hold a path of this machine."""
    return isinstance(error, (OSError, errors.StoreBusy, errors.StoreFailed)) or (
        isinstance(error, errors.NotFound) and error.what == "book"
    )


def trouble_of(error: Exception) -> Trouble:
    """Return what an error is to the one who asked; of our own mistakes only that there was one."""
    for kind, (status, title, todo) in _STATUS.items():
        if isinstance(error, kind) and not _names_a_file(error):
            return Trouble(status=status, title=title, text=str(error), todo=todo)
    if _names_a_file(error):
        return Trouble(
            status=500, title="The book cannot be read",
            text="The book this page was started with does not open any more.",
            todo="The terminal in which the page was started says why. Run: rollforward doctor",
        )  # fmt: skip
    if isinstance(error, errors.RollforwardError):
        return Trouble(
            status=422, title="It cannot be answered", text=str(error),
            todo="Ask for something else.",
        )  # fmt: skip
    return Trouble(
        status=500,
        title="A mistake in rollforward",
        text="This answer failed. The terminal in which the page was started says where.",
        todo="Report it with what the terminal says; other pages still work.",
    )

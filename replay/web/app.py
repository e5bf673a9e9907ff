"""The application: which path asks which question, and how the answer goes back."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import attrs
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from replay.web import answers
from replay.web.answers import Answer, Trouble
from replay.web.clerk import LIMIT_S, Clerk, GoneError, TooLongError, TooManyError
from replay.web.guard import Guard, Served, Session

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from replay.web.room import Room

    Told = Callable[[Exception], None]

ROUTES: Final[dict[str, str]] = {
    "/": "pages_book:accounts",
    "/verify": "pages_book:verify",
    "/a/{account}": "pages_state:timeline",
    "/a/{account}/state": "pages_state:fragment",
    "/a/{account}/state.json": "pages_state:state_json",
    "/a/{account}/state.csv": "pages_state:state_csv",
    "/a/{account}/lanes.json": "pages_state:lanes",
    "/a/{account}/why": "pages_why:why",
    "/a/{account}/event/{identity}": "pages_why:event",
    "/a/{account}/liquidations": "pages_liquidations:listed",
    "/a/{account}/liquidations/{name}": "pages_liquidations:card",
    "/a/{account}/breaks": "pages_breaks:breaks",
    "/a/{account}/coverage": "pages_coverage:coverage",
}
"""Every path that asks something, and the function that answers it."""

SLICES_MAX: Final = 4096
"""Slices of work one answer may take; a line of ten million events takes some 1,300."""

SLOW: Final = frozenset({
    "pages_book:verify", "pages_state:lanes", "pages_coverage:coverage",
    "pages_liquidations:listed", "pages_liquidations:card",
})  # fmt: skip
"""What may take long: it has a clerk of its own, so that the slider does not wait behind it."""

COOKIE: Final = "rollforward"


@attrs.frozen(kw_only=True)
class Ask:
    """One request, as the pages read it: where it went, with which words."""

    path: dict[str, str]
    query: dict[str, str]

    def get(self, name: str) -> str:
        """Return a word of the query, empty where it is not there."""
        return self.query.get(name, "")


def application(
    book: Path,
    *,
    token: str,
    hosts: frozenset[str],
    is_secure: bool = False,
    cookie: str = COOKIE,
    limit_s: float = LIMIT_S,
    tell: Told | None = None,
) -> ASGIApp:
    """Return the page of a book as an ASGI application, behind its guard.

    *token* is exchanged for the cookie, once. *hosts* are the names with ports it is served under,
    *is_secure* whether browsers reach it by TLS. An answer may take *limit_s* seconds. What fails
    by our own mistake is told to *tell*, and not to the browser.
    """
    made = Starlette(
        routes=[
            *(Route(path, _answering(name), methods=["GET"]) for path, name in ROUTES.items()),
            Route("/static/{name:path}", _static, methods=["GET"]),
        ],
        exception_handlers={404: _nowhere, 405: _nowhere},
        lifespan=_lifespan,
    )
    # An address with a slash too many is another address, not one to be sent elsewhere from.
    made.router.redirect_slashes = False
    made.state.book, made.state.limit_s, made.state.tell = book, limit_s, tell
    made.state.clerks = {}
    served = Served(hosts=hosts, is_secure=is_secure)
    return Guard(made, session=Session(token=token), served=served, cookie=cookie)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncGenerator[None]:
    yield
    for clerk in app.state.clerks.values():
        clerk.close()


def _clerk(app: Starlette, name: str) -> Clerk:
    """Return the clerk who answers, each with the book open for itself."""
    clerks: dict[bool, Clerk] = app.state.clerks
    is_slow = name in SLOW
    if is_slow not in clerks:
        clerks[is_slow] = Clerk(app.state.book, limit_s=app.state.limit_s)
    return clerks[is_slow]


# ------------------------------------------------------------------------- one request


def _answering(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        ask = Ask(path=dict(request.path_params), query=dict(request.query_params))
        clerk = _clerk(request.app, name)
        try:
            return _response(await _whole(clerk, lambda room: _page(name)(room, ask), request))
        except GoneError:
            return Response(status_code=499)
        except (TooLongError, TooManyError) as error:
            trouble = _TOO_LONG if isinstance(error, TooLongError) else _TOO_MANY
            return _response(_told(request, trouble))
        except Exception as error:  # noqa: BLE001 - the one place where errors become pages
            trouble = answers.trouble_of(error)
            if trouble.status == 500 and request.app.state.tell is not None:
                request.app.state.tell(error)
            return _response(_told(request, trouble))

    return answered


async def _whole(
    clerk: Clerk, question: Callable[[Room], Answer | None], request: Request
) -> Answer:
    """Return an answer that may be worked out in slices; between two, others have their turn.

    Raises: TooLongError, when it takes too many; as ``Clerk.ask`` besides.
    """
    for _ in range(SLICES_MAX):
        answer = await clerk.ask(question, request.is_disconnected)
        if answer is not None:
            return answer
    raise TooLongError


@cache
def _page(name: str) -> Callable[[Room, Ask], Answer | None]:
    module, _, function = name.partition(":")
    found: Callable[[Room, Ask], Answer | None] = getattr(
        import_module(f"replay.web.{module}"), function
    )
    return found


def _told(request: Request, trouble: Trouble) -> Answer:
    is_data = request.url.path.endswith((".json", ".csv"))
    return answers.trouble_json(trouble) if is_data else answers.trouble_page(trouble)


def _response(answer: Answer) -> Response:
    headers: dict[str, str] = {}
    if answer.digest:
        headers["x-state-digest"] = answer.digest
    if answer.location:
        headers["location"] = answer.location
    return Response(
        answer.body, status_code=answer.status, headers=headers, media_type=answer.media
    )


async def _static(request: Request) -> Response:
    found = answers.static_files().get(request.path_params["name"])
    if found is None:
        return _response(answers.trouble_page(_NOWHERE))
    return Response(found[0], media_type=found[1])


async def _nowhere(request: Request, _: Any) -> Response:  # noqa: ANN401 - starlette's, unused
    return _response(_told(request, _NOWHERE))


_NOWHERE: Final = Trouble(
    status=404,
    title="There is no such page",
    text="Nothing is found at this address.",
    todo="Go to the list of accounts, and follow a link from there.",
)
_TOO_LONG: Final = Trouble(
    status=503,
    title="It takes too long",
    text="This answer takes longer than a page may, and was broken off.",
    todo="Ask for a shorter time, or ask the command line, which may take as long as it needs.",
)
_TOO_MANY: Final = Trouble(
    status=503,
    title="Too much at once",
    text="Other answers are being made, and enough wait for theirs.",
    todo="Try again in a moment.",
)

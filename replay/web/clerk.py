"""The clerk: a thread that reads the book, and answers one question after the other.

A connection to SQLite belongs to the thread that opened it, and what a book remembers of its
reading is not made for two readers at once. So a clerk has the book open for itself;
whoever asks waits in line, and who has gone meanwhile is not answered. A question that takes too
long is broken off in the middle: the book is closed then and opened anew, so that nothing half-made
is kept.
"""

from __future__ import annotations

import asyncio
import ctypes
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, TypeVar

from replay.web.room import Room

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

T = TypeVar("T")

LIMIT_S: Final = 60
"""Seconds one answer may take."""

WAITING_MAX: Final = 16
"""How many may wait for their turn."""

_GRACE_S: Final = 5
"""Seconds until an answer that was broken off has stopped."""


class TooLongError(Exception):
    """An answer took longer than one may take."""


class TooManyError(Exception):
    """More wait for an answer than may wait."""


class GoneError(Exception):
    """Whoever asked has gone."""


class Clerk:
    """The thread that reads one book. Made and asked in one event loop."""

    def __init__(self, path: Path, *, limit_s: float = LIMIT_S) -> None:
        """Read the book at *path*; an answer may take *limit_s* seconds."""
        self._path = path
        self._limit_s = limit_s
        self._jobs: queue.SimpleQueue[tuple[Callable[[Room], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._state = threading.Lock()
        self._is_at_work = False
        # Whoever stops the program does not wait for an answer nobody will read.
        self._thread = threading.Thread(target=self._work, name="clerk", daemon=True)
        self._thread.start()

    async def ask(
        self, question: Callable[[Room], T], has_gone: Callable[[], Awaitable[bool]] | None = None
    ) -> T:
        """Return what a question comes to; it is asked in the clerk's thread.

        Raises: TooManyError, TooLongError, GoneError; and whatever the question raises.
        """
        if self._waiting >= WAITING_MAX:
            raise TooManyError
        self._waiting += 1
        try:
            async with self._turn:
                if has_gone is not None and await has_gone():
                    raise GoneError
                return await self._answer(question)
        finally:
            self._waiting -= 1

    async def _answer(self, question: Callable[[Room], T]) -> T:
        asked: Future[T] = Future()
        self._jobs.put((question, asked))
        answer = asyncio.wrap_future(asked)
        done, _ = await asyncio.wait({answer}, timeout=self._limit_s)
        if not done:
            self._break_off()
            await asyncio.wait({answer}, timeout=_GRACE_S)
            if not answer.done() or isinstance(answer.exception(), TooLongError):
                raise TooLongError
        return answer.result()

    def close(self) -> None:
        """Let the clerk go home, at the latest when the answer at hand is given."""
        self._jobs.put(None)
        self._break_off()
        self._thread.join(timeout=_GRACE_S)

    def _break_off(self) -> None:
        """Raise an exception in the clerk's thread, if it is at work: nothing else stops Python."""
        with self._state:
            if self._is_at_work and self._thread.ident is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self._thread.ident), ctypes.py_object(TooLongError)
                )

    # ------------------------------------------------------------------- in the thread

    def _work(self) -> None:
        room: Room | None = None
        while True:
            asked: Future[Any] | None = None
            try:
                job = self._jobs.get()
                if job is None:
                    break
                question, asked = job
                room = self._do(question, asked, room)
            except TooLongError as error:
                # Broken off, perhaps a moment too late: nothing that was being read is kept.
                if asked is not None and not asked.done():
                    asked.set_exception(error)
                room = closed(room)
        closed(room)

    def _do(
        self, question: Callable[[Room], Any], asked: Future[Any], room: Room | None
    ) -> Room | None:
        """Answer one question; return the room it was answered in."""
        with self._state:
            self._is_at_work = True
        try:
            if room is not None and room.is_full:
                room = closed(room)
            room = room or Room.open(self._path)
            answer = question(room)
        except TooLongError:
            room = closed(room)
            raise
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
            self._rest()
            asked.set_exception(error)
        else:
            self._rest()
            asked.set_result(answer)
        finally:
            self._rest()
        return room

    def _rest(self) -> None:
        with self._state:
            self._is_at_work = False


def closed(room: Room | None) -> Room | None:
    """Close a room, if there is one, and return that there is none."""
    if room is not None:
        room.close()
    return None

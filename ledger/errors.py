"""The tree of exceptions: our own mistakes and unreadable input, never a disagreement of facts.

::

    RollforwardError
    ├── MalformedRecord      a record, or one row of it, cannot be read     → quarantine, exit 3
    ├── RefusedFile          a whole file cannot be taken                   → exit 4
    ├── NeedsHint            the file cannot say something; names the flag  → exit 2
    ├── UnknownKind          a projection met an event it cannot give a meaning to → exit 1
    ├── NotInForce           no rulebook holds at the instant           → exit 2
    ├── NotFound             no such account, event or record               → exit 2
    │   └── NotInstalled     a library that only an extra brings            → exit 2
    ├── UnclearQuestion      what was asked has two readings, or none       → exit 2
    ├── RefusedAct           what somebody wants to do does not fit what it is about → exit 4
    ├── BrokenChain          the book's bytes do not match its own digests  → exit 1
    ├── StoreBusy            another writer holds the book                  → exit 5
    ├── StoreFailed          the store could not do what was asked          → exit 5
    └── NoStamp              a time-stamp authority gave no stamp that serves → exit 5

A finding (two truths differ) is a value in ``projections.findings``, not an exception.
Each exception carries what it speaks of as attributes; its text says where, what was found,
what was expected and what to do.
"""

from __future__ import annotations

from ledger.civil import iso


class RollforwardError(Exception):
    """Root of everything this program raises on purpose."""


class MalformedRecord(RollforwardError):
    """A record or a row of it cannot be read; it goes to quarantine."""

    def __init__(self, *, field: str, found: object, expected: str) -> None:
        """Say which field held what, and what was expected there."""
        self.field = field
        self.found = found
        self.expected = expected
        super().__init__(f'{field} "{_shown(found)}" is not {expected}')


class RefusedFile(RollforwardError):
    """A whole file cannot be taken: nothing of it is written."""

    def __init__(self, *, name: str, reason: str, remedy: str) -> None:
        """Name the file, why it is refused, and what to do."""
        self.name = name
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{name}: {reason}. {remedy}")


class NeedsHint(RollforwardError):
    """A file leaves something open which only the user can say; the message names the flag."""

    def __init__(self, *, name: str, question: str, flag: str) -> None:
        """Name the file, what is open, and the exact flag that answers it."""
        self.name = name
        self.question = question
        self.flag = flag
        super().__init__(f"{name}: {question}. Say {flag}")


class UnknownKind(RollforwardError):
    """A projection met an event whose meaning is not known and stops there, loudly."""

    def __init__(self, *, kind: str, event: str, at: int, projection: str) -> None:
        """Name the kind, the event and the projection that cannot go on."""
        self.kind = kind
        self.event = event
        self.at = at
        self.projection = projection
        super().__init__(
            f"{projection}: event {event} is of the unknown kind {kind!r}; "
            f"figures from its moment ({iso(at)}) on are not known. Correct it or wait for a "
            f"version that knows the kind"
        )


class NotFound(RollforwardError):
    """Nothing in the book goes by that name."""

    def __init__(
        self, *, what: str, name: str, remedy: str = "", where: str = " in this book"
    ) -> None:
        """Say what was looked for, under which name, and where to look instead."""
        self.what = what
        self.name = name
        self.remedy = remedy
        super().__init__(f"no {what} {name}{where}{'. ' + remedy if remedy else ''}")


class NotInstalled(NotFound):
    """A library that only an extra brings is not installed."""

    def __init__(self, *, library: str, extra: str, use: str) -> None:
        """Name the library, what needs it, and the extra it comes with."""
        self.library = library
        self.extra = extra
        super().__init__(
            what="library",
            name=library,
            where="",
            remedy=f"{use} needs the extra {extra}. In the checkout: pip install '.[{extra}]'",
        )


class UnclearQuestion(RollforwardError):
    """What was asked can be read in more than one way, or in none; nothing was looked up."""

    def __init__(self, *, asked: str, problem: str, remedy: str) -> None:
        """Quote what was asked, say what is unclear about it, and how to ask instead."""
        self.asked = asked
        self.problem = problem
        self.remedy = remedy
        super().__init__(f'"{_shown(asked)}" {problem}. {remedy}')


class RefusedAct(RollforwardError):
    """What somebody wants to record does not fit the state of what it is about; nothing was."""

    def __init__(self, *, act: str, subject: str, problem: str, remedy: str) -> None:
        """Name the act and what it is about, what does not fit, and what would."""
        self.act = act
        self.subject = subject
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"cannot {act} {subject}: it {problem}. {remedy}")


class NotInForce(RollforwardError):
    """No rulebook was in force at the instant, or none goes by the name that was given."""

    def __init__(
        self,
        *,
        at: int | None,
        earliest: str | None,
        wanted: str | None = None,
        known: tuple[str, ...] = (),
        mode: str | None = None,
    ) -> None:
        """Name the instant and the earliest version, or the name and the versions there are.

        *mode* is the account's, where versions differ in which modes they judge.
        """
        self.at = at
        self.earliest = earliest
        self.wanted = wanted
        self.known = known
        self.mode = mode
        if wanted is not None or at is None:
            text = f"no rulebook is called {wanted!r}; there are {', '.join(known) or 'none'}"
        else:
            whose = f" for an account in the mode {mode}" if mode else ""
            text = f"no rulebook was in force at {iso(at)}{whose}; the earliest is {earliest}"
            if earliest is not None:
                text += f". To judge by it all the same, name it: --rulebook '{earliest}'"
        super().__init__(text)


class BrokenChain(RollforwardError):
    """Stored bytes do not match the digests that were taken over them."""

    def __init__(self, *, stream: str, version: int, reason: str) -> None:
        """Name the stream, the number of the batch in it, and what does not match."""
        self.stream = stream
        self.version = version
        self.reason = reason
        super().__init__(f"{stream} batch {version}: {reason}")


class StoreBusy(RollforwardError):
    """Another writer holds the book; nothing was written."""


class StoreFailed(RollforwardError):
    """The store could not do what was asked; the message says what to run."""


class NoStamp(RollforwardError):
    """A time-stamp authority could not be reached, or what it answered does not serve."""

    def __init__(self, *, url: str, reason: str) -> None:
        """Name the address and why nothing came of it."""
        self.url = url
        self.reason = reason
        remedy = "Nothing was written; ask again, or another authority"
        super().__init__(f"no time stamp from {url}: {reason}. {remedy}")


def _shown(found: object, limit: int = 80) -> str:
    text = str(found).encode("unicode_escape").decode("ascii")
    return text if len(text) <= limit else text[: limit - 1] + "…"

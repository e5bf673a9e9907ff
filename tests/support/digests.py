"""Digests of what the program makes of two histories, for comparing machines and versions.

``python -m tests.support.digests`` prints them as JSON; ``--write`` keeps them as the golden ones,
which may change only with a fragment in ``changelog.d`` that says why. The first history is the
bundled one, the second grows from a seed, so its papers have a digest too: when that differs, the
interpreter's random numbers do, and not the program.
"""

from __future__ import annotations

import json
import locale
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from ledger import timeline
from ledger.book import Book
from ledger.units import stream_account
from projections import fold
from tests.support import venue_papers as papers
from tests.support.route import Paper, course_in, states_in, take_in
from tests.support.venue import Venue, history

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "fixtures" / "cascade"
GOLDEN = ROOT / "tests" / "laws" / "golden_digests.json"
SEED = 20260822
STEPS = 150


def bundled() -> list[Paper]:
    """Return the files of the bundled history, by name."""
    return [Paper(path.name, path.read_text("utf-8")) for path in sorted(BUNDLED.iterdir())]


def generated(venue: Venue) -> list[Paper]:
    """Return a generated history as API pages, a web export and node lines that overlap."""
    whole = (venue.began, venue.now)
    middle = (venue.began + venue.now) // 2
    fills = papers.rows_of(venue, "fills", *whole)
    return [
        Paper("metadata.json", papers.metadata(venue.now)),
        Paper("trade_history.csv", papers.web_trades(venue, fills, "Europe/Berlin")),
        Paper("late.json", papers.fills_by_time(venue, [(middle, venue.now)])),
        Paper("node_fills", papers.node_fills(venue, fills[: len(fills) * 2 // 3])),
        Paper("misc_events", papers.node_events(venue, venue.rows)),
        Paper("ledger.json", papers.ledger_pages(venue, [whole])),
        Paper("funding.json", papers.funding_pages(venue, [whole])),
        Paper("interest.json", papers.interest_pages(venue, [whole])),
        Paper("states.json", papers.states(venue)),
    ]


def digests_of(name: str, account: str, given: list[Paper]) -> dict[str, str]:
    """Return digests of the papers, the book, the timeline and the states at four instants."""
    found = {f"{name}: papers": sha256(repr([p.text for p in given]).encode()).hexdigest()}
    with Book.in_memory() as book:
        take_in(book, account, given)
        course, fetch = course_in(book, account)
        found[f"{name}: book"] = sha256(book.checkpoint().encode()).hexdigest()
        found[f"{name}: timeline"] = timeline.digest(course, fetch)
        runs = course.runs
        first, last = runs[0].first_at, runs[-1].last_at
        for part in range(1, 5):
            at = first + (last - first) * part // 4
            states = states_in(book, account, at)
            found[f"{name}: states {part}/4"] = fold.digest(states)
            found[f"{name}: stored {part}/4"] = sha256(fold.encode(states)).hexdigest()
    return found


def digests() -> dict[str, str]:
    """Return all digests, by what they are of."""
    venue = history(SEED, STEPS)
    found = digests_of("generated", venue.account, generated(venue))
    given = bundled()
    with Book.in_memory() as book:
        take_in(book, venue.account, given)
        accounts = [stream_account(info.stream) for info in book.streams()]
    for account in sorted(filter(None, accounts)):
        found |= digests_of(f"bundled {account[:6]}", account, given)
    return found


def lasting(found: dict[str, str]) -> dict[str, str]:
    """Return the digests that versions of the program share: how checkpoints are stored is not."""
    return {name: value for name, value in found.items() if " stored " not in name}


def main() -> None:
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    found = digests()
    if "--write" in sys.argv[1:]:
        GOLDEN.write_text(json.dumps(lasting(found), indent=1, sort_keys=True) + "\n", "utf-8")
    sys.stdout.write(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()

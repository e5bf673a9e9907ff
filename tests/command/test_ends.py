"""How commands end where a question reaches past what is recorded: never with a quiet 0."""

from __future__ import annotations

import pytest

from tests.support import dispute_books as made
from tests.support.dispute_books import NOON, WHO

HOURS = ("--since", "2026-08-05T06:00Z", "--until", "2026-08-05T12:00Z")


def traded(rf) -> None:
    """A book of one fill: nothing of lending, and nothing that says there was none."""
    fill = made.fill(NOON, "BTC", "B", "1.0", "100000.0", "0.0")
    made.book(rf.folder, made.tokens(NOON), made.fills(fill))


@pytest.mark.parametrize(
    "words",
    [
        ("show",),
        ("history",),
        ("check",),
        ("margin",),
        ("liquidations",),
        ("statement", "--month", "2026-08"),
        ("reconcile", "book"),
        ("reconcile", "state"),
        ("reconcile", "interest", *HOURS),
        ("breaks",),
        ("coverage",),
        ("what-if", "--price", "HYPE=30"),
        ("explain", "0x5ca", "balance", "spot", "USDC"),
        ("claim", "0x5ca", "position(HYPE) @ 2026-08-05T12:00Z = 4500"),
    ],
    ids=" ".join,
)
def test_a_position_the_book_has_not_reached_is_refused(cascade, words):
    """482 it has, 483 not: it would be answered as of now, and look as if it had been then."""
    if words[0] == "claim":
        done = cascade(*words[:-1], f"{words[-1]} known-at 483")
    else:
        assert "is a position after" not in cascade(*words, "--known-at", "482").output
        done = cascade(*words, "--known-at", "483")
    assert 2 == done.exit_code
    assert '"483" is a position after the book\'s last, 482' in done.stderr


def test_a_moment_of_recording_still_to_come_is_what_is_known_now(cascade):
    told = cascade.json("show", "--known-at", "2036-01-01T00:00Z")
    assert told == cascade.json("show", "--known-at", "482")


def test_states_of_a_book_that_leave_something_unknown_end_with_three(rf):
    """A reserve in October 2025, before any rulebook: its rates follow from nothing."""
    state = {
        "borrowYearlyRate": "0.05", "supplyYearlyRate": "0.0", "balance": "1000000.0",
        "utilization": "0.0", "oraclePx": "1.0", "ltv": "0.0", "totalSupplied": "1000000.0",
        "totalBorrowed": "0.0",
    }  # fmt: skip
    at = 1_760_000_000_000
    request = {"type": "allBorrowLendReserveStates"}
    made.book(rf.folder, made.tokens(at), made.answer(at, request, [[0, state]]))
    told = rf.json("reconcile", "book")
    assert (True, False) == (told["clean"], told["known"])
    assert 3 == rf("reconcile", "book").exit_code


def test_a_book_without_a_state_has_nothing_to_reconcile(rf):
    traded(rf)
    assert 3 == rf("reconcile", "book").exit_code


def test_no_interest_where_nothing_says_that_none_was_due_is_unknown(rf):
    traded(rf)
    result = rf("reconcile", "interest", WHO, *HOURS)
    assert "nothing recorded says that anything was due or paid" in result.stdout
    assert 3 == result.exit_code


def test_a_period_without_an_hour_is_no_question(cascade):
    moment = "2026-08-04T00:00Z"
    result = cascade("reconcile", "interest", "--since", moment, "--until", moment)
    assert (2, True) == (result.exit_code, "holds no hour" in result.stderr)


def test_who_acts_may_stand_in_the_environment(cascade, monkeypatch):
    define = ("group", "define", "fund", "--master", "0x5ca1ab1e000000000000000000000000ca5cade0")
    close = ("close", "--month", "2026-08", "--report", "statement")
    assert 2 == cascade(*define).exit_code
    assert 2 == cascade(*close).exit_code
    monkeypatch.setenv("ROLLFORWARD_AS", "Ana")
    cascade.fine(*define)
    cascade.fine(*close)
    assert "Ana" in cascade.fine("close", "--list")


@pytest.mark.parametrize(
    "words",
    [
        ("export", "csv", "-o"),
        ("views",),
        ("views", "--metadata"),
        ("statement", "--month", "2026-08", "--out"),
        ("margin", "--from", "2026-08-05T12:00Z", "--to", "2026-08-05T15:00Z", "--chart"),
        ("verify", "--write-checkpoint"),
        ("reproduce", "C-1", "--out"),
        ("keys", "new"),
    ],
    ids=" ".join,
)
def test_a_file_in_a_folder_that_is_not_there_is_refused_at_once(cascade, words):
    said = cascade(*words, "nowhere/file.svg")
    assert (2, "") == (said.exit_code, said.stdout)
    assert "Error: no folder nowhere. Make it first, or name another\n" == said.stderr

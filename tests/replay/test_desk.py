"""Runs and acts in a book: what is recorded, what is refused, and what a signature is worth."""

from __future__ import annotations

import os
import stat
import sys
from decimal import Decimal

import attrs
import pytest

import replay
from ledger.book import Book
from ledger.errors import (
    MalformedRecord,
    NotFound,
    RefusedAct,
    RefusedFile,
    UnclearQuestion,
)
from ledger.events import BreakApproved, BreakClosed, Reconciled
from ledger.signatures import new_key
from ledger.units import Address, Millis, desk_stream, stream_account
from projections.breaks import Break, identity
from replay import desk, desk_views, keys
from replay.checking import check_book, said
from replay.desk import Run

ACCOUNT = Address("0x" + "ab" * 20)
HOUR = 3_600_000
BEGIN = 1_785_542_400_000
NOW = Millis(BEGIN + 100 * HOUR)

RUN = Run(
    desk="interest",
    account=ACCOUNT,
    since=Millis(BEGIN),
    until=Millis(BEGIN + 24 * HOUR),
    parameters='{"tolerance":"0.000001"}',
    position=0,
)


def break_of(hour: int, paid: str = "7", **changed) -> Break:
    where = {
        "desk": "interest",
        "account": ACCOUNT,
        "subject": "USDC supply",
        "at": Millis(BEGIN + hour * HOUR),
        "until": Millis(BEGIN + (hour + 1) * HOUR),
        **changed,
    }
    return Break(
        **where,
        identity=identity(**where),
        kind="wrong amount",
        expected=Decimal(10),
        observed=Decimal(paid),
        difference=Decimal(paid) - 10,
        text=f"paid {paid}, by rule 10",
    )


@pytest.fixture
def book() -> Book:
    made = Book.in_memory()
    desk.record_run(made, [break_of(1), break_of(2)], RUN, by="run", now=NOW)
    return made


FIRST = break_of(1).identity


def case(book: Book, name: str = FIRST):
    return desk.case_of(desk.read(book), name)


def test_a_run_is_recorded_with_its_tolerance_and_what_it_found(book):
    (act,) = desk.read(book).runs
    event = act.event
    assert isinstance(event, Reconciled)
    assert ('{"tolerance":"0.000001"}', 2, "venue") == (
        event.parameters,
        event.found,
        event.against,
    )


def test_a_run_that_finds_nothing_is_recorded_once():
    book = Book.in_memory()
    first = desk.record_run(book, [], RUN, by="ana", now=NOW)
    again = desk.record_run(book, [], RUN, by="ben", now=Millis(NOW + HOUR))
    assert (True, False) == (first.is_new, again.is_new)
    assert first.run == again.run
    assert 1 == book.position()


def test_a_run_that_finds_less_is_recorded_even_when_no_live_break_changes(book):
    desk.close(book, FIRST, because="small", by="ana", now=NOW, force=True)
    outcome = desk.record_run(book, [break_of(2)], RUN, by="run", now=NOW)
    assert ((), (), (), True) == (
        outcome.opened, outcome.renewed, outcome.gone, outcome.is_new
    )  # fmt: skip
    assert [2, 1] == [act.event.found for act in desk.read(book).runs]


def test_a_run_under_another_tolerance_is_another_run(book):
    wide = attrs.evolve(RUN, parameters='{"tolerance":"5"}')
    outcome = desk.record_run(book, [], wide, by="ana", now=NOW)
    assert {FIRST, break_of(2).identity} == set(outcome.gone)
    # and the narrow one finds them again, though it finds what it found before
    back = desk.record_run(book, [break_of(1), break_of(2)], RUN, by="ana", now=NOW)
    assert {FIRST, break_of(2).identity} == set(back.renewed)
    assert not case(book).is_gone


def test_what_was_closed_on_its_approval_is_known_even_when_it_had_been_gone(book):
    desk.explain(book, FIRST, because="late", by="ana", now=NOW)
    desk.approve(book, FIRST, by="ben", now=NOW)
    desk.record_run(book, [break_of(2)], RUN, by="run", now=NOW)
    desk.close(book, FIRST, because="done", by="ana", now=NOW)
    outcome = desk.record_run(book, [break_of(1), break_of(2)], RUN, by="run", now=NOW)
    assert ((), True) == (outcome.renewed, FIRST in outcome.known)
    assert "closed" == case(book).status


def test_a_dry_run_says_the_same_and_writes_nothing(book):
    position = book.position()
    dry = desk.record_run(book, [break_of(1, "8")], RUN, by="ana", now=NOW, dry=True)
    assert position == book.position()
    assert dry == desk.record_run(book, [break_of(1, "8")], RUN, by="ana", now=NOW)
    assert ((FIRST,), (break_of(2).identity,)) == (dry.renewed, dry.gone)


@pytest.mark.parametrize(
    ("breaks", "why"),
    [
        ([break_of(1), attrs.evolve(break_of(1), subject="HYPE supply")], "is the name of two"),
        ([break_of(1, account=None)], "lies outside what the run went over"),
        ([break_of(30)], "lies outside what the run went over"),
    ],
)
def test_a_run_that_does_not_fit_its_breaks_is_refused_whole(breaks, why):
    book = Book.in_memory()
    with pytest.raises(RefusedAct, match=why):
        desk.record_run(book, breaks, RUN, by="ana", now=NOW)
    assert 0 == book.position()


def test_one_name_for_two_breaks_of_two_runs_is_refused(book):
    twin = attrs.evolve(break_of(3), identity=FIRST)
    with pytest.raises(RefusedAct, match="is the name of another break"):
        desk.record_run(book, [twin], RUN, by="ana", now=NOW)


def test_breaks_of_a_reserve_stand_on_a_desk_of_their_own():
    book = Book.in_memory()
    found = break_of(1, desk="pool", account=None, subject="reserve HYPE")
    run = attrs.evolve(RUN, desk="pool", account=None)
    desk.record_run(book, [found], run, by="ana", now=NOW)
    desk.explain(book, found.identity, because="tenth", by="ana", now=NOW)
    assert ["desk"] == [info.stream for info in book.streams()]
    assert "explained" == case(book, found.identity).status


def test_acts_are_no_part_of_any_account(book):
    desk.assign(book, FIRST, to="ana", because="", by="lead", now=NOW)
    (info,) = book.streams()
    assert desk_stream(ACCOUNT) == info.stream
    assert stream_account(info.stream) is None


def test_acts_follow_each_other_whatever_the_clock_says(book):
    early = Millis(BEGIN)
    desk.explain(book, FIRST, because="late", by="ana", now=early)
    desk.approve(book, FIRST, by="ben", now=early)
    desk.close(book, FIRST, because="done", by="ben", now=early)
    done = [act.event.at for act in case(book).acts]
    assert sorted(set(done)) == done
    assert "closed" == case(book).status


@pytest.mark.parametrize("by", ["", "  ", "\u200b", "a\x00b", "x" * 201])
def test_an_act_needs_a_name(book, by):
    with pytest.raises(UnclearQuestion, match="Give --as the name of a person"):
        desk.explain(book, FIRST, because="late", by=by, now=NOW)


@pytest.mark.parametrize("because", ["", " \n ", "\x1b[31m", "x" * 2_001])
def test_an_act_needs_a_reason(book, because):
    position = book.position()
    with pytest.raises(UnclearQuestion, match="--because"):
        desk.close(book, FIRST, because=because, by="ana", now=NOW, force=True)
    assert position == book.position()


def test_names_are_recorded_with_single_spaces(book):
    desk.assign(book, FIRST, to=" Ada \n Lovelace ", because="", by="lead", now=NOW)
    assert "Ada Lovelace" == case(book).owner


@pytest.mark.parametrize("name", [FIRST, FIRST[:6], FIRST[2:].upper(), FIRST.lower()])
def test_a_break_goes_by_its_name_or_its_beginning(book, name):
    assert FIRST == case(book, name).found.identity


def test_a_name_that_fits_none_or_several_is_refused(book):
    named = [break_of(hour) for hour in range(1, 24)]
    desk.record_run(book, named, RUN, by="run", now=NOW)
    twice = next(
        one for one in "0123456789abcdef" if 2 == sum(found.identity[2] == one for found in named)
    )
    with pytest.raises(UnclearQuestion, match="fits 2 breaks"):
        case(book, twice)
    for name in ("B-", "", "B-zz", "ffffffffffff"):
        with pytest.raises(NotFound, match="rollforward breaks --all"):
            case(book, name)


def test_what_the_history_was_held_against_is_shown_where_it_is_not_the_venue(book):
    statement = attrs.evolve(RUN, against="statement.csv")
    other = break_of(3)
    desk.record_run(book, [other], statement, by="ana", now=NOW)
    assert ("", "against statement.csv") == (
        desk_views.marks(case(book)), desk_views.marks(case(book, other.identity))
    )  # fmt: skip


def test_closing_says_on_what(book):
    second = break_of(2).identity
    desk.explain(book, FIRST, because="late", by="ana", now=NOW)
    desk.approve(book, FIRST, by="ben", now=NOW)
    # force that is not needed is not recorded
    desk.close(book, FIRST, because="done", by="ana", now=NOW, force=True)
    desk.close(book, second, because="small", by="ana", now=NOW, force=True)
    closings = {one.found.identity: one.closing.event for one in desk.read(book).cases}
    assert isinstance(closings[FIRST], BreakClosed)
    assert ("approved", "forced") == (closings[FIRST].resolution, closings[second].resolution)


def test_the_desk_is_read_as_of_both_times(book):
    known = book.position()
    desk.explain(book, FIRST, because="late", by="ana", now=Millis(NOW + HOUR))
    assert "open" == desk.case_of(desk.read(book, position=known), FIRST).status
    assert "open" == desk.case_of(desk.read(book, at=NOW), FIRST).status
    assert "explained" == desk.case_of(desk.read(book, at=Millis(NOW + HOUR)), FIRST).status
    assert () == desk.read(book, at=Millis(NOW - 1)).cases


def test_acts_that_do_not_fit_and_false_signatures_are_findings_of_the_check(tmp_path, book):
    path = tmp_path / "x.book"
    with Book.create(path) as written:
        desk.record_run(written, [break_of(1)], RUN, by="run", now=NOW)
        desk.explain(written, FIRST, because="late", by="ana", now=NOW)
        desk.approve(written, FIRST, because="seen", by="Ben", now=NOW, key=BEN)
    with replay.open(path, cache=False) as audit:
        assert check_book(audit, position=audit.position()).is_clean
        assert "approved" == audit.desk().case(FIRST).status
        assert "open" == audit.desk(at=int(NOW)).case(FIRST).status
        assert "explained" == audit.desk(known_at=2).case(FIRST).status
    with Book.open(path, write=True) as written:
        forged = attrs.evolve(approval(written), by="Cleo", at=Millis(NOW + HOUR))
        written.act([forged], recorded=NOW)
    with replay.open(path, cache=False) as audit:
        report = check_book(audit, position=audit.position())
        told = [said(audit, found) for found in report.findings]
        assert not report.is_clean
        assert ["desk", "desk-signature"] == sorted(found.check for found in report.findings)
        assert any("approved by Cleo, which has no effect: it is approved" in line for line in told)
        whole = audit.desk()
        tables = desk_views.shown(audit, whole.case(FIRST), NOW, pinned(), position=9)
        history = tables[-1].to_dicts()
        assert "(without effect: it is approved already)" in (history[-1]["what"] or "")


# ------------------------------------------------------------------------------- signatures


ANA, BEN = new_key("ana-2026", bytes(32)), new_key("ben-2026", bytes(range(32)))


def approval(book: Book, **changed) -> BreakApproved:
    event = case(book).approval.event
    assert isinstance(event, BreakApproved)
    return attrs.evolve(event, **changed)


@pytest.fixture
def signed(book) -> Book:
    desk.explain(book, FIRST, because="late", by="ana", now=NOW)
    desk.approve(book, FIRST, because="seen", by="Ben", now=NOW, key=BEN)
    return book


def pinned(*lines: str) -> keys.Pins:
    return keys.pins(lines)


def test_a_signature_is_valid_under_the_key_pinned_to_the_name(signed):
    for name in ("Ben", "ben", "B E N"):
        worth = keys.checked(approval(signed), pinned(f"{name}={BEN.verifier.text}"))
        assert "valid" == worth.worth
    several = pinned(f"ben={ANA.verifier.text}", f"ben={BEN.verifier.text}")
    assert "valid" == keys.checked(approval(signed), several).worth


def test_without_a_pin_a_signature_is_only_its_keys(signed):
    assert "key not pinned" == keys.checked(approval(signed), pinned()).worth
    other = pinned(f"cleo={ANA.verifier.text}")
    assert "key not pinned" == keys.checked(approval(signed), other).worth


def test_a_key_pinned_to_somebody_else_is_wrong(signed):
    """Ana cannot approve what is hers under the name of Ben, whom nobody has pinned."""
    worth = keys.checked(approval(signed), pinned(f"ana={BEN.verifier.text}"))
    assert ("invalid", "signed by the key pinned to ana") == (worth.worth, worth.text)


def test_another_key_than_the_pinned_one_is_wrong(signed):
    worth = keys.checked(approval(signed), pinned(f"ben={ANA.verifier.text}"))
    assert ("invalid", "signed by another key than the one pinned to Ben") == (
        worth.worth, worth.text
    )  # fmt: skip


def test_unsigned_is_said_so(book):
    desk.explain(book, FIRST, because="late", by="ana", now=NOW)
    desk.approve(book, FIRST, by="ben", now=NOW)
    assert "unsigned" == keys.checked(approval(book), pinned()).worth


@pytest.mark.parametrize(
    "changed",
    [
        {"by": "Cleo"}, {"because": "seen twice"}, {"at": Millis(1)}, {"identity": "B-0"},
        {"figures": "00" * 32}, {"explanation": "00" * 16}, {"stream": "desk"},
        {"signature": None}, {"key": None}, {"signature": "— ben x"}, {"key": "ben+x"},
        {"key": ANA.verifier.text},
    ],
    ids=str,
)  # fmt: skip
def test_a_signature_of_anything_else_is_wrong_with_or_without_a_pin(signed, changed):
    event = approval(signed, **changed)
    assert "invalid" == keys.checked(event, pinned()).worth
    assert "invalid" == keys.checked(event, pinned(f"ben={BEN.verifier.text}")).worth


def test_a_signature_moved_to_another_break_is_wrong(signed):
    event = approval(signed)
    desk.explain(signed, break_of(2).identity, because="late", by="ana", now=NOW)
    desk.approve(signed, break_of(2).identity, because="seen", by="Ben", now=NOW)
    other = case(signed, break_of(2).identity).approval.event
    moved = attrs.evolve(other, signature=event.signature, key=event.key)
    assert "invalid" == keys.checked(moved, pinned(f"ben={BEN.verifier.text}")).worth


def test_without_the_library_a_signature_is_said_not_to_be_compared(signed, monkeypatch):
    event = approval(signed)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    worth = keys.checked(event, pinned())
    assert "not compared" == worth.worth
    assert "pip install" in worth.text
    # the list can still be read, and an unsigned approval needs no library
    read = desk.read(signed)
    assert () == desk_views.findings(read.cases, read, pinned())


# ------------------------------------------------------------------------------- key files


def test_a_new_key_is_a_file_only_its_owner_reads(tmp_path):
    path = tmp_path / "ben.key"
    before = os.umask(0)
    try:
        public = keys.new_key(path, "ben")
    finally:
        os.umask(before)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert not keys.is_open_to_others(path)
    assert public == keys.read_key(path).verifier
    path.chmod(0o640)
    assert keys.is_open_to_others(path)


def test_a_key_is_never_overwritten(tmp_path):
    path = tmp_path / "ben.key"
    keys.new_key(path, "ben")
    held = path.read_bytes()
    with pytest.raises(RefusedFile, match="never overwritten"):
        keys.new_key(path, "ben")
    assert held == path.read_bytes()
    dangling = tmp_path / "link.key"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(RefusedFile, match="never overwritten"):
        keys.new_key(dangling, "ben")


def test_two_new_keys_differ(tmp_path):
    first, second = keys.new_key(tmp_path / "a", "ben"), keys.new_key(tmp_path / "b", "ben")
    assert first != second


def test_a_name_no_key_can_have_leaves_no_file(tmp_path):
    with pytest.raises(MalformedRecord):
        keys.new_key(tmp_path / "a.key", "ben okri")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("body", [b"", b"secret seed material", b"\xff\xfe", b"PRIVATE+KEY+a+b+c"])
def test_what_is_no_key_is_refused_and_not_quoted(tmp_path, body):
    path = tmp_path / "x.key"
    path.write_bytes(body)
    with pytest.raises(RefusedFile, match="it holds no private key") as caught:
        keys.read_key(path)
    assert "secret" not in str(caught.value)
    with pytest.raises(RefusedFile, match="cannot be read"):
        keys.read_key(tmp_path / "none.key")


def test_pins_are_read_from_texts_and_from_a_file(tmp_path):
    path = tmp_path / "pins"
    path.write_text(f"# ours\n\nBen Okri = {BEN.verifier.text}\n", encoding="utf-8")
    found = keys.pins([f"ana={ANA.verifier.text}"], path)
    assert (BEN.verifier,) == found.of("ben okri")
    assert (ANA.verifier,) == found.of("Ana")
    assert () == found.of("cleo")


@pytest.mark.parametrize("text", ["ben", "=x", "ben=x", "ben=", "\u200b=" + BEN.verifier.text])
def test_what_is_no_pin_is_refused(tmp_path, text):
    with pytest.raises(UnclearQuestion, match="NAME=KEY"):
        keys.pins([text])
    path = tmp_path / "pins"
    path.write_text(f"\n{text}\n", encoding="utf-8")
    with pytest.raises(RefusedFile, match="pins line 2"):
        keys.pins([], path)


def test_a_private_key_given_for_a_public_one_is_not_quoted():
    with pytest.raises(UnclearQuestion, match="is no pin") as caught:
        keys.pins([f"ben={BEN.text}"])
    assert BEN.text.rsplit("+", 1)[1] not in str(caught.value)


def test_one_key_of_two_people_is_refused_under_any_name_of_the_key():
    renamed = attrs.evolve(BEN.verifier, name="other")
    for key in (BEN.verifier, renamed):
        with pytest.raises(UnclearQuestion, match="is the key of Ben as well"):
            keys.pins([f"Ben={BEN.verifier.text}", f"ana={key.text}"])
    assert 2 == len(keys.pins([f"Ben={BEN.verifier.text}", f" B EN={renamed.text}"]).of("ben"))


def test_a_file_of_pins_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(RefusedFile, match="cannot be read"):
        keys.pins([], tmp_path / "none")
    (tmp_path / "raw").write_bytes(b"\xff")
    with pytest.raises(RefusedFile, match="not UTF-8"):
        keys.pins([], tmp_path / "raw")

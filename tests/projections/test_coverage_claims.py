"""Claims: what batches say they show completely, and why they end where they end."""

from __future__ import annotations

from itertools import pairwise

from ledger.entries import Covered, Header
from ledger.units import Digest, Millis, Stream
from projections.coverage import Claims, judged
from projections.coverage import claims as of_claims

STREAM = Stream("account:0x" + "a" * 40)
T = 1_790_000_000_000
"""September 2026."""


def header(
    *covers: tuple[str, int, int],
    rows: tuple[tuple[int, int, int], ...] = ((0, 1, 2),),
    first: int = 0,
    last: int = 1,
    source="api",
    record: str | None = "r",
    version: int = 1,
) -> Header:
    """Return the header of a batch; moments count from T."""
    return Header(
        schema=1, stream=STREAM, version=version, position=version, recorded=Millis(T),
        source=source, record=None if record is None else Digest(record), answer="", rows=rows,
        covers=tuple(
            Covered(family=family, since=Millis(T + since), until=Millis(T + until))
            for family, since, until in covers
        ),
        count=sum(count for _, _, count in rows), first_at=Millis(T + first),
        last_at=Millis(T + last), irregular=False, lines=Digest(""), previous="",
    )  # fmt: skip


def told(*headers: Header, family="fills", fills=(), seen=None, of=None, until=1000):
    """Return (first, last, level, cause) of the stretches of a family, moments from T."""
    claims = Claims(
        headers,
        family_of=lambda _: of,
        fill_times=[T + at for at in fills],
        seen=seen or {},
    )
    stretches = judged(claims.evidence(), family=family, since=Millis(T), until=Millis(T + until))
    return [(each.since - T, each.until - T, each.level, each.cause) for each in stretches]


def test_nothing_recorded_and_nothing_claimed_are_two_reasons():
    assert [(0, 1000, "unknown", of_claims.NONE)] == told()
    said = told(header(("transfers", 0, 9)), seen={"fills": 3})
    assert [(0, 1000, "unknown", of_claims.UNSAID)] == said


def test_before_between_and_after_claims_have_their_reasons():
    found = told(
        header(("funding", 100, 200)), header(("funding", 300, 400), source="node", version=2),
        family="funding",
    )  # fmt: skip
    assert [
        (0, 99, "unknown", of_claims.BEFORE),
        (100, 200, "proven", of_claims.SHOWN["api"]),
        (201, 299, "unknown", of_claims.BETWEEN),
        (300, 400, "proven", of_claims.SHOWN["node"]),
        (401, 1000, "unknown", of_claims.AFTER),
    ] == found


def test_an_export_claims_nothing_whatever_its_header_says():
    found = told(header(("funding", 0, 1000), source="web"), family="funding")
    assert [(0, 1000, "unknown", of_claims.NONE)] == found


def test_where_a_full_page_ends_it_is_said():
    page = header(("funding", 0, 499), rows=((0, 1, 500),), last=500)
    found = told(page, family="funding")
    assert (500, 1000, "unknown", of_claims.CUT) == found[-1]
    goes_on = header(("funding", 500, 900), rows=((0, 1, 3),), first=500, last=600, version=2)
    assert [("proven", 0, 900), ("unknown", 901, 1000)] == [
        (level, since, until) for since, until, level, _ in told(page, goes_on, family="funding")
    ]


def test_a_full_page_of_the_newest_rows_says_so_of_what_came_before():
    page = header(("fills", 101, 900), rows=((1999, -1, 2000),), first=100, last=900)
    found = told(page, fills=[*range(100, 901, 8)])
    assert (0, 100, "unknown", of_claims.NEWEST) == found[0]


def test_a_full_page_within_one_millisecond_claims_nothing_behind_it():
    page = header(rows=((0, 1, 500),), first=300, last=300)
    before = header(("funding", 0, 299), version=2)
    assert (300, 1000, "unknown", of_claims.ONE_MOMENT) == told(
        before, page, family="funding", of="funding"
    )[-1]
    assert [(0, 1000, "unknown", of_claims.ONE_MOMENT)] == told(
        page, family="funding", of="funding"
    )
    assert (300, 1000, "unknown", of_claims.AFTER) == told(before, page, family="funding", of=None)[
        -1
    ]


def test_ten_thousand_fills_behind_an_empty_beginning_make_it_unknown():
    """The venue gives out the newest 10,000: before the first of them it shows nothing."""
    page = header(("fills", 0, 20_000), first=500, last=20_000)
    fills = [*range(500, 500 + of_claims.FILLS_KEPT)]
    found = told(page, fills=fills)
    assert [(0, 499, "unknown", of_claims.KEPT)] == found[:1]
    fewer = told(page, fills=fills[:-1])
    assert [(0, 1000, "proven", of_claims.SHOWN["api"])] == fewer


def test_an_empty_beginning_is_probable_where_it_is_not_known_how_many_followed():
    page = header(("fills", 0, 600), first=500, last=600)
    later = header(("fills", 800, 900), version=2)
    found = told(page, later, fills=[500, 600, 800, 900])
    assert (0, 499, "probable", of_claims.MAYBE_KEPT) == found[0]
    assert "proven" == found[1][2]
    joined = header(("fills", 601, 799), version=3)
    assert (0, 900, "proven") == told(page, later, joined, fills=[500, 600, 800, 900])[0][:3]


def test_a_claim_that_is_all_empty_beginning_claims_nothing_behind_ten_thousand():
    empty = header(("fills", 0, 300), first=0, last=300)
    later = header(("fills", 400, 20_000), first=400, last=20_000, version=2)
    found = told(empty, later, fills=[*range(400, 400 + of_claims.FILLS_KEPT)])
    assert [(0, 399, "unknown", of_claims.KEPT)] == found[:1]
    assert "proven" == found[-1][2]


def test_a_claim_without_any_fill_in_it_is_an_empty_beginning_too():
    found = told(header(("fills", 0, 600), record=None, first=0, last=600), fills=[])
    assert [("proven", 0, 600), ("unknown", 601, 1000)] == [
        (level, since, until) for since, until, level, _ in found
    ]


def test_old_times_are_told_with_what_archives_have_of_them():
    claims = Claims([], family_of=lambda _: None, fill_times=[], seen={})
    stretches = judged(
        claims.evidence(), family="fills", since=Millis(1_740_000_000_000), until=Millis(T)
    )
    assert [", ".join(each.cause.split("; ")[1:])[:30] for each in stretches] == [
        "no archive of the venue has fi", "archives of March to May 2025 ", "",
    ]  # fmt: skip
    assert all(a.until + 1 == b.since for a, b in pairwise(stretches))


def test_the_rows_of_a_batch_tell_how_long_its_answer_was():
    assert 0 == of_claims.answered(header(rows=()))
    assert 500 == of_claims.answered(header(rows=((499, -1, 100),)))
    assert 21 == of_claims.answered(header(rows=((0, 1, 3), (10, 5, 3))))

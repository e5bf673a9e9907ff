"""Sources: the papers in which one account's life is handed out, and selections of them."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from tests.support import venue_papers as papers
from tests.support.route import ZONE, Paper
from tests.support.venue import Row, Venue
from tests.support.venue_rules import HOUR_MS

Span = tuple[int, int]


def rows(venue: Venue, family: str, span: Span) -> list[Row]:
    return papers.rows_of(venue, family, *span)


def overlapping(span: Span) -> list[Span]:
    """Return a span as two windows that share some of their time."""
    since, until = span
    third = (until - since) // 3
    return [(since, until - third), (since + third, until)]


def api_fills(venue: Venue, span: Span) -> Paper:
    return Paper("fills_by_time.json", papers.fills_by_time(venue, overlapping(span)))


def old_api_fills(venue: Venue, span: Span) -> Paper:
    windows = overlapping(span)
    return Paper("fills_2023.json", papers.fills_by_time(venue, windows, newest_first=True))


def plain_fills(venue: Venue, span: Span) -> Paper:
    return Paper("user_fills.json", papers.user_fills(venue, rows(venue, "fills", span)))


def web_fills(venue: Venue, span: Span) -> Paper:
    return Paper("trade_history.csv", papers.web_trades(venue, rows(venue, "fills", span), ZONE))


def node_fills(venue: Venue, span: Span) -> Paper:
    return Paper("node_fills_by_block", papers.node_fills(venue, rows(venue, "fills", span)))


def api_funding(venue: Venue, span: Span) -> Paper:
    return Paper("funding.json", papers.funding_pages(venue, overlapping(span)))


def web_funding(venue: Venue, span: Span) -> Paper:
    return Paper(
        "funding_history.csv", papers.web_funding(venue, rows(venue, "funding", span), ZONE)
    )


def api_ledger(venue: Venue, span: Span) -> Paper:
    return Paper("ledger.json", papers.ledger_pages(venue, overlapping(span)))


def node_misc(venue: Venue, span: Span) -> Paper:
    since, until = span
    kept = [row for row in venue.rows if since <= row.time <= until]
    return Paper("misc_events_by_block", papers.node_events(venue, kept))


def api_interest(venue: Venue, span: Span) -> Paper:
    return Paper("interest.json", papers.interest_pages(venue, overlapping(span)))


Source = Callable[[Venue, Span], Paper]
SOURCES: dict[str, tuple[Source, ...]] = {
    "fills": (api_fills, old_api_fills, plain_fills, web_fills, node_fills),
    "funding": (api_funding, web_funding, node_misc),
    "ledger": (api_ledger, node_misc),
    "interest": (api_interest,),
}
"""Which sources show which family of facts."""


@st.composite
def selections(draw: st.DrawFn, venue: Venue, grain_ms: int = HOUR_MS) -> list[Paper]:
    """Papers that together show the whole account, in any order, some of it several times.

    For each family the account's life is cut in up to three; each part is given to one or more
    sources. Cuts fall on multiples of the grain: on the hour, a web export alone decides no order
    in a second that another source shows in part.
    """
    whole = (venue.began, venue.now)
    found: list[Paper] = [Paper("metadata.json", papers.metadata(venue.now))]
    for sources in SOURCES.values():
        cuts = draw(st.lists(st.integers(*whole), max_size=2))
        if grain_ms == 1 and venue.rows:  # where something happens, or just behind it
            cuts = [row.time + draw(st.sampled_from((0, 1))) for row in rows_at(venue, cuts)]
        floored = {cut - cut % grain_ms for cut in cuts}
        bounds = sorted(bound for bound in floored if whole[0] < bound <= whole[1])
        starts, ends = [whole[0], *bounds], [*(bound - 1 for bound in bounds), whole[1]]
        for span in zip(starts, ends, strict=True):
            chosen = draw(st.lists(st.sampled_from(sources), min_size=1, unique=True))
            found += [source(venue, span) for source in chosen]
    return draw(st.permutations(sorted({paper for paper in found if has_rows(paper)})))


def rows_at(venue: Venue, moments: list[int]) -> list[Row]:
    """Return for each moment the first row at or after it, or the last."""
    return [
        next((row for row in venue.rows if row.time >= moment), venue.rows[-1])
        for moment in moments
    ]


def has_rows(paper: Paper) -> bool:
    """Tell whether there is anything in a paper: a file without a row is no record."""
    return paper.text not in {"", "[]", papers.TRADES_HEAD, papers.FUNDING_HEAD}

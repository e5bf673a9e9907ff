"""Queries: views with friendly names inside the file, and the questions datasette offers.

Sums go over whole numbers of 10^-8 and come out as plain digits: SQLite's ``sum`` over text would
go through floats. Where an amount has more digits than that, the sum is not given, and the query
says how many rows it would have lacked. Ratios and prices are ordered through floats, which only
decides which of two rows comes first where they agree in fifteen digits; what is shown is text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from replay.readmodel.columns import ms_of, plain_of


@attrs.frozen(kw_only=True)
class View:
    """A view of the file. ``columns`` says what a column means that stands in no table."""

    name: str
    means: str
    sql: str
    columns: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Query:
    """A question with its SQL; a parameter left empty does not limit, or takes what is last.

    ``example`` are parameters that find something in the bundled history.
    """

    name: str
    title: str
    means: str
    sql: str
    example: Mapping[str, str]


VIEWS: Final = (
    View(
        name="events_in_force",
        means="recorded events that were not set aside, with the file they were read from",
        sql="""
SELECT events.event, events.account, events.stream, events.at, events.kind, events.recorded,
       events.position, events.source, records.name AS file, events.place
FROM events
LEFT JOIN set_aside ON set_aside.event = events.event
LEFT JOIN records ON records.record = events.record
WHERE set_aside.event IS NULL
""".strip(),
        columns={"file": "name of the file it was read from"},
    ),
    View(
        name="fills_with_source",
        means="fills, with the file and the place in it they were read from",
        sql="""
SELECT fills.account, fills.ordinal, fills.at, fills.market, fills.direction, fills.price,
       fills.size, fills.notional, fills.fee, fills.fee_asset, fills.size_after, fills.realized,
       fills.liquidation, records.name AS file, events.place, fills.event
FROM fills
JOIN events ON events.event = fills.recorded_as
LEFT JOIN records ON records.record = events.record
""".strip(),
        columns={"file": "name of the file it was read from"},
    ),
    View(
        name="account_hours",
        means="every full hour with its margin and the digest of its state",
        sql="""
SELECT hours.account, hours.hour, hours.events, margin_by_hour.mode, margin_by_hour.ratio,
       margin_by_hour.limit_ratio, margin_by_hour.requirement, margin_by_hour.value,
       margin_by_hour.liquidatable, margin_by_hour.rulebook, margin_by_hour.missing,
       hours.state_digest, hours.hour_ms
FROM hours
JOIN margin_by_hour ON margin_by_hour.account = hours.account
                   AND margin_by_hour.hour_ms = hours.hour_ms
""".strip(),
    ),
    View(
        name="latest_balances",
        means="what every account had at the full hour after its last event",
        sql="""
SELECT balances_by_hour.account, balances_by_hour.place, balances_by_hour.asset,
       balances_by_hour.amount, balances_by_hour.hour
FROM balances_by_hour
JOIN (SELECT account, max(hour_ms) AS hour_ms FROM hours GROUP BY account) AS last
  ON last.account = balances_by_hour.account AND last.hour_ms = balances_by_hour.hour_ms
""".strip(),
    ),
    View(
        name="latest_positions",
        means="open positions of every account at the full hour after its last event",
        sql="""
SELECT positions_by_hour.account, positions_by_hour.market, positions_by_hour.size,
       positions_by_hour.entry_price, positions_by_hour.entry_notional,
       positions_by_hour.realized, positions_by_hour.money, positions_by_hour.hour
FROM positions_by_hour
JOIN (SELECT account, max(hour_ms) AS hour_ms FROM hours GROUP BY account) AS last
  ON last.account = positions_by_hour.account AND last.hour_ms = positions_by_hour.hour_ms
WHERE positions_by_hour.size <> '0'
""".strip(),
    ),
    View(
        name="live_breaks",
        means="breaks that are not closed",
        sql="""
SELECT "break", account, subject, value, class, difference, status, owner, said
FROM breaks
WHERE status <> 'closed'
""".strip(),
    ),
)
"""Every view, in the order the reference shows them."""

_AT: Final = ms_of(":at")


def _sum(column: str) -> str:
    """Return SQL for the exact sum of an amount; NULL where one of them does not fit."""
    total = plain_of(f"sum({column}_e8)")
    return f"CASE WHEN count({column}_e8) = count({column}) THEN {total} END"


def _left_out(column: str) -> str:
    return f"count({column}) - count({column}_e8)"


_OF_ACCOUNT: Final = "(:account = '' OR account = :account)"

QUERIES: Final = (
    Query(
        name="balances_at",
        title="Balances at an instant",
        means="What an account had at a moment of venue time, to the millisecond: the balance "
        "of the full hour before it, and every movement since. Write the moment with its zone "
        "(2026-08-04T12:00:00Z) or in milliseconds; empty means the end.",
        sql=f"""
WITH asked AS (
  SELECT account, coalesce((
    SELECT max(hour_ms) FROM hours
    WHERE hours.account = accounts.account AND (:at = '' OR hour_ms <= {_AT})), -1) AS hour_ms
  FROM accounts WHERE {_OF_ACCOUNT}
), moved AS (
  SELECT movements.account, place, asset, balance, row_number() OVER (
           PARTITION BY movements.account, place, asset ORDER BY ordinal DESC) AS nth
  FROM asked JOIN movements ON movements.account = asked.account
   AND movements.at_ms > asked.hour_ms AND (:at = '' OR movements.at_ms <= {_AT})
)
SELECT account, place, asset, balance AS amount FROM moved
WHERE nth = 1 AND balance IS NOT '0' AND place NOT LIKE 'position %'
UNION ALL
SELECT account, place, asset, amount FROM asked JOIN balances_by_hour USING (account, hour_ms)
WHERE NOT EXISTS (
  SELECT 1 FROM moved WHERE moved.account = balances_by_hour.account
  AND moved.place = balances_by_hour.place AND moved.asset = balances_by_hour.asset)
ORDER BY account, place, asset
""".strip(),
        example={"account": "", "at": "2026-08-04T12:00:00Z"},
    ),
    Query(
        name="positions_at_hour",
        title="Positions at a full hour",
        means="Open positions and holdings of an account at a full hour, with cost and result so "
        "far. An empty hour means the last.",
        sql=f"""
SELECT account, market, size, entry_price, entry_notional, realized, unknown_closes, money,
       opening, hour
FROM positions_by_hour
WHERE {_OF_ACCOUNT} AND hour_ms = CASE WHEN :at = ''
  THEN (SELECT max(hour_ms) FROM hours WHERE hours.account = positions_by_hour.account)
  ELSE {_AT} END
ORDER BY account, market
""".strip(),
        example={"account": "", "at": "2026-08-04T12:00:00Z"},
    ),
    Query(
        name="margin_near_liquidation",
        title="Margin near liquidation",
        means="Full hours at which an account could be liquidated, or its ratio was at least "
        "near (0.5 when empty), highest first. Between two hours it may have been higher.",
        sql=f"""
SELECT account, hour, ratio, limit_ratio, requirement, value, liquidatable, mode, rulebook,
       missing
FROM margin_by_hour
WHERE {_OF_ACCOUNT} AND (liquidatable IN ('yes', 'differs')
  OR CAST(ratio AS REAL) >= CAST(CASE WHEN :near = '' THEN '0.5' ELSE :near END AS REAL))
ORDER BY CAST(ratio AS REAL) DESC, hour_ms
""".strip(),
        example={"account": "", "near": "0.6"},
    ),
    Query(
        name="interest_by_day",
        title="Interest by day",
        means="Interest the venue reported, by day of UTC, token and side, as exact sums. Rows "
        "whose digits do not fit are counted in left_out, and their sum is not given.",
        sql=f"""
SELECT account, substr(at, 1, 10) AS day, asset, {_sum("supply")} AS supply,
       {_sum("borrow")} AS borrow, count(*) AS hours,
       {_left_out("supply")} + {_left_out("borrow")} AS left_out
FROM interest
WHERE {_OF_ACCOUNT} AND (:asset = '' OR asset = :asset)
GROUP BY account, day, asset
ORDER BY account, day, asset
""".strip(),
        example={"account": "", "asset": ""},
    ),
    Query(
        name="fees_by_month",
        title="Fees by month",
        means="What was charged on fills, by month of UTC and token, as exact sums; a rebate "
        "lowers them. Fills without a recorded fee are counted, not added as zero; a fee that "
        "names no builder's share has none.",
        sql=f"""
SELECT account, substr(at, 1, 7) AS month, fee_asset, {_sum("fee")} AS charged,
       CASE WHEN count(builder_fee) = 0 AND count(fee) > 0 THEN '0'
            ELSE {_sum("builder_fee")} END AS builders_share, count(fee) AS fills,
       count(*) - count(fee) AS unknown_fees, {_left_out("fee")} AS left_out
FROM fills
WHERE {_OF_ACCOUNT}
GROUP BY account, month, fee_asset
ORDER BY account, month, fee_asset
""".strip(),
        example={"account": ""},
    ),
    Query(
        name="open_breaks",
        title="Open breaks by class and age",
        means="Live breaks, counted by class and by whole days since their value date at a "
        "moment; empty means the last moment anything was recorded.",
        sql=f"""
SELECT class, count(*) AS breaks,
       sum(age_ms >= 0 AND age_ms / 86400000 <= 7) AS "0-7 days",
       sum(age_ms / 86400000 BETWEEN 8 AND 30) AS "8-30 days",
       sum(age_ms / 86400000 BETWEEN 31 AND 60) AS "31-60 days",
       sum(age_ms / 86400000 BETWEEN 61 AND 90) AS "61-90 days",
       sum(age_ms / 86400000 > 90) AS "over 90 days",
       sum(age_ms < 0) AS "before its value date"
FROM (
  SELECT class, CASE WHEN :at = '' THEN (SELECT max(recorded_ms) FROM events) ELSE {_AT} END
         - value_ms AS age_ms
  FROM breaks WHERE status <> 'closed'
)
GROUP BY class
ORDER BY class
""".strip(),
        example={"at": "2026-10-01T00:00:00Z"},
    ),
    Query(
        name="what_touched",
        title="What touched this event or record",
        means="Everything that rests on an event (its identity or the beginning of it) or on a "
        "raw record (its digest or file name): movements, findings, breaks, corrections.",
        sql="""
WITH wanted AS (
  SELECT event FROM events WHERE :of <> '' AND event >= lower(:of) AND event < lower(:of) || 'g'
  UNION
  SELECT events.event FROM events JOIN records ON records.record = events.record
  WHERE :of <> '' AND (records.record = lower(:of) OR records.name = :of)
  UNION
  SELECT event FROM (SELECT event FROM events ORDER BY position DESC, "row" DESC LIMIT 5)
  WHERE :of = ''
)
SELECT 'movement' AS what, movements.recorded_as AS event, movements.at,
       place || ' ' || asset AS about, change AS amount, 'balance ' || balance AS said
FROM movements JOIN wanted ON wanted.event = movements.recorded_as
UNION ALL
SELECT 'event', events.event, events.at, kind, NULL, source || ' ' || events.place
FROM events JOIN wanted ON wanted.event = events.event
UNION ALL
SELECT 'set aside', set_aside.event, NULL, reason, NULL, by_events
FROM set_aside JOIN wanted ON wanted.event = set_aside.event
UNION ALL
SELECT 'correction', corrections.target, NULL, what || ' by ' || corrections.event, NULL,
       author || ': ' || reason
FROM corrections JOIN wanted ON wanted.event = corrections.target
UNION ALL
SELECT 'finding', finding_events.event, findings.at, check_name, difference, said
FROM finding_events JOIN wanted ON wanted.event = finding_events.event
JOIN findings ON findings.stream = finding_events.stream
             AND findings.number = finding_events.number
UNION ALL
SELECT 'break', break_events.event, breaks.value, breaks."break" || ' ' || subject, difference,
       said
FROM break_events JOIN wanted ON wanted.event = break_events.event
JOIN breaks ON breaks."break" = break_events."break"
ORDER BY 2, 1 DESC, 4
""".strip(),
        example={"of": ""},
    ),
    Query(
        name="coverage_holes",
        title="Coverage holes",
        means="Stretches of time in which something is known to be missing, or of which nothing "
        "recorded speaks.",
        sql=f"""
SELECT account, family, level, since, until, subject, cause
FROM coverage
WHERE level IN ('missing', 'unknown') AND {_OF_ACCOUNT}
ORDER BY account, level, family, since_ms
""".strip(),
        example={"account": ""},
    ),
    Query(
        name="events_by_day",
        title="Events by day",
        means="How many events of each kind happened on each day of UTC, in force or not.",
        sql=f"""
SELECT account, substr(at, 1, 10) AS day, kind, count(*) AS events
FROM events
WHERE account IS NOT NULL AND {_OF_ACCOUNT}
GROUP BY account, day, kind
ORDER BY account, day, kind
""".strip(),
        example={"account": ""},
    ),
    Query(
        name="search_notes",
        title="Search notes",
        means="Notes, breaks, acts of the desk, corrections, openings, quarantined rows and "
        "findings with the words asked for; all of them when nothing is.",
        sql="""
SELECT kind, about, account, at, who, said
FROM texts
WHERE :words = '' OR number IN (
  SELECT rowid FROM texts_fts
  WHERE texts_fts MATCH '"' || replace(:words, '"', '""') || '"'
)
ORDER BY at_ms DESC, number
""".strip(),
        example={"words": ""},
    ),
)
"""Every canned query, in the order datasette and the reference show them."""

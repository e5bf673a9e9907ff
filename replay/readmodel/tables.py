"""Tables: every table of the read model, column by column."""

from __future__ import annotations

from typing import Final

from replay.readmodel.columns import (
    Column,
    Table,
    amount,
    blob,
    columns,
    moment,
    number,
    text,
    whole,
)

_ACCOUNT: Final = text("account", "whose history", to=("accounts", "account"))
_EVENT: Final = text("event", "identity of the event, as rollforward explain takes it")
_AS: Final = text(
    "recorded_as",
    "the recorded event that says so: itself, or the correction that put it there",
    to=("events", "event"),
)
_ORDINAL: Final = whole("ordinal", "place in the effective order of the account, from 0")
_AT: Final = moment("at", "when it happened, venue time")
_HOUR: Final = moment("hour", "the instant: the full hour, everything up to it included")


def _of_events(*more: tuple[Column, ...]) -> tuple[Column, ...]:
    return columns(_ACCOUNT, _ORDINAL, _EVENT, _AS, _AT, *more)


def _of_hours(*more: tuple[Column, ...]) -> tuple[Column, ...]:
    return columns(_ACCOUNT, _HOUR, *more)


_IN_HOUR: Final = ((("account", "hour_ms"), "hours", ("account", "hour_ms")),)

# ------------------------------------------------------------------------- what was recorded

RECORDS: Final = Table(
    name="records",
    means="raw records, exactly as they were given to us; their bytes are in the book",
    source="the archive of the book",
    columns=columns(
        text("record", "SHA-256 of the bytes"),
        whole("number", "order of arrival, from 1"),
        text("name", "name the file had"),
        text("kind", "what the importer took it for"),
        whole("size", "length", unit="bytes"),
        moment("fetched", "when it was taken from the venue, where the record says", null=True),
        moment("recorded", "when it was imported, our clock"),
    ),
    key=("record",),
    indexes=(("number",),),
)

STREAMS: Final = Table(
    name="streams",
    means="histories the book holds: of accounts, markets, reserves, the venue, the desks",
    source="the batches of the book",
    columns=columns(
        text("stream", "account:0x…, market:BTC, reserve:USDC, venue, desk:0x…, book"),
        whole("batches", "how many batches were recorded"),
        whole("events", "how many events they hold"),
        moment("first", "earliest moment"),
        moment("last", "latest moment"),
        text("head", "digest of the last batch's lines"),
    ),
    key=("stream",),
)

ACCOUNTS: Final = Table(
    name="accounts",
    means="accounts the book has a history of",
    source="the streams of the book, openings in force, groups",
    columns=columns(
        text("account", "address"),
        text("stream", "its stream", to=("streams", "stream")),
        text("rests_on", "with what its balances begin: nothing assumed, or an attested opening"),
    ),
    key=("account",),
)

EVENTS: Final = Table(
    name="events",
    means="every recorded event, in force or not, and where it comes from",
    source="the batches of the book",
    columns=columns(
        text("event", "identity: 32 hexadecimal digits"),
        text("stream", "whose history", to=("streams", "stream")),
        text("account", "the account, where it is one's", null=True, to=("accounts", "account")),
        whole("position", "place of its batch in the book: what was known when"),
        whole("row", "row in the batch"),
        text("kind", "what happened, such as filled"),
        _AT,
        moment("recorded", "when it was recorded, our clock"),
        text("source", "node, api, web, sheet or person"),
        text("record", "the raw record it was read from", null=True, to=("records", "record")),
        text("place", "where in it: a line, or a path"),
    ),
    key=("event",),
    indexes=(("account", "at_ms"), ("record",), ("position", "row")),
    order="position",
)

SET_ASIDE: Final = Table(
    name="set_aside",
    means="recorded events that are taken not to have happened as recorded, and why",
    source="the timeline (docs/spec/time.md)",
    columns=columns(
        text("event", "the recorded event", to=("events", "event")),
        text("stream", "whose history", to=("streams", "stream")),
        text("reason", "annulled, replaced, covered, explained, older history recorded"),
        text("by_events", "what set it aside: identities, a JSON list"),
    ),
    key=("event",),
    indexes=(("stream",),),
)

CORRECTIONS: Final = Table(
    name="corrections",
    means="what people corrected, with their reasons; nothing recorded is edited",
    source="annulled and replaced events",
    columns=columns(
        text("event", "the correction", to=("events", "event")),
        text("target", "identity of the event concerned"),
        text("what", "annulled or replaced"),
        text("author", "who says so"),
        text("reason", "why"),
        text("replacement", "canonical line put in its place", null=True),
    ),
    key=("event",),
    indexes=(("target",),),
)

QUARANTINE: Final = Table(
    name="quarantine",
    means="rows that could not be read; they are in no figure",
    source="quarantined events",
    columns=columns(
        text("event", "the event that set it aside", to=("events", "event")),
        text("record", "digest of the raw record"),
        text("name", "name the file had"),
        text("place", "line or path inside it"),
        text("reason", "what was wrong, what was expected"),
        text("row_text", "the row, cut after 500 characters"),
    ),
    key=("event",),
)

NOTES: Final = Table(
    name="notes",
    means="remarks people recorded, and openings they attested",
    source="noted and opened events",
    columns=columns(
        text("event", "the event", to=("events", "event")),
        text("kind", "note or opening"),
        text("author", "who"),
        text("said", "the remark, or from what an opening was taken"),
    ),
    key=("event",),
)

# ------------------------------------------------------------------- what happened, row by row

FILLS: Final = Table(
    name="fills",
    means="executed orders, or parts of them, with what each did to its position",
    source="filled events and projections.positions",
    columns=_of_events(
        text("coin", "market by the record's own name"),
        text("market", "market as people say it, such as HYPE/USDC"),
        text("side", "B bought, A sold"),
        text("direction", "the venue's words: Open Long, Close Short, Buy, …"),
        number("price", "price of the fill", "quote"),
        amount("size", "size, always positive", "coin"),
        amount("notional", "what changed hands: price times size", "quote"),
        amount("fee", "charged; negative when a rebate; NULL in records of 2023", "fee_asset",
               null=True),
        text("fee_asset", "token of the fee"),
        amount("builder_fee", "the builder's share of the fee", "fee_asset", null=True),
        amount("size_after", "signed size after the fill, as recorded fills add up", "coin",
               null=True),
        amount("realized", "result of the part closed, before fees; NULL where the entry is "
               "unknown", "quote", null=True),
        amount("reported_pnl", "the venue's own result of it", "quote", null=True),
        whole("crossed", "1 for the taker, 0 for the maker", null=True),
        text("oid", "number of the order", null=True),
        text("tid", "number of the trade; not unique alone", null=True),
        text("tx_hash", "hash of the transaction", null=True),
        whole("liquidation", "number of the liquidation it was part of", null=True),
    ),
    key=("account", "ordinal"),
    indexes=(("account", "at_ms"), ("market", "at_ms"), ("recorded_as",)),
    foreign=((("account", "liquidation"), "liquidations", ("account", "number")),),
)  # fmt: skip

FUNDING: Final = Table(
    name="funding",
    means="funding received and paid on perpetual positions",
    source="funding_paid events",
    columns=_of_events(
        text("market", "market"),
        text("asset", "token it is paid in"),
        amount("amount", "received; negative when paid", "asset"),
        amount("size", "signed position it was charged on", "coin"),
        number("rate", "rate of the interval", "ratio"),
    ),
    key=("account", "ordinal"),
    indexes=(("account", "at_ms"), ("market", "at_ms"), ("recorded_as",)),
)

INTEREST: Final = Table(
    name="interest",
    means="hourly interest the venue reported on what is supplied and borrowed",
    source="interest_accrued events",
    columns=_of_events(
        text("asset", "token of the reserve"),
        amount("supply", "credited on what is supplied", "asset"),
        amount("borrow", "charged on what is borrowed", "asset"),
    ),
    key=("account", "ordinal"),
    indexes=(("account", "at_ms"), ("asset", "at_ms"), ("recorded_as",)),
)

LENDING: Final = Table(
    name="lending",
    means="tokens supplied to, withdrawn from, borrowed from and repaid to reserves",
    source="reserve_operated events",
    columns=_of_events(
        text("operation", "supply, withdraw, borrow or repay"),
        text("asset", "token of the reserve"),
        amount("amount", "moved, always positive", "asset"),
        amount("reported_interest", "interest the venue names with it", "asset", null=True),
        text("tx_hash", "hash of the transaction", null=True),
    ),
    key=("account", "ordinal"),
    indexes=(("account", "at_ms"), ("recorded_as",)),
)

TRANSFERS: Final = Table(
    name="transfers",
    means="deposits, withdrawals, and everything else that moved tokens without a trade",
    source="events of cash (docs/reference/events.md)",
    columns=_of_events(
        text("kind", "deposited, withdrawn, transferred, …"),
        text("what", "the event in words"),
        text("asset", "token moved"),
        amount("amount", "as recorded; which way it went is in movements", "asset"),
        amount("fee", "charged beside the amount", "fee_asset", null=True),
        text("fee_asset", "token of the fee", null=True),
        text("sender", "who sent, where the record says", null=True),
        text("recipient", "who received, where the record says", null=True),
        text("tx_hash", "hash of the transaction", null=True),
    ),
    key=("account", "ordinal"),
    indexes=(("account", "at_ms"), ("recorded_as",)),
)

MOVEMENTS: Final = Table(
    name="movements",
    means="what each event changed at each of the account's own places, with the balance after",
    source="projections.postings",
    columns=_of_events(
        text("place", "spot, perp, perp xyz, supplied, borrowed, staking, vault …, position BTC"),
        text("asset", "token, or the size of a position such as BTC-PERP"),
        amount("change", "what came (positive) or went; NULL where not known", "asset", null=True),
        amount("balance", "what was there after it; NULL where not known", "asset", null=True),
    ),
    key=("account", "ordinal", "place", "asset"),
    indexes=(("account", "at_ms"), ("recorded_as",)),
)

LIQUIDATIONS: Final = Table(
    name="liquidations",
    means="episodes in which the venue closed positions of an account",
    source="projections.liquidations",
    columns=columns(
        _ACCOUNT,
        whole("number", "1 for the first; L-1 in rollforward explain"),
        moment("since", "first fill or mark"),
        moment("until", "last fill or mark"),
        whole("fills", "how many fills"),
        text("closed", "signed sizes by market: negative where a long was sold"),
        amount("notional", "sum of price times size of the fills", "quote"),
        text("methods", "the venue's words: market, backstop"),
        amount("marked", "what the venue's own mark says was taken", "USDC", null=True),
    ),
    key=("account", "number"),
)

# ---------------------------------------------------------------------------- hour by hour

HOURS: Final = Table(
    name="hours",
    means="full hours of an account, from the one after its first event to the one after its last",
    source="projections.fold",
    columns=_of_hours(
        whole("events", "how many events had happened"),
        text("state_digest", "digest of everything that follows; rollforward show prints it too"),
        whole("is_known", "0 where an event of unknown kind makes balances or positions unknown"),
    ),
    key=("account", "hour_ms"),
)

BALANCES_BY_HOUR: Final = Table(
    name="balances_by_hour",
    means="what the account had, by place and token; what is owed is negative, zero is left out",
    source="projections.balances",
    columns=_of_hours(
        text("place", "spot, perp, perp xyz, supplied, borrowed, staking, vault …, in-transit"),
        text("asset", "token"),
        amount("amount", "at hand; negative when owed", "asset"),
    ),
    key=("account", "hour_ms", "place", "asset"),
    foreign=_IN_HOUR,
)

POSITIONS_BY_HOUR: Final = Table(
    name="positions_by_hour",
    means="open positions and holdings, with their cost and what they have brought so far",
    source="projections.positions",
    columns=_of_hours(
        text("market", "market; spot:HYPE for a token held"),
        amount("size", "signed size", "coin"),
        number("entry_price", "average entry; NULL where not known or flat", "money", null=True),
        amount("entry_notional", "what it cost; NULL where not known or flat", "money", null=True),
        amount("realized", "result of closes so far, before fees; NULL where unknown", "money",
               null=True),
        whole("unknown_closes", "closes whose result is not known and not in realized"),
        text("money", "token of the money columns"),
        text("opening", "derived or attested, with its size; empty where it began from nothing"),
    ),
    key=("account", "hour_ms", "market"),
    foreign=_IN_HOUR,
)  # fmt: skip

MARGIN_BY_HOUR: Final = Table(
    name="margin_by_hour",
    means="requirement, ratio and verdict, under the rulebook of the hour",
    source="projections.margin, by the readings taken first (docs/spec/margin.md)",
    columns=_of_hours(
        text("mode", "mode of the account, or unknown"),
        number("ratio", "requirement over value; NULL where unknown or nothing is required",
               "ratio", null=True),
        number("limit_ratio", "liquidatable above this", "ratio", null=True),
        amount("requirement", "maintenance requirement toward the token that decides", "token",
               null=True),
        amount("value", "what stands against it", "token", null=True),
        text("liquidatable", "yes, no, differs (two rulebooks may have held), or unknown"),
        text("rulebook", "rulebooks that may have held, parted by a bar", null=True),
        text("missing", "what is not recorded and would be needed; empty where all is known"),
    ),
    key=("account", "hour_ms"),
    indexes=(("liquidatable", "hour_ms"),),
    foreign=_IN_HOUR,
)  # fmt: skip

# ------------------------------------------------------------------- what is said of the whole

CHECKS: Final = Table(
    name="checks",
    means="what each named check looked at in each history, and how much of it agreed",
    source="rollforward check (docs/spec/checks.md)",
    columns=columns(
        text("stream", "whose history: a stream, or desk"),
        text("check_name", "the check"),
        whole("looked_at", "how many it could judge"),
        whole("agreed", "how many agreed"),
        whole("unknown", "how many it could not judge"),
        text("why_unknown", "reasons with their counts; empty without any"),
    ),
    key=("stream", "check_name"),
)

FINDINGS: Final = Table(
    name="findings",
    means="where two truths differ; nothing is repaired",
    source="rollforward check (docs/spec/checks.md)",
    columns=columns(
        text("stream", "whose history: a stream, or desk"),
        whole("number", "order of the finding in it, from 1"),
        text("check_name", "the check"),
        text("severity", "note, warning or error"),
        _AT,
        text("expected", "what the rest of the history says"),
        text("observed", "what this record says"),
        text("difference", "observed less expected, where both are numbers; else empty"),
        text("said", "one sentence for people"),
        text("place", "file and place of the last event concerned", null=True),
    ),
    key=("stream", "number"),
    indexes=(("severity",),),
)

FINDING_EVENTS: Final = Table(
    name="finding_events",
    means="the events each finding rests on",
    source="rollforward check",
    columns=columns(
        text("stream", "whose history"),
        whole("number", "the finding"),
        whole("place", "order of the event in it, from 1"),
        text("event", "identity of the event"),
    ),
    key=("stream", "number", "place"),
    indexes=(("event",),),
    foreign=((("stream", "number"), "findings", ("stream", "number")),),
)

COVERAGE: Final = Table(
    name="coverage",
    means="how complete each family of facts is recorded, stretch by stretch, and why",
    source="rollforward coverage (docs/spec/coverage.md)",
    columns=columns(
        _ACCOUNT,
        whole("number", "order of the stretch, from 1"),
        text("family", "fills, funding, transfers, interest, balances"),
        text("level", "proven, probable, unknown or missing"),
        moment("since", "first moment of the stretch"),
        moment("until", "last moment of the stretch"),
        text("subject", "market, token or side it speaks of; empty for the whole family"),
        text("cause", "why"),
    ),
    key=("account", "number"),
    indexes=(("level",), ("account", "family", "since_ms")),
)

BREAKS: Final = Table(
    name="breaks",
    means="differences a reconciliation found, and what became of each",
    source="the desk (docs/spec/breaks.md)",
    columns=columns(
        text("break", "name: B- and twelve digits"),
        text("desk", "interest, state or pool"),
        text("account", "whose history; NULL for a reserve's pool", null=True),
        text("subject", "what differs, such as USDC supply"),
        moment("value", "moment the difference belongs to; it ages from here"),
        moment("value_until", "end of what was compared"),
        text("class", "missing, doubled, late, wrong amount, …"),
        amount("expected", "by rule; NULL where not known", "unit of the subject", null=True),
        amount("observed", "as recorded; NULL where not known", "unit of the subject", null=True),
        amount("difference", "observed less expected", "unit of the subject", null=True),
        text("convention", "the convention that explains it, or empty"),
        text("status", "open, assigned, carried, explained, approved or closed"),
        text("owner", "whose it is", null=True),
        moment("opened", "when a run found it first"),
        moment("closed", "when it was closed", null=True),
        whole("is_gone", "1 where the last run did not find it any more"),
        text("against", "what the history was held against"),
        text("said", "the difference in one sentence"),
    ),
    key=("break",),
    indexes=(("status",), ("account", "value_ms")),
)

BREAK_EVENTS: Final = Table(
    name="break_events",
    means="the events each break rests on",
    source="the desk",
    columns=columns(
        text("break", "the break", to=("breaks", "break")),
        whole("place", "order of the event in it, from 1"),
        text("event", "identity of the event"),
    ),
    key=("break", "place"),
    indexes=(("event",),),
)

DESK_ACTS: Final = Table(
    name="desk_acts",
    means="what people did about breaks, and the runs that found them",
    source="events of the desks",
    columns=columns(
        text("event", "the act", to=("events", "event")),
        text("break", "the break; NULL for a run", null=True),
        text("act", "reconciled, opened, assigned, explained, approved, carried, closed, vanished"),
        moment("done", "when, by the clock of whoever did it"),
        text("by_whom", "who"),
        text("because", "what was said; empty where nothing was"),
    ),
    key=("event",),
    indexes=(("break",),),
    order="done_ms",
)

GROUP_MEMBERS: Final = Table(
    name="group_members",
    means="accounts people take as one entity, with what they call them",
    source="group_defined events; the latest definition of a name holds",
    columns=columns(
        text("group_name", "name of the group"),
        text("account", "address; it need not have a history here"),
        text("role", "master, sub-account or vault"),
        text("label", "what people call it; empty when they do not"),
    ),
    key=("group_name", "account"),
)

TEXTS: Final = Table(
    name="texts",
    means="everything people and reconciliations wrote, for searching",
    source="notes, breaks, acts of the desk, corrections, openings, quarantine, findings",
    columns=columns(
        whole("number", "running number; it changes when the file is made again"),
        text("kind", "note, break, desk, correction, opening, quarantine or finding"),
        text("about", "identity of the event or name of the break it belongs to"),
        text("account", "whose history, where it is one's", null=True),
        _AT,
        text("who", "who wrote it; empty for what the program says"),
        text("said", "the words"),
    ),
    key=("number",),
    is_searched=True,
)

# -------------------------------------------------------------------------- about the file

META: Final = Table(
    name="_meta",
    means="what this file was made from, by which version, and when",
    source="rollforward views",
    columns=columns(text("name", "what is told"), text("value", "it")),
    key=("name",),
)

COLUMNS: Final = Table(
    name="_columns",
    means="what every column of every table means",
    source="replay.readmodel.tables",
    columns=columns(
        text("table_name", "the table"),
        whole("place", "order of the column in it, from 0"),
        text("column_name", "the column"),
        text("type", "TEXT, INTEGER or BLOB"),
        text("means", "what it means"),
        text("unit", "unit; empty where it has none"),
        text("origin", "stored, or computed by the database from another column"),
        text("refers", "table and column it must be found in", null=True),
    ),
    key=("table_name", "place"),
)

COURSES: Final = Table(
    name="_courses",
    means="the effective order each history was folded in, to see what a later run has to redo",
    source="the timeline",
    columns=columns(
        text("stream", "whose history"),
        whole("batches", "batches it was made from"),
        whole("count", "events in it"),
        blob("pieces", "runs of rows, compressed"),
    ),
    key=("stream",),
    is_hidden=True,
)

CHECKPOINTS: Final = Table(
    name="_checkpoints",
    means="states between events, from which a later run goes on",
    source="projections.fold",
    columns=columns(
        text("account", "whose history"),
        whole("ordinal", "events folded before it"),
        whole("at_ms", "moment of the last of them", unit="ms"),
        blob("state", "what every projection says, compressed"),
    ),
    key=("account", "ordinal"),
    is_hidden=True,
)

TABLES: Final = (
    ACCOUNTS, STREAMS, RECORDS, EVENTS, SET_ASIDE, CORRECTIONS, QUARANTINE, NOTES,
    FILLS, FUNDING, INTEREST, LENDING, TRANSFERS, MOVEMENTS, LIQUIDATIONS,
    HOURS, BALANCES_BY_HOUR, POSITIONS_BY_HOUR, MARGIN_BY_HOUR,
    CHECKS, FINDINGS, FINDING_EVENTS, COVERAGE, BREAKS, BREAK_EVENTS, DESK_ACTS, GROUP_MEMBERS,
    TEXTS, META, COLUMNS, COURSES, CHECKPOINTS,
)  # fmt: skip
"""Every table, in the order the reference shows them."""

BY_NAME: Final = {table.name: table for table in TABLES}

OF_EVENTS: Final = (FILLS, FUNDING, INTEREST, LENDING, TRANSFERS, MOVEMENTS)
"""Tables with rows by event of an account, each with its ordinal."""

OF_HOURS: Final = (HOURS, BALANCES_BY_HOUR, POSITIONS_BY_HOUR, MARGIN_BY_HOUR)
"""Tables with rows by full hour of an account."""

"""Sheets: what a statement shows, block by block, once for every paper.

A cell is text, an amount (unknown where there is none), a moment or a count; how each is set is
said by the paper.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import attrs

from ledger.money import canonical, exact
from ledger.units import Millis
from projections.flows import CAUSES, UNEXPLAINED
from projections.statement.money import NOTHING
from replay.moments import iso
from replay.papers import words
from replay.tables import UNKNOWN, Table
from replay.views import place_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.statement import Line, Term
    from replay.statement import Statement

Kind: TypeAlias = Literal["text", "amount", "moment", "count"]
Cell: TypeAlias = str | Decimal | Millis | None

ALWAYS: Final = ("deposits", "withdrawals", "trading", "funding", "trading fees",
                 "interest earned", "interest paid")  # fmt: skip
"""Causes that are shown even where nothing came of them."""


@attrs.frozen(kw_only=True)
class Column:
    """One column of a block."""

    name: str
    kind: Kind = "text"
    may_lack: bool = False
    """Whether an amount may be left open by what is shown; else, where there is none, it is
    unknown."""


@attrs.frozen(kw_only=True)
class Block:
    """Rows under named columns."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = "none"
    strong: frozenset[int] = frozenset()
    """Numbers of the rows that are sums."""
    once: tuple[str, ...] = ()
    """Columns that papers for people leave empty where all of them are as in the row above."""

    def table(self) -> Table:
        """Return the block as a table of text."""
        return Table(
            title=self.title,
            columns=tuple(column.name.replace(" ", "_") for column in self.columns),
            rows=tuple(
                tuple(
                    shown(cell, column.kind) for cell, column in zip(row, self.columns, strict=True)
                )
                for row in self.rows
            ),
            numbers=frozenset(
                column.name.replace(" ", "_")
                for column in self.columns
                if column.kind in {"amount", "count"}
            ),
            empty=self.empty,
        )


@attrs.frozen(kw_only=True)
class Sheet:
    """Blocks that belong together, under one name."""

    name: str
    blocks: tuple[Block, ...]


def shown(cell: Cell, kind: Kind) -> str:
    """Return a cell as text, with all its digits; an amount that is not there is unknown."""
    if cell is None:
        return UNKNOWN if kind == "amount" else ""
    if isinstance(cell, Decimal):
        return canonical(cell)
    return iso(cell) if kind == "moment" and isinstance(cell, int) else str(cell)


def sheets(statement: Statement, *, activity: bool = True) -> tuple[Sheet, ...]:
    """Return all sheets: Summary, Roll-forward, Activity, Prices, Coverage, Notes."""
    found = [
        Sheet(name="Summary", blocks=tuple(_summary(statement))),
        Sheet(name="Roll-forward", blocks=tuple(_quantities(statement))),
    ]
    if activity:
        found.append(Sheet(name="Activity", blocks=(activity_block(statement),)))
    return (
        *found,
        Sheet(name="Prices", blocks=tuple(_prices(statement))),
        Sheet(name="Coverage", blocks=tuple(_coverage(statement))),
        Sheet(name="Notes", blocks=(notes_block(statement),)),
    )


def tables(statement: Statement) -> tuple[Table, ...]:
    """Return what a terminal shows: equity, roll-forward and notes, without the activity."""
    ends = next(iter(_prices(statement)))
    blocks = [*_summary(statement), *_quantities(statement), ends, notes_block(statement)]
    return tuple(block.table() for block in blocks)


def _text(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name) for name in names)


def _amounts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, kind="amount") for name in names)


# ------------------------------------------------------------------------------- summary


def _summary(statement: Statement) -> Iterator[Block]:
    yield money_block(statement)
    yield tokens_block(statement)
    if statement.of.is_group:
        yield _members(statement)
        yield _pairs(statement)


def money_block(statement: Statement) -> Block:
    """Return equity from opening to closing, cause by cause; it sums to the last digit."""
    rows = [(name, term.value) for name, term in terms(statement.total)]
    return Block(
        title=f"Equity in {statement.of.money}",
        columns=(*_text("line"), *_amounts(statement.of.money.replace("_", " "))),
        rows=tuple(rows),
        strong=frozenset({0, len(rows) - 1}),
    )


def terms(line: Line) -> Iterator[tuple[str, Term]]:
    """Yield the lines from opening to closing equity, both included, in order."""
    yield "opening equity", line.opening
    causes = dict(line.causes)
    for cause in CAUSES:
        if cause in causes or cause in ALWAYS:
            yield cause, causes.get(cause, NOTHING)
    yield "price change", line.price_change
    yield "unexplained", line.unexplained
    yield "closing equity", line.closing


def tokens_block(statement: Statement) -> Block:
    """Return equity by token and position: both ends, and what came between them."""
    rows: list[tuple[Cell, ...]] = []
    with exact():
        for line in (*statement.lines, statement.total):
            activity = NOTHING
            for cause, term in line.causes:
                if cause != "trading":
                    activity = activity.plus(term)
            parts = (line.opening, activity, line.of("trading"), line.price_change,
                     line.unexplained, line.closing)  # fmt: skip
            name = "all" if line.thing is None else line.thing[1]
            rows.append((name, *(part.value for part in parts)))
    return Block(
        title=f"Equity by token, in {statement.of.money}",
        columns=(
            *_text("token"),
            *_amounts("opening", "activity", "trading", "price change", "unexplained", "closing"),
        ),
        rows=tuple(rows),
        strong=frozenset({len(rows) - 1}),
    )


def _members(statement: Statement) -> Block:
    rows: list[tuple[Cell, ...]] = []
    for member in statement.of.group.members:
        own = [row for row in statement.rows if row.account == member.address]
        gone = sum(row.is_eliminated for row in own)
        rows.append(
            (member.address, member.role, member.label,
             "nothing recorded" if member.address in statement.absent else
             f"{gone} shares in vaults of the group" if gone else "")
        )  # fmt: skip
    return Block(
        title=f"Members of {statement.of.name}",
        columns=_text("account", "role", "label", "remark"),
        rows=tuple(rows),
    )


def _pairs(statement: Statement) -> Block:
    labels = {each.address: each.label for each in statement.of.group.members}
    rows: list[tuple[Cell, ...]] = []
    for pair in statement.pairs:
        for side in pair.sides:
            who = labels.get(side.account) or side.account
            state = "matched" if pair.is_whole else "other side not recorded"
            rows.append((side.at, who, pair.asset, side.amount, side.event, state))
    return Block(
        title="Transfers inside the group, eliminated",
        columns=(
            Column(name="at", kind="moment"),
            *_text("account", "token"),
            *_amounts("amount"),
            *_text("event", "state"),
        ),
        rows=tuple(rows),
    )


# ---------------------------------------------------------------------------- quantities


def _quantities(statement: Statement) -> Iterator[Block]:
    yield roll_block(statement)
    yield places_block(statement)


def roll_block(statement: Statement) -> Block:
    """Return opening, activity by cause and closing of every token and position."""
    rows: list[tuple[Cell, ...]] = []
    strong: set[int] = set()
    with exact():
        for row in statement.totals:
            strong.add(len(rows))
            rows.append((row.asset, "opening", row.opening))
            rows += [(row.asset, cause, each) for cause, each in row.flows if cause != UNEXPLAINED]
            unexplained = row.unexplained
            if unexplained is None or unexplained:
                rows.append((row.asset, "unexplained", unexplained))
            strong.add(len(rows))
            rows.append((row.asset, "closing", row.closing))
    return Block(
        title="Roll-forward by token",
        columns=(*_text("token", "line"), *_amounts("quantity")),
        rows=tuple(rows),
        empty="nothing was there and nothing happened",
        strong=frozenset(strong),
        once=("token",),
    )


def places_block(statement: Statement) -> Block:
    """Return opening, activity and closing of every place."""
    is_group = statement.of.is_group
    rows: list[tuple[Cell, ...]] = []
    with exact():
        for row in statement.rows:
            note = "eliminated: a share in a vault of the group" if row.is_eliminated else ""
            rows.append(
                (*((row.account,) if is_group else ()), place_name(row.place), row.asset,
                 row.opening, row.explained, row.unexplained, row.closing,
                 *((note,) if is_group else ()))
            )  # fmt: skip
    return Block(
        title="Roll-forward by place",
        columns=(
            *(_text("account") if is_group else ()),
            *_text("place", "token"),
            *_amounts("opening", "activity", "unexplained", "closing"),
            *(_text("note") if is_group else ()),
        ),
        rows=tuple(rows),
        empty="nothing was there and nothing happened",
    )


def activity_block(statement: Statement) -> Block:
    """Return every leg of every event: what it moved, why, and the balance after it."""
    is_group = statement.of.is_group
    rows: list[tuple[Cell, ...]] = []
    for entry in statement.activity:
        moved = entry.moved
        rows.append(
            (moved.at, *((moved.account,) if is_group else ()), entry.what, moved.flow.cause,
             place_name(moved.flow.place), moved.flow.asset, moved.flow.amount, moved.balance,
             moved.event, entry.source)
        )  # fmt: skip
    return Block(
        title="Activity",
        columns=(
            Column(name="at", kind="moment"),
            *(_text("account") if is_group else ()),
            *_text("what", "cause", "place", "token"),
            *_amounts("change", "balance"),
            *_text("event", "source record"),
        ),
        rows=tuple(rows),
        empty="nothing moved",
        once=("at", *(("account",) if is_group else ()), "what", "event", "source record"),
    )


# -------------------------------------------------------------------- prices, coverage, notes


def _prices(statement: Statement) -> Iterator[Block]:
    money = statement.of.money
    yield Block(
        title="Prices at the opening and at the closing",
        columns=(
            *_text("token", "end"),
            *_amounts("quantity", f"price in {money}"),
            *_text("recorded price"),
            Column(name="recorded at", kind="moment"),
            *_text("age"),
        ),
        rows=tuple(_ends(statement)),
        empty="nothing was held that needs a price",
    )
    yield Block(
        title="Prices of what moved",
        columns=(
            *_text("token", "cause"),
            *_amounts(f"worth in {money}"),
            Column(name="moments", kind="count"),
            Column(name="without a price", kind="count"),
            *_text("recorded prices", "oldest"),
        ),
        rows=tuple(
            (each.thing[1], each.cause, each.term.value, str(each.moments), str(each.unpriced),
             ", ".join(each.sources), words.age(each.oldest_ms))
            for each in statement.then
            if each.thing[1] != money
        ),
        empty="nothing moved that needs a price",
    )  # fmt: skip


def _ends(statement: Statement) -> Iterator[tuple[Cell, ...]]:
    rows = {(row.place, row.asset): row for row in statement.totals}
    for each in statement.prices:
        row, quote = rows[each.thing], each.quote
        held = row.opening if each.end == "opening" else row.closing
        if row.asset == statement.of.money or not held:
            continue
        yield (
            row.asset,
            each.end,
            held,
            None if quote is None else quote.px,
            "none recorded by then" if quote is None else quote.source,
            None if quote is None else quote.at,
            "" if each.age_ms is None else words.age(each.age_ms),
        )


def _coverage(statement: Statement) -> Iterator[Block]:
    for each in statement.certificates:
        rows = tuple(
            (found.family, found.since, found.until, found.level, found.cause)
            for found in each.stretches
        )
        yield Block(
            title=f"Coverage of {each.account}",
            columns=(
                *_text("family"),
                Column(name="since", kind="moment"),
                Column(name="until", kind="moment"),
                *_text("level", "cause"),
            ),
            rows=rows,
        )
    yield observed_block(statement)


def observed_block(statement: Statement) -> Block:
    """Return the balances the venue showed inside the period, beside what records lead to."""
    rows = tuple(
        (each.at, each.account, place_name(each.place), each.asset, each.amount, each.ours,
         "yes" if each.agrees else UNKNOWN if each.ours is None else "no")
        for each in statement.observed
    )  # fmt: skip
    return Block(
        title="Balances the venue showed",
        columns=(
            Column(name="at", kind="moment"),
            *_text("account", "place", "token"),
            *_amounts("venue", "records"),
            *_text("agrees"),
        ),
        rows=rows,
        empty="no state was recorded",
    )


def notes_block(statement: Statement) -> Block:
    """Return all that is to be said in sentences: status, findings, what is unknown, remarks."""
    rows: list[tuple[Cell, ...]] = [("status", words.status(statement))]
    for kind, texts in (
        ("finding", words.findings(statement)),
        ("unknown", words.lacking(statement)),
        ("coverage", words.covered(statement)),
        ("rests on", words.remarks(statement)),
    ):
        rows += [(kind, text.replace("coverage: ", "", 1)) for text in texts]
    return Block(title="Notes", columns=_text("about", "text"), rows=tuple(rows))

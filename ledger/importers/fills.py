"""Fills: ``userFills``, ``userFillsByTime``, ``userTwapSliceFills`` and fills of the websocket.

``userFills`` comes newest first and is reversed whole, ties included. A fill of 2023 has neither
fee nor number of the trade; its whole content identifies it then. Fills of zero number (dust
conversions) are told apart by counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeVar, cast

from ledger.entries import Part
from ledger.errors import MalformedRecord
from ledger.events import Filled
from ledger.importers import door
from ledger.importers.answers import (
    Answer,
    AnswerKind,
    Found,
    covered,
    first_row,
    in_effective_order,
    told_apart,
    unreadable_row,
)
from ledger.money import exact, parse_decimal
from ledger.units import Address, Asset, Coin, Millis, Stream, account_stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from ledger.entries import Unreadable
    from ledger.importers.base import Json

W = TypeVar("W", bound=str)

PAGE: Final = 500

READ_KEYS: Final = frozenset({
    "coin", "px", "sz", "side", "time", "startPosition", "dir", "closedPnl", "hash", "oid",
    "crossed", "fee", "tid", "feeToken", "twapId", "builderFee", "cloid", "liquidation",
    "user", "_source",
})  # fmt: skip
"""Fields that are read or need no reading; all others are named in the notes of a reading."""

MILLIS_MAX: Final = 10**15
REMEMBERED_MAX: Final = 65_536

_NOBODY: Final = (None, None, None)

_LOOKS: Final = frozenset({"coin", "px", "sz", "side", "dir"})


class FillReader:
    """Reads rows of one record; figures and words that come again are read once.

    What it remembers is what the door said of a text before, so nothing depends on it but speed.
    """

    __slots__ = ("_assets", "_coins", "_numbers", "_words")

    def __init__(self) -> None:
        self._numbers: dict[str, Decimal] = {}
        self._words: dict[str, str] = {}
        self._coins: dict[str, Coin] = {}
        self._assets: dict[str, Asset] = {}

    def read(
        self, row: Mapping[str, Json], *, stream: Stream, twap_id: int | None = None
    ) -> Filled:
        """Return the fill of one row in the shape of the info service.

        ``twap_id`` is the number that stands beside a row of ``userTwapSliceFills``. Raises:
        MalformedRecord; a row without moment or transaction hash has no identity and is refused.
        """
        number, whole = self._number, _whole
        size = number(row, "sz")
        if size is None or size <= 0:
            raise _not_positive(row)
        price = number(row, "px")
        if price is not None and price < 0:
            raise MalformedRecord(field="px", found=row["px"], expected="a price, not below zero")
        liquidation = row.get("liquidation")
        user, mark, method = _NOBODY if liquidation is None else _liquidation(liquidation)
        own_twap = whole(row, "twapId")
        at, crossed = row.get("time"), row.get("crossed")
        return Filled(
            stream=stream,
            at=Millis(at) if type(at) is int and 0 <= at < MILLIS_MAX else door.millis(row),
            coin=self._word(row, "coin", self._coins),
            px=door.decimal(row, "px") if price is None else price,
            sz=size,
            side=_side(row),
            direction=self._word(row, "dir", self._words),
            start_position=number(row, "startPosition"),
            reported_closed_pnl=number(row, "closedPnl"),
            reported_net_pnl=None,
            notional=None,
            fee=number(row, "fee"),
            fee_asset=None
            if row.get("feeToken") in (None, "")
            else self._word(row, "feeToken", self._assets),
            builder_fee=number(row, "builderFee"),
            crossed=None if crossed is None else door.flag(row, "crossed"),
            oid=whole(row, "oid"),
            tid=whole(row, "tid"),
            cloid=None if row.get("cloid") is None else door.text(row, "cloid"),
            twap_id=twap_id if own_twap is None else own_twap,
            liquidated_user=user,
            liquidation_mark=mark,
            liquidation_method=method,
            tx_hash=door.tx_hash(row),
        )

    def _number(self, row: Mapping[str, Json], field: str) -> Decimal | None:
        value = row.get(field)
        if value is None:
            return None
        if type(value) is not str:
            return door.decimal(row, field)
        known = self._numbers.get(value)
        if known is None:
            if len(self._numbers) >= REMEMBERED_MAX:
                self._numbers.clear()
            known = self._numbers[value] = parse_decimal(value, field=field)
        return known

    def _word(self, row: Mapping[str, Json], field: str, known: dict[str, W]) -> W:
        value = row.get(field)
        if type(value) is not str:
            raise door.not_text(row, field)
        word = known.get(value)
        if word is None:
            if len(known) >= REMEMBERED_MAX:
                known.clear()
            if not value:
                raise MalformedRecord(field=field, found=value, expected="a name")
            word = known[value] = cast("W", door.text(row, field))
        return word


def filled(row: Mapping[str, Json], *, stream: Stream, twap_id: int | None = None) -> Filled:
    """Return the fill of one row, as ``FillReader.read`` does. Raises: MalformedRecord."""
    return FillReader().read(row, stream=stream, twap_id=twap_id)


def _not_positive(row: Mapping[str, Json]) -> MalformedRecord:
    if row.get("sz") is None:
        return door.missing("sz")
    return MalformedRecord(field="sz", found=row["sz"], expected="a size above zero")


def _side(row: Mapping[str, Json]) -> Literal["B", "A"]:
    side = row.get("side")
    if side == "B":
        return "B"
    if side == "A":
        return "A"
    return cast('Literal["B", "A"]', door.one_of(row, "side", ("B", "A")))


def _whole(row: Mapping[str, Json], field: str) -> int | None:
    value = row.get(field)
    if type(value) is int or value is None:
        return value
    return door.integer(row, field)


def _liquidation(value: Json) -> tuple[Address | None, Decimal | None, str | None]:
    row = door.record(value, "liquidation")
    return (
        door.optional(door.address, row, "liquidatedUser"),
        door.optional(door.decimal, row, "markPx"),
        door.optional(door.text, row, "method"),
    )


# ------------------------------------------------------------------------- answers


def _split(row: Json) -> tuple[Mapping[str, Json], int | None]:
    """Return the fill of a row, and the TWAP number that stands beside it."""
    outer = door.record(row)
    if "fill" in outer:
        inner = door.record(outer["fill"], "fill")
        return inner, door.optional(door.integer, outer, "twapId")
    return outer, None


def read_rows(answer: Answer, rows: Sequence[Json], *, claims: bool) -> Found:
    """Return the fills of an answer; a row that names its own user goes to that user's stream.

    ``claims`` tells whether the answer shows every fill between its first and last.
    """
    by_stream: dict[Stream, tuple[list[Filled], list[int]]] = {}
    unreadable: list[Unreadable] = []
    more: set[str] = set()
    shape: tuple[str, ...] = ()
    read = FillReader().read
    default: Stream | None = None
    for number, outer in enumerate(rows):
        try:
            row, twap_id = _split(outer)
            own = row.get("user")
            if own is None:
                stream = default = default or answer.stream
            else:
                stream = account_stream(door.address(row, "user"))
            event = read(row, stream=stream, twap_id=twap_id)
        except MalformedRecord as error:
            unreadable.append(unreadable_row(answer, number, outer, str(error)))
            continue
        if (keys := tuple(row)) != shape:
            # Rows of one answer nearly all have the keys of the row before.
            shape = keys
            more |= row.keys() - READ_KEYS
        events, numbers = by_stream.setdefault(stream, ([], []))
        events.append(event)
        numbers.append(number)
    parts = tuple(
        _part(answer, stream, events, numbers, count=len(rows), claims=claims)
        for stream, (events, numbers) in by_stream.items()
    )
    notes = (f"fields of fills kept in the raw record only: {', '.join(sorted(more))}",)
    return Found(parts=parts, unreadable=tuple(unreadable), notes=notes if more else ())


def _part(
    answer: Answer,
    stream: Stream,
    events: list[Filled],
    numbers: list[int],
    *,
    count: int,
    claims: bool,
) -> Part:
    ascends = answer.request.get("type") == "userFillsByTime"
    if events[0].at == events[-1].at:
        ascends = _continues_forward(events, otherwise=ascends)
    ordered, rows = in_effective_order(events, numbers, newest_first=not ascends)
    if not all(fill.tid for fill in ordered):
        ordered = told_apart(ordered, only=_may_have_twins)
    return Part(
        stream=stream,
        source="api",
        answer=answer.path,
        rows=tuple(rows),
        events=tuple(ordered),
        covers=covered(answer, "fills", ordered, rows, count=count, page=PAGE) if claims else (),
    )


def _continues_forward(fills: Sequence[Filled], *, otherwise: bool) -> bool:
    """Tell whether sizes before a fill continue from row to row, or the other way round.

    Where all rows are of one millisecond their times do not say which way a list runs; the venue
    has written both. *otherwise* is returned where the sizes do not say either.
    """
    forward = backward = 0
    last: dict[Coin, tuple[Decimal, Decimal]] = {}
    with exact():
        for fill in fills:
            if fill.start_position is None:
                continue
            traded = fill.sz if fill.side == "B" else -fill.sz
            before, after = fill.start_position, fill.start_position + traded
            if fill.coin in last:
                forward += last[fill.coin][1] == before
                backward += last[fill.coin][0] == after
            last[fill.coin] = before, after
    return otherwise if forward == backward else forward > backward


def _may_have_twins(fill: Filled) -> bool:
    return not fill.tid


def _is_fills(value: Json) -> bool:
    return first_row(value).keys() >= _LOOKS


def _is_twap(value: Json) -> bool:
    row = first_row(value)
    return "fill" in row and "twapId" in row


def _read_fills(answer: Answer) -> Found:
    if answer.request.get("aggregateByTime") is True:
        raise MalformedRecord(
            field="aggregateByTime",
            found="true",
            expected="asked for: its rows are sums of fills. Ask again without it",
        )
    rows = door.array(answer.value)
    return read_rows(answer, rows, claims=True)


def _read_twap(answer: Answer) -> Found:
    return read_rows(answer, door.array(answer.value), claims=False)


KINDS: Final = (
    AnswerKind(
        name="userFills",
        types=frozenset({"userFills", "userFillsByTime"}),
        fits=_is_fills,
        read=_read_fills,
    ),
    AnswerKind(
        name="userTwapSliceFills",
        types=frozenset({"userTwapSliceFills", "userTwapSliceFillsByTime"}),
        fits=_is_twap,
        read=_read_twap,
    ),
)

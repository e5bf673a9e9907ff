"""Funding: what an account received and paid (``userFunding``), and the rates of a market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.events import FundingPaid, FundingRateSet
from ledger.importers import door
from ledger.importers.answers import (
    Answer,
    AnswerKind,
    Found,
    covered,
    first_row,
    in_effective_order,
    joined,
    part,
    read_rows,
)
from ledger.units import Coin, Stream, market_stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.events import Event
    from ledger.importers.base import Json

PAGE: Final = 500


def funding_paid(row: Mapping[str, Json], *, stream: Stream) -> FundingPaid:
    """Return the funding of one row, with its figures under ``delta`` or beside the time.

    ``usdc`` keeps the venue's sign: negative was paid. Raises: MalformedRecord.
    """
    inner = door.record(row["delta"], "delta") if "delta" in row else row
    return FundingPaid(
        stream=stream,
        at=door.millis(row),
        coin=Coin(door.text(inner, "coin")),
        usdc=door.decimal(inner, "usdc"),
        size=door.decimal(inner, "szi"),
        rate=door.decimal(inner, "fundingRate"),
        samples=door.optional(door.integer, inner, "nSamples"),
        tx_hash=door.optional(door.tx_hash, row, "hash"),
    )


def _read_user_funding(answer: Answer) -> Found:
    rows, stream = door.array(answer.value), answer.stream

    def make(row: Json) -> Event:
        return funding_paid(door.record(row), stream=stream)

    events, numbers, unreadable = read_rows(answer, rows, make)
    events, numbers = in_effective_order(events, numbers, newest_first=False)
    covers = covered(answer, "funding", events, numbers, count=len(rows), page=PAGE)
    return Found(
        parts=part(answer, stream, events, numbers, covers=covers),
        unreadable=tuple(unreadable),
    )


def _is_user_funding(value: Json) -> bool:
    row = first_row(value)
    inner = row.get("delta", row)
    return isinstance(inner, dict) and inner.keys() >= {"coin", "usdc", "szi", "fundingRate"}


def funding_rate(row: Mapping[str, Json]) -> FundingRateSet:
    """Return one published rate of a market. Raises: MalformedRecord."""
    coin = Coin(door.text(row, "coin"))
    return FundingRateSet(
        stream=market_stream(coin),
        at=door.millis(row),
        coin=coin,
        rate=door.decimal(row, "fundingRate"),
        premium=door.optional(door.decimal, row, "premium"),
    )


def _read_history(answer: Answer) -> Found:
    rows = door.array(answer.value)
    events, numbers, unreadable = read_rows(
        answer, rows, lambda row: funding_rate(door.record(row))
    )
    founds = [Found(unreadable=tuple(unreadable))]
    for stream in dict.fromkeys(event.stream for event in events):
        own = [index for index, event in enumerate(events) if event.stream == stream]
        ordered, places = in_effective_order(
            [events[index] for index in own], [numbers[index] for index in own], newest_first=False
        )
        founds.append(Found(parts=part(answer, stream, ordered, places)))
    return joined(founds)


def _is_history(value: Json) -> bool:
    row = first_row(value)
    return row.keys() >= {"coin", "fundingRate", "time"} and "usdc" not in row


KINDS: Final = (
    AnswerKind(
        name="userFunding",
        types=frozenset({"userFunding"}),
        fits=_is_user_funding,
        read=_read_user_funding,
    ),
    AnswerKind(
        name="fundingHistory",
        types=frozenset({"fundingHistory"}),
        fits=_is_history,
        read=_read_history,
    ),
)

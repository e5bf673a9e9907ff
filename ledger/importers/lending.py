"""Lending: interest rows, the states of reserves, and what an account supplied and borrowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.errors import MalformedRecord, NeedsHint
from ledger.events import (
    InterestAccrued,
    LendingStateObserved,
    ObservedLoan,
    ReserveObserved,
)
from ledger.importers import door
from ledger.importers.answers import (
    Answer,
    AnswerKind,
    Found,
    alone,
    covered,
    first_row,
    in_effective_order,
    joined,
    part,
    read_rows,
    symbol,
    unreadable_row,
)
from ledger.units import Asset, Millis, Stream, reserve_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from decimal import Decimal

    from ledger.events import Event
    from ledger.importers.base import Json

    Figure = Callable[[Mapping[str, Json], str], Decimal]

PAGE: Final = 500

_RESERVE: Final = frozenset({"oraclePx", "ltv"})


def interest_accrued(row: Mapping[str, Json], *, stream: Stream) -> InterestAccrued:
    """Return one hourly row of interest. Raises: MalformedRecord."""
    return InterestAccrued(
        stream=stream,
        at=door.millis(row),
        asset=Asset(door.text(row, "token")),
        supply=door.decimal(row, "supply"),
        borrow=door.decimal(row, "borrow"),
    )


def _read_interest(answer: Answer) -> Found:
    rows, stream = door.array(answer.value), answer.stream

    def make(row: Json) -> Event:
        return interest_accrued(door.record(row), stream=stream)

    events, numbers, unreadable = read_rows(answer, rows, make)
    events, numbers = in_effective_order(events, numbers, newest_first=False)
    covers = covered(answer, "interest", events, numbers, count=len(rows), page=PAGE)
    return Found(
        parts=part(answer, stream, events, numbers, covers=covers),
        unreadable=tuple(unreadable),
    )


def _is_interest(value: Json) -> bool:
    return first_row(value).keys() >= {"time", "token", "supply", "borrow"}


# ------------------------------------------------------------------------- reserves


def reserve_observed(
    row: Mapping[str, Json], *, token: int, at: Millis, figure: Figure = door.decimal
) -> ReserveObserved:
    """Return the state of one reserve; *figure* reads its numbers. Raises: MalformedRecord."""
    asset = symbol(token)
    return ReserveObserved(
        stream=reserve_stream(asset),
        at=at,
        asset=asset,
        token=token,
        borrow_rate=door.optional(figure, row, "borrowYearlyRate"),
        supply_rate=door.optional(figure, row, "supplyYearlyRate"),
        balance=door.optional(figure, row, "balance"),
        utilization=door.optional(figure, row, "utilization"),
        oracle_px=figure(row, "oraclePx"),
        ltv=figure(row, "ltv"),
        supplied=door.optional(figure, row, "totalSupplied"),
        borrowed=door.optional(figure, row, "totalBorrowed"),
    )


def _read_reserve(answer: Answer) -> Found:
    asked = answer.request.get("token")
    token = asked if type(asked) is int else answer.hints.token
    if not isinstance(token, int):
        raise NeedsHint(
            name=answer.name,
            question="it is the state of a lending reserve that does not say which",
            flag="--token 0",
        )
    event = reserve_observed(door.record(answer.value), token=token, at=answer.moment)
    return alone(answer, event.stream, event)


def _is_reserve(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() >= {*_RESERVE, "totalSupplied"}


def read_reserves(
    answer: Answer, pairs: Json, *, figure: Figure = door.decimal, path: str = ""
) -> Found:
    """Return the states of several reserves, given by token; each goes to its own stream."""
    founds: list[Found] = []
    for number, (token, value) in enumerate(by_token(pairs, "reserves")):
        try:
            event = reserve_observed(
                door.record(value, "reserve"), token=token, at=answer.moment, figure=figure
            )
        except MalformedRecord as error:
            founds.append(Found(unreadable=(unreadable_row(answer, number, value, str(error)),)))
        else:
            founds.append(
                Found(parts=part(answer, event.stream, (event,), (number,), path=path or None))
            )
    return joined(founds)


def _read_all_reserves(answer: Answer) -> Found:
    return read_reserves(answer, answer.value)


def _is_all_reserves(value: Json) -> bool:
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, list) and len(first) == 2 and _is_reserve(first[1])


def by_token(value: Json, field: str) -> Iterator[tuple[int, Json]]:
    """Yield what an answer gives per token: pairs of index and value, or an object by index.

    Raises: MalformedRecord.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            if not (key.isascii() and key.isdigit() and len(key) <= 9):
                raise MalformedRecord(field=field, found=key, expected="the index of a token")
            yield int(key), item
        return
    for pair in door.array(value, field):
        token = pair[0] if isinstance(pair, list) and len(pair) == 2 else None
        if type(token) is not int or not isinstance(pair, list):
            raise MalformedRecord(
                field=field, found=door.as_text(pair), expected="a pair of token and figures"
            )
        yield door.integer({"token": token}, "token"), pair[1]


# ------------------------------------------------------------------------- an account's loans


def lending_state(
    row: Mapping[str, Json], *, stream: Stream, at: Millis, figure: Figure = door.decimal
) -> LendingStateObserved:
    """Return an account's supplied and borrowed amounts. Raises: MalformedRecord."""
    return LendingStateObserved(
        stream=stream,
        at=at,
        loans=tuple(
            _loan(token, door.record(value, "tokenToState"), figure)
            for token, value in by_token(door.required(row, "tokenToState"), "tokenToState")
        ),
        health=door.text(row, "health"),
        health_factor=door.optional(figure, row, "healthFactor"),
    )


def _loan(token: int, row: Mapping[str, Json], figure: Figure) -> ObservedLoan:
    borrow = door.record(row.get("borrow"), "borrow")
    supply = door.record(row.get("supply"), "supply")
    return ObservedLoan(
        token=token,
        borrow_basis=figure(borrow, "basis"),
        borrow_value=figure(borrow, "value"),
        supply_basis=figure(supply, "basis"),
        supply_value=figure(supply, "value"),
    )


def _read_state(answer: Answer) -> Found:
    event = lending_state(door.record(answer.value), stream=answer.stream, at=answer.moment)
    return alone(answer, answer.stream, event)


def _is_state(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() >= {"tokenToState", "health"}


KINDS: Final = (
    AnswerKind(
        name="userBorrowLendInterest",
        types=frozenset({"userBorrowLendInterest"}),
        fits=_is_interest,
        read=_read_interest,
    ),
    AnswerKind(
        name="borrowLendReserveState",
        types=frozenset({"borrowLendReserveState"}),
        fits=_is_reserve,
        read=_read_reserve,
    ),
    AnswerKind(
        name="allBorrowLendReserveStates",
        types=frozenset({"allBorrowLendReserveStates"}),
        fits=_is_all_reserves,
        read=_read_all_reserves,
    ),
    AnswerKind(
        name="borrowLendUserState",
        types=frozenset({"borrowLendUserState"}),
        fits=_is_state,
        read=_read_state,
    ),
)

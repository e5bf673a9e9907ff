"""Acts: what a person adds to a book. Nothing is edited; every act is an event with an author."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs

from ledger.codec import decode, encode, event_id, kind_of
from ledger.errors import MalformedRecord, NotFound, RefusedFile, UnclearQuestion
from ledger.events import (
    Annulled,
    Event,
    LendingStateObserved,
    Opened,
    OpeningBalance,
    OpeningPosition,
    PerpStateObserved,
    Replaced,
    SpotStateObserved,
)
from ledger.money import ZERO, canonical, exact, parse_decimal
from ledger.units import Asset, parse_millis
from replay.views import place_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ledger.book import Book
    from ledger.entries import Entry, Reading
    from ledger.events import ObservedBalance, ObservedPosition
    from ledger.units import Millis, Stream
    from projections.reference import Reference

OBSERVED_WITHIN_MS: Final = 60_000
"""States of one opening must have been taken within a minute of each other."""

DIGITS_MAX: Final = 100
"""Far beyond the digits of any amount; what is larger is not even written out."""

_FIXED: Final = ("@", "stream", "occurrence")


def annulment(book: Book, target: Entry, *, author: str, reason: str) -> Annulled:
    """Return the event that takes *target* not to have happened."""
    made = Annulled(
        stream=target.event.stream,
        at=target.event.at,
        target=target.id,
        author=_said(author, "--as"),
        reason=_said(reason, "--reason"),
    )
    # Annulled, reinstated and annulled again are three acts, and each is an event of its own.
    while _is_known(book, made):
        made = attrs.evolve(made, occurrence=made.occurrence + 1)
    return made


def replacement(
    book: Book, target: Entry, changes: Mapping[str, Any], *, author: str, reason: str
) -> Replaced:
    """Return the event that takes *target* to have been what the changed fields say.

    *changes* are fields of the event by name, as JSON values; amounts are text. The stream, the
    kind and the number among look-alikes stay.

    Raises: UnclearQuestion, for a field the event does not have, or a value it cannot hold.
    """
    line = encode(target.event)
    fields: dict[str, Any] = json.loads(line, parse_float=str)
    for name, value in changes.items():
        if name not in fields or (name in _FIXED and value != fields[name]):
            raise UnclearQuestion(
                asked=name,
                problem=f"is no field of {kind_of(target.event).name} that can be replaced",
                remedy=f"Its fields are {', '.join(f for f in fields if f not in _FIXED)}",
            )
        fields[name] = value
    try:
        made = decode(b'{"@":"%b",' % fields["@"].encode() + _rest(fields))
        for name in changes:
            _check(name, getattr(made, name))
    except MalformedRecord as error:
        why = error.expected.partition(": ")[2] or error
        raise UnclearQuestion(
            asked=json.dumps(dict(changes), ensure_ascii=False),
            problem=f"is no {kind_of(target.event).name}: {why}",
            remedy='Write amounts as text, such as {"sz": "12.5"}',
        ) from error
    replaced = Replaced(
        stream=target.event.stream,
        at=target.event.at,
        target=target.id,
        replacement=encode(made).decode(),
        author=_said(author, "--as"),
        reason=_said(reason, "--reason"),
    )
    # The same replacement made again, after it was annulled, is an act of its own.
    while _is_known(book, replaced):
        replaced = attrs.evolve(replaced, occurrence=replaced.occurrence + 1)
    return replaced


def _rest(fields: Mapping[str, Any]) -> bytes:
    rest = {name: value for name, value in fields.items() if name != "@"}
    return json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()[1:]


def _check(name: str, value: object) -> None:
    """Refuse in a field what no record could bring: the bounds of the door hold for a person, too.

    Raises: MalformedRecord, for numbers beyond the digits of an amount, NaN, moments that are no
    milliseconds, sizes not above zero, and text that is empty or cannot be printed.
    """
    made_of = type(value)
    if attrs.has(made_of):
        for field in attrs.fields(made_of):
            _check(field.name, getattr(value, field.name))
    elif isinstance(value, tuple):
        for each in value:
            _check(name, each)
    elif isinstance(value, Decimal):
        is_near = value.is_finite() and abs(value.adjusted()) < DIGITS_MAX
        number = parse_decimal(canonical(value) if is_near else str(value), field=name)
        if name == "sz" and number <= 0:
            raise MalformedRecord(field=name, found=number, expected="a size: above zero")
    elif name == "at":
        parse_millis(value, field=name)
    elif isinstance(value, str) and not (value and value.isprintable()) and name != "dex":
        raise MalformedRecord(field=name, found=value, expected="text: words that can be printed")


def _said(text: str, flag: str) -> str:
    if text.strip():
        return text.strip()
    raise UnclearQuestion(asked=text, problem="says nothing", remedy=f"Give {flag} some words")


def _is_known(book: Book, event: Event) -> bool:
    try:
        book.find(event_id(event))
    except NotFound:
        return False
    return True


# ------------------------------------------------------------------------------- openings


def opening(
    readings: Iterable[tuple[Reading, str]],
    *,
    stream: Stream,
    author: str,
    at: Millis | None,
    reference: Reference,
) -> Opened:
    """Return the opening that recorded states of one account attest.

    *readings* come with the text that says what each was taken from. **Units**: *at* in
    milliseconds; without it the moment of the latest state holds.

    Raises: RefusedFile, when a reading has no state of that account or the states lie more than
    a minute apart.
    """
    seen: list[Event] = []
    sources: list[str] = []
    for reading, source in readings:
        states = [
            event for part in reading.parts if part.stream == stream for event in part.events
            if isinstance(event, PerpStateObserved | SpotStateObserved | LendingStateObserved)
        ]  # fmt: skip
        if not states:
            raise RefusedFile(
                name=source,
                reason=f"it holds no clearinghouse, spot or borrow/lend state of {stream}",
                remedy="Give a recorded clearinghouseState or spotClearinghouseState",
            )
        seen += states
        sources.append(source)
    moments = [event.at for event in seen]
    if max(moments) - min(moments) > OBSERVED_WITHIN_MS:
        raise RefusedFile(
            name=", ".join(sources),
            reason="its states were taken more than a minute apart",
            remedy="Give states of one moment",
        )
    return _opened(
        seen, stream=stream, author=author, at=at, reference=reference, source="; ".join(sources)
    )


def _opened(
    seen: Sequence[Event],
    *,
    stream: Stream,
    author: str,
    at: Millis | None,
    reference: Reference,
    source: str,
) -> Opened:
    perps = [event for event in seen if isinstance(event, PerpStateObserved)]
    spots = [event for event in seen if isinstance(event, SpotStateObserved)]
    loans = [event for event in seen if isinstance(event, LendingStateObserved)]
    with exact():
        balances = [
            *(balance for state in perps for balance in _perp_balances(state, reference)),
            *(balance for state in spots for balance in _spot_balances(state, perps)),
        ]
        if not any(b.place in {"supplied", "borrowed"} and b.amount for b in balances):
            balances += [b for state in loans for b in _loan_balances(state, reference)]
        positions = tuple(
            OpeningPosition(coin=held.coin, size=held.size, entry_notional=_entry_notional(held))
            for state in perps
            for held in state.positions
            if held.size
        )
    return Opened(
        stream=stream,
        at=at if at is not None else max(event.at for event in seen),
        # zero is attested too: older transfers may lead to something else
        balances=tuple(balances),
        positions=positions,
        author=_said(author, "--as"),
        source=source,
    )


def _entry_notional(held: ObservedPosition) -> Decimal | None:
    """Return what a position cost: value ∓ unrealized result, which the venue takes from it.

    Source: recorded state, size -4: value less the shown result gives 191.9729 to the digit, the
    rounded entry price does not.
    """
    if held.value is None or held.unrealized_pnl is None:
        return None
    gained = held.unrealized_pnl
    return held.value - gained if held.size > 0 else held.value + gained


def _perp_balances(state: PerpStateObserved, reference: Reference) -> Iterable[OpeningBalance]:
    if state.summary is None:
        return
    asset = reference.collateral.get(state.dex, Asset("USDC"))
    yield OpeningBalance(place=f"perp:{state.dex}", asset=asset, amount=state.summary.total_raw_usd)


def _spot_balances(
    state: SpotStateObserved, perps: Sequence[PerpStateObserved]
) -> Iterable[OpeningBalance]:
    """Yield what is at hand, supplied and borrowed.

    In portfolio margin the total of a token contains what is supplied less what is borrowed, and
    that of USDC the value of the perpetuals sides as well.
    """
    for balance in state.balances:
        yield OpeningBalance(
            place="spot", asset=balance.asset, amount=_at_hand(balance, state, perps)
        )
        for place, amount in (("supplied", balance.supplied), ("borrowed", balance.borrowed)):
            if amount is not None:
                yield OpeningBalance(place=place, asset=balance.asset, amount=amount)


def _at_hand(
    balance: ObservedBalance, state: SpotStateObserved, perps: Sequence[PerpStateObserved]
) -> Decimal:
    if not state.margin_enabled:
        return balance.total
    held = balance.total - (balance.supplied or ZERO) + (balance.borrowed or ZERO)
    if balance.asset == "USDC":
        for perp in perps:
            held -= perp.summary.account_value if perp.summary else ZERO
    return held


def _loan_balances(state: LendingStateObserved, reference: Reference) -> Iterable[OpeningBalance]:
    for loan in state.loans:
        asset = reference.symbols.get(loan.token, Asset(f"token {loan.token}"))
        yield OpeningBalance(place="supplied", asset=asset, amount=loan.supply_value)
        yield OpeningBalance(place="borrowed", asset=asset, amount=loan.borrow_value)


def described(event: Opened) -> tuple[str, ...]:
    """Return an opening in words, one line per balance and position."""
    lines = [f"{place_name(b.place)} {b.asset} {canonical(b.amount)}" for b in event.balances]
    lines += [
        f"position {p.coin} {canonical(p.size)}, cost "
        + (canonical(p.entry_notional) if p.entry_notional is not None else "unknown")
        for p in event.positions
    ]
    return tuple(lines)

"""Suppositions: what whoever asks takes to have been otherwise, as values made from words.

Events are removed, changed, moved and added by the same events a correction uses; they are given
to the timeline and never recorded. Prices, parameters, rulebook and readings are not events of the
account: they go into the question that margin is asked with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from ledger import events as ev
from ledger.codec import decode, encode, event_id
from ledger.errors import MalformedRecord, UnclearQuestion, UnknownKind
from ledger.events import Event
from ledger.money import ZERO, canonical, parse_decimal
from ledger.units import Asset, Coin, Millis, stream_account
from projections.margin.supposed import SupposedLtv, SupposedPrice
from projections.rulebooks import CALENDAR, EARLIER
from projections.rulebooks.base import USDC, Parameter, Rulebook, Source
from replay.dispute.admissible import moved_size, require_token, size_before
from replay.moments import iso, parse_moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from ledger.entries import Entry
    from ledger.units import Stream
    from replay.audit import AccountHistory
    from replay.margin import Question

AUTHOR: Final = "supposition"

MEASURES: Final = ("mark", "oracle", "token")
"""What a supposed price stands for: the mark of a perpetual, its oracle price, and the oracle
price of the token of that name; all three unless one is named."""

_PARAMETERS: Final = "trigger, offset, or TOKEN.ltv"

_BOUNDS: Final[dict[str, tuple[int, int | None]]] = {
    "trigger": (0, None), "offset": (0, None), "ltv": (0, 1),
}  # fmt: skip


@attrs.frozen(kw_only=True)
class Supposition:
    """Everything that is supposed at once."""

    says: tuple[str, ...] = ()
    """One sentence each, for people."""
    events: tuple[Event, ...] = ()
    """As if recorded last, in this order."""
    prices: tuple[SupposedPrice, ...] = ()
    ltvs: tuple[SupposedLtv, ...] = ()
    rulebook: str | None = None
    readings: tuple[str, ...] = ()
    calendar: tuple[Rulebook, ...] = CALENDAR

    def __or__(self, other: Supposition) -> Supposition:
        """Return both together; of the rule, what *other* says."""
        return Supposition(
            says=(*self.says, *other.says),
            events=(*self.events, *other.events),
            prices=(*self.prices, *other.prices),
            ltvs=(*self.ltvs, *other.ltvs),
            rulebook=other.rulebook or self.rulebook,
            readings=(*self.readings, *other.readings),
            calendar=self.calendar if other.calendar is CALENDAR else other.calendar,
        )

    @property
    def first_at(self) -> Millis | None:
        """The first moment at which an event differs; None where none does."""
        moments = [event.at for event in self.events]
        moments += [
            decode(event.replacement.encode()).at
            for event in self.events
            if isinstance(event, ev.Replaced)
        ]
        return min(moments, default=None)

    def question(self, actual: Question) -> Question:
        """Return how margin is asked for under the supposition."""
        return attrs.evolve(
            actual,
            rulebook=self._rulebook(actual),
            readings=(*actual.readings, *self.readings),
            calendar=actual.calendar if self.calendar is CALENDAR else self.calendar,
            prices=(*actual.prices, *self.prices),
            ltvs=(*actual.ltvs, *self.ltvs),
        )

    def _rulebook(self, actual: Question) -> str | None:
        """Return the id of the rulebook asked for: with another parameter it has another name."""
        name = self.rulebook or actual.rulebook
        if name is None or any(each.id == name for each in self.calendar):
            return name
        return next(
            (each.id for each in self.calendar if each.id.startswith(f"{name} with ")), name
        )

    @property
    def is_of_rules(self) -> bool:
        """Whether a rule is supposed, which holds at every instant."""
        return bool(self.rulebook or self.readings or self.ltvs or self.calendar is not CALENDAR)


# ------------------------------------------------------------------------------- events


def removed(target: Entry) -> Supposition:
    """Suppose that an event did not happen."""
    event = target.event
    made = ev.Annulled(
        stream=event.stream, at=event.at, target=target.id, author=AUTHOR, reason="supposed"
    )
    return Supposition(says=(f"without {_named(event)}",), events=(made,))


def moved(target: Entry, at: Millis, history: AccountHistory, position: int) -> Supposition:
    """Suppose that an event happened at another moment."""
    made = attrs.evolve(_own(target.event), at=at)
    made = _begun(made, target, history, position)
    return _instead(target, made, f"{_named(target.event)} at {iso(at)}")


def changed(
    target: Entry, changes: Sequence[str], history: AccountHistory, position: int
) -> Supposition:
    """Suppose that fields of an event had other values, each given as ``field=value``.

    Raises: UnclearQuestion, for a field it does not have, or a value that field cannot hold.
    """
    from replay.acts import replacement

    fields: dict[str, object] = {}
    for change in changes:
        name, given, value = change.partition("=")
        if not given:
            raise UnclearQuestion(
                asked=change, problem="is no change", remedy="Write it as field=value: sz=2.5"
            )
        fields[name.strip()] = _literal(value.strip())
    act = replacement(history.audit.book, target, fields, author=AUTHOR, reason="supposed")
    made = decode(act.replacement.encode())
    if not {"start_position", "reported_closed_pnl", "reported_net_pnl"} & set(fields):
        made = _begun(_own(made), target, history, position)
    return _instead(target, made, f"{_named(target.event)} with {', '.join(changes)}")


def added(line: str, history: AccountHistory, position: int) -> Supposition:
    """Suppose an event that nobody recorded, given as a canonical line.

    Raises: UnclearQuestion, for a line that is no event of this account, or is recorded already.
    """
    try:
        event = decode(line.strip().encode())
    except (MalformedRecord, UnknownKind) as error:
        raise UnclearQuestion(
            asked=line, problem=f"is no event: {error}",
            remedy="Write it as the line that `rollforward explain EVENT --json` prints",
        ) from error  # fmt: skip
    if event.stream != history.stream:
        raise UnclearQuestion(
            asked=line, problem=f"is of {event.stream}", remedy="Name an event of this account"
        )
    if any(event == each for each in history.audit.engine.events(history.stream, position)):
        raise UnclearQuestion(
            asked=line, problem="is recorded already",
            remedy="Give a second one that looks the same another occurrence",
        )  # fmt: skip
    if isinstance(event, ev.Filled) and event.start_position is None:
        start = size_before(history, position, event.coin, event.at)
        event = attrs.evolve(event, start_position=start)
    return Supposition(says=(f"with {_named(event)}",), events=(event,))


def paid_in(text: str, history: AccountHistory, position: int, *, sign: int = 1) -> Supposition:
    """Suppose a deposit (or with *sign* −1 a withdrawal), given as ``1000 USDC@2026-08-05T14:30Z``.

    Raises: UnclearQuestion, for anything else, and for a token the book does not know.
    """
    words, at_sign, when = text.partition("@")
    parts = words.split()
    if not at_sign or len(parts) != 2:
        raise UnclearQuestion(
            asked=text, problem="names no amount, token and moment",
            remedy="Write it as: 1000 USDC@2026-08-05T14:30Z",
        )  # fmt: skip
    try:
        amount = parse_decimal(parts[0].replace("_", ""))
    except MalformedRecord as error:
        raise UnclearQuestion(
            asked=text, problem=f"holds no amount: {parts[0]}", remedy="Write plain digits"
        ) from error
    if amount <= 0:
        raise UnclearQuestion(
            asked=text, problem="moves nothing", remedy="Write an amount above zero"
        )
    require_token(history, Asset(parts[1]), position)
    return deposit(history.stream, parse_moment(when), Asset(parts[1]), sign * amount)


def deposit(stream: Stream, at: Millis, asset: Asset, amount: Decimal) -> Supposition:
    """Suppose that a token came in from outside at a moment; a negative amount went out.

    USDC comes over the bridge, every other token from an account of which nothing is recorded.
    """
    word = "deposit" if amount > ZERO else "withdrawal"
    says = f"with a {word} of {canonical(abs(amount))} {asset} at {iso(at)}"
    made: Event
    if asset == USDC and amount > ZERO:
        made = ev.Deposited(stream=stream, at=at, usdc=amount, tx_hash=None)
    elif asset == USDC:
        made = ev.Withdrawn(stream=stream, at=at, usdc=-amount, fee=ZERO, nonce=None, tx_hash=None)
    else:
        account = stream_account(stream)
        mine, other = (account, None) if amount > ZERO else (None, account)
        made = ev.Transferred(
            stream=stream, at=at, venue_type="spotTransfer", asset=asset, amount=abs(amount),
            sender=other, recipient=mine, source="spot", target="spot", fee=ZERO, fee_asset=None,
            native_fee=ZERO, usdc_value=None, nonce=None, tx_hash=None,
        )  # fmt: skip
    return Supposition(says=(says,), events=(made,))


def traded(
    stream: Stream, at: Millis, coin: Coin, size: Decimal, px: Decimal,
    *, start: Decimal | None = None,
) -> Supposition:  # fmt: skip
    """Suppose a trade of a perpetual without fee; **sign**: a negative size was sold.

    *start* is the size before it, where no fill is recorded that says so.
    """
    made = ev.Filled(
        stream=stream, at=at, coin=coin, px=px, sz=abs(size), side="B" if size > ZERO else "A",
        direction="supposed", start_position=start, reported_closed_pnl=None,
        reported_net_pnl=None, notional=None, fee=None, fee_asset=None, builder_fee=None,
        crossed=None, oid=None, tid=None, cloid=None, twap_id=None, liquidated_user=None,
        liquidation_mark=None, liquidation_method=None, tx_hash=None,
    )  # fmt: skip
    word = "bought" if size > ZERO else "sold"
    says = f"with {canonical(abs(size))} {coin} {word} at {canonical(px)} at {iso(at)}"
    return Supposition(says=(says,), events=(made,))


def _instead(target: Entry, made: Event, says: str) -> Supposition:
    event = target.event
    act = ev.Replaced(
        stream=event.stream, at=event.at, target=target.id, replacement=encode(made).decode(),
        author=AUTHOR, reason="supposed",
    )  # fmt: skip
    return Supposition(says=(says,), events=(act,))


def _own(event: Event) -> Event:
    """Return a fill without the result that the venue told in the world it was made in."""
    if isinstance(event, ev.Filled):
        return attrs.evolve(event, reported_closed_pnl=None, reported_net_pnl=None)
    return event


def _begun(made: Event, target: Entry, history: AccountHistory, position: int) -> Event:
    """Return a fill with the size before it that goes with its place."""
    if not isinstance(made, ev.Filled) or not isinstance(target.event, ev.Filled):
        return made
    made = attrs.evolve(made, start_position=None)
    act = _instead(target, made, "").events[0]
    start = moved_size(history, position, target.event, made, act)
    return attrs.evolve(made, start_position=start)


def _named(event: Event) -> str:
    from ledger.codec import kind_of

    return f"{kind_of(event).name.replace('_', ' ')} {event_id(event)[:12]} of {iso(event.at)}"


def _literal(text: str) -> object:
    if text in {"true", "false"}:
        return text == "true"
    return None if text == "null" else text


# ------------------------------------------------------------------------------- prices, rules


def priced(text: str) -> Supposition:
    """Suppose a price, given as ``HYPE=30``, ``HYPE:mark=30`` or ``HYPE=30@WHEN..WHEN``.

    Without moments it holds at every instant asked for; with one, from then on.

    Raises: UnclearQuestion, for anything else.
    """
    what, equals, rest = text.partition("=")
    number, _, when = rest.partition("@")
    coin, _, measure = what.strip().rpartition(":") if _measure(what) else (what.strip(), "", "")
    try:
        px = parse_decimal(number.strip())
    except MalformedRecord:
        px = ZERO
    if not equals or not coin or px <= 0:
        raise UnclearQuestion(
            asked=text, problem="is no price", remedy="Write it as HYPE=30 or HYPE:mark=30@WHEN"
        )
    begin, _, end = when.partition("..")
    since = parse_moment(begin) if begin.strip() else None
    until = parse_moment(end) if end.strip() else None
    if since is not None and until is not None and until < since:
        raise UnclearQuestion(
            asked=text, problem="ends before it begins", remedy="Give the earlier moment first"
        )
    return price(
        Coin(coin), px, measures=(measure,) if measure else MEASURES, since=since, until=until
    )


def price(
    coin: Coin,
    px: Decimal,
    *,
    measures: tuple[str, ...] = MEASURES,
    since: Millis | None = None,
    until: Millis | None = None,
) -> Supposition:
    """Suppose a price of a market and of the token of that name, over a time."""
    made = SupposedPrice(coin=coin, px=px, measures=measures, since=since, until=until)
    which = "" if measures == MEASURES else f" ({', '.join(measures)})"
    span = "" if since is None else f" from {iso(since)}"
    span += "" if until is None else f" to {iso(until)}"
    return Supposition(says=(f"with {coin}{which} at {canonical(px)}{span}",), prices=(made,))


def _measure(what: str) -> bool:
    return what.strip().rpartition(":")[2] in MEASURES


def parameter(text: str, calendar: tuple[Rulebook, ...] = CALENDAR) -> Supposition:
    """Suppose another parameter in every rulebook: ``HYPE.ltv=0.5``, ``trigger=0.97``.

    The rulebooks that come of it are *hypothetical*, and named so.

    Raises: UnclearQuestion, for a parameter no rulebook has.
    """
    name, equals, value = (part.strip() for part in text.partition("="))
    token, dot, which = name.rpartition(".")
    try:
        number = parse_decimal(value)
    except MalformedRecord:
        number = None
    is_known = name in {"trigger", "offset"} or (dot and which == "ltv")
    if not equals or number is None or not is_known:
        raise UnclearQuestion(
            asked=text, problem="is no parameter", remedy=f"Known are {_PARAMETERS}: HYPE.ltv=0.5"
        )
    low, high = _BOUNDS["ltv" if dot else name]
    if number < low or (high is not None and number > high):
        span = f"from {low} to {high}" if high is not None else f"{low} or more"
        raise UnclearQuestion(
            asked=text, problem="is no value it can have", remedy=f"It is a number, {span}"
        )
    made = Parameter(
        value=number, status="hypothetical", source=Source(text="supposed", seen="never")
    )
    if token and not any(book.terms(Asset(token)) for book in calendar):
        known = sorted({str(asset) for book in calendar for asset in book.tokens})
        raise UnclearQuestion(
            asked=text, problem=f"names no token of portfolio margin: {token}",
            remedy=f"Tokens are {', '.join(known)}",
        )  # fmt: skip
    whole = (*EARLIER, *calendar) if calendar is CALENDAR else calendar
    books = tuple(_with(book, token, name, made, text) for book in whole)
    ltvs = (SupposedLtv(asset=Asset(token), ltv=number),) if token else ()
    return Supposition(says=(f"with the parameter {text}",), calendar=books, ltvs=ltvs)


def _with(book: Rulebook, token: str, name: str, made: Parameter, text: str) -> Rulebook:
    if book.modes is not None:
        return book  # from before portfolio margin: it has no such parameter
    named = attrs.evolve(book, id=f"{book.id} with {text}", status="hypothetical")
    if name == "trigger":
        return attrs.evolve(named, trigger=made)
    if name == "offset":
        return attrs.evolve(named, offset=made)
    terms = book.terms(Asset(token))
    if terms is None:
        return book
    return attrs.evolve(named, tokens={**book.tokens, Asset(token): attrs.evolve(terms, ltv=made)})

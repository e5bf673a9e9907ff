"""Quantities: opening, activity by cause and closing of every place and token of an account."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import attrs

from ledger import events as ev
from ledger.codec import event_id
from ledger.errors import UnknownKind
from ledger.money import ZERO
from ledger.units import Address, Asset, Coin, EventId, Millis, dex_of
from projections import balances, chart, positions
from projections.chart import SPOT, Place
from projections.flows import CAUSES, UNEXPLAINED, Cause, Flow, flows
from projections.fold import Stopped
from projections.postings import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ledger.events import Event
    from projections.fold import States
    from projections.reference import Reference

Key: TypeAlias = tuple[Place, Asset]
Amounts: TypeAlias = Mapping[Key, Decimal]

NO_MEANING: Final = "unknown kind"
FEE_UNKNOWN: Final = "fee not recorded"
DIRECTION_UNKNOWN: Final = "direction not recorded"
LOAN_UNKNOWN: Final = "loan not recorded"
GapKind: TypeAlias = Literal[
    "unknown kind", "fee not recorded", "direction not recorded", "loan not recorded"
]


def thing_of(place: Place, asset: Asset) -> Key:
    """Return what is valued: a position by its market, a token wherever it is."""
    return (place, asset) if place.startswith("position:") else (SPOT, asset)


# ------------------------------------------------------------------------- what there was


@attrs.frozen(kw_only=True)
class Holdings:
    """What an account had at an instant, by own place and token."""

    amounts: Amounts
    """Sums of postings; as the venue last showed or stated them, where it differed."""
    sums: Amounts
    """Sums of postings alone."""
    stopped: Stopped | None = None
    """The event of unknown kind from which on nothing is known."""


def holdings(states: States) -> Holdings:
    """Return what states say of the account's own places.

    A position is as large as the venue last stated it: the sum of what is recorded, and what its
    fills stated beyond it.
    """
    held = states.by_name[balances.NAME]
    if isinstance(held, Stopped):
        return Holdings(amounts={}, sums={}, stopped=held)
    sums = balances.own(held)
    amounts = dict(sums)
    for market, position in states.state(positions.NAME).by_key.items():
        if not market.startswith("spot:"):
            coin = Coin(market)
            amounts[chart.position(coin), chart.size_asset(coin)] = positions.stated_size(position)
    return Holdings(amounts={key: each for key, each in amounts.items() if each}, sums=sums)


# ----------------------------------------------------------------------- what happened


class Moved(NamedTuple):
    """One leg of one event at an own place, with the balance after the event."""

    account: Address
    event: EventId
    at: Millis
    flow: Flow
    balance: Decimal | None
    """None from an event of unknown kind on."""


@attrs.frozen(kw_only=True)
class Gap:
    """A record that moved something, and does not say what: figures lack it."""

    kind: GapKind
    account: Address
    event: EventId
    at: Millis
    about: str
    """The venue's word, or the market."""


State: TypeAlias = ev.PerpStateObserved | ev.SpotStateObserved


@attrs.frozen(kw_only=True)
class Observed:
    """A balance the venue showed inside the period, beside what it should be.

    It should be what the state before it showed, or else the opening, and what moved since.
    """

    account: Address
    event: EventId
    at: Millis
    place: Place
    asset: Asset
    amount: Decimal
    """As the venue showed it."""
    ours: Decimal | None
    """As records lead to; None where not known."""

    @property
    def difference(self) -> Decimal:
        """Shown less expected; nothing where what to expect is not known."""
        return ZERO if self.ours is None else self.amount - self.ours

    @property
    def agrees(self) -> bool:
        """Tell whether the two are the same to the last digit."""
        return self.ours == self.amount


class Activity:
    """The events of one account in a period, one after the other; use it in the exact context."""

    def __init__(
        self, account: Address, opening: Holdings, reference: Reference, mode: str | None = None
    ) -> None:
        """Begin with what there was; *mode* is the account's mode then, where it is recorded."""
        self.account = account
        self.gaps: list[Gap] = []
        self.observed: list[Observed] = []
        self.count = 0
        self._reference = reference
        self._sums = dict(opening.sums)
        self._stated = {
            key: opening.amounts.get(key, ZERO) - opening.sums.get(key, ZERO)
            for key in {*opening.amounts, *opening.sums}
        }
        self._unknown = opening.stopped is not None
        self._mode = mode
        self._lacking: set[str] = set()

    def take(self, event: Event) -> tuple[Flow, ...]:
        """Return what the next event did to own places.

        **Order**: effective order.
        """
        self.count += 1
        self._note(event)
        try:
            found = flows(event, self._reference, self._sums)
        except UnknownKind as unknown:
            self._unknown = True
            self._gap(event, NO_MEANING, unknown.kind)
            return ()
        for flow in found:
            key = flow.place, flow.asset
            self._sums[key] = self._sums.get(key, ZERO) + flow.amount
        if isinstance(event, ev.Opened):
            for key in attested(event):  # what was shown before it no longer counts
                self._stated.pop(key, None)
        return found

    def moved(self, event: Event, found: Iterable[Flow]) -> tuple[Moved, ...]:
        """Return the legs of the event taken last, each with the balance after the event."""
        identity = event_id(event)
        return tuple(
            Moved(self.account, identity, event.at, flow, self.balance((flow.place, flow.asset)))
            for flow in found
        )

    def balance(self, key: Key) -> Decimal | None:
        """Return what is at a place now; None where not known."""
        if self._unknown:
            return None
        return self._sums.get(key, ZERO) + self._stated.get(key, ZERO)

    def _note(self, event: Event) -> None:
        match event:
            case ev.Filled() if event.fee is None:
                self._gap(event, FEE_UNKNOWN, event.coin)
            case ev.DexAbstractionActivated():
                self._gap(event, DIRECTION_UNKNOWN, "activateDexAbstraction")
            case ev.Transferred() if event.sender is None and event.recipient is None:
                self._gap(event, DIRECTION_UNKNOWN, event.venue_type)
            case ev.ModeChanged():
                self._mode = event.mode
            case ev.PerpStateObserved() | ev.SpotStateObserved():
                self._compare(event)
            case ev.LendingStateObserved():
                self._lent(event)
            case _:
                pass

    def _compare(self, event: State) -> None:
        """Hold a state against what records lead to; from there on, what it shows holds."""
        if isinstance(event, ev.SpotStateObserved):
            for row in event.balances:
                self._loan(event, chart.SUPPLIED, row.asset, row.supplied)
                self._loan(event, chart.BORROWED, row.asset, row.borrowed)
        held = [key for key in {**self._sums, **self._stated} if self.balance(key)]
        for place, asset, amount in shown(event, self._reference, self._mode, sorted(held)):
            key = place, asset
            ours = self.balance(key)
            self.observed.append(
                Observed(
                    account=self.account, event=event_id(event), at=event.at,
                    place=place, asset=asset, amount=amount, ours=ours,
                )
            )  # fmt: skip
            if ours is not None:
                self._stated[key] = self._stated.get(key, ZERO) + amount - ours

    def _lent(self, event: ev.LendingStateObserved) -> None:
        for loan in event.loans:
            asset = self._reference.symbols.get(loan.token, Asset(f"token {loan.token}"))
            self._loan(event, chart.SUPPLIED, asset, loan.supply_value)
            self._loan(event, chart.BORROWED, asset, loan.borrow_value)

    def _loan(self, event: Event, place: Place, asset: Asset, value: Decimal | None) -> None:
        """Note a loan that no record leads to; its interest runs, so no more can be compared."""
        about = f"{asset} {place}"
        known = self.balance((place, asset)) != ZERO
        if value and not known and about not in self._lacking:
            self._lacking.add(about)
            self._gap(event, LOAN_UNKNOWN, about)

    def _gap(self, event: Event, kind: GapKind, about: str) -> None:
        self.gaps.append(
            Gap(kind=kind, account=self.account, event=event_id(event), at=event.at, about=about)
        )


def attested(event: ev.Opened) -> tuple[Key, ...]:
    """Return the places and tokens that an opening sets."""
    return tuple((place, asset) for place, _, asset, _ in opened(event, {}))


def shown(
    event: State, reference: Reference, mode: str | None, held: Iterable[Key]
) -> Iterator[tuple[Place, Asset, Decimal]]:
    """Yield the balances a state shows that are sums of movements.

    Left out are those that also hold something else: tokens that are money of an exchange where
    one balance serves all, and what is supplied and borrowed, on which interest runs. Of the
    positions *held*, those a state does not list are none.
    """
    if isinstance(event, ev.PerpStateObserved):
        if event.summary is not None:
            money = reference.collateral.get(event.dex, chart.USDC)
            yield chart.perp(event.dex), money, event.summary.total_raw_usd
        listed = {chart.position(each.coin) for each in event.positions}
        for each in event.positions:
            yield chart.position(each.coin), chart.size_asset(each.coin), each.size
        for place, asset in held:
            is_position = place.startswith("position:") and place not in listed
            if is_position and dex_of(Coin(place[9:])) == event.dex:
                yield place, asset, ZERO
        return
    is_one_balance = event.margin_enabled or mode in {"unifiedAccount", "portfolioMargin"}
    moneys = {chart.USDC, *reference.collateral.values()}
    for row in event.balances:
        if is_one_balance and row.asset in moneys:
            continue
        if not event.margin_enabled:
            yield SPOT, row.asset, row.total
        elif row.supplied is not None and row.borrowed is not None:
            yield SPOT, row.asset, row.total - row.supplied + row.borrowed


# ------------------------------------------------------------------------- the roll-forward


@attrs.frozen(kw_only=True)
class Row:
    """Opening, activity by cause and closing of one token at one place.

    **Units**: the token; what is owed and short positions are negative.
    """

    account: Address | None
    """None in a sum over accounts."""
    place: Place
    asset: Asset
    opening: Decimal | None
    """None where not known."""
    flows: tuple[tuple[Cause, Decimal], ...]
    """By cause, in the order of ``CAUSES``; nothing where what came and went is the same."""
    closing: Decimal | None
    is_eliminated: bool = False
    """A share in a vault of the same group: not added up with what the vault has."""

    def of(self, cause: Cause) -> Decimal:
        """Return what came by one cause, or went."""
        return dict(self.flows).get(cause, ZERO)

    @property
    def explained(self) -> Decimal:
        """Sum over the causes that records give."""
        return sum((each for cause, each in self.flows if cause != UNEXPLAINED), ZERO)

    @property
    def unexplained(self) -> Decimal | None:
        """Closing less opening less what records give; None where not known."""
        if self.opening is None or self.closing is None:
            return None
        return self.closing - self.opening - self.explained


def rows(
    account: Address,
    opening: Holdings,
    closing: Holdings,
    sums: Mapping[tuple[Place, Asset, Cause], Decimal],
    *,
    is_eliminated: Callable[[Place], bool] = lambda _: False,
) -> tuple[Row, ...]:
    """Return the roll-forward of an account, by place and token; what was never there is left out.

    Must be called in the exact context. *sums* is what came by each cause.
    """
    by_key: dict[Key, dict[Cause, Decimal]] = {}
    for (place, asset, cause), amount in sums.items():
        by_key.setdefault((place, asset), {})[cause] = amount
    return tuple(
        Row(
            account=account,
            place=place,
            asset=asset,
            opening=None if opening.stopped else opening.amounts.get((place, asset), ZERO),
            flows=in_order(by_key.get((place, asset), {})),
            closing=None if closing.stopped else closing.amounts.get((place, asset), ZERO),
            is_eliminated=is_eliminated(place),
        )
        for place, asset in sorted({*opening.amounts, *closing.amounts, *by_key})
    )


def total_rows(parts: Iterable[Row]) -> tuple[Row, ...]:
    """Return the sums over accounts and places, by token and by position, in order of names.

    What is eliminated is left out. Must be called in the exact context.
    """
    by_thing: dict[Key, list[Row]] = {}
    for row in parts:
        if not row.is_eliminated:
            by_thing.setdefault(thing_of(row.place, row.asset), []).append(row)
    return tuple(
        Row(
            account=None,
            place=place,
            asset=asset,
            opening=_sum(each.opening for each in found),
            flows=in_order(_added(found)),
            closing=_sum(each.closing for each in found),
        )
        for (place, asset), found in sorted(by_thing.items(), key=lambda item: item[0][::-1])
    )


def in_order(amounts: Mapping[Cause, Decimal]) -> tuple[tuple[Cause, Decimal], ...]:
    """Return amounts by cause in the order of statements; what only changed places is left out."""
    return tuple(
        (cause, amounts[cause])
        for cause in CAUSES
        if cause in amounts and (amounts[cause] or cause != "moved inside")
    )


def _added(parts: Iterable[Row]) -> dict[Cause, Decimal]:
    sums: dict[Cause, Decimal] = {}
    for row in parts:
        for cause, amount in row.flows:
            sums[cause] = sums.get(cause, ZERO) + amount
    return sums


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total

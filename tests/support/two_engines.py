"""Two engines on one history: random histories, spoiled on purpose, and what each engine says.

A history grows from its number alone, so that a disagreement can be named. The simulated venue
tells it right; then some of it is spoiled the way records are: rows missing, sizes that do not
continue, fees unsaid, formats of 2023, openings, kinds nobody knows, metadata that is not there.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

import attrs

from ledger import events as ev
from ledger import timeline
from ledger.codec import encode, event_id
from ledger.entries import AsOf, Batch
from ledger.events import Event
from ledger.units import Asset, Coin
from projections.fold import digest, fold
from projections.reference import reference
from replay.evidence.verifier import canon, course, engine, kinds, state
from tests.support.histories import (
    START,
    STREAM,
    annulled,
    covered,
    deposited,
    filled,
    funded,
    part,
    replaced,
)  # fmt: skip
from tests.support.route import events_of, listed_events
from tests.support.shelf import Shelf
from tests.support.venue import history

YEAR_MS = 365 * 24 * 3_600_000
YEAR_2024 = 1_704_067_200_000

CLEAN = SimpleNamespace(canon=canon, course=course, engine=engine, kinds=kinds, state=state)
"""The modules of the clean-room engine; mutants are put in their place one by one."""


@cache
def listing() -> tuple[tuple[Event, bytes], ...]:
    """Return what the simulated venue lists, with canonical lines."""
    return tuple((event, encode(event)) for event in listed_events())


def engines_case(seed: int) -> tuple[list[Event], list[tuple[Event, bytes]]]:
    """Return one random history, every second one spoiled, and the metadata known with it."""
    chance = random.Random(seed)
    if seed % 4 == 2:
        return tiny_history(chance), [(event, encode(event)) for event in odd_listings(chance)]
    events = events_of(history(seed, chance.randrange(1, 40)))
    known = list(listing())
    if seed % 4:
        events = spoiled(events, chance)
        share = chance.choice((1.0, 0.8, 0.3))
        known = [one for one in known if chance.random() < share]
        known += [(event, encode(event)) for event in odd_listings(chance)]
    return events, known


def tiny_history(chance: random.Random) -> list[Event]:
    """Return a history in ones, twos and threes, where everything often meets its edge."""
    coins = chance.choice((("BTC",), ("A/USDC",), ("A/B",), ("BTC", "A/B", "A/USDC", "+1")))
    at, sizes = START, dict.fromkeys(coins, Decimal(0))
    tidy, ancient = chance.random() < 0.5, chance.random() < 0.15
    events: list[Event] = []
    for number in range(chance.randrange(1, 16)):
        at += chance.choice((0, 1, 29_999, 30_000, 30_001))
        coin, side = chance.choice(coins), chance.choice("BBA")
        amount = Decimal(chance.choice((1, 1, 2, 3)))
        sort = chance.choice(("fill", "fill", "fill", "fill", "send", "opening", "mark"))
        if tidy and sort == "opening" and events:
            sort = "fill"
        if sort == "fill":
            start = chance.choice((None, sizes[coin], sizes[coin], sizes[coin], amount))
            if tidy:
                start = sizes[coin] if coin == "BTC" else None
            elif start is not None and chance.random() < 0.1:
                start += Decimal(chance.choice(("5E-10", "-5E-10", "5.1E-10", "1E-9")))
            event = filled(
                at, number, coin=coin, sz=amount, side=side, start=start,
                px=str(chance.choice((1, 2, 3))),
                fee=chance.choice((None, Decimal(0), Decimal(1))) if not tidy else Decimal(0),
                fee_asset=chance.choice((None, None, "A", "USDC")),
                direction=chance.choice(("Buy", "Liquidated Cross Long")),
            )  # fmt: skip
            sizes[coin] += amount if side == "B" else -amount
            if ancient:
                event = attrs.evolve(event, at=YEAR_2024 + chance.choice((-1, 0, 0)), tid=None)
            events.append(event)
        elif sort == "opening":
            events.append(opening(deposited(at, 1), chance))
        elif sort == "mark":
            events.append(
                ev.Liquidated(stream=STREAM, at=at, notional=amount, account_value=Decimal(3),
                              leverage_type="Cross", positions=(), tx_hash="0xff")
            )  # fmt: skip
        else:
            own = STREAM.partition(":")[2]
            pair = chance.choice(((own, None), (None, own), ("0x" + "7" * 40, None), (own, own)))
            odd = Decimal(0 if tidy else chance.choice(("0", "0", "5E-11", "1E-10")))
            events.append(
                ev.Transferred(
                    stream=STREAM, at=at, venue_type="spotTransfer",
                    asset=Asset(chance.choice("AB")),
                    amount=amount + odd, sender=pair[0], recipient=pair[1],
                    source="spot", target=chance.choice(("spot", "perp:")), fee=Decimal(0),
                    fee_asset=None, native_fee=Decimal(chance.choice((0, 1))), usdc_value=None,
                    nonce=None, tx_hash=f"0x{number}",
                )
            )  # fmt: skip
    return sorted(events, key=lambda event: event.at) or [deposited(at, 1)]


def odd_listings(chance: random.Random) -> list[Event]:
    """Return metadata at the edges of what metadata may say, and beyond them."""
    at, count = listing()[0][0].at + chance.choice((-1, 0, 1)), chance.choice((-1, 0, 6, 7, 30, 31))
    market: dict[str, Any] = {
        "dex": "", "max_leverage": 10, "margin_table": None, "only_isolated": False,
        "delisted": False, "size_places": count, "collateral": chance.choice((None, "USDH")),
    }  # fmt: skip
    drawn: tuple[Event, ...] = (
        ev.TokenListed(stream="venue", at=at, asset=Asset(chance.choice(("HYPE", "USDC", "PURR"))),
                       index=7, size_places=2, wei_places=count),
        ev.MarketListed(stream="venue", at=at, coin=Coin(chance.choice(("BTC", "HYPE"))), **market),
        ev.PairListed(stream="venue", at=at, coin=Coin("@107"), base=Asset("HYPE"),
                      quote=Asset(chance.choice(("USDC", "USDH")))),
    )  # fmt: skip
    return chance.sample(drawn * 2, chance.choice((0, 0, 1, 2, 3)))


def spoiled(events: Sequence[Event], chance: random.Random) -> list[Event]:
    """Return a history with some of it missing, unsaid, contradicted or added."""
    kept: list[Event] = []
    old = chance.random() < 0.15
    shift = chance.choice((3 * YEAR_MS, events[len(events) // 2].at - YEAR_2024))
    for event in events:
        if chance.random() < 0.08:
            continue
        spoilt = spoiled_fill(event, chance) if isinstance(event, ev.Filled) else event
        if old:
            spoilt = attrs.evolve(spoilt, at=spoilt.at - shift)
        kept.append(spoilt)
    for _ in range(chance.choice((0, 0, 1, 2, 3))):
        place = chance.randrange(len(kept) + 1)
        beside = kept[min(place, len(kept) - 1)] if kept else events[0]
        kept.insert(place, strange(beside, chance))
    if chance.random() < 0.4:
        first = kept[0] if kept else events[0]
        place = 0 if chance.random() < 0.5 else chance.randrange(len(kept) + 1)
        kept.insert(place, opening(first, chance))
    return kept


def spoiled_fill(event: ev.Filled, chance: random.Random) -> ev.Filled:
    """Return a fill as a poor record of it may say it."""
    own = event.stream.partition(":")[2]
    start = event.start_position
    changes: tuple[dict[str, Any], ...] = (
        {"fee": None}, {"fee_asset": None}, {"builder_fee": Decimal("0.0125")},
        {"start_position": None}, {"tid": None},
        {"start_position": Decimal(0) if start is None else start + 1},
        {"start_position": None if start is None else Decimal(f"{start:.9e}")},
        {"notional": Decimal("1234.5678915")}, {"px": Decimal("12.3456789012")},
        {"px": Decimal("0.333333333333"), "notional": Decimal("77.1234565")},
        {"sz": event.sz + Decimal("0.000000001")}, {"fee": Decimal(0)},
        {"direction": "Liquidated Cross Long"},
        {"liquidated_user": own, "liquidation_method": "market"},
        {"liquidated_user": "0x" + "9" * 40, "direction": "Liquidated Isolated Short"},
        {"liquidated_user": own, "liquidation_method": "backstop", "liquidation_mark": event.px},
        {"px": Decimal("1.00000001"), "sz": Decimal(3), "notional": Decimal("3.1")},
        {"px": Decimal("1.000000001"), "sz": Decimal(3), "notional": Decimal("3.1")},
        {"coin": Coin(chance.choice(("+12", "o12", "#7", "o1x", "flx:CRCL", "@9999", "A/USDH")))},
        {"sz": event.sz * 3}, {"sz": Decimal("0.5"), "px": Decimal("1E+1")},
    )  # fmt: skip
    for change in chance.sample(changes, chance.choice((0, 0, 0, 1, 1, 2))):
        event = attrs.evolve(event, **change)
    return event


def strange(beside: Event, chance: random.Random) -> Event:
    """Return an event that the simulated venue does not tell."""
    common: dict[str, Any] = {"stream": beside.stream, "at": beside.at}
    coin, asset = Coin(chance.choice(("BTC", "HYPE"))), Asset(chance.choice(("HYPE", "USDC")))
    other = "0x" + "7" * 40
    own = beside.stream.partition(":")[2]
    paid = {"tx_hash": "0xfe", "usdc": Decimal(chance.choice(("12.3456785", "7")))}
    sent: dict[str, Any] = {
        "venue_type": "send", "asset": asset, "nonce": 1,
        "amount": Decimal(chance.choice(("1.0000000050", "1.000000005", "0.00000000015", "4"))),
        "sender": chance.choice((own, other, None)), "recipient": chance.choice((own, other, None)),
        "source": chance.choice(("spot", "perp:")), "target": chance.choice(("spot", "perp:xyz")),
        "fee": Decimal(chance.choice(("0.1", "0.000000015"))),
        "fee_asset": chance.choice((None, Asset("HYPE"))),
        "native_fee": Decimal(chance.choice(("0", "1", "1.000000015"))),
        "usdc_value": None, "tx_hash": "0xfd",
    }  # fmt: skip
    candle = {"interval": "1h", "opened": beside.at, "first": Decimal(1), "highest": Decimal(2)}
    drawn: tuple[Event, ...] = (
        ev.Unrecognized(**common, venue_type="welcomeBonus", body="{}", tx_hash=None),
        ev.Liquidated(**common, notional=Decimal("10.5"), account_value=Decimal(3),
                      leverage_type="Cross", positions=(), tx_hash="0xff"),
        ev.PriceObserved(**common, coin=coin, measure="oracle", px=Decimal("4.5"), via="höchst"),
        ev.CandleObserved(**common, **candle, coin=coin, lowest=Decimal(1), last=Decimal("1.5"),
                          volume=Decimal(9), trades=3),
        ev.ReserveObserved(**common, asset=asset, token=0, borrow_rate=Decimal(0),
                           supply_rate=Decimal(0), balance=None, utilization=None,
                           oracle_px=Decimal("44.1"), ltv=Decimal(0), supplied=None, borrowed=None),
        ev.FundingPaid(**common, coin=Coin("flx:CRCL"), usdc=Decimal("-0.25"), size=Decimal(1),
                       rate=Decimal("0.1"), samples=None, tx_hash=None),
        ev.VaultWithdrawn(**common, vault=chance.choice((other, own, None)),
                          user=chance.choice((other, own, None)), requested=Decimal(310),
                          commission=Decimal("15.336366"), closing_cost=Decimal(0),
                          basis=Decimal("156.636333"), net=Decimal("294.663634"), tx_hash="0xfc"),
        ev.VaultDeposited(**common, **paid, vault=chance.choice((other, own))),
        ev.VaultDistributed(**common, **paid, vault=chance.choice((other, None))),
        ev.ReserveOperated(**common, operation=chance.choice(("borrow", "repay", "withdraw")),
                           asset=asset, amount=Decimal("3.25"), reported_interest=None,
                           tx_hash="0xfb"),
        ev.ClassTransferred(**common, asset=asset, amount=Decimal("2703997.4500000002"),
                            dex="xyz", to_perp=chance.random() < 0.5, tx_hash="0xfa"),
        ev.Noted(**common, author="Mara", text="a remark"),
        ev.Transferred(**common, **sent),
        ev.Transferred(**common, **sent | {"venue_type": "internalTransfer", "asset": "USDC"}),
    )  # fmt: skip
    return chance.choice(drawn)


def opening(first: Event, chance: random.Random) -> ev.Opened:
    """Return an opening that somebody attests."""
    places = ("spot", "spot", "perp:", "supplied", "borrowed", "staking")
    balances = tuple(
        ev.OpeningBalance(
            place=chance.choice(places),
            asset=Asset(chance.choice(("USDC", "HYPE", "PURR", "A", "B"))),
            amount=Decimal(chance.choice(("0", "1", "12.5", "700", "0.00000001"))),
        )
        for _ in range(chance.randrange(4))
    )  # fmt: skip
    held = tuple(
        ev.OpeningPosition(
            coin=Coin(coin), size=Decimal(chance.choice(("1", "1.5", "-3", "20"))),
            entry_notional=chance.choice((None, Decimal("61.25"))),
        )
        for coin in chance.sample(("BTC", "HYPE", "@107", "PURR/USDC", "A/B"), chance.randrange(3))
    )  # fmt: skip
    return ev.Opened(
        stream=first.stream, at=first.at, balances=balances, positions=held,
        author="Mara", source="a state",
    )  # fmt: skip


def main_digest(events: Iterable[Event], known: Iterable[tuple[Event, bytes]]) -> str:
    """Return the state digest by the main engine."""
    return digest(fold(events, reference(event for event, _ in known)))


def clean_digest(
    events: Iterable[Event], known: Iterable[tuple[Event, bytes]], by: Any = CLEAN
) -> str:
    """Return the state digest by the clean-room engine, which is given nothing but lines."""
    lines = [encode(event) for event in events]
    rows = [
        by.course.Row((1, row), "api", line, json.loads(line)) for row, line in enumerate(lines)
    ]
    told = by.engine.Listing([(line, json.loads(line)) for _, line in known])
    return str(by.state.state_digest(by.engine.Journal(rows, told)))


# ------------------------------------------------------------------------------- timelines


def timeline_case(seed: int) -> tuple[Shelf, int]:
    """Return records of one small account in any order, with corrections, and a position."""
    chance = random.Random(seed)
    happened = small_history(chance)
    shelf = Shelf()
    pages = [page for family in (ev.Filled, ev.FundingPaid, ev.Deposited)
             for page in cut([e for e in happened if isinstance(e, family)], chance)]  # fmt: skip
    if chance.random() < 0.5:
        pages += exports(happened, chance)
    chance.shuffle(pages)
    acts = 0
    for page in pages:
        shelf.append(page)
        while acts < 4 and chance.random() < 0.3:
            shelf.act(correction(shelf, happened, chance))
            acts += 1
    if chance.random() < 0.2:
        first = chance.choice(happened)
        moved = attrs.evolve(opening(first, chance), stream=STREAM, at=first.at)
        shelf.act(moved)
    position = chance.choice((None, chance.randrange(1, 6)))
    return shelf, position or 10**6


def small_history(chance: random.Random) -> list[Event]:
    """Return what happened: fills that continue each other, several in one millisecond."""
    at, sizes = START, {"BTC": Decimal(0), "@1": Decimal(0)}
    happened: list[Event] = []
    for number in range(chance.randrange(1, 14)):
        at += chance.choice((0, 0, 0, 1, 300, 1000))
        sort = chance.choice(("fill", "fill", "fill", "funding", "deposit"))
        if sort == "fill":
            coin, side = chance.choice(("BTC", "BTC", "@1")), chance.choice("BA")
            size = Decimal(chance.randrange(1, 4))
            start = sizes[coin] if chance.random() < 0.9 else sizes[coin] + 1
            happened.append(
                filled(at, number + 1, coin=coin, sz=size, side=side, start=start,
                       fee=chance.choice((None, Decimal("0.01"))), oid=chance.choice((1, 2, None)))
            )  # fmt: skip
            sizes[coin] += size if side == "B" else -size
        elif sort == "funding":
            if not any(isinstance(e, ev.FundingPaid) and e.at == at for e in happened):
                happened.append(funded(at, usdc=chance.randrange(-3, 3), tx_hash=f"0x{number}"))
        else:
            happened.append(deposited(at, chance.randrange(1, 5), f"0x{number:02x}"))
    return happened or [deposited(at, 1, "0x99")]


def cut(events: list[Event], chance: random.Random) -> list[Any]:
    """Return answers that overlap as it comes; some records say less, some something else."""
    pages = []
    for _ in range(chance.randrange(1, 4) if events else 0):
        first = chance.randrange(len(events))
        shown = events[first : chance.randrange(first, len(events)) + 1]
        shown = [varied(event, chance) for event in shown]
        spans = [("fills", START, START + 500)] if chance.random() < 0.3 else []
        source = chance.choice(("api", "node"))
        pages.append(part(shown, source=source, covers=tuple(covered(*span) for span in spans)))
    return pages


def varied(event: Event, chance: random.Random) -> Event:
    """Return a fill as another record of it has it: with less said, or something else."""
    if isinstance(event, ev.Filled) and chance.random() < 0.2:
        change: dict[str, Any] = chance.choice(
            ({"fee": None}, {"fee": Decimal("0.01")}, {"px": Decimal(101)}, {"oid": None})
        )
        return attrs.evolve(event, **change)
    return event


def exports(happened: Sequence[Event], chance: random.Random) -> list[Any]:
    """Return rows of web exports and spreadsheets: full seconds, no numbers, sums at averages."""
    fills = [event for event in happened if isinstance(event, ev.Filled)]
    rows: list[Event] = []
    while fills:
        count = chance.choice((1, 1, 2, 3))
        group, fills = fills[:count], fills[count:]
        same = [e for e in group if (e.coin, e.side) == (group[0].coin, group[0].side)]
        size = sum((e.sz for e in same), Decimal(0))
        rows.append(bare(group[0], size, chance))
    rows += [
        attrs.evolve(e, at=e.at - e.at % 1000, tx_hash=None)
        for e in happened
        if isinstance(e, ev.FundingPaid) and chance.random() < 0.7
    ]
    rows += [
        attrs.evolve(e, at=e.at - e.at % 1000, tx_hash=None)
        for e in happened
        if isinstance(e, ev.Deposited) and chance.random() < 0.7
    ]
    unique = list(dict.fromkeys(rows))
    unique.sort(key=lambda event: event.at)
    source = chance.choice(("web", "sheet"))
    at = 60_000 if source == "sheet" and chance.random() < 0.3 else 1000
    shown = [attrs.evolve(event, at=event.at - event.at % at) for event in unique]
    pages = [[event for event in dict.fromkeys(shown) if isinstance(event, family)]
             for family in (ev.Filled, ev.FundingPaid, ev.Deposited)]  # fmt: skip
    return [part(page, source=source) for page in pages if page]


def bare(event: ev.Filled, size: Decimal, chance: random.Random) -> ev.Filled:
    """Return a fill as an export prints it."""
    px = event.px if chance.random() < 0.9 else event.px + Decimal("0.1")
    coin = "A/B" if event.coin == "@1" and chance.random() < 0.5 else event.coin
    return attrs.evolve(
        event, at=event.at - event.at % 1000, sz=size, px=px, tid=None, oid=None, coin=Coin(coin),
        start_position=None, fee=None, tx_hash=None,
    )  # fmt: skip


def correction(shelf: Shelf, happened: Sequence[Event], chance: random.Random) -> Event:
    """Return an annulment or a replacement of an event, or of an earlier correction."""
    recorded = [
        timeline_event
        for version in range(1, len(shelf.headers(STREAM)) + 1)
        for timeline_event in shelf.batch(STREAM, version).lines
        if timeline_event.startswith((b'{"@":"annulled', b'{"@":"replaced', b'{"@":"ordered'))
    ]
    from ledger.codec import decode

    targets: list[Event] = [*happened, *(decode(line) for line in recorded for _ in range(3))]
    target = chance.choice(targets)
    name = event_id(target)
    if chance.random() < 0.5:
        return annulled(target, target=name, occurrence=chance.randrange(2))
    base = chance.choice(list(happened))
    instead: Event = attrs.evolve(base, at=base.at + chance.choice((0, 0, 1, 700)))
    if isinstance(instead, ev.Filled) and chance.random() < 0.5:
        instead = attrs.evolve(instead, px=Decimal(99), tid=chance.choice((instead.tid, 777)))
    if chance.random() < 0.15:
        another = chance.choice(targets)
        instead = annulled(another, target=event_id(another))
    return replaced(target, target=name, by=encode(instead))


def main_timeline(shelf: Shelf, position: int) -> str:
    """Return the timeline digest by the main engine."""
    as_of = AsOf(position=position)
    found = timeline.course(shelf.headers(STREAM), lambda v: shelf.batch(STREAM, v), as_of)
    return timeline.digest(found, lambda v: shelf.batch(STREAM, v))


def clean_timeline(shelf: Shelf, position: int, by: Any = CLEAN) -> str:
    """Return the timeline digest by the clean-room engine, from headers and lines as JSON."""
    from ledger.stores.form import header_line

    batches = []
    for header in shelf.headers(STREAM):
        batch: Batch = shelf.batch(STREAM, header.version)
        batches.append((json.loads(header_line(header)), list(batch.lines)))
    return str(by.course.timeline_digest(by.course.course(batches, position)))

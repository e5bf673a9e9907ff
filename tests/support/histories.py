"""Random histories of one account, and random ways of cutting them into answers.

A history is what happened, in order, several events in one millisecond included. Answers are
slices of the fills, of the funding and of the transfers, as the venue gives them: each in order,
overlapping as it comes, cut anywhere, also inside a millisecond.
"""

from __future__ import annotations

import itertools
from decimal import Decimal

import attrs
from hypothesis import strategies as st

from ledger.entries import Covered, Part
from ledger.events import Annulled, Deposited, Filled, FundingPaid, Replaced
from ledger.units import account_stream

STREAM = account_stream("0x" + "a" * 40)
COINS = ("BTC", "ETH")
FAMILIES = (Filled, FundingPaid, Deposited)
START = 1_700_000_000_000


def filled(at, tid, *, coin="BTC", sz="1", side="B", start=None, px="100", **other):
    """A fill, plain in every respect that is not said."""
    values = {
        "stream": STREAM,
        "at": at,
        "coin": coin,
        "px": Decimal(px),
        "sz": Decimal(sz),
        "side": side,
        "direction": "Open Long",
        "start_position": None if start is None else Decimal(start),
        "reported_closed_pnl": None,
        "reported_net_pnl": None,
        "notional": None,
        "fee": None,
        "fee_asset": None,
        "builder_fee": None,
        "crossed": None,
        "oid": None,
        "tid": tid,
        "cloid": None,
        "twap_id": None,
        "liquidated_user": None,
        "liquidation_mark": None,
        "liquidation_method": None,
        "tx_hash": None,
    }
    return Filled(**values | other)


def funded(at, *, coin="BTC", usdc="-0.5", size="1", tx_hash=None):
    """A funding payment."""
    return FundingPaid(
        stream=STREAM,
        at=at,
        coin=coin,
        usdc=Decimal(usdc),
        size=Decimal(size),
        rate=Decimal("0.0001"),
        samples=None,
        tx_hash=tx_hash,
    )


def deposited(at, usdc, tx_hash="0x01"):
    """A deposit."""
    return Deposited(stream=STREAM, at=at, usdc=Decimal(usdc), tx_hash=tx_hash)


def annulled(event, *, target, reason="misread", occurrence=0):
    """The annulment of an event, at its moment."""
    return Annulled(
        stream=STREAM,
        at=event.at,
        target=target,
        author="auditor",
        reason=reason,
        occurrence=occurrence,
    )


def replaced(event, *, target, by, reason="misread"):
    """The replacement of an event by a canonical line, at its moment."""
    return Replaced(
        stream=STREAM,
        at=event.at,
        target=target,
        replacement=by.decode(),
        author="auditor",
        reason=reason,
    )


def part(events, *, source="api", answer="", rows=None, covers=()):
    """One answer."""
    events = tuple(events)
    return Part(
        stream=STREAM,
        source=source,
        answer=answer,
        rows=tuple(range(len(events))) if rows is None else tuple(rows),
        events=events,
        covers=covers,
    )


def covered(family, since, until):
    """A claim of coverage."""
    return Covered(family=family, since=since, until=until)


@st.composite
def histories(draw, max_size=24):
    """What happened, in order: fills that continue positions, funding, deposits."""
    at = START
    sizes = dict.fromkeys(COINS, Decimal(0))
    history = []
    for number in range(draw(st.integers(1, max_size))):
        at += draw(st.sampled_from((0, 0, 0, 1, 2, 1000)))
        match draw(st.sampled_from(("fill", "fill", "fill", "funding", "deposit"))):
            case "fill":
                coin = draw(st.sampled_from(COINS))
                side, sz = draw(st.sampled_from("BA")), draw(st.integers(1, 3))
                history.append(
                    filled(at, number + 1, coin=coin, sz=sz, side=side, start=sizes[coin])
                )
                sizes[coin] += sz if side == "B" else -sz
            case "funding":
                # One payment for a coin and a moment is all that the venue can tell apart.
                if not any(isinstance(event, FundingPaid) and event.at == at for event in history):
                    history.append(funded(at, usdc=draw(st.integers(-3, 3))))
            case _:
                history.append(deposited(at, draw(st.integers(1, 5)), f"0x{number:02x}"))
    return tuple(history)


@st.composite
def answers(draw, history, max_extra=4):
    """Answers that together hold the whole history, overlapping as it comes."""
    parts = []
    for family in FAMILIES:
        events = [event for event in history if isinstance(event, family)]
        if not events:
            continue
        cuts = sorted(draw(st.sets(st.integers(0, len(events)), max_size=4)) | {0, len(events)})
        spans = list(itertools.pairwise(cuts))
        for _ in range(draw(st.integers(0, max_extra))):
            first = draw(st.integers(0, len(events) - 1))
            spans.append((first, draw(st.integers(first + 1, len(events)))))
        parts += [part(events[first:last]) for first, last in spans]
    return tuple(parts)


@st.composite
def cut_histories(draw, max_size=24):
    """A history and answers that hold it."""
    history = draw(histories(max_size))
    return history, draw(answers(history))


def web(event, occurrence=0):
    """The row a web export shows for a fill: full seconds, no identity."""
    return attrs.evolve(
        event,
        at=event.at - event.at % 1000,
        tid=None,
        oid=None,
        start_position=None,
        tx_hash=None,
        occurrence=occurrence,
    )

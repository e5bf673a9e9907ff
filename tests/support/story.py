"""Stories: small histories in the words of accounts, with what must come out of them.

::

    account A
    09:00  deposit   1000 USDC
    09:01  to spot   600 USDC
    09:05  supply    600 USDC
    09:10  buy       2 ETH at 150, fee 0.1
    10:00  interest  0.0123 USDC
    10:00  funding   -0.03 on ETH
    10:30  correct   09:05 supply 500 USDC  because "misread page"
    then at 10:00                 supplied 500.0123 USDC
    then at 10:00, known at 10:15 supplied 600.0123 USDC
    then at 10:00                 position 2 ETH

Every line is recorded at the minute it begins with, or, after ``recorded``, at another:
``09:10 recorded 11:00 buy …``. ``correct`` replaces the line of that minute and verb, ``annul``
takes it away. An amount may be of a place (``spot``, ``perp``, ``supplied``, ``borrowed``), a
``position``, ``fees`` or ``funding``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from ledger import events as ev
from ledger.book import Book
from ledger.codec import encode, event_id
from ledger.entries import Part, Reading
from ledger.money import parse_decimal
from ledger.units import MAIN_DEX, Address, Asset, Coin, EventId, Millis, account_stream
from projections.fold import States
from tests.support.route import Paper, record_of, states_in

ACCOUNT = Address("0x" + 39 * "0" + "a")
STREAM = account_stream(ACCOUNT)
DAY = 1_770_000_000_000 - 1_770_000_000_000 % 86_400_000
MINUTE = 60_000

_LINE = re.compile(r"(\d\d:\d\d)(?:\s+recorded\s+(\d\d:\d\d))?\s+(.+)")
_THEN = re.compile(r"then\s+at\s+(\d\d:\d\d)(?:,\s*known\s+at\s+(\d\d:\d\d))?\s+(.+)")
_CORRECT = re.compile(r'(correct|annul)\s+(\d\d:\d\d)\s+(\S+)\s*(.*?)\s*because\s+"(.+)"')
_TRADE = re.compile(r"(buy|sell)\s+(\S+)\s+(\S+)\s+at\s+([\d.]+)(?:,\s*fee\s+([\d.]+))?")
_FUNDING = re.compile(r"funding\s+(-?[\d.]+)\s+on\s+(\S+)")
_MONEY = re.compile(r"(.+?)\s+(-?[\d.]+)\s+(\S+)")
_PLACES = {"spot": "spot", "perp": "perp:", "supplied": "supplied", "borrowed": "borrowed"}


@attrs.frozen(kw_only=True)
class Claim:
    """What a story says must be so: at which minute, as known when, and in which words."""

    at: Millis
    known_at: Millis | None
    text: str


@attrs.define
class Story:
    """A story told into a book in memory, and the claims it makes."""

    book: Book
    claims: list[Claim]
    told: dict[tuple[Millis, str], EventId] = attrs.field(factory=dict)

    def states(self, claim: Claim) -> States:
        position = None if claim.known_at is None else self.book.position_at(claim.known_at)
        return states_in(self.book, ACCOUNT, claim.at, position)


def read(text: str) -> Story:
    """Return a story told; a line that cannot be understood is named."""
    story = Story(Book.in_memory(), [])
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip()
        if not words or words.startswith(("#", "account")):
            continue
        if found := _THEN.fullmatch(words):
            at, known, said = found.groups()
            story.claims.append(Claim(at=minute(at), known_at=known and minute(known), text=said))
        elif found := _LINE.fullmatch(words):
            at, recorded, said = found.groups()
            tell(story, minute(at), minute(recorded or at), said)
        else:
            raise ValueError(f"line {number} is no line of a story: {line}")
    return story


def minute(text: str) -> Millis:
    hours, minutes = text.split(":")
    return Millis(DAY + (int(hours) * 60 + int(minutes)) * MINUTE)


def tell(story: Story, at: Millis, recorded: Millis, said: str) -> None:
    """Record one line: what happened as the venue's, a correction as a person's."""
    correction = _CORRECT.fullmatch(said)
    if correction is None:
        event = event_of(at, said)
        story.told[at, said.split(maxsplit=1)[0]] = event_id(event)
        part = Part(stream=STREAM, source="api", answer="", rows=(0,), events=(event,))
        record = record_of(Paper("story", f"{at} {said}"))
        story.book.append(record, Reading(kind="story", parts=(part,)), recorded=recorded)
        return
    verb, when, kind, rest, reason = correction.groups()
    target = story.told[minute(when), kind]
    common: dict[str, Any] = {"stream": STREAM, "at": minute(when), "target": target}
    common |= {"author": "Mara", "reason": reason}
    if verb == "annul":
        acts: ev.Event = ev.Annulled(**common)
    else:
        line = encode(event_of(minute(when), f"{kind} {rest}")).decode()
        acts = ev.Replaced(**common, replacement=line)
    story.book.act([acts], recorded=recorded)


def event_of(at: Millis, said: str) -> ev.Event:
    """Return the event of one line's words."""
    tx = f"0x{at:064x}"
    common: dict[str, Any] = {"stream": STREAM, "at": at}
    if found := _TRADE.fullmatch(said):
        return trade(common, tx, *found.groups())
    if found := _FUNDING.fullmatch(said):
        usdc, coin = found.groups()
        rest = {"size": Decimal(0), "rate": Decimal(0), "samples": None, "tx_hash": tx}
        return ev.FundingPaid(**common, coin=Coin(coin), usdc=parse_decimal(usdc), **rest)
    found = _MONEY.fullmatch(said)
    if found is None:
        raise ValueError(f"no event is told so: {said}")
    verb, amount, token = found[1], parse_decimal(found[2]), Asset(found[3])
    match verb:
        case "deposit":
            return ev.Deposited(**common, usdc=amount, tx_hash=tx)
        case "to spot" | "to perp":
            moved = {"asset": token, "amount": amount, "dex": MAIN_DEX, "tx_hash": tx}
            return ev.ClassTransferred(**common, **moved, to_perp=verb == "to perp")
        case "supply" | "withdraw" | "borrow" | "repay":
            done = {"asset": token, "amount": amount, "reported_interest": None, "tx_hash": tx}
            return ev.ReserveOperated(**common, **done, operation=verb)
        case "interest":
            return ev.InterestAccrued(**common, asset=token, supply=amount, borrow=Decimal(0))
        case "interest owed":
            return ev.InterestAccrued(**common, asset=token, supply=Decimal(0), borrow=amount)
        case _:
            raise ValueError(f"no event is called {verb!r}")


def trade(
    common: dict[str, Any], tx: str, verb: str, size: str, coin: str, px: str, fee: str | None
) -> ev.Filled:
    """Return a fill that says nothing of the size before it."""
    empty = dict.fromkeys(field.name for field in attrs.fields(ev.Filled))
    given = {
        "occurrence": 0,
        "coin": Coin(coin),
        "px": parse_decimal(px),
        "sz": parse_decimal(size),
        "side": "B" if verb == "buy" else "A",
        "direction": verb,
        "fee": parse_decimal(fee or "0"),
        "fee_asset": Asset("USDC"),
        "oid": 1,
        "tid": common["at"],
        "tx_hash": tx,
    }
    return ev.Filled(**{**empty, **common, **given})


def found(story: Story, claim: Claim) -> str:
    """Return what is found where a claim says something, in the claim's own words."""
    states = story.states(claim)
    parts = _MONEY.fullmatch(claim.text)
    if parts is None:
        raise ValueError(f"nothing is claimed so: {claim.text}")
    subject, _, unit = parts.groups()
    if subject == "position":
        held = states.state("positions").by_key.get(unit)
        value = Decimal(0) if held is None else Decimal(held.size).scaleb(-held.places)
    elif subject in {"fees", "funding"}:
        rows = states.state(subject).by_key
        value = next((row.total for key, row in rows.items() if unit in key), Decimal(0))
    else:
        balances = states.state("balances").by_key
        value = balances.get((_PLACES[subject], unit), Decimal(0))
    return f"{subject} {value.normalize():f} {unit}"


def stories() -> list[Path]:
    """Return the bundled stories, by name."""
    return sorted((Path(__file__).resolve().parents[2] / "fixtures" / "stories").glob("*.story"))

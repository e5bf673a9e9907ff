"""Web exports as their tests write them: a few rows of text, read as the importer reads a file."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from ledger.entries import RawRecord, Reading
from ledger.importers import opened
from ledger.importers.base import Hints
from ledger.importers.statements import IMPORTERS
from ledger.units import Address, Digest

ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
UTC = Hints(account=ALICE, zone="UTC")
PARIS = Hints(account=ALICE, zone="Europe/Paris")
DAY_FIRST = Hints(account=ALICE, zone="UTC", dates="day-first")

TRADES = "time,coin,dir,px,sz,ntl,fee,closedPnl"
FUNDING = "time,coin,sz,side,payment,rate"
TRANSFERS = "time,action,source,destination,accountValueChange,fee"
SHEET = (
    "Account,Coin,Execution Price,Size Tokens,Size USD,Side,Timestamp IST,Start Position,"
    "Direction,Closed PnL,Transaction Hash,Order ID,Crossed,Fee,Trade ID,Timestamp"
)
HASH = "0x" + "0" * 64


def read(text: str, hints: Hints = UTC, name: str = "export.csv") -> Reading:
    body = text.encode()
    record = RawRecord(name=name, body=body, digest=Digest(sha256(body).hexdigest()))
    document = opened(record)
    (importer,) = [importer for importer in IMPORTERS if importer.accepts(document)]
    return importer.read(document, hints)


def trades(*times: str, hints: Hints = UTC) -> Reading:
    rows = [f"{at},BTC,Buy,{number},1,{number},0,0" for number, at in enumerate(times, start=1)]
    return read("\n".join([TRADES, *rows]), hints)


def moments(reading: Reading) -> list[int]:
    return [event.at for part in reading.parts for event in part.events]


def millis(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000

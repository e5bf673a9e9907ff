"""Composed answers of the info service, and how tests read them."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from ledger import importers
from ledger.entries import RawRecord, Reading
from ledger.events import Event
from ledger.importers import Hints
from ledger.units import Address, Digest, Millis

ALICE = Address("0x" + "a1" * 20)
BOB = Address("0x" + "b0" * 20)
CAROL = Address("0x" + "c4" * 20)
AT = Millis(1_760_000_000_000)
HERE = Hints(account=ALICE, at=AT)
ZERO_HASH = "0x" + "0" * 64


def hash_of(number: int) -> str:
    """Return a transaction hash of its own for every number."""
    return f"0x{number:064x}"


def read(value: object, hints: Hints = HERE, *, name: str = "answer.json") -> Reading:
    """Return the reading of a value as JSON, or of bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    record = RawRecord(name=name, body=body, digest=Digest(sha256(body).hexdigest()))
    return importers.read(record, hints)


def events(reading: Reading) -> list[Event]:
    """Return all events of a reading, part after part."""
    return [event for part in reading.parts for event in part.events]


def only(reading: Reading) -> Any:
    """Return the one event of a reading that reads wholly."""
    assert () == reading.unreadable
    (event,) = events(reading)
    return event


def reasons(reading: Reading) -> str:
    """Return why rows were not read, as one text."""
    return " | ".join(f"{row.place}: {row.reason}" for row in reading.unreadable)


def captured(asked: dict[str, object], said: object, *, date: str | None = None) -> Any:
    """Return a capture of one answer; the date is that of ``AT`` unless given."""
    return [
        {
            "url": "https://api.hyperliquid.xyz/info",
            "request": asked,
            "recorded_at_http_date": date or "Thu, 09 Oct 2025 08:53:20 GMT",
            "response": said,
        }
    ]


def fill(**changes: object) -> dict[str, object]:
    """Return one row of ``userFills``."""
    return {
        "coin": "AVAX", "px": "22.075", "sz": "28.53", "side": "B", "time": AT,
        "startPosition": "-28.53", "dir": "Close Short", "closedPnl": "194.275035",
        "hash": hash_of(9), "oid": 7, "crossed": True, "fee": "0.1", "tid": 11,
        "feeToken": "USDC", "twapId": None, **changes,
    }  # fmt: skip

"""Measure the spine beside the plain library: append, replay, bytes, an instant, memory, import.

Both sides run in the same run, each in a process of its own (so that peak memory is its own), on
the same seeded events, already parsed in memory. Ours is the whole way: merge with identities,
index, chain and seal on append; course, decoding and every projection on replay. The baseline is
``baseline.py``; a digest holds every figure of both against the other. Replays are timed in
processor seconds and taken in turn, the best of three for each side; all else on the wall.

    python benchmarks/spine.py [--events 1000000] [--instants 500] [--folder FOLDER]

prints a line per figure with the ratio and the bar, and exits 1 when a bar is missed. What it
makes is left in FOLDER, where one is named: the book is ``ours.book``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import baseline

from ledger.entries import Part, RawRecord, Reading
from ledger.events import Deposited, Event, Filled, FundingPaid, InterestAccrued, ReserveOperated
from ledger.units import Address, Asset, Coin, Digest, Millis, account_stream

if TYPE_CHECKING:
    from projections.fold import States

Figures: TypeAlias = dict[str, Any]

ACCOUNT = Address("0x5ca1ab1e000000000000000000000000be4c4a4c")
STREAM = account_stream(ACCOUNT)
COINS = {f"C{index}": index % 4 for index in range(20)}
BATCH = 1000
FIRST_MOMENT = 1_750_000_000_000
REPLAYS = 3
BARS = {"append": 6.0, "replay": 5.0, "bytes": 5.0, "instant": 8.0}


def events(count: int) -> list[Event]:
    """Return the seeded history: fills, funding, interest, deposits, reserve operations."""
    chance = random.Random(20261122)
    held = dict.fromkeys(COINS, Decimal(0))
    prices = {coin: chance.randint(10**3, 10**7) for coin in COINS}
    made: list[Event] = []
    at = FIRST_MOMENT
    for number in range(count):
        at += chance.randint(1, 4000)
        roll = chance.random()
        coin = chance.choice(tuple(COINS))
        tx_hash = "0x" + chance.randbytes(32).hex()
        if roll < 0.78:
            made.append(_fill(chance, held, prices, coin, number, at, tx_hash))
        elif roll < 0.92:
            usdc = Decimal(chance.randint(-(10**7), 10**7)).scaleb(-6)
            rate = Decimal(chance.randint(10**3, 10**6)).scaleb(-10)
            made.append(
                FundingPaid(
                    stream=STREAM,
                    at=Millis(at),
                    coin=Coin(coin),
                    usdc=usdc,
                    size=held[coin],
                    rate=rate,
                    samples=None,
                    tx_hash=tx_hash,
                )
            )
        elif roll < 0.97:
            supply = Decimal(chance.randint(1, 10**8)).scaleb(-8)
            made.append(
                InterestAccrued(
                    stream=STREAM,
                    at=Millis(at),
                    asset=Asset("USDC"),
                    supply=supply,
                    borrow=Decimal(0),
                )
            )
        elif roll < 0.985:
            usdc = Decimal(chance.randint(1, 10**11)).scaleb(-6)
            made.append(Deposited(stream=STREAM, at=Millis(at), usdc=usdc, tx_hash=tx_hash))
        else:
            made.append(
                ReserveOperated(
                    stream=STREAM,
                    at=Millis(at),
                    operation=chance.choice(("supply", "withdraw")),
                    asset=Asset("USDC"),
                    amount=Decimal(chance.randint(1, 10**9)).scaleb(-6),
                    reported_interest=Decimal(0),
                    tx_hash=tx_hash,
                )
            )
    return made


def _fill(
    chance: random.Random,
    held: dict[str, Decimal],
    prices: dict[str, int],
    coin: str,
    number: int,
    at: int,
    tx_hash: str,
) -> Filled:
    places = COINS[coin]
    lots = chance.randint(1, 10 ** chance.randint(1, 5))
    size = Decimal(lots).scaleb(-places)
    prices[coin] = max(100, prices[coin] + chance.randint(-50, 50))
    side = chance.choice("BA")
    before = held[coin]
    held[coin] = before + (size if side == "B" else -size)
    return Filled(
        stream=STREAM,
        at=Millis(at),
        coin=Coin(coin),
        px=Decimal(prices[coin]).scaleb(places - 6),
        sz=size,
        side=side,
        direction="Open Long" if side == "B" else "Open Short",
        start_position=before,
        reported_closed_pnl=Decimal(chance.randint(-(10**8), 10**8)).scaleb(-6),
        reported_net_pnl=None,
        notional=None,
        fee=Decimal(chance.randint(0, 10**7)).scaleb(-6),
        fee_asset=Asset("USDC"),
        builder_fee=None,
        crossed=chance.random() < 0.5,
        oid=200_000_000_000 + number * 3,
        tid=chance.getrandbits(50),
        cloid=None,
        twap_id=None,
        liquidated_user=None,
        liquidation_mark=None,
        liquidation_method=None,
        tx_hash=tx_hash,
    )


def digest_of(figures: dict[str, str]) -> str:
    """Return the digest of all figures of one side."""
    return hashlib.sha256(json.dumps(sorted(figures.items())).encode()).hexdigest()


def sizes(folder: Path, stem: str) -> int:
    """Return the bytes of a database file with what stands beside it."""
    return sum(path.stat().st_size for path in folder.glob(stem + "*"))


def peak_mb() -> int:
    """Return the most memory this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run_baseline(count: int, instants: int, folder: Path) -> Figures:
    """Append, keep and ask the library's own way."""
    made = events(count)
    path = folder / "baseline.db"
    app = baseline.Accounts(env=baseline.settings(str(path)))
    started = time.perf_counter()
    account = baseline.append(app, made)
    appended = time.perf_counter() - started
    del made
    app.close()
    (folder / "baseline.id").write_text(str(account), encoding="ascii")
    app = baseline.Accounts(env=baseline.settings(str(path)))
    asked = []
    for index in random.Random(7).choices(range(count), k=instants):
        started = time.perf_counter()
        app.repository.get(account, version=index + 2)
        asked.append(time.perf_counter() - started)
    app.close()
    return {
        "append": count / appended,
        "bytes": sizes(folder, "baseline.db") / count,
        "instant": statistics.median(asked),
        "peak": peak_mb(),
    }


def replay_baseline(count: int, _: int, folder: Path) -> Figures:
    """Rebuild the aggregate from its first event."""
    account = UUID((folder / "baseline.id").read_text(encoding="ascii"))
    reader = baseline.WithoutSnapshots(env=baseline.settings(str(folder / "baseline.db")))
    started = time.process_time()
    whole = reader.repository.get(account)
    seconds = time.process_time() - started
    reader.close()
    return {"replay": count / seconds, "digest": digest_of(baseline.figures(whole))}


def write_book(path: Path, made: list[Event]) -> None:
    """Append events to a new book, a page at a time."""
    from ledger.book import Book

    raw = RawRecord(name="memory", body=b"[]", digest=Digest(hashlib.sha256(b"[]").hexdigest()))
    with Book.create(path) as book:
        for first in range(0, len(made), BATCH):
            page = tuple(made[first : first + BATCH])
            rows = tuple(range(first, first + len(page)))
            part = Part(stream=STREAM, source="api", answer="", events=page, rows=rows)
            book.append(raw, Reading(kind="events", parts=(part,)), recorded=Millis(first))


def run_ours(count: int, instants: int, folder: Path) -> Figures:
    """Append through the book, and ask through the engine."""
    from replay.audit import Audit

    made = events(count)
    moments = [event.at for event in made]
    path = folder / "ours.book"
    started = time.perf_counter()
    write_book(path, made)
    appended = time.perf_counter() - started
    del made
    stored = sizes(folder, "ours.book")
    with Audit.open(path) as audit:
        history = audit.account(ACCOUNT)
        started = time.perf_counter()
        _ = history.at(moments[count // 2]).states
        cold = time.perf_counter() - started
        asked = []
        for index in random.Random(7).choices(range(count), k=instants):
            started = time.perf_counter()
            _ = history.at(moments[index]).states
            asked.append(time.perf_counter() - started)
    return {
        "append": count / appended,
        "bytes": stored / count,
        "cache": (sizes(folder, "ours.book") - stored) / count,
        "instant": statistics.median(asked),
        "worst": max(asked),
        "cold": cold,
        "peak": peak_mb(),
    }


def replay_ours(count: int, _: int, folder: Path) -> Figures:
    """Fold the account from its first event, with nothing remembered."""
    from replay.audit import Audit

    with Audit.open(folder / "ours.book", cache=False) as audit:
        started = time.process_time()
        states = audit.account(ACCOUNT).at().states
        seconds = time.process_time() - started
    return {"replay": count / seconds, "digest": digest_of(our_figures(states))}


def our_figures(states: States) -> dict[str, str]:
    """Return our states in the baseline's words."""
    named: dict[str, Decimal] = {}
    state = states.state
    for (place, asset), amount in state("balances").by_key.items():
        named[f"balance {place} {asset}"] = amount
    for coin, position in state("positions").by_key.items():
        if coin.startswith("spot:"):
            continue
        lot = Decimal(1).scaleb(-position.places)
        named[f"size {coin}"] = position.size * lot
        named[f"entry {coin}"] = Decimal(position.notional)
        named[f"realized {coin}"] = Decimal(position.realized).scaleb(-position.money_places)
        named[f"unexplained {coin}"] = position.unexplained * lot
    for asset, fees in state("fees").by_key.items():
        named[f"fees {asset}"] = fees.total
        named[f"builder {asset}"] = fees.builder
        named[f"fills {asset}"] = Decimal(fees.fills)
    for (coin, _), funding in state("funding").by_key.items():
        named[f"funding {coin}"] = funding.total
        named[f"payments {coin}"] = Decimal(funding.payments)
    named["liquidations"] = Decimal(len(state("liquidations").by_key))
    return {key: format(value.normalize(), "f") for key, value in named.items()}


def run_import(count: int, _: int, folder: Path) -> Figures:
    """Measure reading a JSON file of fills into a book beside plain ``json.loads`` of it."""
    from ledger.book import Book
    from ledger.importers import Hints, read
    from ledger.sources.files import records

    rows = [
        {
            "coin": fill.coin,
            "px": f"{fill.px:f}",
            "sz": f"{fill.sz:f}",
            "side": fill.side,
            "time": fill.at,
            "startPosition": f"{fill.start_position:f}",
            "dir": fill.direction,
            "closedPnl": f"{fill.reported_closed_pnl:f}",
            "hash": fill.tx_hash,
            "oid": fill.oid,
            "crossed": fill.crossed,
            "fee": f"{fill.fee:f}",
            "tid": fill.tid,
            "feeToken": "USDC",
            "twapId": None,
        }
        for fill in events(count)
        if isinstance(fill, Filled)
    ]
    path = folder / "fills.json"
    path.write_text(json.dumps(rows[::-1]), encoding="utf-8")
    body = path.read_bytes()
    started = time.perf_counter()
    json.loads(body)
    plain = time.perf_counter() - started
    started = time.perf_counter()
    with Book.create(folder / "import.book") as book:
        for record in records([path]):
            reading = read(record, Hints(account=ACCOUNT))
            book.append(record, reading, recorded=Millis(1))
    whole = time.perf_counter() - started
    return {"import": len(rows) / whole, "json": len(rows) / plain}


def measured(part: str, count: int, instants: int, folder: Path) -> Figures:
    """Run one side in a process of its own and return its figures."""
    words = [sys.executable, __file__, "--part", part, "--events", str(count)]
    words += ["--instants", str(instants), "--folder", str(folder)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def compared(count: int, instants: int, folder: Path) -> tuple[Figures, Figures]:
    """Measure both sides; the replays in turn, so that a busy moment falls on both."""
    ours = measured("ours", count, instants, folder)
    plain = measured("baseline", count, instants, folder)
    for _ in range(REPLAYS):
        for side, part in ((ours, "replay-ours"), (plain, "replay-baseline")):
            again = measured(part, count, instants, folder)
            side["replay"] = max(side.get("replay", 0), again["replay"])
            side["digest"] = again["digest"]
    return ours, plain


def report(ours: Figures, plain: Figures, files: Figures) -> int:
    """Print a line per figure; return 1 when a bar is missed or the digests differ."""
    rate = "events/s"
    lines = [
        (
            "6a",
            f"append: {ours['append']:,.0f} {rate} against {plain['append']:,.0f}",
            "append",
            ours["append"] / plain["append"],
        ),
        (
            "6b",
            f"replay: {ours['replay']:,.0f} {rate} against {plain['replay']:,.0f}",
            "replay",
            ours["replay"] / plain["replay"],
        ),
        (
            "6c",
            (
                f"stored: {ours['bytes']:.1f} bytes/event against {plain['bytes']:.1f}"
                f" (remembered states, which can be deleted: {ours['cache']:.1f})"
            ),
            "bytes",
            plain["bytes"] / ours["bytes"],
        ),
        (
            "6d",
            (
                f"instant: median {ours['instant'] * 1e3:.2f} ms (worst {ours['worst'] * 1e3:.1f};"
                f" first {ours['cold']:.1f} s, it makes the checkpoints)"
                f" against {plain['instant'] * 1e3:.2f} ms"
            ),
            "instant",
            plain["instant"] / ours["instant"],
        ),
    ]
    for figure, text, bar, ratio in lines:
        verdict = "met" if ratio >= BARS[bar] else "MISSED"
        print(f"{figure} {text}: ×{ratio:.2f}, bar ×{BARS[bar]:g} {verdict}")
    print(f"6e peak memory: {ours['peak']} MB against {plain['peak']} MB, events included")
    print(
        f"6f import from JSON: {files['import']:,.0f} {rate};"
        f" json.loads of the same file: {files['json']:,.0f}"
    )
    equal = ours["digest"] == plain["digest"]
    print(f"6g digests of all figures {'equal' if equal else 'DIFFER'}: {ours['digest'][:16]}")
    return int(not equal or any(ratio < BARS[bar] for _, _, bar, ratio in lines))


PARTS = {
    "ours": run_ours,
    "baseline": run_baseline,
    "replay-ours": replay_ours,
    "replay-baseline": replay_baseline,
    "import": run_import,
}


def main() -> int:
    """Run both sides, or the one part asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--instants", type=int, default=500)
    parser.add_argument("--part", choices=tuple(PARTS))
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    baseline.SIZE_PLACES.update(COINS)
    if given.part:
        print(json.dumps(PARTS[given.part](given.events, given.instants, given.folder)))
        return 0
    machine = (
        f"{platform.machine()}, {platform.python_implementation()} {platform.python_version()}"
    )
    print(f"{given.events:,} events, {given.instants} instants; {machine}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        ours, plain = compared(given.events, given.instants, folder)
        files = measured("import", min(given.events, 200_000), 0, folder)
        return report(ours, plain, files)


if __name__ == "__main__":
    sys.exit(main())

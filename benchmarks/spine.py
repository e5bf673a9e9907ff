"""Measure the spine beside the plain library: append, replay, bytes, an instant, memory, import.

Both sides run in the same run, each in a process of its own (so that peak memory is its own), on
the same seeded events, already parsed in memory. Ours is the whole way: merge with identities,
index, chain and seal on append; course, decoding and every projection on replay. The baseline is
``baseline.py``. Every figure of both is held against the other by a digest.

    python benchmarks/spine.py [--events 1000000] [--instants 500]

prints a line per figure with the ratio and the bar, and exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import gc
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

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

import baseline

from ledger.entries import Part, RawRecord, Reading
from ledger.events import Deposited, Event, Filled, FundingPaid, InterestAccrued, ReserveOperated
from ledger.units import Address, Asset, Coin, Digest, Millis, account_stream

ACCOUNT = Address("0x5ca1ab1e000000000000000000000000be4c4a4c")
STREAM = account_stream(ACCOUNT)
COINS = {f"C{index}": index % 4 for index in range(20)}
BATCH = 1000
BARS = {"append": 6.0, "replay": 5.0, "bytes": 5.0, "instant": 8.0}


def events(count: int) -> list[Event]:
    """Return the seeded history: fills, funding, interest, deposits, reserve operations."""
    chance = random.Random(20261122)
    held = dict.fromkeys(COINS, Decimal(0))
    prices = {coin: chance.randint(10**3, 10**7) for coin in COINS}
    made: list[Event] = []
    at = 1_750_000_000_000
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
                    stream=STREAM, at=Millis(at), coin=Coin(coin), usdc=usdc, size=held[coin],
                    rate=rate, samples=None, tx_hash=tx_hash,
                )
            )  # fmt: skip
        elif roll < 0.97:
            supply = Decimal(chance.randint(1, 10**8)).scaleb(-8)
            made.append(
                InterestAccrued(
                    stream=STREAM, at=Millis(at), asset=Asset("USDC"), supply=supply, borrow=Decimal(0)
                )
            )  # fmt: skip
        elif roll < 0.985:
            usdc = Decimal(chance.randint(1, 10**11)).scaleb(-6)
            made.append(Deposited(stream=STREAM, at=Millis(at), usdc=usdc, tx_hash=tx_hash))
        else:
            made.append(
                ReserveOperated(
                    stream=STREAM, at=Millis(at), operation=chance.choice(("supply", "withdraw")),
                    asset=Asset("USDC"), amount=Decimal(chance.randint(1, 10**9)).scaleb(-6),
                    reported_interest=Decimal(0), tx_hash=tx_hash,
                )
            )  # fmt: skip
    return made


def _fill(
    chance: random.Random, held: dict[str, Decimal], prices: dict[str, int], coin: str, number: int,
    at: int, tx_hash: str,
) -> Filled:  # fmt: skip
    places = COINS[coin]
    lots = chance.randint(1, 10 ** chance.randint(1, 5))
    size = Decimal(lots).scaleb(-places)
    prices[coin] = max(100, prices[coin] + chance.randint(-50, 50))
    side = chance.choice("BA")
    before = held[coin]
    held[coin] = before + (size if side == "B" else -size)
    return Filled(
        stream=STREAM, at=Millis(at), coin=Coin(coin), px=Decimal(prices[coin]).scaleb(places - 6),
        sz=size, side=side, direction="Open Long" if side == "B" else "Open Short",  # type: ignore[arg-type]
        start_position=before, reported_closed_pnl=Decimal(chance.randint(-(10**8), 10**8)).scaleb(-6),
        reported_net_pnl=None, notional=None, fee=Decimal(chance.randint(0, 10**7)).scaleb(-6),
        fee_asset=Asset("USDC"), builder_fee=None, crossed=chance.random() < 0.5,
        oid=200_000_000_000 + number * 3, tid=chance.getrandbits(50), cloid=None, twap_id=None,
        liquidated_user=None, liquidation_mark=None, liquidation_method=None, tx_hash=tx_hash,
    )  # fmt: skip


def digest_of(figures: dict[str, str]) -> str:
    """Return the digest of all figures of one side."""
    return hashlib.sha256(json.dumps(sorted(figures.items())).encode()).hexdigest()


def best(seconds: list[float]) -> float:
    """Return the best of several measurements: the one least disturbed by others."""
    return min(seconds)


def sizes(folder: Path, stem: str) -> int:
    """Return the bytes of a database file with what stands beside it."""
    return sum(path.stat().st_size for path in folder.glob(stem + "*"))


def peak_mb() -> int:
    """Return the most memory this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run_baseline(count: int, instants: int, folder: Path) -> dict[str, object]:
    """Measure the library's own way."""
    baseline.SIZE_PLACES.update(COINS)
    made = events(count)
    moments = [event.at for event in made]
    path = folder / "baseline.db"
    app = baseline.Accounts(env=baseline.settings(str(path)))
    started = time.perf_counter()
    account = baseline.append(app, made)
    appended = time.perf_counter() - started
    del made
    app.close()
    reader = baseline.WithoutSnapshots(env=baseline.settings(str(path)))
    seconds = []
    for _ in range(2):
        gc.collect()
        started = time.perf_counter()
        whole = reader.repository.get(account)
        seconds.append(time.perf_counter() - started)
    reader.close()
    app = baseline.Accounts(env=baseline.settings(str(path)))
    asked = []
    for index in random.Random(7).choices(range(count), k=instants):
        started = time.perf_counter()
        app.repository.get(account, version=index + 2)
        asked.append(time.perf_counter() - started)
    app.close()
    return {
        "append": count / appended, "replay": count / best(seconds),
        "bytes": sizes(folder, "baseline") / count, "instant": statistics.median(asked),
        "digest": digest_of(baseline.figures(whole)), "peak": peak_mb(), "last": moments[-1],
    }  # fmt: skip


def run_ours(count: int, instants: int, folder: Path) -> dict[str, object]:
    """Measure the book and the engine."""
    from ledger.book import Book
    from replay.audit import Audit

    made = events(count)
    moments = [event.at for event in made]
    path = folder / "ours.book"
    raw = RawRecord(name="memory", body=b"[]", digest=Digest(hashlib.sha256(b"[]").hexdigest()))
    started = time.perf_counter()
    with Book.create(path) as book:
        for first in range(0, count, BATCH):
            page = tuple(made[first : first + BATCH])
            part = Part(
                stream=STREAM, source="api", answer="", events=page,
                rows=tuple(range(first, first + len(page))),
            )  # fmt: skip
            book.append(raw, Reading(kind="events", parts=(part,)), recorded=Millis(first))
    appended = time.perf_counter() - started
    del made
    stored = sizes(folder, "ours.book")
    seconds, folded = [], None
    for _ in range(3):
        gc.collect()
        with Audit.open(path, cache=False) as audit:
            started = time.perf_counter()
            folded = audit.account(ACCOUNT).at().states
            seconds.append(time.perf_counter() - started)
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
        "append": count / appended, "replay": count / best(seconds), "bytes": stored / count,
        "instant": statistics.median(asked), "worst": max(asked), "cold": cold,
        "digest": digest_of(our_figures(folded)), "peak": peak_mb(),
        "cache": sizes(folder, "ours.book.cache") / count,
    }  # fmt: skip


def our_figures(states: object) -> dict[str, str]:
    """Return our states in the baseline's words."""
    named: dict[str, Decimal] = {}
    state = states.state  # type: ignore[attr-defined]
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


def run_import(count: int, folder: Path) -> dict[str, object]:
    """Measure reading a JSON file of fills into a book beside plain ``json.loads`` of it."""
    from ledger.book import Book
    from ledger.importers import Hints, read
    from ledger.sources.files import records

    rows = [
        {
            "coin": fill.coin, "px": f"{fill.px:f}", "sz": f"{fill.sz:f}", "side": fill.side,
            "time": fill.at, "startPosition": f"{fill.start_position:f}", "dir": fill.direction,
            "closedPnl": f"{fill.reported_closed_pnl:f}", "hash": fill.tx_hash, "oid": fill.oid,
            "crossed": fill.crossed, "fee": f"{fill.fee:f}", "tid": fill.tid, "feeToken": "USDC",
            "twapId": None,
        }
        for fill in events(count) if isinstance(fill, Filled)
    ]  # fmt: skip
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


def measured(part: str, count: int, instants: int, folder: Path) -> dict[str, object]:
    """Run one side in a process of its own and return its figures."""
    words = [sys.executable, __file__, "--part", part, "--events", str(count)]
    words += ["--instants", str(instants), "--folder", str(folder)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603 - ourselves
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def report(ours: dict[str, object], plain: dict[str, object], jsons: dict[str, object]) -> int:
    """Print a line per figure; return 1 when a bar is missed or the digests differ."""
    missed = 0

    def line(figure: str, name: str, text: str, ratio: float | None = None) -> None:
        nonlocal missed
        verdict = ""
        if ratio is not None:
            bar = BARS[name]
            verdict = f"  ×{ratio:.2f}, bar ×{bar:g}: {'met' if ratio >= bar else 'MISSED'}"
            missed |= ratio < bar
        print(f"{figure} {text}{verdict}")

    a, b = ours, plain
    rate = "events/s"
    line("6a", "append", f"append: {a['append']:,.0f} {rate} against {b['append']:,.0f}",
         float(a["append"]) / float(b["append"]))  # fmt: skip
    line("6b", "replay", f"replay: {a['replay']:,.0f} {rate} against {b['replay']:,.0f}",
         float(a["replay"]) / float(b["replay"]))  # fmt: skip
    line("6c", "bytes", f"stored: {a['bytes']:.1f} bytes/event against {b['bytes']:.1f}"
         f" (remembered states beside it: {a['cache']:.1f})", float(b["bytes"]) / float(a["bytes"]))  # fmt: skip
    line("6d", "instant", f"instant: median {float(a['instant']) * 1e3:.2f} ms (worst"
         f" {float(a['worst']) * 1e3:.1f}, first {float(a['cold']):.1f} s, which remembers states)"
         f" against {float(b['instant']) * 1e3:.2f} ms", float(b["instant"]) / float(a["instant"]))  # fmt: skip
    line(
        "6e",
        "peak",
        f"peak memory: {a['peak']} MB against {b['peak']} MB, events in memory included",
    )
    line("6f", "import", f"import from JSON: {jsons['import']:,.0f} {rate};"
         f" json.loads of the same file: {jsons['json']:,.0f}")  # fmt: skip
    equal = a["digest"] == b["digest"]
    print(f"6g digests of all figures {'equal' if equal else 'DIFFER'}: {str(a['digest'])[:16]}")
    return int(missed or not equal)


def main() -> int:
    """Run both sides, or the one side asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--instants", type=int, default=500)
    parser.add_argument("--part", choices=("ours", "baseline", "import"))
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.part:
        run = {
            "ours": lambda: run_ours(given.events, given.instants, given.folder),
            "baseline": lambda: run_baseline(given.events, given.instants, given.folder),
            "import": lambda: run_import(given.events, given.folder),
        }[given.part]
        print(json.dumps(run()))
        return 0
    machine = (
        f"{platform.machine()}, {platform.python_implementation()} {platform.python_version()}"
    )
    print(f"{given.events:,} events, {given.instants} instants; {machine}")
    with tempfile.TemporaryDirectory() as folder:
        asked = (given.events, given.instants, Path(folder))
        ours, plain = measured("ours", *asked), measured("baseline", *asked)
        return report(ours, plain, measured("import", min(given.events, 200_000), 0, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())

"""Compose the bundled month of interest: a lender and borrower whose payouts went wrong five times.

Worked out with the whole-number rules of ``tests.support.payout_rules``, and written in the
venue's own answer shapes; nothing is imported from the product. Address, amounts and rates are
invented. Run ``python -m tests.support.compose_payouts`` to write ``fixtures/payouts``; a test
compares the files with a fresh composition.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.support.payout_rules import HOUR_MS, RATE, RULE, UNIT, Piece, Way, hour, printed

ACCOUNT = "0x1e4de41e4de41e4de41e4de41e4de41e4de41e4d"
BEGIN = 1_785_542_400_000
"""2026-08-01T00:00Z."""
HOURS = 744
TOKENS = {"USDC": 0, "USDT0": 268}
WAYS = {("USDC", "supply"): RULE, ("USDC", "borrow"): RULE, ("USDT0", "supply"): Way(year=360)}
STANDS = {
    ("USDC", "supply"): 2_500_000_0000_0000,
    ("USDC", "borrow"): 400_000_0000_0000,
    ("USDT0", "supply"): 120_000_0000_0000,
}
OPERATIONS = {  # hour: (milliseconds into it, side, operation, units)
    130: (1_425_000, ("USDC", "supply"), "withdraw", 150_000_0000_0000),
    410: (3_001_500, ("USDC", "borrow"), "repay", 100_000_0000_0000),
}
UNRATED = {("USDC", number) for number in range(600, 603)}
"""Hours of which nobody recorded a state of the reserve."""


def text(units: int, places: int = 8) -> str:
    """Return units of a decimal place as the venue writes them."""
    whole, rest = divmod(abs(units), 10**places)
    digits = f"{rest:0{places}d}".rstrip("0") or "0"
    return f"{'-' if units < 0 else ''}{whole}.{digits}"


def rates(token: str, number: int) -> tuple[int, int]:
    """Return the borrow and supply rate of an hour; utilization moves four times a day."""
    step = 0 if (token, number) in UNRATED else (number // 6 * 37) % 11
    used = (62 if token == "USDC" else 41) * RATE // 100 + step * RATE // 500
    return RATE // 20, RATE // 20 * used * 9 // (10 * RATE)


def end_of(number: int) -> int:
    """Return the end of an hour; hour 0 is the first of August."""
    return BEGIN + (number + 1) * HOUR_MS


def played() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return the interest rows and the operations of the month, oldest first."""
    stands = {key: (units * UNIT, units * UNIT) for key, units in STANDS.items()}
    paid: dict[tuple[int, str], dict[str, int]] = {}
    moved: list[dict[str, object]] = []
    for number in range(HOURS):
        for key, (value, basis) in stands.items():
            borrow, supply = rates(key[0], number)
            rate = supply if key[1] == "supply" else borrow
            pieces = [Piece(HOUR_MS, rate)]
            told = OPERATIONS.get(number)
            if told is not None and told[1] == key:
                into, _, kind, units = told
                sign = 1 if kind in {"supply", "borrow"} else -1
                pieces = [Piece(into, rate, sign * units * UNIT), Piece(HOUR_MS - into, rate)]
                moved.append(operation(number, into, key[0], kind, units))
            gained, *after = hour(pieces, value, basis, WAYS[key])
            stands[key] = (after[0], after[1])
            units = printed(gained, WAYS[key])
            for at, side, amount in slipped(number, key, units, pieces, value, basis):
                row = paid.setdefault((at, key[0]), {"supply": 0, "borrow": 0})
                row[side] += amount
    rows = [
        {"time": at, "token": token, "borrow": text(row["borrow"]), "supply": text(row["supply"])}
        for (at, token), row in sorted(paid.items())
    ]
    return rows, moved


def slipped(
    number: int, key: tuple[str, str], units: int, pieces: list[Piece], value: int, basis: int
) -> list[tuple[int, str, int]]:
    """Return what is paid for an hour, when, and to which side: right but for five hours."""
    at, side = end_of(number) + 66, key[1]
    slip = (number, *key)
    if slip == (57, "USDC", "supply"):  # no row
        return []
    if slip == (201, "USDC", "supply"):  # three hours late
        return [(end_of(number + 3) + 1_860_000, side, units)]
    if slip == (260, "USDC", "supply"):  # read as an effective yearly rate
        return [(at, side, printed(hour(pieces, value, basis, Way("effective"))[0], RULE))]
    if slip == (333, "USDC", "borrow"):  # credited as supply
        return [(at, "supply", units)]
    if slip == (470, "USDC", "supply"):  # six places
        return [(at, side, units // 100 * 100)]
    return [(at, side, units)]


def operation(number: int, into: int, token: str, kind: str, units: int) -> dict[str, object]:
    """Return the ledger update of an operation."""
    at = end_of(number) - HOUR_MS + into
    delta = {
        "type": "borrowLend", "token": token, "operation": kind, "amount": text(units),
        "interestAmount": "0.0",
    }  # fmt: skip
    return {"time": at, "hash": f"0x{number:064x}", "delta": delta}


def state_of_account() -> dict[str, object]:
    """Return what the account stands at when the month begins."""
    shown = []
    for token, index in TOKENS.items():
        sides = {side: text(STANDS.get((token, side), 0)) for side in ("borrow", "supply")}
        shown.append(
            [index, {side: {"basis": each, "value": each} for side, each in sides.items()}]
        )
    return {"tokenToState": shown, "health": "healthy", "healthFactor": None}


def reserves() -> list[dict[str, object]]:
    """Return the recorded states of the reserves, one an hour, where anybody recorded them."""
    found = []
    for number in range(HOURS):
        shown = []
        for token, index in TOKENS.items():
            if (token, number) not in UNRATED:
                borrow, supply = rates(token, number)
                shown.append([index, reserve(borrow, supply)])
        found.append(
            answer({"type": "allBorrowLendReserveStates"}, end_of(number) - HOUR_MS, shown)
        )
    return found


def reserve(borrow: int, supply: int) -> dict[str, object]:
    """Return the state of a reserve; its totals follow from the rates."""
    supplied = 400_000_000 * 10**8
    borrowed = supply * 10 * supplied // (borrow * 9)
    return {
        "borrowYearlyRate": text(borrow, 10), "supplyYearlyRate": text(supply, 10),
        "balance": text(supplied - borrowed), "utilization": text(borrowed * RATE // supplied, 10),
        "oraclePx": "1.0", "ltv": "0.0", "totalSupplied": text(supplied),
        "totalBorrowed": text(borrowed),
    }  # fmt: skip


def answer(request: dict[str, object], at: int, response: object) -> dict[str, object]:
    """Return one captured answer with its request and date."""
    date = datetime.fromtimestamp(at // 1000, tz=UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {"request": request, "recorded_at_http_date": date, "response": response}


def files() -> dict[str, str]:
    """Return every file of the bundled month by name."""
    rows, moved = played()
    user, when = {"user": ACCOUNT}, end_of(HOURS - 1) + 600_000
    own = [answer({"type": "borrowLendUserState", **user}, BEGIN, state_of_account())]
    for begin in range(0, len(rows), 499):  # a page of the venue has at most 500 rows
        page = rows[begin : begin + 499]
        last = begin + 499 >= len(rows)
        window = {
            "startTime": BEGIN if not begin else page[0]["time"],
            "endTime": when if last else page[-1]["time"],
        }
        own.append(answer({"type": "userBorrowLendInterest", **user, **window}, when, page))
    window = {"startTime": BEGIN, "endTime": when}
    own.append(answer({"type": "userNonFundingLedgerUpdates", **user, **window}, when, moved))
    tokens = [
        {"name": name, "szDecimals": 8, "weiDecimals": 8, "index": index, "isCanonical": True}
        for name, index in TOKENS.items()
    ]
    meta = [answer({"type": "spotMeta"}, BEGIN, {"tokens": tokens, "universe": []})]
    written = {"account.json": own, "reserves.json": meta + reserves()}
    found = {
        name: "[\n"
        + ",\n".join(json.dumps(each, separators=(",", ":")) for each in every)
        + "\n]\n"
        for name, every in written.items()
    }
    return {**found, "statement.csv": statement(rows)}


def statement(rows: list[dict[str, object]]) -> str:
    """Return a statement as another party would send it: the rows of USDT0, all but one."""
    lines = ["time;token;side;amount"]
    for row in rows:
        if row["token"] == "USDT0":
            moment = datetime.fromtimestamp(int(str(row["time"])) // 1000, tz=UTC)
            lines.append(f"{moment:%Y-%m-%dT%H:%M:%SZ};USDT0;supply;{row['supply']}")
    del lines[300]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the bundled month."""
    folder = Path(__file__).parents[2] / "fixtures" / "payouts"
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files().items():
        (folder / name).write_text(body, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Compose the bundled history: one portfolio-margin account, three days, one liquidation.

Everything is worked out here with plain decimals from the venue's published rules and written in
the venue's own answer shapes; nothing is imported from the product, so the files can be held
against it. Prices, sizes and the address are invented. Run ``python -m tests.support.compose``
to write ``fixtures/cascade``; a test compares the files with a fresh composition.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.composer import ACCOUNT, BEGIN, END, SUB, TOKENS, Composer, D, cut, ms, text


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return a moment of August 2026."""
    return datetime(2026, 8, day, hour, minute, second, tzinfo=UTC)


def first_day(play: Composer) -> list[tuple[datetime, object]]:
    """Money comes in, the account is set up, positions are opened."""
    account = play.account

    def deposit() -> None:
        account.perp_cash += D(60000)
        play.ledger(at(3, 8, 0, 5), 123, type="deposit", usdc="60000.0")

    def to_spot() -> None:
        account.perp_cash -= D(14000)
        account.spot["USDC"] += D(14000)
        play.ledger(at(3, 8, 6), 410, type="accountClassTransfer", usdc="14000.0", toPerp=False)

    def buy_spot() -> None:
        play.spot(at(3, 8, 10, 11), 512, "B", "40.001", "120.0")
        play.spot(at(3, 8, 10, 11), 512, "B", "40.002", "50.0")
        play.spot(at(3, 8, 10, 14), 77, "B", "40.004", "30.0")

    def supply() -> None:
        play.reserve(at(3, 8, 15), 30, "supply", "HYPE", "180.0")
        play.reserve(at(3, 8, 16), 31, "supply", "USDC", "5900.0")

    def go_long() -> None:
        for extra, px, size in (
            (208, "39.82", "1200.0"),
            (208, "39.821", "800.5"),
            (208, "39.822", "999.5"),
            (951, "39.824", "2000.0"),
        ):
            play.perp(at(3, 9, 20, 1), extra, "HYPE", "B", px, size)

    def hedge() -> None:
        play.perp(at(3, 9, 25), 17, "BTC", "A", "109861.0", "0.3")
        play.perp(at(3, 9, 25), 17, "BTC", "A", "109860.0", "0.2")

    def ether() -> None:
        play.perp(at(3, 15, 4), 300, "ETH", "B", "3471.5", "4.0")
        play.perp(at(3, 15, 4), 644, "ETH", "B", "3471.7", "6.0")

    def flip() -> None:
        play.perp(at(3, 18, 31), 5, "ETH", "A", "3458.1", "15.0")

    return [
        (at(3, 8, 0, 5), deposit),
        (at(3, 8, 6), to_spot),
        (at(3, 8, 10), buy_spot),
        (at(3, 8, 15), supply),
        (at(3, 9, 20), go_long),
        (at(3, 9, 25), hedge),
        (at(3, 15, 4), ether),
        (at(3, 18, 31), flip),
    ]


def second_day(play: Composer) -> list[tuple[datetime, object]]:
    """A borrow, some trimming, money leaves."""
    account = play.account

    def borrow() -> None:
        play.reserve(at(4, 10, 2), 118, "borrow", "USDC", "4000.0")
        play.spot(at(4, 10, 2), 118, "B", "36.62", "109.0")
        play.reserve(at(4, 10, 2), 420, "supply", "HYPE", "100.0")

    def trim() -> None:
        play.perp(at(4, 12, 45), 66, "HYPE", "A", "36.374", "333.33")
        play.perp(at(4, 12, 45), 66, "HYPE", "A", "36.373", "166.67")
        play.perp(at(4, 12, 50), 2, "ETH", "B", "3385.3", "5.0")

    def leave() -> None:
        account.perp_cash -= D(501)
        play.ledger(
            at(4, 16, 20), 9, type="withdraw", usdc="500.0", nonce=ms(at(4, 16, 20)), fee="1.0"
        )

    def to_sub() -> None:
        account.perp_cash -= D(1000)
        play.ledger(
            at(4, 20, 1),
            500,
            type="subAccountTransfer",
            usdc="1000.0",
            user=ACCOUNT,
            destination=SUB,
        )

    return [
        (at(4, 10, 2), borrow),
        (at(4, 12, 45), trim),
        (at(4, 16, 20), leave),
        (at(4, 20, 1), to_sub),
    ]


def liquidation(play: Composer, moment: datetime) -> None:
    """The venue closes the HYPE position at market."""
    account, mark = play.account, play.mark("HYPE", moment)
    mark_text = {"liquidatedUser": ACCOUNT, "markPx": text(mark), "method": "market"}
    play.ledger(
        moment,
        350,
        type="liquidation",
        liquidatedNtlPos=text(abs(account.size["HYPE"]) * mark),
        accountValue=text(cut(play.perp_value(moment), 6)),
        leverageType="Cross",
        liquidatedPositions=[{"coin": "HYPE", "szi": text(account.size["HYPE"])}],
    )
    for below, size in (("0.004", "2100.0"), ("0.019", "1400.5"), ("0.037", "999.5")):
        play.perp(
            moment, 350, "HYPE", "A", format(mark - D(below), "f"), size, liquidation=mark_text
        )


def play_all() -> tuple[Composer, datetime]:
    """Play the three days and return what the venue would show, with the moment of liquidation."""
    play = Composer()
    todo = sorted(first_day(play) + second_day(play), key=lambda step: step[0])
    seen = [at(3, 12, 1), at(4, 22, 1)]  # after the payments of the hour, which come late
    moment, taken = BEGIN, None
    while moment <= END:
        while todo and todo[0][0] <= moment:
            todo.pop(0)[1]()  # type: ignore[operator]
        if moment.minute == 0 and moment.second == 0:
            play.hour(moment)
            play.prices(moment)
            play.reserves(moment)
        if moment in seen:
            play.prices(moment)
            play.snapshot(moment)
        falling = taken is None and moment >= at(5, 10, 0)
        if falling and moment.minute % 5 == 0 and (moment.minute or moment.second):
            play.prices(moment)
        if falling and play.ratio(moment) > D("0.95"):
            play.prices(moment)
            play.snapshot(moment)
            liquidation(play, moment)
            taken = moment
        moment += timedelta(minutes=1)
    if taken is None:
        raise AssertionError(f"no liquidation: ratio {play.ratio(END)}")
    play.reserve(END, 10, "withdraw", "USDC", "1500.0")
    play.reserve(END, 11, "repay", "USDC", "1500.0")
    play.snapshot(END + timedelta(minutes=1))
    return play, taken


def files() -> dict[str, str]:
    """Return every file of the bundled history by name."""
    play, _ = play_all()
    when = END + timedelta(minutes=5)
    user = {"user": ACCOUNT}
    window = {"startTime": ms(BEGIN), "endTime": ms(when)}
    play.capture("account", when, {"type": "userFills", **user}, play.fills[::-1])
    play.capture("account", when, {"type": "userFunding", **user, **window}, play.payments)
    play.capture(
        "account", when, {"type": "userNonFundingLedgerUpdates", **user, **window}, play.updates
    )
    play.capture(
        "account", when, {"type": "userBorrowLendInterest", **user, **window}, play.interest
    )
    for coin, rows in play.rates.items():
        play.capture("markets", when, {"type": "fundingHistory", "coin": coin, **window}, rows)
    play.capture("markets", BEGIN, {"type": "meta"}, play.meta())
    tokens = [
        {
            "name": name,
            "szDecimals": 2 if name == "HYPE" else 8,
            "weiDecimals": 8,
            "index": index,
            "isCanonical": True,
        }
        for name, index in TOKENS.items()
    ]
    pair = {"tokens": [150, 0], "name": "@107", "index": 107, "isCanonical": False}
    play.capture("markets", BEGIN, {"type": "spotMeta"}, {"tokens": tokens, "universe": [pair]})
    return {
        f"{name}.json": "[\n"
        + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
        + "\n]\n"
        for name, rows in sorted(play.captures.items())
    }


def main() -> None:
    """Write the bundled history."""
    folder = Path(__file__).parents[2] / "fixtures" / "cascade"
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files().items():
        (folder / name).write_text(body, encoding="utf-8")


if __name__ == "__main__":
    main()

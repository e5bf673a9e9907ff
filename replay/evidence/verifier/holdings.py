"""Holdings: what an account has at an instant, as states show it, and as its records lead to it.

A state of the venue shows everything at once. From the last one before an instant on, recorded
movements are added; what happened to loans without a record is seen where the next state shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from replay.evidence.verifier.amounts import (
    NOTHING,
    Amount,
    Unknown,
    exactly,
    less,
    made,
    plain,
    plus,
    product,
    quotient,
    unsigned,
)  # fmt: skip
from replay.evidence.verifier.canon import ONE, PLACES
from replay.evidence.verifier.engine import LOT, SIZE, STRAY, Journal, Listing, dex_of, is_perp
from replay.evidence.verifier.loans import Loan, Loans, loans_at
from replay.evidence.verifier.rules import Tiers, tiers_of
from replay.evidence.verifier.surroundings import TOGETHER, Surroundings

ONE_BALANCE = ("unifiedAccount", "portfolioMargin")
"""Modes in which one balance of a token stands for spot and exchanges, marked to market."""
SEEN = Fraction(1, 1_000_000)
"""The smallest movement that states can show."""

Sums = Mapping[tuple[str, str], int]
"""What recorded movements come to, by place and token."""


class Stake:
    """One perpetual position."""

    def __init__(self, size: Amount, mark: Amount, value: Amount, tiers: Tiers | Unknown) -> None:
        """Keep what is known of it; as a cross position, until something else is said."""
        self.size = size
        self.mark = mark
        self.value = value
        self.tiers = tiers
        self.is_isolated = False
        self.isolated_money: Amount = Unknown("isolated raw money")

    @property
    def signed(self) -> Amount:
        """Its value, negative for a short."""
        return made(lambda size, value: -value if size < 0 else value, self.size, self.value)


class Exchange:
    """One perpetuals exchange of the account."""

    def __init__(self, money: str, raw: Amount) -> None:
        """Keep its token and raw money; positions come later."""
        self.money = money
        self.raw = raw
        self.stakes: dict[str, Stake] = {}
        self.said: Amount = Unknown("recorded account value")

    @property
    def value(self) -> Amount:
        """What it is worth: as recorded, else raw money and the values of its positions."""
        if isinstance(self.said, Fraction):
            return self.said
        return plus(self.raw, *(stake.signed for stake in self.stakes.values()))


class Coins:
    """What the account has of one token."""

    def __init__(self, total: Amount, supplied: Amount, borrowed: Amount) -> None:
        """Keep the balance, what is lent and what is owed."""
        self.total = total
        self.supplied = supplied
        self.borrowed = borrowed


class Holdings:
    """Everything the account has at an instant."""

    def __init__(self, at: int, mode: str | None) -> None:
        """Begin with nothing."""
        self.at = at
        self.mode = mode
        self.coins: dict[str, Coins] = {}
        self.exchanges: dict[str, Exchange] = {}

    def settling_in(self, token: str) -> list[Exchange]:
        """Return the exchanges whose money is that token."""
        return [one for one in self.exchanges.values() if one.money == token]

    def at_hand(self, token: str) -> Amount:
        """Return what is neither lent nor on an exchange; total − exchanges − supplied + owed."""
        coins = self.coins.get(token)
        if coins is None:
            return NOTHING
        if self.mode not in ONE_BALANCE:
            return coins.total
        parts = [coins.supplied, *(one.value for one in self.settling_in(token))]
        return less(plus(coins.total, coins.borrowed), plus(*parts))


def money_of(listing: Listing, dex: str) -> str:
    """Return the token in which an exchange settles."""
    return listing.collaterals.get(dex, f"collateral of {dex}" if dex else "USDC")


class Untold(Exception):
    """An event of unknown kind may have moved money."""


def sums_at(journal: Journal, at: int) -> Sums:
    """Return the sums of recorded movements at an instant.

    Raises: Untold, behind an event of unknown kind.
    """
    if journal.stopped is not None and journal.stopped[0] <= at:
        raise Untold
    sums: dict[tuple[str, str], int] = {}
    for moment, place, asset, amount in journal.legs:
        if moment <= at:
            sums[place, asset] = sums.get((place, asset), 0) + amount
    return sums


def sizes_at(journal: Journal, at: int) -> dict[str, Fraction]:
    """Return the signed size of every perpetual that a fill was recorded of."""
    sizes: dict[str, Fraction] = {}
    for moment, name, position in journal.sizes:
        if moment <= at and not name.startswith("spot:") and is_perp(name):
            lots = position[SIZE] + position[STRAY]
            sizes[name] = Fraction(lots * 10 ** (PLACES - position[LOT]), ONE)
    return sizes


# As states show it.


def shown_at(around: Surroundings, at: int) -> Holdings | None:
    """Return what the states recorded at a moment and within a minute of it show.

    None without a state of the spot side of that very moment, or of any exchange near it.
    """
    spot = around.spots.last(at)
    sides = [one for one in around.perps_at(at + TOGETHER) if abs(one["at"] - at) <= TOGETHER]
    if spot is None or spot["at"] != at or not sides:
        return None
    lending = around.lendings.last(at + TOGETHER)
    if lending is not None and abs(lending["at"] - at) > TOGETHER:
        lending = None
    moments = [one["at"] for one in (spot, lending, *sides) if one is not None]
    holdings = Holdings(max(moments), around.modes.last(at + TOGETHER))
    for row in spot["balances"]:
        holdings.coins.setdefault(row["asset"], coins_shown(row, lending))
    for side in sides:
        money = money_of(around.listing, side["dex"])
        holdings.exchanges[side["dex"]] = exchange_shown(side, money, around, at, holdings.at)
        holdings.coins.setdefault(money, Coins(NOTHING, NOTHING, NOTHING))
    return holdings


def coins_shown(row: Any, lending: Any) -> Coins:
    """Return one token of a spot state; loans it leaves out are of the lending state, or none."""
    supplied, borrowed = NOTHING, NOTHING
    for loan in [] if lending is None else lending["loans"]:
        if loan["token"] == row["token"]:
            supplied, borrowed = plain(loan["supply_value"]), plain(loan["borrow_value"])
    if row["supplied"] is not None:
        supplied = plain(row["supplied"])
    if row["borrowed"] is not None:
        borrowed = plain(row["borrowed"])
    return Coins(plain(row["total"]), supplied, borrowed)


def exchange_shown(state: Any, money: str, around: Surroundings, at: int, last: int) -> Exchange:
    """Return one exchange of a state; *last* is the moment of the latest state beside it."""
    summary = state["summary"] or {"total_raw_usd": None, "account_value": None}
    exchange = Exchange(money, exactly(summary["total_raw_usd"], f"raw money of {state['dex']}"))
    exchange.said = exactly(summary["account_value"], "recorded account value")
    for row in state["positions"]:
        coin, size = row["coin"], plain(row["size"])
        value = exactly(row["value"], f"position value of {coin}")
        mark = quotient(value, abs(size)) if size else Unknown(f"mark of {coin}")
        tiers = tiers_of(coin, around.tiers_at(coin, at), row["max_leverage"], last)
        stake = exchange.stakes[coin] = Stake(size, mark, value, tiers)
        stake.is_isolated = row["leverage_type"] == "isolated"
    return exchange


# As records lead to it.


class Anchor:
    """A state of the venue, and what recorded movements came to at its moment."""

    def __init__(self, moment: int, holdings: Holdings, sums: Sums) -> None:
        """Keep both, and the moment of the spot side's state."""
        self.moment = moment
        self.holdings = holdings
        self.sums = sums


class Reckoning:
    """What the records of an account lead to, at any instant."""

    def __init__(self, journal: Journal, around: Surroundings) -> None:
        """Keep what was recorded of the account and around it."""
        self.journal = journal
        self.around = around

    def anchor(self, at: int) -> Anchor | None:
        """Return the state recorded at a moment; None where it is not whole.

        Raises: Untold, where its movements are not known.
        """
        shown = shown_at(self.around, at)
        return None if shown is None else Anchor(at, shown, sums_at(self.journal, shown.at))

    def start(self, at: int) -> tuple[Anchor | None, bool]:
        """Return the state from which movements are added, and whether a beginning is known.

        It is the last one before the instant; one of the instant itself where there is no other.
        """
        moments = [one["at"] for one in self.around.spots.until(at)]
        earlier = [moment for moment in moments if moment < at] or moments
        anchor = self.anchor(earlier[-1]) if earlier else None
        opened = any(moment <= at for moment in self.around.openings)
        return anchor, anchor is not None or opened

    def holdings(self, at: int) -> Holdings:
        """Return everything the account has at an instant, as its records lead to it.

        Raises: Untold.
        """
        anchor, is_begun = self.start(at)
        money = Money(sums_at(self.journal, at), anchor, is_begun=is_begun)
        loans: Loans = {}
        if self.around.lendings.last(at) is not None:
            around = self.around
            loans = loans_at(around.loans, around.reserves, around.listing.symbols, at)
        holdings = Holdings(at, self.around.modes.last(at))
        self._trade(holdings, money)
        for token in sorted(money.tokens() | {one.money for one in holdings.exchanges.values()}):
            holdings.coins[token] = self._count(holdings, money, loans, token)
        self._correct(holdings, anchor, is_begun=is_begun)
        return holdings

    def _trade(self, holdings: Holdings, money: Money) -> None:
        """Put in exchanges and positions: of fills, and those states show without any fill."""
        at, around = holdings.at, self.around
        sizes, settings = sizes_at(self.journal, at), around.settings_at(at)
        before = {} if money.anchor is None else money.anchor.holdings.exchanges
        names = {dex_of(coin) for coin, size in sizes.items() if size} | {"", *before}
        names |= {place[5:] for place, _ in money.sums if place.startswith("perp:")}
        for dex in sorted(names):
            token = money_of(around.listing, dex)
            raw = before[dex].raw if dex in before else NOTHING
            side = holdings.exchanges[dex] = Exchange(token, money.now(f"perp:{dex}", token, raw))
            for coin, size in sizes.items():
                if size and dex_of(coin) == dex:
                    tiers = tiers_of(coin, around.tiers_at(coin, at), None, at)
                    side.stakes[coin] = self._stake(coin, size, tiers, at)
                    moment, row = settings.get(coin, (0, {"leverage_type": None, "raw_usd": None}))
                    side.stakes[coin].is_isolated = row["leverage_type"] == "isolated"
                    if moment == at:
                        side.stakes[coin].isolated_money = exactly(row["raw_usd"], "isolated money")
            for coin, old in before[dex].stakes.items() if dex in before else ():
                if coin not in sizes:
                    tiers = around.tiers_at(coin, at) or old.tiers
                    stake = side.stakes[coin] = self._stake(coin, old.size, tiers, at)
                    if isinstance(stake.mark, Unknown):
                        stake.mark = old.mark
                        stake.value = product(unsigned(old.size), old.mark)
                    stake.is_isolated = old.is_isolated

    def _stake(self, coin: str, size: Amount, tiers: Tiers | Unknown, at: int) -> Stake:
        price = self.around.mark_at(coin, at)
        mark: Amount = Unknown(f"mark of {coin}") if price is None else price[1]
        return Stake(size, mark, product(unsigned(size), mark), tiers)

    def _count(self, holdings: Holdings, money: Money, loans: Loans, token: str) -> Coins:
        """Return what there is of a token."""
        supplied = money.lent(token, loans.get((token, "supply")), "supply")
        borrowed = money.lent(token, loans.get((token, "borrow")), "borrow")
        hidden = plus(
            *(money.hidden(token, side, loans[token, side])
              for side in ("supply", "borrow") if (token, side) in loans)
        )  # fmt: skip
        start = NOTHING if money.anchor is None else money.anchor.holdings.at_hand(token)
        total = plus(money.now("spot", token, start), hidden)
        if holdings.mode in ONE_BALANCE:
            values = [side.value for side in holdings.settling_in(token)]
            total = less(plus(total, supplied, *values), borrowed)
        return Coins(total, supplied, borrowed)

    def _correct(self, holdings: Holdings, anchor: Anchor | None, *, is_begun: bool) -> None:
        """Take loans as a state of this very moment shows them, where one moved unrecorded.

        Balances stay: what was lent or borrowed only changed its place.
        """
        spot = self.around.spots.last(holdings.at)
        here = self.anchor(holdings.at) if spot is not None and spot["at"] == holdings.at else None
        if here is None or not is_begun:
            return
        if anchor is not None and anchor.moment == here.moment:
            return
        for token in here.holdings.coins:
            side = moved_unrecorded(anchor, here, token)
            if side and token in holdings.coins:
                shown = here.holdings.coins[token]
                if side == "borrow":
                    holdings.coins[token].borrowed = shown.borrowed
                else:
                    holdings.coins[token].supplied = shown.supplied


class Money:
    """Sums of movements, from a state of the venue on, or from an attested beginning."""

    def __init__(self, sums: Sums, anchor: Anchor | None, *, is_begun: bool) -> None:
        """Keep the sums of the instant, and from where they are counted."""
        self.sums = sums
        self.anchor = anchor
        self.is_begun = is_begun

    def tokens(self) -> set[str]:
        """Return every token the account may have."""
        shown = () if self.anchor is None else self.anchor.holdings.coins
        places = ("spot", "supplied", "borrowed")
        return {"USDC", *shown, *(asset for place, asset in self.sums if place in places)}

    def now(self, place: str, asset: str, start: Amount) -> Amount:
        """Return the money at a place: what the state had there, and what came since."""
        if not self.is_begun:
            return Unknown(f"balance of {asset} before the first record ({place})")
        before = 0 if self.anchor is None else self.anchor.sums.get((place, asset), 0)
        return plus(start, Fraction(self.sums.get((place, asset), 0) - before, ONE))

    def lent(self, asset: str, loan: Loan | None, side: str) -> Amount:
        """Return what is supplied or owed of a token, above zero; owed sums are negative."""
        if loan is not None:
            return loan.value
        start: Amount = self.loan_before(asset, side)
        if side == "supply":
            return self.now("supplied", asset, start)
        return product(Fraction(-1), self.now("borrowed", asset, less(NOTHING, start)))

    def loan_before(self, asset: str, side: str) -> Amount:
        """Return what the state shows supplied or owed of a token."""
        coins = None if self.anchor is None else self.anchor.holdings.coins.get(asset)
        if coins is None:
            return NOTHING
        return coins.supplied if side == "supply" else coins.borrowed

    def hidden(self, asset: str, side: str, loan: Loan) -> Fraction:
        """Return what came to the money at hand with movements of a loan that only states show."""
        came = NOTHING
        for since, until, amount in loan.jumps:
            if self.anchor is not None and until <= self.anchor.holdings.at:
                continue
            before = self.loan_before(asset, side)
            if self.anchor is not None and not since and before != NOTHING:
                continue
            came += amount if side == "borrow" else -amount
        return came


# Between two states.


def moved_unrecorded(before: Anchor | None, after: Anchor, token: str) -> str:
    """Return which loan of a token moved without a record between two states; empty if none.

    Money at hand and on exchanges grows by what is recorded, and by loans alone. Where the loans
    did not move by about as much, a record is missing instead.
    """
    came = cash(after.holdings, token)
    earlier = NOTHING if before is None else cash(before.holdings, token)
    if isinstance(came, Unknown) or isinstance(earlier, Unknown):
        return ""
    moved = came - earlier - recorded_cash(after, token)
    supplied, borrowed = unexplained(after, token)
    if before is not None:
        moved += recorded_cash(before, token)
        was_supplied, was_borrowed = unexplained(before, token)
        supplied, borrowed = supplied - was_supplied, borrowed - was_borrowed
    loans = borrowed - supplied
    if abs(moved) <= SEEN or abs(loans - moved) >= abs(loans):
        return ""
    return "borrow" if abs(borrowed - moved) <= abs(supplied + moved) else "supply"


def cash(holdings: Holdings, token: str) -> Amount:
    """Return the money of a token at hand and on exchanges, positions taken out."""
    coins = holdings.coins.get(token)
    if coins is None or holdings.mode not in ONE_BALANCE:
        return Unknown(f"money of {token}")
    stakes = [stake for side in holdings.settling_in(token) for stake in side.stakes.values()]
    signed = plus(*(stake.signed for stake in stakes))
    return less(plus(coins.total, coins.borrowed), plus(coins.supplied, signed))


def recorded_cash(anchor: Anchor, token: str) -> Fraction:
    """Return the sum of recorded movements of a token at hand and on exchanges."""
    found = [
        amount
        for (place, asset), amount in anchor.sums.items()
        if asset == token and (place == "spot" or place.startswith("perp:"))
    ]
    return Fraction(sum(found), ONE)


def unexplained(anchor: Anchor, token: str) -> tuple[Fraction, Fraction]:
    """Return what is supplied and owed of a token beyond what is recorded of it."""
    coins = anchor.holdings.coins.get(token) or Coins(NOTHING, NOTHING, NOTHING)
    lent, owed = (
        Fraction(anchor.sums.get((place, token), 0), ONE) for place in ("supplied", "borrowed")
    )
    supplied = coins.supplied if isinstance(coins.supplied, Fraction) else NOTHING
    borrowed = coins.borrowed if isinstance(coins.borrowed, Fraction) else NOTHING
    return supplied - lent, borrowed + owed
